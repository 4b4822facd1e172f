//! Quantiles of Student's t for any level.

use std::f64::consts::{FRAC_PI_2, PI};

/// The probability that Student's t with this many degrees of freedom lies within ±t.
///
/// Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4.
fn within(t: f64, degrees: usize) -> f64 {
    let angle = (t / (degrees as f64).sqrt()).atan();
    let (sine, cosine) = angle.sin_cos();
    let is_odd = degrees % 2 == 1;
    if degrees == 1 {
        return 2.0 * angle / PI;
    }
    let mut term = if is_odd { cosine } else { 1.0 };
    let mut sum = term;
    let first = if is_odd { 3 } else { 2 };
    for k in (first..degrees.saturating_sub(1)).step_by(2) {
        term *= (k - 1) as f64 / k as f64 * cosine * cosine;
        sum += term;
    }
    match is_odd {
        true => 2.0 / PI * (angle + sine * sum),
        false => sine * sum,
    }
}

/// The t that Student's distribution with this many degrees of freedom exceeds in absolute value
/// with probability `outside`: 2.262 for 9 and 0.05. Infinite if either is zero.
pub fn student_t(degrees: usize, outside: f64) -> f64 {
    if degrees == 0 || outside <= 0.0 {
        return f64::INFINITY;
    }
    // Beyond some thousand degrees it is the normal distribution.
    let degrees = degrees.min(10_000);
    // Bisects the angle, which is bounded.
    let root = (degrees as f64).sqrt();
    let (mut low, mut high) = (0.0, FRAC_PI_2);
    for _ in 0..80 {
        let middle: f64 = (low + high) / 2.0;
        match 1.0 - within(root * middle.tan(), degrees) > outside {
            true => low = middle,
            false => high = middle,
        }
    }
    root * ((low + high) / 2.0).tan()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_printed_tables() {
        for (degrees, outside, t) in [
            (1, 0.05, 12.706),
            (2, 0.05, 4.303),
            (3, 0.01, 5.841),
            (4, 0.05, 2.776),
            (9, 0.05, 2.262),
            (9, 0.001, 4.781),
            (30, 0.01, 2.750),
            (1000, 0.05, 1.962),
            (1_000_000, 0.05, 1.960),
        ] {
            let found = student_t(degrees, outside);
            assert!((found - t).abs() < 0.0006, "{degrees} {outside}: {found}");
        }
        assert_eq!(student_t(0, 0.05), f64::INFINITY);
        for degrees in [1, 5, 40] {
            let (one, other) = (
                student_t(degrees, 0.05),
                crate::stats::student_t_975(degrees),
            );
            assert!((one - other).abs() < 0.001, "{one} {other}");
        }
    }
}
