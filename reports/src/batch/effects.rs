//! Main effects: how the mean of a metric over all runs changes with each swept parameter and, for
//! samples, the share of the variance that each parameter explains.

use std::collections::BTreeMap;

use super::variants::variants;
use super::{Axis, BatchRow, Unit};
use crate::format;
use crate::stats::{Estimate, FirstOrder, first_order};
use crate::words;

/// Number of equal-sized classes of points into which a sample is divided; the first is compared
/// with the last.
const CLASSES: usize = 5;

/// The effect of a swept parameter on a metric.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Effect {
    /// The parameter in words.
    pub(crate) name: String,
    /// Its dotted path.
    pub(crate) path: String,
    /// The values compared, in words, each with the mean of the metric over all runs with that
    /// value: for numbers the lowest and the highest, for names those with the smallest and the
    /// largest mean.
    pub(crate) from: (String, f64),
    pub(crate) to: (String, f64),
    /// The second mean minus the first.
    pub(crate) difference: Estimate,
    /// The first-order Sobol index; for samples only.
    pub(crate) share: Option<FirstOrder>,
}

/// The effects of all swept parameters with at least two values, the largest first.
pub(crate) fn effects(axes: &[Axis], rows: &[BatchRow], metric: &str) -> Vec<Effect> {
    let names = words::axes(axes.iter().map(|a| a.path.as_str()));
    let mut found: Vec<Effect> = Vec::new();
    for (i, axis) in axes.iter().enumerate() {
        if is_sample(axis) {
            found.extend(of_sample(axes, i, rows, metric));
        } else if let Some(effect) = of_axis(axes, i, rows, metric) {
            found.push(Effect {
                name: names[i].name.clone(),
                ..effect
            });
        }
    }
    let size = |e: &Effect| e.difference.mean.abs();
    found.sort_by(|a, b| size(b).total_cmp(&size(a)));
    found
}

/// True for the axis of a sample: its values only number the points.
pub(crate) fn is_sample(axis: &Axis) -> bool {
    axis.path == "sample" && !axis.companions.is_empty()
}

/// The effect of an axis of a grid, from the means by replica and value over the other axes.
fn of_axis(axes: &[Axis], place: usize, rows: &[BatchRow], metric: &str) -> Option<Effect> {
    let axis = &axes[place];
    // Sum and number of values, by value and replica.
    let mut sums: BTreeMap<(usize, u32), (f64, f64)> = BTreeMap::new();
    for row in rows.iter().filter(|r| r.status.is_ok()) {
        let value = row.values.get(place).and_then(|v| axis.place(v));
        if let (Some(value), Some(y)) = (value, row.metrics.get(metric)) {
            let sum = sums.entry((value, row.replica)).or_default();
            *sum = (sum.0 + y, sum.1 + 1.0);
        }
    }
    let mut means: BTreeMap<usize, BTreeMap<u32, f64>> = BTreeMap::new();
    for ((value, replica), (sum, n)) in sums {
        means.entry(value).or_default().insert(replica, sum / n);
    }
    let mean = |of: &BTreeMap<u32, f64>| of.values().sum::<f64>() / of.len() as f64;
    let by = |value: &usize, of: &BTreeMap<u32, f64>| match axis.numbers() {
        Some(numbers) => numbers[*value],
        None => mean(of),
    };
    let order = |a: &(&usize, &BTreeMap<u32, f64>), b: &(&usize, &BTreeMap<u32, f64>)| {
        by(a.0, a.1).total_cmp(&by(b.0, b.1))
    };
    let (first, from) = means.iter().min_by(order)?;
    let (last, to) = means.iter().max_by(order)?;
    if first == last {
        return None;
    }
    // Replicas are independent of each other; runs of the same replica share random numbers.
    let pairs = to
        .iter()
        .filter_map(|(replica, y)| Some(y - from.get(replica)?));
    let pairs: Vec<f64> = pairs.collect();
    Some(Effect {
        name: String::new(),
        path: axis.path.clone(),
        from: (axis.values[*first].clone(), mean(from)),
        to: (axis.values[*last].clone(), mean(to)),
        difference: Estimate::of_values(&pairs, (f64::NEG_INFINITY, f64::INFINITY))?,
        share: None,
    })
}

