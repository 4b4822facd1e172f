//! Dispatches arriving packets to a connection, a TIME-WAIT entry, a listener, or none of these (RFC 9293
//! sections 3.10.7.1 and 3.10.7.2).

use std::net::Ipv4Addr;
use std::sync::Arc;

use sim_core::{Packet, SimTime};

use super::bound::Reuse;
use super::cx::HostEnv;
use super::endpoint::{Endpoint, ReplacedTimeWait};
use super::four_tuple::{FourTuple, Owner};
use super::record::record_received;
use super::stack::Stack;
use crate::icmp::IcmpError;
use crate::model::{ConnectionEnd, Input, OpenContext, TcpModel};
use crate::sample::{Side, StateChange, TcpSample};
use crate::segment::{Flags, RecordingDetail, Segment};
use crate::seq::SeqNum;
use crate::state::State;
use crate::time_wait::TimeWaitAction;
use crate::ts_clock::ts_clock;

impl Stack {
    #[inline(always)]
    pub(super) fn on_packet(&mut self, packet: &Packet<Segment>, cx: &mut impl HostEnv) {
        if packet.corrupt {
            self.stats.checksum_failures += 1; // MUST-3
            return;
        }
        self.stats.segments_received += 1;
        let seg = &packet.payload;
        let flow = FourTuple::from_parts(packet.dst, seg.dst_port, packet.src, seg.src_port);
        match self.find(flow) {
            Some(Owner::Connection(slot)) => self.connection_arrives(slot, packet, cx),
            Some(Owner::TimeWait(place)) => self.time_wait_arrives(place, packet, cx),
            None if !is_unicast(packet.src) || !is_unicast(packet.dst) => {
                // MUST-57 and MUST-63: discard silently.
                self.stats.not_unicast += 1;
                self.note_received(packet, None, cx);
            }
            None => match self.listener_for(flow) {
                Some(listener) => self.listen_arrives(listener, flow, packet, None, cx),
                None => {
                    self.note_received(packet, None, cx);
                    self.reset_stranger(flow, seg, cx);
                }
            },
        }
    }

    pub(super) fn note_received(
        &self,
        packet: &Packet<Segment>,
        state: Option<State>,
        cx: &mut impl HostEnv,
    ) {
        let tag = &packet.payload.tag;
        if tag.is_recorded() && tag.detail != RecordingDetail::Background {
            record_received(packet, state, cx);
        }
    }

    #[inline(always)]
    fn connection_arrives(&mut self, slot: u32, packet: &Packet<Segment>, cx: &mut impl HostEnv) {
        let half_open = self.endpoints.get(slot).is_some_and(|e| {
            e.state == State::SynReceived && e.side == Side::Passive && !e.connected
        });
        if half_open && self.is_refused_by_accept_queue(slot, &packet.payload) {
            self.accept_queue_overflows(slot, packet, cx);
        } else {
            self.step_segment(slot, packet, cx);
        }
    }

    #[cold]
    fn accept_queue_overflows(
        &mut self,
        slot: u32,
        packet: &Packet<Segment>,
        cx: &mut impl HostEnv,
    ) {
        self.stats.listen_overflows += 1;
        self.stats.listen_drops += 1;
        self.note_received(packet, Some(State::SynReceived), cx);
        if self.params.abort_on_overflow {
            self.refuse_half_open(slot, &packet.payload, cx);
        }
    }

    /// `tcp_abort_on_overflow`: the ACK is answered with a reset, and the half-open connection dropped.
    fn refuse_half_open(&mut self, slot: u32, ack: &Segment, cx: &mut impl HostEnv) {
        if let Some(flow) = self.endpoints.get(slot).map(|e| e.flow) {
            self.reset_stranger(flow, ack, cx);
            self.forget(slot, ConnectionEnd::Aborted, cx);
        }
    }

    /// True when the handshake's last ACK finds the accept queue full: it is ignored, and the SYN-ACK will
    /// be retransmitted.
    fn is_refused_by_accept_queue(&self, slot: u32, seg: &Segment) -> bool {
        let Some(endpoint) = self.endpoints.get(slot) else {
            return false;
        };
        let full = self
            .listeners
            .get(usize::from(endpoint.listener))
            .is_some_and(|l| l.is_accept_queue_full());
        let others = Flags(Flags::SYN.0 | Flags::RST.0);
        full && seg.flags.is_ack()
            && seg.flags.without(others) == seg.flags
            && seg.ack == endpoint.tcp.view().snd_nxt
    }

