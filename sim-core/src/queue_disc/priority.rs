//! Strict priority: a queue for each of eight classes; no class is served while a higher one has
//! packets waiting.
//!
//! The class is the three highest bits of the type of service, the class selectors of RFC 2474
//! section 4.2.2: best effort has class 0, expedited forwarding (46, a type of service of 184)
//! class 5. A higher class may starve the lower ones.

use std::sync::Arc;

use super::fifo::Fifo;
use super::{AnyQueueDisc, Backlog, QueueCx, QueueDisc, QueueLimit, QueuedPacket};
use crate::plugin::{ModelKind, ModelParameter, ModelValues, ValueKind};

const PARAMETERS: &[ModelParameter] = &[ModelParameter::new(
    "limit",
    ValueKind::Limit,
    "1000 packets",
    "the most that may wait in each class; what does not fit is dropped on arrival",
)];

/// Strict priority as a kind of queue discipline.
pub(super) fn kind() -> ModelKind<AnyQueueDisc> {
    ModelKind::new(
        "priority",
        "strict priority by class selector, the three highest bits of the type of service (RFC 2474)",
        PARAMETERS,
        |values: &ModelValues| {
            let limit = values.limit("limit");
            Ok(Arc::new(move || AnyQueueDisc::custom(Priority::new(limit))))
        },
    )
}

/// Number of class selectors.
const CLASSES: usize = 8;

/// Queues by class, the lowest first.
#[derive(Debug)]
struct Priority {
    classes: [Fifo; CLASSES],
}

impl Priority {
    fn new(limit: QueueLimit) -> Priority {
        Priority {
            classes: std::array::from_fn(|_| Fifo::new(limit)),
        }
    }
}

impl QueueDisc for Priority {
    fn enqueue(&mut self, packet: QueuedPacket, cx: &mut QueueCx<'_>) {
        let class = usize::from(packet.tos() >> 5);
        self.classes[class].push_or_drop(packet, cx);
    }

    fn dequeue(&mut self, _: &mut QueueCx<'_>) -> Option<QueuedPacket> {
        self.classes.iter_mut().rev().find_map(Fifo::pop)
    }

    fn backlog(&self) -> Backlog {
        self.classes
            .iter()
            .fold(Backlog::default(), |sum, class| Backlog {
                pkts: sum.pkts + class.len() as u32,
                bytes: sum.bytes + class.bytes(),
            })
    }

    fn allocated_bytes(&self) -> usize {
        self.classes.iter().map(Fifo::allocated_bytes).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue_disc::QueueDrop;
    use crate::queue_disc::bench::QueueBench;

    /// Types of service: best effort, class selector 1, expedited forwarding, class selector 7.
    const TOS: [u8; 4] = [0, 0x20, 0xb8, 0xe0];

    #[test]
    fn a_class_waits_for_all_higher_ones_and_keeps_its_own_order() {
        let mut b = QueueBench::new(kind().plugin(&[]).unwrap().build());
        for (flow, class) in [(1, 0), (2, 2), (3, 0), (4, 1), (5, 3), (6, 2)] {
            b.put_marked(0, flow, 500, TOS[class]);
        }
        assert_eq!(b.flows(1, 3), [5, 2, 6]);
        // A packet that arrives later overtakes those of lower classes.
        b.put_marked(1, 7, 500, TOS[2]);
        assert_eq!(b.flows(2, 9), [7, 4, 1, 3]);
        assert_eq!(b.backlog(), Backlog::default());
    }

    #[test]
    fn the_limit_is_that_of_each_class() {
        let mut b = QueueBench::new(kind().plugin(&[("limit", "2 packets")]).unwrap().build());
        for flow in 0..6 {
            let tos = if flow < 3 { TOS[0] } else { TOS[2] };
            b.put_marked(0, flow, 100, tos);
        }
        assert_eq!(b.dropped, [(2, QueueDrop::Full), (5, QueueDrop::Full)]);
        let backlog = Backlog {
            pkts: 4,
            bytes: 400,
        };
        assert_eq!(b.backlog(), backlog);
    }
}
