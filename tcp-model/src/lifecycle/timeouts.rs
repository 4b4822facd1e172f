//! Timers: retransmission, delayed ACK, and the time-out of an orphan in FIN-WAIT-2.

use sim_core::{SimDuration, SimTime};

use super::{Lifecycle, OFF};
use crate::model::{ConnectionEnd, Outputs};
use crate::params::GiveUp;
use crate::resend_rule::RetransmitReason;
use crate::rtt::RtoBounds;
use crate::state::State;
use crate::state_machine::StateMachine as _;

impl Lifecycle {
    pub(super) fn take_rtt(&mut self, sample: SimDuration) {
        let bounds = RtoBounds::of(&self.params);
        self.rtt.on_sample(sample, self.una, self.nxt, &bounds);
    }

    /// Starts the retransmission timer unless it is running.
    pub(super) fn arm_rto(&mut self, now: SimTime) {
        if self.rto_at == OFF {
            if self.retries == 0 {
                self.first_sent = now;
            }
            self.rto_at = self.params.timers.expiry(now, self.rtt.rto());
        }
    }

    /// Adjusts the retransmission timer after an ACK of something new.
    pub(super) fn settle_rto(&mut self, now: SimTime) {
        self.retries = 0;
        self.rto_at = OFF;
        if self.outstanding() > 0 {
            self.arm_rto(now);
        }
    }

    pub(super) fn arm_fin_wait(&mut self, now: SimTime) {
        if self.app_closed
            && let Some(wait) = self.params.fin_timeout
        {
            self.fin_wait_at = self.params.timers.expiry(now, wait);
        }
    }

    pub(super) fn on_timeout(&mut self, now: SimTime, out: &mut Outputs) {
        if self.fin_wait_at <= now {
            self.fin_wait_at = OFF;
            match self.state {
                State::FinWait2 => self.end(ConnectionEnd::FinWaitExpired, out),
                State::TimeWait => self.enter(State::Closed, out),
                _ => {}
            }
            return;
        }
        if self.next_round() <= now {
            self.transfer(now, out);
        }
        if self.ack_at <= now {
            self.send_ack(now, out);
        }
        if self.rto_at <= now {
            self.rto_at = OFF;
            self.retransmit(now, out);
        }
    }

    fn retransmit(&mut self, now: SimTime, out: &mut Outputs) {
        if self.is_exhausted(now) {
            if self.state.is_synchronized() && self.params.reset_on_give_up {
                self.send_reset(now, out);
            }
            self.end(ConnectionEnd::TimedOut, out);
            return;
        }
        self.retries += 1;
        self.counts.timeouts += 1;
        let opening = matches!(self.state, State::SynSent | State::SynReceived);
        if self.state != State::SynSent || self.retries > self.params.syn_linear_timeouts {
            self.rtt.back_off(&RtoBounds::of(&self.params));
        }
        if opening {
            self.send_syn(Some(RetransmitReason::SynTimeout), now, out);
        } else {
            self.rounds.after_timeout(self.mss);
            self.go_back(RetransmitReason::Timeout, now, out);
        }
    }

    fn is_exhausted(&self, now: SimTime) -> bool {
        match self.give_up() {
            GiveUp::Retries(n) if self.state == State::SynSent => {
                self.retries >= n.saturating_add(self.params.syn_linear_timeouts)
            }
            GiveUp::Retries(n) => self.retries >= n,
            GiveUp::After(time) => now.since(self.first_sent) >= time,
            GiveUp::Never => false,
        }
    }
}
