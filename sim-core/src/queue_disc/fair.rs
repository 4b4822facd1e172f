//! Fair queueing by flow: each flow has a queue with its own control, and the queues are served in
//! turn.
//!
//! The scheduler of RFC 8290: deficit round robin by bytes with new flows first. Flows with the same hash share
//! a queue; the hash has a random salt for each link. When the limit is exceeded, half of the bytes of the
//! longest queue are dropped from its head, at most 64 packets (section 4.1).

use std::collections::VecDeque;
use std::fmt;

use super::flow_queue_table::FlowQueueTable;
use super::{Backlog, QueueCx, QueueDisc, QueueDrop, QueueLimit, QueuedPacket};
use crate::plugin::Maker;

/// A discipline for the packets of one flow; [`FairQueue`] has one for each queue.
pub(super) trait FlowQueue: QueueDisc {
    /// Takes the packet that has waited longest, bypassing the control, to make room.
    fn pop_head(&mut self) -> Option<QueuedPacket>;
}

/// The most packets dropped by one overflow.
const DROP_BATCH: u32 = 64;

/// Which list a queue is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ServiceList {
    Nowhere,
    New,
    Old,
}

#[derive(Debug)]
struct FairFlow<Q> {
    queue: Q,
    credits: i64,
    place: ServiceList,
}

/// Queues that take turns.
pub(super) struct FairQueue<Q> {
    make: Maker<Q>,
    quantum: i64,
    limit: QueueLimit,
    table: FlowQueueTable,
    queues: Vec<FairFlow<Q>>,
    new: VecDeque<u32>,
    old: VecDeque<u32>,
    backlog: Backlog,
}

impl<Q: FlowQueue> FairQueue<Q> {
    /// `flows` queues built by `make`, each of which sends `quantum` bytes in a turn.
    pub(super) fn new(flows: u64, quantum: i64, limit: QueueLimit, make: Maker<Q>) -> FairQueue<Q> {
        FairQueue {
            make,
            quantum,
            limit,
            table: FlowQueueTable::new(flows),
            queues: Vec::new(),
            new: VecDeque::new(),
            old: VecDeque::new(),
            backlog: Backlog::default(),
        }
    }

    /// The queue of a flow.
    fn classify(&mut self, flow: u64, cx: &mut QueueCx<'_>) -> u32 {
        let index = self.table.index(flow, cx);
        if index as usize == self.queues.len() {
            self.queues.push(FairFlow {
                queue: (self.make)(),
                credits: 0,
                place: ServiceList::Nowhere,
            });
        }
        index
    }

    fn is_over_limit(&self, cx: &QueueCx<'_>) -> bool {
        let Backlog { pkts, bytes } = self.backlog;
        self.limit.is_exceeded_by(pkts as usize, bytes, cx.rate())
    }

    /// Section 4.1: drops from the head of the queue with the most bytes.
    fn drop_from_fattest(&mut self, cx: &mut QueueCx<'_>) {
        let fattest = self
            .queues
            .iter_mut()
            .max_by_key(|q| q.queue.backlog().bytes);
        let Some(fattest) = fattest else { return };
        let enough = fattest.queue.backlog().bytes / 2;
        let (mut packets, mut bytes) = (0, 0);
        while packets < DROP_BATCH && (packets == 0 || bytes < enough) {
            let Some(packet) = fattest.queue.pop_head() else {
                break;
            };
            packets += 1;
            bytes += u64::from(packet.size());
            cx.drop(packet, QueueDrop::Full);
        }
        self.backlog.pkts -= packets;
        self.backlog.bytes -= bytes;
    }

    /// The queue whose turn it is.
    fn next_queue(&self) -> Option<u32> {
        self.new.front().or_else(|| self.old.front()).copied()
    }

