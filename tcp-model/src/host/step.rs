//! One step of a connection: its input, then its effects: records, packets, application events, the timer,
//! and the end.

use std::sync::Arc;

use sim_core::{Packet, SimTime};

use super::cx::HostEnv;
use super::endpoint::{Endpoint, NO_LISTENER, Slot, SocketId};
use super::flow::{Flow, Owner};
use super::outbox::Outgoing;
use super::record::{
    end_reason, record_outcome, record_trace, sample_sender, summarize, trace_of, trace_of_sent,
};
use super::stack::{Stack, Timer};
use crate::app::AppEvent;
use crate::app::spec::Keep;
use crate::model::{End, Input, Outputs, Signal, TcpModel};
use crate::params::TcpParams;
use crate::sample::{EndReason, OpenResult, SegmentEvent, Side, StateChange, TcpSample};
use crate::segment::{Detail, Segment};
use crate::state::State;
use crate::transmit::Transmit;

impl Stack {
    /// Records what every connection has done so far.
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
            cx.record(TcpSample::Ended(Box::new(summary)));
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
        let Some(endpoint) = self.endpoints.get_mut(slot) else {
            return;
        };
        if endpoint.detached {
            endpoint.read_rest(input, cx.now());
            return;
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
        if endpoint.traced && self.trace.keep == Keep::Ladder {
            let tracer = endpoint.tracer.get_or_insert_default();
            let mut trace = trace_of(packet, SegmentEvent::Received, state);
            trace.spurious = spurious;
            tracer.on_received(trace, cx.now(), &mut |trace| record_trace(trace, cx));
        } else if packet.payload.tag.detail != Detail::Background {
            let mut trace = trace_of(packet, SegmentEvent::Received, state);
            trace.spurious = spurious;
            record_trace(trace, cx);
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
            Signal::State { .. } | Signal::Ended(_) => return, // not news for the application
        };
        if endpoint.has_app {
            cx.scratch().events.push_back((endpoint.app, event));
        }
    }

