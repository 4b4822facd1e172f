//! Descriptions of applications, as given by a scenario.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;

use sim_core::{SimDuration, SimTime};

mod demand;
mod host;
mod proxy;

pub use super::servers::Servers;
pub use demand::{Arrivals, Distribution};
pub use host::{HostConfig, KeptSegments, TraceSpec};
pub use proxy::{BreakerSpec, HealthSpec, ProxySpec, UpstreamSpec};

/// Who closes a connection first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Closer {
    /// The client, when it receives the last response byte.
    #[default]
    Client,
    /// The server, when it has written the last response byte.
    Server,
    /// Both at the same moment, so that the FINs cross: the client `close_after` after it has the
    /// last response byte, the server half a smoothed round trip and `close_after` after it has
    /// written it. They cross when the last response fits one flight.
    Both,
}

/// How the closer closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum CloseHow {
    /// CLOSE: FIN.
    #[default]
    Fin,
    /// The client shuts down its direction right after its last request and keeps reading.
    Half,
    /// ABORT: RST.
    Rst,
}

/// What client and server do on a connection: `requests` rounds of request, service, response, think;
/// then the close.
#[derive(Clone, Debug, PartialEq)]
pub struct Exchange {
    /// Requests per connection; more than one makes it persistent.
    pub requests: u32,
    /// Request size, bytes.
    pub request: Distribution,
    /// Response size, bytes; zero for none.
    pub response: Distribution,
    /// Client's time between a response and the next request, seconds.
    pub think: Distribution,
    /// Server's time between a request and its response, seconds.
    pub service: Distribution,
    /// Who closes first.
    pub closer: Closer,
    /// How.
    pub how: CloseHow,
    /// How long the closer waits before it closes.
    pub close_after: SimDuration,
    /// How long the other side waits between the end of the peer's stream and its own close.
    pub linger: SimDuration,
    /// The first request is sent with the SYN if client and server support Fast Open.
    pub fast_open: bool,
    /// The client gives up a connect that takes longer; `None`: it leaves that to its TCP.
    pub connect_timeout: Option<SimDuration>,
    /// The client gives up a request whose whole response takes longer, and closes the connection;
    /// `None`: it leaves that to its TCP.
    pub request_timeout: Option<SimDuration>,
    /// Bytes of a request after which the server responds and reads no more of it; `None`: the whole
    /// request.
    pub respond_after: Option<u64>,
}

impl Default for Exchange {
    fn default() -> Self {
        Exchange {
            requests: 1,
            request: Distribution::Constant(100.0),
            response: Distribution::Constant(1000.0),
            think: Distribution::Constant(0.0),
            service: Distribution::Constant(0.0),
            closer: Closer::Client,
            how: CloseHow::Fin,
            close_after: SimDuration::ZERO,
            linger: SimDuration::ZERO,
            fast_open: false,
            connect_timeout: None,
            request_timeout: None,
            respond_after: None,
        }
    }
}

/// What a client does when an attempt fails: a connect that fails or is given up, or a request
/// without its whole response. Another attempt repeats the exchange from its first request, over a
/// new connection to the next server.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Retries {
    /// Maximum number of further attempts of one exchange.
    pub max: u32,
    /// Wait before the first of them.
    pub backoff: SimDuration,
    /// Factor by which the wait grows for each further one.
    pub factor: f64,
    /// Maximum wait.
    pub max_backoff: SimDuration,
    /// Share of the wait that is drawn at random: with 1 it is uniform from zero to the whole.
    pub jitter: f64,
    /// Maximum number of further attempts per exchange begun, over all exchanges of a client host
    /// so far; `None` for no limit.
    pub budget: Option<f64>,
}

impl Default for Retries {
    fn default() -> Self {
        Retries {
            max: 0,
            backoff: SimDuration::from_millis(100),
            factor: 2.0,
            max_backoff: SimDuration::from_secs(10),
            jitter: 1.0,
            budget: None,
        }
    }
}

