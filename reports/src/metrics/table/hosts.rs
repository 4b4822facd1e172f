//! What hosts count: their listeners, TIME-WAIT tables, limits and NATs.

use super::super::MetricKind::{Count, Duration, Share, Time};
use super::super::{Metric, MetricKind, MetricSource};

const fn hosts(
    id: &'static str,
    kind: MetricKind,
    words: (&'static str, &'static str),
    doc: &'static str,
) -> Metric {
    Metric::new(MetricSource::Hosts, id, kind, words, doc)
}

const fn spurious(
    id: &'static str,
    how: (&'static str, &'static str),
    doc: &'static str,
) -> Metric {
    Metric::new(MetricSource::Hosts, id, Count, how, doc)
        .absent("this rule made no spurious retransmission")
}

pub(super) const HOSTS: &[Metric] = &[
    hosts(
        "ports_in_use_destination_peak",
        Count,
        ("local ports in use towards one destination, peak", "到同一目的地的在用本地端口数，峰值"),
        "For the destination (own address, peer's address and port) and time with the most; includes reserved ports.",
    ),
    hosts(
        "ports_in_use_destination_share_peak",
        Share,
        ("share of local ports in use towards one destination, peak", "到同一目的地的在用本地端口所占比例，峰值"),
        "The same divided by the number of ports: 1 means that some destination ran out of ports.",
    ),
    hosts(
        "time_wait_fins_answered",
        Count,
        ("FINs answered from TIME-WAIT", "在 TIME-WAIT 中应答的 FIN 数"),
        "FINs that arrived again, because their ACK was lost or late or the network duplicated them, and were acknowledged again: the purpose of TIME-WAIT.",
    ),
    hosts(
        "retransmissions_spurious",
        Count,
        ("spurious retransmissions", "不必要的重传次数"),
        "All their data had arrived before, which only the simulator can see: the sum over all rules. Retransmissions that the network loses, or that arrive before their original, are not counted.",
    ),
    spurious(
        "spurious_duplicate_acks",
        ("spurious retransmissions on duplicate ACKs", "因重复确认引起的不必要重传次数"),
        "RFC 5681 section 3.2.",
    ),
    spurious(
        "spurious_partial_ack",
        ("spurious retransmissions on a partial ACK", "因部分确认引起的不必要重传次数"),
        "RFC 6582 section 3.2.",
    ),
    spurious(
        "spurious_sack",
        ("spurious retransmissions on SACK blocks", "因 SACK 块引起的不必要重传次数"),
        "RFC 6675.",
    ),
    spurious(
        "spurious_rack",
        ("spurious retransmissions by RACK", "由 RACK 引起的不必要重传次数"),
        "RFC 8985 section 6.",
    ),
    spurious(
        "spurious_tlp",
        ("spurious tail loss probes", "不必要的尾部丢失探测次数"),
        "RFC 8985 section 7: the probe repeats the last segment, lost or not.",
    ),
    spurious(
        "spurious_rto",
        ("spurious retransmissions by the time-out", "因超时引起的不必要重传次数"),
        "RFC 6298: the first segment outstanding.",
    ),
    spurious(
        "spurious_after_rto",
        ("spurious retransmissions in slow start after a time-out", "超时后慢启动中的不必要重传次数"),
        "RFC 5681 section 3.1.",
    ),
    spurious(
        "spurious_after_frto",
        ("spurious retransmissions in slow start after F-RTO", "F-RTO 后慢启动中的不必要重传次数"),
        "RFC 5682 step 3a.",
    ),
    spurious(
        "spurious_other",
        ("spurious retransmissions by other rules", "因其他规则引起的不必要重传次数"),
        "Window probes, and segments too large for the path.",
    ),
    hosts(
        "time_wait_made",
        Count,
        ("connections that entered TIME-WAIT", "进入 TIME-WAIT 的连接数"),
        "Each entry ends in one way: it expires, is reused, replaced, ended by a reset or lost in a crash, or it is still there at the end of the run.",
    ),
    hosts(
        "time_wait_expired",
        Count,
        ("TIME-WAIT entries that expired", "到期的 TIME-WAIT 条目数"),
        "",
    ),
    hosts(
        "time_wait_overflows",
        Count,
        ("connections closed without TIME-WAIT because the table was full", "因表满而未经 TIME-WAIT 关闭的连接数"),
        "`tcp_max_tw_buckets`.",
    ),
    hosts(
        "time_wait_restored",
        Count,
        ("TIME-WAIT entries restored", "恢复的 TIME-WAIT 条目数"),
        "The SYN that had replaced them was an old duplicate.",
    )
    .absent("none was restored"),
    hosts(
        "old_stamp_syns",
        Count,
        ("SYNs dropped because of an old timestamp", "因时间戳过旧而丢弃的 SYN 数"),
        "`tcp_tw_recycle`: older than the last one of their address, which many hosts may share. Linux counts them as `PAWSPassive`.",
    )
    .absent("none was dropped"),
    hosts(
        "time_wait_reused",
        Count,
        ("TIME-WAIT entries whose port was reused", "端口被重用的 TIME-WAIT 条目数"),
        "By a connect, under tcp_tw_reuse.",
    ),
    hosts(
        "time_wait_recycled",
        Count,
        ("TIME-WAIT entries replaced by a new SYN", "被新 SYN 取代的 TIME-WAIT 条目数"),
        "",
    ),
    hosts(
        "time_wait_killed",
        Count,
        ("TIME-WAIT entries ended by a reset", "被复位结束的 TIME-WAIT 条目数"),
        "TIME-WAIT assassination (RFC 1337).",
    ),
    hosts(
        "time_wait_lost",
        Count,
        ("TIME-WAIT entries lost in crashes", "因崩溃而丢失的 TIME-WAIT 条目数"),
        "Their hosts went down and came up without them.",
    )
    .absent("no host lost any"),
    hosts(
        "resets_sent",
        Count,
        ("resets sent", "发送的复位（RST）数"),
        "For existing connections, and for segments that belong to none.",
    ),
    hosts(
        "listen_overflows",
        Count,
        ("handshakes dropped at a full accept queue", "因全连接队列已满而丢弃的握手数"),
        "",
    ),
    hosts(
        "listen_drops",
        Count,
        ("SYNs and ACKs dropped by listeners", "监听方丢弃的 SYN 和 ACK 数"),
        "For any reason.",
    ),
    hosts(
        "end_points_stuck",
        Count,
        ("end points open at the end with nothing scheduled", "运行结束时打开但无任何待办事件的端点数"),
        "The run ended early: no event was pending and no packet was in flight.",
    )
    .absent("something was scheduled at the end, or no connection was open"),
    hosts(
        "blocked_by_window_end",
        Count,
        ("end points that could not send at the end, because their peers' windows were closed", "运行结束时因对端窗口关闭而不能发送的端点数"),
        "Data were waiting, and the window was 0: the peer's application did not read.",
    )
    .absent("there was none"),
    hosts(
        "half_open_end",
        Count,
        ("connections half-open at the end", "运行结束时的半打开连接数"),
        "One end was lost in a crash, timed out, or was reset or aborted, a second or more before the end of the run; the other was still open.",
    )
    .absent("there was none"),
    hosts(
        "half_open_max_s",
        Duration,
        ("longest time a connection had been half-open at the end", "运行结束时连接处于半打开的最长时间"),
        "",
    )
    .absent("there was none"),
    hosts("syn_cookies_sent", Count, ("SYN-ACKs with a SYN cookie", "带 SYN cookie 的 SYN-ACK 数"), "")
        .absent("no listener sent a SYN cookie"),
    hosts(
        "nat_mappings_made",
        Count,
        ("mappings made by NATs", "NAT 建立的映射数"),
        "One for each connection, over all NATs.",
    )
    .absent(NO_NAT),
    hosts(
        "nat_mappings_expired",
        Count,
        ("mappings of NATs that timed out", "超时的 NAT 映射数"),
        "Their connection was silent for the time-out of its state.",
    )
    .absent(NO_NAT),
    hosts(
        "nat_resets_sent",
        Count,
        ("resets sent by NATs", "NAT 发送的复位数"),
        "In answer to packets from inside that belong to no connection the NAT knows, as after an idle time-out.",
    )
    .absent("no NAT answers with resets (`answer_reset`)"),
    hosts(
        "nat_forwarded",
        Count,
        ("connections that NATs forwarded to hosts behind them", "NAT 转发给其后主机的连接数"),
        "To a NAT's own address, on a port outside of its pool (`forward`).",
    )
    .absent("no NAT forwards connections (`forward`)"),
    hosts(
        "nat_hairpinned",
        Count,
        ("connections of hosts behind a NAT to its own address", "NAT 之后的主机到 NAT 自身地址的连接数"),
        "With an address of the NAT as their source (`hairpin`).",
    )
    .absent("no NAT hairpins connections (`hairpin`)"),
    hosts(
        "nat_mappings_lost",
        Count,
        ("mappings of NATs lost in crashes", "因崩溃而丢失的 NAT 映射数"),
        "",
    )
    .absent(NO_NAT),
    hosts(
        "nat_mappings_end",
        Count,
        ("mappings of NATs at the end", "运行结束时的 NAT 映射数"),
        "Each mapping made has timed out, was lost in a crash, or is one of these.",
    )
    .absent(NO_NAT),
    hosts(
        "nat_mappings_peak",
        Count,
        ("mappings of a NAT, peak", "一个 NAT 的映射数，峰值"),
        "For the NAT and time with the most.",
    )
    .absent(NO_NAT),
    hosts(
        "nat_ports_in_use_peak",
        Count,
        ("ports of a NAT in use towards one destination, peak", "NAT 到同一目的地的在用端口数，峰值"),
        "For the NAT, destination (address and port) and time with the most.",
    )
    .absent(NO_NAT),
    hosts(
        "nat_ports_in_use_share_peak",
        Share,
        ("share of a NAT's ports in use towards one destination, peak", "NAT 到同一目的地的在用端口所占比例，峰值"),
        "The same divided by the number of ports: 1 means that all were in use.",
    )
    .absent(NO_NAT),
    hosts(
        "nat_syns_dropped",
        Count,
        ("SYNs dropped by NATs without a free port", "NAT 因无空闲端口而丢弃的 SYN 数"),
        "Retransmitted SYNs count each time.",
    )
    .absent(NO_NAT),
    hosts(
        "nat_packets_unmapped",
        Count,
        ("packets dropped by NATs without a mapping", "NAT 因无映射而丢弃的分组数"),
        "They belonged to no connection known to the NAT.",
    )
    .absent(NO_NAT),
    hosts(
        "nat.<name>_syns_dropped",
        Count,
        ("SYNs dropped by <name> without a free port", "<name> 因无空闲端口而丢弃的 SYN 数"),
        "",
    )
    .absent("no NAT of that name ran out of ports"),
    hosts(
        "nat.<name>_first_drop_s",
        Time,
        ("time when <name> first had no free port", "<name> 首次无空闲端口的时刻"),
        "When it first dropped a SYN for that reason.",
    )
    .absent("no NAT of that name ran out of ports"),
];

const NO_NAT: &str = "no node is a NAT";
