//! How much of the variance of a result each of several varied inputs explains, from any sample of points.

use super::student_t_975;

/// Harmonics that count as the effect of an input. Curves with more than three periods over its
/// range are not detected.
const HARMONICS: usize = 6;
/// Groups of the jackknife.
const GROUPS: usize = 10;
/// Fewest points: with fewer, the six harmonics hold too much noise.
const LEAST: usize = 60;

/// The first-order Sobol index of an input: the share of the variance of the result that its value alone
/// explains.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FirstOrder {
    /// The index; an estimate of zero may be a little below.
    pub index: f64,
    /// Its 95 % interval, within 0 and 1.
    pub interval: (f64, f64),
}

/// The first-order Sobol index of the input `x` for the result `y`, with a pair for each point of a
/// random, Latin hypercube or Sobol sample. `None` for fewer than sixty points, or if the result
/// does not vary.
///
/// Harmonic regression of the results in the order of the input (Plischke, Reliability Engineering
/// & System Safety 95, 2010), with the bias subtracted (Tissot and Prieur, same journal 107, 2012).
/// The interval is Student's t with the standard error of a jackknife that leaves out a tenth of
/// the points at a time.
///
/// Leaves out higher harmonics: for a straight line, whose index is 1, about 0.999 is found, and
/// the interval ends below 1.
pub fn first_order(x: &[f64], y: &[f64]) -> Option<FirstOrder> {
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
    Some(FirstOrder {
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
    if variance <= f64::EPSILON * mean * mean {
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
mod tests {
    use super::*;

    /// Numbers from 0 to 1.
    fn random(seed: u64) -> impl FnMut() -> f64 {
        let mut state = seed;
        move || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
        }
    }

    /// A sample of the Ishigami function with a = 7, b = 0.1: inputs and results.
    fn ishigami(seed: u64, n: usize) -> ([Vec<f64>; 3], Vec<f64>) {
        let mut uniform = random(seed);
        let mut input = || (2.0 * uniform() - 1.0) * std::f64::consts::PI;
        let mut x = [vec![], vec![], vec![]];
        let mut y = Vec::new();
        for _ in 0..n {
            let [a, b, c] = [input(), input(), input()];
            y.push(a.sin() + 7.0 * b.sin().powi(2) + 0.1 * c.powi(4) * a.sin());
            x.iter_mut().zip([a, b, c]).for_each(|(x, v)| x.push(v));
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
