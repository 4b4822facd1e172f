//! When an open-loop client opens its connections. The k-th arrival is where the integral of the rate
//! reaches k, so that rounding errors do not add up.

use sim_core::{Rng, SimDuration, SimTime};

use super::spec::Arrivals;

const PS_PER_SEC: u128 = 1_000_000_000_000;

/// Yields the arrival times in order.
#[derive(Debug)]
pub(super) struct ArrivalClock {
    arrivals: Arrivals,
    start: SimTime,
    /// The number of arrivals returned so far.
    count: u64,
    /// The last Poisson arrival.
    last: SimTime,
}

impl ArrivalClock {
    pub(super) fn new(arrivals: Arrivals, start: SimTime) -> ArrivalClock {
        ArrivalClock {
            arrivals,
            start,
            count: 0,
            last: start,
        }
    }

    /// The next arrival; `None` after the last. Closed-loop users and bursts all
    /// arrive at the start.
    pub(super) fn next(&mut self, rng: &mut Rng) -> Option<SimTime> {
        let k = self.count;
        self.count += 1;
        let offset = match &self.arrivals {
            Arrivals::Poisson(rate) => {
                if rate.is_nan() || *rate <= 0.0 {
                    return None;
                }
                let mean = SimDuration::from_secs_f64(1.0 / rate);
                self.last = self.last.saturating_add(rng.exponential(mean));
                return Some(self.last);
            }
            Arrivals::Fixed(rate) => evenly(k, *rate)?,
            Arrivals::Ramp { from, to, over } => ramp(k, *from, *to, *over)?,
            Arrivals::Steps(steps) => in_steps(k, steps)?,
            Arrivals::Closed { users: n, .. } | Arrivals::Burst(n) => {
                (k < u64::from(*n)).then_some(SimDuration::ZERO)?
            }
        };
        Some(self.start.saturating_add(offset))
    }
}

/// `k / rate`; exact for whole rates.
fn evenly(k: u64, rate: f64) -> Option<SimDuration> {
    if rate.is_nan() || rate <= 0.0 {
        return None;
    }
    let whole = rate as u64;
    if whole as f64 == rate {
        let ps = u128::from(k) * PS_PER_SEC / u128::from(whole);
        return Some(SimDuration::from_ps(u64::try_from(ps).unwrap_or(u64::MAX)));
    }
    Some(seconds(k as f64 / rate))
}

/// The time at which `from t + (to - from) t^2 / (2 over)` reaches `k`, in the form of the root
/// that does not cancel.
fn ramp(k: u64, from: f64, to: f64, over: SimDuration) -> Option<SimDuration> {
    let (k, length) = (k as f64, over.as_secs_f64());
    let at_end = (from + to) / 2.0 * length;
    if k >= at_end {
        return (to > 0.0).then(|| seconds(length + (k - at_end) / to));
    }
    let slope = (to - from) / (2.0 * length);
    let root = (from * from + 4.0 * slope * k).max(0.0).sqrt();
    Some(if k == 0.0 {
        SimDuration::ZERO
    } else {
        seconds(2.0 * k / (from + root))
    })
}

/// Each step adds its rate times its length to the integral.
fn in_steps(k: u64, steps: &[(SimDuration, f64)]) -> Option<SimDuration> {
    let k = k as f64;
    let mut before = 0.0;
    for (i, &(start, rate)) in steps.iter().enumerate() {
        let rate = rate.max(0.0);
        let within = |k: f64| seconds(start.as_secs_f64() + (k - before) / rate);
        match steps.get(i + 1) {
            None => return (rate > 0.0).then(|| within(k)),
            Some(&(end, _)) => {
                let gained = rate * end.saturating_sub(start).as_secs_f64();
                if k < before + gained {
                    return Some(within(k));
                }
                before += gained;
            }
        }
    }
    None
}

/// A duration of `s` seconds; [`SimDuration::MAX`] if it cannot be represented.
fn seconds(s: f64) -> SimDuration {
    if s >= 18_000_000.0 {
        SimDuration::MAX
    } else {
        super::draws::seconds(s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(arrivals: Arrivals, n: usize) -> Vec<f64> {
        let mut clock = ArrivalClock::new(arrivals, SimTime::ZERO);
        let mut rng = Rng::stream(1, "arrivals", 0);
        (0..n)
            .map_while(|_| clock.next(&mut rng))
            .map(|t| t.as_secs_f64())
            .collect()
    }

    #[test]
    fn fixed_arrivals_do_not_drift() {
        let mut clock = ArrivalClock::new(Arrivals::Fixed(3.0), SimTime::ZERO);
        let mut rng = Rng::stream(1, "arrivals", 0);
        let times: Vec<u64> = (0..3001)
            .map(|_| clock.next(&mut rng).unwrap().as_ps())
            .collect();
        assert_eq!(times[..3], [0, 333_333_333_333, 666_666_666_666]);
        assert_eq!(times[3000], 1000 * PS_PER_SEC as u64);
        assert_eq!(first(Arrivals::Fixed(0.5), 3), [0.0, 2.0, 4.0]);
        assert!(first(Arrivals::Fixed(0.0), 1).is_empty());
        assert!(first(Arrivals::Fixed(f64::NAN), 1).is_empty());
    }

    #[test]
    fn poisson_arrivals_have_their_rate() {
        let times = first(Arrivals::Poisson(100.0), 20_000);
        let rate = 20_000.0 / times[19_999];
        assert!((rate - 100.0).abs() < 2.0, "{rate}");
        assert!(times.windows(2).all(|w| w[0] < w[1]));
    }

    #[test]
    fn a_ramp_integrates_to_its_area() {
        let ramp = |from, to| Arrivals::Ramp {
            from,
            to,
            over: SimDuration::from_secs(10),
        };
        let up = first(ramp(0.0, 20.0), 141);
        // N(t) = t^2; at the end 100, then 20 per second.
        assert_eq!((up[0], up[1], up[4], up[81]), (0.0, 1.0, 2.0, 9.0));
        assert_eq!((up[100], up[140]), (10.0, 12.0));
        let down = first(ramp(20.0, 0.0), 200);
        assert_eq!(down.len(), 100);
        // 19 = 20 t - t^2 at t = 1.
        assert!((down[19] - 1.0).abs() < 1e-12, "{}", down[19]);
    }

    #[test]
    fn steps_hold_until_the_next() {
        let s = SimDuration::from_secs;
        let steps = Arrivals::Steps(vec![(s(1), 2.0), (s(3), 0.0), (s(5), 1.0)]);
        assert_eq!(first(steps, 6), [1.0, 1.5, 2.0, 2.5, 5.0, 6.0]);
        let ends = Arrivals::Steps(vec![(s(0), 2.0), (s(1), 0.0)]);
        assert_eq!(first(ends, 9), [0.0, 0.5]);
        assert!(first(Arrivals::Steps(Vec::new()), 1).is_empty());
    }

    #[test]
    fn bursts_come_at_once() {
        assert_eq!(first(Arrivals::Burst(3), 9), [0.0; 3]);
    }
}
