//! Named random streams.
//!
//! One stream per (seed, purpose, index), from xoshiro256++ (Blackman and Vigna 2018), seeded with
//! SplitMix64 over a hash of the three. Streams are independent of each other and of the order in which they
//! are made: adding a lossy link changes no arrival.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng as _, SeedableRng};

use crate::time::SimDuration;

/// One random stream; implements the `rand` traits through [`Rng::source`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rng(Xoshiro256PlusPlus);

/// SplitMix64's finaliser: a bijection on 64 bits with full avalanche.
pub const fn mix(z: u64) -> u64 {
    let z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Rng {
    /// The stream for `purpose` number `index` under `seed`.
    pub fn stream(seed: u64, purpose: &str, index: u64) -> Rng {
        let mut state = mix(seed);
        for byte in purpose.bytes() {
            state = mix(state ^ u64::from(byte));
        }
        // The length terminates the name, so that ("ab", …) and ("a", …) never have the same state by construction.
        state = mix(state ^ (purpose.len() as u64) << 32);
        Rng(Xoshiro256PlusPlus::seed_from_u64(mix(state ^ mix(index))))
    }

    /// 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Uniform in [0, 1), 53 bits.
    pub fn uniform(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Uniform in `0..n` (Lemire's multiply-shift with rejection); zero when `n` is zero.
    pub fn below(&mut self, n: u64) -> u64 {
        if n == 0 {
            return 0;
        }
        loop {
            let wide = u128::from(self.next_u64()) * u128::from(n);
            if wide as u64 >= n.wrapping_neg() % n {
                return (wide >> 64) as u64;
            }
        }
    }

    /// True with probability `p`; draws only when 0 < p < 1.
    pub fn chance(&mut self, p: f64) -> bool {
        p >= 1.0 || (p > 0.0 && self.uniform() < p)
    }

    /// Exponentially distributed with the given mean.
    pub fn exponential(&mut self, mean: SimDuration) -> SimDuration {
        // libm, not the platform's: same bits everywhere.
        let e = -libm::log(1.0 - self.uniform());
        SimDuration::from_secs_f64(e * mean.as_secs_f64())
    }

    /// The generator itself, for the distributions of other crates.
    pub fn source(&mut self) -> &mut Xoshiro256PlusPlus {
        &mut self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_draws_are_fixed() {
        // A change here changes every result: it belongs under "Changed results".
        let mut rng = Rng::stream(1, "test", 0);
        let draws = [rng.next_u64(), rng.next_u64()];
        let mut again = Rng::stream(1, "test", 0);
        assert_eq!(draws, [again.next_u64(), again.next_u64()]);
        assert_eq!(draws, GOLDEN);
    }

    const GOLDEN: [u64; 2] = [4_510_667_173_453_381_094, 9_318_779_469_625_926_338];

    #[test]
    fn streams_differ_by_each_part_of_their_name() {
        let base = Rng::stream(1, "loss", 0);
        for other in [
            Rng::stream(2, "loss", 0),
            Rng::stream(1, "los", 0),
            Rng::stream(1, "loss", 1),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn moments_are_right() {
        let mut rng = Rng::stream(7, "moments", 0);
        let n = 100_000;
        let mean: f64 = (0..n).map(|_| rng.uniform()).sum::<f64>() / f64::from(n);
        assert!((mean - 0.5).abs() < 0.005, "{mean}");
        let exp: f64 = (0..n)
            .map(|_| rng.exponential(SimDuration::from_millis(10)).as_secs_f64())
            .sum::<f64>()
            / f64::from(n);
        assert!((exp - 0.01).abs() < 2e-4, "{exp}");
        let mut counts = [0u32; 6];
        (0..60_000).for_each(|_| counts[rng.below(6) as usize] += 1);
        assert!(
            counts.iter().all(|c| c.abs_diff(10_000) < 500),
            "{counts:?}"
        );
    }
}
