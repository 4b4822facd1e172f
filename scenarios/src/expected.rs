//! The load of a workload: connections over time, requests, bytes, segments, and how long each connection
//! lasts.
//!
//! Load is computed only here: the division of networks ([`crate::execution`]), the checks of size
//! ([`crate::scenario::size`]), the estimate of a run's cost ([`crate::estimate`]) and the closed forms
//! ([`crate::analytic`]) all use it. Leaves out losses, queueing and custom applications.

use sim_core::SimDuration;
use tcp_model::TcpParams;
use tcp_model::spec::{Arrivals, CloseHow, Closer, Exchange};

pub mod mean;
pub mod path;

use mean::mean;

/// Bytes of headers in a packet, options included.
pub const HEADERS: f64 = 52.0;

/// Returns the rate of connections over time for all clients together, as points (seconds, connections per
/// second). The rate is linear between the points, and zero before the first and after the last. `None` for
/// users and bursts, which have no given rate.
pub fn offered(arrivals: &Arrivals, start_s: f64, stop_s: f64) -> Option<Vec<(f64, f64)>> {
    let mut points = match arrivals {
        Arrivals::Fixed(rate) | Arrivals::Poisson(rate) => vec![(start_s, *rate)],
        Arrivals::Ramp { from, to, over } => {
            vec![(start_s, *from), (start_s + over.as_secs_f64(), *to)]
        }
        Arrivals::Steps(steps) => {
            let mut points: Vec<(f64, f64)> = Vec::new();
            for (at, rate) in steps {
                let at = start_s + at.as_secs_f64();
                if let Some(&(_, before)) = points.last() {
                    points.push((at, before));
                }
                points.push((at, *rate));
            }
            points
        }
        Arrivals::Closed { .. } | Arrivals::Burst(_) => return None,
    };
    if let Some(cut) = points.iter().position(|p| p.0 > stop_s) {
        let last = points[cut];
        let before = cut.checked_sub(1).map(|i| points[i]);
        points.truncate(cut);
        if let Some((t0, r0)) = before {
            let share = (stop_s - t0) / (last.0 - t0);
            points.push((stop_s, r0 + (last.1 - r0) * share));
        }
    }
    let last = points.last().map_or(0.0, |p| p.1);
    points.push((stop_s, last));
    points.push((stop_s, 0.0));
    Some(points)
}

/// Returns the area below a line through points.
pub fn area(points: &[(f64, f64)]) -> f64 {
    let pairs = points.windows(2);
    pairs
        .map(|p| (p[1].0 - p[0].0) * (p[0].1 + p[1].1) / 2.0)
        .sum()
}

/// Returns the number of connections opened from `start_s` to `stop_s`, including failed ones. A user's
/// connection lasts `open_s`, or for ever if that is `None`.
pub fn connections(
    arrivals: &Arrivals,
    limit: Option<u64>,
    (start_s, stop_s): (f64, f64),
    open_s: Option<f64>,
) -> f64 {
    let time = (stop_s - start_s).max(0.0);
    let all = match arrivals {
        Arrivals::Closed { users, think } => {
            let cycle = open_s.map_or(f64::INFINITY, |open| open + mean(*think));
            f64::from(*users) * (time / cycle.max(1e-6)).max(1.0)
        }
        Arrivals::Burst(count) => f64::from(*count),
        _ => offered(arrivals, start_s, stop_s).map_or(0.0, |points| area(&points)),
    };
    all.min(limit.map_or(f64::INFINITY, |limit| limit as f64))
}

/// Mean load of one connection of an exchange.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConnectionLoad {
    /// Requests.
    pub requests: f64,
    /// Segments from client to server, and back.
    pub segments: (f64, f64),
    /// Bytes from client to server, and back, including headers.
    pub bytes: (f64, f64),
    /// Timer and application events at each end.
    pub others: f64,
}

impl ConnectionLoad {
    /// Computes the load of an exchange with segments of at most `mss` bytes.
    pub fn new(exchange: &Exchange, mss: u16) -> ConnectionLoad {
        let requests = f64::from(exchange.requests);
        let (request, response) = (mean(exchange.request), mean(exchange.response));
        let mss = f64::from(mss);
        let segments = |bytes: f64| (bytes / mss).ceil();
        // SYN, ACK and FIN of the client, SYN-ACK, ACK and FIN of the server; an ACK for every
        // other segment, at least one for each message.
        let acks = |bytes: f64| (segments(bytes) / 2.0).ceil();
        let there = 3.0 + requests * (segments(request) + acks(response));
        let back = 3.0 + requests * (segments(response) + acks(request));
        ConnectionLoad {
            requests,
            segments: (there, back),
            bytes: (
                there * HEADERS + requests * request,
                back * HEADERS + requests * response,
            ),
            others: 2.0 + requests,
        }
    }
}

/// Mean time in seconds from connect until the client's socket is closed or in TIME-WAIT: a round
/// trip each for the handshake, every request and the close, plus the waits of both applications.
/// Infinite if the mean of a wait is infinite.
pub fn open_s(exchange: &Exchange, round_trip_s: f64) -> f64 {
    let half = exchange.how == CloseHow::Half;
    let aborts = exchange.how == CloseHow::Rst;
    // No round trip for the close: a FIN sent with the last request is answered with the response, and a
    // RST is not answered.
    let closing = if half || aborts { 0.0 } else { 1.0 };
    let close_after = if half {
        SimDuration::ZERO
    } else {
        exchange.close_after
    };
    let lingers = half || !aborts && exchange.closer != Closer::Both;
    let linger = if lingers {
        exchange.linger
    } else {
        SimDuration::ZERO
    };
    round_trip_s * (1.0 + f64::from(exchange.requests) + closing)
        + waits_s(exchange)
        + close_after.as_secs_f64()
        + linger.as_secs_f64()
}

/// Mean time that the applications of a connection spend waiting between messages, seconds.
pub fn waits_s(exchange: &Exchange) -> f64 {
    let requests = f64::from(exchange.requests);
    let thinks = if exchange.requests > 1 {
        mean(exchange.think) * (requests - 1.0)
    } else {
        0.0
    };
    mean(exchange.service) * requests + thinks
}

/// Bytes per second of a bulk transfer, limited by its window and round trip and by the narrowest link, also
/// in bytes per second.
pub fn bulk_rate(params: &TcpParams, round_trip_s: f64, narrowest: f64) -> f64 {
    let window = f64::from(params.send_buffer.min(params.receive_buffer));
    (window / round_trip_s.max(1e-6)).min(narrowest)
}
