//! Keep-alive (RFC 9293 section 3.8.4).

use sim_core::SimTime;

use super::Connection;
use crate::model::{ConnectionEnd, Outputs};
use crate::segment::Flags;
use crate::state::State;
use crate::state_machine::StateMachine as _;

impl Connection {
    /// True in states that may be idle for long, where only keep-alive notices that the peer is gone.
    pub(super) fn may_idle(&self) -> bool {
        use State::{CloseWait, Established, FinWait2};
        matches!(self.state, Established | CloseWait | FinWait2)
    }

    /// Restarts the keep-alive timer for a segment from the peer (MUST-26); with `keepalive_polls`,
    /// only notes the time, which counts when the timer expires.
    #[inline]
    pub(super) fn touch_keepalive(&mut self, now: SimTime) {
        if self.params.keepalive_polls || self.params.keepalive.is_some() {
            self.restart_keepalive(now);
        }
    }

    #[inline(never)]
    fn restart_keepalive(&mut self, now: SimTime) {
        if self.params.keepalive_polls {
            self.timers.heard = now;
        }
        if let Some(idle) = self.params.keepalive {
            self.timers.keepalive_sent = 0;
            if !self.may_idle() {
                self.timers.keepalive = SimTime::MAX;
            } else if !self.params.keepalive_polls || self.timers.keepalive == SimTime::MAX {
                self.timers.keepalive = self.expiry(now, idle);
            }
        }
    }

    /// RFC 9293 section 3.8.4: an empty segment one octet below SND.NXT asks for an ACK (SHLD-12).
    pub(super) fn on_keepalive_timeout(&mut self, now: SimTime, out: &mut Outputs) {
        let (true, Some(idle)) = (self.may_idle(), self.params.keepalive) else {
            return;
        };
        if self.snd.flight() > 0 || self.snd.unsent() > 0 {
            self.timers.keepalive = self.expiry(now, idle); // retransmission will find out
            return;
        }
        let clock = |time| self.params.timers.clock(time);
        let silent = clock(now).since(clock(self.timers.heard));
        if self.params.keepalive_polls && silent < idle {
            self.timers.keepalive = self.expiry(now, idle.saturating_sub(silent));
            return;
        }
        if self.is_dead_idle() {
            self.send_reset(now, out);
            self.end(ConnectionEnd::TimedOut, out);
            return;
        }
        self.timers.keepalive_sent = self.timers.keepalive_sent.saturating_add(1);
        self.timers.keepalive = self.expiry(now, self.params.keepalive_interval);
        let segment = self.header(Flags::ACK, self.snd.nxt - 1, now);
        self.emit(segment, None, out);
    }

    /// Whether enough probes are unanswered (MUST-29: more than one) or the user time-out has
    /// passed, which on Linux replaces the number of probes.
    pub(super) fn is_dead_idle(&self) -> bool {
        let sent = u32::from(self.timers.keepalive_sent);
        match (self.params.user_timeout, self.params.keepalive) {
            (Some(most), Some(idle)) => {
                let silent = idle + self.params.keepalive_interval * u64::from(sent);
                (sent > 0 && silent >= most) || sent == u32::from(u16::MAX)
            }
            _ => sent >= self.params.keepalive_probes.min(u32::from(u16::MAX)),
        }
    }
}
