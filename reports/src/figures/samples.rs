//! Figures of samples of any protocol: time series and histograms.

use super::Figure;
use super::chart::{Chart, Mark};
use super::style::SERIES;
use crate::bilingual::Language;
use crate::csv::Csv;
use crate::store::StoreError;

/// Cells of the time axis: in each, a series keeps its lowest and its highest sample.
const CELLS: usize = 1000;
/// Most bins of a histogram.
const MOST_BINS: usize = 1000;

/// Samples with a common name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SampleSeries {
    /// Its name in the legend.
    pub label: String,
    /// Time in seconds and value, in order of time. Points without a finite time are left out; a value that
    /// is not finite interrupts the curve and is not counted in a histogram.
    pub samples: Vec<(f64, f64)>,
}

impl SampleSeries {
    /// A series of samples with a name.
    pub fn new(
        label: impl Into<String>,
        samples: impl IntoIterator<Item = (f64, f64)>,
    ) -> SampleSeries {
        let samples = samples.into_iter().filter(|(time, _)| time.is_finite());
        SampleSeries {
            label: label.into(),
            samples: samples.collect(),
        }
    }

    pub(super) fn values(&self) -> impl Iterator<Item = f64> {
        let values = self.samples.iter().map(|(_, value)| *value);
        values.filter(|value| value.is_finite())
    }

    /// At most two samples for each of [`CELLS`] parts of the time until `end`.
    fn thinned(&self, end: f64) -> Vec<(f64, f64)> {
        if self.samples.len() <= 2 * CELLS {
            return self.samples.clone();
        }
        let cell = |(time, _): &(f64, f64)| (time / end * CELLS as f64) as usize;
        let mut kept = Vec::new();
        for part in self.samples.chunk_by(|a, b| cell(a) == cell(b)) {
            let by_value = |a: &usize, b: &usize| part[*a].1.total_cmp(&part[*b].1);
            let (low, high) = (
                (0..part.len()).min_by(by_value),
                (0..part.len()).max_by(by_value),
            );
            let (Some(low), Some(high)) = (low, high) else {
                continue;
            };
            kept.push(part[low.min(high)]);
            if low != high {
                kept.push(part[low.max(high)]);
            }
        }
        kept
    }
}

/// A curve for each series over time in seconds; `None` without samples. `name` is the name of its
/// files. For a long series, the lowest and the highest sample of each thousandth of the time are
/// drawn.
///
/// # Errors
/// When it cannot be drawn.
pub fn time_series(
    name: &str,
    title: &str,
    y_label: &str,
    series: &[SampleSeries],
) -> Result<Option<Figure>, StoreError> {
    shaded_time_series(
        (name, title, y_label),
        y_label,
        series,
        &[],
        Language::English,
    )
}

/// [`time_series`] with a grey background during outages, each given as start and end in seconds; `column` is the name
/// of the values in the CSV file.
pub(crate) fn shaded_time_series(
    (name, title, y_label): (&str, &str, &str),
    column: &str,
    series: &[SampleSeries],
    shaded: &[(f64, f64)],
    language: Language,
) -> Result<Option<Figure>, StoreError> {
    let times = series
        .iter()
        .flat_map(|s| &s.samples)
        .map(|(time, _)| *time);
    let Some(end) = times.reduce(f64::max) else {
        return Ok(None);
    };
    let mut csv = Csv::new(["time_s", "series", column]);
    let mut marks = Vec::new();
    for (one, colour) in series.iter().zip(SERIES.iter().cycle()) {
        let points = one.thinned(end);
        for &(time, value) in &points {
            csv.number(time);
            csv.text(&one.label);
            csv.row([value]);
        }
        let drawable =
            |(time, value): (f64, f64)| (time, if value.is_finite() { value } else { f64::NAN });
        marks.push(Mark::Line {
            label: one.label.clone(),
            colour: *colour,
            points: points.into_iter().map(drawable).collect(),
            dashed: false,
        });
    }
    let chart = Chart {
        title,
        x_label: language.pick("time (s)", "时间 (s)"),
        y_label,
        x: (0.0, end),
        marks,
        shaded,
        ..Chart::default()
    };
    Ok(Some(Figure {
        name: name.into(),
        title: title.into(),
        caption: language.pick("Each sample over time; if there are many, the lowest and the highest in each thousandth of the run.", "各采样值随时间的变化；采样太多时，画出运行时间每千分之一内的最小值和最大值。").into(),
        svg: chart.svg()?,
        csv: csv.finish(),
    }))
}

/// How many samples of each series fall into each of `bins` equal parts of their common range;
/// `None` without samples. `name` is the name of its files.
///
/// # Errors
/// When it cannot be drawn.
pub fn histogram(
    name: &str,
    title: &str,
    x_label: &str,
    series: &[SampleSeries],
    bins: usize,
) -> Result<Option<Figure>, StoreError> {
    histogram_in(name, title, x_label, series, bins, Language::English)
}

