//! Replicas until an interval is narrow: `until = { metric = "…", relative = 0.05, max_replicas = 50 }`.
//!
//! The plan has the maximum number of replicas of each variant. They are executed in rounds: a few at first,
//! then the number that the interval so far suggests, at most twice as many, until the interval is narrow
//! enough. The number depends only on the results, so that a stopped batch continues to the same end.

use std::collections::BTreeMap;

use reports::stats::Estimate;
use reports::{BatchRow, estimate_of};
use toml::Value;

use super::figures::check_metric;
use crate::dotted_path::DottedPath;
use crate::file::ScenarioFile;
use crate::overrides::{Override, OverrideSource};
use crate::problem::Problem;
use crate::run_spec::RunSpec;

/// Minimum number of replicas in the first round: with fewer, the estimate of the variance is too uncertain
/// to stop by.
const FIRST: u32 = 5;
/// Default of the maximum number of replicas.
const MOST: u32 = 50;

/// The rule for when a variant has enough replicas.
#[derive(Clone, Debug, PartialEq)]
pub struct Until {
    /// The metric.
    pub metric: String,
    /// Half the interval divided by the mean that is small enough.
    pub relative: f64,
    /// Number of replicas in the first round.
    pub first: u32,
    /// Maximum number of replicas.
    pub most: u32,
}

impl Until {
    /// Reads the rule of a scenario; `None` if it has none.
    pub(super) fn of(file: &ScenarioFile) -> Result<Option<Until>, Problem> {
        let Some(until) = &file.until else {
            return Ok(None);
        };
        let at = DottedPath::from("until");
        let most = until.max_replicas.unwrap_or(MOST);
        let first = file.replicas.unwrap_or(1).max(FIRST);
        if !(until.relative > 0.0 && until.relative < 1.0) {
            let message = format!("relative = {} is not between 0 and 1", until.relative);
            return Err(
                Problem::new(at.key("relative"), message).help("write for example relative = 0.05")
            );
        }
        if most < first {
            let message =
                format!("max_replicas = {most} is less than the {first} that are made first");
            return Err(Problem::new(at.key("max_replicas"), message)
                .help("raise it, or lower `replicas`; five are the least"));
        }
        Ok(Some(Until {
            metric: until.metric.clone(),
            relative: until.relative,
            first,
            most,
        }))
    }

    pub(super) fn check(&self, runs: &[RunSpec]) -> Result<(), Problem> {
        let at = DottedPath::from("until").key("metric");
        check_metric(&self.metric, runs, &at)
    }

    /// The override that sets the maximum number of replicas.
    pub(super) fn replicas(&self) -> Override {
        Override {
            path: DottedPath::from("replicas"),
            value: Value::Integer(self.most.into()),
            by: OverrideSource::Set,
        }
    }

    /// Returns the number of replicas of each variant after the next round, by the values of the variant,
    /// given the rows of the existing ones. The numbers do not change if there are enough.
    pub(crate) fn next(
        &self,
        counts: &BTreeMap<Vec<String>, u32>,
        rows: &[BatchRow],
    ) -> BTreeMap<Vec<String>, u32> {
        let mut by_variant: BTreeMap<&[String], Vec<&BatchRow>> = BTreeMap::new();
        for row in rows.iter().filter(|row| row.status.is_ok()) {
            by_variant.entry(&row.values).or_default().push(row);
        }
        let next = |(variant, n): (&Vec<String>, &u32)| {
            let rows = by_variant.get(variant.as_slice()).into_iter().flatten();
            let estimate = estimate_of(rows.copied(), &self.metric);
            (variant.clone(), self.next_of(*n, estimate))
        };
        counts.iter().map(next).collect()
    }

    fn next_of(&self, n: u32, estimate: Option<Estimate>) -> u32 {
        // If there is no value, or if all runs have failed, more replicas would not help.
        let Some(estimate) = estimate else { return n };
        let width = estimate.relative_half_width();
        if width <= self.relative {
            return n;
        }
        let expected = f64::from(n) * (width / self.relative).powi(2);
        let twice = n.saturating_mul(2);
        let next = match expected.is_finite() {
            true => (expected.ceil() as u32).clamp(n + 1, twice),
            false => twice,
        };
        next.min(self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replicas_are_added_until_the_interval_is_narrow() {
        let until = Until {
            metric: "x".into(),
            relative: 0.05,
            first: 5,
            most: 50,
        };
        let estimate = |half: f64| {
            Some(Estimate {
                n: 5,
                mean: 100.0,
                interval: Some((100.0 - half, 100.0 + half)),
            })
        };
        assert_eq!(until.next_of(5, estimate(4.9)), 5);
        assert_eq!(until.next_of(5, estimate(5.5)), 7);
        assert_eq!(until.next_of(5, estimate(50.0)), 10);
        assert_eq!(until.next_of(40, estimate(50.0)), 50);
        assert_eq!(until.next_of(50, estimate(50.0)), 50);
        assert_eq!(until.next_of(5, None), 5);
    }
}
