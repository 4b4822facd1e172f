//! Judges whether the runs of a batch meet their expectations.

use super::variants::{Variant, variants};
use super::{Axis, BatchRow, RowMetrics, RunStatus, row_metrics};
use crate::bilingual::{Language, say};
use crate::expectations::{Expectation, Judgement, Verdict};
use crate::format::count;
use crate::metrics;
use crate::stats::Estimate;
use crate::store::RunSummary;
use crate::words;

/// Most variants named in a verdict.
const MOST_NAMED: usize = 5;

impl RunSummary {
    /// The verdicts on the expectations of this run.
    pub fn judge(&self, expectations: &[Expectation]) -> Vec<Judgement> {
        self.judge_in(expectations, Language::English)
    }

    /// The same with the sentences in a language.
    pub(crate) fn judge_in(
        &self,
        expectations: &[Expectation],
        language: Language,
    ) -> Vec<Judgement> {
        let row = [row_of(&row_metrics(self).into())];
        let each = expectations.iter();
        each.map(|e| e.judge_in(&[], &row, language)).collect()
    }
}

/// The verdicts on the expectations on a single run with these metrics.
pub fn judge_run(metrics: &RowMetrics, expectations: &[Expectation]) -> Vec<Judgement> {
    let row = [row_of(metrics)];
    expectations.iter().map(|e| e.judge(&[], &row)).collect()
}

/// A single run as the row of a batch.
fn row_of(metrics: &RowMetrics) -> BatchRow {
    BatchRow {
        status: RunStatus::Ok,
        metrics: metrics.clone(),
        ..BatchRow::default()
    }
}

impl Expectation {
    /// The verdict over the complete runs of a batch, or over a single run, which has no axes.
    ///
    /// Only replicas are pooled: each combination of swept values has its own verdict, and the
    /// worst one counts. There is no correction for multiple tests: of a hundred true means exactly
    /// at the bound, about five fail by chance.
    pub fn judge(&self, axes: &[Axis], rows: &[BatchRow]) -> Judgement {
        self.judge_in(axes, rows, Language::English)
    }

    /// The same with the sentence in a language.
    pub(crate) fn judge_in(
        &self,
        axes: &[Axis],
        rows: &[BatchRow],
        language: Language,
    ) -> Judgement {
        let wanted = |v: &Variant<'_>| {
            self.only.iter().all(|(path, value)| {
                let axis = axes.iter().position(|a| a.path == *path);
                axis.is_none_or(|i| v.values.get(i).is_some_and(|v| v == value))
            })
        };
        let all: Vec<Variant<'_>> = variants(rows).into_iter().filter(wanted).collect();
        let verdicts: Vec<Verdict> = all.iter().map(|v| self.verdict(v)).collect();
        let worst = verdicts.iter().max().copied().unwrap_or(Verdict::Fails);
        let bad = || {
            let each = all.iter().zip(&verdicts);
            each.filter(|(_, verdict)| **verdict == worst)
                .map(|(v, _)| v)
        };
        let (n, of) = (bad().count(), all.len());
        let share = match (n, of) {
            (_, 1) => String::new(),
            (n, of) if n == of => {
                say!(
                    language,
                    " for all {} variants",
                    "（全部 {} 个变体）",
                    count(of as f64)
                )
            }
            (n, of) => say!(
                language,
                " for {} of {} variants",
                "（{1} 个变体中的 {0} 个）",
                count(n as f64),
                count(of as f64)
            ),
        };
        let verdict = match worst {
            Verdict::Holds => language.pick("holds", "成立"),
            Verdict::Undecided => language.pick(
                "is undecided, and needs more replicas,",
                "尚不能判定，需要更多次重复",
            ),
            Verdict::Fails => language.pick("FAILS", "不成立"),
        };
        let named: Vec<String> = match (worst, of) {
            (_, 0) => vec![
                language
                    .pick("there is no such run", "没有这样的运行")
                    .to_owned(),
            ],
            (_, 1) => bad().map(|v| self.value(v, language)).collect(),
            (Verdict::Holds, _) => Vec::new(),
            _ => bad()
                .take(MOST_NAMED)
                .map(|v| format!("{}: {}", name(axes, v, language), self.value(v, language)))
                .collect(),
        };
        let mut words = say!(
            language,
            "Expected {}: {verdict}{share}",
            "预期 {}：{verdict}{share}",
            self.bounds(language)
        );
        if !named.is_empty() {
            let more = if n > MOST_NAMED { ", …" } else { "" };
            words.push_str(&say!(
                language,
                " ({}{more})",
                "（{}{more}）",
                named.join("; ")
            ));
        }
        words.push_str(language.pick(".", "。"));
        Judgement {
            verdict: worst,
            words,
        }
    }

    fn verdict(&self, variant: &Variant<'_>) -> Verdict {
        let Some(estimate) = variant.estimate(&self.metric) else {
            return Verdict::Fails;
        };
        let (low, high) = estimate.ends();
        let Estimate { mean, .. } = estimate;
        if self.is_met_at_the_edge(mean) {
            return Verdict::Holds;
        }
        match (self.has(low), self.has(high)) {
            (true, true) => Verdict::Holds,
            // The interval may enclose the bounds, or cross one of them.
            (false, false) if !self.has(mean) => Verdict::Fails,
            _ => Verdict::Undecided,
        }
    }

    /// Returns true if the bound is the end of the metric's range and every value equals it, such
    /// as a failure share of 0. More runs could not show more.
    fn is_met_at_the_edge(&self, mean: f64) -> bool {
        let (least, most) = metrics::kind(&self.metric).range();
        let is_least = self.at_most == Some(least) && mean == least;
        let is_most = self.at_least == Some(most) && mean == most;
        (is_least || is_most) && self.has(mean)
    }

    fn value(&self, variant: &Variant<'_>, language: Language) -> String {
        let absent = || language.pick("it has no value", "没有值").to_owned();
        variant.text(&self.metric).unwrap_or_else(absent)
    }
}

