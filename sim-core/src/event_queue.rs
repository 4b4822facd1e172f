//! The pending event set.
//!
//! Every implementation returns the same events in the same order, [`Event`]'s total order; they
//! differ only in cost. `engine.event_queue` in a scenario selects one.
//!
//! Cost of a hold (pop the smallest, push one further on) in ns, best of 20 batches, and as a
//! multiple of the wheel's; from one run of `benches/event_queues.rs` on a shared virtual machine
//! with 2 vCPUs (EPYC, Zen 4):
//!
//! ```text
//! pending                 10^2        10^3        10^4        10^5        10^6
//! exponential, mean 1 us times the number of pending events
//!   priority-queue    149  4.3    153  3.8    208  5.8   1073 18.8   3334 34.7
//!   heap               37  1.1     54  1.4     66  1.8    209  3.7    876  9.1
//!   wheel              35          40          36          57          96
//! half of them 1-100 us ahead (links), half 200 ms-60 s (timers)
//!   priority-queue    130  4.8    159  5.5    251  5.6   1226 33.1   2909 32.3
//!   heap               43  1.6     59  2.0     84  1.9    130  3.5    860  9.6
//!   wheel              27          29          45          37          90
//! uniform in 0-10 minutes
//!   priority-queue    138  4.6    132  4.3    235  6.4    883 19.2   2544 35.8
//!   heap               40  1.3     42  1.4     65  1.8    135  2.9    865 12.2
//!   wheel              30          31          37          46          71
//! all at one instant
//!   priority-queue    117  3.3    131  3.1    220  3.2    892 12.1
//!   heap               29  0.8     42  1.0     59  0.9    148  2.0
//!   wheel              35          42          69          74
//! ```

use crate::event::Event;
use crate::time::SimTime;

mod heap;
mod keyed;
mod wheel;

pub use heap::HeapQueue;
pub use keyed::KeyedQueue;
pub use wheel::WheelQueue;

use std::fmt;

/// A set of pending events that gives back the smallest.
///
/// Pushes are monotone: no event is pushed before the last one popped.
pub trait EventQueue: Send {
    /// Adds an event; its key is unique in the run.
    fn push(&mut self, event: Event);
    /// The time of the smallest event. May reorganise the queue.
    fn next_time(&mut self) -> Option<SimTime>;
    /// Takes the smallest event if it lies strictly before `horizon`.
    fn pop_before(&mut self, horizon: SimTime) -> Option<Event>;
    /// Number of pending events.
    fn len(&self) -> usize;
    /// True when nothing is pending.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The names under which a queue can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum EventQueueKind {
    /// [`KeyedQueue`], on the `priority-queue` crate.
    Keyed,
    /// [`HeapQueue`], a 4-ary heap.
    Heap,
    /// [`WheelQueue`], a hierarchical timing wheel.
    #[default]
    Wheel,
}

impl EventQueueKind {
    /// All of them.
    pub const ALL: &[EventQueueKind] = &[Self::Keyed, Self::Heap, Self::Wheel];

    /// Its name in a scenario.
    pub const fn name(self) -> &'static str {
        match self {
            EventQueueKind::Keyed => "priority-queue",
            EventQueueKind::Heap => "heap",
            EventQueueKind::Wheel => "wheel",
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<EventQueueKind> {
        Self::ALL.iter().copied().find(|k| k.name() == name)
    }

    /// An empty queue of this kind.
    pub fn build(self) -> AnyEventQueue {
        match self {
            EventQueueKind::Keyed => AnyEventQueue::Keyed(KeyedQueue::default()),
            EventQueueKind::Heap => AnyEventQueue::Heap(HeapQueue::default()),
            EventQueueKind::Wheel => AnyEventQueue::Wheel(WheelQueue::default()),
        }
    }
}

/// Any event queue; calls go through a `match`, not through a table of pointers.
pub enum AnyEventQueue {
    /// [`KeyedQueue`].
    Keyed(KeyedQueue),
    /// [`HeapQueue`].
    Heap(HeapQueue),
    /// [`WheelQueue`].
    Wheel(WheelQueue),
    /// A user's own.
    Custom(Box<dyn EventQueue>),
}

impl fmt::Debug for AnyEventQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AnyEventQueue({} pending)", self.len())
    }
}

macro_rules! each {
    ($self:ident, $queue:ident => $call:expr) => {
        match $self {
            AnyEventQueue::Keyed($queue) => $call,
            AnyEventQueue::Heap($queue) => $call,
            AnyEventQueue::Wheel($queue) => $call,
            AnyEventQueue::Custom($queue) => $call,
        }
    };
}

impl EventQueue for AnyEventQueue {
    #[inline]
    fn push(&mut self, event: Event) {
        each!(self, q => q.push(event))
    }
    #[inline]
    fn next_time(&mut self) -> Option<SimTime> {
        each!(self, q => q.next_time())
    }
    #[inline]
    fn pop_before(&mut self, horizon: SimTime) -> Option<Event> {
        each!(self, q => q.pop_before(horizon))
    }
    #[inline]
    fn len(&self) -> usize {
        each!(self, q => q.len())
    }
}
