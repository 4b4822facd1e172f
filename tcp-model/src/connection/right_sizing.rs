//! Linux's growing receive buffer ("dynamic right-sizing"): it follows what the application reads per round
//! trip, up to `receive_buffer`, with room for the data beyond a gap.

use sim_core::{SimDuration, SimTime};

use super::Connection;

impl Connection {
    /// Measures the round trip at the receiver: from an ACK to the data it triggered, in order or not. A longer
    /// one than known counts only if nothing was `unread` when the data arrived.
    pub(super) fn measure_round_trip(
        &mut self,
        len: u32,
        echo: Option<u32>,
        unread: bool,
        now: SimTime,
    ) {
        let ts_now = self.ts_now(now);
        let (Some(a), Some(echo)) = (&mut self.rcv.adaptive, echo) else {
            return;
        };
        if echo == a.last_echo || len < a.mss {
            return;
        }
        a.last_echo = echo;
        let ms = ts_now.wrapping_sub(echo);
        if echo == 0 || ms >= 1 << 30 {
            return;
        }
        let sample = SimDuration::from_millis(u64::from(ms.max(1)));
        if a.rtt.is_zero() || sample < a.rtt {
            a.rtt = sample;
        } else if !unread {
            a.rtt = (a.rtt * 7 + sample) / 8;
        }
    }

    /// Linux `tcp_rcv_space_adjust`: room for twice the data read in the last round trip, plus the peer's
    /// growth. Called after the application has read `taken` octets.
    ///
    /// Linux looks after each segment that a call reads, and does not count what is still unread then: when a filled
    /// gap releases many segments that are read at once, only the first counts.
    pub(super) fn adjust_buffer(&mut self, taken: u64, now: SimTime) {
        let Some(a) = &mut self.rcv.adaptive else {
            return;
        };
        if a.rtt.is_zero() || now.since(a.space_since) < a.rtt {
            return;
        }
        let rest = taken.saturating_sub(a.mss.into());
        let unread = (self.rcv.unread + rest).min(u32::MAX.into()) as u32;
        let read_to = self.rcv.nxt - unread;
        let copied = read_to.offset_from(a.space_start).saturating_sub(unread);
        (a.space_start, a.space_since) = (read_to, now);
        if copied <= a.space {
            return;
        }
        let before = std::mem::replace(&mut a.space, copied).max(1);
        let twice = u64::from(copied) * 2;
        let growth = twice * u64::from(copied - before.min(copied)) / u64::from(before);
        self.grow_buffer_to(twice + 2 * growth);
    }

    /// Makes room for a sender in slow start when data arrive beyond a gap, which are not read until the gap is
    /// filled (since Linux 6.16).
    pub(super) fn grow_buffer_beyond_gap(&mut self) {
        if let Some(a) = &self.rcv.adaptive {
            self.grow_buffer_to(u64::from(a.space) * 2);
        }
    }

    /// Linux `tcp_rcvbuf_grow`: a buffer for `window` octets and for the data beyond a gap.
    fn grow_buffer_to(&mut self, window: u64) {
        let ahead = self.rcv.ahead.as_ref().and_then(|a| a.end());
        let beyond = ahead.map_or(0, |end| end.offset_from(self.rcv.nxt));
        let largest = u64::from(self.params.receive_buffer);
        let Some(a) = &mut self.rcv.adaptive else {
            return;
        };
        if !self.params.moderate_rcvbuf {
            return;
        }
        let memory = (window + u64::from(beyond)) * 256 / u64::from(a.ratio);
        let memory = memory.min(largest) as u32;
        if memory > a.buffer {
            let settled = a.known_clamp == a.clamp;
            a.buffer = memory;
            a.clamp = a.window_of(memory);
            if settled {
                a.known_clamp = a.clamp;
            }
        }
    }
}
