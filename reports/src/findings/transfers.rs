//! Bulk flows and their goodput; losses and retransmissions.

use super::{MANY, RunFacts, UNUSUAL_SHARE};
use crate::format::{bit_rate, count, number, percent, seconds};
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

    /// Bulk flows cut off by the end of the run, if none was completed or some had hardly begun.
    pub(super) fn unfinished_flows(&self) -> Option<String> {
        let completed = self.get("flows_completed").unwrap_or(0.0);
        let unfinished = self
            .positive("flows_unfinished")
            .filter(|_| completed == 0.0);
        let mut parts = Vec::new();
        if let Some(n) = unfinished {
            let longest = seconds(self.get("flow_unfinished_max_s")?);
            parts.push(match n {
                1.0 => format!("the bulk flow was not completed in the {longest} it had"),
                n => format!(
                    "none of the {} bulk flows was completed, in up to {longest}",
                    count(n)
                ),
            });
        }
        if let Some(n) = self
            .positive("blocked_by_window_end")
            .filter(|_| unfinished.is_some())
        {
            parts.push(format!(
                "at the end {} against a closed window: the receiving application did not read",
                counted(n, "sender stood", "senders stood")
            ));
        }
        if let Some(n) = self.positive("flows_small") {
            let fewest = count(self.get("flow_small_min_bytes")?);
            parts.push(match n {
                1.0 => format!("1 flow had only {fewest} bytes acknowledged"),
                n => format!(
                    "{} flows had fewer than 50,000 bytes acknowledged, one of them {fewest}",
                    count(n)
                ),
            });
        }
        (!parts.is_empty()).then(|| format!("{}.", sentence(&parts.join("; "))))
    }

    /// Bulk flows that broke off.
    pub(super) fn broken_flows(&self) -> Option<String> {
        let broken = self.positive("flows_broken")?;
        let all = broken + self.get("flows_completed")? + self.get("flows_unfinished")?;
        let of = counted(all, "bulk flow", "bulk flows");
        Some(format!(
            "{} of {of} broke off before all bytes had been acknowledged.",
            count(broken)
        ))
    }

    /// How long bulk flows took.
    pub(super) fn completed_flows(&self) -> Option<String> {
        let n = self.positive("flows_completed")?;
        let mean = seconds(self.get("flow_completion_mean_s")?);
        let longest = seconds(self.get("flow_completion_max_s")?);
        let under_way = self
            .positive("flows_unfinished")
            .map_or(String::new(), |n| {
                format!("; {} more were in progress at the end", count(n))
            });
        Some(match n {
            1.0 => format!("The bulk flow was completed after {mean}{under_way}."),
            n if mean == longest => {
                format!(
                    "{} bulk flows were completed, after {mean} each{under_way}.",
                    count(n)
                )
            }
            n => format!(
                "{} bulk flows were completed, after {mean} on average and {longest} at most\
                 {under_way}.",
                count(n)
            ),
        })
    }
}
