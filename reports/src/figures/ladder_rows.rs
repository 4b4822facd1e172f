//! Rows of a ladder: events at one end at the same instant are drawn below one another, in order of
//! cause and effect.

use super::conversation::{Conversation, LadderSegment, LadderStateChange, SegmentFate};

/// The row of each event within its lane and instant, from 0.
#[derive(Debug)]
pub(super) struct Rows {
    /// Sending and arrival of each segment.
    pub(super) segments: Vec<(u32, u32)>,
    /// Each change of state.
    pub(super) changes: Vec<u32>,
    /// Instants, each with the last row over all lanes; only instants with more than one row.
    deep: Vec<(f64, u32)>,
}

impl Rows {
    /// Arrivals come first; a segment sent at the instant of several arrivals answers the last of
    /// them; a change of state shares the row of the segment that caused it.
    pub(super) fn of(c: &Conversation) -> Rows {
        let segments: Vec<(u32, u32)> = c
            .segments
            .iter()
            .enumerate()
            .map(|(i, s)| {
                let earlier = &c.segments[..i];
                let sent = earlier.iter().filter(|o| sends(o, s.from, s.sent)).count();
                let answered = c.segments.iter().filter(|o| arrives(o, s.from, s.sent));
                let answered = answered.count().saturating_sub(1);
                let arrived = match s.fate {
                    SegmentFate::Received(t) => {
                        earlier.iter().filter(|o| arrives(o, s.to, t)).count()
                    }
                    SegmentFate::Lost | SegmentFate::Unseen => 0,
                };
                ((sent + answered) as u32, arrived as u32)
            })
            .collect();
        let mut changes: Vec<u32> = Vec::new();
        for (i, change) in c.changes.iter().enumerate() {
            let same = |o: &LadderStateChange| o.lane == change.lane && o.time == change.time;
            let before = c.changes[..i].iter().zip(&changes);
            let next = before
                .filter(|(o, _)| same(o))
                .map(|(_, row)| row + 1)
                .max();
            // A state that a segment only passes through shares the row of the state it leads to.
            let onwards = c.changes[i..].iter().filter(|o| same(o));
            let cause = onwards.filter_map(|o| cause(c, o, &segments)).next();
            let cause = cause.unwrap_or(0);
            changes.push(cause.max(next.unwrap_or(0)));
        }
        let mut rows = Rows {
            segments,
            changes,
            deep: Vec::new(),
        };
        rows.deep = rows.deepest(c);
        rows
    }

    /// The last row at an instant.
    pub(super) fn last(&self, time: f64) -> u32 {
        let at = self.deep.partition_point(|d| d.0 < time);
        self.deep.get(at).filter(|d| d.0 == time).map_or(0, |d| d.1)
    }

    fn deepest(&self, c: &Conversation) -> Vec<(f64, u32)> {
        let mut all: Vec<(f64, u32)> = Vec::new();
        for (s, &(sent, arrived)) in c.segments.iter().zip(&self.segments) {
            all.push((s.sent, sent));
            if let SegmentFate::Received(t) = s.fate {
                all.push((t, arrived));
            }
        }
        all.extend(
            c.changes
                .iter()
                .map(|x| x.time)
                .zip(self.changes.iter().copied()),
        );
        all.retain(|(_, row)| *row > 0);
        all.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
        all.dedup_by_key(|d| d.0);
        all
    }
}

fn sends(s: &LadderSegment, lane: usize, time: f64) -> bool {
    s.from == lane && s.sent == time
}

fn arrives(s: &LadderSegment, lane: usize, time: f64) -> bool {
    s.to == lane && s.fate == SegmentFate::Received(time)
}

