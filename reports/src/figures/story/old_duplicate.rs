//! Old duplicates: data that arrive after their receiver has closed the connection, which the sender has
//! repeated long before.

use tcp_model::State;

use super::super::conversation::{Conversation, LadderSegment, SegmentFate};
use crate::bilingual::Bilingual;
use crate::format::{count, seconds};

/// Describes the first old duplicate of a connection: when it arrives, and in which state its receiver is then.
///
/// What a later connection does with it is not known here: that one has events of its own.
pub(super) fn old_duplicate(c: &Conversation) -> Option<Bilingual> {
    let mut found = c.segments.iter().enumerate();
    let (i, s, took, state) = found.find_map(|(i, s)| {
        let (took, state) = arrives_late(c, s)?;
        Some((i, s, took, state))
    })?;
    let (n, name, bytes) = (i + 1, &c.lanes[s.to], count(f64::from(s.len)));
    let took = seconds(took);
    Some(match state {
        State::TimeWait => Bilingual::new(
            format!(
                "Segment {n} takes {took}: an old duplicate. {name} is in TIME-WAIT when it arrives, still knows the \
                 connection, and drops its {bytes} bytes."
            ),
            format!(
                "第 {n} 段在途中花了 {took}，成为旧的重复报文段。它到达时 {name} 处于 TIME-WAIT，还认得这条连接，于是丢弃了它的 \
                 {bytes} 字节。"
            ),
        ),
        _ => Bilingual::new(
            format!(
                "Segment {n} takes {took}: an old duplicate. When it arrives, {name} has already left TIME-WAIT, and \
                 nothing is left of the connection to recognise it."
            ),
            format!(
                "第 {n} 段在途中花了 {took}，成为旧的重复报文段。它到达时 {name} 已离开 TIME-WAIT，没有任何东西还能认出它。"
            ),
        ),
    })
}

/// Whether the receiver of these data had received everything and closed, or forgotten the connection, before
/// they arrived: how long they took, and its state then.
fn arrives_late(c: &Conversation, s: &LadderSegment) -> Option<(f64, State)> {
    let SegmentFate::Received(time) = s.fate else {
        return None;
    };
    let mut before = c.changes.iter();
    let last = before.rfind(|x| x.lane == s.to && x.time < time)?;
    let late = s.len > 0 && was_in_time_wait(c, s.to, time);
    (late && matches!(last.to, State::TimeWait | State::Closed)).then_some((time - s.sent, last.to))
}

/// Whether this end has entered TIME-WAIT before `time`.
fn was_in_time_wait(c: &Conversation, lane: usize, time: f64) -> bool {
    let mut own = c.changes.iter().filter(|x| x.lane == lane);
    own.any(|x| x.to == State::TimeWait && x.time < time)
}

/// Whether a segment of the connection arrives after `time`, so that whoever has forgotten the connection by
/// then has forgotten it too early.
pub(super) fn outlived_by_a_segment(c: &Conversation, time: f64) -> bool {
    c.segments
        .iter()
        .any(|s| matches!(s.fate, SegmentFate::Received(at) if at > time))
}
