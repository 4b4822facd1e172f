//! FQ-CoDel (RFC 8290): a queue for each flow, served in turn by deficit round robin with new
//! flows first, and each controlled by CoDel.
//!
//! Flows share queues when their hashes meet; the hash has a random salt for each link. When the
//! limit is exceeded the queue with the most bytes loses half of them from its head, 64 packets at
//! most (section 4.1). Leaves out Linux's `ce_threshold` and `drop_batch` as a parameter.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{
    AnyQueueDisc, Backlog, CoDel, CoDelParams, QueueCx, QueueDisc, QueueDrop, QueueLimit,
    QueuedPacket,
};
use crate::plugin::{Kind, Parameter, ValueKind, Values};

const PARAMETERS: &[Parameter] = &[
    Parameter {
        name: "target",
        kind: ValueKind::Duration,
        default: Some("5 ms"),
        doc: "CoDel's target: the longest wait that is acceptable for good",
    },
    Parameter {
        name: "interval",
        kind: ValueKind::Duration,
        default: Some("100 ms"),
        doc: "CoDel's interval; about the longest round trip",
    },
    Parameter {
        name: "flows",
        kind: ValueKind::Count,
        default: Some("1024"),
        doc: "number of queues; flows are hashed to them",
    },
    Parameter {
        name: "quantum",
        kind: ValueKind::Count,
        default: Some("1514"),
        doc: "bytes that a queue may send in a turn",
    },
    Parameter {
        name: "limit",
        kind: ValueKind::Limit,
        default: Some("10240 packets"),
        doc: "the most that may wait in all queues together",
    },
    Parameter {
        name: "ecn",
        kind: ValueKind::Flag,
        default: Some("true"),
        doc: "mark packets of ECN-capable senders instead of dropping them",
    },
];

/// FQ-CoDel as a kind of queue discipline.
pub(super) fn kind() -> Kind<AnyQueueDisc> {
    Kind::new(
        "fq-codel",
        "a CoDel queue for each flow, served in turn (RFC 8290)",
        PARAMETERS,
        |values: &Values| {
            let codel = CoDelParams {
                target: values.duration("target"),
                interval: values.duration("interval"),
                limit: QueueLimit::Unlimited,
                ecn: values.flag("ecn"),
            };
            let (flows, quantum) = (values.count("flows"), values.count("quantum"));
            if codel.target.is_zero() || codel.interval < codel.target {
                return Err(
                    "`target` must be greater than zero and `interval` no shorter; RFC 8290 has \
                     5 ms and 100 ms"
                        .to_owned(),
                );
            }
            if !(1..=65_536).contains(&flows) || !(64..=1_000_000).contains(&quantum) {
                return Err(
                    "`flows` must lie between 1 and 65536 and `quantum` between 64 and 1000000 \
                     bytes; RFC 8290 has 1024 and 1514"
                        .to_owned(),
                );
            }
            let limit = values.limit("limit");
            Ok(Arc::new(move || {
                AnyQueueDisc::custom(FqCoDel::new(codel, flows, quantum as i64, limit))
            }))
        },
    )
}

/// Most packets that one overflow drops.
const DROP_BATCH: u32 = 64;

/// Which list a queue is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Nowhere,
    New,
    Old,
}

#[derive(Debug)]
struct FlowQueue {
    codel: CoDel,
    credits: i64,
    place: Place,
}

/// A queue of CoDel queues.
#[derive(Debug)]
struct FqCoDel {
    params: CoDelParams,
    flows: u64,
    quantum: i64,
    limit: QueueLimit,
    salt: Option<u64>,
    /// Index in `queues` for each hash, one more than it; 0 for a queue never used.
    table: Vec<u32>,
    queues: Vec<FlowQueue>,
    new: VecDeque<u32>,
    old: VecDeque<u32>,
    backlog: Backlog,
}

impl FqCoDel {
    fn new(params: CoDelParams, flows: u64, quantum: i64, limit: QueueLimit) -> FqCoDel {
        FqCoDel {
            params,
            flows,
            quantum,
            limit,
            salt: None,
            table: Vec::new(),
            queues: Vec::new(),
            new: VecDeque::new(),
            old: VecDeque::new(),
            backlog: Backlog::default(),
        }
    }

    /// The queue of a flow.
    fn classify(&mut self, flow: u64, cx: &mut QueueCx<'_>) -> u32 {
        if self.table.is_empty() {
            self.table = vec![0; self.flows as usize];
        }
        let salt = *self.salt.get_or_insert_with(|| cx.rng().next_u64());
        let hash = mix(flow ^ salt);
        // The high half of a product: uniform without a division.
        let slot = ((u128::from(hash) * u128::from(self.flows)) >> 64) as usize;
        if self.table[slot] == 0 {
            self.queues.push(FlowQueue {
                codel: CoDel::new(self.params),
                credits: 0,
                place: Place::Nowhere,
            });
            self.table[slot] = self.queues.len() as u32;
        }
        self.table[slot] - 1
    }

