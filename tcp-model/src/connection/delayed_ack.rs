//! When Linux acknowledges: quick ACKs, interactive connections, and a delay that follows the pace
//! of the data.
//!
//! The first segments, and those after a pause longer than the time-out, are acknowledged at once
//! ("quick ACKs"), because the peer is in slow start. A reply sent soon after data makes the
//! connection interactive: ACKs then wait for the next reply. A delayed ACK that no reply carried
//! ends that. When the application has read all there is, a connection that is not interactive
//! acknowledges at once. Of the duplicate ACKs for one gap the first three go at once, and later ones
//! within a millisecond or so, one for all: SACK tells the sender as much.
//!
//! Leaves out that a fifth SACK block lets the ACK that waits go first.

use sim_core::{SimDuration, SimTime};

use super::Connection;
use super::text::AckNeed;
use crate::model::Outputs;

/// No ACK is delayed longer (`TCP_DELACK_MAX`).
const LONGEST: SimDuration = SimDuration::from_millis(200);

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

    /// Linux `tcp_incr_quickack`: as many as would fill half the window, within limits.
    pub(super) fn add_quick_acks(&mut self) {
        let offered = self.rcv.edge.offset_from(self.rcv.acked);
        let most = self.params.quick_acks;
        if let Some(a) = &mut self.rcv.adaptive {
            let fill = (offered / (2 * a.mss.max(1))).max(2);
            a.quick = a.quick.max(fill.min(most));
        }
    }

    /// Linux `tcp_enter_quickack_mode`: something is wrong, and the peer should know soon.
    pub(super) fn enter_quick_acks(&mut self) {
        self.add_quick_acks();
        let least = self.params.delayed_ack;
        if let Some(a) = &mut self.rcv.adaptive {
            a.interactive = false;
            a.ato = least;
        }
    }

    /// The peer has closed: what remains to be said is a reply (Linux `tcp_fin`).
    pub(super) fn expect_reply(&mut self) {
        if let Some(a) = &mut self.rcv.adaptive {
            a.interactive = true;
            a.scheduled = true;
        }
    }

    /// Linux `__tcp_ack_snd_check`, for data in order.
    pub(super) fn adaptive_ack(&self, filled_gap: bool) -> AckNeed {
        let Some(a) = &self.rcv.adaptive else {
            // A FIN before any data: the delay is still zero, so the next tick.
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
    /// Deviation: where the receiver adapts and the peer knows SACK, only for the first three.
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

    /// A duplicate ACK waits for others.
    pub(super) fn compress_ack(&mut self, now: SimTime) {
        let srtt = self.rtt.srtt().unwrap_or(SimDuration::from_secs(1));
        if let (Some(a), SimTime::MAX) = (&self.rcv.adaptive, self.timers.ack) {
            let delay = self.params.ack_compression_delay.min(a.rtt.min(srtt) / 20);
            // A timer of its own, not of the wheel.
            self.timers.ack = now + delay + self.params.ack_compression_slack;
        }
    }

    /// The SYN-ACK came while a writer waits: its data will carry the ACK, and are the beginning of a
    /// dialogue (Linux `tcp_rcv_synsent_state_process`: "save one ACK").
    pub(super) fn expect_own_data(&mut self, now: SimTime) {
        if !self.params.adaptive_receiver {
            return;
        }
        let clock = self.params.timers.clock(now);
        self.adaptive(now).last_data = clock;
        self.enter_quick_acks();
    }

    /// The last ACK of the handshake waits for data, as long as any ACK may; false where ACKs do not
    /// adapt.
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

    /// An ACK leaves, on whatever segment (Linux `tcp_event_ack_sent`).
    pub(super) fn note_ack_sent(&mut self) {
        let least = self.params.delayed_ack;
        let Some(a) = &mut self.rcv.adaptive else {
            return;
        };
        if a.scheduled && a.quick > 0 {
            a.quick -= 1;
            if a.quick == 0 {
                a.ato = least;
            }
        }
        (a.scheduled, a.pushed, a.pushed_twice) = (false, false, false);
        a.compressed = 0;
        a.due = SimTime::MAX;
    }

    /// Data leave: soon after other data came, that is a reply (Linux `tcp_event_data_sent`).
    pub(super) fn note_data_sent(&mut self, now: SimTime) {
        let now = self.params.timers.clock(now);
        if let Some(a) = &mut self.rcv.adaptive {
            a.interactive |= now.since(a.last_data) < a.ato;
        }
    }

    /// Linux `tcp_send_delayed_ack`: never later than one that waits already; at once when that is
    /// nearly due.
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

    /// The delayed ACK is due and nothing has carried it (Linux `tcp_delack_timer_handler`).
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

    /// The application has read (Linux `tcp_cleanup_rbuf`): whether that calls for an ACK.
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
        // "Lots" of room: the window at least doubles.
        let offered = self.rcv.window();
        if self.rcv.fin_received || u64::from(offered) * 2 > u64::from(a.clamp) {
            return false;
        }
        let window = self.select_window(a);
        window > 0 && u64::from(window) >= 2 * u64::from(offered)
    }
}
