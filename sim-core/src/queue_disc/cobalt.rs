//! COBALT, CoDel and BLUE alternate: the queue management of CAKE (Høiland-Jørgensen, Täht and
//! Morton 2018, "Piece of CAKE"; Palmei et al. 2019, "Design and evaluation of COBALT queue
//! discipline").
//!
//! Its CoDel differs from RFC 8289 in two ways: once waits are below the target it counts down,
//! drop by drop, instead of starting over, and it keeps its schedule of drops while the queue is
//! short. BLUE (Feng et al. 2002) drops at random beside it, even packets of ECN-capable senders:
//! its probability grows whenever the queue overflows and shrinks whenever it was empty, at most
//! once per `target`. It acts on senders that do not respond to CoDel.
//!
//! As in CAKE, waits below four transmission times of a full-sized packet never count as too long, and the
//! last packet in the queue is never dropped. An empty queue is noticed when the next packet arrives. Leaves
//! out the rest of CAKE: its shaper, tins, hosts and ACK filter.

use std::sync::Arc;

use super::fair::FlowQueue;
use super::fifo::{Fifo, packets_are_in_queue};
use super::{AnyQueueDisc, CoDelParams, QueueCx, QueueDisc, QueueDrop, QueuedPacket, common};
use crate::plugin::{ModelKind, ModelParameter, ModelValues, ValueKind};
use crate::time::{SimDuration, SimTime};

const PARAMETERS: &[ModelParameter] = &[
    common::CODEL_TARGET,
    common::CODEL_INTERVAL,
    ModelParameter::new(
        "p_increase",
        ValueKind::Probability,
        "0.00390625",
        "added to BLUE's drop probability when the queue overflows",
    ),
    ModelParameter::new(
        "p_decrease",
        ValueKind::Probability,
        "0.000244140625",
        "taken from BLUE's drop probability when the queue was empty",
    ),
    common::limit("1000 packets"),
    common::ecn("true"),
];

/// COBALT as a kind of queue discipline.
pub(super) fn kind() -> ModelKind<AnyQueueDisc> {
    ModelKind::new(
        "cobalt",
        "CoDel and BLUE together, the queue management of CAKE (Høiland-Jørgensen et al. 2018)",
        PARAMETERS,
        |values: &ModelValues| {
            let params = CobaltParams {
                codel: CoDelParams::of(values, values.limit("limit"))?,
                p_increase: values.number("p_increase"),
                p_decrease: values.number("p_decrease"),
            };
            Ok(Arc::new(move || AnyQueueDisc::custom(Cobalt::new(params))))
        },
    )
}

#[derive(Clone, Copy, Debug)]
struct CobaltParams {
    codel: CoDelParams,
    p_increase: f64,
    p_decrease: f64,
}

/// Bytes of a full-sized packet on Ethernet.
const FULL_SIZED: u64 = 1514;

/// A queue controlled by COBALT.
#[derive(Debug)]
struct Cobalt {
    params: CobaltParams,
    queue: Fifo,
    /// CoDel: signals since waits went above the target, less those forgiven since then.
    count: u64,
    drop_next: SimTime,
    dropping: bool,
    /// BLUE: the probability of a drop, and when it last changed.
    p_drop: f64,
    blue_at: SimTime,
}

impl Cobalt {
    fn new(params: CobaltParams) -> Cobalt {
        Cobalt {
            queue: Fifo::new(params.codel.limit),
            params,
            count: 0,
            drop_next: SimTime::ZERO,
            dropping: false,
            p_drop: 0.0,
            blue_at: SimTime::ZERO,
        }
    }

    /// The next signal after one at `t`: CoDel's control law, for a count of at least one.
    fn control_law(&self, t: SimTime) -> SimTime {
        let root = (self.count.max(1) as f64).sqrt();
        let ps = self.params.codel.interval.as_ps() as f64 / root;
        t.saturating_add(SimDuration::from_ps(ps as u64))
    }

    /// Whether BLUE may change its probability now; records the time if so.
    fn blue_moves(&mut self, now: SimTime) -> bool {
        let moves = now.since(self.blue_at) > self.params.codel.target;
        if moves {
            self.blue_at = now;
        }
        moves
    }

    fn on_overflow(&mut self, now: SimTime) {
        if self.blue_moves(now) {
            self.p_drop = (self.p_drop + self.params.p_increase).min(1.0);
        }
        self.dropping = true;
        self.drop_next = now;
        self.count = self.count.max(1);
    }

    fn on_empty(&mut self, now: SimTime) {
        if self.p_drop > 0.0 && self.blue_moves(now) {
            self.p_drop = (self.p_drop - self.params.p_decrease).max(0.0);
        }
        self.dropping = false;
        if self.count > 0 && now >= self.drop_next {
            self.forgive();
        }
    }

    /// Decrements the count of signals, and reschedules the next one as if the last had not been
    /// sent.
    fn forgive(&mut self) {
        self.count -= 1;
        self.drop_next = self.control_law(self.drop_next);
    }

