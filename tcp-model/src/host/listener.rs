//! Listening ports with their two queues and Linux's limits.

use std::collections::VecDeque;
use std::sync::Arc;

use sim_core::{SimDuration, SimTime};

use super::bound::{BindId, Reuse};
use super::endpoint::SocketId;
use crate::fast_open::CookieKey;
use crate::params::{SynCookies, TcpParams};

/// How long a Fast Open connection that was reset counts as incomplete.
const EARLY_RESET_COUNTS: SimDuration = SimDuration::from_secs(60);

/// True when no further half-open connection is allowed beside `half_open` ones. Without SYN cookies, also with more
/// than three quarters of `max_syn_backlog` in use.
///
/// Leaves out that Linux admits known peers to the last quarter.
pub(super) fn is_syn_queue_full(
    half_open: u32,
    backlog: u32,
    (cookies, max_syn_backlog): (SynCookies, u32),
) -> bool {
    let syn_backlog = match cookies {
        SynCookies::Off => max_syn_backlog - max_syn_backlog / 4,
        _ => u32::MAX,
    };
    half_open > backlog.min(syn_backlog)
}

/// A listening port.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) port: u16,
    /// `None` once it no longer listens.
    bind: Option<BindId>,
    shares_port: bool,
    /// The application that listens.
    pub(super) app: u16,
    /// Connections in SYN-RECEIVED.
    pub(super) half_open: u32,
    /// Half-open connections whose SYN-ACK has not timed out yet.
    pub(super) young: u32,
    /// Maximum number of connections in the accept queue, minus one.
    backlog: u32,
    /// Established connections that the application has not accepted. A connection that ends meanwhile
    /// stays in the queue, as on Linux.
    queue: VecDeque<SocketId>,
    /// Maximum number of Fast Open connections with incomplete handshakes; 0 for off.
    pub(super) fast_open: u32,
    /// Fast Open connections with incomplete handshakes.
    pub(super) early: u32,
    /// Fast Open connections that a reset ended after the application had accepted them may be an
    /// attack, and count as incomplete until these times (Linux `reqsk_fastopen_remove`).
    early_resets: VecDeque<SimTime>,
    /// When the last SYN cookie was sent; `SimTime::MAX` before the first.
    pub(super) last_cookie: SimTime,
    /// Its own parameters.
    own: Option<Arc<TcpParams>>,
    pub(super) fast_open_key: Option<CookieKey>,
}

/// How to listen, beyond port and backlog.
#[derive(Clone, Debug, Default)]
pub struct ListenOptions {
    /// Parameters of accepted connections, if different from the host's.
    pub params: Option<Arc<TcpParams>>,
    /// Accept data on SYNs (Linux `TCP_FASTOPEN`) for at most this many connections with incomplete
    /// handshakes. Zero is off, unless the parameter `fast_open` enables it for all listeners.
    pub fast_open: u32,
    /// Its own key for Fast Open cookies (Linux `TCP_FASTOPEN_KEY`), if any.
    pub fast_open_key: Option<CookieKey>,
    /// A previously bound port; otherwise `listen` binds to all addresses with `SO_REUSEADDR`.
    pub bound: Option<BindId>,
}

/// A listener, until [`SocketCx::close_listener`](super::SocketCx::close_listener).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ListenerId(pub(super) u16);

impl Listener {
    /// A listener on a bound port. A backlog of N, at most `somaxconn`, admits N + 1 connections to
    /// the accept queue and N + 1 to SYN-RECEIVED.
    pub(super) fn new(
        port: u16,
        (bind, reuse): (BindId, Reuse),
        app: u16,
        backlog: u32,
        options: ListenOptions,
        params: &TcpParams,
    ) -> Listener {
        let mut listener = Listener {
            port,
            bind: Some(bind),
            shares_port: reuse.port,
            app,
            half_open: 0,
            young: 0,
            backlog: 0,
            queue: VecDeque::new(),
            fast_open: 0,
            early: 0,
            early_resets: VecDeque::new(),
            last_cookie: SimTime::MAX,
            own: None,
            fast_open_key: None,
        };
        listener.set(Some(backlog), options, params);
        listener
    }

    /// Changes the backlog, if given, and the options.
    pub(super) fn set(&mut self, backlog: Option<u32>, options: ListenOptions, params: &TcpParams) {
        if let Some(backlog) = backlog {
            self.backlog = backlog.min(params.somaxconn);
        }
        let own = options.params.as_deref().unwrap_or(params);
        let server = own.fast_open & TcpParams::FAST_OPEN_SERVER != 0;
        let all = own.fast_open & TcpParams::FAST_OPEN_ALL_LISTENERS != 0;
        self.fast_open = match options.fast_open {
            _ if !server => 0,
            0 if all => self.backlog,
            most => most.min(params.somaxconn),
        };
        self.own = options.params;
        self.fast_open_key = options.fast_open_key;
    }

