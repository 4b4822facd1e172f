//! Sockets in TIME-WAIT, beside theory.

use super::{RunFacts, theory};
use crate::format::{count, seconds};
use crate::metrics;
use crate::text::list;
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

    /// The groups of hosts with sockets in TIME-WAIT; for a single connection its own finding says it.
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
}
