//! What theory says of TIME-WAIT and ports: the curves that are drawn beside the measured ones.

use crate::info::AnalyticHints;

/// Offered rate at `t` seconds: linear between the points, zero before the first, constant after
/// the last. At a step the later point counts.
pub fn offered_rate(points: &[(f64, f64)], t: f64) -> f64 {
    let after = points.partition_point(|p| p.0 <= t);
    match (after.checked_sub(1).map(|i| points[i]), points.get(after)) {
        (None, _) => 0.0,
        (Some((_, rate)), None) => rate,
        (Some((t0, r0)), Some(&(t1, r1))) => r0 + (r1 - r0) * (t - t0) / (t1 - t0),
    }
}

/// Integral of the offered rate from the start of time to `t`: arrivals expected, exactly.
pub fn offered_until(points: &[(f64, f64)], t: f64) -> f64 {
    let mut sum = 0.0;
    for pair in points.windows(2) {
        let (from, to) = (pair[0].0, pair[1].0.min(t));
        if to > from {
            let middle = offered_rate(pair, (from + to) / 2.0);
            sum += middle * (to - from);
        }
    }
    if let Some(&(from, rate)) = points.last()
        && t > from
    {
        sum += rate * (t - from);
    }
    sum
}

/// Little's law for a fixed stay: the population at `t` of those that came in the last `stay_s`.
pub fn little(points: &[(f64, f64)], t: f64, stay_s: f64) -> f64 {
    offered_until(points, t) - offered_until(points, t - stay_s)
}

/// Connections per second that so many ports allow when each is kept for `held_s`.
pub fn port_limit_per_s(ports: f64, held_s: f64) -> f64 {
    ports / held_s
}

/// The share of connects that must fail in the long run when `offered` exceeds `limit`, both per
/// second.
pub fn failure_share(offered: f64, limit: f64) -> f64 {
    if offered <= limit || offered <= 0.0 {
        return 0.0;
    }
    1.0 - limit / offered
}

/// Erlang's loss formula B(load, servers): the share of Poisson arrivals that find all servers
/// taken, whatever the law of the holding time. By the recursion B(k) = A B(k-1)/(k + A B(k-1)).
pub fn erlang_b(load: f64, servers: u64) -> f64 {
    if load <= 0.0 {
        return if servers == 0 { 1.0 } else { 0.0 };
    }
    (1..=servers).fold(1.0, |b, k| load * b / (k as f64 + load * b))
}

/// A point of the fluid model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FluidPoint {
    /// Time, seconds.
    pub t_s: f64,
    /// Ports held: connections on their way to TIME-WAIT and in it.
    pub held: f64,
    /// Sockets in TIME-WAIT.
    pub time_wait: f64,
    /// Connections per second that get a port.
    pub accepted_per_s: f64,
    /// Connections per second offered.
    pub offered_per_s: f64,
}

/// The port supply as a fluid: connections come at the offered rate while a port is free, hold it
/// for `hold_s`, then for `time_wait_s` more, and are refused while none is.
///
/// In steps of `duration_s / steps`. Without a limit on ports it is Little's law. `None` without a
/// TIME-WAIT time or an offered rate.
pub fn fluid(hints: &AnalyticHints, duration_s: f64, steps: usize) -> Option<Vec<FluidPoint>> {
    let time_wait_s = hints.time_wait_s.filter(|t| t.is_finite() && *t >= 0.0)?;
    let usable = duration_s.is_finite() && duration_s > 0.0 && steps > 0;
    if hints.offered_per_s.is_empty() || !usable {
        return None;
    }
    let hold_s = hints.hold_s.max(0.0);
    let dt = duration_s / steps as f64;
    let supply = port_supply(hints).unwrap_or(f64::INFINITY);
    // accepted[k]: connections accepted up to k dt.
    let mut accepted = Vec::with_capacity(steps + 1);
    accepted.push(0.0);
    let mut points = Vec::with_capacity(steps + 1);
    for k in 0..=steps {
        let t = k as f64 * dt;
        if k > 0 {
            let offered = offered_until(&hints.offered_per_s, t)
                - offered_until(&hints.offered_per_s, t - dt);
            let free = supply + at(&accepted, (t - hold_s - time_wait_s) / dt) - accepted[k - 1];
            accepted.push(accepted[k - 1] + offered.min(free.max(0.0)));
        }
        let gone = at(&accepted, (t - hold_s - time_wait_s) / dt);
        let before = accepted[k.saturating_sub(1)];
        points.push(FluidPoint {
            t_s: t,
            held: accepted[k] - gone,
            time_wait: at(&accepted, (t - hold_s) / dt) - gone,
            accepted_per_s: (accepted[k] - before) / dt,
            offered_per_s: offered_rate(&hints.offered_per_s, t),
        });
    }
    Some(points)
}

/// Ports there are for all pairs of client address and destination, where TIME-WAIT keeps them.
pub fn port_supply(hints: &AnalyticHints) -> Option<f64> {
    let ports = hints
        .ports_per_destination
        .filter(|_| hints.ports_held_by_time_wait)?;
    Some(ports as f64 * hints.destinations.max(1) as f64)
}

