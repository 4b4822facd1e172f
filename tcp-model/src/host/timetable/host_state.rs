//! What connections share at a host: the SYN queue, the table of TIME-WAIT, counters.

use super::super::listener::is_syn_queue_full;
use super::super::stats::HostStats;
use crate::app::spec::ServerSpec;
use crate::params::{SynCookies, TcpParams};
use crate::sample::{Side, StateChange};
use crate::state::State;

/// A host during the run.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct HostState {
    /// Its counters.
    pub(super) stats: HostStats,
    /// Connections, without those in TIME-WAIT.
    connections: u32,
    pub(super) time_waits: u32,
    most_time_waits: u32,
    /// Connections in SYN-RECEIVED.
    half_open: u32,
    backlog: u32,
    max_syn_backlog: u32,
    cookies: SynCookies,
}

impl HostState {
    pub(super) fn new(params: &TcpParams, server: Option<&ServerSpec>) -> HostState {
        HostState {
            most_time_waits: params.max_tw_buckets.unwrap_or(u32::MAX),
            backlog: server.map_or(0, |server| server.backlog.min(params.somaxconn)),
            max_syn_backlog: params.max_syn_backlog,
            cookies: params.syn_cookies,
            ..HostState::default()
        }
    }

    pub(super) fn opened(&mut self) {
        self.connections += 1;
        let peak = &mut self.stats.peak_connections;
        *peak = (*peak).max(self.connections);
    }

    /// Adds its counters to those of the host, which has counted its ports itself.
    pub(super) fn write_to(&self, stats: &mut HostStats) {
        *stats = HostStats {
            port_searches: stats.port_searches,
            port_probes: stats.port_probes,
            ports_exhausted: stats.ports_exhausted,
            ..self.stats
        };
    }

    /// What a listener does with a SYN. `replaces`: its 4-tuple is in TIME-WAIT.
    pub(super) fn admit(&self, replaces: bool) -> Admission {
        let full = is_syn_queue_full(
            self.half_open,
            self.backlog,
            (self.cookies, self.max_syn_backlog),
        );
        let cookie = match self.cookies {
            SynCookies::Off => false,
            SynCookies::WhenFull => full,
            SynCookies::Always => true,
        };
        match (cookie && !replaces, full) {
            (true, _) => Admission::Cookie,
            (false, true) => Admission::Drop,
            (false, false) => Admission::Take,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    Take,
    Cookie,
    Drop,
}

impl HostState {
    /// Counts the end of a connection, which may enter TIME-WAIT.
    pub(super) fn ended(&mut self) {
        self.connections -= 1;
    }

    /// Whether no further socket may enter TIME-WAIT (`max_tw_buckets`).
    pub(super) fn is_time_wait_full(&self) -> bool {
        self.time_waits >= self.most_time_waits
    }

    /// Counts a change of state. True if a TIME-WAIT has expired.
    pub(super) fn changes(&mut self, change: &StateChange) -> bool {
        let StateChange { side, from, to, .. } = *change;
        if side == Side::Passive {
            // A connection that a cookie brings was in no state before.
            if matches!(from, State::Closed | State::Listen) {
                self.opened();
            }
            self.half_open += u32::from(to == State::SynReceived);
            self.half_open -= u32::from(from == State::SynReceived);
        }
        let expires = from == State::TimeWait && to == State::Closed;
        if expires {
            self.time_waits -= 1;
            self.stats.time_wait_expired += 1;
        }
        expires
    }

    pub(super) fn enters_time_wait(&mut self) {
        self.time_waits += 1;
        self.stats.time_wait_made += 1;
        let peak = &mut self.stats.peak_time_wait;
        *peak = (*peak).max(self.time_waits);
    }
}
