//! Senders' variables of recorded connections: windows, round-trip times, progress.

use std::collections::BTreeMap;
use std::path::Path;

use sim_core::{NodeId, SimTime};
use tcp_model::sample::{EndpointSummary, SenderSample, Side};
use tcp_model::segment::ConnId;

use super::names::Names;
use crate::metrics::Metrics;
use crate::stats::jain_index;
use crate::store::StoreError;
use crate::store::table::{Kind, TableWriter};

const COLUMNS: &[(&str, Kind)] = &[
    ("time_s", Kind::Float),
    ("conn", Kind::Int),
    ("side", Kind::Text),
    ("node", Kind::Text),
    ("cwnd_bytes", Kind::Int),
    ("ssthresh_bytes", Kind::OptFloat),
    ("in_flight_bytes", Kind::Int),
    ("snd_wnd_bytes", Kind::Int),
    ("srtt_s", Kind::OptFloat),
    ("rto_s", Kind::Float),
    ("acked_bytes", Kind::Int),
];

/// Senders of less than so many bytes are no bulk transfers: of these the goodput is told flow by
/// flow, and how fairly they share.
const BULK: u64 = 50_000;
/// Bulk transfers told one by one at most.
const MOST_FLOWS: usize = 16;
/// Traced senders up to which the fairness of bulk transfers is followed.
const MOST_FOLLOWED: usize = 1024;

/// A sender's progress.
#[derive(Clone, Copy, Debug)]
struct Progress {
    node: NodeId,
    first: SimTime,
    last: SimTime,
    acked: u64,
    ended: bool,
    /// Bytes acknowledged when the last sender began and when the first bulk transfer ended.
    at_last_start: u64,
    at_first_end: Option<u64>,
}

/// Writes sender samples and keeps each sender's progress.
#[derive(Debug)]
pub(crate) struct Samples {
    table: TableWriter,
    senders: BTreeMap<(ConnId, Side), Progress>,
    last_start: SimTime,
    first_end: Option<SimTime>,
}

impl Samples {
    pub(crate) fn new(dir: &Path) -> Result<Samples, StoreError> {
        Ok(Samples {
            table: TableWriter::create(dir, "samples", COLUMNS)?,
            senders: BTreeMap::new(),
            last_start: SimTime::ZERO,
            first_end: None,
        })
    }

    pub(crate) fn on_sender(
        &mut self,
        time: SimTime,
        node: NodeId,
        sample: &SenderSample,
        names: &Names,
    ) -> Result<(), StoreError> {
        let key = (sample.conn, sample.side);
        if !self.senders.contains_key(&key) {
            self.on_start(time);
        }
        let progress = self.senders.entry(key).or_insert(Progress {
            node,
            first: time,
            last: time,
            acked: 0,
            ended: false,
            at_last_start: 0,
            at_first_end: None,
        });
        progress.last = time;
        progress.acked = sample.acked;
        self.table
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
            .end()
    }

    /// Another sender begins: all are active from here on.
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

    /// Closes the table and adds goodput, of all and of each bulk transfer while it was active, and
    /// the fairness of bulk transfers over the time in which all were active; `ended_bytes` were
    /// acknowledged to senders that ended.
    pub(crate) fn close(
        self,
        end: SimTime,
        ended_bytes: u64,
        names: &Names,
        metrics: &mut Metrics,
    ) -> Result<(), StoreError> {
        let open = self.senders.values().filter(|p| !p.ended);
        let bytes = ended_bytes + open.map(|p| p.acked).sum::<u64>();
        if bytes > 0 && end > SimTime::ZERO {
            let bits = 8.0 * bytes as f64;
            metrics.put("goodput_bps", bits / end.as_secs_f64());
        }
        let bulk = self.senders.iter().filter(|(_, p)| p.acked >= BULK);
        let bulk: Vec<(ConnId, &Progress)> = bulk.map(|((conn, _), p)| (*conn, p)).collect();
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
        if self.table.rows() == 0 {
            return self.table.discard();
        }
        self.table.close()
    }
}
