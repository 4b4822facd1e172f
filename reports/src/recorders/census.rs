//! Sockets per state over time, by group of hosts.
//!
//! The row at time t counts every record with time <= t. A socket counts from the change that takes
//! it out of CLOSED to the change that takes it back. An end point created by a listener for a SYN
//! starts as "LISTEN to SYN-RECEIVED", while the listener stays in LISTEN.

use sim_core::{NodeId, SimTime};
use tcp_model::sample::{Side, StateChange};
use tcp_model::state::State;

use super::grid::Grid;
use super::level::{Level, Peak};
use super::long_run::SteadySeries;
use crate::info::{NodeInfo, RecordOptions};
use crate::metrics::{self, Metrics};
use crate::stats::WarmUpRule;
use crate::store::StoreError;
use crate::store::table::{ColumnKind, SharedText, TableWriter, Tables};

const COLUMNS: &[(&str, ColumnKind)] = &[
    ("time_s", ColumnKind::Float),
    ("scope", ColumnKind::Text),
    ("LISTEN", ColumnKind::Int),
    ("SYN-SENT", ColumnKind::Int),
    ("SYN-RECEIVED", ColumnKind::Int),
    ("ESTABLISHED", ColumnKind::Int),
    ("FIN-WAIT-1", ColumnKind::Int),
    ("FIN-WAIT-2", ColumnKind::Int),
    ("CLOSE-WAIT", ColumnKind::Int),
    ("CLOSING", ColumnKind::Int),
    ("LAST-ACK", ColumnKind::Int),
    ("TIME-WAIT", ColumnKind::Int),
    ("ports_in_use", ColumnKind::Int),
];

const STATES: usize = State::ALL.len();

#[derive(Debug)]
struct Group {
    name: String,
    text: SharedText,
    ports: i64,
    levels: [Level; STATES],
}

/// Counts sockets.
#[derive(Debug)]
pub(crate) struct SocketCensus {
    table: TableWriter,
    grid: Grid,
    groups: Vec<Group>,
    /// Group of each node; nodes in no group belong to the last, nameless one.
    group_of: Vec<usize>,
    all: SharedText,
    /// Of all groups together, by state.
    peaks: [Peak; STATES],
    /// Of all states and groups together.
    sockets: Peak,
    ports: Level,
    /// Averages between the points of the grid, and the last point; only if one long run was
    /// requested.
    averages: Option<Averages>,
}

/// Averages of sockets by state between points of time.
#[derive(Debug)]
struct Averages {
    of_states: Vec<SteadySeries>,
    /// Integrals up to the last point, socket seconds.
    areas: [f64; STATES],
    last: SimTime,
}

impl Averages {
    fn new(rule: WarmUpRule) -> Averages {
        Averages {
            of_states: vec![SteadySeries::new(rule); STATES],
            areas: [0.0; STATES],
            last: SimTime::ZERO,
        }
    }

    /// Advances to the next point; `area_s` gives the integral of a state up to it.
    fn advance(&mut self, point: SimTime, area_s: impl Fn(usize) -> f64) {
        let width = point.since(self.last).as_secs_f64();
        if width <= 0.0 {
            return;
        }
        let each = self.of_states.iter_mut().zip(&mut self.areas);
        for (state, (series, before)) in each.enumerate() {
            let area = area_s(state);
            series.add(point, (area - *before) / width);
            *before = area;
        }
        self.last = point;
    }
}

impl SocketCensus {
    pub(crate) fn new(
        to: &Tables,
        record: &RecordOptions,
        nodes: &[NodeInfo],
        window: (SimTime, SimTime),
    ) -> Result<SocketCensus, StoreError> {
        let mut names: Vec<&str> = Vec::new();
        for node in nodes {
            if !node.group.is_empty() && !names.contains(&node.group.as_str()) {
                names.push(&node.group);
            }
        }
        let place = |group: &str| names.iter().position(|n| *n == group);
        let group_of = nodes
            .iter()
            .map(|n| place(&n.group).unwrap_or(names.len()))
            .collect();
        names.push("");
        let groups = names.iter().map(|&name| Group {
            name: name.to_owned(),
            text: SharedText::from(name),
            ports: 0,
            levels: [Level::new(window); STATES],
        });
        Ok(SocketCensus {
            table: TableWriter::create(to, "census", COLUMNS)?,
            grid: Grid::new(record.interval_s),
            groups: groups.collect(),
            group_of,
            all: SharedText::from("all"),
            peaks: [Peak::default(); STATES],
            sockets: Peak::default(),
            ports: Level::new(window),
            averages: record.warm_up.map(Averages::new),
        })
    }

