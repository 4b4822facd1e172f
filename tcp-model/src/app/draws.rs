//! Sizes and times of an exchange: draws keyed by connection and message, so that client and server
//! make the same ones.

use rand_distr::{Distribution as _, Exp1, StandardNormal};
use sim_core::rng::mix;
use sim_core::{Rng, SimDuration};

use super::spec::Distribution;
use crate::host::SocketCx;
use crate::segment::ConnId;

/// What is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DrawKind {
    Request,
    Response,
    Think,
    Service,
}

impl DrawKind {
    const fn purpose(self) -> &'static str {
        match self {
            DrawKind::Request => "request size",
            DrawKind::Response => "response size",
            DrawKind::Think => "think time",
            DrawKind::Service => "service time",
        }
    }
}

/// Identifies a draw: client and server of a connection get the same value for the same key.
#[derive(Clone, Copy, Debug)]
pub(super) struct DrawKey {
    pub(super) seed: u64,
    pub(super) conn: ConnId,
    pub(super) index: u32,
}

impl DrawKey {
    /// The draws of message `index` of a connection.
    pub(super) fn new(conn: ConnId, index: u32, socket: &SocketCx<'_, '_>) -> DrawKey {
        let seed = socket.seed();
        DrawKey { seed, conn, index }
    }

    fn value(self, what: DrawKind, from: Distribution) -> f64 {
        match from {
            Distribution::Constant(value) => value,
            _ => self.drawn(what, from),
        }
    }

    /// Out of line: most exchanges have constant sizes and times.
    #[cold]
    fn drawn(self, what: DrawKind, from: Distribution) -> f64 {
        let index = mix(self.conn.0) ^ u64::from(self.index);
        let mut rng = Rng::stream(self.seed, what.purpose(), index);
        draw(from, &mut rng)
    }

    /// A size in bytes, rounded.
    #[inline(never)]
    pub(super) fn bytes(self, what: DrawKind, from: Distribution) -> u64 {
        let value = self.value(what, from);
        let whole = value as i64; // cheaper than an unsigned one
        if whole >= 0 && whole as f64 == value {
            whole as u64
        } else {
            rounded(value)
        }
    }

    /// A time.
    pub(super) fn time(self, what: DrawKind, from: Distribution) -> SimDuration {
        seconds(self.value(what, from))
    }
}

/// Negative and NaN become zero.
#[cold]
fn rounded(value: f64) -> u64 {
    libm::round(value) as u64
}

/// A time from a number of seconds; zero if the number is negative or NaN.
pub(super) fn seconds(s: f64) -> SimDuration {
    if s > 0.0 {
        SimDuration::from_secs_f64(s)
    } else {
        SimDuration::ZERO
    }
}

/// One value of a distribution. Logarithms, powers and exponentials are those of libm: the same bits
/// on every platform.
pub(super) fn draw(from: Distribution, rng: &mut Rng) -> f64 {
    match from {
        Distribution::Constant(value) => value,
        Distribution::Uniform(low, high) => low + (high - low) * rng.uniform(),
        Distribution::Exponential(mean) => {
            let e: f64 = Exp1.sample(rng.source());
            mean * e
        }
        Distribution::LogNormal { median, sigma } => {
            let z: f64 = StandardNormal.sample(rng.source());
            median * libm::exp(sigma * z)
        }
        Distribution::Pareto { min, alpha } => min * libm::pow(1.0 - rng.uniform(), -1.0 / alpha),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(serial: u32, index: u32) -> DrawKey {
        DrawKey {
            seed: 1,
            conn: ConnId::new(3, serial),
            index,
        }
    }

    #[test]
    fn a_draw_depends_on_its_whole_name() {
        let from = Distribution::Uniform(0.0, 1e9);
        let base = key(1, 1).bytes(DrawKind::Request, from);
        assert_eq!(key(1, 1).bytes(DrawKind::Request, from), base);
        assert_ne!(key(1, 1).bytes(DrawKind::Response, from), base);
        assert_ne!(key(1, 2).bytes(DrawKind::Request, from), base);
        assert_ne!(key(2, 1).bytes(DrawKind::Request, from), base);
        let other_seed = DrawKey {
            seed: 2,
            ..key(1, 1)
        };
        assert_ne!(other_seed.bytes(DrawKind::Request, from), base);
    }

    #[test]
    fn odd_values_become_zero() {
        for value in [-1.0, f64::NAN, 0.4] {
            let from = Distribution::Constant(value);
            assert_eq!(key(0, 0).bytes(DrawKind::Request, from), 0);
        }
        let negative = Distribution::Constant(-1.0);
        assert_eq!(key(0, 0).time(DrawKind::Think, negative), SimDuration::ZERO);
    }

    #[test]
    fn distributions_have_their_moments() {
        let mean_of = |from| {
            let n = 50_000;
            let total: f64 = (0..n)
                .map(|i| key(i, 0).value(DrawKind::Service, from))
                .sum();
            total / f64::from(n)
        };
        let close = |got: f64, want: f64| assert!((got / want - 1.0).abs() < 0.02, "{got} {want}");
        close(mean_of(Distribution::Uniform(2.0, 4.0)), 3.0);
        close(mean_of(Distribution::Exponential(5.0)), 5.0);
        let log_normal = Distribution::LogNormal {
            median: 2.0,
            sigma: 0.5,
        };
        close(mean_of(log_normal), 2.0 * libm::exp(0.125));
        let pareto = Distribution::Pareto {
            min: 1.0,
            alpha: 4.0,
        };
        close(mean_of(pareto), 4.0 / 3.0);
    }
}
