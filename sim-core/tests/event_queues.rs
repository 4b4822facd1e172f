//! Every event queue returns the same events as the plain one, for any monotone sequence of calls.

use std::collections::BTreeSet;

use proptest::prelude::*;
use sim_core::event_queue::{AnyEventQueue, EventQueue, EventQueueKind};
use sim_core::{Event, EventKind, NodeId, Rng, SimDuration, SimTime, Tie};

/// A call of a queue; times are relative to the last event popped.
#[derive(Clone, Debug)]
enum Op {
    /// Pushes events at these distances.
    Push(Vec<(u64, u32)>),
    /// Pops this many events before a horizon at this distance.
    PopBefore(u64, usize),
    NextTime,
}

/// Distances of every magnitude, some of them beyond the largest time; small ones are often equal.
fn distance() -> impl Strategy<Value = u64> {
    prop_oneof![
        2 => Just(0),
        2 => 0..4u64,
        2 => 0..200u64,
        2 => 0..1_000_000u64,
        1 => (0..64u32, any::<u64>()).prop_map(|(bits, x)| x >> bits),
        1 => Just(u64::MAX),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    let event = || (distance(), 0..4u32);
    let burst = (distance(), 1..200u64, 0..150usize).prop_map(|(at, spread, n)| {
        let far = |i| at.saturating_add(i as u64 * 7919 % spread);
        (0..n).map(|i| (far(i), i as u32 % 3)).collect()
    });
    prop_oneof![
        4 => prop::collection::vec(event(), 1..8).prop_map(Op::Push),
        1 => burst.prop_map(Op::Push),
        4 => (distance(), 0..40usize).prop_map(|(d, n)| Op::PopBefore(d, n)),
        1 => (Just(u64::MAX), 0..400usize).prop_map(|(d, n)| Op::PopBefore(d, n)),
        3 => Just(Op::NextTime),
    ]
}

/// A queue under test and the simple one; both get the same calls.
struct QueuePair {
    plain: AnyEventQueue,
    tested: AnyEventQueue,
    now: u64,
    pushed: u64,
    /// Events that were shown before they were popped.
    shown: BTreeSet<u64>,
}

impl QueuePair {
    fn new(kind: EventQueueKind) -> QueuePair {
        QueuePair {
            plain: EventQueueKind::Keyed.build(),
            tested: kind.build(),
            now: 0,
            pushed: 0,
            shown: BTreeSet::new(),
        }
    }

    fn push(&mut self, distance: u64, node: u32) {
        let event = Event {
            time: SimTime::from_ps(self.now.saturating_add(distance)),
            tie: Tie::new(NodeId(node), self.pushed),
            data: self.pushed,
            target: node,
            kind: EventKind::Timer,
        };
        self.pushed += 1;
        self.plain.push(event);
        self.tested.push(event);
    }

    /// Pops from both; returns false if nothing lies before the horizon.
    fn pop_before(&mut self, horizon: SimTime) -> bool {
        let expected = self.plain.pop_before(horizon);
        assert_eq!(self.tested.pop_before(horizon), expected);
        assert_eq!(self.tested.len(), self.plain.len());
        assert_eq!(self.tested.is_empty(), self.plain.is_empty());
        self.now = expected.map_or(self.now, |e| e.time.as_ps());
        expected.is_some()
    }

    /// Every event shown is pending.
    fn show_upcoming(&mut self) {
        let (now, pushed, shown) = (self.now, self.pushed, &mut self.shown);
        self.tested.show_upcoming(&mut |event| {
            assert!(event.time.as_ps() >= now && event.data < pushed);
            shown.insert(event.data);
        });
    }

    fn next_time(&mut self) {
        assert_eq!(self.tested.next_time(), self.plain.next_time());
    }

    fn apply(&mut self, op: &Op) {
        match op {
            Op::Push(events) => events.iter().for_each(|&(d, node)| self.push(d, node)),
            Op::PopBefore(distance, count) => {
                let horizon = SimTime::from_ps(self.now.saturating_add(*distance));
                for _ in 0..*count {
                    if !self.pop_before(horizon) {
                        break;
                    }
                    if *distance % 2 == 0 {
                        self.show_upcoming();
                    }
                }
            }
            Op::NextTime => self.next_time(),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn every_queue_returns_the_same_events_as_the_simple_one(ops in prop::collection::vec(op(), 1..80)) {
        for &kind in EventQueueKind::ALL {
            let mut pair = QueuePair::new(kind);
            ops.iter().for_each(|op| pair.apply(op));
            while pair.pop_before(SimTime::MAX) {}
            pair.next_time();
        }
    }

    /// What a partition does: it runs to the end of a window, looks at the time of its next event,
    /// and then receives mail for times before that.
    #[test]
    fn events_pushed_before_the_next_one_come_first(
        far in prop::collection::vec(1_000..1u64 << 45, 1..100),
        windows in prop::collection::vec(
            prop::collection::vec((0..5_000u64, 0..4u32), 0..150),
            1..30,
        ),
    ) {
        for &kind in EventQueueKind::ALL {
            let mut pair = QueuePair::new(kind);
            far.iter().for_each(|&d| pair.push(d, 9));
            let mut start = 0;
            for mail in &windows {
                while pair.pop_before(SimTime::from_ps(start + 2_500)) {}
                pair.next_time();
                for &(after, node) in mail {
                    pair.push((start + after).saturating_sub(pair.now), node);
                }
                start += 2_500;
            }
            while pair.pop_before(SimTime::MAX) {}
        }
    }
}

#[test]
fn events_at_one_instant_come_in_order_of_their_ties() {
    for &kind in EventQueueKind::ALL {
        let mut pair = QueuePair::new(kind);
        for i in 0..20_000u64 {
            pair.push(
                if i < 10_000 { 5_000_000 } else { 0 },
                (i * 7919 % 1009) as u32,
            );
        }
        for i in 0..60_000u64 {
            // Half of them schedule another event for the current time, mostly with a smaller tie
            // than the events that are waiting.
            pair.pop_before(SimTime::MAX);
            if i % 2 == 0 {
                pair.push(0, (i % 13) as u32);
            }
        }
        assert!(
            !pair.pop_before(SimTime::MAX),
            "{} is not empty",
            kind.name()
        );
    }
}

#[test]
fn the_end_of_time_is_never_before_a_horizon() {
    for &kind in EventQueueKind::ALL {
        let mut pair = QueuePair::new(kind);
        (0..200).for_each(|i| pair.push(u64::MAX, i % 5));
        pair.next_time();
        assert!(!pair.pop_before(SimTime::MAX));
        assert_eq!(pair.tested.next_time(), Some(SimTime::MAX));
        pair.push(3, 0);
        assert!(pair.pop_before(SimTime::MAX));
        assert!(!pair.pop_before(SimTime::ZERO));
        assert_eq!(pair.tested.len(), 200);
    }
}

#[test]
fn every_kind_is_found_by_its_name() {
    for &kind in EventQueueKind::ALL {
        assert_eq!(EventQueueKind::from_name(kind.name()), Some(kind));
    }
    assert_eq!(EventQueueKind::from_name("sundial"), None);
    assert!(EventQueueKind::ALL.contains(&EventQueueKind::default()));
}

#[test]
fn the_wheel_shows_what_comes_next_before_it_comes() {
    let mut pair = QueuePair::new(EventQueueKind::Wheel);
    let mut rng = Rng::stream(1, "show", 0);
    let mean = SimDuration::from_millis(10);
    for _ in 0..20_000 {
        pair.push(rng.exponential(mean).as_ps(), 0);
    }
    let (mut popped, mut foreseen) = (0, 0);
    for _ in 0..100_000 {
        let next = pair
            .plain
            .pop_before(SimTime::MAX)
            .expect("as many as ever");
        assert_eq!(pair.tested.pop_before(SimTime::MAX), Some(next));
        pair.now = next.time.as_ps();
        popped += 1;
        foreseen += u32::from(pair.shown.remove(&next.data));
        pair.show_upcoming();
        pair.push(rng.exponential(mean).as_ps(), 0);
    }
    assert!(foreseen > popped * 9 / 10, "{foreseen} of {popped}");
    // A few dozen at a time.
    assert!(pair.shown.len() < 200, "{} shown", pair.shown.len());
}
