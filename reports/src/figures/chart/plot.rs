//! The data of a chart as JSON, thinned but with its extremes: what a page needs to redraw it.

use serde::Serialize;

use super::marks::thin_to;
use super::{Chart, Mark, Panel};
use crate::figures::style::Rgb;

/// Columns to which a curve is thinned, with at most four points each.
const COLUMNS: usize = 400;

#[derive(Serialize)]
struct Plot<'a> {
    title: &'a str,
    x: &'a str,
    y: &'a str,
    range: [f64; 2],
    log: [bool; 2],
    categories: &'a [String],
    shaded: Vec<[f64; 2]>,
    panels: Vec<PanelData>,
}

#[derive(Serialize)]
struct PanelData {
    title: String,
    marks: Vec<MarkData>,
}

/// A mark as columns; columns that its kind does not have are left out.
#[derive(Default, Serialize)]
struct MarkData {
    kind: &'static str,
    label: String,
    colour: String,
    dashed: bool,
    joined: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    x: Vec<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    y: Vec<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    low: Vec<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    high: Vec<f64>,
}

/// Returns true if x never decreases along a curve; the chart library of pages sorts points by x
/// and would join other curves wrongly.
pub(super) fn is_ordered(chart: &Chart<'_>) -> bool {
    let in_panels = chart.panels.iter().flat_map(|panel| &panel.marks);
    let mut marks = chart.marks.iter().chain(in_panels);
    marks.all(|mark| match mark {
        Mark::Line { points, .. } => rises(points, |p| p.0),
        Mark::Area { points, .. } => rises(points, |p| p.0),
        _ => true,
    })
}

fn rises<T>(points: &[T], x: impl Fn(&T) -> f64) -> bool {
    let x = points.iter().map(x).filter(|x| x.is_finite());
    x.is_sorted()
}

/// The JSON text of a chart; NaN becomes `null`.
pub(super) fn json(chart: &Chart<'_>) -> String {
    let of = |marks: &[Mark]| marks.iter().map(MarkData::of).collect();
    let panel = |p: &Panel| PanelData {
        title: p.title.join(", "),
        marks: of(&p.marks),
    };
    let panels = match chart.panels.as_slice() {
        [] => vec![PanelData {
            title: String::new(),
            marks: of(&chart.marks),
        }],
        panels => panels.iter().map(panel).collect(),
    };
    let within = |t: f64| t.max(chart.x.0).min(chart.x.1);
    let shaded = chart.shaded.iter().map(|s| [within(s.0), within(s.1)]);
    let plot = Plot {
        title: chart.title,
        x: chart.x_label,
        y: chart.y_label,
        range: [chart.x.0, chart.x.1],
        log: [chart.log.0, chart.log.1],
        categories: chart.categories,
        shaded: shaded.collect(),
        panels,
    };
    // Serialisation cannot fail: no value is unsupported.
    serde_json::to_string(&plot).unwrap_or_default()
}

impl MarkData {
    fn of(mark: &Mark) -> MarkData {
        let own = |kind, label: &str, colour: Rgb| MarkData {
            kind,
            label: label.to_owned(),
            colour: format!("#{:02x}{:02x}{:02x}", colour.0, colour.1, colour.2),
            ..MarkData::default()
        };
        match mark {
            Mark::Area {
                label,
                colour,
                points,
            } => MarkData {
                x: column(points, |p| p.0),
                low: column(points, |p| p.1),
                high: column(points, |p| p.2),
                ..own("area", label, *colour)
            },
            Mark::Line {
                label,
                colour,
                points,
                dashed,
            } => {
                let points = &thinned(points);
                MarkData {
                    dashed: *dashed,
                    joined: true,
                    x: column(points, |p| p.0),
                    y: column(points, |p| p.1),
                    ..own("line", label, *colour)
                }
            }
            Mark::Intervals {
                label,
                colour,
                points,
                dashed,
                joined,
            } => MarkData {
                dashed: *dashed,
                joined: *joined,
                x: column(points, |p| p.0),
                low: column(points, |p| p.1),
                y: column(points, |p| p.2),
                high: column(points, |p| p.3),
                ..own("dots", label, *colour)
            },
            Mark::Strokes {
                label,
                colour,
                points,
            } => {
                let points = &every(points, MOST_SINGLE);
                MarkData {
                    x: column(points, |p| p.0),
                    low: column(points, |p| p.1),
                    y: column(points, |p| p.2),
                    high: column(points, |p| p.2),
                    ..own("strokes", label, *colour)
                }
            }
            Mark::Dots {
                label,
                colour,
                points,
            } => {
                let points = &every(points, MOST_SINGLE);
                MarkData {
                    x: column(points, |p| p.0),
                    y: column(points, |p| p.1),
                    ..own("dots", label, *colour)
                }
            }
            Mark::Band {
                label,
                colour,
                spans,
            } => MarkData {
                low: column(spans, |s| s.0),
                high: column(spans, |s| s.1),
                ..own("band", label, *colour)
            },
        }
    }
}

