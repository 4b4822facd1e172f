//! Finds the best of several alternatives by successive elimination: replicas are executed in rounds, and an
//! alternative that is certainly worse than the leader gets no more of them.
//!
//! Replicas with the same number use common random numbers, so alternatives are compared in pairs. Over all
//! comparisons of all rounds together, the best is eliminated with a probability of at most 5 % (Bonferroni).

use std::collections::BTreeMap;

use reports::stats::student_t;

/// Maximum probability of eliminating the best alternative.
const RISK: f64 = 0.05;

/// The results of an alternative, by the number of the replica.
pub(crate) type VariantValues = BTreeMap<u32, f64>;

/// An alternative in a round.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct VariantStanding {
    /// Its index among the alternatives.
    pub(crate) candidate: usize,
    /// Its mean over the replicas.
    pub(crate) mean: f64,
    /// Its difference from the leader, with the interval of this comparison; `None` for the leader, or with
    /// fewer than two pairs of replicas.
    pub(crate) behind: Option<LeaderDifference>,
    /// It gets no more replicas.
    pub(crate) is_eliminated: bool,
}

/// A paired difference from the leader; positive is worse.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct LeaderDifference {
    /// Mean.
    pub(crate) mean: f64,
    /// Ends of the interval, which is wide enough for all comparisons of the search together.
    pub(crate) interval: (f64, f64),
}

/// Maximum number of comparisons in a search: every alternative but the leader, in each of the rounds that
/// double the replicas.
pub(crate) fn comparisons(candidates: usize, first: u32, most: u32) -> usize {
    let mut rounds = 1;
    let mut replicas = first.max(1);
    while replicas < most {
        replicas = replicas.saturating_mul(2);
        rounds += 1;
    }
    candidates.saturating_sub(1).max(1) * rounds
}

/// Compares the alternatives of a round with the best of them, which comes first in the result. `comparisons`
/// is the number of comparisons in the whole search. Alternatives without a value come last and are
/// eliminated.
pub(crate) fn round(
    values: &[(usize, VariantValues)],
    wants_largest: bool,
    comparisons: usize,
) -> Vec<VariantStanding> {
    let sign = if wants_largest { 1.0 } else { -1.0 };
    let mean = |of: &VariantValues| match of.len() {
        0 => f64::NAN,
        n => of.values().sum::<f64>() / n as f64,
    };
    let mut order: Vec<(&(usize, VariantValues), f64)> =
        values.iter().map(|v| (v, mean(&v.1))).collect();
    let merit = |mean: f64| match mean.is_nan() {
        true => f64::NEG_INFINITY,
        false => sign * mean,
    };
    // The sort is stable: equally good alternatives stay in order.
    order.sort_by(|a, b| merit(b.1).total_cmp(&merit(a.1)));
    let Some(leader) = order.first().map(|(v, _)| &v.1) else {
        return Vec::new();
    };
    let each = order.iter().enumerate();
    each.map(|(place, ((candidate, own), mean))| {
        let behind = match place {
            0 => None,
            _ => behind(leader, own, sign, comparisons),
        };
        VariantStanding {
            candidate: *candidate,
            mean: *mean,
            behind,
            is_eliminated: mean.is_nan() || behind.is_some_and(|b| b.interval.0 > 0.0),
        }
    })
    .collect()
}

/// The difference of an alternative from the leader, over the replicas that both have.
fn behind(
    leader: &VariantValues,
    own: &VariantValues,
    sign: f64,
    comparisons: usize,
) -> Option<LeaderDifference> {
    let pairs = own.iter().filter_map(|(replica, value)| {
        let best = leader.get(replica)?;
        Some(sign * (best - value))
    });
    let pairs: Vec<f64> = pairs.collect();
    let n = pairs.len();
    if n < 2 {
        return None;
    }
    let mean = pairs.iter().sum::<f64>() / n as f64;
    let squares: f64 = pairs.iter().map(|d| (d - mean) * (d - mean)).sum();
    let error = (squares / (n - 1) as f64 / n as f64).sqrt();
    let half = match error > 0.0 {
        true => student_t(n - 1, RISK / comparisons as f64) * error,
        false => 0.0,
    };
    Some(LeaderDifference {
        mean,
        interval: (mean - half, mean + half),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Random numbers from 0 to 1.
    struct Dice(u64);

    impl Dice {
        fn next(&mut self) -> f64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            (sim_core::rng::mix(self.0) >> 11) as f64 / (1u64 << 53) as f64
        }
    }

    /// Performs a whole search over alternatives with these means, and returns the number of replicas and the
    /// alternatives that remain.
    fn search(dice: &mut Dice, means: &[f64], most: u32) -> (u32, Vec<usize>) {
        let first = 4;
        let comparisons = comparisons(means.len(), first, most);
        let mut alive: Vec<(usize, VariantValues)> = (0..means.len())
            .map(|i| (i, VariantValues::new()))
            .collect();
        let (mut made, mut replicas) = (0, first);
        let mut common: BTreeMap<u32, f64> = BTreeMap::new();
        loop {
            for (candidate, values) in &mut alive {
                for replica in values.len() as u32..replicas {
                    let shared = *common.entry(replica).or_insert_with(|| 20.0 * dice.next());
                    values.insert(replica, means[*candidate] + shared + dice.next());
                    made += 1;
                }
            }
            let standings = round(&alive, true, comparisons);
            let out: Vec<usize> = standings
                .iter()
                .filter(|s| s.is_eliminated)
                .map(|s| s.candidate)
                .collect();
            alive.retain(|(candidate, _)| !out.contains(candidate));
            if alive.len() < 2 || replicas >= most {
                return (made, alive.into_iter().map(|a| a.0).collect());
            }
            replicas = (replicas * 2).min(most);
        }
    }

    #[test]
    fn the_best_stays_in_95_of_100_searches_and_the_worst_cost_little() {
        let mut dice = Dice(5);
        let (mut wrong, mut replicas) = (0, 0);
        for _ in 0..400 {
            let (made, left) = search(&mut dice, &[1.0, 1.2, 3.0, 0.0, 2.7], 64);
            wrong += i32::from(!left.contains(&2));
            replicas += made;
        }
        assert!(wrong <= 20, "the best was eliminated in {wrong} of 400");
        // With 64 replicas of each it would be 320. The common part of the replicas, 20 times as large as the
        // rest, cancels out.
        assert!(replicas / 400 < 100, "{} a search", replicas / 400);
    }

    #[test]
    fn equals_are_not_told_apart_and_what_has_no_value_is_out() {
        let same: VariantValues = [(0, 1.0), (1, 2.0), (2, 3.0)].into();
        let all = [
            (0, same.clone()),
            (1, same.clone()),
            (2, VariantValues::new()),
        ];
        let found = round(&all, false, 4);
        let out: Vec<bool> = found.iter().map(|s| s.is_eliminated).collect();
        assert_eq!(out, [false, false, true]);
        assert_eq!(found[1].behind.unwrap().interval, (0.0, 0.0));
        // A difference that is the same in each replica is certain.
        let less: VariantValues = same.iter().map(|(r, v)| (*r, v - 0.1)).collect();
        let found = round(&[(0, same), (1, less)], false, 4);
        assert_eq!((found[0].candidate, found[1].is_eliminated), (1, true));
    }

    #[test]
    fn comparisons_grow_with_candidates_and_rounds() {
        assert_eq!(comparisons(5, 4, 32), 16);
        assert_eq!(comparisons(2, 4, 4), 1);
        assert_eq!(comparisons(1, 4, 5), 2);
    }
}
