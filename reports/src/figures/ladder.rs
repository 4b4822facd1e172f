//! Ladder diagrams: the segments of one connection as slanted arrows between its ends, the states
//! along them. Time runs downwards; where nothing happens it is compressed.

use super::Figure;
use super::conversation::{Arrival, Conversation, SentSegment, StateChange};
use super::data::RunData;
use super::drawing::Drawing;
use super::ladder_choice::{Fold, ShownSegments};
use super::ladder_labels::Letters;
use super::ladder_rows::Rows;
use super::ladder_steps;
use super::story;
use super::style::{BLACK, GREY, LIGHT_GREY, VERMILION, state_colour};
use super::svg::{Anchor, Font, Svg, text_width};
use crate::csv::Csv;
use crate::format::{count, seconds};

/// Distance of lanes, room beside them, and of the first row from the top.
const LANE: f64 = 540.0;
const SIDE: f64 = 220.0;
const TOP: f64 = 138.0;
/// Where the names of the ends are written.
const NAMES: f64 = 84.0;
/// Least distance of rows, and what a typical flight time takes.
const ROW: f64 = 22.0;
const FLIGHT: f64 = 46.0;
const TITLE: Font = Font::new(18, BLACK).bold();
const NODE: Font = Font::new(15, BLACK).bold();
const LABEL: Font = Font::new(13, BLACK);
/// A label upon another is that much worse than one upon an arrow.
const LABEL_WEIGHT: usize = 20;
/// Smallest letters of a label.
const SMALLEST: u32 = 9;
const NOTE: Font = Font::new(12, GREY);
const LOSS: Font = Font::new(12, VERMILION);

/// One diagram per traced connection, as many as are asked for.
pub(crate) fn ladders(data: &RunData<'_>) -> Vec<Figure> {
    let traced = data.conversations.iter().filter(|c| !c.segments.is_empty());
    traced.map(|whole| ladder(data, whole)).collect()
}

fn ladder(data: &RunData<'_>, whole: &Conversation) -> Figure {
    let letters = Letters::of(whole);
    let shown = ShownSegments::of(whole);
    let title = match workload(data, whole) {
        Some(name) => format!("{name}: connection {}, segment by segment", whole.conn),
        None => format!("Connection {}, segment by segment", whole.conn),
    };
    let mut caption = format!(
        "Segments of connection {} from {} on; time runs downwards and is compressed where nothing \
         happens. Bars along the sides are the states, and numbers count the segments.",
        whole.conn,
        seconds(whole.start()),
    );
    if shown.hidden > 0 {
        caption.push_str(&format!(
            " {} of its segments are not drawn: shown are the first, those around trouble, and the \
             last where the connection closes.",
            count(shown.hidden as f64)
        ));
    }
    let unfolded =
        (shown.hidden > 0).then(|| draw(whole, &ShownSegments::unfolded(whole), &letters, &title));
    let steps = ladder_steps::json(whole, &letters);
    Figure {
        name: format!("ladder_{}", whole.conn.to_string().replace('.', "_")),
        svg: draw(whole, &shown, &letters, &title).with_steps(steps, unfolded),
        title,
        caption,
        csv: numbers(whole, &letters),
    }
}

/// The workload that it belongs to, by the port of its listener; `None` where several share it.
fn workload(data: &RunData<'_>, c: &Conversation) -> Option<String> {
    let opening = c.segments.iter().find(|s| s.has("SYN") && !s.has("ACK"))?;
    let port = opening.detail.dst_port.to_string();
    let parameters = data.summary.info.parameters.iter();
    let mut named = parameters.filter_map(|(key, value)| {
        let name = key.strip_prefix("workload.")?.strip_suffix(".ports")?;
        let mut ports = value.split(|c: char| !c.is_ascii_digit());
        ports.any(|p| p == port).then(|| name.to_owned())
    });
    let name = named.next()?;
    named.next().is_none().then_some(name)
}

