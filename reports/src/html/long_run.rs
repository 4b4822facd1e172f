//! The means of one long run, on the page of the run.

use super::page::{HtmlPage, cells};
use crate::bilingual::{Language, say};
use crate::format::{metric, number, seconds};
use crate::metrics::long_run_of;
use crate::stats::WarmUpRule;
use crate::store::RunSummary;
use crate::words;

/// Adds a table of the means after the warm-up, if the scenario requests them.
pub(super) fn write(page: &mut HtmlPage, summary: &RunSummary, language: Language) {
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
            _ => language
                .pick(
                    "none: the batches depend on each other, or are too few",
                    "无：各批次相互依赖，或批次太少",
                )
                .to_owned(),
        };
        rows.push(vec![
            words::metric_in(id, language),
            metric(id, *mean),
            interval,
            value(&ids.warm_up).map(seconds).unwrap_or_default(),
            value(&ids.correlation).map(number).unwrap_or_default(),
        ]);
    }
    let how = match rule {
        WarmUpRule::Mser5 => language.pick(
            "The warm-up of each ends where MSER-5 says.",
            "各项的预热由 MSER-5 确定何时结束。",
        ),
        WarmUpRule::After(_) => language.pick(
            "The warm-up is that of `record.warm_up`.",
            "预热时间由 `record.warm_up` 给出。",
        ),
    };
    if rows.is_empty() {
        return page.paragraph(language.pick(
            "There is nothing to average, or nothing has settled in the first half of the run: lengthen \
             it.",
            "没有可平均的量，或在运行的前一半没有一个达到稳定：请延长运行时间。",
        ));
    }
    let header = [
        "quantity",
        "#mean",
        "#95 % interval",
        "#warm-up ends",
        "#correlation",
    ];
    let chinese = ["量", "#平均值", "#95 % 置信区间", "#预热结束", "#相关系数"];
    page.table(&cells(language.pick(header, chinese)), &rows);
    page.paragraph(&say!(
        language,
        "{how} Values that follow each other in a run depend on each other, so intervals are those of the \
         means of twenty batches; the correlation is that of neighbouring batches, and above 0.3 no \
         interval is given. What is not listed has not settled: a longer run may.",
        "{how}一次运行中相继的值相互依赖，因此置信区间按二十个批次的平均值计算；相关系数是相邻批次的，大于 0.3 时不给出区间。\
         未列出的量没有达到稳定：延长运行时间或可使其稳定。"
    ));
}
