//! The records of a run, made from those of the connections simulated beforehand.

use std::io;

use sim_core::{NodeId, Record, Recorder, SimDuration, SimTime, Tie};

use super::super::scratch::Scratch;
use super::life::{Life, conn_of};
use super::template::{Ends, START};
use crate::sample::{
    ConnectOutcome, CutShort, EndpointSummary, ExchangeEnd, RequestDone, RequestUnanswered, Side,
    StateChange, TcpSample,
};

/// The records that have not been handed over.
#[derive(Debug, Default)]
pub(super) struct Output {
    records: Vec<Record<TcpSample>>,
    scratch: Scratch,
    written: u64,
}

impl Output {
    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    pub(super) fn hand_over(&mut self, recorder: &mut dyn Recorder<TcpSample>) -> io::Result<()> {
        recorder.take(&mut self.records)?;
        for used in self.records.drain(..) {
            self.scratch.reuse(used.sample);
        }
        Ok(())
    }

    /// Writes records that belong to no connection.
    pub(super) fn start(&mut self, notes: &[(NodeId, TcpSample)], now: SimTime) {
        for (node, sample) in notes {
            self.record(*node, sample.clone(), now);
        }
    }

    // Inlined, so that the sample is made in its place.
    #[inline(always)]
    pub(super) fn record(&mut self, node: NodeId, sample: TcpSample, time: SimTime) {
        let tie = Tie::new(node, self.written & ((1 << 39) - 1));
        self.written += 1;
        self.records.push(Record {
            time,
            tie,
            node,
            sample,
        });
    }

    /// Writes a change of state of a connection.
    #[inline(always)]
    pub(super) fn write_state(
        &mut self,
        (end, change): (usize, &StateChange),
        ends: &Ends,
        life: Life,
        now: SimTime,
    ) {
        let conn = conn_of(ends.conn, life.serial);
        let change = StateChange { conn, ..*change };
        self.record(ends.nodes[end], TcpSample::State(change), now);
    }

    /// Writes a record of a connection. `cut_off`: it was made this long after the start of the connection
    /// simulated beforehand, when that was cut off, and now the run ends.
    pub(super) fn write(
        &mut self,
        (end, sample): (usize, &TcpSample),
        ends: &Ends,
        life: Life,
        now: SimTime,
        cut_off: Option<SimDuration>,
    ) {
        let conn = conn_of(ends.conn, life.serial);
        let waited = |waited: SimDuration| match cut_off {
            None => waited,
            Some(after) => {
                let began = after.as_ps().saturating_sub(waited.as_ps());
                now.since(life.start + SimDuration::from_ps(began))
            }
        };
        let sample = match sample {
            TcpSample::State(s) => TcpSample::State(StateChange { conn, ..*s }),
            TcpSample::Outcome(s) => TcpSample::Outcome(ConnectOutcome { conn, ..*s }),
            TcpSample::Request(s) => TcpSample::Request(RequestDone { conn, ..*s }),
            TcpSample::CutShort(s) => TcpSample::CutShort(CutShort { conn, ..*s }),
            TcpSample::Unanswered(s) => TcpSample::Unanswered(RequestUnanswered {
                conn,
                waited: waited(s.waited),
                ..*s
            }),
            TcpSample::Exchange(s) => TcpSample::Exchange(ExchangeEnd {
                took: waited(s.took),
                ..*s
            }),
            TcpSample::Ended(s) => {
                let at = |time: SimTime| life.start + time.since(START);
                let mut summary = EndpointSummary {
                    conn,
                    opened: at(s.opened),
                    established: s.established.map(at),
                    app_closed: s.app_closed.map(at),
                    ended: now,
                    ..**s
                };
                let client = match s.side {
                    Side::Active => &mut summary.local,
                    Side::Passive => &mut summary.remote,
                };
                client.set_port(life.port);
                client.set_ip(ends.addresses[usize::from(life.address)]);
                self.scratch.ended(summary)
            }
            other => other.clone(),
        };
        self.record(ends.nodes[end], sample, now);
    }
}
