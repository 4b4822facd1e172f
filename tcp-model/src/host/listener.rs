//! Listening ports with their two queues, as Linux limits them.

use std::collections::VecDeque;
use std::sync::Arc;

use sim_core::SimTime;

use super::endpoint::SocketId;
use crate::params::{SynCookies, TcpParams};

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
    /// Most connections that Fast Open may open before their handshake is complete; 0: off.
    pub(super) fast_open: u32,
    /// Connections that Fast Open has opened and whose handshake is not complete.
    pub(super) early: u32,
    /// When the last SYN cookie was sent; `SimTime::MAX` before the first.
    pub(super) last_cookie: SimTime,
    /// Parameters of its own.
    own: Option<Arc<TcpParams>>,
}

/// How to listen, beyond port and backlog.
#[derive(Clone, Debug, Default)]
pub struct ListenOptions {
    /// Parameters of the connections accepted, where they differ from the host's.
    pub params: Option<Arc<TcpParams>>,
    /// Take data from SYNs (Linux `TCP_FASTOPEN`): for so many connections at most whose handshake
    /// is not complete. Zero is off, unless `fast_open` of the parameters has it on for all.
    pub fast_open: u32,
}

impl Listener {
    /// The limits: a backlog of N, at most `somaxconn`, admits N + 1 connections to the accept
    /// queue and N + 1 to SYN-RECEIVED; without SYN cookies besides, one more than three quarters
    /// of `max_syn_backlog` to the latter.
    ///
    /// Leaves out that Linux lets peers it knows into the last quarter.
    pub(super) fn new(
        port: u16,
        app: u16,
        backlog: u32,
        options: ListenOptions,
        params: &TcpParams,
    ) -> Listener {
        let backlog = backlog.min(params.somaxconn);
        // Linux reserves the last quarter only where no cookies help.
        let syn_backlog = match params.syn_cookies {
            SynCookies::Off => params.max_syn_backlog - params.max_syn_backlog / 4,
            _ => u32::MAX,
        };
        let server = params.fast_open & TcpParams::FAST_OPEN_SERVER != 0;
        let all = params.fast_open & TcpParams::FAST_OPEN_ALL_LISTENERS != 0;
        let fast_open = match options.fast_open {
            _ if !server => 0,
            0 if all => backlog,
            most => most.min(params.somaxconn),
        };
        Listener {
            port,
            app,
            half_open: 0,
            half_open_limit: backlog.min(syn_backlog).saturating_add(1),
            queue: VecDeque::new(),
            queue_limit: backlog.saturating_add(1),
            fast_open,
            early: 0,
            last_cookie: SimTime::MAX,
            own: options.params,
        }
    }

    /// The parameters of its connections.
    pub(super) fn params<'a>(&'a self, host: &'a Arc<TcpParams>) -> &'a Arc<TcpParams> {
        self.own.as_ref().unwrap_or(host)
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
            syn_cookies: SynCookies::Off,
            ..TcpParams::linux()
        };
        let listener = |backlog, params: &TcpParams| {
            Listener::new(80, 0, backlog, ListenOptions::default(), params)
        };
        let half_open = |backlog, msb| listener(backlog, &params(msb)).half_open_limit;
        assert_eq!(half_open(64, 128), 65);
        assert_eq!(half_open(1024, 128), 97);
        assert_eq!(half_open(u32::MAX, u32::MAX), 4097);
        assert_eq!(
            listener(
                1024,
                &TcpParams {
                    max_syn_backlog: 128,
                    ..TcpParams::linux()
                }
            )
            .half_open_limit,
            1025
        );
        let mut listener = listener(5, &params(128));
        for slot in 0..6 {
            assert!(!listener.is_accept_queue_full());
            listener.push(SocketId::new(slot, 0));
        }
        assert!(listener.is_accept_queue_full());
        assert_eq!(listener.pop(), Some(SocketId::new(0, 0)));
        assert!(!listener.is_accept_queue_full());
    }
}
