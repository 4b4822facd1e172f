//! Connections that the host is done with: orphans, attempts that are given up, ended ones.

use sim_core::SimTime;

use super::cx::HostEnv;
use super::endpoint::{Endpoint, NO_LISTENER};
use super::four_tuple::{FourTuple, Owner};
use super::record::{end_reason, record_trace, summarize};
use super::stack::{Stack, Timer};
use super::step::arm;
use super::time_wait_table::recycle_time;
use crate::model::{ConnectionEnd, Input, TcpModel};
use crate::state::State;

impl Stack {
    /// Removes a connection from a closing listener: one waiting for accept is reset, a half-open one
    /// dropped.
    #[cold]
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
            self.forget(slot, ConnectionEnd::Aborted, cx);
        }
    }

    /// Ends a half-open connection without a segment.
    #[cold]
    pub(super) fn forget(&mut self, slot: u32, why: ConnectionEnd, cx: &mut impl HostEnv) {
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
            if self.signal_missing_end(slot, cx) {
                i += 1; // once more, when the application knows
            } else {
                cx.scratch().finished.swap_remove(i);
                self.retire(slot, cx);
            }
        }
        !cx.scratch().events.is_empty()
    }

    /// Signals the end of a connection if its model has not done so. True if it was missing.
    pub(super) fn signal_missing_end(&mut self, slot: u32, cx: &mut impl HostEnv) -> bool {
        let is_missing = self.endpoints.get(slot).is_some_and(|e| e.end.is_none());
        if is_missing {
            self.on_end(slot, ConnectionEnd::Closed, cx);
        }
        is_missing
    }

    /// Removes a CLOSED connection; moves one in TIME-WAIT to the table once its application has read
    /// everything.
    pub(super) fn retire(&mut self, slot: u32, cx: &mut impl HostEnv) {
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
        let rto = endpoint.tcp.view().rto;
        let sample = cx.scratch().ended(summary);
        cx.record(sample);
        if let Some(time_wait) = time_wait {
            self.stats.time_wait_made += 1;
            let entry = match time_wait.ts_recent.filter(|_| self.params.tw_recycle) {
                Some(stamp) => {
                    self.remember_stamp(flow, stamp, cx);
                    let least = recycle_time(self.params.min_rto);
                    let beyond = recycle_time(rto).saturating_sub(least);
                    self.time_waits
                        .insert_short(flow, &time_wait, side, holds_port, beyond)
                }
                None => self.time_waits.insert(flow, &time_wait, side, holds_port),
            };
            self.time_waits.get_mut(entry).set_reuse(reuse);
            self.insert_flow(flow, Owner::TimeWait(entry));
            if self.time_waits.is_oldest(entry) {
                self.arm_time_wait_timer(cx);
            }
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

    /// `tw_recycle`: remembers the last timestamp of the peer's address.
    #[cold]
    fn remember_stamp(&mut self, flow: FourTuple, stamp: u32, cx: &mut impl HostEnv) {
        let stamps = self.last_stamps.get_or_insert_default();
        stamps.remember(*flow.remote().ip(), stamp, cx.now());
    }
}
