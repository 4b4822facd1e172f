//! Timers kept as data: when they fire, and how few events they cost.

mod common;

use common::{at_us, built, run};
use sim_core::{Cx, Host, LazyTimer, NetworkBuilder, Packet, RunConfig, SimTime};

/// Times in us, and the deadlines set at these times.
type Plan = &'static [(u64, Option<u64>)];

const TIMER: u64 = 7;
const STEP: u64 = 1 << 32;

/// Sets one timer by a plan of (time, deadline) in us and records when it fires, in us.
#[derive(Default)]
struct Clock {
    timer: LazyTimer,
    plan: Vec<(u64, Option<u64>)>,
    wakes: u64,
}

impl Host for Clock {
    type Payload = ();
    type Sample = u64;
    type Scratch = ();

    fn on_start(&mut self, cx: &mut Cx<'_, Self>) {
        for (i, step) in self.plan.iter().enumerate() {
            cx.wake(at_us(step.0), STEP + i as u64);
        }
    }

    fn on_packet(&mut self, _: Packet<()>, _: &mut Cx<'_, Self>) {}

    fn on_timer(&mut self, token: u64, cx: &mut Cx<'_, Self>) {
        if token >= STEP {
            let (_, deadline) = self.plan[(token - STEP) as usize];
            self.timer.set(deadline.map(at_us), TIMER, cx);
            assert!(deadline.is_none_or(|d| self.timer.deadline() == Some(at_us(d).max(cx.now()))));
            return;
        }
        self.wakes += 1;
        if self.timer.fire(TIMER, cx) {
            cx.record(cx.now().as_ps() / 1_000_000);
            assert_eq!(self.timer.deadline(), None);
        }
    }
}

/// When the timer fired, and how many events it cost.
fn fired(plan: &[(u64, Option<u64>)]) -> (Vec<u64>, u64) {
    let mut net = NetworkBuilder::new();
    net.host("a");
    let clock = Clock {
        plan: plan.to_vec(),
        ..Clock::default()
    };
    let config = RunConfig::new(1, SimTime::MAX);
    let ((records, _), hosts) = run(&built(net), vec![Some(clock)], &config);
    let times = records.iter().map(|r| r.sample).collect();
    (times, hosts[0].as_ref().unwrap().wakes)
}

#[test]
fn a_timer_fires_at_its_last_deadline() {
    let rows: &[(Plan, &[u64], u64)] = &[
        (&[(0, Some(100))], &[100], 1),
        // Later: the event of the first deadline is queued again.
        (&[(0, Some(100)), (50, Some(150))], &[150], 2),
        (
            &[(0, Some(100)), (50, Some(150)), (120, Some(300))],
            &[300],
            3,
        ),
        // Earlier: a second event; the first one remains and does nothing.
        (&[(0, Some(100)), (50, Some(60))], &[60], 2),
        // Cleared, and set again.
        (&[(0, Some(100)), (50, None)], &[], 1),
        (&[(0, Some(100)), (50, None), (70, Some(90))], &[90], 2),
        (&[(0, Some(100)), (50, None), (70, Some(200))], &[200], 2),
        // Set again after it fired, also to past times and to now.
        (&[(0, Some(100)), (200, Some(300))], &[100, 300], 2),
        (&[(50, Some(10))], &[50], 1),
        (
            &[(50, Some(50)), (60, Some(0)), (70, Some(80))],
            &[50, 60, 80],
            3,
        ),
        // Earlier twice, then later than all of them.
        (
            &[
                (0, Some(300)),
                (1, Some(200)),
                (2, Some(100)),
                (3, Some(400)),
            ],
            &[400],
            4,
        ),
        (
            &[
                (0, Some(300)),
                (1, Some(200)),
                (2, Some(100)),
                (3, Some(300)),
            ],
            &[300],
            4,
        ),
    ];
    for &(plan, expected, at_most) in rows {
        let (times, wakes) = fired(plan);
        assert_eq!(times, expected, "{plan:?}");
        assert!(wakes <= at_most, "{wakes} events for {plan:?}");
    }
}

#[test]
fn a_delayed_ack_before_each_retransmission_deadline_leaves_no_trail() {
    // Every ms the deadline is set 40 us ahead and, when it has fired, back to 200 ms ahead.
    let rounds = 10_000;
    let plan: Vec<_> = (0..rounds)
        .flat_map(|i| {
            let now = 1000 * i;
            [(now, Some(now + 40)), (now + 50, Some(now + 200_000))]
        })
        .collect();
    let (times, wakes) = fired(&plan);
    let mut expected: Vec<u64> = (0..rounds).map(|i| 1000 * i + 40).collect();
    expected.push(1000 * (rounds - 1) + 200_000);
    assert_eq!(times, expected);
    // One event per delayed ACK, and one per 200 ms for the long deadline.
    let bound = rounds + 1000 * rounds / 200_000 + 3;
    assert!(wakes <= bound, "{wakes} events");
}

#[test]
fn a_deadline_moved_on_by_every_ack_costs_an_event_per_timeout_and_not_per_ack() {
    let acks = 100_000;
    let plan: Vec<_> = (0..acks)
        .map(|i| (10 * i, Some(10 * i + 200_000)))
        .collect();
    let (times, wakes) = fired(&plan);
    assert_eq!(times, [10 * (acks - 1) + 200_000]);
    assert!(wakes <= 10 * acks / 200_000 + 2, "{wakes} events");
}
