//! The arrow of a segment, and places for its label and for the cause of its loss.

use super::label_box::LabelBox;
use super::time_scale::TimeScale;
use super::{FLIGHT, LABEL, LOSS, ROW, SMALLEST, lane_x};
use crate::figures::conversation::{LadderSegment, SegmentFate};
use crate::figures::style::{BLACK, GREY, Rgb, VERMILION};
use crate::figures::svg::{Anchor, Svg, text_width};

pub(super) fn colour(s: &LadderSegment) -> Rgb {
    if s.retransmission { VERMILION } else { BLACK }
}

/// The path of a segment on the page; that of a lost segment ends midway.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrow {
    pub(super) from: (f64, f64),
    pub(super) to: (f64, f64),
}

impl Arrow {
    /// `rows` are the rows of its sending and its arrival.
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

    /// The point at a share `share` of the path and `gap` pixels above the line.
    pub(super) fn above(&self, share: f64, gap: f64) -> (f64, f64) {
        let angle = self.slope().atan();
        (
            self.from.0 + share * (self.to.0 - self.from.0) + gap * angle.sin(),
            self.from.1 + share * (self.to.1 - self.from.1) - gap * angle.cos(),
        )
    }

    /// The y coordinate at `x`, if the arrow passes there.
    pub(super) fn y_at(&self, x: f64) -> Option<f64> {
        let (low, high) = (self.from.0.min(self.to.0), self.from.0.max(self.to.0));
        let inside = low <= x && x <= high;
        inside.then(|| self.from.1 + self.slope() * (x - self.from.0))
    }

    /// The font size at which its label does not run over a bar: smaller for a long label.
    pub(super) fn label_size(&self, text: &str) -> u32 {
        let room = (self.to.0 - self.from.0).abs() - 24.0;
        let sizes = (SMALLEST..=LABEL.size).rev();
        let mut fitting = sizes.filter(|size| text_width(text, *size) <= room);
        fitting.next().unwrap_or(SMALLEST)
    }

    /// The room that a text takes at a share of the path and a distance above the line.
    fn label_box(&self, (share, gap): (f64, f64), text: &str, size: u32) -> LabelBox {
        // Letters are wider in some fonts than in others.
        let half = 0.52 * text_width(text, size) + 2.0;
        LabelBox::new(
            self.above(share, gap),
            (half, f64::from(size) / 2.0),
            self.slope().atan(),
        )
    }

    /// A place for its label where it covers no other text and as few arrows as possible. If there
    /// is none, smaller letters are tried, and finally only the number; the caller then writes the
    /// rest elsewhere. `None` if there is no room even for the number.
    pub(super) fn place_label<'a>(
        &self,
        (number, text): (&str, &str),
        others: impl Iterator<Item = &'a Arrow>,
        taken: &[LabelBox],
    ) -> Option<PlacedLabel> {
        let reach = 26.0 + f64::from(LABEL.size);
        let (top, bottom) = (self.from.1.min(self.to.1), self.from.1.max(self.to.1));
        let span = (top - reach, bottom + reach);
        let is_near = |from: f64, to: f64| from.min(to) < span.1 && from.max(to) > span.0;
        let others: Vec<&Arrow> = others.filter(|a| is_near(a.from.1, a.to.1)).collect();
        let taken = taken.iter().filter(|b| {
            let (from, to) = b.heights();
            is_near(from, to)
        });
        let taken: Vec<&LabelBox> = taken.collect();
        let largest = self.label_size(text);
        for size in (SMALLEST..=largest).rev() {
            if let Some(place) = self.free_place(text, size, &others, &taken) {
                return Some(PlacedLabel {
                    place,
                    size,
                    whole: true,
                });
            }
        }
        (SMALLEST..=LABEL.size).rev().find_map(|size| {
            let place = self.free_place(number, size, &others, &taken)?;
            Some(PlacedLabel {
                place,
                size,
                whole: false,
            })
        })
    }

    /// The place where a text covers no other text and the fewest arrows.
    fn free_place(
        &self,
        text: &str,
        size: u32,
        others: &[&Arrow],
        taken: &[&LabelBox],
    ) -> Option<(f64, f64)> {
        let length = (self.to.0 - self.from.0).hypot(self.to.1 - self.from.1);
        let half = (0.52 * text_width(text, size) + 4.0) / length.max(1.0);
        let fits = |share: &f64| share.min(1.0 - share) >= half;
        let usual = [0.5, 0.4, 0.6, 0.3, 0.7, 0.24, 0.76];
        // Where arrows cross, a free place may lie between these, or at an end, where the arrows
        // are apart.
        let more = (0..=31).map(|k| 0.04 + 0.03 * f64::from(k));
        let ends = [half + 0.01, 0.99 - half];
        let shares: Vec<f64> = usual
            .into_iter()
            .chain(more)
            .chain(ends)
            .filter(fits)
            .collect();
        let places = shares.iter().map(|s| (*s, 9.0));
        let places = places.chain(shares.iter().map(|s| (*s, -10.0)));
        let mut best = None;
        for place in places {
            let room = self.label_box(place, text, size);
            if taken.iter().any(|b| b.meets(&room)) {
                continue;
            }
            let points = room.middle();
            let crosses = |a: &&&Arrow| {
                let near = |p: &&(f64, f64)| a.y_at(p.0).is_some_and(|y| (y - p.1).abs() < 9.0);
                points.iter().filter(near).count()
            };
            let met: usize = others.iter().map(|a| crosses(&a)).sum();
            if met == 0 {
                return Some(place);
            }
            if best.is_none_or(|(_, least)| met < least) {
                best = Some((place, met));
            }
        }
        best.map(|(place, _)| place)
    }

    /// Room of a label that has been placed.
    pub(super) fn label_room(&self, label: &PlacedLabel, text: &str) -> LabelBox {
        self.label_box(label.place, text, label.size)
    }

    /// A place for the cause of a loss: beyond the cross, or below or above it, where there is no
    /// other text; with the room it takes.
    pub(super) fn place_cause(&self, text: &str, taken: &[LabelBox]) -> (PlacedCause, LabelBox) {
        let sign = if self.to.0 >= self.from.0 { 1.0 } else { -1.0 };
        let (x, y) = self.to;
        let width = text_width(text, LOSS.size);
        let places = [
            (x + sign * 11.0, y + 4.0, sign),
            (x - 4.0, y + 20.0, 1.0),
            (x + 4.0, y + 20.0, -1.0),
            (x - 4.0, y - 12.0, 1.0),
            (x + 4.0, y - 12.0, -1.0),
        ];
        let all = places.map(|(x, y, sign)| {
            let middle = (x + sign * width / 2.0, y - 0.35 * f64::from(LOSS.size));
            let half = (width / 2.0, f64::from(LOSS.size) / 2.0);
            let anchor = if sign > 0.0 {
                Anchor::Start
            } else {
                Anchor::End
            };
            (
                PlacedCause { at: (x, y), anchor },
                LabelBox::new(middle, half, 0.0),
            )
        });
        let free = all
            .iter()
            .find(|(_, room)| taken.iter().all(|b| !b.meets(room)));
        *free.unwrap_or(&all[0])
    }
}

