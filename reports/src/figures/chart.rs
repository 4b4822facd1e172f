//! Charts with two axes, drawn with plotters; the legend has its own column on the right.

mod lettering;
mod log;
mod look;
mod marks;
mod paper;
mod plot;
mod ticked_axis;

use plotters::coord::Shift;
use plotters::coord::ranged1d::BoldPoints;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use lettering::{cut, fitting, title_size, wrap};
use marks::{LegendKey, draw_mark};
pub(crate) use marks::{Mark, level, stack};
use ticked_axis::TickedAxis;

use super::drawing::Drawing;
use super::style::Rgb;
use crate::batch::FigureStyle;
use crate::store::StoreError;
use crate::text::is_hidden;

/// Width and height in pixels.
const SIZE: (u32, u32) = (960, 420);
const FONT: &str = "sans-serif";

/// One of several diagrams that share scales and legend.
#[derive(Clone, Debug, Default)]
pub(crate) struct Panel {
    /// What distinguishes it, in parts that may be put on separate lines.
    pub(crate) title: Vec<String>,
    pub(crate) marks: Vec<Mark>,
}

/// A chart; the y axis begins at zero unless there are negative values.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chart<'a> {
    pub(crate) title: &'a str,
    pub(crate) x_label: &'a str,
    pub(crate) y_label: &'a str,
    /// Left and right end of the x axis.
    pub(crate) x: (f64, f64),
    /// Whether the x axis and the y axis are logarithmic; then only values greater than zero are
    /// drawn.
    pub(crate) log: (bool, bool),
    /// Names of the integers of the x axis; empty for a numeric axis.
    pub(crate) categories: &'a [String],
    pub(crate) marks: Vec<Mark>,
    /// Several diagrams instead of `marks`; a single one needs no title.
    pub(crate) panels: Vec<Panel>,
    /// Parts of the x axis with a grey background: outages.
    pub(crate) shaded: &'a [(f64, f64)],
    /// Both ends of the y axis, if they do not follow from the marks.
    pub(crate) y: Option<(f64, f64)>,
    /// The style in which it is drawn.
    pub(crate) style: FigureStyle,
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Axes<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<TickedAxis, TickedAxis>>;
type PlotResult = Result<(), Box<dyn std::error::Error>>;

/// Returns the label of a tick.
type TickName<'a> = &'a dyn Fn(&f64) -> String;

/// Height of a row of the legend.
const LEGEND_ROW: u32 = 24;
/// Most panels side by side.
const COLUMNS: usize = 3;
/// Height of a panel without its title.
const PANEL_HEIGHT: u32 = 260;
/// Height of a line of a panel's title.
const TITLE_LINE: u32 = 19;
/// Estimated width of a letter of the labels.
const LETTER: f64 = 7.5;
/// Font size of the names of axes.
const AXIS_FONT: u32 = 15;
/// Names of categories that have less room than so many letters are written upwards …
const LEAST_LETTERS: usize = 6;
/// … and cut after so many.
const MOST_UPRIGHT: usize = 24;
/// Most lines of the name of a category; longer names are cut.
const CATEGORY_LINES: usize = 4;
/// Height of such a line.
const CATEGORY_LINE: u32 = 17;

