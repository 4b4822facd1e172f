//! Bulk flows: how long they took, and the goodput of each over its lifetime.

use std::collections::BTreeSet;

use sim_core::{SimDuration, SimTime};
use tcp_model::ConnectionEnd;
use tcp_model::sample::{Ending, EndpointSummary, FlowEnd, Side};
use tcp_model::segment::ConnId;

use super::histogram::{Histogram, put_bins, put_quantiles};
use crate::metrics::Metrics;

/// Senders of fewer bytes do not count as bulk flows.
const BULK: u64 = 50_000;

/// A flow that began less than this before the end of the run may have few bytes.
const LONG_ENOUGH: SimDuration = SimDuration::from_secs(1);

/// Sums over flows.
#[derive(Debug, Default)]
pub(crate) struct Flows {
    completion: Histogram,
    keeps_bins: bool,
    broken: u64,
    unfinished: u64,
    /// The longest time that one of them had been under way.
    longest: SimDuration,
    /// Flows cut off by the end of the run, until it is known how much they had transferred.
    cut_off: BTreeSet<ConnId>,
    /// The number of such flows with few bytes, and the fewest bytes of one.
    small: u64,
    fewest: Option<u64>,
    senders: u64,
    sum_bps: f64,
    least_bps: Option<f64>,
    most_bps: f64,
}

impl Flows {
    pub(crate) fn new(keeps_bins: bool) -> Flows {
        Flows {
            keeps_bins,
            ..Flows::default()
        }
    }

    pub(crate) fn on_flow(&mut self, flow: &FlowEnd) {
        match flow.ending {
            Ending::Connection(ConnectionEnd::Closed) => self.completion.add(flow.took),
            Ending::Connection(_) | Ending::GivenUp | Ending::Crash => self.broken += 1,
            Ending::RunEnd => {
                if flow.took >= LONG_ENOUGH {
                    self.cut_off.insert(flow.conn);
                }
                if flow.bytes.is_some() {
                    self.unfinished += 1;
                    self.longest = self.longest.max(flow.took);
                }
            }
        }
    }

    /// An end point has ended, or is still open at the end of the run.
    pub(crate) fn on_ended(&mut self, end: &EndpointSummary) {
        let acked = end.counts.bytes_acked;
        if end.side == Side::Active && self.cut_off.remove(&end.conn) && acked < BULK {
            self.small += 1;
            self.fewest = Some(self.fewest.map_or(acked, |fewest| fewest.min(acked)));
        }
        let life = end.ended.since(end.opened.max(SimTime::ZERO)).as_secs_f64();
        if acked < BULK || life <= 0.0 {
            return;
        }
        let bps = 8.0 * acked as f64 / life;
        self.senders += 1;
        self.sum_bps += bps;
        self.least_bps = Some(self.least_bps.map_or(bps, |least| least.min(bps)));
        self.most_bps = self.most_bps.max(bps);
    }

    pub(crate) fn close(&self, metrics: &mut Metrics) {
        let flows = self.completion.len() + self.broken + self.unfinished;
        if flows > 0 {
            metrics.put("flows_completed", self.completion.len() as f64);
            metrics.put("flows_broken", self.broken as f64);
            metrics.put("flows_unfinished", self.unfinished as f64);
        }
        if self.unfinished > 0 {
            metrics.put("flow_unfinished_max_s", self.longest.as_secs_f64());
        }
        if let Some(fewest) = self.fewest {
            metrics.put("flows_small", self.small as f64);
            metrics.put("flow_small_min_bytes", fewest as f64);
        }
        put_quantiles(&self.completion, "flow_completion", metrics);
        if self.keeps_bins {
            put_bins(&self.completion, "flow_completion", metrics);
        }
        if let Some(least) = self.least_bps {
            metrics.put("flow_goodput_mean_bps", self.sum_bps / self.senders as f64);
            metrics.put("flow_goodput_min_bps", least);
            metrics.put("flow_goodput_max_bps", self.most_bps);
        }
    }
}
