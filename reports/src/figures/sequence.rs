//! Time-sequence plots like those of tcptrace: each data segment is a stroke at the time it left;
//! below is the line of acknowledged data, above the edge of the receiver's window; with SACKed
//! ranges, and retransmissions in a colour for each rule.

mod rows;

use rayon::prelude::*;
use tcp_model::ConnId;

use super::Figure;
use super::chart::{Chart, Mark};
use super::data::RunData;
use super::style::{BLACK, GREEN, GREY, ORANGE, PURPLE, rule_colour};
use crate::bilingual::{Language, say};
use crate::csv::Csv;
use crate::format::count;
use crate::recorded_words;
use crate::store::StoreError;
use rows::{Ack, Data, SequencePlot};

/// Most plots.
const MOST: usize = 2;

/// The plots of the first connections that sent enough data for one.
pub(crate) fn sequences(data: &RunData<'_>) -> Result<Vec<Figure>, StoreError> {
    let conns: Vec<i64> = data.conversations.iter().map(|c| c.conn.0 as i64).collect();
    if conns.is_empty() {
        return Ok(Vec::new());
    }
    let all = rows::sequences(data, &conns)?;
    let drawn = all.par_iter().take(MOST);
    drawn.map(|one| figure(one, data.language)).collect()
}

fn figure(sequence: &SequencePlot, language: Language) -> Result<Figure, StoreError> {
    let conn = ConnId(sequence.conn as u64);
    let title = say!(
        language,
        "Sequence numbers of connection {conn} over time",
        "连接 {conn} 的序号随时间的变化"
    );
    let rules = rules(&sequence.data);
    let chart = Chart {
        title: &title,
        x_label: language.pick("time (s)", "时间 (s)"),
        y_label: language.pick("sequence number (kB)", "序号 (kB)"),
        x: times(sequence),
        y: Some(heights(sequence)),
        marks: marks(sequence, &rules, language),
        ..Chart::default()
    };
    Ok(Figure {
        name: format!("sequence_{}", conn.to_string().replace('.', "_")),
        svg: chart.svg()?,
        caption: caption(sequence, &rules, language),
        csv: numbers(sequence),
        title,
    })
}

/// The rules by which segments were retransmitted, in order of first use.
fn rules(data: &[Data]) -> Vec<String> {
    let mut rules: Vec<String> = Vec::new();
    for one in data.iter().filter(|d| !d.reason.is_empty()) {
        if !rules.contains(&one.reason) {
            rules.push(one.reason.clone());
        }
    }
    rules
}

fn caption(sequence: &SequencePlot, rules: &[String], language: Language) -> String {
    let mut text = language.pick("Each vertical stroke is a data segment at the time it was sent; the green line shows \
                    what the peer had acknowledged, as far as the sender knew. The vertical distance \
                    between them is the data outstanding, the horizontal distance a round trip.", "每条竖线是一个数据报文段，位于其发送时刻；绿线是发送方所知对端已确认的序号。两者的竖直距离是未确认的数据，水平距离是一个往返时间。")
        .to_owned();
    if !rules.is_empty() {
        let named = rules
            .iter()
            .map(|rule| recorded_words::rule(rule, language));
        let named: Vec<String> = named.collect();
        text.push_str(&say!(
            language,
            " Retransmissions are coloured by the rule that sent them: {}.",
            " 重传按所依规则着色：{}。",
            language.list(&named)
        ));
    }
    if sequence.hidden > 0 {
        text.push_str(&say!(language, " Only the part around the first of them is drawn; {} recorded segments of the sender are not.", " 只画出其首次重传前后的部分；发送方另有 {} 个有记录的报文段未画。",
            count(sequence.hidden as f64)
        ));
        if rules.is_empty() {
            let part = language.pick("the part around the first of them", "其首次重传前后的部分");
            text = text.replace(part, language.pick("the beginning", "开始的部分"));
        }
    }
    text
}

fn times(sequence: &SequencePlot) -> (f64, f64) {
    let first = sequence.data.first().map_or(0.0, |d| d.time);
    let last = sequence.data.last().map_or(0.0, |d| d.time);
    let acked = sequence.acks.last().map_or(last, |a| a.time.max(last));
    (first, acked)
}

/// From the lowest to the highest segment, with some margin: the edge of a large window lies
/// outside.
fn heights(sequence: &SequencePlot) -> (f64, f64) {
    let low = sequence.data.iter().map(|d| d.from);
    let low = low.fold(f64::INFINITY, f64::min) / 1e3;
    let high = sequence.data.iter().map(|d| d.to);
    let high = high.fold(f64::NEG_INFINITY, f64::max) / 1e3;
    let room = (high - low) * 0.06;
    ((low - room).min(low), high + room)
}

