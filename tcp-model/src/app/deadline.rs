//! The deadline of a connection of an application.

use sim_core::{SimDuration, SimTime};

use super::per_socket::token;
use crate::host::{SocketCx, SocketId};

/// A time at which something is due. Moving it later requests no new wake: the one already requested
/// comes first and requests the next. A busy connection costs one wake per time-out, not one per
/// request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline {
    /// When it is due; `MAX` for never.
    at: SimTime,
    /// When the earliest wake is due that was requested and has not come yet; `MAX` for none.
    wake: SimTime,
}

impl Deadline {
    /// No deadline.
    pub(super) const NONE: Deadline = Deadline {
        at: SimTime::MAX,
        wake: SimTime::MAX,
    };

    /// Sets the deadline to `at`, replacing any other.
    fn set(&mut self, at: SimTime, id: SocketId, socket: &mut SocketCx<'_, '_>) {
        self.at = at;
        if self.wake > at || self.wake <= socket.now() {
            self.wake = at;
            socket.wake(at, token(id));
        }
    }

    /// Sets the deadline to `time` from now, replacing any other.
    pub(super) fn set_after(
        &mut self,
        time: SimDuration,
        id: SocketId,
        socket: &mut SocketCx<'_, '_>,
    ) {
        self.set(socket.now().saturating_add(time), id, socket);
    }

    /// Cancels the deadline.
    pub(super) fn clear(&mut self) {
        self.at = SimTime::MAX;
    }

    /// Handles a wake. Returns true if the deadline has been reached; it is then cleared.
    pub(super) fn has_come(&mut self, id: SocketId, socket: &mut SocketCx<'_, '_>) -> bool {
        let now = socket.now();
        if self.wake <= now {
            self.wake = SimTime::MAX;
        }
        // Later than the deadline after a pause of the host.
        if self.at <= now {
            self.at = SimTime::MAX;
            return true;
        }
        if self.at != SimTime::MAX && self.wake == SimTime::MAX {
            self.wake = self.at;
            socket.wake(self.at, token(id));
        }
        false
    }
}
