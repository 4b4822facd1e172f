//! Timers and what happens when they expire (RFC 9293 sections 3.8 and 3.10.8).

use sim_core::{SimDuration, SimTime};

use super::Connection;
use super::tail_loss_probe::Purpose;
use crate::congestion::{Congestion, CongestionControl, CongestionEvent};
use crate::model::{ConnectionEnd, Outputs, Signal};
use crate::params::GiveUp;
use crate::recovery::RecoveryPhase;
use crate::resend_rule::RetransmitReason;
use crate::state::State;
use crate::state_machine::StateMachine as _;

/// Deadlines as data; `SimTime::MAX` is off.
#[derive(Clone, Copy, Debug, Hash)]
pub(super) struct ConnectionTimers {
    /// Retransmission.
    pub(super) rto: SimTime,
    /// Zero-window probe.
    pub(super) persist: SimTime,
    /// Delayed ACK.
    pub(super) ack: SimTime,
    /// 2 MSL in TIME-WAIT, `fin_timeout` in FIN-WAIT-2.
    pub(super) state: SimTime,
    /// Keep-alive.
    pub(super) keepalive: SimTime,
    /// When the octets now being retransmitted or probed for were first sent.
    pub(super) first_sent: SimTime,
    /// When they were first retransmitted.
    pub(super) first_resent: SimTime,
    /// Retransmissions of them, or unanswered probes.
    pub(super) retries: u32,
    /// The purpose of `rto`.
    pub(super) purpose: Purpose,
    /// The interval of window probes is RTO times two to the power of this.
    pub(super) probe_backoff: u8,
    /// Unanswered keep-alive probes.
    pub(super) keepalive_sent: u16,
    /// The first half of a split wait in FIN-WAIT-2 is over.
    pub(super) half_waited: bool,
    /// When the last segment from the peer arrived.
    pub(super) heard: SimTime,
    /// Timers of the wheel are being processed: timers set meanwhile count from the next tick.
    pub(super) expiring: bool,
}

impl Default for ConnectionTimers {
    fn default() -> Self {
        let off = SimTime::MAX;
        ConnectionTimers {
            rto: off,
            persist: off,
            ack: off,
            state: off,
            keepalive: off,
            first_sent: SimTime::ZERO,
            first_resent: SimTime::ZERO,
            retries: 0,
            purpose: Purpose::Retransmit,
            probe_backoff: 0,
            keepalive_sent: 0,
            half_waited: false,
            heard: SimTime::ZERO,
            expiring: false,
        }
    }
}

impl ConnectionTimers {
    /// Retransmission time-outs in a row.
    pub(super) fn retransmissions(&self) -> u32 {
        if self.persist == SimTime::MAX {
            self.retries
        } else {
            0
        }
    }

    /// Window probes in a row without an answer.
    pub(super) fn probes(&self) -> u32 {
        self.retries - self.retransmissions()
    }

    /// The earliest deadline; `SimTime::MAX` when all are off.
    pub(super) fn next(&self) -> SimTime {
        self.rto
            .min(self.persist)
            .min(self.ack)
            .min(self.state)
            .min(self.keepalive)
    }
}

/// True when a timer is due; switches it off.
fn due(timer: &mut SimTime, now: SimTime) -> bool {
    let due = *timer <= now;
    if due {
        *timer = SimTime::MAX;
    }
    due
}

impl Connection {
    #[inline(never)]
    pub(super) fn on_timeout(&mut self, now: SimTime, out: &mut Outputs) {
        self.timers.expiring = true;
        self.on_wheel_timers(now, out);
        self.timers.expiring = false;
        if self.pace_is_due(now) {
            self.transmit(now, out); // paced by a clock of its own
        }
    }

    fn on_wheel_timers(&mut self, now: SimTime, out: &mut Outputs) {
        if due(&mut self.timers.ack, now) {
            self.on_delayed_ack_timeout(now, out);
        }
        if due(&mut self.timers.state, now) {
            self.on_state_timeout(now, out);
            return;
        }
        if due(&mut self.timers.rto, now) {
            match self.timers.purpose {
                Purpose::Retransmit => self.on_retransmission_timeout(now, out),
                Purpose::Probe => self.on_probe_timeout(now, out),
                Purpose::Reordering => self.on_reordering_timeout(now, out),
            }
        }
        if due(&mut self.timers.persist, now) {
            self.on_persist_timeout(now, out);
        }
        if due(&mut self.timers.keepalive, now) {
            self.on_keepalive_timeout(now, out);
        }
    }

    /// The end of 2 MSL, or of an orphan's wait for the peer's FIN.
    fn on_state_timeout(&mut self, now: SimTime, out: &mut Outputs) {
        match self.state {
            State::TimeWait => self.forget(out),
            State::FinWait2 => match self.split_wait() {
                Some(half) if !self.timers.half_waited => {
                    self.timers.half_waited = true;
                    self.timers.state = self.expiry(now, half);
                }
                _ => self.end(ConnectionEnd::FinWaitExpired, out),
            },
            _ => {}
        }
    }

