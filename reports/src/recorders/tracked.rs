//! Entries of NATs, firewalls and load balancers over time.

use std::collections::BTreeMap;

use sim_core::{NodeId, SimTime};

use super::grid::Grid;
use super::row_texts::NodeNames;
use crate::store::StoreError;
use crate::store::table::{ColumnKind, TableWriter, Tables};

const COLUMNS: &[(&str, ColumnKind)] = &[
    ("time_s", ColumnKind::Float),
    ("width_s", ColumnKind::Float),
    ("node", ColumnKind::Text),
    ("entries", ColumnKind::Float),
    ("entries_most", ColumnKind::Int),
];

/// The entries of a node, and their integral since the start of a bin.
#[derive(Clone, Copy, Debug, Default)]
struct Entries {
    now: u32,
    most: u32,
    since: SimTime,
    /// In entries times picoseconds.
    area: u128,
}

impl Entries {
    fn advance(&mut self, time: SimTime) {
        self.area += u128::from(self.now) * u128::from(time.since(self.since).as_ps());
        self.since = time;
    }
}

/// Averages the entries of each node over bins, which hold records with t <= time < t + width.
/// Nothing is written for a run without such nodes.
#[derive(Debug)]
pub(crate) struct Tracked {
    table: TableWriter,
    grid: Grid,
    start: Option<SimTime>,
    nodes: BTreeMap<NodeId, Entries>,
}

impl Tracked {
    pub(crate) fn new(to: &Tables, interval_s: f64) -> Result<Tracked, StoreError> {
        Ok(Tracked {
            table: TableWriter::create(to, "entries", COLUMNS)?,
            grid: Grid::new(interval_s),
            start: None,
            nodes: BTreeMap::new(),
        })
    }

    pub(crate) fn on_tracked(
        &mut self,
        time: SimTime,
        node: NodeId,
        entries: u32,
        names: &NodeNames,
    ) -> Result<(), StoreError> {
        self.advance(time, names)?;
        let start = self.start.unwrap_or(time);
        let of_node = self.nodes.entry(node).or_insert(Entries {
            since: start,
            ..Entries::default()
        });
        of_node.advance(time);
        of_node.now = entries;
        of_node.most = of_node.most.max(entries);
        Ok(())
    }

    fn advance(&mut self, time: SimTime, names: &NodeNames) -> Result<(), StoreError> {
        let after = SimTime::from_ps(time.as_ps().saturating_add(1));
        while let Some(start) = self.grid.pass(after) {
            if let Some(before) = self.start.replace(start) {
                self.write_bin(before, start, names)?;
            }
        }
        Ok(())
    }

    fn write_bin(
        &mut self,
        start: SimTime,
        end: SimTime,
        names: &NodeNames,
    ) -> Result<(), StoreError> {
        let width = end.since(start);
        for (node, entries) in &mut self.nodes {
            entries.advance(end);
            let row = self.table.row().float(start.as_secs_f64());
            let row = row.float(width.as_secs_f64()).text(names.node(*node));
            let mean = entries.area as f64 / width.as_ps() as f64;
            row.float(mean).count(u64::from(entries.most)).end()?;
            (entries.area, entries.most) = (0, entries.now);
        }
        Ok(())
    }

    /// Writes the last bin, which ends at `end`.
    pub(crate) fn close(mut self, end: SimTime, names: &NodeNames) -> Result<(), StoreError> {
        if self.nodes.is_empty() {
            return self.table.discard();
        }
        self.advance(SimTime::from_ps(end.as_ps().saturating_sub(1)), names)?;
        if let Some(start) = self.start
            && end > start
        {
            self.write_bin(start, end, names)?;
        }
        self.table.close()
    }
}