    /// Established connections that wait for accept.
    pub(super) fn accept_queue_len(&self) -> usize {
        self.queue.len()
    }

    /// The backlog, at most `somaxconn`.
    pub(super) fn backlog(&self) -> u32 {
        self.backlog
    }

    /// Stops listening; the first call returns its binding.
    pub(super) fn close(&mut self) -> Option<BindId> {
        self.queue.clear();
        self.half_open = 0;
        self.young = 0;
        self.early = 0;
        self.early_resets.clear();
        self.bind.take()
    }

    /// Whether a SYN may open a connection early. If there are too many, the oldest that ended with a reset
    /// makes room once its time is over.
    pub(super) fn admits_early(&mut self, now: SimTime) -> bool {
        let count = self.early as usize + self.early_resets.len();
        if count < self.fast_open as usize {
            return true;
        }
        let over = self.early_resets.front().is_some_and(|end| *end <= now);
        if self.fast_open > 0 && over {
            self.early_resets.pop_front();
        }
        self.fast_open > 0 && over
    }

    /// Notes that an accepted connection with an incomplete handshake was reset.
    pub(super) fn note_early_reset(&mut self, now: SimTime) {
        if self.bind.is_some() {
            self.early_resets.push_back(now + EARLY_RESET_COUNTS);
        }
    }

    pub(super) fn listens_on(&self, port: u16) -> bool {
        self.port == port && self.bind.is_some()
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Whether others may listen on its port (`SO_REUSEPORT`).
    pub(super) fn shares_port(&self) -> bool {
        self.shares_port
    }

    /// Its port in the table of bound ports.
    pub(super) fn bind(&self) -> Option<BindId> {
        self.bind
    }

    /// The parameters of its connections.
    pub(super) fn params<'a>(&'a self, host: &'a Arc<TcpParams>) -> &'a Arc<TcpParams> {
        self.own.as_ref().unwrap_or(host)
    }

    pub(super) fn is_accept_queue_full(&self) -> bool {
        self.queue.len() > self.backlog as usize
    }

    /// True when no further half-open connection is allowed.
    pub(super) fn is_syn_queue_full(&self, params: &TcpParams) -> bool {
        let limits = (params.syn_cookies, params.max_syn_backlog);
        is_syn_queue_full(self.half_open, self.backlog, limits)
    }

    /// How often a SYN-ACK may be retransmitted if the parameters allow `most`: less often while more than
    /// half of the queue is in use, mostly by old connections.
    pub(super) fn synack_retries(&self, most: u32) -> u32 {
        if self.half_open * 2 <= self.backlog.max(8) {
            return most;
        }
        let mut young = 2 * u64::from(self.young);
        let mut allowed = most;
        while allowed > 2 && u64::from(self.half_open) >= young {
            allowed -= 1;
            young *= 2;
        }
        allowed
    }

    /// Number of connections that can be accepted.
    pub(super) fn waiting(&self) -> usize {
        self.queue.len()
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
        let params = |max_syn_backlog, syn_cookies| TcpParams {
            max_syn_backlog,
            syn_cookies,
            ..TcpParams::linux()
        };
        let new = |backlog, params: &TcpParams| {
            let bind = (BindId::FIRST, Reuse::default());
            Listener::new(80, bind, 0, backlog, ListenOptions::default(), params)
        };
        let half_open = |backlog, msb, cookies| {
            let params = params(msb, cookies);
            let mut listener = new(backlog, &params);
            while !listener.is_syn_queue_full(&params) {
                listener.half_open += 1;
            }
            listener.half_open
        };
        assert_eq!(half_open(64, 128, SynCookies::Off), 65);
        assert_eq!(half_open(1024, 128, SynCookies::Off), 97);
        assert_eq!(half_open(u32::MAX, u32::MAX, SynCookies::Off), 4097);
        assert_eq!(half_open(1024, 128, SynCookies::WhenFull), 1025);
        let mut listener = new(5, &params(128, SynCookies::Off));
        for slot in 0..6 {
            assert!(!listener.is_accept_queue_full());
            listener.push(SocketId::new(slot, 0));
        }
        assert!(listener.is_accept_queue_full());
        let retries = |half_open, young, most| {
            let mut listener = new(64, &params(128, SynCookies::Off));
            (listener.half_open, listener.young) = (half_open, young);
            listener.synack_retries(most)
        };
        assert_eq!(retries(32, 0, 5), 5);
        assert_eq!(
            [65, 40, 20, 10, 5, 0].map(|young| retries(65, young, 5)),
            [5, 5, 4, 3, 2, 2]
        );
        assert_eq!(retries(65, 0, 1), 1);
        assert_eq!(listener.pop(), Some(SocketId::new(0, 0)));
        assert!(!listener.is_accept_queue_full());
    }
}
