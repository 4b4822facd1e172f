//! The connection states of RFC 9293 section 3.3.2.

use std::fmt;

/// A connection state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(u8)]
pub enum State {
    /// No connection.
    #[default]
    Closed,
    /// Waiting for a SYN.
    Listen,
    /// SYN sent, waiting for the peer's.
    SynSent,
    /// Both SYNs exchanged, ours not yet acknowledged.
    SynReceived,
    /// Open; data flows both ways.
    Established,
    /// FIN sent, neither acknowledged nor answered.
    FinWait1,
    /// Our FIN acknowledged, the peer's outstanding.
    FinWait2,
    /// The peer's FIN received, ours not yet sent.
    CloseWait,
    /// Both FINs sent, ours not yet acknowledged: a simultaneous close.
    Closing,
    /// Our FIN sent after the peer's, not yet acknowledged.
    LastAck,
    /// Both FINs acknowledged; 2 MSL until the 4-tuple is free.
    TimeWait,
}

impl State {
    /// All states in the order of the enum.
    pub const ALL: [State; 11] = [
        State::Closed,
        State::Listen,
        State::SynSent,
        State::SynReceived,
        State::Established,
        State::FinWait1,
        State::FinWait2,
        State::CloseWait,
        State::Closing,
        State::LastAck,
        State::TimeWait,
    ];

    /// Whether a connection may go from this state to `next`: the transitions of RFC 9293 figure 5 and
    /// those it leaves out (sections 3.5 and 3.6: any state may end, simultaneous open, a FIN that also
    /// acknowledges ours). If the TIME-WAIT table is full, a connection goes from its last state directly
    /// to CLOSED.
    pub const fn may_become(self, next: State) -> bool {
        use State::{
            CloseWait, Closed, Closing, Established, FinWait1, FinWait2, LastAck, Listen,
            SynReceived, SynSent, TimeWait,
        };
        matches!(
            (self, next),
            (_, Closed)
                | (Closed, Listen | SynSent | TimeWait)
                | (Listen, SynReceived | SynSent | Established)
                | (SynSent, SynReceived | Established)
                | (SynReceived, Established | FinWait1 | CloseWait | Listen)
                | (Established, FinWait1 | CloseWait)
                | (FinWait1, FinWait2 | Closing | TimeWait)
                | (FinWait2 | Closing, TimeWait)
                | (CloseWait, LastAck)
        )
    }

    /// The name in the RFC, "SYN-RECEIVED".
    pub const fn name(self) -> &'static str {
        match self {
            State::Closed => "CLOSED",
            State::Listen => "LISTEN",
            State::SynSent => "SYN-SENT",
            State::SynReceived => "SYN-RECEIVED",
            State::Established => "ESTABLISHED",
            State::FinWait1 => "FIN-WAIT-1",
            State::FinWait2 => "FIN-WAIT-2",
            State::CloseWait => "CLOSE-WAIT",
            State::Closing => "CLOSING",
            State::LastAck => "LAST-ACK",
            State::TimeWait => "TIME-WAIT",
        }
    }

    /// Whether both SYNs have been exchanged and acknowledged (RFC 9293 section 3.4,
    /// "synchronized").
    pub const fn is_synchronized(self) -> bool {
        !matches!(
            self,
            State::Closed | State::Listen | State::SynSent | State::SynReceived
        )
    }

    /// Whether the application may still send.
    pub const fn can_send(self) -> bool {
        matches!(self, State::Established | State::CloseWait)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
