//! The marks of a chart: areas, curves, points, strokes, and coloured backgrounds.

use plotters::prelude::*;

use super::look::{self, MarkLook, PointShape, look};
use super::{Area, Axes, PlotResult};
use crate::batch::FigureStyle;
use crate::figures::style::{GREY, Rgb};

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
        dashed: bool,
        /// False if neighbouring points are unrelated.
        joined: bool,
    },
    /// Upright strokes: (x, lower, upper).
    Strokes {
        label: String,
        colour: Rgb,
        points: Vec<(f64, f64, f64)>,
    },
    /// Single points.
    Dots {
        label: String,
        colour: Rgb,
        points: Vec<(f64, f64)>,
    },
    /// Parts of the x axis with a coloured background, each from and to.
    Band {
        label: String,
        colour: Rgb,
        spans: Vec<(f64, f64)>,
    },
}

/// How the legend shows a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LegendKey {
    Filled,
    Solid,
    Dashed,
    Upright,
    Dot,
}

impl Mark {
    pub(super) fn label(&self) -> &str {
        match self {
            Mark::Area { label, .. }
            | Mark::Line { label, .. }
            | Mark::Intervals { label, .. }
            | Mark::Strokes { label, .. }
            | Mark::Dots { label, .. }
            | Mark::Band { label, .. } => label,
        }
    }

    pub(super) fn colour(&self) -> Rgb {
        match self {
            Mark::Area { colour, .. }
            | Mark::Line { colour, .. }
            | Mark::Intervals { colour, .. }
            | Mark::Strokes { colour, .. }
            | Mark::Dots { colour, .. }
            | Mark::Band { colour, .. } => *colour,
        }
    }

    pub(super) fn key(&self) -> LegendKey {
        match self {
            Mark::Area { .. } | Mark::Band { .. } => LegendKey::Filled,
            Mark::Line { dashed, .. } | Mark::Intervals { dashed, .. } => match dashed {
                true => LegendKey::Dashed,
                false => LegendKey::Solid,
            },
            Mark::Strokes { .. } => LegendKey::Upright,
            Mark::Dots { .. } => LegendKey::Dot,
        }
    }

    /// Whether its line is drawn with points.
    pub(super) fn has_points(&self) -> bool {
        matches!(self, Mark::Intervals { .. })
    }

    /// Its values: lower and upper end of each point.
    pub(super) fn values(&self) -> Vec<(f64, f64)> {
        match self {
            Mark::Area { points, .. } | Mark::Strokes { points, .. } => {
                points.iter().map(|p| (p.1, p.2)).collect()
            }
            Mark::Line { points, .. } | Mark::Dots { points, .. } => {
                points.iter().map(|p| (p.1, p.1)).collect()
            }
            Mark::Intervals { points, .. } => points.iter().map(|p| (p.1, p.3)).collect(),
            Mark::Band { .. } => Vec::new(),
        }
    }

    pub(super) fn top(&self) -> f64 {
        let tops = self.values().into_iter().map(|v| v.1);
        tops.filter(|v| v.is_finite()).fold(0.0, f64::max)
    }

    pub(super) fn bottom(&self) -> f64 {
        let bottoms = self.values().into_iter().map(|v| v.0);
        bottoms.filter(|v| v.is_finite()).fold(0.0, f64::min)
    }
}

