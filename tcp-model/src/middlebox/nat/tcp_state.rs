//! The state of a mapping, as the segments of its connection change it, and the time-out in each.

use sim_core::SimDuration;

use super::NatTimeouts;
use crate::segment::Flags;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MappingState {
    /// The host inside has sent a SYN.
    Opening,
    /// The other side has answered with a SYN.
    Answered,
    Established,
    /// One side has sent a FIN: the host inside, or the other.
    Closing {
        inside: bool,
    },
    Closed,
    Reset,
}

/// The state of a connection after a packet with these flags from inside or from outside.
pub(super) fn next_phase(phase: MappingState, flags: Flags, inside: bool) -> MappingState {
    if flags.is_rst() {
        return MappingState::Reset;
    }
    match phase {
        MappingState::Closed | MappingState::Reset if inside && flags.is_syn() => {
            MappingState::Opening
        }
        MappingState::Opening if !inside && flags.is_syn() => MappingState::Answered,
        MappingState::Answered | MappingState::Established if flags.is_fin() => {
            MappingState::Closing { inside }
        }
        MappingState::Answered if inside && flags.is_ack() => MappingState::Established,
        MappingState::Closing { inside: first } if flags.is_fin() && first != inside => {
            MappingState::Closed
        }
        same => same,
    }
}

pub(super) fn timeout(timeouts: &NatTimeouts, phase: MappingState) -> SimDuration {
    match phase {
        MappingState::Opening | MappingState::Answered => timeouts.opening,
        MappingState::Established => timeouts.established,
        MappingState::Closing { .. } => timeouts.closing,
        MappingState::Closed => timeouts.closed,
        MappingState::Reset => timeouts.reset,
    }
}
