//! The trait that a protocol implements, [`Host`]. Through [`Cx`] it uses the engine.

pub(crate) mod core;
mod cx;

use std::fmt;

use crate::loss_cause::Loss;
use crate::packet::Packet;
use crate::rng::mix;
pub use cx::Cx;

/// A node that runs a protocol. The engine's only type parameter.
pub trait Host: Send + Sized {
    /// The protocol's data unit.
    type Payload: Clone + Send + fmt::Debug;
    /// What the node records.
    type Sample: Clone + Send + fmt::Debug;
    /// Working memory that all hosts of a partition share, one event after the other: buffers that
    /// are empty between events, so that hosts need no buffers of their own. It must not carry information
    /// from one event to the next. `()` if there is none.
    type Scratch: Default + Send + fmt::Debug;

    /// Called once at time zero. Does nothing by default.
    fn on_start(&mut self, cx: &mut Cx<'_, Self>) {
        let _ = cx;
    }
    /// A packet for one of the node's addresses arrived.
    fn on_packet(&mut self, packet: Packet<Self::Payload>, cx: &mut Cx<'_, Self>);
    /// A time requested with [`Cx::wake`] has come. Does nothing by default.
    fn on_timer(&mut self, token: u64, cx: &mut Cx<'_, Self>) {
        let _ = (token, cx);
    }

    /// At a gateway, a packet arrived that is not for one of its addresses. Passes it on by default.
    fn on_transit(&mut self, packet: Packet<Self::Payload>, cx: &mut Cx<'_, Self>) {
        cx.pass_on(packet);
    }

    /// The node goes down ([`Outage`](crate::network::Outage)): the host drops the state that a crash would
    /// lose. It may record but should not send; wakes that it requests are cancelled. Keeps everything by
    /// default.
    fn on_crash(&mut self, cx: &mut Cx<'_, Self>) {
        let _ = cx;
    }

    /// The node has come up again. Starts as at time zero by default.
    fn on_boot(&mut self, cx: &mut Cx<'_, Self>) {
        self.on_start(cx);
    }

    /// Called once for every host, in node order, at the end of the run: the last chance to record. Packets
    /// sent and wakes requested then have no effect. Does nothing by default.
    fn on_end(&mut self, cx: &mut Cx<'_, Self>) {
        let _ = cx;
    }

    /// Announces something that will probably come some events later: the host may prefetch the memory it
    /// needs (see [`crate::prefetch`]). A key that it returns comes back a few events later as
    /// [`Upcoming::Again`], when the first prefetch has arrived. Only a hint: it is called for some events, and
    /// only in large partitions. Does nothing by default.
    fn look_ahead(&self, what: Upcoming<'_, Self>) -> Option<u64> {
        let _ = what;
        None
    }

    /// A number that identifies the flow of a packet, for queue disciplines that separate flows. Made of source
    /// and destination address by default.
    fn flow(packet: &Packet<Self::Payload>) -> u64 {
        let ends = u64::from(u32::from(packet.src)) << 32 | u64::from(u32::from(packet.dst));
        mix(ends)
    }

    /// A record has been written: the host may reuse its memory for another one. Drops it by default.
    fn reuse(sample: Self::Sample, scratch: &mut Self::Scratch) {
        let _ = scratch;
        drop(sample);
    }

    /// The filter that drops packets by the rules of a link ([`Impairments::drop_named`]); `None` if the
    /// protocol has no names for packets. The rules have been checked before.
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

/// Inspects the packets offered to a link, in order, and drops some of them.
pub trait PacketFilter<P>: Send + fmt::Debug {
    /// Returns true if this packet should be dropped.
    fn drops(&mut self, packet: &Packet<P>) -> bool;
}

/// Something that will probably come soon.
#[derive(Debug)]
pub enum Upcoming<'a, H: Host> {
    /// The arrival of a packet.
    Packet(&'a Packet<H::Payload>),
    /// A wake with this token.
    Timer(u64),
    /// The host has returned this key for something announced earlier.
    Again(u64),
}
