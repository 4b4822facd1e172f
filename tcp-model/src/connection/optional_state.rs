//! State that few connections need: allocated when first used, so that the others stay small.

use super::Connection;
use super::ecn::EcnState;
use super::growing_buffer::Growth;
use crate::fast_open::{FastConnect, FastListen, FastOpenOption};
use crate::icmp::IcmpKind;

/// State of ECN, Fast Open, path MTU discovery, network errors, and of a buffer that grows.
#[derive(Clone, Debug, Hash, Default)]
pub(super) struct OptionalState {
    /// `TCP_QUICKACK` was switched off before the handshake was complete.
    pub(super) dialogue: bool,
    pub(super) ecn: EcnState,
    /// Active Fast Open, until the answer to the SYN.
    pub(super) connect: Option<FastConnect>,
    /// Passive Fast Open, until the SYN.
    pub(super) listen: Option<FastListen>,
    /// The cookie that the SYN-ACK is to carry.
    pub(super) answer: Option<FastOpenOption>,
    /// Octets that went with the SYN.
    pub(super) syn_data: u32,
    /// Data of the SYN were taken, or may be sent, before the handshake is complete.
    pub(super) open_early: bool,
    /// FIN-WAIT-1 was entered from SYN-RECEIVED, and the SYN is not acknowledged yet.
    pub(super) closed_early: bool,
    /// Data went with the SYN, ours or the peer's, and were acknowledged.
    pub(super) syn_data_acked: bool,
    /// The bare ACK of a deferred accept has arrived.
    pub(super) ack_came: bool,
    /// The last soft error, until an acknowledgement shows that the path works.
    pub(super) soft_error: Option<IcmpKind>,
    /// Packet length the path is known to carry.
    pub(super) path_mtu: Option<u16>,
    /// Round trips of a receive buffer that still grows.
    pub(super) growth: Option<Growth>,
    /// MSS option of the peer.
    pub(super) peer_mss: u16,
}

impl Connection {
    pub(super) fn rare(&mut self) -> &mut OptionalState {
        self.rare.get_or_insert_default()
    }

    /// Longest packet to send.
    pub(super) fn mtu(&self) -> u16 {
        let path = self.rare.as_ref().and_then(|r| r.path_mtu);
        path.map_or(self.params.mtu, |path| path.min(self.params.mtu))
    }

    /// In FIN-WAIT-1 with a SYN that is not acknowledged.
    pub(super) fn is_closed_early(&self) -> bool {
        self.rare.as_ref().is_some_and(|r| r.closed_early)
    }

    /// In SYN-RECEIVED, data flow already: Fast Open (RFC 7413 section 4.2.2).
    pub(super) fn is_open_early(&self) -> bool {
        self.rare.as_ref().is_some_and(|r| r.open_early)
    }
}
