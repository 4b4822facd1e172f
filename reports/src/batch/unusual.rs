//! Unusual events in single runs, which a mean over the batch would not show.

/// A kind of unusual event.
pub(super) struct Unusual {
    /// The metric that counts it; empty if there is none.
    pub(super) metric: &'static str,
    /// The run finding that reports it, if a positive metric alone is not unusual.
    pub(super) finding: &'static str,
    /// What it is, after "In 2 of 6 runs, ".
    pub(super) what: &'static str,
}

const fn counted_by(metric: &'static str, what: &'static str) -> Unusual {
    Unusual {
        metric,
        finding: "",
        what,
    }
}

const fn reported_by(finding: &'static str, metric: &'static str, what: &'static str) -> Unusual {
    Unusual {
        metric,
        finding,
        what,
    }
}

/// In the order in which they are reported.
pub(super) const UNUSUAL: &[Unusual] = &[
    counted_by(
        "old_duplicate_bytes",
        "data of earlier connections was accepted",
    ),
    counted_by(
        "nat_syns_dropped",
        "a NAT had no free port and dropped SYNs",
    ),
    reported_by(
        "unsettled-connects",
        "",
        "connects had long been pending without an answer when the run ended",
    ),
    counted_by(
        "requests_unanswered_timed_out",
        "requests went unanswered because connections timed out",
    ),
    counted_by(
        "requests_unanswered_reset",
        "requests went unanswered because connections were reset",
    ),
    counted_by(
        "requests_unanswered_closed",
        "requests went unanswered because servers closed early",
    ),
    counted_by(
        "requests_unanswered_crashed",
        "requests went unanswered because clients crashed",
    ),
    counted_by(
        "requests_unanswered_given_up",
        "clients gave up on requests",
    ),
    reported_by(
        "unanswered-requests",
        "requests_unanswered_at_run_end",
        "requests had long been pending, or had piled up, when the run ended",
    ),
    reported_by(
        "requests-without-connection",
        "requests_never_sent",
        "requests still waited for a pooled connection when the run ended",
    ),
    counted_by(
        "connections_cut_short",
        "connections ended while their clients had more requests to make",
    ),
    counted_by("flows_broken", "bulk flows broke off"),
    reported_by(
        "unfinished-flows",
        "flows_unfinished",
        "no bulk flow was completed, or some had hardly begun",
    ),
    counted_by(
        "end_points_stuck",
        "end points were open with nothing scheduled",
    ),
    counted_by("half_open_end", "connections were half-open at the end"),
    counted_by(
        "ended_fin_wait_expired",
        "sockets were given up in FIN-WAIT-2",
    ),
    counted_by(
        "ended_time_wait_overflow",
        "connections closed without TIME-WAIT, which is unsafe",
    ),
    counted_by(
        "time_wait_killed",
        "resets ended TIME-WAIT early, which is unsafe",
    ),
    counted_by("listen_drops", "listeners dropped SYNs or final ACKs"),
    counted_by("unrouted_pkts", "packets had no route"),
];
