//! `[[workload]]`: which hosts communicate, when, and what they exchange.

use serde::{Deserialize, Serialize};
use sim_core::{Bytes, SimDuration};

use super::keys::{described, leaf};
use super::values::{
    CountLimit, Dist, InBytes, InSeconds, NamedOnly, OrModel, PerSecond, PortList, StartChoice,
};
use crate::unreadable::Unreadable;

/// Kinds of workloads.
pub(crate) const WORKLOAD_KINDS: [&str; 4] = ["exchange", "bulk", "syn-flood", "application"];
/// Ways in which clients use connections, by version of HTTP.
pub(crate) const HTTP_VERSIONS: [&str; 4] = ["http/1.0", "http/1.1", "http/1.1-six", "http/2"];
/// Kinds of arrivals.
pub(crate) const ARRIVAL_KINDS: [&str; 6] =
    ["fixed", "poisson", "ramp", "steps", "closed", "burst"];

described! {
/// A workload. Rates, users, bursts and limits are totals, shared evenly by its client hosts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkloadFile {
    /// Name, for reports and random streams.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String> => { default: "the kind", example: r#""upstream""# },
    /// What the workload does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String> => { default: "application if there is one, else exchange", example: r#""bulk""#, one_of: |_| WORKLOAD_KINDS.to_vec() },
    /// What its hosts run, by name (application).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application: Option<OrModel<NamedOnly>> => { default: "none; an application needs it", example: r#"{ kind = "heartbeat", interval = "1 s" }"# },
    /// Group or host that opens connections.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String> => { default: "client", example: r#""client""# },
    /// Group or host that accepts them. Each client uses all addresses and
    /// ports of all servers in turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<String> => { default: "server", example: r#""server""# },
    /// Router that clients connect to in place of the servers: a balancer that has them among its `servers`
    /// (exchange, syn-flood).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub via: Option<String> => { default: "none", example: r#""balancer""# },
    /// First server port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16> => { default: "80", example: "8080", within: Some((1.0, 65_535.0)) },
    /// Server ports: how many from `port` upwards, or a list instead of `port`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ports: Option<PortList> => { default: "1", example: "[80, 81]" },
    /// How many of its addresses each client uses; all if it has fewer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_addresses: Option<u32> => { default: "all", example: "4", within: Some((1.0, 1_000_000.0)) },
    /// `false`: the client binds to its address and a port before it connects, so that a port serves only
    /// one connection, whatever its destination. `true`: it binds only to its address, and `connect`
    /// chooses the port (the socket option of this name; exchange).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_bind_address_no_port: Option<bool> => { default: "true", example: "false" },
    /// How many of the addresses of each server are used; all if it has fewer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_addresses: Option<u32> => { default: "all", example: "4", within: Some((1.0, 1_000_000.0)) },
    /// Backlog of the listen call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backlog: Option<u32> => { default: "as `somaxconn`", example: "128", within: Some((1.0, 4_294_967_295.0)) },
    /// Connections per second a server takes from its accept queue (exchange).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accept_rate: Option<PerSecond> => { default: "all at once", example: r#""1000 /s""# },
    /// When the server begins to accept, since the start of the run, or `"never"`: until then connections
    /// wait in its accept queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accept_start: Option<StartChoice> => { default: "0 s", example: r#""10 s""# },
    /// When the server begins to read, since the start of the run, or `"never"`: until then its receive
    /// buffers fill.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_start: Option<StartChoice> => { default: "0 s", example: r#""never""# },
    /// Receive buffer that the server gives each connection when it has accepted it (`SO_RCVBUF` after
    /// `accept`). The window scale, which was agreed in the handshake, follows from `receive_buffer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receive_buffer_after_accept: Option<Bytes> => { default: "as `receive_buffer`", example: r#""1 MB""# },
    /// The server closes a connection after waiting this long for a request, or for the client's close
    /// (exchange).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_timeout: Option<SimDuration> => { default: "never", example: r#""60 s""# },
    /// Requests that each server works on at a time, first come first served; a worker is busy for the
    /// `service` time of its request (exchange).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workers: Option<u32> => { default: "no limit", example: "8", within: Some((1.0, 4_294_967_295.0)) },
    /// Listening sockets of a server on each of its ports, which share the port (`SO_REUSEPORT`) (exchange): each has an accept queue of
    /// its own, with `backlog` and `accept_rate`. A hash of addresses and ports selects the queue of a connection, even if
    /// that queue is full and others are empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listeners: Option<u32> => { default: "1", example: "4", within: Some((1.0, 1_024.0)) },
    /// Earliest time at which connections are opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<SimDuration> => { default: "0 s", example: r#""10 s""# },
    /// Time from which no more connections are opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop: Option<SimDuration> => { default: "the end of the run", example: r#""100 s""# },
    /// Maximum number of connections to open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<CountLimit> => { default: r#""unlimited""#, example: "1000" },
    /// When connections are opened (exchange), or SYNs sent (syn-flood).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arrivals: Option<ArrivalsFile> => { default: "none; needed, except for bulk", example: r#"{ kind = "poisson", rate = "450 /s" }"# },
    /// Requests per connection; 0 for clients that connect and stay silent until they close
    /// (exchange).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<u32> => { default: "1", example: "10", within: Some((0.0, 4_294_967_295.0)) },
    /// Size of a request (exchange).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<Dist<InBytes>> => { default: "100 B", example: r#""200 B""# },
    /// Size of a response (exchange), 0 B for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<Dist<InBytes>> => { default: "1000 B", example: r#"{ kind = "exponential", mean = "10 kB" }"# },
    /// Client's time between a response and the next request (exchange).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub think: Option<Dist<InSeconds>> => { default: "0 s", example: r#""1 s""# },
    /// Server's time between a request and its response (exchange).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<Dist<InSeconds>> => { default: "0 s", example: r#""5 ms""# },
    /// The server responds once it has read this much of a request, and does not read the rest; needs
    /// `close = "server"` and one request per connection (exchange).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub respond_after: Option<Bytes> => { default: "the whole request", example: r#""1 kB""# },
    /// The client gives up a connect that takes longer (exchange).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect_timeout: Option<SimDuration> => { default: "when its TCP gives up", example: r#""1 s""# },
    /// The client gives up on a request whose complete response takes longer, and closes the connection
    /// (exchange).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_timeout: Option<SimDuration> => { default: "when its TCP gives up", example: r#""5 s""# },
    /// Further attempts when a connect or a request fails or is given up (exchange).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retries: Option<RetriesFile> => { default: "none", example: r#"{ max = 3, backoff = "100 ms" }"# },
    /// The time of each exchange is measured from its arrival (of a request, from a pool) until it is done or has failed
    /// for good, with failed attempts, back-off and waits for a connection (exchange): the metrics `exchange_time_…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exchange_times: Option<bool> => { default: "false", example: "true" },
    /// A circuit breaker of the client for each server (exchange): after failures it makes no attempt there for a
    /// while.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub breaker: Option<BreakerFile> => { default: "none", example: r#"{ failures = 5, open = "10 s" }"# },
    /// A proxy between clients and servers (exchange): clients connect to it, and it forwards each request to one of
    /// the servers over connections of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy: Option<ProxyFile> => { default: "none", example: r#"{ host = "proxy", tries = 2, pool = { idle_timeout = "30 s" } }"# },
    /// How clients use connections, by the name of a version of HTTP (exchange); keys given beside it take precedence.
    /// `"http/1.0"`: a connection for each request, which the server closes. `"http/1.1"`: one kept connection, and one request at
    /// a time. `"http/1.1-six"`: up to six kept connections, as browsers open. `"http/2"`: one connection with up to 100 requests
    /// at a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http: Option<String> => { default: "none", example: r#""http/2""#, one_of: |_| HTTP_VERSIONS.to_vec() },
    /// Each client keeps its connections in a pool, and `arrivals` are those of requests (exchange). Cannot
    /// be combined with `requests`, `think`, `close`, `how`, `close_after`, `linger` or `fast_open`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool: Option<PoolFile> => { default: "a connection per arrival", example: r#"{ max = 10, idle_timeout = "30 s" }"# },
    /// Who closes first (exchange).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub close: Option<String> => { default: "client", example: r#""server""#, one_of: |_| vec!["client", "server", "both"] },
    /// How the connection is closed (exchange): both directions, one after the other, or by a reset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub how: Option<String> => { default: "fin", example: r#""half""#, one_of: |_| vec!["fin", "half", "rst"] },
    /// How long the end that closes first waits before it closes (exchange).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub close_after: Option<SimDuration> => { default: "0 s", example: r#""1 s""# },
    /// How long the other end then waits before it closes too (exchange).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub linger: Option<SimDuration> => { default: "0 s", example: r#""1 s""# },
    /// The first request is sent with the SYN (exchange) if `fast_open` of the hosts has bit 1 at
    /// the client and bit 2 at the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fast_open: Option<bool> => { default: "false", example: "true" },
    /// Source addresses of the flood, none of which answers: the first of 198.18.0.0/15 (syn-flood).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sources: Option<u32> => { default: "131072", example: "1000", within: Some((1.0, 131_072.0)) },
    /// Bytes of each flow (bulk).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<BulkSize> => { default: r#""unlimited""#, example: r#""10 MB""# },
    /// Flows of each client (bulk).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flows: Option<u32> => { default: "1", example: "4", within: Some((1.0, 1_000_000.0)) },
    /// Time between the starts of two flows (bulk).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stagger: Option<SimDuration> => { default: "0 s", example: r#""100 ms""# },
    /// Bytes per second that the sink reads (bulk), as `"1 MB"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_rate: Option<Bytes> => { default: "all at once", example: r#""1 MB""# },
    /// Time from the arrival of data until they are read (bulk), such as the time a process takes to wake
    /// up. Data that arrive meanwhile are acknowledged together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_delay: Option<SimDuration> => { default: "0 s", example: r#""200 us""# },
}
}

