//! One end point of a TCP connection: RFC 9293 and related RFCs.
//!
//! `Connection` holds the state and the control block; the modules follow RFC 9293 section 3.10: user
//! calls, SEGMENT ARRIVES, time-outs. It knows neither clock nor network; [`TcpModel`] documents how it is
//! driven.
//!
//! Leaves out IP options. Each module says what else it leaves out.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use sim_core::{SimDuration, SimTime};

use crate::congestion::{AnyCc, CongestionControl};
use crate::diagnostics::{CeReceived, ConnectionDetails, SenderState, UndoCounts};
use crate::model::{ConnectionEnd, Input, OpenContext, Outputs, Signal, TcpModel, TcpView};
use crate::params::{GiveUp, TcpParams};
use crate::recovery::{Outstanding, Recovery};
use crate::resend_rule::RetransmitReason;
use crate::rtt::{RtoBounds, RttEstimator};
use crate::sample::ConnectionCounts;
use crate::segment::ConnId;
use crate::state::State;
use crate::state_machine::StateMachine as _;
use crate::time_wait::TimeWait;
use crate::ts_clock::ts_clock;

mod accurate_ecn;
mod ack;
mod adaptive;
mod bursts;
mod changed_params;
mod defer_accept;
mod delayed_ack;
mod ecn;
mod fast_open;
mod fast_recovery;
mod growing_buffer;
mod handshake;
mod held_memory;
mod icmp;
mod inspect;
mod keep_alive;
mod losses;
mod measure;
mod mtu_probing;
mod optional_state;
mod pacing;
mod persist;
mod receive_memory;
mod receive_window;
mod retransmit;
mod right_sizing;
mod rtt_samples;
mod segment_arrives;
mod segments;
mod spaces;
mod spurious;
mod tail_loss_probe;
mod text;
mod timeouts;
mod transmit;
mod user_calls;

use measure::Meter;
use optional_state::OptionalState;
use spaces::{ReceiveSpace, SendSpace};
use timeouts::ConnectionTimers;

/// An end point.
#[derive(Clone, Debug)]
pub struct Connection {
    params: Arc<TcpParams>,
    snd: SendSpace,
    rcv: ReceiveSpace,
    timers: ConnectionTimers,
    rtt: RttEstimator,
    recovery: Recovery,
    cc: AnyCc,
    counts: ConnectionCounts,
    rare: Option<Box<OptionalState>>,
    /// Created when the connection opens, if its congestion control or pacing needs it.
    meter: Option<Box<Meter>>,
    conn: ConnId,
    ts_offset: u32,
    local_port: u16,
    remote_port: u16,
    state: State,
    /// SYN-RECEIVED was reached from LISTEN (MUST-11).
    passive: bool,
    traced: bool,
    /// The application has called CLOSE and no longer reads.
    app_closed: bool,
    /// There has been a recovery, so `recover` is valid.
    recovered_before: bool,
    /// Why outstanding data were marked lost, if not because of ACKs.
    loss_reason: RetransmitReason,
}

impl Connection {
    /// A closed end point with the congestion control its parameters name.
    pub fn new(ctx: OpenContext) -> Connection {
        let cc = ctx.params.make_control();
        Connection::with_congestion(ctx, cc)
    }

    /// A closed end point with the caller's congestion control.
    pub fn with_congestion(ctx: OpenContext, cc: AnyCc) -> Connection {
        let rtt = RttEstimator::new(&RtoBounds::of(&ctx.params));
        Connection {
            snd: SendSpace::new(ctx.iss),
            rcv: ReceiveSpace::new(&ctx.params),
            timers: ConnectionTimers::default(),
            rtt,
            recovery: Recovery::default(),
            cc,
            counts: ConnectionCounts::default(),
            rare: None,
            meter: None,
            conn: ctx.conn,
            ts_offset: ctx.ts_offset,
            local_port: ctx.local.port(),
            remote_port: ctx.remote.port(),
            state: State::Closed,
            passive: false,
            traced: ctx.traced,
            app_closed: false,
            recovered_before: false,
            loss_reason: RetransmitReason::Timeout,
            params: ctx.params,
        }
    }

