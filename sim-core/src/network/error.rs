//! Errors in the description of a network.

/// Why a network is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// A link without propagation delay: nodes may interact only over links with a delay > 0.
    #[error(
        "the link from {from:?} to {to:?} has no propagation delay; give it one greater than zero, 1 us say"
    )]
    NoDelay {
        /// Sending node.
        from: String,
        /// Receiving node.
        to: String,
    },
    /// A probability outside [0, 1].
    #[error("the link from {from:?} to {to:?} has {what} = {value}; it must lie between 0 and 1")]
    Probability {
        /// Sending node.
        from: String,
        /// Receiving node.
        to: String,
        /// Which.
        what: &'static str,
        /// Its value as text.
        value: String,
    },
    /// A queue that holds nothing.
    #[error(
        "the queue from {from:?} to {to:?} holds nothing; its limit must be at least one packet or byte"
    )]
    EmptyQueue {
        /// Sending node.
        from: String,
        /// Receiving node.
        to: String,
    },
    /// A link end that is not a node, or a link from a node to itself that is not a host's.
    #[error("link {0} does not join two different nodes of the network, or a host to itself")]
    BadEnds(usize),
    /// Too many nodes or addresses.
    #[error("the network has too many {0} (at most {1})")]
    TooMany(&'static str, u32),
    /// An outage that names a node that does not exist, ends before it begins, or overlaps another
    /// one of the same node.
    #[error(
        "outage {0} names no node, does not end after it begins, or overlaps another of its node"
    )]
    Outage(usize),
    /// Changes of a link not in order of time.
    #[error("the changes of the link from {from:?} to {to:?} are not in order of time")]
    UnorderedChanges {
        /// Sending node.
        from: String,
        /// Receiving node.
        to: String,
    },
}
