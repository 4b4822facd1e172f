//! Names and numbers of ICMP messages.

use crate::sockets::socket_constants::table;

type Names = &'static [(&'static str, u8)];

/// Types of ICMP (RFC 792, RFC 950).
const V4: Names = table! {
    echo_reply = 0, unreachable = 3, source_quench = 4, redirect = 5, echo_request = 8,
    time_exceeded = 11, parameter_problem = 12, timestamp_request = 13, timestamp_reply = 14,
    information_request = 15, information_reply = 16, address_mask_request = 17,
    address_mask_reply = 18,
};

/// Codes of ICMP by type (RFC 792, RFC 1812).
const V4_CODES: &[(u8, Names)] = &[
    (
        3,
        table! {
            net_unreachable = 0, host_unreachable = 1, protocol_unreachable = 2, port_unreachable = 3,
            frag_needed = 4, source_route_failed = 5, net_unknown = 6, host_unknown = 7,
            source_host_isolated = 8, net_prohibited = 9, host_prohibited = 10,
            net_unreachable_tos = 11, net_unreachable_for_tos = 11, net_unreachable_for_service = 11,
            host_unreachable_tos = 12, host_unreachable_for_tos = 12,
            host_unreachable_for_service = 12, packet_filtered = 13, precedence_violation = 14,
            precedence_cutoff = 15,
        },
    ),
    (
        11,
        table! { exceeded_in_transit = 0, exceeded_reassembly = 1, },
    ),
];

/// Types of ICMPv6 (RFC 4443).
const V6: Names = table! {
    unreachable = 1, packet_too_big = 2, time_exceeded = 3, parameter_problem = 4,
    echo_request = 128, echo_reply = 129,
};

/// Codes of ICMPv6 by type (RFC 4443).
const V6_CODES: &[(u8, Names)] = &[
    (
        1,
        table! {
            net_unreachable = 0, no_route = 0, admin_prohibited = 1, beyond_scope = 2,
            addr_unreachable = 3, address_unreachable = 3, host_unreachable = 3, port_unreachable = 4,
        },
    ),
    (4, table! { next_header = 1, option = 2, }),
];

fn tables(v6: bool) -> (Names, &'static [(u8, Names)]) {
    if v6 { (V6, V6_CODES) } else { (V4, V4_CODES) }
}

/// The type and code of a message. Both may be given by number (`type_3`, `code_4`, `4`); a missing
/// code is 0.
pub(in super::super) fn numbers(v6: bool, kind: &str, code: &str) -> Option<(u8, u8)> {
    let (kinds, codes) = tables(v6);
    let find = |names: Names, name: &str| names.iter().find(|row| row.0 == name).map(|row| row.1);
    let by_number = kind.strip_prefix("type_").and_then(|n| n.parse().ok());
    let kind = by_number.or_else(|| find(kinds, kind))?;
    if code.is_empty() {
        return Some((kind, 0));
    }
    let by_number = code.strip_prefix("code_").unwrap_or(code).parse().ok();
    let named = || find(codes.iter().find(|row| row.0 == kind)?.1, code);
    Some((kind, by_number.or_else(named)?))
}

/// All names, for messages.
pub(in super::super) fn names(v6: bool) -> impl Iterator<Item = &'static str> {
    let (kinds, codes) = tables(v6);
    let codes = codes.iter().flat_map(|row| row.1);
    kinds.iter().chain(codes).map(|row| row.0)
}
