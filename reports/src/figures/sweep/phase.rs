//! A phase diagram: for each pair of values of two swept parameters, whether a metric stays within a limit.

use std::collections::BTreeMap;

use super::axis_scale::AxisScale;
use super::{Points, name_of};
use crate::batch::{Axis, BatchInfo, Layout, MOST_PANELS, MetricFigure};
use crate::bilingual::{Language, say};
use crate::csv::Csv;
use crate::figures::Figure;
use crate::figures::chart::{Chart, Mark, Panel};
use crate::figures::style::{GREEN, VERMILION};
use crate::format;
use crate::store::StoreError;
use crate::words;

/// Positions of the pairs within the limit, and beyond it.
#[derive(Default)]
struct Cells {
    within: Vec<(f64, f64)>,
    beyond: Vec<(f64, f64)>,
}

/// The figure; `None` if only one parameter is swept.
pub(super) fn figure(
    info: &BatchInfo,
    wanted: &MetricFigure,
    layout: &Layout,
    points: &Points,
    (limit, language): (f64, Language),
) -> Result<Option<Figure>, StoreError> {
    let Some(series) = layout.series else {
        return Ok(None);
    };
    let (x_axis, y_axis) = (layout.x_axis(&info.axes), &info.axes[series]);
    let (x, y) = (AxisScale::of(x_axis), AxisScale::of(y_axis));
    let mut panels: BTreeMap<&[usize], Cells> = BTreeMap::new();
    for ((panel, curve, at), e) in points {
        let cells = panels.entry(panel).or_default();
        let place = (x.places[*at], y.places[*curve]);
        match e.mean <= limit {
            true => cells.within.push(place),
            false => cells.beyond.push(place),
        }
    }
    let names = words::axes(info.axes.iter().map(|a| a.path.as_str()), language);
    let all = panels.len();
    let titled = panels.into_iter().take(MOST_PANELS).map(|(values, cells)| {
        let fixed = layout.panels.iter().zip(values);
        let title = fixed
            .map(|(&axis, &at)| format!("{} = {}", names[axis].name, info.axes[axis].values[at]));
        Panel {
            title: title.collect(),
            marks: marks(cells),
        }
    });
    let title = language.sentence(&say!(
        language,
        "{} by {} and {}",
        "{}，按{}和{}",
        words::metric_in(&wanted.metric, language),
        names[layout.x].name,
        names[series].name
    ));
    let log = (wanted.log.0 && x.takes_log(), wanted.log.1 && y.takes_log());
    let chart = Chart {
        title: &title,
        x_label: &label(&names[layout.x].name, &x),
        y_label: &label(&names[series].name, &y),
        x: if log.0 { x.log_ends() } else { x.ends() },
        log,
        categories: &x.names,
        panels: titled.collect(),
        style: wanted.style,
        ..Chart::default()
    };
    let more = match all.saturating_sub(MOST_PANELS) {
        0 => String::new(),
        n => say!(
            language,
            " {n} more panels are not drawn.",
            " 另有 {n} 个分图未画。"
        ),
    };
    let limit_text = format::metric(&wanted.metric, limit);
    Ok(Some(Figure {
        name: name_of(wanted, &x_axis.path),
        svg: chart.svg()?,
        caption: say!(
            language,
            "{title}: green where {} is at most {limit_text} (the mean over replicas), red where it is more.{more}",
            "{title}：绿色处 {} 不超过 {limit_text}（各次重复的平均值），红色处超过。{more}",
            wanted.metric
        ),
        title,
        csv: numbers(wanted, (x_axis, y_axis), points, limit),
    }))
}

fn marks(cells: Cells) -> Vec<Mark> {
    let dots = [
        ("within the limit", GREEN, cells.within),
        ("beyond it", VERMILION, cells.beyond),
    ];
    let drawn = dots.into_iter().filter(|(.., points)| !points.is_empty());
    drawn
        .map(|(label, colour, points)| Mark::Dots {
            label: label.to_owned(),
            colour,
            points,
        })
        .collect()
}

/// The label of an axis, with its unit or the meaning of its positions.
fn label(name: &str, scale: &AxisScale) -> String {
    if scale.names.is_empty() {
        return match scale.unit {
            "" => name.to_owned(),
            unit => format!("{name} ({unit})"),
        };
    }
    let places = scale.names.iter().enumerate();
    let each: Vec<String> = places.map(|(i, value)| format!("{i}: {value}")).collect();
    format!("{name} ({})", each.join(", "))
}

fn numbers(wanted: &MetricFigure, (x, y): (&Axis, &Axis), points: &Points, limit: f64) -> String {
    let mut csv = Csv::new([x.path.as_str(), y.path.as_str(), &wanted.metric, "within"]);
    for ((_, curve, at), e) in points {
        csv.text(&x.values[*at]);
        csv.text(&y.values[*curve]);
        csv.number(e.mean);
        csv.text(if e.mean <= limit { "yes" } else { "no" });
        csv.end();
    }
    csv.finish()
}
