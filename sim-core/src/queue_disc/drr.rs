//! Deficit round robin: flows take turns, each with a quantum of bytes plus what it did not use in
//! its last turn (Shreedhar and Varghese 1996, "Efficient fair queuing using deficit round-robin").
//!
//! Flows with the same hash share a queue. When the limit is exceeded, packets are dropped from the
//! head of the longest queue (the paper's buffer stealing, which does not specify which end).

use std::collections::VecDeque;
use std::sync::Arc;

use super::fifo::Fifo;
use super::flow_queue_table::FlowQueueTable;
use super::{
    AnyQueueDisc, Backlog, QueueCx, QueueDisc, QueueDrop, QueueLimit, QueuedPacket, common,
};
use crate::plugin::{ModelKind, ModelParameter, ModelValues};

const PARAMETERS: &[ModelParameter] = &[
    common::FLOWS,
    common::QUANTUM,
    common::joint_limit("1000 packets"),
];

/// Deficit round robin as a kind of queue discipline.
pub(super) fn kind() -> ModelKind<AnyQueueDisc> {
    ModelKind::new(
        "drr",
        "deficit round robin among flows (Shreedhar and Varghese 1996)",
        PARAMETERS,
        |values: &ModelValues| {
            let (flows, quantum) = common::flows_and_quantum(values)?;
            let limit = values.limit("limit");
            Ok(Arc::new(move || {
                AnyQueueDisc::custom(Drr::new(flows, quantum as u64, limit))
            }))
        },
    )
}

#[derive(Debug)]
struct DrrFlow {
    queue: Fifo,
    /// Bytes it may still send; zero while it is empty.
    deficit: u64,
}

/// Queues that take turns. Variables have the names of the paper.
#[derive(Debug)]
struct Drr {
    quantum: u64,
    limit: QueueLimit,
    table: FlowQueueTable,
    flows: Vec<DrrFlow>,
    /// Flows with packets; it is the first one's turn.
    active: VecDeque<u32>,
    /// The flow whose turn it is has received its quantum.
    in_turn: bool,
    backlog: Backlog,
}

impl Drr {
    fn new(flows: u64, quantum: u64, limit: QueueLimit) -> Drr {
        Drr {
            quantum,
            limit,
            table: FlowQueueTable::new(flows),
            flows: Vec::new(),
            active: VecDeque::new(),
            in_turn: false,
            backlog: Backlog::default(),
        }
    }

    /// Takes the head of a flow; a flow that becomes empty is no longer active.
    fn pop(&mut self, index: u32) -> Option<QueuedPacket> {
        let flow = &mut self.flows[index as usize];
        let packet = flow.queue.pop()?;
        self.backlog.pkts -= 1;
        self.backlog.bytes -= u64::from(packet.size());
        if flow.queue.is_empty() {
            flow.deficit = 0;
            if self.active.front() == Some(&index) {
                self.in_turn = false;
            }
            self.active.retain(|i| *i != index);
        }
        Some(packet)
    }

    fn is_over_limit(&self, cx: &QueueCx<'_>) -> bool {
        let Backlog { pkts, bytes } = self.backlog;
        self.limit.is_exceeded_by(pkts as usize, bytes, cx.rate())
    }

    /// Drops the head of the queue with the most bytes; returns false if nothing waits.
    fn drop_from_longest(&mut self, cx: &mut QueueCx<'_>) -> bool {
        let longest = (0..self.flows.len() as u32)
            .rev()
            .max_by_key(|i| self.flows[*i as usize].queue.bytes());
        match longest.and_then(|index| self.pop(index)) {
            Some(packet) => {
                cx.drop(packet, QueueDrop::Full);
                true
            }
            None => false,
        }
    }
}

impl QueueDisc for Drr {
    fn enqueue(&mut self, packet: QueuedPacket, cx: &mut QueueCx<'_>) {
        let index = self.table.index(packet.flow(), cx);
        if index as usize == self.flows.len() {
            self.flows.push(DrrFlow {
                queue: Fifo::new(QueueLimit::Unlimited),
                deficit: 0,
            });
        }
        self.backlog.pkts += 1;
        self.backlog.bytes += u64::from(packet.size());
        let flow = &mut self.flows[index as usize];
        if flow.queue.is_empty() {
            self.active.push_back(index);
        }
        flow.queue.push(packet);
        while self.is_over_limit(cx) && self.drop_from_longest(cx) {}
    }

    fn dequeue(&mut self, _: &mut QueueCx<'_>) -> Option<QueuedPacket> {
        loop {
            let index = *self.active.front()?;
            let flow = &mut self.flows[index as usize];
            if !self.in_turn {
                self.in_turn = true;
                flow.deficit += self.quantum;
            }
            let size = u64::from(flow.queue.head()?.size());
            if size <= flow.deficit {
                flow.deficit -= size;
                return self.pop(index);
            }
            self.in_turn = false;
            self.active.rotate_left(1);
        }
    }

    fn backlog(&self) -> Backlog {
        self.backlog
    }

    fn allocated_bytes(&self) -> usize {
        let queues: usize = self.flows.iter().map(|f| f.queue.allocated_bytes()).sum();
        queues
            + self.flows.capacity() * size_of::<DrrFlow>()
            + self.active.capacity() * size_of::<u32>()
            + self.table.allocated_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue_disc::bench::QueueBench;

    fn bench(given: &[(&str, &str)]) -> QueueBench {
        QueueBench::new(kind().plugin(given).unwrap().build())
    }

    #[test]
    fn turns_are_those_of_the_example_of_the_paper() {
        // The paper's figures 3 and 4: quantum 500; queue 1 holds 200, 750, 20; queue 2 500, 500;
        // queue 3 200, 600, 100; queue 4 50, 700, 180. Queue 1 sends 200 and keeps 300, then 750
        // (of 800) and 20.
        let mut b = bench(&[("quantum", "500")]);
        let queues: [&[u32]; 4] = [
            &[200, 750, 20],
            &[500, 500],
            &[200, 600, 100],
            &[50, 700, 180],
        ];
        for (flow, sizes) in queues.iter().enumerate() {
            for size in *sizes {
                b.put(0, flow as u64 + 1, *size);
            }
        }
        // First round; in the second flow 1 has 300 + 500, flow 2 0 + 500, flow 3 300 + 500, flow 4
        // 450 + 500.
        assert_eq!(b.flows(0, 4), [1, 2, 3, 4]);
        assert_eq!(b.flows(0, 9), [1, 1, 2, 3, 3, 4, 4]);
        assert_eq!(b.backlog(), Backlog::default());
    }

    #[test]
    fn a_packet_longer_than_the_quantum_waits_for_as_many_turns_as_it_takes() {
        let mut b = bench(&[("quantum", "100")]);
        b.put(0, 1, 350);
        for _ in 0..5 {
            b.put(0, 2, 100);
        }
        assert_eq!(b.flows(0, 9), [2, 2, 2, 1, 2, 2]);
    }

    #[test]
    fn an_overflow_takes_from_the_longest_queue_and_an_empty_one_keeps_no_deficit() {
        let mut b = bench(&[("limit", "1 kB")]);
        for _ in 0..4 {
            b.put(0, 1, 250);
        }
        b.put(0, 2, 300);
        // 1300 bytes: two packets of flow 1 must go.
        assert_eq!(b.dropped, [(1, QueueDrop::Full), (1, QueueDrop::Full)]);
        assert_eq!(b.flows(0, 9), [1, 1, 2]);
        b.put(1, 2, 1000);
        assert_eq!(b.flows(1, 1), [2]);
    }
}
