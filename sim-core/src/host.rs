//! What a protocol implements, and what the engine offers it.

use std::fmt;
use std::net::Ipv4Addr;

use crate::event::{LinkId, NodeId};
use crate::packet::Packet;
pub use crate::partition::Cx;
use crate::time::SimTime;

/// A node that speaks a protocol. The engine's only type parameter.
pub trait Host: Send + Sized {
    /// The protocol's data unit.
    type Payload: Clone + Send + fmt::Debug;
    /// What the node records.
    type Sample: Clone + Send + fmt::Debug;
    /// Working memory that all hosts of a partition share, one event after the other: buffers that
    /// are empty between events, lest each host keeps its own. Nothing in it may carry meaning from
    /// one event to the next. `()` where there is none.
    type Scratch: Default + Send + fmt::Debug;

    /// Called once at time zero.
    fn on_start(&mut self, cx: &mut Cx<'_, Self>);
    /// A packet for one of the node's addresses arrived.
    fn on_packet(&mut self, packet: Packet<Self::Payload>, cx: &mut Cx<'_, Self>);
    /// A time asked for with [`Cx::wake`] has come.
    fn on_timer(&mut self, token: u64, cx: &mut Cx<'_, Self>);

    /// Called once, for every host in node order, when the run has reached its end: a last chance
    /// to record. What is sent or asked for then has no effect. Nothing by default.
    fn on_end(&mut self, cx: &mut Cx<'_, Self>) {
        let _ = cx;
    }

    /// What will probably come soon, some events ahead: the host may fetch what it needs for it from
    /// memory (see [`crate::prefetch`]). A key that it returns comes back a few events later as
    /// [`Upcoming::Again`], when what was fetched first has arrived. Called only where a partition
    /// is large, and a hint: it comes for some events and not for others. Nothing by default.
    fn look_ahead(&self, what: Upcoming<'_, Self>) -> Option<u64> {
        let _ = what;
        None
    }

    /// What to record when a packet is lost in the network; nothing by default.
    fn lost(packet: &Packet<Self::Payload>, loss: Loss) -> Option<Self::Sample> {
        let _ = (packet, loss);
        None
    }
}

/// What will probably come soon.
#[derive(Debug)]
pub enum Upcoming<'a, H: Host> {
    /// The arrival of a packet.
    Packet(&'a Packet<H::Payload>),
    /// A wake with this token.
    Timer(u64),
    /// What the host has given this key.
    Again(u64),
}

/// Why the network lost a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LossCause {
    /// The queue in front of the link was full.
    QueueFull,
    /// The link's random loss.
    Random,
    /// The link's list of packets to drop named it.
    Scripted,
    /// The link was down.
    LinkDown,
    /// No route to the destination address.
    NoRoute,
    /// Its time to live ran out.
    TtlExpired,
}

impl fmt::Display for LossCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LossCause::QueueFull => "queue full",
            LossCause::Random => "random loss",
            LossCause::Scripted => "scripted drop",
            LossCause::LinkDown => "link down",
            LossCause::NoRoute => "no route",
            LossCause::TtlExpired => "TTL expired",
        })
    }
}

/// Where and why a packet was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The node at which it happened.
    pub node: NodeId,
    /// The link it would have taken, where one was chosen.
    pub link: Option<LinkId>,
    /// Why.
    pub cause: LossCause,
}

/// What can be asked for a wake: the engine's [`Cx`], or whoever else drives a protocol.
pub trait Wakes {
    /// The current time.
    fn now(&self) -> SimTime;
    /// Asks to be woken with `token` at `at`, now at the earliest.
    fn wake(&mut self, at: SimTime, token: u64);
}

impl<H: Host> Wakes for Cx<'_, H> {
    #[inline]
    fn now(&self) -> SimTime {
        Cx::now(self)
    }

    #[inline]
    fn wake(&mut self, at: SimTime, token: u64) {
        Cx::wake(self, at, token);
    }
}

/// A timer as data: moving its deadline later writes a slot and touches no queue.
///
/// Keep one per purpose, [`LazyTimer::set`] it as often as wanted, and call [`LazyTimer::fire`]
/// when its token comes up. A deadline that moved earlier queues a second event and remembers the
/// first, so that a short timer running ahead of a long one (delayed ACK before retransmission)
/// leaves no trail of stale events. Of more than two pending, the latest is remembered: the others are
/// soon gone, and no timer set far ahead is queued twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LazyTimer {
    deadline: SimTime,
    /// The next pending event of this timer.
    queued: SimTime,
    /// A later one, overtaken when the deadline moved earlier.
    overtaken: SimTime,
}

impl Default for LazyTimer {
    fn default() -> Self {
        LazyTimer {
            deadline: SimTime::MAX,
            queued: SimTime::MAX,
            overtaken: SimTime::MAX,
        }
    }
}

impl LazyTimer {
    /// Sets the deadline, now at the earliest, or clears it with `None`; wakes are asked for with
    /// `token`.
    pub fn set<W: Wakes>(&mut self, deadline: Option<SimTime>, token: u64, cx: &mut W) {
        self.deadline = deadline.map_or(SimTime::MAX, |at| at.max(cx.now()));
        self.ensure_queued(token, cx);
    }

    fn ensure_queued<W: Wakes>(&mut self, token: u64, cx: &mut W) {
        if self.deadline < self.queued {
            if self.overtaken == SimTime::MAX {
                self.overtaken = self.queued;
            }
            self.queued = self.deadline;
            cx.wake(self.deadline, token);
        }
    }

    /// Handles a wake with the timer's token: true when the deadline has been reached; otherwise
    /// the wake was early or stale and the timer has queued itself again where needed.
    pub fn fire<W: Wakes>(&mut self, token: u64, cx: &mut W) -> bool {
        let now = cx.now();
        if now != self.queued {
            return false;
        }
        self.queued = self.overtaken;
        self.overtaken = SimTime::MAX;
        if self.deadline <= now {
            self.deadline = SimTime::MAX;
            return true;
        }
        self.ensure_queued(token, cx);
        false
    }

    /// The next wake will find the deadline reached.
    pub fn is_due_next(&self) -> bool {
        self.deadline <= self.queued
    }

    /// The deadline, if one is set.
    pub fn deadline(&self) -> Option<SimTime> {
        (self.deadline < SimTime::MAX).then_some(self.deadline)
    }
}

/// The first address of the simulated address space, 10.0.0.1.
pub const FIRST_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
