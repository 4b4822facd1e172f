//! Senders' variables of recorded connections: windows, round-trip times, progress.

use std::collections::BTreeMap;
use std::path::Path;

use sim_core::{NodeId, SimTime};
use tcp_model::sample::{EndpointSummary, SenderSample, Side};
use tcp_model::segment::ConnId;

use super::names::Names;
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

/// Senders of less than so many bytes take no part in the fairness index.
const BULK: u64 = 50_000;

/// A sender's progress.
#[derive(Clone, Copy, Debug)]
struct Progress {
    first: SimTime,
    last: SimTime,
    acked: u64,
    ended: bool,
}

/// Writes sender samples and keeps each sender's progress.
#[derive(Debug)]
pub(crate) struct Samples {
    table: TableWriter,
    senders: BTreeMap<(ConnId, Side), Progress>,
}

impl Samples {
    pub(crate) fn new(dir: &Path) -> Result<Samples, StoreError> {
        Ok(Samples {
            table: TableWriter::create(dir, "samples", COLUMNS)?,
            senders: BTreeMap::new(),
        })
    }

    pub(crate) fn on_sender(
        &mut self,
        time: SimTime,
        node: NodeId,
        sample: &SenderSample,
        names: &Names,
    ) -> Result<(), StoreError> {
        let progress = self
            .senders
            .entry((sample.conn, sample.side))
            .or_insert(Progress {
                first: time,
                last: time,
                acked: 0,
                ended: false,
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

    pub(crate) fn on_ended(&mut self, end: &EndpointSummary) {
        if self.senders.is_empty() {
            return;
        }
        if let Some(progress) = self.senders.get_mut(&(end.conn, end.side)) {
            progress.acked = end.counts.bytes_acked;
            progress.last = progress.last.max(end.ended);
            progress.ended = true;
        }
    }

    /// Closes the table and adds goodput; `ended_bytes` were acknowledged to senders that ended.
    pub(crate) fn close(
        self,
        end: SimTime,
        ended_bytes: u64,
        metrics: &mut BTreeMap<String, f64>,
    ) -> Result<(), StoreError> {
        let open = self.senders.values().filter(|p| !p.ended);
        let bytes = ended_bytes + open.map(|p| p.acked).sum::<u64>();
        if bytes > 0 && end > SimTime::ZERO {
            let bits = 8.0 * bytes as f64;
            metrics.insert("goodput_bps".into(), bits / end.as_secs_f64());
        }
        let rate = |p: &Progress| {
            let until = if p.ended { p.last } else { end };
            let seconds = until.since(p.first).as_secs_f64();
            (p.acked >= BULK && seconds > 0.0).then(|| 8.0 * p.acked as f64 / seconds)
        };
        let rates: Vec<f64> = self.senders.values().filter_map(rate).collect();
        if rates.len() > 1 {
            metrics.insert("jain_index".into(), jain_index(&rates));
        }
        if self.table.rows() == 0 {
            return self.table.discard();
        }
        self.table.close()
    }
}