    fn is_too_long(&self, sojourn: SimDuration, cx: &QueueCx<'_>) -> bool {
        let unavoidable = cx.rate().map_or(SimDuration::ZERO, |rate| {
            rate.transmission_time(4 * FULL_SIZED)
        });
        sojourn > self.params.codel.target && sojourn > unavoidable
    }

    /// Decides about a packet at the head: returns true if it is dropped; it may also be marked.
    fn drops(&mut self, packet: &mut QueuedPacket, cx: &mut QueueCx<'_>) -> bool {
        let now = cx.now();
        // Both conditions are evaluated before `drop_next` changes.
        let mut is_due = self.count > 0 && now >= self.drop_next;
        let mut is_late = now > self.drop_next;
        let too_long = self.is_too_long(packet.sojourn(now), cx);
        if too_long {
            if !self.dropping {
                self.drop_next = self.control_law(now);
            }
            self.count = self.count.max(1);
        }
        self.dropping = too_long;
        let mut drops = false;
        if is_due && too_long {
            drops = !(self.params.codel.ecn && cx.mark(packet));
            self.count = self.count.saturating_add(1);
            self.drop_next = self.control_law(self.drop_next);
            is_late = now > self.drop_next;
        } else {
            while is_due {
                self.forgive();
                is_late = now > self.drop_next;
                is_due = self.count > 0 && now >= self.drop_next;
            }
        }
        let blue = cx.rng().chance(self.p_drop);
        if self.count == 0 {
            self.drop_next = now.saturating_add(self.params.codel.interval);
        } else if is_late && !drops && !blue {
            // Marks do not shorten the queue at once, so they are not sent in a burst.
            self.drop_next = now;
        }
        drops || blue
    }
}

impl QueueDisc for Cobalt {
    fn enqueue(&mut self, packet: QueuedPacket, cx: &mut QueueCx<'_>) {
        if self.queue.is_empty() {
            self.on_empty(cx.now());
        }
        if !self.queue.has_room(packet.size(), cx) {
            self.on_overflow(cx.now());
        }
        self.queue.push_or_drop(packet, cx);
    }

    fn dequeue(&mut self, cx: &mut QueueCx<'_>) -> Option<QueuedPacket> {
        loop {
            let mut packet = self.queue.pop()?;
            if !self.drops(&mut packet, cx) || self.queue.is_empty() {
                return Some(packet);
            }
            cx.drop(packet, QueueDrop::Early);
        }
    }

    packets_are_in_queue!();
}

