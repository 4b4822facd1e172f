//! A host's records: segments, outcomes, sender samples, summaries.

use sim_core::{Packet, SimDuration, SimTime};

use super::cx::HostEnv;
use super::endpoint::Endpoint;
use super::four_tuple::FourTuple;
use crate::model::{ConnectionEnd, TcpModel};
use crate::sample::{
    ConnectOutcome, EndReason, EndpointSummary, OpenResult, SegmentEvent, SegmentTrace,
    SenderSample, TcpSample,
};
use crate::segment::Segment;
use crate::state::State;
use crate::transmit::Transmit;

/// Records the arrival of a segment.
#[inline(never)]
pub(super) fn record_received(
    packet: &Packet<Segment>,
    state: Option<State>,
    cx: &mut impl HostEnv,
) {
    record_trace(trace_of(packet, SegmentEvent::Received, state), cx);
}

/// Records a segment.
pub(super) fn record_trace(trace: SegmentTrace, cx: &mut impl HostEnv) {
    let record = cx.scratch().segment(trace);
    cx.record(record);
}

/// The trace of a packet at some point of its path.
#[inline(always)]
pub(super) fn trace_of(
    packet: &Packet<Segment>,
    event: SegmentEvent,
    state: Option<State>,
) -> SegmentTrace {
    SegmentTrace {
        packet: packet.id,
        at: None,
        number: 0,
        event,
        src: packet.src,
        dst: packet.dst,
        ttl: packet.ttl,
        tos: packet.tos,
        state,
        retransmission: packet.payload.tag.again,
        spurious: None,
        segment: packet.payload,
    }
}

/// The trace of a segment just sent with this TTL and DS field.
#[inline(always)]
pub(super) fn trace_of_sent(
    packet: u64,
    flow: FourTuple,
    transmit: &Transmit,
    state: Option<State>,
    (ttl, tos): (u8, u8),
) -> SegmentTrace {
    let segment = transmit.segment;
    SegmentTrace {
        packet,
        at: None,
        number: 0,
        event: SegmentEvent::Sent,
        src: *flow.local().ip(),
        dst: *flow.remote().ip(),
        ttl,
        tos: segment.ecn.on_tos(tos),
        state,
        retransmission: transmit.retransmission,
        spurious: None,
        segment,
    }
}

/// Records how an active open ended.
pub(super) fn record_outcome(endpoint: &Endpoint, result: OpenResult, cx: &mut impl HostEnv) {
    let outcome = ConnectOutcome {
        conn: endpoint.conn,
        result,
        latency: cx.now().since(endpoint.opened),
    };
    cx.record(TcpSample::Outcome(outcome));
}

/// Records the sender's variables when they have changed and the last record is old enough.
pub(super) fn sample_sender(endpoint: &mut Endpoint, interval: SimDuration, cx: &mut impl HostEnv) {
    let now = cx.now();
    let tracer = endpoint.tracer.get_or_insert_default();
    let last = &mut tracer.sender;
    if last
        .as_ref()
        .is_some_and(|(at, _)| now.since(*at) < interval)
    {
        return;
    }
    let view = endpoint.tcp.view();
    let in_flight = view.snd_nxt.offset_from(view.snd_una);
    // An end that only receives is compared at each segment: cheap values come first, and without data
    // sent its congestion control has had nothing to act on.
    let same = last.as_ref().is_some_and(|(_, before)| {
        before.in_flight == in_flight
            && before.acked == view.counts.bytes_acked
            && before.cwnd == view.cwnd
            && before.ssthresh == view.ssthresh
            && before.snd_wnd == view.snd_wnd
            && (before.srtt, before.rto) == (view.srtt, view.rto)
            && (before.acked == 0 && in_flight == 0 || before.state == endpoint.tcp.sender_state())
    });
    if same {
        return;
    }
    let sample = SenderSample {
        conn: endpoint.conn,
        side: endpoint.side,
        cwnd: view.cwnd,
        ssthresh: view.ssthresh,
        in_flight,
        snd_wnd: view.snd_wnd,
        srtt: view.srtt,
        rto: view.rto,
        acked: view.counts.bytes_acked,
        state: endpoint.tcp.sender_state(),
    };
    *last = Some((now, sample));
    let record = cx.scratch().sender(sample);
    cx.record(record);
}

/// The end reason for the summary of an ended connection.
pub(super) fn end_reason(endpoint: &Endpoint, overflow: bool) -> EndReason {
    match endpoint.end {
        _ if overflow => EndReason::TimeWaitOverflow,
        None | Some(ConnectionEnd::Closed) => EndReason::Closed,
        Some(ConnectionEnd::Refused) => EndReason::Refused,
        Some(ConnectionEnd::Reset) => EndReason::Reset,
        Some(ConnectionEnd::Aborted) => EndReason::Aborted,
        Some(ConnectionEnd::TimedOut) => EndReason::TimedOut,
        Some(ConnectionEnd::FinWaitExpired) => EndReason::FinWaitExpired,
        Some(ConnectionEnd::Unreachable(_)) => EndReason::Unreachable,
    }
}

/// The summary of a connection.
pub(super) fn summarize(endpoint: &Endpoint, reason: EndReason, now: SimTime) -> EndpointSummary {
    let view = endpoint.tcp.view();
    let known = |time: SimTime| (time < SimTime::MAX).then_some(time);
    EndpointSummary {
        conn: endpoint.conn,
        side: endpoint.side,
        local: endpoint.flow.local(),
        remote: endpoint.flow.remote(),
        opened: endpoint.opened,
        established: known(endpoint.established),
        app_closed: known(endpoint.app_closed),
        ended: now,
        reason,
        closed_first: endpoint.closed_first,
        time_wait: endpoint.state == State::TimeWait && reason != EndReason::TimeWaitOverflow,
        counts: view.counts,
        undone: endpoint.tcp.undone(),
        marked: endpoint.tcp.marked(),
        srtt: view.srtt,
    }
}
