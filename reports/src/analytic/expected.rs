//! What the closed forms of a run predict, and within which interval.
//!
//! Ports are servers of a loss system: a connect takes one for the time that the connection holds
//! it, and fails if none is free. Evenly spaced connects that hold ports for about the same time
//! behave like a fluid. Poisson arrivals at one pair of address and destination follow Erlang's
//! loss formula. Between these two cases, a value is predicted only if both give nearly the same.
//!
//! An interval covers what is not known exactly (the holding time, the last connection of a pair)
//! and four standard deviations of the arrivals and holding times within the window.

use super::{FluidPoint, Span, erlang_b, failure_share, fluid, offered_rate, offered_until};
use crate::info::{AnalyticHints, ArrivalLaw, Theory};

/// A value and the interval in which a simulation must lie.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Expected {
    /// The theoretical value.
    pub value: f64,
    /// The smallest value compatible with it.
    pub low: f64,
    /// The largest.
    pub high: f64,
}

/// Steps of a fluid curve.
const STEPS: usize = 2_000;
/// Widest interval of a share, without noise, that is still reported.
const WIDEST_SHARE: f64 = 0.02;
/// Half-width of an interval, in standard deviations.
const DEVIATIONS: f64 = 4.0;
/// Number of holding times after which Poisson arrivals at ports that are held for a fixed time no
/// longer depend on how the run began.
const FORGOTTEN_AFTER: f64 = 10.0;

/// A port held for less than this, in seconds, is not scarce: its limit is not worth a sentence.
pub const SCARCE_FROM_S: f64 = 1.0;

/// Connections per second that the ports allow in the long run.
pub fn port_limit(theory: &Theory) -> Span {
    let supply = theory.ports * theory.pairs;
    Span {
        low: supply / theory.held_s.high,
        high: supply / theory.held_s.low,
    }
}

/// The share of connects in a window that fail for lack of a port.
pub fn expected_failures(
    hints: &AnalyticHints,
    duration_s: f64,
    window: (f64, f64),
) -> Option<Expected> {
    let case = TheoryCase::new(hints, duration_s, window)?;
    let exact = if case.is_fluid() {
        case.fluid_share()?
    } else {
        case.stationary_share()?
    };
    if exact.high - exact.low > WIDEST_SHARE {
        return None;
    }
    let noise = DEVIATIONS * case.deviation_of_share(exact.value);
    Some(Expected {
        value: exact.value,
        low: (exact.low - noise).max(0.0),
        high: (exact.high + noise).min(1.0),
    })
}

/// Mean number of sockets in TIME-WAIT within a window.
pub fn expected_time_wait(
    hints: &AnalyticHints,
    duration_s: f64,
    window: (f64, f64),
) -> Option<Expected> {
    let case = TheoryCase::new(hints, duration_s, window)?;
    let stay = case.theory.time_wait.as_ref()?;
    let share = expected_failures(hints, duration_s, window)?;
    let level = |failed: f64| case.rate * (1.0 - failed) * stay.stay_s;
    if case.is_fluid() {
        let mean = |held: f64, after: f64| {
            let points = case.fluid(held, after)?;
            let inside = points
                .iter()
                .filter(|p| window.0 <= p.t_s && p.t_s <= window.1);
            let (sum, n) = inside.fold((0.0, 0u32), |(sum, n), p| (sum + p.time_wait, n + 1));
            (n > 0).then(|| sum / f64::from(n))
        };
        let value = mean(case.theory.held_s.middle(), stay.after_s.middle())?;
        let ends = [
            mean(case.theory.held_s.low, stay.after_s.low)?,
            mean(case.theory.held_s.low, stay.after_s.high)?,
            mean(case.held_longest(), stay.after_s.high)?,
        ];
        let blur = DEVIATIONS * case.theory.blur_s(window.1);
        let single = 2.0 * case.theory.pairs + case.top_rate * (case.step_s() + blur);
        return Some(Expected {
            value,
            low: ends.iter().copied().fold(value, f64::min) - single,
            high: ends.iter().copied().fold(value, f64::max) + single,
        });
    }
    let settled = case.settled(stay.after_s.high + stay.stay_s);
    if !settled {
        return None;
    }
    let value = level(share.value);
    let length = window.1 - window.0;
    let noise = DEVIATIONS * (value * (stay.stay_s / length).min(1.0)).sqrt();
    Some(Expected {
        value,
        low: (level(share.high) - noise - 1.0).max(0.0),
        high: level(share.low) + noise + 1.0,
    })
}

/// Ports held and sockets in TIME-WAIT over time, where they follow a fluid.
pub fn expected_curve(hints: &AnalyticHints, duration_s: f64) -> Option<Vec<FluidPoint>> {
    let case = TheoryCase::new(hints, duration_s, (0.0, duration_s))?;
    let after = case
        .theory
        .time_wait
        .as_ref()
        .map_or(0.0, |t| t.after_s.middle());
    let near = case.is_fluid()
        || !case.varies() && case.hull(case.top_rate)?.width() <= WIDEST_SHARE / 2.0;
    near.then(|| case.fluid(case.theory.held_s.middle(), after))
        .flatten()
}

/// A run's theory and the window it is applied to.
struct TheoryCase<'a> {
    hints: &'a AnalyticHints,
    theory: &'a Theory,
    duration_s: f64,
    window: (f64, f64),
    /// Connects expected within the window.
    connects: f64,
    /// Mean rate within the window, and the highest of the run.
    rate: f64,
    top_rate: f64,
}

