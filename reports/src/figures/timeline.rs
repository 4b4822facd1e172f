//! The states of the first connections over time: one panel each, zoomed to the exchange, so that a
//! minute in TIME-WAIT does not hide the milliseconds before it.

use tcp_model::State;

use super::Figure;
use super::conversation::{Conversation, MOST_CHANGES, SegmentFate};
use super::data::RunData;
use super::style::{BLACK, GREY, LIGHT_GREY, VERMILION, ink_on, state_colour};
use super::svg::{Anchor, Font, Svg, text_width};
use crate::bilingual::{Language, say};
use crate::csv::Csv;
use crate::format::{count, seconds};
use crate::store::StoreError;

const WIDTH: f64 = 1000.0;
const LEFT: f64 = 130.0;
const RIGHT: f64 = 30.0;
/// Height of a lane's bar, and distance between lanes.
const BAR: f64 = 24.0;
const LANE: f64 = 84.0;
/// Room above a panel's first bar and below its last.
const HEAD: f64 = 40.0;
const FOOT: f64 = 50.0;
const TOP: f64 = 44.0;
/// Arrows are drawn only in panels with at most this many segments; more would be illegible.
const MOST_ARROWS: usize = 100;

const TITLE: Font = Font::new(18, BLACK).bold();
const PANEL: Font = Font::new(14, BLACK).bold();
const LABEL: Font = Font::new(13, BLACK);
const TICK: Font = Font::new(12, GREY);

/// A period in one state; `end` is infinite if its end was not recorded.
#[derive(Clone, Copy, Debug, PartialEq)]
struct StateStay {
    lane: usize,
    state: State,
    start: f64,
    end: f64,
}

fn stays(c: &Conversation) -> Vec<StateStay> {
    let mut all = Vec::new();
    for lane in 0..c.lanes.len() {
        let own: Vec<_> = c.changes.iter().filter(|x| x.lane == lane).collect();
        for (i, change) in own.iter().enumerate() {
            if change.to != State::Closed {
                all.push(StateStay {
                    lane,
                    state: change.to,
                    start: change.time,
                    end: own.get(i + 1).map_or(f64::INFINITY, |next| next.time),
                });
            }
        }
    }
    all
}

/// The note on connections that are not shown completely.
fn left_out(all: &[&Conversation], language: Language) -> String {
    let cut = all.iter().filter(|c| c.changes.len() >= MOST_CHANGES);
    let cut: Vec<String> = cut.map(|c| c.conn.to_string()).collect();
    if cut.is_empty() {
        return String::new();
    }
    say!(
        language,
        " Of connection {} the first {} state changes are shown; the others are in states.parquet.",
        " 连接 {} 只显示前 {} 次状态变化；其余在 states.parquet 中。",
        language.list(&cut),
        count(MOST_CHANGES as f64)
    )
}

/// The states of the first connections.
pub(crate) fn states_timeline(data: &RunData<'_>) -> Result<Option<Figure>, StoreError> {
    let language = data.language;
    let all = data.conversations.iter();
    let all: Vec<_> = all.filter(|c| !c.changes.is_empty()).collect();
    if all.is_empty() {
        return Ok(None);
    }
    let header = ["connection", "node", "state", "start_s", "end_s"];
    let mut csv = Csv::new(header);
    let mut svg = Svg::default();
    let title = language.pick("States of the first connections", "前几条连接的状态");
    svg.text((20.0, 28.0), Anchor::Start, TITLE, title);
    let mut y = TOP;
    let mut seen = Vec::new();
    for c in &all {
        let stays = stays(c);
        for stay in &stays {
            csv.text(&c.conn.to_string());
            csv.text(&c.lanes[stay.lane]);
            csv.text(stay.state.name());
            csv.row([stay.start, stay.end]);
            if !seen.contains(&stay.state) {
                seen.push(stay.state);
            }
        }
        y = panel(&mut svg, c, &stays, (data.summary.reached_s, language), y);
    }
    y = legend(&mut svg, &seen, y);
    let caption = language.pick("Each connection has its own panel, zoomed to its exchange of segments. Each end is a \
                   bar coloured by state; arrows are segments, left out if there are many. A bar with \
                   an arrow continues beyond the right edge, or beyond the end of the run; its length \
                   is given if known.", "每条连接一个分图，放大到其报文段交换的时段。连接的每一端是一条按状态着色的色带；箭头是报文段，太多时不画。带箭头的色带延续到右边界或运行结束之后；已知时注明其长度。");
    let left_out = left_out(&all, language);
    Ok(Some(Figure {
        name: "states_timeline".into(),
        title: title.into(),
        caption: format!("{caption}{left_out}"),
        svg: svg.finish(WIDTH, y),
        csv: csv.finish(),
    }))
}

