//! The page that compares results: the differences between them, then their numbers and figures
//! side by side.

use std::collections::{BTreeMap, BTreeSet};

use super::page::{HtmlPage, cells};
use crate::batch::variants::{Variant, variants};
use crate::batch::{BatchInfo, BatchRow, is_comparable};
use crate::bilingual::{Language, say};
use crate::expectations::Judgement;
use crate::figures::{Drawn, Figure};
use crate::format::{metric, number, seconds};
use crate::info::Translation;
use crate::metrics::is_bin;
use crate::store::RunSummary;
use crate::words;

/// Most rows of a table; the rest is in the files.
const MOST_ROWS: usize = 300;
/// Number of metrics by which batches are compared.
const MOST_METRICS: usize = 4;
/// Most figures of a kind side by side.
const MOST_FIGURES: usize = 12;

/// Results with their name on the page.
pub(crate) struct ComparedResults {
    pub(crate) name: String,
    /// Their directory relative to the page, with "/" at its end.
    pub(crate) path: String,
    pub(crate) contents: ResultContents,
}

/// What is compared.
pub(crate) enum ResultContents {
    Run(Box<(RunSummary, Drawn)>),
    Batch(Box<(BatchInfo, Vec<BatchRow>, Vec<String>, Drawn)>),
}

impl ComparedResults {
    fn drawn(&self) -> &Drawn {
        match &self.contents {
            ResultContents::Run(run) => &run.1,
            ResultContents::Batch(batch) => &batch.3,
        }
    }

    fn parameters(&self) -> &[(String, String)] {
        match &self.contents {
            ResultContents::Run(run) => &run.0.info.parameters,
            ResultContents::Batch(batch) => &batch.0.parameters,
        }
    }

    fn findings(&self) -> &[String] {
        match &self.contents {
            ResultContents::Run(run) => &run.0.findings,
            ResultContents::Batch(batch) => &batch.2,
        }
    }

    fn judgements(&self, language: Language) -> Vec<Judgement> {
        match &self.contents {
            ResultContents::Run(run) => run.0.judge_in(&run.0.info.expectations, language),
            ResultContents::Batch(batch) => {
                let (info, rows, ..) = &**batch;
                let all = info.expectations.iter();
                all.map(|e| e.judge_in(&info.axes, rows, language))
                    .collect()
            }
        }
    }

    /// The scenario and its question.
    fn scenario(&self) -> (&str, &str) {
        match &self.contents {
            ResultContents::Run(run) => (&run.0.info.name, &run.0.info.question),
            ResultContents::Batch(batch) => (&batch.0.name, &batch.0.question),
        }
    }

    /// The scenario's texts in Chinese, if it has them.
    fn zh(&self) -> Option<&Translation> {
        match &self.contents {
            ResultContents::Run(run) => run.0.info.zh.as_ref(),
            ResultContents::Batch(batch) => batch.0.zh.as_ref(),
        }
    }

    /// A description in a few words.
    fn kind(&self, language: Language) -> String {
        match &self.contents {
            ResultContents::Run(run) => say!(
                language,
                "run, {} simulated",
                "一次运行，模拟时间 {}",
                seconds(run.0.reached_s)
            ),
            ResultContents::Batch(batch) => {
                language.counted(batch.1.len() as f64, "run", "runs", "次运行")
            }
        }
    }
}

