//! Connections of which one end is gone and the other end does not know it.

use rustc_hash::FxHashMap;
use sim_core::{SimDuration, SimTime};
use tcp_model::sample::{EndReason, EndpointSummary};
use tcp_model::segment::ConnId;

use crate::metrics::Metrics;

/// A reset may be in flight for this long, or for twice the handshake if that is longer.
const LEAST: SimDuration = SimDuration::from_secs(1);

/// Counts half-open connections (RFC 9293 section 3.5.1) at the end of the run. Ends that gave up
/// in FIN-WAIT-2 have their own metric and are left out.
#[derive(Debug, Default)]
pub(crate) struct HalfOpen {
    /// Ends that are gone without an acknowledged FIN, and since when, until the other end ends.
    gone: FxHashMap<ConnId, SimTime>,
    connections: u64,
    longest: SimDuration,
}

impl HalfOpen {
    pub(crate) fn on_ended(&mut self, end: &EndpointSummary) {
        let gone = match self.gone.is_empty() {
            true => None,
            false => self.gone.remove(&end.conn),
        };
        match (end.reason, gone) {
            (EndReason::StillOpen, Some(since)) => self.is_left(end, since),
            (
                EndReason::Crashed
                | EndReason::TimedOut
                | EndReason::Unreachable
                | EndReason::Reset
                | EndReason::Aborted,
                None,
            ) if end.established.is_some() => {
                self.gone.insert(end.conn, end.ended);
            }
            _ => {}
        }
    }

    /// Counts an end that is open when the run ends, and whose peer is gone.
    fn is_left(&mut self, end: &EndpointSummary, since: SimTime) {
        let handshake = end.established.map_or(LEAST, |at| at.since(end.opened));
        let alone = end.ended.since(since);
        if alone > LEAST.max(handshake.saturating_mul(2)) {
            self.connections += 1;
            self.longest = self.longest.max(alone);
        }
    }

    pub(crate) fn close(&self, metrics: &mut Metrics) {
        if self.connections > 0 {
            metrics.put("half_open_end", self.connections as f64);
            metrics.put("half_open_max_s", self.longest.as_secs_f64());
        }
    }
}
