//! A segment on its way out, and why it is sent again if it is.

use std::fmt;

use crate::segment::Segment;

/// A segment that an end point wants sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// The segment.
    pub segment: Segment,
    /// The rule by which octets that were sent before are sent again; `None` for new ones and for
    /// segments without sequence space.
    pub retransmission: Option<RetransmitReason>,
    /// It is a challenge ACK (RFC 5961). A host may suppress it to keep to its limit for all
    /// connections together (RFC 5961 section 7).
    pub challenge: bool,
}

impl Transmit {
    /// A segment that is sent for the first time.
    pub fn new(segment: Segment) -> Transmit {
        Transmit {
            segment,
            retransmission: None,
            challenge: false,
        }
    }

    /// It repeats octets sent before.
    pub fn is_retransmission(&self) -> bool {
        self.retransmission.is_some()
    }
}

/// The rule by which a segment is sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RetransmitReason {
    /// Duplicate ACKs reached the threshold (RFC 5681 section 3.2).
    DuplicateAcks,
    /// A partial ACK in fast recovery without SACK (RFC 6582 section 3.2).
    PartialAck,
    /// SACK blocks show a hole that is lost (RFC 6675).
    Sack,
    /// Something sent later was delivered long enough ago (RFC 8985 section 6).
    Rack,
    /// A tail loss probe (RFC 8985 section 7).
    TailLossProbe,
    /// The retransmission timer expired (RFC 6298 rule 5.4); a FIN alone included.
    Timeout,
    /// The rest of what was outstanding when the timer expired, as the window admits it
    /// (RFC 5681 section 3.1).
    AfterTimeout,
    /// The same once F-RTO has found that the time-out was for a real loss (RFC 5682 step 3a).
    Frto,
    /// The timer of a SYN or SYN-ACK expired (RFC 6298).
    SynTimeout,
    /// The peer repeated its SYN, so that the SYN-ACK seems lost.
    DuplicateSyn,
    /// Both ends opened at once: the SYN is repeated in the SYN-ACK (RFC 9293 section 3.5).
    SimultaneousOpen,
    /// An octet is sent again to ask a closed window for news (RFC 9293 section 3.8.6.1).
    WindowProbe,
    /// A router found it too big for the path (RFC 1191).
    PathMtu,
}

impl RetransmitReason {
    /// All of them.
    pub const ALL: [RetransmitReason; 13] = [
        RetransmitReason::DuplicateAcks,
        RetransmitReason::PartialAck,
        RetransmitReason::Sack,
        RetransmitReason::Rack,
        RetransmitReason::TailLossProbe,
        RetransmitReason::Timeout,
        RetransmitReason::AfterTimeout,
        RetransmitReason::Frto,
        RetransmitReason::SynTimeout,
        RetransmitReason::DuplicateSyn,
        RetransmitReason::SimultaneousOpen,
        RetransmitReason::WindowProbe,
        RetransmitReason::PathMtu,
    ];

    /// The words that tables and figures use.
    pub const fn as_str(self) -> &'static str {
        match self {
            RetransmitReason::DuplicateAcks => "duplicate ACKs",
            RetransmitReason::PartialAck => "partial ACK",
            RetransmitReason::Sack => "SACK",
            RetransmitReason::Rack => "RACK",
            RetransmitReason::TailLossProbe => "TLP",
            RetransmitReason::Timeout => "RTO",
            RetransmitReason::AfterTimeout => "slow start after RTO",
            RetransmitReason::Frto => "slow start after F-RTO",
            RetransmitReason::SynTimeout => "SYN time-out",
            RetransmitReason::DuplicateSyn => "duplicate SYN",
            RetransmitReason::SimultaneousOpen => "simultaneous open",
            RetransmitReason::WindowProbe => "window probe",
            RetransmitReason::PathMtu => "path MTU",
        }
    }
}

impl fmt::Display for RetransmitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