    fn on_state(&mut self, slot: u32, from: State, to: State, cx: &mut impl HostEnv) {
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

    fn on_end(&mut self, slot: u32, end: End, cx: &mut impl HostEnv) {
        let id = self.endpoints.id(slot);
        let Some(endpoint) = self.endpoints.get_mut(slot) else {
            return;
        };
        if endpoint.end.is_some() {
            return;
        }
        endpoint.end = Some(end);
        if endpoint.side == Side::Active && endpoint.established == SimTime::MAX {
            let result = match end {
                End::Refused | End::Reset => OpenResult::Refused,
                End::TimedOut => OpenResult::TimedOut,
                End::Unreachable(_) => OpenResult::Aborted,
                End::Aborted | End::Closed | End::FinWaitExpired => OpenResult::Aborted,
            };
            record_outcome(endpoint, result, cx);
        }
        if endpoint.has_app {
            cx.scratch()
                .events
                .push_back((endpoint.app, AppEvent::Ended(id, end)));
        }
    }

    #[inline(always)]
    fn send_all(&mut self, slot: u32, out: &Outputs, cx: &mut impl HostEnv) {
        let Some(endpoint) = self.endpoints.get(slot) else {
            return;
        };
        if endpoint.traced && self.trace.keep != Keep::All {
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
    fn marks(&self, endpoint: &Endpoint) -> (u8, u8) {
        match &endpoint.own {
            Some(own) if endpoint.has_own => (own.ttl, own.tos),
            _ => (self.params.ttl, self.params.tos),
        }
    }

    /// Whether the host's limit allows one more challenge ACK.
    #[cold]
    fn may_send_challenge(&mut self, now: SimTime) -> bool {
        let Some(limit) = self.params.challenge_ack_limit else {
            return true;
        };
        let allowed = self.challenges.get_or_insert_default().take(limit, now);
        self.stats.challenges_suppressed += u32::from(!allowed);
        allowed
    }

    /// The same for a partly traced connection: its tracer decides about each segment.
    #[inline(never)]
    fn send_traced(&mut self, slot: u32, out: &Outputs, cx: &mut impl HostEnv) {
        for transmit in &out.segments {
            if transmit.challenge && !self.may_send_challenge(cx.now()) {
                continue;
            }
            let Some(endpoint) = self.endpoints.get(slot) else {
                return;
            };
            let (flow, state, marks) = (endpoint.flow, endpoint.state, self.marks(endpoint));
            let mut transmit = *transmit;
            transmit.segment.tag.detail = self.detail(slot, &transmit, state, cx);
            let packet = self.put_on_wire(flow, &transmit, Some(state), marks, cx);
            let endpoint = self.endpoints.get_mut(slot);
            if transmit.segment.tag.is_recorded()
                && let Some(tracer) = endpoint.and_then(|e| e.tracer.as_mut())
            {
                let sent = trace_of_sent(packet, flow, &transmit, Some(state), marks);
                tracer.on_sent(sent, cx.now(), &mut |t| record_trace(t, cx));
            }
        }
    }

    /// The recording detail of a segment about to be sent.
    fn detail(
        &mut self,
        slot: u32,
        transmit: &Transmit,
        state: State,
        cx: &mut impl HostEnv,
    ) -> Detail {
        match self.endpoints.get_mut(slot) {
            Some(endpoint) if self.trace.keep == Keep::Ladder => {
                let again = transmit.retransmission.is_some();
                let tracer = endpoint.tracer.get_or_insert_default();
                let mut record = |trace| record_trace(trace, cx);
                tracer.before_sending(&transmit.segment, again, state, &mut record)
            }
            _ => Detail::None,
        }
    }

    /// Changes the options of a connection; false if its TCP does not support that.
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
            return true; // nothing is left that they could change
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

    /// Sends one segment and records it if required.
    pub(super) fn send(
        &mut self,
        flow: Flow,
        segment: &Segment,
        state: Option<State>,
        cx: &mut impl HostEnv,
    ) {
        let marks = (self.params.ttl, self.params.tos);
        self.send_marked(flow, &Transmit::new(*segment), state, marks, cx);
    }

    /// The same with this TTL and DS field.
    fn send_marked(
        &mut self,
        flow: Flow,
        transmit: &Transmit,
        state: Option<State>,
        marks: (u8, u8),
        cx: &mut impl HostEnv,
    ) {
        let packet = self.put_on_wire(flow, transmit, state, marks, cx);
        if transmit.segment.tag.is_recorded() {
            record_trace(trace_of_sent(packet, flow, transmit, state, marks), cx);
        }
    }

    /// Hands one segment to the network; returns the number of its packet.
    #[inline(always)]
    fn put_on_wire(
        &mut self,
        flow: Flow,
        transmit: &Transmit,
        state: Option<State>,
        (ttl, tos): (u8, u8),
        cx: &mut impl HostEnv,
    ) -> u64 {
        let (src, dst) = (*flow.local().ip(), *flow.remote().ip());
        let segment = &transmit.segment;
        let tos = segment.ecn.on_tos(tos);
        let packet = cx.send(Outgoing {
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

    /// After a step: samples the sender, and marks the connection as ended or its timer as to be set.
    #[inline(always)]
    fn settle(&mut self, slot: u32, cx: &mut impl HostEnv) {
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

    /// Removes a connection from a closing listener: one waiting for accept is reset, a half-open one
    /// dropped.
    pub(super) fn orphan(&mut self, slot: u32, listener: u16, cx: &mut impl HostEnv) {
        let Some(endpoint) = self.endpoints.get_mut(slot) else {
            return;
        };
        if endpoint.listener != listener || endpoint.detached {
            return;
        }
        endpoint.listener = NO_LISTENER;
        let (has_app, connected) = (endpoint.has_app, endpoint.connected);
        if has_app {
            return;
        }
        if connected {
            self.step(slot, Input::Abort, cx);
        } else {
            self.forget(slot, End::Aborted, cx);
        }
    }

    /// Ends a half-open connection without a segment.
    pub(super) fn forget(&mut self, slot: u32, why: End, cx: &mut impl HostEnv) {
        let Some(state) = self.endpoints.get(slot).map(|e| e.state) else {
            return;
        };
        self.on_state(slot, state, State::Closed, cx);
        self.on_end(slot, why, cx);
        self.settle(slot, cx);
    }

    /// Checks connections that may have ended, after their applications have had all events. True when
    /// there are more events.
    #[inline(never)]
    pub(super) fn retire_finished(&mut self, cx: &mut impl HostEnv) -> bool {
        let mut i = 0;
        while let Some(&slot) = cx.scratch().finished.get(i) {
            if self.tell_end(slot, cx) {
                i += 1; // once more, when the application knows
            } else {
                cx.scratch().finished.swap_remove(i);
                self.retire(slot, cx);
            }
        }
        !cx.scratch().events.is_empty()
    }

    /// Signals an end that a model has not signalled. True when there was one.
    fn tell_end(&mut self, slot: u32, cx: &mut impl HostEnv) -> bool {
        let untold = self.endpoints.get(slot).is_some_and(|e| e.end.is_none());
        if untold {
            self.on_end(slot, End::Closed, cx);
        }
        untold
    }

    /// Removes a CLOSED connection; moves one in TIME-WAIT to the table once its application has read
    /// everything.
    fn retire(&mut self, slot: u32, cx: &mut impl HostEnv) {
        let Some(place) = self.endpoints.slot_mut(slot) else {
            return;
        };
        let Some(endpoint) = &mut place.endpoint else {
            return;
        };
        endpoint.is_finished = false;
        let is_time_wait = endpoint.state == State::TimeWait;
        if is_time_wait {
            let unread = endpoint.app_closed == SimTime::MAX && endpoint.tcp.readable() > 0;
            if unread || endpoint.tcp.time_wait().is_none() {
                arm(place, slot, cx);
                return;
            }
        }
        place.timer.set(None, Timer::Connection(slot).token(), cx);
        let overflow = endpoint.overflowed;
        if let Some(tracer) = &mut endpoint.tracer {
            tracer.end(&mut |trace| record_trace(trace, cx));
        }
        let summary = summarize(endpoint, end_reason(endpoint, overflow), cx.now());
        let Endpoint {
            flow,
            side,
            holds_port,
            reuse,
            ..
        } = *endpoint;
        endpoint.detached = self.keeps_ended;
        let replaced = endpoint.replaced.take();
        let time_wait = endpoint.tcp.time_wait().filter(|_| !overflow);
        cx.record(TcpSample::Ended(Box::new(summary)));
        if let Some(time_wait) = time_wait {
            self.stats.time_wait_made += 1;
            let entry = self.time_waits.insert(flow, &time_wait, side, holds_port);
            self.time_waits.get_mut(entry).set_reuse(reuse);
            self.insert_flow(flow, Owner::TimeWait(entry));
            self.arm_time_wait_timer(cx);
        } else {
            self.stats.time_wait_overflows += u64::from(overflow);
            if holds_port {
                self.release_port(flow);
            }
        }
        self.demux.remove(flow, Owner::Connection(slot));
        if !self.keeps_ended {
            self.endpoints.remove(slot);
        }
        if let Some(replaced) = replaced {
            self.restore_time_wait(flow, &replaced, cx);
        }
    }
}

/// Sets the timer of a connection to its model's next time-out; a time in the past means now.
fn arm(place: &mut Slot, slot: u32, cx: &mut impl HostEnv) {
    let next = place.endpoint.as_ref().and_then(|e| e.tcp.next_timeout());
    let deadline = next.map(|at| at.max(cx.now()));
    let token = Timer::Connection(slot).token();
    place.timer.set(deadline, token, cx);
}
