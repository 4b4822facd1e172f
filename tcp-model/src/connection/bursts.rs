//! Bursts: Linux hands several segments to the network card as one large buffer, and the card splits it
//! (TSO). The visible effect is PSH on the last segment of a burst of two or more, which makes the receiver
//! deliver and acknowledge the burst without waiting for more.
//!
//! A burst takes about a millisecond at the pacing rate, and more where the round trip is short.
//!
//! Without TSO a control may still ask for bursts when it is paced ([`CongestionControl::send_quantum`]).
//!
//! A burst that more window would make larger may wait for the next ACK, if that is expected soon.
//!
//! Leaves out that BBR lowers the least burst to one segment below 1.2 Mbit/s, and that a burst ends at the end
//! of a 64 KiB buffer.

use sim_core::{SimDuration, SimTime};

use super::Connection;
use super::spaces::{Hold, SendStop};
use crate::congestion::CongestionControl;
use crate::model::Outputs;
use crate::recovery::RecoveryPhase;
use crate::segment::Flags;
use crate::seq::SeqNum;

/// Largest burst, in octets: 64 KiB minus room for headers (`sk_gso_max_size`).
const LARGEST: u64 = 65_536 - 321;
/// The share of [`LARGEST`] added to a burst halves with every 512 microseconds of the minimum round trip
/// (`tcp_tso_rtt_log` = 9).
const RTT_STEP: u64 = 512;

/// How recently the last burst must have left, and how soon the next ACK must be expected, for a burst to wait.
const SOON: SimDuration = SimDuration::from_millis(1);
/// With `tso_win_divisor` 0, a burst with room for more than this many segments does not wait.
const ENOUGH: u64 = 3;

/// A burst being sent.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SendBurst {
    /// Segments still to come.
    left: u32,
    /// It has more than one segment.
    several: bool,
}

impl SendBurst {
    pub(super) fn of(segments: u32) -> SendBurst {
        SendBurst {
            left: segments,
            several: segments > 1,
        }
    }

    /// As [`SendBurst::of`], of segments that leave one by one: none gets PSH for being the last.
    #[inline]
    pub(super) fn one_by_one(segments: u32) -> SendBurst {
        SendBurst {
            left: segments,
            several: false,
        }
    }

    /// Whether the next segment starts a new burst.
    pub(super) fn is_over(&self) -> bool {
        self.left == 0
    }

    /// Counts a segment just sent; the last one gets PSH.
    pub(super) fn advance(&mut self, out: &mut Outputs) {
        self.left = self.left.saturating_sub(1);
        if self.left == 0
            && self.several
            && let Some(last) = out.segments.last_mut()
        {
            last.segment.flags |= Flags::PSH;
        }
    }
}

impl Connection {
    /// The burst of new text starting at SND.NXT, with `unsent` octets waiting, `usable` octets of peer
    /// window, and `pipe` octets in the network (Linux `tcp_mss_split_point`).
    #[inline(never)]
    pub(super) fn next_burst(&self, unsent: u64, usable: u32, pipe: u64) -> SendBurst {
        if self.snd.urgent > self.snd.acked {
            return SendBurst::of(1);
        }
        let mss = u64::from(self.snd.mss.max(1));
        let cwnd = self.window();
        // Keep at least two bursts in flight.
        let most = cwnd.saturating_sub(pipe).min(cwnd / 2);
        let most = (most.min(self.burst_goal()) / mss).max(1);
        let octets = unsent.min(usable.into());
        if most * mss <= octets {
            return SendBurst::of(most as u32);
        }
        let (full, rest) = ((octets / mss) as u32, (octets % mss) as u32);
        let ends = octets == unsent || self.params.fill_window;
        let with_rest = rest > 0 && self.hold_small(rest, ends).is_none();
        SendBurst::of((full + u32::from(with_rest)).max(1))
    }

