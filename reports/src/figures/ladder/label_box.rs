//! The room that a text takes on a page, rotated by any angle.

/// A rectangle about a centre.
#[derive(Clone, Copy, Debug)]
pub(super) struct LabelBox {
    centre: (f64, f64),
    /// Half its length and half its height.
    half: (f64, f64),
    /// Cosine and sine of the angle by which it is turned.
    turn: (f64, f64),
}

/// Number of points along its middle.
const POINTS: usize = 21;

impl LabelBox {
    /// A box rotated by `angle` in radians, clockwise on the page.
    pub(super) fn new(centre: (f64, f64), half: (f64, f64), angle: f64) -> LabelBox {
        LabelBox {
            centre,
            half,
            turn: (angle.cos(), angle.sin()),
        }
    }

    /// The box of a horizontal text that begins at `x` and whose middle is at `y`.
    pub(super) fn level(x: f64, y: f64, size: (f64, f64)) -> LabelBox {
        LabelBox::new((x + size.0 / 2.0, y), (size.0 / 2.0, size.1 / 2.0), 0.0)
    }

    /// Points along its middle.
    pub(super) fn middle(&self) -> [(f64, f64); POINTS] {
        let last = (POINTS - 1) as f64;
        std::array::from_fn(|k| {
            let d = self.half.0 * (2.0 * k as f64 / last - 1.0);
            (
                self.centre.0 + d * self.turn.0,
                self.centre.1 + d * self.turn.1,
            )
        })
    }

    /// Its highest and its lowest y coordinate.
    pub(super) fn heights(&self) -> (f64, f64) {
        let reach = self.half.0 * self.turn.1.abs() + self.half.1 * self.turn.0.abs();
        (self.centre.1 - reach, self.centre.1 + reach)
    }

    /// Whether two boxes overlap: they do not if their projections on a side of one of them are
    /// apart.
    pub(super) fn meets(&self, other: &LabelBox) -> bool {
        let between = (
            other.centre.0 - self.centre.0,
            other.centre.1 - self.centre.1,
        );
        let axes = [self, other].map(|b| [b.turn, (-b.turn.1, b.turn.0)]);
        axes.iter().flatten().all(|axis| {
            let distance = (between.0 * axis.0 + between.1 * axis.1).abs();
            distance < self.reach(*axis) + other.reach(*axis)
        })
    }

    /// Half its extent along a direction.
    fn reach(&self, axis: (f64, f64)) -> f64 {
        let along = (self.turn.0 * axis.0 + self.turn.1 * axis.1).abs();
        let across = (self.turn.0 * axis.1 - self.turn.1 * axis.0).abs();
        self.half.0 * along + self.half.1 * across
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turned_boxes_meet_only_where_they_touch() {
        let level = LabelBox::new((0.0, 0.0), (50.0, 5.0), 0.0);
        let cases = [
            // Above it by less, and by more, than the sum of half heights.
            ((0.0, 9.0), 0.0, true),
            ((0.0, 11.0), 0.0, false),
            // Beside it.
            ((101.0, 0.0), 0.0, false),
            // Rotated by 45 degrees: their bounding rectangles overlap, but they do not.
            ((70.0, 45.0), std::f64::consts::FRAC_PI_4, false),
            ((60.0, 25.0), std::f64::consts::FRAC_PI_4, true),
        ];
        for (centre, angle, meet) in cases {
            let other = LabelBox::new(centre, (50.0, 5.0), angle);
            assert_eq!(level.meets(&other), meet, "{centre:?} {angle}");
            assert_eq!(other.meets(&level), meet, "{centre:?} {angle}");
        }
        let (top, bottom) =
            LabelBox::new((0.0, 10.0), (50.0, 5.0), std::f64::consts::FRAC_PI_2).heights();
        assert!((top + 40.0).abs() < 1e-9 && (bottom - 60.0).abs() < 1e-9);
    }
}
