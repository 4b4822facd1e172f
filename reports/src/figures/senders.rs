//! The samples of the first bulk senders, whatever the size of their table.

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
];

/// Bytes from which on a sender is worth a curve; short exchanges are what the ladder is for.
const WORTH: i64 = 50_000;
/// Senders looked at: the first to be sampled.
const MOST: usize = 256;
/// Points of a curve at most.
const MOST_POINTS: usize = 8192;

/// A sender's variables at a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point {
    pub(crate) time: f64,
    pub(crate) cwnd: i64,
    /// NaN before it is measured.
    pub(crate) srtt: f64,
    pub(crate) acked: i64,
}

/// A sender's samples.
#[derive(Debug)]
pub(crate) struct Sender {
    pub(crate) label: String,
    pub(crate) points: Vec<Point>,
    /// Every n-th sample is kept.
    stride: u64,
    seen: u64,
}

impl Sender {
    /// Takes a point; when there are too many, every other one goes.
    fn push(&mut self, point: Point) {
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
    /// The first by connection that sent enough to be worth a curve, as many as there are colours.
    pub(crate) shown: Vec<Sender>,
    /// How many more sent enough, of those that were looked at.
    pub(crate) left_out: usize,
}

/// The senders of a run.
pub(crate) fn senders(dir: &Path) -> Result<Senders, StoreError> {
    let Some(mut groups) = Groups::open(dir, "samples", COLUMNS)? else {
        return Ok(Senders::default());
    };
    let mut all: BTreeMap<(i64, String), Sender> = BTreeMap::new();
    while let Some(group) = groups.next_group()? {
        let (conns, sides) = (group.ints("conn")?, group.texts("side")?);
        let (times, nodes) = (group.floats("time_s")?, group.texts("node")?);
        let (cwnd, srtt) = (group.ints("cwnd_bytes")?, group.floats("srtt_s")?);
        let acked = group.ints("acked_bytes")?;
        for i in 0..group.len() {
            let key = (conns[i], sides[i].clone());
            if all.len() == MOST && !all.contains_key(&key) {
                continue;
            }
            let sender = all.entry(key).or_insert_with(|| Sender {
                label: format!("{} ({})", ConnId(conns[i] as u64), nodes[i]),
                points: Vec::new(),
                stride: 1,
                seen: 0,
            });
            sender.push(Point {
                time: times[i],
                cwnd: cwnd[i],
                srtt: srtt[i],
                acked: acked[i],
            });
        }
    }
    let worth = |s: &Sender| s.points.last().is_some_and(|p| p.acked >= WORTH);
    let mut shown: Vec<Sender> = all.into_values().filter(worth).collect();
    let left_out = shown.len().saturating_sub(SERIES.len());
    shown.truncate(SERIES.len());
    Ok(Senders { shown, left_out })
}
