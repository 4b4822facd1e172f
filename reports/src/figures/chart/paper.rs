//! The layout of a figure for a column of a printed paper: narrow, without a title, the legend above.

use plotters::prelude::*;

use super::look::{area, look};
use super::marks::{LegendKey, draw_point};
use super::{Area, Chart, FONT, LETTER, PANEL_HEIGHT, PlotResult, TITLE_LINE};

/// Width in pixels, which corresponds to [`WIDTH_MM`] on paper: a font size of 14 pixels is 7
/// points.
const WIDTH: u32 = 504;
/// The width of a column of the usual two-column styles.
const WIDTH_MM: f64 = 89.0;
/// Height of a single diagram.
const HEIGHT: u32 = 310;
/// Height of a row of the legend.
const ROW: u32 = 20;
/// Panels side by side.
const COLUMNS: usize = 2;

/// The size in pixels.
pub(super) fn size(chart: &Chart<'_>) -> (u32, u32) {
    let legend = ROW * rows(chart).len() as u32 + 8;
    let panels = chart.panels.len();
    if panels < 2 {
        let room = chart.category_room(f64::from(WIDTH) - 122.0);
        return (WIDTH, legend + HEIGHT + room);
    }
    let room = chart.category_room(f64::from(WIDTH) / COLUMNS as f64 - 90.0);
    let panel = PANEL_HEIGHT - 40 + room + TITLE_LINE * chart.title_lines();
    (WIDTH, legend + panels.div_ceil(COLUMNS) as u32 * panel)
}

/// The entries of the legend in rows: the indices of marks with a name.
fn rows(chart: &Chart<'_>) -> Vec<Vec<usize>> {
    let mut rows: Vec<Vec<usize>> = Vec::new();
    let mut used = f64::INFINITY;
    for (i, mark) in chart.named().iter().enumerate() {
        let width = entry_width(mark.label());
        if used + width > f64::from(WIDTH) - 20.0 {
            rows.push(Vec::new());
            used = 0.0;
        }
        rows.last_mut().into_iter().for_each(|row| row.push(i));
        used += width;
    }
    rows
}

fn entry_width(label: &str) -> f64 {
    44.0 + LETTER * crate::text::width(label) + 10.0
}

/// Draws the legend, and the diagrams below it.
pub(super) fn draw(chart: &Chart<'_>, root: &Area<'_>) -> PlotResult {
    let rows = rows(chart);
    let (legend, body) = root.split_vertically(ROW * rows.len() as u32 + 8);
    draw_legend(chart, &legend, &rows)?;
    match chart.panels.as_slice() {
        [] => chart.diagram(&body, None, &chart.marks, true),
        [only] => chart.diagram(&body, None, &only.marks, true),
        panels => {
            let places = body.split_evenly((panels.len().div_ceil(COLUMNS), COLUMNS));
            for (i, (panel, place)) in panels.iter().zip(&places).enumerate() {
                chart.panel(place, panel, i % COLUMNS == 0)?;
            }
            Ok(())
        }
    }
}

fn draw_legend(chart: &Chart<'_>, legend: &Area<'_>, rows: &[Vec<usize>]) -> PlotResult {
    let named = chart.named();
    for (row, entries) in rows.iter().enumerate() {
        let y = 14 + ROW as i32 * row as i32;
        let mut x = 14.0;
        for mark in entries.iter().map(|i| named[*i]) {
            let left = x as i32;
            let dashed = mark.key() == LegendKey::Dashed;
            let own = look(chart.style, mark.colour(), dashed);
            let line = own.colour.stroke_width(2);
            match mark.key() {
                LegendKey::Filled => {
                    let ends = [(left, y - 6), (left + 28, y + 6)];
                    let fill = area(chart.style, mark.colour()).filled();
                    legend.draw(&Rectangle::new(ends, fill))?;
                }
                LegendKey::Upright => {
                    let stroke = vec![(left + 14, y - 7), (left + 14, y + 7)];
                    legend.draw(&PathElement::new(stroke, line))?;
                }
                LegendKey::Solid | LegendKey::Dashed => {
                    let (dash, gap) = own.dash.unwrap_or((28, 0));
                    for from in (0..28).step_by((dash + gap).max(1) as usize) {
                        let ends = vec![(left + from, y), (left + (from + dash).min(28), y)];
                        legend.draw(&PathElement::new(ends, line))?;
                    }
                    if mark.has_points() {
                        draw_point(legend, (left + 14, y), own)?;
                    }
                }
                LegendKey::Dot => draw_point(legend, (left + 14, y), own)?,
            }
            let style = (FONT, 14).into_font().color(&BLACK);
            let label = mark.label().to_owned();
            legend.draw(&Text::new(label, (left + 36, y - 7), style))?;
            x += entry_width(mark.label());
        }
    }
    Ok(())
}

/// The picture with its size on paper instead of its size in pixels.
pub(super) fn sized(svg: &str, (width, height): (u32, u32)) -> String {
    let mm = WIDTH_MM / f64::from(width);
    let on_paper = format!(
        "width=\"{WIDTH_MM}mm\" height=\"{:.2}mm\"",
        f64::from(height) * mm
    );
    svg.replacen(
        &format!("width=\"{width}\" height=\"{height}\""),
        &on_paper,
        1,
    )
}
