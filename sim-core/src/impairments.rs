//! Impairments of packets on a link besides queueing: loss, bit errors, duplicates, reordering.
//!
//! A new loss, delay or rate model is a file in this folder and a line in its `built_in`.

pub mod delay;
pub mod loss;
pub mod rate;

pub use delay::{AnyDelay, DelayModel, DelaySpec};
pub use loss::{AnyLoss, GilbertElliott, LossModel, LossSpec};
pub use rate::{AnyRate, RateProcess, TwoStateRate};

use crate::plugin::ModelKinds;
use crate::queue_disc::{self, AnyQueueDisc};
use crate::time::SimDuration;

/// Impairments of packets on a link besides queueing. Each decision is drawn from the link's own stream,
/// in the order given here, for every packet that the queue accepted; packets dropped by name or number
/// never reach the queue.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Impairments {
    /// The packets to drop before they are queued, counted from 1 in the order in which they are
    /// offered to the link; sorted.
    pub drop: Vec<u64>,
    /// More packets to drop before they are queued, described in the terms of the protocol
    /// ([`Host::packet_filter`](crate::Host::packet_filter)).
    pub drop_named: Vec<String>,
    /// Loss on the wire.
    pub loss: LossSpec,
    /// Probability that a packet arrives with a bit error.
    pub corrupt: f64,
    /// Probability that a packet arrives twice.
    pub duplicate: f64,
    /// Probability that a packet is held back by `reorder_delay`.
    pub reorder: f64,
    /// How long such a packet is held back.
    pub reorder_delay: SimDuration,
    /// Delay of each packet in addition to the propagation delay.
    pub extra_delay: DelaySpec,
    /// Largest processing time of a packet at the sending host, drawn uniformly; packets keep their order. It is
    /// added after the transmission, which makes no difference while the host's link is idle.
    pub processing: SimDuration,
}

impl Impairments {
    /// True when packets can overtake each other.
    pub fn disorders(&self) -> bool {
        self.reorder > 0.0 || self.extra_delay.may_reorder()
    }
}

/// Named models for links: built-in and user-defined ones.
#[derive(Clone, Debug)]
pub struct LinkModels {
    /// Queue disciplines.
    pub queues: ModelKinds<AnyQueueDisc>,
    /// Loss models.
    pub losses: ModelKinds<AnyLoss>,
    /// Models of extra delay.
    pub delays: ModelKinds<AnyDelay>,
    /// Rates that vary at random.
    pub rates: ModelKinds<AnyRate>,
}

impl Default for LinkModels {
    /// The built-in ones.
    fn default() -> Self {
        LinkModels {
            queues: queue_disc::built_in(),
            losses: loss::built_in(),
            delays: delay::built_in(),
            rates: rate::built_in(),
        }
    }
}