pub(super) fn draw_mark(axes: &mut Axes<'_, '_>, mark: &Mark, style: FigureStyle) -> PlotResult {
    let own = |colour: &Rgb, dashed: bool| look(style, *colour, dashed);
    match mark {
        Mark::Area { colour, points, .. } => {
            let upper = points.iter().map(|p| (p.0, p.2));
            let lower = points.iter().rev().map(|p| (p.0, p.1));
            let outline: Vec<_> = upper.chain(lower).collect();
            let fill = look::area(style, *colour).mix(0.85).filled();
            axes.draw_series([Polygon::new(outline, fill)])?;
        }
        Mark::Line {
            colour,
            points,
            dashed,
            ..
        } => {
            let own = own(colour, *dashed);
            for part in points.split(|p| !p.1.is_finite()).filter(|p| !p.is_empty()) {
                // A crowded curve drawn thick would be a blot.
                let width = if *dashed || part.len() > 1000 { 2 } else { 3 };
                let style = own.colour.stroke_width(width);
                let part = thin(part);
                match own.dash {
                    Some((dash, gap)) => {
                        axes.draw_series(DashedLineSeries::new(part, dash, gap, style))?;
                    }
                    None => {
                        axes.draw_series(LineSeries::new(part, style))?;
                    }
                }
            }
        }
        Mark::Intervals {
            colour,
            points,
            dashed,
            joined,
            ..
        } => {
            let own = own(colour, *dashed);
            let style = own.colour.stroke_width(2);
            let means = points.iter().map(|p| (p.0, p.2));
            match own.dash {
                // Only the dots below are drawn.
                _ if !joined => {}
                Some((dash, gap)) => {
                    axes.draw_series(DashedLineSeries::new(means.clone(), dash, gap, style))?;
                }
                None => {
                    axes.draw_series(LineSeries::new(means.clone(), style))?;
                }
            }
            // A single run has no interval, and therefore no bar.
            let bars = points
                .iter()
                .filter(|p| p.1 < p.3)
                .map(|p| PathElement::new(vec![(p.0, p.1), (p.0, p.3)], style));
            axes.draw_series(bars)?;
            let ends = points.iter().filter(|p| p.1 < p.3);
            let ends = ends.flat_map(|p| [(p.0, p.1), (p.0, p.3)]);
            let caps = ends
                .map(|end| EmptyElement::at(end) + PathElement::new(vec![(-5, 0), (5, 0)], style));
            axes.draw_series(caps)?;
            draw_points(axes, means, own)?;
        }
        Mark::Strokes { colour, points, .. } => {
            let style = own(colour, false).colour.stroke_width(2);
            let strokes = points.iter().map(|&(x, low, high)| {
                let ends = vec![(x, low), (x, high)];
                PathElement::new(ends, style)
            });
            axes.draw_series(strokes)?;
        }
        Mark::Dots { colour, points, .. } => {
            let own = own(colour, false);
            if own.shape == PointShape::Disc {
                let style = own.colour.filled();
                axes.draw_series(points.iter().map(|p| Circle::new(*p, 3, style)))?;
            } else {
                draw_points(axes, points.iter().copied(), own)?;
            }
        }
        // The background has already been drawn.
        Mark::Band { .. } => {}
    }
    Ok(())
}

/// Draws points in their shape, about eight pixels wide.
fn draw_points(
    axes: &mut Axes<'_, '_>,
    points: impl Iterator<Item = (f64, f64)>,
    look: MarkLook,
) -> PlotResult {
    let line = look.colour.stroke_width(2);
    let fill = line.filled();
    match look.shape {
        PointShape::Disc => axes.draw_series(points.map(|p| Circle::new(p, 4, fill)))?,
        PointShape::Ring => axes.draw_series(points.map(|p| Circle::new(p, 4, line)))?,
        PointShape::Triangle => {
            axes.draw_series(points.map(|p| TriangleMarker::new(p, 5, fill)))?
        }
        PointShape::Cross => axes.draw_series(points.map(|p| Cross::new(p, 4, line)))?,
    };
    Ok(())
}

/// Draws a single point, for a legend.
pub(super) fn draw_point(area: &Area<'_>, at: (i32, i32), look: MarkLook) -> PlotResult {
    let line = look.colour.stroke_width(2);
    let fill = line.filled();
    match look.shape {
        PointShape::Disc => area.draw(&Circle::new(at, 4, fill))?,
        PointShape::Ring => area.draw(&Circle::new(at, 4, line))?,
        PointShape::Triangle => area.draw(&TriangleMarker::new(at, 5, fill))?,
        PointShape::Cross => area.draw(&Cross::new(at, 4, line))?,
    }
    Ok(())
}

/// Thins a curve to a few points per pixel column: the first, lowest, highest and last in each.
pub(super) fn thin(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    thin_to(points, 700)
}

/// The same for a given number of columns.
pub(super) fn thin_to(points: &[(f64, f64)], columns: usize) -> Vec<(f64, f64)> {
    if points.len() <= 4 * columns {
        return points.to_vec();
    }
    let mut kept = Vec::with_capacity(4 * columns);
    let columns = points.chunks(points.len().div_ceil(columns));
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

/// The layers of a stack as areas: `layers[i]` lies on top of those before it. Many rows are
/// thinned.
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