/// The time range of a panel: until the last segment has arrived and the last state other than TIME-WAIT
/// has ended, plus a quarter; not beyond the end of the run.
fn range(c: &Conversation, stays: &[StateStay], reached_s: f64) -> (f64, f64) {
    let start = c.start();
    let mut end = start;
    for s in &c.segments {
        end = end.max(s.sent);
        if let SegmentFate::Received(time) = s.fate {
            end = end.max(time);
        }
    }
    for stay in stays {
        end = end.max(stay.start);
        if stay.end.is_finite() && stay.state != State::TimeWait {
            end = end.max(stay.end);
        }
    }
    let more = ((end - start) * 0.25).max(1e-6);
    (start, (end + more).min(reached_s.max(end + 1e-6)))
}

/// Draws a panel from `top` down; returns where the next may start.
fn panel(
    svg: &mut Svg,
    c: &Conversation,
    stays: &[StateStay],
    (reached_s, language): (f64, Language),
    top: f64,
) -> f64 {
    let (start, end) = range(c, stays, reached_s);
    let x = |t: f64| LEFT + (WIDTH - LEFT - RIGHT) * ((t - start) / (end - start)).min(1.0);
    let lane_y = |lane: usize| top + HEAD + LANE * lane as f64;
    let bottom = lane_y(c.lanes.len().saturating_sub(1)) + BAR;
    let heading = say!(
        language,
        "connection {}, from t = {start} s",
        "连接 {}，从 t = {start} s 起",
        c.conn
    );
    svg.text((20.0, top + 18.0), Anchor::Start, PANEL, &heading);
    axis(svg, (start, end), x, (top + HEAD - 6.0, bottom + 8.0));
    for (lane, name) in c.lanes.iter().enumerate() {
        let at = (LEFT - 10.0, lane_y(lane) + BAR / 2.0 + 5.0);
        svg.text(at, Anchor::End, LABEL, name);
    }
    let drawn = c.segments.len() <= MOST_ARROWS;
    for s in c.segments.iter().filter(|_| drawn) {
        let down = s.to > s.from;
        let edge = |lane: usize, out: bool| lane_y(lane) + if out { BAR } else { 0.0 };
        let from = (x(s.sent), edge(s.from, down));
        match s.fate {
            SegmentFate::Received(time) => {
                svg.arrow(from, (x(time), edge(s.to, !down)), BLACK, 1.2);
            }
            SegmentFate::Lost | SegmentFate::Unseen => {
                let half = if down { 1.0 } else { -1.0 } * (LANE - BAR) / 2.0;
                let to = (from.0 + 4.0, from.1 + half);
                svg.line(from, to, VERMILION, 1.2);
                if s.fate == SegmentFate::Lost {
                    svg.cross(to, VERMILION);
                }
            }
        }
    }
    for stay in stays {
        bar(svg, stay, x, lane_y(stay.lane), end);
    }
    bottom + FOOT
}

fn bar(svg: &mut Svg, stay: &StateStay, x: impl Fn(f64) -> f64, y: f64, right: f64) {
    let (from, to) = (x(stay.start), x(stay.end.min(right)));
    let colour = state_colour(stay.state);
    svg.rect((from, y), (to - from, BAR), colour);
    svg.line((from, y), (from, y + BAR), (255, 255, 255), 1.0);
    let goes_on = stay.end > right;
    let name = stay.state.name();
    let length = stay.end - stay.start;
    let candidates = match (goes_on, length.is_finite()) {
        (true, true) => vec![format!("{name} {} →", seconds(length)), name.to_owned()],
        (true, false) => vec![format!("{name} →"), name.to_owned()],
        (false, _) => vec![name.to_owned()],
    };
    let fits = |text: &&String| text_width(text, 12) + 6.0 <= to - from;
    let ink = Font::new(12, ink_on(colour));
    if let Some(text) = candidates.iter().find(fits) {
        // No rim: the text is on a single colour.
        let middle = ((from + to) / 2.0, y + BAR / 2.0 + 4.0);
        svg.plain(middle, Anchor::Middle, ink, text);
    } else if goes_on {
        svg.text((to, y - 5.0), Anchor::End, LABEL, &candidates[0]);
    }
}