/// What is shown where one points at a segment: the rest of its header.
fn hover(s: &SentSegment) -> String {
    let arrival = match s.fate {
        Arrival::Received(time) => format!("received {time} s"),
        Arrival::Lost | Arrival::Unseen => s.fate_text.clone(),
    };
    let options = match s.detail.options.as_str() {
        "" => "no options",
        some => some,
    };
    let (window, port) = (s.detail.window, s.detail.dst_port);
    format!(
        "ports {} to {port}; seq {}, ack {}, {} bytes; window {window}; {options}; sent {} s, {arrival}",
        s.source.1, s.seq, s.ack, s.len, s.sent
    )
}

fn numbers(conversation: &Conversation, letters: &Letters) -> String {
    let header = [
        "sent_s",
        "received_s",
        "fate",
        "from",
        "to",
        "label",
        "seq",
        "ack",
        "len",
    ];
    let mut csv = Csv::new(header);
    for s in &conversation.segments {
        csv.number(s.sent);
        csv.number(match s.fate {
            Arrival::Received(t) => t,
            _ => f64::NAN,
        });
        csv.text(&s.fate_text);
        csv.text(&conversation.lanes[s.from]);
        csv.text(&conversation.lanes[s.to]);
        csv.text(&letters.label(s).0);
        csv.row([s.seq, s.ack, s.len].map(f64::from));
    }
    csv.finish()
}

/// The times at which something happens, and where they lie on the page.
struct TimeScale {
    times: Vec<f64>,
    ys: Vec<f64>,
    /// Compressed stretches: upper and lower end, and what is written there.
    gaps: Vec<(f64, f64, String)>,
}

impl TimeScale {
    fn new(shown: &ShownSegments) -> TimeScale {
        let c = &shown.conversation;
        let mut times: Vec<f64> = c.changes.iter().map(|change| change.time).collect();
        let mut flights = Vec::new();
        for s in &c.segments {
            times.push(s.sent);
            if let Arrival::Received(t) = s.fate {
                times.push(t);
                flights.push(t - s.sent);
            }
        }
        times.sort_by(f64::total_cmp);
        times.dedup();
        flights.sort_by(f64::total_cmp);
        let flight = flights
            .get(flights.len() / 2)
            .copied()
            .unwrap_or(0.0)
            .max(1e-9);
        let mut scale = TimeScale {
            times,
            ys: Vec::new(),
            gaps: Vec::new(),
        };
        let rows = Rows::of(c);
        let folds = fold_ends(&shown.folds, &scale.times);
        let mut y = TOP;
        for (i, &t) in scale.times.iter().enumerate() {
            if let Some(before) = i.checked_sub(1).map(|b| scale.times[b]) {
                let gap = t - before;
                let from = y + ROW * f64::from(rows.last(before));
                y = from + (gap / flight * FLIGHT).clamp(ROW, 1.6 * FLIGHT);
                let later = gap > 4.0 * flight;
                let texts = [
                    folds.iter().find(|f| f.0 == t).map(|f| not_drawn(f.1)),
                    later.then(|| format!("{} later", seconds(gap))),
                ];
                let texts: Vec<String> = texts.into_iter().flatten().collect();
                if !texts.is_empty() {
                    // Room for a loss before it and for its own label.
                    y = from + 2.0 * FLIGHT;
                    scale.gaps.push((from, y, texts.join(", ")));
                }
            }
            scale.ys.push(y);
        }
        scale
    }

    fn y(&self, time: f64) -> f64 {
        let i = self.times.partition_point(|t| *t < time);
        let last = self.ys.last().copied().unwrap_or(TOP);
        self.ys.get(i).copied().unwrap_or(last)
    }

    fn bottom(&self) -> f64 {
        self.ys.last().copied().unwrap_or(TOP) + 2.0 * ROW
    }
}

