//! Congestion window, round-trip time and goodput of recorded senders.

use std::collections::BTreeMap;

use super::chart::{Chart, Mark};
use super::data::RunData;
use super::senders::{SenderPoint, TracedSender};
use super::style::{Rgb, SERIES, rule_colour};
use super::{Figure, not_drawn};
use crate::bilingual::say;
use crate::csv::Csv;
use crate::recorded_words;
use crate::store::StoreError;

/// What distinguishes the figures.
struct BulkFigure<'a> {
    name: &'a str,
    title: &'a str,
    y_label: &'a str,
    caption: &'a str,
    column: &'a str,
    /// Whether to show when senders recovered, and what they retransmitted.
    recovery: bool,
}

/// Draws one curve per sender.
fn draw(
    data: &RunData<'_>,
    spec: &BulkFigure<'_>,
    points_of: impl Fn(&TracedSender) -> Vec<(f64, f64)>,
) -> Result<Option<Figure>, StoreError> {
    let senders = &data.senders.shown;
    if senders.is_empty() {
        return Ok(None);
    }
    let mut csv = Csv::new(["time_s", "connection", spec.column]);
    let mut marks = Vec::new();
    let mut last = 0.0_f64;
    for (sender, colour) in senders.iter().zip(SERIES) {
        let points = points_of(sender);
        for &(t, y) in &points {
            csv.number(t);
            csv.text(&sender.label);
            csv.row([y]);
            last = last.max(t);
        }
        marks.push(Mark::Line {
            label: sender.label.clone(),
            colour,
            points,
            dashed: false,
        });
    }
    let mut caption = spec.caption.to_owned();
    if spec.recovery {
        let (behind, before) = recovery(data, &points_of);
        if !behind.is_empty() {
            caption.push_str(
                data.language
                    .pick(" Shaded: times of recovery.", " 阴影：恢复时段。"),
            );
        }
        if !before.is_empty() {
            caption.push_str(
                data.language.pick(" Dots: retransmissions by the rule that sent them, as far as segments are recorded \
                 (`record.segments`).", " 圆点：按所依规则区分的重传，限于有记录的报文段（`record.segments`）。"),
            );
        }
        marks.splice(0..0, behind);
        marks.extend(before);
    }
    let chart = Chart {
        title: spec.title,
        x_label: data.language.pick("time (s)", "时间 (s)"),
        y_label: spec.y_label,
        x: (0.0, last),
        marks,
        shaded: &data.outages,
        ..Chart::default()
    };
    Ok(Some(Figure {
        name: spec.name.into(),
        title: spec.title.into(),
        caption: caption
            + &not_drawn(
                data.senders.left_out,
                "more sender",
                "more senders",
                "个发送方",
                data.language,
            )
            + data.shading(),
        svg: chart.svg()?,
        csv: csv.finish(),
    }))
}

/// Most senders for which recoveries can be told apart, and most for which retransmissions can.
const MOST_WITH_EPISODES: usize = 1;
const MOST_WITH_DOTS: usize = 3;

/// Recovery states with their background colours.
const STATES: [(&str, &str, &str, Rgb); 3] = [
    ("recovery", "fast recovery", "快恢复", (253, 226, 208)),
    ("loss", "after a time-out", "超时之后", (248, 200, 200)),
    (
        "CWR",
        "reduced after an ECN mark",
        "因 ECN 标记而减小",
        (222, 235, 247),
    ),
];

/// Marks the episodes of recovery behind the curves and the retransmissions in front of them, each
/// on the curve of its sender. Drawn for few senders only.
fn recovery(
    data: &RunData<'_>,
    points_of: impl Fn(&TracedSender) -> Vec<(f64, f64)>,
) -> (Vec<Mark>, Vec<Mark>) {
    let senders = &data.senders.shown;
    let (mut behind, mut before) = (Vec::new(), Vec::new());
    for (state, english, chinese, colour) in STATES {
        let all = senders.iter().flat_map(|s| &s.episodes);
        let spans = all.filter(|e| e.state == state).map(|e| (e.from, e.to));
        let spans: Vec<(f64, f64)> = spans.collect();
        if senders.len() <= MOST_WITH_EPISODES && !spans.is_empty() {
            behind.push(Mark::Band {
                label: data.language.pick(english, chinese).into(),
                colour,
                spans,
            });
        }
    }
    let mut by_rule: BTreeMap<&str, Vec<(f64, f64)>> = BTreeMap::new();
    for sender in senders.iter().take(MOST_WITH_DOTS) {
        let curve = points_of(sender);
        let all = data.conversations.iter().flat_map(|c| &c.segments);
        let again = all.filter(|s| s.conn == sender.conn && s.retransmission && s.len > 0);
        for segment in again {
            if let Some(y) = value_at(&curve, segment.sent) {
                let rule = by_rule.entry(&segment.reason).or_default();
                rule.push((segment.sent, y));
            }
        }
    }
    if senders.len() <= MOST_WITH_DOTS {
        before.extend(by_rule.into_iter().map(|(rule, points)| Mark::Dots {
            label: say!(
                data.language,
                "sent again: {}",
                "重传：{}",
                recorded_words::rule(rule, data.language)
            ),
            colour: rule_colour(rule),
            points,
        }));
    }
    (behind, before)
}

