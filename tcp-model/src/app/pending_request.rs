//! A request of a client with a pool, until it is answered or has failed for good.

use std::collections::VecDeque;

use sim_core::SimTime;

use super::origins::record_end;
use super::retrying::Attempt;
use crate::host::SocketCx;
use crate::sample::{Ending, ExchangeResult, RequestsWaiting, TcpSample};

/// A request that wants a connection, or has one.
#[derive(Clone, Copy, Debug)]
pub(super) struct PendingRequest {
    /// When it arrived, or its present attempt began.
    pub(super) since: SimTime,
    pub(super) attempt: Attempt,
}

impl PendingRequest {
    /// An attempt that begins now.
    pub(super) fn new(attempt: Attempt, socket: &SocketCx<'_, '_>) -> PendingRequest {
        let since = socket.now();
        PendingRequest { since, attempt }
    }

    /// Records that it is answered.
    pub(super) fn record_done(&self, socket: &mut SocketCx<'_, '_>) {
        record_end(self.attempt.wanted, ExchangeResult::Done, socket);
    }

    /// Records that it is still unanswered when the run ends or the host goes down.
    pub(super) fn record_cut_off(&self, socket: &mut SocketCx<'_, '_>) {
        record_end(self.attempt.wanted, ExchangeResult::Pending, socket);
    }
}

/// Records the requests that wait for a connection when the run ends or the host goes down.
pub(super) fn record_waiting(
    waiting: &VecDeque<PendingRequest>,
    by: Ending,
    socket: &mut SocketCx<'_, '_>,
) {
    for request in waiting {
        request.record_cut_off(socket);
    }
    if let Some(first) = waiting.front() {
        socket.record(TcpSample::Waiting(RequestsWaiting {
            requests: waiting.len() as u64,
            longest: socket.now().since(first.since),
            ending: by,
        }));
    }
}
