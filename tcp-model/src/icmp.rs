//! ICMP errors as seen by a connection (RFC 792, RFC 1122 section 3.2.2, RFC 4443).
//!
//! An error quotes the packet that caused it: IP header and the first eight octets of TCP, which are the
//! ports and the sequence number. The caller has matched the ports; the connection gets the kind of error
//! and the quoted sequence number.

use std::fmt;

use crate::errno::{self, Errno};
use crate::seq::SeqNum;

/// An ICMP error about a segment of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IcmpError {
    /// What is wrong.
    pub kind: IcmpKind,
    /// Sequence number of the quoted segment.
    pub seq: SeqNum,
}

/// The kind of an ICMP error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IcmpKind {
    /// No route to the network (type 3 code 0; ICMPv6 type 1 code 0).
    NetUnreachable,
    /// The host is unreachable (3/1; ICMPv6 1/3).
    HostUnreachable,
    /// The host does not support TCP (3/2).
    ProtocolUnreachable,
    /// The port is closed (3/3; ICMPv6 1/4).
    PortUnreachable,
    /// Longer than the next link's MTU, in bytes, and not to be fragmented (3/4; ICMPv6 2/0). Zero from
    /// routers older than RFC 1191.
    PacketTooBig(u32),
    /// The source route failed (3/5).
    SourceRouteFailed,
    /// The network is unknown (3/6).
    NetUnknown,
    /// The host is unknown (3/7).
    HostUnknown,
    /// The source host is isolated (3/8).
    HostIsolated,
    /// Traffic to the network is forbidden (3/9).
    NetProhibited,
    /// Traffic to the host is forbidden (3/10).
    HostProhibited,
    /// Not reachable with this type of service (3/11 and 3/12; the flag is set for the latter).
    UnreachableForTos {
        /// The host, not its network.
        host: bool,
    },
    /// Filtered, or cut off by precedence (3/13 to 3/15; ICMPv6 1/1).
    Prohibited,
    /// The hop limit was exceeded, or reassembly timed out (type 11; ICMPv6 type 3).
    TimeExceeded,
    /// Something in the IP header is wrong (type 12; ICMPv6 type 4).
    ParameterProblem,
    /// A request to slow down (type 4), to be ignored (RFC 6633).
    SourceQuench,
}

impl IcmpKind {
    /// From the numbers of an ICMP message; `mtu` is the next-hop MTU that type 3 code 4 carries. `None`
    /// for messages that are not errors about a packet.
    pub fn from_v4(icmp_type: u8, code: u8, mtu: u16) -> Option<IcmpKind> {
        Some(match (icmp_type, code) {
            (3, 0) => IcmpKind::NetUnreachable,
            (3, 1) => IcmpKind::HostUnreachable,
            (3, 2) => IcmpKind::ProtocolUnreachable,
            (3, 3) => IcmpKind::PortUnreachable,
            (3, 4) => IcmpKind::PacketTooBig(u32::from(mtu)),
            (3, 5) => IcmpKind::SourceRouteFailed,
            (3, 6) => IcmpKind::NetUnknown,
            (3, 7) => IcmpKind::HostUnknown,
            (3, 8) => IcmpKind::HostIsolated,
            (3, 9) => IcmpKind::NetProhibited,
            (3, 10) => IcmpKind::HostProhibited,
            (3, 11) => IcmpKind::UnreachableForTos { host: false },
            (3, 12) => IcmpKind::UnreachableForTos { host: true },
            (3, 13..=15) => IcmpKind::Prohibited,
            (4, 0) => IcmpKind::SourceQuench,
            (11, 0..=1) => IcmpKind::TimeExceeded,
            (12, 0..=2) => IcmpKind::ParameterProblem,
            _ => return None,
        })
    }

    /// From the numbers of an ICMPv6 message (RFC 4443); `mtu` is what type 2 carries.
    pub fn from_v6(icmp_type: u8, code: u8, mtu: u32) -> Option<IcmpKind> {
        Some(match (icmp_type, code) {
            (1, 0) => IcmpKind::NetUnreachable,
            (1, 1 | 5 | 6) => IcmpKind::Prohibited,
            (1, 2 | 3) => IcmpKind::HostUnreachable,
            (1, 4) => IcmpKind::PortUnreachable,
            (2, 0) => IcmpKind::PacketTooBig(mtu),
            (3, 0..=1) => IcmpKind::TimeExceeded,
            (4, 0..=2) => IcmpKind::ParameterProblem,
            _ => return None,
        })
    }

