//! Every state change of the chosen connections.

use sim_core::{NodeId, SimTime};
use tcp_model::sample::StateChange;

use super::end_points::EndPoints;
use super::first::FirstConnections;
use super::row_texts::NodeNames;
use crate::store::LeftOut;
use crate::store::StoreError;
use crate::store::table::{ColumnKind, TableWriter, Tables};

const COLUMNS: &[(&str, ColumnKind)] = &[
    ("time_s", ColumnKind::Float),
    ("conn", ColumnKind::Int),
    ("side", ColumnKind::Text),
    ("end_point", ColumnKind::Int),
    ("node", ColumnKind::Text),
    ("from", ColumnKind::Text),
    ("to", ColumnKind::Text),
];

/// Writes state changes of the first connections of the run. `end_point` distinguishes the end
/// points that a listener made for one connection.
#[derive(Debug)]
pub(crate) struct States {
    table: TableWriter,
    first: FirstConnections,
    end_points: EndPoints,
}

impl States {
    pub(crate) fn new(to: &Tables, first: FirstConnections) -> Result<States, StoreError> {
        let table = TableWriter::create(to, "states", COLUMNS)?;
        let end_points = EndPoints::default();
        Ok(States {
            table,
            first,
            end_points,
        })
    }

    pub(crate) fn on_state(
        &mut self,
        time: SimTime,
        node: NodeId,
        change: &StateChange,
        names: &NodeNames,
    ) -> Result<(), StoreError> {
        if !self.first.has(change.conn) {
            return Ok(());
        }
        self.table
            .row()
            .float(time.as_secs_f64())
            .count(change.conn.0)
            .text(names.side(change.side))
            .count(self.end_points.number(change).into())
            .text(names.node(node))
            .text(names.state(change.from))
            .text(names.state(change.to))
            .end()
    }

    /// Closes the table; returns what was left out.
    pub(crate) fn close(self) -> Result<Option<LeftOut>, StoreError> {
        let left_out = LeftOut::connections("states", "state changes", &self.first);
        self.table.close()?;
        Ok(left_out)
    }
}
