//! What end points of connections count.

use super::super::MetricKind::{Bytes, Count, Time};
use super::super::{Metric, MetricKind, MetricSource};

const fn end_points(
    id: &'static str,
    kind: MetricKind,
    words: &'static str,
    doc: &'static str,
) -> Metric {
    Metric::new(MetricSource::EndPoints, id, kind, words, doc)
}

pub(super) const END_POINTS: &[Metric] = &[
    end_points("endpoints_ended", Count, "end points that ended", ""),
    end_points("ended_closed", Count, "end points that closed in order", ""),
    end_points(
        "ended_refused",
        Count,
        "end points that were refused",
        "The peer answered the SYN with a reset.",
    ),
    end_points(
        "ended_reset",
        Count,
        "end points reset by the peer",
        "ECONNRESET: the peer sent a reset.",
    ),
    end_points(
        "ended_aborted",
        Count,
        "end points that were aborted",
        "This end sent the reset.",
    ),
    end_points(
        "ended_timed_out",
        Count,
        "end points that timed out",
        "ETIMEDOUT: retransmissions or keep-alive probes ran out of time.",
    ),
    end_points(
        "ended_time_wait_overflow",
        Count,
        "end points that closed without TIME-WAIT",
        "The TIME-WAIT table was full (tcp_max_tw_buckets).",
    ),
    end_points(
        "ended_crashed",
        Count,
        "end points lost in a crash",
        "The host went down.",
    ),
    end_points(
        "ended_unreachable",
        Count,
        "end points that the network reported unreachable",
        "",
    ),
    end_points(
        "ended_fin_wait_expired",
        Count,
        "end points that gave up in FIN-WAIT-2",
        "The application had closed, and the peer's FIN did not come in time (tcp_fin_timeout).",
    )
    .absent("none gave up in FIN-WAIT-2"),
    end_points(
        "ended_refused_first_s",
        Time,
        "time of the first end point that was refused",
        "",
    )
    .absent("none was refused"),
    end_points(
        "ended_refused_last_s",
        Time,
        "time of the last end point that was refused",
        "",
    )
    .absent("none was refused"),
    end_points(
        "ended_reset_first_s",
        Time,
        "time of the first end point that was reset",
        "",
    )
    .absent("none was reset"),
    end_points(
        "ended_reset_last_s",
        Time,
        "time of the last end point that was reset",
        "",
    )
    .absent("none was reset"),
    end_points(
        "ended_aborted_first_s",
        Time,
        "time of the first end point that was aborted",
        "",
    )
    .absent("none was aborted"),
    end_points(
        "ended_aborted_last_s",
        Time,
        "time of the last end point that was aborted",
        "",
    )
    .absent("none was aborted"),
    end_points(
        "ended_timed_out_first_s",
        Time,
        "time of the first end point that timed out",
        "",
    )
    .absent("none timed out"),
    end_points(
        "ended_timed_out_last_s",
        Time,
        "time of the last end point that timed out",
        "",
    )
    .absent("none timed out"),
    end_points(
        "ended_time_wait_overflow_first_s",
        Time,
        "time of the first end point that closed without TIME-WAIT",
        "",
    )
    .absent("none closed without TIME-WAIT"),
    end_points(
        "ended_time_wait_overflow_last_s",
        Time,
        "time of the last end point that closed without TIME-WAIT",
        "",
    )
    .absent("none closed without TIME-WAIT"),
    end_points(
        "ended_crashed_first_s",
        Time,
        "time of the first end point that was lost in a crash",
        "",
    )
    .absent("none was lost in a crash"),
    end_points(
        "ended_crashed_last_s",
        Time,
        "time of the last end point that was lost in a crash",
        "",
    )
    .absent("none was lost in a crash"),
    end_points(
        "ended_unreachable_first_s",
        Time,
        "time of the first end point that was unreachable",
        "",
    )
    .absent("none was unreachable"),
    end_points(
        "ended_unreachable_last_s",
        Time,
        "time of the last end point that was unreachable",
        "",
    )
    .absent("none was unreachable"),
    end_points(
        "ended_fin_wait_expired_first_s",
        Time,
        "time of the first end point that gave up in FIN-WAIT-2",
        "",
    )
    .absent("none gave up in FIN-WAIT-2"),
    end_points(
        "ended_fin_wait_expired_last_s",
        Time,
        "time of the last end point that gave up in FIN-WAIT-2",
        "",
    )
    .absent("none gave up in FIN-WAIT-2"),
    end_points(
        "open_at_end",
        Count,
        "end points open at the end",
        "TIME-WAIT entries do not count.",
    ),
    end_points(
        "bytes_acked",
        Bytes,
        "bytes acknowledged",
        "Payload that peers acknowledged.",
    ),
    end_points(
        "bytes_received",
        Bytes,
        "bytes received",
        "Payload received in order.",
    ),
    end_points(
        "segments_sent",
        Count,
        "segments sent",
        "Includes retransmissions, but not resets and ACKs that hosts send without a connection.",
    ),
    end_points("segments_received", Count, "segments received", ""),
    end_points(
        "retransmissions",
        Count,
        "segments retransmitted",
        "Includes SYN and FIN.",
    ),
    end_points("timeouts", Count, "retransmission time-outs", ""),
    end_points("fast_recoveries", Count, "fast recoveries", ""),
    end_points(
        "old_duplicate_bytes",
        Bytes,
        "bytes of earlier connections accepted",
        "Payload sent by an earlier incarnation of the connection: the corruption that TIME-WAIT prevents.",
    ),
    end_points(
        "duplicates_received",
        Count,
        "segments without new data",
        "All their data had arrived before: spurious retransmissions, and copies made by the network.",
    ),
    end_points(
        "undone_eifel",
        Count,
        "reductions undone by timestamps",
        "The peer echoed a timestamp older than the first retransmission, so nothing was lost (Eifel, RFC 3522).",
    ),
    end_points(
        "undone_dsack",
        Count,
        "reductions undone by D-SACK",
        "The peer reported every retransmission as a duplicate (RFC 3708).",
    ),
    end_points(
        "undone_frto",
        Count,
        "time-outs undone by F-RTO",
        "Data that were not retransmitted were acknowledged after the time-out (RFC 5682).",
    ),
    end_points(
        "ce_segments",
        Count,
        "segments that arrived with a congestion mark",
        "CE in the IP header (RFC 3168), on connections that agreed on ECN.",
    ),
    end_points(
        "ce_bytes",
        Bytes,
        "bytes that arrived with a congestion mark",
        "Payload of the segments with CE, including segments that arrived twice.",
    ),
];