fn marks(sequence: &SequencePlot, rules: &[String], language: Language) -> Vec<Mark> {
    let heights = heights(sequence);
    // So that a single segment is visible among many.
    let least = (heights.1 - heights.0) * 0.006;
    let stroke = |time: f64, from: f64, to: f64| {
        let more = (least - (to - from) / 1e3).max(0.0) / 2.0;
        (time, from / 1e3 - more, to / 1e3 + more)
    };
    let inside = |y: f64| (heights.0..=heights.1).contains(&y);
    let mut marks = vec![
        steps(
            language.pick("window's edge", "窗口边沿"),
            ORANGE,
            &sequence.acks,
            |a| a.edge,
            inside,
        ),
        steps(
            language.pick("acknowledged", "已确认"),
            GREEN,
            &sequence.acks,
            |a| a.ack,
            inside,
        ),
    ];
    let strokes = |label: &str, colour, wanted: &dyn Fn(&Data) -> bool| Mark::Strokes {
        label: label.to_owned(),
        colour,
        points: sequence
            .data
            .iter()
            .filter(|d| wanted(d))
            .map(|d| stroke(d.time, d.from, d.to))
            .collect(),
    };
    let sacked: Vec<(f64, f64, f64)> = sequence
        .acks
        .iter()
        .flat_map(|a| a.sacks.iter().map(|s| (a.time, s.0 / 1e3, s.1 / 1e3)))
        .filter(|s| inside(s.1) && inside(s.2))
        .collect();
    if !sacked.is_empty() {
        marks.push(Mark::Strokes {
            label: language.pick("SACKed", "已由 SACK 确认").into(),
            colour: PURPLE,
            points: sacked,
        });
    }
    marks.push(strokes(language.pick("sent", "发送"), BLACK, &|d| {
        d.reason.is_empty()
    }));
    for rule in rules {
        let label = say!(
            language,
            "sent again: {}",
            "重传：{}",
            recorded_words::rule(rule, language)
        );
        marks.push(strokes(&label, rule_colour(rule), &|d| d.reason == *rule));
    }
    let lost: Vec<(f64, f64)> = sequence
        .data
        .iter()
        .filter(|d| d.lost)
        .map(|d| (d.time, (d.from + d.to) / 2e3))
        .collect();
    if !lost.is_empty() {
        marks.push(Mark::Dots {
            label: language.pick("lost on the way", "途中丢失").into(),
            colour: GREY,
            points: lost,
        });
    }
    marks.retain(
        |mark| !matches!(mark, Mark::Line { points, .. } if points.iter().all(|p| p.1.is_nan())),
    );
    marks
}

/// A value of the ACKs as a line in steps; values outside the plot are left out.
fn steps(
    label: &str,
    colour: super::style::Rgb,
    acks: &[Ack],
    value: impl Fn(&Ack) -> f64,
    inside: impl Fn(f64) -> bool,
) -> Mark {
    let mut points: Vec<(f64, f64)> = Vec::new();
    let mut highest = f64::NEG_INFINITY;
    for ack in acks {
        let y = value(ack) / 1e3;
        if y < highest {
            continue; // overtaken by a later one
        }
        if highest.is_finite() {
            points.push((ack.time, highest));
        }
        highest = y;
        points.push((ack.time, y));
    }
    for point in &mut points {
        if !inside(point.1) {
            point.1 = f64::NAN;
        }
    }
    Mark::Line {
        label: label.to_owned(),
        colour,
        points,
        dashed: false,
    }
}

fn numbers(sequence: &SequencePlot) -> String {
    let mut csv = Csv::new(["time_s", "what", "rule", "from_bytes", "to_bytes"]);
    for d in &sequence.data {
        csv.number(d.time);
        csv.text(if d.lost { "segment, lost" } else { "segment" });
        csv.text(&d.reason);
        csv.row([d.from, d.to]);
    }
    for a in &sequence.acks {
        csv.number(a.time);
        csv.text("ack and window");
        csv.text("");
        csv.row([a.ack, a.edge]);
        for &(from, to) in &a.sacks {
            csv.number(a.time);
            csv.text("sack");
            csv.text("");
            csv.row([from, to]);
        }
    }
    csv.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> SequencePlot {
        let data = |i: u32, lost, reason: &str| Data {
            time: f64::from(i) * 0.01,
            from: f64::from(i % 20) * 1e3,
            to: f64::from(i % 20) * 1e3 + 1e3,
            lost,
            reason: reason.into(),
        };
        let mut all: Vec<Data> = (0..20).map(|i| data(i, i == 3, "")).collect();
        all.push(data(23, false, "RACK"));
        SequencePlot {
            conn: 1,
            data: all,
            acks: vec![
                Ack {
                    time: 0.1,
                    ack: 3e3,
                    edge: 3e6,
                    sacks: vec![(4e3, 6e3)],
                },
                Ack {
                    time: 0.25,
                    ack: 20e3,
                    edge: 3e6,
                    sacks: Vec::new(),
                },
            ],
            hidden: 5,
        }
    }

    #[test]
    fn segments_acks_sacks_and_rules_are_drawn() {
        let figure = figure(&sample(), Language::English).unwrap();
        for text in [
            "sent again: RACK",
            "SACKed",
            "lost on the way",
            "acknowledged",
        ] {
            assert!(figure.svg.contains(text), "{text}");
        }
        assert!(!figure.svg.contains("window's edge"), "far above");
        assert!(figure.caption.contains("by the rule that sent them: RACK."));
        assert!(figure.caption.contains("5 recorded segments"));
        assert_eq!(figure.csv.lines().count(), 1 + 21 + 2 + 1);
        assert!(figure.csv.contains("0.23,segment,RACK,3000,4000"));
    }

    #[test]
    fn the_window_is_drawn_where_it_is_near() {
        let mut near = sample();
        near.acks.iter_mut().for_each(|a| a.edge = a.ack + 500.0);
        let svg = figure(&near, Language::English).unwrap().svg;
        assert!(
            svg.contains("window&apos;s edge")
                || svg.contains("window's edge")
                || svg.contains("window&#39;s edge"),
            "its label"
        );
    }
}
