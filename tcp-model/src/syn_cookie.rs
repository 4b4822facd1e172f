//! SYN cookies: a listener that keeps nothing of a SYN and reads what it must know from the ACK
//! that completes the handshake (RFC 4987 section 3.6), as Linux makes them.

use crate::seq::SeqNum;

/// What a SYN cookie and the segment that brought it back tell of a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// The own initial sequence number: the cookie.
    pub iss: SeqNum,
    /// The peer's.
    pub irs: SeqNum,
    /// The peer's MSS, rounded down to one that a cookie can tell.
    pub mss: u16,
    /// Shift count of the peer's window field; `None`: no scaling.
    pub window_shift: Option<u8>,
    /// SACK was offered.
    pub sack: bool,
    /// The peer's timestamp; `None`: it sends none.
    pub ts_recent: Option<u32>,
    /// ECN was asked for.
    pub ecn: bool,
}
