//! Sockets in TIME-WAIT: how many, beside theory, and how they ended.

use super::{RunFacts, theory};
use crate::format::{count, seconds};
use crate::metrics;
use crate::text::{list, sentence};
use crate::words::counted;

impl RunFacts<'_> {
    pub(super) fn time_wait(&self) -> Option<String> {
        let peak = self.positive("time_wait_peak")?;
        if self.is_small() {
            return self.few_in_time_wait();
        }
        let mean = self.get("time_wait_mean_steady")?;
        let (from, to) = self.info.steady_window();
        let measured = format!(
            "TIME-WAIT peaked at {} at t = {} and averaged {} from {} to {}",
            counted(peak, "socket", "sockets"),
            seconds(self.get("time_wait_peak_at_s").unwrap_or(0.0)),
            count(mean),
            seconds(from),
            seconds(to)
        );
        Some(match self.expected_time_wait() {
            None => format!("{measured}."),
            Some(theory) => format!("{measured}; {theory}."),
        })
    }

    pub(super) fn expected_time_wait(&self) -> Option<String> {
        if let Some(overflow) = self.positive("ended_time_wait_overflow") {
            let gone = counted(overflow, "connection", "connections");
            return Some(format!(
                "the table was full, and {gone} closed without TIME-WAIT"
            ));
        }
        theory::time_wait(self.info)
    }

    /// The groups of hosts with sockets in TIME-WAIT; a single connection has its own finding for
    /// this.
    pub(super) fn few_in_time_wait(&self) -> Option<String> {
        if !self.its_close().is_empty() && self.get("connects_attempted") == Some(1.0) {
            return None;
        }
        let groups: Vec<String> = self
            .metrics
            .iter()
            .filter_map(|(name, &n)| {
                let found = metrics::find(name)?;
                let is_peak = found.metric.id == "<state>.<group>_peak";
                let is_time_wait = is_peak && name.starts_with("time_wait.");
                let group = found.of.filter(|_| is_time_wait)?;
                (n > 0.0).then(|| format!("{} of {group}", counted(n, "socket", "sockets")))
            })
            .collect();
        let sockets = match groups.as_slice() {
            [] => counted(self.get("time_wait_peak")?, "socket", "sockets"),
            some => list(some),
        };
        Some(format!("In TIME-WAIT: {sockets}."))
    }

    /// TIME-WAIT that was cut short or skipped: a risk that no other finding shows.
    pub(super) fn unsafe_time_wait(&self) -> Option<String> {
        const WHY: &str = "That is unsafe: a delayed segment of the old connection can reach a new \
                           one between the same addresses and ports, and a retransmitted FIN is \
                           answered by a reset";
        let mut sentences = Vec::new();
        if let Some(n) = self.positive("ended_time_wait_overflow") {
            sentences.push(format!(
                "{} closed without TIME-WAIT, because the table was full (tcp_max_tw_buckets){}",
                counted(n, "connection", "connections"),
                self.between(
                    "ended_time_wait_overflow_first_s",
                    "ended_time_wait_overflow_last_s"
                )
            ));
        }
        if let Some(n) = self.positive("time_wait_killed") {
            sentences.push(format!(
                "{} ended early by a reset (RFC 1337)",
                counted(n, "TIME-WAIT entry was", "TIME-WAIT entries were")
            ));
        }
        (!sentences.is_empty()).then(|| format!("{}. {WHY}.", sentence(&list(&sentences))))
    }

    /// TIME-WAIT that served its purpose.
    pub(super) fn useful_time_wait(&self) -> Option<String> {
        let n = self.positive("time_wait_fins_answered")?;
        let (fins, had) = if n == 1.0 {
            ("a FIN that was repeated".to_owned(), "it")
        } else {
            (format!("{} FINs that were repeated", count(n)), "they")
        };
        Some(format!(
            "TIME-WAIT did its job: it acknowledged {fins}; without it {had} would have been \
             answered by a reset."
        ))
    }
}