/// The time before which each fold is written: the end of the longest pause within it.
fn fold_ends(folds: &[Fold], times: &[f64]) -> Vec<(f64, u64)> {
    let end = |fold: &Fold| {
        let (from, to) = fold.between;
        let within = times.windows(2).filter(|w| w[0] >= from && w[1] <= to);
        let longest = within.max_by(|a, b| (a[1] - a[0]).total_cmp(&(b[1] - b[0])));
        (longest.map_or(to, |w| w[1]), fold.count)
    };
    folds.iter().map(end).collect()
}

fn not_drawn(n: u64) -> String {
    match n {
        1 => "1 segment not drawn".to_owned(),
        _ => format!("{} segments not drawn", count(n as f64)),
    }
}

fn lane_x(lane: usize) -> f64 {
    SIDE + LANE * lane as f64
}

fn draw(whole: &Conversation, shown: &ShownSegments, letters: &Letters, title: &str) -> Drawing {
    let c = &shown.conversation;
    let scale = TimeScale::new(shown);
    let mut svg = Svg::default();
    let width = 2.0 * SIDE + LANE * c.lanes.len().saturating_sub(1) as f64;
    let bottom = scale.bottom();
    svg.text((20.0, 32.0), Anchor::Start, TITLE, title);
    let origin = format!("times count from t = {} s", c.start());
    svg.text((20.0, 54.0), Anchor::Start, NOTE, &origin);
    for (lane, name) in c.lanes.iter().enumerate() {
        let x = lane_x(lane);
        svg.text((x, NAMES), Anchor::Middle, NODE, name);
        svg.line((x, NAMES + 10.0), (x, bottom), LIGHT_GREY, 2.0);
    }
    let rows = Rows::of(c);
    draw_states(&mut svg, c, &scale, &rows, bottom);
    for (from, to, text) in &scale.gaps {
        let text = format!("· · ·  {text}  · · ·");
        svg.text(
            (width / 2.0, from + 0.72 * (to - from) + 4.0),
            Anchor::Middle,
            NOTE,
            &text,
        );
        for lane in 0..c.lanes.len() {
            let middle = from + 0.72 * (to - from);
            svg.rect(
                (lane_x(lane) - 7.0, middle - 3.0),
                (14.0, 6.0),
                (255, 255, 255),
            );
            for y in [middle - 3.0, middle + 3.0] {
                svg.line(
                    (lane_x(lane) - 8.0, y + 2.0),
                    (lane_x(lane) + 8.0, y - 2.0),
                    GREY,
                    1.0,
                );
            }
        }
    }
    let placed = c.segments.iter().zip(&rows.segments);
    let arrows: Vec<Arrow> = placed
        .map(|(s, ends)| Arrow::of(s, &scale, *ends))
        .collect();
    for (s, arrow) in c.segments.iter().zip(&arrows) {
        svg.begin("seg", s.detail.place, &hover(s));
        draw_arrow(&mut svg, s, arrow);
        svg.end();
    }
    let mut labels: Vec<LabelPoints> = Vec::new();
    for (from, to, text) in &scale.gaps {
        let reach = text_width(text, NOTE.size) / 2.0 + 40.0;
        labels.push(level(
            width / 2.0 - reach,
            from + 0.72 * (to - from),
            2.0 * reach,
        ));
    }
    for (s, arrow) in c.segments.iter().zip(&arrows) {
        if s.fate == Arrival::Lost {
            let width = text_width(&s.fate_text, LOSS.size);
            labels.push(level(arrow.to.0 - 4.0, arrow.to.1 + 16.0, width));
        }
    }
    for (i, s) in c.segments.iter().enumerate() {
        let (label, mut note) = letters.label(s);
        if let Some(first) = story::repeats(whole, s.detail.place) {
            note.push_str(&format!(", repeats {}", first + 1));
        }
        let number = s.detail.place + 1;
        let text = if note.is_empty() {
            format!("{number}\u{a0} {label}")
        } else {
            format!("{number}\u{a0} {label}\u{a0} ({note})")
        };
        let others = arrows
            .iter()
            .enumerate()
            .filter(|(k, _)| *k != i)
            .map(|(_, a)| a);
        let size = arrows[i].label_size(&text);
        let place = arrows[i].best_place((&text, size), others, &labels);
        let font = Font {
            colour: colour(s),
            size,
            ..LABEL
        };
        let at = arrows[i].above(place.0, place.1 - 4.0);
        svg.begin("seg", s.detail.place, &hover(s));
        svg.rotated(at, arrows[i].degrees(), Anchor::Middle, font, &text);
        svg.end();
        labels.push(arrows[i].label_points(place, (&text, size)));
    }
    let legend = letters.legend();
    if !legend.is_empty() {
        svg.text((20.0, bottom + 26.0), Anchor::Start, NOTE, &legend);
    }
    svg.finish(width, bottom + 44.0)
}