    /// RFC 9293 section 3.10.7.2. If the SYN may replace a TIME-WAIT entry, its place and the initial
    /// sequence number to use are given.
    fn listen_arrives(
        &mut self,
        listener: usize,
        flow: FourTuple,
        packet: &Packet<Segment>,
        old: Option<(u32, SeqNum)>,
        cx: &mut impl HostEnv,
    ) {
        let seg = &packet.payload;
        if !is_opening(seg) {
            if seg.flags.is_ack() && self.cookie_arrives(listener, flow, packet, cx) {
                return;
            }
            self.note_received(packet, Some(State::Listen), cx);
            if seg.flags.is_ack() {
                self.reset_stranger(flow, seg, cx);
            }
            return;
        }
        let listening = &self.listeners[listener];
        let full = listening.is_accept_queue_full();
        if !full && old.is_none() && self.wants_cookie(listener) {
            self.note_received(packet, Some(State::Listen), cx);
            self.send_cookie(listener, flow, seg, cx);
            return;
        }
        if full || listening.is_syn_queue_full(&self.params) {
            self.stats.listen_overflows += u64::from(full);
            self.stats.listen_drops += 1;
            let state = if old.is_some() {
                State::TimeWait
            } else {
                State::Listen
            };
            self.note_received(packet, Some(state), cx);
            return;
        }
        if old.is_none() && self.is_recycled(flow, seg, cx.now()) {
            self.stats.old_stamp_syns += 1;
            self.stats.listen_drops += 1;
            self.note_received(packet, Some(State::Listen), cx);
            return;
        }
        let listening = &self.listeners[listener];
        let app = listening.app;
        let params = listening.params(&self.params).clone();
        let fast_open = listening.early < listening.fast_open;
        let replaced = old.map(|(place, _)| self.replace_time_wait(place, cx));
        let (isn, ts_offset) = self.numbers(flow, cx.now());
        let context = OpenContext {
            params,
            conn: seg.tag.conn,
            traced: seg.tag.traced,
            local: flow.local(),
            remote: flow.remote(),
            iss: old.map_or(isn, |(_, iss)| iss),
            ts_offset,
        };
        let slot = self.add_endpoint(context, Side::Passive, app, listener as u16, false, cx);
        if let Some(endpoint) = self.endpoints.get_mut(slot) {
            endpoint.replaced = replaced;
        }
        if fast_open {
            let listen = self.fast_listen(listener, flow);
            self.step(slot, Input::ListenWith(&listen), cx);
        } else {
            self.step(slot, Input::Listen, cx);
        }
        self.step_segment(slot, packet, cx);
        // A model may reject the SYN.
        let refused = |e: &Endpoint| e.state == State::Listen;
        if self.endpoints.get(slot).is_some_and(refused) {
            self.demux.remove(flow, Owner::Connection(slot));
            self.endpoints.remove(slot);
        }
    }

    /// `tw_recycle`: whether the timestamp of a SYN is older than the last one of its address.
    fn is_recycled(&self, flow: FourTuple, syn: &Segment, now: SimTime) -> bool {
        let (Some(stamps), Some((stamp, _))) = (&self.last_stamps, syn.options.timestamps()) else {
            return false;
        };
        self.params.tw_recycle && stamps.is_old(*flow.remote().ip(), stamp, now)
    }

    /// Handles an ICMP error about a segment of a 4-tuple. Only connections react to it, not TIME-WAIT
    /// entries or listeners.
    pub(super) fn icmp_arrives(
        &mut self,
        flow: FourTuple,
        error: &IcmpError,
        cx: &mut impl HostEnv,
    ) {
        if let Some(Owner::Connection(slot)) = self.find(flow) {
            self.step(slot, Input::Icmp(error), cx);
        }
    }

    fn time_wait_arrives(&mut self, place: u32, packet: &Packet<Segment>, cx: &mut impl HostEnv) {
        let seg = &packet.payload;
        let entry = *self.time_waits.get(place);
        let flow = entry.flow();
        let known = entry.time_wait(0);
        let mut action = known.segment_arrives(seg, &self.params);
        if let TimeWaitAction::NewIncarnation { iss_after } = action {
            // Without a listener there is nothing to open.
            if let Some(listener) = self.listener_for(flow) {
                self.listen_arrives(listener, flow, packet, Some((place, iss_after)), cx);
                return;
            }
            action = TimeWaitAction::Ack;
        }
        let after = match action {
            TimeWaitAction::Kill => None,
            _ => Some(State::TimeWait),
        };
        self.note_received(packet, after, cx);
        if matches!(
            action,
            TimeWaitAction::AckAndRestart | TimeWaitAction::Restart
        ) {
            self.restart_time_wait(place, cx);
        }
        match action {
            TimeWaitAction::Ack | TimeWaitAction::AckAndRestart
                if self.may_answer(place, seg, cx.now()) =>
            {
                self.stats.time_wait_fins_answered += u64::from(seg.flags.is_fin());
                let known = entry.time_wait(self.ts_offset(flow));
                let (here, there) = (flow.local().port(), flow.remote().port());
                let ack = known.ack(here, there, ts_clock(cx.now()));
                self.send(flow, &ack, after, cx);
            }
            TimeWaitAction::Kill => {
                self.stats.time_wait_killed += 1;
                self.end_time_wait(place, cx);
                self.arm_time_wait_timer(cx);
            }
            _ => {}
        }
    }

