//! The clock of timestamp options (RFC 7323 section 5.4): milliseconds, before the offset that each
//! connection adds.

use sim_core::{SimDuration, SimTime};

/// Milliseconds since the start of the run, modulo 2^32.
pub(crate) fn ts_clock(now: SimTime) -> u32 {
    (now.as_ps() / SimDuration::from_millis(1).as_ps()) as u32
}
