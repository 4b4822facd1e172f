//! Resets, challenge ACKs and ICMP.

macro_rules! rows {
    ($next:ident! { $($before:tt)* } $($others:ident)*) => {
        $next! { @rows {
            $($before)*
            "Resets, challenge ACKs and ICMP" {
                /// The RST that answers data after close takes its sequence number from the segment, as if
                /// there were no connection. Otherwise it has SND.NXT and an acknowledgement.
                reset_from_segment: bool {
                    rfc9293: false, linux: true, freebsd: true,
                    kind: ParamKind::flag()
                }
                /// An RST anywhere in the window resets the connection, without the checks of RFC 5961
                /// section 3.
                rst_in_window_resets: bool {
                    rfc9293: false,
                    kind: ParamKind::flag(),
                    names: [freebsd("net.inet.tcp.insecure_rst", BareNumber::Flag)]
                }
                /// A SYN in the window resets the connection, as in RFC 793, without the checks of RFC 5961
                /// section 4.
                syn_in_window_resets: bool {
                    rfc9293: false,
                    kind: ParamKind::flag(),
                    names: [freebsd("net.inet.tcp.insecure_syn", BareNumber::Flag)]
                }
                /// Minimum time between two ACKs that answer unacceptable segments (RFC 5961 section 7).
                challenge_ack_interval: SimDuration {
                    rfc9293: SimDuration::ZERO, linux: millis(500),
                    kind: ParamKind::time(SimDuration::ZERO),
                    names: [linux("net.ipv4.tcp_invalid_ratelimit", MS)]
                }
                /// Maximum challenge ACKs of a host per second, over all its connections.
                challenge_ack_limit: Option<u32> {
                    rfc9293: None,
                    kind: ParamKind::count(0, INT_MAX, "ACKs").or("unlimited")
                        .because("Linux takes no larger number"),
                    names: [linux("net.ipv4.tcp_challenge_ack_limit", BareNumber::Rule(unlimited_from_i32_max))]
                }
                /// A hard ICMP error ends a connection in any state (RFC 9293 SHLD-26). Otherwise only
                /// before the connection is synchronized (RFC 5927 section 5.2, Linux).
                icmp_hard_abort: bool {
                    rfc9293: true, linux: false,
                    kind: ParamKind::flag()
                }
                /// A soft ICMP error ends a connection attempt (RFC 5461 section 3.1, Linux). Otherwise it
                /// ends no connection (RFC 9293 MUST-56).
                icmp_soft_abort_connect: bool {
                    rfc9293: false, linux: true,
                    kind: ParamKind::flag()
                }
            }
        } $($others)* }
    };
}
pub(super) use rows;
