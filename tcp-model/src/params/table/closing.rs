//! Keep-alive, closing and TIME-WAIT.

macro_rules! rows {
    ($next:ident! { $($before:tt)* } $($others:ident)*) => {
        $next! { @rows {
            $($before)*
            "Keep-alive" {
                /// Idle time before the first keep-alive probe (RFC 9293 MUST-25: off by default).
                keepalive: Option<SimDuration> {
                    rfc9293: None, freebsd: Some(TcpParams::DEFAULT_KEEPALIVE),
                    macos: None,
                    kind: ParamKind::time(millis(100)).or("never")
                        .because("with less an idle connection would send more than ten probes a second"),
                    names: [linux("net.ipv4.tcp_keepalive_time", S), socket("TCP_KEEPIDLE")]
                }
                /// Time between keep-alive probes.
                keepalive_interval: SimDuration {
                    rfc9293: secs(75),
                    windows: secs(1),
                    kind: ParamKind::time(millis(100))
                        .because("with less a dead peer would be sent more than ten probes a second"),
                    names: [
                        linux("net.ipv4.tcp_keepalive_intvl", S),
                        freebsd("net.inet.tcp.keepintvl", MS),
                        socket("TCP_KEEPINTVL"),
                    ]
                }
                /// Unanswered probes after which the connection is considered dead.
                keepalive_probes: u32 {
                    rfc9293: 9, freebsd: 8,
                    windows: 10,
                    kind: ParamKind::count(1, 255, "probes").because("RFC 9293 MUST-29: at least one"),
                    names: [
                        linux("net.ipv4.tcp_keepalive_probes", BareNumber::Same),
                        freebsd("net.inet.tcp.keepcnt", BareNumber::Same),
                        socket("TCP_KEEPCNT"),
                    ]
                }
                /// Traffic does not move the keep-alive timer: when it expires, it checks how long the peer
                /// has been silent and waits for the remaining time.
                keepalive_polls: bool {
                    rfc9293: false, linux: true,
                    kind: ParamKind::flag()
                }
            }
            "Close and TIME-WAIT" {
                /// Time in TIME-WAIT: 2 MSL.
                time_wait: SimDuration {
                    rfc9293: secs(240), // section 3.4.2
                    linux: secs(60), freebsd: secs(60), // the MSL of FreeBSD is 30 s
                    windows: secs(120), macos: secs(30), solaris: secs(60),
                    kind: ParamKind::time(MICROSECOND).because("TIME-WAIT cannot be switched off"),
                    names: [freebsd("net.inet.tcp.msl", BareNumber::Half(MILLISECOND))]
                }
                /// How TIME-WAIT reacts to segments.
                time_wait_rules: TimeWaitRules {
                    rfc9293: TimeWaitRules::Rfc9293, linux: TimeWaitRules::Linux,
                    freebsd: TimeWaitRules::FreeBsd,
                    kind: ParamKind::words::<TimeWaitRules>()
                }
                /// An active open may reuse a local port in TIME-WAIT where timestamps make that safe.
                tw_reuse: TwReuse {
                    rfc9293: TwReuse::Off, linux: TwReuse::Loopback,
                    kind: ParamKind::flag_or_2("only for connections of a host with itself"),
                    names: [linux("net.ipv4.tcp_tw_reuse", BareNumber::Same)]
                }
                /// Age of a TIME-WAIT entry from which `tw_reuse` may reuse its port.
                tw_reuse_delay: SimDuration {
                    rfc9293: secs(1),
                    kind: ParamKind::time(SimDuration::ZERO),
                    names: [linux("net.ipv4.tcp_tw_reuse_delay", MS)]
                }
                /// With timestamps, TIME-WAIT lasts only three and a half retransmission time-outs, and for a
                /// minute a listener drops SYNs with an older timestamp than the last one of their address. So
                /// did Linux before 4.12. Hosts behind a NAT share an address but not a clock: most of their
                /// connects then fail. So do those of a host with `timestamp_offsets`.
                tw_recycle: bool {
                    rfc9293: false,
                    kind: ParamKind::flag(),
                    names: [linux("net.ipv4.tcp_tw_recycle", BareNumber::Flag)]
                }
                /// A listener accepts a new SYN in TIME-WAIT where that is safe (RFC 9293 MAY-2, RFC 6191).
                tw_accept_syn: bool {
                    rfc9293: true,
                    kind: ParamKind::flag()
                }
                /// Ignore RSTs in TIME-WAIT (RFC 1337, fix F1).
                rfc1337: bool {
                    rfc9293: false,
                    kind: ParamKind::flag(),
                    names: [linux("net.ipv4.tcp_rfc1337", BareNumber::Flag)]
                }
                /// Maximum number of sockets in TIME-WAIT on a host. Beyond that, connections close at
                /// once, which is unsafe: old segments may reach a new connection.
                max_tw_buckets: Option<u32> {
                    rfc9293: None, linux: Some(131_072),
                    kind: ParamKind::count(0, INT_MAX, "sockets").or("unlimited")
                        .because("Linux takes no larger number"),
                    names: [
                        linux("net.ipv4.tcp_max_tw_buckets", BareNumber::Same),
                        freebsd("net.inet.tcp.maxtcptw", BareNumber::Same),
                    ]
                }
                /// How long FIN-WAIT-2 lasts once the application has closed. FreeBSD's 675 s are eight
                /// keep-alive intervals of 75 s and a last one, without `fast_finwait2_recycle`.
                fin_timeout: Option<SimDuration> {
                    rfc9293: None, linux: Some(secs(60)), freebsd: Some(TcpParams::FREEBSD_FIN_WAIT),
                    windows: Some(secs(240)), macos: Some(secs(600)), solaris: Some(secs(675)),
                    kind: ParamKind::time(MICROSECOND).or("never").because("the peer needs time to close"),
                    names: [
                        linux("net.ipv4.tcp_fin_timeout", S),
                        freebsd("net.inet.tcp.finwait2_timeout", MS),
                        socket("TCP_LINGER2"),
                    ]
                }
                /// If `fin_timeout` is longer than `time_wait`, a closed connection stays in FIN-WAIT-2 for
                /// twice the difference: first as a full connection, then as a small entry, as on Linux.
                split_fin_timeout: bool {
                    rfc9293: false, linux: true,
                    kind: ParamKind::flag()
                }
            }
        } $($others)* }
    };
}
pub(super) use rows;
