//! The arrow of a segment, and a place for its label.

use super::time_scale::TimeScale;
use super::{FLIGHT, LABEL, LABEL_WEIGHT, LOSS, ROW, SMALLEST, lane_x};
use crate::figures::conversation::{LadderSegment, SegmentFate};
use crate::figures::style::{BLACK, GREY, Rgb, VERMILION};
use crate::figures::svg::{Anchor, Svg, text_width};

pub(super) fn colour(s: &LadderSegment) -> Rgb {
    if s.retransmission { VERMILION } else { BLACK }
}

/// Points along the middle of a text, close enough that no other text fits between them.
pub(super) type LabelPoints = [(f64, f64); 21];

/// Those of a level text from `x` on.
pub(super) fn level(x: f64, y: f64, width: f64) -> LabelPoints {
    let last = (LabelPoints::default().len() - 1) as f64;
    std::array::from_fn(|k| (x + width * k as f64 / last, y))
}

/// A segment's way on the page; that of a lost one ends on the way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrow {
    pub(super) from: (f64, f64),
    pub(super) to: (f64, f64),
}

impl Arrow {
    /// `rows` are those of its sending and its arrival.
    pub(super) fn of(s: &LadderSegment, scale: &TimeScale, rows: (u32, u32)) -> Arrow {
        let sign = if s.to >= s.from { 1.0 } else { -1.0 };
        let y = scale.y(s.sent) + ROW * f64::from(rows.0);
        let from = (lane_x(s.from) + sign * 6.0, y);
        let whole = lane_x(s.to) - sign * 6.0 - from.0;
        let to = match s.fate {
            SegmentFate::Received(time) => {
                let y = scale.y(time) + ROW * f64::from(rows.1);
                (from.0 + whole, y.max(from.1))
            }
            SegmentFate::Lost => (from.0 + whole * 0.6, from.1 + FLIGHT * 0.6),
            SegmentFate::Unseen => (from.0 + whole * 0.75, from.1 + FLIGHT * 0.75),
        };
        Arrow { from, to }
    }

    pub(super) fn slope(&self) -> f64 {
        let dx = self.to.0 - self.from.0;
        if dx == 0.0 {
            0.0
        } else {
            (self.to.1 - self.from.1) / dx
        }
    }

    pub(super) fn degrees(&self) -> f64 {
        self.slope().atan().to_degrees()
    }

    /// The point `share` of the way along and `gap` pixels above the line.
    pub(super) fn above(&self, share: f64, gap: f64) -> (f64, f64) {
        let angle = self.slope().atan();
        (
            self.from.0 + share * (self.to.0 - self.from.0) + gap * angle.sin(),
            self.from.1 + share * (self.to.1 - self.from.1) - gap * angle.cos(),
        )
    }

    /// Height at `x`, where it passes there.
    pub(super) fn y_at(&self, x: f64) -> Option<f64> {
        let (low, high) = (self.from.0.min(self.to.0), self.from.0.max(self.to.0));
        let inside = low <= x && x <= high;
        inside.then(|| self.from.1 + self.slope() * (x - self.from.0))
    }

    /// The size of letters in which its label runs over no bar: smaller for a long one.
    pub(super) fn label_size(&self, text: &str) -> u32 {
        let room = (self.to.0 - self.from.0).abs() - 16.0;
        let sizes = (SMALLEST..=LABEL.size).rev();
        let mut fitting = sizes.filter(|size| text_width(text, *size) <= room);
        fitting.next().unwrap_or(SMALLEST)
    }

    /// The heights between which its label, in letters of a size, can meet something.
    pub(super) fn label_span(&self, size: u32) -> (f64, f64) {
        let reach = 20.0 + f64::from(size);
        let (a, b) = (self.from.1, self.to.1);
        (a.min(b) - reach, a.max(b) + reach)
    }

    /// Points along the middle of a label, a text in letters of a size.
    pub(super) fn label_points(
        &self,
        (share, gap): (f64, f64),
        (text, size): (&str, u32),
    ) -> LabelPoints {
        let centre = self.above(share, gap);
        let half = text_width(text, size) / 2.0;
        let angle = self.slope().atan();
        std::array::from_fn(|k| {
            let d = half * (k as f64 - 10.0) / 10.0;
            (centre.0 + d * angle.cos(), centre.1 + d * angle.sin())
        })
    }

