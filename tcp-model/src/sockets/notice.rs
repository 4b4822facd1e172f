//! Entries of a socket's error queue.

use sim_core::SimTime;

/// An entry of the error queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// A time.
    Time {
        at: SimTime,
        /// SCM_TSTAMP_….
        kind: i64,
        /// Offset of the call's last byte, with OPT_ID.
        key: i64,
    },
    /// Completed calls with MSG_ZEROCOPY: the first and the last.
    Copied(u32, u32),
    /// An ICMP error about a SYN.
    Icmp {
        errno: i64,
        v6: bool,
        /// Type, code and extra information.
        values: [i64; 3],
    },
}
