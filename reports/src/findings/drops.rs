//! Segments dropped by nodes without room, route or state for them.

use super::RunFacts;
use crate::bilingual::say;
use crate::format::{count, seconds};
use crate::metrics;

impl RunFacts<'_> {
    /// "NAT gateway had no free port from t = 3 s on, and 12 SYNs were dropped."
    pub(super) fn exhausted_nats(&self) -> Option<String> {
        let sentences = self.metrics.iter().filter_map(|(id, &n)| {
            let found = metrics::find(id)?;
            let is_drop = found.metric.id == "nat.<name>_syns_dropped";
            let name = found.of.filter(|_| is_drop && n > 0.0)?;
            let first = self.get(&format!("nat.{name}_first_drop_s"));
            let from = first.map_or(String::new(), |s| {
                say!(self.language, " from t = {} on", "从 t = {} 起", seconds(s))
            });
            let dropped = self.dropped(n, "SYN", "SYNs", "个 SYN");
            Some(say!(
                self.language,
                "NAT {name} had no free port{from}, and {dropped}",
                "NAT {name} {from}没有空闲端口，{dropped}"
            ))
        });
        let sentences: Vec<String> = sentences.collect();
        (!sentences.is_empty()).then(|| {
            say!(
                self.language,
                "{}.",
                "{}。",
                self.language
                    .sentence(&sentences.join(self.language.pick("; ", "；")))
            )
        })
    }

    /// A firewall whose table was full.
    pub(super) fn full_firewall(&self) -> Option<String> {
        let n = self.positive("conntrack_full_drops_pkts")?;
        let first = self.get("conntrack_full_first_s");
        let from = first.map_or(String::new(), |s| {
            say!(self.language, " from t = {} on", "从 t = {} 起", seconds(s))
        });
        let entries = self.get("conntrack_entries_peak").unwrap_or(0.0);
        Some(say!(
            self.language,
            "A firewall's table of {} was full{from}, and {}.",
            "防火墙的 {} 连接表{from}已满，{}。",
            self.language
                .counted(entries, "connection", "connections", "条连接"),
            self.dropped(n, "packet", "packets", "个分组")
        ))
    }

    /// Connections that were idle for too long for a load balancer.
    pub(super) fn forgotten_by_balancer(&self) -> Option<String> {
        let forgotten = self.positive("balancer_idle_forgotten")?;
        let late = self.positive("balancer_strangers_pkts")?;
        let reset = match self.get("balancer_resets_sent") {
            Some(n) if n > 0.0 => self.language.pick("answered by resets", "得到复位应答"),
            _ => self.language.pick("dropped", "被丢弃"),
        };
        let verb = if late == 1.0 { "was" } else { "were" };
        Some(say!(
            self.language,
            "A balancer forgot {} that had been silent for its idle time-out; {} that came later {verb} {reset}.",
            "均衡器遗忘了 {}空闲超时的连接；其后到达的 {}{reset}。",
            self.language
                .counted(forgotten, "connection", "connections", "条连接"),
            self.language.counted(late, "packet", "packets", "个分组"),
        ))
    }

    /// Packets without a NAT mapping: late segments, or those whose mapping timed out.
    pub(super) fn unmapped(&self) -> Option<String> {
        let n = self.positive("nat_packets_unmapped")?;
        let it = if n == 1.0 { "it" } else { "them" };
        Some(say!(
            self.language,
            "{} by NATs without a mapping for {it}.",
            "NAT 没有相应的映射，{}。",
            self.language
                .sentence(&self.dropped(n, "packet", "packets", "个分组"))
        ))
    }

    /// Full accept queues, full SYN queues, and the cookies sent instead.
    pub(super) fn dropped_by_listeners(&self) -> Option<String> {
        let full = self.get("listen_overflows").unwrap_or(0.0);
        let others = self.get("listen_drops").unwrap_or(0.0) - full;
        let mut sentences = Vec::new();
        if full > 0.0 {
            sentences.push(say!(
                self.language,
                "{} at a full accept queue",
                "全连接队列已满，{}",
                self.dropped(
                    full,
                    "SYN or final ACK",
                    "SYNs and final ACKs",
                    "个 SYN 或最后的 ACK"
                )
            ));
        }
        if others > 0.0 {
            let other = if full > 0.0 {
                self.language.pick("for another reason", "因其他原因")
            } else {
                self.language
                    .pick("with its accept queue not full", "在全连接队列未满时")
            };
            sentences.push(say!(
                self.language,
                "{} by a listener {other}",
                "监听方{other}{}",
                self.dropped(others, "SYN or ACK", "SYNs and ACKs", "个 SYN 或 ACK")
            ));
        }
        if let Some(n) = self.positive("syn_cookies_sent") {
            let syns = self.language.counted(n, "SYN was", "SYNs were", "个 SYN ");
            let a = if n == 1.0 {
                "a SYN cookie"
            } else {
                "SYN cookies"
            };
            sentences.push(say!(
                self.language,
                "{syns} answered with {a}",
                "{syns}用 SYN cookie 应答"
            ));
        }
        (!sentences.is_empty()).then(|| {
            say!(
                self.language,
                "{}.",
                "{}。",
                self.language.sentence(&self.language.list(&sentences))
            )
        })
    }

    /// Packets for which a node had no route.
    pub(super) fn unroutable(&self) -> Option<String> {
        let n = self.positive("unrouted_pkts")?;
        let text = self.dropped(n, "packet", "packets", "个分组");
        Some(say!(
            self.language,
            "{} because there was no route.",
            "没有路由，{}。",
            self.language.sentence(&text)
        ))
    }
}

impl RunFacts<'_> {
    /// "12 SYNs were dropped".
    fn dropped(&self, n: f64, one: &str, many: &str, chinese: &str) -> String {
        let (thing, verb) = if n == 1.0 {
            (one, "was")
        } else {
            (many, "were")
        };
        say!(
            self.language,
            "{} {thing} {verb} dropped",
            "丢弃了 {} {chinese}",
            count(n)
        )
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::findings::findings;
    use crate::info::RunInfo;

    fn found(metrics: &[(&str, f64)]) -> Vec<String> {
        let metrics: BTreeMap<String, f64> =
            metrics.iter().map(|&(n, v)| (n.to_owned(), v)).collect();
        findings(&RunInfo::default(), &metrics)
    }

    #[test]
    fn a_nat_without_ports_is_named_before_the_connects_it_cost() {
        let found = found(&[
            ("connects_attempted", 100.0),
            ("connects_established", 88.0),
            ("nat_syns_dropped", 24.0),
            ("nat.gateway_syns_dropped", 24.0),
            ("nat.gateway_first_drop_s", 3.0),
        ]);
        assert_eq!(
            found[..2],
            [
                "NAT gateway had no free port from t = 3 s on, and 24 SYNs were dropped.",
                "88 of 100 connects were established and none failed; 12 were still pending at the end."
            ]
        );
    }

    #[test]
    fn every_node_that_drops_is_named_with_its_reason() {
        let found = found(&[
            ("listen_overflows", 3.0),
            ("listen_drops", 4.0),
            ("syn_cookies_sent", 1.0),
            ("unrouted_pkts", 1.0),
            ("nat_packets_unmapped", 2.0),
        ]);
        assert_eq!(
            found,
            [
                "3 SYNs and final ACKs were dropped at a full accept queue, 1 SYN or ACK was \
                 dropped by a listener for another reason and 1 SYN was answered with a SYN cookie.",
                "1 packet was dropped because there was no route.",
                "2 packets were dropped by NATs without a mapping for them."
            ]
        );
    }
}
