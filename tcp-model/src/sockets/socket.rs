//! A socket: its role and options.

use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv4Addr;
use std::sync::Arc;

use sim_core::SimDuration;

use super::SocketNo;
use super::notice::Notice;
use super::socket_constants::{FAST_OPEN_NO_COOKIE, FAST_OPEN_QUEUE, QUICK_ACK};
use crate::errno::Errno;
use crate::fast_open::CookieKey;
use crate::host::{BindId, ListenOptions, ListenerId, Reuse, SocketId};
use crate::params::TcpParams;

/// The role of a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SocketRole {
    /// Created, possibly bound.
    Fresh,
    /// Accepts connections.
    Listening(ListenerId),
    /// End of a connection.
    Stream(SocketId),
    /// Watches others.
    Epoll(Vec<Watch>),
    /// A file, whose bytes are never read.
    File,
    /// One end of a pipe of the script, by its number.
    Pipe(usize),
    /// Closed.
    Closed,
}

/// A socket an epoll watches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Watch {
    pub(super) socket: SocketNo,
    pub(super) events: i64,
    /// Data reported with the events.
    pub(super) data: i64,
    /// Events already reported, for EPOLLET; `u64::MAX` before the first.
    pub(super) reported: u64,
    /// EPOLLONESHOT has fired.
    pub(super) spent: bool,
}

/// A socket.
#[derive(Clone, Debug)]
pub(crate) struct Socket {
    pub(crate) role: SocketRole,
    /// Its port at the host, while it is bound.
    pub(super) bound: Option<BindId>,
    pub(crate) port: u16,
    /// Its address, where it is bound to one.
    pub(crate) bound_address: Option<Ipv4Addr>,
    /// FD_CLOEXEC.
    pub(crate) close_on_exec: bool,
    pub(crate) params: TcpParams,
    pub(crate) nonblocking: bool,
    /// SO_LINGER, when on.
    pub(crate) linger: Option<SimDuration>,
    pub(super) keepalive_idle: SimDuration,
    /// connect() has reported its success.
    pub(super) connect_reported: bool,
    pub(crate) read_shut: bool,
    pub(crate) write_shut: bool,
    pub(crate) receive_timeout: Option<SimDuration>,
    pub(crate) send_timeout: Option<SimDuration>,
    /// TCP_FASTOPEN_KEY.
    pub(crate) fast_open_key: Option<CookieKey>,
    /// Options that are only stored, by level and number.
    pub(super) values: BTreeMap<(i64, i64), i64>,
    /// An unreported error of a connection that the socket no longer has.
    pub(super) error: Option<Errno>,
    /// ICMP errors about its SYNs, with IP_RECVERR.
    pub(super) icmp: VecDeque<Notice>,
}

impl Socket {
    pub(super) fn new(role: SocketRole, params: &TcpParams) -> Socket {
        Socket {
            role,
            bound: None,
            port: 0,
            bound_address: None,
            close_on_exec: false,
            params: params.clone(),
            nonblocking: false,
            linger: None,
            keepalive_idle: TcpParams::DEFAULT_KEEPALIVE,
            connect_reported: false,
            read_shut: false,
            write_shut: false,
            receive_timeout: None,
            send_timeout: None,
            fast_open_key: None,
            values: BTreeMap::new(),
            error: None,
            icmp: VecDeque::new(),
        }
    }

    /// An option that is only stored; 0 before it is set.
    pub(crate) fn value(&self, option: (i64, i64)) -> i64 {
        self.values.get(&option).copied().unwrap_or(0)
    }

    /// SO_REUSEADDR and SO_REUSEPORT.
    pub(super) fn reuse(&self) -> Reuse {
        Reuse {
            address: self.value((1, 2)) != 0,
            port: self.value((1, 15)) != 0,
        }
    }

    /// IP_MINTTL, IPV6_MINHOPCOUNT.
    pub(super) fn least_ttl(&self) -> i64 {
        self.value((0, 21)).max(self.value((41, 73)))
    }

    /// IP_RECVERR, IPV6_RECVERR.
    pub(crate) fn reports_errors(&self) -> bool {
        self.value((0, 11)) != 0 || self.value((41, 25)) != 0
    }

    /// The parameters of its connections, including its Fast Open options.
    pub(super) fn shared_params(&self) -> Arc<TcpParams> {
        let mut params = self.params.clone();
        if self.value(FAST_OPEN_NO_COOKIE) != 0 {
            params.fast_open |=
                TcpParams::FAST_OPEN_CLIENT_NO_COOKIE | TcpParams::FAST_OPEN_SERVER_NO_COOKIE;
        }
        Arc::new(params)
    }

    /// Its listen options.
    pub(super) fn listen_options(&self) -> ListenOptions {
        let queue = self.value(FAST_OPEN_QUEUE);
        let mut params = self.shared_params();
        if self.values.get(&QUICK_ACK) == Some(&0) {
            Arc::make_mut(&mut params).interactive_from_start = true;
        }
        ListenOptions {
            params: Some(params),
            fast_open: queue.clamp(0, i64::from(u32::MAX)) as u32,
            fast_open_key: self.fast_open_key,
            bound: self.bound,
        }
    }
}
