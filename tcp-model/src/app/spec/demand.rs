//! The demand of a workload: distributions of sizes and times, and arrivals of connections.

use sim_core::SimDuration;

/// How sizes and times are distributed. Draws are keyed by connection and message, so that client
/// and server draw the same values without exchanging them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Distribution {
    /// Always the same.
    Constant(f64),
    /// Uniform between two values.
    Uniform(f64, f64),
    /// Exponential with this mean.
    Exponential(f64),
    /// Log-normal with this median and shape sigma.
    LogNormal {
        /// Median.
        median: f64,
        /// Standard deviation of the logarithm.
        sigma: f64,
    },
    /// Pareto with this minimum and shape alpha.
    Pareto {
        /// Minimum.
        min: f64,
        /// Tail exponent.
        alpha: f64,
    },
}

/// When connections are opened.
#[derive(Clone, Debug, PartialEq)]
pub enum Arrivals {
    /// Open loop at this rate per second, evenly spaced.
    Fixed(f64),
    /// Open loop, Poisson with this rate per second.
    Poisson(f64),
    /// Open loop; the rate per second changes linearly from `from` to `to` over `over`, then stays.
    Ramp {
        /// Rate at the start.
        from: f64,
        /// Rate at the end.
        to: f64,
        /// How long it takes.
        over: SimDuration,
    },
    /// Open loop; each (time since start, rate per second) holds until the next, evenly spaced.
    Steps(Vec<(SimDuration, f64)>),
    /// Closed loop: this many users; each opens a connection, waits for its end, thinks, and opens
    /// the next.
    Closed {
        /// Number of users.
        users: u32,
        /// Think time between connections, seconds.
        think: Distribution,
    },
    /// This many at once, at the start.
    Burst(u32),
}
