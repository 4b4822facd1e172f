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
use crate::plugin::{ModelKind, ModelParameter, ModelValues};

const PARAMETERS: &[ModelParameter] = &common::join::<7, 3, 10>(
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
        |values: &ModelValues| {
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
    use crate::queue_disc::QueueDrop;
    use crate::queue_disc::bench::QueueBench;

    #[test]
    fn the_flow_that_fills_its_queue_is_controlled_and_a_sparse_one_is_not() {
        // Flow 1 sends ten packets in 10 ms, of which one leaves per millisecond; flow 2 sends one
        // packet in 10 ms and never waits: PIE drops only packets of flow 1.
        let values = [("max_burst", "0 s"), ("alpha", "20"), ("beta", "200")];
        let queue = kind().plugin(&values).unwrap().build();
        let mut b = QueueBench::new(queue);
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
        // The delay is held near the target of 15 ms: about 15 packets wait.
        let waiting = b.backlog().pkts;
        assert!((3..60).contains(&waiting), "{waiting}");
    }

    #[test]
    fn a_sequence_of_two_flows_goes_as_computed_by_hand() {
        // Forty packets of flow 1 wait from 0 on, one leaves each millisecond; one packet of flow 2
        // arrives every 10 ms and, its queue being new each time, goes first.
        let values = [
            ("max_burst", "0 s"),
            ("target", "1 ms"),
            ("alpha", "1000"),
            ("beta", "0"),
            ("quantum", "1000"),
        ];
        let mut b = QueueBench::new(kind().plugin(&values).unwrap().build());
        (0..40).for_each(|_| b.put(0, 1, 1000));
        let mut order = Vec::new();
        for ms in 1..=30 {
            if ms % 10 == 0 {
                b.put(ms, 2, 1000);
            }
            if ms == 29 {
                b.put(ms, 1, 1000); // the sum of probabilities is 0.006, far below 0.85
            }
            order.extend(b.take(ms).map(|p| p.0));
        }
        let of_two: Vec<usize> = (1..=30).filter(|ms| order[ms - 1] == 2).collect();
        assert_eq!((of_two, b.dropped.len()), (vec![10, 20, 30], 0));
        // Flow 1 at 15 ms: (1000 * (0.014 - 0.001)) / 2048 = 0.0063; at 30 ms: + 1000 * 0.028 / 8, that
        // is 1 at most. Every arrival of flow 1 is dropped from then on; the control of flow 2 has seen no
        // delay.
        b.put(31, 1, 1000);
        b.put(31, 2, 1000);
        b.put(32, 1, 1000);
        assert_eq!(b.dropped, [(1, QueueDrop::Early), (1, QueueDrop::Early)]);
        assert_eq!(b.flows(33, 2), [2, 1]);
    }
}