fn draw_states(svg: &mut Svg, c: &Conversation, scale: &TimeScale, rows: &Rows, bottom: f64) {
    let start = c.start();
    for lane in 0..c.lanes.len() {
        let placed = c.changes.iter().zip(&rows.changes);
        let (own, rows): (Vec<&StateChange>, Vec<f64>) = placed
            .filter(|(x, _)| x.lane == lane)
            .map(|(x, row)| (x, scale.y(x.time) + ROW * f64::from(*row)))
            .unzip();
        let x = lane_x(lane);
        let (dx, anchor) = if lane == 0 {
            (-14.0, Anchor::End)
        } else {
            (14.0, Anchor::Start)
        };
        if let (Some(first), Some(y)) = (own.first(), rows.first()) {
            let top = NAMES + 12.0;
            let size = (10.0, y - top);
            svg.rect((x - 5.0, top), size, state_colour(first.from));
            svg.text((x + dx, top + 14.0), anchor, LABEL, first.from.name());
        }
        for (i, change) in own.iter().enumerate() {
            let y = rows[i];
            let end = rows.get(i + 1).copied().unwrap_or(bottom);
            svg.rect((x - 5.0, y), (10.0, end - y), state_colour(change.to));
            let time = seconds(change.time - start);
            let text = if lane == 0 {
                format!("{time}\u{a0}\u{a0} {}", change.to)
            } else {
                format!("{}\u{a0}\u{a0} {time}", change.to)
            };
            svg.text((x + dx, y + 5.0), anchor, LABEL, &text);
        }
    }
}

fn colour(s: &SentSegment) -> super::style::Rgb {
    if s.retransmission { VERMILION } else { BLACK }
}

/// Points along the middle of a text, close enough that no other text fits between them.
type LabelPoints = [(f64, f64); 21];

/// Those of a level text from `x` on.
fn level(x: f64, y: f64, width: f64) -> LabelPoints {
    let last = (LabelPoints::default().len() - 1) as f64;
    std::array::from_fn(|k| (x + width * k as f64 / last, y))
}

/// A segment's way on the page; that of a lost one ends on the way.
#[derive(Clone, Copy, Debug)]
struct Arrow {
    from: (f64, f64),
    to: (f64, f64),
}

impl Arrow {
    /// `rows` are those of its sending and its arrival.
    fn of(s: &SentSegment, scale: &TimeScale, rows: (u32, u32)) -> Arrow {
        let sign = if s.to >= s.from { 1.0 } else { -1.0 };
        let y = scale.y(s.sent) + ROW * f64::from(rows.0);
        let from = (lane_x(s.from) + sign * 6.0, y);
        let whole = lane_x(s.to) - sign * 6.0 - from.0;
        let to = match s.fate {
            Arrival::Received(time) => {
                let y = scale.y(time) + ROW * f64::from(rows.1);
                (from.0 + whole, y.max(from.1))
            }
            Arrival::Lost => (from.0 + whole * 0.6, from.1 + FLIGHT * 0.6),
            Arrival::Unseen => (from.0 + whole * 0.75, from.1 + FLIGHT * 0.75),
        };
        Arrow { from, to }
    }