    /// Removes the queue whose turn it is from its list, and moves it to the list `to`.
    fn end_turn(&mut self, index: u32, to: ServiceList) {
        match self.queues[index as usize].place {
            ServiceList::New => self.new.pop_front(),
            _ => self.old.pop_front(),
        };
        self.queues[index as usize].place = to;
        if to == ServiceList::Old {
            self.old.push_back(index);
        }
    }
}

impl<Q: fmt::Debug> fmt::Debug for FairQueue<Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.queues).finish()
    }
}

impl<Q: FlowQueue> QueueDisc for FairQueue<Q> {
    fn enqueue(&mut self, packet: QueuedPacket, cx: &mut QueueCx<'_>) {
        let index = self.classify(packet.flow(), cx);
        let queue = &mut self.queues[index as usize];
        let before = queue.queue.backlog();
        queue.queue.enqueue(packet, cx);
        let after = queue.queue.backlog();
        if after == before {
            return; // its own control has dropped it
        }
        self.backlog.pkts += after.pkts - before.pkts;
        self.backlog.bytes += after.bytes - before.bytes;
        if queue.place == ServiceList::Nowhere {
            queue.place = ServiceList::New;
            queue.credits = self.quantum;
            self.new.push_back(index);
        }
        // A long packet may need the room of several short ones.
        while self.is_over_limit(cx) {
            self.drop_from_fattest(cx);
        }
    }

    fn dequeue(&mut self, cx: &mut QueueCx<'_>) -> Option<QueuedPacket> {
        while let Some(index) = self.next_queue() {
            let queue = &mut self.queues[index as usize];
            if queue.credits <= 0 {
                queue.credits += self.quantum;
                self.end_turn(index, ServiceList::Old);
                continue;
            }
            let before = queue.queue.backlog();
            let packet = queue.queue.dequeue(cx);
            let after = queue.queue.backlog();
            self.backlog.pkts -= before.pkts - after.pkts;
            self.backlog.bytes -= before.bytes - after.bytes;
            match packet {
                Some(packet) => {
                    queue.credits -= i64::from(packet.size());
                    return Some(packet);
                }
                // A new queue that becomes empty goes behind the old ones; otherwise it would
                // become new again at once and starve them.
                None if queue.place == ServiceList::New => self.end_turn(index, ServiceList::Old),
                None => self.end_turn(index, ServiceList::Nowhere),
            }
        }
        None
    }

    fn backlog(&self) -> Backlog {
        self.backlog
    }

