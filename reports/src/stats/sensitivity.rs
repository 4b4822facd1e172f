//! How much of the variance of a result each of several varied inputs explains, from any sample of points.

use super::{student_t_975, varies};

/// Harmonics that count as the effect of an input. Curves with more than three periods over its
/// range are not detected.
const HARMONICS: usize = 6;
/// Groups of the jackknife.
const GROUPS: usize = 10;
/// Fewest points: with fewer, the six harmonics hold too much noise.
const LEAST: usize = 60;

/// A Sobol index of an input: a share of the variance of the result.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SobolIndex {
    /// The index; an estimate may lie a little below 0 or above 1.
    pub index: f64,
    /// Its 95 % interval, within 0 and 1.
    pub interval: (f64, f64),
}

/// The first-order Sobol index of the input `x` for the result `y`, with a pair for each point of a
/// random, Latin hypercube or Sobol sample: the share of the variance of the result that the value of this input alone
/// explains. `None` for fewer than sixty points, or if the result
/// does not vary.
///
/// Harmonic regression of the results in the order of the input (Plischke, Reliability Engineering
/// & System Safety 95, 2010), with the bias subtracted (Tissot and Prieur, same journal 107, 2012).
/// The interval is Student's t with the standard error of a jackknife that leaves out a tenth of
/// the points at a time.
///
/// Leaves out higher harmonics, and the interval does not cover them: index and interval are those of the share that
/// curves of at most three periods over the range explain. Of a straight line, whose index is 1, 0.999 is found,
/// and of a step in the middle of the range 0.93. [`saltelli`](super::saltelli) has no such limit.
pub fn first_order(x: &[f64], y: &[f64]) -> Option<SobolIndex> {
    let n = x.len();
    if n < LEAST || y.len() != n {
        return None;
    }
    let all: Vec<usize> = (0..n).collect();
    let index = index_of(&all, x, y)?;
    let without = |group: usize| {
        let rest: Vec<usize> = (0..n).filter(|i| i % GROUPS != group).collect();
        index_of(&rest, x, y)
    };
    let groups: Option<Vec<f64>> = (0..GROUPS).map(without).collect();
    let groups = groups?;
    let mean = groups.iter().sum::<f64>() / GROUPS as f64;
    let squares: f64 = groups.iter().map(|g| (g - mean) * (g - mean)).sum();
    let error = (squares * (GROUPS - 1) as f64 / GROUPS as f64).sqrt();
    let half = student_t_975(GROUPS - 1) * error;
    Some(SobolIndex {
        index,
        interval: (
            (index - half).clamp(0.0, 1.0),
            (index + half).clamp(0.0, 1.0),
        ),
    })
}

/// The index from some of the points; `None` if all their results are the same.
fn index_of(points: &[usize], x: &[f64], y: &[f64]) -> Option<f64> {
    let mut order = points.to_vec();
    order.sort_by(|&a, &b| x[a].total_cmp(&x[b]).then(a.cmp(&b)));
    // Up by every other point and down by the rest, so that the ends meet.
    let up = order.iter().step_by(2);
    let down = order.iter().skip(1).step_by(2);
    let mut down: Vec<usize> = down.copied().collect();
    down.reverse();
    let series: Vec<f64> = up.copied().chain(down).map(|i| y[i]).collect();
    let n = series.len() as f64;
    let mean = series.iter().sum::<f64>() / n;
    let variance = series.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / n;
    if !varies(variance, mean) {
        return None;
    }
    let explained: f64 = (1..=HARMONICS).map(|k| 2.0 * power(&series, mean, k)).sum();
    let share = explained / variance;
    let by_chance = 2.0 * HARMONICS as f64 / n;
    Some(share - by_chance / (1.0 - by_chance) * (1.0 - share))
}

/// The squared amplitude of a harmonic of a series.
fn power(series: &[f64], mean: f64, harmonic: usize) -> f64 {
    let n = series.len() as f64;
    let turn = 2.0 * std::f64::consts::PI * harmonic as f64 / n;
    let each = series.iter().enumerate();
    let (cosine, sine) = each.fold((0.0, 0.0), |(c, s), (i, value)| {
        let (sin, cos) = (turn * i as f64).sin_cos();
        (c + (value - mean) * cos, s + (value - mean) * sin)
    });
    (cosine * cosine + sine * sine) / (n * n)
}

#[cfg(test)]
pub(super) mod tests {
    use std::f64::consts::PI;

    use super::*;

