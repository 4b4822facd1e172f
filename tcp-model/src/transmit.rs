//! A segment to be sent, and why it is retransmitted if it is.

use crate::segment::Segment;

use crate::resend_rule::RetransmitReason;

/// A segment that an end point sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// The segment.
    pub segment: Segment,
    /// The rule by which octets are retransmitted; `None` for new ones and for segments without sequence
    /// space.
    pub retransmission: Option<RetransmitReason>,
    /// It is a challenge ACK (RFC 5961). A host may suppress it to keep its limit over all connections (RFC
    /// 5961 section 7).
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

    /// Whether it retransmits octets.
    pub fn is_retransmission(&self) -> bool {
        self.retransmission.is_some()
    }
}
