//! Dispatches arriving packets to a connection, a TIME-WAIT entry, a listener, or none of these (RFC 9293
//! sections 3.10.7.1 and 3.10.7.2).

use std::net::Ipv4Addr;
use std::sync::Arc;

use sim_core::{Packet, SimTime};

use super::bound::Reuse;
use super::cx::HostEnv;
use super::endpoint::Endpoint;
use super::four_tuple::{FourTuple, Owner};
use super::record::record_received;
use super::stack::Stack;
use crate::icmp::IcmpError;
use crate::model::{ConnectionEnd, Input, OpenContext, TcpModel};
use crate::options::TcpOption;
use crate::sample::Side;
use crate::segment::{Flags, RecordingDetail, Segment};
use crate::seq::SeqNum;
use crate::state::State;

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
        if self.params.linux_input && !seg.options.is_usual() && is_signed(seg) {
            self.note_received(packet, None, cx);
            return;
        }
        match self.find(flow) {
            Some(Owner::Connection(slot)) => self.step_segment(slot, packet, cx),
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

    /// The handshake's last ACK found the accept queue full.
    #[cold]
    pub(super) fn accept_queue_overflows(
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
    #[cold]
    fn refuse_half_open(&mut self, slot: u32, ack: &Segment, cx: &mut impl HostEnv) {
        if let Some(flow) = self.endpoints.get(slot).map(|e| e.flow) {
            self.reset_stranger(flow, ack, cx);
            self.forget(slot, ConnectionEnd::Aborted, cx);
        }
    }

    /// True when the handshake's last ACK finds the accept queue full: it is ignored, and the SYN-ACK will
    /// be retransmitted.
    pub(super) fn is_refused_by_accept_queue(&self, slot: u32, seg: &Segment) -> bool {
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

    /// Handles a segment for a listener (RFC 9293 section 3.10.7.2). `old`: the place of the
    /// TIME-WAIT entry that the SYN may replace, and the initial sequence number to use.
    pub(super) fn listen_arrives(
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
        let fast_open = self.listeners[listener].admits_early(cx.now());
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
        let Some(stamps) = self.last_stamps.as_ref().filter(|_| self.params.tw_recycle) else {
            return false;
        };
        let stamp = syn.options.timestamps();
        stamp.is_some_and(|(stamp, _)| stamps.is_old(*flow.remote().ip(), stamp, now))
    }

    /// Handles an ICMP error about a segment of a 4-tuple. Only connections react to it, not TIME-WAIT
    /// entries or listeners.
    #[cold]
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

    /// RFC 9293 section 3.10.7.1: answers a segment that belongs to no connection with a reset that its
    /// sender will accept.
    #[cold]
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

/// Whether a segment has an MD5 signature (RFC 2385). No connection here has a key for one, and Linux drops
/// signatures that it does not expect.
#[cold]
fn is_signed(seg: &Segment) -> bool {
    const MD5: u8 = 19;
    let mut options = seg.options.iter();
    options.any(|option| matches!(option, Ok(TcpOption::Unknown(MD5, _))))
}
