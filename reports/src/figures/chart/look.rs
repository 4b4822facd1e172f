//! The appearance of a mark: colour on screens; shade, dashes and the shape of points in print.

use plotters::prelude::RGBColor;

use super::rgb;
use crate::batch::FigureStyle;
use crate::figures::style::{Rgb, SERIES};

/// The shape of points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PointShape {
    Disc,
    Ring,
    Triangle,
    Cross,
}

/// Colour, dashes (length and distance, pixels) and shape of points.
#[derive(Clone, Copy, Debug)]
pub(super) struct MarkLook {
    pub(super) colour: RGBColor,
    pub(super) dash: Option<(i32, i32)>,
    pub(super) shape: PointShape,
}

/// A shade, dashes and a shape.
type PrintedLook = (u8, Option<(i32, i32)>, PointShape);

/// Looks of the series of a printed figure, in the order of the colours. Neighbours differ in all
/// three respects.
const PRINTED: [PrintedLook; 8] = [
    (0, None, PointShape::Disc),
    (105, Some((9, 4)), PointShape::Ring),
    (50, Some((2, 4)), PointShape::Triangle),
    (140, None, PointShape::Cross),
    (30, Some((14, 5)), PointShape::Ring),
    (120, Some((4, 3)), PointShape::Disc),
    (75, None, PointShape::Triangle),
    (150, Some((7, 7)), PointShape::Cross),
];

/// Shades of the areas of a printed stack, in the same order: neighbours differ as much as
/// possible.
const AREAS: [u8; 8] = [70, 200, 130, 235, 100, 175, 40, 215];

/// The look of a mark of a colour; `dashed` is for theory and limits.
pub(super) fn look(style: FigureStyle, colour: Rgb, dashed: bool) -> MarkLook {
    let theory = dashed.then_some((8, 6));
    match (style, SERIES.iter().position(|c| *c == colour)) {
        (FigureStyle::Screen, _) => MarkLook {
            colour: rgb(colour),
            dash: theory,
            shape: PointShape::Disc,
        },
        (FigureStyle::Paper, Some(i)) => {
            let (shade, dash, shape) = PRINTED[i];
            MarkLook {
                colour: RGBColor(shade, shade, shade),
                dash: theory.or(dash),
                shape,
            }
        }
        (FigureStyle::Paper, None) => MarkLook {
            colour: grey(colour),
            dash: theory,
            shape: PointShape::Disc,
        },
    }
}

/// The colour of an area.
pub(super) fn area(style: FigureStyle, colour: Rgb) -> RGBColor {
    match (style, SERIES.iter().position(|c| *c == colour)) {
        (FigureStyle::Screen, _) => rgb(colour),
        (FigureStyle::Paper, Some(i)) => RGBColor(AREAS[i], AREAS[i], AREAS[i]),
        (FigureStyle::Paper, None) => grey(colour),
    }
}

/// The grey that is as light as a colour (ITU-R BT.601 luma).
fn grey((r, g, b): Rgb) -> RGBColor {
    let luma = (299 * u32::from(r) + 587 * u32::from(g) + 114 * u32::from(b)) / 1000;
    let shade = luma.min(255) as u8;
    RGBColor(shade, shade, shade)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printed_series_have_no_colour_and_are_told_apart() {
        let all: Vec<MarkLook> = SERIES
            .iter()
            .map(|c| look(FigureStyle::Paper, *c, false))
            .collect();
        for (i, a) in all.iter().enumerate() {
            assert!(a.colour.0 == a.colour.1 && a.colour.1 == a.colour.2);
            for b in &all[..i] {
                let same_line = a.dash == b.dash && a.colour.0.abs_diff(b.colour.0) < 40;
                assert!(!same_line || a.shape != b.shape, "{a:?} {b:?}");
            }
        }
        let screen = look(FigureStyle::Screen, SERIES[1], true);
        assert_eq!((screen.colour.0, screen.dash), (SERIES[1].0, Some((8, 6))));
    }
}
