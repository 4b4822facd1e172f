//! The negotiation of accurate ECN (RFC 9768 section 3.1): what flags of SYN and SYN-ACK mean, and the codes by
//! which each end tells the other how its handshake packet arrived.

use crate::segment::{Ecn, Flags};

/// How congestion marks are fed back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EcnFeedback {
    /// Not at all.
    None,
    /// RFC 3168.
    Classic,
    /// RFC 9768.
    Accurate,
}

/// AE, CWR and ECE as a number.
pub(crate) fn ace(flags: Flags) -> u8 {
    let bit = |is: bool, value: u8| if is { value } else { 0 };
    bit(flags.is_ae(), 4) | bit(flags.is_cwr(), 2) | bit(flags.is_ece(), 1)
}

/// The flags for an ACE value.
pub(crate) fn ace_flags(ace: u8) -> Flags {
    let bit = |value: u8, flag: Flags| if ace & value != 0 { flag } else { Flags::NONE };
    bit(4, Flags::AE) | bit(2, Flags::CWR) | bit(1, Flags::ECE)
}

/// Tables 2 and 3: how a SYN-ACK, or its ACK, reports the codepoint of the previous segment.
pub(crate) fn handshake_code(arrived: Ecn) -> u8 {
    match arrived {
        Ecn::NotEct => 0b010,
        Ecn::Ect1 => 0b011,
        Ecn::Ect0 => 0b100,
        Ecn::Ce => 0b110,
    }
}

/// Table 2 and section 3.1.3: how a server with accurate ECN interprets a SYN.
pub(crate) fn asked_for(syn: Flags) -> EcnFeedback {
    match ace(syn) {
        0b000 => EcnFeedback::None,
        0b011 => EcnFeedback::Classic,
        _ => EcnFeedback::Accurate,
    }
}

/// Table 2 and section 3.1.3: how a client that has requested accurate ECN interprets a SYN-ACK.
pub(crate) fn granted(syn_ack: Flags) -> EcnFeedback {
    match ace(syn_ack) {
        0b000 | 0b111 => EcnFeedback::None,
        0b001 => EcnFeedback::Classic,
        _ => EcnFeedback::Accurate,
    }
}

/// The codepoint that such a code reports; `None` for an undefined code.
pub(super) fn reported(code: u8) -> Option<Ecn> {
    match code {
        0b010 => Some(Ecn::NotEct),
        0b011 => Some(Ecn::Ect1),
        0b100 => Some(Ecn::Ect0),
        0b110 => Some(Ecn::Ce),
        _ => None,
    }
}

/// True if no compliant path turns one codepoint into the other (section 3.2.2.3).
pub(super) fn is_invalid(sent: Ecn, arrived: Ecn) -> bool {
    (sent == Ecn::NotEct) != (arrived == Ecn::NotEct) || (sent == Ecn::Ce && arrived != Ecn::Ce)
}