/// Writes the page, which opens in `language`; also returns the findings at its top.
pub(crate) fn report(all: &[ComparedResults], language: Language) -> (String, Vec<String>) {
    let names: Vec<&str> = all.iter().map(|c| c.name.as_str()).collect();
    let questions: BTreeSet<&str> = all.iter().map(|c| c.scenario().1).collect();
    let question = match questions.first() {
        Some(only) if questions.len() == 1 => only,
        _ => "",
    };
    let title = match language {
        Language::English => format!("Comparison of {}", names.join(", ")),
        Language::Chinese => format!("比较：{}", names.join("、")),
    };
    let mut page = HtmlPage::new(&title, question);
    page.opens_in(language);
    if let Some(zh) = all.first().and_then(ComparedResults::zh) {
        page.asks_in_chinese(&zh.question);
    }
    for c in all {
        page.link(&c.name, &format!("{}report.html", c.path));
    }
    let differing = parameters(all);
    let numbers = numbers(all);
    let first = summary(all, &differing, &numbers, language);
    page.findings(&first);
    page.heading("What is compared");
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|c| vec![c.name.clone(), c.scenario().0.to_owned(), c.kind(language)])
        .collect();
    let header = language.pick(["results", "scenario", "what"], ["结果", "场景", "内容"]);
    page.linked_table(&cells(header), &rows, |row, _| {
        Some(format!("{}report.html", all[row].path))
    });
    page.heading("Parameters that differ");
    let header = language.pick("parameter", "参数").to_owned();
    let rows = differing.iter();
    let rows = rows.map(|(name, values)| (vec![name.clone()], values.as_slice()));
    table(&mut page, vec![header], all, rows.collect(), language);
    for c in all {
        page.subheading(&say!(language, "Findings: {}", "结论：{}", c.name));
        page.findings(c.findings());
        page.judgements(c.judgements(language).into_iter());
    }
    page.heading("Numbers that differ");
    let header = language.pick(["metric", "meaning"], ["指标", "含义"]);
    let rows = numbers.iter().map(|(name, values)| {
        let start = vec![name.clone(), words::column_in(name, language)];
        (start, values.as_slice())
    });
    table(&mut page, cells(header), all, rows.collect(), language);
    by_variant(&mut page, all, language);
    figures(&mut page, all, language);
    (page.finish(), first)
}

/// A row of values, one for each of the results.
type ComparedRow = (String, Vec<String>);

fn summary(
    all: &[ComparedResults],
    differing: &[ComparedRow],
    numbers: &[ComparedRow],
    language: Language,
) -> Vec<String> {
    let parameters = match differing {
        [] => language
            .pick("All have the same parameters.", "所有参数都相同。")
            .to_owned(),
        rows => {
            let names: Vec<&str> = rows.iter().take(5).map(|r| r.0.as_str()).collect();
            let names = names.join(language.pick(", ", "、"));
            let more = match rows.len().saturating_sub(5) {
                0 => String::new(),
                more => say!(language, " and {more} more", "，另有 {more} 个"),
            };
            say!(
                language,
                "They differ in {names}{more}.",
                "它们的不同参数：{names}{more}。"
            )
        }
    };
    let is_run = matches!(
        all.first().map(|c| &c.contents),
        Some(ResultContents::Run(_))
    );
    let results = match (is_run, numbers.len()) {
        (true, 0) => language
            .pick("All metrics are the same.", "所有指标都相同。")
            .to_owned(),
        (true, n) => {
            let differ =
                language.counted(n as f64, "metric differs", "metrics differ", "个指标不同");
            say!(language, "{differ}.", "{differ}。")
        }
        (false, _) => return vec![parameters],
    };
    vec![parameters, results]
}

/// Parameters that are not the same in all results.
fn parameters(all: &[ComparedResults]) -> Vec<ComparedRow> {
    let mut order: Vec<&str> = Vec::new();
    for (name, _) in all.iter().flat_map(|c| c.parameters()) {
        if !order.contains(&name.as_str()) {
            order.push(name);
        }
    }
    let value = |c: &ComparedResults, name: &str| {
        let found = c.parameters().iter().find(|p| p.0 == name);
        found.map_or_else(|| "-".to_owned(), |p| p.1.clone())
    };
    let rows = order.into_iter().map(|name| {
        let values: Vec<String> = all.iter().map(|c| value(c, name)).collect();
        (name.to_owned(), values)
    });
    rows.filter(differs).collect()
}

/// Most parameters in a name.
const MOST_IN_NAME: usize = 2;

/// A parameter's value in a name: a word for itself, anything else with the last part of the parameter's path.
fn valued(name: &str, value: &str) -> String {
    let is_word = value.starts_with(char::is_alphabetic) && !matches!(value, "true" | "false");
    match name.rsplit('.').next() {
        Some(last) if !is_word => format!("{last} = {value}"),
        _ => value.to_owned(),
    }
}