/// A cumulative curve at a fractional index; zero before it begins.
fn at(curve: &[f64], place: f64) -> f64 {
    if place <= 0.0 {
        return 0.0;
    }
    let low = (place as usize).min(curve.len() - 1);
    let high = (low + 1).min(curve.len() - 1);
    curve[low] + (curve[high] - curve[low]) * (place - low as f64).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hints(points: &[(f64, f64)], ports: Option<u64>) -> AnalyticHints {
        AnalyticHints {
            time_wait_s: Some(60.0),
            ports_per_destination: ports,
            destinations: 1,
            ports_held_by_time_wait: ports.is_some(),
            offered_per_s: points.to_vec(),
            ..AnalyticHints::default()
        }
    }

    #[test]
    fn arrivals_are_the_integral_of_steps_and_ramps() {
        let points = [(0.0, 0.0), (10.0, 100.0), (10.0, 50.0), (20.0, 50.0)];
        assert_eq!(offered_rate(&points, -1.0), 0.0);
        assert_eq!(offered_rate(&points, 5.0), 50.0);
        assert_eq!(offered_rate(&points, 10.0), 50.0);
        assert_eq!(offered_rate(&points, 99.0), 50.0);
        assert_eq!(offered_until(&points, 5.0), 125.0);
        assert_eq!(offered_until(&points, 12.0), 600.0);
        assert_eq!(offered_until(&points, 30.0), 1500.0);
        assert_eq!(little(&points, 30.0, 15.0), 750.0);
        assert_eq!(little(&[(0.0, 450.0)], 100.0, 60.0), 27_000.0);
        assert_eq!(little(&[(0.0, 450.0)], 30.0, 60.0), 13_500.0);
    }

    #[test]
    fn erlang_b_agrees_with_printed_values() {
        for (load, servers, printed, tolerance) in [
            (10.0, 10, 0.21458, 5e-6),
            (5.0, 10, 0.018385, 5e-7),
            (128.0, 128, 0.067316, 5e-7),
            (100.0, 128, 0.00096763, 5e-9),
            (28_232.0, 28_232, 0.004734, 5e-7),
            (1.05 * 28_232.0, 28_232, 0.04827, 5e-6),
            (1.2 * 28_232.0, 28_232, 0.1668, 5e-5),
        ] {
            let b = erlang_b(load, servers);
            assert!(
                (b - printed).abs() < tolerance,
                "B({load}, {servers}) = {b}"
            );
        }
        assert_eq!(
            (erlang_b(0.0, 3), erlang_b(0.0, 0), erlang_b(2.0, 0)),
            (0.0, 1.0, 1.0)
        );
    }

    #[test]
    fn the_port_limit_and_the_share_that_fails() {
        let limit = port_limit_per_s(28_232.0, 60.0);
        assert!((limit - 470.533).abs() < 1e-3);
        assert!((failure_share(600.0, limit) - 0.215_778).abs() < 1e-6);
        assert_eq!(failure_share(450.0, limit), 0.0);
    }

    #[test]
    fn without_a_limit_the_fluid_is_littles_law() {
        let h = hints(&[(0.0, 0.0), (100.0, 400.0)], None);
        for p in fluid(&h, 200.0, 2000).unwrap() {
            let exact = little(&h.offered_per_s, p.t_s, 60.0);
            assert!((p.time_wait - exact).abs() < 0.5, "{p:?} {exact}");
        }
    }

    #[test]
    fn a_full_supply_is_given_out_again_as_it_comes_back() {
        let points = fluid(&hints(&[(0.0, 600.0)], Some(28_232)), 180.0, 1800).unwrap();
        let near = |t: f64| points[(t * 10.0) as usize];
        assert!((near(30.0).time_wait - 18_000.0).abs() < 1.0);
        assert!(points.iter().all(|p| p.held <= 28_232.000_001));
        // Full from 28,232/600 = 47.05 s; nothing is free until the first ones expire at 60 s.
        assert!(near(50.0).accepted_per_s < 1e-6);
        assert!((near(70.0).accepted_per_s - 600.0).abs() < 1e-6);
        let accepted: f64 = points.iter().map(|p| p.accepted_per_s * 0.1).sum();
        let per_s = accepted / 180.0;
        assert!((per_s - 470.53).abs() < 1.0, "{per_s}");
    }

    #[test]
    fn hints_that_make_no_sense_give_no_curve() {
        assert_eq!(fluid(&AnalyticHints::default(), 10.0, 100), None);
        let mut h = hints(&[(0.0, 1.0)], Some(0));
        assert_eq!(fluid(&h, 0.0, 100), None);
        assert!(fluid(&h, 10.0, 100).unwrap().iter().all(|p| p.held == 0.0));
        h.time_wait_s = Some(f64::NAN);
        assert_eq!(fluid(&h, 10.0, 100), None);
    }
}
