//! Senders' variables on traced connections: windows, round-trip times, progress.
//!
//! Memory and rows are bounded, however long the run: each sender keeps its samples on a grid that
//! becomes coarser ([`GridCells`]), and senders beyond [`MOST_SENDERS`] have no rows at all. The
//! metrics are computed from every sample.

mod cells;

use std::collections::{BTreeMap, BTreeSet};

use sim_core::{NodeId, Rate, SimTime};
use tcp_model::sample::{EndReason, EndpointSummary, SenderSample, Side};
use tcp_model::segment::ConnId;

use super::grid::Grid;
use super::row_texts::NodeNames;
use crate::format::count;
use crate::metrics::Metrics;
use crate::stats::jain_index;
use crate::store::LeftOut;
use crate::store::StoreError;
use crate::store::table::{ColumnKind, SharedText, TableWriter, Tables};
use cells::{GridCells, SamplePoint};

const COLUMNS: &[(&str, ColumnKind)] = &[
    ("time_s", ColumnKind::Float),
    ("conn", ColumnKind::Int),
    ("side", ColumnKind::Text),
    ("node", ColumnKind::Text),
    ("cwnd_bytes", ColumnKind::Int),
    ("ssthresh_bytes", ColumnKind::OptFloat),
    ("in_flight_bytes", ColumnKind::Int),
    ("snd_wnd_bytes", ColumnKind::Int),
    ("srtt_s", ColumnKind::OptFloat),
    ("rto_s", ColumnKind::Float),
    ("acked_bytes", ColumnKind::Int),
    ("rttvar_s", ColumnKind::OptFloat),
    ("min_rtt_s", ColumnKind::OptFloat),
    ("delivered_bytes", ColumnKind::OptFloat),
    ("delivery_rate_bps", ColumnKind::OptFloat),
    ("pacing_rate_bps", ColumnKind::OptFloat),
    ("recovery", ColumnKind::Text),
    ("control", ColumnKind::Text),
];

/// Senders of fewer bytes than this are not bulk transfers; goodput per flow and fairness are
/// reported only for bulk transfers.
const BULK: u64 = 50_000;
/// Most bulk transfers that are reported one by one.
const MOST_FLOWS: usize = 16;
/// Number of traced senders up to which the fairness of bulk transfers is computed.
const MOST_FOLLOWED: usize = 1024;

/// Steps of the grid of each of the first senders, which are shown in figures, and of the others.
const STEPS: usize = 1024;
const FEW_STEPS: usize = 32;
/// Number of senders with the finer grid, and with any rows at all.
const FINE_SENDERS: usize = 16;
const MOST_SENDERS: usize = 1024;

/// A sender's progress.
#[derive(Debug)]
struct SenderProgress {
    node: NodeId,
    first: SimTime,
    last: SimTime,
    acked: u64,
    ended: bool,
    /// Bytes acknowledged when the last sender began and when the first bulk transfer ended.
    at_last_start: u64,
    at_first_end: Option<u64>,
    /// Its samples, unless there are too many senders.
    cells: Option<GridCells>,
}

/// Keeps each sender's progress and the samples to be written.
#[derive(Debug)]
pub(crate) struct SamplesRecorder {
    to: Tables,
    /// Where every sample goes, if all were requested.
    all: Option<TableWriter>,
    /// Rows at fixed times, if those were requested.
    fixed: Option<FixedSteps>,
    senders: BTreeMap<(ConnId, Side), SenderProgress>,
    last_start: SimTime,
    first_end: Option<SimTime>,
    /// Samples of senders that have no rows.
    left_out: u64,
    words: Words,
}

impl SamplesRecorder {
    /// With `all`, every sample gets a row; with an interval, each sender has a row at every
    /// multiple of it.
    pub(crate) fn new(
        to: &Tables,
        all: bool,
        every_s: Option<f64>,
    ) -> Result<SamplesRecorder, StoreError> {
        let fixed = every_s.map(|every_s| {
            Ok::<_, StoreError>(FixedSteps {
                grid: Grid::new(every_s),
                table: TableWriter::create(to, "samples", COLUMNS)?,
                last: BTreeMap::new(),
            })
        });
        let all = all.then(|| TableWriter::create(to, "samples", COLUMNS));
        Ok(SamplesRecorder {
            to: to.clone(),
            all: all.transpose()?,
            fixed: fixed.transpose()?,
            senders: BTreeMap::new(),
            last_start: SimTime::ZERO,
            first_end: None,
            left_out: 0,
            words: Words::default(),
        })
    }

