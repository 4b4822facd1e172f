//! The report of a batch.

use super::lesson::Lesson;
use super::page::{HtmlPage, cells};
use crate::batch::paired;
use crate::batch::variants::{Variant, variants};
use crate::batch::{Axis, BatchInfo, BatchRow, is_comparable};
use crate::bilingual::{Language, say};
use crate::figures::Drawn;
use crate::format::metric;
use crate::words;

/// Most metrics shown per variant; all are in `index.csv`.
const MOST_METRICS: usize = 8;
/// Most variants in the table above the figures; the others are in the table of runs and
/// `index.csv`.
const MOST_VARIANTS: usize = 60;
/// Number of metrics by which alternatives are compared.
const MOST_COMPARED: usize = 4;
/// Most rows of the table of runs; the others are in `index.csv`.
const MOST_RUNS: usize = 500;

/// The page of a run, by its identity, relative to the page of its batch; `None` if it has none.
pub(crate) type RunLinks<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// What a page depends on beside the results.
pub(crate) struct PageSetting<'a> {
    /// Where each run's report is.
    pub(crate) run_links: &'a RunLinks<'a>,
    /// The language in which it opens.
    pub(crate) language: Language,
}

/// Writes the page.
pub(crate) fn report(
    info: &BatchInfo,
    rows: &[BatchRow],
    findings: &[String],
    metrics: &[String],
    drawn: &Drawn,
    lesson: &Lesson,
    setting: &PageSetting<'_>,
) -> String {
    let mut page = HtmlPage::new(&info.name, &info.question);
    let language = setting.language;
    page.opens_in(language);
    for (text, name) in [
        ("Index of the runs (CSV)", "index.csv"),
        ("Index (Parquet)", "index.parquet"),
        ("Scenario", "batch.toml"),
    ] {
        page.link(text, name);
    }
    page.description(&info.description, info.zh.as_ref());
    page.bilingual_findings(&lesson.findings(info.zh.as_ref()));
    page.findings(findings);
    let judged = info.expectations.iter();
    page.judgements(judged.map(|e| e.judge_in(&info.axes, rows, language)));
    lesson.write(&mut page, info.zh.as_ref());
    glance(&mut page, info, rows, metrics, setting);
    differences(&mut page, info, rows, metrics, language);
    search(&mut page, info, language);
    page.drawn(drawn);
    runs(&mut page, info, rows, metrics, setting);
    if !info.parameters.is_empty() {
        page.heading("Parameters of all runs");
        let list = info.parameters.iter();
        let list: Vec<_> = list.map(|(n, v)| vec![n.clone(), v.clone()]).collect();
        let header = language.pick(["parameter", "value"], ["参数", "值"]);
        page.table(&cells(header), &list);
    }
    page.heading("To reproduce");
    if !info.command.is_empty() {
        page.code(&info.command);
    }
    page.paragraph(match info.metrics_only {
        false => language.pick(
            "index.csv and index.parquet hold a row per run with all metrics; each run's own report is \
             runs/ID/report.html (runs/AB/ID/report.html in a batch of more than 256, where AB begins ID).",
            "index.csv 和 index.parquet 每次运行一行，含全部指标；各次运行自己的报告是 runs/ID/report.html\
             （超过 256 次运行的批次为 runs/AB/ID/report.html，AB 是 ID 的开头）。",
        ),
        true => language.pick(
            "index.csv and index.parquet hold a row per run with all metrics.",
            "index.csv 和 index.parquet 每次运行一行，含全部指标。",
        ),
    });
    page.finish()
}

