//! Logarithmic axes: charts are drawn from the logarithms, and ticks are labelled with the numbers.

use std::ops::Range;

use super::{Chart, Mark, Panel};
use crate::format::number;

/// The chart with the logarithms of its marks.
pub(super) fn scaled<'a>(chart: &Chart<'a>) -> Chart<'a> {
    let (x, y) = chart.log;
    let all = |marks: &[Mark]| marks.iter().map(|m| mark(m, x, y)).collect();
    let panel = |p: &Panel| Panel {
        title: p.title.clone(),
        marks: all(&p.marks),
    };
    Chart {
        x: (scale(chart.x.0, x), scale(chart.x.1, x)),
        marks: all(&chart.marks),
        panels: chart.panels.iter().map(panel).collect(),
        ..chart.clone()
    }
}

/// The logarithm, if requested; NaN for values that have none.
fn scale(value: f64, log: bool) -> f64 {
    match log {
        true if value > 0.0 => value.log10(),
        true => f64::NAN,
        false => value,
    }
}

fn mark(mark: &Mark, x: bool, y: bool) -> Mark {
    let mut mark = mark.clone();
    match &mut mark {
        Mark::Area { points, .. } | Mark::Strokes { points, .. } => {
            for p in points.iter_mut() {
                *p = (scale(p.0, x), scale(p.1, y), scale(p.2, y));
            }
            points.retain(|p| p.0.is_finite() && p.1.is_finite() && p.2.is_finite());
        }
        Mark::Line { points, .. } => {
            for p in points.iter_mut() {
                *p = (scale(p.0, x), scale(p.1, y));
            }
            points.retain(|p| p.0.is_finite());
        }
        Mark::Dots { points, .. } => {
            for p in points.iter_mut() {
                *p = (scale(p.0, x), scale(p.1, y));
            }
            points.retain(|p| p.0.is_finite() && p.1.is_finite());
        }
        Mark::Band { spans, .. } => {
            for span in spans.iter_mut() {
                *span = (scale(span.0, x), scale(span.1, x));
            }
            spans.retain(|s| s.0.is_finite() && s.1.is_finite());
        }
        Mark::Intervals { points, .. } => {
            for p in points.iter_mut() {
                let mean = scale(p.2, y);
                let low = scale(p.1, y);
                // An interval that reaches below zero has no end on this axis: it is drawn one
                // decade down.
                let low = if low.is_finite() { low } else { mean - 1.0 };
                *p = (scale(p.0, x), low, mean, scale(p.3, y));
            }
            points.retain(|p| p.0.is_finite() && p.2.is_finite());
        }
    }
    mark
}

/// From the least to the greatest logarithm, with some margin.
pub(super) fn range<'m>(marks: impl Iterator<Item = &'m Mark>) -> Range<f64> {
    let values = marks.flat_map(|mark| mark.values().into_iter().flat_map(|v| [v.0, v.1]));
    let values: Vec<f64> = values.filter(|v| v.is_finite()).collect();
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if low > high {
        return 0.0..1.0;
    }
    let room = ((high - low) * 0.06).max(0.05);
    low - room..high + room
}

/// Logarithms of 1, 2 and 5 in each decade; only powers of ten if there are many decades.
pub(super) fn ticks(range: &Range<f64>) -> Vec<f64> {
    let steps: &[f64] = match range.end - range.start {
        span if span > 3.0 => &[1.0],
        _ => &[1.0, 2.0, 5.0],
    };
    let first = range.start.floor().max(-300.0) as i32;
    let last = range.end.ceil().min(300.0) as i32;
    let all = (first..=last).flat_map(|d| steps.iter().map(move |s| f64::from(d) + s.log10()));
    all.filter(|t| range.contains(t)).collect()
}

