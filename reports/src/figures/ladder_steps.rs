//! The data of a ladder for stepping through it, as JSON: segments with their headers, changes of
//! state, and the story.

use serde::Serialize;

use super::conversation::{Conversation, SegmentFate};
use super::ladder_labels::ConnectionLetters;
use super::story;
use crate::bilingual::Language;
use crate::recorded_words;

/// Segments that can be stepped through; more would make a page heavy.
pub(super) const MOST_STEPS: usize = 400;

#[derive(Serialize)]
struct LadderSteps<'a> {
    conn: String,
    lanes: &'a [String],
    start: f64,
    end: f64,
    segments: Vec<SegmentData<'a>>,
    changes: Vec<ChangeData>,
    story: Vec<StoryData>,
}

#[derive(Serialize)]
struct SegmentData<'a> {
    sent: f64,
    got: Option<f64>,
    fate: String,
    from: usize,
    to: usize,
    sp: i64,
    dp: i64,
    flags: &'a str,
    seq: u32,
    ack: u32,
    len: u32,
    window: u32,
    options: &'a str,
    label: String,
    letters: LettersData,
    /// Index of the segment that it retransmits.
    #[serde(skip_serializing_if = "Option::is_none")]
    of: Option<usize>,
    #[serde(rename = "atSender")]
    at_sender: Option<&'static str>,
    #[serde(rename = "atReceiver")]
    at_receiver: Option<&'static str>,
}

#[derive(Serialize)]
struct LettersData {
    seq: String,
    ack: Option<String>,
}

#[derive(Serialize)]
struct ChangeData {
    time: f64,
    lane: usize,
    from: &'static str,
    to: &'static str,
}

#[derive(Serialize)]
struct StoryData {
    en: String,
    zh: String,
    source: &'static str,
}

/// The JSON text.
pub(super) fn json(c: &Conversation, letters: &ConnectionLetters, language: Language) -> String {
    let all = c.segments.iter().enumerate().take(MOST_STEPS);
    let segments: Vec<SegmentData<'_>> = all
        .map(|(i, s)| {
            let (seq, ack) = letters.numbers(s);
            SegmentData {
                sent: s.sent,
                got: match s.fate {
                    SegmentFate::Received(time) => Some(time),
                    SegmentFate::Lost | SegmentFate::Unseen => None,
                },
                fate: recorded_words::fate(&s.fate_text, language),
                from: s.from,
                to: s.to,
                sp: s.source.1,
                dp: s.detail.dst_port,
                flags: &s.flags,
                seq: s.seq,
                ack: s.ack,
                len: s.len,
                window: s.detail.window,
                options: &s.detail.options,
                label: letters.label(s, language).0,
                letters: LettersData { seq, ack },
                of: story::repeats(c, i),
                at_sender: s.state_at_sender.map(|state| state.name()),
                at_receiver: s.state_at_receiver.map(|state| state.name()),
            }
        })
        .collect();
    let is_whole = segments.len() == c.segments.len();
    let told = story::steps(c).into_iter().enumerate();
    let told = told.filter(|(i, step)| *i < segments.len() || is_whole && step.segment.is_none());
    let times = c.changes.iter().map(|x| x.time);
    let times = times.chain(c.segments.iter().map(|s| s.sent));
    let steps = LadderSteps {
        conn: c.conn.to_string(),
        lanes: &c.lanes,
        start: c.start(),
        end: times.fold(c.start(), f64::max),
        changes: c.changes.iter().map(ChangeData::of).collect(),
        story: told.map(|(_, step)| StoryData::of(step)).collect(),
        segments,
    };
    // Serialisation cannot fail: no value is unsupported.
    serde_json::to_string(&steps).unwrap_or_default()
}

impl ChangeData {
    fn of(change: &super::conversation::LadderStateChange) -> ChangeData {
        ChangeData {
            time: change.time,
            lane: change.lane,
            from: change.from.name(),
            to: change.to.name(),
        }
    }
}

impl StoryData {
    fn of(step: story::StoryStep) -> StoryData {
        StoryData {
            en: step.english,
            zh: step.chinese,
            source: step.source,
        }
    }
}
