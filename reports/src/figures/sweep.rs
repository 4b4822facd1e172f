//! A metric against a swept value, with intervals over replicas.

use std::collections::BTreeMap;

use super::Figure;
use super::chart::{Chart, Mark};
use super::csv::Csv;
use super::style::SERIES;
use crate::batch::variants::{estimate, main_axis, numbers};
use crate::batch::{BatchInfo, BatchRow, MetricFigure};
use crate::metrics;
use crate::store::StoreError;
use crate::words::{self, sentence};

/// An axis as numbers with a common unit, or as names.
struct Scale {
    places: Vec<f64>,
    unit: String,
    names: Vec<String>,
}

impl Scale {
    fn of(values: &[String]) -> Scale {
        if let Some((places, unit)) = numbers(values) {
            return Scale {
                places,
                unit: unit.to_owned(),
                names: Vec::new(),
            };
        }
        Scale {
            places: (0..values.len()).map(|i| i as f64).collect(),
            unit: String::new(),
            names: values.to_vec(),
        }
    }

    fn ends(&self) -> (f64, f64) {
        let low = self.places.iter().copied().fold(f64::INFINITY, f64::min);
        let high = self
            .places
            .iter()
            .copied()
            .fold(f64::NEG_INFINITY, f64::max);
        if !self.names.is_empty() || low > high {
            return (-0.5, self.places.len() as f64 - 0.5);
        }
        let room = (high - low) * 0.05;
        (low - room, high + room)
    }
}

/// Figures asked for, or else one for each of our `own` metrics.
pub(crate) fn figures(
    info: &BatchInfo,
    rows: &[BatchRow],
    own: &[String],
) -> Result<Vec<Figure>, StoreError> {
    if info.axes.is_empty() {
        return Ok(Vec::new());
    }
    let own: Vec<MetricFigure> = own
        .iter()
        .map(|metric| MetricFigure {
            metric: metric.clone(),
            ..MetricFigure::default()
        })
        .collect();
    let wanted = if info.figures.is_empty() {
        &own
    } else {
        &info.figures
    };
    let drawn = wanted.iter().map(|w| figure(info, rows, w));
    let drawn: Vec<Option<Figure>> = drawn.collect::<Result<_, _>>()?;
    Ok(drawn.into_iter().flatten().collect())
}

fn figure(
    info: &BatchInfo,
    rows: &[BatchRow],
    wanted: &MetricFigure,
) -> Result<Option<Figure>, StoreError> {
    let x_axis = info
        .axes
        .iter()
        .position(|a| a.path == wanted.x)
        .or(main_axis(info))
        .unwrap_or(0);
    let Some(axis) = info.axes.get(x_axis) else {
        return Ok(None);
    };
    let chosen = info
        .axes
        .iter()
        .position(|a| a.path == wanted.series && !wanted.series.is_empty());
    let scale = Scale::of(&axis.values);
    let axes = words::axes(info.axes.iter().map(|a| a.path.as_str()));
    let name = words::metric(&wanted.metric);
    let mut largest = 0.0_f64;
    // (series, x) -> values of the metric, in the order of the runs.
    let mut series: Vec<String> = Vec::new();
    let mut values: BTreeMap<(usize, usize), Vec<&BatchRow>> = BTreeMap::new();
    for row in rows.iter().filter(|r| r.status == "ok") {
        let Some(x) = row.values.get(x_axis) else {
            continue;
        };
        let Some(&value) = row.metrics.get(&wanted.metric) else {
            continue;
        };
        largest = largest.max(value.abs());
        let Some(x) = axis.values.iter().position(|v| v == x) else {
            continue;
        };
        let of_series = |i: &usize| chosen.map_or(*i != x_axis, |c| c == *i);
        let label: Vec<String> = (0..row.values.len())
            .filter(of_series)
            .filter_map(|i| Some(format!("{} = {}", axes.get(i)?.name, row.values[i])))
            .collect();
        let label = label.join(", ");
        let place = series.iter().position(|s| *s == label).unwrap_or_else(|| {
            series.push(label);
            series.len() - 1
        });
        values.entry((place, x)).or_default().push(row);
    }
    if values.is_empty() {
        return Ok(None);
    }
    let (unit, factor) = metrics::kind(&wanted.metric).axis(largest);
    let mut csv = Csv::new([&axis.path, "series", "n", "mean", "low", "high"]);
    let mut marks = Vec::new();
    let mut replicated = false;
    for (s, label) in series.iter().enumerate() {
        let mut points = Vec::new();
        for (x, value) in axis.values.iter().enumerate() {
            let Some(e) = values
                .get(&(s, x))
                .and_then(|rows| estimate(rows.iter().copied(), &wanted.metric))
            else {
                continue;
            };
            let (low, high) = e.ends();
            replicated |= e.interval.is_some();
            let drawn = [low, e.mean, high].map(|y| y * factor);
            points.push((scale.places[x], drawn[0], drawn[1], drawn[2]));
            csv.text(value);
            csv.text(label);
            csv.row([e.n as f64, e.mean, low, high]);
        }
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        marks.push(Mark::Intervals {
            label: label.clone(),
            colour: SERIES[s % SERIES.len()],
            points,
        });
    }
    let with_unit = |name: &str, unit: &str| match unit {
        "" => name.to_owned(),
        unit => format!("{name} ({unit})"),
    };
    let steady = if words::is_steady(&wanted.metric) {
        ", steady window"
    } else {
        ""
    };
    let x_name = axes.get(x_axis).map_or("", |a| a.name.as_str());
    let x_label = with_unit(x_name, &scale.unit);
    let y_label = with_unit(&name, unit);
    let title = sentence(&format!("{name}{steady}, by {x_name}"));
    let chart = Chart {
        title: &title,
        x_label: &x_label,
        y_label: &y_label,
        x: scale.ends(),
        categories: &scale.names,
        marks,
    };
    let intervals = if replicated {
        " Points are means over replicas, bars their 95 % intervals (Student's t)."
    } else {
        " One replica each: no intervals."
    };
    Ok(Some(Figure {
        name: name_of(wanted, &axis.path),
        svg: chart.svg()?,
        caption: format!("{title}: {} by {}.{intervals}", wanted.metric, axis.path),
        title,
        csv: csv.finish(),
    }))
}

/// The name asked for, "metric", or "metric-by-axis".
fn name_of(wanted: &MetricFigure, axis: &str) -> String {
    super::file_name(&match (wanted.name.as_str(), wanted.x.as_str()) {
        ("", "") => wanted.metric.clone(),
        ("", _) => format!("{}-by-{axis}", wanted.metric),
        (name, _) => name.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_of_one_unit_are_numbers_and_others_are_names() {
        let list = |v: &[&str]| v.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        let rates = Scale::of(&list(&["300/s", "450/s", "1e3/s"]));
        assert_eq!(
            (rates.places, rates.unit.as_str()),
            (vec![300.0, 450.0, 1000.0], "/s")
        );
        let mixed = Scale::of(&list(&["5 ms", "1 s"]));
        assert_eq!((mixed.places, mixed.names.len()), (vec![0.0, 1.0], 2));
        assert_eq!(Scale::of(&list(&["cubic", "bbr"])).ends(), (-0.5, 1.5));
        assert_eq!(Scale::of(&[]).ends(), (-0.5, -0.5));
    }
}