    /// Numbers from 0 to 1.
    pub(in super::super) fn random(seed: u64) -> impl FnMut() -> f64 {
        let mut state = seed;
        move || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
        }
    }

    /// The Ishigami function with a = 7, b = 0.1, of inputs from 0 to 1.
    pub(in super::super) fn ishigami_at(x: &[f64]) -> f64 {
        let at = |i: usize| (2.0 * x[i] - 1.0) * PI;
        at(0).sin() + 7.0 * at(1).sin().powi(2) + 0.1 * at(2).powi(4) * at(0).sin()
    }

    /// A sample of the Ishigami function: inputs and results.
    fn ishigami(seed: u64, n: usize) -> ([Vec<f64>; 3], Vec<f64>) {
        let mut uniform = random(seed);
        let mut x = [vec![], vec![], vec![]];
        let mut y = Vec::new();
        for _ in 0..n {
            let point = [uniform(), uniform(), uniform()];
            y.push(ishigami_at(&point));
            x.iter_mut().zip(point).for_each(|(x, v)| x.push(v));
        }
        (x, y)
    }

    /// The indices of the Ishigami function by its closed form.
    const TRUTH: [f64; 3] = [0.3139, 0.4424, 0.0];

    #[test]
    fn the_indices_of_the_ishigami_function_are_those_of_its_closed_form() {
        let (x, y) = ishigami(1, 8192);
        for (x, truth) in x.iter().zip(TRUTH) {
            let found = first_order(x, &y).unwrap();
            assert!((found.index - truth).abs() < 0.02, "{found:?} for {truth}");
        }
    }

    #[test]
    fn intervals_cover_the_indices_in_about_95_of_100_samples() {
        let mut covered = [0; 3];
        for seed in 0..200 {
            let (x, y) = ishigami(1000 + seed, 256);
            for ((x, truth), covered) in x.iter().zip(TRUTH).zip(&mut covered) {
                let (low, high) = first_order(x, &y).unwrap().interval;
                *covered += i32::from(low <= truth && truth <= high);
            }
        }
        // Of 200 samples, 190 are expected to cover; three standard errors are nine.
        assert!(covered.iter().all(|n| *n >= 181), "{covered:?}");
    }

    /// What is found of a dependence on one input without noise, whose index is 1, and how many of 200 intervals contain the
    /// share that the harmonics can explain, when half of the variance is noise.
    fn found(shape: fn(f64) -> f64, deviation: f64, fitted: f64) -> (f64, usize) {
        let sample = |seed: u64, by: f64| -> (Vec<f64>, Vec<f64>) {
            let mut uniform = random(7919 * seed);
            let mut point = || {
                let x = uniform();
                // The sum of twelve has the variance 1 and is nearly normal.
                let noise = (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
                (x, shape(x) + by * noise)
            };
            (0..256).map(|_| point()).unzip()
        };
        let (x, y) = sample(1, 0.0);
        let covers = |seed: &u64| {
            let (x, y) = sample(*seed, deviation);
            let (low, high) = first_order(&x, &y).unwrap().interval;
            low <= fitted / 2.0 && fitted / 2.0 <= high
        };
        let index = first_order(&x, &y).unwrap().index;
        (index, (0..200).filter(covers).count())
    }

    /// The harmonics of a line and of a step, folded at the ends of the range, are known: 8 / pi^2 / k^2 and 96 / pi^4 / k^4
    /// for odd k.
    #[test]
    fn index_and_interval_are_those_of_the_share_that_six_harmonics_explain() {
        let odd = [1.0f64, 3.0, 5.0];
        let line: f64 = odd.map(|k| 96.0 / PI.powi(4) / k.powi(4)).iter().sum();
        let step: f64 = odd.map(|k| 8.0 / PI.powi(2) / k.powi(2)).iter().sum();
        assert!((line - 0.999).abs() < 0.001 && (step - 0.93).abs() < 0.01);
        for (shape, deviation, fitted) in [
            ((|x| x) as fn(f64) -> f64, 12f64.sqrt().recip(), line),
            (|x| f64::from(x > 0.5), 0.5, step),
        ] {
            let (index, covered) = found(shape, deviation, fitted);
            assert!((index - fitted).abs() < 0.02, "{index} {fitted}");
            assert!(covered >= 181, "{covered} of 200 for {fitted}");
        }
    }

    #[test]
    fn too_few_points_or_equal_results_have_no_index() {
        let x: Vec<f64> = (0..100).map(f64::from).collect();
        assert_eq!(first_order(&x[..59], &x[..59]), None);
        assert_eq!(first_order(&x, &[3.0; 100]), None);
        assert_eq!(first_order(&x, &x[..99]), None);
        let all = first_order(&x, &x).unwrap();
        // A straight line has harmonics beyond those fitted: nearly all of the variance is found.
        assert!(all.index > 0.98 && all.interval.1 > 0.999, "{all:?}");
    }
}
