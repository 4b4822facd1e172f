//! The distribution of a duration over the connects, requests or flows of all replicas together.
//!
//! The runs store their distributions as bins. The share at each end of a bin has the interval of a
//! share of counts: replicas are independent, but events within one of them need not be
//! ([`Estimate::of_counts`]). The interval of a quantile is where the interval of the share crosses
//! it (Woodruff, JASA 47, 1952).

use std::collections::BTreeMap;

use super::axis_scale::AxisScale;
use super::{groups, name_of};
use crate::batch::{BatchInfo, BatchRow, DistributionKind, Layout, MOST_PANELS, MetricFigure};
use crate::bilingual::{Language, say};
use crate::csv::Csv;
use crate::figures::Figure;
use crate::figures::chart::{Chart, Mark, Panel};
use crate::figures::style::SERIES;
use crate::format::seconds;
use crate::metrics::{MetricKind, bin_from_s, bin_of};
use crate::stats::Estimate;
use crate::store::StoreError;
use crate::words;

/// Curves whose quantiles are given in the caption.
const MOST_NAMED: usize = 6;

/// The share below each end of a bin, seconds.
struct Pooled {
    points: Vec<(f64, Estimate)>,
}

impl Pooled {
    /// Pools replicas; `None` if none of them counted anything.
    fn of(rows: &[&BatchRow], distribution: &str) -> Option<Pooled> {
        let of_run = |row: &&BatchRow| -> BTreeMap<i32, f64> {
            let names = row.metrics.names().iter();
            let each = names.zip(row.metrics.values());
            each.filter_map(|(id, n)| Some((bin_of(distribution, id)?, *n)))
                .collect()
        };
        let runs: Vec<BTreeMap<i32, f64>> = rows.iter().map(of_run).collect();
        let first = runs.iter().filter_map(|r| r.keys().next()).min()?;
        let last = runs.iter().filter_map(|r| r.keys().next_back()).max()?;
        let mut counts: Vec<(f64, f64)> = runs
            .iter()
            .map(|r| (0.0, r.values().sum::<f64>()))
            .collect();
        let mut points = Vec::new();
        for end in *first..=last + 1 {
            points.push((bin_from_s(end), Estimate::of_counts(&counts)?));
            for (count, run) in counts.iter_mut().zip(&runs) {
                count.0 += run.get(&end).copied().unwrap_or(0.0);
            }
        }
        Some(Pooled { points })
    }

    /// The duration at which a curve of shares reaches `q`, interpolated within its bin.
    fn crossing(&self, q: f64, share: impl Fn(&Estimate) -> f64) -> Option<f64> {
        let at = self.points.iter().position(|(_, e)| share(e) >= q)?;
        let (to, after) = (self.points[at].0, share(&self.points[at].1));
        let Some(before) = at.checked_sub(1).map(|i| &self.points[i]) else {
            return Some(to);
        };
        let (from, before) = (before.0, share(&before.1));
        let part = (q - before) / (after - before).max(f64::MIN_POSITIVE);
        Some(from * (to / from).powf(part))
    }

    /// "p99 12.3 ms [11.9 ms … 13 ms]".
    fn quantile(&self, name: &str, q: f64) -> Option<String> {
        let middle = self.crossing(q, |e| e.mean)?;
        let low = self.crossing(q, |e| e.ends().1);
        let high = self.crossing(q, |e| e.ends().0);
        let has_interval = self.points.iter().any(|(_, e)| e.interval.is_some());
        Some(match (low, high) {
            (Some(low), Some(high)) if has_interval => format!(
                "{name} {} [{} … {}]",
                seconds(middle),
                seconds(low),
                seconds(high)
            ),
            _ => format!("{name} {}", seconds(middle)),
        })
    }
}