fn axis(
    svg: &mut Svg,
    (start, end): (f64, f64),
    x: impl Fn(f64) -> f64,
    (top, bottom): (f64, f64),
) {
    let step = nice_step((end - start) / 9.0);
    svg.line((x(start), bottom), (x(end), bottom), GREY, 1.0);
    for k in 0..=((end - start) / step) as u32 {
        let t = f64::from(k) * step;
        let at = x(start + t);
        svg.line((at, top), (at, bottom), (225, 225, 225), 1.0);
        svg.line((at, bottom), (at, bottom + 5.0), LIGHT_GREY, 1.0);
        svg.text((at, bottom + 19.0), Anchor::Middle, TICK, &seconds(t));
    }
}

/// The step of 1, 2 or 5 times a power of ten that is at least `least`.
fn nice_step(least: f64) -> f64 {
    let power = 10f64.powf(least.max(1e-12).log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|k| k * power);
    steps
        .into_iter()
        .find(|s| *s >= least * 0.999)
        .unwrap_or(10.0 * power)
}

/// Draws the legend; returns the y coordinate where the picture ends.
fn legend(svg: &mut Svg, states: &[State], y: f64) -> f64 {
    let (mut x, mut y) = (20.0, y);
    for &state in states {
        let width = 24.0 + text_width(state.name(), 13) + 14.0;
        if x + width > WIDTH {
            (x, y) = (20.0, y + 24.0);
        }
        svg.rect((x, y), (16.0, 14.0), state_colour(state));
        svg.text((x + 22.0, y + 12.0), Anchor::Start, LABEL, state.name());
        x += width;
    }
    y + 34.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panel_ends_a_quarter_after_its_last_event_and_no_later_than_the_run() {
        let stay = |state, start, end| StateStay {
            lane: 0,
            state,
            start,
            end,
        };
        let opened = super::super::conversation::LadderStateChange {
            time: 0.0,
            lane: 0,
            from: State::SynSent,
            to: State::Established,
        };
        let quiet = Conversation {
            conn: tcp_model::ConnId(0),
            lanes: vec!["client".to_owned()],
            segments: Vec::new(),
            changes: vec![opened],
        };
        assert_eq!(left_out(&[&quiet], Language::English), "");
        let busy = Conversation {
            changes: vec![quiet.changes[0]; MOST_CHANGES],
            ..quiet.clone()
        };
        assert!(
            left_out(&[&quiet, &busy], Language::English).contains("the first 1,000 state changes")
        );
        let stays = [
            stay(State::Established, 0.0, 4.0),
            stay(State::TimeWait, 4.0, 64.0),
        ];
        assert_eq!(range(&quiet, &stays, 100.0), (0.0, 5.0));
        assert_eq!(range(&quiet, &stays, 4.5), (0.0, 4.5), "the run ends");
        // A state that continues beyond the end of the run has no end.
        let open = [stay(State::Established, 2.0, f64::INFINITY)];
        assert_eq!(range(&quiet, &open, 100.0), (0.0, 2.5));
        // The range is not empty even if everything happens at once.
        let (start, end) = range(&quiet, &[], 0.0);
        assert!(end > start);
    }

    #[test]
    fn ticks_are_at_round_numbers() {
        for (least, step) in [
            (0.0093, 0.01),
            (0.011, 0.02),
            (3.0, 5.0),
            (7.0, 10.0),
            (1.0, 1.0),
        ] {
            assert!((nice_step(least) - step).abs() < 1e-12, "{least}");
        }
        assert!(nice_step(0.0) > 0.0);
    }
}
