//! What a connection shows as a whole, in English and Chinese: how it opens, what is lost, when a
//! window is closed, how it closes, who waits in TIME-WAIT and why.

use tcp_model::State;

use super::super::conversation::{Conversation, LadderSegment, SegmentFate};
use super::old_duplicate::{old_duplicate, outlived_by_a_segment};
use super::{is_reset, later, repeats, span};
use crate::bilingual::{Bilingual, Language};
use crate::format::seconds;
use crate::recorded_words;

/// Most segments listed one by one.
const MOST_LISTED: usize = 8;
/// Most losses described one by one.
const MOST_LOSSES: usize = 2;

/// The sentences about a connection; those for which it gives no occasion are absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct StorySummary {
    /// How it opens, what is lost, when a window is closed, what arrives after the close, how it closes.
    pub(crate) sentences: Vec<Bilingual>,
    /// Who waits in TIME-WAIT, and for how long.
    pub(crate) time_wait: Option<Bilingual>,
    /// What the wait is for.
    pub(crate) why_time_wait: Option<Bilingual>,
}

/// Summarises a connection.
pub(crate) fn summary(c: &Conversation) -> StorySummary {
    let parts = [
        opening(c),
        losses(c),
        closed_windows(c),
        old_duplicate(c),
        closing(c),
    ];
    let why = later(c).into_iter().next();
    StorySummary {
        sentences: parts.into_iter().flatten().collect(),
        time_wait: time_wait(c),
        why_time_wait: why.map(|step| Bilingual::new(step.english, step.chinese)),
    }
}

/// "client SYN, server SYN+ACK": the segments with these indices, as the reader meets them.
fn list(c: &Conversation, all: &[usize]) -> Bilingual {
    let mut listed = Bilingual::default();
    for (k, &i) in all.iter().take(MOST_LISTED).enumerate() {
        let s = &c.segments[i];
        let name = &c.lanes[s.from];
        let flags = match (s.has("SYN") || s.has("FIN"), s.has("ACK")) {
            (false, _) => "ACK",
            (true, acks) => match (
                s.has("SYN"),
                acks && (s.has("SYN") || first_ack_of_fin(c, i)),
            ) {
                (true, true) => "SYN+ACK",
                (true, false) => "SYN",
                (false, true) => "FIN+ACK",
                (false, false) => "FIN",
            },
        };
        let (lost, again) = (s.fate == SegmentFate::Lost, is_again(s));
        let (english, chinese) = match (lost, again) {
            (true, true) => (" (again, lost again)", "（重传，又丢失）"),
            (true, false) => (" (lost)", "（丢失）"),
            (false, true) => (" (again)", "（重传）"),
            (false, false) => ("", ""),
        };
        let (comma, dot) = if k == 0 { ("", "") } else { (", ", "、") };
        listed
            .english
            .push_str(&format!("{comma}{name} {flags}{english}"));
        listed
            .chinese
            .push_str(&format!("{dot}{name} 的 {flags}{chinese}"));
    }
    if all.len() > MOST_LISTED {
        listed.english.push_str(", …");
        listed.chinese.push('…');
    }
    listed
}

/// The rule by which a SYN is repeated with an ACK when another arrives; nothing has been lost then.
const CROSSING: &str = "simultaneous open";

/// Whether a segment was sent again because something was late or lost.
fn is_again(s: &LadderSegment) -> bool {
    s.retransmission && s.reason != CROSSING
}

/// The sequence number of the FIN that an end has sent by segment `i`.
fn fin_before(c: &Conversation, end: usize, i: usize) -> Option<u32> {
    let mut sent = c.segments[..i]
        .iter()
        .filter(|s| s.from == end && s.has("FIN"));
    sent.next_back().map(|s| s.seq.wrapping_add(s.len))
}

/// Whether a segment acknowledges the FIN of its receiver.
fn acks_fin(c: &Conversation, i: usize) -> bool {
    let s = &c.segments[i];
    let fin = fin_before(c, s.to, i);
    s.has("ACK") && fin.is_some_and(|fin| s.ack == fin.wrapping_add(1))
}

/// The same, and no segment of its sender did so before.
fn first_ack_of_fin(c: &Conversation, i: usize) -> bool {
    let from = c.segments[i].from;
    acks_fin(c, i) && !(0..i).any(|k| c.segments[k].from == from && acks_fin(c, k))
}

