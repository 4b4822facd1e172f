//! Explains a connection segment by segment, in English and Chinese, from its own events: what each
//! segment says, why it is sent, what it changes, and where RFCs specify that.
//!
//! Leaves out what no table contains: the application's calls, and timers that did not expire.

mod old_duplicate;
mod summary;
mod waits;
mod words;

use std::fmt::Write as _;

use rustc_hash::FxHashSet;
use tcp_model::State;

use super::conversation::{Conversation, LadderSegment, SegmentFate};
use super::ladder_labels::ConnectionLetters;
use crate::bilingual::{Bilingual, Language};
use crate::format::seconds;

pub(crate) use summary::{StorySummary, summary};

/// What happens with one segment, or after the last of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoryStep {
    /// Index of the segment; `None` for a change without a segment, as time passes.
    pub(crate) segment: Option<usize>,
    pub(crate) english: String,
    pub(crate) chinese: String,
    /// "RFC 9293 section 3.5".
    pub(crate) source: &'static str,
}

/// What is known about an end before a segment.
#[derive(Clone, Copy, Debug, Default)]
struct KnownEnd {
    /// Initial sequence number, once its SYN was sent.
    iss: Option<u32>,
    /// Sequence number of its FIN.
    fin: Option<u32>,
    /// The last acknowledgment it sent, and the window sent with it.
    acked: Option<(u32, u32)>,
    /// It has sent an ACK, so it has received the SYN of its peer.
    synchronised: bool,
}

/// The story of a connection.
pub(crate) fn steps(c: &Conversation) -> Vec<StoryStep> {
    let mut ends = vec![KnownEnd::default(); c.lanes.len()];
    let mut all = Vec::with_capacity(c.segments.len() + 2);
    let (waits, states) = (waits::of(c), states_reached(c));
    for (i, s) in c.segments.iter().enumerate() {
        let (mut said, source) = kind(c, s, &ends);
        if let Some(first) = repeats(c, i) {
            said = said.and(words::again(s, first + 1));
        }
        said = said.and(fate(c, s, states[i]));
        if let Some((waited, cause)) = waits[i] {
            let name = c.lanes[s.from].as_str();
            said = said.and(words::waited(name, &seconds(waited), cause));
        }
        all.push(StoryStep {
            segment: Some(i),
            english: said.english,
            chinese: said.chinese,
            source: if s.retransmission {
                again_source(s)
            } else {
                source
            },
        });
        note(s, &mut ends);
    }
    all.extend(later(c));
    all
}

/// A connection in text, a paragraph for each segment, with times since the beginning of the
/// connection.
pub(crate) fn text(c: &Conversation, chinese: bool) -> String {
    let language = match chinese {
        true => Language::Chinese,
        false => Language::English,
    };
    let letters = ConnectionLetters::of(c);
    let mut out = String::new();
    for (i, step) in steps(c).into_iter().enumerate() {
        let said = if chinese { step.chinese } else { step.english };
        // Writing to a string does not fail.
        let _ = match step.segment.map(|k| &c.segments[k]) {
            Some(s) => writeln!(
                out,
                "{:>3}  {}  {} -> {}  {}\n     {said} [{}]",
                i + 1,
                seconds(s.sent - c.start()),
                c.lanes[s.from],
                c.lanes[s.to],
                letters.label(s, language).0,
                step.source
            ),
            None => writeln!(out, "     {said} [{}]", step.source),
        };
    }
    out
}

/// The first segment whose sequence numbers this one repeats.
pub(crate) fn repeats(c: &Conversation, i: usize) -> Option<usize> {
    let s = &c.segments[i];
    if !s.retransmission {
        return None;
    }
    let same = |o: &LadderSegment| o.from == s.from && o.conn == s.conn && overlaps(o, s);
    c.segments[..i].iter().position(same)
}

/// The number of sequence numbers that a segment occupies: payload, SYN and FIN.
fn taken(s: &LadderSegment) -> u32 {
    s.len + u32::from(s.has("SYN")) + u32::from(s.has("FIN"))
}

/// Whether two segments have sequence numbers in common; an ACK alone occupies none.
fn overlaps(a: &LadderSegment, b: &LadderSegment) -> bool {
    let (a_begins, b_begins) = (b.seq.wrapping_sub(a.seq), a.seq.wrapping_sub(b.seq));
    taken(a) > 0 && taken(b) > 0 && (a_begins < taken(a) || b_begins < taken(b))
}

/// Records what a segment reveals about its sender.
fn note(s: &LadderSegment, ends: &mut [KnownEnd]) {
    let end = &mut ends[s.from];
    if s.has("SYN") {
        end.iss = end.iss.or(Some(s.seq));
    }
    if s.has("FIN") {
        end.fin = Some(s.seq.wrapping_add(s.len));
    }
    if s.has("ACK") {
        end.acked = Some((s.ack, s.detail.window));
        end.synchronised = true;
    }
}

