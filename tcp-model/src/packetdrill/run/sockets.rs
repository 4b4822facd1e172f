//! The program's sockets: descriptors, listeners with their accept queues, options.

use std::collections::{BTreeMap, VecDeque};

use sim_core::{SimDuration, SimTime};

use crate::params::TcpParams;

/// What a socket is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Made, perhaps bound.
    Fresh,
    /// Accepts connections.
    Listening {
        backlog: u32,
        /// Flows established and not yet accepted.
        ready: VecDeque<usize>,
    },
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
    /// When a listener last sent a SYN cookie.
    pub(super) last_cookie: Option<SimTime>,
    /// TCP_FASTOPEN_KEY.
    pub(super) fast_open_key: Option<[u64; 2]>,
    /// connect() waits for the first data: the port it is to go to.
    pub(super) deferred_port: Option<u16>,
    /// Options that are only remembered, by level and number.
    pub(super) values: BTreeMap<(i64, i64), i64>,
}

impl Socket {
    /// An option that is only remembered; 0 before it is set.
    pub(super) fn value(&self, level: i64, option: i64) -> i64 {
        self.values.get(&(level, option)).copied().unwrap_or(0)
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
            last_cookie: None,
            fast_open_key: None,
            deferred_port: None,
            values: BTreeMap::new(),
        });
        self.all.len() - 1
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

    /// The socket that listens on a port.
    pub(super) fn listener(&self, port: u16) -> Option<usize> {
        self.all
            .iter()
            .position(|s| s.port == port && matches!(s.role, Role::Listening { .. }))
    }

    /// The port a SYN without ports goes to: the latest listener's, else the latest one bound.
    pub(super) fn default_destination(&self) -> u16 {
        let mut latest = self.all.iter().rev();
        let listening = latest.find(|s| matches!(s.role, Role::Listening { .. }));
        let bound = self.all.iter().rev().find(|s| s.port != 0);
        listening.or(bound).map_or(self.default_port, |s| s.port)
    }

    /// The accept queue holds more than the backlog: Linux takes one more than listen() says.
    pub(super) fn is_full(&self, listener: usize) -> bool {
        match &self.all[listener].role {
            Role::Listening { backlog, ready } => ready.len() > *backlog as usize,
            _ => true,
        }
    }

    /// The backlog of a listener.
    pub(super) fn backlog(&self, listener: usize) -> u32 {
        match &self.all[listener].role {
            Role::Listening { backlog, .. } => *backlog,
            _ => 0,
        }
    }

    /// A flow is established: it waits to be accepted.
    pub(super) fn establish(&mut self, listener: usize, flow: usize) {
        if let Role::Listening { ready, .. } = &mut self.all[listener].role {
            ready.push_back(flow);
        }
    }

    /// Sockets that have no connection yet, whose parameters a new default still reaches.
    pub(super) fn unconnected(&mut self) -> impl Iterator<Item = &mut Socket> {
        self.all
            .iter_mut()
            .filter(|s| matches!(s.role, Role::Fresh | Role::Listening { .. }))
    }
}