    /// An orphan's wait in FIN-WAIT-2: at least 3.5 time-outs, as on Linux.
    fn fin_wait(&self) -> Option<SimDuration> {
        let wait = self.params.fin_timeout?;
        if !self.params.split_fin_timeout {
            return Some(wait);
        }
        Some(wait.max(self.rtt.rto() * 7 / 2))
    }

    /// Each half of the wait, if it is split.
    fn split_wait(&self) -> Option<SimDuration> {
        let beyond = self.fin_wait()?.saturating_sub(self.params.time_wait);
        (self.params.split_fin_timeout && !beyond.is_zero()).then_some(beyond)
    }

    pub(super) fn start_fin_timeout(&mut self, now: SimTime) {
        if !self.app_closed {
            return;
        }
        if let Some(wait) = self.split_wait().or(self.fin_wait()) {
            self.timers.state = self.expiry(now, wait);
        }
    }

    /// Starts the retransmission timer if it is not running; RFC 6298 rule 5.1.
    #[inline]
    pub(super) fn arm_rto(&mut self, now: SimTime) {
        if self.timers.rto == SimTime::MAX {
            self.start_rto(now);
        }
    }

    fn start_rto(&mut self, now: SimTime) {
        self.timers.rto = self.expiry(now, self.rto_within_limit(now));
        self.timers.purpose = Purpose::Retransmit;
        if self.timers.retries == 0 {
            self.timers.first_sent = now;
        }
    }

    /// The time-out, shortened to end at the time to give up (Linux `tcp_clamp_rto_to_user_timeout`).
    pub(super) fn rto_within_limit(&self, now: SimTime) -> SimDuration {
        let rto = self.rtt.rto();
        if self.state == State::SynSent
            && self.params.syn_limit_exact
            && let GiveUp::After(time) = self.give_up()
        {
            return rto.min(time.saturating_sub(now.since(self.timers.first_sent)));
        }
        if self.timers.retries == 0 || !self.params.retries_as_time {
            return rto;
        }
        match self.give_up() {
            GiveUp::After(time) => {
                let left = time.saturating_sub(now.since(self.timers.first_resent));
                rto.min(left)
            }
            _ => rto,
        }
    }

    /// Linux `tcp_model_timeout`: the time of `n` retransmissions, starting from the minimum time-out and
    /// doubling up to the maximum, plus the time-out after them.
    fn time_of_retries(&self, n: u32) -> SimDuration {
        let (min, max) = (self.params.min_rto, self.params.max_rto);
        let doublings = (max.as_ps() / min.as_ps().max(1)).max(1).ilog2();
        let doubled = min.saturating_mul((2u64 << n.min(doublings)) - 1);
        doubled + max.saturating_mul(u64::from(n.saturating_sub(doublings)))
    }

    /// True when R2 is reached: time to give up on the data being retransmitted.
    fn exhausted(&self, now: SimTime) -> bool {
        let opening = matches!(self.state, State::SynSent | State::SynReceived);
        let retrying = now.since(self.timers.first_resent);
        match self.give_up() {
            GiveUp::Retries(n) if self.params.retries_as_time && !opening => {
                self.timers.retries > 0 && retrying >= self.time_of_retries(n)
            }
            // Counted like the timer that ends the attempt.
            GiveUp::After(time) if self.state == State::SynSent && self.params.syn_limit_exact => {
                now.since(self.timers.first_sent) >= time
            }
            GiveUp::After(time) if self.params.retries_as_time => {
                self.timers.retries > 0 && retrying >= time
            }
            // Linux counts those after the linear ones.
            GiveUp::Retries(n) if self.state == State::SynSent => {
                self.timers.retries >= n.saturating_add(self.params.syn_linear_timeouts)
            }
            GiveUp::Retries(n) => self.timers.retries >= n,
            GiveUp::After(time) => now.since(self.timers.first_sent) >= time,
            GiveUp::Never => false,
        }
    }

    /// More time-outs in a row than R1, or as much time as those take.
    fn passed_r1(&self, now: SimTime) -> bool {
        let most = self.params.retries1;
        match self.params.retries_as_time {
            true => now.since(self.timers.first_resent) >= self.time_of_retries(most),
            false => self.timers.retries > most,
        }
    }

    fn on_retransmission_timeout(&mut self, now: SimTime, out: &mut Outputs) {
        if self.snd.flight() == 0 {
            return;
        }
        if self.exhausted(now) {
            self.time_out(now, out);
            return;
        }
        if self.timers.retries == 0 {
            self.timers.first_resent = now;
        }
        self.timers.retries += 1;
        self.counts.timeouts += 1;
        if self.timers.retries == self.params.retries1 {
            out.signals.push(Signal::DeliveryTrouble); // R1: MUST-20, SHLD-9
        }
        if self.params.mtu_probing > 0 && self.state.is_synchronized() && self.passed_r1(now) {
            self.suspect_black_hole(now);
        }
        self.snd.timed = None; // Karn
        match self.state {
            State::SynSent | State::SynReceived => self.retransmit_syn(now, out),
            _ if self.is_closed_early() => self.retransmit_syn(now, out),
            _ => self.retransmit_after_timeout(now, out),
        }
    }

