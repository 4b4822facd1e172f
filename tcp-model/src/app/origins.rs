//! When exchanges were wanted: the start of their total time, which includes failed attempts, back-off and waits.

use sim_core::SimTime;

use super::per_socket::PerSocket;
use super::spec::ClientSpec;
use crate::host::{SocketCx, SocketId};
use crate::sample::{ExchangeEnd, ExchangeResult, TcpSample};

/// The time at which an exchange of a client is wanted, now, for [`record_end`]; `MAX` if it is not recorded.
pub(super) fn wanted_now(spec: &ClientSpec, socket: &SocketCx<'_, '_>) -> SimTime {
    match spec.exchange_times {
        true => socket.now(),
        false => SimTime::MAX,
    }
}

/// Records how an exchange that was wanted at `wanted` ends now; nothing for `MAX`.
pub(super) fn record_end(wanted: SimTime, result: ExchangeResult, socket: &mut SocketCx<'_, '_>) {
    if wanted == SimTime::MAX {
        return;
    }
    let took = socket.now().since(wanted);
    socket.record(TcpSample::Exchange(ExchangeEnd { took, result }));
}

/// When the exchanges on the connections of a client were wanted; without a pool.
#[derive(Debug, Default)]
pub(super) struct Origins {
    of: PerSocket<SimTime>,
}

impl Origins {
    /// The record for a client, if the times of its exchanges are recorded.
    pub(super) fn new(spec: &ClientSpec) -> Option<Box<Origins>> {
        spec.exchange_times.then(Box::default)
    }

    /// Notes that an exchange wanted at `wanted` is attempted on a connection.
    #[inline(never)]
    pub(super) fn begin(&mut self, id: SocketId, wanted: SimTime) {
        self.of.insert(id, wanted);
    }

    /// Takes the exchange of a connection, unless it is done.
    #[inline(never)]
    pub(super) fn take(&mut self, id: SocketId) -> Option<SimTime> {
        self.of.remove(id)
    }

    /// Records that the exchange of a connection is done.
    #[inline(never)]
    pub(super) fn done(&mut self, id: SocketId, socket: &mut SocketCx<'_, '_>) {
        if let Some(wanted) = self.take(id) {
            record_end(wanted, ExchangeResult::Done, socket);
        }
    }

    /// Records the exchanges that are being attempted when the run ends or the host goes down.
    #[cold]
    pub(super) fn on_cut_off(&self, socket: &mut SocketCx<'_, '_>) {
        for wanted in self.of.iter() {
            record_end(*wanted, ExchangeResult::Pending, socket);
        }
    }
}
