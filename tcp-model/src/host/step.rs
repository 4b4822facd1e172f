//! One step of a connection: its input, then its effects: records, packets, application events, the timer,
//! and the end.

use std::sync::Arc;

use sim_core::{Packet, SimTime};

use super::cx::HostEnv;
use super::endpoint::{EndpointSlot, NO_LISTENER, SocketId};
use super::record::{record_outcome, record_trace, sample_sender, summarize, trace_of};
use super::stack::{Stack, Timer};
use crate::app::AppEvent;
use crate::app::spec::KeptSegments;
use crate::model::{ConnectionEnd, Input, Outputs, Signal, TcpModel};
use crate::params::TcpParams;
use crate::sample::{
    EndReason, OpenResult, SegmentEvent, SegmentTrace, Side, StateChange, TcpSample,
};
use crate::segment::{RecordingDetail, Segment};
use crate::state::State;

impl Stack {
    /// Records what every connection has done so far.
    #[cold]
    pub(super) fn summarize_all(&mut self, cx: &mut impl HostEnv) {
        for slot in 0..self.endpoints.slots() {
            let endpoint = self.endpoints.get_mut(slot);
            let Some(endpoint) = endpoint.filter(|e| !e.detached) else {
                continue;
            };
            if let Some(tracer) = &mut endpoint.tracer {
                tracer.end(&mut |trace| record_trace(trace, cx));
            }
            let summary = summarize(endpoint, EndReason::StillOpen, cx.now());
            let sample = cx.scratch().ended(summary);
            cx.record(sample);
        }
    }

    /// Passes an input to a connection and acts on its outputs.
    pub(super) fn step(&mut self, slot: u32, input: Input<'_>, cx: &mut impl HostEnv) {
        self.step_with(slot, input, None, cx);
    }

    /// The same for a segment, which is recorded with the resulting state.
    pub(super) fn step_segment(
        &mut self,
        slot: u32,
        packet: &Packet<Segment>,
        cx: &mut impl HostEnv,
    ) {
        let input = Input::Segment(&packet.payload);
        self.step_with(slot, input, Some(packet), cx);
    }

    fn step_with(
        &mut self,
        slot: u32,
        input: Input<'_>,
        packet: Option<&Packet<Segment>>,
        cx: &mut impl HostEnv,
    ) {
        let Some(mut endpoint) = self.endpoints.get_mut(slot) else {
            return;
        };
        if endpoint.detached {
            endpoint.read_rest(input, cx.now());
            return;
        }
        if endpoint.is_half_open()
            && let Some(packet) = packet
        {
            if self.is_refused_by_accept_queue(slot, &packet.payload) {
                self.accept_queue_overflows(slot, packet, cx);
                return;
            }
            match self.endpoints.get_mut(slot) {
                Some(place) => endpoint = place,
                None => return,
            }
        }
        let mut out = cx.scratch().out.take().unwrap_or_default();
        let again = packet.is_some_and(|p| p.payload.tag.again.is_some() && p.payload.len > 0);
        let before = again.then(|| endpoint.tcp.view().counts.duplicates_received);
        endpoint.tcp.step(input, cx.now(), &mut out);
        if let Some(packet) = packet.filter(|p| again || p.payload.tag.is_recorded()) {
            let spurious = before.and_then(|n| self.judge_arrival(slot, packet, n));
            if packet.payload.tag.is_recorded() {
                self.record_arrival(slot, packet, spurious, cx);
            }
        }
        self.carry_out(slot, out, cx);
    }

    /// Whether all data of a retransmission had arrived before; `before`: duplicates received until then.
    #[inline(never)]
    fn judge_arrival(&mut self, slot: u32, packet: &Packet<Segment>, before: u32) -> Option<bool> {
        let rule = packet.payload.tag.again?;
        let now = self.endpoints.get_mut(slot)?.tcp.view().counts;
        let spurious = now.duplicates_received > before;
        if spurious {
            self.stats.spurious.add(rule);
        }
        Some(spurious)
    }

    /// Records a segment with the resulting state.
    #[inline(never)]
    fn record_arrival(
        &mut self,
        slot: u32,
        packet: &Packet<Segment>,
        spurious: Option<bool>,
        cx: &mut impl HostEnv,
    ) {
        let Some(endpoint) = self.endpoints.get_mut(slot) else {
            return;
        };
        let state = Some(endpoint.tcp.view().state);
        let detail = packet.payload.tag.detail;
        let trace = || SegmentTrace {
            spurious,
            ..trace_of(packet, SegmentEvent::Received, state)
        };
        if endpoint.traced && self.trace.keep == KeptSegments::Ladder {
            let tracer = endpoint.tracer.get_or_insert_default();
            let now = cx.now();
            tracer.on_received(detail, trace, now, &mut |trace| record_trace(trace, cx));
        } else if detail != RecordingDetail::Background {
            record_trace(trace(), cx);
        }
    }