/// When each end becomes ESTABLISHED, since the start.
fn established(c: &Conversation) -> Vec<(&str, f64)> {
    let ends = c.lanes.iter().enumerate();
    let found = ends.filter_map(|(lane, name)| {
        let mut own = c.changes.iter().filter(|x| x.lane == lane);
        let at = own.find(|x| x.to == State::Established)?.time;
        Some((name.as_str(), at - c.start()))
    });
    found.collect()
}

fn opening(c: &Conversation) -> Option<Bilingual> {
    let syns: Vec<usize> = (0..c.segments.len())
        .filter(|&i| c.segments[i].has("SYN"))
        .collect();
    let opener = c.segments[*syns.first()?].from;
    // Both ends open: each sends a SYN without an ACK.
    let alone = |&&i: &&usize| !c.segments[i].has("ACK");
    let both_open = syns
        .iter()
        .filter(alone)
        .any(|&i| c.segments[i].from != opener);
    let arrived = |i: &usize| c.segments[*i].fate != SegmentFate::Lost;
    let crossed = both_open && syns.iter().filter(alone).all(arrived);
    let times = established(c);
    if times.is_empty() {
        let n = syns.len();
        let sent = if n == 1 {
            "segment with SYN is"
        } else {
            "segments with SYN are"
        };
        return Some(Bilingual::new(
            format!("The connection does not open: {n} {sent} sent."),
            format!("连接没有建立：共发送 {n} 个 SYN 报文段。"),
        ));
    }
    // The segment that completes the handshake: the first ACK without SYN of the end that has the
    // other's SYN and ACK. If both have, none is needed.
    let answered = |end: usize| {
        let mut own = syns.iter().map(|i| &c.segments[*i]);
        own.any(|s| s.to == end && s.has("ACK") && s.fate != SegmentFate::Lost)
    };
    let last = (0..c.segments.len()).find(|&i| {
        let s = &c.segments[i];
        s.has("ACK") && !s.has("SYN") && answered(s.from) && !answered(s.to)
    });
    let mut all = syns.clone();
    all.extend(last);
    all.sort_unstable();
    let (n, listed) = (all.len(), list(c, &all));
    let en: Vec<String> = times
        .iter()
        .map(|(name, t)| format!("{name} after {}", seconds(*t)))
        .collect();
    let zh: Vec<String> = times
        .iter()
        .map(|(name, t)| format!("{name} 在 {} 后", seconds(*t)))
        .collect();
    let (both_en, both_zh) = match (both_open, crossed) {
        (true, true) => (
            "Both ends open at once, and their SYNs cross: one connection comes of it, not two. ",
            "两端同时打开，SYN 在途中交错：结果是一条连接，而不是两条。",
        ),
        (true, false) => (
            "Both ends open: one connection comes of it, not two. ",
            "两端都主动打开：结果是一条连接，而不是两条。",
        ),
        _ => ("", ""),
    };
    Some(Bilingual::new(
        format!(
            "{both_en}Opening takes {n} segments: {}. ESTABLISHED is {}.",
            listed.english,
            en.join(", ")
        ),
        format!(
            "{both_zh}建立连接用了 {n} 个报文段：{}。{}进入 ESTABLISHED。",
            listed.chinese,
            zh.join("、")
        ),
    ))
}