/// The numbers at the ticks of an axis, with as many digits as are needed to distinguish them.
///
/// On a logarithmic axis that has only powers of ten and reaches below a thousandth or above a hundred thousand, the
/// numbers are powers: 10⁻⁵.
pub(super) fn labels(ticks: &[f64], log: bool) -> Vec<String> {
    let is_whole = |tick: &f64| (tick - tick.round()).abs() < 1e-9;
    let is_wide = |tick: &f64| !(-3.5..=5.5).contains(tick);
    if log && ticks.iter().all(is_whole) && ticks.iter().any(is_wide) {
        return ticks
            .iter()
            .map(|t| power_of_ten(t.round() as i32))
            .collect();
    }
    let short: Vec<String> = ticks.iter().map(|t| label(*t, log)).collect();
    let step = ticks.windows(2).map(|w| (w[1] - w[0]).abs());
    let step = step.fold(f64::INFINITY, f64::min);
    let is_clear = log || short.windows(2).all(|w| w[0] != w[1]);
    if is_clear || !step.is_finite() || step <= 0.0 {
        return short;
    }
    // A step of 0.01 may have been computed as a little less.
    let digits = (-(step * (1.0 + 1e-6)).log10().floor()).clamp(0.0, 9.0) as usize;
    ticks.iter().map(|t| format!("{t:.digits$}")).collect()
}

/// 10⁻⁵ for -5.
fn power_of_ten(exponent: i32) -> String {
    let raised = |c: char| match c {
        '-' => '⁻',
        digit => ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹']
            [digit.to_digit(10).unwrap_or(0) as usize],
    };
    let exponent: String = exponent.to_string().chars().map(raised).collect();
    format!("10{exponent}")
}

/// The number at a position on the axis.
fn label(place: f64, log: bool) -> String {
    if !log {
        return number(place);
    }
    let value = 10f64.powf(place);
    // Three digits: the power of a logarithm is not exact.
    let unit = 10f64.powf(place.floor() - 2.0);
    let rounded = (value / unit).round();
    number(match unit < 1.0 {
        true => rounded / 10f64.powf(2.0 - place.floor()),
        false => rounded * unit,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_numbers_and_named_as_such() {
        let names = |low: f64, high: f64| -> Vec<String> {
            let range = low.log10()..high.log10();
            labels(&ticks(&range), true)
        };
        assert_eq!(
            names(0.0003, 0.12),
            [
                "0.0005", "0.001", "0.002", "0.005", "0.01", "0.02", "0.05", "0.1"
            ]
        );
        assert_eq!(names(0.9, 30_000.0), ["1", "10", "100", "1,000", "10,000"]);
        assert_eq!(names(9e-6, 0.2), ["10⁻⁵", "10⁻⁴", "10⁻³", "10⁻²", "10⁻¹"]);
        assert_eq!(names(0.5, 2e12)[12], "10¹²");
    }

    #[test]
    fn ticks_that_lie_close_have_digits_that_tell_them_apart() {
        assert_eq!(labels(&[0.0, 60.0, 120.0], false), ["0", "60", "120"]);
        assert_eq!(
            labels(&[59.99, 60.0, 60.01], false),
            ["59.99", "60.00", "60.01"]
        );
        assert_eq!(labels(&[60.0, 60.0], false), ["60", "60"], "no step");
    }

    #[test]
    fn what_has_no_logarithm_is_left_out() {
        let line = Mark::Line {
            label: String::new(),
            colour: crate::figures::style::SERIES[0],
            points: vec![(0.0, 1.0), (1.0, 0.0), (10.0, 100.0)],
            dashed: false,
        };
        let chart = Chart {
            log: (true, true),
            x: (1.0, 10.0),
            marks: vec![line],
            ..Chart::default()
        };
        let scaled = scaled(&chart);
        let Mark::Line { points, .. } = &scaled.marks[0] else {
            panic!("a line")
        };
        assert!(points[0].0 == 0.0 && points[0].1.is_nan());
        assert_eq!(points[1], (1.0, 2.0));
        assert!(chart.svg().unwrap().contains("</svg>"));
    }
}