impl FlowQueue for Cobalt {
    fn pop_head(&mut self) -> Option<QueuedPacket> {
        self.queue.pop()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue_disc::bench::QueueBench;

    fn bench(given: &[(&str, &str)]) -> QueueBench {
        QueueBench::new(kind().plugin(given).unwrap().build())
    }

    /// From `from` to `to`, each millisecond, puts two numbered packets and takes one.
    fn overload(b: &mut QueueBench, from: u64, to: u64) {
        for ms in from..to {
            b.put(ms, 2 * ms, 1000);
            b.put(ms, 2 * ms + 1, 1000);
            b.take(ms);
        }
    }

    /// Numbers of the packets dropped.
    fn dropped(b: &QueueBench) -> Vec<u64> {
        b.dropped.iter().map(|d| d.0).collect()
    }

    #[test]
    fn drops_follow_codels_schedule() {
        // By hand. Packet n arrives at n / 2 and leaves at n while none is dropped: packet 11 is the
        // first to wait longer than 5 ms (11 - 5), at 11; count = 1, drop_next = 31. At 31 packet 31
        // is dropped, count = 2, drop_next = 31 + 20 / sqrt(2) = 45.14; 32 leaves. At 46 packet 47 is,
        // count = 3, drop_next = 56.69; at 57 packet 59, count = 4, 66.69; at 67 packet 70, 75.63; at
        // 76 packet 80.
        let mut b = bench(&[("interval", "20 ms")]);
        overload(&mut b, 0, 80);
        assert_eq!(dropped(&b), [31, 47, 59, 70, 80]);
        assert_eq!(b.marks.pkts, 0);
    }

    #[test]
    fn below_the_target_the_count_goes_down_drop_by_drop() {
        let mut cobalt = Cobalt::new(CobaltParams {
            codel: CoDelParams {
                interval: SimDuration::from_millis(20),
                ..CoDelParams::default()
            },
            p_increase: 0.1,
            p_decrease: 0.01,
        });
        let at = |us| SimTime::ZERO.saturating_add(SimDuration::from_micros(us));
        let (mut rng, mut out, mut marks) = (
            crate::rng::Rng::stream(1, "c", 0),
            vec![],
            crate::queue_disc::CeMarks::default(),
        );
        (cobalt.count, cobalt.drop_next, cobalt.dropping) = (4, at(100_000), true);
        let mut decide = |cobalt: &mut Cobalt, us| {
            let mut cx = QueueCx::new(at(us), &mut rng, &mut out, &mut marks);
            let mut packet = QueuedPacket::for_test(1000).of_flow(1, at(us));
            assert!(!cobalt.drops(&mut packet, &mut cx), "it has not waited");
        };
        decide(&mut cobalt, 99_000);
        assert_eq!((cobalt.count, cobalt.dropping), (4, false));
        // 100 + 20 / sqrt(3) = 111.547, + 20 / sqrt(2) = 125.689, + 20 = 145.689.
        decide(&mut cobalt, 112_000);
        assert_eq!(cobalt.count, 2);
        assert_eq!(cobalt.drop_next.as_ps() / 1_000_000_000, 125);
        decide(&mut cobalt, 126_000);
        assert_eq!(cobalt.count, 1);
        decide(&mut cobalt, 146_000);
        assert_eq!((cobalt.count, cobalt.drop_next), (0, at(166_000)));
    }

    #[test]
    fn waits_that_come_back_after_a_pause_are_answered_at_once() {
        let params = CobaltParams {
            codel: CoDelParams {
                interval: SimDuration::from_millis(20),
                ..CoDelParams::default()
            },
            p_increase: 0.1,
            p_decrease: 0.01,
        };
        let at = |ms| SimTime::ZERO.saturating_add(SimDuration::from_millis(ms));
        let (mut rng, mut out, mut marks) = (
            crate::rng::Rng::stream(1, "c", 0),
            vec![],
            crate::queue_disc::CeMarks::default(),
        );
        // A packet leaves at `ms` after a wait of 10 ms.
        let mut decide = |cobalt: &mut Cobalt, ms| {
            let mut cx = QueueCx::new(at(ms), &mut rng, &mut out, &mut marks);
            let mut packet = QueuedPacket::for_test(1000).of_flow(1, at(ms - 10));
            cobalt.drops(&mut packet, &mut cx)
        };
        // Signals remain to be forgiven, and the next was due at 100 ms: it is sent, and the one
        // after it is scheduled from now: 150 + 20 / 2 + 20 / sqrt(5) = 168.944.
        let mut cobalt = Cobalt::new(params);
        (cobalt.count, cobalt.drop_next) = (4, at(100));
        assert!(decide(&mut cobalt, 150));
        assert_eq!((cobalt.count, cobalt.dropping), (5, true));
        assert_eq!(cobalt.drop_next.as_ps() / 1_000_000, 168_944);
        // None remain, but nothing has arrived for longer than an interval: the second packet is
        // dropped at once, not an interval later.
        let mut cobalt = Cobalt::new(params);
        cobalt.drop_next = at(100);
        assert!(!decide(&mut cobalt, 150));
        assert_eq!((cobalt.count, cobalt.drop_next), (1, at(150)));
        assert!(decide(&mut cobalt, 151));
    }

    #[test]
    fn blue_grows_with_overflows_and_shrinks_with_empty_queues_once_in_a_target() {
        let params = CobaltParams {
            codel: CoDelParams {
                limit: crate::queue_disc::QueueLimit::Packets(1),
                ..CoDelParams::default()
            },
            p_increase: 0.25,
            p_decrease: 0.1,
        };
        let mut cobalt = Cobalt::new(params);
        let at = |ms| SimTime::ZERO.saturating_add(SimDuration::from_millis(ms));
        let mut seen = Vec::new();
        for ms in [6, 7, 12, 20, 30, 40] {
            cobalt.on_overflow(at(ms));
            seen.push(cobalt.p_drop);
        }
        assert_eq!(seen, [0.25, 0.25, 0.5, 0.75, 1.0, 1.0]);
        for (ms, expected) in [(41, 1.0), (46, 0.9), (50, 0.9), (52, 0.8)] {
            cobalt.on_empty(at(ms));
            assert!((cobalt.p_drop - expected).abs() < 1e-12, "{ms}");
        }
    }

    #[test]
    fn marks_stand_for_drops_of_codel_but_not_of_blue_and_the_last_packet_stays() {
        let mut b = bench(&[("interval", "20 ms")]);
        for ms in 0..60 {
            b.put_marked(ms, 1, 1000, 1);
            b.put_marked(ms, 1, 1000, 1);
            b.take(ms);
        }
        // Marks remove nothing from the queue: they come at 31, 46, 57.
        assert_eq!((b.dropped.len(), b.marks.pkts), (0, 3));
        let mut b = bench(&[("p_increase", "1"), ("limit", "2 packets")]);
        for _ in 0..3 {
            b.put_marked(10, 1, 1000, 1);
        }
        assert_eq!(b.dropped, [(1, QueueDrop::Full)]);
        // BLUE is certain to drop every packet except the last.
        assert_eq!(b.flows(10, 3).len(), 1);
        assert_eq!(b.dropped, [(1, QueueDrop::Full), (1, QueueDrop::Early)]);
        assert_eq!(b.marks.pkts, 0);
    }

    #[test]
    fn waits_that_a_slow_link_cannot_avoid_are_not_too_long() {
        let mut b = bench(&[("interval", "20 ms")]);
        // A full-sized packet takes 12 ms: a wait of 48 ms is unavoidable.
        b.rate = crate::units::Rate::from_bps(1_000_000);
        overload(&mut b, 0, 90);
        assert_eq!(dropped(&b), []);
    }
}