/// What kind of segment it is, in words, and where that is specified.
fn kind(c: &Conversation, s: &LadderSegment, ends: &[KnownEnd]) -> (Bilingual, &'static str) {
    const OPEN: &str = "RFC 9293 section 3.5";
    const CLOSE: &str = "RFC 9293 section 3.6";
    let (own, peer) = (ends[s.from], ends[s.to]);
    let names = (c.lanes[s.from].as_str(), c.lanes[s.to].as_str());
    if s.has("RST") {
        return (words::reset(names, s), "RFC 9293 section 3.5.2");
    }
    if s.has("SYN") && s.has("ACK") {
        let both =
            own.iss.is_some() && !own.synchronised && peer.iss.is_some() && !peer.synchronised;
        return (words::syn_ack(names, s, both), OPEN);
    }
    if s.has("SYN") {
        let crossing = peer.iss.is_some() && !peer.synchronised;
        return (words::syn(names, s, crossing), OPEN);
    }
    let acks_fin = peer.fin.is_some_and(|fin| s.ack == fin.wrapping_add(1));
    if s.has("FIN") {
        return (words::fin(names, s, acks_fin), CLOSE);
    }
    if s.len > 0 {
        let said = words::data(names, s, own.iss);
        return (said, "RFC 9293 section 3.8");
    }
    let acked_fin_before = peer
        .fin
        .is_some_and(|fin| own.acked.is_some_and(|a| a.0 == fin.wrapping_add(1)));
    if acks_fin && !acked_fin_before {
        return (words::ack_of_fin(names, s), CLOSE);
    }
    let opens = peer.iss.is_some_and(|iss| s.ack == iss.wrapping_add(1));
    if opens && !own.synchronised {
        return (words::third_ack(names, s), OPEN);
    }
    match own.acked {
        Some((_, before)) if s.detail.window == 0 && before > 0 => {
            (words::closed_window(names, s), "RFC 9293 section 3.8.6")
        }
        Some((ack, 0)) if ack == s.ack && s.detail.window > 0 => {
            (words::open_window(names, s), "RFC 9293 section 3.8.6")
        }
        Some((ack, _)) if ack == s.ack => (
            words::repeated_ack(names, s, acks_fin),
            "RFC 5681 section 2",
        ),
        _ => (words::ack(names, s, peer.iss), "RFC 9293 section 3.4"),
    }
}

fn again_source(s: &LadderSegment) -> &'static str {
    match s.reason.as_str() {
        "duplicate ACKs" => "RFC 5681 section 3.2",
        "partial ACK" => "RFC 6582 section 3.2",
        "SACK" => "RFC 6675 section 5",
        "RACK" => "RFC 8985 section 6",
        "TLP" => "RFC 8985 section 7",
        "window probe" => "RFC 9293 section 3.8.6.1",
        "simultaneous open" => "RFC 9293 section 3.5",
        "path MTU" => "RFC 1191",
        _ => "RFC 6298 section 5",
    }
}

/// What happens to it, and the state that its arrival leads to.
fn fate(c: &Conversation, s: &LadderSegment, state: Option<State>) -> Bilingual {
    let receiver = c.lanes[s.to].as_str();
    match s.fate {
        SegmentFate::Lost => words::lost(&s.fate_text),
        SegmentFate::Unseen => words::unseen(),
        SegmentFate::Received(time) => words::arrived(receiver, seconds(time - s.sent), state),
    }
}

/// For each segment the state that its receiver enters because of it. If several arrive at once and
/// lead to the same state, only the first has it.
fn states_reached(c: &Conversation) -> Vec<Option<State>> {
    let key = |lane: usize, time: f64, state: State| (lane, time.to_bits(), state as u8);
    let mut entered: FxHashSet<_> = c
        .changes
        .iter()
        .map(|x| key(x.lane, x.time, x.to))
        .collect();
    let reached = |s: &LadderSegment| {
        let (SegmentFate::Received(time), Some(state)) = (s.fate, s.state_at_receiver) else {
            return None;
        };
        entered.remove(&key(s.to, time, state)).then_some(state)
    };
    c.segments.iter().map(reached).collect()
}

/// The time from one moment to another. Moments are floating-point seconds, so that 241.0181 - 241.0171 is not quite
/// a millisecond: what is below a nanosecond is left out.
fn span(from: f64, to: f64) -> String {
    seconds(((to - from) * 1e9).round() / 1e9)
}

/// Whether a reset arrives at this end at this time.
fn is_reset(c: &Conversation, lane: usize, time: f64) -> bool {
    let mut arriving = c.segments.iter().filter(|s| s.to == lane && s.has("RST"));
    arriving.any(|s| s.fate == SegmentFate::Received(time))
}

