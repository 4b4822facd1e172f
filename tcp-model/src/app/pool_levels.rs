//! How many connections a pool has, as it records them.

use crate::host::SocketCx;
use crate::sample::{PoolLevels, PoolSample, TcpSample};

/// The levels of a pool as last recorded.
#[derive(Debug, Default)]
pub(super) struct RecordedLevels(PoolLevels);

impl RecordedLevels {
    /// Records how the levels have changed since the last record.
    pub(super) fn record(&mut self, now: PoolLevels, socket: &mut SocketCx<'_, '_>) {
        if now == self.0 {
            return;
        }
        socket.record(TcpSample::Pool(PoolSample::Changed(PoolLevels {
            open: now.open - self.0.open,
            idle: now.idle - self.0.idle,
            waiting: now.waiting - self.0.waiting,
        })));
        self.0 = now;
    }
}
