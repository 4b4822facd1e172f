//! Segments dropped by nodes without room, route or state for them.

use super::RunFacts;
use crate::format::{count, seconds};
use crate::metrics;
use crate::text::{list, sentence};
use crate::words::counted;

impl RunFacts<'_> {
    /// "NAT gateway had no free port from t = 3 s on, and 12 SYNs were dropped."
    pub(super) fn exhausted_nats(&self) -> Option<String> {
        let sentences = self.metrics.iter().filter_map(|(id, &n)| {
            let found = metrics::find(id)?;
            let is_drop = found.metric.id == "nat.<name>_syns_dropped";
            let name = found.of.filter(|_| is_drop && n > 0.0)?;
            let first = self.get(&format!("nat.{name}_first_drop_s"));
            let from = first.map_or(String::new(), |s| format!(" from t = {} on", seconds(s)));
            let dropped = dropped(n, "SYN", "SYNs");
            Some(format!("NAT {name} had no free port{from}, and {dropped}"))
        });
        let sentences: Vec<String> = sentences.collect();
        (!sentences.is_empty()).then(|| format!("{}.", sentence(&sentences.join("; "))))
    }

    /// A firewall whose table was full.
    pub(super) fn full_firewall(&self) -> Option<String> {
        let n = self.positive("conntrack_full_drops_pkts")?;
        let first = self.get("conntrack_full_first_s");
        let from = first.map_or(String::new(), |s| format!(" from t = {} on", seconds(s)));
        let entries = self.get("conntrack_entries_peak").unwrap_or(0.0);
        Some(format!(
            "A firewall's table of {} was full{from}, and {}.",
            counted(entries, "connection", "connections"),
            dropped(n, "packet", "packets")
        ))
    }

    /// Connections that were idle for too long for a load balancer.
    pub(super) fn forgotten_by_balancer(&self) -> Option<String> {
        let forgotten = self.positive("balancer_idle_forgotten")?;
        let late = self.positive("balancer_strangers_pkts")?;
        let reset = match self.get("balancer_resets_sent") {
            Some(n) if n > 0.0 => "answered by resets",
            _ => "dropped",
        };
        let verb = if late == 1.0 { "was" } else { "were" };
        Some(format!(
            "A balancer forgot {} that had been silent for its idle time-out; {} that came later {verb} {reset}.",
            counted(forgotten, "connection", "connections"),
            counted(late, "packet", "packets"),
        ))
    }

    /// Packets without a NAT mapping: late segments, or those whose mapping timed out.
    pub(super) fn unmapped(&self) -> Option<String> {
        let n = self.positive("nat_packets_unmapped")?;
        Some(format!(
            "{} by NATs without a mapping for {}.",
            sentence(&dropped(n, "packet", "packets")),
            if n == 1.0 { "it" } else { "them" }
        ))
    }

    /// Full accept queues, full SYN queues, and the cookies sent instead.
    pub(super) fn dropped_by_listeners(&self) -> Option<String> {
        let full = self.get("listen_overflows").unwrap_or(0.0);
        let others = self.get("listen_drops").unwrap_or(0.0) - full;
        let mut sentences = Vec::new();
        if full > 0.0 {
            sentences.push(format!(
                "{} at a full accept queue",
                dropped(full, "SYN or final ACK", "SYNs and final ACKs")
            ));
        }
        if others > 0.0 {
            let other = if full > 0.0 {
                "for another reason"
            } else {
                "with its accept queue not full"
            };
            sentences.push(format!(
                "{} by a listener {other}",
                dropped(others, "SYN or ACK", "SYNs and ACKs")
            ));
        }
        if let Some(n) = self.positive("syn_cookies_sent") {
            let syns = counted(n, "SYN was", "SYNs were");
            let a = if n == 1.0 {
                "a SYN cookie"
            } else {
                "SYN cookies"
            };
            sentences.push(format!("{syns} answered with {a}"));
        }
        (!sentences.is_empty()).then(|| format!("{}.", sentence(&list(&sentences))))
    }

    /// Packets for which a node had no route.
    pub(super) fn unroutable(&self) -> Option<String> {
        let n = self.positive("unrouted_pkts")?;
        let text = dropped(n, "packet", "packets");
        Some(format!("{} because there was no route.", sentence(&text)))
    }
}

/// "12 SYNs were dropped".
fn dropped(n: f64, one: &str, many: &str) -> String {
    let (thing, verb) = if n == 1.0 {
        (one, "was")
    } else {
        (many, "were")
    };
    format!("{} {thing} {verb} dropped", count(n))
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