    pub(crate) fn on_sender(
        &mut self,
        time: SimTime,
        node: NodeId,
        sample: &SenderSample,
        names: &NodeNames,
    ) -> Result<(), StoreError> {
        if let Some(table) = &mut self.all {
            write_row(table, node, &(time, *sample), names, &mut self.words)?;
        }
        let key = (sample.conn, sample.side);
        if let Some(fixed) = &mut self.fixed {
            fixed.last.insert(key, (node, *sample));
        }
        if !self.senders.contains_key(&key) {
            self.on_start(time);
            let cells = match self.senders.len() {
                _ if self.all.is_some() || self.fixed.is_some() => None,
                n if n < FINE_SENDERS => Some(GridCells::new(STEPS)),
                n if n < MOST_SENDERS => Some(GridCells::new(FEW_STEPS)),
                _ => None,
            };
            let progress = SenderProgress {
                node,
                first: time,
                last: time,
                acked: 0,
                ended: false,
                at_last_start: 0,
                at_first_end: None,
                cells,
            };
            self.senders.insert(key, progress);
        }
        if let Some(progress) = self.senders.get_mut(&key) {
            progress.last = time;
            progress.acked = sample.acked;
            match &mut progress.cells {
                Some(cells) => cells.add((time, *sample)),
                None => self.left_out += 1,
            }
        }
        Ok(())
    }

    /// Writes the rows at fixed times before `time`.
    pub(crate) fn advance(&mut self, time: SimTime, names: &NodeNames) -> Result<(), StoreError> {
        match &mut self.fixed {
            Some(fixed) => fixed.advance(time, names, &mut self.words),
            None => Ok(()),
        }
    }

    /// The time up to which, inclusive, [`SamplesRecorder::advance`] has nothing to do.
    pub(crate) fn quiet_until(&self) -> SimTime {
        let fixed = self.fixed.as_ref();
        fixed.map_or(SimTime::MAX, |fixed| fixed.grid.next())
    }

    /// Another sender begins: from now on all are active.
    fn on_start(&mut self, time: SimTime) {
        if self.first_end.is_none() && self.senders.len() < MOST_FOLLOWED {
            self.last_start = time;
            for progress in self.senders.values_mut() {
                progress.at_last_start = progress.acked;
            }
        }
    }

    pub(crate) fn on_ended(&mut self, end: &EndpointSummary) {
        if self.senders.is_empty() {
            return;
        }
        if let Some(fixed) = &mut self.fixed
            && end.reason != EndReason::StillOpen
        {
            fixed.last.remove(&(end.conn, end.side));
        }
        let mut is_bulk = false;
        if let Some(progress) = self.senders.get_mut(&(end.conn, end.side)) {
            progress.acked = end.counts.bytes_acked;
            progress.last = progress.last.max(end.ended);
            progress.ended = true;
            is_bulk = progress.acked >= BULK;
        }
        if is_bulk && self.first_end.is_none() {
            self.first_end = Some(end.ended);
            for progress in self.senders.values_mut() {
                progress.at_first_end = Some(progress.acked);
            }
        }
    }

    /// The number of traced connections.
    pub(crate) fn traced(&self) -> u64 {
        let conns = self.senders.keys().map(|(conn, _)| conn);
        conns.collect::<BTreeSet<_>>().len() as u64
    }

    /// Writes the samples kept, in order of time; returns what was left out.
    fn write(self, names: &NodeNames) -> Result<Option<LeftOut>, StoreError> {
        let fixed = self.fixed.map(|fixed| fixed.table);
        if let Some(table) = self.all.or(fixed) {
            let none = table.rows() == 0;
            (if none { table.discard() } else { table.close() })?;
            return Ok(None);
        }
        let (mut rows, mut left_out) = (Vec::new(), self.left_out);
        for progress in self.senders.values() {
            let Some(cells) = &progress.cells else {
                continue;
            };
            let (points, thinned) = cells.finish();
            left_out += thinned;
            rows.extend(points.into_iter().map(|point| (progress.node, point)));
        }
        if rows.is_empty() {
            return Ok(None);
        }
        rows.sort_by_key(|(_, (time, sample))| (*time, sample.conn, sample.side));
        let mut table = TableWriter::create(&self.to, "samples", COLUMNS)?;
        let mut words = self.words;
        for (node, point) in &rows {
            write_row(&mut table, *node, point, names, &mut words)?;
        }
        table.close()?;
        let what = format!(
            "{} samples of senders; of each time step the table holds the extremes of window and \
             round-trip time, and the last sample",
            count(left_out as f64)
        );
        Ok((left_out > 0).then(|| LeftOut::new("samples", what, "samples = \"all\"")))
    }

