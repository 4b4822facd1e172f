//! The event queue on the `priority-queue` crate: simple and obviously correct, the oracle of the tests.

use std::cmp::Reverse;
use std::hash::{BuildHasherDefault, Hash, Hasher};

use priority_queue::PriorityQueue;
use rustc_hash::FxHasher;

use super::EventQueue;
use crate::event::{Event, Tie};
use crate::time::SimTime;

/// An event as the crate's item: equal and hashed by its tie, which is unique in a run.
#[derive(Clone, Copy, Debug)]
struct KeyedEvent(Event);

impl PartialEq for KeyedEvent {
    fn eq(&self, other: &Self) -> bool {
        self.0.tie == other.0.tie
    }
}

impl Eq for KeyedEvent {}

impl Hash for KeyedEvent {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.tie.hash(state);
    }
}

/// A keyed binary heap: `O(log n)` push and pop.
#[derive(Debug, Default)]
pub struct KeyedQueue {
    heap: PriorityQueue<KeyedEvent, Reverse<(SimTime, Tie)>, BuildHasherDefault<FxHasher>>,
}

impl EventQueue for KeyedQueue {
    fn push(&mut self, event: Event) {
        let replaced = self.heap.push(KeyedEvent(event), Reverse(event.key()));
        debug_assert!(replaced.is_none(), "two events with one tie");
    }

    fn next_time(&mut self) -> Option<SimTime> {
        self.heap.peek().map(|(item, _)| item.0.time)
    }

    fn pop_before(&mut self, horizon: SimTime) -> Option<Event> {
        self.heap
            .pop_if(|item, _| item.0.time < horizon)
            .map(|(item, _)| item.0)
    }

    fn len(&self) -> usize {
        self.heap.len()
    }
}
