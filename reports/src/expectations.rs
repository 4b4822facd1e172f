//! Expectations on a metric. [`crate::batch`] judges whether the runs meet them.

use serde::{Deserialize, Serialize};

use crate::bilingual::{Language, say};
use crate::format::metric;

/// Bounds within which a metric is expected, in its base unit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Expectation {
    /// Name of the metric.
    pub metric: String,
    /// The metric is greater than this.
    pub above: Option<f64>,
    /// The metric is less than this.
    pub below: Option<f64>,
    /// The metric is at least this.
    pub at_least: Option<f64>,
    /// The metric is at most this.
    pub at_most: Option<f64>,
    /// Only runs with these values count: dotted path and value as written.
    pub only: Vec<(String, String)>,
}

/// Whether an expectation is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// The 95 % interval of the mean over the replicas is entirely within the bounds.
    Holds,
    /// The interval is partly within the bounds and partly outside.
    Undecided,
    /// No value of the interval is within the bounds, or there is no value.
    Fails,
}

/// An expectation with its verdict.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// The worst verdict over all variants.
    pub verdict: Verdict,
    /// The verdict as a sentence.
    pub words: String,
}

impl Expectation {
    /// Whether a value is within the bounds.
    pub(crate) fn has(&self, value: f64) -> bool {
        self.above.is_none_or(|bound| value > bound)
            && self.below.is_none_or(|bound| value < bound)
            && self.at_least.is_none_or(|bound| value >= bound)
            && self.at_most.is_none_or(|bound| value <= bound)
    }

    /// "connects_failed_share below 0.1 % where tcp.tw_reuse = true".
    pub(crate) fn bounds(&self, language: Language) -> String {
        let bounds = [
            (language.pick("above", "大于"), self.above),
            (language.pick("at least", "不小于"), self.at_least),
            (language.pick("below", "小于"), self.below),
            (language.pick("at most", "不大于"), self.at_most),
        ];
        let given = bounds.iter().filter_map(|(word, bound)| {
            let bound = metric(&self.metric, (*bound)?);
            Some(format!(" {word} {bound}"))
        });
        let given: Vec<String> = given.collect();
        let mut text = self.metric.clone() + &given.join(language.pick(" and", "且"));
        for (i, (path, value)) in self.only.iter().enumerate() {
            let word = match i {
                0 => language.pick("where", "，其中"),
                _ => language.pick("and", "且"),
            };
            text += &say!(
                language,
                " {word} {path} = {value}",
                "{word} {path} = {value}"
            );
        }
        text
    }
}

impl std::fmt::Display for Expectation {
    /// "connects_failed_share below 0.1 % where tcp.tw_reuse = true".
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.bounds(Language::English))
    }
}
