//! A histogram of durations with buckets of equal ratio: quantiles to within 0.8 %, in constant memory.

use crate::time::SimDuration;

/// Buckets per power of two.
const STEPS: u64 = 64;
const SHIFT: u32 = STEPS.ilog2();

/// A distribution of durations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram {
    counts: Vec<u64>,
    n: u64,
    sum_ps: u128,
    max: SimDuration,
}

impl Default for Histogram {
    fn default() -> Self {
        Histogram {
            counts: vec![0; ((64 - SHIFT as usize) + 1) * STEPS as usize],
            n: 0,
            sum_ps: 0,
            max: SimDuration::ZERO,
        }
    }
}

/// Values below `STEPS` have a bucket each; above, the leading bits choose it.
fn bucket(ps: u64) -> usize {
    if ps < STEPS {
        return ps as usize;
    }
    let octave = ps.ilog2() - SHIFT;
    (u64::from(octave + 1) * STEPS + ((ps >> octave) - STEPS)) as usize
}

/// The middle of a bucket, in picoseconds.
fn middle(bucket: usize) -> f64 {
    let (octave, step) = (bucket as u64 / STEPS, bucket as u64 % STEPS);
    if octave == 0 {
        return step as f64;
    }
    let width = (1u64 << (octave - 1)) as f64;
    ((STEPS + step) as f64 + 0.5) * width
}

impl Histogram {
    /// Counts a duration.
    pub fn add(&mut self, value: SimDuration) {
        self.counts[bucket(value.as_ps())] += 1;
        self.n += 1;
        self.sum_ps += u128::from(value.as_ps());
        self.max = self.max.max(value);
    }

    /// The number of durations counted.
    pub fn len(&self) -> u64 {
        self.n
    }

    /// True if nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.n == 0
    }

    /// The sum in seconds.
    pub fn sum_s(&self) -> f64 {
        self.sum_ps as f64 / 1e12
    }

    /// Mean in seconds, exact; `None` if nothing was counted.
    pub fn mean_s(&self) -> Option<f64> {
        (self.n > 0).then(|| self.sum_ps as f64 / self.n as f64 / 1e12)
    }

    /// Largest in seconds, exact.
    pub fn max_s(&self) -> Option<f64> {
        (self.n > 0).then(|| self.max.as_secs_f64())
    }

    /// The middle of each bucket that is not empty, in seconds, with the number of durations in it.
    pub fn buckets(&self) -> impl Iterator<Item = (f64, u64)> + '_ {
        let all = self.counts.iter().enumerate();
        all.filter(|(_, n)| **n > 0)
            .map(|(b, n)| (middle(b) / 1e12, *n))
    }

    /// The `q`-quantile in seconds: the value below which a share `q` lies; `None` if nothing was
    /// counted.
    pub fn quantile_s(&self, q: f64) -> Option<f64> {
        let rank = ((q * self.n as f64).ceil() as u64).clamp(1, self.n.max(1));
        let mut below = 0;
        let found = self.counts.iter().position(|&c| {
            below += c;
            below >= rank
        });
        found.map(|b| (middle(b) / 1e12).min(self.max.as_secs_f64()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_duration_has_a_bucket_near_it() {
        for ps in [
            0,
            1,
            63,
            64,
            65,
            127,
            128,
            1000,
            123_456_789,
            1 << 40,
            u64::MAX,
        ] {
            let b = bucket(ps);
            assert!(b < Histogram::default().counts.len(), "{ps}");
            let error = (middle(b) - ps as f64).abs();
            assert!(error <= 0.008 * ps as f64, "{ps}: {error}");
        }
    }

    #[test]
    fn quantiles_of_a_uniform_distribution() {
        let mut h = Histogram::default();
        assert_eq!((h.mean_s(), h.quantile_s(0.5)), (None, None));
        for ms in 1..=1000 {
            h.add(SimDuration::from_millis(ms));
        }
        assert_eq!(h.mean_s(), Some(0.5005));
        for (q, exact) in [
            (0.0, 0.001),
            (0.5, 0.5),
            (0.9, 0.9),
            (0.99, 0.99),
            (1.0, 1.0),
        ] {
            let got = h.quantile_s(q).unwrap();
            assert!((got - exact).abs() <= 0.008 * exact, "{q}: {got}");
        }
        assert_eq!((h.len(), h.max_s()), (1000, Some(1.0)));
    }
}