    fn allocated_bytes(&self) -> usize {
        let queues: usize = self.queues.iter().map(|q| q.queue.allocated_bytes()).sum();
        queues
            + self.queues.capacity() * size_of::<FairFlow<Q>>()
            + self.table.allocated_bytes()
            + (self.new.capacity() + self.old.capacity()) * size_of::<u32>()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::queue_disc::{CoDel, CoDelParams};
    use crate::rng::Rng;
    use crate::time::{SimDuration, SimTime};

    /// The packets that came out or were dropped: flow and size.
    type FlowSizes = Vec<(u64, u32)>;

    struct FairBench {
        queue: FairQueue<CoDel>,
        rng: Rng,
        dropped: Vec<(QueuedPacket, QueueDrop)>,
        marks: crate::queue_disc::CeMarks,
    }

    impl FairBench {
        fn new(flows: u64, limit: QueueLimit) -> FairBench {
            let params = CoDelParams {
                limit: QueueLimit::Unlimited,
                ..CoDelParams::default()
            };
            FairBench {
                queue: FairQueue::new(flows, 1000, limit, Arc::new(move || CoDel::new(params))),
                rng: Rng::stream(1, "fq", 0),
                dropped: Vec::new(),
                marks: crate::queue_disc::CeMarks::default(),
            }
        }

        fn put(&mut self, ms: u64, flow: u64, size: u32, n: u32) {
            let now = SimTime::ZERO.saturating_add(SimDuration::from_millis(ms));
            for _ in 0..n {
                let mut cx = QueueCx::new(now, &mut self.rng, &mut self.dropped, &mut self.marks);
                let packet = QueuedPacket::for_test(size).of_flow(flow, now);
                self.queue.enqueue(packet, &mut cx);
            }
        }

        fn take(&mut self, ms: u64, n: u32) -> FlowSizes {
            let now = SimTime::ZERO.saturating_add(SimDuration::from_millis(ms));
            (0..n)
                .filter_map(|_| {
                    let mut cx =
                        QueueCx::new(now, &mut self.rng, &mut self.dropped, &mut self.marks);
                    let packet = self.queue.dequeue(&mut cx)?;
                    Some((packet.flow(), packet.size()))
                })
                .collect()
        }
    }

    #[test]
    fn flows_take_turns_by_bytes_and_new_ones_go_first() {
        // Quantum 1000. In a turn flow 1 sends one packet, flow 2 two; flow 3 is new when it
        // arrives.
        let mut b = FairBench::new(1024, QueueLimit::Unlimited);
        b.put(0, 1, 1000, 4);
        b.put(0, 2, 500, 4);
        assert_eq!(b.take(0, 3), [(1, 1000), (2, 500), (2, 500)]);
        b.put(0, 3, 300, 1);
        let rest = b.take(0, 7);
        let expected = [
            (3, 300),
            (1, 1000),
            (2, 500),
            (2, 500),
            (1, 1000),
            (1, 1000),
        ];
        assert_eq!(rest, expected);
        assert_eq!(b.queue.backlog(), Backlog::default());
    }

    #[test]
    fn a_sparse_flow_that_empties_waits_behind_the_old_ones_once() {
        let mut b = FairBench::new(1024, QueueLimit::Unlimited);
        b.put(0, 1, 1000, 6);
        assert_eq!(b.take(0, 2), [(1, 1000), (1, 1000)]);
        b.put(0, 2, 100, 1);
        // Its queue empties, and goes behind flow 1: the next packet is not that of a new flow.
        assert_eq!(b.take(0, 2), [(2, 100), (1, 1000)]);
        b.put(0, 2, 100, 1);
        b.put(0, 1, 1000, 1);
        let next = b.take(0, 3);
        assert_eq!(next, [(2, 100), (1, 1000), (1, 1000)]);
    }

    #[test]
    fn an_overflow_drops_half_of_the_fattest_queue_from_its_head() {
        let mut b = FairBench::new(1024, QueueLimit::Packets(10));
        b.put(0, 1, 200, 2);
        b.put(0, 2, 1000, 8);
        assert_eq!(b.dropped.len(), 0);
        b.put(0, 1, 200, 1);
        let flows: Vec<u64> = b.dropped.iter().map(|(p, _)| p.flow()).collect();
        assert_eq!(flows, [2, 2, 2, 2], "half of 8000 bytes");
        assert_eq!(
            b.queue.backlog(),
            Backlog {
                pkts: 7,
                bytes: 4600
            }
        );
        // At most 64.
        let mut b = FairBench::new(1, QueueLimit::Packets(1000));
        b.put(0, 1, 200, 1001);
        assert_eq!((b.dropped.len(), b.queue.backlog().pkts), (64, 937));
    }

    #[test]
    fn each_flow_has_its_own_control() {
        // The queue of flow 1 stands for 400 ms and has drops at 105, 205, 275 ms ...; flow 2 has
        // just arrived and has none.
        let mut b = FairBench::new(1024, QueueLimit::Unlimited);
        b.put(0, 1, 1000, 100);
        for ms in 0..80 {
            b.put(5 * ms, 2, 100, 1);
            b.take(5 * ms, 2);
        }
        assert!(b.dropped.len() >= 3, "{}", b.dropped.len());
        assert!(
            b.dropped
                .iter()
                .all(|(p, why)| p.flow() == 1 && *why == QueueDrop::Early)
        );
    }
}
