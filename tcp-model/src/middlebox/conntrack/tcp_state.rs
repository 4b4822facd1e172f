//! The state of a tracked connection, and what each segment does to it, as in Linux.

use crate::segment::Flags;

/// A state of a tracked connection, named as in Linux.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TrackedState {
    SynSent,
    /// Both ends have sent a SYN.
    SynSent2,
    SynRecv,
    Established,
    FinWait,
    CloseWait,
    LastAck,
    TimeWait,
    Close,
}

/// What a packet does to an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transition {
    /// It moves there, or stays.
    Move(TrackedState),
    /// It passes and changes nothing.
    Ignore,
    /// It begins another connection in place of this one.
    Again,
    Invalid,
}

/// What a packet in the original or the reply direction does to an entry: Linux's table of states.
pub(super) fn next(phase: TrackedState, flags: Flags, original: bool) -> Transition {
    use TrackedState::{
        Close, CloseWait, Established, FinWait, LastAck, SynRecv, SynSent, SynSent2, TimeWait,
    };
    if flags.is_rst() {
        return Transition::Move(Close);
    }
    if flags.is_syn() && flags.is_ack() {
        return match (phase, original) {
            (SynSent2, true) | (SynSent | SynSent2, false) => Transition::Move(SynRecv),
            (_, true) => Transition::Invalid,
            (_, false) => Transition::Ignore,
        };
    }
    if flags.is_syn() {
        return match (phase, original) {
            (TimeWait | Close, true) | (TimeWait, false) => Transition::Again,
            (SynSent, true) => Transition::Move(SynSent),
            (SynSent | SynSent2, false) | (SynSent2, true) => Transition::Move(SynSent2),
            (_, true) => Transition::Ignore,
            (_, false) => Transition::Invalid,
        };
    }
    if flags.is_fin() {
        return match phase {
            SynRecv | Established => Transition::Move(FinWait),
            FinWait | CloseWait => Transition::Move(LastAck),
            LastAck => Transition::Move(LastAck),
            TimeWait => Transition::Move(TimeWait),
            Close => Transition::Move(Close),
            SynSent | SynSent2 => Transition::Invalid,
        };
    }
    if !flags.is_ack() {
        return Transition::Invalid;
    }
    match (phase, original) {
        (SynSent, true) => Transition::Invalid,
        (SynSent | SynSent2, _) => Transition::Ignore,
        (SynRecv, true) => Transition::Move(Established),
        (SynRecv, false) => Transition::Move(SynRecv),
        (Established, _) => Transition::Move(Established),
        (FinWait | CloseWait, _) => Transition::Move(CloseWait),
        (LastAck | TimeWait, _) => Transition::Move(TimeWait),
        (Close, _) => Transition::Move(Close),
    }
}
