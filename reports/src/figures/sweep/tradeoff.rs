//! One metric against another: a point for each value of the swept parameter, and the Pareto front:
//! the points that no other point beats in both metrics.
//!
//! Better means more of the metric along y (throughput) and less of the metric along x (delay).

use super::{Points, name_of};
use crate::batch::{BatchInfo, Layout, MOST_PANELS, MetricFigure};
use crate::bilingual::{Language, say};
use crate::csv::Csv;
use crate::figures::Figure;
use crate::figures::chart::{Chart, Mark, Panel};
use crate::figures::style::{GREY, SERIES};
use crate::metrics;
use crate::store::StoreError;
use crate::words;

/// A point: value of the metric along x, then low, mean and high of the metric along y.
type TradeoffPoint = (f64, f64, f64, f64);

/// A point of a panel, with the indices of its curve and of its value on x.
type PlacedPoint = (usize, usize, TradeoffPoint);

/// The figure; `None` if no runs have both metrics.
pub(super) fn figure(
    info: &BatchInfo,
    wanted: &MetricFigure,
    layout: &Layout,
    (points, across): (&Points, &Points),
    language: Language,
) -> Result<Option<Figure>, StoreError> {
    let scale = |of: &Points, metric: &str| {
        let largest = of.values().map(|e| e.ends().1.abs()).fold(0.0, f64::max);
        metrics::kind(metric).axis(largest)
    };
    let (y_unit, y_factor) = scale(points, &wanted.metric);
    let (x_unit, x_factor) = scale(across, &wanted.against);
    let names = words::axes(info.axes.iter().map(|a| a.path.as_str()), language);
    let label =
        |axis: usize, at: usize| format!("{} = {}", names[axis].name, info.axes[axis].values[at]);
    let mut panels: Vec<(Vec<usize>, Vec<PlacedPoint>)> = Vec::new();
    for ((panel, curve, x), e) in points {
        let Some(other) = across.get(&(panel.clone(), *curve, *x)) else {
            continue;
        };
        let (low, high) = e.ends();
        let point = (
            other.mean * x_factor,
            low * y_factor,
            e.mean * y_factor,
            high * y_factor,
        );
        match panels.last_mut() {
            Some((values, all)) if values == panel => all.push((*curve, *x, point)),
            _ => panels.push((panel.clone(), vec![(*curve, *x, point)])),
        }
    }
    if panels.is_empty() {
        return Ok(None);
    }
    let left_out = panels.len().saturating_sub(MOST_PANELS);
    panels.truncate(MOST_PANELS);
    let all = panels.iter().flat_map(|p| &p.1).map(|p| p.2.0);
    let largest = all.fold(0.0, f64::max);
    let drawn: Vec<Panel> = panels
        .iter()
        .map(|(values, all)| Panel {
            title: layout
                .panels
                .iter()
                .zip(values)
                .map(|(&axis, &at)| label(axis, at))
                .collect(),
            marks: marks(layout, all, largest, &label, language),
        })
        .collect();
    let (y_name, x_name) = (
        words::metric_in(&wanted.metric, language),
        words::metric_in(&wanted.against, language),
    );
    let with_unit = |name: &str, unit: &str| match unit {
        "" => name.to_owned(),
        unit => format!("{name} ({unit})"),
    };
    let title = language.sentence(&say!(
        language,
        "{y_name} against {x_name}",
        "{y_name}与{x_name}的关系"
    ));
    let x_ends = match wanted.log.0 {
        true => log_ends(panels.iter().flat_map(|p| &p.1).map(|p| p.2.0)),
        false => (0.0, largest * 1.06),
    };
    let chart = Chart {
        title: &title,
        x_label: &with_unit(&x_name, x_unit),
        y_label: &with_unit(&y_name, y_unit),
        x: x_ends,
        log: wanted.log,
        panels: drawn,
        style: wanted.style,
        ..Chart::default()
    };
    let each = match layout.series {
        Some(_) => say!(
            language,
            "along a curve {} changes",
            "沿曲线变化的是{}",
            names[layout.x].name
        ),
        None => say!(
            language,
            "a point for each {}",
            "每个{}一个点",
            names[layout.x].name
        ),
    };
    let more = match left_out {
        0 => String::new(),
        n => say!(
            language,
            " {n} more panels are not drawn.",
            " 另有 {n} 个分图未画。"
        ),
    };
    Ok(Some(Figure {
        name: name_of(wanted, &info.axes[layout.x].path),
        caption: say!(
            language,
            "{title} ({} against {}): {each}, means over replicas with the 95 % interval of the height. \
             Dashed: the Pareto front, the points that no other point beats in both, by being higher and \
             further left.{more}",
            "{title}（{} 与 {}）：{each}，各点为各次重复的平均值，竖线为纵坐标的 95 % 置信区间。虚线是帕累托前沿：没有其他点在两方面都优于它（更高且更靠左）。{more}",
            wanted.metric,
            wanted.against
        ),
        svg: chart.svg()?,
        csv: numbers(info, wanted, layout, points, across),
        title,
    }))
}

