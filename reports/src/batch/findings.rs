//! The findings of a batch as sentences, from its index alone.

mod completeness;
mod failures;
mod remedies;

use std::collections::BTreeMap;

use super::variants::{Variant, main_axis, variants};
use super::{BatchInfo, BatchRow};
use crate::bilingual::{Language, say};
use crate::format::{self, count, seconds};
use crate::words::{self, AxisWords};
use completeness::{completeness, incomplete, not_drawn, unusual, without};
pub use remedies::VariantNote;

/// Most values listed; if there are more, only the extremes are given.
const MOST_VALUES: usize = 8;
/// Most curves described one by one.
const MOST_SERIES: usize = 6;

/// The findings over all runs, most important first: where connects fail, then the metrics of the batch's
/// figures, then which runs there are.
pub fn batch_findings(info: &BatchInfo, rows: &[BatchRow]) -> Vec<String> {
    batch_findings_in(info, rows, Language::English)
}

/// The findings in a language.
pub(crate) fn batch_findings_in(
    info: &BatchInfo,
    rows: &[BatchRow],
    language: Language,
) -> Vec<String> {
    let all = variants(rows);
    let wording = Wording {
        info,
        axes: words::axes(info.axes.iter().map(|a| a.path.as_str()), language),
        x: main_axis(&info.axes),
        series: series(info, &all),
        window: window(&all, language),
        language,
    };
    let mut findings = Vec::new();
    let remedies = wording.remedies();
    let of_remedies = remedies.is_some();
    findings.extend(remedies.unwrap_or_else(|| wording.failures()));
    let unusual = unusual(rows, language);
    // "No connect failed" must not come first if something else went wrong.
    let first = match of_remedies || all.iter().any(|v| v.failed() == Some(true)) {
        true => findings.len(),
        false => 0,
    };
    findings.splice(first..first, unusual);
    let metrics = super::choice::described_metrics(info, rows);
    findings.extend(metrics.iter().filter_map(|metric| wording.metric(metric)));
    findings.extend(without(info, rows, language));
    findings.extend(not_drawn(info, language));
    findings.push(completeness(info, rows, &all, language));
    findings.extend(incomplete(rows, language));
    findings
        .into_iter()
        .map(|text| language.printed(text))
        .collect()
}

struct Wording<'a> {
    info: &'a BatchInfo,
    axes: Vec<AxisWords>,
    x: Option<usize>,
    series: Vec<CurveRuns<'a>>,
    window: String,
    language: Language,
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
fn window(all: &[Variant<'_>], language: Language) -> String {
    let of = |v: &Variant<'_>| {
        let ends = ["steady_from_s", "steady_to_s"].map(|m| v.estimate(m));
        Some((ends[0].as_ref()?.mean, ends[1].as_ref()?.mean))
    };
    match all.first().and_then(of) {
        Some((from, to)) if all.iter().all(|v| of(v) == Some((from, to))) => {
            say!(
                language,
                "from {} to {}",
                "从 {} 到 {}",
                seconds(from),
                seconds(to)
            )
        }
        _ if all.iter().any(|v| of(v).is_some()) => language
            .pick("in the steady window of each run", "在各次运行的稳态时段")
            .to_owned(),
        _ => language
            .pick("in the steady window", "在稳态时段")
            .to_owned(),
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
        let mut head = words::metric_in(metric, self.language);
        if words::is_steady(metric) {
            head.push_str(&say!(self.language, " {}", "，{}", self.window));
        }
        if lists.len() > MOST_SERIES {
            let extremes = self.extremes(metric)?;
            return Some(self.with_head(&head, &extremes));
        }
        if let Some(words) = self.x.and_then(|x| self.axes.get(x)) {
            head.push_str(&say!(self.language, ", by {}", "，按{}", words.name));
        }
        let lists: Vec<String> = lists
            .into_iter()
            .map(|(name, list)| match name.as_str() {
                "" => list,
                name => say!(self.language, "{name}: {list}", "{name}：{list}"),
            })
            .collect();
        Some(self.with_head(&head, &lists.join(self.language.pick("; ", "；"))))
    }

    fn with_head(&self, head: &str, values: &str) -> String {
        let head = self.language.sentence(head);
        say!(self.language, "{head}: {values}.", "{head}：{values}。")
    }

    /// "from 1.2 Mbit/s to 94 Mbit/s over 24 variants": for more curves than can be listed.
    fn extremes(&self, metric: &str) -> Option<String> {
        let all = self.series.iter().flat_map(|s| &s.variants);
        let means: Vec<f64> = all.filter_map(|v| Some(v.estimate(metric)?.mean)).collect();
        let low = means.iter().copied().min_by(f64::total_cmp)?;
        let high = means.iter().copied().max_by(f64::total_cmp)?;
        let text = |value: f64| format::metric(metric, value);
        Some(say!(
            self.language,
            "from {} to {} over {} variants",
            "从 {} 到 {}（{} 个变体）",
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
                at => say!(self.language, "{text} ({at})", "{text}（{at}）"),
            })
        };
        let all: Vec<&Variant<'_>> = one.variants.iter().collect();
        let known: Vec<String> = all.iter().filter_map(|v| value(v)).collect();
        if known.len() > MOST_VALUES {
            let (first, last) = self.bounds(&all, metric)?;
            return Some(format!("{} … {}", value(first)?, value(last)?));
        }
        (!known.is_empty()).then(|| known.join(self.language.pick(", ", "、")))
    }
}

#[cfg(test)]
mod tests;