/// The connections that a client keeps for future requests. Its arrivals are then arrivals of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolSpec {
    /// Maximum number of connections, including those being opened; further requests wait for one.
    pub max: u32,
    /// Maximum number of connections kept while no request needs them.
    pub idle: u32,
    /// A connection that has been idle this long is closed; `None` for never.
    pub idle_timeout: Option<SimDuration>,
    /// A connection of this age takes no further request; `None` for no limit. It is closed when it
    /// becomes free or is picked.
    pub max_lifetime: Option<SimDuration>,
    /// Maximum number of requests per connection; `None` for no limit.
    pub max_requests: Option<u32>,
    /// Maximum number of requests in flight on a connection: 1, or more with [`ClientSpec::order`].
    pub streams: u32,
}

/// A client: opens connections to servers and exchanges requests and responses.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientSpec {
    /// Name of the workload, for reports and random streams.
    pub name: String,
    /// Local addresses. Connections cycle through all pairs of local address and server; the local
    /// address varies fastest.
    pub locals: Vec<Ipv4Addr>,
    /// Servers.
    pub remotes: Servers,
    /// Earliest time of the first connection.
    pub start: SimTime,
    /// No connection is opened from this time on.
    pub stop: SimTime,
    /// Maximum number of connections to open.
    pub limit: Option<u64>,
    /// When connections are opened.
    pub arrivals: Arrivals,
    /// What happens on them.
    pub exchange: Arc<Exchange>,
    /// Which of the server's exchanges this is, if workloads share its port: 0 for
    /// [`ServerSpec::exchange`], n for the n-th of [`ServerSpec::others`]. Below 128.
    pub class: u8,
    /// What is done when an attempt fails.
    pub retries: Retries,
    /// A circuit breaker for each server; `None` for none.
    pub breaker: Option<BreakerSpec>,
    /// Whether the client binds to its address and a port before it connects, so that all
    /// destinations share its ports (Linux without `IP_BIND_ADDRESS_NO_PORT`).
    pub bind_first: bool,
    /// The pool in which the client keeps its connections. Arrivals are then arrivals of requests,
    /// and the number of requests, think time and close of its exchange have no effect: the
    /// server's exchange should allow as many requests as possible and leave the close to the
    /// client.
    pub pool: Option<PoolSpec>,
    /// The time of each exchange with all its attempts is recorded.
    pub exchange_times: bool,
    /// The order of responses that client and server share, for a pool whose connections carry several requests at a
    /// time; the server has it as [`ServerSpec::multiplexed`].
    pub order: Option<Arc<super::response_order::ResponseOrder>>,
}

impl Default for ClientSpec {
    fn default() -> Self {
        ClientSpec {
            name: String::new(),
            locals: Vec::new(),
            remotes: Vec::new().into(),
            start: SimTime::ZERO,
            stop: SimTime::MAX,
            limit: None,
            arrivals: Arrivals::Burst(1),
            exchange: Arc::default(),
            class: 0,
            retries: Retries::default(),
            breaker: None,
            bind_first: false,
            pool: None,
            exchange_times: false,
            order: None,
        }
    }
}

/// A server: listens, reads requests, answers them.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerSpec {
    /// Port to listen on, on all addresses.
    pub port: u16,
    /// Backlog of the listen call.
    pub backlog: u32,
    /// Connections per second the server takes from each of its accept queues; `None`: all at once.
    pub accept_rate: Option<f64>,
    /// Listening sockets, each with an accept queue of its own: several share the port (`SO_REUSEPORT`). At least 1.
    pub listeners: u32,
    /// When it begins to accept; [`SimTime::MAX`] for never.
    pub accept_start: SimTime,
    /// When it begins to read; [`SimTime::MAX`] for never.
    pub read_start: SimTime,
    /// It closes a connection on which it has waited this long for a byte of a request, or for the
    /// client's close; `None`: never.
    pub idle_timeout: Option<SimDuration>,
    /// Requests it works on at a time, first come first served; `None` for no limit. A worker is busy for the
    /// service time of a request, even if its client has gone in the meantime.
    pub workers: Option<u32>,
    /// Receive buffer of each connection from its accept on (`SO_RCVBUF`), bytes. The window scale is
    /// agreed before that.
    pub receive_buffer: Option<u32>,
    /// It serves many requests at a time on each connection; the order of their responses, which it shares with its
    /// clients ([`ClientSpec::order`]).
    pub multiplexed: Option<Arc<super::response_order::ResponseOrder>>,
    /// What happens on connections; the same as the client's.
    pub exchange: Arc<Exchange>,
    /// The same for clients of class 1 and so on ([`ClientSpec::class`]).
    pub others: Vec<Arc<Exchange>>,
}

