//! Linux's acknowledgement policy: quick ACKs, interactive (pingpong) mode, and a delay that follows the
//! pace of the data.
//!
//! The first segments, and those after a pause longer than the time-out, are acknowledged at once ("quick
//! ACKs"), because the peer is in slow start. A reply sent soon after data makes the connection
//! interactive: ACKs then wait for the next reply. A delayed ACK that no reply carried ends interactive
//! mode. When the application has read everything, a connection that is not interactive acknowledges at
//! once. The first three duplicate ACKs for a gap are sent at once, later ones are merged for about a
//! millisecond, since SACK gives the sender the same information.
//!
//! A waiting ACK leaves early if the segment that arrives begins or extends a third SACK block or a later one,
//! since with timestamps an ACK has room for only three blocks, and a D-SACK may take one.

use sim_core::{SimDuration, SimTime};

use super::Connection;
use super::adaptive::Adaptive;
use super::text::AckNeed;
use crate::model::Outputs;
use crate::seq::SeqNum;

/// Changes to this many SACK blocks may wait; a change to a further one sends the waiting ACK
/// (`TCP_SACK_BLOCKS_EXPECTED`).
const EXPECTED_BLOCKS: usize = 2;
/// Maximum delay of an ACK (`TCP_DELACK_MAX`).
const LONGEST: SimDuration = SimDuration::from_millis(200);

impl Adaptive {
    /// See [`Connection::note_ack_sent`]; `least` is the shortest delay of an ACK.
    #[inline(never)]
    fn note_ack_sent(&mut self, least: SimDuration) {
        if self.scheduled && self.quick > 0 {
            self.quick -= 1;
            if self.quick == 0 {
                self.ato = least;
            }
        }
        (self.scheduled, self.pushed, self.pushed_twice) = (false, false, false);
        self.compressed = 0;
        self.due = SimTime::MAX;
    }
}

impl Connection {
    /// Linux `tcp_event_data_recv`: adapts the delay to the time between segments.
    pub(super) fn measure_pace(&mut self, now: SimTime) {
        let (least, rto) = (self.params.delayed_ack, self.rtt.rto());
        let timers = self.params.timers;
        let now = timers.clock(now);
        let Some(a) = &mut self.rcv.adaptive else {
            return;
        };
        let half = timers.round_down(a.ato / 2);
        let gap = now.since(a.last_data);
        let first = a.ato.is_zero();
        if first {
            a.ato = least;
        } else if gap <= timers.round_down(least / 2) {
            a.ato = half + timers.round_down(least / 2);
        } else if gap < a.ato {
            a.ato = (half + gap).min(rto);
        }
        let pause = !first && gap > rto && gap >= a.ato;
        a.last_data = now;
        if first || pause {
            self.add_quick_acks();
        }
    }

    /// Linux `tcp_incr_quickack`: one quick ACK for each segment in half the window, within limits.
    pub(super) fn add_quick_acks(&mut self) {
        self.add_quick_acks_up_to(self.params.quick_acks);
    }

    fn add_quick_acks_up_to(&mut self, most: u32) {
        let offered = self.rcv.edge.offset_from(self.rcv.acked);
        if let Some(a) = &mut self.rcv.adaptive {
            let fill = (offered / (2 * a.mss.max(1))).max(2);
            a.quick = a.quick.max(fill.min(most));
        }
    }

    /// Linux `tcp_enter_quickack_mode`: after a disturbance, inform the peer quickly.
    pub(super) fn enter_quick_acks(&mut self) {
        self.enter_quick_acks_up_to(self.params.quick_acks);
    }

    /// The same with at most `most` quick ACKs.
    pub(super) fn enter_quick_acks_up_to(&mut self, most: u32) {
        self.add_quick_acks_up_to(most);
        let least = self.params.delayed_ack;
        if let Some(a) = &mut self.rcv.adaptive {
            a.interactive = false;
            a.ato = least;
        }
    }

    /// Enters interactive mode because the peer has closed and a reply is expected (Linux `tcp_fin`).
    pub(super) fn expect_reply(&mut self) {
        if let Some(a) = &mut self.rcv.adaptive {
            a.interactive = true;
            a.scheduled = true;
        }
    }

