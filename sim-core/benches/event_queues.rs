//! Hold model over all event queues: pop the smallest event, push one at now + random increment.
//!
//! `cargo bench -p synfin-sim-core --bench event_queues [-- FLAGS]`; `--large` adds 10^7 pending events,
//! `--slow` the keyed queue beyond 10^5, `--quick` makes each run shorter, `--small` keeps to
//! 10^3 pending events; names of queues select them.

use std::hint::black_box;
use std::time::Instant;

use sim_core::event_queue::{AnyEventQueue, EventQueue, EventQueueKind};
use sim_core::{Event, EventKind, NodeId, Rng, SimTime, Tie};

/// How far ahead events are pushed.
#[derive(Clone, Copy)]
enum Ahead {
    /// Exponential, mean 1 us times the number of pending events.
    Exponential,
    /// Half the events 1-100 us ahead, half timers 200 ms-60 s ahead.
    LinksAndTimers,
    /// 1 ms ahead: all events at one instant.
    Ties,
    /// Uniform in 0-10 minutes.
    Minutes,
}

impl Ahead {
    const ALL: [(&str, Ahead); 4] = [
        ("exponential", Ahead::Exponential),
        ("links and timers", Ahead::LinksAndTimers),
        ("ties", Ahead::Ties),
        ("minutes", Ahead::Minutes),
    ];

    /// Increments drawn in advance, so that drawing is not measured; timers stay timers.
    fn table(self, pending: usize, rng: &mut Rng) -> Vec<u64> {
        let draw = |i: usize| match self {
            Ahead::Exponential => (-libm::log(1.0 - rng.uniform()) * 1e6 * pending as f64) as u64,
            Ahead::LinksAndTimers if i.is_multiple_of(2) => 1_000_000 + rng.below(99_000_000),
            Ahead::LinksAndTimers => 200_000_000_000 + rng.below(59_800_000_000_000),
            Ahead::Ties => 1_000_000_000,
            Ahead::Minutes => rng.below(600_000_000_000_000),
        };
        (0..TABLE).map(draw).collect()
    }
}

const TABLE: usize = 1 << 16;

/// Nanoseconds per pop and push: the best and the mean of the batches.
fn hold(mut queue: AnyEventQueue, ahead: Ahead, pending: usize, holds: usize) -> (f64, f64) {
    let mut rng = Rng::stream(1, "hold", pending as u64);
    let table = ahead.table(pending, &mut rng);
    let event = |now: u64, i: usize, class: usize| Event {
        time: SimTime::from_ps(now + table[(i * 2 + class) % TABLE]),
        tie: Tie::new(NodeId((i % 100) as u32), i as u64),
        data: class as u64,
        target: 0,
        kind: EventKind::Timer,
    };
    for i in 0..pending {
        queue.push(event(0, i, i % 2));
    }
    let mut next = pending;
    let mut run = |count: usize| {
        for _ in 0..count {
            let Some(popped) = queue.pop_before(SimTime::MAX) else {
                return;
            };
            next += 1;
            queue.push(event(popped.time.as_ps(), next, popped.data as usize));
            black_box(popped.tie);
        }
    };
    run(2 * pending.max(10_000));
    let batches = 20;
    let times: Vec<f64> = (0..batches)
        .map(|_| {
            let start = Instant::now();
            run(holds / batches);
            start.elapsed().as_nanos() as f64 / (holds / batches) as f64
        })
        .collect();
    (
        times.iter().copied().fold(f64::MAX, f64::min),
        times.iter().sum::<f64>() / times.len() as f64,
    )
}

fn main() {
    let flag = |name: &str| std::env::args().any(|a| a == name);
    let names: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with("--"))
        .collect();
    let only = |name: &str| names.is_empty() || names.iter().any(|n| n == name);
    let mut sizes = vec![100, 1_000, 10_000, 100_000, 1_000_000];
    if flag("--large") {
        sizes.push(10_000_000);
    }
    if flag("--small") {
        sizes.truncate(2);
    }
    let holds = if flag("--quick") { 400_000 } else { 4_000_000 };
    println!("ns per hold, best / mean of 20 batches");
    for (name, ahead) in Ahead::ALL {
        println!("\n{name}");
        print!("{:>16}", "pending");
        sizes.iter().for_each(|n| print!("{n:>14}"));
        println!();
        for &kind in EventQueueKind::ALL.iter().filter(|k| only(k.name())) {
            print!("{:>16}", kind.name());
            for &n in &sizes {
                if kind == EventQueueKind::Keyed && n > 100_000 && !flag("--slow") {
                    print!("{:>14}", "-");
                    continue;
                }
                let (best, mean) = hold(kind.build(), ahead, n, holds);
                print!("{:>14}", format!("{best:.0} / {mean:.0}"));
            }
            println!();
        }
    }
}