/// The last value of a curve up to a given time.
fn value_at(curve: &[(f64, f64)], time: f64) -> Option<f64> {
    let after = curve.partition_point(|p| p.0 <= time);
    let value = curve.get(after.checked_sub(1)?)?.1;
    value.is_finite().then_some(value)
}

/// Congestion windows.
pub(crate) fn cwnd(data: &RunData<'_>) -> Result<Option<Figure>, StoreError> {
    let spec = BulkFigure {
        name: "cwnd",
        title: data.language.pick("Congestion window", "拥塞窗口"),
        y_label: "cwnd (kB)",
        caption: data.language.pick(
            "The congestion window of each traced sender over time; in a long run, the extremes in \
                  each time step.",
            "每个被跟踪发送方的拥塞窗口随时间的变化；运行较长时，画出每个时间段内的极值。",
        ),
        column: "cwnd_kb",
        recovery: true,
    };
    let point = |p: &SenderPoint| (p.time, p.cwnd as f64 / 1e3);
    draw(data, &spec, |s| s.points.iter().map(point).collect())
}

/// Smoothed round-trip times.
pub(crate) fn rtt(data: &RunData<'_>) -> Result<Option<Figure>, StoreError> {
    let spec = BulkFigure {
        name: "rtt",
        title: data
            .language
            .pick("Smoothed round-trip time", "平滑往返时间"),
        y_label: "SRTT (ms)",
        caption: data.language.pick(
            "The sender's smoothed round-trip time; it grows with the queue at the \
                  bottleneck.",
            "发送方的平滑往返时间；它随瓶颈处队列的增长而增大。",
        ),
        column: "srtt_ms",
        recovery: true,
    };
    let point = |p: &SenderPoint| (p.time, p.srtt * 1e3);
    draw(data, &spec, |s| s.points.iter().map(point).collect())
}

/// Acknowledged payload per second over a hundred intervals.
pub(crate) fn goodput(data: &RunData<'_>) -> Result<Option<Figure>, StoreError> {
    let last = data.senders.shown.iter().filter_map(|s| s.points.last());
    let end = last.map(|p| p.time).fold(0.0, f64::max);
    let width = end / 100.0;
    let spec = BulkFigure {
        name: "goodput",
        title: data.language.pick("Goodput", "有效吞吐量"),
        y_label: data
            .language
            .pick("goodput (Mbit/s)", "有效吞吐量 (Mbit/s)"),
        caption: data.language.pick(
            "Payload acknowledged by the peer, averaged over hundredths of the run.",
            "得到对端确认的数据，按运行时间的百分之一取平均。",
        ),
        column: "goodput_mbps",
        recovery: false,
    };
    if width <= 0.0 {
        return Ok(None);
    }
    draw(data, &spec, |s| {
        let rate = |k: u32| {
            let (from, to) = (f64::from(k) * width, f64::from(k + 1) * width);
            let acked = |time| acked_at(&s.points, time, width);
            let bytes = acked(to) - acked(from);
            ((from + to) / 2.0, bytes * 8.0 / width / 1e6)
        };
        (0..100).map(rate).collect()
    })
}

/// Bytes acknowledged at a given time: interpolated between two samples, unless they are so far
/// apart that the sender was idle in between.
pub(super) fn acked_at(points: &[SenderPoint], time: f64, apart: f64) -> f64 {
    let after = points.partition_point(|p| p.time <= time);
    let known = |i: usize| points.get(i).map(|p| (p.time, p.acked as f64));
    match (after.checked_sub(1).and_then(known), known(after)) {
        (Some((t0, a0)), Some((t1, a1))) if t1 - t0 <= apart => {
            a0 + (a1 - a0) * (time - t0) / (t1 - t0)
        }
        (Some((_, acked)), _) => acked,
        (None, _) => 0.0,
    }
}
