//! Ladder diagrams: the segments of one connection as slanted arrows between its ends, with the
//! states along them. Time runs downwards; periods in which nothing happens are compressed.

mod arrow;
mod label_box;
mod time_scale;

use rayon::prelude::*;

use super::Figure;
use super::conversation::{Conversation, LadderSegment, LadderStateChange, SegmentFate};
use super::data::RunData;
use super::drawing::Drawing;
use super::ladder_choice::ShownSegments;
use super::ladder_labels::ConnectionLetters;
use super::ladder_rows::Rows;
use super::ladder_steps;
use super::story;
use super::style::{BLACK, GREY, LIGHT_GREY, VERMILION, state_colour};
use super::svg::{Anchor, Font, Svg, text_width};
use crate::bilingual::{Language, say};
use crate::csv::Csv;
use crate::format::{count, seconds};
use crate::recorded_words;
use arrow::{Arrow, colour, draw_arrow};
use label_box::LabelBox;
use time_scale::TimeScale;

/// Distance between lanes, room beside them, and distance of the first row from the top.
const LANE: f64 = 540.0;
const SIDE: f64 = 220.0;
const TOP: f64 = 138.0;
/// Where the names of the ends are written, in pixels from the top.
const NAMES: f64 = 84.0;
/// Smallest distance between rows, and the height of a typical flight time.
const ROW: f64 = 22.0;
const FLIGHT: f64 = 46.0;
const TITLE: Font = Font::new(18, BLACK).bold();
const NODE: Font = Font::new(15, BLACK).bold();
const LABEL: Font = Font::new(13, BLACK);
/// Smallest font size of a label.
const SMALLEST: u32 = 9;
const NOTE: Font = Font::new(12, GREY);
const LOSS: Font = Font::new(12, VERMILION);
/// Distance between the lines of text below a ladder.
const LINE: f64 = 18.0;

/// One diagram per traced connection, as many as requested.
pub(crate) fn ladders(data: &RunData<'_>) -> Vec<Figure> {
    let traced = data.conversations.iter().filter(|c| !c.segments.is_empty());
    let traced: Vec<&Conversation> = traced.collect();
    let all = traced.par_iter().map(|whole| ladder(data, whole));
    all.collect()
}

fn ladder(data: &RunData<'_>, whole: &Conversation) -> Figure {
    let language = data.language;
    let letters = ConnectionLetters::of(whole);
    let shown = ShownSegments::of(whole);
    let title = match workload(data, whole) {
        Some(name) => say!(
            language,
            "{name}: connection {}, segment by segment",
            "{name}：连接 {}，逐段",
            whole.conn
        ),
        None => say!(
            language,
            "Connection {}, segment by segment",
            "连接 {}，逐段",
            whole.conn
        ),
    };
    let mut caption = say!(
        language,
        "Segments of connection {} from {} on; time runs downwards and is compressed where nothing \
         happens. Bars along the sides are the states, and numbers count the segments.",
        "连接 {} 从 {} 起的报文段；时间向下，无事的时段被压缩。两侧的色带是状态，数字是报文段的序数。",
        whole.conn,
        seconds(whole.start()),
    );
    if shown.hidden > 0 {
        caption.push_str(&say!(language, " {} of its segments are not drawn. The ladder shows the first segments, those around \
             losses and other problems, and, if the connection closes, the last ones.", " 其中 {} 个报文段未画。时序图画出最初的报文段、丢失等异常前后的报文段，以及连接关闭时最后的报文段。",
            count(shown.hidden as f64)
        ));
    }
    let unfolded = (shown.hidden > 0).then(|| {
        draw(
            whole,
            &ShownSegments::unfolded(whole),
            &letters,
            (&title, language),
        )
    });
    let steps = ladder_steps::json(whole, &letters, language);
    Figure {
        name: format!("ladder_{}", whole.conn.to_string().replace('.', "_")),
        svg: draw(whole, &shown, &letters, (&title, language)).with_steps(steps, unfolded),
        title,
        caption,
        csv: numbers(whole, &letters),
    }
}

/// The workload that a connection belongs to, by the port of its listener; `None` if several share
/// it.
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

/// The text shown when the pointer is on a segment: the rest of its header.
fn hover(s: &LadderSegment, language: Language) -> String {
    let arrival = match s.fate {
        SegmentFate::Received(time) => say!(language, "received {time} s", "在 {time} s 收到"),
        SegmentFate::Lost | SegmentFate::Unseen => recorded_words::fate(&s.fate_text, language),
    };
    let options = match s.detail.options.as_str() {
        "" => language.pick("no options", "无选项"),
        some => some,
    };
    let (window, port) = (s.detail.window, s.detail.dst_port);
    say!(
        language,
        "ports {} to {port}; seq {}, ack {}, {} bytes; window {window}; {options}; sent {} s, {arrival}",
        "端口 {} 到 {port}；seq {}，ack {}，{} 字节；窗口 {window}；{options}；{} s 发出，{arrival}",
        s.source.1,
        s.seq,
        s.ack,
        s.len,
        s.sent
    )
}

