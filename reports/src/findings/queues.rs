//! Effects of queues on flows.

use super::RunFacts;
use crate::bilingual::say;
use crate::format::{bytes, number, seconds};

/// Jain's index below which equal flows share unequally.
const UNFAIR: f64 = 0.95;

impl RunFacts<'_> {
    pub(super) fn phase_effects(&self) -> Option<String> {
        let risk = self.info.phase_risk.as_ref()?;
        let index = self.get("jain_index").filter(|index| *index < UNFAIR)?;
        Some(say!(
            self.language,
            "Goodput was shared unequally (Jain's index {}), probably by phase effects: {} flows fell into \
             step with the drop-tail queue from {} to {}, because nothing in the network is random. Set \
             topology.processing to less than {}, the transmission time of a packet there.",
            "有效吞吐量的分配不均（Jain 指数 {}），很可能是相位效应：{} 条流与从 {} 到 {} 的尾部丢弃队列同步，因为网络中没有任何随机性。把 topology.processing 设为小于该处一个分组的发送时间 {}。",
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
        Some(say!(
            self.language,
            "At the slowest queue packets waited {} on average, and 99 % of them at most {}; its \
             maximum length was {}.",
            "在最慢的队列中，分组平均等待 {}，99 % 的分组至多等待 {}；队列最长为 {}。",
            seconds(mean),
            seconds(p99),
            bytes(most)
        ))
    }
}
