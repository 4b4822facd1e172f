//! Circuit breakers: clients and proxies leave a server that fails alone for a while.
//!
//! ```text
//!            failures                 `open` has passed
//!   CLOSED ───────────► OPEN ──────────────────────────► HALF-OPEN: one attempt
//!     ▲                  ▲                                   │
//!     └── it succeeds ───┴────────────── it fails ───────────┘
//! ```
//!
//! Nygard, "Release It!" (2007), chapter 5. Results that arrive while the breaker is open, of attempts begun
//! before, do not count; in the half-open state any result decides, whichever attempt it belongs to. Leaves out
//! slow successes as a reason to open, and several trial attempts at a time.

use sim_core::SimTime;

use super::per_socket::PerSocket;
use super::spec::{BreakerSpec, Servers};
use crate::host::{SocketCx, SocketId};
use crate::sample::{BreakerChange, TcpSample, UpstreamSample};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BreakerState {
    Closed,
    /// No attempt until then.
    Open(SimTime),
    /// An attempt is being made.
    HalfOpen,
}

/// The breaker of one server.
#[derive(Debug)]
pub(super) struct Breaker {
    spec: BreakerSpec,
    state: BreakerState,
    /// Failures since the last success.
    in_a_row: u32,
    /// The last results, true for a failure, as a ring; empty if the share does not matter.
    recent: Vec<bool>,
    /// The place of the next result in the ring, and the number of results since it was closed.
    next: usize,
    seen: usize,
    /// Failures in the ring.
    failed: usize,
}

impl Breaker {
    pub(super) fn new(spec: BreakerSpec) -> Breaker {
        let window = spec.share.map_or(0, |_| spec.window as usize);
        Breaker {
            spec,
            state: BreakerState::Closed,
            in_a_row: 0,
            recent: vec![false; window],
            next: 0,
            seen: 0,
            failed: 0,
        }
    }

    /// Whether an attempt may begin now.
    pub(super) fn admits(&self, now: SimTime) -> bool {
        match self.state {
            BreakerState::Closed => true,
            BreakerState::Open(until) => now >= until,
            BreakerState::HalfOpen => false,
        }
    }

    /// Notes that an attempt begins, which [`Breaker::admits`] has admitted.
    pub(super) fn begin(&mut self, socket: &mut SocketCx<'_, '_>) {
        if let BreakerState::Open(_) = self.state {
            self.change(BreakerState::HalfOpen, socket);
        }
    }

    /// Notes that an attempt ends without saying anything about the server.
    pub(super) fn cancel(&mut self, now: SimTime) {
        if self.state == BreakerState::HalfOpen {
            self.state = BreakerState::Open(now);
        }
    }

    /// Notes the result of an attempt. Returns true if the breaker opens.
    pub(super) fn end(&mut self, success: bool, socket: &mut SocketCx<'_, '_>) -> bool {
        let opens = match (self.state, success) {
            (BreakerState::Open(_), _) => false,
            (BreakerState::HalfOpen, true) => {
                self.reset();
                self.change(BreakerState::Closed, socket);
                false
            }
            (BreakerState::HalfOpen, false) => true,
            (BreakerState::Closed, success) => self.count(success),
        };
        if opens {
            let until = socket.now().saturating_add(self.spec.open);
            self.change(BreakerState::Open(until), socket);
        }
        opens
    }

    /// Counts a result; returns true if there are too many failures now.
    fn count(&mut self, success: bool) -> bool {
        self.in_a_row = match success {
            true => 0,
            false => self.in_a_row.saturating_add(1),
        };
        let many = self.spec.failures.is_some_and(|n| self.in_a_row >= n);
        let Some(place) = self.recent.get_mut(self.next) else {
            return many;
        };
        self.failed += usize::from(!success);
        self.failed -= usize::from(std::mem::replace(place, !success));
        self.next = (self.next + 1) % self.recent.len();
        self.seen += 1;
        let share = self.failed as f64 / self.recent.len() as f64;
        let full = self.seen >= self.recent.len();
        many || full && self.spec.share.is_some_and(|most| share >= most)
    }

    fn reset(&mut self) {
        self.recent.fill(false);
        (self.in_a_row, self.next, self.seen, self.failed) = (0, 0, 0, 0);
    }

