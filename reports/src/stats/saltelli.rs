//! First-order and total Sobol indices from a Saltelli design.

use sim_core::rng::mix;

use super::sensitivity::SobolIndex;
use super::{quantile, varies};

/// Fewest base points: with fewer, intervals contain the index too seldom.
pub const LEAST_BASE_POINTS: usize = 64;
/// Resamples of the bootstrap.
const RESAMPLES: usize = 500;

/// How much of the variance of a result a varied input explains.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SobolIndices {
    /// By its value alone.
    pub first: SobolIndex,
    /// By its value and its interactions with all other inputs: the share of the variance that is left on average if
    /// all other inputs are known. An input with a total index of 0 does not matter.
    pub total: SobolIndex,
}

/// The Sobol indices of each of d inputs. For each base point, `rows` has d + 2 results: at the point A,
/// at the point B, and for each input at A with the value of that input taken from B. `None` for fewer than
/// [`LEAST_BASE_POINTS`], rows of different lengths, or if the result does not vary.
///
/// The estimators are those recommended by Saltelli et al. (Computer Physics Communications 181, 2010, table 2): (b)
/// for the first order, of results less their mean, and (f) of Jansen (1999) for the total. The intervals are
/// percentiles of a bootstrap over base points. They treat base points as independent, and are therefore wider than
/// necessary for points of a Sobol sequence. For independent points, the tests find that 88 to 97 of 100 intervals
/// contain the index with 64 base points, and 92 to 98 with 256.
///
/// Differences by chance between the points of a row count as interactions.
pub fn saltelli(rows: &[&[f64]]) -> Option<Vec<SobolIndices>> {
    let n = rows.len();
    let inputs = rows.first()?.len().checked_sub(2)?;
    if n < LEAST_BASE_POINTS || rows.iter().any(|row| row.len() != inputs + 2) {
        return None;
    }
    let mut bootstrap = Resamples { n, state: 0 };
    let whole = estimates(rows, &vec![1.0; n], inputs)?;
    let resampled: Vec<Vec<(f64, f64)>> = (0..RESAMPLES)
        .filter_map(|_| estimates(rows, &bootstrap.weights(), inputs))
        .collect();
    let index = |input: usize, of: fn(&(f64, f64)) -> f64| {
        let mut sorted: Vec<f64> = resampled.iter().map(|all| of(&all[input])).collect();
        sorted.sort_by(f64::total_cmp);
        let index = of(&whole[input]);
        let (low, high) = (quantile(&sorted, 0.025)?, quantile(&sorted, 0.975)?);
        Some(SobolIndex {
            index,
            interval: (
                low.min(index).clamp(0.0, 1.0),
                high.max(index).clamp(0.0, 1.0),
            ),
        })
    };
    let of_input = |input| {
        Some(SobolIndices {
            first: index(input, |e| e.0)?,
            total: index(input, |e| e.1)?,
        })
    };
    (0..inputs).map(of_input).collect()
}

/// First-order and total index of each input, with each row counted `weights` times; `None` if the results of A and B
/// are all the same.
fn estimates(rows: &[&[f64]], weights: &[f64], inputs: usize) -> Option<Vec<(f64, f64)>> {
    let each = || rows.iter().zip(weights);
    let n: f64 = weights.iter().sum();
    let mean = each().map(|(r, w)| w * (r[0] + r[1])).sum::<f64>() / (2.0 * n);
    let square = |value: f64| (value - mean) * (value - mean);
    let squares: f64 = each().map(|(r, w)| w * (square(r[0]) + square(r[1]))).sum();
    let variance = squares / (2.0 * n - 1.0);
    if !varies(variance, mean) {
        return None;
    }
    let of_input = |input: usize| {
        let (mut first, mut total) = (0.0, 0.0);
        for (row, weight) in each() {
            let (a, b, mixed) = (row[0], row[1], row[input + 2]);
            first += weight * (b - mean) * (mixed - a);
            total += weight * (a - mixed) * (a - mixed);
        }
        (first / n / variance, total / (2.0 * n) / variance)
    };
    Some((0..inputs).map(of_input).collect())
}

/// Draws of `n` rows with replacement, the same in every call.
struct Resamples {
    n: usize,
    state: u64,
}

impl Resamples {
    /// How often each row is drawn.
    fn weights(&mut self) -> Vec<f64> {
        let mut weights = vec![0.0; self.n];
        for _ in 0..self.n {
            self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let place = (u128::from(mix(self.state)) * self.n as u128) >> 64;
            weights[place as usize] += 1.0;
        }
        weights
    }
}

#[cfg(test)]
mod tests {
    use super::super::sensitivity::tests::{ishigami_at, random};
    use super::*;

    /// First-order and total indices of the Ishigami function with a = 7, b = 0.1, by its closed form.
    const ISHIGAMI: [(f64, f64); 3] = [(0.3139, 0.5576), (0.4424, 0.4424), (0.0, 0.2437)];
    /// The parameters of Sobol's g function: the first input matters most, the last hardly.
    const G: [f64; 5] = [0.0, 1.0, 4.5, 9.0, 99.0];