/// Changes of state after the last segment, caused by the passing of time.
fn later(c: &Conversation) -> Vec<StoryStep> {
    let arrival = |s: &LadderSegment| match s.fate {
        SegmentFate::Received(time) => time,
        _ => s.sent,
    };
    let end = c.segments.iter().map(arrival).fold(0.0, f64::max);
    let mut all = Vec::new();
    for (lane, name) in c.lanes.iter().enumerate() {
        let own: Vec<_> = c.changes.iter().filter(|x| x.lane == lane).collect();
        let wait = own.iter().rfind(|x| x.to == State::TimeWait);
        let Some(wait) = wait else { continue };
        let until = own
            .iter()
            .find(|x| x.time > wait.time && x.to == State::Closed);
        let stay = until.map(|x| span(wait.time, x.time));
        let said = match until {
            Some(x) if is_reset(c, lane, x.time) => {
                words::time_wait_reset(name, &span(wait.time, x.time))
            }
            Some(x) if x.time < end => words::time_wait_cut_short(name, &span(wait.time, x.time)),
            _ => words::time_wait(name, stay.as_deref()),
        };
        all.push(StoryStep {
            segment: None,
            english: said.english,
            chinese: said.chinese,
            source: "RFC 9293 section 3.6.1",
        });
    }
    all
}

#[cfg(test)]
mod tests {
    use super::super::conversation::{HeaderDetail, LadderStateChange};
    use super::*;
    use tcp_model::ConnId;

    fn segment(from: usize, at: f64, flags: &str, numbers: (u32, u32, u32)) -> LadderSegment {
        LadderSegment {
            sent: at,
            fate: SegmentFate::Received(at + 0.05),
            fate_text: "received".into(),
            from,
            to: 1 - from,
            conn: 0,
            number: 0,
            source: (from as i64, 80),
            flags: flags.into(),
            seq: numbers.0,
            ack: numbers.1,
            len: numbers.2,
            retransmission: false,
            reason: String::new(),
            state_at_sender: None,
            state_at_receiver: None,
            detail: HeaderDetail {
                window: 1000,
                ..HeaderDetail::default()
            },
        }
    }

    fn conversation(segments: Vec<LadderSegment>, changes: Vec<LadderStateChange>) -> Conversation {
        Conversation {
            conn: ConnId(0),
            lanes: vec!["client".into(), "server".into()],
            segments,
            changes,
        }
    }

    #[test]
    fn the_four_segments_of_a_close_are_told_apart() {
        let c = conversation(
            vec![
                segment(0, 0.0, "SYN", (100, 0, 0)),
                segment(1, 0.1, "SYN,ACK", (300, 101, 0)),
                segment(0, 0.2, "ACK", (101, 301, 0)),
                segment(0, 0.3, "FIN,ACK", (101, 301, 0)),
                segment(1, 0.4, "ACK", (301, 102, 0)),
                segment(1, 0.5, "FIN,ACK", (301, 102, 0)),
                segment(0, 0.6, "ACK", (102, 302, 0)),
            ],
            vec![
                LadderStateChange {
                    time: 0.55,
                    lane: 0,
                    from: State::FinWait2,
                    to: State::TimeWait,
                },
                LadderStateChange {
                    time: 60.55,
                    lane: 0,
                    from: State::TimeWait,
                    to: State::Closed,
                },
            ],
        );
        let story = steps(&c);
        assert_eq!(story.len(), 8);
        for (i, needed) in [
            "asks to open",
            "SYN and ACK in one",
            "third segment of the handshake",
            "has no more data to send",
            "acknowledges the FIN",
            "has no more data to send",
            "acknowledges the FIN",
            "60 s",
        ]
        .iter()
        .enumerate()
        {
            assert!(
                story[i].english.contains(needed),
                "{i}: {}",
                story[i].english
            );
            assert!(story[i].chinese.chars().any(|c| c > '\u{4e00}'), "{i}");
        }
        assert!(story[7].english.contains("2MSL") && story[7].segment.is_none());
        assert_eq!(story[7].source, "RFC 9293 section 3.6.1");
    }

