//! Charts with two axes, drawn by plotters; the legend has a column of its own on the right.

use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;

use super::style::{GREY, Rgb};
use crate::format::number;
use crate::store::StoreError;

/// Width and height in pixels.
const SIZE: (u32, u32) = (960, 420);
const FONT: &str = "sans-serif";

/// What is drawn into a chart.
#[derive(Clone, Debug)]
pub(crate) enum Mark {
    /// The area between two curves over the same x: (x, lower, upper).
    Area {
        label: String,
        colour: Rgb,
        points: Vec<(f64, f64, f64)>,
    },
    /// A curve; NaN interrupts it.
    Line {
        label: String,
        colour: Rgb,
        points: Vec<(f64, f64)>,
        dashed: bool,
    },
    /// Means with intervals, joined: (x, low, mean, high).
    Intervals {
        label: String,
        colour: Rgb,
        points: Vec<(f64, f64, f64, f64)>,
    },
}

impl Mark {
    fn legend(&self) -> (&str, Rgb, bool, bool) {
        match self {
            Mark::Area { label, colour, .. } => (label, *colour, true, false),
            Mark::Line {
                label,
                colour,
                dashed,
                ..
            } => (label, *colour, false, *dashed),
            Mark::Intervals { label, colour, .. } => (label, *colour, false, false),
        }
    }

    fn top(&self) -> f64 {
        let tops: Box<dyn Iterator<Item = f64>> = match self {
            Mark::Area { points, .. } => Box::new(points.iter().map(|p| p.2)),
            Mark::Line { points, .. } => Box::new(points.iter().map(|p| p.1)),
            Mark::Intervals { points, .. } => Box::new(points.iter().map(|p| p.3)),
        };
        tops.filter(|v| v.is_finite()).fold(0.0, f64::max)
    }

    fn bottom(&self) -> f64 {
        let bottoms: Box<dyn Iterator<Item = f64>> = match self {
            Mark::Area { points, .. } => Box::new(points.iter().map(|p| p.1)),
            Mark::Line { points, .. } => Box::new(points.iter().map(|p| p.1)),
            Mark::Intervals { points, .. } => Box::new(points.iter().map(|p| p.1)),
        };
        bottoms.filter(|v| v.is_finite()).fold(0.0, f64::min)
    }
}

/// A chart to be drawn; y begins at zero unless values are negative.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chart<'a> {
    pub(crate) title: &'a str,
    pub(crate) x_label: &'a str,
    pub(crate) y_label: &'a str,
    /// Left and right end of the x axis.
    pub(crate) x: (f64, f64),
    /// Names of the whole numbers of the x axis; empty for an axis of numbers.
    pub(crate) categories: &'a [String],
    pub(crate) marks: Vec<Mark>,
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Axes<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;
type Drawn = Result<(), Box<dyn std::error::Error>>;

