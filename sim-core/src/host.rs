//! What a protocol implements: [`Host`]. What the engine offers it is [`Cx`].

pub(crate) mod core;
mod cx;

use std::fmt;

use crate::loss_cause::Loss;
use crate::packet::Packet;
use crate::rng::mix;
pub use cx::Cx;

/// A node that speaks a protocol. The engine's only type parameter.
pub trait Host: Send + Sized {
    /// The protocol's data unit.
    type Payload: Clone + Send + fmt::Debug;
    /// What the node records.
    type Sample: Clone + Send + fmt::Debug;
    /// Working memory that all hosts of a partition share, one event after the other: buffers that
    /// are empty between events, so that not each host keeps its own. Nothing in it may carry meaning
    /// from one event to the next. `()` where there is none.
    type Scratch: Default + Send + fmt::Debug;

    /// Called once at time zero. Nothing by default: a node that only answers.
    fn on_start(&mut self, cx: &mut Cx<'_, Self>) {
        let _ = cx;
    }
    /// A packet for one of the node's addresses arrived.
    fn on_packet(&mut self, packet: Packet<Self::Payload>, cx: &mut Cx<'_, Self>);
    /// A time asked for with [`Cx::wake`] has come. Nothing by default: a node without timers.
    fn on_timer(&mut self, token: u64, cx: &mut Cx<'_, Self>) {
        let _ = (token, cx);
    }

    /// At a gateway, a packet arrived that is not for one of its addresses. Passes it on by default.
    fn on_transit(&mut self, packet: Packet<Self::Payload>, cx: &mut Cx<'_, Self>) {
        cx.pass_on(packet);
    }

    /// The node goes down ([`Outage`](crate::network::Outage)): the host forgets what a crash
    /// would lose. It may record, and should not send; wakes it asks for are cancelled. Forgets
    /// nothing by default.
    fn on_crash(&mut self, cx: &mut Cx<'_, Self>) {
        let _ = cx;
    }

    /// The node has come up again. Starts as at time zero by default.
    fn on_boot(&mut self, cx: &mut Cx<'_, Self>) {
        self.on_start(cx);
    }

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

    /// A number that all packets of a flow have in common, for queue disciplines that keep flows
    /// apart. Source and destination address by default.
    fn flow(packet: &Packet<Self::Payload>) -> u64 {
        let ends = u64::from(u32::from(packet.src)) << 32 | u64::from(u32::from(packet.dst));
        mix(ends)
    }

    /// A record has been dealt with: the host may use its memory for another one. Drops it by default.
    fn reuse(sample: Self::Sample, scratch: &mut Self::Scratch) {
        let _ = scratch;
        drop(sample);
    }

    /// What drops packets by the rules of a link ([`Impairments::drop_named`]); `None` when the
    /// protocol names no packets. The rules have been checked by whoever wrote them.
    ///
    /// [`Impairments::drop_named`]: crate::network::Impairments::drop_named
    fn packet_filter(rules: &[String]) -> Option<Box<dyn PacketFilter<Self::Payload>>> {
        let _ = rules;
        None
    }

    /// What to record when a packet is lost in the network; nothing by default.
    fn lost(packet: &Packet<Self::Payload>, loss: Loss) -> Option<Self::Sample> {
        let _ = (packet, loss);
        None
    }
}

/// Looks at the packets offered to a link, in order, and drops some of them.
pub trait PacketFilter<P>: Send + fmt::Debug {
    /// True when this packet is to be dropped.
    fn drops(&mut self, packet: &Packet<P>) -> bool;
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
