//! How much of the variance of a result each of several varied inputs explains, from any sample of points.

use super::{student_t_975, varies};

/// Groups of the jackknife.
const GROUPS: usize = 10;
/// Fewest points: with fewer, intervals are hardly narrower than the whole range.
const LEAST: usize = 60;
/// Fewest lags of the regression.
const LEAST_LAGS: usize = 4;

/// A Sobol index of an input: a share of the variance of the result.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SobolIndex {
    /// The index; an estimate may lie a little below 0 or above 1.
    pub index: f64,
    /// Its 95 % interval, within 0 and 1.
    pub interval: (f64, f64),
}

/// The first-order Sobol index of the input `x` for the result `y`, with a pair for each point of a
/// random, Latin hypercube or Sobol sample: the share of the variance of the result that this input explains by
/// itself. `None` for fewer than sixty points, or if the result does not vary.
///
/// What the input does not explain is the variance of the difference of two results with (almost) the same value of the
/// input, halved. In the order of the input, the halved mean square difference of results that are k places apart is
/// computed for k from 1 to the cube root of the number of points, and a straight line through them gives
/// the value for k = 0 (least squares over lags as Tong and Wang, Biometrika 92, 2005, but linear in the lag, so that jumps
/// leave no bias). No shape of the dependence is assumed: steps and curves with several periods count, too,
/// as long as they are longer than a few of the distances between points.
///
/// The interval is Student's t with the standard error of a jackknife that leaves out a tenth of
/// the points at a time, and at least 1 / n to each side.
pub fn first_order(x: &[f64], y: &[f64]) -> Option<SobolIndex> {
    let n = x.len();
    if n < LEAST || y.len() != n {
        return None;
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| x[a].total_cmp(&x[b]).then(a.cmp(&b)));
    let index = index_of(order.iter().map(|&i| y[i]).collect())?;
    let without = |group: usize| {
        let rest = order.iter().filter(|&&i| i % GROUPS != group);
        index_of(rest.map(|&i| y[i]).collect())
    };
    let groups: Option<Vec<f64>> = (0..GROUPS).map(without).collect();
    let groups = groups?;
    let mean = groups.iter().sum::<f64>() / GROUPS as f64;
    let squares: f64 = groups.iter().map(|g| (g - mean) * (g - mean)).sum();
    let error = (squares * (GROUPS - 1) as f64 / GROUPS as f64).sqrt();
    let half = (student_t_975(GROUPS - 1) * error).max(1.0 / n as f64);
    Some(SobolIndex {
        index,
        interval: (
            (index - half).clamp(0.0, 1.0),
            (index + half).clamp(0.0, 1.0),
        ),
    })
}

/// The index from results in the order of the input; `None` if all are the same.
fn index_of(series: Vec<f64>) -> Option<f64> {
    let n = series.len();
    let mean = series.iter().sum::<f64>() / n as f64;
    let squares: f64 = series.iter().map(|v| (v - mean) * (v - mean)).sum();
    let variance = squares / (n - 1) as f64;
    if !varies(variance, mean) {
        return None;
    }
    let lags = ((n as f64).cbrt().ceil() as usize).max(LEAST_LAGS);
    // A line through the points (lag, half mean square), weighted by the number of pairs.
    let (mut w, mut wx, mut wxx, mut wy, mut wxy) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for lag in 1..=lags {
        let pairs = (n - lag) as f64;
        let differences = series[lag..].iter().zip(&series);
        let squares: f64 = differences.map(|(a, b)| (a - b) * (a - b)).sum();
        let (x, half_mean) = (lag as f64, squares / pairs / 2.0);
        w += pairs;
        wx += pairs * x;
        wxx += pairs * x * x;
        wy += pairs * half_mean;
        wxy += pairs * x * half_mean;
    }
    let slope = (w * wxy - wx * wy) / (w * wxx - wx * wx);
    Some(1.0 - (wy - slope * wx) / w / variance)
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

    /// A dependence on one input, and the noise by which half of the variance is chance.
    type Shape = (&'static str, fn(f64) -> f64, f64);

    const SHAPES: [Shape; 5] = [
        ("a line", |x| x, 0.288_675),
        ("a step in the middle", |x| f64::from(x > 0.5), 0.5),
        ("a step at a tenth", |x| f64::from(x > 0.1), 0.3),
        ("an exponential curve", |x| (4.0 * x).exp(), 13.8905),
        (
            "five periods of a sine",
            |x| (10.0 * PI * x).sin(),
            0.707_107,
        ),
    ];

    /// The share of 300 samples of n points whose interval covers the index.
    fn coverage(shape: &Shape, n: usize, with_noise: bool) -> f64 {
        let truth = if with_noise { 0.5 } else { 1.0 };
        let covers = |seed: &u64| {
            let mut uniform = random(7919 * seed + n as u64);
            let mut point = || {
                let x = uniform();
                // The sum of twelve has the variance 1 and is nearly normal.
                let noise = (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
                let by = if with_noise { shape.2 } else { 0.0 };
                (x, (shape.1)(x) + by * noise)
            };
            let (x, y): (Vec<f64>, Vec<f64>) = (0..n).map(|_| point()).unzip();
            let (low, high) = first_order(&x, &y).unwrap().interval;
            low <= truth && truth <= high
        };
        (0..300).filter(covers).count() as f64 / 300.0
    }

    #[test]
    fn intervals_are_honest_whatever_the_shape() {
        for shape in &SHAPES {
            for n in [100, 256, 1024] {
                let is_rough = shape.0.starts_with("five") && n == 100;
                let covered = coverage(shape, n, true);
                assert!(is_rough || covered > 0.91, "{} of {n}: {covered}", shape.0);
                let covered = coverage(shape, n, false);
                assert!(covered > 0.95, "{} of {n}, no noise: {covered}", shape.0);
            }
        }
    }

    #[test]
    fn too_few_points_or_equal_results_have_no_index() {
        let x: Vec<f64> = (0..100).map(f64::from).collect();
        assert_eq!(first_order(&x[..59], &x[..59]), None);
        assert_eq!(first_order(&x, &[3.0; 100]), None);
        assert_eq!(first_order(&x, &x[..99]), None);
        let all = first_order(&x, &x).unwrap();
        assert!(all.index > 0.98 && all.interval.1 > 0.999, "{all:?}");
    }
}