    fn g(x: &[f64]) -> f64 {
        let factors = x.iter().zip(G);
        factors
            .map(|(x, a)| ((4.0 * x - 2.0).abs() + a) / (1.0 + a))
            .product()
    }

    /// The indices of the g function (Saltelli and Sobol' 1995): each factor has the variance 1 / (3 (1 + a)^2).
    fn truth_of_g() -> Vec<(f64, f64)> {
        let variances = G.map(|a| 1.0 / (3.0 * (1.0f64 + a).powi(2)));
        let all = variances.iter().map(|v| 1.0 + v).product::<f64>();
        let of = |v: &f64| (v / (all - 1.0), v * all / (1.0 + v) / (all - 1.0));
        variances.iter().map(of).collect()
    }

    /// A design with independent base points.
    fn design(seed: u64, n: usize, inputs: usize, f: impl Fn(&[f64]) -> f64) -> Vec<Vec<f64>> {
        let mut uniform = random(seed);
        let mut point = || (0..inputs).map(|_| uniform()).collect::<Vec<f64>>();
        let row = |_| {
            let (a, b) = (point(), point());
            let mixed = (0..inputs).map(|i| {
                let mut mixed = a.clone();
                mixed[i] = b[i];
                f(&mixed)
            });
            let mixed: Vec<f64> = mixed.collect();
            [f(&a), f(&b)].into_iter().chain(mixed).collect()
        };
        (0..n).map(row).collect()
    }

    fn indices(rows: &[Vec<f64>]) -> Vec<SobolIndices> {
        let rows: Vec<&[f64]> = rows.iter().map(Vec::as_slice).collect();
        saltelli(&rows).unwrap()
    }

    #[test]
    fn the_indices_of_known_functions_are_found() {
        let close = |found: &[SobolIndices], truth: &[(f64, f64)]| {
            for (found, (first, total)) in found.iter().zip(truth) {
                assert!(
                    (found.first.index - first).abs() < 0.02,
                    "{found:?} {first}"
                );
                assert!(
                    (found.total.index - total).abs() < 0.02,
                    "{found:?} {total}"
                );
            }
        };
        close(&indices(&design(1, 16_384, 3, ishigami_at)), &ISHIGAMI);
        close(&indices(&design(2, 16_384, 5, g)), &truth_of_g());
    }

    /// The share of intervals that contain the index, the smallest and the largest over all inputs and both orders.
    fn coverage(n: usize, truth: &[(f64, f64)], f: impl Fn(&[f64]) -> f64 + Copy) -> (f64, f64) {
        const EXPERIMENTS: u32 = 300;
        let mut covered = vec![[0u32; 2]; truth.len()];
        for seed in 0..u64::from(EXPERIMENTS) {
            let found = indices(&design(1000 + seed, n, truth.len(), f));
            for ((of, found), (first, total)) in covered.iter_mut().zip(found).zip(truth) {
                let covers = |index: SobolIndex, truth: f64| {
                    u32::from(index.interval.0 <= truth && truth <= index.interval.1)
                };
                of[0] += covers(found.first, *first);
                of[1] += covers(found.total, *total);
            }
        }
        let shares = || {
            covered
                .iter()
                .flatten()
                .map(|n| f64::from(*n) / f64::from(EXPERIMENTS))
        };
        (shares().fold(1.0, f64::min), shares().fold(0.0, f64::max))
    }

    #[test]
    fn intervals_contain_the_indices_in_about_95_of_100_designs() {
        // Three standard errors of 300 experiments are 3.8 %.
        let (least, _) = coverage(256, &ISHIGAMI, ishigami_at);
        assert!(least > 0.91, "{least}");
        // The last input of g has indices near 0, whose intervals, clipped at 0, contain them more often.
        let (least, _) = coverage(256, &truth_of_g()[..4], |x| g(&[x, &[0.5]].concat()));
        assert!(least > 0.91, "{least}");
        let (least, most) = coverage(64, &ISHIGAMI, ishigami_at);
        assert!(least > 0.85 && most < 0.99, "{least} {most}");
    }

    #[test]
    fn an_input_that_does_nothing_has_an_index_of_exactly_0() {
        let found = indices(&design(3, 64, 2, |x| x[0]));
        assert_eq!((found[1].first.index, found[1].total.index), (0.0, 0.0));
        assert_eq!(found[1].total.interval, (0.0, 0.0));
        assert!(found[0].total.interval.1 > 0.95, "{found:?}");
    }

    #[test]
    fn too_few_points_or_equal_results_have_no_indices() {
        let rows = design(4, 63, 2, |x| x[0]);
        let rows: Vec<&[f64]> = rows.iter().map(Vec::as_slice).collect();
        assert_eq!(saltelli(&rows), None);
        assert_eq!(saltelli(&[&[1.0, 1.0, 1.0][..]; 80]), None);
        assert_eq!(saltelli(&[]), None);
        assert_eq!(saltelli(&[&[1.0][..]; 80]), None);
    }
}
