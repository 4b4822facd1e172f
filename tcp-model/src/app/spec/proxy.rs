//! A reverse proxy as data, and how clients and proxies avoid servers that fail.

use std::net::Ipv4Addr;
use std::sync::Arc;

use sim_core::SimDuration;

use super::{Exchange, PoolSpec, ServerSpec, Servers};

/// A circuit breaker, one for each server: after failures no attempt goes to the server for a while; then
/// a single attempt decides whether it is used again.
///
/// Nygard, "Release It!" (2007), chapter 5. At least one of `failures` and `share` should be given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BreakerSpec {
    /// It opens after this many failures in a row; `None`: they do not open it.
    pub failures: Option<u32>,
    /// It opens when at least this share of the last `window` attempts has failed; `None`: the share does
    /// not open it.
    pub share: Option<f64>,
    /// Number of attempts over which the share is taken.
    pub window: u32,
    /// How long it stays open.
    pub open: SimDuration,
}

impl Default for BreakerSpec {
    fn default() -> Self {
        BreakerSpec {
            failures: Some(5),
            share: None,
            window: 100,
            open: SimDuration::from_secs(10),
        }
    }
}

/// Active health checks of servers: a connect at regular intervals.
///
/// The defaults of HAProxy: `inter 2s rise 2 fall 3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthSpec {
    /// Time between two checks of a server.
    pub interval: SimDuration,
    /// A check that takes longer has failed.
    pub timeout: SimDuration,
    /// A server that is down is used again after this many successful checks in a row.
    pub rise: u32,
    /// A server that is up is used no more after this many failed checks in a row.
    pub fall: u32,
}

impl Default for HealthSpec {
    fn default() -> Self {
        HealthSpec {
            interval: SimDuration::from_secs(2),
            timeout: SimDuration::from_secs(1),
            rise: 2,
            fall: 3,
        }
    }
}

/// The side of a proxy that faces its upstream servers.
#[derive(Clone, Debug, PartialEq)]
pub struct UpstreamSpec {
    /// Local addresses; the connections to an upstream take turns.
    pub locals: Vec<Ipv4Addr>,
    /// The upstream servers; requests take turns.
    pub servers: Servers,
    /// The class of its connections ([`super::ClientSpec::class`]).
    pub class: u8,
    /// What happens on its connections, as at the upstream servers: any number of requests, and the proxy
    /// closes.
    pub exchange: Arc<Exchange>,
    /// The connections that it keeps to each upstream server. With `idle` 0 each request has a connection of
    /// its own.
    pub pool: PoolSpec,
    /// A connect that takes longer has failed; `None`: that is left to TCP.
    pub connect_timeout: Option<SimDuration>,
    /// A try, from its connect to the last byte of the response, that takes longer has failed; `None`: no
    /// limit.
    pub try_timeout: Option<SimDuration>,
    /// Maximum number of tries of a request, each with the next upstream server; at least 1.
    pub tries: u32,
    /// Maximum number of requests that wait for a connection; `None` for no limit. Others are answered 503.
    pub queue: Option<u32>,
    /// A circuit breaker for each upstream server.
    pub breaker: Option<BreakerSpec>,
    /// Health checks of each upstream server.
    pub health: Option<HealthSpec>,
}

/// A reverse proxy (layer 7).
#[derive(Clone, Debug, PartialEq)]
pub struct ProxySpec {
    /// The side that faces clients. Its service times and workers have no effect: upstream servers serve.
    pub front: ServerSpec,
    /// The side that faces upstream servers.
    pub back: UpstreamSpec,
}
