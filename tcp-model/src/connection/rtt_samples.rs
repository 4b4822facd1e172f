//! Round-trip times measured by ACKs: by timestamps, or by the log of segments sent.

use sim_core::{SimDuration, SimTime};

use super::Connection;
use crate::recovery::DeliveredSegments;
use crate::segment::Segment;
use crate::ts_clock::ticks_end;

impl Connection {
    /// RFC 8985 section 6.2 step 2: an ACK whose echoed timestamp is older than a retransmission
    /// was not caused by it. Before the blocks of an ACK are processed (`sack`), Linux forgets the timestamp: it
    /// checks segments that a block reports only against the minimum round trip.
    pub(super) fn note_echo(&mut self, seg: &Segment, sack: bool, now: SimTime) {
        if !self.rcv.ts_ok {
            return;
        }
        if sack && self.params.linux_cwnd {
            if let Some(log) = self.recovery.log_mut() {
                log.set_echo_before(None);
            }
            return;
        }
        let offset = self.ts_offset;
        if let Some(log) = self.recovery.log_mut() {
            let echo = seg.options.timestamps().filter(|_| log.resent() > 0);
            log.set_echo_before(echo.and_then(|(_, e)| ticks_end(e.wrapping_sub(offset), now)));
        }
    }

    pub(super) fn sample_rtt(&mut self, rtt: SimDuration) -> SimDuration {
        let bounds = self.bounds();
        self.rtt.on_sample(rtt, self.snd.una, self.snd.nxt, &bounds);
        rtt
    }

    /// Takes a round-trip sample: an exact one from the timed segment, otherwise one in milliseconds from
    /// the echoed timestamp, which is valid for retransmitted segments too (RFC 7323 section 4).
    pub(super) fn take_rtt(&mut self, seg: &Segment, now: SimTime) -> Option<SimDuration> {
        match self.snd.timed {
            Some((end, sent)) if seg.ack.at_or_after(end) => {
                self.snd.timed = None;
                Some(self.sample_rtt(now.since(sent)))
            }
            Some(_) => None,
            None => self.take_echoed_rtt(seg, now),
        }
    }

    /// The same with a log: every acknowledgement of new data gives a sample.
    pub(super) fn take_logged_rtt(
        &mut self,
        delivered: &DeliveredSegments,
        seg: &Segment,
        now: SimTime,
    ) -> Option<SimDuration> {
        match delivered.first_sent {
            Some(sent) => Some(self.sample_rtt(now.since(sent))),
            None if delivered.resent => self.take_echoed_rtt(seg, now),
            None => None,
        }
    }

    #[inline(never)]
    pub(super) fn take_echoed_rtt(&mut self, seg: &Segment, now: SimTime) -> Option<SimDuration> {
        let (true, Some((_, echo))) = (self.rcv.ts_ok, seg.options.timestamps()) else {
            return None;
        };
        let ms = self.ts_now(now).wrapping_sub(echo);
        let sane = echo != 0 && ms < 1 << 30;
        sane.then(|| self.sample_rtt(SimDuration::from_millis(u64::from(ms.max(1)))))
    }
}
