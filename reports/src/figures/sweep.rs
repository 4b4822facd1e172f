//! A metric against a swept value: means over replicas with their intervals, one curve for each
//! value of a second axis, one panel for each combination of the others.

mod axis_scale;
mod distribution;
mod effects;
mod phase;
mod pooled;
mod remedies;
mod theory;
mod tradeoff;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::chart::{Chart, Mark, Panel};
use super::style::SERIES;
use super::{Drawn, Figure};
use crate::batch::effects::is_sample;
use crate::batch::variants::estimate;
use crate::batch::{
    Axis, AxisValues, BatchInfo, BatchRow, FigureStyle, Layout, MOST_CURVES, MOST_PANELS,
    MetricFigure, is_comparable,
};
use crate::bilingual::{Language, say};
use crate::csv::Csv;
use crate::metrics;
use crate::stats::Estimate;
use crate::store::StoreError;
use crate::words::{self, AxisWords};
use axis_scale::AxisScale;

/// The requested figures, or one for each metric in `own`. A figure that fails affects no other.
pub(crate) fn figures(
    info: &BatchInfo,
    rows: &[BatchRow],
    own: &[String],
    language: Language,
) -> Drawn {
    let of_sample = info.axes.iter().any(is_sample);
    let kinds: &[bool] = if of_sample { &[false, true] } else { &[false] };
    let own = own.iter().flat_map(|metric| {
        kinds.iter().map(|&effects| MetricFigure {
            metric: metric.clone(),
            effects,
            ..MetricFigure::default()
        })
    });
    let wanted: Vec<MetricFigure> = if info.figures.is_empty() {
        own.collect()
    } else {
        info.figures.clone()
    };
    let mut drawn = Drawn::default();
    let place = Path::new("batch.json");
    let remedies = drawn.part("figure remedies", place, || {
        Ok(remedies::figure(info, rows, language))
    });
    drawn.figures.extend(remedies);
    drawn.extend(each(&wanted, |wanted| figure(info, rows, wanted, language)));
    drawn
}

/// Draws each figure independently.
fn each(
    wanted: &[MetricFigure],
    draw: impl Fn(&MetricFigure) -> Result<Option<Figure>, StoreError>,
) -> Drawn {
    let mut drawn = Drawn::default();
    for wanted in wanted {
        let what = match wanted.name.as_str() {
            "" => format!("figure of {}", wanted.metric),
            name => format!("figure {name}"),
        };
        let made = drawn.part(&what, Path::new("batch.json"), || draw(wanted));
        drawn.figures.extend(made);
    }
    drawn
}

/// A figure; `None` if no run has its metric, or one of its axes is not swept.
pub(crate) fn figure(
    info: &BatchInfo,
    rows: &[BatchRow],
    wanted: &MetricFigure,
    language: Language,
) -> Result<Option<Figure>, StoreError> {
    let Some(layout) = Layout::new(&info.axes, wanted) else {
        return Ok(None);
    };
    if !is_comparable(&wanted.metric, rows) {
        return Err(StoreError::Figure {
            figure: wanted.name.clone(),
            why: format!(
                "{} counts over the steady window of each run, and their lengths differ (steady_from_s \
                 and steady_to_s in index.csv); draw a share, such as connects_failed_share_steady",
                wanted.metric
            ),
        });
    }
    if wanted.effects {
        return effects::figure(info, rows, wanted, &layout, language);
    }
    if let Some(distribution) = wanted.distribution {
        if metrics::POOLED.contains(&wanted.metric.as_str()) {
            return pooled::figure(info, rows, wanted, &layout, (distribution, language));
        }
        return distribution::figure(info, rows, wanted, &layout, (distribution, language));
    }
    let points = points(info, rows, wanted, &wanted.metric, &layout);
    if points.is_empty() {
        return Ok(None);
    }
    if let Some(limit) = wanted.limit {
        return phase::figure(info, wanted, &layout, &points, (limit, language));
    }
    if !wanted.against.is_empty() {
        let across = self::points(info, rows, wanted, &wanted.against, &layout);
        return tradeoff::figure(info, wanted, &layout, (&points, &across), language);
    }
    let sweep = Sweep {
        info,
        wanted,
        axes: words::axes(info.axes.iter().map(|a| a.path.as_str()), language),
        run: groups(info, rows, &layout)
            .into_keys()
            .map(|(.., x)| x)
            .collect(),
        layout,
        points,
        language,
    };
    sweep.figure().map(Some)
}

/// Number of curves drawn of more than [`MOST_CURVES`].
const FEW_CURVES: usize = 8;