fn log_ends(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let positive = values.filter(|v| *v > 0.0);
    let low = positive.clone().fold(f64::INFINITY, f64::min);
    (low / 1.2, positive.fold(low, f64::max) * 1.2)
}

/// The points of a panel: a curve for each value of the second axis, or a colour for each value of
/// the first; and the front of all points.
fn marks(
    layout: &Layout,
    points: &[PlacedPoint],
    largest: f64,
    label: &impl Fn(usize, usize) -> String,
    language: Language,
) -> Vec<Mark> {
    let place = |p: &(usize, usize, TradeoffPoint)| match layout.series {
        Some(_) => p.0,
        None => p.1,
    };
    let mut groups: Vec<usize> = points.iter().map(place).collect();
    groups.sort_unstable();
    groups.dedup();
    let all: Vec<(f64, f64)> = points.iter().map(|p| (p.2.0, p.2.2)).collect();
    let mut marks = vec![Mark::Line {
        label: language.pick("Pareto front", "帕累托前沿").into(),
        colour: GREY,
        points: steps(&front(&all), largest * 1.06),
        dashed: true,
    }];
    marks.extend(groups.into_iter().map(|group| {
        Mark::Intervals {
            label: label(layout.series.unwrap_or(layout.x), group),
            colour: SERIES[group % SERIES.len()],
            points: points
                .iter()
                .filter(|p| place(p) == group)
                .map(|p| p.2)
                .collect(),
            dashed: group / SERIES.len() % 2 == 1,
            joined: layout.series.is_some(),
        }
    }));
    marks
}

/// The points that no other point beats in both, sorted by x; better is less x and more y.
fn front(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut sorted: Vec<(f64, f64)> = points.to_vec();
    sorted.retain(|p| p.0.is_finite() && p.1.is_finite());
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.total_cmp(&a.1)));
    let mut best = f64::NEG_INFINITY;
    sorted.retain(|p| {
        let better = p.1 > best;
        best = best.max(p.1);
        better
    });
    sorted
}

/// The border of the region that the front beats.
fn steps(front: &[(f64, f64)], right: f64) -> Vec<(f64, f64)> {
    let mut points = Vec::new();
    for (i, &(x, y)) in front.iter().enumerate() {
        points.push((x, y));
        let next = front.get(i + 1).map_or(right, |p| p.0);
        points.push((next, y));
    }
    points
}

fn numbers(
    info: &BatchInfo,
    wanted: &MetricFigure,
    layout: &Layout,
    points: &Points,
    across: &Points,
) -> String {
    let axes: Vec<usize> = std::iter::once(layout.x)
        .chain(layout.series)
        .chain(layout.panels.iter().copied())
        .collect();
    let paths = axes.iter().map(|&a| info.axes[a].path.as_str());
    let mut csv = Csv::new(paths.chain([wanted.against.as_str(), wanted.metric.as_str()]));
    for (key, e) in points {
        let Some(other) = across.get(key) else {
            continue;
        };
        let (panel, curve, x) = key;
        let places = std::iter::once(*x).chain(layout.series.map(|_| *curve));
        for (&axis, place) in axes.iter().zip(places.chain(panel.iter().copied())) {
            csv.text(&info.axes[axis].values[place]);
        }
        csv.row([other.mean, e.mean]);
    }
    csv.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_front_has_the_points_that_no_other_beats_in_both() {
        let points = [
            (5.0, 90.0),
            (1.0, 50.0),
            (3.0, 40.0),
            (2.0, 80.0),
            (2.0, 70.0),
            (9.0, 90.0),
        ];
        assert_eq!(front(&points), [(1.0, 50.0), (2.0, 80.0), (5.0, 90.0)]);
        assert_eq!(
            steps(&front(&points), 10.0),
            [
                (1.0, 50.0),
                (2.0, 50.0),
                (2.0, 80.0),
                (5.0, 80.0),
                (5.0, 90.0),
                (10.0, 90.0)
            ]
        );
        assert_eq!(front(&[]), []);
    }
}