    /// Writes the table and adds goodput, of all and of each bulk transfer while it was active, and
    /// the fairness of bulk transfers over the time in which all were active; `ended_bytes` is the
    /// number of bytes acknowledged to senders that ended.
    pub(crate) fn close(
        mut self,
        end: SimTime,
        ended_bytes: u64,
        names: &NodeNames,
        metrics: &mut Metrics,
    ) -> Result<Option<LeftOut>, StoreError> {
        let open = self.senders.values().filter(|p| !p.ended);
        let bytes = ended_bytes + open.map(|p| p.acked).sum::<u64>();
        if bytes > 0 && end > SimTime::ZERO {
            let bits = 8.0 * bytes as f64;
            metrics.put("goodput_bps", bits / end.as_secs_f64());
        }
        let bulk = self.senders.iter().filter(|(_, p)| p.acked >= BULK);
        let bulk: Vec<(ConnId, &SenderProgress)> = bulk.map(|((conn, _), p)| (*conn, p)).collect();
        for (conn, p) in bulk.iter().take(MOST_FLOWS) {
            let until = if p.ended { p.last } else { end };
            let seconds = until.since(p.first).as_secs_f64();
            if seconds > 0.0 {
                let of_node = bulk.iter().filter(|(_, other)| other.node == p.node);
                let name = match of_node.count() {
                    1 => names.node(p.node).to_string(),
                    _ => format!("{}:{}", names.node(p.node), conn.serial()),
                };
                let goodput = 8.0 * p.acked as f64 / seconds;
                metrics.put(&format!("flow_goodput.{name}_bps"), goodput);
            }
        }
        let together = self.first_end.unwrap_or(end) > self.last_start;
        if bulk.len() > 1 && together && self.senders.len() <= MOST_FOLLOWED {
            let shares = bulk.iter().map(|(_, p)| {
                let until = p.at_first_end.unwrap_or(p.acked);
                until.saturating_sub(p.at_last_start) as f64
            });
            metrics.put("jain_index", jain_index(&shares.collect::<Vec<_>>()));
        }
        let after = SimTime::from_ps(end.as_ps().saturating_add(1));
        self.advance(after, names)?;
        self.write(names)
    }
}

/// Rows at fixed times: the last known values of each sender.
#[derive(Debug)]
struct FixedSteps {
    grid: Grid,
    table: TableWriter,
    /// The last sample of each current sender.
    last: BTreeMap<(ConnId, Side), (NodeId, SenderSample)>,
}

impl FixedSteps {
    fn advance(
        &mut self,
        time: SimTime,
        names: &NodeNames,
        words: &mut Words,
    ) -> Result<(), StoreError> {
        while let Some(point) = self.grid.pass(time) {
            for (node, sample) in self.last.values() {
                write_row(&mut self.table, *node, &(point, *sample), names, words)?;
            }
        }
        Ok(())
    }
}

fn write_row(
    table: &mut TableWriter,
    node: NodeId,
    (time, sample): &SamplePoint,
    names: &NodeNames,
    words: &mut Words,
) -> Result<(), StoreError> {
    let state = &sample.state;
    let bps = |rate: Option<Rate>| rate.map(|r| r.as_bps() as f64);
    let recovery = words.text(state.congestion.map_or("", |s| s.as_str()));
    let control = words.text(state.control.unwrap_or_default());
    table
        .row()
        .float(time.as_secs_f64())
        .count(sample.conn.0)
        .text(names.side(sample.side))
        .text(names.node(node))
        .count(sample.cwnd)
        .opt(sample.ssthresh.map(|s| s as f64))
        .int(sample.in_flight)
        .int(sample.snd_wnd)
        .opt(sample.srtt.map(|d| d.as_secs_f64()))
        .float(sample.rto.as_secs_f64())
        .count(sample.acked)
        .opt(state.rttvar.map(|d| d.as_secs_f64()))
        .opt(state.min_rtt.map(|d| d.as_secs_f64()))
        .opt(state.delivered.map(|n| n as f64))
        .opt(bps(state.delivery_rate))
        .opt(bps(state.pacing_rate))
        .text(&recovery)
        .text(&control)
        .end()
}

/// Words of the models, each converted to a text once.
#[derive(Debug, Default)]
struct Words(Vec<(&'static str, SharedText)>);

impl Words {
    fn text(&mut self, word: &'static str) -> SharedText {
        if let Some((_, text)) = self.0.iter().find(|(w, _)| *w == word) {
            return text.clone();
        }
        let text = SharedText::from(word);
        self.0.push((word, text.clone()));
        text
    }
}