/// Estimates by panel, curve and position along x.
type Points = BTreeMap<(Vec<usize>, usize, usize), Estimate>;

/// A point in the units of the axes: x, low, mean, high.
type PlotPoint = (f64, f64, f64, f64);

/// The complete runs at each panel, curve and position along x: replicas of each other.
fn groups<'a>(
    info: &BatchInfo,
    rows: &'a [BatchRow],
    layout: &Layout,
) -> BTreeMap<(Vec<usize>, usize, usize), Vec<&'a BatchRow>> {
    let mut groups: BTreeMap<(Vec<usize>, usize, usize), Vec<&BatchRow>> = BTreeMap::new();
    for row in rows.iter().filter(|r| r.status.is_ok()) {
        let place = |axis: usize| info.axes[axis].place(row.values.get(axis)?);
        let wanted = layout
            .only
            .iter()
            .all(|&(axis, at)| place(axis) == Some(at));
        let panel: Option<Vec<usize>> = layout.panels.iter().map(|&i| place(i)).collect();
        let curve = layout.series.map_or(Some(0), place);
        if let (true, Some(panel), Some(curve), Some(x)) = (wanted, panel, curve, place(layout.x)) {
            groups.entry((panel, curve, x)).or_default().push(row);
        }
    }
    groups
}

/// Pools the complete runs over replicas only.
fn points(
    info: &BatchInfo,
    rows: &[BatchRow],
    wanted: &MetricFigure,
    metric: &str,
    layout: &Layout,
) -> Points {
    let of = |rows: Vec<&BatchRow>| match wanted.quantile {
        None => estimate(rows.into_iter(), metric),
        Some(q) => {
            let values = rows.iter().filter_map(|r| r.metrics.get(metric));
            Estimate::of_quantile(&values.collect::<Vec<f64>>(), q)
        }
    };
    let groups = groups(info, rows, layout).into_iter();
    let estimates = groups.map(|(key, rows)| (key, of(rows)));
    estimates.filter_map(|(key, e)| Some((key, e?))).collect()
}

/// A figure being drawn.
struct Sweep<'a> {
    info: &'a BatchInfo,
    wanted: &'a MetricFigure,
    axes: Vec<AxisWords>,
    layout: Layout,
    /// The positions along x for which there are complete runs, with the metric or without.
    run: BTreeSet<usize>,
    points: Points,
    language: Language,
}