    /// The error that an application on Linux sees.
    pub const fn errno(self) -> Errno {
        match self {
            IcmpKind::NetUnreachable
            | IcmpKind::NetUnknown
            | IcmpKind::NetProhibited
            | IcmpKind::UnreachableForTos { host: false } => errno::ENETUNREACH,
            IcmpKind::HostUnreachable
            | IcmpKind::HostProhibited
            | IcmpKind::UnreachableForTos { host: true }
            | IcmpKind::Prohibited
            | IcmpKind::TimeExceeded
            | IcmpKind::SourceQuench => errno::EHOSTUNREACH,
            IcmpKind::ProtocolUnreachable => errno::ENOPROTOOPT,
            IcmpKind::PortUnreachable => errno::ECONNREFUSED,
            IcmpKind::PacketTooBig(_) => errno::EMSGSIZE,
            IcmpKind::SourceRouteFailed => errno::EOPNOTSUPP,
            IcmpKind::HostUnknown => errno::EHOSTDOWN,
            IcmpKind::HostIsolated => errno::ENONET,
            IcmpKind::ParameterProblem => errno::EPROTO,
        }
    }

    /// A hard error of RFC 1122 section 4.2.3.9: a permanent one. Code 4, hard there, is now used by path
    /// MTU discovery.
    pub const fn is_hard(self) -> bool {
        matches!(
            self,
            IcmpKind::ProtocolUnreachable | IcmpKind::PortUnreachable
        )
    }
}

impl fmt::Display for IcmpKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            IcmpKind::NetUnreachable => "network unreachable",
            IcmpKind::HostUnreachable => "host unreachable",
            IcmpKind::ProtocolUnreachable => "protocol unreachable",
            IcmpKind::PortUnreachable => "port unreachable",
            IcmpKind::PacketTooBig(mtu) => return write!(f, "packet too big for MTU {mtu}"),
            IcmpKind::SourceRouteFailed => "source route failed",
            IcmpKind::NetUnknown => "network unknown",
            IcmpKind::HostUnknown => "host unknown",
            IcmpKind::HostIsolated => "source host isolated",
            IcmpKind::NetProhibited => "network prohibited",
            IcmpKind::HostProhibited => "host prohibited",
            IcmpKind::UnreachableForTos { host: false } => "network unreachable for this service",
            IcmpKind::UnreachableForTos { host: true } => "host unreachable for this service",
            IcmpKind::Prohibited => "communication prohibited",
            IcmpKind::TimeExceeded => "time exceeded",
            IcmpKind::ParameterProblem => "parameter problem",
            IcmpKind::SourceQuench => "source quench",
        };
        f.pad(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_both_protocols_name_the_errors() {
        for (numbers, kind) in [
            ((3, 1, 0), Some(IcmpKind::HostUnreachable)),
            ((3, 4, 1300), Some(IcmpKind::PacketTooBig(1300))),
            ((3, 16, 0), None),
            ((11, 1, 0), Some(IcmpKind::TimeExceeded)),
            ((8, 0, 0), None),
        ] {
            assert_eq!(IcmpKind::from_v4(numbers.0, numbers.1, numbers.2), kind);
        }
        assert_eq!(
            IcmpKind::from_v6(2, 0, 1280),
            Some(IcmpKind::PacketTooBig(1280))
        );
        assert_eq!(IcmpKind::from_v6(1, 4, 0), Some(IcmpKind::PortUnreachable));
        assert_eq!(IcmpKind::from_v6(128, 0, 0), None);
        let hard = |code| IcmpKind::from_v4(3, code, 0).is_some_and(IcmpKind::is_hard);
        assert_eq!(
            (0..16).filter(|c| hard(*c)).collect::<Vec<_>>(),
            [2, 3],
            "RFC 1122 section 4.2.3.9"
        );
    }
}