impl Chart<'_> {
    /// Draws it.
    pub(crate) fn svg(&self) -> Result<String, StoreError> {
        let mut svg = String::new();
        let drawn = self.draw(&SVGBackend::with_string(&mut svg, SIZE).into_drawing_area());
        drawn.map_err(|e| StoreError::Figure {
            figure: self.title.to_owned(),
            why: e.to_string(),
        })?;
        Ok(svg)
    }

    fn draw(&self, root: &Area<'_>) -> Drawn {
        root.fill(&WHITE)?;
        let labels = self.marks.iter().map(|m| m.legend().0.chars().count());
        let longest = labels.max().unwrap_or(0) as u32;
        let legend_width = if longest == 0 {
            20
        } else {
            60 + longest * 15 / 2
        };
        let (plot, legend) = root.split_horizontally(SIZE.0 - legend_width.min(SIZE.0 / 2));
        let top = self.marks.iter().map(Mark::top).fold(0.0, f64::max);
        let bottom = self.marks.iter().map(Mark::bottom).fold(0.0, f64::min);
        let top = if top > bottom { top } else { bottom + 1.0 };
        let room = (top - bottom) * 0.06;
        let y = if bottom < 0.0 { bottom - room } else { 0.0 }..top + room;
        let x = if self.x.1 > self.x.0 {
            self.x.0..self.x.1
        } else {
            self.x.0..self.x.0 + 1.0
        };
        let mut axes = ChartBuilder::on(&plot)
            .caption(self.title, (FONT, 19).into_font())
            .margin(10)
            .margin_right(24)
            .x_label_area_size(48)
            .y_label_area_size(88)
            .build_cartesian_2d(x, y)?;
        self.mesh(&mut axes)?;
        for mark in &self.marks {
            draw_mark(&mut axes, mark)?;
        }
        self.draw_legend(&legend)?;
        root.present()?;
        Ok(())
    }

    fn mesh(&self, axes: &mut Axes<'_, '_>) -> Drawn {
        let category = |x: &f64| {
            let whole = x.round();
            if (x - whole).abs() > 1e-6 || whole < 0.0 {
                return String::new();
            }
            self.categories
                .get(whole as usize)
                .cloned()
                .unwrap_or_default()
        };
        let plain = |x: &f64| number(*x);
        let (format_x, ticks): (&dyn Fn(&f64) -> String, usize) = if self.categories.is_empty() {
            (&plain, 10)
        } else {
            (&category, 2 * self.categories.len() + 2)
        };
        axes.configure_mesh()
            .x_labels(ticks)
            .y_labels(8)
            .light_line_style(TRANSPARENT)
            .bold_line_style(RGBColor(228, 228, 228))
            .axis_style(RGBColor(90, 90, 90))
            .label_style((FONT, 14).into_font())
            .axis_desc_style((FONT, 15).into_font())
            .x_label_formatter(format_x)
            .y_label_formatter(&|y| number(*y))
            .x_desc(self.x_label)
            .y_desc(self.y_label)
            .draw()?;
        Ok(())
    }

    /// The first of a stack lies at its bottom, so areas are listed from the last to the first.
    fn draw_legend(&self, area: &Area<'_>) -> Drawn {
        let named = self.marks.iter().filter(|m| !m.legend().0.is_empty());
        let (areas, lines): (Vec<_>, Vec<_>) = named.partition(|m| matches!(m, Mark::Area { .. }));
        for (i, mark) in lines.into_iter().chain(areas.into_iter().rev()).enumerate() {
            let y = 56 + 24 * i as i32;
            let (label, colour, filled, dashed) = mark.legend();
            let colour = rgb(colour);
            if filled {
                area.draw(&Rectangle::new([(6, y - 7), (30, y + 7)], colour.filled()))?;
            } else if dashed {
                for x in [6, 16, 26] {
                    let dash = vec![(x, y), (x + 6, y)];
                    area.draw(&PathElement::new(dash, colour.stroke_width(3)))?;
                }
            } else {
                let line = vec![(6, y), (30, y)];
                area.draw(&PathElement::new(line, colour.stroke_width(3)))?;
            }
            let style = (FONT, 14).into_font().color(&BLACK);
            area.draw(&Text::new(label.to_owned(), (38, y - 7), style))?;
        }
        Ok(())
    }
}

fn draw_mark(axes: &mut Axes<'_, '_>, mark: &Mark) -> Drawn {
    match mark {
        Mark::Area { colour, points, .. } => {
            let upper = points.iter().map(|p| (p.0, p.2));
            let lower = points.iter().rev().map(|p| (p.0, p.1));
            let outline: Vec<_> = upper.chain(lower).collect();
            axes.draw_series([Polygon::new(outline, rgb(*colour).mix(0.85).filled())])?;
        }
        Mark::Line {
            colour,
            points,
            dashed,
            ..
        } => {
            for part in points.split(|p| !p.1.is_finite()).filter(|p| !p.is_empty()) {
                // A crowded curve drawn thick is a blot.
                let width = if *dashed || part.len() > 1000 { 2 } else { 3 };
                let style = rgb(*colour).stroke_width(width);
                let part = thin(part);
                if *dashed {
                    axes.draw_series(DashedLineSeries::new(part, 8, 6, style))?;
                } else {
                    axes.draw_series(LineSeries::new(part, style))?;
                }
            }
        }
        Mark::Intervals { colour, points, .. } => {
            let style = rgb(*colour).stroke_width(2);
            let means = points.iter().map(|p| (p.0, p.2));
            axes.draw_series(LineSeries::new(means.clone(), style))?;
            let bars = points
                .iter()
                .map(|p| ErrorBar::new_vertical(p.0, p.1, p.2, p.3, style.filled(), 12));
            axes.draw_series(bars)?;
            axes.draw_series(means.map(|p| Circle::new(p, 4, style.filled())))?;
        }
    }
    Ok(())
}