impl Sweep<'_> {
    fn figure(&self) -> Result<Figure, StoreError> {
        let x_axis = self.layout.x_axis(&self.info.axes);
        let x_words = self.x_words();
        let scale = AxisScale::of(x_axis);
        let metric = &self.wanted.metric;
        let largest = self.points.values().map(|e| e.ends().1.abs());
        let (unit, factor) = metrics::kind(metric).axis(largest.fold(0.0, f64::max));
        let mut panels = self.panels(&scale, factor);
        let log = (self.wanted.log.0 && scale.takes_log(), self.wanted.log.1);
        let all = panels.len();
        panels.truncate(MOST_PANELS);
        let with_unit = |name: &str, unit: &str| match unit {
            "" => name.to_owned(),
            unit => format!("{name} ({unit})"),
        };
        let steady = if words::is_steady(metric) {
            self.language.pick(", steady window", "，稳态时段")
        } else {
            ""
        };
        let name = words::metric_in(metric, self.language);
        let title = self.language.sentence(&say!(
            self.language,
            "{name}{steady}, by {}",
            "{name}{steady}，按{}",
            x_words.name
        ));
        let chart = Chart {
            title: &title,
            x_label: &with_unit(&x_words.name, scale.unit),
            y_label: &with_unit(&name, unit),
            x: if log.0 {
                scale.log_ends()
            } else {
                scale.ends()
            },
            log,
            categories: &scale.names,
            panels,
            style: self.wanted.style,
            ..Chart::default()
        };
        let svg = chart.svg()?;
        Ok(Figure {
            name: name_of(self.wanted, &x_axis.path),
            svg,
            caption: self.caption(&title, all),
            title,
            csv: self.csv(),
        })
    }

    /// The caption: what is drawn, what each point means, and what is left out.
    fn caption(&self, title: &str, panels: usize) -> String {
        let replicas = self.points.values().map(|e| e.n);
        let most = replicas.clone().max().unwrap_or(0);
        let mut text = say!(
            self.language,
            "{title} ({}).",
            "{title}（{}）。",
            self.wanted.metric
        );
        for (axis, at) in &self.layout.only {
            let value = &self.info.axes[*axis].values[*at];
            text.push_str(&say!(
                self.language,
                " Only runs with {} = {value}.",
                " 只含 {} = {value} 的运行。",
                self.axes[*axis].name
            ));
        }
        let what = match self.wanted.quantile {
            None => self.language.pick("means", "平均值"),
            Some(0.5) => self.language.pick("medians", "中位数"),
            Some(q) => &say!(self.language, "{q} quantiles", "{q} 分位数"),
        };
        let has_intervals = self.points.values().any(|e| e.interval.is_some());
        text.push_str(&match most {
            0 | 1 if has_intervals => self.language.pick(" Points are single runs, bars the 95 % intervals of their \
                means after the warm-up, by the means of twenty batches.", " 各点为单次运行，竖线为预热后平均值的 95 % 置信区间（按二十个批次的平均值）。")
                .to_owned(),
            0 | 1 => self.language.pick(" Points are single runs: no intervals.", " 各点为单次运行，没有置信区间。").to_owned(),
            n if !has_intervals => {
                say!(self.language, " Points are {what} over up to {n} replicas: too few for intervals.", " 各点为最多 {n} 次重复的{what}：重复太少，没有置信区间。")
            }
            n if self.wanted.quantile.is_some() => say!(self.language, " Points are {what} over up to {n} replicas, bars their 95 % intervals by the order \
                 of the values.", " 各点为最多 {n} 次重复的{what}，竖线为按顺序统计量得到的 95 % 置信区间。"
            ),
            n if replicas.min() == Some(n) => {
                say!(self.language, " Points are means over {n} replicas, bars their 95 % intervals.", " 各点为 {n} 次重复的平均值，竖线为其 95 % 置信区间。")
            }
            n => say!(self.language, " Points are means over up to {n} replicas, bars their 95 % intervals.", " 各点为最多 {n} 次重复的平均值，竖线为其 95 % 置信区间。"),
        });
        text.push_str(&self.without_value());
        if let Some(series) = self.layout.series
            && self.layout.curves(&self.info.axes) > MOST_CURVES
        {
            text.push_str(&say!(
                self.language,
                " {FEW_CURVES} of the {} values of {} are drawn; the CSV file has all.",
                " {1} 的 {0} 个值中画出了 {FEW_CURVES} 个；CSV 文件中有全部。",
                self.layout.curves(&self.info.axes),
                self.axes[series].name
            ));
        }
        if panels > MOST_PANELS {
            let names: Vec<String> = self
                .layout
                .panels
                .iter()
                .map(|&i| self.axes[i].name.clone())
                .collect();
            text.push_str(&say!(self.language, " The first {MOST_PANELS} of {panels} panels are drawn; choose one value of {} with \
                 [[figure]] where = {{ … }}.", " {panels} 个分图中画出了前 {MOST_PANELS} 个；可用 [[figure]] 的 where = {{ … }} 选定 {} 的一个值。",
                self.language.list(&names)
            ));
        }
        text
    }

    /// The end of a caption: the names along x where no run has the metric, and when that is so; empty if there are none.
    fn without_value(&self) -> String {
        let axis = self.layout.x_axis(&self.info.axes);
        if AxisScale::of(axis).names.is_empty() {
            return String::new();
        }
        let has_point = |at: usize| self.points.keys().any(|(.., x)| *x == at);
        let without = self.run.iter().filter(|at| !has_point(**at));
        let without = without.map(|at| format!("\"{}\"", axis.short(*at)));
        let without: Vec<String> = without.collect();
        let names = self.language.list(&without);
        let absent = metrics::find(&self.wanted.metric).map_or("", |found| found.metric.absent);
        match (without.is_empty(), absent) {
            (true, _) => String::new(),
            (false, "") => say!(self.language, " No value: {names}.", " 没有值：{names}。"),
            (false, _) => say!(
                self.language,
                " No value where {absent}: {names}.",
                " 没有值：{names}。"
            ),
        }
    }

    /// A panel for each combination of values that has points.
    fn panels(&self, scale: &AxisScale, factor: f64) -> Vec<Panel> {
        let mut panels: BTreeMap<&Vec<usize>, BTreeMap<usize, Vec<PlotPoint>>> = BTreeMap::new();
        let drawn = self
            .points
            .iter()
            .filter(|((_, curve, _), _)| self.is_drawn(*curve));
        for ((panel, curve, x), e) in drawn {
            let (low, high) = e.ends();
            let x = scale.places[*x] + self.shift(*curve, scale);
            let point = (x, low * factor, e.mean * factor, high * factor);
            let curves = panels.entry(panel).or_default();
            curves.entry(*curve).or_default().push(point);
        }
        let made = panels.into_iter().map(|(values, curves)| Panel {
            title: self.panel_title(values),
            marks: curves
                .into_iter()
                .map(|(curve, points)| self.mark(curve, points))
                .chain(self.theory(scale, factor, values))
                .collect(),
        });
        made.collect()
    }

    /// Offset that places points of several curves at one category side by side, so that their bars
    /// do not overlap.
    fn shift(&self, curve: usize, scale: &AxisScale) -> f64 {
        let curves = self.layout.curves(&self.info.axes);
        if scale.names.is_empty() || curves < 2 {
            return 0.0;
        }
        let step = (0.5 / curves as f64).min(0.08);
        (curve as f64 - (curves - 1) as f64 / 2.0) * step
    }

    /// Whether a curve is drawn. Of more than can be distinguished, a few at equal distances are; a `[[figure]]` that asks
    /// for so many is refused.
    fn is_drawn(&self, curve: usize) -> bool {
        let all = self.layout.curves(&self.info.axes);
        let mut few = (0..FEW_CURVES).map(|i| i * (all - 1) / (FEW_CURVES - 1));
        all <= MOST_CURVES || few.any(|drawn| drawn == curve)
    }

    /// "bottleneck delay = 20 ms".
    fn panel_title(&self, values: &[usize]) -> Vec<String> {
        let named = self.layout.panels.iter().zip(values);
        let named = named.map(|(&axis, &at)| self.named(axis, at));
        named.collect()
    }

    fn named(&self, axis: usize, at: usize) -> String {
        format!(
            "{} = {}",
            self.axes[axis].name,
            self.info.axes[axis].short(at)
        )
    }

    fn mark(&self, curve: usize, mut points: Vec<PlotPoint>) -> Mark {
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        // In a narrow column, names such as "cubic" are enough; numbers and switches are not.
        let is_name = |axis: usize| self.info.axes[axis].typed == AxisValues::Names;
        let label = match self.layout.series {
            None => String::new(),
            Some(axis) if self.wanted.style == FigureStyle::Paper && is_name(axis) => {
                self.info.axes[axis].short(curve)
            }
            Some(axis) => self.named(axis, curve),
        };
        Mark::Intervals {
            label,
            colour: SERIES[curve % SERIES.len()],
            points,
            dashed: curve / SERIES.len() % 2 == 1,
            joined: self.is_ordered(),
        }
    }

    /// True for ordered numbers along x; false for names and for samples, which are unordered.
    fn is_ordered(&self) -> bool {
        let axis = self.layout.x_axis(&self.info.axes);
        let in_order = |n: &[f64]| n.is_sorted() || n.iter().rev().is_sorted();
        axis.numbers().is_some_and(in_order)
    }

    /// The label of the x axis.
    fn x_words(&self) -> AxisWords {
        let path = &self.layout.x_axis(&self.info.axes).path;
        match self.layout.x_column {
            0 => self.axes[self.layout.x].clone(),
            _ => words::axis(path, self.language),
        }
    }

    /// One row per point: all axes that distinguish points, then the estimate in base units.
    fn csv(&self) -> String {
        let layout = &self.layout;
        let x_axis = layout.x_axis(&self.info.axes);
        let others = layout.series.into_iter();
        let others = others.chain(layout.panels.iter().copied());
        let others = others.map(|i| &self.info.axes[i]);
        let axes: Vec<&Axis> = std::iter::once(x_axis).chain(others).collect();
        let paths = axes.iter().map(|axis| axis.path.as_str());
        let mut csv = Csv::new(paths.chain(["n", "mean", "low", "high"]));
        for ((panel, curve, x), e) in &self.points {
            let places = [*x].into_iter().chain(layout.series.map(|_| *curve));
            let places = places.chain(panel.iter().copied());
            for (axis, place) in axes.iter().zip(places) {
                csv.text(&axis.values[place]);
            }
            let (low, high) = e.interval.unwrap_or((f64::NAN, f64::NAN));
            csv.row([e.n as f64, e.mean, low, high]);
        }
        csv.finish()
    }
}

/// The requested name, "metric", or "metric-by-axis".
fn name_of(wanted: &MetricFigure, axis: &str) -> String {
    super::file_name(&match (wanted.name.as_str(), wanted.x.as_str()) {
        ("", "") => wanted.metric.clone(),
        ("", _) => format!("{}-by-{axis}", wanted.metric),
        (name, _) => name.to_owned(),
    })
}

#[cfg(test)]
mod tests;