    #[test]
    fn the_summary_counts_the_close_and_names_who_waits() {
        let change = |time, lane, from, to| LadderStateChange {
            time,
            lane,
            from,
            to,
        };
        let opened = [
            segment(0, 0.0, "SYN", (100, 0, 0)),
            segment(1, 0.05, "SYN,ACK", (300, 101, 0)),
            segment(0, 0.1, "ACK", (101, 301, 0)),
        ];
        let of = |close: &[LadderSegment], changes: &[LadderStateChange]| {
            let both = [change(0.1, 0, State::SynSent, State::Established)];
            let changes = both.iter().chain(changes).copied().collect();
            let c = conversation([&opened[..], close].concat(), changes);
            let all = summary(&c);
            let sentences = all.sentences.iter().chain(&all.time_wait);
            sentences
                .map(|s| s.english.clone())
                .collect::<Vec<_>>()
                .join("\n")
        };
        let wait = [
            change(0.55, 0, State::FinWait2, State::TimeWait),
            change(60.55, 0, State::TimeWait, State::Closed),
        ];
        let four = of(
            &[
                segment(0, 0.3, "FIN,ACK", (101, 301, 0)),
                segment(1, 0.4, "ACK", (301, 102, 0)),
                segment(1, 0.5, "FIN,ACK", (301, 102, 0)),
                segment(0, 0.6, "ACK", (102, 302, 0)),
            ],
            &wait,
        );
        for part in [
            "Opening takes 3 segments: client SYN, server SYN+ACK, client ACK.",
            "Closing takes 4 segments (4 to 7): client FIN, server ACK, server FIN, client ACK.",
            "because its application closes 150 ms after the FIN of client arrived",
            "client, which sent the first FIN, waits in TIME-WAIT for 60 s = 2MSL.",
        ] {
            assert!(four.contains(part), "{part}: {four}");
        }
        let three = of(
            &[
                segment(0, 0.3, "FIN,ACK", (101, 301, 0)),
                segment(1, 0.4, "FIN,ACK", (301, 102, 0)),
                segment(0, 0.5, "ACK", (102, 302, 0)),
            ],
            &[],
        );
        assert!(
            three.contains(
                "Closing takes 3 segments (4 to 6): client FIN, server FIN+ACK, client ACK."
            ),
            "{three}"
        );
        assert!(
            three.contains("one segment carries its ACK and its FIN"),
            "{three}"
        );
        let crossed = of(
            &[
                segment(0, 0.3, "FIN,ACK", (101, 301, 0)),
                segment(1, 0.3, "FIN,ACK", (301, 101, 0)),
                segment(0, 0.36, "ACK", (102, 302, 0)),
                segment(1, 0.36, "ACK", (302, 102, 0)),
            ],
            &wait,
        );
        assert!(
            crossed.contains("The FINs cross") && crossed.contains("client waits"),
            "{crossed}"
        );
        let mut lost = segment(0, 0.3, "ACK", (101, 301, 10));
        lost.fate = SegmentFate::Lost;
        lost.fate_text = "lost: queue full".into();
        let mut again = segment(0, 0.5, "ACK", (101, 301, 10));
        (again.retransmission, again.reason) = (true, "RTO".into());
        let repaired = of(&[lost, again, segment(1, 0.6, "RST", (301, 0, 0))], &[]);
        assert!(
            repaired.contains(
                "Segment 4 is lost (queue full). Segment 5 repeats segment 4 after 200 ms (RTO)."
            ),
            "{repaired}"
        );
        assert!(
            repaired.contains("server resets the connection with segment 6"),
            "{repaired}"
        );
    }

    #[test]
    fn a_retransmission_names_the_segment_that_it_repeats() {
        let mut lost = segment(0, 0.0, "SYN", (100, 0, 0));
        lost.fate = SegmentFate::Lost;
        lost.fate_text = "lost: queue full".into();
        let mut again = segment(0, 1.0, "SYN", (100, 0, 0));
        again.retransmission = true;
        again.reason = "SYN time-out".into();
        // An ACK with the same number occupies none, and is not what is repeated.
        let c = conversation(vec![lost.clone(), again.clone()], Vec::new());
        let acked = vec![segment(0, 0.0, "ACK", (100, 0, 0)), lost, again];
        assert_eq!(repeats(&conversation(acked, Vec::new()), 2), Some(1));
        let story = steps(&c);
        assert!(
            story[0].english.contains("queue full"),
            "{}",
            story[0].english
        );
        assert!(
            story[1].english.contains("repeats segment 1"),
            "{}",
            story[1].english
        );
        assert_eq!(
            (repeats(&c, 1), story[1].source),
            (Some(0), "RFC 6298 section 5")
        );
    }

    #[test]
    fn syns_that_cross_are_a_simultaneous_open() {
        let c = conversation(
            vec![
                segment(0, 0.0, "SYN", (100, 0, 0)),
                segment(1, 0.01, "SYN", (300, 0, 0)),
                segment(0, 0.06, "SYN,ACK", (100, 301, 0)),
            ],
            Vec::new(),
        );
        let story = steps(&c);
        assert!(
            story[1].english.contains("simultaneous open"),
            "{}",
            story[1].english
        );
        assert!(story[2].english.contains("both"), "{}", story[2].english);
    }
}
