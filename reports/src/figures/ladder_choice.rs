//! Chooses which segments of a long connection a ladder shows, and counts the ones in between.

use std::collections::BTreeMap;

use super::conversation::{Conversation, LadderSegment, SegmentFate};

/// Up to this number, all segments are shown.
const MOST: usize = 36;
/// Of more: the first, the last, and those around problems.
const HEAD: usize = 18;
const TAIL: usize = 9;
const TROUBLE: usize = 14;
/// Losses shown with their retransmissions.
const LOSSES: usize = 2;

/// The part of a connection that is drawn.
pub(super) struct ShownSegments {
    pub(super) conversation: Conversation,
    /// The places where segments are left out, and how many.
    pub(super) folds: Vec<Fold>,
    /// Number of segments left out in total, as far as known.
    pub(super) hidden: u64,
}

/// Segments left out between two that are shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Fold {
    /// When the segment before was sent, and the segment after.
    pub(super) between: (f64, f64),
    pub(super) count: u64,
}

/// Most segments drawn if a reader asks for all.
const MOST_UNFOLDED: usize = 240;

impl ShownSegments {
    /// The first segments without folds, as many as can be drawn.
    pub(super) fn unfolded(whole: &Conversation) -> ShownSegments {
        let mut conversation = whole.clone();
        conversation.segments.truncate(MOST_UNFOLDED);
        if conversation.segments.len() < whole.segments.len() {
            let end = conversation.segments.last().map_or(0.0, |s| s.sent);
            conversation.changes.retain(|c| c.time <= end);
        }
        let folds = folds(&conversation.segments);
        let hidden = sent(&whole.segments).saturating_sub(sent_here(&conversation.segments));
        ShownSegments {
            conversation,
            folds,
            hidden,
        }
    }

    pub(super) fn of(whole: &Conversation) -> ShownSegments {
        let all = &whole.segments;
        let closes = all[all.len().saturating_sub(TAIL)..]
            .iter()
            .any(|s| s.has("FIN") || s.has("RST"));
        let mut conversation = whole.clone();
        if all.len() > MOST {
            let chosen = choose(all, closes);
            let chosen = all.iter().zip(chosen).filter(|(_, chosen)| *chosen);
            conversation.segments = chosen.map(|(s, _)| s.clone()).collect();
            if !closes {
                let end = conversation.segments.last().map_or(0.0, |s| s.sent);
                conversation.changes.retain(|c| c.time <= end);
            }
        }
        let folds = folds(&conversation.segments);
        let hidden = sent(all).saturating_sub(sent_here(&conversation.segments));
        ShownSegments {
            conversation,
            folds,
            hidden,
        }
    }
}

/// Returns for each segment whether it is shown.
fn choose(all: &[LadderSegment], closes: bool) -> Vec<bool> {
    let mut chosen = vec![false; all.len()];
    chosen[..HEAD].fill(true);
    if closes {
        let tail = all.len() - TAIL;
        chosen[tail..].fill(true);
    }
    let mut left = TROUBLE;
    let mut show = |i: usize, near: usize| {
        let near = i.saturating_sub(near)..(i + near + 1).min(all.len());
        let more = chosen[near.clone()].iter().filter(|c| !**c).count();
        if more <= left {
            left -= more;
            chosen[near].fill(true);
        }
    };
    // The first losses with their retransmissions, then all other problems.
    let lost = (0..all.len()).filter(|&i| all[i].fate == SegmentFate::Lost);
    for i in lost.take(LOSSES) {
        show(i, 1);
        let repairs =
            |s: &LadderSegment| s.retransmission && s.seq == all[i].seq && s.from == all[i].from;
        if let Some(k) = (i + 1..all.len()).find(|&k| repairs(&all[k])) {
            show(k, 1);
        }
    }
    for i in (0..all.len()).filter(|&i| all[i].is_trouble()) {
        show(i, 0);
    }
    chosen
}

/// The sender of a segment: its connection, and its address and port.
type SenderAddress = (i64, (i64, i64));

fn source(s: &LadderSegment) -> SenderAddress {
    (s.conn, s.source)
}

/// Number of segments sent so far, according to the numbers of these segments.
fn sent(segments: &[LadderSegment]) -> u64 {
    let mut last: BTreeMap<SenderAddress, i64> = BTreeMap::new();
    for s in segments {
        let number = last.entry(source(s)).or_default();
        *number = (*number).max(s.number);
    }
    last.values().map(|n| n.unsigned_abs()).sum()
}

