//! Listening ports with their two queues, as Linux limits them without SYN cookies.

use std::collections::VecDeque;

use super::endpoint::SocketId;
use crate::params::TcpParams;

/// A listening port.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) port: u16,
    /// The application that listens.
    pub(super) app: u16,
    /// Connections in SYN-RECEIVED.
    pub(super) half_open: u32,
    /// Most of them.
    half_open_limit: u32,
    /// Established connections that the application has not accepted. One that ends meanwhile
    /// stays in its place, as on Linux.
    queue: VecDeque<SocketId>,
    queue_limit: u32,
}

impl Listener {
    /// The limits: a backlog of N, at most `somaxconn`, admits N + 1 connections to the accept
    /// queue and N + 1 to SYN-RECEIVED; besides, one more than three quarters of
    /// `max_syn_backlog` to the latter.
    ///
    /// Leaves out that Linux lets peers it knows into the last quarter.
    pub(super) fn new(port: u16, app: u16, backlog: u32, params: &TcpParams) -> Listener {
        let backlog = backlog.min(params.somaxconn);
        let syn_backlog = params.max_syn_backlog - params.max_syn_backlog / 4;
        Listener {
            port,
            app,
            half_open: 0,
            half_open_limit: backlog.min(syn_backlog).saturating_add(1),
            queue: VecDeque::new(),
            queue_limit: backlog.saturating_add(1),
        }
    }

    pub(super) fn is_accept_queue_full(&self) -> bool {
        self.queue.len() >= self.queue_limit as usize
    }

    pub(super) fn is_syn_queue_full(&self) -> bool {
        self.half_open >= self.half_open_limit
    }

    pub(super) fn push(&mut self, socket: SocketId) {
        self.queue.push_back(socket);
    }

    pub(super) fn pop(&mut self) -> Option<SocketId> {
        self.queue.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_those_measured_on_linux() {
        let params = |max_syn_backlog| TcpParams {
            max_syn_backlog,
            ..TcpParams::linux()
        };
        let half_open = |backlog, msb| Listener::new(80, 0, backlog, &params(msb)).half_open_limit;
        assert_eq!(half_open(64, 128), 65);
        assert_eq!(half_open(1024, 128), 97);
        assert_eq!(half_open(u32::MAX, u32::MAX), 4097);
        let mut listener = Listener::new(80, 0, 5, &params(128));
        for slot in 0..6 {
            assert!(!listener.is_accept_queue_full());
            listener.push(SocketId::new(slot, 0));
        }
        assert!(listener.is_accept_queue_full());
        assert_eq!(listener.pop(), Some(SocketId::new(0, 0)));
        assert!(!listener.is_accept_queue_full());
    }
}
