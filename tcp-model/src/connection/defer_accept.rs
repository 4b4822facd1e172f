//! Linux's `TCP_DEFER_ACCEPT`: a connection is established by data instead of the bare last ACK of the
//! handshake, so that a server is woken only when there is work.

use sim_core::{SimDuration, SimTime};

use super::Connection;
use crate::params::GiveUp;
use crate::segment::Segment;

impl Connection {
    /// Length of the deferral in SYN-ACK time-outs: Linux converts seconds to a number of them, the first
    /// after a second, each twice as long as the previous one, up to two minutes.
    fn deferred_timeouts(&self) -> u32 {
        let Some(wait) = self.params.defer_accept else {
            return 0;
        };
        let (mut period, mut timeout, mut n) = (1, 1, 1);
        let seconds = wait.as_ps().div_ceil(SimDuration::from_secs(1).as_ps());
        while seconds > period && n < 255 {
            n += 1;
            timeout = (timeout * 2).min(120);
            period += timeout;
        }
        n
    }

    /// True when the ACK that would complete the handshake is to be ignored.
    pub(super) fn defers(&mut self, seg: &Segment) -> bool {
        // A connection from a SYN cookie has no SYN-ACK to retransmit and no timer to end the wait: its ACK
        // establishes it at once, as on Linux.
        let from_cookie = self.timers.rto == SimTime::MAX;
        let bare = self.passive && seg.seq_len() == 0 && !self.is_open_early() && !from_cookie;
        let defers = bare && self.timers.retries < self.deferred_timeouts();
        if defers {
            self.rare().ack_came = true;
        }
        defers
    }

    /// True when the peer has acknowledged the SYN-ACK, which is then retransmitted only at the end of the
    /// deferral, as a last chance for data or an ACK.
    pub(super) fn waits_for_data(&self) -> bool {
        let acked = self.rare.as_ref().is_some_and(|r| r.ack_came);
        acked && self.timers.retries < self.deferred_timeouts()
    }

    /// When to give up on a handshake whose last ACK has arrived: not before the deferral ends.
    pub(super) fn give_up_of_handshake(&self) -> GiveUp {
        let acked = self.rare.as_ref().is_some_and(|r| r.ack_came);
        match self.params.synack_give_up {
            GiveUp::Retries(n) if acked => GiveUp::Retries(n.max(self.deferred_timeouts())),
            other => other,
        }
    }
}