/// Names results by the parameters in which they differ, as far as these are few; where that does not tell
/// them apart, as among replicas, the name they had follows. Of parameters that differ in the same way, as
/// the two directions of a link, the first is enough.
pub(crate) fn name_by_difference(all: &mut [ComparedResults]) {
    let mut differing: Vec<ComparedRow> = Vec::new();
    for row in parameters(all) {
        if differing.iter().all(|known| known.1 != row.1) {
            differing.push(row);
        }
    }
    if differing.is_empty() || differing.len() > MOST_IN_NAME {
        return;
    }
    let named: Vec<String> = (0..all.len())
        .map(|i| {
            let pairs = differing
                .iter()
                .map(|(name, values)| valued(name, &values[i]));
            pairs.collect::<Vec<_>>().join(", ")
        })
        .collect();
    for (i, one) in all.iter_mut().enumerate() {
        let is_unique = named.iter().filter(|name| **name == named[i]).count() == 1;
        one.name = match is_unique {
            true => named[i].clone(),
            false => format!("{} ({})", named[i], one.name),
        };
    }
}

fn differs(row: &ComparedRow) -> bool {
    row.1.iter().any(|v| *v != row.1[0])
}

/// Metrics of runs that are not the same in all results, each with its change relative to the
/// first.
fn numbers(all: &[ComparedResults]) -> Vec<ComparedRow> {
    let runs: Vec<&BTreeMap<String, f64>> = all
        .iter()
        .filter_map(|c| match &c.contents {
            ResultContents::Run(run) => Some(&run.0.metrics),
            ResultContents::Batch(_) => None,
        })
        .collect();
    let names: BTreeSet<&String> = runs.iter().flat_map(|m| m.keys()).collect();
    let ranked = crate::metrics::ranking();
    let rank = |name: &str| ranked.iter().position(|r| *r == name).unwrap_or(usize::MAX);
    let mut names: Vec<&String> = names.into_iter().filter(|n| !is_bin(n)).collect();
    names.sort_by_key(|n| (rank(n), n.as_str()));
    let row = |name: &String| {
        let first = runs.first().and_then(|m| m.get(name)).copied();
        let each = runs.iter().enumerate().map(|(i, m)| match m.get(name) {
            None => "-".to_owned(),
            Some(value) if i == 0 => metric(name, *value),
            Some(value) => format!("{}{}", metric(name, *value), change(first, *value)),
        });
        (name.clone(), each.collect::<Vec<String>>())
    };
    let varies = |name: &&&String| {
        let values = runs.iter().map(|m| m.get(**name).map(|v| v.to_bits()));
        values.collect::<BTreeSet<_>>().len() > 1
    };
    names.iter().filter(varies).map(|name| row(name)).collect()
}

/// The change relative to the first value: " (+12 %)".
fn change(first: Option<f64>, value: f64) -> String {
    match first {
        Some(first) if first != 0.0 && first != value => {
            let share = (value - first) / first.abs() * 100.0;
            let sign = if share > 0.0 { "+" } else { "" };
            format!(" ({sign}{} %)", number(share))
        }
        _ => String::new(),
    }
}

/// Adds a table with the first cells of each row and a value for each of the results.
fn table(
    page: &mut HtmlPage,
    mut header: Vec<String>,
    all: &[ComparedResults],
    rows: Vec<(Vec<String>, &[String])>,
    language: Language,
) {
    if rows.is_empty() {
        return page.paragraph("None.");
    }
    header.extend(all.iter().map(|c| format!("#{}", c.name)));
    let more = rows.len().saturating_sub(MOST_ROWS);
    let shown = rows.into_iter().take(MOST_ROWS);
    let shown = shown.map(|(start, values)| [start, values.to_vec()].concat());
    page.table(&header, &shown.collect::<Vec<_>>());
    if more > 0 {
        page.paragraph(&say!(
            language,
            "{more} more are in summary.json of each directory.",
            "其余 {more} 个在各目录的 summary.json 中。"
        ));
    }
}

