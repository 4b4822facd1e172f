//! Recorded queues over time: waits and lengths.

use std::collections::BTreeMap;

use super::chart::{Chart, Mark};
use super::data::RunData;
use super::samples::{SampleSeries, shaded_time_series};
use super::style::SERIES;
use super::{Figure, not_drawn};
use crate::bilingual::{Language, say};
use crate::csv::Csv;
use crate::store::StoreError;
use crate::store::reader::Table;

/// A column of the table of queues as a series for each queue that was used: the largest, if there
/// are more queues than colours, and the number left out.
fn series(
    table: &Table,
    column: &str,
    scale: f64,
    language: Language,
) -> Result<(Vec<SampleSeries>, usize), StoreError> {
    let (from, to) = (table.texts("from_node")?, table.texts("to_node")?);
    let times = table.floats("time_s")?;
    let values: Vec<f64> = match column {
        "backlog_max_bytes" => table.ints(column)?.iter().map(|n| *n as f64).collect(),
        _ => table.floats(column)?.to_vec(),
    };
    let pkts = table.ints("pkts")?;
    let mut all: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
    for i in (0..table.len()).filter(|i| pkts[*i] > 0) {
        let name = say!(language, "{} to {}", "{} 到 {}", from[i], to[i]);
        all.entry(name)
            .or_default()
            .push((times[i], values[i] * scale));
    }
    let total = |samples: &[(f64, f64)]| samples.iter().map(|s| s.1).sum::<f64>();
    let mut all: Vec<(String, Vec<(f64, f64)>)> = all.into_iter().collect();
    all.sort_by(|a, b| total(&b.1).total_cmp(&total(&a.1)));
    all.retain(|(_, samples)| total(samples) > 0.0);
    let left_out = all.len().saturating_sub(SERIES.len());
    all.truncate(SERIES.len());
    let shown = all
        .into_iter()
        .map(|(name, samples)| SampleSeries::new(name, samples));
    Ok((shown.collect(), left_out))
}

fn draw(
    data: &RunData<'_>,
    name: &str,
    title: &str,
    (column, label, scale): (&str, (&str, &str), f64),
    caption: &str,
) -> Result<Option<Figure>, StoreError> {
    let Some(table) = data.table("queues")? else {
        return Ok(None);
    };
    let (shown, left_out) = series(&table, column, scale, data.language)?;
    let figure = shaded_time_series(
        (name, title, data.language.pick(label.0, label.1)),
        label.0,
        &shown,
        &data.outages,
        data.language,
    )?;
    Ok(figure.map(|figure| Figure {
        caption: caption.to_owned()
            + &not_drawn(
                left_out,
                "smaller queue",
                "smaller queues",
                "个较小的队列",
                data.language,
            )
            + data.shading(),
        ..figure
    }))
}

/// Mean wait in each step of time.
pub(crate) fn waits(data: &RunData<'_>) -> Result<Option<Figure>, StoreError> {
    draw(
        data,
        "queue-delay",
        data.language.pick("Queueing delay", "排队时延"),
        ("wait_mean_s", ("wait (ms)", "等待 (ms)"), 1e3),
        data.language.pick("How long packets waited at each recorded queue before they were sent, averaged over each time \
         step; queues without waits are left out.", "分组在每个有记录的队列中发送前的等待时间，按时间段取平均；没有等待的队列不画。"),
    )
}

/// Largest backlog in each step of time.
pub(crate) fn backlogs(data: &RunData<'_>) -> Result<Option<Figure>, StoreError> {
    draw(
        data,
        "queue-backlog",
        data.language.pick("Queue length", "队列长度"),
        ("backlog_max_bytes", ("backlog (kB)", "积压 (kB)"), 1e-3),
        data.language.pick(
            "The maximum number of bytes in each recorded queue in each time step.",
            "每个有记录的队列在每个时间段内的最大字节数。",
        ),
    )
}

