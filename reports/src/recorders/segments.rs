//! Segments of traced connections: sending, arrival and loss joined into one row.

mod all;
mod ladder;

use std::collections::HashMap;
use std::fmt::Write as _;

use sim_core::{LossCause, NodeId, SimTime};
use tcp_model::options::Options;
use tcp_model::sample::{SegmentEvent, SegmentTrace};

use super::row_texts::NodeNames;
use crate::info::SegmentsKept;
use crate::store::LeftOut;
use crate::store::StoreError;
use crate::store::table::{ColumnKind, SharedText, TableWriter, Tables};

/// The columns of the table of segments.
pub(crate) const COLUMNS: &[(&str, ColumnKind)] = &[
    ("packet", ColumnKind::Int),
    ("conn", ColumnKind::Int),
    ("number", ColumnKind::Int),
    ("sent_s", ColumnKind::OptFloat),
    ("received_s", ColumnKind::OptFloat),
    ("lost_s", ColumnKind::OptFloat),
    ("fate", ColumnKind::Text),
    ("from_node", ColumnKind::Text),
    ("to_node", ColumnKind::Text),
    ("src_ip", ColumnKind::Int),
    ("src_port", ColumnKind::Int),
    ("dst_ip", ColumnKind::Int),
    ("dst_port", ColumnKind::Int),
    ("flags", ColumnKind::Text),
    ("seq", ColumnKind::Int),
    ("ack", ColumnKind::Int),
    ("len", ColumnKind::Int),
    ("window", ColumnKind::Int),
    ("ts_val", ColumnKind::OptFloat),
    ("ts_ecr", ColumnKind::OptFloat),
    ("options", ColumnKind::Text),
    ("retransmission", ColumnKind::Bool),
    ("reason", ColumnKind::Text),
    ("needed", ColumnKind::Text),
    ("state_at_sender", ColumnKind::Text),
    ("state_at_receiver", ColumnKind::Text),
];

/// What happened to a segment, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ObservedFate {
    /// Neither was seen: in flight when the run ended, or discarded because of its checksum; if not
    /// all segments are recorded, its arrival may not have been recorded.
    Unseen,
    Received,
    Lost(LossCause),
    /// Another arrival of a packet that already has a row.
    Duplicate,
}

/// A segment's row.
#[derive(Clone, Debug)]
struct SegmentRow {
    trace: SegmentTrace,
    /// The node that sent it, if seen; otherwise the owner of the source address.
    from: Option<NodeId>,
    /// The node where it arrived, if seen; otherwise the owner of the destination address.
    to: Option<NodeId>,
    sent: Option<SimTime>,
    received: Option<SimTime>,
    lost: Option<SimTime>,
    fate: ObservedFate,
    state_at_receiver: Option<tcp_model::State>,
    /// Whether all of the data that was sent again had arrived before.
    spurious: Option<bool>,
}

impl SegmentRow {
    /// A row with only the contents of `trace`.
    fn new(trace: &SegmentTrace) -> SegmentRow {
        SegmentRow {
            trace: trace.clone(),
            from: None,
            to: None,
            sent: None,
            received: None,
            lost: None,
            fate: ObservedFate::Unseen,
            state_at_receiver: None,
            spurious: None,
        }
    }

    /// Fills in the sending; the sender's own record takes precedence over what others saw.
    fn on_sent(&mut self, trace: &SegmentTrace, time: SimTime, node: NodeId) {
        self.trace = trace.clone();
        self.from = Some(node);
        self.sent = Some(time);
    }

    fn on_received(
        &mut self,
        trace: &SegmentTrace,
        time: SimTime,
        node: NodeId,
        fate: ObservedFate,
    ) {
        self.to = Some(node);
        self.received = Some(time);
        self.state_at_receiver = trace.state;
        self.spurious = self.spurious.or(trace.spurious);
        self.fate = fate;
    }

    fn on_lost(&mut self, time: SimTime, cause: LossCause) {
        self.lost = Some(time);
        self.fate = ObservedFate::Lost(cause);
    }
}

/// Most different lists of options whose texts are cached.
const MOST_TEXTS: usize = 1024;

/// The table, and cached texts.
#[derive(Debug)]
struct SegmentsTable {
    rows: TableWriter,
    flags: Vec<Option<SharedText>>,
    /// Cached texts of options by their printed form, up to [`MOST_TEXTS`]; then a buffer for
    /// printing.
    options: HashMap<String, SharedText>,
    buffer: String,
    losses: Vec<(LossCause, SharedText)>,
    received: SharedText,
    duplicate: SharedText,
    unseen: SharedText,
    /// Whether a retransmission was needed.
    needed: [SharedText; 2],
}

impl SegmentsTable {
    fn create(to: &Tables) -> Result<SegmentsTable, StoreError> {
        Ok(SegmentsTable {
            rows: TableWriter::create(to, "segments", COLUMNS)?,
            flags: vec![None; 512],
            options: HashMap::new(),
            buffer: String::new(),
            losses: Vec::new(),
            received: SharedText::from("received"),
            duplicate: SharedText::from("duplicate"),
            unseen: SharedText::from("unseen"),
            needed: ["no", "yes"].map(SharedText::from),
        })
    }