/// The place and size of a label, and whether it is the whole label or only the number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct PlacedLabel {
    /// The share of the arrow's length, and the distance above the arrow.
    pub(super) place: (f64, f64),
    pub(super) size: u32,
    pub(super) whole: bool,
}

/// Where the cause of a loss is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct PlacedCause {
    pub(super) at: (f64, f64),
    pub(super) anchor: Anchor,
}

pub(super) fn draw_arrow(svg: &mut Svg, s: &LadderSegment, arrow: &Arrow) {
    match s.fate {
        SegmentFate::Received(_) => svg.arrow(arrow.from, arrow.to, colour(s), 1.5),
        SegmentFate::Lost => {
            svg.line(arrow.from, arrow.to, colour(s), 1.5);
            svg.cross(arrow.to, VERMILION);
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
        // Three arrows in the other direction, which cross it near its middle.
        let crossing = [0.0, 19.0, 38.0].map(|down| Arrow {
            from: (SIDE + LANE, down - 10.0),
            to: (SIDE, 50.0 + down),
        });
        let text = "1 ACK seq=y+1";
        let label = arrow
            .place_label(("1", text), crossing.iter(), &[])
            .unwrap();
        assert!(label.whole);
        for (x, y) in arrow.label_room(&label, text).middle() {
            for other in &crossing {
                let clear = other.y_at(x).is_none_or(|at| (at - y).abs() >= 9.0);
                assert!(clear, "{label:?}: {other:?} at {x}, {y}");
            }
        }
    }

    #[test]
    fn labels_in_a_crowd_meet_no_other_and_end_as_numbers() {
        // Twenty arrows from one end within the time of one flight.
        let arrows: Vec<Arrow> = (0..20)
            .map(|i| Arrow {
                from: (SIDE, 6.0 * f64::from(i)),
                to: (SIDE + LANE, 46.0 + 6.0 * f64::from(i)),
            })
            .collect();
        let text = "17  PSH,ACK seq=x+10137 ack=y+1 len=1448";
        let mut taken: Vec<LabelBox> = Vec::new();
        let mut numbers = 0;
        for arrow in &arrows {
            let label = arrow
                .place_label(("17", text), std::iter::empty(), &taken)
                .unwrap();
            let shown = if label.whole { text } else { "17" };
            numbers += usize::from(!label.whole);
            let room = arrow.label_room(&label, shown);
            assert!(taken.iter().all(|b| !b.meets(&room)), "{label:?}");
            taken.push(room);
        }
        assert!((1..20).contains(&numbers), "{numbers} of 20");
    }

    #[test]
    fn causes_of_losses_keep_apart() {
        let lost = |down: f64| Arrow {
            from: (SIDE, down),
            to: (SIDE + 0.6 * LANE, down + 28.0),
        };
        let mut taken = Vec::new();
        for down in [0.0, 0.0, 8.0] {
            let (_, room) = lost(down).place_cause("lost: random loss", &taken);
            assert!(taken.iter().all(|b: &LabelBox| !b.meets(&room)));
            taken.push(room);
        }
    }
}
