//! The sockets of a host as `ss` lists them, with their queues.

use std::net::{Ipv4Addr, SocketAddrV4};

use sim_core::SimTime;

use super::TcpHost;
use super::stack::Stack;
use crate::model::TcpModel as _;
use crate::state::State;

/// A socket and its queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketLine {
    /// Its state.
    pub state: State,
    /// The local address and port; a listener's address is 0.0.0.0.
    pub local: SocketAddrV4,
    /// The remote address and port; 0.0.0.0:0 for a listener.
    pub remote: SocketAddrV4,
    /// Bytes that have arrived and the application has not read; for a listener, connections that
    /// wait for accept.
    pub recv_q: u64,
    /// Bytes that the peer has not acknowledged, sent or not, with SYN and FIN once sent; for a
    /// listener, its backlog.
    pub send_q: u64,
    /// When its next timer expires.
    pub timer: Option<SimTime>,
}

impl TcpHost {
    /// Its sockets: listeners, then connections in the order of their slots, then TIME-WAIT
    /// entries, oldest first.
    pub fn sockets(&self) -> Vec<SocketLine> {
        let stack = &self.stack;
        let mut all: Vec<SocketLine> = stack.listening().collect();
        all.extend(stack.connected());
        all.extend(stack.waiting());
        all
    }
}

impl Stack {
    fn listening(&self) -> impl Iterator<Item = SocketLine> {
        let open = self.listeners.iter().filter(|l| l.bind().is_some());
        open.map(|listener| SocketLine {
            state: State::Listen,
            local: SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, listener.port()),
            remote: SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0),
            recv_q: listener.accept_queue_len() as u64,
            send_q: u64::from(listener.backlog()),
            timer: None,
        })
    }

    fn connected(&self) -> impl Iterator<Item = SocketLine> {
        let open = self.endpoints.iter().filter(|e| e.state != State::Closed);
        open.map(|endpoint| {
            let view = endpoint.tcp.view();
            let sent = u64::from(view.snd_nxt.offset_from(view.snd_una));
            SocketLine {
                state: endpoint.state,
                local: endpoint.flow.local(),
                remote: endpoint.flow.remote(),
                recv_q: view.readable,
                send_q: view.send_queue.max(sent),
                timer: endpoint.tcp.next_timeout(),
            }
        })
    }

    fn waiting(&self) -> impl Iterator<Item = SocketLine> {
        self.time_waits.iter().map(|entry| SocketLine {
            state: State::TimeWait,
            local: entry.flow().local(),
            remote: entry.flow().remote(),
            recv_q: 0,
            send_q: 0,
            timer: Some(self.time_wait_expiry(entry.stay(), entry.since())),
        })
    }
}
