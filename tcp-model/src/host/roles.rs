//! Optional roles of a node: a middlebox, or a host that crashes and restarts, pauses, or whose clock wraps around.
//!
//! A crash loses all state without a segment: connections, TIME-WAIT entries, listeners. Peers notice when
//! their segments are answered with a reset. After a boot the host's applications restart once the quiet
//! time of RFC 9293 section 3.4.3, during which no sequence numbers may be assigned, is over; until then
//! the host answers segments with resets, and neither opens nor accepts connections.
//!
//! While a host is paused, as by a garbage collection, its applications do nothing but its TCP
//! continues: segments are acknowledged, connections are established and wait for accept.
//! Afterwards, the events are reported to the applications in order.

use sim_core::{Cx, Packet, SimDuration, SimTime};

use super::TcpHost;
use super::cx::HostEnv;
use super::record::{record_outcome, summarize};
use super::stack::{Stack, Timer};
use crate::app::spec::AppSpec;
use crate::app::{AnyApp, AppEvent};
use crate::middlebox::{BoxedMiddlebox, Middlebox, MiddleboxCx};
use crate::sample::{EndReason, Ending, OpenResult, Side, StateChange, TcpSample};
use crate::segment::Packed;
use crate::state::State;

/// State that few hosts need.
#[derive(Debug, Default)]
pub(super) struct RareHostState {
    middlebox: Option<BoxedMiddlebox>,
    /// Entries of the middlebox when they were last recorded.
    entries: u32,
    /// For hosts that crash: their applications as described, and the quiet time after a boot.
    restart: Option<(Vec<AppSpec>, SimDuration)>,
    pauses: Vec<Pause>,
    /// Events that happened in a pause, each with its application.
    held: Vec<(u16, AppEvent)>,
}

/// A time during which the applications of a host do nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// When it begins.
    pub from: SimTime,
    /// When it ends.
    pub until: SimTime,
}

impl RareHostState {
    /// Keeps an event that happens in a pause for later.
    pub(super) fn holds(&mut self, app: u16, event: AppEvent, now: SimTime) -> bool {
        let is_paused = self.pauses.iter().any(|p| p.from <= now && now < p.until);
        if is_paused {
            self.held.push((app, event));
        }
        is_paused
    }
}

/// Token of the wakes of a middlebox.
const MIDDLEBOX: u64 = 0;
/// Token of the end of the quiet time.
const QUIET_OVER: u64 = 1;
/// Token of the end of a pause.
const PAUSE_OVER: u64 = 2;

impl TcpHost {
    /// Makes the host a middlebox: `middlebox` sees packets that pass, and those for the host's own
    /// addresses. Effective only on a gateway node.
    #[must_use]
    pub fn with_middlebox(mut self, middlebox: BoxedMiddlebox) -> TcpHost {
        self.extra_mut().middlebox = Some(middlebox);
        self
    }

    /// Prepares the host for crashes: after a boot and the quiet time `quiet`, the applications `apps`
    /// start.
    #[must_use]
    pub fn with_restart(mut self, apps: Vec<AppSpec>, quiet: SimDuration) -> TcpHost {
        self.extra_mut().restart = Some((apps, quiet));
        self
    }

    /// Adds a pause of the host's applications.
    #[must_use]
    pub fn with_pause(mut self, pause: Pause) -> TcpHost {
        self.extra_mut().pauses.push(pause);
        self
    }

    /// Lets the host's timestamp clock (RFC 7323 section 5.4) pass 2^32 at this time, to within a millisecond. All
    /// its connections then have the same offset, with `timestamp_offsets` too. The clock goes on through crashes.
    #[must_use]
    pub fn with_clock_wrap(mut self, at: SimTime) -> TcpHost {
        self.stack.clock_wrap = Some(at);
        self
    }

    /// Schedules a wake at the end of each future pause.
    pub(super) fn schedule_pauses(&mut self, cx: &mut Cx<'_, TcpHost>) {
        let now = cx.now();
        let pauses = self.extra.iter().flat_map(|extra| &extra.pauses);
        for pause in pauses.filter(|pause| pause.until > now) {
            let left = pause.until.since(now);
            cx.wake_in(left, Timer::Node(PAUSE_OVER).token());
        }
    }

    /// Ends a pause: reports the events that happened meanwhile to the applications.
    fn resume(&mut self, cx: &mut Cx<'_, TcpHost>) {
        let held = std::mem::take(&mut self.extra_mut().held);
        for (app, event) in held {
            self.tell(app, event, cx);
        }
        self.finish(cx);
    }

    /// Its middlebox, if it has one.
    pub fn middlebox(&self) -> Option<&dyn Middlebox> {
        self.extra.as_ref()?.middlebox.as_deref()
    }

    fn extra_mut(&mut self) -> &mut RareHostState {
        self.extra.get_or_insert_default()
    }

