//! What is unusual or missing: in runs, of metrics, of figures, of the batch itself.

use std::collections::{BTreeMap, BTreeSet};

use crate::batch::unusual::UNUSUAL;
use crate::batch::variants::Variant;
use crate::batch::{Axis, BatchInfo, BatchRow, MetricFigure};
use crate::bilingual::{Language, say};
use crate::findings::has_finding;
use crate::format::{self, count};
use crate::metrics;
use crate::words;

/// "In 2 of 6 runs, bulk flows broke off (7 in all)."
pub(super) fn unusual(rows: &[BatchRow], language: Language) -> Vec<String> {
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
                say!(
                    language,
                    " ({} in all)",
                    "（共 {}）",
                    format::metric(metric, sum)
                )
            }
        };
        let what = language.pick(unusual.what, unusual.chinese);
        (!those.is_empty()).then(|| {
            say!(
                language,
                "In {} of {} runs, {what}{all}.",
                "{1} 次运行中有 {0} 次{what}{all}。",
                count(those.len() as f64),
                count(complete.len() as f64),
            )
        })
    });
    sentences.collect()
}

/// Requested metrics that no run has, with the reason.
pub(super) fn without(info: &BatchInfo, rows: &[BatchRow], language: Language) -> Vec<String> {
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
        let words = words::metric_in(m, language);
        say!(
            language,
            "No run has a value for the {words} ({m}): {why}. Its figure is not drawn.",
            "没有任何运行有“{words}”（{m}）的值，因此不画该图。"
        )
    });
    sentences.collect()
}

/// Figures over parameters that are not swept in these runs, for example because the command line sets one.
pub(super) fn not_drawn(info: &BatchInfo, language: Language) -> Vec<String> {
    let columns = || info.axes.iter().flat_map(Axis::columns);
    let swept = |path: &str| columns().any(|a| a.path == path);
    let sentences = info.figures.iter().filter_map(|figure| {
        let paths = [figure.x.as_str(), figure.series.as_str()];
        let held = figure.only.iter().map(|(path, _)| path.as_str());
        let mut paths = paths.into_iter().chain(held);
        let path = paths.find(|path| !path.is_empty() && !swept(path))?;
        Some(say!(language, "The figure {:?} is not drawn: it needs a sweep of {path}, which has one value in these runs.", "没有画出图 {:?}：它需要对 {path} 扫描，而这些运行中它只有一个值。",
            figure.name
        ))
    });
    sentences.collect()
}

pub(super) fn completeness(
    info: &BatchInfo,
    rows: &[BatchRow],
    all: &[Variant<'_>],
    language: Language,
) -> String {
    let ok = rows.iter().filter(|r| r.status.is_ok()).count();
    let axes = words::axes(info.axes.iter().map(|a| a.path.as_str()), language);
    let mut parts: Vec<String> = info
        .axes
        .iter()
        .zip(&axes)
        .map(|(a, words)| {
            say!(
                language,
                "{} values of {}",
                "{1}的 {0} 个值",
                a.values.len(),
                words.name
            )
        })
        .collect();
    let most = all.iter().map(|v| v.rows.len()).max().unwrap_or(0);
    if most > 1 {
        parts.push(say!(language, "{most} replicas", "{most} 次重复"));
    }
    let what = if parts.is_empty() {
        String::new()
    } else {
        say!(
            language,
            ": {}",
            "：{}",
            parts.join(language.pick(" x ", " × "))
        )
    };
    let intervals = if most > 1 {
        language.pick(
            "; values are means over replicas, with 95 % intervals in brackets",
            "；数值为各次重复的平均值，方括号内为 95 % 置信区间",
        )
    } else {
        ""
    };
    let are = if ok == 1 { "is" } else { "are" };
    say!(
        language,
        "{} of {} runs {are} complete{what}{intervals}.",
        "{1} 次运行中完成了 {0} 次{what}{intervals}。",
        count(ok as f64),
        count(rows.len() as f64),
    )
}

/// Why runs are missing, with counts.
pub(super) fn incomplete(rows: &[BatchRow], language: Language) -> Vec<String> {
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
        .map(|(why, n)| say!(language, "{n} not complete: {why}", "{n} 次未完成：{why}"))
        .collect()
}
