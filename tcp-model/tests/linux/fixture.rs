//! The measurements, read from the CSV files in this folder.

use std::collections::BTreeMap;

/// A packet as sent, with relative sequence numbers.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct MeasuredPacket {
    /// Seconds since the start of the experiment.
    pub(super) t: f64,
    /// `C` (client) or `S` (server).
    pub(super) side: char,
    pub(super) flags: String,
    pub(super) seq: u32,
    pub(super) ack: Option<u32>,
    pub(super) len: u32,
    pub(super) window: Option<u32>,
    /// Kinds of options, in order.
    pub(super) options: Option<String>,
    pub(super) lost: bool,
}

/// The packets of an experiment, for each repetition.
#[derive(Clone, Debug)]
pub(super) struct Experiment {
    pub(super) name: String,
    /// For each repetition, all packets in order.
    pub(super) repetitions: Vec<Vec<MeasuredPacket>>,
}

pub(super) const TEARDOWN: &str = include_str!("handshake-teardown.csv");
pub(super) const TIMERS: &str = include_str!("timers.csv");
pub(super) const ENDS: &str = include_str!("ends.csv");
pub(super) const BLACK_HOLE: &str = include_str!("black-hole.csv");
pub(super) const LISTENING: &str = include_str!("listening.csv");
pub(super) const LIVES: &str = include_str!("lives.csv");
pub(super) const FLOODS: &str = include_str!("floods.csv");
pub(super) const FLOWS: &str = include_str!("flows.csv");
pub(super) const ACK_DELAY: &str = include_str!("ack-delay.csv");

/// The lines of a file as fields, without the header.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines().skip(1).map(|line| line.split(',').collect())
}

/// The repetitions of an experiment in one of the packet files.
pub(super) fn experiment(file: &str, name: &str) -> Experiment {
    let mut repetitions: BTreeMap<&str, Vec<MeasuredPacket>> = BTreeMap::new();
    for f in lines(file).filter(|f| f[0] == name) {
        repetitions.entry(f[1]).or_default().push(MeasuredPacket {
            t: f[2].parse().unwrap(),
            side: f[3].chars().next().unwrap(),
            flags: f[4].to_owned(),
            seq: f[5].parse().unwrap_or(0),
            ack: f[6].parse().ok(),
            len: f[7].parse().unwrap(),
            window: f[8].parse().ok(),
            options: (file == TEARDOWN).then(|| f[9].to_owned()),
            lost: f[10] == "lost",
        });
    }
    assert!(repetitions.len() > 1, "{name} was not measured");
    Experiment {
        name: name.to_owned(),
        repetitions: repetitions.into_values().collect(),
    }
}

/// When the experiment ended with an error, for each repetition.
pub(super) fn ends(name: &str) -> Vec<f64> {
    let of = |f: Vec<&str>| (f[0] == name).then(|| f[2].parse().unwrap());
    lines(ENDS).filter_map(of).collect()
}