/// Metrics of the table above the figures: failures if there are any, TIME-WAIT, and the subject of
/// the batch.
fn columns(all: &[Variant<'_>], metrics: &[String]) -> Vec<String> {
    let failures: &[&str] = if all.iter().any(|v| v.failed() == Some(true)) {
        &[
            "connects_failed",
            "first_failure_s",
            "connects_failed_share_steady",
        ]
    } else {
        &["connects_attempted", "connects_failed"]
    };
    let usual = failures.iter().chain(&["time_wait_peak"]).copied();
    let mut chosen: Vec<String> = Vec::new();
    for name in usual.chain(metrics.iter().map(String::as_str)) {
        let known = all.iter().any(|v| v.estimate(name).is_some());
        if known && !chosen.iter().any(|c| c == name) && chosen.len() < MOST_METRICS {
            chosen.push(name.to_owned());
        }
    }
    chosen
}

/// The variants in a table: swept values and results.
fn glance(
    page: &mut HtmlPage,
    info: &BatchInfo,
    rows: &[BatchRow],
    metrics: &[String],
    setting: &PageSetting<'_>,
) {
    let (run_links, language) = (setting.run_links, setting.language);
    let all = variants(rows);
    if all.is_empty() {
        return;
    }
    page.heading("Results");
    let asked: Vec<String> = info.figures.iter().map(|f| f.metric.clone()).collect();
    let mut shown = columns(&all, if asked.is_empty() { metrics } else { &asked });
    shown.retain(|metric| is_comparable(metric, rows));
    let replicated = all.iter().any(|v| v.rows.len() > 1);
    let columns = info.axes.iter().enumerate();
    let columns = columns.flat_map(|(at, main)| main.columns().map(move |own| (at, main, own)));
    let columns: Vec<(usize, &Axis, &Axis)> = columns.collect();
    let names = words::axes(columns.iter().map(|(.., own)| own.path.as_str()), language);
    let mut header: Vec<String> = names.iter().map(|a| a.name.clone()).collect();
    if replicated {
        header.push(language.pick("#runs", "#运行数").into());
    }
    header.extend(
        shown
            .iter()
            .map(|m| format!("#{}", words::column_in(m, language))),
    );
    let table: Vec<Vec<String>> = all
        .iter()
        .take(MOST_VARIANTS)
        .map(|v| {
            let values = columns.iter().map(|(at, main, own)| {
                let place = v.values.get(*at).and_then(|value| main.place(value));
                let value = place.and_then(|place| own.values.get(place));
                value.cloned().unwrap_or_default()
            });
            let runs = replicated.then(|| v.rows.len().to_string());
            let cells = shown.iter().map(|m| v.text(m).unwrap_or_default());
            values.chain(runs).chain(cells).collect()
        })
        .collect();
    // A variant with one run links to it.
    page.linked_table(&header, &table, |row, _| match all[row].rows.as_slice() {
        [only] => run_links(&only.id),
        _ => None,
    });
    if all.len() > MOST_VARIANTS {
        page.paragraph(&say!(
            language,
            "{} more variants are in index.csv.",
            "其余 {} 个变体在 index.csv 中。",
            all.len() - MOST_VARIANTS
        ));
    }
    let mut note = say!(
        language,
        "By their names in index.csv, which has all metrics: {}.",
        "它们在 index.csv（含全部指标）中的名称：{}。",
        shown.join(", ")
    );
    let ends = |m: &str| all.first().and_then(|v| v.text(m));
    if let (Some(from), Some(to)) = (ends("steady_from_s"), ends("steady_to_s")) {
        note.push_str(&say!(
            language,
            " The steady window is {from} to {to}; each run's own is in its report.",
            "稳态时段为 {from} 到 {to}；各次运行自己的稳态时段见其报告。"
        ));
    }
    if replicated {
        note.push_str(language.pick(
            " Means over replicas, with 95 % intervals in brackets.",
            "数值为各次重复的平均值，方括号内为 95 % 置信区间。",
        ));
    }
    page.paragraph(&note);
}

/// The alternatives compared with the first of them, if there are replicas.
fn differences(
    page: &mut HtmlPage,
    info: &BatchInfo,
    rows: &[BatchRow],
    metrics: &[String],
    language: Language,
) {
    let asked = info.figures.iter().map(|f| &f.metric);
    let asked = asked.chain(info.expectations.iter().map(|e| &e.metric));
    let mut shown: Vec<String> = Vec::new();
    for name in asked {
        if !shown.contains(name) {
            shown.push(name.clone());
        }
    }
    let not_compared = shown.len().saturating_sub(MOST_COMPARED);
    shown.truncate(MOST_COMPARED);
    for name in metrics.iter().take(MOST_COMPARED) {
        if !shown.contains(name) && shown.len() < MOST_COMPARED {
            shown.push(name.clone());
        }
    }
    let place = paired::alternatives(&info.axes);
    let first = place.and_then(|i| info.axes[i].values.first());
    let (Some(first), Some((header, table))) =
        (first, paired::table(&info.axes, rows, &shown, language))
    else {
        return;
    };
    page.heading(&say!(
        language,
        "Differences from {first:?}",
        "与 {first:?} 的差"
    ));
    let rest = table.len().saturating_sub(MOST_VARIANTS);
    page.table(&header, &table[..table.len() - rest]);
    let mut more = match rest {
        0 => String::new(),
        rest => say!(
            language,
            " {rest} more rows can be computed from index.csv.",
            "其余 {rest} 行可由 index.csv 算出。"
        ),
    };
    if not_compared > 0 {
        more.push_str(&say!(
            language,
            " The first {MOST_COMPARED} of {} metrics asked for are compared.",
            "只比较了所要求的 {} 个指标中的前 {MOST_COMPARED} 个。",
            MOST_COMPARED + not_compared
        ));
    }
    page.paragraph(&say!(
        language,
        "Replicas are compared in pairs that met the same arrivals and losses; in brackets the 95 % \
         interval of the mean difference. About one in twenty comparisons without a true difference \
         shows one by chance.{more}",
        "各次重复在相同的到达和丢失下成对比较；方括号内为平均差的 95 % 置信区间。即使没有真正的差别，约二十次比较中也有一次会偶然显示差别。{more}"
    ));
}

/// The steps of a search, with its answer last.
fn search(page: &mut HtmlPage, info: &BatchInfo, language: Language) {
    let Some((answer, path)) = info.search.split_last() else {
        return;
    };
    page.heading("The search");
    page.paragraph(&crate::text::sentence(&format!("{answer}.")));
    let rows = path.iter().enumerate();
    let rows: Vec<Vec<String>> = rows
        .map(|(i, line)| vec![(i + 1).to_string(), line.clone()])
        .collect();
    let header = language.pick(["#step", "what it showed"], ["#步", "结果"]);
    page.table(&cells(header), &rows);
}

fn runs(
    page: &mut HtmlPage,
    info: &BatchInfo,
    rows: &[BatchRow],
    metrics: &[String],
    setting: &PageSetting<'_>,
) {
    let (run_links, language) = (setting.run_links, setting.language);
    page.heading("Runs");
    let shown = &metrics[..metrics.len().min(4)];
    let header = [language.pick("run", "运行").to_owned()].into_iter();
    let header = header.chain(info.axes.iter().map(|a| a.path.clone()));
    let header = header.chain(
        language
            .pick(["#replica", "#seed", "status"], ["#重复", "#种子", "状态"])
            .map(str::to_owned),
    );
    let header: Vec<String> = header
        .chain(shown.iter().map(|m| format!("#{m}")))
        .collect();
    let table: Vec<Vec<String>> = rows
        .iter()
        .take(MOST_RUNS)
        .map(|row| {
            let values =
                (0..info.axes.len()).map(|i| row.values.get(i).cloned().unwrap_or_default());
            let cells = [row.id.clone()].into_iter().chain(values);
            let cells = cells.chain([
                row.replica.to_string(),
                row.seed.to_string(),
                row.status.name().to_owned(),
            ]);
            let value = |name: &String| row.metrics.get(name).map(|v| metric(name, v));
            cells
                .chain(shown.iter().map(|m| value(m).unwrap_or_default()))
                .collect()
        })
        .collect();
    page.paragraph(match info.metrics_only {
        false => language.pick(
            "Each run has its own report, with its sockets by state over time, the theory beside them, \
             and its first connections segment by segment.",
            "每次运行都有自己的报告：各状态套接字数随时间的变化及其理论值，以及前几条连接的逐段时序图。",
        ),
        true => language.pick(
            "Only the metrics of these runs are kept. \"synfin report DIR/runs/ID\", where DIR is the \
             directory of this page and ID the name of a run, repeats that run with tables, figures and a \
             page.",
            "这些运行只保留了指标。“synfin report DIR/runs/ID”（DIR 是本页所在目录，ID 是运行的名称）会重做该运行，\
             并给出表格、图和页面。",
        ),
    });
    page.linked_table(&header, &table, |_, id| {
        let made = rows.iter().any(|r| r.id == id && !r.metrics.is_empty());
        made.then(|| run_links(id)).flatten()
    });
    if rows.len() > MOST_RUNS {
        page.paragraph(&say!(
            language,
            "{} more are in index.csv.",
            "其余 {} 次在 index.csv 中。",
            rows.len() - MOST_RUNS
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_that_could_not_be_drawn_are_named_with_the_reason() {
        let drawn = Drawn {
            figures: Vec::new(),
            failed: vec!["figure peaks: batch.json cannot be used".into()],
        };
        let setting = PageSetting {
            run_links: &|id| Some(id.to_owned()),
            language: Language::English,
        };
        let page = report(
            &BatchInfo::default(),
            &[],
            &[],
            &[],
            &drawn,
            &Lesson::default(),
            &setting,
        );
        assert!(page.contains("Missing here"), "{page}");
        assert!(page.contains("figure peaks: batch.json cannot be used"));
        let whole = report(
            &BatchInfo::default(),
            &[],
            &[],
            &[],
            &Drawn::default(),
            &Lesson::default(),
            &setting,
        );
        assert!(!whole.contains("Missing here"));
    }
}
