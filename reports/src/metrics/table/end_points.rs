//! What end points of connections count.

use super::super::MetricKind::{Bytes, Count, Time};
use super::super::{Metric, MetricKind, MetricSource};

const fn end_points(
    id: &'static str,
    kind: MetricKind,
    words: (&'static str, &'static str),
    doc: &'static str,
) -> Metric {
    Metric::new(MetricSource::EndPoints, id, kind, words, doc)
}

pub(super) const END_POINTS: &[Metric] = &[
    end_points(
        "endpoints_ended",
        Count,
        ("end points that ended", "已结束的端点数"),
        "",
    ),
    end_points(
        "ended_closed",
        Count,
        ("end points that closed in order", "正常关闭的端点数"),
        "",
    ),
    end_points(
        "ended_refused",
        Count,
        ("end points that were refused", "被拒绝的端点数"),
        "The peer answered the SYN with a reset.",
    ),
    end_points(
        "ended_reset",
        Count,
        ("end points reset by the peer", "被对端复位的端点数"),
        "ECONNRESET: the peer sent a reset.",
    ),
    end_points(
        "ended_aborted",
        Count,
        ("end points that were aborted", "异常中止的端点数"),
        "This end sent the reset.",
    ),
    end_points(
        "ended_timed_out",
        Count,
        ("end points that timed out", "超时的端点数"),
        "ETIMEDOUT: retransmissions or keep-alive probes ran out of time.",
    ),
    end_points(
        "ended_time_wait_overflow",
        Count,
        (
            "end points that closed without TIME-WAIT",
            "未经 TIME-WAIT 而关闭的端点数",
        ),
        "The TIME-WAIT table was full (tcp_max_tw_buckets).",
    ),
    end_points(
        "ended_crashed",
        Count,
        ("end points lost in a crash", "因主机崩溃而丢失的端点数"),
        "The host went down.",
    ),
    end_points(
        "ended_unreachable",
        Count,
        (
            "end points that the network reported unreachable",
            "被网络报告为不可达的端点数",
        ),
        "",
    ),
    end_points(
        "ended_fin_wait_expired",
        Count,
        (
            "end points that gave up in FIN-WAIT-2",
            "在 FIN-WAIT-2 中放弃的端点数",
        ),
        "The application had closed, and the peer's FIN did not come in time (tcp_fin_timeout).",
    )
    .absent("none gave up in FIN-WAIT-2"),
    end_points(
        "ended_refused_first_s",
        Time,
        (
            "time of the first end point that was refused",
            "首个端点被拒绝的时刻",
        ),
        "",
    )
    .absent("none was refused"),
    end_points(
        "ended_refused_last_s",
        Time,
        (
            "time of the last end point that was refused",
            "最后一个端点被拒绝的时刻",
        ),
        "",
    )
    .absent("none was refused"),
    end_points(
        "ended_reset_first_s",
        Time,
        (
            "time of the first end point that was reset",
            "首个端点被复位的时刻",
        ),
        "",
    )
    .absent("none was reset"),
    end_points(
        "ended_reset_last_s",
        Time,
        (
            "time of the last end point that was reset",
            "最后一个端点被复位的时刻",
        ),
        "",
    )
    .absent("none was reset"),
    end_points(
        "ended_aborted_first_s",
        Time,
        (
            "time of the first end point that was aborted",
            "首个端点异常中止的时刻",
        ),
        "",
    )
    .absent("none was aborted"),
    end_points(
        "ended_aborted_last_s",
        Time,
        (
            "time of the last end point that was aborted",
            "最后一个端点异常中止的时刻",
        ),
        "",
    )
    .absent("none was aborted"),
    end_points(
        "ended_timed_out_first_s",
        Time,
        (
            "time of the first end point that timed out",
            "首个端点超时的时刻",
        ),
        "",
    )
    .absent("none timed out"),
    end_points(
        "ended_timed_out_last_s",
        Time,
        (
            "time of the last end point that timed out",
            "最后一个端点超时的时刻",
        ),
        "",
    )
    .absent("none timed out"),
    end_points(
        "ended_time_wait_overflow_first_s",
        Time,
        (
            "time of the first end point that closed without TIME-WAIT",
            "首个端点未经 TIME-WAIT 而关闭的时刻",
        ),
        "",
    )
    .absent("none closed without TIME-WAIT"),
    end_points(
        "ended_time_wait_overflow_last_s",
        Time,
        (
            "time of the last end point that closed without TIME-WAIT",
            "最后一个端点未经 TIME-WAIT 而关闭的时刻",
        ),
        "",
    )
    .absent("none closed without TIME-WAIT"),
    end_points(
        "ended_crashed_first_s",
        Time,
        (
            "time of the first end point that was lost in a crash",
            "首个端点因崩溃而丢失的时刻",
        ),
        "",
    )
    .absent("none was lost in a crash"),
    end_points(
        "ended_crashed_last_s",
        Time,
        (
            "time of the last end point that was lost in a crash",
            "最后一个端点因崩溃而丢失的时刻",
        ),
        "",
    )
    .absent("none was lost in a crash"),
    end_points(
        "ended_unreachable_first_s",
        Time,
        (
            "time of the first end point that was unreachable",
            "首个端点不可达的时刻",
        ),
        "",
    )
    .absent("none was unreachable"),
    end_points(
        "ended_unreachable_last_s",
        Time,
        (
            "time of the last end point that was unreachable",
            "最后一个端点不可达的时刻",
        ),
        "",
    )
    .absent("none was unreachable"),
    end_points(
        "ended_fin_wait_expired_first_s",
        Time,
        (
            "time of the first end point that gave up in FIN-WAIT-2",
            "首个端点在 FIN-WAIT-2 中放弃的时刻",
        ),
        "",
    )
    .absent("none gave up in FIN-WAIT-2"),
    end_points(
        "ended_fin_wait_expired_last_s",
        Time,
        (
            "time of the last end point that gave up in FIN-WAIT-2",
            "最后一个端点在 FIN-WAIT-2 中放弃的时刻",
        ),
        "",
    )
    .absent("none gave up in FIN-WAIT-2"),
    end_points(
        "open_at_end",
        Count,
        ("end points open at the end", "运行结束时仍打开的端点数"),
        "TIME-WAIT entries do not count.",
    ),
    end_points(
        "bytes_acked",
        Bytes,
        ("bytes acknowledged", "已确认的字节数"),
        "Payload that peers acknowledged.",
    ),
    end_points(
        "bytes_received",
        Bytes,
        ("bytes received", "收到的字节数"),
        "Payload received in order.",
    ),
    end_points(
        "segments_sent",
        Count,
        ("segments sent", "发送的报文段数"),
        "Includes retransmissions, but not resets and ACKs that hosts send without a connection.",
    ),
    end_points(
        "segments_received",
        Count,
        ("segments received", "收到的报文段数"),
        "",
    ),
    end_points(
        "retransmissions",
        Count,
        ("segments retransmitted", "重传的报文段数"),
        "Includes SYN and FIN.",
    ),
    end_points(
        "timeouts",
        Count,
        ("retransmission time-outs", "重传超时次数"),
        "",
    ),
    end_points(
        "fast_recoveries",
        Count,
        ("fast recoveries", "快恢复次数"),
        "",
    ),
    end_points(
        "old_duplicate_bytes",
        Bytes,
        (
            "bytes of earlier connections accepted",
            "误收的旧连接字节数",
        ),
        "Payload sent by an earlier incarnation of the connection: the corruption that TIME-WAIT prevents.",
    ),
    end_points(
        "duplicates_received",
        Count,
        ("segments without new data", "不含新数据的报文段数"),
        "All their data had arrived before: spurious retransmissions, and copies made by the network.",
    ),
    end_points(
        "undone_eifel",
        Count,
        (
            "reductions undone by timestamps",
            "由时间戳撤销的窗口减小次数",
        ),
        "The peer echoed a timestamp older than the first retransmission, so nothing was lost (Eifel, RFC 3522).",
    ),
    end_points(
        "undone_dsack",
        Count,
        (
            "reductions undone by D-SACK",
            "由 D-SACK 撤销的窗口减小次数",
        ),
        "The peer reported every retransmission as a duplicate (RFC 3708).",
    ),
    end_points(
        "undone_frto",
        Count,
        ("time-outs undone by F-RTO", "由 F-RTO 撤销的超时次数"),
        "Data that were not retransmitted were acknowledged after the time-out (RFC 5682).",
    ),
    end_points(
        "ce_segments",
        Count,
        (
            "segments that arrived with a congestion mark",
            "带拥塞标记到达的报文段数",
        ),
        "CE in the IP header (RFC 3168), on connections that agreed on ECN.",
    ),
    end_points(
        "ce_bytes",
        Bytes,
        (
            "bytes that arrived with a congestion mark",
            "带拥塞标记到达的字节数",
        ),
        "Payload of the segments with CE, including segments that arrived twice.",
    ),
];
