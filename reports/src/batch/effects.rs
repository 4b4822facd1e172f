//! Main effects: how the mean of a metric over all runs changes with each swept parameter and, for
//! samples, the share of the variance that each parameter explains.

use std::collections::{BTreeMap, HashMap};

use super::variants::variants;
use super::{Axis, BatchRow};
use crate::bilingual::Language;
use crate::stats::{Estimate, SobolIndex, SobolIndices, first_order, saltelli};
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
    pub(crate) share: Option<SobolIndex>,
    /// The total Sobol index; for Saltelli designs only.
    pub(crate) total: Option<SobolIndex>,
}

/// The effects of all swept parameters with at least two values, the largest first: by total index if there is one,
/// otherwise by the difference.
pub(crate) fn effects(
    axes: &[Axis],
    rows: &[BatchRow],
    metric: &str,
    language: Language,
) -> Vec<Effect> {
    let names = words::axes(axes.iter().map(|a| a.path.as_str()), language);
    let mut found: Vec<Effect> = Vec::new();
    for (i, axis) in axes.iter().enumerate() {
        if is_sample(axis) {
            found.extend(of_sample(axes, i, rows, metric, language));
        } else if let Some(effect) = of_axis(axes, i, rows, metric) {
            found.push(Effect {
                name: names[i].name.clone(),
                ..effect
            });
        }
    }
    let size = |e: &Effect| (e.total.map_or(0.0, |t| t.index), e.difference.mean.abs());
    found.sort_by(|a, b| {
        let (a, b) = (size(a), size(b));
        b.0.total_cmp(&a.0).then(b.1.total_cmp(&a.1))
    });
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
        total: None,
    })
}

/// The effects of the parameters of a sample, from the means of its points.
fn of_sample(
    axes: &[Axis],
    place: usize,
    rows: &[BatchRow],
    metric: &str,
    language: Language,
) -> Vec<Effect> {
    let axis = &axes[place];
    let mut points: BTreeMap<usize, (f64, f64)> = BTreeMap::new();
    for variant in variants(rows) {
        let point = variant.values.get(place).and_then(|v| axis.place(v));
        if let (Some(point), Some(of)) = (point, variant.estimate(metric)) {
            let sum = points.entry(point).or_default();
            *sum = (sum.0 + of.mean, sum.1 + 1.0);
        }
    }
    let mut points: Vec<(usize, f64)> = points
        .into_iter()
        .map(|(p, (sum, n))| (p, sum / n))
        .collect();
    let design = axis.base_points.map(|_| Design::new(axis, &points));
    if let Some(design) = &design {
        points.clone_from(&design.independent);
    }
    let columns = &axis.companions;
    let names = words::axes(columns.iter().map(|a| a.path.as_str()), language);
    let each = columns.iter().zip(names).enumerate();
    each.filter_map(|(i, (column, name))| {
        let effect = of_column(column, &name.name, &points)?;
        let Some(design) = &design else {
            return Some(effect);
        };
        let own = design.indices.as_ref().and_then(|all| all.get(i));
        Some(Effect {
            share: own.map(|i| i.first),
            total: own.map(|i| i.total),
            ..effect
        })
    })
    .collect()
}

/// The results of a Saltelli design.
struct Design {
    /// The points A and B, which are independent of each other, without repetitions.
    independent: Vec<(usize, f64)>,
    /// The indices of each parameter; `None` if too few base points have all their results.
    indices: Option<Vec<SobolIndices>>,
}

