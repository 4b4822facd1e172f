//! A connection that is established by data, not by the bare last ACK of the handshake: Linux's
//! `TCP_DEFER_ACCEPT`. A server is then not woken until there is something to do.

use sim_core::{SimDuration, SimTime};

use super::Connection;
use crate::params::GiveUp;
use crate::segment::Segment;

impl Connection {
    /// SYN-ACK time-outs that the deferral lasts: Linux turns seconds into a number of them, the
    /// first after a second, each twice as long as the one before, up to two minutes.
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

    /// True when the ACK that would complete the handshake is to be passed over.
    pub(super) fn defers(&mut self, seg: &Segment) -> bool {
        // A connection made of a SYN cookie has no SYN-ACK to send again, and no timer that would
        // end the wait: its ACK makes it at once, as on Linux.
        let from_cookie = self.timers.rto == SimTime::MAX;
        let bare = self.passive && seg.seq_len() == 0 && !self.is_open_early() && !from_cookie;
        let defers = bare && self.timers.retries < self.deferred_timeouts();
        if defers {
            self.rare().ack_came = true;
        }
        defers
    }

    /// The peer has acknowledged the SYN-ACK: it is sent again only at the end of the deferral, to
    /// give data or an ACK a last chance.
    pub(super) fn waits_for_data(&self) -> bool {
        let acked = self.rare.as_ref().is_some_and(|r| r.ack_came);
        acked && self.timers.retries < self.deferred_timeouts()
    }

    /// When to give up on a handshake whose last ACK has come: not before the deferral is over.
    pub(super) fn give_up_of_handshake(&self) -> GiveUp {
        let acked = self.rare.as_ref().is_some_and(|r| r.ack_came);
        match self.params.synack_give_up {
            GiveUp::Retries(n) if acked => GiveUp::Retries(n.max(self.deferred_timeouts())),
            other => other,
        }
    }
}