    /// R2: "close the connection" (MUST-20). Sends a reset if the peer may still exist.
    pub(super) fn time_out(&mut self, now: SimTime, out: &mut Outputs) {
        if self.state.is_synchronized() && self.params.reset_on_give_up {
            self.send_reset(now, out);
        }
        // An ICMP error received meanwhile is more specific than a time-out.
        let soft_error = self.rare.as_ref().and_then(|r| r.soft_error);
        self.end(
            soft_error.map_or(ConnectionEnd::TimedOut, ConnectionEnd::Unreachable),
            out,
        );
    }

    fn retransmit_syn(&mut self, now: SimTime, out: &mut Outputs) {
        self.snd.syn_retransmissions = self.snd.syn_retransmissions.saturating_add(1);
        if self.state != State::SynSent || self.timers.retries > self.params.syn_linear_timeouts {
            self.rtt.back_off(&self.bounds());
        }
        if self.rare.is_some() && self.waits_for_data() {
            self.arm_rto(now);
        } else {
            self.send_syn(Some(RetransmitReason::SynTimeout), now, out);
        }
    }

    /// Linux `tcp_stream_is_thin`: too little is outstanding for duplicate ACKs.
    fn stays_linear(&self) -> bool {
        self.params.thin_linear_timeouts
            && self.state == State::Established
            && self.timers.retries <= 6
            && self.snd.flight() < 4 * self.snd.mss
    }

    /// RFC 6298 rules 5.4 to 5.6 and RFC 5681 section 3.1.
    fn retransmit_after_timeout(&mut self, now: SimTime, out: &mut Outputs) {
        let flight = self.flight_size();
        let first = self.timers.retries == 1;
        // On Linux, a time-out in fast recovery is for a loss that has already reduced the threshold.
        let known = self.params.linux_cwnd && self.recovery.phase() == RecoveryPhase::Fast;
        let cause = match first && !known {
            true => Congestion::Timeout,
            false => Congestion::RepeatedTimeout,
        };
        // RFC 5682 section 2.1 step 1: F-RTO applies neither in fast recovery nor in that of an earlier
        // time-out.
        //
        // Deviation: on Linux it does if the same segment times out again.
        let frto = match self.recovery.phase() {
            RecoveryPhase::Open => self.params.frto,
            RecoveryPhase::Fast => false,
            RecoveryPhase::Loss => self.params.frto && self.params.linux_cwnd && !first,
        };
        if first && self.recovery.phase() != RecoveryPhase::Fast {
            self.remember_window();
        }
        self.enter_loss(RetransmitReason::Timeout, now);
        let pipe = self.pipe();
        self.cc.on_congestion(&CongestionEvent {
            cause,
            now,
            in_flight: flight,
            pipe,
            gentle: false,
            whole: self.params.linux_cwnd,
        });
        if frto || self.recovery.episode().is_some() {
            self.recovery.episode_mut().frto = frto;
        }
        self.note_reduction();
        if self.stays_linear() {
            self.rtt.end_back_off(&self.bounds());
        } else {
            self.rtt.back_off(&self.bounds());
        }
        self.transmit(now, out);
        self.arm_rto(now);
    }

    /// After an acknowledgement of new data, restarts or stops the retransmission timer (RFC 6298 rules 5.2
    /// and 5.3).
    #[inline]
    pub(super) fn restart_rto(&mut self, now: SimTime) {
        if self.recovery.log().is_some() {
            self.restart_transmit_timer(now);
            return;
        }
        self.timers.retries = 0;
        self.timers.rto = SimTime::MAX;
        if self.snd.flight() > 0 && !self.snd.probing {
            self.arm_rto(now);
        }
    }

    /// Delays the ACK of arrived data by at most `delayed_ack`.
    pub(super) fn delay_ack(&mut self, now: SimTime, out: &mut Outputs) {
        if self.params.adaptive_receiver {
            self.delay_ack_adaptively(now, out);
        } else if self.timers.ack == SimTime::MAX {
            self.timers.ack = self.expiry(now, self.params.delayed_ack);
        }
    }

    /// Ends recovery.
    pub(super) fn leave_recovery(&mut self, was: RecoveryPhase, now: SimTime) {
        if was == RecoveryPhase::Fast {
            let pipe = u64::from(self.recovery.pipe(&self.outstanding()));
            // RFC 6582 avoids a burst of a sender without SACK; PRR (RFC 9937 section 6.2) and Linux end at
            // the threshold.
            let whole = self.params.prr || self.params.linux_cwnd;
            let least = self.cc.ssthresh().filter(|_| whole);
            self.cc.on_recovery_exit(pipe.max(least.unwrap_or(0)), now);
        }
    }

    /// Notifies the application that the peer has closed.
    pub(super) fn signal_peer_closed(&mut self, out: &mut Outputs) {
        out.signals.push(Signal::PeerClosed);
    }

    /// Whether every segment is acknowledged without delay.
    pub(super) fn delayed_ack_is_off(&self) -> bool {
        self.params.delayed_ack == SimDuration::ZERO
    }
}