    /// Why a burst of new text waits for more window, if it does (Linux `tcp_tso_should_defer`): with `unsent`
    /// octets waiting, `usable` octets of peer window, and room for `room` octets in the congestion window.
    #[inline(never)]
    pub(super) fn burst_waits(
        &self,
        unsent: u64,
        usable: u64,
        room: u64,
        now: SimTime,
    ) -> Option<SendStop> {
        let mss = u64::from(self.snd.mss.max(1));
        let limit = room.min(usable);
        if unsent <= mss || limit >= self.burst_goal() / mss * mss {
            return None;
        }
        let window = self.window().min(self.snd.wnd.into());
        let enough = match u64::from(self.params.tso_win_divisor) {
            0 => limit > ENOUGH * mss,
            divisor => limit >= window / divisor,
        };
        let planned = self
            .measure()
            .map_or(SimTime::ZERO, |m| m.next_send.min(now));
        let recent = now.since(self.snd.last_sent.max(planned)) <= SOON;
        if enough || !recent || self.recovery.phase() != RecoveryPhase::Open {
            return None;
        }
        let srtt = self.rtt.srtt()?;
        let expected = self.recovery.log()?.head_sent()? + srtt;
        if expected.since(now) > SOON.min(srtt / 2) {
            return None;
        }
        let waiting = unsent.min(LARGEST);
        match (room < usable, limit <= waiting) {
            (true, true) => Some(SendStop::CongestionWindow),
            (false, true) => Some(SendStop::PeerWindow),
            (_, false) if self.snd.fin_queued => None,
            (_, false) => Some(SendStop::SmallInFlight),
        }
    }

    /// The burst of lost octets starting at `start`: as many segments as were sent together.
    pub(super) fn next_lost_burst(&mut self, start: SeqNum, pipe: u64) -> SendBurst {
        let room = self.window().saturating_sub(pipe);
        let most = room.min(self.burst_goal()) / u64::from(self.snd.mss.max(1));
        match self.recovery.log_mut() {
            Some(log) => SendBurst::of(log.lost_together(start, most.max(1) as u32)),
            None => SendBurst::of(1),
        }
    }

    /// The segments that the congestion control lets leave together, where they need not be handed over as one
    /// buffer.
    #[inline(never)]
    pub(super) fn next_quantum(&self) -> SendBurst {
        let paced = self.measure().is_some();
        match paced.then(|| self.cc.send_quantum()).flatten() {
            Some(bytes) => SendBurst::one_by_one((bytes / u64::from(self.snd.mss.max(1))) as u32),
            None => SendBurst::one_by_one(1),
        }
    }

    /// Octets of a burst according to the pacing rate and the minimum round trip (Linux
    /// `tcp_tso_autosize`).
    fn burst_goal(&self) -> u64 {
        let Some(srtt) = self.rtt.srtt() else {
            return LARGEST;
        };
        let micros = |d: SimDuration| d.as_ps() / 1_000_000;
        let rate = match self.cc.pacing_rate() {
            Some(rate) => rate.as_bps() / 8,
            None => {
                let cwnd = self.window();
                let percent = match self.cc.ssthresh() {
                    Some(threshold) if cwnd >= threshold / 2 => self.params.pacing_ca_ratio,
                    _ => self.params.pacing_ss_ratio,
                };
                let window = cwnd.max(self.snd.flight().into()).min(u32::MAX.into());
                window * u64::from(percent) * 10_000 / micros(srtt).max(1)
            }
        };
        let min_rtt = self.recovery.log().and_then(|log| log.min_rtt());
        let steps = micros(min_rtt.unwrap_or(srtt)) / RTT_STEP;
        let near = LARGEST.checked_shr(steps.min(64) as u32).unwrap_or(0);
        let least = u64::from(self.params.min_burst) * u64::from(self.snd.mss);
        ((rate >> 10) + near).min(LARGEST).max(least)
    }

    /// PSH for text from one stream offset to another: where the application pushed, or at the last unsent
    /// octet (MUST-61). Linux omits the latter for `MSG_MORE`.
    pub(super) fn pushes(&self, from: u64, to: u64) -> bool {
        let last =
            to == self.snd.written && (self.params.push_last || self.snd.hold == Hold::Probe);
        last || (from < self.snd.pushed && self.snd.pushed <= to)
    }
}