    /// Rate-limits TIME-WAIT's answers to segments without text, which might be part of an ACK loop (Linux
    /// `tcp_invalid_ratelimit`).
    fn may_answer(&mut self, place: u32, seg: &Segment, now: SimTime) -> bool {
        let interval = self.params.challenge_ack_interval;
        let harmless = seg.seq_len() > 0 && !seg.flags.is_syn();
        if harmless || interval.is_zero() {
            return true;
        }
        let answered = self.time_wait_answers.get_or_insert_default();
        let quiet = answered
            .get(&place)
            .is_some_and(|&last| now.since(last) < interval);
        if !quiet {
            answered.insert(place, now);
        }
        !quiet
    }

    /// Ends an entry in favour of a SYN that opens the next incarnation, and remembers it.
    fn replace_time_wait(&mut self, place: u32, cx: &mut impl HostEnv) -> Box<ReplacedTimeWait> {
        self.stats.time_wait_recycled += 1;
        let old = self.end_time_wait(place, cx);
        self.arm_time_wait_timer(cx);
        Box::new(ReplacedTimeWait {
            entry: old.time_wait(self.ts_offset(old.flow())),
            side: old.side(),
            holds_port: old.holds_port(),
        })
    }

    /// MAY-2 (b) of RFC 9293 section 3.6.1: if the SYN was an old duplicate and its connection failed, the
    /// entry is restored for its remaining time.
    pub(super) fn restore_time_wait(
        &mut self,
        flow: FourTuple,
        old: &ReplacedTimeWait,
        cx: &mut impl HostEnv,
    ) {
        let expiry = self
            .params
            .timers
            .expiry(old.entry.entered, self.params.time_wait);
        if expiry <= cx.now() {
            return;
        }
        self.stats.time_wait_restored += 1;
        let to = super::stack::destination(flow);
        let holds_port = old.holds_port && self.ports.occupy(to, flow.local().port());
        let place = self
            .time_waits
            .insert(flow, &old.entry, old.side, holds_port);
        self.insert_flow(flow, Owner::TimeWait(place));
        self.arm_time_wait_timer(cx);
        cx.record(TcpSample::State(StateChange {
            conn: old.entry.conn,
            side: old.side,
            from: State::Closed,
            to: State::TimeWait,
        }));
    }

    /// Restarts the 2 MSL timer; a port that `tw_reuse` could have reused is held again.
    fn restart_time_wait(&mut self, place: u32, cx: &mut impl HostEnv) {
        self.time_waits.restart(place, cx.now());
        let entry = *self.time_waits.get(place);
        if entry.side() == Side::Active && !entry.holds_port() {
            let flow = entry.flow();
            let to = super::stack::destination(flow);
            let holds = self.ports.occupy(to, flow.local().port());
            self.time_waits.get_mut(place).set_holds_port(holds);
        }
        self.arm_time_wait_timer(cx);
    }

    /// RFC 9293 section 3.10.7.1: answers a segment that belongs to no connection with a reset that its
    /// sender will accept.
    fn reset_stranger(&mut self, flow: FourTuple, seg: &Segment, cx: &mut impl HostEnv) {
        if let Some(reset) = seg.refusal() {
            self.send(flow, &reset, None, cx);
        }
    }

    /// Adds a connection in state CLOSED to the tables.
    pub(super) fn add_endpoint(
        &mut self,
        context: OpenContext,
        side: Side,
        app: u16,
        listener: u16,
        holds_port: bool,
        cx: &mut impl HostEnv,
    ) -> u32 {
        let flow = FourTuple::new(context.local, context.remote);
        let (conn, traced) = (context.conn, context.traced);
        let own = Some(&context.params).filter(|p| !Arc::ptr_eq(p, &self.params));
        let own = own.cloned();
        let listening = self.listeners.get(usize::from(listener));
        let bind = listening.and_then(|l| self.binds.get(l.bind()?));
        let reuse = bind.map(|bind| bind.reuse);
        let state = match side {
            Side::Active => State::Closed,
            Side::Passive => State::Listen,
        };
        let id = self.endpoints.insert(Endpoint {
            tcp: self.make_tcp(context, cx),
            flow,
            conn,
            opened: cx.now(),
            established: SimTime::MAX,
            app_closed: SimTime::MAX,
            tracer: None,
            replaced: None,
            has_own: own.is_some(),
            own,
            app,
            listener,
            state,
            side,
            end: None,
            has_app: side == Side::Active,
            traced,
            holds_port,
            closed_first: false,
            overflowed: false,
            peer_closed: false,
            connected: false,
            deferred: false,
            errors_suppressed: false,
            hard_close: false,
            is_finished: false,
            detached: false,
            reuse: reuse.map_or(0, Reuse::bits),
        });
        self.insert_flow(flow, Owner::Connection(id.slot()));
        id.slot()
    }
}

/// True for the address of a single host: neither broadcast nor multicast (RFC 1122 section 3.2.1.3).
pub(super) fn is_unicast(address: Ipv4Addr) -> bool {
    !address.is_multicast() && !address.is_broadcast() && !address.is_unspecified()
}

/// True for a segment for which a listener creates a connection.
fn is_opening(seg: &Segment) -> bool {
    seg.flags.is_syn() && !seg.flags.is_rst() && !seg.flags.is_ack()
}
