//! Maps flows to queues in a discipline with a queue for each flow, by a hash with a random salt.

use super::QueueCx;
use crate::rng::mix;

/// Queues by the hash of a flow, numbered from 0 in the order of their first use.
#[derive(Debug)]
pub(super) struct FlowQueueTable {
    flows: u64,
    /// Drawn at the first packet, so that each link has its own.
    salt: Option<u64>,
    /// Number of the queue for each hash, plus one; 0 if the queue was never used.
    table: Vec<u32>,
    used: u32,
}

impl FlowQueueTable {
    /// A table with `flows` entries.
    pub(super) fn new(flows: u64) -> FlowQueueTable {
        FlowQueueTable {
            flows,
            salt: None,
            table: Vec::new(),
            used: 0,
        }
    }

    /// The number of a flow's queue; a queue not used before gets the next number.
    pub(super) fn index(&mut self, flow: u64, cx: &mut QueueCx<'_>) -> u32 {
        if self.table.is_empty() {
            self.table = vec![0; self.flows as usize];
        }
        let salt = *self.salt.get_or_insert_with(|| cx.rng().next_u64());
        let hash = mix(flow ^ salt);
        // The high half of a product: uniform without a division.
        let place = ((u128::from(hash) * u128::from(self.flows)) >> 64) as usize;
        if self.table[place] == 0 {
            self.used += 1;
            self.table[place] = self.used;
        }
        self.table[place] - 1
    }

    pub(super) fn allocated_bytes(&self) -> usize {
        self.table.capacity() * size_of::<u32>()
    }
}
