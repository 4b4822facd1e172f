//! Names and numbers of ICMP messages.

/// Types of ICMP (RFC 792, RFC 950).
const V4: [(&str, u8); 13] = [
    ("echo_reply", 0),
    ("unreachable", 3),
    ("source_quench", 4),
    ("redirect", 5),
    ("echo_request", 8),
    ("time_exceeded", 11),
    ("parameter_problem", 12),
    ("timestamp_request", 13),
    ("timestamp_reply", 14),
    ("information_request", 15),
    ("information_reply", 16),
    ("address_mask_request", 17),
    ("address_mask_reply", 18),
];

/// Codes of ICMP by type (RFC 792, RFC 1812).
const V4_CODES: [(u8, &str, u8); 22] = [
    (3, "net_unreachable", 0),
    (3, "host_unreachable", 1),
    (3, "protocol_unreachable", 2),
    (3, "port_unreachable", 3),
    (3, "frag_needed", 4),
    (3, "source_route_failed", 5),
    (3, "net_unknown", 6),
    (3, "host_unknown", 7),
    (3, "source_host_isolated", 8),
    (3, "net_prohibited", 9),
    (3, "host_prohibited", 10),
    (3, "net_unreachable_tos", 11),
    (3, "net_unreachable_for_tos", 11),
    (3, "net_unreachable_for_service", 11),
    (3, "host_unreachable_tos", 12),
    (3, "host_unreachable_for_tos", 12),
    (3, "host_unreachable_for_service", 12),
    (3, "packet_filtered", 13),
    (3, "precedence_violation", 14),
    (3, "precedence_cutoff", 15),
    (11, "exceeded_in_transit", 0),
    (11, "exceeded_reassembly", 1),
];

/// Types of ICMPv6 (RFC 4443).
const V6: [(&str, u8); 6] = [
    ("unreachable", 1),
    ("packet_too_big", 2),
    ("time_exceeded", 3),
    ("parameter_problem", 4),
    ("echo_request", 128),
    ("echo_reply", 129),
];

/// Codes of ICMPv6 by type (RFC 4443).
const V6_CODES: [(u8, &str, u8); 10] = [
    (1, "net_unreachable", 0),
    (1, "no_route", 0),
    (1, "admin_prohibited", 1),
    (1, "beyond_scope", 2),
    (1, "addr_unreachable", 3),
    (1, "address_unreachable", 3),
    (1, "host_unreachable", 3),
    (1, "port_unreachable", 4),
    (4, "next_header", 1),
    (4, "option", 2),
];

/// The type and code of a message. Both may be given by number (`type_3`, `code_4`, `4`); without a
/// code it is 0.
pub(in super::super) fn numbers(v6: bool, kind: &str, code: &str) -> Option<(u8, u8)> {
    let (kinds, codes): (&[_], &[_]) = if v6 {
        (&V6, &V6_CODES)
    } else {
        (&V4, &V4_CODES)
    };
    let by_number = kind.strip_prefix("type_").and_then(|n| n.parse().ok());
    let by_name = || kinds.iter().find(|row| row.0 == kind).map(|row| row.1);
    let kind = by_number.or_else(by_name)?;
    if code.is_empty() {
        return Some((kind, 0));
    }
    let by_number = code.strip_prefix("code_").unwrap_or(code).parse().ok();
    let named = |row: &&(u8, &str, u8)| row.0 == kind && row.1 == code;
    let code = by_number.or_else(|| codes.iter().find(named).map(|row| row.2))?;
    Some((kind, code))
}

/// All names, for messages.
pub(in super::super) fn names(v6: bool) -> impl Iterator<Item = &'static str> {
    let (kinds, codes): (&[_], &[_]) = if v6 {
        (&V6, &V6_CODES)
    } else {
        (&V4, &V4_CODES)
    };
    let kinds = kinds.iter().map(|row| row.0);
    kinds.chain(codes.iter().map(|row| row.1))
}
