//! The life of each end point in numbers, one row each, and their sums.

use sim_core::{NodeId, SimDuration, SimTime};
use tcp_model::sample::{EndReason, EndpointSummary, Side, StateChange};
use tcp_model::state::State;

use super::first::FirstConnections;
use super::row_texts::NodeNames;
use crate::metrics::Metrics;
use crate::recorded_words::end_reason;
use crate::store::LeftOut;
use crate::store::StoreError;
use crate::store::table::{ColumnKind, SharedText, TableWriter, Tables};

const COLUMNS: &[(&str, ColumnKind)] = &[
    ("conn", ColumnKind::Int),
    ("side", ColumnKind::Text),
    ("node", ColumnKind::Text),
    ("local_ip", ColumnKind::Int),
    ("local_port", ColumnKind::Int),
    ("remote_ip", ColumnKind::Int),
    ("remote_port", ColumnKind::Int),
    ("opened_s", ColumnKind::Float),
    ("established_s", ColumnKind::OptFloat),
    ("app_closed_s", ColumnKind::OptFloat),
    ("ended_s", ColumnKind::Float),
    ("reason", ColumnKind::Text),
    ("closed_first", ColumnKind::Bool),
    ("time_wait", ColumnKind::Bool),
    ("bytes_acked", ColumnKind::Int),
    ("bytes_received", ColumnKind::Int),
    ("segments_sent", ColumnKind::Int),
    ("segments_received", ColumnKind::Int),
    ("retransmissions", ColumnKind::Int),
    ("timeouts", ColumnKind::Int),
    ("fast_recoveries", ColumnKind::Int),
    ("old_duplicate_bytes", ColumnKind::Int),
    ("duplicates_received", ColumnKind::Int),
    ("undone_eifel", ColumnKind::Int),
    ("undone_dsack", ColumnKind::Int),
    ("undone_frto", ColumnKind::Int),
    ("ce_segments", ColumnKind::Int),
    ("ce_bytes", ColumnKind::Int),
    ("srtt_s", ColumnKind::OptFloat),
];

/// Reasons with the name of their metric.
const REASONS: [(EndReason, &str); 10] = [
    (EndReason::Closed, "ended_closed"),
    (EndReason::Refused, "ended_refused"),
    (EndReason::Reset, "ended_reset"),
    (EndReason::Aborted, "ended_aborted"),
    (EndReason::TimedOut, "ended_timed_out"),
    (EndReason::TimeWaitOverflow, "ended_time_wait_overflow"),
    (EndReason::StillOpen, "open_at_end"),
    (EndReason::Crashed, "ended_crashed"),
    (EndReason::Unreachable, "ended_unreachable"),
    (EndReason::FinWaitExpired, "ended_fin_wait_expired"),
];

/// Reasons for which the times of the first and the last end are reported: all except an orderly close and the
/// end of the run.
const ABNORMAL: [usize; 8] = [1, 2, 3, 4, 5, 7, 8, 9];

/// Counts of an end point.
const COUNTS: usize = 14;

/// Writes end points as they end.
#[derive(Debug)]
pub(crate) struct ConnectionsRecorder {
    table: TableWriter,
    first: FirstConnections,
    reasons: [SharedText; REASONS.len()],
    by_reason: [u64; REASONS.len()],
    /// When the first and the last end point ended for each reason.
    times: [Option<(SimTime, SimTime)>; REASONS.len()],
    ended: u64,
    sums: [u64; COUNTS],
    /// The longest time that a connect had been pending when the run ended.
    unsettled: Option<SimDuration>,
}

impl ConnectionsRecorder {
    pub(crate) fn new(
        to: &Tables,
        first: FirstConnections,
    ) -> Result<ConnectionsRecorder, StoreError> {
        Ok(ConnectionsRecorder {
            table: TableWriter::create(to, "connections", COLUMNS)?,
            first,
            reasons: REASONS.map(|(reason, _)| SharedText::from(end_reason(reason).0)),
            by_reason: [0; REASONS.len()],
            times: [None; REASONS.len()],
            ended: 0,
            sums: [0; COUNTS],
            unsettled: None,
        })
    }