impl<'a> TheoryCase<'a> {
    fn new(
        hints: &'a AnalyticHints,
        duration_s: f64,
        window: (f64, f64),
    ) -> Option<TheoryCase<'a>> {
        let theory = hints.theory.as_ref()?;
        let points = &hints.offered_per_s;
        let connects = offered_until(points, window.1) - offered_until(points, window.0);
        let length = window.1 - window.0;
        let usable = duration_s.is_finite() && duration_s > 0.0 && length > 0.0;
        (usable && connects >= 1.0).then(|| TheoryCase {
            hints,
            theory,
            duration_s,
            window,
            connects,
            rate: connects / length,
            top_rate: points.iter().map(|p| p.1).fold(0.0, f64::max),
        })
    }

    fn step_s(&self) -> f64 {
        self.duration_s / STEPS as f64
    }

    /// Returns true if holding times differ by more than one percent.
    fn varies(&self) -> bool {
        self.theory.held_sd_s > 0.01 * self.theory.held_s.middle()
    }

    fn is_fluid(&self) -> bool {
        self.theory.arrivals == ArrivalLaw::Even && !self.varies()
    }

    /// The longest time that a port is taken: a port that has become free waits for the next
    /// connect of its pair.
    fn held_longest(&self) -> f64 {
        self.theory.held_s.high + self.theory.pairs / self.rate
    }

    fn fluid(&self, held_s: f64, after_s: f64) -> Option<Vec<FluidPoint>> {
        let supply = self.theory.ports * self.theory.pairs;
        let stay_s = self.theory.time_wait.as_ref().map_or(0.0, |t| t.stay_s);
        let points = &self.hints.offered_per_s;
        fluid(
            points,
            supply,
            held_s,
            (after_s, stay_s),
            self.duration_s,
            STEPS,
        )
    }

    fn fluid_share(&self) -> Option<Expected> {
        let share = |held: f64| {
            let points = self.fluid(held, 0.0)?;
            let (mut accepted, mut arrived) = (0.0, 0.0);
            for pair in points.windows(2) {
                let (from, to) = (
                    pair[0].t_s.max(self.window.0),
                    pair[1].t_s.min(self.window.1),
                );
                accepted += pair[1].accepted_per_s * (to - from).max(0.0);
                arrived += pair[1].arrived_per_s * (to - from).max(0.0);
            }
            (arrived > 0.0).then(|| (1.0 - accepted / arrived).clamp(0.0, 1.0))
        };
        // The first and the last connection of each pair in the window, those whose handshake ends
        // after it, a step of the curve, and the blur of its edges.
        let edge = |share: f64| {
            let blur = DEVIATIONS * self.theory.blur_s(self.window.1);
            let late = self.top_rate * (self.theory.connect_s + self.step_s() + blur);
            let some = (2.0 * self.theory.pairs + late) / self.connects;
            if share > 0.0 { some } else { 0.0 }
        };
        let value = share(self.theory.held_s.middle())?;
        let low = share(self.theory.held_s.low)?.min(value);
        let high = share(self.held_longest())?.max(value);
        Some(Expected {
            value,
            low: (low - edge(high)).max(0.0),
            high: (high + edge(high)).min(1.0),
        })
    }

    /// The load of a pair in Erlang.
    fn load(&self, rate: f64, held_s: f64) -> f64 {
        rate / self.theory.pairs * held_s
    }

    /// Returns true if the run began so long ago that its beginning makes no difference.
    fn settled(&self, after_s: f64) -> bool {
        let rate = |t| offered_rate(&self.hints.offered_per_s, t);
        let start = self.theory.start_s;
        let constant = (rate(start) - self.top_rate).abs() <= 1e-9 * self.top_rate;
        constant && self.window.0 >= start + after_s
    }

    /// The range of shares between evenly spaced and Poisson arrivals.
    fn hull(&self, rate: f64) -> Option<Span> {
        let load = |held| self.load(rate, held);
        let (low, high) = (load(self.theory.held_s.low), load(self.theory.held_s.high));
        Some(Span {
            low: failure_share(low, self.theory.ports),
            high: erlang_b(high, self.theory.ports as u64),
        })
    }

    fn stationary_share(&self) -> Option<Expected> {
        let settles = self.theory.settles_s?;
        if self.varies() && !self.settled(settles) {
            return None;
        }
        let loss = |held: f64| erlang_b(self.load(self.rate, held), self.theory.ports as u64);
        let held = self.theory.held_s;
        let forgotten = if self.varies() {
            settles.max(FORGOTTEN_AFTER * held.high)
        } else {
            FORGOTTEN_AFTER * held.high
        };
        if self.theory.arrivals == ArrivalLaw::Poisson && self.settled(forgotten) {
            return Some(Expected {
                value: loss(held.middle()),
                low: loss(held.low),
                high: loss(held.high),
            });
        }
        let hull = self.hull(self.rate)?;
        (hull.width() <= WIDEST_SHARE / 2.0).then(|| Expected {
            value: hull.middle(),
            low: hull.low,
            high: hull.high,
        })
    }

    /// Standard deviation of the share that fails, over windows like this one.
    ///
    /// Failures come in bursts as long as the ports stay full: their number varies more than a
    /// Poisson number, by about twice the peakedness of overflow traffic (Wilkinson),
    /// 1 - a B + a / (c + 1 - a (1 - B)).
    fn deviation_of_share(&self, share: f64) -> f64 {
        if self.is_fluid() {
            return 0.0;
        }
        let load = self.load(self.rate, self.theory.held_s.high);
        let free = (self.theory.ports + 1.0 - load * (1.0 - share)).max(1.0);
        let peaked = (1.0 - load * share + load / free).max(1.0);
        let spread = self.theory.held_sd_s / self.theory.held_s.low;
        let of_holding = if share > 1e-3 {
            spread * spread * (1.0 - share)
        } else {
            0.0
        };
        ((2.0 * share * peaked + of_holding) / self.connects).sqrt()
    }
}
