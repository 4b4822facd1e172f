//! Segments for a connection in TIME-WAIT, and connections that take its place.

use sim_core::{Packet, SimTime};

use super::cx::HostEnv;
use super::endpoint::ReplacedTimeWait;
use super::four_tuple::{FourTuple, Owner};
use super::stack::Stack;
use crate::sample::{Side, StateChange, TcpSample};
use crate::segment::Segment;
use crate::state::State;
use crate::time_wait::TimeWaitAction;
use crate::ts_clock::ts_clock;

impl Stack {
    pub(super) fn time_wait_arrives(
        &mut self,
        place: u32,
        packet: &Packet<Segment>,
        cx: &mut impl HostEnv,
    ) {
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
    pub(super) fn may_answer(&mut self, place: u32, seg: &Segment, now: SimTime) -> bool {
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
    #[cold]
    pub(super) fn replace_time_wait(
        &mut self,
        place: u32,
        cx: &mut impl HostEnv,
    ) -> Box<ReplacedTimeWait> {
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
    #[cold]
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
    pub(super) fn restart_time_wait(&mut self, place: u32, cx: &mut impl HostEnv) {
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
}
