//! What is checked: the parameters, the plans of both applications, and what may go wrong.

use std::sync::Arc;

use tcp_model::TcpParams;

/// A call of the application. Calls are made one after the other, each at any time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    Write(u64),
    Read(u64),
    Shutdown,
    Close,
    Abort,
}

/// How an application behaves.
#[derive(Clone, Copy, Debug)]
pub(super) struct SidePlan {
    /// Opens actively; otherwise it listens.
    pub(super) active: bool,
    /// Reads data as soon as they arrive; otherwise reads as its calls say, and everything after
    /// the last of them.
    pub(super) eager: bool,
    /// Makes its calls only when the connection is established.
    pub(super) patient: bool,
    pub(super) calls: &'static [Call],
}

/// What the channel and the clocks may do in one history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Budget {
    /// How many segments may be lost.
    pub(super) losses: u8,
    /// How many segments may be delivered once more than they were sent.
    pub(super) duplicates: u8,
    /// How many time-outs each side may have, at any moment; the end of TIME-WAIT is not counted.
    pub(super) timeouts: [u8; 2],
}

#[derive(Clone, Debug)]
pub(super) struct CheckedCase {
    pub(super) name: &'static str,
    pub(super) params: [Arc<TcpParams>; 2],
    pub(super) plans: [SidePlan; 2],
    pub(super) budget: Budget,
    /// How many segments the channel holds in each direction; further ones are lost.
    pub(super) capacity: usize,
    /// Any segment in the channel may arrive next, not only the oldest.
    pub(super) reorders: bool,
    /// How many segments are in flight at once: 0 few, 2 many.
    pub(super) width: u8,
    /// Both sides must close normally, with everything written also read.
    pub(super) orderly: bool,
}
