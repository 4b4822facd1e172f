//! Segments of recorded connections: sending, arrival and loss joined into one row.

use std::collections::{HashMap, VecDeque};
use std::path::Path;

use sim_core::{LossCause, NodeId, SimTime};
use tcp_model::sample::{SegmentEvent, SegmentTrace};

use super::names::Names;
use crate::store::StoreError;
use crate::store::table::{Kind, TableWriter, Text};

const COLUMNS: &[(&str, Kind)] = &[
    ("packet", Kind::Int),
    ("conn", Kind::Int),
    ("sent_s", Kind::OptFloat),
    ("received_s", Kind::OptFloat),
    ("lost_s", Kind::OptFloat),
    ("fate", Kind::Text),
    ("from_node", Kind::Text),
    ("to_node", Kind::Text),
    ("src_ip", Kind::Int),
    ("src_port", Kind::Int),
    ("dst_ip", Kind::Int),
    ("dst_port", Kind::Int),
    ("flags", Kind::Text),
    ("seq", Kind::Int),
    ("ack", Kind::Int),
    ("len", Kind::Int),
    ("window", Kind::Int),
    ("options", Kind::Text),
    ("retransmission", Kind::Bool),
    ("reason", Kind::Text),
    ("state_at_sender", Kind::Text),
    ("state_at_receiver", Kind::Text),
];

/// Rows held back for their arrival; beyond that the oldest goes without.
const HELD: usize = 1 << 16;

#[derive(Debug)]
struct Row {
    trace: SegmentTrace,
    from: Text,
    to: Text,
    sent: Option<SimTime>,
    received: Option<SimTime>,
    lost: Option<SimTime>,
    fate: Option<Text>,
    state_at_receiver: Text,
}

fn lost_text(cause: LossCause) -> Text {
    Text::from(format!("lost: {cause}").as_str())
}

/// Joins traces by packet; rows are written in order of sending.
///
/// `fate` is "received", "lost: CAUSE", "duplicate" for a further arrival of a packet (its own
/// row), or "unseen": in flight when the run ended, or discarded for its checksum.
#[derive(Debug)]
pub(crate) struct Segments {
    table: TableWriter,
    held: VecDeque<Row>,
    /// Place of a held packet, counted from the first row of all.
    places: HashMap<u64, usize>,
    first: usize,
    /// Losses at the present instant of packets not yet told to be sent: a link may refuse a
    /// packet before its sender has recorded it.
    early: Vec<(u64, SimTime, LossCause)>,
    received: Text,
    duplicate: Text,
    unseen: Text,
}

impl Segments {
    pub(crate) fn new(dir: &Path) -> Result<Segments, StoreError> {
        Ok(Segments {
            table: TableWriter::create(dir, "segments", COLUMNS)?,
            held: VecDeque::new(),
            places: HashMap::new(),
            first: 0,
            early: Vec::new(),
            received: Text::from("received"),
            duplicate: Text::from("duplicate"),
            unseen: Text::from("unseen"),
        })
    }

    pub(crate) fn on_segment(
        &mut self,
        time: SimTime,
        node: NodeId,
        trace: &SegmentTrace,
        names: &Names,
    ) -> Result<(), StoreError> {
        self.early.retain(|(_, at, _)| *at == time);
        let place = self.places.get(&trace.packet).map(|p| p - self.first);
        let held = place.and_then(|p| self.held.get_mut(p));
        match (trace.event, held) {
            (SegmentEvent::Sent, _) => {
                let early = self.early.iter().find(|e| e.0 == trace.packet).copied();
                let place = self.first + self.held.len();
                self.places.insert(trace.packet, place);
                self.held.push_back(Row {
                    trace: trace.clone(),
                    from: names.node(node).clone(),
                    to: names.owner(trace.dst).clone(),
                    sent: Some(time),
                    received: None,
                    lost: early.map(|e| e.1),
                    fate: early.map(|e| lost_text(e.2)),
                    state_at_receiver: names.none.clone(),
                });
            }
            (SegmentEvent::Received, Some(row)) if row.fate.is_none() => {
                row.received = Some(time);
                row.to = names.node(node).clone();
                row.state_at_receiver = names.opt_state(trace.state).clone();
                row.fate = Some(self.received.clone());
            }
            (SegmentEvent::Received, held) => {
                let row = Row {
                    trace: trace.clone(),
                    from: names.owner(trace.src).clone(),
                    to: names.node(node).clone(),
                    sent: held.and_then(|row| row.sent),
                    received: Some(time),
                    lost: None,
                    fate: Some(self.duplicate.clone()),
                    state_at_receiver: names.opt_state(trace.state).clone(),
                };
                self.held.push_back(row);
            }
            (SegmentEvent::Lost(cause), Some(row)) if row.fate.is_none() => {
                row.lost = Some(time);
                row.fate = Some(lost_text(cause));
            }
            (SegmentEvent::Lost(cause), None) => self.early.push((trace.packet, time, cause)),
            (SegmentEvent::Lost(_), Some(_)) => {}
        }
        self.write_complete(names)
    }

    fn write_complete(&mut self, names: &Names) -> Result<(), StoreError> {
        while let Some(row) = self.held.front() {
            if row.fate.is_none() && self.held.len() <= HELD {
                break;
            }
            self.write_front(names)?;
        }
        Ok(())
    }

    fn write_front(&mut self, names: &Names) -> Result<(), StoreError> {
        let Some(row) = self.held.pop_front() else {
            return Ok(());
        };
        if self.places.get(&row.trace.packet) == Some(&self.first) {
            self.places.remove(&row.trace.packet);
        }
        self.first += 1;
        let seconds = |t: Option<SimTime>| t.map(SimTime::as_secs_f64);
        let (trace, segment) = (&row.trace, &row.trace.segment);
        // A duplicate's trace was made by its receiver: the sender's state is not in it.
        let sent_by_observer = trace.event == SegmentEvent::Sent;
        let sender_state = trace.state.filter(|_| sent_by_observer);
        let flags = Text::from(segment.flags.to_string().as_str());
        let options = Text::from(segment.options.to_string().as_str());
        self.table
            .row()
            .count(trace.packet)
            .count(segment.tag.conn.0)
            .opt(seconds(row.sent))
            .opt(seconds(row.received))
            .opt(seconds(row.lost))
            .text(row.fate.as_ref().unwrap_or(&self.unseen))
            .text(&row.from)
            .text(&row.to)
            .int(u32::from(trace.src))
            .int(segment.src_port)
            .int(u32::from(trace.dst))
            .int(segment.dst_port)
            .text(&flags)
            .int(segment.seq.0)
            .int(segment.ack.0)
            .int(segment.len)
            .int(segment.window)
            .text(&options)
            .bool(trace.retransmission.is_some())
            .text(names.reason(trace.retransmission))
            .text(names.opt_state(sender_state))
            .text(&row.state_at_receiver)
            .end()
    }

    pub(crate) fn close(mut self, names: &Names) -> Result<(), StoreError> {
        while !self.held.is_empty() {
            self.write_front(names)?;
        }
        if self.table.rows() == 0 {
            return self.table.discard();
        }
        self.table.close()
    }
}