fn rgb((r, g, b): Rgb) -> RGBColor {
    RGBColor(r, g, b)
}

/// At most a few points per pixel column: of each column the first, lowest, highest and last.
fn thin(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    const COLUMNS: usize = 700;
    if points.len() <= 4 * COLUMNS {
        return points.to_vec();
    }
    let columns = points.chunks(points.len().div_ceil(COLUMNS));
    let mut kept = Vec::with_capacity(4 * COLUMNS);
    for column in columns {
        let by_value = |a: &&(f64, f64), b: &&(f64, f64)| a.1.total_cmp(&b.1);
        let (low, high) = (
            column.iter().min_by(by_value),
            column.iter().max_by(by_value),
        );
        let mut four = vec![column.first(), low, high, column.last()];
        four.sort_by(|a, b| {
            a.map(|p| p.0)
                .unwrap_or(0.0)
                .total_cmp(&b.map_or(0.0, |p| p.0))
        });
        kept.extend(four.into_iter().flatten());
    }
    kept
}

/// Rows of a stack as areas: `layers[i]` lies on those before it. Many rows are thinned.
pub(crate) fn stack(xs: &[f64], layers: Vec<(String, Rgb, Vec<f64>)>) -> Vec<Mark> {
    let mut below = vec![0.0; xs.len()];
    let mut marks = Vec::with_capacity(layers.len());
    let stride = xs.len().div_ceil(1500).max(1);
    for (label, colour, values) in layers {
        let mut points = Vec::with_capacity(xs.len());
        for (i, ((&x, low), value)) in xs.iter().zip(&mut below).zip(values).enumerate() {
            let high = *low + value;
            if i % stride == 0 || i + 1 == xs.len() {
                points.push((x, *low, high));
            }
            *low = high;
        }
        marks.push(Mark::Area {
            label,
            colour,
            points,
        });
    }
    marks
}

/// A horizontal line over the whole width.
pub(crate) fn level(label: impl Into<String>, y: f64, x: (f64, f64)) -> Mark {
    Mark::Line {
        label: label.into(),
        colour: GREY,
        points: vec![(x.0, y), (x.1, y)],
        dashed: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_ends_and_extremes() {
        let points: Vec<_> = (0..100_000)
            .map(|i| {
                (
                    f64::from(i),
                    if i == 77_777 {
                        9.0
                    } else {
                        (f64::from(i) / 9e3).sin()
                    },
                )
            })
            .collect();
        let thinned = thin(&points);
        assert!(thinned.len() <= 2800 + 4);
        assert_eq!(
            (thinned.first(), thinned.last()),
            (points.first(), points.last())
        );
        assert!(thinned.contains(&(77_777.0, 9.0)) && thinned.is_sorted_by_key(|p| p.0 as u64));
    }

    #[test]
    fn odd_values_still_make_a_picture() {
        let line = |points: Vec<(f64, f64)>| Mark::Line {
            label: "a < b & c".into(),
            colour: GREY,
            points,
            dashed: true,
        };
        for marks in [
            vec![],
            vec![line(vec![])],
            vec![line(vec![(0.0, f64::NAN), (1.0, 0.0)])],
            vec![line(vec![(0.0, -5.0), (1.0, -4.0)])],
            vec![line(vec![(0.0, 1e300), (1.0, 0.0)])],
        ] {
            let chart = Chart {
                title: "t",
                marks,
                ..Chart::default()
            };
            let svg = chart.svg().unwrap();
            assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
            assert!(!svg.contains("a < b"), "text is escaped");
        }
    }
}