impl ServerSpec {
    /// What happens on the connections of clients of a class.
    pub fn exchange_of(&self, class: u8) -> &Exchange {
        let other = usize::from(class)
            .checked_sub(1)
            .and_then(|i| self.others.get(i));
        other.unwrap_or(&self.exchange)
    }
}

impl Default for ServerSpec {
    fn default() -> Self {
        ServerSpec {
            port: 80,
            backlog: 4096,
            accept_rate: None,
            listeners: 1,
            accept_start: SimTime::ZERO,
            read_start: SimTime::ZERO,
            idle_timeout: None,
            workers: None,
            receive_buffer: None,
            multiplexed: None,
            exchange: Arc::default(),
            others: Vec::new(),
        }
    }
}

/// A bulk sender: one connection that carries data one way.
#[derive(Clone, Debug, PartialEq)]
pub struct BulkSpec {
    /// Name of the workload.
    pub name: String,
    /// Local address.
    pub local: Ipv4Addr,
    /// The sink.
    pub remote: SocketAddrV4,
    /// When it connects.
    pub start: SimTime,
    /// Bytes to send, then close; `None`: for ever.
    pub bytes: Option<u64>,
}

/// A sink: accepts connections, reads everything at once or at a limited pace, and closes after
/// its peer.
#[derive(Clone, Debug, PartialEq)]
pub struct SinkSpec {
    /// Port to listen on.
    pub port: u16,
    /// Backlog of the listen call.
    pub backlog: u32,
    /// Bytes per second read from each connection; `None`: all at once.
    pub read_rate: Option<u64>,
    /// Time from the arrival of data until they are read, since the waiting process has to wake up.
    /// Data that arrive in the meantime are read, and acknowledged, together.
    pub read_delay: SimDuration,
    /// When it begins to accept; [`SimTime::MAX`] for never.
    pub accept_start: SimTime,
    /// When it begins to read; [`SimTime::MAX`] for never.
    pub read_start: SimTime,
    /// Receive buffer of each connection from its accept on (`SO_RCVBUF`), bytes.
    pub receive_buffer: Option<u32>,
}

impl Default for SinkSpec {
    fn default() -> Self {
        SinkSpec {
            port: 80,
            backlog: 4096,
            read_rate: None,
            read_delay: SimDuration::ZERO,
            accept_start: SimTime::ZERO,
            read_start: SimTime::ZERO,
            receive_buffer: None,
        }
    }
}

/// A flood of SYNs from addresses that no host has.
#[derive(Clone, Debug, PartialEq)]
pub struct SynFloodSpec {
    /// Name of the workload, for the random stream.
    pub name: String,
    /// The targets, in turn.
    pub remotes: Servers,
    /// Number of source addresses, at most 131072.
    pub sources: u32,
    /// Earliest time of the first SYN.
    pub start: SimTime,
    /// No SYN is sent from this time on.
    pub stop: SimTime,
    /// Maximum number of SYNs.
    pub limit: Option<u64>,
    /// When they are sent. A closed loop ends after its first round, since nothing is answered.
    pub arrivals: Arrivals,
}

/// An application of a host.
#[derive(Clone, Debug, PartialEq)]
pub enum AppSpec {
    /// Request and response, client's side.
    Client(ClientSpec),
    /// Request and response, server's side.
    Server(ServerSpec),
    /// A proxy between clients and upstream servers.
    Proxy(Box<ProxySpec>),
    /// Bulk transfer, sender.
    Bulk(BulkSpec),
    /// Bulk transfer, receiver.
    Sink(SinkSpec),
    /// A named application.
    Named(super::named::NamedSpec),
    /// SYNs whose SYN-ACKs are never answered.
    SynFlood(SynFloodSpec),
}
