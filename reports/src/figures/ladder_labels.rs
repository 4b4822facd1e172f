//! Labels of segments in a ladder diagram, in the notation of textbooks.
//!
//! x and y are the initial sequence numbers, with x for the opener; p and q are the sequence
//! numbers of the FINs, with p for the side that closes first: `SYN seq=x`,
//! `SYN,ACK seq=y ack=x+1`, `FIN,ACK seq=p ack=y+1`, `ACK seq=y+1 ack=p+1`.

use super::conversation::{Conversation, LadderSegment};
use crate::bilingual::{Language, say};
use crate::recorded_words;

/// An end of the connection.
#[derive(Clone, Debug)]
struct LabelledEnd {
    source: (i64, i64),
    /// Letter and value of its initial sequence number, if its SYN was seen.
    start: Option<(char, u32)>,
    /// Letter and value of its FIN's sequence number, once known.
    fin: Option<(char, u32)>,
}

/// The letters of a connection.
#[derive(Clone, Debug)]
pub(crate) struct ConnectionLetters {
    ends: Vec<LabelledEnd>,
}

impl ConnectionLetters {
    pub(crate) fn of(conversation: &Conversation) -> ConnectionLetters {
        let mut ends: Vec<LabelledEnd> = Vec::new();
        let (mut starts, mut fins) = (['x', 'y'].into_iter(), ['p', 'q'].into_iter());
        for s in &conversation.segments {
            let place = ends.iter().position(|e| e.source == s.source);
            let place = place.unwrap_or_else(|| {
                ends.push(LabelledEnd {
                    source: s.source,
                    start: None,
                    fin: None,
                });
                ends.len() - 1
            });
            let end = &mut ends[place];
            if s.has("SYN") && end.start.is_none() {
                end.start = starts.next().map(|c| (c, s.seq));
            }
            if s.has("FIN") && end.fin.is_none() {
                end.fin = fins.next().map(|c| (c, s.seq.wrapping_add(s.len)));
            }
        }
        ConnectionLetters { ends }
    }

    /// The sentence that explains the letters; empty if there are none.
    pub(crate) fn legend(&self, language: Language) -> String {
        let letters = |pick: fn(&LabelledEnd) -> Option<(char, u32)>| {
            let mut found: Vec<_> = self.ends.iter().filter_map(pick).collect();
            found.sort();
            let list: Vec<_> = found.iter().map(|(c, n)| format!("{c} = {n}")).collect();
            list.join(", ")
        };
        let (starts, fins) = (letters(|e| e.start), letters(|e| e.fin));
        match (starts.is_empty(), fins.is_empty()) {
            (true, _) => String::new(),
            (false, true) => say!(
                language,
                "initial sequence numbers {starts}",
                "初始序号 {starts}"
            ),
            (false, false) => {
                say!(
                    language,
                    "initial sequence numbers {starts}; sequence numbers of the FINs {fins}",
                    "初始序号 {starts}；FIN 的序号 {fins}"
                )
            }
        }
    }

    /// Sequence and acknowledgment number in letters; the latter only if the segment has one.
    pub(crate) fn numbers(&self, s: &LadderSegment) -> (String, Option<String>) {
        let own = self.ends.iter().find(|e| e.source == s.source);
        let peer = self.ends.iter().find(|e| e.source != s.source);
        let seq = match own.and_then(|e| e.fin) {
            Some((letter, fin)) if s.has("FIN") && s.seq == fin => letter.to_string(),
            _ => name(own, s.seq),
        };
        (seq, s.has("ACK").then(|| name(peer, s.ack)))
    }

    /// Label and a note in smaller print.
    pub(crate) fn label(&self, s: &LadderSegment, language: Language) -> (String, String) {
        let own = self.ends.iter().find(|e| e.source == s.source);
        let (seq, ack) = self.numbers(s);
        let mut label = format!("{} seq={seq}", &*s.flags);
        let mut note = String::new();
        if let Some(ack) = ack {
            label.push_str(&format!(" ack={ack}"));
        }
        if s.len > 0 {
            label.push_str(&format!(" len={}", s.len));
        }
        if s.has("FIN")
            && let Some((letter, value)) = own.and_then(|e| e.fin)
        {
            note = format!("{letter} = {}", offset(own, value));
        }
        if s.retransmission {
            note = join(note, language.pick("retransmission", "重传"));
            if !s.reason.is_empty() {
                let rule = recorded_words::rule(&s.reason, language);
                note.push_str(&say!(language, " ({rule})", "（{rule}）"));
            }
        }
        if s.fate_text == "duplicate" {
            note = join(note, language.pick("duplicate", "重复"));
        }
        (label, note)
    }
}