    /// Feeds `hasher` everything that determines the end point's future behaviour: with equal parameters,
    /// equal digests mean equal behaviour. Counters and identities are left out.
    pub fn digest<H: Hasher>(&self, hasher: &mut H) {
        // Destructured completely, so that new fields cannot be forgotten.
        let Connection {
            params: _,
            snd,
            rcv,
            timers,
            rtt,
            recovery,
            cc,
            counts: _,
            rare,
            meter,
            conn: _,
            ts_offset: _,
            local_port: _,
            remote_port: _,
            state,
            passive,
            traced: _,
            app_closed,
            recovered_before,
            loss_reason: _,
        } = self;
        (snd, rcv, timers, rtt, recovery, cc).hash(hasher);
        (rare, meter).hash(hasher);
        (state, passive, app_closed, recovered_before).hash(hasher);
    }

    /// Enters TIME-WAIT: stops all other timers and starts the 2 MSL timer.
    fn enter_time_wait(&mut self, now: SimTime, out: &mut Outputs) {
        self.stop_timers();
        self.timers.state = self.expiry(now, self.params.time_wait);
        self.snd.last_sent = now;
        self.enter(State::TimeWait, out);
        out.signals.push(Signal::Ended(ConnectionEnd::Closed));
    }

    /// When a timer set now for `wait` fires.
    fn expiry(&self, now: SimTime, wait: SimDuration) -> SimTime {
        match self.timers.expiring {
            false => self.params.timers.expiry(now, wait),
            true => self.params.timers.expiry_from_timer(now, wait),
        }
    }

    #[inline]
    fn outstanding(&self) -> Outstanding {
        Outstanding {
            una: self.snd.una,
            nxt: self.snd.nxt,
            mss: self.snd.mss,
            threshold: self.params.dup_ack_threshold,
        }
    }

    /// Octets estimated to be in the network.
    fn pipe(&self) -> u64 {
        self.recovery.pipe(&self.outstanding()).into()
    }

    /// The congestion window: PRR's in fast recovery, otherwise that of the congestion control.
    #[inline]
    fn window(&self) -> u64 {
        match self.recovery.window() {
            Some(window) => window,
            None if self.params.mtu_probing > 0 => self.window_beside_probe(),
            None => self.cc.cwnd(),
        }
    }

    #[inline(never)]
    fn window_beside_probe(&self) -> u64 {
        self.cc.cwnd().saturating_sub(self.probe_share())
    }

    fn bounds(&self) -> RtoBounds {
        RtoBounds::of(&self.params)
    }

    /// The millisecond clock of the timestamps option (RFC 7323 section 5.4).
    fn ts_now(&self, now: SimTime) -> u32 {
        ts_clock(now).wrapping_add(self.ts_offset)
    }

    fn give_up(&self) -> GiveUp {
        match self.state {
            State::SynReceived => self.give_up_of_handshake(),
            _ if self.params.user_timeout.is_some() => self
                .params
                .user_timeout
                .map_or(GiveUp::Never, GiveUp::After),
            State::SynSent => self.params.syn_give_up,
            _ if self.app_closed => self.params.orphan_give_up,
            _ => self.params.data_give_up,
        }
    }

    /// The local port.
    pub fn local_port(&self) -> u16 {
        self.local_port
    }
}

impl RtoBounds {
    /// The bounds that `params` set.
    pub(crate) fn of(params: &TcpParams) -> RtoBounds {
        RtoBounds {
            initial: params.initial_rto,
            min: params.min_rto,
            max: params.max_rto,
            slop: params.rto_slop,
            linux: params.linux_rto,
            timers: params.timers,
        }
    }
}

