//! A first-in-first-out queue, used inside disciplines.

use std::collections::VecDeque;

use super::{Backlog, QueueCx, QueueDrop, QueueLimit, QueuedPacket};

/// A first-in-first-out queue with a limit; it counts its bytes.
#[derive(Debug)]
pub(super) struct Fifo {
    packets: VecDeque<QueuedPacket>,
    bytes: u64,
    limit: QueueLimit,
}

/// The remaining methods of an `impl QueueDisc` whose packets are all in `self.queue`.
macro_rules! packets_are_in_queue {
    () => {
        fn backlog(&self) -> $crate::queue_disc::Backlog {
            self.queue.backlog()
        }

        fn allocated_bytes(&self) -> usize {
            self.queue.allocated_bytes()
        }
    };
}
pub(super) use packets_are_in_queue;

impl Fifo {
    /// An empty queue.
    pub(super) fn new(limit: QueueLimit) -> Fifo {
        Fifo {
            packets: VecDeque::new(),
            bytes: 0,
            limit,
        }
    }

    /// Returns true if a packet of `size` bytes fits.
    pub(super) fn has_room(&self, size: u32, cx: &QueueCx<'_>) -> bool {
        self.limit
            .admits(size, self.packets.len(), self.bytes, cx.rate())
    }

    /// Takes a packet, or drops it if it does not fit.
    pub(super) fn push_or_drop(&mut self, packet: QueuedPacket, cx: &mut QueueCx<'_>) {
        if self.has_room(packet.size(), cx) {
            self.push(packet);
        } else {
            cx.drop(packet, QueueDrop::Full);
        }
    }

    /// Takes a packet, whatever the limit.
    pub(super) fn push(&mut self, packet: QueuedPacket) {
        self.bytes += u64::from(packet.size());
        self.packets.push_back(packet);
    }

    pub(super) fn pop(&mut self) -> Option<QueuedPacket> {
        let packet = self.packets.pop_front()?;
        self.bytes -= u64::from(packet.size());
        Some(packet)
    }

    /// The packet that has waited longest.
    pub(super) fn head(&self) -> Option<&QueuedPacket> {
        self.packets.front()
    }

    pub(super) fn len(&self) -> usize {
        self.packets.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn backlog(&self) -> Backlog {
        Backlog {
            pkts: self.packets.len() as u32,
            bytes: self.bytes,
        }
    }

    pub(super) fn allocated_bytes(&self) -> usize {
        self.packets.capacity() * size_of::<QueuedPacket>()
    }
}
