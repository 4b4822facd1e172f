//! Pruning of old half-open connections while a listener's queue fills up (Linux `reqsk_timer_handler`):
//! half of the queue is kept for young ones, whose SYN-ACK has not been retransmitted. The fewer there are,
//! the fewer retransmissions the others get, down to two.

use super::cx::HostEnv;
use super::endpoint::NO_LISTENER;
use super::stack::Stack;
use crate::model::{ConnectionEnd, Input, TcpModel};
use crate::params::GiveUp;
use crate::sample::Side;
use crate::state::State;

impl Stack {
    /// Handles the expiry of a connection's timer.
    pub(super) fn time_out(&mut self, slot: u32, cx: &mut impl HostEnv) {
        let before = self.half_open(slot);
        if let Some((listener, timeouts)) = before
            && self.is_pruned(listener, timeouts)
        {
            self.forget(slot, ConnectionEnd::TimedOut, cx);
            return;
        }
        self.step(slot, Input::Timeout, cx);
        if let Some((listener, 0)) = before
            && let Some((_, 1..)) = self.half_open(slot)
        {
            let listener = &mut self.listeners[listener];
            listener.young = listener.young.saturating_sub(1);
        }
    }

    /// The listener of a half-open connection, and the number of its SYN-ACK time-outs.
    fn half_open(&self, slot: u32) -> Option<(usize, u32)> {
        let endpoint = self.endpoints.get(slot)?;
        let waits = endpoint.state == State::SynReceived
            && endpoint.side == Side::Passive
            && endpoint.listener != NO_LISTENER
            && !endpoint.connected;
        waits.then(|| {
            let timeouts = endpoint.tcp.view().counts.timeouts;
            (usize::from(endpoint.listener), timeouts)
        })
    }

    /// True if it has used the retransmissions that the state of the queue allows.
    fn is_pruned(&self, listener: usize, timeouts: u32) -> bool {
        let listener = &self.listeners[listener];
        let params = listener.params(&self.params);
        match params.synack_give_up {
            GiveUp::Retries(most) if params.prune_half_open => {
                timeouts >= listener.synack_retries(most)
            }
            _ => false,
        }
    }
}
