//! The distribution of a metric over the runs: the share of runs with at most a value (CDF), or
//! with more (CCDF).

use std::collections::BTreeMap;

use super::name_of;
use crate::batch::{BatchInfo, BatchRow, DistributionKind, Layout, MOST_PANELS, MetricFigure};
use crate::bilingual::{Language, say};
use crate::csv::Csv;
use crate::figures::Figure;
use crate::figures::chart::{Chart, Mark, Panel};
use crate::figures::style::SERIES;
use crate::metrics;
use crate::store::StoreError;
use crate::words;

/// Values of the runs by panel and curve.
type CurveValues = BTreeMap<(Vec<usize>, usize), Vec<f64>>;

/// The figure: a curve for each value of the second axis, or of the first if it is the only one;
/// `None` if no run has the metric.
pub(super) fn figure(
    info: &BatchInfo,
    rows: &[BatchRow],
    wanted: &MetricFigure,
    layout: &Layout,
    (how, language): (DistributionKind, Language),
) -> Result<Option<Figure>, StoreError> {
    let by = layout.series.unwrap_or(layout.x);
    let values = values(info, rows, wanted, layout, by);
    if values.is_empty() {
        return Ok(None);
    }
    let all = values.values().flatten().copied();
    let (least, largest) = (
        all.clone().fold(f64::INFINITY, f64::min),
        all.fold(0.0, f64::max),
    );
    let (unit, factor) = metrics::kind(&wanted.metric).axis(largest);
    let names = words::axes(info.axes.iter().map(|a| a.path.as_str()), language);
    let label =
        |axis: usize, at: usize| format!("{} = {}", names[axis].name, info.axes[axis].values[at]);
    let room = ((largest - least) * factor * 0.05).max(f64::MIN_POSITIVE);
    let ends = (least * factor - room, largest * factor + room);
    let mut csv = Csv::new([names[by].name.as_str(), &wanted.metric, "share"]);
    let mut panels: Vec<(&Vec<usize>, Panel)> = Vec::new();
    for ((panel, curve), values) in &values {
        let points = curve_of(values, factor, ends, how);
        for &(value, share) in &points {
            csv.text(&info.axes[by].values[*curve]);
            csv.row([value / factor, share]);
        }
        let mark = Mark::Line {
            label: label(by, *curve),
            colour: SERIES[curve % SERIES.len()],
            points,
            dashed: curve / SERIES.len() % 2 == 1,
        };
        match panels.last_mut() {
            Some((last, drawn)) if *last == panel => drawn.marks.push(mark),
            _ => panels.push((
                panel,
                Panel {
                    title: layout
                        .panels
                        .iter()
                        .zip(panel)
                        .map(|(&axis, &at)| label(axis, at))
                        .collect(),
                    marks: vec![mark],
                },
            )),
        }
    }
    panels.truncate(MOST_PANELS);
    let name = words::metric_in(&wanted.metric, language);
    let title = language.sentence(&say!(language, "Distribution of {name}", "{name}的分布"));
    let x_label = match unit {
        "" => name,
        unit => format!("{name} ({unit})"),
    };
    let (y_label, means) = match how {
        DistributionKind::Cdf => (
            language.pick("share of runs", "运行所占比例"),
            language.pick("with at most the value along x", "不超过横坐标"),
        ),
        DistributionKind::Ccdf => (
            language.pick("share of runs with more", "超过的运行所占比例"),
            language.pick("with more than the value along x", "超过横坐标"),
        ),
    };
    let chart = Chart {
        title: &title,
        x_label: &x_label,
        y_label,
        x: ends,
        log: wanted.log,
        panels: panels.into_iter().map(|p| p.1).collect(),
        ..Chart::default()
    };
    Ok(Some(Figure {
        name: name_of(wanted, &info.axes[layout.x].path),
        caption: say!(
            language,
            "{title} ({}) over all runs of each curve: the share of them {means}.",
            "{title}（{}），各曲线的全部运行：其值{means}的比例。",
            wanted.metric
        ),
        svg: chart.svg()?,
        csv: csv.finish(),
        title,
    }))
}

fn values(
    info: &BatchInfo,
    rows: &[BatchRow],
    wanted: &MetricFigure,
    layout: &Layout,
    by: usize,
) -> CurveValues {
    let mut values = CurveValues::new();
    for row in rows.iter().filter(|r| r.status.is_ok()) {
        let place = |axis: usize| info.axes[axis].place(row.values.get(axis)?);
        let held = layout
            .only
            .iter()
            .all(|&(axis, at)| place(axis) == Some(at));
        let panel: Option<Vec<usize>> = layout.panels.iter().map(|&i| place(i)).collect();
        let value = row.metrics.get(&wanted.metric).filter(|v| v.is_finite());
        if let (true, Some(panel), Some(curve), Some(value)) = (held, panel, place(by), value) {
            values.entry((panel, curve)).or_default().push(value);
        }
    }
    values
}

/// A curve in steps, from end to end of the axis.
fn curve_of(
    values: &[f64],
    factor: f64,
    ends: (f64, f64),
    how: DistributionKind,
) -> Vec<(f64, f64)> {
    let mut sorted: Vec<f64> = values.iter().map(|v| v * factor).collect();
    sorted.sort_by(f64::total_cmp);
    let share = |count: usize| {
        let at_most = count as f64 / sorted.len() as f64;
        match how {
            DistributionKind::Cdf => at_most,
            DistributionKind::Ccdf => 1.0 - at_most,
        }
    };
    let mut points = vec![(ends.0, share(0))];
    for (i, &value) in sorted.iter().enumerate() {
        points.push((value, share(i)));
        points.push((value, share(i + 1)));
    }
    points.push((ends.1, share(sorted.len())));
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_rises_by_a_step_for_each_run() {
        let points = curve_of(&[0.2, 0.1], 1000.0, (0.0, 300.0), DistributionKind::Cdf);
        let wanted = [
            (0.0, 0.0),
            (100.0, 0.0),
            (100.0, 0.5),
            (200.0, 0.5),
            (200.0, 1.0),
            (300.0, 1.0),
        ];
        assert_eq!(points, wanted);
        let more = curve_of(&[0.2, 0.1], 1000.0, (0.0, 300.0), DistributionKind::Ccdf);
        assert!(
            points
                .iter()
                .zip(&more)
                .all(|(a, b)| a.0 == b.0 && a.1 + b.1 == 1.0)
        );
    }
}
