//! `lifecycle`: a TCP for very large sets of short connections. Handshake, close, resets and TIME-WAIT are
//! real; the transfer goes by formula.
//!
//! ```text
//!   SYN, SYN-ACK, ACK   real segments, retransmitted when lost
//!   a write             rounds of a round-trip time each: one packet per round and 64 KB,
//!                       without an ACK for every other segment
//!   FIN, ACK, RST       real segments, retransmitted when lost
//! ```
//!
//! The sender's first round holds the initial window; each further one twice the last, up to the buffers. A
//! round takes the round-trip time of the handshake, or the time that its octets take at `lifecycle_rate`, the
//! connection's share of the bottleneck, if that is longer. `lifecycle_loss` is the probability that a segment
//! is lost: a round with a loss comes a round trip later, or a time-out later when fewer than four segments
//! are in it, and halves the window; from there on it grows by a segment per round.
//!
//! Ports, listeners, queues, TIME-WAIT and `ss` are the host's, and so the same as with the full model.
//!
//! # Agreement with the full model
//!
//! Two hosts with the parameters of Linux and a link of 5, 20 or 100 ms; responses of 1 B to 200 kB, one or four
//! on a connection, closed by client or server; nothing is lost. Times to connect agree within 0.1 %, times of
//! requests within 2 %; as many connections are established, are answered and come into TIME-WAIT, on the same
//! side (`lifecycle/tests.rs`). What is lost by the links agrees in what becomes of connections, not in when: a
//! lost packet stands for a whole round. The rules of random worlds (`testing::worlds`) hold for it.
//!
//! Queues have to take packets of 64 KB.
//!
//! Leaves out: flow control (the receiver takes all), selective acknowledgements (a gap makes the sender go back
//! to the first octet that is not acknowledged), congestion control by name and
//! HyStart (which ends slow start early where round trips are below some 4 ms), ECN, Nagle, Fast Open (the SYN is a
//! plain one), urgent data, keep-alive, path MTU discovery, ICMP errors other than final ones, and RFC 5961's
//! checks of resets.

mod arrive;
mod timeouts;
mod transfer;

use std::sync::Arc;

use sim_core::{SimDuration, SimTime};

use crate::counts::Counts;
use crate::model::{End, Input, OpenContext, Outputs, SendCall, Signal, TcpModel, TcpView};
use crate::params::{GiveUp, TcpParams};
use crate::resend_rule::RetransmitReason;
use crate::rtt::{RtoBounds, RttEstimator};
use crate::segment::{ConnId, Flags, Segment, Tag};
use crate::seq::SeqNum;
use crate::state::State;
use crate::syn_cookie::Agreed;
use crate::syn_options::SynOptions;
use crate::time_wait::TimeWait;
use crate::transmit::Transmit;
use crate::ts_clock::ts_clock;
use transfer::Rounds;

const OFF: SimTime = SimTime::MAX;

