//! The segments that hosts chose for ladder diagrams, some of them chosen long after they were
//! sent.

use std::collections::{BTreeMap, HashMap, VecDeque};

use sim_core::{LossCause, NodeId, SimTime};
use tcp_model::ConnId;
use tcp_model::sample::{SegmentEvent, SegmentTrace};

use super::{LeftOut, NodeNames, ObservedFate, SegmentRow, SegmentsTable};
use crate::format::count;
use crate::store::StoreError;
use crate::store::table::Tables;

/// Most rows held, and therefore written.
const MOST_ROWS: usize = 100_000;
/// Losses remembered for packets without a row: the sender reports such a packet when it
/// retransmits its data, if at all.
const MOST_LOSSES: usize = 1 << 14;

/// An end of a connection: its identity, and the address and port it sends from.
type TracedEnd = (ConnId, u32, u16);

#[derive(Debug)]
pub(crate) struct Ladder {
    to: Tables,
    rows: Vec<SegmentRow>,
    /// Index of each packet's row.
    places: HashMap<u64, u32>,
    /// Losses of packets without a row, and their order.
    losses: HashMap<u64, (SimTime, LossCause)>,
    order: VecDeque<u64>,
    /// How many segments each end has sent, according to its recorded segments.
    sent: BTreeMap<TracedEnd, u64>,
    most: usize,
}

impl Ladder {
    pub(super) fn new(to: &Tables) -> Ladder {
        Ladder {
            to: to.clone(),
            rows: Vec::new(),
            places: HashMap::new(),
            losses: HashMap::new(),
            order: VecDeque::new(),
            sent: BTreeMap::new(),
            most: MOST_ROWS,
        }
    }

    pub(super) fn on_segment(&mut self, time: SimTime, node: NodeId, trace: &SegmentTrace) {
        let time = trace.at.unwrap_or(time);
        if trace.event == SegmentEvent::Sent {
            self.count(trace);
        }
        if let SegmentEvent::Lost(cause) = trace.event
            && !self.places.contains_key(&trace.packet)
        {
            self.remember_loss(trace.packet, time, cause);
            return;
        }
        let Some(row) = self.row(trace) else {
            return;
        };
        match trace.event {
            SegmentEvent::Sent => row.on_sent(trace, time, node),
            SegmentEvent::Lost(cause) if row.fate == ObservedFate::Unseen => {
                row.on_lost(time, cause)
            }
            SegmentEvent::Lost(_) => {}
            SegmentEvent::Received if row.fate == ObservedFate::Unseen => {
                row.on_received(trace, time, node, ObservedFate::Received);
            }
            SegmentEvent::Received => {
                let mut again = SegmentRow::new(trace);
                again.sent = row.sent;
                again.on_received(trace, time, node, ObservedFate::Duplicate);
                if self.rows.len() < self.most {
                    self.rows.push(again);
                }
            }
        }
    }

    fn count(&mut self, trace: &SegmentTrace) {
        let segment = &trace.segment;
        let end = (segment.tag.conn, u32::from(trace.src), segment.src_port);
        if self.sent.contains_key(&end) || self.sent.len() < self.most {
            let sent = self.sent.entry(end).or_default();
            *sent = (*sent).max(trace.number);
        }
    }

    fn remember_loss(&mut self, packet: u64, time: SimTime, cause: LossCause) {
        if self.order.len() == MOST_LOSSES
            && let Some(oldest) = self.order.pop_front()
        {
            self.losses.remove(&oldest);
        }
        self.losses.insert(packet, (time, cause));
        self.order.push_back(packet);
    }

    /// The packet's row, created if there is none yet, unless there are too many.
    fn row(&mut self, trace: &SegmentTrace) -> Option<&mut SegmentRow> {
        let place = match self.places.get(&trace.packet) {
            Some(&place) => place as usize,
            None if self.rows.len() < self.most => {
                self.places.insert(trace.packet, self.rows.len() as u32);
                let mut row = SegmentRow::new(trace);
                if let Some((time, cause)) = self.losses.remove(&trace.packet) {
                    row.on_lost(time, cause);
                }
                self.rows.push(row);
                self.rows.len() - 1
            }
            None => return None,
        };
        self.rows.get_mut(place)
    }

    /// Writes the rows whose sending is known: an arrival alone is not enough.
    pub(super) fn close(mut self, names: &NodeNames) -> Result<Option<LeftOut>, StoreError> {
        self.rows.retain(|row| row.sent.is_some());
        let written = self
            .rows
            .iter()
            .filter(|r| r.fate != ObservedFate::Duplicate);
        let written = written.count() as u64;
        let key = |row: &SegmentRow| (row.sent, row.trace.packet, row.received);
        self.rows.sort_by_key(key);
        if self.rows.is_empty() {
            return Ok(None);
        }
        let mut table = SegmentsTable::create(&self.to)?;
        for row in &self.rows {
            table.write(row, names)?;
        }
        table.close()?;
        let all: u64 = self.sent.values().sum();
        let what = format!(
            "{} of {} segments of the traced connections; the table holds the first and last hundred of \
             each end and those around losses and other trouble",
            count(all.saturating_sub(written) as f64),
            count(all as f64)
        );
        Ok((all > written).then(|| LeftOut::new("segments", what, "segments = \"all\"")))
    }
}