/// The figure: a curve for each value of the second axis, or of the first if it is the only one;
/// `None` if no run stores the distribution.
pub(super) fn figure(
    info: &BatchInfo,
    rows: &[BatchRow],
    wanted: &MetricFigure,
    layout: &Layout,
    (how, language): (DistributionKind, Language),
) -> Result<Option<Figure>, StoreError> {
    // Only replicas are pooled: an axis that does not make curves makes panels.
    let (by, other) = match layout.series {
        Some(series) if !wanted.series.is_empty() => (series, Some(layout.x)),
        series => (layout.x, series),
    };
    let panels: Vec<usize> = layout.panels.iter().copied().chain(other).collect();
    let mut pools: BTreeMap<(Vec<usize>, usize), Vec<&BatchRow>> = BTreeMap::new();
    for ((mut panel, curve, x), rows) in groups(info, rows, layout) {
        let (curve, rest) = if by == layout.x {
            (x, curve)
        } else {
            (curve, x)
        };
        panel.extend(other.map(|_| rest));
        pools.entry((panel, curve)).or_default().extend(rows);
    }
    let pools = pools.into_iter();
    let pools = pools.filter_map(|(key, rows)| Some((key, Pooled::of(&rows, &wanted.metric)?)));
    let pools: Vec<((Vec<usize>, usize), Pooled)> = pools.collect();
    let largest = pools.iter().flat_map(|(_, p)| p.points.last());
    let largest = largest.map(|p| p.0).fold(0.0, f64::max);
    if pools.is_empty() {
        return Ok(None);
    }
    let (unit, factor) = MetricKind::Duration.axis(largest);
    let drawing = PooledCurves {
        info,
        panels,
        how,
        by,
        names: words::axes(info.axes.iter().map(|a| a.path.as_str()), language),
        factor,
    };
    let places = pools.iter().flat_map(|(_, p)| &p.points);
    let scale = AxisScale {
        places: places.map(|p| p.0 * factor).collect(),
        unit,
        names: Vec::new(),
    };
    let name = words::metric_in(&format!("{}_mean_s", wanted.metric), language);
    let name = name.trim_end_matches(language.pick(", mean", "，平均值"));
    let title = language.sentence(&say!(language, "Distribution of {name}", "{name}的分布"));
    let y_label = match how {
        DistributionKind::Cdf => language.pick("share at most this long", "用时不超过横坐标的比例"),
        DistributionKind::Ccdf => language.pick("share that took longer", "用时更长的比例"),
    };
    let chart = Chart {
        title: &title,
        x_label: &format!("{name} ({unit})"),
        y_label,
        x: scale.log_ends(),
        log: (true, wanted.log.1),
        panels: drawing.panels(&pools),
        ..Chart::default()
    };
    Ok(Some(Figure {
        name: name_of(wanted, &info.axes[layout.x].path),
        caption: say!(
            language,
            "{title}, those of all replicas together; dashed the 95 % intervals over replicas.{}",
            "{title}，合并全部重复；虚线为各次重复间的 95 % 置信区间。{}",
            drawing.quantiles(&pools)
        ),
        svg: chart.svg()?,
        csv: drawing.csv(&pools),
        title,
    }))
}

/// What the curves have in common.
struct PooledCurves<'a> {
    info: &'a BatchInfo,
    /// The axes of the panels.
    panels: Vec<usize>,
    how: DistributionKind,
    /// The axis of the curves.
    by: usize,
    names: Vec<words::AxisWords>,
    factor: f64,
}

