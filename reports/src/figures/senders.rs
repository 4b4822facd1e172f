//! The samples of the first bulk senders, in bounded memory.

use std::collections::BTreeMap;
use std::path::Path;

use tcp_model::ConnId;

use super::style::SERIES;
use crate::store::StoreError;
use crate::store::reader::Groups;

const COLUMNS: &[&str] = &[
    "time_s",
    "conn",
    "side",
    "node",
    "cwnd_bytes",
    "srtt_s",
    "acked_bytes",
    "recovery",
];

/// Bytes above which a sender gets a curve; short exchanges are shown by the ladder.
const WORTH: i64 = 50_000;
/// Most senders considered: the first that were sampled.
const MOST: usize = 256;
/// Most points of a curve.
const MOST_POINTS: usize = 8192;

/// A sender's variables at a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SenderPoint {
    pub(crate) time: f64,
    pub(crate) cwnd: i64,
    /// NaN before it is measured.
    pub(crate) srtt: f64,
    pub(crate) acked: i64,
}

/// A period in which a sender recovered or reduced its window.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RecoverySpan {
    /// "recovery", "loss" or "CWR", as Linux calls them.
    pub(crate) state: String,
    pub(crate) from: f64,
    pub(crate) to: f64,
}

/// A sender's samples.
#[derive(Debug)]
pub(crate) struct TracedSender {
    pub(crate) conn: i64,
    pub(crate) label: String,
    pub(crate) points: Vec<SenderPoint>,
    pub(crate) episodes: Vec<RecoverySpan>,
    /// True while the last episode has not ended.
    recovers: bool,
    /// Only every n-th sample is kept.
    stride: u64,
    seen: u64,
}

impl TracedSender {
    /// Records the state of the sender's loss recovery at a given time.
    fn note_state(&mut self, time: f64, state: &str) {
        let last = self.episodes.last_mut().filter(|_| self.recovers);
        let goes_on = last.is_some_and(|episode| {
            episode.to = time;
            episode.state == state
        });
        self.recovers = goes_on || matches!(state, "recovery" | "loss" | "CWR");
        if self.recovers && !goes_on && self.episodes.len() < MOST_POINTS {
            self.episodes.push(RecoverySpan {
                state: state.to_owned(),
                from: time,
                to: time,
            });
        }
    }

    /// Adds a point; when there are too many, every other one is dropped.
    fn push(&mut self, point: SenderPoint) {
        let keeps = self.seen.is_multiple_of(self.stride);
        self.seen += 1;
        if !keeps {
            return;
        }
        self.points.push(point);
        if self.points.len() == MOST_POINTS {
            let mut keep = false;
            self.points.retain(|_| {
                keep = !keep;
                keep
            });
            self.stride *= 2;
        }
    }
}

/// Senders with a curve, and how many have none.
#[derive(Debug, Default)]
pub(crate) struct Senders {
    /// The first senders, by connection, that sent enough for a curve; as many as there are
    /// colours.
    pub(crate) shown: Vec<TracedSender>,
    /// How many more of the senders considered sent enough.
    pub(crate) left_out: usize,
}

/// The senders of a run.
pub(crate) fn senders(dir: &Path) -> Result<Senders, StoreError> {
    let Some(mut groups) = Groups::open(dir, "samples", COLUMNS)? else {
        return Ok(Senders::default());
    };
    let mut all: BTreeMap<(i64, String), TracedSender> = BTreeMap::new();
    while let Some(group) = groups.next_group()? {
        let (conns, sides) = (group.ints("conn")?, group.texts("side")?);
        let (times, nodes) = (group.floats("time_s")?, group.texts("node")?);
        let (cwnd, srtt) = (group.ints("cwnd_bytes")?, group.floats("srtt_s")?);
        let acked = group.ints("acked_bytes")?;
        let recovery = group.texts("recovery")?;
        for i in 0..group.len() {
            let key = (conns[i], sides[i].clone());
            if all.len() == MOST && !all.contains_key(&key) {
                continue;
            }
            let sender = all.entry(key).or_insert_with(|| TracedSender {
                conn: conns[i],
                episodes: Vec::new(),
                recovers: false,
                label: format!("{} ({})", ConnId(conns[i] as u64), nodes[i]),
                points: Vec::new(),
                stride: 1,
                seen: 0,
            });
            sender.note_state(times[i], &recovery[i]);
            sender.push(SenderPoint {
                time: times[i],
                cwnd: cwnd[i],
                srtt: srtt[i],
                acked: acked[i],
            });
        }
    }
    let worth = |s: &TracedSender| s.points.last().is_some_and(|p| p.acked >= WORTH);
    let mut shown: Vec<TracedSender> = all.into_values().filter(worth).collect();
    let left_out = shown.len().saturating_sub(SERIES.len());
    shown.truncate(SERIES.len());
    Ok(Senders { shown, left_out })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn episodes_last_until_the_next_state() {
        let mut sender = TracedSender {
            conn: 1,
            label: String::new(),
            points: Vec::new(),
            episodes: Vec::new(),
            recovers: false,
            stride: 1,
            seen: 0,
        };
        let states = [
            "open", "disorder", "recovery", "recovery", "loss", "open", "CWR",
        ];
        for (time, state) in states.into_iter().enumerate() {
            sender.note_state(time as f64, state);
        }
        let found: Vec<(&str, f64, f64)> = sender
            .episodes
            .iter()
            .map(|e| (e.state.as_str(), e.from, e.to))
            .collect();
        assert_eq!(
            found,
            [
                ("recovery", 2.0, 4.0),
                ("loss", 4.0, 5.0),
                ("CWR", 6.0, 6.0)
            ]
        );
    }
}
