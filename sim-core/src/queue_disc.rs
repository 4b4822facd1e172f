//! Queue disciplines: they decide which packet is sent next, and which is dropped or marked.
//!
//! Plain drop-tail needs none of this: it serves in order of arrival at a known rate, so the link knows when
//! a packet leaves as soon as it enters. A discipline that acts when packets leave (CoDel), or that has
//! several queues, gets an event at the end of a transmission while packets wait, and no event while the
//! link is idle.
//!
//! A new discipline is a file beside `codel.rs` and a line in [`built_in`].

#[cfg(test)]
mod bench;
mod cobalt;
mod codel;
mod common;
mod drr;
mod dualpi2;
mod fair;
mod fifo;
mod flow_queue_table;
mod fq_codel;
mod fq_pie;
mod pie;
mod priority;
mod red;
mod step;
mod token_bucket;

use std::fmt;
use std::net::Ipv4Addr;

use crate::packet::PacketRef;
use crate::plugin::{ModelKinds, Plugin};
use crate::rng::Rng;
use crate::time::{SimDuration, SimTime};
use crate::units::Rate;

pub use crate::queue_limit::{ParseLimitError, QueueLimit};
pub use codel::{CoDel, CoDelParams};

/// The built-in disciplines.
pub fn built_in() -> ModelKinds<AnyQueueDisc> {
    ModelKinds::new(
        "queue discipline",
        vec![
            codel::kind(),
            fq_codel::kind(),
            pie::kind(),
            fq_pie::kind(),
            red::kind(),
            step::kind(),
            cobalt::kind(),
            dualpi2::kind(),
            drr::kind(),
            priority::kind(),
            token_bucket::shaper(),
            token_bucket::policer(),
        ],
    )
}

/// The queue of a link direction.
#[derive(Clone, Debug, PartialEq)]
pub enum QueueSpec {
    /// In order of arrival; packets that do not fit are dropped.
    DropTail(QueueLimit),
    /// A discipline that decides when a packet leaves.
    Managed(Plugin<AnyQueueDisc>),
}

impl From<QueueLimit> for QueueSpec {
    fn from(limit: QueueLimit) -> Self {
        QueueSpec::DropTail(limit)
    }
}

impl From<Plugin<AnyQueueDisc>> for QueueSpec {
    fn from(plugin: Plugin<AnyQueueDisc>) -> Self {
        QueueSpec::Managed(plugin)
    }
}

/// A waiting packet, as far as a discipline may see it. It cannot be copied: a discipline keeps it,
/// returns it from [`QueueDisc::dequeue`], or passes it to [`QueueCx::drop`].
#[derive(Debug)]
#[must_use = "a packet that is neither kept, sent nor dropped is lost without a trace"]
pub struct QueuedPacket {
    pub(crate) place: PacketRef,
    size: u32,
    tos: u8,
    src: Ipv4Addr,
    dst: Ipv4Addr,
    flow: u64,
    arrived: SimTime,
}

/// ECN field of the type-of-service byte (RFC 3168 section 5).
const ECN: u8 = 0b11;

impl QueuedPacket {
    pub(crate) fn new(
        place: PacketRef,
        size: u32,
        tos: u8,
        ends: (Ipv4Addr, Ipv4Addr),
        flow: u64,
        arrived: SimTime,
    ) -> QueuedPacket {
        QueuedPacket {
            place,
            size,
            tos,
            src: ends.0,
            dst: ends.1,
            flow,
            arrived,
        }
    }

    /// A packet outside any network, for testing a discipline by itself.
    #[cfg(test)]
    pub(crate) fn for_test(size: u32) -> QueuedPacket {
        let nobody = (Ipv4Addr::UNSPECIFIED, Ipv4Addr::UNSPECIFIED);
        QueuedPacket::new(PacketRef::for_test(), size, 0, nobody, 0, SimTime::ZERO)
    }

    #[cfg(test)]
    pub(crate) fn of_flow(self, flow: u64, arrived: SimTime) -> QueuedPacket {
        QueuedPacket {
            flow,
            arrived,
            ..self
        }
    }

    #[cfg(test)]
    pub(crate) fn with_tos(self, tos: u8) -> QueuedPacket {
        QueuedPacket { tos, ..self }
    }

    /// Length in bytes, including the IP header.
    pub fn size(&self) -> u32 {
        self.size
    }

    /// Type of service: differentiated services code point and ECN field.
    pub fn tos(&self) -> u8 {
        self.tos
    }

    /// Source address.
    pub fn src(&self) -> Ipv4Addr {
        self.src
    }

    /// Destination address.
    pub fn dst(&self) -> Ipv4Addr {
        self.dst
    }

    /// The same number for all packets of a flow ([`Host::flow`](crate::Host::flow)).
    pub fn flow(&self) -> u64 {
        self.flow
    }

    /// When it arrived at the queue.
    pub fn arrived(&self) -> SimTime {
        self.arrived
    }

    /// How long it has waited.
    pub fn sojourn(&self, now: SimTime) -> SimDuration {
        now.since(self.arrived)
    }