impl TcpModel for Connection {
    fn step(&mut self, input: Input<'_>, now: SimTime, out: &mut Outputs) {
        match input {
            Input::Segment(seg) => self.on_segment(seg, now, out),
            Input::Timeout => self.on_timeout(now, out),
            Input::Icmp(error) => self.on_icmp(error, now, out),
            Input::Connect => self.on_connect(now, out),
            Input::ConnectWith(call) => self.on_connect_with(call, now, out),
            Input::Listen => self.on_listen(),
            Input::ListenWith(call) => self.on_listen_with(call),
            Input::Resume(agreed) => self.on_resume(agreed, out),
            Input::Send(call) => self.on_send(call, now, out),
            Input::Receive(bytes) => self.on_receive(bytes, now, out),
            Input::Shutdown => self.shut_down(now, out),
            Input::StopReading => self.rare().stopped_reading = true,
            Input::Close => self.close(now, out),
            Input::Abort => self.abort(now, out),
            Input::QuickAck(on) => self.on_quick_ack(on, now, out),
        }
    }

    #[inline]
    fn next_timeout(&self) -> Option<SimTime> {
        let next = self.timers.next().min(self.pace_timeout());
        (next < SimTime::MAX).then_some(next)
    }

    // Most callers read one or two fields; when inlined, the others cost nothing.
    #[inline(always)]
    fn view(&self) -> TcpView {
        TcpView {
            state: self.state,
            snd_una: self.snd.una,
            snd_nxt: self.snd.nxt,
            snd_wnd: self.snd.wnd,
            rcv_nxt: self.rcv.nxt,
            rcv_wnd: self.rcv.window(),
            cwnd: self.window(),
            ssthresh: self.cc.ssthresh(),
            srtt: self.rtt.srtt(),
            rto: self.rtt.rto(),
            send_room: self.room(),
            send_queue: self.snd.written - self.snd.acked,
            readable: self.rcv.readable(),
            urgent: self.rcv.urgent_ahead(),
            counts: self.counts,
        }
    }

    fn change_params(&mut self, params: &Arc<TcpParams>, now: SimTime, out: &mut Outputs) -> bool {
        self.follow(params, now, out);
        true
    }

    fn heap_bytes(&self) -> usize {
        let ahead = self.rcv.ahead.as_ref().map_or(0, |a| a.memory_bytes());
        let rare = self.rare.as_deref().map_or(0, size_of_val);
        let adaptive = self.rcv.adaptive.as_deref().map_or(0, size_of_val);
        let meter = self.meter.as_deref();
        let meter = meter.map_or(0, |m| size_of_val(m) + m.heap_bytes());
        ahead + rare + adaptive + meter + self.recovery.heap_bytes()
    }

    fn details(&self) -> ConnectionDetails {
        self.inspect()
    }

    fn sender_state(&self) -> SenderState {
        self.inspect_sender()
    }

    #[inline]
    fn undone(&self) -> UndoCounts {
        self.recovery
            .episode()
            .map_or_else(UndoCounts::default, |e| {
                let [eifel, dsack, frto] = e.undone;
                UndoCounts { eifel, dsack, frto }
            })
    }

    #[inline]
    fn marked(&self) -> CeReceived {
        self.rare
            .as_ref()
            .map_or_else(CeReceived::default, |r| r.ecn.marked)
    }

    fn send_room(&self) -> u64 {
        self.room()
    }

    fn readable(&self) -> u64 {
        self.rcv.readable()
    }

    fn time_wait(&self) -> Option<TimeWait> {
        (self.state == State::TimeWait).then(|| TimeWait {
            entered: self.snd.last_sent,
            snd_nxt: self.snd.nxt,
            rcv_nxt: self.rcv.nxt,
            window: self.rcv.window_field(),
            shift: self.rcv.shift,
            ts_recent: self.rcv.ts_ok.then_some(self.rcv.ts_recent),
            ts_offset: self.ts_offset,
            conn: self.conn,
            traced: self.traced,
        })
    }
}