impl Chart<'_> {
    /// Draws it.
    pub(crate) fn svg(&self) -> Result<Drawing, StoreError> {
        let svg = match self.log {
            (false, false) => self.render(),
            _ => log::scaled(self).render(),
        };
        Ok(match plot::is_ordered(self) {
            true => Drawing::with_plot(svg?, plot::json(self)),
            false => svg?.into(),
        })
    }

    /// Renders the chart; values on a logarithmic axis have been converted to logarithms.
    fn render(&self) -> Result<String, StoreError> {
        let mut svg = String::new();
        let drawn = self.draw(&SVGBackend::with_string(&mut svg, self.size()).into_drawing_area());
        drawn.map_err(|e| StoreError::Figure {
            figure: self.title.to_owned(),
            why: e.to_string(),
        })?;
        // Plotters escapes characters with a meaning in XML, but does not remove those that XML
        // forbids.
        svg.retain(|c| !is_hidden(c));
        Ok(match self.style {
            FigureStyle::Screen => svg,
            FigureStyle::Paper => paper::sized(&svg, self.size()),
        })
    }

    fn all_marks(&self) -> impl Iterator<Item = &Mark> {
        let of_panels = self.panels.iter().flat_map(|p| &p.marks);
        self.marks.iter().chain(of_panels)
    }

    /// The marks that have a label, each label once.
    fn named(&self) -> Vec<&Mark> {
        let mut named: Vec<&Mark> = Vec::new();
        for mark in self.all_marks() {
            let label = mark.label();
            if !label.is_empty() && named.iter().all(|m| m.label() != label) {
                named.push(mark);
            }
        }
        named
    }

    /// Columns and rows of panels.
    fn grid(&self) -> (usize, usize) {
        let n = self.panels.len();
        let columns = if n == 4 { 2 } else { n.clamp(1, COLUMNS) };
        (columns, n.div_ceil(columns).max(1))
    }

    fn title_lines(&self) -> u32 {
        self.panels.iter().map(|p| p.title.len()).max().unwrap_or(0) as u32
    }

    fn size(&self) -> (u32, u32) {
        if self.style == FigureStyle::Paper {
            return paper::size(self);
        }
        let legend = 76 + LEGEND_ROW * self.named().len() as u32;
        let (width, height) = SIZE;
        if self.panels.len() < 2 {
            let room = self.category_room(f64::from(width - 150));
            return (width, (height + room).max(legend));
        }
        let (columns, rows) = self.grid();
        let room = self.category_room(f64::from(width - 150) / columns as f64);
        let panel = PANEL_HEIGHT + room + TITLE_LINE * self.title_lines();
        (width, (48 + rows as u32 * panel).max(legend))
    }

    /// Height that names of categories need beyond one line, in a diagram of this width.
    fn category_room(&self, width: f64) -> u32 {
        let letters = self.category_letters(width);
        if let Some(longest) = self.upright(letters) {
            return (longest * LETTER) as u32;
        }
        let lines = self.categories.iter().map(|c| wrap(c, letters).len());
        CATEGORY_LINE * lines.max().unwrap_or(1).saturating_sub(1) as u32
    }

    /// Whether names of categories are written upwards, because lines of so few letters would break their words; then
    /// the letters that the longest takes.
    fn upright(&self, letters: usize) -> Option<f64> {
        let longest = self.categories.iter().map(|c| crate::text::width(c));
        let longest = longest.fold(0.0, f64::max);
        let is_narrow = letters < LEAST_LETTERS && longest > letters as f64;
        is_narrow.then_some(longest.min(MOST_UPRIGHT as f64))
    }

    /// Letters per line of the name of a category.
    fn category_letters(&self, width: f64) -> usize {
        let slot = width / self.categories.len().max(1) as f64;
        ((slot - 8.0) / LETTER).max(3.0) as usize
    }

    fn draw(&self, root: &Area<'_>) -> PlotResult {
        root.fill(&WHITE)?;
        if self.style == FigureStyle::Paper {
            paper::draw(self, root)?;
            root.present()?;
            return Ok(());
        }
        let (width, _) = self.size();
        let labels = self.named().into_iter();
        let labels = labels.map(|m| crate::text::width(m.label()).ceil() as u32);
        let legend_width = match labels.max() {
            None | Some(0) => 20,
            Some(longest) => 60 + longest * 15 / 2,
        };
        let (plot, legend) = root.split_horizontally(width - legend_width.min(width / 2));
        match self.panels.as_slice() {
            [] => self.diagram(&plot, Some(self.title), &self.marks, true)?,
            [only] => self.diagram(&plot, Some(self.title), &only.marks, true)?,
            panels => self.draw_panels(&plot, panels)?,
        }
        self.draw_legend(&legend)?;
        root.present()?;
        Ok(())
    }

    fn draw_panels(&self, area: &Area<'_>, panels: &[Panel]) -> PlotResult {
        let (head, body) = area.split_vertically(40);
        let width = f64::from(head.dim_in_pixel().0) - 40.0;
        centred(&head, self.title, title_size(self.title, width), 12)?;
        let (columns, rows) = self.grid();
        let places = body.split_evenly((rows, columns));
        for (i, (panel, place)) in panels.iter().zip(&places).enumerate() {
            self.panel(place, panel, i % columns == 0)?;
        }
        Ok(())
    }

    /// Draws one of several panels, below its title.
    fn panel(&self, place: &Area<'_>, panel: &Panel, y_name: bool) -> PlotResult {
        let (title, diagram) = place.split_vertically(TITLE_LINE * self.title_lines() + 4);
        for (line, text) in panel.title.iter().enumerate() {
            centred(&title, text, 14, 4 + TITLE_LINE as i32 * line as i32)?;
        }
        self.diagram(&diagram, None, &panel.marks, y_name)
    }

    /// The range of y over all marks of all panels; it contains zero, unless it is logarithmic.
    fn y_range(&self) -> std::ops::Range<f64> {
        if let Some((low, high)) = self.y {
            return low..high;
        }
        if self.log.1 {
            return log::range(self.all_marks());
        }
        let top = self.all_marks().map(Mark::top).fold(0.0, f64::max);
        let bottom = self.all_marks().map(Mark::bottom).fold(0.0, f64::min);
        let top = if top > bottom { top } else { bottom + 1.0 };
        let room = (top - bottom) * 0.06;
        (if bottom < 0.0 { bottom - room } else { 0.0 })..top + room
    }

    fn diagram(
        &self,
        area: &Area<'_>,
        title: Option<&str>,
        marks: &[Mark],
        y_name: bool,
    ) -> PlotResult {
        let x = if self.x.1 > self.x.0 {
            self.x.0..self.x.1
        } else {
            self.x.0..self.x.0 + 1.0
        };
        let width = f64::from(area.dim_in_pixel().0) - if y_name { 122.0 } else { 90.0 };
        let room = self.category_room(width);
        let numbers = RangedCoordf64::from(x);
        let ticks: Vec<f64> = if !self.categories.is_empty() {
            (0..self.categories.len()).map(|i| i as f64).collect()
        } else if self.log.0 {
            log::ticks(&numbers.range())
        } else {
            let most = ((width / 70.0) as usize).clamp(2, 10);
            numbers.key_points(BoldPoints(most))
        };
        let heights = RangedCoordf64::from(self.y_range());
        let y_ticks = if self.log.1 {
            log::ticks(&heights.range())
        } else {
            heights.key_points(BoldPoints(8))
        };
        let y = TickedAxis {
            numbers: heights,
            ticks: y_ticks,
        };
        let names = (
            log::labels(&ticks, self.log.0),
            log::labels(&y.ticks, self.log.1),
        );
        let mut builder = ChartBuilder::on(area);
        if let Some(title) = title {
            let size = title_size(title, f64::from(area.dim_in_pixel().0) - 24.0);
            builder.caption(title, (FONT, size).into_font());
        }
        let mut axes = builder
            .margin(10)
            .margin_right(24)
            .x_label_area_size(48 + room)
            .y_label_area_size(if y_name { 88 } else { 56 })
            .build_cartesian_2d(
                TickedAxis {
                    numbers,
                    ticks: ticks.clone(),
                },
                y.clone(),
            )?;
        self.shade(&mut axes, marks)?;
        let label = |ticks: &[f64], names: &[String], at: f64| {
            let place = ticks.iter().position(|t| *t == at);
            place
                .and_then(|i| names.get(i).cloned())
                .unwrap_or_default()
        };
        let x_label = |at: &f64| label(&ticks, &names.0, *at);
        let y_label = |at: &f64| label(&y.ticks, &names.1, *at);
        self.mesh(&mut axes, y_name, (&x_label, &y_label))?;
        self.category_names(area, &axes, self.category_letters(width))?;
        for mark in marks {
            draw_mark(&mut axes, mark, self.style)?;
        }
        Ok(())
    }

    /// Colours the background: the bands of marks, and grey for outages, within the axis.
    fn shade(&self, axes: &mut Axes<'_, '_>, marks: &[Mark]) -> PlotResult {
        for mark in marks {
            if let Mark::Band { colour, spans, .. } = mark {
                self.shade_spans(axes, spans, rgb(*colour))?;
            }
        }
        // What takes no time is a line.
        let line = (self.x.1 - self.x.0) / 400.0;
        let faults = self.shaded.iter();
        let faults: Vec<(f64, f64)> = faults
            .map(|&(from, to)| (from, to.max(from + line)))
            .collect();
        self.shade_spans(axes, &faults, RGBColor(215, 215, 215))
    }

    fn shade_spans(
        &self,
        axes: &mut Axes<'_, '_>,
        spans: &[(f64, f64)],
        colour: RGBColor,
    ) -> PlotResult {
        let y = self.y_range();
        let style = colour.filled();
        for &(from, to) in spans {
            let (from, to) = (from.max(self.x.0), to.min(self.x.1));
            if from < to {
                let corners = [(from, y.start), (to, y.end)];
                axes.draw_series([Rectangle::new(corners, style)])?;
            }
        }
        Ok(())
    }

    /// Draws the names of categories, broken into lines below their ticks.
    fn category_names(&self, area: &Area<'_>, axes: &Axes<'_, '_>, letters: usize) -> PlotResult {
        let (left, top) = area.get_base_pixel();
        let style = (FONT, 14).into_font().color(&BLACK);
        let style = style.pos(Pos::new(HPos::Center, VPos::Top));
        let upright = self.upright(letters).is_some();
        for (i, name) in self.categories.iter().enumerate() {
            let (x, y) = axes.backend_coord(&(i as f64, self.y_range().start));
            if upright {
                let style = style.clone().transform(FontTransform::Rotate270);
                let style = style.pos(Pos::new(HPos::Right, VPos::Center));
                let at = (x - left, y - top + 9);
                area.draw(&Text::new(cut(name, MOST_UPRIGHT), at, style))?;
                continue;
            }
            for (line, text) in wrap(name, letters).into_iter().enumerate() {
                let below = 9 + CATEGORY_LINE as i32 * line as i32;
                let at = (x - left, y - top + below);
                area.draw(&Text::new(text, at, style.clone()))?;
            }
        }
        Ok(())
    }

    /// Draws grid, axes and their labels; `labels` names the ticks of x and y.
    fn mesh(
        &self,
        axes: &mut Axes<'_, '_>,
        y_name: bool,
        labels: (TickName<'_>, TickName<'_>),
    ) -> PlotResult {
        let height = axes.plotting_area().dim_in_pixel().1;
        // The labels of x are below, and margins above and below.
        let (y_label, y_size) = fitting(self.y_label, f64::from(height) + 66.0);
        let is_numbers = self.categories.is_empty();
        let format_x = |x: &f64| {
            if is_numbers {
                labels.0(x)
            } else {
                String::new()
            }
        };
        axes.configure_mesh()
            .x_labels(self.categories.len().max(10))
            .y_labels(8)
            .light_line_style(TRANSPARENT)
            .bold_line_style(RGBColor(228, 228, 228))
            .axis_style(RGBColor(90, 90, 90))
            .label_style((FONT, 14).into_font())
            .axis_desc_style((FONT, y_size).into_font())
            .x_label_formatter(&format_x)
            .y_label_formatter(&|y| labels.1(y))
            .x_desc(self.x_label)
            .y_desc(if y_name { y_label.as_str() } else { "" })
            .draw()?;
        Ok(())
    }

    /// Draws the legend. The first area of a stack is at the bottom, so areas are listed from last
    /// to first.
    fn draw_legend(&self, area: &Area<'_>) -> PlotResult {
        let named = self.named().into_iter();
        let (areas, lines): (Vec<_>, Vec<_>) = named.partition(|m| matches!(m, Mark::Area { .. }));
        for (i, mark) in lines.into_iter().chain(areas.into_iter().rev()).enumerate() {
            let y = 56 + LEGEND_ROW as i32 * i as i32;
            let (label, colour) = (mark.label(), rgb(mark.colour()));
            match mark.key() {
                LegendKey::Filled => {
                    area.draw(&Rectangle::new([(6, y - 7), (30, y + 7)], colour.filled()))?;
                }
                LegendKey::Dashed => {
                    for x in [6, 16, 26] {
                        let dash = vec![(x, y), (x + 6, y)];
                        area.draw(&PathElement::new(dash, colour.stroke_width(3)))?;
                    }
                }
                LegendKey::Solid => {
                    let line = vec![(6, y), (30, y)];
                    area.draw(&PathElement::new(line, colour.stroke_width(3)))?;
                }
                LegendKey::Upright => {
                    let line = vec![(18, y - 8), (18, y + 8)];
                    area.draw(&PathElement::new(line, colour.stroke_width(3)))?;
                }
                LegendKey::Dot => area.draw(&Circle::new((18, y), 4, colour.filled()))?,
            }
            let style = (FONT, 14).into_font().color(&BLACK);
            area.draw(&Text::new(label.to_owned(), (38, y - 7), style))?;
        }
        Ok(())
    }
}

/// Draws text in the middle of an area, `y` pixels below its top.
fn centred(area: &Area<'_>, text: &str, size: u32, y: i32) -> PlotResult {
    let at = Pos::new(HPos::Center, VPos::Top);
    let style = (FONT, size).into_font().color(&BLACK).pos(at);
    // Labels of the y axis take room on the left.
    let middle = area.dim_in_pixel().0 as i32 / 2 + 20;
    area.draw(&Text::new(text.to_owned(), (middle, y), style))?;
    Ok(())
}

fn rgb((r, g, b): Rgb) -> RGBColor {
    RGBColor(r, g, b)
}

#[cfg(test)]
mod tests;
