//! What is checked: the parameters, the plans of both applications, and what may go wrong.

use std::sync::Arc;

use tcp_model::TcpParams;

/// What an application does, one call after the other, each at any time.
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
    /// Reads what comes at once; otherwise only as its calls say, and all after the last of them.
    pub(super) eager: bool,
    /// Makes its calls only once the connection is established.
    pub(super) patient: bool,
    pub(super) calls: &'static [Call],
}

/// What the channel and the clocks may do in one history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Budget {
    /// Segments lost.
    pub(super) losses: u8,
    /// Segments delivered once more than sent.
    pub(super) duplicates: u8,
    /// Time-outs of each side, at any moment; the end of TIME-WAIT not counted.
    pub(super) timeouts: [u8; 2],
}

#[derive(Clone, Debug)]
pub(super) struct CheckedCase {
    pub(super) name: &'static str,
    pub(super) params: [Arc<TcpParams>; 2],
    pub(super) plans: [SidePlan; 2],
    pub(super) budget: Budget,
    /// Segments the channel holds in each direction; one too many is lost.
    pub(super) capacity: usize,
    /// Any segment in the channel may be the next to arrive, not the oldest alone.
    pub(super) reorders: bool,
    /// How many segments are under way at once: 0 few, 2 many.
    pub(super) width: u8,
    /// Both sides end in order, with all that was written read.
    pub(super) orderly: bool,
}