impl Design {
    fn new(axis: &Axis, points: &[(usize, f64)]) -> Design {
        let width = axis.companions.len() + 2;
        // Points are numbered from 1. Some may be missing, because their runs failed or a filter left them out.
        let number = |place: usize| axis.values[place].parse::<usize>().map_or(0, |n| n - 1);
        let values = |place: usize| -> Vec<&str> {
            let columns = axis.companions.iter();
            columns.map(|c| c.values[place].as_str()).collect()
        };
        // Equal points have one run.
        let by_values: HashMap<Vec<&str>, f64> =
            points.iter().map(|&(at, y)| (values(at), y)).collect();
        let mut rows: BTreeMap<usize, Vec<Option<f64>>> = BTreeMap::new();
        for place in 0..axis.values.len() {
            let (base, of) = (number(place) / width, number(place) % width);
            let row = rows.entry(base).or_insert_with(|| vec![None; width]);
            row[of] = by_values.get(&values(place)).copied();
        }
        let whole = rows.values();
        let whole = whole.map(|row| row.iter().copied().collect::<Option<Vec<f64>>>());
        let whole: Vec<Vec<f64>> = whole.flatten().collect();
        let rows: Vec<&[f64]> = whole.iter().map(Vec::as_slice).collect();
        let is_independent = |&&(place, _): &&(usize, f64)| number(place) % width < 2;
        Design {
            independent: points.iter().filter(is_independent).copied().collect(),
            indices: saltelli(&rows),
        }
    }
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
        total: None,
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
        let value = |i: usize| column.in_words(x[of[i]]);
        let words = match (value(0), value(of.len() - 1)) {
            (first, last) if first == last => first,
            (first, last) => format!("{first} to {last}"),
        };
        (words, of.iter().map(|&i| points[i].1).collect())
    };
    let (low, high) = (&order[..size], &order[order.len() - size..]);
    (x[low[0]] < x[high[size - 1]]).then(|| (class(low), class(high)))
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
    use crate::batch::{AxisValues, RunStatus, Unit};

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
        let found = effects(&axes, &rows, "goodput_bps", Language::English);
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
        let found = effects(&[axis], &rows, "goodput_bps", Language::English);
        assert_eq!(found[0].path, "strong");
        // The fifths lie 0.8 apart: 2.4 and 0.8.
        assert!((found[0].difference.mean - 2.4).abs() < 0.1, "{found:?}");
        let shares: Vec<f64> = found.iter().map(|e| e.share.unwrap().index).collect();
        assert!((shares[0] - 0.9).abs() < 0.03, "{shares:?}");
        assert!((shares[1] - 0.1).abs() < 0.03, "{shares:?}");
        assert!(found[1].difference.interval.is_some());
    }

    /// A design of two parameters, y = (1 + a) (1 + 2 b): the rows, without those of `missing` base points.
    fn design(base_points: usize, missing: usize) -> (Axis, Vec<BatchRow>) {
        let mut state = 0u64;
        let mut uniform = || {
            state += 1;
            (sim_core::rng::mix(state) >> 11) as f64 / (1u64 << 53) as f64
        };
        let (mut a, mut b) = (Vec::new(), Vec::new());
        for _ in 0..base_points {
            let (a0, a1, b0, b1) = (uniform(), uniform(), uniform(), uniform());
            a.extend([a0, b0, b0, a0]);
            b.extend([a1, b1, a1, b1]);
        }
        let count: Vec<f64> = (1..=a.len()).map(|i| i as f64).collect();
        let axis = Axis {
            companions: vec![numbers("a", &a), numbers("b", &b)],
            base_points: Some(base_points),
            ..numbers("sample", &count)
        };
        let rows = (4 * missing..a.len())
            .map(|i| row(&[&axis.values[i]], 0, (1.0 + a[i]) * (1.0 + 2.0 * b[i])))
            .collect();
        (axis, rows)
    }

    #[test]
    fn a_design_has_total_indices_of_each_parameter() {
        let (axis, rows) = design(2000, 7);
        let found = effects(
            std::slice::from_ref(&axis),
            &rows,
            "goodput_bps",
            Language::English,
        );
        // Relative variances of the factors: 1/12 / 1.5^2 and 4/12 / 2^2.
        let (va, vb) = (1.0 / 27.0, 1.0 / 12.0);
        let all = (1.0 + va) * (1.0 + vb) - 1.0;
        for (effect, path, v, other) in [(&found[0], "b", vb, va), (&found[1], "a", va, vb)] {
            assert_eq!(effect.path, path);
            let (first, total) = (effect.share.unwrap(), effect.total.unwrap());
            // Three standard errors.
            assert!((first.index - v / all).abs() < 0.066, "{first:?}");
            assert!(
                (total.index - v * (1.0 + other) / all).abs() < 0.066,
                "{total:?}"
            );
        }
        let total: f64 = found.iter().map(|e| e.total.unwrap().index).sum();
        assert!(total > 1.0, "both have the interaction: {total}");
        // Differences are those of the independent points only.
        let ends = found[0].difference.n;
        assert!(ends <= 2 * 2 * (2000 - 7) / CLASSES + 2, "{ends}");
        // Too few base points have differences, but no indices.
        let (axis, rows) = design(70, 7);
        let found = effects(&[axis], &rows, "goodput_bps", Language::English);
        assert_eq!((found[0].share, found[0].total), (None, None));
        assert!(found[0].difference.interval.is_some());
    }

    #[test]
    fn equal_points_of_a_design_share_one_result() {
        // Eleven values of each parameter: many points repeat others, and only the first has a run.
        let (axis, _) = design(400, 0);
        let coarse = |column: &Axis| {
            let values: Vec<f64> = column
                .numbers()
                .unwrap()
                .iter()
                .map(|v| (v * 10.0).round() / 10.0)
                .collect();
            numbers(&column.path, &values)
        };
        let axis = Axis {
            companions: axis.companions.iter().map(coarse).collect(),
            ..axis
        };
        let (a, b) = (&axis.companions[0], &axis.companions[1]);
        let mut seen = std::collections::HashSet::new();
        let each = (0..axis.values.len()).filter(|&i| seen.insert((&a.values[i], &b.values[i])));
        let rows: Vec<BatchRow> = each
            .map(|i| {
                let (a, b) = (a.numbers().unwrap()[i], b.numbers().unwrap()[i]);
                row(&[&axis.values[i]], 0, a + 3.0 * b)
            })
            .collect();
        assert!(rows.len() <= 121, "{}", rows.len());
        let found = effects(
            std::slice::from_ref(&axis),
            &rows,
            "goodput_bps",
            Language::English,
        );
        let total = |i: usize| found[i].total.unwrap();
        assert_eq!((found[0].path.as_str(), found[1].path.as_str()), ("b", "a"));
        assert!((total(0).index - 0.9).abs() < 0.15, "{:?}", total(0));
        assert!((total(1).index - 0.1).abs() < 0.02, "{:?}", total(1));
    }
}
