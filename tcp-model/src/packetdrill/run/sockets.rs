//! The program's sockets: descriptors, listeners with their accept queues, options.

use std::collections::BTreeMap;
use std::sync::Arc;

use sim_core::SimDuration;

use super::fast_open;
use crate::fast_open::CookieKey;
use crate::host::{BindId, ListenOptions, ListenerId, Reuse};
use crate::params::TcpParams;

/// What a socket is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Made, perhaps bound.
    Fresh,
    /// Accepts connections.
    Listening(ListenerId),
    /// End of a flow.
    Stream(usize),
    /// Watches others.
    Epoll(Vec<Watch>),
    /// A file, whose bytes are never read.
    File,
    /// Its descriptor was closed.
    Closed,
}

/// A descriptor an epoll watches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Watch {
    pub(super) fd: i64,
    pub(super) events: i64,
    /// What is told with the events: the descriptor, or what the program likes.
    pub(super) data: i64,
    /// News already told, for EPOLLET; `u64::MAX` before the first.
    pub(super) told: u64,
    /// EPOLLONESHOT has fired.
    pub(super) spent: bool,
}

/// A socket.
#[derive(Clone, Debug)]
pub(super) struct Socket {
    pub(super) role: Role,
    /// Its port at the host, while it has one of its own.
    pub(super) bound: Option<BindId>,
    pub(super) port: u16,
    pub(super) params: TcpParams,
    pub(super) nonblocking: bool,
    /// SO_LINGER, when on.
    pub(super) linger: Option<SimDuration>,
    pub(super) keepalive_idle: SimDuration,
    /// connect() has told of its success.
    pub(super) connect_told: bool,
    pub(super) read_shut: bool,
    pub(super) write_shut: bool,
    pub(super) receive_timeout: Option<SimDuration>,
    pub(super) send_timeout: Option<SimDuration>,
    /// TCP_FASTOPEN_KEY.
    pub(super) fast_open_key: Option<CookieKey>,
    /// Options that are only remembered, by level and number.
    pub(super) values: BTreeMap<(i64, i64), i64>,
}

impl Socket {
    /// An option that is only remembered; 0 before it is set.
    pub(super) fn value(&self, option: (i64, i64)) -> i64 {
        self.values.get(&option).copied().unwrap_or(0)
    }

    /// SO_REUSEADDR and SO_REUSEPORT.
    pub(super) fn reuse(&self) -> Reuse {
        Reuse {
            address: self.value((1, 2)) != 0,
            port: self.value((1, 15)) != 0,
        }
    }

    /// IP_RECVERR, IPV6_RECVERR.
    pub(super) fn reports_errors(&self) -> bool {
        self.value((0, 11)) != 0 || self.value((41, 25)) != 0
    }

    /// The parameters of its connections, with what socket options say of Fast Open.
    pub(super) fn shared_params(&self) -> Arc<TcpParams> {
        let mut params = self.params.clone();
        if self.value(fast_open::NO_COOKIE) != 0 {
            params.fast_open |=
                TcpParams::FAST_OPEN_CLIENT_NO_COOKIE | TcpParams::FAST_OPEN_SERVER_NO_COOKIE;
        }
        Arc::new(params)
    }

    /// How it listens.
    pub(super) fn listen_options(&self) -> ListenOptions {
        let queue = self.value(fast_open::QUEUE);
        ListenOptions {
            params: Some(self.shared_params()),
            fast_open: queue.clamp(0, i64::from(u32::MAX)) as u32,
            fast_open_key: self.fast_open_key,
            bound: self.bound,
        }
    }
}

/// All sockets of the program.
#[derive(Debug)]
pub(super) struct Sockets {
    pub(super) all: Vec<Socket>,
    fds: BTreeMap<i64, usize>,
    /// Port of a bind that does not say one.
    pub(super) default_port: u16,
}

impl Default for Sockets {
    fn default() -> Sockets {
        Sockets {
            all: Vec::new(),
            fds: BTreeMap::new(),
            default_port: 8080,
        }
    }
}

impl Sockets {
    pub(super) fn add(&mut self, role: Role, params: &TcpParams) -> usize {
        self.all.push(Socket {
            role,
            bound: None,
            port: 0,
            params: params.clone(),
            nonblocking: false,
            linger: None,
            keepalive_idle: TcpParams::DEFAULT_KEEPALIVE,
            connect_told: false,
            read_shut: false,
            write_shut: false,
            receive_timeout: None,
            send_timeout: None,
            fast_open_key: None,
            values: BTreeMap::new(),
        });
        self.all.len() - 1
    }

    /// The flow that a socket is an end of.
    pub(super) fn stream(&self, socket: usize) -> Option<usize> {
        match self.all[socket].role {
            Role::Stream(flow) => Some(flow),
            _ => None,
        }
    }

    /// The socket a descriptor stands for.
    pub(super) fn find(&self, fd: i64) -> Option<usize> {
        self.fds.get(&fd).copied()
    }

    /// Gives a socket the descriptor the script expects; false when that is in use.
    pub(super) fn name(&mut self, fd: i64, socket: usize) -> bool {
        let free = fd >= 0 && !self.fds.contains_key(&fd);
        if free {
            self.fds.insert(fd, socket);
        }
        free
    }

    /// Frees a descriptor.
    pub(super) fn forget(&mut self, fd: i64) {
        if let Some(socket) = self.fds.remove(&fd) {
            self.all[socket].role = Role::Closed;
        }
    }

    /// The parameters of a connection: those of its socket, or of the one that listens on its port.
    pub(super) fn params_of(&self, flow: usize, port: u16) -> Option<&TcpParams> {
        let own = self.all.iter().find(|s| s.role == Role::Stream(flow));
        let listens = |s: &&Socket| s.port == port && matches!(s.role, Role::Listening(_));
        let socket = own.or_else(|| self.all.iter().find(listens));
        socket.map(|socket| &socket.params)
    }

    /// The port a SYN without ports goes to: the latest listener's, else the latest one bound.
    pub(super) fn default_destination(&self) -> u16 {
        let mut latest = self.all.iter().rev();
        let listening = latest.find(|s| matches!(s.role, Role::Listening(_)));
        let bound = self.all.iter().rev().find(|s| s.port != 0);
        listening.or(bound).map_or(self.default_port, |s| s.port)
    }

    /// Sockets that have no connection yet, whose parameters a new default still reaches.
    pub(super) fn unconnected(&mut self) -> impl Iterator<Item = &mut Socket> {
        self.all
            .iter_mut()
            .filter(|s| matches!(s.role, Role::Fresh | Role::Listening(_)))
    }
}
