//! The pending event set.
//!
//! Every implementation returns the same events in the same order, [`Event`]'s total order; they
//! differ only in cost. `engine.event_queue` in a scenario selects one.
//!
//! Cost of a hold (pop the smallest, push one further on) in ns, and as a multiple of the wheel's.
//! Means of 4 million holds, for the wheel does its work in bursts; from one run of
//! `benches/event_queues.rs` on a virtual machine with 2 vCPUs (EPYC, Zen 4) that had other work:
//!
//! ```text
//! pending                 10^2        10^3        10^4        10^5        10^6
//! exponential, mean 1 us times the number of pending events
//!   priority-queue   161   4.4   177   3.9   270   5.9  1314  20.5  3546  27.3
//!   heap              43   1.2    57   1.3    82   1.8   278   4.3   972   7.5
//!   wheel             37          45          46          64         130
//! half of them 1-100 us ahead (links), half 200 ms-60 s (timers, few of which come up)
//!   priority-queue   149   5.0   186   5.8   288   6.1  1586  33.0  3353  31.3
//!   heap              44   1.5    61   1.9    88   1.9   189   3.9   927   8.7
//!   wheel             30          32          47          48         107
//! uniform in 0-10 minutes
//!   priority-queue   150   4.4   155   4.2   269   6.6  1131  15.9  3082  31.1
//!   heap              41   1.2    49   1.3    69   1.7   196   2.8   916   9.3
//!   wheel             34          37          41          71          99
//! all at one instant
//!   priority-queue   143   2.8   144   2.4   253   3.4  1155  11.3  1645  10.9
//!   heap              38   0.7    51   0.8    73   1.0   203   2.0   332   2.2
//!   wheel             51          61          75         102         151
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
    #[inline(always)]
    fn push(&mut self, event: Event) {
        each!(self, q => q.push(event))
    }
    #[inline]
    fn next_time(&mut self) -> Option<SimTime> {
        each!(self, q => q.next_time())
    }
    #[inline(always)]
    fn pop_before(&mut self, horizon: SimTime) -> Option<Event> {
        each!(self, q => q.pop_before(horizon))
    }
    #[inline]
    fn len(&self) -> usize {
        each!(self, q => q.len())
    }
}
