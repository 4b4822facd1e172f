//! Every segment of the traced connections, joined and written during the run.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;
use sim_core::{LossCause, NodeId, SimTime};
use tcp_model::sample::{SegmentEvent, SegmentTrace};

use super::{NodeNames, ObservedFate, SegmentRow, SegmentsTable};
use crate::store::StoreError;
use crate::store::table::Tables;

/// Most rows held back until their packet arrives; if there are more, the oldest is written without
/// its arrival.
const HELD: usize = 1 << 16;

#[derive(Debug)]
pub(crate) struct AllSegments {
    table: SegmentsTable,
    held: VecDeque<SegmentRow>,
    /// Index of a held packet's row, counted from the first row of the run.
    places: FxHashMap<u64, usize>,
    first: usize,
    /// Losses at the current instant of packets not yet recorded as sent: a link may refuse a
    /// packet before its sender has recorded it.
    early: Vec<(u64, SimTime, LossCause)>,
}

impl AllSegments {
    pub(super) fn new(to: &Tables) -> Result<AllSegments, StoreError> {
        Ok(AllSegments {
            table: SegmentsTable::create(to)?,
            held: VecDeque::new(),
            places: FxHashMap::default(),
            first: 0,
            early: Vec::new(),
        })
    }

    pub(super) fn on_segment(
        &mut self,
        time: SimTime,
        node: NodeId,
        trace: &SegmentTrace,
        names: &NodeNames,
    ) -> Result<(), StoreError> {
        self.early.retain(|(_, at, _)| *at == time);
        let place = self.places.get(&trace.packet).map(|p| p - self.first);
        let held = place.and_then(|p| self.held.get_mut(p));
        match (trace.event, held) {
            (SegmentEvent::Sent, _) => {
                let mut row = SegmentRow::new(trace);
                row.on_sent(trace, time, node);
                if let Some(early) = self.early.iter().find(|e| e.0 == trace.packet) {
                    row.on_lost(early.1, early.2);
                }
                self.places
                    .insert(trace.packet, self.first + self.held.len());
                self.held.push_back(row);
            }
            (SegmentEvent::Received, Some(row)) if row.fate == ObservedFate::Unseen => {
                row.on_received(trace, time, node, ObservedFate::Received);
            }
            (SegmentEvent::Received, held) => {
                let mut row = SegmentRow::new(trace);
                row.sent = held.and_then(|row| row.sent);
                row.on_received(trace, time, node, ObservedFate::Duplicate);
                self.held.push_back(row);
            }
            (SegmentEvent::Lost(cause), Some(row)) if row.fate == ObservedFate::Unseen => {
                row.on_lost(time, cause);
            }
            (SegmentEvent::Lost(cause), None) => self.early.push((trace.packet, time, cause)),
            (SegmentEvent::Lost(_), Some(_)) => {}
        }
        while let Some(row) = self.held.front() {
            if row.fate == ObservedFate::Unseen && self.held.len() <= HELD {
                break;
            }
            self.write_front(names)?;
        }
        Ok(())
    }

    fn write_front(&mut self, names: &NodeNames) -> Result<(), StoreError> {
        let Some(row) = self.held.pop_front() else {
            return Ok(());
        };
        if self.places.get(&row.trace.packet) == Some(&self.first) {
            self.places.remove(&row.trace.packet);
        }
        self.first += 1;
        self.table.write(&row, names)
    }

    pub(super) fn close(mut self, names: &NodeNames) -> Result<(), StoreError> {
        while !self.held.is_empty() {
            self.write_front(names)?;
        }
        self.table.close()
    }
}
