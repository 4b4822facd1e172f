//! Writes inferred connections as the tables that diagrams read.

use std::path::Path;

use super::inference::InferredConnection;
use crate::recorded_words;
use crate::recorders::SEGMENT_COLUMNS;
use crate::store::StoreError;
use crate::store::table::{ColumnKind, SharedText, TableWriter, Tables};

const STATES: &[(&str, ColumnKind)] = &[
    ("time_s", ColumnKind::Float),
    ("conn", ColumnKind::Int),
    ("node", ColumnKind::Text),
    ("from", ColumnKind::Text),
    ("to", ColumnKind::Text),
];

/// Writes the tables of segments and of states.
pub(super) fn write(dir: &Path, all: &[InferredConnection]) -> Result<(), StoreError> {
    let to = Tables::from(dir);
    segments(&to, all)?;
    let mut table = TableWriter::create(&to, "states", STATES)?;
    for (conn, one) in all.iter().enumerate() {
        for change in &one.changes {
            table
                .row()
                .float(change.time)
                .count(conn as u64)
                .text(&SharedText::from(one.names[change.end].as_str()))
                .text(&SharedText::from(change.from.name()))
                .text(&SharedText::from(change.to.name()))
                .end()?;
        }
    }
    table.close()
}

fn segments(to: &Tables, all: &[InferredConnection]) -> Result<(), StoreError> {
    let mut table = TableWriter::create(to, "segments", SEGMENT_COLUMNS)?;
    let none = SharedText::from("");
    let fates = ["received", "lost: sent again without an ACK"].map(SharedText::from);
    let again = SharedText::from(recorded_words::SEEN_BEFORE);
    let mut packet = 0;
    for (conn, one) in all.iter().enumerate() {
        let names = [0, 1].map(|end: usize| SharedText::from(one.names[end].as_str()));
        for s in &one.segments {
            let p = &s.packet;
            let (from, to) = if p.from_opener { (0, 1) } else { (1, 0) };
            let ends = one.connection.ends;
            let stamps = p.options.timestamps();
            let options = match p.options.only_timestamps() {
                Some(_) => String::new(),
                None => p.options.to_string(),
            };
            let state = |which: usize| {
                let name = s.states[which].map_or("", |state| state.name());
                SharedText::from(name)
            };
            table
                .row()
                .count(packet)
                .count(conn as u64)
                .count(0)
                .opt(Some(s.sent))
                .opt(s.received)
                .opt(s.received.is_none().then_some(s.sent))
                .text(&fates[usize::from(s.received.is_none())])
                .text(&names[from])
                .text(&names[to])
                .int(u32::from(*ends[from].ip()))
                .int(ends[from].port())
                .int(u32::from(*ends[to].ip()))
                .int(ends[to].port())
                .text(&SharedText::from(p.flags.to_string().as_str()))
                .int(p.seq)
                .int(p.ack)
                .int(p.len)
                .int(p.window)
                .opt(stamps.map(|s| s.0.into()))
                .opt(stamps.map(|s| s.1.into()))
                .text(&SharedText::from(options.as_str()))
                .bool(s.again)
                .text(if s.again { &again } else { &none })
                .text(&none)
                .text(&state(0))
                .text(&state(1))
                .end()?;
            packet += 1;
        }
    }
    table.close()
}