/// One number of each element, as a column.
fn column<T>(all: &[T], number: impl Fn(&T) -> f64) -> Vec<f64> {
    all.iter().map(|element| rounded(number(element))).collect()
}

/// Thins each run of finite numbers separately, so that gaps remain.
fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let parts = points.split_inclusive(|p| !p.1.is_finite());
    let thin = |part: &[(f64, f64)]| {
        let (part, gap) = match part {
            [most @ .., last] if !last.1.is_finite() => (most, Some(*last)),
            _ => (part, None),
        };
        let columns = (COLUMNS * part.len() / points.len().max(1)).max(1);
        let mut kept = thin_to(part, columns);
        kept.extend(gap);
        kept
    };
    parts.flat_map(thin).collect()
}

/// Most single points or strokes of a mark.
const MOST_SINGLE: usize = 4000;

/// At most `most` of the elements, evenly spaced.
fn every<T: Copy>(all: &[T], most: usize) -> Vec<T> {
    let stride = all.len().div_ceil(most).max(1);
    all.iter().copied().step_by(stride).collect()
}

/// The powers of ten that are exact as floats and by which a number of seven digits may have to be
/// multiplied.
const POWERS: [f64; 16] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
];

/// Rounds to seven significant digits, more than a screen has pixels.
fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return if value == 0.0 { 0.0 } else { f64::NAN };
    }
    // The first power that leaves seven digits before the point. A quotient of two exact numbers is
    // the float nearest to the decimal, so its text is short.
    let power = POWERS.iter().find(|p| value.abs() * **p >= 1e6);
    match power {
        Some(power) if value.abs() * power < 1e7 => (value * power).round() / power,
        _ => format!("{value:.6e}").parse().unwrap_or(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::style::BLUE;

    /// A chart of one curve.
    fn line(points: Vec<(f64, f64)>) -> Chart<'static> {
        Chart {
            title: "t",
            marks: vec![Mark::Line {
                label: "a".into(),
                colour: BLUE,
                points,
                dashed: false,
            }],
            ..Chart::default()
        }
    }

    #[test]
    fn only_curves_that_run_from_left_to_right_are_for_the_page_to_draw() {
        let gap = (f64::NAN, f64::NAN);
        assert!(is_ordered(&line(vec![
            (0.0, 1.0),
            (1.0, 1.0),
            gap,
            (1.0, 2.0)
        ])));
        // Horizontal lines, one above the other.
        assert!(!is_ordered(&line(vec![
            (0.0, 1.0),
            (1.0, 1.0),
            gap,
            (0.5, 2.0)
        ])));
    }

    #[test]
    fn numbers_are_rounded_to_seven_digits_at_any_size() {
        let by_text = |value: f64| format!("{value:.6e}").parse::<f64>().unwrap();
        let mut value = 1.234_567_89e-12;
        while value < 1e12 {
            assert_eq!(rounded(value), by_text(value), "{value}");
            assert_eq!(rounded(-value), by_text(-value), "{value}");
            value *= 1.37;
        }
        for value in [1e6, 9_999_999.0, 9_999_999.9, 1e7, 1e-9, 0.1, 0.3, 28_231.0] {
            assert_eq!(rounded(value), by_text(value), "{value}");
        }
        assert!(rounded(f64::INFINITY).is_nan() && rounded(-0.0) == 0.0);
    }

    #[test]
    fn a_long_curve_is_thinned_with_its_peak_and_its_gaps_kept() {
        let points: Vec<(f64, f64)> = (0..100_000)
            .map(|i| {
                let y = match i {
                    41_234 => 77.0,
                    50_000 => f64::NAN,
                    _ => 1.0 / 3.0,
                };
                (f64::from(i), y)
            })
            .collect();
        let plot: serde_json::Value = serde_json::from_str(&json(&line(points))).unwrap();
        let mark = &plot["panels"][0]["marks"][0];
        let y = mark["y"].as_array().unwrap();
        assert!(y.len() <= 4 * COLUMNS + 8 && mark["colour"] == "#0072b2");
        assert!(y.contains(&77.0.into()) && y.contains(&0.333_333_3.into()));
        assert!(y.contains(&serde_json::Value::Null), "a gap stays a gap");
    }
}