    /// Linux `__tcp_ack_snd_check`, for data in order.
    pub(super) fn adaptive_ack(&self, filled_gap: bool) -> AckNeed {
        let Some(a) = &self.rcv.adaptive else {
            // For a FIN before any data the delay is still zero: acknowledge at the next tick.
            return match self.params.timers.tick() {
                None => AckNeed::Now,
                Some(_) => AckNeed::Delayed,
            };
        };
        let waiting = self.rcv.nxt.offset_from(self.rcv.acked);
        let offered = self.rcv.edge.offset_from(self.rcv.acked);
        let full = waiting > a.mss && (self.rcv.unread == 0 || self.select_window(a) >= offered);
        let quick = a.quick > 0 && !a.interactive;
        if full || quick || filled_gap || self.delayed_ack_is_off() {
            AckNeed::Now
        } else {
            AckNeed::Delayed
        }
    }

    /// Linux `__tcp_ack_snd_check`, for data beyond a gap. MAY-13 and RFC 5681 section 4.2 ask for an
    /// immediate duplicate ACK.
    ///
    /// Deviation: if the receiver is adaptive and the peer supports SACK, only the first three are
    /// immediate.
    pub(super) fn ack_beyond_gap(&mut self) -> AckNeed {
        let most = self.params.compressed_acks;
        let (nxt, sack) = (self.rcv.nxt, self.rcv.sack_ok);
        let Some(a) = &mut self.rcv.adaptive else {
            return AckNeed::Always;
        };
        a.scheduled = true;
        if (a.quick > 0 && !a.interactive) || !sack || a.compressed >= most {
            return AckNeed::Always;
        }
        if a.gap_start != Some(nxt) {
            (a.gap_start, a.duplicates) = (Some(nxt), 0);
        }
        if a.duplicates < 3 {
            a.duplicates += 1;
            return AckNeed::Always;
        }
        a.compressed += 1;
        AckNeed::Compressed
    }

    /// Sends a waiting ACK before `start..end`, beyond a gap, begins a third block or a later one. If it extends
    /// one, returns its place: the ACK then leaves with the extended block
    /// ([`Connection::flush_with_block_at`]).
    pub(super) fn flush_before_new_block(
        &mut self,
        start: SeqNum,
        end: SeqNum,
        now: SimTime,
        out: &mut Outputs,
    ) -> Option<usize> {
        let waits = self.rcv.adaptive.as_ref().is_some_and(|a| a.compressed > 0);
        let ahead = self.rcv.ahead.as_ref().filter(|_| waits)?;
        let place = ahead.place(start, end);
        if place.is_none() && ahead.blocks().count() >= EXPECTED_BLOCKS {
            self.send_ack(now, out);
        }
        place.filter(|place| *place >= EXPECTED_BLOCKS)
    }

    /// Sends the waiting ACK with the block just extended at its former `place`.
    pub(super) fn flush_with_block_at(&mut self, place: usize, now: SimTime, out: &mut Outputs) {
        self.move_first_block(place, false);
        self.send_ack(now, out);
        self.move_first_block(place, true);
    }

    fn move_first_block(&mut self, place: usize, back: bool) {
        if let Some(ahead) = &mut self.rcv.ahead {
            ahead.move_first(place, back);
        }
    }

    /// Holds a duplicate ACK back to merge it with later ones.
    pub(super) fn compress_ack(&mut self, now: SimTime) {
        let srtt = self.rtt.srtt().unwrap_or(SimDuration::from_secs(1));
        if let (Some(a), SimTime::MAX) = (&self.rcv.adaptive, self.timers.ack) {
            let delay = self.params.ack_compression_delay.min(a.rtt.min(srtt) / 20);
            // A high-resolution timer, not on the timer wheel.
            self.timers.ack = now + delay + self.params.ack_compression_slack;
        }
    }

    /// The SYN-ACK arrived while data wait to be sent: these will carry the ACK, and the connection becomes
    /// interactive (Linux `tcp_rcv_synsent_state_process`: "save one ACK").
    pub(super) fn expect_own_data(&mut self, now: SimTime) {
        if !self.params.adaptive_receiver {
            return;
        }
        let clock = self.params.timers.clock(now);
        self.adaptive(now).last_data = clock;
        self.enter_quick_acks();
    }

