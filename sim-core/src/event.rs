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
/// Unique in a run, and a function of the scenario alone: a node's counter advances with
/// the node's own actions, whatever partition or thread it runs in.
///
/// An event scheduled for the current instant comes after the events that were scheduled for that
/// instant earlier, so a run handles its events in strictly increasing order of their keys.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tie(u64);

impl Tie {
    const COUNTER_BITS: u32 = 39;
    const SAME_INSTANT: u64 = 1 << 63;
    /// The smallest tie.
    pub(crate) const FIRST: Tie = Tie(0);
    /// Largest number of nodes in a simulation.
    pub const MAX_NODES: u32 = 1 << 24;

    /// The `count`-th tie of `node`.
    ///
    /// # Panics
    /// When the node number does not fit 24 bits or the counter 39: more than 5 * 10^11 events
    /// scheduled by one node.
    #[inline]
    pub fn new(node: NodeId, count: u64) -> Tie {
        assert!(node.0 < Self::MAX_NODES, "node number beyond 24 bits");
        assert!(
            count < 1 << Self::COUNTER_BITS,
            "a node scheduled more than 2^39 events"
        );
        Tie(u64::from(node.0) << Self::COUNTER_BITS | count)
    }

    /// The same tie, for an event scheduled for the current instant.
    #[must_use]
    pub const fn at_same_instant(self) -> Tie {
        Tie(self.0 | Self::SAME_INSTANT)
    }

    /// The scheduling node.
    pub const fn node(self) -> NodeId {
        NodeId(((self.0 & !Self::SAME_INSTANT) >> Self::COUNTER_BITS) as u32)
    }

    /// The node's counter.
    pub(crate) const fn count(self) -> u64 {
        self.0 & ((1 << Self::COUNTER_BITS) - 1)
    }

    /// As a number, unique in the run.
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
    /// Packet `data` arrives at the end of wire `target` of the partition.
    Arrival,
    /// Node `target` is woken with token `data`.
    Timer,
    /// Node `target` starts.
    Start,
    /// The managed queue of transmitter `target` of the partition may send its next packet.
    Departure,
    /// Node `target` goes down if `data` is zero, and comes up otherwise.
    Outage,
}

/// A pending event: 32 bytes, `Copy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its time.
    pub time: SimTime,
    /// Its place among events of the same time.
    pub tie: Tie,
    /// A token of the target, or the index of a packet.
    pub data: u64,
    /// Number of the wire or transmitter in its partition, or of the node, by kind.
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
    /// Order by time, scheduling node, that node's counter; within one instant, events scheduled during
    /// that instant come last.
    fn cmp(&self, other: &Self) -> Ordering {
        self.key_bits().cmp(&other.key_bits())
    }
}

const _: () = assert!(size_of::<Event>() == 32);
