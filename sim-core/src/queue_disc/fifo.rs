//! Packets in order of arrival: the queue inside a discipline.

use std::collections::VecDeque;

use super::{Backlog, QueuedPacket};

/// A first-in-first-out queue that counts its bytes.
#[derive(Debug, Default)]
pub(super) struct Fifo {
    packets: VecDeque<QueuedPacket>,
    bytes: u64,
}

impl Fifo {
    pub(super) fn push(&mut self, packet: QueuedPacket) {
        self.bytes += u64::from(packet.size());
        self.packets.push_back(packet);
    }

    pub(super) fn pop(&mut self) -> Option<QueuedPacket> {
        let packet = self.packets.pop_front()?;
        self.bytes -= u64::from(packet.size());
        Some(packet)
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