    /// Holds the last ACK of the handshake back for data, up to the maximum delay; false without adaptive
    /// ACKs.
    pub(super) fn hold_ack(&mut self, now: SimTime) -> bool {
        let clock = self.params.timers.clock(now);
        let Some(a) = &mut self.rcv.adaptive else {
            return false;
        };
        a.scheduled = true;
        a.due = clock + LONGEST;
        self.timers.ack = self.expiry(now, LONGEST);
        true
    }

    /// Notes that an ACK is sent, on any segment (Linux `tcp_event_ack_sent`).
    #[inline]
    pub(super) fn note_ack_sent(&mut self) {
        let least = self.params.delayed_ack;
        if let Some(adaptive) = &mut self.rcv.adaptive {
            adaptive.note_ack_sent(least);
        }
    }

    /// Notes that data are sent; soon after received data, they are a reply (Linux `tcp_event_data_sent`).
    #[inline(never)]
    pub(super) fn note_data_sent(&mut self, now: SimTime) {
        let now = self.params.timers.clock(now);
        if let Some(a) = &mut self.rcv.adaptive {
            a.interactive |= now.since(a.last_data) < a.ato;
        }
    }

    /// Linux `tcp_send_delayed_ack`: never later than a pending delayed ACK, and at once if that is nearly
    /// due.
    pub(super) fn delay_ack_adaptively(&mut self, now: SimTime, out: &mut Outputs) {
        let (least, srtt) = (self.params.delayed_ack, self.rtt.srtt());
        let timers = self.params.timers;
        let clock = timers.clock(now);
        let waits = self.timers.ack != SimTime::MAX;
        let Some(a) = &mut self.rcv.adaptive else {
            if !waits {
                self.timers.ack = self.expiry(now, SimDuration::ZERO);
            }
            return;
        };
        let mut delay = a.ato.max(SimDuration::from_ps(1));
        if delay > least {
            let mut most = timers.round_up(SimDuration::from_millis(500));
            if a.interactive || a.pushed {
                most = LONGEST;
            }
            if let Some(srtt) = srtt {
                most = most.min(timers.round_up(srtt).max(least));
            }
            delay = delay.min(most);
        }
        delay = delay.min(LONGEST);
        let mut due = clock + delay;
        if waits {
            if a.due <= clock + timers.round_down(delay / 4) {
                self.send_ack(now, out);
                return;
            }
            due = due.min(a.due);
            if due == a.due {
                return;
            }
        }
        a.due = due;
        self.timers.ack = self.expiry(now, due.since(clock));
    }

    /// The delayed ACK is due and no segment has carried it (Linux `tcp_delack_timer_handler`).
    pub(super) fn on_delayed_ack_timeout(&mut self, now: SimTime, out: &mut Outputs) {
        let (least, rto) = (self.params.delayed_ack, self.rtt.rto());
        if let Some(a) = &mut self.rcv.adaptive
            && a.compressed == 0
        {
            if a.interactive {
                a.interactive = false;
                a.ato = least;
            } else {
                a.ato = (a.ato * 2).min(rto);
            }
        }
        self.send_ack(now, out);
    }

    /// Whether a read by the application calls for an ACK (Linux `tcp_cleanup_rbuf`).
    pub(super) fn read_calls_for_ack(&self) -> bool {
        let Some(a) = &self.rcv.adaptive else {
            return false;
        };
        let waiting = self.rcv.nxt.offset_from(self.rcv.acked);
        let gap = self.rcv.ahead.as_ref().is_some_and(|a| a.has_gap());
        let emptied = self.rcv.unread == 0 && !gap;
        let end_of_message = a.pushed_twice || (a.pushed && !a.interactive);
        if a.scheduled && (waiting > a.mss || (end_of_message && emptied)) {
            return true;
        }
        // A lot of room: the window at least doubles.
        let offered = self.rcv.window();
        if self.rcv.fin_received || u64::from(offered) * 2 > u64::from(a.clamp) {
            return false;
        }
        let window = self.select_window(a);
        window > 0 && u64::from(window) >= 2 * u64::from(offered)
    }
}
