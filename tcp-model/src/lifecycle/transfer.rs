//! The transfer by formula: rounds of slow start, share of the rate, loss.

use sim_core::rng::mix;
use sim_core::{SimDuration, SimTime};

use super::{Lifecycle, OFF};
use crate::model::{Outputs, Signal};
use crate::params::IdleRestart;
use crate::resend_rule::RetransmitReason;
use crate::segment::Flags;
use crate::seq::SeqNum;
use crate::state::State;

/// Maximum octets of text in a packet: an IP packet of 65,535 octets, minus its headers.
const LARGEST: u32 = 65_535 - 80;
/// Sequence numbers that may be outstanding: well below half of the sequence space.
const MOST_OUTSTANDING: u32 = 1 << 30;
const MILLION: f64 = 1e6;

/// The sender's rounds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rounds {
    /// Octets of a round.
    pub(super) window: u32,
    /// Octets that may still be sent in this one.
    left: u32,
    /// When the next may begin.
    next: SimTime,
    /// The window grows by a segment in each round.
    linear: bool,
    /// The next round has already been delayed by a loss.
    delayed: bool,
    last_sent: SimTime,
    went_back: SimTime,
}

impl Default for Rounds {
    fn default() -> Self {
        Rounds {
            window: 0,
            left: 0,
            next: SimTime::ZERO,
            linear: false,
            delayed: false,
            last_sent: SimTime::ZERO,
            went_back: SimTime::ZERO,
        }
    }
}

impl Rounds {
    pub(super) fn start(&mut self, window: u32) {
        self.window = window;
        self.left = window;
    }

    /// Whether the sender may go back: not before the answer to the last time it did so.
    pub(super) fn may_go_back(&self, now: SimTime) -> bool {
        self.went_back <= now
    }

    pub(super) fn after_timeout(&mut self, mss: u32) {
        (self.window, self.left, self.linear) = (mss, mss, false);
    }

    /// Grows the window after a round: as on Linux, slow start adds what was sent, if that was more
    /// than half of the window.
    fn grow(&mut self, mss: u32, most: u32) {
        let sent = self.window.saturating_sub(self.left);
        let more = match self.linear {
            true if self.left == 0 => mss,
            false if sent > self.window / 2 => sent,
            _ => 0,
        };
        self.window = self.window.saturating_add(more).min(most).max(mss);
    }
}

impl Lifecycle {
    pub(super) fn outstanding(&self) -> u32 {
        self.nxt.offset_from(self.una)
    }

    /// Whether the FIN has taken its sequence number.
    pub(super) fn is_fin_sent(&self) -> bool {
        let sent = matches!(
            self.state,
            State::FinWait1 | State::FinWait2 | State::Closing | State::LastAck
        );
        sent && !self.fin_queued
    }

    /// Octets that a write may still add: data already sent no longer count.
    pub(super) fn room(&self) -> u64 {
        let open = matches!(
            self.state,
            State::SynSent | State::SynReceived | State::Established | State::CloseWait
        );
        if !open || self.fin_queued {
            return 0;
        }
        self.params
            .send_capacity(self.mss)
            .saturating_sub(self.unsent)
    }

    pub(super) fn signal_room(&mut self, out: &mut Outputs) {
        let room = self.room();
        if self.blocked && room >= self.params.send_capacity(self.mss) / 3 {
            self.blocked = false;
            out.signals.push(Signal::Writable(room));
        }
    }

    /// The largest window: the size of the buffers, assumed to be the same at both ends.
    fn largest_window(&self) -> u32 {
        let buffer = self
            .params
            .send_capacity(self.mss)
            .min(MOST_OUTSTANDING.into()) as u32;
        buffer.min(self.params.offered_buffer()).max(self.mss)
    }

    fn may_send(&self) -> bool {
        use State::{CloseWait, Closing, Established, FinWait1, LastAck};
        matches!(
            self.state,
            Established | CloseWait | FinWait1 | Closing | LastAck
        )
    }

    /// When the next round is sent; [`OFF`] if nothing waits for it.
    pub(super) fn next_round(&self) -> SimTime {
        let waits = self.unsent > 0 && self.may_send() && self.has_window();
        if waits { self.rounds.next } else { OFF }
    }

    /// Whether more may be outstanding: at most twice the largest window, however long the network delays ACKs.
    fn has_window(&self) -> bool {
        self.outstanding() / 2 < self.largest_window()
    }

