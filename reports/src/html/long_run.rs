//! The means of one long run, on the page of the run.

use super::page::{HtmlPage, cells};
use crate::format::{metric, number, seconds};
use crate::metrics::long_run_of;
use crate::stats::WarmUpRule;
use crate::store::RunSummary;
use crate::words;

/// Adds a table of the means after the warm-up, if the scenario requests them.
pub(super) fn write(page: &mut HtmlPage, summary: &RunSummary) {
    let Some(rule) = summary.info.record.warm_up else {
        return;
    };
    page.heading("Means after the warm-up");
    let value = |id: &str| summary.metrics.get(id).copied();
    let mut rows = Vec::new();
    for (id, mean) in &summary.metrics {
        let Some(ids) = long_run_of(id) else { continue };
        let interval = match (value(&ids.low), value(&ids.high)) {
            (Some(low), Some(high)) => format!("{} … {}", metric(id, low), metric(id, high)),
            _ => "none: the batches depend on each other, or are too few".to_owned(),
        };
        rows.push(vec![
            words::metric(id),
            metric(id, *mean),
            interval,
            value(&ids.warm_up).map(seconds).unwrap_or_default(),
            value(&ids.correlation).map(number).unwrap_or_default(),
        ]);
    }
    let how = match rule {
        WarmUpRule::Mser5 => "The warm-up of each ends where MSER-5 says.",
        WarmUpRule::After(_) => "The warm-up is that of `record.warm_up`.",
    };
    if rows.is_empty() {
        return page.paragraph(
            "There is nothing to average, or nothing has settled in the first half of the run: lengthen \
             it.",
        );
    }
    let header = [
        "quantity",
        "#mean",
        "#95 % interval",
        "#warm-up ends",
        "#correlation",
    ];
    page.table(&cells(header), &rows);
    page.paragraph(&format!(
        "{how} Values that follow each other in a run depend on each other, so intervals are those of the \
         means of twenty batches; the correlation is that of neighbouring batches, and above 0.3 no \
         interval is given. What is not listed has not settled: a longer run may."
    ));
}
