//! The records of proxies, circuit breakers and health checks.

use sim_core::SimDuration;

/// An event of a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxySample {
    /// A whole request arrived from a client.
    Begun,
    /// A try of a request failed.
    TryFailed {
        /// Why.
        cause: TryFailure,
        /// The request is tried again, with the next upstream server.
        again: bool,
    },
    /// The proxy is done with a request.
    Done {
        /// Since the request had arrived.
        took: SimDuration,
        /// Number of tries.
        tries: u32,
        /// What became of it.
        result: ProxyResult,
    },
    /// The run ended, or the proxy's host went down, with requests neither answered nor refused.
    Pending {
        /// Their number.
        requests: u64,
        /// Those among them that waited for a connection.
        waiting: u64,
        /// The longest time that one of these had waited, in its present try.
        longest: SimDuration,
    },
}

/// Why a try of a proxy failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TryFailure {
    /// The proxy had no free port towards the upstream server (EADDRNOTAVAIL).
    NoPort,
    /// The connection was refused, reset or closed, or its TCP gave up, before the whole response had arrived.
    Connection,
    /// It took longer than `connect_timeout` or `try_timeout`.
    TimedOut,
}

/// What became of a request at a proxy, with the HTTP status of the answer (RFC 9110 section 15.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProxyResult {
    /// An upstream server answered it.
    Answered,
    /// 502: the last try had no port or lost its connection.
    BadGateway,
    /// 503: no upstream server may be tried, or too many requests wait.
    Unavailable,
    /// 504: the last try took too long.
    GatewayTimeout,
    /// Its client left while it was waiting for a connection.
    ClientGone,
}

/// What a client or a proxy found out about a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpstreamSample {
    /// The circuit breaker of a server changed its state.
    Breaker(BreakerChange),
    /// An attempt failed at once, because the breakers of all servers were open.
    Rejected,
    /// A health check ended.
    Check {
        /// It succeeded.
        success: bool,
    },
    /// Health checks took a server out of use or back into use.
    Health {
        /// It is used again.
        up: bool,
    },
}

/// The new state of a circuit breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BreakerChange {
    /// No attempt is made for a while.
    Opened,
    /// One attempt is made.
    HalfOpened,
    /// Attempts are made again.
    Closed,
}
