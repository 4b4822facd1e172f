//! FQ-PIE: a queue for each flow, served in turn with new flows first, and each controlled by PIE
//! (Ramakrishnan et al. 2019, "FQ-PIE queue discipline in the Linux kernel").
//!
//! The scheduler is that of FQ-CoDel ([`FairQueue`]), the control of each queue that of RFC 8033
//! ([`Pie`]), and the limit of all queues together drops from the longest. Leaves out Linux's
//! `memory_limit`.

use std::sync::Arc;

use super::fair::FairQueue;
use super::pie::{CONTROL, Pie, PieParams};
use super::{AnyQueueDisc, QueueLimit, common};
use crate::plugin::{ModelKind, Parameter, Values};

const PARAMETERS: &[Parameter] = &common::join::<7, 3, 10>(
    CONTROL,
    [
        common::FLOWS,
        common::QUANTUM,
        common::joint_limit("10240 packets"),
    ],
);

/// FQ-PIE as a kind of queue discipline.
pub(super) fn kind() -> ModelKind<AnyQueueDisc> {
    ModelKind::new(
        "fq-pie",
        "a PIE queue for each flow, served in turn (Ramakrishnan et al. 2019)",
        PARAMETERS,
        |values: &Values| {
            let pie = PieParams::of(values, QueueLimit::Unlimited)?;
            let (flows, quantum) = common::flows_and_quantum(values)?;
            let limit = values.limit("limit");
            Ok(Arc::new(move || {
                let make = Arc::new(move || Pie::new(pie));
                AnyQueueDisc::custom(FairQueue::new(flows, quantum, limit, make))
            }))
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue_disc::bench::Bench;

    #[test]
    fn the_flow_that_fills_its_queue_is_controlled_and_a_sparse_one_is_not() {
        // Flow 1 sends ten packets in 10 ms of which one leaves in a millisecond beside those of
        // flow 2, one in 10 ms, which never wait: PIE drops of flow 1 only.
        let values = [("max_burst", "0 s"), ("alpha", "20"), ("beta", "200")];
        let queue = kind().plugin(&values).unwrap().build();
        let mut b = Bench::new(queue);
        for ms in 0..2000 {
            b.put(ms, 1, 1000);
            b.put(ms, 1, 1000);
            if ms % 10 == 0 {
                b.put(ms, 2, 100);
            }
            b.take(ms);
        }
        let lost = |flow| b.dropped.iter().filter(|d| d.0 == flow).count();
        assert_eq!(lost(2), 0);
        assert!(lost(1) > 500, "{}", lost(1));
        // The delay is held near the target of 15 ms: about as many packets wait.
        let waiting = b.backlog().pkts;
        assert!((3..60).contains(&waiting), "{waiting}");
    }
}