/// The row of the first segment that arrived or was sent at that end and instant and left the end
/// in the new state.
fn cause(c: &Conversation, change: &LadderStateChange, rows: &[(u32, u32)]) -> Option<u32> {
    let new = Some(change.to);
    let placed = || c.segments.iter().zip(rows);
    let arrival = placed()
        .find(|(s, _)| arrives(s, change.lane, change.time) && s.state_at_receiver == new)
        .map(|(_, rows)| rows.1);
    let sending = || {
        placed()
            .find(|(s, _)| sends(s, change.lane, change.time) && s.state_at_sender == new)
            .map(|(_, rows)| rows.0)
    };
    arrival.or_else(sending)
}

#[cfg(test)]
mod tests {
    use super::super::conversation::HeaderDetail;
    use super::*;
    use tcp_model::{ConnId, State};

    fn segment(from: usize, sent: f64, arrival: f64, states: (State, State)) -> LadderSegment {
        LadderSegment {
            sent,
            fate: SegmentFate::Received(arrival),
            fate_text: "received".into(),
            from,
            to: 1 - from,
            conn: 0,
            number: 0,
            source: (0, 0),
            flags: "ACK".into(),
            seq: 0,
            ack: 0,
            len: 0,
            retransmission: false,
            reason: String::new(),
            state_at_sender: Some(states.0),
            state_at_receiver: Some(states.1),
            detail: HeaderDetail::default(),
        }
    }

    fn change(lane: usize, time: f64, to: State) -> LadderStateChange {
        LadderStateChange {
            time,
            lane,
            from: State::Closed,
            to,
        }
    }

    #[test]
    fn a_change_of_state_lies_with_the_segment_that_made_it() {
        use State::{CloseWait, Established, FinWait1, LastAck};
        // The server sends two data segments and a FIN at one instant; they arrive at one instant,
        // and the client answers each, closing with the last.
        let data = (Established, Established);
        let c = Conversation {
            conn: ConnId::default(),
            lanes: vec!["client".into(), "server".into()],
            segments: vec![
                segment(1, 1.0, 2.0, data),
                segment(1, 1.0, 2.0, data),
                segment(1, 1.0, 2.0, (FinWait1, CloseWait)),
                segment(0, 2.0, 3.0, (LastAck, FinWait1)),
            ],
            changes: vec![
                change(1, 1.0, FinWait1),
                change(0, 2.0, CloseWait),
                change(0, 2.0, LastAck),
            ],
        };
        let rows = Rows::of(&c);
        assert_eq!(rows.segments, [(0, 0), (1, 1), (2, 2), (2, 0)]);
        assert_eq!(rows.changes, [2, 2, 3]);
        assert_eq!([1.0, 2.0, 3.0].map(|t| rows.last(t)), [2, 3, 0]);
    }

    #[test]
    fn a_state_passed_through_lies_with_the_segment_that_led_past_it() {
        use State::{FinWait1, FinWait2, LastAck, TimeWait};
        // Two ACKs of data, then a FIN that also acknowledges the peer's FIN, all at one instant.
        let ack = (LastAck, FinWait1);
        let c = Conversation {
            conn: ConnId::default(),
            lanes: vec!["client".into(), "server".into()],
            segments: vec![
                segment(0, 1.0, 2.0, ack),
                segment(0, 1.0, 2.0, ack),
                segment(0, 1.0, 2.0, (LastAck, TimeWait)),
            ],
            changes: vec![change(1, 2.0, FinWait2), change(1, 2.0, TimeWait)],
        };
        assert_eq!(Rows::of(&c).changes, [2, 3]);
    }

    #[test]
    fn changes_without_a_segment_lie_below_one_another() {
        let c = Conversation {
            conn: ConnId::default(),
            lanes: vec!["a".into()],
            segments: Vec::new(),
            changes: vec![
                change(0, 5.0, State::FinWait1),
                change(0, 5.0, State::Closed),
            ],
        };
        let rows = Rows::of(&c);
        assert_eq!((rows.changes.as_slice(), rows.last(5.0)), (&[0, 1][..], 1));
    }
}
