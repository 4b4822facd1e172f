//! What a node may be beyond a TCP with applications: a middlebox on the way, a host that crashes and
//! starts again.
//!
//! A crash loses all state without a segment: connections, TIME-WAIT entries, listeners. Peers learn of
//! it when their segments are answered by a reset. After its boot the host's applications start
//! again as described, once the quiet time is over in which RFC 9293 section 3.4.3 wants no sequence
//! numbers assigned; until then the host answers segments with resets, and opens and accepts nothing.

use sim_core::{Cx, Packet, SimDuration};

use super::TcpHost;
use super::cx::HostEnv;
use super::record::{record_outcome, summarize};
use super::stack::{Stack, Timer};
use crate::app::AnyApp;
use crate::app::spec::AppSpec;
use crate::middlebox::{AnyMiddlebox, Middlebox as _, MiddleboxCx};
use crate::sample::{EndReason, Ending, OpenResult, Side, StateChange, TcpSample};
use crate::segment::Packed;
use crate::state::State;

/// What few hosts have.
#[derive(Debug, Default)]
pub(super) struct Extra {
    middlebox: Option<AnyMiddlebox>,
    /// For hosts that crash: their applications as described, and the quiet time after a boot.
    restart: Option<(Vec<AppSpec>, SimDuration)>,
}

/// Token of the wakes of a middlebox.
const MIDDLEBOX: u64 = 0;
/// Token of the end of the quiet time.
const QUIET_OVER: u64 = 1;

impl TcpHost {
    /// Makes the host a node on the way: `middlebox` sees what passes, and what comes for the host's
    /// own addresses. It has an effect on a gateway node only.
    #[must_use]
    pub fn with_middlebox(mut self, middlebox: AnyMiddlebox) -> TcpHost {
        self.extra_mut().middlebox = Some(middlebox);
        self
    }

    /// Prepares the host for crashes: after a boot and `quiet` without activity, its applications
    /// are `apps`, started again.
    #[must_use]
    pub fn with_restart(mut self, apps: Vec<AppSpec>, quiet: SimDuration) -> TcpHost {
        self.extra_mut().restart = Some((apps, quiet));
        self
    }

    /// Its middlebox, if it is one.
    pub fn middlebox(&self) -> Option<&AnyMiddlebox> {
        self.extra.as_ref()?.middlebox.as_ref()
    }

    fn extra_mut(&mut self) -> &mut Extra {
        self.extra.get_or_insert_default()
    }

    fn middlebox_mut(&mut self) -> Option<&mut AnyMiddlebox> {
        self.extra.as_mut()?.middlebox.as_mut()
    }

    pub(super) fn start_middlebox(&mut self, cx: &mut Cx<'_, TcpHost>) {
        if let Some(middlebox) = self.middlebox_mut() {
            middlebox.on_start(&mut MiddleboxCx::new(cx, Timer::Node(MIDDLEBOX).token()));
        }
    }

    /// Lets the middlebox have a packet; `None` when it took it.
    #[inline]
    pub(super) fn past_middlebox(
        &mut self,
        packet: Packet<Packed>,
        cx: &mut Cx<'_, TcpHost>,
    ) -> Option<Packet<Packed>> {
        match self.middlebox_mut() {
            None => Some(packet),
            Some(middlebox) => {
                let mut cx = MiddleboxCx::new(cx, Timer::Node(MIDDLEBOX).token());
                middlebox.on_packet(packet, &mut cx)
            }
        }
    }

    /// A wake that is neither of a connection nor of an application.
    pub(super) fn node_wakes(&mut self, token: u64, cx: &mut Cx<'_, TcpHost>) {
        if token == QUIET_OVER {
            self.start_apps(cx);
        } else if let Some(middlebox) = self.middlebox_mut() {
            middlebox.on_wake(&mut MiddleboxCx::new(cx, Timer::Node(MIDDLEBOX).token()));
        }
    }

    /// Loses all state; what there was is recorded as ended by the crash.
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
        if let Some(middlebox) = self.middlebox_mut() {
            middlebox.on_crash();
        }
    }

    /// Comes up again, with the state of a host that has just started.
    pub(super) fn boot(&mut self, cx: &mut Cx<'_, TcpHost>) {
        self.start_middlebox(cx);
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
    /// Records the end of everything there is.
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
            cx.record(TcpSample::Ended(Box::new(summary)));
        }
        while let Some((place, _)) = self.time_waits.oldest() {
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

    /// Becomes as new; what was counted, and the numbers of connections opened, go on.
    fn lose_everything(&mut self) {
        let (factory, serial, stats) = (self.factory.take(), self.serial, self.stats());
        *self = Stack::new(std::sync::Arc::clone(&self.params), self.trace);
        (self.factory, self.serial, self.stats) = (factory, serial, stats);
    }
}