/// The effects of the parameters of a sample, from the means of its points.
fn of_sample(axes: &[Axis], place: usize, rows: &[BatchRow], metric: &str) -> Vec<Effect> {
    let mut points: BTreeMap<usize, (f64, f64)> = BTreeMap::new();
    for variant in variants(rows) {
        let point = variant.values.get(place).and_then(|v| axes[place].place(v));
        if let (Some(point), Some(of)) = (point, variant.estimate(metric)) {
            let sum = points.entry(point).or_default();
            *sum = (sum.0 + of.mean, sum.1 + 1.0);
        }
    }
    let points: Vec<(usize, f64)> = points
        .into_iter()
        .map(|(p, (sum, n))| (p, sum / n))
        .collect();
    let columns = &axes[place].companions;
    let names = words::axes(columns.iter().map(|a| a.path.as_str()));
    let each = columns.iter().zip(names);
    each.filter_map(|(column, name)| of_column(column, &name.name, &points))
        .collect()
}

/// The effect of a parameter on the results of points.
fn of_column(column: &Axis, name: &str, points: &[(usize, f64)]) -> Option<Effect> {
    let number = |point: usize| match column.numbers() {
        Some(numbers) => numbers[point],
        // For names, the order in which they first occur.
        None => column.place(&column.values[point]).unwrap_or(0) as f64,
    };
    let x: Vec<f64> = points.iter().map(|(point, _)| number(*point)).collect();
    let y: Vec<f64> = points.iter().map(|(_, y)| *y).collect();
    let (from, to) = match column.numbers() {
        Some(_) => ends(column, points, &x)?,
        None => extremes(column, points)?,
    };
    Some(Effect {
        name: name.to_owned(),
        path: column.path.clone(),
        difference: difference(&from.1, &to.1)?,
        from: (from.0, mean(&from.1)),
        to: (to.0, mean(&to.1)),
        share: first_order(&x, &y),
    })
}

/// A class of points in words, and their results.
type PointClass = (String, Vec<f64>);

/// The fifths of the points with the lowest and with the highest numbers.
fn ends(column: &Axis, points: &[(usize, f64)], x: &[f64]) -> Option<(PointClass, PointClass)> {
    let size = points.len() / CLASSES;
    if size == 0 {
        return None;
    }
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.sort_by(|&a, &b| x[a].total_cmp(&x[b]));
    let class = |of: &[usize]| -> PointClass {
        let value = |i: usize| words_of(column, x[of[i]]);
        let words = match (value(0), value(of.len() - 1)) {
            (first, last) if first == last => first,
            (first, last) => format!("{first} to {last}"),
        };
        (words, of.iter().map(|&i| points[i].1).collect())
    };
    let (low, high) = (&order[..size], &order[order.len() - size..]);
    (x[low[0]] < x[high[size - 1]]).then(|| (class(low), class(high)))
}

/// A number of a column with its unit, to about three digits: the values of a sample have many.
fn words_of(column: &Axis, value: f64) -> String {
    match column.unit() {
        Unit::One => format::number(value),
        Unit::Seconds => format::seconds(value),
        Unit::PerSecond => format!("{} /s", format::number(value)),
        Unit::BitsPerSecond => format::bit_rate(value),
        Unit::Bytes => format::bytes(value),
        Unit::Packets => format!("{} packets", format::number(value)),
    }
}

/// The points with the name that has the smallest mean, and with the name that has the largest.
fn extremes(column: &Axis, points: &[(usize, f64)]) -> Option<(PointClass, PointClass)> {
    let mut classes: BTreeMap<&String, Vec<f64>> = BTreeMap::new();
    for (point, y) in points {
        classes.entry(&column.values[*point]).or_default().push(*y);
    }
    let order =
        |a: &(&&String, &Vec<f64>), b: &(&&String, &Vec<f64>)| mean(a.1).total_cmp(&mean(b.1));
    let least = classes.iter().min_by(order)?;
    let most = classes.iter().max_by(order)?;
    let class = |(name, values): (&&String, &Vec<f64>)| ((*name).clone(), values.clone());
    (least.0 != most.0).then(|| (class(least), class(most)))
}