    /// Returns true if its sender understands congestion marks: ECT(0), ECT(1) or CE.
    pub fn is_ecn_capable(&self) -> bool {
        self.tos & ECN != 0
    }
}

/// The context in which a discipline is called.
#[derive(Debug)]
pub struct QueueCx<'a> {
    now: SimTime,
    rate: Option<Rate>,
    rng: &'a mut Rng,
    dropped: &'a mut Vec<(QueuedPacket, QueueDrop)>,
    marks: &'a mut CeMarks,
}

/// Packets that a discipline marked as having met congestion (CE, RFC 3168).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CeMarks {
    /// Number of packets.
    pub pkts: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Why a discipline drops a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueDrop {
    /// There is no room.
    Full,
    /// To signal congestion.
    Early,
    /// It exceeds the rate and burst that a policer allows.
    Policed,
}

impl<'a> QueueCx<'a> {
    /// A context at `now` that draws from `rng`, collects dropped packets and counts marks; for
    /// links, and for testing a discipline by itself.
    pub fn new(
        now: SimTime,
        rng: &'a mut Rng,
        dropped: &'a mut Vec<(QueuedPacket, QueueDrop)>,
        marks: &'a mut CeMarks,
    ) -> QueueCx<'a> {
        QueueCx {
            now,
            rate: None,
            rng,
            dropped,
            marks,
        }
    }

    /// Sets the rate of the link that the queue feeds.
    #[must_use]
    pub fn with_rate(self, rate: Option<Rate>) -> QueueCx<'a> {
        QueueCx { rate, ..self }
    }

    /// The current time.
    pub fn now(&self) -> SimTime {
        self.now
    }

    /// The nominal rate of the link, without the effect of a rate process; `None` if packets have no
    /// serialisation time.
    pub fn rate(&self) -> Option<Rate> {
        self.rate
    }

    /// The random stream of this queue.
    pub fn rng(&mut self) -> &mut Rng {
        self.rng
    }

    /// Drops a packet, which may be arriving or waiting.
    pub fn drop(&mut self, packet: QueuedPacket, why: QueueDrop) {
        self.dropped.push((packet, why));
    }

    /// Marks a packet as having met congestion (CE, RFC 3168) if its sender understands that;
    /// returns false if it does not.
    pub fn mark(&mut self, packet: &mut QueuedPacket) -> bool {
        if packet.is_ecn_capable() {
            packet.tos |= ECN;
            self.marks.pkts += 1;
            self.marks.bytes += u64::from(packet.size());
            return true;
        }
        false
    }
}

/// The packets that are waiting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Number of packets.
    pub pkts: u32,
    /// Their bytes.
    pub bytes: u64,
}

/// A queue discipline. It holds the waiting packets, not the one being transmitted. It should reuse
/// its buffers, so that it does not allocate for each packet.
pub trait QueueDisc: Send + fmt::Debug {
    /// Takes an arriving packet. It may drop it, or waiting ones, with [`QueueCx::drop`].
    fn enqueue(&mut self, packet: QueuedPacket, cx: &mut QueueCx<'_>);

    /// Returns the packet to send next; the link is free. It may also drop and mark packets.
    fn dequeue(&mut self, cx: &mut QueueCx<'_>) -> Option<QueuedPacket>;

    /// The packets waiting now.
    fn backlog(&self) -> Backlog;

    /// When to call [`QueueDisc::dequeue`] again if it returned nothing although packets wait: for disciplines
    /// that hold packets back. Others keep the default.
    fn ready_at(&self) -> Option<SimTime> {
        None
    }

    /// Bytes of memory it has allocated.
    fn allocated_bytes(&self) -> usize {
        0
    }
}

/// Any discipline; calls to CoDel are dispatched by `match`, calls to the others through a box.
#[derive(Debug)]
pub enum AnyQueueDisc {
    /// [`CoDel`].
    CoDel(CoDel),
    /// Any other, built-in or user-defined.
    Custom(Box<dyn QueueDisc>),
}

impl AnyQueueDisc {
    /// Wraps any discipline except CoDel.
    pub fn custom(queue: impl QueueDisc + 'static) -> AnyQueueDisc {
        AnyQueueDisc::Custom(Box::new(queue))
    }
}

macro_rules! each {
    ($self:ident, $queue:ident => $call:expr) => {
        match $self {
            AnyQueueDisc::CoDel($queue) => $call,
            AnyQueueDisc::Custom($queue) => $call,
        }
    };
}

impl QueueDisc for AnyQueueDisc {
    fn enqueue(&mut self, packet: QueuedPacket, cx: &mut QueueCx<'_>) {
        each!(self, q => q.enqueue(packet, cx));
    }

    fn dequeue(&mut self, cx: &mut QueueCx<'_>) -> Option<QueuedPacket> {
        each!(self, q => q.dequeue(cx))
    }

    fn backlog(&self) -> Backlog {
        each!(self, q => q.backlog())
    }

    fn ready_at(&self) -> Option<SimTime> {
        each!(self, q => q.ready_at())
    }

    fn allocated_bytes(&self) -> usize {
        each!(self, q => q.allocated_bytes())
    }
}