described! {
/// When connections are opened. `kind` says which of the other keys it takes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArrivalsFile {
    /// Which arrival process.
    pub kind: String => { example: r#""fixed""#, one_of: |_| ARRIVAL_KINDS.to_vec(), needed: true },
    /// Rate (fixed, poisson).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<PerSecond> => { default: "none; needed", example: r#""450 /s""# },
    /// Rate at the start (ramp).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<PerSecond> => { default: "none; needed", example: r#""0 /s""# },
    /// Rate at the end (ramp).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<PerSecond> => { default: "none; needed", example: r#""1000 /s""# },
    /// Time from one to the other (ramp).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub over: Option<SimDuration> => { default: "none; needed", example: r#""60 s""# },
    /// Rates and when they begin (steps).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<Vec<StepFile>> => { default: "none; needed", example: r#"[{ at = "0 s", rate = "100 /s" }, { at = "60 s", rate = "500 /s" }]"# },
    /// Number of users (closed).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub users: Option<u32> => { default: "none; needed", example: "100", within: Some((1.0, 10_000_000.0)) },
    /// Time of a user between two connections (closed).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub think: Option<Dist<InSeconds>> => { default: "0 s", example: r#""1 s""# },
    /// Number of connections (burst).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u32> => { default: "none; needed", example: "1000", within: Some((1.0, 10_000_000.0)) },
}
}