/// An end point of a connection whose transfer goes by formula.
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
    /// The application neither sends nor reads any more.
    app_closed: bool,
    fin_queued: bool,
    /// A write did not fit the buffer.
    blocked: bool,
    /// Octets written and not yet sent, and octets to be read.
    unsent: u64,
    unread: u64,
    rounds: Rounds,
    rtt: RttEstimator,
    /// Deadlines; [`OFF`] when there is none.
    rto_at: SimTime,
    ack_at: SimTime,
    fin_wait_at: SimTime,
    /// When what is outstanding was first sent, and how often it was sent again.
    first_sent: SimTime,
    retries: u32,
    /// When it came into TIME-WAIT.
    entered: SimTime,
    counts: Counts,
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
            counts: Counts::default(),
            params: ctx.params,
        }
    }

    fn enter(&mut self, to: State, out: &mut Outputs) {
        let from = std::mem::replace(&mut self.state, to);
        out.signals.push(Signal::State { from, to });
    }

    fn stop_timers(&mut self) {
        (self.rto_at, self.ack_at, self.fin_wait_at) = (OFF, OFF, OFF);
        self.unsent = 0;
    }

    fn end(&mut self, why: End, out: &mut Outputs) {
        self.stop_timers();
        if self.state != State::Closed {
            self.enter(State::Closed, out);
        }
        out.signals.push(Signal::Ended(why));
    }

    fn enter_time_wait(&mut self, now: SimTime, out: &mut Outputs) {
        if self.ack_at != OFF {
            self.send_ack(now, out);
        }
        self.stop_timers();
        self.entered = now;
        // Only for a host that does not take it over.
        self.fin_wait_at = self.params.timers.expiry(now, self.params.time_wait);
        self.enter(State::TimeWait, out);
        out.signals.push(Signal::Ended(End::Closed));
    }

    /// A segment without text, and its acknowledgement, which need not be sent again.
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

    fn send_reset(&mut self, now: SimTime, out: &mut Outputs) {
        let reset = self.header(Flags::RST | Flags::ACK, self.nxt, now);
        self.emit(reset, None, out);
    }

    /// SYN, or SYN-ACK in SYN-RECEIVED.
    fn send_syn(&mut self, why: Option<RetransmitReason>, now: SimTime, out: &mut Outputs) {
        let answers = self.state != State::SynSent;
        let stamps = if answers {
            self.ts_ok
        } else {
            self.params.timestamps
        };
        let shift = match answers {
            true => (self.shift > 0).then_some(self.shift),
            false => self
                .params
                .window_scaling
                .then(|| self.params.window_shift()),
        };
        let echo = if answers { self.ts_recent } else { 0 };
        let val = ts_clock(now).wrapping_add(self.ts_offset);
        let offer = SynOptions {
            mss: self.params.mss(),
            sack: false,
            timestamps: stamps.then_some((val, echo)),
            window_shift: shift,
        };
        let flags = if answers { Flags::SYN_ACK } else { Flags::SYN };
        let mut segment = self.header(flags, self.iss, now);
        segment.ack = if answers { self.rcv_nxt } else { SeqNum(0) };
        segment.window = self.params.offered_buffer().min(0xffff) as u16;
        segment.options = offer.write(self.params.syn_layout);
        self.nxt = self.iss + 1;
        self.emit(segment, why, out);
        self.arm_rto(now);
    }

    /// What a peer's SYN offers.
    fn take_syn(&mut self, seg: &Segment) {
        let offer = SynOptions::read(&seg.options, &self.params);
        self.rcv_nxt = seg.seq + 1;
        self.take_offer(&offer);
    }

    fn take_offer(&mut self, offer: &SynOptions) {
        if let Some((val, _)) = offer.timestamps {
            self.ts_ok = true;
            self.ts_recent = val;
        }
        if offer.window_shift.is_some() {
            self.shift = self.params.window_shift();
        }
        let mss = u32::from(offer.mss).max(self.params.min_mss);
        let mss = mss.min(u32::from(self.params.mss().max(64)));
        self.mss = mss - if self.ts_ok { 12 } else { 0 };
    }

    /// The handshake is complete here.
    fn establish(&mut self, now: SimTime, out: &mut Outputs) {
        if self.retries == 0 {
            self.take_rtt(now.since(self.first_sent));
        }
        let lost = self.retries > self.params.syn_losses_forgiven;
        self.una = self.iss + 1;
        self.settle_rto(now);
        let segments = if lost { 1 } else { self.params.initial_window };
        self.rounds.start(segments.max(1) * self.mss);
        self.enter(State::Established, out);
        out.signals.push(Signal::Connected);
        if self.fin_queued {
            self.leave_for_close(out);
        }
    }

    fn resume(&mut self, agreed: &Agreed, out: &mut Outputs) {
        if self.state != State::Closed || self.nxt != self.iss {
            return;
        }
        self.passive = true;
        self.iss = agreed.iss;
        (self.una, self.nxt) = (agreed.iss + 1, agreed.iss + 1);
        self.rcv_nxt = agreed.irs + 1;
        self.take_offer(&SynOptions {
            mss: agreed.mss,
            sack: false,
            timestamps: agreed.ts_recent.map(|val| (val, 0)),
            window_shift: agreed.window_shift,
        });
        self.rounds
            .start(self.params.initial_window.max(1) * self.mss);
        self.enter(State::SynReceived, out);
        self.enter(State::Established, out);
        out.signals.push(Signal::Connected);
    }

    fn connect(&mut self, now: SimTime, out: &mut Outputs) {
        if self.state == State::Closed && self.nxt == self.iss {
            self.enter(State::SynSent, out);
            self.send_syn(None, now, out);
        }
    }

    fn listen(&mut self) {
        if self.state == State::Closed && self.nxt == self.iss {
            self.passive = true;
            self.state = State::Listen;
        }
    }

    fn send(&mut self, call: SendCall, now: SimTime, out: &mut Outputs) {
        let taken = call.bytes.min(self.room());
        self.blocked |= taken < call.bytes;
        self.unsent += taken;
        self.transfer(now, out);
    }

    /// CLOSE of the sending direction.
    fn shut_down(&mut self, now: SimTime, out: &mut Outputs) {
        match self.state {
            State::Listen => self.end(End::Closed, out),
            State::SynSent => self.end(End::Aborted, out),
            State::SynReceived => self.fin_queued = true,
            State::Established | State::CloseWait if !self.fin_queued => {
                self.fin_queued = true;
                self.leave_for_close(out);
                self.transfer(now, out);
            }
            _ => {}
        }
    }

    fn leave_for_close(&mut self, out: &mut Outputs) {
        match self.state {
            State::Established => self.enter(State::FinWait1, out),
            State::CloseWait => self.enter(State::LastAck, out),
            _ => {}
        }
    }

    fn close(&mut self, now: SimTime, out: &mut Outputs) {
        if self.state == State::Closed || std::mem::replace(&mut self.app_closed, true) {
            return;
        }
        if self.unread > 0 && self.state.is_synchronized() && self.state != State::TimeWait {
            self.send_reset(now, out);
            self.end(End::Aborted, out);
            return;
        }
        self.shut_down(now, out);
        if self.state == State::FinWait2 {
            self.arm_fin_wait(now);
        }
    }

    fn abort(&mut self, now: SimTime, out: &mut Outputs) {
        match self.state {
            State::Closed => {}
            State::TimeWait => {
                self.stop_timers();
                self.enter(State::Closed, out);
            }
            State::Listen | State::SynSent | State::Closing | State::LastAck => {
                self.end(End::Aborted, out);
            }
            _ => {
                self.send_reset(now, out);
                self.end(End::Aborted, out);
            }
        }
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

    /// The round-trip time, or the initial time-out where none was measured.
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
                    self.end(End::Unreachable(error.kind), out);
                }
            }
            Input::QuickAck(_) => {}
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
