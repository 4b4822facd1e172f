//! Events and their total order.

use std::cmp::Ordering;
use std::fmt;

use crate::time::SimTime;

/// Number of a node, host or router; below 2^24.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

/// Number of a link direction.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub u32);

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "n{}", self.0)
    }
}

impl fmt::Debug for LinkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "l{}", self.0)
    }
}

/// Breaks ties in time: the scheduling node and that node's own counter.
///
/// Unique over a whole run, and a function of the scenario alone: a node's counter advances with
/// what the node itself does, whatever partition or thread it runs in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tie(u64);

impl Tie {
    const COUNTER_BITS: u32 = 40;
    /// The smallest.
    pub(crate) const FIRST: Tie = Tie(0);
    /// Largest number of nodes in a simulation.
    pub const MAX_NODES: u32 = 1 << 24;

    /// The `count`-th tie of `node`.
    ///
    /// # Panics
    /// When the node number does not fit 24 bits or the counter 40: more than 10^12 events
    /// scheduled by one node.
    pub fn new(node: NodeId, count: u64) -> Tie {
        assert!(node.0 < Self::MAX_NODES, "node number beyond 24 bits");
        assert!(
            count < 1 << Self::COUNTER_BITS,
            "a node scheduled more than 2^40 events"
        );
        Tie(u64::from(node.0) << Self::COUNTER_BITS | count)
    }

    /// The node that scheduled.
    pub const fn node(self) -> NodeId {
        NodeId((self.0 >> Self::COUNTER_BITS) as u32)
    }

    /// As a bare number, unique in the run.
    pub const fn as_u64(self) -> u64 {
        self.0
    }
}

impl fmt::Debug for Tie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?}#{}",
            self.node(),
            self.0 & ((1 << Self::COUNTER_BITS) - 1)
        )
    }
}

/// What an event does when its time comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum EventKind {
    /// The packet at the head of link `target` arrives at the link's far end.
    Arrival,
    /// Node `target` is woken with token `data`.
    Timer,
    /// Node `target` starts.
    Start,
}

/// A pending event: 32 bytes, `Copy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// When it happens.
    pub time: SimTime,
    /// Its place among events of the same time.
    pub tie: Tie,
    /// A token of the target's own.
    pub data: u64,
    /// Link or node number, by kind.
    pub target: u32,
    /// What happens.
    pub kind: EventKind,
}

impl Event {
    /// The key of the total order.
    pub const fn key(&self) -> (SimTime, Tie) {
        (self.time, self.tie)
    }

    /// The key as one number, time in the upper half.
    pub const fn key_bits(&self) -> u128 {
        (self.time.as_ps() as u128) << 64 | self.tie.0 as u128
    }
}

impl PartialOrd for Event {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Event {
    /// Rule 2: time, scheduling node, that node's counter.
    fn cmp(&self, other: &Self) -> Ordering {
        self.key_bits().cmp(&other.key_bits())
    }
}

const _: () = assert!(size_of::<Event>() == 32);
