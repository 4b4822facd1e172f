//! The slowdown of transfers over their size.

use super::Figure;
use super::chart::{Chart, Mark};
use super::data::RunData;
use super::style::SERIES;
use crate::bilingual::say;
use crate::csv::Csv;
use crate::format::count;
use crate::store::StoreError;

/// The curves: name and column.
const CURVES: [(&str, &str, &str); 3] = [
    ("median", "中位数", "slowdown_p50"),
    ("mean", "平均值", "slowdown_mean"),
    ("99th percentile", "第 99 百分位", "slowdown_p99"),
];

/// Median, mean and 99th percentile of each class of sizes, at the mean size of its transfers.
pub(crate) fn by_size(data: &RunData<'_>) -> Result<Option<Figure>, StoreError> {
    let Some(table) = data.table("slowdown")? else {
        return Ok(None);
    };
    let (sizes, transfers) = (table.floats("mean_bytes")?, table.ints("transfers")?);
    let mut csv = Csv::new(["mean_bytes", "transfers", "statistic", "slowdown"]);
    let mut marks = Vec::new();
    for ((label, chinese, column), colour) in CURVES.into_iter().zip(SERIES) {
        let values = table.floats(column)?;
        for i in 0..table.len() {
            csv.number(sizes[i]);
            csv.number(transfers[i] as f64);
            csv.text(label);
            csv.row([values[i]]);
        }
        let points = sizes.iter().zip(values);
        marks.push(Mark::Intervals {
            label: data.language.pick(label, chinese).into(),
            colour,
            points: points.map(|(x, y)| (x / 1e3, *y, *y, *y)).collect(),
            dashed: false,
            joined: true,
        });
    }
    let ends = (sizes.iter()).fold((f64::MAX, 0.0_f64), |(a, b), x| (a.min(*x), b.max(*x)));
    let title = data.language.pick("Slowdown by size", "按大小的减速比");
    let chart = Chart {
        title,
        x_label: data
            .language
            .pick("mean size of the class (kB)", "该类的平均大小 (kB)"),
        y_label: data.language.pick(
            "time taken / time on the idle path",
            "实际用时 / 空闲路径用时",
        ),
        // A single class has room on both sides.
        x: (ends.0 / 2e3, ends.1 / 0.5e3),
        log: (true, true),
        marks,
        ..Chart::default()
    };
    Ok(Some(Figure {
        name: "slowdown".into(),
        title: title.into(),
        caption: say!(
            data.language,
            "How many times as long {} complete transfers took as on an idle path, where the links alone limit \
             them, without slow start. A point for each class of sizes up to a power of ten.",
            "{} 次完整传输的用时是空闲路径用时的多少倍；空闲路径只受链路限制，没有慢启动。每个大小类（到 10 的各次幂）一个点。",
            count(transfers.iter().sum::<i64>() as f64)
        ),
        svg: chart.svg()?,
        csv: csv.finish(),
    }))
}
