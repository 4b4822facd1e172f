//! The host around the models: who gets a segment, and what left.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;

use sim_core::SimTime;

use super::RunOptions;
use super::flow::Flow;
use super::render;
use crate::connection::ts_clock;
use crate::fast_open::FastOpenNews;
use crate::model::{Input, OpenContext, Outputs, Signal, TcpModel};
use crate::packetdrill::report::Rung;
use crate::params::TcpParams;
use crate::segment::{ConnId, Flags, Segment};
use crate::seq::SeqNum;
use crate::state::State;
use crate::time_wait::TimeWait;

/// Makes a model for a connection.
pub type Factory<'m> = dyn FnMut(OpenContext) -> Box<dyn TcpModel> + 'm;

pub(super) const LOCAL: Ipv4Addr = Ipv4Addr::new(192, 168, 0, 1);
pub(super) const REMOTE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

/// A segment that left and waits for a line of the script that expects it.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) flow: usize,
    pub(super) at: SimTime,
    pub(super) segment: Segment,
    /// Sequence number 0 of an RST by which nobody answers: not relative to anything.
    pub(super) absolute: bool,
}

/// Connections and what they sent.
pub(super) struct Stack<'m> {
    make: &'m mut Factory<'m>,
    pub(super) flows: Vec<Flow>,
    pub(super) sent: VecDeque<Sent>,
    pub(super) ladder: Vec<Rung>,
    /// Listener's socket and flow, since last settled.
    pub(super) established: Vec<(usize, usize)>,
    /// What answers to SYNs told of Fast Open, since last settled.
    pub(super) news: Vec<FastOpenNews>,
    pub(super) next_remote_port: u16,
    /// Segments must be cut as the script has them.
    pub(super) strict: bool,
    next_local_port: u16,
    iss: SeqNum,
    ts_offset: u32,
    out: Outputs,
}

