//! The state of a link direction: queue, transmitter, wire.
//!
//! ```text
//!   offer ──► scripted drops ──► queue ──► transmitter (rate) ──► impairments ──► wire (delay) ──► arrival
//! ```
//!
//! A drop-tail queue serves in order of arrival at a known rate, so the time at which a packet
//! leaves is known when it enters: no event marks the end of a transmission. A managed queue
//! ([`queue_disc`](crate::queue_disc)) has one while packets wait. The wire chains its packets and
//! has one pending event, for the first of them.

mod drop_tail;
mod impaired;
mod managed;
mod transmitter;
mod watch;

pub(crate) use managed::{ManagedQueue, Served};
pub(crate) use transmitter::Transmitter;
pub use watch::{QueueCell, QueueTrace};

use crate::event::NodeId;
use crate::loss_cause::LossCause;
use crate::network::LinkSpec;
use crate::packet::PacketRef;
use crate::time::{SimDuration, SimTime};

/// Counters of a link direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkStats {
    /// Packets offered to the queue.
    pub offered_pkts: u64,
    /// Packets transmitted, including those lost on the wire.
    pub sent_pkts: u64,
    /// Bytes transmitted.
    pub sent_bytes: u64,
    /// Packets dropped because the queue was full.
    pub queue_drops: u64,
    /// Packets that the queue discipline dropped to signal congestion.
    pub early_drops: u64,
    /// Packets that a policer dropped because they exceeded its rate and burst.
    pub policed_drops: u64,
    /// Packets that the queue discipline marked as having met congestion (CE, RFC 3168).
    pub ce_marks: u64,
    /// Bytes of these packets.
    pub ce_marks_bytes: u64,
    /// Packets lost on the wire: random, scripted, link down.
    pub wire_losses: u64,
    /// Of these, packets lost by the loss model.
    pub random_losses: u64,
    /// Largest backlog in packets, including the one in service; zero for an unlimited drop-tail queue, which
    /// keeps no count.
    pub max_backlog_pkts: u32,
    /// Time spent transmitting.
    pub busy: SimDuration,
}

/// What happens to a packet offered to a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Lost(LossCause),
    Arrives {
        at: SimTime,
        corrupt: bool,
        duplicate: bool,
    },
    /// It must be put into the managed queue.
    Waits,
    /// The link's filter must look at it.
    Inspect,
}

/// The receiver's side: the packets on the wire, chained through the slab in order of arrival. Only the first
/// has a pending event. If packets may overtake each other, each has an event and there is no chain.
#[derive(Debug)]
pub(crate) struct Wire {
    /// The packet that arrives last.
    pub(crate) last: Option<PacketRef>,
    pub(crate) disorders: bool,
    /// The node at its end, and the place of its host in the partition.
    pub(crate) to: NodeId,
    pub(crate) host: u32,
}

impl Wire {
    /// An empty wire of a link as described; the host at its end has index `host`.
    pub(crate) fn new(spec: &LinkSpec, host: u32) -> Wire {
        Wire {
            last: None,
            disorders: spec.impairments.disorders(),
            to: spec.to,
            host,
        }
    }
}
