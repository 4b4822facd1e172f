//! Sends the segments of a connection: recording, IP header fields, the limit of challenge ACKs.

use sim_core::SimTime;

use super::cx::HostEnv;
use super::endpoint::Endpoint;
use super::four_tuple::FourTuple;
use super::outbox::OutgoingSegment;
use super::record::{record_trace, trace_of_sent};
use super::stack::Stack;
use crate::app::spec::KeptSegments;
use crate::model::Outputs;
use crate::segment::{RecordingDetail, Segment};
use crate::state::State;
use crate::transmit::Transmit;

impl Stack {
    #[inline(always)]
    pub(super) fn send_all(&mut self, slot: u32, out: &Outputs, cx: &mut impl HostEnv) {
        let Some(endpoint) = self.endpoints.get(slot) else {
            return;
        };
        if endpoint.traced && self.trace.keep != KeptSegments::All {
            return self.send_traced(slot, out, cx);
        }
        let (flow, state, marks) = (endpoint.flow, endpoint.state, self.marks(endpoint));
        for transmit in &out.segments {
            if transmit.challenge && !self.may_send_challenge(cx.now()) {
                continue;
            }
            self.send_marked(flow, transmit, Some(state), marks, cx);
        }
    }

    /// TTL and DS field of a connection.
    pub(super) fn marks(&self, endpoint: &Endpoint) -> (u8, u8) {
        match &endpoint.own {
            Some(own) if endpoint.has_own => (own.ttl, own.tos),
            _ => (self.params.ttl, self.params.tos),
        }
    }

    /// Whether the host's limit allows one more challenge ACK.
    #[cold]
    pub(super) fn may_send_challenge(&mut self, now: SimTime) -> bool {
        let Some(limit) = self.params.challenge_ack_limit else {
            return true;
        };
        let allowed = self.challenges.get_or_insert_default().take(limit, now);
        self.stats.challenges_suppressed += u32::from(!allowed);
        allowed
    }

    /// [`Stack::send_all`] for a partly traced connection: its tracer decides about each segment.
    #[inline(never)]
    pub(super) fn send_traced(&mut self, slot: u32, out: &Outputs, cx: &mut impl HostEnv) {
        let ladder = self.trace.keep == KeptSegments::Ladder;
        let Some(endpoint) = self.endpoints.get(slot) else {
            return;
        };
        let (flow, state, marks) = (endpoint.flow, endpoint.state, self.marks(endpoint));
        for transmit in &out.segments {
            if transmit.challenge && !self.may_send_challenge(cx.now()) {
                continue;
            }
            let mut transmit = *transmit;
            transmit.segment.tag.detail = match self.endpoints.get_mut(slot) {
                Some(endpoint) if ladder => {
                    let again = transmit.retransmission.is_some();
                    let tracer = endpoint.tracer.get_or_insert_default();
                    let mut record = |trace| record_trace(trace, cx);
                    tracer.before_sending(&transmit.segment, again, state, &mut record)
                }
                _ => RecordingDetail::None,
            };
            let packet = self.put_on_wire(flow, &transmit, Some(state), marks, cx);
            if transmit.segment.tag.is_recorded()
                && let Some(endpoint) = self.endpoints.get_mut(slot)
                && let Some(tracer) = endpoint.tracer.as_mut()
            {
                let detail = transmit.segment.tag.detail;
                let sent = || trace_of_sent(packet, flow, &transmit, Some(state), marks);
                let now = cx.now();
                tracer.on_sent(detail, sent, now, &mut |t| record_trace(t, cx));
            }
        }
    }

    /// Sends one segment and records it if required.
    pub(super) fn send(
        &mut self,
        flow: FourTuple,
        segment: &Segment,
        state: Option<State>,
        cx: &mut impl HostEnv,
    ) {
        let marks = (self.params.ttl, self.params.tos);
        self.send_marked(flow, &Transmit::new(*segment), state, marks, cx);
    }

    /// The same with this TTL and DS field.
    pub(super) fn send_marked(
        &mut self,
        flow: FourTuple,
        transmit: &Transmit,
        state: Option<State>,
        marks: (u8, u8),
        cx: &mut impl HostEnv,
    ) {
        let packet = self.put_on_wire(flow, transmit, state, marks, cx);
        if transmit.segment.tag.is_recorded() {
            record_sent(packet, flow, transmit, state, marks, cx);
        }
    }

    /// Hands one segment to the network; returns the number of its packet.
    #[inline(always)]
    pub(super) fn put_on_wire(
        &mut self,
        flow: FourTuple,
        transmit: &Transmit,
        state: Option<State>,
        (ttl, tos): (u8, u8),
        cx: &mut impl HostEnv,
    ) -> u64 {
        let (src, dst) = (*flow.local().ip(), *flow.remote().ip());
        let segment = &transmit.segment;
        let tos = segment.ecn.on_tos(tos);
        let packet = cx.send(OutgoingSegment {
            src,
            dst,
            ttl,
            tos,
            segment,
            ip_header: self.params.ip_version.header_len(),
            again: transmit.is_retransmission(),
            state,
        });
        if let Some(rule) = transmit.retransmission {
            self.stats.resent.add(rule);
        }
        self.stats.segments_sent += 1;
        self.stats.resets_sent += u64::from(segment.flags.is_rst());
        packet
    }
}

/// Records a segment just sent with this TTL and DS field.
#[inline(never)]
fn record_sent(
    packet: u64,
    flow: FourTuple,
    transmit: &Transmit,
    state: Option<State>,
    marks: (u8, u8),
    cx: &mut impl HostEnv,
) {
    record_trace(trace_of_sent(packet, flow, transmit, state, marks), cx);
}
