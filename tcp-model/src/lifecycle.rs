//! `lifecycle`: a TCP for very large sets of short connections. Handshake, close, resets and TIME-WAIT are
//! real; the transfer follows a formula.
//!
//! ```text
//!   SYN, SYN-ACK, ACK   real segments, retransmitted when lost
//!   a write             rounds of a round-trip time each: one packet per round and 64 KB,
//!                       without an ACK for every other segment
//!   FIN, ACK, RST       real segments, retransmitted when lost
//! ```
//!
//! The sender's first round holds the initial window; each further round is twice the previous one,
//! up to the size of the buffers. A round takes the round-trip time of the handshake, or the time
//! that its octets take at `lifecycle_rate`, the connection's share of the bottleneck, if that is
//! longer. `lifecycle_loss` is the probability that a segment is lost: a loss delays its round by a
//! round trip, or by a time-out if the round has fewer than four segments, and halves the window,
//! which from then on grows by a segment per round.
//!
//! Ports, listeners, queues, TIME-WAIT and `ss` belong to the host and are the same as with the full model.
//!
//! # Agreement with the full model
//!
//! Compared between two hosts with the parameters of Linux and a link of 5, 20 or 100 ms, with
//! responses of 1 B to 200 kB, one or four on a connection, closed by client or server, and no
//! losses. Times to connect agree within 0.1 %, times of requests within 2 %; the numbers of
//! connections that are established, answered and in TIME-WAIT are the same on each side
//! (`lifecycle/tests.rs`). With losses on the links, connections end in the same way but not at the
//! same times: a lost packet stands for a whole round. The rules of random worlds
//! (`testing::worlds`) hold for it.
//!
//! Queues must be able to hold packets of 64 KB.
//!
//! # Without segments
//!
//! With `lifecycle_segments = false` not even handshake and close have segments: every connection follows the timetable
//! of one that is simulated beforehand on the idle path, at about a quarter of the cost of a recorded run. Ports, SYN
//! queues, cookies and TIME-WAIT remain those of the hosts. On links without a rate all records of a run are then bit
//! by bit those of the run with segments (`host/timetable/tests.rs`): opening, each way to close, exhausted and reused
//! ports, full tables of TIME-WAIT, dropped SYNs, cookies. On links with a rate they differ by the time that packets
//! wait for each other. What cannot be simulated like that is refused.
//!
//! Leaves out: flow control (the receiver accepts everything), bursts that wait for more window
//! (`tso_win_divisor`), selective acknowledgements (a gap makes the sender go back to the first unacknowledged
//! octet), congestion controls and HyStart (which ends slow start early if round trips are below some 4 ms), ECN,
//! Nagle, Fast Open (the SYN is a plain one), urgent data, keep-alive, path MTU
//! discovery, ICMP errors other than fatal ones, and RFC 5961's checks of resets.

mod arrive;
mod handshake;
mod timeouts;
mod transfer;

use std::sync::Arc;

use sim_core::{SimDuration, SimTime};

use crate::connection_counts::ConnectionCounts;
use crate::model::{ConnectionEnd, Input, OpenContext, Outputs, Signal, TcpModel, TcpView};
use crate::params::{GiveUp, TcpParams};
use crate::resend_rule::RetransmitReason;
use crate::rtt::{RtoBounds, RttEstimator};
use crate::segment::{ConnId, Flags, Segment, Tag};
use crate::seq::SeqNum;
use crate::state::State;
use crate::state_machine::StateMachine as _;
use crate::time_wait::TimeWait;
use crate::transmit::Transmit;
use crate::ts_clock::ts_clock;
use transfer::Rounds;

const OFF: SimTime = SimTime::MAX;

/// An end point of a connection whose transfer follows a formula.
#[derive(Debug)]
pub struct Lifecycle {
    params: Arc<TcpParams>,
    conn: ConnId,
    iss: SeqNum,
    una: SeqNum,
    /// After the last octet sent.
    nxt: SeqNum,
    rcv_nxt: SeqNum,
    ts_recent: u32,
    ts_offset: u32,
    local_port: u16,
    remote_port: u16,
    mss: u32,
    state: State,
    traced: bool,
    passive: bool,
    ts_ok: bool,
    shift: u8,
    /// The application has closed: it neither sends nor reads.
    app_closed: bool,
    fin_queued: bool,
    /// A write did not fit the buffer.
    blocked: bool,
    /// Octets written and not yet sent; the next field: octets to be read.
    unsent: u64,
    unread: u64,
    rounds: Rounds,
    rtt: RttEstimator,
    /// Deadlines; [`OFF`] when there is none.
    rto_at: SimTime,
    ack_at: SimTime,
    fin_wait_at: SimTime,
    /// When the outstanding octets were first sent; the next field: how often they were retransmitted.
    first_sent: SimTime,
    retries: u32,
    /// When it entered TIME-WAIT.
    entered: SimTime,
    counts: ConnectionCounts,
}

impl Lifecycle {
    /// A closed end point.
    pub fn new(ctx: OpenContext) -> Lifecycle {
        let mss = u32::from(ctx.params.mss());
        Lifecycle {
            conn: ctx.conn,
            iss: ctx.iss,
            una: ctx.iss,
            nxt: ctx.iss,
            rcv_nxt: SeqNum(0),
            ts_recent: 0,
            ts_offset: ctx.ts_offset,
            local_port: ctx.local.port(),
            remote_port: ctx.remote.port(),
            mss,
            state: State::Closed,
            traced: ctx.traced,
            passive: false,
            ts_ok: false,
            shift: 0,
            app_closed: false,
            fin_queued: false,
            blocked: false,
            unsent: 0,
            unread: 0,
            rounds: Rounds::default(),
            rtt: RttEstimator::new(&RtoBounds::of(&ctx.params)),
            rto_at: OFF,
            ack_at: OFF,
            fin_wait_at: OFF,
            first_sent: SimTime::ZERO,
            retries: 0,
            entered: SimTime::ZERO,
            counts: ConnectionCounts::default(),
            params: ctx.params,
        }
    }