/// For batches, the metrics of their figures by variant, if their axes are the same.
fn by_variant(page: &mut HtmlPage, all: &[ComparedResults], language: Language) {
    let batches: Vec<(&BatchInfo, &[BatchRow])> = all
        .iter()
        .filter_map(|c| match &c.contents {
            ResultContents::Batch(batch) => Some((&batch.0, batch.1.as_slice())),
            ResultContents::Run(_) => None,
        })
        .collect();
    let Some((first, rows)) = batches.first() else {
        return;
    };
    let paths = |info: &BatchInfo| info.axes.iter().map(|a| a.path.clone()).collect::<Vec<_>>();
    if batches.iter().any(|(info, _)| paths(info) != paths(first)) {
        return page.paragraph(language.pick(
            "The batches sweep different parameters, so their variants cannot be paired; their figures follow.",
            "这些批次扫描的参数不同，其变体无法一一对应；它们的图见下文。",
        ));
    }
    let asked: Vec<String> = first.figures.iter().map(|f| f.metric.clone()).collect();
    let mut metrics = match asked.is_empty() {
        true => crate::batch::chosen_metrics(first, rows),
        false => asked,
    };
    let mut seen = BTreeSet::new();
    metrics.retain(|m| {
        seen.insert(m.clone()) && batches.iter().all(|(_, rows)| is_comparable(m, rows))
    });
    metrics.truncate(MOST_METRICS);
    let all_variants: Vec<Vec<Variant<'_>>> =
        batches.iter().map(|(_, rows)| variants(rows)).collect();
    let mut order: Vec<&[String]> = Vec::new();
    for variant in all_variants.iter().flatten() {
        if !order.contains(&variant.values) {
            order.push(variant.values);
        }
    }
    for name in &metrics {
        page.subheading(&say!(
            language,
            "{} ({name})",
            "{}（{name}）",
            words::metric_in(name, language)
        ));
        let header = paths(first).into_iter();
        let header: Vec<String> = header
            .chain(all.iter().map(|c| format!("#{}", c.name)))
            .collect();
        let rows: Vec<Vec<String>> = order
            .iter()
            .take(MOST_ROWS)
            .map(|values| {
                let texts = all_variants.iter().map(|own| {
                    let found = own.iter().find(|v| v.values == *values);
                    found
                        .and_then(|v| v.text(name))
                        .unwrap_or_else(|| "-".into())
                });
                values.iter().cloned().chain(texts).collect()
            })
            .collect();
        page.table(&header, &rows);
    }
}

