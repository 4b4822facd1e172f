//! `replay`: only the event queues, replaying the operations of whole workloads.
//!
//! A workload runs once with a queue that records its operations. Then every queue performs the same
//! operations and must return the same events.

use std::hint::black_box;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use sim_core::event_queue::{AnyEventQueue, EventQueue, EventQueueKind};
use sim_core::record::Discard;
use sim_core::{Event, RunConfig, SimDuration, SimTime};
use tcp_model::host::{TcpHost, TcpSimulation};

use super::churn::{self, CloseArgs};
use super::dumbbell;
use super::text_table::{Measurement, TextTable};
use super::world::BenchWorld;
use super::{BenchError, each_queue};
use crate::process;

/// An operation on a queue.
#[derive(Clone, Copy, Debug)]
enum Operation {
    Push(Event),
    Pop,
}

/// The recorded operations, up to a limit.
#[derive(Debug)]
struct RecordedOperations {
    operations: Vec<Operation>,
    limit: usize,
    pending: usize,
    max_pending: usize,
}

/// A queue that records its operations.
struct RecordingQueue {
    queue: AnyEventQueue,
    tape: Arc<Mutex<RecordedOperations>>,
}

impl RecordingQueue {
    fn note(&self, operation: Operation) {
        let mut tape = self.tape.lock().unwrap_or_else(PoisonError::into_inner);
        if tape.operations.len() < tape.limit {
            tape.operations.push(operation);
            match operation {
                Operation::Push(_) => tape.pending += 1,
                Operation::Pop => tape.pending -= 1,
            }
            tape.max_pending = tape.max_pending.max(tape.pending);
        }
    }

    fn is_full(&self) -> bool {
        let tape = self.tape.lock().unwrap_or_else(PoisonError::into_inner);
        tape.operations.len() == tape.limit
    }
}

impl EventQueue for RecordingQueue {
    fn push(&mut self, event: Event) {
        self.note(Operation::Push(event));
        self.queue.push(event);
    }

    fn next_time(&mut self) -> Option<SimTime> {
        // The tape is full: let the run end.
        (!self.is_full()).then(|| self.queue.next_time()).flatten()
    }

    fn pop_before(&mut self, horizon: SimTime) -> Option<Event> {
        let event = self.queue.pop_before(horizon)?;
        self.note(Operation::Pop);
        Some(event)
    }

    fn len(&self) -> usize {
        self.queue.len()
    }
}

/// Records the first `limit` queue operations of a run.
fn tape(world: BenchWorld, limit: usize) -> Result<RecordedOperations, BenchError> {
    let tape = Arc::new(Mutex::new(RecordedOperations {
        operations: Vec::with_capacity(limit),
        limit,
        pending: 0,
        max_pending: 0,
    }));
    let config = RunConfig::new(1, world.end);
    let hosts = world.hosts.into_iter().map(|h| h.map(TcpHost::new));
    let mut make = || {
        AnyEventQueue::Custom(Box::new(RecordingQueue {
            queue: EventQueueKind::default().build(),
            tape: Arc::clone(&tape),
        }))
    };
    let mut simulation = TcpSimulation::with_queues(
        Arc::clone(&world.network),
        hosts.collect(),
        &config,
        &mut make,
    );
    simulation
        .run(&mut Discard, &mut |_| ControlFlow::Continue(()))
        .map_err(|e| e.to_string())?;
    drop(simulation);
    let tape = Arc::into_inner(tape).map(Mutex::into_inner);
    tape.and_then(Result::ok)
        .ok_or_else(|| "the tape is still in use; this is a bug".to_owned().into())
}

/// Nanoseconds per event, and a checksum over the order of the events.
fn play(operations: &[Operation], kind: EventQueueKind) -> (f64, u64) {
    let mut queue = kind.build();
    let (mut order, mut events) = (0u64, 0u64);
    let before = process::cpu_s();
    for operation in operations {
        match operation {
            Operation::Push(event) => queue.push(*event),
            Operation::Pop => {
                if let Some(event) = queue.pop_before(SimTime::MAX) {
                    order = (order ^ event.time.as_ps()).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                    events += 1;
                }
            }
        }
    }
    let took = process::cpu_s() - before;
    (1e9 * took / events as f64, black_box(order))
}

/// Measures all queues with the operations of several workloads.
pub(super) fn table(limit: usize) -> Result<TextTable, BenchError> {
    let end = SimTime::ZERO + SimDuration::from_secs(20);
    let worlds: [(&str, BenchWorld); 4] = [
        (
            "dumbbell 10",
            dumbbell::world(10, &dumbbell::DumbbellOptions::default(), end)?,
        ),
        (
            "dumbbell 1000",
            dumbbell::world(1000, &dumbbell::DumbbellOptions::default(), end)?,
        ),
        (
            "churn 1000",
            churn::world(1000, None, 60.0, &CloseArgs::default())?,
        ),
        (
            "churn 100000",
            churn::world(100_000, None, 10.0, &CloseArgs::default())?,
        ),
    ];
    let mut columns = Vec::new();
    for (name, world) in worlds {
        let tape = tape(world, limit)?;
        let m = Measurement::default()
            .with("operations", tape.operations.len() as u64)
            .with("most_pending", tape.max_pending as u64);
        let m = each_queue(m, |kind| play(&tape.operations, kind))?;
        columns.push((name.to_owned(), m));
    }
    Ok(TextTable {
        title: "replay, ns of processor time per event".to_owned(),
        by: "workload",
        columns,
    })
}
