//! Goodput of bulk flows; losses and retransmissions.

use super::{MANY, RunFacts, UNUSUAL_SHARE};
use crate::format::{bit_rate, count, number, percent};
use crate::metrics;
use crate::text::{list, sentence};
use crate::words::counted;

impl RunFacts<'_> {
    /// Goodput of bulk transfers, flow by flow while each was active, and how fairly they shared.
    pub(super) fn goodput(&self) -> Option<String> {
        if self.get("requests_done").is_some() {
            return None;
        }
        let bps = self.positive("goodput_bps")?;
        let flows: Vec<String> = self
            .metrics
            .iter()
            .filter_map(|(name, &bps)| {
                let found = metrics::find(name)?;
                let is_goodput = found.metric.id == "flow_goodput.<flow>_bps";
                let flow = found.of.filter(|_| is_goodput)?;
                Some(format!("{} for {flow}", bit_rate(bps)))
            })
            .collect();
        let fair = self.get("jain_index").map_or(String::new(), |j| {
            format!(
                "; while all were active, Jain's fairness index was {}",
                number(j)
            )
        });
        let own_lives = self.get("flow_goodput_mean_bps").map(bit_rate);
        Some(if let (true, Some(mean)) = (flows.is_empty(), own_lives) {
            format!("Mean goodput of a flow while active was {mean}{fair}.")
        } else if flows.is_empty() {
            format!("Goodput was {} over the whole run{fair}.", bit_rate(bps))
        } else {
            let established = self.get("connects_established").unwrap_or(0.0);
            let of = if established > flows.len() as f64 {
                format!(
                    " ({} of {} flows; the others were not traced or sent less than 50 kB)",
                    count(flows.len() as f64),
                    count(established)
                )
            } else {
                String::new()
            };
            format!("Goodput while active was {}{of}{fair}.", list(&flows))
        })
    }

    /// Many retransmissions, which come before the usual findings.
    pub(super) fn many_retransmissions(&self) -> Option<String> {
        let again = self.positive("retransmissions")?;
        let sent = self.get("segments_sent").filter(|n| *n >= MANY)?;
        (again >= UNUSUAL_SHARE * sent)
            .then(|| self.losses())
            .flatten()
    }

    pub(super) fn few_losses(&self) -> Option<String> {
        match self.many_retransmissions() {
            Some(_) => None,
            None => self.losses(),
        }
    }

    pub(super) fn losses(&self) -> Option<String> {
        let sent = self.positive("segments_sent")?;
        let packets = |n: f64| counted(n, "packet", "packets");
        let mut parts = Vec::new();
        if let Some(n) = self.positive("wire_losses_pkts") {
            parts.push(format!("links lost {}", packets(n)));
        }
        if let Some(n) = self.positive("corrupted_pkts") {
            let verb = if n == 1.0 { "was" } else { "were" };
            parts.push(format!("{} {verb} damaged on the way", packets(n)));
        }
        if let Some(n) = self.positive("queue_drops_pkts") {
            parts.push(format!("full queues dropped {}", packets(n)));
        }
        if let Some(n) = self.positive("early_drops_pkts") {
            parts.push(format!("queue disciplines dropped {}", packets(n)));
        }
        if let Some(n) = self.positive("policed_drops_pkts") {
            parts.push(format!("policers dropped {}", packets(n)));
        }
        if let Some(n) = self.positive("ce_marks_pkts") {
            parts.push(format!("queue disciplines marked {}", packets(n)));
        }
        if let Some(again) = self.positive("retransmissions") {
            let verb = if again == 1.0 { "was" } else { "were" };
            let mut text = format!(
                "{} {verb} retransmitted ({} of all)",
                counted(again, "segment", "segments"),
                percent(again / sent)
            );
            let causes = [
                ("fast_recoveries", "fast recovery", "fast recoveries"),
                ("timeouts", "time-out", "time-outs"),
            ];
            let causes = causes
                .iter()
                .filter_map(|(name, one, many)| Some(counted(self.positive(name)?, one, many)));
            let causes: Vec<String> = causes.collect();
            if !causes.is_empty() {
                text.push_str(&format!(", with {}", list(&causes)));
            }
            if let Some(vain) = self.positive("retransmissions_spurious") {
                text.push_str(&format!(
                    "; {} of them spurious",
                    crate::format::count(vain)
                ));
            }
            parts.push(text);
        }
        if parts.is_empty() {
            return self
                .is_small()
                .then(|| "Nothing was lost and nothing was retransmitted.".to_owned());
        }
        Some(format!("{}.", sentence(&parts.join("; "))))
    }
}