described! {
/// A rate that holds from a time after the workload's start.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepFile {
    /// When it begins, after the workload's start.
    pub at: SimDuration => { example: r#""60 s""#, needed: true },
    /// The rate.
    pub rate: PerSecond => { example: r#""500 /s""#, needed: true },
}
}

described! {
/// The connections that each client keeps for later requests. A request takes the idle connection
/// that was used last, opens one, or waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolFile {
    /// Maximum number of connections, including those being opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<u32> => { default: "no limit", example: "10", within: Some((1.0, 4_294_967_295.0)) },
    /// Maximum number of idle connections kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle: Option<u32> => { default: "as `max`", example: "2", within: Some((0.0, 4_294_967_295.0)) },
    /// A connection is closed when it has been idle for this long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_timeout: Option<SimDuration> => { default: "never", example: r#""30 s""# },
    /// A connection of this age takes no more requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_lifetime: Option<SimDuration> => { default: "no limit", example: r#""10 min""# },
    /// Maximum number of requests over one connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_requests: Option<u32> => { default: "no limit", example: "1000", within: Some((1.0, 4_294_967_295.0)) },
    /// Maximum number of requests in flight at a time on one connection, as by HTTP/2: the server works on all of them,
    /// and each response comes when it is ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub streams: Option<u32> => { default: "1", example: "100", within: Some((1.0, 1_000_000.0)) },
}
}

described! {
/// What clients do when an attempt fails: a connect that fails or is given up, or a request without a
/// complete response. Another attempt repeats the exchange from its first request, over a new connection
/// to the next server.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetriesFile {
    /// Maximum number of further attempts of one exchange.
    pub max: u32 => { example: "3", within: Some((0.0, 1_000_000.0)), needed: true },
    /// Wait before the first of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backoff: Option<SimDuration> => { default: "100 ms", example: r#""1 s""# },
    /// Factor by which the wait grows from one attempt to the next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub factor: Option<f64> => { default: "2", example: "1.5", within: Some((1.0, 1_000.0)) },
    /// Longest wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_backoff: Option<SimDuration> => { default: "10 s", example: r#""30 s""# },
    /// Share of the wait that is random: with 1 the wait is uniform between zero and its full length, with
    /// 0 it always has its full length.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jitter: Option<f64> => { default: "1", example: "0.5", within: Some((0.0, 1.0)) },
    /// Maximum number of further attempts per exchange begun, over all exchanges of a client host so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<f64> => { default: "no limit", example: "0.2", within: Some((0.0, 1_000_000.0)) },
}
}