    /// True when one more packet would have been too many.
    fn is_over_limit(&self) -> bool {
        match self.limit {
            QueueLimit::Unlimited => false,
            QueueLimit::Packets(n) => self.backlog.pkts > n,
            QueueLimit::Bytes(b) => self.backlog.bytes > b.0,
        }
    }

    /// Section 4.1: drops from the head of the queue that has most bytes.
    fn drop_from_fattest(&mut self, cx: &mut QueueCx<'_>) {
        let fattest = self
            .queues
            .iter_mut()
            .max_by_key(|q| q.codel.backlog().bytes);
        let Some(fattest) = fattest else { return };
        let enough = fattest.codel.backlog().bytes / 2;
        let (mut packets, mut bytes) = (0, 0);
        while packets < DROP_BATCH && (packets == 0 || bytes < enough) {
            let Some(packet) = fattest.codel.pop_head() else {
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

    /// Takes the queue whose turn it is out of its list, and puts it at the end of the old ones
    /// unless it goes.
    fn end_turn(&mut self, index: u32, to: Place) {
        match self.queues[index as usize].place {
            Place::New => self.new.pop_front(),
            _ => self.old.pop_front(),
        };
        self.queues[index as usize].place = to;
        if to == Place::Old {
            self.old.push_back(index);
        }
    }
}

/// Spreads a flow's number over 64 bits (the finalizer of SplitMix64; Steele et al. 2014).
fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

impl QueueDisc for FqCoDel {
    fn enqueue(&mut self, packet: QueuedPacket, cx: &mut QueueCx<'_>) {
        let index = self.classify(packet.flow(), cx);
        self.backlog.pkts += 1;
        self.backlog.bytes += u64::from(packet.size());
        let queue = &mut self.queues[index as usize];
        queue.codel.enqueue(packet, cx);
        if queue.place == Place::Nowhere {
            queue.place = Place::New;
            queue.credits = self.quantum;
            self.new.push_back(index);
        }
        if self.is_over_limit() {
            self.drop_from_fattest(cx);
        }
    }

    fn dequeue(&mut self, cx: &mut QueueCx<'_>) -> Option<QueuedPacket> {
        while let Some(index) = self.next_queue() {
            let queue = &mut self.queues[index as usize];
            if queue.credits <= 0 {
                queue.credits += self.quantum;
                self.end_turn(index, Place::Old);
                continue;
            }
            let before = queue.codel.backlog();
            let packet = queue.codel.dequeue(cx);
            let after = queue.codel.backlog();
            self.backlog.pkts -= before.pkts - after.pkts;
            self.backlog.bytes -= before.bytes - after.bytes;
            match packet {
                Some(packet) => {
                    queue.credits -= i64::from(packet.size());
                    return Some(packet);
                }
                // A new queue that empties goes behind the old ones, or it would be new again at
                // once and starve them.
                None if queue.place == Place::New => self.end_turn(index, Place::Old),
                None => self.end_turn(index, Place::Nowhere),
            }
        }
        None
    }

    fn backlog(&self) -> Backlog {
        self.backlog
    }

    fn allocated_bytes(&self) -> usize {
        let queues: usize = self.queues.iter().map(|q| q.codel.allocated_bytes()).sum();
        queues
            + self.queues.capacity() * size_of::<FlowQueue>()
            + (self.table.capacity() + self.new.capacity() + self.old.capacity()) * size_of::<u32>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;
    use crate::time::{SimDuration, SimTime};

    /// What came out or was dropped: flow and size.
    type Seen = Vec<(u64, u32)>;

    struct Bench {
        queue: FqCoDel,
        rng: Rng,
        dropped: Vec<(QueuedPacket, QueueDrop)>,
        marks: u64,
    }

    impl Bench {
        fn new(flows: u64, limit: QueueLimit) -> Bench {
            let params = CoDelParams {
                limit: QueueLimit::Unlimited,
                ..CoDelParams::default()
            };
            Bench {
                queue: FqCoDel::new(params, flows, 1000, limit),
                rng: Rng::stream(1, "fq", 0),
                dropped: Vec::new(),
                marks: 0,
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

        fn take(&mut self, ms: u64, n: u32) -> Seen {
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
        // Quantum 1000. Flow 1 sends one packet a turn, flow 2 two; flow 3 is new when it comes.
        let mut b = Bench::new(1024, QueueLimit::Unlimited);
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
        let mut b = Bench::new(1024, QueueLimit::Unlimited);
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
        let mut b = Bench::new(1024, QueueLimit::Packets(10));
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
        // 64 at most.
        let mut b = Bench::new(1, QueueLimit::Packets(1000));
        b.put(0, 1, 200, 1001);
        assert_eq!((b.dropped.len(), b.queue.backlog().pkts), (64, 937));
    }

    #[test]
    fn each_flow_has_its_own_control() {
        // Flow 1 stands for 400 ms and is dropped from at 105, 205, 275 ms ...; flow 2 arrives just now and is not.
        let mut b = Bench::new(1024, QueueLimit::Unlimited);
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