/// Charts that at least two of the results have, side by side.
fn figures(page: &mut HtmlPage, all: &[ComparedResults], language: Language) {
    let mut names: Vec<&str> = Vec::new();
    let each: Vec<Vec<&str>> = all
        .iter()
        .map(|c| {
            let figures = c.drawn().figures.iter();
            let charts = figures.filter(|f| f.svg.plot().is_some());
            charts.map(|f| f.name.as_str()).collect()
        })
        .collect();
    for name in each.iter().flatten() {
        let having = each.iter().filter(|own| own.contains(name)).count();
        if having > 1 && !names.contains(name) {
            names.push(name);
        }
    }
    if names.is_empty() {
        return;
    }
    page.heading("Figures");
    let left_out = names.len().saturating_sub(MOST_FIGURES);
    for name in names.into_iter().take(MOST_FIGURES) {
        page.beside(|page| {
            for c in all {
                let found = c.drawn().figures.iter().find(|f| f.name == name);
                if let Some(figure) = found {
                    let named = Figure {
                        title: say!(language, "{}: {}", "{}：{}", c.name, figure.title),
                        ..figure.clone()
                    };
                    page.figure_of(&c.path, &named);
                }
            }
        });
    }
    if left_out > 0 {
        page.paragraph(&say!(
            language,
            "{left_out} more figures are in the reports of the single results.",
            "另有 {left_out} 幅图在各结果自己的报告中。"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(name: &str, parameter: &str, value: f64) -> ComparedResults {
        let mut summary = RunSummary::default();
        summary.info.name = "pair".into();
        summary.info.parameters = vec![
            ("rate".into(), parameter.into()),
            ("same".into(), "1".into()),
        ];
        summary.metrics.insert("connects_attempted".into(), value);
        summary.metrics.insert("connects_failed".into(), 7.0);
        ComparedResults {
            name: name.into(),
            path: format!("../{name}/"),
            contents: ResultContents::Run(Box::new((summary, Drawn::default()))),
        }
    }

    #[test]
    fn runs_are_named_by_the_few_parameters_in_which_they_differ() {
        let names = |mut all: Vec<ComparedResults>| {
            name_by_difference(&mut all);
            all.into_iter().map(|c| c.name).collect::<Vec<_>>()
        };
        let two = vec![run("3f2a", "1 Mbit/s", 1.0), run("9b1c", "2 Mbit/s", 1.0)];
        assert_eq!(names(two), ["rate = 1 Mbit/s", "rate = 2 Mbit/s"]);
        assert_eq!(valued("tcp.congestion", "cubic"), "cubic");
        assert_eq!(valued("tcp.sack", "true"), "sack = true");
        assert_eq!(
            valued("topology.queue.limit", "5 packets"),
            "limit = 5 packets"
        );
        let mut ways = vec![run("a", "1 Mbit/s", 1.0), run("b", "2 Mbit/s", 1.0)];
        for one in &mut ways {
            if let ResultContents::Run(run) = &mut one.contents {
                let parameters = &mut run.0.info.parameters;
                let rate = parameters[0].1.clone();
                parameters.extend(["back", "forth"].map(|name| (name.into(), rate.clone())));
            }
        }
        assert_eq!(names(ways), ["rate = 1 Mbit/s", "rate = 2 Mbit/s"]);
        let replicas = ["1 Mbit/s", "2 Mbit/s", "2 Mbit/s"];
        let replicas = replicas.iter().zip(["a", "b", "c"]);
        let replicas = replicas.map(|(rate, name)| run(name, rate, 1.0)).collect();
        assert_eq!(
            names(replicas),
            [
                "rate = 1 Mbit/s",
                "rate = 2 Mbit/s (b)",
                "rate = 2 Mbit/s (c)"
            ]
        );
        let same = vec![run("a", "1 Mbit/s", 1.0), run("b", "1 Mbit/s", 2.0)];
        assert_eq!(names(same), ["a", "b"]);
        let mut many = vec![run("a", "1", 1.0), run("b", "2", 1.0)];
        for (i, one) in many.iter_mut().enumerate() {
            if let ResultContents::Run(run) = &mut one.contents {
                let more = [("x", i), ("y", 1 - i)].map(|(name, n)| (name.into(), n.to_string()));
                run.0.info.parameters.extend(more);
            }
        }
        assert_eq!(names(many), ["a", "b"]);
    }

    #[test]
    fn only_what_differs_is_listed_with_its_change() {
        let all = [run("a b", "1 Mbit/s", 100.0), run("<c>", "2 Mbit/s", 112.0)];
        assert_eq!(parameters(&all).len(), 1);
        let numbers = numbers(&all);
        assert_eq!(numbers.len(), 1);
        assert_eq!(numbers[0].1, ["100", "112 (+12 %)"]);
        let (page, first) = report(&all, Language::English);
        assert_eq!(first, ["They differ in rate.", "1 metric differs."]);
        assert!(
            page.contains("<a href=\"../a%20b/report.html\">a b</a>"),
            "{page}"
        );
        assert!(page.contains("&lt;c&gt;") && !page.contains("<c>"));
        let (page, first) = report(&all, Language::Chinese);
        assert_eq!(first, ["它们的不同参数：rate。", "1 个指标不同。"]);
        assert!(page.contains("<html lang=\"zh\">") && page.contains("结论：a b"));
    }

    #[test]
    fn equal_runs_are_said_to_be_equal() {
        let all = [run("a", "1", 5.0), run("b", "1", 5.0)];
        let (_, first) = report(&all, Language::English);
        assert_eq!(
            first,
            ["All have the same parameters.", "All metrics are the same."]
        );
    }
}