/// The swept values of a variant.
fn name(axes: &[Axis], variant: &Variant<'_>, language: Language) -> String {
    let names = words::axes(axes.iter().map(|a| a.path.as_str()), language);
    let each = names.iter().zip(variant.values);
    let each: Vec<String> = each
        .map(|(axis, value)| format!("{} {value}", axis.name))
        .collect();
    each.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(value: &str, replica: u32, share: f64) -> BatchRow {
        BatchRow {
            id: format!("{value}-{replica}"),
            values: vec![value.to_owned()],
            replica,
            status: RunStatus::Ok,
            metrics: [("goodput_bps".to_owned(), share)].into(),
            ..BatchRow::default()
        }
    }

    fn axes() -> Vec<Axis> {
        vec![Axis {
            path: "tcp.congestion".into(),
            values: vec!["reno".into(), "cubic".into()],
            ..Axis::default()
        }]
    }

    fn at_least(bound: f64) -> Expectation {
        Expectation {
            metric: "goodput_bps".into(),
            at_least: Some(bound),
            ..Expectation::default()
        }
    }

    #[test]
    fn an_interval_within_the_bounds_holds_beyond_them_fails_and_across_is_undecided() {
        let rows = [9e6, 9.1e6, 9.2e6].map(|v| row("reno", 0, v));
        let rows: Vec<BatchRow> = rows
            .into_iter()
            .zip(0..)
            .map(|(r, replica)| BatchRow { replica, ..r })
            .collect();
        for (bound, verdict) in [
            (8e6, Verdict::Holds),
            (9.1e6, Verdict::Undecided),
            (9.15e6, Verdict::Undecided),
            (10e6, Verdict::Fails),
        ] {
            assert_eq!(
                at_least(bound).judge(&axes(), &rows).verdict,
                verdict,
                "{bound}"
            );
        }
        let both = Expectation {
            above: Some(9.05e6),
            below: Some(9.15e6),
            ..Expectation {
                metric: "goodput_bps".into(),
                ..Expectation::default()
            }
        };
        assert_eq!(
            both.judge(&axes(), &rows).verdict,
            Verdict::Undecided,
            "the interval lies around"
        );
        // A single replica has no interval; its value decides.
        assert_eq!(
            at_least(9e6).judge(&axes(), &rows[..1]).verdict,
            Verdict::Holds
        );
        assert_eq!(
            at_least(9.01e6).judge(&axes(), &rows[..1]).verdict,
            Verdict::Fails
        );
    }

    #[test]
    fn the_worst_variant_decides_and_is_named() {
        let rows = [row("reno", 0, 4e6), row("cubic", 0, 8e6)];
        let judged = at_least(5e6).judge(&axes(), &rows);
        assert_eq!(judged.verdict, Verdict::Fails);
        assert_eq!(
            judged.words,
            "Expected goodput_bps at least 5 Mbit/s: FAILS for 1 of 2 variants (congestion control reno: 4 Mbit/s)."
        );
        let only = Expectation {
            only: vec![("tcp.congestion".into(), "cubic".into())],
            ..at_least(5e6)
        };
        let judged = only.judge(&axes(), &rows);
        assert_eq!(
            judged.words,
            "Expected goodput_bps at least 5 Mbit/s where tcp.congestion = cubic: holds (8 Mbit/s)."
        );
    }

    #[test]
    fn a_missing_value_fails() {
        let nothing = Expectation {
            metric: "connect_latency_p99_s".into(),
            below: Some(1.0),
            ..Expectation::default()
        };
        let judged = nothing.judge(&axes(), &[row("reno", 0, 1.0)]);
        assert_eq!(judged.verdict, Verdict::Fails);
        assert!(judged.words.contains("it has no value"), "{}", judged.words);
        assert_eq!(nothing.judge(&axes(), &[]).verdict, Verdict::Fails);
    }

    #[test]
    fn a_bound_at_the_end_of_the_range_is_met_by_equal_values() {
        let rows = |failed: f64| {
            let metrics = [
                ("connects_failed", failed),
                ("connects_settled", 60.0),
                ("connects_failed_share", failed / 60.0),
            ];
            let metrics = metrics.map(|(n, v)| (n.to_owned(), v));
            let metrics = std::collections::BTreeMap::from(metrics);
            [0, 1].map(|replica| BatchRow {
                metrics: metrics.clone().into(),
                ..row("reno", replica, 0.0)
            })
        };
        let verdict = |at_most: Option<f64>, below: Option<f64>, failed: f64| {
            let expected = Expectation {
                metric: "connects_failed_share".into(),
                at_most,
                below,
                ..Expectation::default()
            };
            expected.judge(&axes(), &rows(failed)).verdict
        };
        assert_eq!(verdict(Some(0.0), None, 0.0), Verdict::Holds);
        assert_ne!(verdict(Some(0.0), None, 1.0), Verdict::Holds);
        // 120 connects cannot show that fewer than one in a thousand fails.
        assert_eq!(verdict(None, Some(0.001), 0.0), Verdict::Undecided);
        assert_eq!(verdict(Some(0.0), Some(0.001), 0.0), Verdict::Holds);
    }
}
