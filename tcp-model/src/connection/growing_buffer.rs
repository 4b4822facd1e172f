//! FreeBSD's growing receive buffer: by half whenever more than three eighths of it arrive in a round trip
//! (`tcp_autorcvbuf`), from `receive_buffer_start` to `receive_buffer`.
//!
//! Difference: FreeBSD measures the round trip from an ACK it sends, this model from the first data.

use sim_core::SimTime;

use super::Connection;
use crate::seq::SeqNum;

/// The round trip in which data are being counted.
#[derive(Clone, Copy, Debug, Hash)]
pub(super) struct BufferGrowth {
    /// RCV.NXT at its start.
    start: SeqNum,
    since: SimTime,
}

impl Connection {
    /// Grows the buffer if necessary when data have arrived in order, up to RCV.NXT.
    #[inline(never)]
    pub(super) fn grow_buffer(&mut self, now: SimTime) {
        let (buffer, most) = (self.rcv.buffer, self.params.offered_buffer());
        let Some(round_trip) = self.rtt.srtt().filter(|_| buffer < most) else {
            return;
        };
        let next = BufferGrowth {
            start: self.rcv.nxt,
            since: now,
        };
        let growth = self.rare().growth.get_or_insert(next);
        if now.since(growth.since) <= round_trip {
            return;
        }
        let counted = next.start.offset_from(growth.start);
        *growth = next;
        if counted > buffer / 8 * 3 {
            self.rcv.buffer = (buffer + buffer / 2).min(most);
        }
    }
}