described! {
/// When a circuit breaker opens, and for how long; after that, one attempt decides whether it closes. Without
/// `failures` and `share` it opens after 5 failures in a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BreakerFile {
    /// It opens after this many failures in a row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failures: Option<u32> => { default: "5, or none with `share`", example: "3", within: Some((1.0, 1_000_000.0)) },
    /// It opens when at least this share of the last `window` attempts has failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<f64> => { default: "none", example: "0.5", within: Some((0.0, 1.0)) },
    /// Attempts over which `share` is taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<u32> => { default: "100", example: "20", within: Some((1.0, 1_000_000.0)) },
    /// How long it stays open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open: Option<SimDuration> => { default: "10 s", example: r#""30 s""# },
}
}

described! {
/// Health checks of a proxy: a connect to each server at regular intervals. The defaults are those of HAProxy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HealthFile {
    /// Time between two checks of a server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<SimDuration> => { default: "2 s", example: r#""5 s""# },
    /// A check that takes longer has failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<SimDuration> => { default: "1 s, or `interval` if that is shorter", example: r#""500 ms""# },
    /// A server is used again after this many successful checks in a row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rise: Option<u32> => { default: "2", example: "1", within: Some((1.0, 1_000_000.0)) },
    /// A server is used no more after this many failed checks in a row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fall: Option<u32> => { default: "3", example: "2", within: Some((1.0, 1_000_000.0)) },
}
}

described! {
/// A reverse proxy (layer 7). It listens on the workload's ports and forwards requests to the same ports of the
/// servers, which take turns. `service`, `workers` and `idle_timeout` of the workload apply to the servers; the
/// proxy itself takes no time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProxyFile {
    /// Host, or group of hosts, that is the proxy.
    pub host: String => { example: r#""proxy""#, needed: true },
    /// The connections that the proxy keeps to each server; `max` and `idle` are numbers for each server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool: Option<PoolFile> => { default: "a connection per request", example: r#"{ max = 20, idle_timeout = "30 s" }"# },
    /// A connect to a server that takes longer has failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect_timeout: Option<SimDuration> => { default: "when its TCP gives up", example: r#""1 s""# },
    /// A try that takes longer, from its connect to the end of the response, has failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub try_timeout: Option<SimDuration> => { default: "when its TCP gives up", example: r#""2 s""# },
    /// Maximum number of tries of a request, each with the next server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tries: Option<u32> => { default: "1", example: "3", within: Some((1.0, 1_000.0)) },
    /// Maximum number of requests that wait for a connection; others are answered 503.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<u32> => { default: "no limit", example: "100", within: Some((0.0, 4_294_967_295.0)) },
    /// The proxy closes a client's connection after waiting this long for a request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_timeout: Option<SimDuration> => { default: "never", example: r#""75 s""# },
    /// A circuit breaker of the proxy for each server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub breaker: Option<BreakerFile> => { default: "none", example: r#"{ failures = 5, open = "10 s" }"# },
    /// Health checks of the servers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health: Option<HealthFile> => { default: "none", example: r#"{ interval = "2 s", timeout = "1 s", rise = 2, fall = 3 }"# },
}
}

/// Bytes of a flow, or `"unlimited"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BulkSize(pub Option<u64>);

impl std::str::FromStr for BulkSize {
    type Err = Unreadable;
    fn from_str(text: &str) -> Result<Self, Unreadable> {
        match text {
            "unlimited" => Ok(BulkSize(None)),
            _ => Ok(BulkSize(Some(text.parse::<Bytes>()?.0))),
        }
    }
}

impl std::fmt::Display for BulkSize {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(bytes) => write!(f, "{}", Bytes(bytes)),
            None => f.write_str("unlimited"),
        }
    }
}
super::values::as_text!(
    BulkSize,
    "a quoted size such as \"10 MB\", or \"unlimited\""
);

leaf! {
    BulkSize: "a size with its unit: B, kB, KiB, MB, MiB, GB or GiB, or `\"unlimited\"`",
        { "type": "string", "anyOf": [{ "pattern": super::keys::SIZE }, { "const": "unlimited" }] };
}