/// [`histogram`] in a language.
pub(crate) fn histogram_in(
    name: &str,
    title: &str,
    x_label: &str,
    series: &[SampleSeries],
    bins: usize,
    language: Language,
) -> Result<Option<Figure>, StoreError> {
    let values = || series.iter().flat_map(SampleSeries::values);
    let (Some(low), Some(high)) = (values().reduce(f64::min), values().reduce(f64::max)) else {
        return Ok(None);
    };
    let bins = HistogramBins::new(low, high, bins);
    let mut header = vec!["from", "to"];
    header.extend(series.iter().map(|s| s.label.as_str()));
    let mut csv = Csv::new(header);
    let counts: Vec<Vec<u32>> = series.iter().map(|s| bins.count(s.values())).collect();
    for bin in 0..bins.number {
        let ends = [bins.edge(bin), bins.edge(bin + 1)];
        csv.row(ends.into_iter().chain(counts.iter().map(|c| c[bin].into())));
    }
    let curves = series.iter().zip(&counts).zip(SERIES.iter().cycle());
    let marks = curves.map(|((one, counts), colour)| Mark::Line {
        label: one.label.clone(),
        colour: *colour,
        points: bins.outline(counts),
        dashed: false,
    });
    let chart = Chart {
        title,
        x_label,
        y_label: language.pick("samples", "采样数"),
        x: (bins.edge(0), bins.edge(bins.number)),
        marks: marks.collect(),
        ..Chart::default()
    };
    Ok(Some(Figure {
        name: name.into(),
        title: title.into(),
        caption: language
            .pick(
                "How many samples lie in each interval.",
                "每个区间内的采样数。",
            )
            .into(),
        svg: chart.svg()?,
        csv: csv.finish(),
    }))
}

/// Equal parts of a range.
struct HistogramBins {
    low: f64,
    width: f64,
    number: usize,
}

impl HistogramBins {
    /// An empty range is given a width.
    fn new(low: f64, high: f64, number: usize) -> HistogramBins {
        let number = number.clamp(1, MOST_BINS);
        let width = high / number as f64 - low / number as f64;
        if width > 0.0 {
            return HistogramBins { low, width, number };
        }
        let width = low.abs().max(1.0) / number as f64;
        let low = low - width * number as f64 / 2.0;
        HistogramBins { low, width, number }
    }

    fn edge(&self, bin: usize) -> f64 {
        self.low + self.width * bin as f64
    }

    fn count(&self, values: impl Iterator<Item = f64>) -> Vec<u32> {
        let mut counts = vec![0; self.number];
        for value in values {
            let bin = ((value - self.low) / self.width) as usize;
            counts[bin.min(self.number - 1)] += 1;
        }
        counts
    }

    /// The upper outline of the bars.
    fn outline(&self, counts: &[u32]) -> Vec<(f64, f64)> {
        let mut points = vec![(self.edge(0), 0.0)];
        for (bin, &count) in counts.iter().enumerate() {
            points.push((self.edge(bin), count.into()));
            points.push((self.edge(bin + 1), count.into()));
        }
        points.push((self.edge(self.number), 0.0));
        points
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(values: &[f64]) -> SampleSeries {
        SampleSeries::new("a", (0..).map(f64::from).zip(values.iter().copied()))
    }

    #[test]
    fn a_histogram_counts_every_finite_sample_once() {
        let series = [times(&[0.0, 1.0, 1.5, 4.0, f64::NAN, f64::INFINITY])];
        let figure = histogram("h", "H", "x", &series, 4)
            .expect("drawn")
            .expect("samples");
        assert_eq!(figure.csv, "from,to,a\n0,1,1\n1,2,2\n2,3,0\n3,4,1\n");
    }

    #[test]
    fn equal_samples_and_any_number_of_bins_make_a_figure() {
        for value in [0.0, -3.0, 7e9] {
            for bins in [0, 1, usize::MAX] {
                let series = [times(&[value; 3])];
                let figure = histogram("h", "H", "x", &series, bins).expect("drawn");
                let csv = figure.expect("samples").csv;
                let counts = csv
                    .lines()
                    .skip(1)
                    .map(|l| l.rsplit(',').next().expect("a cell"));
                assert_eq!(
                    counts
                        .map(|n| n.parse::<u32>().expect("a count"))
                        .sum::<u32>(),
                    3
                );
            }
        }
    }

    #[test]
    fn a_long_series_keeps_its_extremes() {
        let mut values = vec![1.0; 100_000];
        (values[40_321], values[70_123]) = (9.0, -9.0);
        let figure = time_series("t", "T", "y", &[times(&values)])
            .expect("drawn")
            .expect("samples");
        assert!(figure.csv.lines().count() <= 2 + 2 * CELLS + 2);
        assert!(figure.csv.contains("40321,a,9\n") && figure.csv.contains("70123,a,-9\n"));
    }

    #[test]
    fn no_samples_make_no_figure_and_gaps_are_kept() {
        assert_eq!(time_series("t", "T", "y", &[]).expect("no error"), None);
        assert_eq!(
            histogram("h", "H", "x", &[times(&[f64::NAN])], 5).expect("no error"),
            None
        );
        let figure = time_series("t", "T", "y", &[times(&[1.0, f64::NAN, 2.0])]).expect("drawn");
        assert_eq!(
            figure.expect("samples").csv,
            "time_s,series,y\n0,a,1\n1,a,\n2,a,2\n"
        );
    }
}