/// The difference of the means of two independent groups, with Student's t for their common variance.
fn difference(from: &[f64], to: &[f64]) -> Option<Estimate> {
    let (n, m) = (from.len(), to.len());
    if n == 0 || m == 0 {
        return None;
    }
    let squares = |of: &[f64]| {
        let mean = mean(of);
        of.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>()
    };
    let by = mean(to) - mean(from);
    let interval = (n + m > 2).then(|| {
        let variance = (squares(from) + squares(to)) / (n + m - 2) as f64;
        let error = (variance * (1.0 / n as f64 + 1.0 / m as f64)).sqrt();
        let half = crate::stats::student_t_975(n + m - 2) * error;
        (by - half, by + half)
    });
    Some(Estimate {
        n: n + m,
        mean: by,
        interval,
    })
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{AxisValues, RunStatus};

    fn numbers(path: &str, values: &[f64]) -> Axis {
        Axis {
            path: path.into(),
            values: values.iter().map(f64::to_string).collect(),
            typed: AxisValues::Numbers {
                unit: Unit::One,
                values: values.to_vec(),
            },
            ..Axis::default()
        }
    }

    fn row(values: &[&str], replica: u32, y: f64) -> BatchRow {
        BatchRow {
            values: values.iter().map(|v| (*v).to_owned()).collect(),
            replica,
            status: RunStatus::Ok,
            metrics: [("goodput_bps".to_owned(), y)].into(),
            ..BatchRow::default()
        }
    }

    #[test]
    fn effects_of_a_grid_are_differences_of_means_over_the_rest() {
        let names = Axis {
            path: "tcp.congestion".into(),
            values: vec!["a".into(), "b".into()],
            ..Axis::default()
        };
        let axes = [numbers("x", &[1.0, 2.0, 3.0]), names];
        let mut rows = Vec::new();
        for replica in 0..4 {
            // What the runs of a replica have in common must not widen the intervals.
            let common = f64::from(replica) * 50.0;
            for x in [1.0, 2.0, 3.0] {
                for (name, own) in [("a", 7.0), ("b", 0.0)] {
                    let jitter = 0.1 * f64::from(replica % 2) * x;
                    let y = 10.0 * x + own + common + jitter;
                    rows.push(row(&[&x.to_string(), name], replica, y));
                }
            }
        }
        let found = effects(&axes, &rows, "goodput_bps");
        assert_eq!(found.len(), 2);
        assert_eq!(
            (found[0].path.as_str(), found[0].from.0.as_str()),
            ("x", "1")
        );
        let of_x = found[0].difference;
        assert!((of_x.mean - 20.1).abs() < 1e-9, "{of_x:?}");
        let (low, high) = of_x.interval.unwrap();
        assert!(high - low < 1.0 && low < 20.1 && 20.1 < high);
        // For names, from the smallest mean to the largest.
        assert_eq!(
            (found[1].from.0.as_str(), found[1].to.0.as_str()),
            ("b", "a")
        );
        assert!((found[1].difference.mean - 7.0).abs() < 1e-9);
        assert_eq!(found[1].share, None);
    }

    #[test]
    fn a_sample_shows_which_parameter_decides() {
        let n = 400;
        let place = |i: usize, step: usize| (i * step % n) as f64 / n as f64;
        let (a, b): (Vec<f64>, Vec<f64>) = (0..n).map(|i| (place(i, 1), place(i, 147))).unzip();
        let count: Vec<f64> = (1..=n).map(|i| i as f64).collect();
        let axis = Axis {
            companions: vec![numbers("strong", &a), numbers("weak", &b)],
            ..numbers("sample", &count)
        };
        let rows: Vec<BatchRow> = (0..n)
            .map(|i| row(&[&axis.values[i]], 0, 3.0 * a[i] + b[i]))
            .collect();
        let found = effects(&[axis], &rows, "goodput_bps");
        assert_eq!(found[0].path, "strong");
        // The fifths lie 0.8 apart: 2.4 and 0.8.
        assert!((found[0].difference.mean - 2.4).abs() < 0.1, "{found:?}");
        let shares: Vec<f64> = found.iter().map(|e| e.share.unwrap().index).collect();
        assert!((shares[0] - 0.9).abs() < 0.03, "{shares:?}");
        assert!((shares[1] - 0.1).abs() < 0.03, "{shares:?}");
        assert!(found[1].difference.interval.is_some());
    }
}
