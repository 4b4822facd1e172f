//! Step marking: every packet above a threshold is marked.
//!
//! With a threshold in packets or bytes a packet is marked as it arrives, as DCTCP expects of its
//! switches (RFC 8257 section 3.1; Alizadeh et al. 2010, parameter K). With a threshold in time it
//! is marked as it leaves, if it has waited that long: the step of L4S queues (RFC 9331 section
//! 5.2). Senders without ECN get no signal; their packets are dropped only when the queue is full.

use std::sync::Arc;

use super::common;
use super::fifo::{Fifo, packets_are_in_queue};
use super::{AnyQueueDisc, QueueCx, QueueDisc, QueueLimit, QueuedPacket};
use crate::plugin::{ModelKind, ModelParameter, ModelValues, ValueKind};

const PARAMETERS: &[ModelParameter] = &[
    ModelParameter::new(
        "threshold",
        ValueKind::Limit,
        "20 packets",
        "a packet is marked when at least this much waits as it arrives (K of DCTCP), or, for a time, when it has waited that long as it leaves (L4S)",
    ),
    common::limit("1000 packets"),
];

/// Step marking as a kind of queue discipline.
pub(super) fn kind() -> ModelKind<AnyQueueDisc> {
    ModelKind::new(
        "step",
        "marks every packet above a queue length (DCTCP, RFC 8257) or waiting time (L4S, RFC 9331)",
        PARAMETERS,
        |values: &ModelValues| {
            let (threshold, limit) = (values.limit("threshold"), values.limit("limit"));
            Ok(Arc::new(move || {
                AnyQueueDisc::custom(StepMarking::new(threshold, limit))
            }))
        },
    )
}

/// A queue that marks above a threshold.
#[derive(Debug)]
struct StepMarking {
    threshold: QueueLimit,
    queue: Fifo,
}

impl StepMarking {
    fn new(threshold: QueueLimit, limit: QueueLimit) -> StepMarking {
        let queue = Fifo::new(limit);
        StepMarking { threshold, queue }
    }

    /// Returns true if an arriving packet finds enough waiting to be marked.
    fn is_above(&self) -> bool {
        match self.threshold {
            QueueLimit::Unlimited | QueueLimit::Time(_) => false,
            QueueLimit::Packets(n) => self.queue.len() >= n as usize,
            QueueLimit::Bytes(b) => self.queue.bytes() >= b.0,
        }
    }
}

impl QueueDisc for StepMarking {
    fn enqueue(&mut self, mut packet: QueuedPacket, cx: &mut QueueCx<'_>) {
        if self.is_above() && self.queue.has_room(packet.size(), cx) {
            cx.mark(&mut packet);
        }
        self.queue.push_or_drop(packet, cx);
    }

    fn dequeue(&mut self, cx: &mut QueueCx<'_>) -> Option<QueuedPacket> {
        let mut packet = self.queue.pop()?;
        if let QueueLimit::Time(most) = self.threshold
            && packet.sojourn(cx.now()) >= most
        {
            cx.mark(&mut packet);
        }
        Some(packet)
    }

    packets_are_in_queue!();
}
