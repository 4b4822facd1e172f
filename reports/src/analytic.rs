//! Closed forms for TIME-WAIT and ports: the theoretical curves beside the measured ones.

pub use expected::{
    Expected, SCARCE_FROM_S, expected_curve, expected_failures, expected_time_wait, port_limit,
};

use crate::info::Span;

mod expected;

/// Offered rate at `t` seconds: linear between the points, zero before the first, constant after the last.
/// At a step the later point applies.
pub fn offered_rate(points: &[(f64, f64)], t: f64) -> f64 {
    let after = points.partition_point(|p| p.0 <= t);
    match (after.checked_sub(1).map(|i| points[i]), points.get(after)) {
        (None, _) => 0.0,
        (Some((_, rate)), None) => rate,
        (Some((t0, r0)), Some(&(t1, r1))) => r0 + (r1 - r0) * (t - t0) / (t1 - t0),
    }
}

/// Integral of the offered rate up to `t`: the exact number of expected arrivals.
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

/// Little's law for a fixed stay: the population at `t` is the number of arrivals in the last `stay_s`.
pub fn little(points: &[(f64, f64)], t: f64, stay_s: f64) -> f64 {
    offered_until(points, t) - offered_until(points, t - stay_s)
}

/// The share of connects that must fail in the long run when `offered` exceeds `limit`: both per
/// second, or both as numbers of ports.
pub fn failure_share(offered: f64, limit: f64) -> f64 {
    if offered <= limit || offered <= 0.0 {
        return 0.0;
    }
    1.0 - limit / offered
}

/// Erlang's loss formula B(load, servers): the share of Poisson arrivals that find all servers
/// busy, for any distribution of the holding time. Computed by the recursion B(k) = A B(k-1)/(k + A
/// B(k-1)).
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
    /// Ports held: by connections before and in TIME-WAIT.
    pub held: f64,
    /// Sockets in TIME-WAIT.
    pub time_wait: f64,
    /// Connections per second that get a port, averaged over the step that ends here.
    pub accepted_per_s: f64,
    /// Connections per second that request a port, averaged likewise.
    pub arrived_per_s: f64,
}

/// A fluid model of the port supply: connections arrive at the offered rate, hold a port for `held_s` if
/// one is free, and are refused otherwise. They enter TIME-WAIT `time_wait_s.0` after their connect and
/// stay for `time_wait_s.1`.
///
/// Computed in steps of `duration_s / steps`. With an infinite supply it equals Little's law. `None` if an
/// argument is negative or NaN.
pub fn fluid(
    offered_per_s: &[(f64, f64)],
    supply: f64,
    held_s: f64,
    time_wait_s: (f64, f64),
    duration_s: f64,
    steps: usize,
) -> Option<Vec<FluidPoint>> {
    let usable = duration_s.is_finite() && duration_s > 0.0 && steps > 0;
    let times = [held_s, time_wait_s.0, time_wait_s.1];
    let known = times.iter().all(|t| t.is_finite() && *t >= 0.0);
    if offered_per_s.is_empty() || !usable || !known {
        return None;
    }
    let dt = duration_s / steps as f64;
    // accepted[k]: connections accepted up to k dt.
    let mut accepted = Vec::with_capacity(steps + 1);
    accepted.push(0.0);
    let mut points = Vec::with_capacity(steps + 1);
    let mut arrived_before = 0.0;
    for k in 0..=steps {
        let t = k as f64 * dt;
        let arrived = offered_until(offered_per_s, t);
        if k > 0 {
            let free = supply + at(&accepted, (t - held_s) / dt) - accepted[k - 1];
            accepted.push(accepted[k - 1] + (arrived - arrived_before).min(free.max(0.0)));
        }
        let before = accepted[k.saturating_sub(1)];
        let entered = at(&accepted, (t - time_wait_s.0) / dt);
        points.push(FluidPoint {
            t_s: t,
            held: accepted[k] - at(&accepted, (t - held_s) / dt),
            time_wait: entered - at(&accepted, (t - time_wait_s.0 - time_wait_s.1) / dt),
            accepted_per_s: (accepted[k] - before) / dt,
            arrived_per_s: (arrived - arrived_before) / dt,
        });
        arrived_before = arrived;
    }
    Some(points)
}

/// A cumulative curve at a fractional index; zero before its start.
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

    /// Ports are held only for 60 s of TIME-WAIT.
    fn of(points: &[(f64, f64)], supply: f64, duration_s: f64, steps: usize) -> Vec<FluidPoint> {
        fluid(points, supply, 60.0, (0.0, 60.0), duration_s, steps).unwrap()
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
        let limit = 28_232.0 / 60.0;
        assert!((failure_share(600.0, limit) - 0.215_778).abs() < 1e-6);
        assert_eq!(failure_share(450.0, limit), 0.0);
    }

    #[test]
    fn without_a_limit_the_fluid_is_littles_law() {
        let offered = [(0.0, 0.0), (100.0, 400.0)];
        for p in of(&offered, f64::INFINITY, 200.0, 2000) {
            let exact = little(&offered, p.t_s, 60.0);
            assert!((p.time_wait - exact).abs() < 0.5, "{p:?} {exact}");
        }
    }

    #[test]
    fn a_full_supply_is_reused_as_ports_are_released() {
        let points = of(&[(0.0, 600.0)], 28_232.0, 180.0, 1800);
        let near = |t: f64| points[(t * 10.0) as usize];
        assert!((near(30.0).time_wait - 18_000.0).abs() < 1.0);
        assert!(points.iter().all(|p| p.held <= 28_232.000_001));
        // Exhausted from 28,232/600 = 47.05 s on; no port is free until the first ones expire at 60 s.
        assert!(near(50.0).accepted_per_s < 1e-6);
        assert!((near(70.0).accepted_per_s - 600.0).abs() < 1e-6);
        let accepted: f64 = points.iter().map(|p| p.accepted_per_s * 0.1).sum();
        let per_s = accepted / 180.0;
        assert!((per_s - 470.53).abs() < 1.0, "{per_s}");
    }

    #[test]
    fn invalid_numbers_give_no_curve() {
        let rate = [(0.0, 1.0)];
        let stay = (0.0, 60.0);
        assert_eq!(fluid(&[], 1.0, 60.0, stay, 10.0, 100), None);
        assert_eq!(fluid(&rate, 1.0, 60.0, stay, 0.0, 100), None);
        assert_eq!(fluid(&rate, 1.0, f64::NAN, stay, 10.0, 100), None);
        assert_eq!(fluid(&rate, 1.0, f64::INFINITY, stay, 10.0, 100), None);
        assert!(of(&rate, 0.0, 10.0, 100).iter().all(|p| p.held == 0.0));
    }
}