    /// Creates the texts of a row, unless they exist.
    fn prepare(&mut self, row: &SegmentRow) {
        let flags = row.trace.segment.flags;
        let place = &mut self.flags[usize::from(flags.0) % 512];
        if place.is_none() {
            *place = Some(SharedText::from(flags.to_string().as_str()));
        }
        if let ObservedFate::Lost(cause) = row.fate
            && self.losses.iter().all(|l| l.0 != cause)
        {
            let text = SharedText::from(format!("lost: {cause}").as_str());
            self.losses.push((cause, text));
        }
    }

    /// The text of options; `None` for timestamps alone, which have their own columns.
    fn options(&mut self, options: &Options) -> Option<SharedText> {
        if options.is_empty() || options.only_timestamps().is_some() {
            return None;
        }
        self.buffer.clear();
        // Writing to a string cannot fail.
        let _ = write!(self.buffer, "{options}");
        if let Some(text) = self.options.get(&self.buffer) {
            return Some(text.clone());
        }
        let text = SharedText::from(self.buffer.as_str());
        if self.options.len() < MOST_TEXTS {
            self.options.insert(self.buffer.clone(), text.clone());
        }
        Some(text)
    }

    fn write(&mut self, row: &SegmentRow, names: &NodeNames) -> Result<(), StoreError> {
        self.prepare(row);
        let others = self.options(&row.trace.segment.options);
        let fate = match row.fate {
            ObservedFate::Unseen => &self.unseen,
            ObservedFate::Received => &self.received,
            ObservedFate::Duplicate => &self.duplicate,
            ObservedFate::Lost(cause) => {
                let known = self.losses.iter().find(|l| l.0 == cause);
                known.map_or(&self.unseen, |l| &l.1)
            }
        };
        let (trace, segment) = (&row.trace, &row.trace.segment);
        let flags = self.flags[usize::from(segment.flags.0) % 512].as_ref();
        let end = |node: Option<NodeId>, address| match node {
            Some(node) => names.node(node),
            None => names.owner(address),
        };
        let seconds = |t: Option<SimTime>| t.map(SimTime::as_secs_f64);
        let stamps = segment.options.timestamps();
        // Only the sender's own trace has the sender's state.
        let sender_state = trace.state.filter(|_| trace.event == SegmentEvent::Sent);
        self.rows
            .row()
            .count(trace.packet)
            .count(segment.tag.conn.0)
            .count(trace.number)
            .opt(seconds(row.sent))
            .opt(seconds(row.received))
            .opt(seconds(row.lost))
            .text(fate)
            .text(end(row.from, trace.src))
            .text(end(row.to, trace.dst))
            .int(u32::from(trace.src))
            .int(segment.src_port)
            .int(u32::from(trace.dst))
            .int(segment.dst_port)
            .text(flags.unwrap_or(&names.none))
            .int(segment.seq.0)
            .int(segment.ack.0)
            .int(segment.len)
            .int(segment.window)
            .opt(stamps.map(|s| s.0.into()))
            .opt(stamps.map(|s| s.1.into()))
            .text(others.as_ref().unwrap_or(&names.none))
            .bool(trace.retransmission.is_some())
            .text(names.reason(trace.retransmission))
            .text(
                row.spurious
                    .map_or(&names.none, |s| &self.needed[usize::from(!s)]),
            )
            .text(names.opt_state(sender_state))
            .text(names.opt_state(row.state_at_receiver))
            .end()
    }

    fn close(self) -> Result<(), StoreError> {
        if self.rows.rows() == 0 {
            return self.rows.discard();
        }
        self.rows.close()
    }
}

/// Joins traces by packet; rows are in order of sending.
#[derive(Debug)]
pub(crate) enum SegmentsRecorder {
    /// Every segment, written as the run goes.
    All(Box<all::AllSegments>),
    /// The segments chosen by hosts, held until the end.
    Ladder(ladder::Ladder),
}

impl SegmentsRecorder {
    pub(crate) fn new(to: &Tables, kept: SegmentsKept) -> Result<SegmentsRecorder, StoreError> {
        Ok(match kept {
            SegmentsKept::All => SegmentsRecorder::All(Box::new(all::AllSegments::new(to)?)),
            SegmentsKept::Ladder | SegmentsKept::None => {
                SegmentsRecorder::Ladder(ladder::Ladder::new(to))
            }
        })
    }

    pub(crate) fn on_segment(
        &mut self,
        time: SimTime,
        node: NodeId,
        trace: &SegmentTrace,
        names: &NodeNames,
    ) -> Result<(), StoreError> {
        match self {
            SegmentsRecorder::All(all) => all.on_segment(time, node, trace, names),
            SegmentsRecorder::Ladder(ladder) => {
                ladder.on_segment(time, node, trace);
                Ok(())
            }
        }
    }

    /// Closes the table; returns what was left out.
    pub(crate) fn close(self, names: &NodeNames) -> Result<Option<LeftOut>, StoreError> {
        match self {
            SegmentsRecorder::All(all) => all.close(names).map(|()| None),
            SegmentsRecorder::Ladder(ladder) => ladder.close(names),
        }
    }
}
