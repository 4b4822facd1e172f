//! A connection that follows a timetable.

use sim_core::SimTime;

use crate::segment::ConnId;

/// A connection: all that is kept of it while it is open or in TIME-WAIT.
#[derive(Clone, Copy, Debug)]
pub(super) struct Life {
    /// When it was opened.
    pub(super) start: SimTime,
    pub(super) serial: u32,
    /// The place of its local address among those of its client.
    pub(super) address: u16,
    pub(super) port: u16,
    /// Its first step in this track.
    pub(super) from: u8,
    pub(super) flags: u8,
}

impl Life {
    /// It has left for another timetable.
    pub(super) const GONE: u8 = 1;
    /// The client, or the server, is no longer in TIME-WAIT, or never was.
    pub(super) const NO_TIME_WAIT: [u8; 2] = [2, 4];
    /// `tw_reuse`: its port is free although it is in TIME-WAIT.
    pub(super) const RIPE: u8 = 8;

    pub(super) fn has(self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// The identity of a connection of the same client and class.
pub(super) fn conn_of(first: ConnId, serial: u32) -> ConnId {
    ConnId::new(first.node(), serial).with_class(first.class())
}
