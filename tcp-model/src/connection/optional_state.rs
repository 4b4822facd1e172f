//! State that few connections need, allocated on first use to keep the others small.

use std::collections::VecDeque;

use super::Connection;
use super::ecn::EcnState;
use super::growing_buffer::BufferGrowth;
use super::mtu_probing::MtuSearch;
use crate::fast_open::{FastConnect, FastListen, FastOpenOption};
use crate::icmp::IcmpKind;
use crate::seq::SeqNum;
use crate::state::State;

/// State of ECN, Fast Open, path MTU discovery, network errors, and growing receive buffers.
#[derive(Clone, Debug, Hash, Default)]
pub(super) struct OptionalState {
    /// `TCP_QUICKACK` was switched off before the handshake was complete.
    pub(super) interactive: bool,
    pub(super) ecn: EcnState,
    /// Active Fast Open, until the answer to the SYN.
    pub(super) connect: Option<FastConnect>,
    /// Passive Fast Open, until the SYN.
    pub(super) listen: Option<FastListen>,
    /// The cookie for the SYN-ACK.
    pub(super) answer: Option<FastOpenOption>,
    /// Octets sent with the SYN.
    pub(super) syn_data: u32,
    /// Data on the SYN were accepted, or may be sent, before the handshake is complete.
    pub(super) open_early: bool,
    /// FIN-WAIT-1 was entered from SYN-RECEIVED while the SYN is not yet acknowledged.
    pub(super) closed_early: bool,
    /// Data on the SYN, ours or the peer's, were acknowledged.
    pub(super) syn_data_acked: bool,
    /// The application reads no more (`SHUT_RD`).
    pub(super) stopped_reading: bool,
    /// The bare ACK of a deferred accept has arrived.
    pub(super) ack_came: bool,
    /// The last soft error, until an acknowledgement shows that the path works.
    pub(super) soft_error: Option<IcmpKind>,
    /// The path MTU, if known.
    pub(super) path_mtu: Option<u16>,
    /// The search for the path MTU, if this end probes for it.
    pub(super) mtu_search: Option<MtuSearch>,
    /// Measurement for a receive buffer that can still grow.
    pub(super) growth: Option<BufferGrowth>,
    /// Stream offsets at which records end (`MSG_EOR`), not yet acknowledged.
    pub(super) record_ends: VecDeque<u64>,
    /// MSS option of the peer.
    pub(super) peer_mss: u16,
}

impl OptionalState {
    /// Out of line, so that no caller contains the code that fills it.
    #[cold]
    fn boxed() -> Box<OptionalState> {
        Box::default()
    }

    /// The end of the record to which the octet at a stream offset belongs, if it has one.
    #[inline(never)]
    fn record_end_after(&self, offset: u64) -> Option<u64> {
        self.record_ends.iter().copied().find(|end| *end > offset)
    }

    #[inline(never)]
    fn is_record_end(&self, offset: u64) -> bool {
        self.record_ends.contains(&offset)
    }
}

impl Connection {
    pub(super) fn rare(&mut self) -> &mut OptionalState {
        self.rare.get_or_insert_with(OptionalState::boxed)
    }

    /// The number of the `waiting` unsent octets that precede the end of their record.
    #[inline]
    pub(super) fn unsent_of_record(&self, waiting: u64) -> u64 {
        match &self.rare {
            Some(rare) if !rare.record_ends.is_empty() => {
                let from = self.snd.written - waiting;
                rare.record_end_after(from)
                    .map_or(waiting, |end| end - from)
            }
            _ => waiting,
        }
    }

    /// The end of a segment from `start`: `end`, or the end of the record if earlier.
    #[inline]
    pub(super) fn end_in_record(&self, start: SeqNum, end: SeqNum) -> SeqNum {
        match &self.rare {
            Some(rare) if !rare.record_ends.is_empty() => {
                let from = self.snd.offset_of(start);
                let record = rare.record_end_after(from);
                record.map_or(end, |record| end.min(start + (record - from) as u32))
            }
            _ => end,
        }
    }

    /// Whether a record ends at this stream offset.
    #[inline]
    pub(super) fn ends_record(&self, at: u64) -> bool {
        let rare = self.rare.as_ref();
        rare.is_some_and(|rare| !rare.record_ends.is_empty() && rare.is_record_end(at))
    }

    /// Marks the end of written data as the end of a record, and drops acknowledged marks.
    #[cold]
    pub(super) fn end_record(&mut self) {
        let (acked, written) = (self.snd.acked, self.snd.written);
        let ends = &mut self.rare().record_ends;
        while ends.front().is_some_and(|end| *end <= acked) {
            ends.pop_front();
        }
        ends.push_back(written);
    }

    /// Longest packet to send.
    pub(super) fn mtu(&self) -> u16 {
        let path = self.rare.as_ref().and_then(|r| r.path_mtu);
        path.map_or(self.params.mtu, |path| path.min(self.params.mtu))
    }

    /// True when nobody will read: the application has closed or, on Linux, ended both directions.
    #[inline]
    pub(super) fn is_deaf(&self) -> bool {
        let stopped = |rare: &OptionalState| rare.stopped_reading;
        self.app_closed
            || (self.params.linux_input
                && matches!(self.state, State::FinWait1 | State::FinWait2)
                && self.rare.as_deref().is_some_and(stopped))
    }

    /// True in FIN-WAIT-1 with an unacknowledged SYN.
    pub(super) fn is_closed_early(&self) -> bool {
        self.rare.as_ref().is_some_and(|r| r.closed_early)
    }

    /// True in SYN-RECEIVED with data already flowing: Fast Open (RFC 7413 section 4.2.2).
    pub(super) fn is_open_early(&self) -> bool {
        self.rare.as_ref().is_some_and(|r| r.open_early)
    }
}
