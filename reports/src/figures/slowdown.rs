//! The slowdown of transfers over their size.

use super::Figure;
use super::chart::{Chart, Mark};
use super::data::RunData;
use super::style::SERIES;
use crate::csv::Csv;
use crate::format::count;
use crate::store::StoreError;

/// The curves: name and column.
const CURVES: [(&str, &str); 3] = [
    ("median", "slowdown_p50"),
    ("mean", "slowdown_mean"),
    ("99th percentile", "slowdown_p99"),
];

/// Median, mean and 99th percentile of each class of sizes, at the mean size of its transfers.
pub(crate) fn by_size(data: &RunData<'_>) -> Result<Option<Figure>, StoreError> {
    let Some(table) = data.table("slowdown")? else {
        return Ok(None);
    };
    let (sizes, transfers) = (table.floats("mean_bytes")?, table.ints("transfers")?);
    let mut csv = Csv::new(["mean_bytes", "transfers", "statistic", "slowdown"]);
    let mut marks = Vec::new();
    for ((label, column), colour) in CURVES.into_iter().zip(SERIES) {
        let values = table.floats(column)?;
        for i in 0..table.len() {
            csv.number(sizes[i]);
            csv.number(transfers[i] as f64);
            csv.text(label);
            csv.row([values[i]]);
        }
        let points = sizes.iter().zip(values);
        marks.push(Mark::Intervals {
            label: label.into(),
            colour,
            points: points.map(|(x, y)| (x / 1e3, *y, *y, *y)).collect(),
            dashed: false,
            joined: true,
        });
    }
    let ends = (sizes.iter()).fold((f64::MAX, 0.0_f64), |(a, b), x| (a.min(*x), b.max(*x)));
    let title = "Slowdown by size";
    let chart = Chart {
        title,
        x_label: "mean size of the class (kB)",
        y_label: "time taken / time on the idle path",
        // A single class has room on both sides.
        x: (ends.0 / 2e3, ends.1 / 0.5e3),
        log: (true, true),
        marks,
        ..Chart::default()
    };
    Ok(Some(Figure {
        name: "slowdown".into(),
        title: title.into(),
        caption: format!(
            "How many times as long {} complete transfers took as on an idle path, where the links alone limit \
             them, without slow start. A point for each class of sizes up to a power of ten.",
            count(transfers.iter().sum::<i64>() as f64)
        ),
        svg: chart.svg()?,
        csv: csv.finish(),
    }))
}