    /// Sends what may be sent now, and the FIN after the last octet.
    pub(super) fn transfer(&mut self, now: SimTime, out: &mut Outputs) {
        if !self.may_send() {
            return;
        }
        while self.unsent > 0 && self.has_window() {
            if now >= self.rounds.next && !self.begin_round(now) {
                break;
            }
            let most = self.rounds.left.min(LARGEST);
            let octets = self.unsent.min(most.into()) as u32;
            if octets == 0 {
                break;
            }
            self.rounds.left -= octets;
            self.unsent -= u64::from(octets);
            self.send_text(octets, now, out);
        }
        if self.unsent == 0 && self.fin_queued {
            self.fin_queued = false;
            match out.segments.last_mut() {
                Some(last) if last.segment.len > 0 => last.segment.flags |= Flags::FIN,
                _ => {
                    let fin = self.header(Flags::FIN | Flags::ACK, self.nxt, now);
                    self.emit(fin, None, out);
                }
            }
            self.nxt += 1;
            self.arm_rto(now);
        }
        if self.blocked {
            self.signal_room(out);
        }
    }

    fn send_text(&mut self, octets: u32, now: SimTime, out: &mut Outputs) {
        let mut segment = self.header(Flags::ACK, self.nxt, now);
        segment.len = octets;
        segment.tag.offset = self.nxt.offset_from(self.iss + 1).into();
        if self.unsent == 0 {
            segment.flags |= Flags::PSH;
        }
        self.nxt += octets;
        self.rounds.last_sent = now;
        self.emit(segment, None, out);
        self.arm_rto(now);
    }

    /// Begins a round; false when a loss delays it.
    fn begin_round(&mut self, now: SimTime) -> bool {
        let (mss, most) = (self.mss, self.largest_window());
        let idle = now.since(self.rounds.last_sent) > self.rtt.rto();
        let first = self.rounds.last_sent == SimTime::ZERO;
        if !first && idle && self.params.idle_restart != IdleRestart::Off {
            let initial = self.params.initial_window.max(1) * mss;
            self.rounds.window = self.rounds.window.min(initial);
        } else if !self.rounds.delayed {
            self.rounds.grow(mss, most);
        }
        let octets = self.unsent.min(self.rounds.window.into()) as u32;
        let round = self.round_trip().max(self.time_at_rate(octets));
        if !self.rounds.delayed
            && let Some(delay) = self.delay_of_loss(octets, round)
        {
            self.rounds.delayed = true;
            self.rounds.next = now.saturating_add(delay);
            return false;
        }
        self.rounds.delayed = false;
        self.rounds.left = self.rounds.window;
        self.rounds.next = now.saturating_add(round);
        true
    }

    /// The time that this many octets take at the connection's share of the rate.
    fn time_at_rate(&self, octets: u32) -> SimDuration {
        match self.params.lifecycle_rate {
            // Bits divided by kbit/s are milliseconds.
            Some(kbit) => {
                SimDuration::from_secs_f64(8e-3 * f64::from(octets) / f64::from(kbit.max(1)))
            }
            None => SimDuration::ZERO,
        }
    }

    /// How much a loss in a round of this many octets delays it; `None` if there is no loss.
    fn delay_of_loss(&mut self, octets: u32, round: SimDuration) -> Option<SimDuration> {
        if self.params.lifecycle_loss == 0 {
            return None;
        }
        let segments = octets.div_ceil(self.mss.max(1));
        let kept = 1.0 - f64::from(self.params.lifecycle_loss) / MILLION;
        // The draw is a function of connection and sequence number, since a model has no random source.
        let place = u64::from(self.nxt.offset_from(self.iss));
        let side = u64::from(self.passive) << 63;
        let drawn = mix(mix(self.conn.0 ^ side) ^ place) >> 11;
        let drawn = drawn as f64 / (1u64 << 53) as f64;
        if drawn < libm::pow(kept, f64::from(segments)) {
            return None;
        }
        self.counts.retransmissions += 1;
        self.rounds.linear = true;
        if segments < 4 {
            self.counts.timeouts += 1;
            self.rounds.window = self.mss;
            return Some(self.rtt.rto());
        }
        self.counts.fast_recoveries += 1;
        self.rounds.window = (self.rounds.window / 2).max(2 * self.mss);
        Some(round)
    }

    /// Retransmits everything outstanding.
    pub(super) fn go_back(&mut self, why: RetransmitReason, now: SimTime, out: &mut Outputs) {
        self.rounds.went_back = now.saturating_add(self.round_trip());
        let fin = self.is_fin_sent() && self.outstanding() > 0;
        let end = SeqNum(self.nxt.0.wrapping_sub(u32::from(fin)));
        let mut from = self.una;
        loop {
            let octets = end.offset_from(from).min(LARGEST);
            let is_last = from + octets == end;
            let mut segment = self.header(Flags::ACK, from, now);
            segment.len = octets;
            segment.tag.offset = from.offset_from(self.iss + 1).into();
            if is_last && fin {
                segment.flags |= Flags::FIN;
            }
            if segment.seq_len() > 0 {
                self.emit(segment, Some(why), out);
            }
            from += octets;
            if is_last {
                break;
            }
        }
        self.rto_at = OFF;
        self.arm_rto(now);
    }
}