fn sent_here(segments: &[LadderSegment]) -> u64 {
    let duplicate = |s: &&LadderSegment| s.fate_text == "duplicate";
    (segments.len() - segments.iter().filter(duplicate).count()) as u64
}

/// The places where the numbers of segments jump. Segments left out between two segments of an end
/// are reported at the longest gap in time between them, where most of them were sent.
fn folds(segments: &[LadderSegment]) -> Vec<Fold> {
    let mut last: BTreeMap<SenderAddress, (usize, i64)> = BTreeMap::new();
    let mut left_out = vec![0; segments.len()];
    for (k, s) in segments.iter().enumerate() {
        let (from, before) = last.insert(source(s), (k, s.number)).unwrap_or((0, 0));
        let gap = u64::try_from(s.number - before - 1).unwrap_or(0);
        let longest = (from + 1..=k).max_by(|&a, &b| {
            let of = |i: usize| segments[i].sent - segments[i - 1].sent;
            of(a).total_cmp(&of(b))
        });
        left_out[longest.unwrap_or(k)] += gap;
    }
    let places = left_out.into_iter().enumerate().skip(1);
    let places = places.filter(|(_, count)| *count > 0);
    places
        .map(|(k, count)| Fold {
            between: (segments[k - 1].sent, segments[k].sent),
            count,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::conversation::HeaderDetail;
    use super::*;
    use tcp_model::ConnId;

    /// `n` data segments from one end, each answered by the other, numbered by their ends.
    fn conversation(n: usize, lost: &[usize], closes: bool) -> Conversation {
        let segment = |i: usize, from: usize| LadderSegment {
            sent: i as f64 + 0.5 * from as f64,
            fate: if lost.contains(&i) && from == 0 {
                SegmentFate::Lost
            } else {
                SegmentFate::Received(i as f64 + 0.5 * from as f64 + 0.4)
            },
            fate_text: "received".into(),
            from,
            to: 1 - from,
            conn: 0,
            number: i as i64 + 1,
            source: (from as i64, 80),
            flags: if closes && i + 1 == n {
                "FIN,ACK"
            } else {
                "ACK"
            }
            .into(),
            seq: 0,
            ack: 0,
            len: 0,
            retransmission: false,
            reason: String::new(),
            state_at_sender: None,
            state_at_receiver: None,
            detail: HeaderDetail::default(),
        };
        Conversation {
            conn: ConnId::default(),
            lanes: vec!["a".into(), "b".into()],
            segments: (0..n)
                .flat_map(|i| [segment(i, 0), segment(i, 1)])
                .collect(),
            changes: Vec::new(),
        }
    }

    #[test]
    fn a_short_connection_is_shown_whole() {
        let shown = ShownSegments::of(&conversation(18, &[5], true));
        assert_eq!(shown.conversation.segments.len(), 36);
        assert_eq!((shown.hidden, shown.folds.len()), (0, 0));
    }

    #[test]
    fn first_last_and_trouble_are_shown_and_what_lies_between_is_counted() {
        let whole = conversation(500, &[200, 300], true);
        let shown = ShownSegments::of(&whole);
        let segments = &shown.conversation.segments;
        assert_eq!(segments.len(), HEAD + 3 + 3 + TAIL);
        assert_eq!(segments.iter().filter(|s| s.is_trouble()).count(), 2);
        assert_eq!(shown.folds.len(), 3);
        assert_eq!(shown.hidden, 1000 - segments.len() as u64);
        let folded: u64 = shown.folds.iter().map(|f| f.count).sum();
        assert_eq!(folded, shown.hidden);
        assert!(shown.folds.iter().all(|f| f.between.0 < f.between.1));
    }

    #[test]
    fn the_end_of_a_connection_that_goes_on_is_not_shown() {
        let shown = ShownSegments::of(&conversation(500, &[], false));
        assert_eq!(shown.conversation.segments.len(), HEAD);
        assert_eq!((shown.folds.len(), shown.hidden), (0, 1000 - HEAD as u64));
    }

    #[test]
    fn segments_that_were_never_recorded_are_counted_by_their_numbers() {
        let mut whole = conversation(1000, &[], true);
        whole.segments.retain(|s| s.number <= 5 || s.number > 995);
        let shown = ShownSegments::of(&whole);
        assert_eq!(shown.conversation.segments.len(), 20);
        assert_eq!(shown.folds.len(), 1);
        assert_eq!((shown.folds[0].count, shown.hidden), (1980, 1980));
        assert!(shown.folds[0].between.1 > 990.0);
    }
}