    fn change(&mut self, to: BreakerState, socket: &mut SocketCx<'_, '_>) {
        self.state = to;
        let change = match to {
            BreakerState::Closed => BreakerChange::Closed,
            BreakerState::Open(_) => BreakerChange::Opened,
            BreakerState::HalfOpen => BreakerChange::HalfOpened,
        };
        socket.record(TcpSample::Upstream(UpstreamSample::Breaker(change)));
    }
}

/// The breakers of a client, one for each of its servers.
#[derive(Debug)]
pub(super) struct Breakers {
    each: Vec<Breaker>,
    /// The server of each connection.
    of: PerSocket<u32>,
}

impl Breakers {
    /// Breakers for a client, if it has any.
    pub(super) fn new(spec: Option<BreakerSpec>, servers: &Servers) -> Option<Box<Breakers>> {
        let spec = spec?;
        Some(Box::new(Breakers {
            each: (0..servers.len()).map(|_| Breaker::new(spec)).collect(),
            of: PerSocket::default(),
        }))
    }

    /// The first turn from `turn` on whose server may be tried; `None` if no server may. `locals` turns in a
    /// row have the same server.
    #[inline(never)]
    pub(super) fn turn(&self, turn: u64, locals: usize, now: SimTime) -> Option<u64> {
        let (locals, servers) = (locals.max(1) as u64, self.each.len() as u64);
        let turns = (0..servers).map(|skipped| turn.saturating_add(skipped * locals));
        turns
            .into_iter()
            .find(|turn| self.each[(turn / locals % servers) as usize].admits(now))
    }

    /// Records that no server may be tried.
    #[cold]
    pub(super) fn reject(socket: &mut SocketCx<'_, '_>) {
        socket.record(TcpSample::Upstream(UpstreamSample::Rejected));
    }

    /// Notes that a server is being tried on a connection.
    #[inline(never)]
    pub(super) fn begin(&mut self, id: SocketId, server: usize, socket: &mut SocketCx<'_, '_>) {
        self.of.insert(id, server as u32);
        self.each[server].begin(socket);
    }

    /// Notes the result of an attempt on a connection. Returns the server if its breaker opens.
    pub(super) fn end(
        &mut self,
        id: SocketId,
        success: bool,
        socket: &mut SocketCx<'_, '_>,
    ) -> Option<u32> {
        let server = self.of.get(id)?;
        let opens = self.each[server as usize].end(success, socket);
        opens.then_some(server)
    }

    /// Notes the only result of the attempt on a connection.
    #[inline(never)]
    pub(super) fn end_last(&mut self, id: SocketId, success: bool, socket: &mut SocketCx<'_, '_>) {
        self.end(id, success, socket);
        self.of.remove(id);
    }

    /// Whether a connection leads to a server whose breaker is closed.
    pub(super) fn is_closed(&self, id: SocketId) -> bool {
        let server = self.of.get(id);
        server.is_none_or(|server| self.each[server as usize].state == BreakerState::Closed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaker(failures: Option<u32>, share: Option<f64>) -> Breaker {
        Breaker::new(BreakerSpec {
            failures,
            share,
            window: 4,
            ..BreakerSpec::default()
        })
    }

    /// The number of results until the breaker would open; `f` is a failure.
    fn results_until_open(mut breaker: Breaker, results: &str) -> Option<usize> {
        let mut results = results.chars().map(|c| c != 'f');
        results.position(|success| breaker.count(success))
    }

    #[test]
    fn failures_in_a_row_open_it_and_a_success_begins_a_new_row() {
        assert_eq!(
            results_until_open(breaker(Some(3), None), "ffsfff"),
            Some(5)
        );
        assert_eq!(results_until_open(breaker(Some(3), None), "ffsffs"), None);
    }

    #[test]
    fn a_share_of_failures_opens_it_once_the_window_is_full() {
        assert_eq!(
            results_until_open(breaker(None, Some(0.5)), "fffs"),
            Some(3)
        );
        assert_eq!(
            results_until_open(breaker(None, Some(0.5)), "fsssfsssfs"),
            None
        );
        assert_eq!(
            results_until_open(breaker(None, Some(0.5)), "sssfsf"),
            Some(5)
        );
        // Without a share, only failures in a row count.
        assert_eq!(results_until_open(breaker(Some(9), None), "ffff"), None);
    }
}