impl<'m> Stack<'m> {
    pub(super) fn new(make: &'m mut Factory<'_>, options: &RunOptions) -> Stack<'m> {
        Stack {
            make,
            flows: Vec::new(),
            sent: VecDeque::new(),
            ladder: Vec::new(),
            established: Vec::new(),
            news: Vec::new(),
            next_remote_port: 5001,
            strict: false,
            next_local_port: 40_000,
            iss: options.iss,
            ts_offset: options.ts_offset,
            out: Outputs::default(),
        }
    }

    /// Place of the first segment that waits, of those between these ports.
    pub(super) fn next_sent(&self, ports: Option<(u16, u16)>) -> Option<usize> {
        let between = |s: &Sent| (s.segment.src_port, s.segment.dst_port);
        let mut all = self.sent.iter();
        all.position(|s| ports.is_none_or(|p| p == between(s)))
    }

    /// Segments nobody has asked for.
    pub(super) fn waiting(&self) -> usize {
        self.sent.len()
    }

    pub(super) fn pick_local_port(&mut self) -> u16 {
        self.next_local_port = self.next_local_port.wrapping_add(1).max(1024);
        self.next_local_port
    }

    pub(super) fn pick_remote_port(&mut self) -> u16 {
        self.next_remote_port = self.next_remote_port.wrapping_add(1).max(1024);
        self.next_remote_port
    }

    /// A place for a connection, with nobody at this end.
    pub(super) fn add_vacant(&mut self, local_port: u16, remote_port: u16) -> usize {
        self.flows.push(Flow::vacant(local_port, remote_port));
        self.flows.len() - 1
    }

    /// A connection with a model; `iss` is chosen when none is given.
    pub(super) fn add(
        &mut self,
        local_port: u16,
        remote_port: u16,
        params: &TcpParams,
        iss: Option<SeqNum>,
    ) -> usize {
        let serial = self.flows.len() as u32;
        let iss = iss.unwrap_or(self.iss + serial.wrapping_mul(0x0100_0000));
        let params = Arc::new(params.clone());
        let model = (self.make)(OpenContext {
            params: params.clone(),
            conn: ConnId::new(0, serial),
            traced: false,
            local: SocketAddrV4::new(LOCAL, local_port),
            remote: SocketAddrV4::new(REMOTE, remote_port),
            iss,
            ts_offset: self.ts_offset,
        });
        let flow = Flow::new(local_port, remote_port, model, params, iss);
        self.flows.push(flow);
        self.flows.len() - 1
    }

    /// A connection with a model, of which the script knows the numbers and timestamps already.
    pub(super) fn resume(&mut self, index: usize, params: &TcpParams, iss: SeqNum) -> usize {
        let known = std::mem::replace(&mut self.flows[index], Flow::vacant(0, 0));
        let resumed = self.add(known.local_port, known.remote_port, params, Some(iss));
        let flow = &mut self.flows[resumed];
        flow.script_iss = known.script_iss;
        flow.peer_isn = known.peer_isn;
        flow.stamps = known.stamps;
        resumed
    }

    pub(super) fn next_timeout(&self) -> Option<SimTime> {
        let models = self.flows.iter().filter_map(|f| f.model.as_ref());
        models.filter_map(|m| m.next_timeout()).min()
    }

    /// Tells every model whose time has come.
    pub(super) fn time_out(&mut self, now: SimTime) {
        for flow in 0..self.flows.len() {
            let model = self.flows[flow].model.as_ref();
            if model
                .and_then(|m| m.next_timeout())
                .is_some_and(|t| t <= now)
            {
                self.step(flow, Input::Timeout, now);
            }
        }
    }

    /// One input for one model.
    pub(super) fn step(&mut self, index: usize, input: Input<'_>, now: SimTime) {
        let Some(model) = &mut self.flows[index].model else {
            return;
        };
        self.out.clear();
        model.step(input, now, &mut self.out);
        self.collect(index, now);
    }

    /// New options of a connection; false when its model cannot change them.
    pub(super) fn change_params(&mut self, index: usize, params: &TcpParams, now: SimTime) -> bool {
        let flow = &mut self.flows[index];
        let Some(model) = &mut flow.model else {
            return true; // nothing is left that they could change
        };
        let params = Arc::new(params.clone());
        self.out.clear();
        let changed = model.change_params(&params, now, &mut self.out);
        if changed {
            flow.params = params;
        }
        self.collect(index, now);
        changed
    }

    /// Takes what a model has put out.
    fn collect(&mut self, index: usize, now: SimTime) {
        self.take_outputs(index, now);
        let ends = |s: &Signal| {
            matches!(
                s,
                Signal::State {
                    to: State::TimeWait,
                    ..
                }
            )
        };
        if self.out.signals.iter().any(ends) {
            self.limit_time_wait(index);
        }
        self.out.clear();
    }

    /// The host's table has room for so many connections in TIME-WAIT; the rest are over at once.
    fn limit_time_wait(&mut self, index: usize) {
        let Some(limit) = self.flows[index].params.max_tw_buckets else {
            return;
        };
        let waiting = self.flows.iter().filter(|f| f.state() == State::TimeWait);
        if waiting.count() > limit as usize {
            self.flows[index].model = None;
        }
    }

    fn take_outputs(&mut self, index: usize, now: SimTime) {
        let flow = &mut self.flows[index];
        for &signal in &self.out.signals {
            flow.on_signal(signal);
            if let Signal::FastOpen(news) = signal {
                self.news.push(news);
            }
            // Data in a SYN with a cookie make the connection ready before the handshake ends.
            let ready = matches!(signal, Signal::Connected | Signal::Readable(_));
            if let (true, false, Some(listener)) = (ready, flow.offered, flow.listener) {
                flow.offered = true;
                self.established.push((listener, index));
            }
        }
        for transmit in self.out.segments.drain(..) {
            let (segment, again) = (transmit.segment, transmit.is_retransmission());
            flow.note_sent(&segment, again, now);
            let text = render::sent(&segment, flow, false);
            self.ladder.push(Rung::new(now, false, text));
            self.sent.push_back(Sent {
                flow: index,
                at: now,
                segment,
                absolute: false,
            });
        }
    }

    /// Nobody is there: RFC 9293 section 3.10.7.1.
    pub(super) fn answer_for_nobody(&mut self, index: usize, seg: &Segment, now: SimTime) {
        if seg.flags.is_rst() {
            return;
        }
        let absolute = !seg.flags.is_ack();
        let reply = Segment {
            src_port: seg.dst_port,
            dst_port: seg.src_port,
            seq: if absolute { SeqNum(0) } else { seg.ack },
            ack: if absolute { seg.seq_end() } else { SeqNum(0) },
            flags: if absolute {
                Flags::RST | Flags::ACK
            } else {
                Flags::RST
            },
            ..Segment::default()
        };
        self.send(index, reply, absolute, now);
    }

    /// The ACK of a connection in TIME-WAIT.
    pub(super) fn answer_in_time_wait(&mut self, index: usize, entry: &TimeWait, now: SimTime) {
        let flow = &self.flows[index];
        let reply = entry.ack(flow.local_port, flow.remote_port, ts_clock(now));
        self.send(index, reply, false, now);
    }

    /// A segment that no model has made.
    pub(super) fn send(&mut self, index: usize, segment: Segment, absolute: bool, now: SimTime) {
        let text = render::sent(&segment, &self.flows[index], absolute);
        self.ladder.push(Rung::new(now, false, text));
        self.sent.push_back(Sent {
            flow: index,
            at: now,
            segment,
            absolute,
        });
    }
}