    fn middlebox_mut(&mut self) -> Option<&mut dyn Middlebox> {
        self.extra.as_mut()?.middlebox.as_deref_mut()
    }

    pub(super) fn start_middlebox(&mut self, cx: &mut Cx<'_, TcpHost>) {
        if let Some(middlebox) = self.middlebox_mut() {
            middlebox.on_start(&mut MiddleboxCx::new(cx, Timer::Node(MIDDLEBOX).token()));
        }
    }

    /// Passes a packet to the middlebox; `None` when that consumed it.
    #[inline]
    pub(super) fn past_middlebox(
        &mut self,
        packet: Packet<Packed>,
        cx: &mut Cx<'_, TcpHost>,
    ) -> Option<Packet<Packed>> {
        match self.middlebox_mut() {
            None => Some(packet),
            Some(middlebox) => {
                let mut middlebox_cx = MiddleboxCx::new(cx, Timer::Node(MIDDLEBOX).token());
                let rest = middlebox.on_packet(packet, &mut middlebox_cx);
                self.record_entries(cx);
                rest
            }
        }
    }

    /// Records how many entries the middlebox has, if that has changed.
    fn record_entries(&mut self, cx: &mut impl HostEnv) {
        let Some(extra) = &mut self.extra else {
            return;
        };
        let now = extra
            .middlebox
            .as_deref()
            .and_then(|middlebox| middlebox.entries());
        if let Some(now) = now.filter(|now| *now != extra.entries) {
            extra.entries = now;
            cx.record(TcpSample::Tracked(now));
        }
    }

    /// Handles a wake for the node itself, not for a connection or an application.
    pub(super) fn node_wakes(&mut self, token: u64, cx: &mut Cx<'_, TcpHost>) {
        if token == QUIET_OVER {
            self.start_apps(cx);
        } else if token == PAUSE_OVER {
            self.resume(cx);
        } else if let Some(middlebox) = self.middlebox_mut() {
            middlebox.on_wake(&mut MiddleboxCx::new(cx, Timer::Node(MIDDLEBOX).token()));
            self.record_entries(cx);
        }
    }

    /// Loses all state; existing connections are recorded as ended by the crash.
    pub(super) fn crash(&mut self, cx: &mut impl HostEnv) {
        self.cut_off(Ending::Crash, cx);
        self.stack.record_crash(cx);
        self.stack.lose_everything();
        if let Some((apps, _)) = self.extra.as_ref().and_then(|e| e.restart.as_ref()) {
            let ours = apps.len();
            let described = apps.iter().cloned().map(AnyApp::new);
            let custom = self.apps.drain(..).skip(ours);
            self.apps = described.chain(custom).collect::<Vec<_>>();
        }
        if let Some(extra) = &mut self.extra {
            extra.held.clear();
        }
        if let Some(middlebox) = self.middlebox_mut() {
            middlebox.on_crash();
        }
        self.record_entries(cx);
    }

    /// Boots with the state of a new host.
    pub(super) fn boot(&mut self, cx: &mut Cx<'_, TcpHost>) {
        self.start_middlebox(cx);
        self.schedule_pauses(cx);
        self.stack.start(cx);
        let restart = self.extra.as_ref().and_then(|e| e.restart.as_ref());
        match restart.map(|(_, quiet)| *quiet) {
            Some(quiet) if !quiet.is_zero() => {
                cx.wake_in(quiet, Timer::Node(QUIET_OVER).token());
            }
            _ => self.start_apps(cx),
        }
    }
}

impl Stack {
    /// Records the end of all connections and entries.
    fn record_crash(&mut self, cx: &mut impl HostEnv) {
        for endpoint in self.endpoints.iter() {
            if endpoint.side == Side::Active && !endpoint.connected {
                record_outcome(endpoint, OpenResult::Aborted, cx);
            }
            if endpoint.state != State::Closed {
                cx.record(TcpSample::State(StateChange {
                    conn: endpoint.conn,
                    side: endpoint.side,
                    from: endpoint.state,
                    to: State::Closed,
                }));
            }
            let summary = summarize(endpoint, EndReason::Crashed, cx.now());
            let sample = cx.scratch().ended(summary);
            cx.record(sample);
        }
        for place in self.time_waits.places() {
            self.stats.time_wait_lost += 1;
            self.end_time_wait(place, cx);
        }
        let listening = self.listeners.iter().filter(|l| l.bind().is_some());
        for listener in listening {
            cx.record(TcpSample::State(StateChange {
                conn: self.listener_conn(listener.port()),
                side: Side::Passive,
                from: State::Listen,
                to: State::Closed,
            }));
        }
    }

    /// Resets the state, except counters and the numbering of connections.
    fn lose_everything(&mut self) {
        let lost = Stack::new(std::sync::Arc::clone(&self.params), self.trace);
        *self = Stack {
            factory: self.factory.take(),
            clock_wrap: self.clock_wrap,
            serial: self.serial,
            stats: self.stats(),
            ..lost
        };
    }
}