impl PooledCurves<'_> {
    fn label(&self, axis: usize, at: usize) -> String {
        let value = &self.info.axes[axis].values[at];
        format!("{} = {value}", self.names[axis].name)
    }

    fn share(&self, below: f64) -> f64 {
        match self.how {
            DistributionKind::Cdf => below,
            DistributionKind::Ccdf => 1.0 - below,
        }
    }

    fn panels(&self, pools: &[((Vec<usize>, usize), Pooled)]) -> Vec<Panel> {
        let mut panels: Vec<(&Vec<usize>, Panel)> = Vec::new();
        for ((panel, curve), pooled) in pools {
            let marks = self.marks(*curve, pooled);
            match panels.last_mut() {
                Some((last, drawn)) if *last == panel => drawn.marks.extend(marks),
                _ => {
                    let values = self.panels.iter().zip(panel);
                    let title = values.map(|(&axis, &at)| self.label(axis, at)).collect();
                    panels.push((panel, Panel { title, marks }));
                }
            }
        }
        panels.truncate(MOST_PANELS);
        panels.into_iter().map(|p| p.1).collect()
    }

    /// The curve and, if there are replicas, both ends of its interval.
    fn marks(&self, curve: usize, pooled: &Pooled) -> Vec<Mark> {
        let colour = SERIES[curve % SERIES.len()];
        let line = |label: String, dashed: bool, share: &dyn Fn(&Estimate) -> f64| Mark::Line {
            label,
            colour,
            points: pooled
                .points
                .iter()
                .map(|(s, e)| (s * self.factor, self.share(share(e))))
                .collect(),
            dashed,
        };
        let mut marks = vec![line(self.label(self.by, curve), false, &|e| e.mean)];
        if pooled.points.iter().any(|(_, e)| e.interval.is_some()) {
            marks.push(line(String::new(), true, &|e| e.ends().0));
            marks.push(line(String::new(), true, &|e| e.ends().1));
        }
        marks
    }

    /// Median and upper percentiles of the first curves.
    fn quantiles(&self, pools: &[((Vec<usize>, usize), Pooled)]) -> String {
        let mut text = String::new();
        for ((panel, curve), pooled) in pools.iter().take(MOST_NAMED) {
            let panels = self.panels.iter().zip(panel);
            let of = panels.map(|(&axis, &at)| self.label(axis, at));
            let of: Vec<String> = of.chain([self.label(self.by, *curve)]).collect();
            let each = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99)];
            let each = each
                .into_iter()
                .filter_map(|(name, q)| pooled.quantile(name, q));
            let each: Vec<String> = each.collect();
            text.push_str(&format!(" {}: {}.", of.join(", "), each.join(", ")));
        }
        text
    }

    fn csv(&self, pools: &[((Vec<usize>, usize), Pooled)]) -> String {
        let axes: Vec<usize> = self.panels.iter().copied().chain([self.by]).collect();
        let paths = axes.iter().map(|&i| self.info.axes[i].path.as_str());
        let mut csv = Csv::new(paths.chain(["time_s", "share", "low", "high"]));
        for ((panel, curve), pooled) in pools {
            for (time_s, e) in &pooled.points {
                for (&axis, &at) in axes.iter().zip(panel.iter().chain([curve])) {
                    csv.text(&self.info.axes[axis].values[at]);
                }
                let (low, high) = e.interval.unwrap_or((f64::NAN, f64::NAN));
                let mut ends = [self.share(low), self.share(high)];
                ends.sort_by(f64::total_cmp);
                csv.row([*time_s, self.share(e.mean), ends[0], ends[1]]);
            }
        }
        csv.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::RunStatus;
    use crate::metrics::bin_id;

    fn row(replica: u32, counts: &[(f64, f64)]) -> BatchRow {
        let counts = counts.iter();
        BatchRow {
            replica,
            status: RunStatus::Ok,
            metrics: counts
                .map(|(s, n)| (bin_id("connect_latency", *s), *n))
                .collect(),
            ..BatchRow::default()
        }
    }

    #[test]
    fn replicas_are_pooled_by_their_counts() {
        let rows = [
            row(0, &[(0.001, 90.0), (1.0, 10.0)]),
            row(1, &[(0.001, 300.0)]),
        ];
        let rows: Vec<&BatchRow> = rows.iter().collect();
        let pooled = Pooled::of(&rows, "connect_latency").unwrap();
        let at = |s: f64| pooled.points.iter().find(|p| p.0 > s).unwrap().1;
        // 390 of 400 within about a millisecond, all within a little more than a second.
        assert_eq!(at(0.0012).mean, 0.975);
        assert_eq!(pooled.points.last().unwrap().1.mean, 1.0);
        let (low, high) = at(0.0012).interval.unwrap();
        assert!(low < 0.95 && high > 0.975, "{low} {high}");
        let half = pooled.crossing(0.5, |e| e.mean).unwrap();
        assert!((0.001..0.00113).contains(&half), "{half}");
        let text = pooled.quantile("p99", 0.99).unwrap();
        assert!(text.starts_with("p99 1.0"), "{text}");
        assert!(Pooled::of(&rows, "request_latency").is_none());
        let one = Pooled::of(&rows[..1], "connect_latency").unwrap();
        assert!(!one.quantile("p50", 0.5).unwrap().contains('['));
    }
}