    /// The place of its label, along the arrow and above it, that meets fewest other arrows and
    /// labels.
    pub(super) fn best_place<'a>(
        &self,
        (text, size): (&str, u32),
        others: impl Iterator<Item = &'a Arrow>,
        labels: &[LabelPoints],
    ) -> (f64, f64) {
        let (top, bottom) = self.label_span(size);
        let others: Vec<&Arrow> = others
            .filter(|a| a.from.1.min(a.to.1) < bottom && a.from.1.max(a.to.1) > top)
            .collect();
        // A label is straight: it lies between the heights of its ends.
        let meets = |l: &&LabelPoints| {
            let (a, b) = (l[0].1, l[l.len() - 1].1);
            a.min(b) < bottom && a.max(b) > top
        };
        let labels = labels.iter().filter(meets).flatten();
        let labels: Vec<(f64, f64)> = labels
            .filter(|q| q.1 > top && q.1 < bottom)
            .copied()
            .collect();
        // Counted no further than `most`.
        let meetings = |place: &(f64, f64), most: usize| -> usize {
            let points = self.label_points(*place, (text, size));
            let near = |p: &(f64, f64)| {
                let line = |a: &Arrow| a.y_at(p.0).is_some_and(|y| (y - p.1).abs() < 9.0);
                let label = |q: &(f64, f64)| (q.0 - p.0).abs() < 22.0 && (q.1 - p.1).abs() < 15.0;
                others.iter().filter(|a| line(a)).count()
                    + LABEL_WEIGHT * labels.iter().filter(|q| label(q)).count()
            };
            let mut met = 0;
            for point in &points {
                met += near(point);
                if met >= most {
                    break;
                }
            }
            met
        };
        let half = text_width(text, size) / 2.0;
        let length = (self.to.0 - self.from.0).abs().max(1.0);
        let fits = |share: &f64| share.min(1.0 - share) * length >= half;
        let shares = [0.5, 0.4, 0.6, 0.3, 0.7, 0.24, 0.76];
        // Where arrows cross, a place free of them may lie between those.
        let more = (0..=16).map(|k| 0.18 + 0.04 * f64::from(k));
        let both = |shares: Vec<f64>| {
            let above = shares.clone().into_iter().map(|share| (share, 9.0));
            above.chain(shares.into_iter().map(|share| (share, -10.0)))
        };
        // Where arrows crowd, those of one end begin a row apart: labels that begin there do not meet.
        let begin = ((half + 10.0) / length).min(0.5);
        let usual = both(shares.into_iter().filter(fits).collect());
        let places = usual.chain(both(more.filter(fits).collect()));
        let places = places.chain(both(vec![begin]));
        let mut best = ((0.5, 9.0), usize::MAX);
        for place in places {
            let met = meetings(&place, best.1);
            if met < best.1 {
                best = (place, met);
            }
            if met == 0 {
                break;
            }
        }
        best.0
    }
}

pub(super) fn draw_arrow(svg: &mut Svg, s: &LadderSegment, arrow: &Arrow) {
    match s.fate {
        SegmentFate::Received(_) => svg.arrow(arrow.from, arrow.to, colour(s), 1.5),
        SegmentFate::Lost => {
            svg.line(arrow.from, arrow.to, colour(s), 1.5);
            svg.cross(arrow.to, VERMILION);
            let below = (arrow.to.0 - 4.0, arrow.to.1 + 20.0);
            svg.text(below, Anchor::Start, LOSS, &s.fate_text);
        }
        SegmentFate::Unseen => svg.dashed(arrow.from, arrow.to, GREY, 1.5),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{LANE, SIDE};
    use super::*;

    #[test]
    fn a_long_label_is_written_smaller_and_runs_over_no_bar() {
        let arrow = Arrow {
            from: (SIDE, 0.0),
            to: (SIDE + LANE, 20.0),
        };
        assert_eq!(arrow.label_size("SYN"), LABEL.size);
        let long =
            "12  FIN,PSH,ACK seq=x+30001 ack=y+1 len=1448 (p = x+31449, retransmission (RACK))";
        let size = arrow.label_size(long);
        assert!(size < LABEL.size && text_width(long, size) <= LANE);
        assert_eq!(arrow.label_size(&"x".repeat(500)), SMALLEST);
    }

    #[test]
    fn a_label_keeps_clear_of_arrows_that_cross_its_own() {
        let arrow = Arrow {
            from: (SIDE, 0.0),
            to: (SIDE + LANE, 60.0),
        };
        // Three arrows the other way, which cross it about its middle.
        let crossing = [0.0, 19.0, 38.0].map(|down| Arrow {
            from: (SIDE + LANE, down - 10.0),
            to: (SIDE, 50.0 + down),
        });
        let text = "ACK seq=y+1";
        let place = arrow.best_place((text, LABEL.size), crossing.iter(), &[]);
        for (x, y) in arrow.label_points(place, (text, LABEL.size)) {
            for other in &crossing {
                let clear = other.y_at(x).is_none_or(|at| (at - y).abs() >= 9.0);
                assert!(clear, "{place:?}: {other:?} at {x}, {y}");
            }
        }
    }
}