fn losses(c: &Conversation) -> Option<Bilingual> {
    let is_lost = |s: &&LadderSegment| s.fate == SegmentFate::Lost;
    let lost = c.segments.iter().filter(is_lost).count();
    let again = (0..c.segments.len()).filter(|&i| is_again(&c.segments[i]));
    let again: Vec<usize> = again.collect();
    if lost == 0 && again.is_empty() {
        return None;
    }
    if lost <= MOST_LOSSES && again.len() <= MOST_LOSSES {
        let mut said = Bilingual::default();
        for (i, s) in c.segments.iter().enumerate().filter(|(_, s)| is_lost(s)) {
            let cause = s.fate_text.strip_prefix("lost: ").unwrap_or(&s.fate_text);
            let n = i + 1;
            said = said.and(Bilingual::new(
                format!("Segment {n} is lost ({cause})."),
                format!(
                    "第 {n} 段丢失（{}）。",
                    recorded_words::cause(cause, Language::Chinese)
                ),
            ));
        }
        for i in again {
            let (s, n) = (&c.segments[i], i + 1);
            let first = repeats(c, i).unwrap_or(i);
            let after = seconds(s.sent - c.segments[first].sent);
            let (first, rule) = (first + 1, s.reason.as_str());
            said = said.and(Bilingual::new(
                format!("Segment {n} repeats segment {first} after {after} ({rule})."),
                format!(
                    "{after} 后，第 {n} 段重传第 {first} 段（{}）。",
                    recorded_words::rule(rule, Language::Chinese)
                ),
            ));
        }
        return Some(said);
    }
    let (all, repeated) = (c.segments.len(), again.len());
    Some(Bilingual::new(
        format!("Of {all} recorded segments {lost} are lost, and {repeated} are retransmissions."),
        format!("记录的 {all} 个报文段中，{lost} 个丢失，{repeated} 个为重传。"),
    ))
}

fn closed_windows(c: &Conversation) -> Option<Bilingual> {
    let mut said: Option<Bilingual> = None;
    for (lane, name) in c.lanes.iter().enumerate() {
        let own = c
            .segments
            .iter()
            .filter(|s| s.from == lane && s.has("ACK") && !s.has("RST"));
        let (mut times, mut closed_s, mut since) = (0, 0.0, None);
        for s in own {
            match (since, s.detail.window) {
                (None, 0) => {
                    times += 1;
                    since = Some(s.sent);
                }
                (Some(from), 1..) => {
                    closed_s += s.sent - from;
                    since = None;
                }
                _ => {}
            }
        }
        if times > 0 {
            let time = seconds(closed_s);
            let sentence = Bilingual::new(
                format!(
                    "{name} closes its window {times} times, for {time} in all; meanwhile the other end must not send."
                ),
                format!("{name} 把窗口关为 0 共 {times} 次，合计 {time}；其间对方不得发送数据。"),
            );
            said = Some(said.unwrap_or_default().and(sentence));
        }
    }
    said
}

fn closing(c: &Conversation) -> Option<Bilingual> {
    // A reset that answers for a connection that is closed already ends nothing.
    let ends = |s: &LadderSegment| s.has("RST") && !is_closed(c, s.from, s.sent);
    if let Some(i) = c.segments.iter().position(ends) {
        let (n, name) = (i + 1, &c.lanes[c.segments[i].from]);
        return Some(Bilingual::new(
            format!(
                "{name} resets the connection with segment {n}: it ends at once, without TIME-WAIT there."
            ),
            format!("{name} 用第 {n} 段复位连接：连接立即终止，该端不经过 TIME-WAIT。"),
        ));
    }
    let of_close = |&i: &usize| {
        let s = &c.segments[i];
        s.has("FIN") || (s.len == 0 && acks_fin(c, i))
    };
    let all: Vec<usize> = (0..c.segments.len()).filter(of_close).collect();
    let first = *all.first()?;
    let (n, listed) = (all.len(), list(c, &all));
    let (from, to) = (first + 1, all[all.len() - 1] + 1);
    let said = Bilingual::new(
        format!(
            "Closing takes {n} segments ({from} to {to}): {}.",
            listed.english
        ),
        format!(
            "关闭连接用了 {n} 个报文段（第 {from} 至 {to} 段）：{}。",
            listed.chinese
        ),
    );
    Some(said.and(why_so_many(c, &all)))
}

/// Whether an end had closed before this time.
fn is_closed(c: &Conversation, lane: usize, time: f64) -> bool {
    let mut before = c.changes.iter().filter(|x| x.lane == lane && x.time < time);
    before.next_back().is_some_and(|x| x.to == State::Closed)
}

