//! The findings of a batch as sentences, from its index alone.

mod remedies;

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::unusual::UNUSUAL;
use super::variants::{Variant, main_axis, variants};
use super::{BatchInfo, BatchRow, MetricFigure};
use crate::findings::has_finding;
use crate::format::{self, count, seconds};
use crate::metrics;
use crate::text::{list, sentence};
use crate::words::{self, AxisWords};
pub use remedies::VariantNote;

/// Most values listed; of more, only the extremes are given.
const MOST_VALUES: usize = 8;
/// Most curves described one by one.
const MOST_SERIES: usize = 6;

/// The findings over all runs, most important first: where connects fail, then the metrics of the batch's
/// figures, then which runs there are.
pub fn batch_findings(info: &BatchInfo, rows: &[BatchRow]) -> Vec<String> {
    let all = variants(rows);
    let wording = Wording {
        info,
        axes: words::axes(info.axes.iter().map(|a| a.path.as_str())),
        x: main_axis(&info.axes),
        series: series(info, &all),
        window: window(&all),
    };
    let mut findings = Vec::new();
    let remedies = wording.remedies();
    let of_remedies = remedies.is_some();
    findings.extend(remedies.unwrap_or_else(|| wording.failures()));
    let unusual = unusual(rows);
    // "No connect failed" must not come first if something else went wrong.
    let first = match of_remedies || all.iter().any(|v| v.failed() == Some(true)) {
        true => findings.len(),
        false => 0,
    };
    findings.splice(first..first, unusual);
    let metrics = super::choice::described_metrics(info, rows);
    findings.extend(metrics.iter().filter_map(|metric| wording.metric(metric)));
    findings.extend(without(info, rows));
    findings.extend(not_drawn(info));
    findings.push(completeness(info, rows, &all));
    findings.extend(incomplete(rows));
    findings
}

struct Wording<'a> {
    info: &'a BatchInfo,
    axes: Vec<AxisWords>,
    x: Option<usize>,
    series: Vec<CurveRuns<'a>>,
    window: String,
}

/// Variants that differ only along the main axis, in its order.
struct CurveRuns<'a> {
    variants: Vec<Variant<'a>>,
}

fn series<'a>(info: &BatchInfo, all: &[Variant<'a>]) -> Vec<CurveRuns<'a>> {
    let Some(x) = main_axis(&info.axes) else {
        let variants = all.to_vec();
        return vec![CurveRuns { variants }];
    };
    let axis = &info.axes[x];
    let place = |v: &Variant<'_>| {
        let i = v.values.get(x).and_then(|value| axis.place(value));
        let i = i.unwrap_or(axis.values.len());
        let number = axis.numbers().and_then(|p| p.get(i)).copied();
        number.unwrap_or(i as f64)
    };
    let mut found: Vec<CurveRuns<'a>> = Vec::new();
    let mut seen = BTreeMap::new();
    for variant in all {
        let mut others = variant.values.to_vec();
        if x < others.len() {
            others.remove(x);
        }
        let at = *seen.entry(others).or_insert_with(|| {
            found.push(CurveRuns {
                variants: Vec::new(),
            });
            found.len() - 1
        });
        found[at].variants.push(variant.clone());
    }
    for one in &mut found {
        one.variants.sort_by(|a, b| place(a).total_cmp(&place(b)));
    }
    found
}

/// "from 80 s to 200 s" if all runs have this steady window, otherwise "in the steady window of each run".
fn window(all: &[Variant<'_>]) -> String {
    let of = |v: &Variant<'_>| {
        let ends = ["steady_from_s", "steady_to_s"].map(|m| v.estimate(m));
        Some((ends[0].as_ref()?.mean, ends[1].as_ref()?.mean))
    };
    match all.first().and_then(of) {
        Some((from, to)) if all.iter().all(|v| of(v) == Some((from, to))) => {
            format!("from {} to {}", seconds(from), seconds(to))
        }
        _ if all.iter().any(|v| of(v).is_some()) => "in the steady window of each run".to_owned(),
        _ => "in the steady window".to_owned(),
    }
}

