//! Rows of the registry: middleboxes. The metrics of NATs are among the hosts.

use super::super::MetricKind::{Count, Number, Share, Time};
use super::super::{Metric, MetricKind, MetricSource};

const fn firewall(
    id: &'static str,
    kind: MetricKind,
    words: (&'static str, &'static str),
    doc: &'static str,
) -> Metric {
    Metric::new(MetricSource::Middleboxes, id, kind, words, doc)
        .absent("no router tracks connections")
}

const NO_CHECK: &str = "no balancer checks the health of its servers";

const fn balancer(
    id: &'static str,
    kind: MetricKind,
    words: (&'static str, &'static str),
    doc: &'static str,
) -> Metric {
    Metric::new(MetricSource::Middleboxes, id, kind, words, doc).absent("no router is a balancer")
}

#[rustfmt::skip]
pub(super) const MIDDLEBOXES: &[Metric] = &[
    firewall("conntrack_entries_made", Count, ("entries made by firewalls", "防火墙建立的条目数"), "One for each connection that a firewall tracks."),
    firewall("conntrack_entries_expired", Count, ("entries of firewalls that timed out", "超时的防火墙条目数"), "Their connection was silent for the time-out of its state."),
    firewall("conntrack_entries_replaced", Count, ("entries of firewalls replaced by a new connection", "被新连接取代的防火墙条目数"), "A SYN arrived for a connection that was in TIME-WAIT or reset."),
    firewall("conntrack_early_drops", Count, ("entries of firewalls given up early", "提前放弃的防火墙条目数"), "The table was full or nearly full, and they were not established."),
    firewall("conntrack_entries_crashed", Count, ("entries of firewalls lost in a crash", "因崩溃而丢失的防火墙条目数"), ""),
    firewall("conntrack_entries_end", Count, ("entries of firewalls at the end", "运行结束时的防火墙条目数"), ""),
    firewall("conntrack_entries_peak", Count, ("entries of a firewall, peak", "一个防火墙的条目数，峰值"), "For the firewall and time with the most."),
    firewall("conntrack_use_share_peak", Share, ("share of a firewall's table in use, peak", "防火墙连接表的在用比例，峰值"), "1 means that it was full."),
    firewall("conntrack_full_drops_pkts", Count, ("packets dropped by full firewalls", "因防火墙表满而丢弃的分组数"), "They would have started an entry (Linux: nf_conntrack: table full, dropping packet). Retransmitted SYNs count each time."),
    firewall("conntrack_full_first_s", Time, ("time when a firewall first dropped a packet because its table was full", "防火墙首次因表满而丢弃分组的时刻"), "").absent("no table was full"),
    firewall("conntrack_invalid_pkts", Count, ("packets that firewalls found invalid", "防火墙判为无效的分组数"), "They matched no entry and could not start one."),
    balancer("balancer_connections", Count, ("connections that balancers gave to servers", "均衡器分配给服务器的连接数"), "Each has an entry, which is closed, forgotten, replaced, drained, lost in a crash, or there at the end."),
    balancer("balancer_entries_peak", Count, ("connections of a balancer, peak", "一个均衡器的连接数，峰值"), "Those that are over count until their time-out."),
    balancer("balancer_entries_closed", Count, ("entries of balancers whose connection was over", "连接已结束的均衡器条目数"), ""),
    balancer("balancer_entries_replaced", Count, ("entries of balancers replaced by a new connection", "被新连接取代的均衡器条目数"), ""),
    balancer("balancer_entries_drained", Count, ("entries of balancers cut off at the end of draining", "排空结束时切断的均衡器条目数"), "`drain_time` of the balancer."),
    balancer("balancer_entries_crashed", Count, ("entries of balancers lost in a crash", "因崩溃而丢失的均衡器条目数"), ""),
    balancer("balancer_entries_end", Count, ("entries of balancers at the end", "运行结束时的均衡器条目数"), ""),
    balancer("balancer_idle_forgotten", Count, ("connections that balancers forgot because they were silent", "均衡器因空闲而遗忘的连接数"), "`idle_timeout` of the balancer."),
    balancer("balancer_strangers_pkts", Count, ("packets of connections that balancers did not know", "均衡器不认识的连接的分组数"), "Answered by a reset, or dropped."),
    balancer("balancer_resets_sent", Count, ("resets sent by balancers", "均衡器发送的复位数"), ""),
    Metric::new(MetricSource::Middleboxes, "balancer_health_checks", Count, ("health checks by balancers", "均衡器的健康检查数"), "Those not finished at the end do not count.").absent(NO_CHECK),
    Metric::new(MetricSource::Middleboxes, "balancer_health_checks_failed", Count, ("health checks by balancers that failed", "均衡器失败的健康检查数"), "").absent(NO_CHECK),
    Metric::new(MetricSource::Middleboxes, "balancer_health_down", Count, ("times that a balancer took a server out of use", "均衡器停用服务器的次数"), "").absent(NO_CHECK),
    Metric::new(MetricSource::Middleboxes, "balancer_health_up", Count, ("times that a balancer took a server back into use", "均衡器恢复使用服务器的次数"), "").absent(NO_CHECK),
    Metric::new(MetricSource::Middleboxes, "direct_return_pkts", Count, ("answers of servers sent with the address of their balancer", "服务器以均衡器地址直接发送的应答分组数"), "Direct server return.").absent("no server answers directly"),
    balancer("balancer_imbalance", Number, ("connections of the busiest server by the mean of all", "最忙服务器的连接数与平均值之比"), "1 means that all servers of the balancer got equally many."),
    Metric::new(MetricSource::Middleboxes, "syn_limit_drops_pkts", Count, ("SYNs dropped by a limit of new connections", "因新连接限制而丢弃的 SYN 数"), "").absent("no router limits new connections"),
];