/// Why the ACK of the first FIN and the other FIN are two segments, or one.
fn why_so_many(c: &Conversation, all: &[usize]) -> Bilingual {
    let opener = &c.segments[all[0]];
    // The first that arrived, if one was lost.
    let mut same = all.iter().map(|i| &c.segments[*i]);
    let is_arrival =
        |s: &&LadderSegment| s.from == opener.from && s.has("FIN") && s.fate != SegmentFate::Lost;
    let first = same.find(is_arrival).unwrap_or(opener);
    let (a, b) = (&c.lanes[first.from], &c.lanes[first.to]);
    let other = all
        .iter()
        .copied()
        .find(|&i| c.segments[i].from == first.to && c.segments[i].has("FIN"));
    let Some(other) = other else {
        return Bilingual::new(
            format!("{b} does not close within the record, so one direction stays open."),
            format!("记录期间 {b} 没有关闭，因此一个方向仍然打开。"),
        );
    };
    let separate = all
        .iter()
        .copied()
        .find(|&i| i < other && c.segments[i].from == first.to);
    match separate {
        Some(_) => {
            let arrived = match first.fate {
                SegmentFate::Received(time) => time,
                SegmentFate::Lost | SegmentFate::Unseen => first.sent,
            };
            let later = seconds(c.segments[other].sent - arrived);
            Bilingual::new(
                format!(
                    "The ACK and the FIN of {b} are two segments, because its application closes {later} after the \
                     FIN of {a} arrived: each direction is closed by itself, and {b} may still send in between."
                ),
                format!(
                    "{b} 的 ACK 与 FIN 是两个报文段，因为 {a} 的 FIN 到达 {later} 之后，它的应用才关闭：两个方向各自关闭，\
                     其间 {b} 仍可发送数据。"
                ),
            )
        }
        None if acks_fin(c, other) => Bilingual::new(
            format!(
                "{b} closes as soon as the FIN of {a} arrives, so that one segment carries its ACK and its FIN."
            ),
            format!("{b} 一收到 {a} 的 FIN 就关闭，所以一个报文段同时携带它的 ACK 和 FIN。"),
        ),
        None => Bilingual::new(
            "The FINs cross: both ends close at once, and each acknowledges the other's FIN.",
            "两个 FIN 在途中交错：双方同时关闭，各自确认对方的 FIN。",
        ),
    }
}

/// Whether each end sends its FIN before it has received the other's.
fn fins_cross(c: &Conversation) -> bool {
    let mut fins = (0..c.segments.len()).filter(|&i| c.segments[i].has("FIN"));
    let Some(first) = fins.next() else {
        return false;
    };
    let other = fins.find(|&i| c.segments[i].from != c.segments[first].from);
    other.is_some_and(|i| !acks_fin(c, i))
}

/// Who waits in TIME-WAIT, since when and for how long.
fn time_wait(c: &Conversation) -> Option<Bilingual> {
    let closer = c.segments.iter().find(|s| s.has("FIN")).map(|s| s.from);
    let mut said: Option<Bilingual> = None;
    for (lane, name) in c.lanes.iter().enumerate() {
        let own: Vec<_> = c.changes.iter().filter(|x| x.lane == lane).collect();
        let Some(wait) = own.iter().rfind(|x| x.to == State::TimeWait) else {
            continue;
        };
        let until = own
            .iter()
            .find(|x| x.time > wait.time && x.to == State::Closed);
        let too_short = until.is_some_and(|x| outlived_by_a_segment(c, x.time));
        let (en, zh) = match until.map(|x| span(wait.time, x.time)) {
            Some(stay) if until.is_some_and(|x| is_reset(c, lane, x.time)) => (
                format!("for only {stay}, until a reset ends it"),
                format!("{stay}，然后被一个复位终止"),
            ),
            Some(stay) if too_short => (
                format!(
                    "for only {stay}, less than 2MSL: one of its segments is still in the network"
                ),
                format!("{stay}，不到 2MSL：网络中还有它的报文段"),
            ),
            Some(stay) => (format!("for {stay} = 2MSL"), format!("{stay}（2MSL）")),
            None => (
                "until the record ends".to_owned(),
                "直到记录结束".to_owned(),
            ),
        };
        let (first_en, first_zh) = match closer == Some(lane) && !fins_cross(c) {
            true => (", which sent the first FIN,", "先发送了 FIN，因此"),
            false => ("", ""),
        };
        let sentence = Bilingual::new(
            format!("{name}{first_en} waits in TIME-WAIT {en}."),
            format!("{name} {first_zh}在 TIME-WAIT 中等待 {zh}。"),
        );
        said = Some(said.unwrap_or_default().and(sentence));
    }
    said
}