    /// Must be called with the time of every record before it is counted.
    pub(crate) fn advance(&mut self, time: SimTime) -> Result<(), StoreError> {
        while let Some(point) = self.grid.pass(time) {
            self.write_rows(point)?;
        }
        Ok(())
    }

    /// The time up to which, inclusive, [`SocketCensus::advance`] has nothing to do.
    pub(crate) fn quiet_until(&self) -> SimTime {
        self.grid.next()
    }

    /// The sockets of all groups in a state.
    fn of_state(&self, state: usize) -> Level {
        let groups = self.groups.iter().map(|group| &group.levels[state]);
        Level::joint(self.peaks[state], groups)
    }

    pub(crate) fn on_state(&mut self, time: SimTime, node: NodeId, change: &StateChange) {
        let nameless = self.groups.len() - 1;
        let group = *self.group_of.get(node.0 as usize).unwrap_or(&nameless);
        let group = &mut self.groups[group];
        let (from, to) = (change.leaves(), change.to);
        if from == to {
            return;
        }
        for (state, step) in [(from, -1), (to, 1)] {
            if state != State::Closed {
                self.peaks[state as usize].add(step, time);
                group.levels[state as usize].add(step, time);
            }
        }
        let open = i64::from(from == State::Closed) - i64::from(to == State::Closed);
        if open != 0 {
            self.sockets.add(open, time);
            if change.side == Side::Active {
                self.ports.add(open, time);
                group.ports += open;
            }
        }
    }

    fn write_rows(&mut self, point: SimTime) -> Result<(), StoreError> {
        let time_s = point.as_secs_f64();
        if let Some(mut averages) = self.averages.take() {
            averages.advance(point, |state| self.of_state(state).area_s(point));
            self.averages = Some(averages);
        }
        let counts = self.peaks.map(|of_state| of_state.now());
        write_row(
            &mut self.table,
            time_s,
            &self.all,
            &counts,
            self.ports.now(),
        )?;
        for group in self.groups.iter().filter(|g| !g.name.is_empty()) {
            let counts = group.levels.map(|level| level.now());
            write_row(&mut self.table, time_s, &group.text, &counts, group.ports)?;
        }
        Ok(())
    }

    /// Writes the rows up to `end` inclusive and adds the metrics.
    pub(crate) fn close(mut self, end: SimTime, found: &mut Metrics) -> Result<(), StoreError> {
        self.advance(SimTime::from_ps(end.as_ps().saturating_add(1)))?;
        let of_states: [Level; STATES] = std::array::from_fn(|state| self.of_state(state));
        let mut put = |name: &str, level: &Level| put_level(name, level, end, found);
        for (state, name) in metrics::states() {
            put(&name, &of_states[state as usize]);
            for group in self.groups.iter().filter(|g| !g.name.is_empty()) {
                let level = &group.levels[state as usize];
                // Most groups are never in most states.
                if level.peak() > 0 || state == State::TimeWait {
                    put(&format!("{name}.{}", group.name), level);
                }
            }
        }
        for (state, name) in metrics::states() {
            let level = &of_states[state as usize];
            if let Some(averages) = self.averages.as_ref().filter(|_| level.peak() > 0) {
                averages.of_states[state as usize].close(&name, "", found);
            }
        }
        let mut put = |name: &str, level: &Level| put_level(name, level, end, found);
        put("sockets", &Level::joint(self.sockets, &of_states));
        put("ports_in_use", &self.ports);
        let time_wait = &of_states[State::TimeWait as usize];
        found.put("time_wait_peak_at_s", time_wait.peak_at().as_secs_f64());
        self.table.close()
    }
}

/// Adds peak, means and last value.
fn put_level(name: &str, level: &Level, end: SimTime, found: &mut Metrics) {
    let (mean, steady) = level.means(end);
    found.put(&format!("{name}_peak"), level.peak() as f64);
    found.put(&format!("{name}_mean"), mean);
    found.put(&format!("{name}_mean_steady"), steady);
    found.put(&format!("{name}_end"), level.now() as f64);
}

fn write_row(
    table: &mut TableWriter,
    time_s: f64,
    scope: &SharedText,
    counts: &[i64; STATES],
    ports: i64,
) -> Result<(), StoreError> {
    let row = table.row().float(time_s).text(scope);
    let row = counts[1..].iter().fold(row, |row, &c| row.int(c));
    row.int(ports).end()
}
