//! Effects of queues on flows.

use super::RunFacts;
use crate::format::{bytes, number, seconds};

/// Jain's index below which equal flows share unequally.
const UNFAIR: f64 = 0.95;

impl RunFacts<'_> {
    pub(super) fn phase_effects(&self) -> Option<String> {
        let risk = self.info.phase_risk.as_ref()?;
        let index = self.get("jain_index").filter(|index| *index < UNFAIR)?;
        Some(format!(
            "Goodput was shared unequally (Jain's index {}), probably by phase effects: {} flows fell into \
             step with the drop-tail queue from {} to {}, because nothing in the network is random. Set \
             topology.processing to less than {}, the transmission time of a packet there.",
            number(index),
            risk.flows,
            risk.from,
            risk.to,
            seconds(risk.packet_s)
        ))
    }

    pub(super) fn queueing_delay(&self) -> Option<String> {
        let mean = self.positive("queue_wait_mean_s")?;
        let p99 = self.get("queue_wait_p99_s")?;
        let most = self.get("queue_backlog_max_bytes")?;
        Some(format!(
            "At the slowest queue packets waited {} on average, and 99 % of them at most {}; its \
             maximum length was {}.",
            seconds(mean),
            seconds(p99),
            bytes(most)
        ))
    }
}