    fn enter_time_wait(&mut self, now: SimTime, out: &mut Outputs) {
        if self.ack_at != OFF {
            self.send_ack(now, out);
        }
        self.stop_timers();
        self.entered = now;
        // Used only if the host keeps no TIME-WAIT entry of its own.
        self.fin_wait_at = self.params.timers.expiry(now, self.params.time_wait);
        self.enter(State::TimeWait, out);
        out.signals.push(Signal::Ended(ConnectionEnd::Closed));
    }

    /// A segment without text; it carries the pending acknowledgement, which need not be sent separately.
    fn header(&mut self, flags: Flags, seq: SeqNum, now: SimTime) -> Segment {
        self.ack_at = OFF;
        let mut segment = Segment {
            src_port: self.local_port,
            dst_port: self.remote_port,
            seq,
            ack: self.rcv_nxt,
            flags,
            window: self.window_field(),
            tag: Tag {
                conn: self.conn,
                offset: 0,
                traced: self.traced,
                ..Tag::default()
            },
            ..Segment::default()
        };
        if self.ts_ok {
            let val = ts_clock(now).wrapping_add(self.ts_offset);
            segment.options.set_timestamps_only(val, self.ts_recent);
        }
        segment
    }

    fn window_field(&self) -> u16 {
        (self.params.offered_buffer() >> self.shift).min(0xffff) as u16
    }

    fn emit(&mut self, segment: Segment, why: Option<RetransmitReason>, out: &mut Outputs) {
        self.counts.segments_sent += 1;
        self.counts.retransmissions += u32::from(why.is_some());
        let mut transmit = Transmit::new(segment);
        transmit.retransmission = why;
        transmit.segment.tag.again = why;
        out.segments.push(transmit);
    }

    fn send_ack(&mut self, now: SimTime, out: &mut Outputs) {
        let ack = self.header(Flags::ACK, self.nxt, now);
        self.emit(ack, None, out);
    }

    fn give_up(&self) -> GiveUp {
        match (self.state, self.params.user_timeout) {
            (State::SynReceived, _) => self.params.synack_give_up,
            (_, Some(time)) => GiveUp::After(time),
            (State::SynSent, _) => self.params.syn_give_up,
            _ if self.app_closed => self.params.orphan_give_up,
            _ => self.params.data_give_up,
        }
    }

    /// The round-trip time, or the initial time-out if none has been measured.
    fn round_trip(&self) -> SimDuration {
        self.rtt.srtt().unwrap_or(self.params.initial_rto)
    }
}

impl TcpModel for Lifecycle {
    fn step(&mut self, input: Input<'_>, now: SimTime, out: &mut Outputs) {
        match input {
            Input::Segment(seg) => self.arrives(seg, now, out),
            Input::Timeout => self.on_timeout(now, out),
            Input::Connect | Input::ConnectWith(_) => self.connect(now, out),
            Input::Listen | Input::ListenWith(_) => self.listen(),
            Input::Resume(agreed) => self.resume(agreed, out),
            Input::Send(call) => self.send(call, now, out),
            Input::Receive(bytes) => self.unread -= bytes.min(self.unread),
            Input::Shutdown => self.shut_down(now, out),
            Input::Close => self.close(now, out),
            Input::Abort => self.abort(now, out),
            Input::Icmp(error) => {
                if self.state == State::SynSent && error.kind.is_hard() {
                    self.end(ConnectionEnd::Unreachable(error.kind), out);
                }
            }
            Input::QuickAck(_) | Input::StopReading => {}
        }
    }

    fn next_timeout(&self) -> Option<SimTime> {
        let next = self.rto_at.min(self.ack_at).min(self.fin_wait_at);
        let next = next.min(self.next_round());
        (next < OFF).then_some(next)
    }

    fn view(&self) -> TcpView {
        let window = u32::from(self.window_field()) << self.shift;
        TcpView {
            state: self.state,
            snd_una: self.una,
            snd_nxt: self.nxt,
            snd_wnd: window,
            rcv_nxt: self.rcv_nxt,
            rcv_wnd: window,
            cwnd: self.rounds.window.into(),
            ssthresh: None,
            srtt: self.rtt.srtt(),
            rto: self.rtt.rto(),
            send_room: self.room(),
            send_queue: self.unsent + u64::from(self.outstanding()),
            readable: self.unread,
            urgent: None,
            counts: self.counts,
        }
    }

    fn send_room(&self) -> u64 {
        self.room()
    }

    fn readable(&self) -> u64 {
        self.unread
    }

    fn time_wait(&self) -> Option<TimeWait> {
        (self.state == State::TimeWait).then(|| TimeWait {
            entered: self.entered,
            snd_nxt: self.nxt,
            rcv_nxt: self.rcv_nxt,
            window: self.window_field(),
            shift: self.shift,
            ts_recent: self.ts_ok.then_some(self.ts_recent),
            ts_offset: self.ts_offset,
            conn: self.conn,
            traced: self.traced,
        })
    }
}

#[cfg(test)]
mod tests;
mod user_calls;