/// The share of packets that waited longer than a given time (CCDF), on a logarithmic scale, for
/// each queue that ever held one.
pub(crate) fn wait_distribution(data: &RunData<'_>) -> Result<Option<Figure>, StoreError> {
    let Some(table) = data.table("queue_waits")? else {
        return Ok(None);
    };
    let (from, to) = (table.texts("from_node")?, table.texts("to_node")?);
    let (waits, pkts) = (table.floats("wait_s")?, table.ints("pkts")?);
    let language = data.language;
    let mut all: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
    for i in 0..table.len() {
        let queue = all
            .entry(say!(language, "{} to {}", "{} 到 {}", from[i], to[i]))
            .or_default();
        queue.push((waits[i], pkts[i] as f64));
    }
    let mut all: Vec<(String, Vec<(f64, f64)>)> = all.into_iter().collect();
    all.retain(|(_, buckets)| buckets.iter().any(|b| b.0 > 0.0 && b.1 > 0.0));
    let packets = |buckets: &[(f64, f64)]| buckets.iter().map(|b| b.1).sum::<f64>();
    all.sort_by(|a, b| packets(&b.1).total_cmp(&packets(&a.1)));
    let left_out = all.len().saturating_sub(SERIES.len());
    all.truncate(SERIES.len());
    if all.is_empty() {
        return Ok(None);
    }
    let mut csv = Csv::new(["wait_ms", "queue", "share_longer"]);
    let mut marks = Vec::new();
    let mut longest = 0.0_f64;
    for ((label, buckets), colour) in all.into_iter().zip(SERIES) {
        let points = longer_than(buckets);
        for &(wait, share) in &points {
            csv.number(wait);
            csv.text(&label);
            csv.row([share]);
            longest = longest.max(wait);
        }
        marks.push(Mark::Line {
            label,
            colour,
            points: points.into_iter().filter(|p| p.1 > 0.0).collect(),
            dashed: false,
        });
    }
    let title = data
        .language
        .pick("Distribution of waits in queues", "队列等待时间的分布");
    let chart = Chart {
        title,
        x_label: data.language.pick("wait (ms)", "等待 (ms)"),
        y_label: data
            .language
            .pick("share that waited longer", "等待更久的比例"),
        x: (0.0, longest * 1.03),
        log: (false, true),
        marks,
        ..Chart::default()
    };
    Ok(Some(Figure {
        name: "queue-waits".into(),
        title: title.into(),
        caption: data.language.pick("For each recorded queue the share of its packets that waited longer than the time along x \
                  (CCDF): at 0.01 lies the 99th percentile.", "每个有记录的队列中，等待时间超过横坐标的分组所占比例（CCDF）：0.01 处为第 99 百分位。")
            .to_owned()
            + &not_drawn(
                left_out,
                "queue with fewer packets",
                "queues with fewer packets",
                "个分组较少的队列",
                data.language,
            ),
        svg: chart.svg()?,
        csv: csv.finish(),
    }))
}

/// Waits in ms and the share of packets that waited longer, from buckets of waits in seconds and packets.
fn longer_than(mut buckets: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: f64 = buckets.iter().map(|b| b.1).sum();
    let mut left = total;
    let mut points = vec![(0.0, 1.0)];
    for (wait, pkts) in buckets {
        let before = left / total;
        left -= pkts;
        // Straight up and down: no packet waited for a time between two buckets.
        points.push((wait * 1e3, before));
        points.push((wait * 1e3, left.max(0.0) / total));
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_falls_from_one_to_nothing() {
        let points = longer_than(vec![(0.002, 1.0), (0.0, 6.0), (0.001, 3.0)]);
        let rounded: Vec<(f64, f64)> = points
            .iter()
            .map(|p| (p.0, (p.1 * 1e6).round() / 1e6))
            .collect();
        assert_eq!(
            rounded,
            [
                (0.0, 1.0),
                (0.0, 1.0),
                (0.0, 0.4),
                (1.0, 0.4),
                (1.0, 0.1),
                (2.0, 0.1),
                (2.0, 0.0)
            ]
        );
    }
}