impl Wording<'_> {
    /// The value along the main axis: within a sentence, and alone in brackets.
    fn at(&self, variant: &Variant<'_>) -> (String, String) {
        let value = self.x.and_then(|x| variant.values.get(x));
        let words = self.x.and_then(|x| self.axes.get(x));
        match (value, words) {
            (Some(value), Some(words)) => (words.value(value), value.clone()),
            _ => Default::default(),
        }
    }

    /// "tcp_tw_reuse = true": what distinguishes a series; empty for the only one.
    fn name(&self, one: &CurveRuns<'_>) -> String {
        let Some(values) = one.variants.first().map(|v| v.values) else {
            return String::new();
        };
        let others = self.axes.iter().zip(values).enumerate();
        let others = others.filter(|(i, _)| Some(*i) != self.x);
        let parts: Vec<String> = others
            .map(|(_, (words, value))| format!("{} = {value}", words.name))
            .collect();
        parts.join(", ")
    }

    fn failures(&self) -> Vec<String> {
        let all: Vec<&Variant<'_>> = self.series.iter().flat_map(|s| &s.variants).collect();
        let failed = all.iter().filter(|v| v.failed() == Some(true)).count();
        if all.iter().all(|v| v.failed().is_none()) {
            return Vec::new();
        }
        if failed == 0 {
            let limit = self.limits().map_or(String::new(), |l| format!("; {l}"));
            return vec![format!("No connect failed in any run{limit}.")];
        }
        if self.series.len() > MOST_SERIES {
            return vec![format!(
                "Connects failed in {} of {} variants.",
                count(failed as f64),
                count(all.len() as f64)
            )];
        }
        let sentences = self.series.iter().map(|one| {
            let text = self.failures_of(one);
            match self.name(one) {
                name if name.is_empty() => format!("{}.", sentence(&text)),
                name => format!("{name}: {text}."),
            }
        });
        sentences.collect()
    }

    fn failures_of(&self, one: &CurveRuns<'_>) -> String {
        let all: Vec<&Variant<'_>> = one.variants.iter().collect();
        let is_bad = |v: &&&Variant<'_>| v.failed() == Some(true);
        let bad: Vec<&Variant<'_>> = all.iter().filter(is_bad).copied().collect();
        let mut parts = vec![self.where_failed(&all)];
        if let Some(text) = self.ends(&bad, "first_failure_s") {
            parts[0].push_str(&format!(": first at t = {text}"));
        }
        match self.ends(&bad, "connects_failed_share_steady") {
            Some(text) => parts.push(format!("{text} failed {}", self.window)),
            None => parts.extend(
                self.ends(&bad, "connects_failed_share")
                    .map(|text| format!("{text} of all connects failed")),
            ),
        }
        parts.extend(self.limit(&all));
        parts.join("; ")
    }

    /// "no connect failed up to 470 /s; from 500 /s on connects failed".
    fn where_failed(&self, all: &[&Variant<'_>]) -> String {
        let is_bad = |v: &&Variant<'_>| v.failed() == Some(true);
        let at = |v: &Variant<'_>| self.at(v).0;
        let bad = all.iter().filter(|v| is_bad(v)).count();
        if bad == 0 {
            return "no connect failed".to_owned();
        }
        if bad == all.len() {
            return if all.len() > 1 {
                "connects failed in all runs".to_owned()
            } else {
                "connects failed".to_owned()
            };
        }
        let in_order = self
            .x
            .is_some_and(|x| self.info.axes[x].numbers().is_some());
        let changes = all.windows(2).filter(|w| is_bad(&w[0]) != is_bad(&w[1]));
        let turn = all.windows(2).position(|w| is_bad(&w[0]) != is_bad(&w[1]));
        if let Some(turn) = turn.filter(|_| in_order && changes.count() == 1) {
            let (before, after) = (at(all[turn]), at(all[turn + 1]));
            return if is_bad(&all[turn]) {
                format!("no connect failed from {after} on; up to {before} connects failed")
            } else {
                format!("no connect failed up to {before}; from {after} on connects failed")
            };
        }
        let some = |wanted: bool| {
            let those = all.iter().filter(|v| is_bad(v) == wanted);
            list(&those.map(|v| at(v)).collect::<Vec<_>>())
        };
        format!(
            "no connect failed at {}; connects failed at {}",
            some(false),
            some(true)
        )
    }

    /// The extremes of a metric: "56.5 s (500 /s) … 28.2 s (1000 /s)".
    fn ends(&self, all: &[&Variant<'_>], metric: &str) -> Option<String> {
        let (first, last) = self.bounds(all, metric)?;
        let (a, b) = (first.text(metric)?, last.text(metric)?);
        if first.values == last.values {
            return Some(a);
        }
        Some(
            if metric == "first_failure_s" || !self.is_monotone(all, metric) {
                format!("{a} ({}) … {b} ({})", self.at(first).1, self.at(last).1)
            } else {
                format!("{a} … {b}")
            },
        )
    }

    /// The first and last variant if a metric is monotone between them, otherwise those with the smallest
    /// and largest value.
    fn bounds<'v, 'a>(
        &self,
        all: &[&'v Variant<'a>],
        metric: &str,
    ) -> Option<(&'v Variant<'a>, &'v Variant<'a>)> {
        let mean = |v: &Variant<'_>| v.estimate(metric).map(|e| e.mean);
        let known = all.iter().copied().filter(|v| mean(v).is_some());
        let mut known: Vec<&Variant<'_>> = known.collect();
        if !self.is_monotone(all, metric) {
            known.sort_by(|a, b| mean(a).partial_cmp(&mean(b)).unwrap_or(Ordering::Equal));
        }
        Some((*known.first()?, *known.last()?))
    }

    /// True when a metric is monotone along an axis of numbers, so that its ends bound the others.
    fn is_monotone(&self, all: &[&Variant<'_>], metric: &str) -> bool {
        let numbers = self
            .x
            .is_some_and(|x| self.info.axes[x].numbers().is_some());
        let means = all.iter().map(|v| v.estimate(metric).map(|e| e.mean));
        let means: Vec<f64> = means.flatten().collect();
        let steps = || means.windows(2).map(|w| w[1] - w[0]);
        numbers && (steps().all(|d| d >= 0.0) || steps().all(|d| d <= 0.0))
    }

    /// The port supply, of each series where they differ; `None` if there are too many to list.
    fn limits(&self) -> Option<String> {
        let of = |one: &CurveRuns<'_>| self.limit(&one.variants.iter().collect::<Vec<_>>());
        let all: Vec<Option<String>> = self.series.iter().map(of).collect();
        let first = all.first()?;
        if all.iter().all(|l| l == first) {
            return first.clone();
        }
        if all.len() > MOST_SERIES {
            return None;
        }
        let named = self.series.iter().zip(all);
        let named = named.filter_map(|(one, l)| Some(format!("with {}, {}", self.name(one), l?)));
        Some(named.collect::<Vec<_>>().join("; "))
    }

    /// The port supply of the runs of a series, given once if it is the same for all.
    fn limit(&self, all: &[&Variant<'_>]) -> Option<String> {
        let known: Vec<(&Variant<'_>, String)> = all
            .iter()
            .filter_map(|v| Some((*v, v.text("port_limit_per_s")?)))
            .collect();
        let first = known.first()?;
        let same = known.iter().all(|k| k.1 == first.1);
        let rate = |text: &str| text.replace(" /s", " connections/s");
        let each = || {
            let first = known.iter().take(MOST_VALUES);
            let mut each: Vec<String> = first
                .map(|(v, text)| format!("{} ({})", rate(text), self.at(v).1))
                .collect();
            if let Some(more) = known.len().checked_sub(MOST_VALUES).filter(|n| *n > 0) {
                each.push(format!("a limit for {} more", count(more as f64)));
            }
            list(&each)
        };
        if known.len() < all.len() {
            // A range would wrongly include the others.
            return Some(format!(
                "the port supply allows {}, and has no closed form for the others",
                each()
            ));
        }
        if !same && known.len() <= MOST_VALUES && !self.is_monotone(all, "port_limit_per_s") {
            return Some(format!("the port supply allows {}", each()));
        }
        if same {
            return Some(format!("the port supply allows {}", rate(&first.1)));
        }
        let (least, most) = self.bounds(all, "port_limit_per_s")?;
        let end = |v: &Variant<'_>| {
            let text = v.text("port_limit_per_s")?;
            Some(format!("{} ({})", rate(&text), self.at(v).1))
        };
        Some(format!(
            "the port supply allows {} … {}",
            end(least)?,
            end(most)?
        ))
    }

    /// A metric over the main axis, curve by curve.
    fn metric(&self, metric: &str) -> Option<String> {
        let lists: Vec<(String, String)> = self
            .series
            .iter()
            .filter_map(|one| Some((self.name(one), self.values(one, metric)?)))
            .collect();
        if lists.is_empty() {
            return None;
        }
        let mut head = words::metric(metric);
        if words::is_steady(metric) {
            head.push_str(&format!(" {}", self.window));
        }
        if lists.len() > MOST_SERIES {
            return Some(format!("{}: {}.", sentence(&head), self.extremes(metric)?));
        }
        if let Some(words) = self.x.and_then(|x| self.axes.get(x)) {
            head.push_str(&format!(", by {}", words.name));
        }
        let lists: Vec<String> = lists
            .into_iter()
            .map(|(name, list)| match name.as_str() {
                "" => list,
                name => format!("{name}: {list}"),
            })
            .collect();
        Some(format!("{}: {}.", sentence(&head), lists.join("; ")))
    }

    /// "from 1.2 Mbit/s to 94 Mbit/s over 24 variants": for more curves than can be listed.
    fn extremes(&self, metric: &str) -> Option<String> {
        let all = self.series.iter().flat_map(|s| &s.variants);
        let means: Vec<f64> = all.filter_map(|v| Some(v.estimate(metric)?.mean)).collect();
        let low = means.iter().copied().min_by(f64::total_cmp)?;
        let high = means.iter().copied().max_by(f64::total_cmp)?;
        let text = |value: f64| format::metric(metric, value);
        Some(format!(
            "from {} to {} over {} variants",
            text(low),
            text(high),
            count(means.len() as f64)
        ))
    }

    /// "12,000 (200 /s), 24,000 (400 /s)".
    fn values(&self, one: &CurveRuns<'_>, metric: &str) -> Option<String> {
        let value = |v: &Variant<'_>| {
            let text = v.text(metric)?;
            Some(match self.at(v).1.as_str() {
                "" => text,
                at => format!("{text} ({at})"),
            })
        };
        let all: Vec<&Variant<'_>> = one.variants.iter().collect();
        let known: Vec<String> = all.iter().filter_map(|v| value(v)).collect();
        if known.len() > MOST_VALUES {
            let (first, last) = self.bounds(&all, metric)?;
            return Some(format!("{} … {}", value(first)?, value(last)?));
        }
        (!known.is_empty()).then(|| known.join(", "))
    }
}

/// "In 2 of 6 runs, bulk flows broke off (7 in all)."
fn unusual(rows: &[BatchRow]) -> Vec<String> {
    let complete: Vec<&BatchRow> = rows.iter().filter(|r| r.status.is_ok()).collect();
    let sentences = UNUSUAL.iter().filter_map(|unusual| {
        let value = |row: &BatchRow| row.metrics.get(unusual.metric).unwrap_or(0.0);
        let has = |row: &&&BatchRow| match unusual.finding {
            "" => value(row) > 0.0,
            finding => {
                let counted = unusual.metric.is_empty() || value(row) > 0.0;
                counted && has_finding(finding, &row.metrics.to_map())
            }
        };
        let those: Vec<&&BatchRow> = complete.iter().filter(has).collect();
        let all = match unusual.metric {
            "" => String::new(),
            metric => {
                let sum = those.iter().map(|row| value(row)).sum();
                format!(" ({} in all)", format::metric(metric, sum))
            }
        };
        (!those.is_empty()).then(|| {
            format!(
                "In {} of {} runs, {}{all}.",
                count(those.len() as f64),
                count(complete.len() as f64),
                unusual.what,
            )
        })
    });
    sentences.collect()
}

/// Requested metrics that no run has, with the reason.
fn without(info: &BatchInfo, rows: &[BatchRow]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let complete = rows.iter().any(|r| r.status.is_ok());
    let is_metric = |f: &&MetricFigure| {
        f.distribution.is_none() || !metrics::POOLED.contains(&f.metric.as_str())
    };
    let asked = info.figures.iter().filter(is_metric);
    let asked = asked.map(|f| f.metric.as_str());
    let missing = asked.filter(|m| complete && rows.iter().all(|r| !r.metrics.has(m)));
    let sentences = missing.filter(|m| seen.insert(*m)).map(|m| {
        let why = match metrics::find(m).map(|found| found.metric.absent) {
            None | Some("") => "it is not recorded".to_owned(),
            Some(when) => when.to_owned(),
        };
        let words = words::metric(m);
        format!("No run has a value for the {words} ({m}): {why}. Its figure is not drawn.")
    });
    sentences.collect()
}

/// Figures over parameters that are not swept in these runs, for example because the command line sets one.
fn not_drawn(info: &BatchInfo) -> Vec<String> {
    let columns = || info.axes.iter().flat_map(super::Axis::columns);
    let swept = |path: &str| columns().any(|a| a.path == path);
    let sentences = info.figures.iter().filter_map(|figure| {
        let paths = [figure.x.as_str(), figure.series.as_str()];
        let held = figure.only.iter().map(|(path, _)| path.as_str());
        let mut paths = paths.into_iter().chain(held);
        let path = paths.find(|path| !path.is_empty() && !swept(path))?;
        Some(format!(
            "The figure {:?} is not drawn: it needs a sweep of {path}, which has one value in these runs.",
            figure.name
        ))
    });
    sentences.collect()
}

fn completeness(info: &BatchInfo, rows: &[BatchRow], all: &[Variant<'_>]) -> String {
    let ok = rows.iter().filter(|r| r.status.is_ok()).count();
    let axes = words::axes(info.axes.iter().map(|a| a.path.as_str()));
    let mut parts: Vec<String> = info
        .axes
        .iter()
        .zip(&axes)
        .map(|(a, words)| format!("{} values of {}", a.values.len(), words.name))
        .collect();
    let most = all.iter().map(|v| v.rows.len()).max().unwrap_or(0);
    if most > 1 {
        parts.push(format!("{most} replicas"));
    }
    let what = if parts.is_empty() {
        String::new()
    } else {
        format!(": {}", parts.join(" x "))
    };
    let intervals = if most > 1 {
        "; values are means over replicas, with 95 % intervals in brackets"
    } else {
        ""
    };
    format!(
        "{} of {} runs {} complete{what}{intervals}.",
        count(ok as f64),
        count(rows.len() as f64),
        if ok == 1 { "is" } else { "are" }
    )
}

/// Why runs are missing, with counts.
fn incomplete(rows: &[BatchRow]) -> Vec<String> {
    let mut failures: BTreeMap<&str, usize> = BTreeMap::new();
    for row in rows.iter().filter(|r| !r.status.is_ok()) {
        let why = if row.message.is_empty() {
            row.status.name()
        } else {
            &row.message
        };
        *failures.entry(why).or_default() += 1;
    }
    let sentences = failures.into_iter();
    sentences
        .map(|(why, n)| format!("{n} not complete: {why}"))
        .collect()
}

#[cfg(test)]
mod tests;
