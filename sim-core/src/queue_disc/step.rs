//! Step marking: every packet that arrives at a queue above a threshold is marked.
//!
//! The marking that DCTCP expects of its switches (RFC 8257 section 3.1; Alizadeh et al. 2010,
//! parameter K). Packets of senders without ECN are not signalled to; they are dropped only when
//! the queue is full.

use std::sync::Arc;

use super::fifo::Fifo;
use super::{AnyQueueDisc, Backlog, QueueCx, QueueDisc, QueueDrop, QueueLimit, QueuedPacket};
use crate::plugin::{Kind, Parameter, ValueKind, Values};

const PARAMETERS: &[Parameter] = &[
    Parameter {
        name: "threshold",
        kind: ValueKind::Limit,
        default: Some("20 packets"),
        doc: "K of DCTCP: a packet is marked when at least this much waits as it arrives",
    },
    Parameter {
        name: "limit",
        kind: ValueKind::Limit,
        default: Some("1000 packets"),
        doc: "the most that may wait; what does not fit is dropped on arrival",
    },
];

/// Step marking as a kind of queue discipline.
pub(super) fn kind() -> Kind<AnyQueueDisc> {
    Kind::new(
        "step",
        "marks every packet above a queue length, as DCTCP expects (RFC 8257)",
        PARAMETERS,
        |values: &Values| {
            let (threshold, limit) = (values.limit("threshold"), values.limit("limit"));
            Ok(Arc::new(move || {
                AnyQueueDisc::custom(Step {
                    threshold,
                    limit,
                    queue: Fifo::default(),
                })
            }))
        },
    )
}

/// A queue that marks above a threshold.
#[derive(Debug)]
struct Step {
    threshold: QueueLimit,
    limit: QueueLimit,
    queue: Fifo,
}

impl Step {
    fn is_above(&self) -> bool {
        match self.threshold {
            QueueLimit::Unlimited => false,
            QueueLimit::Packets(n) => self.queue.len() >= n as usize,
            QueueLimit::Bytes(b) => self.queue.bytes() >= b.0,
        }
    }
}

impl QueueDisc for Step {
    fn enqueue(&mut self, mut packet: QueuedPacket, cx: &mut QueueCx<'_>) {
        let (pkts, bytes) = (self.queue.len(), self.queue.bytes());
        if !self.limit.admits(packet.size(), pkts, bytes) {
            cx.drop(packet, QueueDrop::Full);
            return;
        }
        if self.is_above() {
            cx.mark(&mut packet);
        }
        self.queue.push(packet);
    }

    fn dequeue(&mut self, _: &mut QueueCx<'_>) -> Option<QueuedPacket> {
        self.queue.pop()
    }

    fn backlog(&self) -> Backlog {
        self.queue.backlog()
    }

    fn allocated_bytes(&self) -> usize {
        self.queue.allocated_bytes()
    }
}
