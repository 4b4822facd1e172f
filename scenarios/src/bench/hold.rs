//! `hold`: only the event queues.
//!
//! The hold model: remove the earliest event and insert one that is due an exponentially distributed time
//! later, with a mean of 1 us times the number of pending events. `sim-core/benches/event_queues.rs` has
//! more distributions.

use std::hint::black_box;

use sim_core::SimTime;
use sim_core::event_queue::{EventQueue as _, EventQueueKind};
use sim_core::{Event, EventKind, NodeId, Rng, SimDuration, Tie};

use super::text_table::{Measurement, TextTable};
use super::{BenchError, each_queue};
use crate::process;

/// Number of increments drawn beforehand, so that drawing is not measured.
const DRAWS: usize = 1 << 16;

/// Nanoseconds per hold, and a checksum over the order of the events.
fn hold(kind: EventQueueKind, pending: usize, holds: usize) -> (f64, u64) {
    let mut rng = Rng::stream(1, "hold", pending as u64);
    let mean = SimDuration::from_micros(pending as u64);
    let ahead: Vec<SimDuration> = (0..DRAWS).map(|_| rng.exponential(mean)).collect();
    let event = |now: SimTime, i: usize| Event {
        time: now + ahead[i % DRAWS],
        tie: Tie::new(NodeId((i % 100) as u32), i as u64),
        data: 0,
        target: 0,
        kind: EventKind::Timer,
    };
    let mut queue = kind.build();
    for i in 0..pending {
        queue.push(event(SimTime::ZERO, i));
    }
    let mut next = pending;
    let mut order = 0u64;
    let mut run = |count: usize| {
        for _ in 0..count {
            let Some(popped) = queue.pop_before(SimTime::MAX) else {
                return;
            };
            order = (order ^ popped.time.as_ps()).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            queue.push(event(popped.time, next));
            next += 1;
        }
    };
    run(2 * pending);
    let before = process::cpu_s();
    run(holds);
    let took = process::cpu_s() - before;
    (1e9 * took / holds as f64, black_box(order))
}

/// Measures all queues with 10^2 to 10^`decades` pending events.
pub(super) fn table(decades: u32, holds: u32) -> Result<TextTable, BenchError> {
    let mut columns = Vec::new();
    for pending in (2..=decades).map(|d| 10usize.pow(d)) {
        let m = each_queue(Measurement::default(), |kind| {
            hold(kind, pending, holds as usize)
        })?;
        columns.push((pending.to_string(), m));
    }
    Ok(TextTable {
        title: "hold, exponential, ns of processor time per hold".to_owned(),
        by: "pending",
        columns,
    })
}