    /// Acts on the outputs of a model.
    #[inline(always)]
    fn carry_out(&mut self, slot: u32, mut out: Box<Outputs>, cx: &mut impl HostEnv) {
        let mut end = None;
        for &signal in &out.signals {
            match signal {
                Signal::Ended(why) => end = end.or(Some(why)),
                Signal::State { from, to } => self.on_state(slot, from, to, cx),
                other => self.on_signal(slot, other, cx),
            }
        }
        // The end is processed last, wherever the model put it among its signals.
        if let Some(why) = end {
            self.on_end(slot, why, cx);
        }
        if !out.segments.is_empty() {
            self.send_all(slot, &out, cx);
        }
        out.clear();
        cx.scratch().out = Some(out);
        self.settle(slot, cx);
    }

    /// Handles other signals, mostly events for the application.
    fn on_signal(&mut self, slot: u32, signal: Signal, cx: &mut impl HostEnv) {
        let Some(place) = self.endpoints.slot_mut(slot) else {
            return;
        };
        let id = SocketId::new(slot, place.generation);
        let Some(endpoint) = &mut place.endpoint else {
            return;
        };
        let event = match signal {
            Signal::Connected => {
                self.on_connected(slot, cx);
                return;
            }
            Signal::Readable(bytes) => AppEvent::Readable(id, bytes),
            Signal::Writable(bytes) => AppEvent::Writable(id, bytes),
            Signal::PeerClosed => {
                endpoint.peer_closed = true;
                AppEvent::PeerClosed(id)
            }
            Signal::Urgent(bytes) => AppEvent::Urgent(id, bytes),
            Signal::SoftError(_) if endpoint.errors_suppressed => return,
            Signal::SoftError(kind) => AppEvent::SoftError(id, kind),
            Signal::DeliveryTrouble => {
                self.stats.path_advices += 1; // MUST-20: IP has but one path here
                if endpoint.errors_suppressed {
                    return;
                }
                AppEvent::DeliveryTrouble(id)
            }
            Signal::FastOpen(news) => {
                let server = *endpoint.flow.remote().ip();
                self.fast_open.get_or_insert_default().learn(server, &news);
                return;
            }
            Signal::State { .. } | Signal::Ended(_) => return, // not an event for the application
        };
        if endpoint.has_app {
            cx.scratch().events.push_back((endpoint.app, event));
        }
    }

    pub(super) fn on_state(&mut self, slot: u32, from: State, to: State, cx: &mut impl HostEnv) {
        let Some(endpoint) = self.endpoints.get_mut(slot) else {
            return;
        };
        endpoint.state = to;
        // LISTEN is the state of the listener, which has its own identity: an end point that a model
        // returns to LISTEN has ended.
        let to = if to == State::Listen {
            State::Closed
        } else {
            to
        };
        if to == State::Closed && matches!(from, State::Closed | State::Listen) {
            return;
        }
        match to {
            State::Established => {
                endpoint.established = cx.now();
                endpoint.replaced = None;
            }
            State::FinWait1 => endpoint.closed_first = true,
            _ => {}
        }
        let (listener, connected) = (endpoint.listener, endpoint.connected);
        let timed_out = from == State::SynReceived && endpoint.tcp.view().counts.timeouts > 0;
        let full = |max| self.time_waits.len() >= max;
        endpoint.overflowed = to == State::TimeWait && self.params.max_tw_buckets.is_some_and(full);
        let to = if endpoint.overflowed {
            State::Closed
        } else {
            to
        };
        cx.record(TcpSample::State(StateChange {
            conn: endpoint.conn,
            side: endpoint.side,
            from,
            to,
        }));
        if listener != NO_LISTENER {
            let listener = &mut self.listeners[usize::from(listener)];
            listener.half_open += u32::from(to == State::SynReceived);
            listener.half_open -= u32::from(from == State::SynReceived);
            listener.young += u32::from(to == State::SynReceived);
            if from == State::SynReceived && !timed_out {
                listener.young = listener.young.saturating_sub(1);
            }
            listener.early -= u32::from(from == State::SynReceived && connected);
        }
    }

