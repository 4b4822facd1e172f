//! Packets that the network lost: where and why.

use std::fmt;

use crate::event::{LinkId, NodeId};

/// Why the network lost a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LossCause {
    /// The queue in front of the link was full.
    QueueFull,
    /// The queue discipline dropped it to signal congestion.
    QueueEarly,
    /// A policer dropped it because it exceeded its rate and burst.
    Policed,
    /// The link's loss model dropped it.
    Random,
    /// The link's list of packets to drop contained it.
    Scripted,
    /// The link was down.
    LinkDown,
    /// No route to the destination address.
    NoRoute,
    /// Its time to live ran out.
    TtlExpired,
    /// A middlebox on the path dropped it.
    Middlebox,
    /// The node at which it arrived was down.
    NodeDown,
}

impl fmt::Display for LossCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LossCause::QueueFull => "queue full",
            LossCause::QueueEarly => "early drop",
            LossCause::Policed => "policed",
            LossCause::Random => "random loss",
            LossCause::Scripted => "scripted drop",
            LossCause::LinkDown => "link down",
            LossCause::NoRoute => "no route",
            LossCause::TtlExpired => "TTL expired",
            LossCause::Middlebox => "dropped on the way",
            LossCause::NodeDown => "node down",
        })
    }
}

/// Where and why a packet was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The node at which it happened.
    pub node: NodeId,
    /// The link it would have taken, if one was chosen.
    pub link: Option<LinkId>,
    /// Why.
    pub cause: LossCause,
}
