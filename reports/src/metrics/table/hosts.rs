//! What hosts count: their listeners, TIME-WAIT tables, limits and NATs.

use super::super::MetricKind::{Count, Duration, Share, Time};
use super::super::{Metric, MetricKind, MetricSource};

const fn hosts(
    id: &'static str,
    kind: MetricKind,
    words: &'static str,
    doc: &'static str,
) -> Metric {
    Metric::new(MetricSource::Hosts, id, kind, words, doc)
}

const fn spurious(id: &'static str, how: &'static str, doc: &'static str) -> Metric {
    Metric::new(MetricSource::Hosts, id, Count, how, doc)
        .absent("this rule made no spurious retransmission")
}

pub(super) const HOSTS: &[Metric] = &[
    hosts(
        "ports_in_use_destination_peak",
        Count,
        "local ports in use towards one destination, peak",
        "For the destination (own address, peer's address and port) and time with the most; includes reserved ports.",
    ),
    hosts(
        "ports_in_use_destination_share_peak",
        Share,
        "share of local ports in use towards one destination, peak",
        "The same divided by the number of ports: 1 means that some destination ran out of ports.",
    ),
    hosts(
        "time_wait_fins_answered",
        Count,
        "FINs answered from TIME-WAIT",
        "FINs that arrived again, because their ACK was lost or late or the network duplicated them, and were acknowledged again: the purpose of TIME-WAIT.",
    ),
    hosts(
        "retransmissions_spurious",
        Count,
        "spurious retransmissions",
        "All their data had arrived before, which only the simulator can see: the sum over all rules. Retransmissions that the network loses, or that arrive before their original, are not counted.",
    ),
    spurious(
        "spurious_duplicate_acks",
        "spurious retransmissions on duplicate ACKs",
        "RFC 5681 section 3.2.",
    ),
    spurious(
        "spurious_partial_ack",
        "spurious retransmissions on a partial ACK",
        "RFC 6582 section 3.2.",
    ),
    spurious(
        "spurious_sack",
        "spurious retransmissions on SACK blocks",
        "RFC 6675.",
    ),
    spurious(
        "spurious_rack",
        "spurious retransmissions by RACK",
        "RFC 8985 section 6.",
    ),
    spurious(
        "spurious_tlp",
        "spurious tail loss probes",
        "RFC 8985 section 7: the probe repeats the last segment, lost or not.",
    ),
    spurious(
        "spurious_rto",
        "spurious retransmissions by the time-out",
        "RFC 6298: the first segment outstanding.",
    ),
    spurious(
        "spurious_after_rto",
        "spurious retransmissions in slow start after a time-out",
        "RFC 5681 section 3.1.",
    ),
    spurious(
        "spurious_after_frto",
        "spurious retransmissions in slow start after F-RTO",
        "RFC 5682 step 3a.",
    ),
    spurious(
        "spurious_other",
        "spurious retransmissions by other rules",
        "Window probes, and segments too large for the path.",
    ),
    hosts(
        "time_wait_made",
        Count,
        "connections that entered TIME-WAIT",
        "Each entry ends in one way: it expires, is reused, replaced, ended by a reset or lost in a crash, or it is still there at the end of the run.",
    ),
    hosts(
        "time_wait_expired",
        Count,
        "TIME-WAIT entries that expired",
        "",
    ),
    hosts(
        "time_wait_overflows",
        Count,
        "connections closed without TIME-WAIT because the table was full",
        "`tcp_max_tw_buckets`.",
    ),
    hosts(
        "time_wait_restored",
        Count,
        "TIME-WAIT entries restored",
        "The SYN that had replaced them was an old duplicate.",
    )
    .absent("none was restored"),
    hosts(
        "old_stamp_syns",
        Count,
        "SYNs dropped because of an old timestamp",
        "`tcp_tw_recycle`: older than the last one of their address, which many hosts may share. Linux counts them as `PAWSPassive`.",
    )
    .absent("none was dropped"),
    hosts(
        "time_wait_reused",
        Count,
        "TIME-WAIT entries whose port was reused",
        "By a connect, under tcp_tw_reuse.",
    ),
    hosts(
        "time_wait_recycled",
        Count,
        "TIME-WAIT entries replaced by a new SYN",
        "",
    ),
    hosts(
        "time_wait_killed",
        Count,
        "TIME-WAIT entries ended by a reset",
        "TIME-WAIT assassination (RFC 1337).",
    ),
    hosts(
        "time_wait_lost",
        Count,
        "TIME-WAIT entries lost in crashes",
        "Their hosts went down and came up without them.",
    )
    .absent("no host lost any"),
    hosts(
        "resets_sent",
        Count,
        "resets sent",
        "For existing connections, and for segments that belong to none.",
    ),
    hosts(
        "listen_overflows",
        Count,
        "handshakes dropped at a full accept queue",
        "",
    ),
    hosts(
        "listen_drops",
        Count,
        "SYNs and ACKs dropped by listeners",
        "For any reason.",
    ),
    hosts(
        "end_points_stuck",
        Count,
        "end points open at the end with nothing scheduled",
        "The run ended early: no event was pending and no packet was in flight.",
    )
    .absent("something was scheduled at the end, or no connection was open"),
    hosts(
        "blocked_by_window_end",
        Count,
        "end points that could not send at the end, because their peers' windows were closed",
        "Data were waiting, and the window was 0: the peer's application did not read.",
    )
    .absent("there was none"),
    hosts(
        "half_open_end",
        Count,
        "connections half-open at the end",
        "One end was lost in a crash, timed out, or was reset or aborted, a second or more before the end of the run; the other was still open.",
    )
    .absent("there was none"),
    hosts(
        "half_open_max_s",
        Duration,
        "longest time a connection had been half-open at the end",
        "",
    )
    .absent("there was none"),
    hosts("syn_cookies_sent", Count, "SYN-ACKs with a SYN cookie", "")
        .absent("no listener sent a SYN cookie"),
    hosts(
        "nat_mappings_made",
        Count,
        "mappings made by NATs",
        "One for each connection, over all NATs.",
    )
    .absent(NO_NAT),
    hosts(
        "nat_mappings_expired",
        Count,
        "mappings of NATs that timed out",
        "Their connection was silent for the time-out of its state.",
    )
    .absent(NO_NAT),
    hosts(
        "nat_resets_sent",
        Count,
        "resets sent by NATs",
        "In answer to packets from inside that belong to no connection the NAT knows, as after an idle time-out.",
    )
    .absent("no NAT answers with resets (`answer_reset`)"),
    hosts(
        "nat_mappings_lost",
        Count,
        "mappings of NATs lost in crashes",
        "",
    )
    .absent(NO_NAT),
    hosts(
        "nat_mappings_end",
        Count,
        "mappings of NATs at the end",
        "Each mapping made has timed out, was lost in a crash, or is one of these.",
    )
    .absent(NO_NAT),
    hosts(
        "nat_mappings_peak",
        Count,
        "mappings of a NAT, peak",
        "For the NAT and time with the most.",
    )
    .absent(NO_NAT),
    hosts(
        "nat_ports_in_use_peak",
        Count,
        "ports of a NAT in use towards one destination, peak",
        "For the NAT, destination (address and port) and time with the most.",
    )
    .absent(NO_NAT),
    hosts(
        "nat_ports_in_use_share_peak",
        Share,
        "share of a NAT's ports in use towards one destination, peak",
        "The same divided by the number of ports: 1 means that all were in use.",
    )
    .absent(NO_NAT),
    hosts(
        "nat_syns_dropped",
        Count,
        "SYNs dropped by NATs without a free port",
        "Retransmitted SYNs count each time.",
    )
    .absent(NO_NAT),
    hosts(
        "nat_packets_unmapped",
        Count,
        "packets dropped by NATs without a mapping",
        "They belonged to no connection known to the NAT.",
    )
    .absent(NO_NAT),
    hosts(
        "nat.<name>_syns_dropped",
        Count,
        "SYNs dropped by <name> without a free port",
        "",
    )
    .absent("no NAT of that name ran out of ports"),
    hosts(
        "nat.<name>_first_drop_s",
        Time,
        "time when <name> first had no free port",
        "When it first dropped a SYN for that reason.",
    )
    .absent("no NAT of that name ran out of ports"),
];

const NO_NAT: &str = "no node is a NAT";
