//! Parameters that change while a connection is open.

use std::sync::Arc;

use sim_core::SimTime;

use super::Connection;
use super::spaces::Hold;
use crate::congestion::{CongestionControl, ConnectionStart};
use crate::model::Outputs;
use crate::params::TcpParams;
use crate::state::State;

impl Connection {
    /// Applies new parameters from now on. What the handshake negotiated stays.
    pub(super) fn follow(&mut self, params: &Arc<TcpParams>, now: SimTime, out: &mut Outputs) {
        let old = std::mem::replace(&mut self.params, Arc::clone(params));
        // A smaller buffer does not move the window's edge back (SHLD-14). Less than two steps of the
        // window scale could hardly be offered.
        let most = self.params.offered_buffer();
        let buffer = match self.params.grow_receive_buffer {
            true => self.rcv.buffer.min(most),
            false => most,
        };
        self.rcv.buffer = buffer.max(2 << self.rcv.shift);
        self.follow_buffer(&old);
        if !self.params.adaptive_receiver {
            self.rcv.adaptive = None; // memory is not counted any more
        }
        if self.params.keepalive != old.keepalive {
            self.rearm_keepalive(&old, now);
        }
        // Held data may leave: once, even past a cork, when Nagle is switched off (Linux); subject to Nagle
        // when the cork is removed.
        let pushed = old.nagle && !self.params.nagle;
        let uncorked = old.cork && !self.params.cork;
        if (pushed || uncorked) && self.state != State::TimeWait {
            self.snd.hold = if pushed { Hold::Push } else { Hold::Usual };
            self.transmit(now, out);
            self.snd.hold = Hold::Usual;
        }
        if self.params.max_segment != old.max_segment && self.state.is_synchronized() {
            let most = u32::from(self.params.mss().max(64)) - if self.rcv.ts_ok { 12 } else { 0 };
            if most < self.snd.mss {
                self.snd.mss = most;
                self.cc.on_mss(most);
            }
        }
        if self.params.congestion != old.congestion {
            self.change_control();
        }
        self.start_measuring();
        self.signal_room(out);
    }

    /// Switches to another congestion control (Linux `TCP_CONGESTION`).
    ///
    /// Deviation: it starts with the previous window in slow start; Linux also keeps the threshold.
    fn change_control(&mut self) {
        let window = self.cc.cwnd();
        self.cc = self.params.make_control();
        if window > 0 {
            self.cc.on_start(&ConnectionStart {
                mss: self.snd.mss,
                initial_window: window,
                srtt: self.rtt.srtt(),
            });
            self.start_measuring();
        }
    }

    /// The idle time counts from the last segment received (Linux `TCP_KEEPIDLE`); if keep-alive is just
    /// switched on, from now.
    fn rearm_keepalive(&mut self, old: &TcpParams, now: SimTime) {
        let armed = std::mem::replace(&mut self.timers.keepalive, SimTime::MAX);
        let since = match old.keepalive {
            Some(_) if armed != SimTime::MAX && self.params.keepalive_polls => self.timers.heard,
            Some(idle) if armed != SimTime::MAX && self.timers.keepalive_sent == 0 => {
                SimTime::from_ps(armed.as_ps().saturating_sub(idle.as_ps()))
            }
            _ => now,
        };
        if let (true, Some(idle)) = (self.may_idle(), self.params.keepalive) {
            let left = idle.saturating_sub(now.since(since));
            self.timers.keepalive_sent = 0;
            self.timers.keepalive = self.expiry(now, left);
        }
    }
}
