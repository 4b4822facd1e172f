//! Names of ICMP messages.

/// Types and codes of ICMP (RFC 792, RFC 1812).
const V4: [(&str, &str, u8, u8); 23] = [
    ("unreachable", "net_unreachable", 3, 0),
    ("unreachable", "host_unreachable", 3, 1),
    ("unreachable", "protocol_unreachable", 3, 2),
    ("unreachable", "port_unreachable", 3, 3),
    ("unreachable", "frag_needed", 3, 4),
    ("unreachable", "source_route_failed", 3, 5),
    ("unreachable", "net_unknown", 3, 6),
    ("unreachable", "host_unknown", 3, 7),
    ("unreachable", "source_host_isolated", 3, 8),
    ("unreachable", "net_prohibited", 3, 9),
    ("unreachable", "host_prohibited", 3, 10),
    ("unreachable", "net_unreachable_tos", 3, 11),
    ("unreachable", "net_unreachable_for_service", 3, 11),
    ("unreachable", "host_unreachable_tos", 3, 12),
    ("unreachable", "host_unreachable_for_service", 3, 12),
    ("unreachable", "packet_filtered", 3, 13),
    ("unreachable", "precedence_violation", 3, 14),
    ("unreachable", "precedence_cutoff", 3, 15),
    ("source_quench", "", 4, 0),
    ("redirect", "", 5, 0),
    ("time_exceeded", "", 11, 0),
    ("time_exceeded", "exceeded_in_transit", 11, 0),
    ("parameter_problem", "", 12, 0),
];

/// Types and codes of ICMPv6 (RFC 4443).
const V6: [(&str, &str, u8, u8); 13] = [
    ("unreachable", "net_unreachable", 1, 0),
    ("unreachable", "no_route", 1, 0),
    ("unreachable", "admin_prohibited", 1, 1),
    ("unreachable", "beyond_scope", 1, 2),
    ("unreachable", "addr_unreachable", 1, 3),
    ("unreachable", "address_unreachable", 1, 3),
    ("unreachable", "host_unreachable", 1, 3),
    ("unreachable", "port_unreachable", 1, 4),
    ("packet_too_big", "", 2, 0),
    ("time_exceeded", "", 3, 0),
    ("parameter_problem", "", 4, 0),
    ("parameter_problem", "next_header", 4, 1),
    ("parameter_problem", "option", 4, 2),
];

/// The type and code of a message; a code may be a number too, or be left out for the first.
pub(in super::super) fn numbers(v6: bool, kind: &str, code: &str) -> Option<(u8, u8)> {
    let table: &[_] = if v6 { &V6 } else { &V4 };
    let mut of_kind = table.iter().filter(|row| row.0 == kind).peekable();
    let first = of_kind.peek()?.2;
    if let Ok(code) = code.parse() {
        return Some((first, code));
    }
    if code.is_empty() {
        return Some((first, 0));
    }
    of_kind.find(|row| row.1 == code).map(|row| (row.2, row.3))
}
