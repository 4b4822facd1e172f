//! The pending event set.
//!
//! Every implementation returns the same events in the same order, [`Event`]'s total order; they
//! differ only in cost. `engine.event_queue` in a scenario selects one.
//!
//! CPU time in ns, on a shared virtual machine with 2 vCPUs (Intel Xeon). A hold pops the smallest event and
//! pushes a later one; a replay repeats the recorded operations of a whole workload (`synfin bench hold 7`
//! and `synfin bench replay`; the other distributions are in `benches/event_queues.rs`):
//!
//! ```text
//! hold, pending     10^2   10^3   10^4   10^5   10^6   10^7
//! exponential, mean 1 us times the number of pending events
//!   priority-queue   115    162    261    581   1838   3682
//!   heap              41     50     76    118    407    949
//!   wheel             32     34     37     43     51     60
//! half of them 1-100 us ahead (links), half 200 ms-60 s (timers, few of which come up)
//!   heap              41     52     78    121    437    927
//!   wheel             31     36     41     42     57     61
//!
//! replay        dumbbell 10   dumbbell 1000   churn 1000   churn 100000
//! most pending           59            4735          108          10008
//!   priority-queue       74             175           82            124
//!   heap                 35              74           31             61
//!   wheel                21              35           18             18
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

/// A set of pending events, from which the smallest is taken.
///
/// Pushes are monotone: no event pushed is earlier than the last one popped.
pub trait EventQueue: Send {
    /// Adds an event; its key is unique in the run.
    fn push(&mut self, event: Event);
    /// The time of the smallest event. May reorganise the queue.
    fn next_time(&mut self) -> Option<SimTime>;
    /// Takes the smallest event if it is strictly before `horizon`.
    fn pop_before(&mut self, horizon: SimTime) -> Option<Event>;
    /// Shows events that will be due soon, each at most once and in any order. Only a hint: a queue shows
    /// nothing if finding them would be expensive.
    fn show_upcoming(&mut self, show: &mut dyn FnMut(&Event)) {
        let _ = show;
    }
    /// Number of pending events.
    fn len(&self) -> usize;
    /// True when nothing is pending.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The event queues, by the names under which a scenario selects them.
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

    /// Looks up a kind by its name.
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

/// Any event queue; calls are dispatched by `match` instead of a vtable.
#[expect(
    clippy::large_enum_variant,
    reason = "one per partition, and it stays where it is"
)]
pub enum AnyEventQueue {
    /// [`KeyedQueue`].
    Keyed(KeyedQueue),
    /// [`HeapQueue`].
    Heap(HeapQueue),
    /// [`WheelQueue`].
    Wheel(WheelQueue),
    /// A user-defined queue.
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

impl AnyEventQueue {
    #[inline(never)]
    fn push_to_any(&mut self, event: Event) {
        each!(self, q => q.push(event))
    }

    #[inline(never)]
    fn pop_from_any(&mut self, horizon: SimTime) -> Option<Event> {
        each!(self, q => q.pop_before(horizon))
    }
}

impl EventQueue for AnyEventQueue {
    // The wheel's code alone is inlined where events are made.
    #[inline(always)]
    fn push(&mut self, event: Event) {
        match self {
            AnyEventQueue::Wheel(queue) => queue.push(event),
            other => other.push_to_any(event),
        }
    }
    #[inline]
    fn next_time(&mut self) -> Option<SimTime> {
        each!(self, q => q.next_time())
    }
    #[inline(always)]
    fn pop_before(&mut self, horizon: SimTime) -> Option<Event> {
        match self {
            AnyEventQueue::Wheel(queue) => queue.pop_before(horizon),
            other => other.pop_from_any(horizon),
        }
    }
    #[inline]
    fn show_upcoming(&mut self, show: &mut dyn FnMut(&Event)) {
        each!(self, q => q.show_upcoming(show))
    }
    #[inline]
    fn len(&self) -> usize {
        each!(self, q => q.len())
    }
}
