//! The report of a batch.

use std::collections::BTreeMap;

use super::page::{Page, cells};
use crate::batch::{BatchInfo, BatchRow};
use crate::figures::Figure;
use crate::format::{count, metric};
use crate::stats::Estimate;

/// Metrics shown per variant at most; all are in `index.csv`.
const MOST_METRICS: usize = 8;
/// Rows of the table of runs; those beyond are in `index.csv`.
const MOST_RUNS: usize = 500;

/// Writes the page.
pub(crate) fn report(
    info: &BatchInfo,
    rows: &[BatchRow],
    metrics: &[String],
    figures: &[Figure],
) -> String {
    let mut page = Page::new(&info.name, &info.question);
    page.findings(&findings(info, rows));
    if !figures.is_empty() {
        page.heading("Figures");
        figures.iter().for_each(|f| page.figure(f));
    }
    variants(&mut page, info, rows, metrics);
    runs(&mut page, info, rows, metrics);
    if !info.parameters.is_empty() {
        page.heading("Parameters of all runs");
        let list = info.parameters.iter();
        let list: Vec<_> = list.map(|(n, v)| vec![n.clone(), v.clone()]).collect();
        page.table(&cells(["parameter", "value"]), &list);
    }
    page.heading("To reproduce");
    if !info.command.is_empty() {
        page.code(&info.command);
    }
    page.paragraph(
        "index.csv and index.parquet hold a row per run with all metrics; each run's own report is \
         runs/ID/report.html.",
    );
    page.finish()
}

fn findings(info: &BatchInfo, rows: &[BatchRow]) -> Vec<String> {
    let ok = rows.iter().filter(|r| r.status == "ok").count();
    let axes: Vec<String> = info
        .axes
        .iter()
        .map(|a| format!("{} values of {}", a.values.len(), a.path))
        .collect();
    let mut all = vec![if axes.is_empty() {
        format!(
            "{} of {} runs are complete.",
            count(ok as f64),
            count(rows.len() as f64)
        )
    } else {
        format!(
            "{} of {} runs are complete: {}.",
            count(ok as f64),
            count(rows.len() as f64),
            axes.join(" x ")
        )
    }];
    let mut failures: BTreeMap<&str, usize> = BTreeMap::new();
    for row in rows.iter().filter(|r| r.status != "ok") {
        let why = if row.message.is_empty() {
            &row.status
        } else {
            &row.message
        };
        *failures.entry(why).or_default() += 1;
    }
    for (why, n) in failures {
        all.push(format!("{n} not complete: {why}"));
    }
    all
}

/// Mean and interval of the first metrics per combination of swept values.
fn variants(page: &mut Page, info: &BatchInfo, rows: &[BatchRow], metrics: &[String]) {
    let mut groups: Vec<(&[String], Vec<&BatchRow>)> = Vec::new();
    for row in rows.iter().filter(|r| r.status == "ok") {
        match groups.iter_mut().find(|g| g.0 == row.values) {
            Some(group) => group.1.push(row),
            None => groups.push((&row.values, vec![row])),
        }
    }
    if groups.is_empty() {
        return;
    }
    page.heading("Results");
    page.paragraph(
        "Means over replicas with 95 % intervals of Student's t; no interval for a single replica.",
    );
    let shown = &metrics[..metrics.len().min(MOST_METRICS)];
    let header = info
        .axes
        .iter()
        .map(|a| a.path.clone())
        .chain(["#runs".into()]);
    let header: Vec<String> = header
        .chain(shown.iter().map(|m| format!("#{m}")))
        .collect();
    let table: Vec<Vec<String>> = groups
        .iter()
        .map(|(values, rows)| {
            let cell = |name: &String| {
                let values: Vec<f64> = rows
                    .iter()
                    .filter_map(|r| r.metrics.get(name).copied())
                    .collect();
                match Estimate::of(&values) {
                    None => String::new(),
                    Some(e) => match e.half_width {
                        Some(half) => format!("{} ± {}", metric(name, e.mean), metric(name, half)),
                        None => metric(name, e.mean),
                    },
                }
            };
            let start = values.iter().cloned().chain([rows.len().to_string()]);
            start.chain(shown.iter().map(cell)).collect()
        })
        .collect();
    page.table(&header, &table);
}

fn runs(page: &mut Page, info: &BatchInfo, rows: &[BatchRow], metrics: &[String]) {
    page.heading("Runs");
    let shown = &metrics[..metrics.len().min(4)];
    let header = ["run".to_owned()].into_iter();
    let header = header.chain(info.axes.iter().map(|a| a.path.clone()));
    let header = header.chain(["#replica", "#seed", "status"].map(str::to_owned));
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
                row.status.clone(),
            ]);
            let value = |name: &String| row.metrics.get(name).map(|v| metric(name, *v));
            cells
                .chain(shown.iter().map(|m| value(m).unwrap_or_default()))
                .collect()
        })
        .collect();
    page.table(&header, &table);
    if rows.len() > MOST_RUNS {
        page.paragraph(&format!(
            "{} more are in index.csv.",
            rows.len() - MOST_RUNS
        ));
    }
}