    /// ESTABLISHED: notifies the application of an active open; a passive one joins the accept queue.
    fn on_connected(&mut self, slot: u32, cx: &mut impl HostEnv) {
        let id = self.endpoints.id(slot);
        let Some(endpoint) = self.endpoints.get_mut(slot) else {
            return;
        };
        endpoint.connected = true;
        if endpoint.side == Side::Active {
            record_outcome(endpoint, OpenResult::Established, cx);
            let event = AppEvent::Connected(id);
            cx.scratch().events.push_back((endpoint.app, event));
        } else if let Some(listener) = self.listeners.get_mut(usize::from(endpoint.listener)) {
            listener.push(id);
            let early = endpoint.state == State::SynReceived;
            listener.early += u32::from(early);
            self.stats.fast_opens_accepted += u32::from(early);
            let event = AppEvent::Acceptable(listener.port);
            cx.scratch().events.push_back((listener.app, event));
        }
    }

    pub(super) fn on_end(&mut self, slot: u32, end: ConnectionEnd, cx: &mut impl HostEnv) {
        let id = self.endpoints.id(slot);
        let Some(endpoint) = self.endpoints.get_mut(slot) else {
            return;
        };
        if endpoint.end.is_some() {
            return;
        }
        endpoint.end = Some(end);
        let early = endpoint.connected && endpoint.established == SimTime::MAX;
        if early && endpoint.has_app && end == ConnectionEnd::Reset {
            let listener = self.listeners.get_mut(usize::from(endpoint.listener));
            if let Some(listener) = listener {
                listener.note_early_reset(cx.now());
            }
        }
        if endpoint.side == Side::Active && endpoint.established == SimTime::MAX {
            let result = match end {
                ConnectionEnd::Refused | ConnectionEnd::Reset => OpenResult::Refused,
                ConnectionEnd::TimedOut => OpenResult::TimedOut,
                ConnectionEnd::Unreachable(_) => OpenResult::Aborted,
                ConnectionEnd::Aborted | ConnectionEnd::Closed | ConnectionEnd::FinWaitExpired => {
                    OpenResult::Aborted
                }
            };
            record_outcome(endpoint, result, cx);
        }
        if endpoint.has_app {
            cx.scratch()
                .events
                .push_back((endpoint.app, AppEvent::Ended(id, end)));
        }
    }

    /// Changes the options of a connection; false if its TCP does not support that.
    #[cold]
    pub(super) fn change_params(
        &mut self,
        slot: u32,
        params: &Arc<TcpParams>,
        cx: &mut impl HostEnv,
    ) -> bool {
        let Some(endpoint) = self.endpoints.get_mut(slot) else {
            return false;
        };
        if endpoint.detached {
            return true; // there is nothing left to change
        }
        let mut out = cx.scratch().out.take().unwrap_or_default();
        let changed = endpoint.tcp.change_params(params, cx.now(), &mut out);
        if changed {
            endpoint.own = Some(Arc::clone(params));
            endpoint.has_own = true;
        }
        self.carry_out(slot, out, cx);
        changed
    }

    /// After a step: samples the sender, and marks the connection as ended or its timer as to be set.
    #[inline(always)]
    pub(super) fn settle(&mut self, slot: u32, cx: &mut impl HostEnv) {
        let Some(place) = self.endpoints.slot_mut(slot) else {
            return;
        };
        let Some(endpoint) = &mut place.endpoint else {
            return;
        };
        if endpoint.traced {
            sample_sender(endpoint, self.trace.sender_interval, cx);
        }
        if matches!(endpoint.state, State::Closed | State::TimeWait) {
            if !endpoint.is_finished {
                endpoint.is_finished = true;
                cx.scratch().finished.push(slot);
            }
            return;
        }
        let scratch = cx.scratch();
        if scratch.stepped == Some(slot) {
            return;
        }
        if scratch.stepped.is_none() && !scratch.events.is_empty() {
            scratch.stepped = Some(slot);
            return;
        }
        arm(place, slot, cx);
    }

    /// Sets the timer of a connection after its application has handled the events of a step, so that an
    /// immediate answer leaves no wake for a delayed ACK it has made unnecessary.
    #[inline]
    pub(super) fn arm_stepped(&mut self, cx: &mut impl HostEnv) {
        if let Some(slot) = cx.scratch().stepped.take()
            && let Some(place) = self.endpoints.slot_mut(slot)
        {
            arm(place, slot, cx);
        }
    }
}

/// Sets the timer of a connection to its model's next time-out; a time in the past means now.
pub(super) fn arm(place: &mut EndpointSlot, slot: u32, cx: &mut impl HostEnv) {
    let next = place.endpoint.as_ref().and_then(|e| e.tcp.next_timeout());
    let deadline = next.map(|at| at.max(cx.now()));
    let token = Timer::Connection(slot).token();
    place.timer.set(deadline, token, cx);
}
