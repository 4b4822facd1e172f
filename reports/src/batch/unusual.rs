//! Unusual events in single runs, which a mean over the batch would not show.

/// A kind of unusual event.
pub(super) struct Unusual {
    /// The metric that counts it; empty if there is none.
    pub(super) metric: &'static str,
    /// The run finding that reports it, if a positive metric alone is not unusual.
    pub(super) finding: &'static str,
    /// What it is, after "In 2 of 6 runs, ".
    pub(super) what: &'static str,
    /// The same in Chinese.
    pub(super) chinese: &'static str,
}

const fn counted_by(metric: &'static str, what: (&'static str, &'static str)) -> Unusual {
    Unusual {
        metric,
        finding: "",
        what: what.0,
        chinese: what.1,
    }
}

const fn reported_by(
    finding: &'static str,
    metric: &'static str,
    what: (&'static str, &'static str),
) -> Unusual {
    Unusual {
        metric,
        finding,
        what: what.0,
        chinese: what.1,
    }
}

/// In the order in which they are reported.
pub(super) const UNUSUAL: &[Unusual] = &[
    counted_by(
        "old_duplicate_bytes",
        (
            "data of earlier connections was accepted",
            "接受了旧连接的数据",
        ),
    ),
    counted_by(
        "nat_syns_dropped",
        (
            "a NAT had no free port and dropped SYNs",
            "NAT 没有空闲端口，丢弃了 SYN",
        ),
    ),
    reported_by(
        "unsettled-connects",
        "",
        (
            "connects had long been pending without an answer when the run ended",
            "在结束时仍有等待已久、没有结果的 connect",
        ),
    ),
    counted_by(
        "requests_unanswered_timed_out",
        (
            "requests went unanswered because connections timed out",
            "有请求因连接超时而没有响应",
        ),
    ),
    counted_by(
        "requests_unanswered_reset",
        (
            "requests went unanswered because connections were reset",
            "有请求因连接被复位而没有响应",
        ),
    ),
    counted_by(
        "requests_unanswered_closed",
        (
            "requests went unanswered because servers closed early",
            "有请求因服务器提前关闭而没有响应",
        ),
    ),
    counted_by(
        "requests_unanswered_crashed",
        (
            "requests went unanswered because clients crashed",
            "有请求因客户端崩溃而没有响应",
        ),
    ),
    counted_by(
        "requests_unanswered_given_up",
        ("clients gave up on requests", "有客户端放弃了请求"),
    ),
    reported_by(
        "unanswered-requests",
        "requests_unanswered_at_run_end",
        (
            "requests had long been pending, or had piled up, when the run ended",
            "在结束时有请求等待已久或大量积压",
        ),
    ),
    reported_by(
        "requests-without-connection",
        "requests_never_sent",
        (
            "requests still waited for a pooled connection when the run ended",
            "在结束时仍有请求等待连接池的连接",
        ),
    ),
    counted_by(
        "connections_cut_short",
        (
            "connections ended while their clients had more requests to make",
            "有连接在客户端还有请求要发时结束",
        ),
    ),
    counted_by("flows_broken", ("bulk flows broke off", "有批量流中断")),
    reported_by(
        "unfinished-flows",
        "flows_unfinished",
        (
            "no bulk flow was completed, or some had hardly begun",
            "没有批量流完成，或有的刚刚开始",
        ),
    ),
    counted_by(
        "end_points_stuck",
        (
            "end points were open with nothing scheduled",
            "有端点打开着却没有任何待办事件",
        ),
    ),
    counted_by(
        "half_open_end",
        (
            "connections were half-open at the end",
            "在结束时有半打开的连接",
        ),
    ),
    counted_by(
        "ended_fin_wait_expired",
        (
            "sockets were given up in FIN-WAIT-2",
            "有套接字在 FIN-WAIT-2 中被放弃",
        ),
    ),
    counted_by(
        "ended_time_wait_overflow",
        (
            "connections closed without TIME-WAIT, which is unsafe",
            "有连接未经 TIME-WAIT 就关闭，这不安全",
        ),
    ),
    counted_by(
        "time_wait_killed",
        (
            "resets ended TIME-WAIT early, which is unsafe",
            "有复位提前结束了 TIME-WAIT，这不安全",
        ),
    ),
    counted_by(
        "listen_drops",
        (
            "listeners dropped SYNs or final ACKs",
            "监听方丢弃了 SYN 或最后的 ACK",
        ),
    ),
    counted_by("unrouted_pkts", ("packets had no route", "有分组没有路由")),
];