fn numbers(conversation: &Conversation, letters: &ConnectionLetters) -> String {
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
            SegmentFate::Received(t) => t,
            _ => f64::NAN,
        });
        csv.text(&s.fate_text);
        csv.text(&conversation.lanes[s.from]);
        csv.text(&conversation.lanes[s.to]);
        csv.text(&letters.label(s, Language::English).0);
        csv.row([s.seq, s.ack, s.len].map(f64::from));
    }
    csv.finish()
}

fn lane_x(lane: usize) -> f64 {
    SIDE + LANE * lane as f64
}

fn draw(
    whole: &Conversation,
    shown: &ShownSegments,
    letters: &ConnectionLetters,
    (title, language): (&str, Language),
) -> Drawing {
    let c = &shown.conversation;
    let scale = TimeScale::new(shown, language);
    let mut svg = Svg::default();
    let width = 2.0 * SIDE + LANE * c.lanes.len().saturating_sub(1) as f64;
    let bottom = scale.bottom();
    svg.text((20.0, 32.0), Anchor::Start, TITLE, title);
    let origin = say!(
        language,
        "times count from t = {} s",
        "时间从 t = {} s 算起",
        c.start()
    );
    svg.text((20.0, 54.0), Anchor::Start, NOTE, &origin);
    for (lane, name) in c.lanes.iter().enumerate() {
        let x = lane_x(lane);
        svg.text((x, NAMES), Anchor::Middle, NODE, name);
        svg.line((x, NAMES + 10.0), (x, bottom), LIGHT_GREY, 2.0);
    }
    let rows = Rows::of(c);
    let mut taken = draw_states(&mut svg, c, &scale, &rows, bottom);
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
        svg.begin("seg", s.detail.place, &hover(s, language));
        draw_arrow(&mut svg, s, arrow);
        svg.end();
    }
    for (from, to, text) in &scale.gaps {
        let reach = text_width(text, NOTE.size) / 2.0 + 40.0;
        let middle = from + 0.72 * (to - from);
        let size = (2.0 * reach, f64::from(NOTE.size));
        taken.push(LabelBox::level(width / 2.0 - reach, middle, size));
    }
    for (s, arrow) in c.segments.iter().zip(&arrows) {
        if s.fate == SegmentFate::Lost {
            let fate = recorded_words::fate(&s.fate_text, language);
            let (cause, room) = arrow.place_cause(&fate, &taken);
            svg.text(cause.at, cause.anchor, LOSS, &fate);
            taken.push(room);
        }
    }
    let legend = letters.legend(language);
    let size = (text_width(&legend, NOTE.size), f64::from(NOTE.size));
    taken.push(LabelBox::level(20.0, bottom + 22.0, size));
    // Losses and retransmissions get the first choice.
    let mut order: Vec<usize> = (0..c.segments.len()).collect();
    order.sort_by_key(|&i| !c.segments[i].is_trouble());
    let mut elsewhere: Vec<(usize, String)> = Vec::new();
    for i in order {
        let s = &c.segments[i];
        let (label, mut note) = letters.label(s, language);
        if let Some(first) = story::repeats(whole, s.detail.place) {
            note.push_str(&say!(language, ", repeats {}", "，重复第 {} 段", first + 1));
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
        let number = number.to_string();
        let placed = arrows[i].place_label((&number, &text), others, &taken);
        if let Some(placed) = &placed {
            let shown = if placed.whole { &text } else { &number };
            let font = Font {
                colour: colour(s),
                size: placed.size,
                ..LABEL
            };
            let at = arrows[i].above(placed.place.0, placed.place.1 - 4.0);
            svg.begin("seg", s.detail.place, &hover(s, language));
            svg.rotated(at, arrows[i].degrees(), Anchor::Middle, font, shown);
            svg.end();
            taken.push(arrows[i].label_room(placed, shown));
        }
        if placed.is_none_or(|p| !p.whole) {
            elsewhere.push((i, text));
        }
    }
    let mut y = bottom + 26.0;
    if !legend.is_empty() {
        svg.text((20.0, y), Anchor::Start, NOTE, &legend);
        y += LINE;
    }
    if !elsewhere.is_empty() {
        let text = language.pick(
            "Where arrows leave no room for the label, there is the number of the segment alone:",
            "箭头旁没有地方写标签时，只写报文段的序数：",
        );
        svg.text((20.0, y), Anchor::Start, NOTE, text);
        y += LINE;
    }
    elsewhere.sort();
    for (_, text) in elsewhere {
        svg.text((36.0, y), Anchor::Start, NOTE, &text);
        y += LINE;
    }
    svg.finish(width, y)
}

/// Draws the bars and names of the states; returns the room taken by the names.
fn draw_states(
    svg: &mut Svg,
    c: &Conversation,
    scale: &TimeScale,
    rows: &Rows,
    bottom: f64,
) -> Vec<LabelBox> {
    let start = c.start();
    let mut taken = Vec::new();
    for lane in 0..c.lanes.len() {
        let placed = c.changes.iter().zip(&rows.changes);
        let (own, rows): (Vec<&LadderStateChange>, Vec<f64>) = placed
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
            let length = text_width(&text, LABEL.size);
            let left = if lane == 0 { x + dx - length } else { x + dx };
            taken.push(LabelBox::level(left, y, (length, f64::from(LABEL.size))));
        }
    }
    taken
}
