//! Metrics computed from the counters of hosts and middleboxes at the end of a run.

use std::collections::BTreeMap;

use tcp_model::host::TcpHost;
use tcp_model::{ByRule, RetransmitReason};

use super::counters::CounterSums;

/// Counters that every run has as metrics.
const SUMS: [&str; 10] = [
    "time_wait_made",
    "time_wait_expired",
    "time_wait_overflows",
    "time_wait_fins_answered",
    "time_wait_reused",
    "time_wait_recycled",
    "time_wait_killed",
    "resets_sent",
    "listen_overflows",
    "listen_drops",
];

/// Metrics that exist only if the event occurred, and their counters.
const RARE: [(&str, &str); 5] = [
    ("syn_cookies_sent", "syn_cookies_sent"),
    ("time_wait_lost", "time_wait_lost"),
    ("time_wait_restored", "time_wait_restored"),
    ("old_stamp_syns", "old_stamp_syns"),
    ("corrupted_pkts", "checksum_failures"),
];

/// Computes metrics from the counters of hosts and middleboxes; `groups` has the group of each host.
pub(super) fn of(hosts: &[Option<TcpHost>], groups: &[&str]) -> BTreeMap<String, f64> {
    let mut sums = CounterSums::default();
    let mut spurious = ByRule::default();
    let (mut peak, mut share) = (0, 0.0_f64);
    for stats in hosts.iter().flatten().map(TcpHost::stats) {
        sums.add(&stats);
        spurious += stats.spurious;
        let used = stats.peak_ports_per_destination;
        peak = peak.max(used);
        share = share.max(f64::from(used) / f64::from(stats.ports_per_destination.max(1)));
    }
    let sums: BTreeMap<&str, u64> = sums.named().collect();
    let sum = |name| sums.get(name).copied().unwrap_or_default() as f64;
    let mut all: BTreeMap<String, f64> = SUMS.map(|name| (name.to_owned(), sum(name))).into();
    let rare = RARE.map(|(name, counter)| (name.to_owned(), sum(counter)));
    all.extend(rare.into_iter().filter(|(_, n)| *n > 0.0));
    all.extend([
        ("ports_in_use_destination_peak".to_owned(), f64::from(peak)),
        (
            "ports_in_use_destination_share_peak".to_owned(),
            share.min(1.0),
        ),
    ]);
    all.extend(spurious_metrics(&spurious));
    all.extend(middlebox_metrics(hosts, groups));
    all
}

/// Metrics reported by middleboxes.
fn middlebox_metrics(hosts: &[Option<TcpHost>], groups: &[&str]) -> BTreeMap<String, f64> {
    let mut all: BTreeMap<String, f64> = BTreeMap::new();
    for (host, group) in hosts.iter().zip(groups) {
        let middlebox = host.as_ref().and_then(TcpHost::middlebox);
        for (name, count) in middlebox.map(|m| m.counts()).into_iter().flatten() {
            all.entry(name.replace("<name>", group))
                .and_modify(|n| *n = count.and(*n))
                .or_insert(count.value());
        }
    }
    all
}

/// Metrics of spurious retransmissions, in total and by rule.
fn spurious_metrics(spurious: &ByRule) -> BTreeMap<String, f64> {
    let total = (
        "retransmissions_spurious".to_owned(),
        spurious.total() as f64,
    );
    let mut all = BTreeMap::from([total]);
    for rule in RetransmitReason::ALL {
        let name = match rule {
            RetransmitReason::DuplicateAcks => "spurious_duplicate_acks",
            RetransmitReason::PartialAck => "spurious_partial_ack",
            RetransmitReason::Sack => "spurious_sack",
            RetransmitReason::Rack => "spurious_rack",
            RetransmitReason::TailLossProbe => "spurious_tlp",
            RetransmitReason::Timeout => "spurious_rto",
            RetransmitReason::AfterTimeout => "spurious_after_rto",
            RetransmitReason::Frto => "spurious_after_frto",
            _ => "spurious_other",
        };
        if spurious.of(rule) > 0 {
            *all.entry(name.to_owned()).or_default() += f64::from(spurious.of(rule));
        }
    }
    all
}

/// The number of connections still open although no event is scheduled; `None` if there are none.
pub(super) fn stuck(hosts: &[Option<TcpHost>], is_idle: bool) -> Option<(String, f64)> {
    if !is_idle {
        return None;
    }
    let by_state = hosts.iter().flatten().map(TcpHost::memory_by_state);
    let open: u64 = by_state.flatten().map(|(_, of_state)| of_state.count).sum();
    (open > 0).then(|| ("end_points_stuck".to_owned(), open as f64))
}

#[cfg(test)]
mod tests {
    use tcp_model::host::HostStats;

    use super::*;

    #[test]
    fn metrics_are_made_of_counters_that_there_are() {
        for name in SUMS.into_iter().chain(RARE.map(|(_, counter)| counter)) {
            let found = HostStats::COUNTERS.iter().filter(|c| c.name == name);
            assert_eq!(found.count(), 1, "{name}");
        }
    }
}
