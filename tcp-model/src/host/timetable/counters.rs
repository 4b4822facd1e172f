//! Counters of one connection, times the number of connections.

use sim_core::SimDuration;
use sim_core::link::LinkStats;

/// Adds what a link has counted between `before` and `after`, so many times. Packets that it lost are SYNs that
/// a full queue is to drop, and do not count.
pub(super) fn add_link(sum: &mut LinkStats, before: &LinkStats, after: &LinkStats, times: u64) {
    let n = |get: fn(&LinkStats) -> u64| get(after).saturating_sub(get(before)) * times;
    sum.offered_pkts += n(|s| s.offered_pkts);
    sum.sent_pkts += n(|s| s.sent_pkts);
    sum.sent_bytes += n(|s| s.sent_bytes);
    let busy = after.busy.as_ps().saturating_sub(before.busy.as_ps());
    sum.busy += SimDuration::from_ps(busy.saturating_mul(times));
    sum.max_backlog_pkts = sum.max_backlog_pkts.max(after.max_backlog_pkts);
}
