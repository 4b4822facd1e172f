//! Checks `[[expect]]`: bounds for metrics that exist.

use reports::{Expectation, Unit};
use toml::Value;

use super::SweepAxis;
use super::figures::{check_metric, check_values, only};
use crate::dotted_path::DottedPath;
use crate::file::{ExpectFile, ScenarioFile};
use crate::problem::Problem;
use crate::quantity::quantity;
use crate::run_spec::RunSpec;

/// Checks and returns the expectations of a scenario.
///
/// # Errors
/// When a metric is unknown, has no bound or a bound with another unit, or no run has the values of
/// `where`.
pub(super) fn check(
    file: &ScenarioFile,
    axes: &[SweepAxis],
    runs: &[RunSpec],
) -> Result<Vec<Expectation>, Problem> {
    let all = file.expect.iter().enumerate();
    all.map(|(i, expect)| {
        let at = DottedPath::from("expect").index(i);
        check_metric(&expect.metric, runs, &at.key("metric"))?;
        check_values(file, &expect.only, axes, &at.key("where"))?;
        expectation(expect, &at)
    })
    .collect()
}

/// Converts an expectation for reports.
fn expectation(expect: &ExpectFile, at: &DottedPath) -> Result<Expectation, Problem> {
    let bound = |key: &str, value: &Option<Value>| match value {
        None => Ok(None),
        Some(value) => in_unit_of(&expect.metric, value, &at.key(key)).map(Some),
    };
    let expected = Expectation {
        metric: expect.metric.clone(),
        above: bound("above", &expect.above)?,
        below: bound("below", &expect.below)?,
        at_least: bound("at_least", &expect.at_least)?,
        at_most: bound("at_most", &expect.at_most)?,
        only: only(&expect.only),
    };
    let lower = [expected.above, expected.at_least];
    let upper = [expected.below, expected.at_most];
    let lowest = lower
        .into_iter()
        .flatten()
        .fold(f64::NEG_INFINITY, f64::max);
    let highest = upper.into_iter().flatten().fold(f64::INFINITY, f64::min);
    if lowest == f64::NEG_INFINITY && highest == f64::INFINITY {
        return Err(Problem::new(at.clone(), "this expectation has no bound")
            .help("add `below`, `at_most`, `above` or `at_least`, as in below = 0.001"));
    }
    let strict = lower[0] == Some(highest) || upper[0] == Some(lowest);
    if lowest > highest || (lowest == highest && strict) {
        return Err(Problem::new(at.clone(), "no value meets these bounds")
            .help("check which bound is the upper and which the lower"));
    }
    Ok(expected)
}

/// Converts a bound to the base unit of a metric; a plain number is in that unit.
fn in_unit_of(metric: &str, value: &Value, at: &DottedPath) -> Result<f64, Problem> {
    use reports::metrics::MetricKind;
    let kind = reports::metrics::find(metric).map(|f| f.metric.kind);
    let (own, example) = match kind {
        Some(MetricKind::BitRate) => (Unit::BitsPerSecond, "\"5 Mbit/s\""),
        Some(MetricKind::PerSecond) => (Unit::PerSecond, "\"100 /s\""),
        Some(MetricKind::Duration | MetricKind::Time) => (Unit::Seconds, "\"20 ms\""),
        Some(MetricKind::Bytes) => (Unit::Bytes, "\"1 MB\""),
        _ => (Unit::One, "0.001"),
    };
    match quantity(value) {
        Some((number, unit)) if unit == Unit::One || unit == own => Ok(number),
        _ => {
            let message = format!("{value} is not a bound for {metric}");
            Err(Problem::new(at.clone(), message).help(format!("write for example {example}")))
        }
    }
}