    fn slope(&self) -> f64 {
        let dx = self.to.0 - self.from.0;
        if dx == 0.0 {
            0.0
        } else {
            (self.to.1 - self.from.1) / dx
        }
    }

    fn degrees(&self) -> f64 {
        self.slope().atan().to_degrees()
    }

    /// The point `share` of the way along and `gap` pixels above the line.
    fn above(&self, share: f64, gap: f64) -> (f64, f64) {
        let angle = self.slope().atan();
        (
            self.from.0 + share * (self.to.0 - self.from.0) + gap * angle.sin(),
            self.from.1 + share * (self.to.1 - self.from.1) - gap * angle.cos(),
        )
    }

    /// Height at `x`, where it passes there.
    fn y_at(&self, x: f64) -> Option<f64> {
        let (low, high) = (self.from.0.min(self.to.0), self.from.0.max(self.to.0));
        let inside = low <= x && x <= high;
        inside.then(|| self.from.1 + self.slope() * (x - self.from.0))
    }

    /// The size of letters in which its label runs over no bar: smaller for a long one.
    fn label_size(&self, text: &str) -> u32 {
        let room = (self.to.0 - self.from.0).abs() - 16.0;
        let sizes = (SMALLEST..=LABEL.size).rev();
        let mut fitting = sizes.filter(|size| text_width(text, *size) <= room);
        fitting.next().unwrap_or(SMALLEST)
    }

    /// The heights between which its label, in letters of a size, can meet something.
    fn label_span(&self, size: u32) -> (f64, f64) {
        let reach = 20.0 + f64::from(size);
        let (a, b) = (self.from.1, self.to.1);
        (a.min(b) - reach, a.max(b) + reach)
    }

    /// Points along the middle of a label, a text in letters of a size.
    fn label_points(&self, (share, gap): (f64, f64), (text, size): (&str, u32)) -> LabelPoints {
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
    fn best_place<'a>(
        &self,
        (text, size): (&str, u32),
        others: impl Iterator<Item = &'a Arrow>,
        labels: &[LabelPoints],
    ) -> (f64, f64) {
        let (top, bottom) = self.label_span(size);
        let others: Vec<&Arrow> = others
            .filter(|a| a.from.1.min(a.to.1) < bottom && a.from.1.max(a.to.1) > top)
            .collect();
        let labels: Vec<(f64, f64)> = labels
            .iter()
            .flatten()
            .filter(|q| q.1 > top && q.1 < bottom)
            .copied()
            .collect();
        let meetings = |place: &(f64, f64)| -> usize {
            let points = self.label_points(*place, (text, size));
            let near = |p: &(f64, f64)| {
                let line = |a: &Arrow| a.y_at(p.0).is_some_and(|y| (y - p.1).abs() < 9.0);
                let label = |q: &(f64, f64)| (q.0 - p.0).abs() < 22.0 && (q.1 - p.1).abs() < 15.0;
                others.iter().filter(|a| line(a)).count()
                    + LABEL_WEIGHT * labels.iter().filter(|q| label(q)).count()
            };
            points.iter().map(near).sum()
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
            let met = meetings(&place);
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

fn draw_arrow(svg: &mut Svg, s: &SentSegment, arrow: &Arrow) {
    match s.fate {
        Arrival::Received(_) => svg.arrow(arrow.from, arrow.to, colour(s), 1.5),
        Arrival::Lost => {
            svg.line(arrow.from, arrow.to, colour(s), 1.5);
            svg.cross(arrow.to, VERMILION);
            let below = (arrow.to.0 - 4.0, arrow.to.1 + 20.0);
            svg.text(below, Anchor::Start, LOSS, &s.fate_text);
        }
        Arrival::Unseen => svg.dashed(arrow.from, arrow.to, GREY, 1.5),
    }
}

#[cfg(test)]
mod tests {
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