fn join(note: String, more: &str) -> String {
    if note.is_empty() {
        more.to_owned()
    } else {
        format!("{note}, {more}")
    }
}

/// A sequence number of an end, relative to its FIN if beyond that, otherwise relative to its SYN.
fn name(end: Option<&LabelledEnd>, value: u32) -> String {
    match end.and_then(|e| e.fin) {
        Some((letter, fin)) if value == fin.wrapping_add(1) => format!("{letter}+1"),
        _ => offset(end, value),
    }
}

fn offset(end: Option<&LabelledEnd>, value: u32) -> String {
    match end.and_then(|e| e.start) {
        Some((letter, start)) if value == start => letter.to_string(),
        // Numbers before the start belong to another incarnation.
        Some((letter, start)) if value.wrapping_sub(start) < 1 << 31 => {
            format!("{letter}+{}", value.wrapping_sub(start))
        }
        _ => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::conversation::{HeaderDetail, SegmentFate};
    use super::*;
    use tcp_model::ConnId;

    fn segment(from: usize, flags: &str, seq: u32, ack: u32, len: u32) -> LadderSegment {
        LadderSegment {
            sent: 0.0,
            fate: SegmentFate::Unseen,
            fate_text: String::new(),
            from,
            to: 1 - from,
            conn: 0,
            number: 0,
            source: (from as i64, 80),
            flags: flags.into(),
            seq,
            ack,
            len,
            retransmission: false,
            reason: String::new(),
            state_at_sender: None,
            state_at_receiver: None,
            detail: HeaderDetail::default(),
        }
    }

    #[test]
    fn handshake_data_and_close_read_as_in_textbooks() {
        let (x, y) = (u32::MAX - 50, 7000); // x wraps
        let p = x.wrapping_add(101);
        let segments = vec![
            segment(0, "SYN", x, 0, 0),
            segment(1, "SYN,ACK", y, x.wrapping_add(1), 0),
            segment(0, "ACK", x.wrapping_add(1), y + 1, 0),
            segment(0, "PSH,ACK", x.wrapping_add(1), y + 1, 100),
            segment(1, "ACK", y + 1, p, 0),
            segment(0, "FIN,ACK", p, y + 1, 0),
            segment(1, "ACK", y + 1, p.wrapping_add(1), 0),
            segment(1, "FIN,ACK", y + 1, p.wrapping_add(1), 0),
            segment(0, "ACK", p.wrapping_add(1), y + 2, 0),
        ];
        let conversation = Conversation {
            conn: ConnId(0),
            lanes: vec!["a".into(), "b".into()],
            segments,
            changes: Vec::new(),
        };
        let letters = ConnectionLetters::of(&conversation);
        let labels: Vec<_> = conversation
            .segments
            .iter()
            .map(|s| letters.label(s, Language::English))
            .collect();
        let expected = [
            ("SYN seq=x", ""),
            ("SYN,ACK seq=y ack=x+1", ""),
            ("ACK seq=x+1 ack=y+1", ""),
            ("PSH,ACK seq=x+1 ack=y+1 len=100", ""),
            ("ACK seq=y+1 ack=x+101", ""),
            ("FIN,ACK seq=p ack=y+1", "p = x+101"),
            ("ACK seq=y+1 ack=p+1", ""),
            ("FIN,ACK seq=q ack=p+1", "q = y+1"),
            ("ACK seq=p+1 ack=q+1", ""),
        ];
        for (got, want) in labels.iter().zip(expected) {
            assert_eq!((got.0.as_str(), got.1.as_str()), want);
        }
        assert!(
            letters
                .legend(Language::English)
                .starts_with("initial sequence numbers x = 4294967245, y = 7000;")
        );
    }
}