    pub(crate) fn on_ended(
        &mut self,
        node: NodeId,
        end: &EndpointSummary,
        names: &NodeNames,
    ) -> Result<(), StoreError> {
        let reason = match end.reason {
            EndReason::Closed => 0,
            EndReason::Refused => 1,
            EndReason::Reset => 2,
            EndReason::Aborted => 3,
            EndReason::TimedOut => 4,
            EndReason::TimeWaitOverflow => 5,
            EndReason::StillOpen => 6,
            EndReason::Crashed => 7,
            EndReason::Unreachable => 8,
            EndReason::FinWaitExpired => 9,
        };
        let times = &mut self.times[reason];
        *times = Some((times.map_or(end.ended, |t| t.0), end.ended));
        if end.reason == EndReason::StillOpen
            && end.side == Side::Active
            && end.established.is_none()
        {
            let waited = end.ended.since(end.opened);
            self.unsettled = self.unsettled.max(Some(waited));
        }
        let c = &end.counts;
        let counts = [
            c.bytes_acked,
            c.bytes_received,
            c.segments_sent,
            c.segments_received,
            u64::from(c.retransmissions),
            u64::from(c.timeouts),
            u64::from(c.fast_recoveries),
            c.old_duplicate_bytes,
            u64::from(end.counts.duplicates_received),
            u64::from(end.undone.eifel),
            u64::from(end.undone.dsack),
            u64::from(end.undone.frto),
            end.marked.segments,
            end.marked.bytes,
        ];
        self.ended += u64::from(end.reason != EndReason::StillOpen);
        self.by_reason[reason] += 1;
        for (sum, n) in self.sums.iter_mut().zip(counts) {
            *sum += n;
        }
        if !self.first.has(end.conn) {
            return Ok(());
        }
        let seconds = |t: Option<SimTime>| t.map(SimTime::as_secs_f64);
        let row = self.table.row();
        let row = row
            .count(end.conn.0)
            .text(names.side(end.side))
            .text(names.node(node))
            .int(u32::from(*end.local.ip()))
            .int(end.local.port())
            .int(u32::from(*end.remote.ip()))
            .int(end.remote.port())
            .float(end.opened.as_secs_f64())
            .opt(seconds(end.established))
            .opt(seconds(end.app_closed))
            .float(end.ended.as_secs_f64())
            .text(&self.reasons[reason])
            .bool(end.closed_first)
            .bool(end.time_wait);
        let row = counts.iter().fold(row, |row, &n| row.count(n));
        row.opt(end.srtt.map(|d| d.as_secs_f64())).end()
    }

    /// A connection opens or changes its state; the first connections to open get rows.
    #[inline]
    pub(crate) fn on_state(&mut self, change: &StateChange) {
        if matches!(change.from, State::Closed | State::Listen) {
            self.first.has(change.conn);
        }
    }

    /// Connections that were opened.
    pub(crate) fn opened(&self) -> u64 {
        self.first.left_out().0
    }

    /// Payload bytes acknowledged by the peers of ended end points.
    pub(crate) fn bytes_acked(&self) -> u64 {
        self.sums[0]
    }

    /// Closes the table; returns what was left out.
    pub(crate) fn close(self, metrics: &mut Metrics) -> Result<Option<LeftOut>, StoreError> {
        let names = [
            "bytes_acked",
            "bytes_received",
            "segments_sent",
            "segments_received",
            "retransmissions",
            "timeouts",
            "fast_recoveries",
            "old_duplicate_bytes",
            "duplicates_received",
            "undone_eifel",
            "undone_dsack",
            "undone_frto",
            "ce_segments",
            "ce_bytes",
        ];
        metrics.put("endpoints_ended", self.ended as f64);
        for (name, sum) in names.into_iter().zip(self.sums) {
            metrics.put(name, sum as f64);
        }
        for ((reason, name), n) in REASONS.into_iter().zip(self.by_reason) {
            if n > 0 || reason != EndReason::FinWaitExpired {
                metrics.put(name, n as f64);
            }
        }
        if let Some(waited) = self.unsettled {
            metrics.put("connect_unsettled_max_s", waited.as_secs_f64());
        }
        for reason in ABNORMAL {
            let name = REASONS[reason].1;
            if let Some((first, last)) = self.times[reason] {
                metrics.put(&format!("{name}_first_s"), first.as_secs_f64());
                metrics.put(&format!("{name}_last_s"), last.as_secs_f64());
            }
        }
        let left_out = LeftOut::connections("connections", "rows", &self.first);
        self.table.close()?;
        Ok(left_out)
    }
}
