//! The retransmission time-out, and when a connection gives up.

macro_rules! rows {
    ($next:ident! { $($before:tt)* } $($others:ident)*) => {
        $next! { @rows {
            $($before)*
            "Retransmission time-out" {
                /// Granularity of timers.
                timers: TimerGranularity {
                    rfc9293: TimerGranularity::Exact,
                    kind: ParamKind::words::<TimerGranularity>()
                }
                /// Time-out before the first RTT sample (RFC 6298 rule 2.1). At most `max_rto`.
                initial_rto: SimDuration {
                    rfc9293: secs(1),
                    windows: secs(3), solaris: secs(3),
                    kind: ParamKind::time_up_to(MILLISECOND, HOUR)
                        .because("a shorter one would retransmit SYNs again and again before any answer"),
                    names: [freebsd("net.inet.tcp.rexmit_initial", MS)]
                }
                /// Smallest time-out (RFC 6298 rule 2.4). At most `max_rto`.
                min_rto: SimDuration {
                    rfc9293: secs(1), linux: millis(200), freebsd: millis(30),
                    windows: millis(300), solaris: millis(400),
                    kind: ParamKind::time_up_to(MICROSECOND, HOUR)
                        .because("a shorter one could cause millions of events within a microsecond"),
                    names: [
                        linux("net.ipv4.tcp_rto_min_us", US),
                        other("tcp_rto_min"),
                        freebsd("net.inet.tcp.rexmit_min", MS),
                    ]
                }
                /// Largest time-out (RFC 6298 rule 2.5).
                max_rto: SimDuration {
                    rfc9293: secs(60), linux: secs(120), freebsd: secs(64),
                    kind: ParamKind::time_up_to(MILLISECOND, HOUR)
                        .because("with less a dead peer would be sent more than a thousand segments a second"),
                    names: [linux("net.ipv4.tcp_rto_max_ms", MS), other("tcp_rto_max")]
                }
                /// Added to every time-out, also after back-off, except the first of a SYN, as on FreeBSD.
                rto_slop: SimDuration {
                    rfc9293: SimDuration::ZERO, freebsd: millis(200),
                    kind: ParamKind::time_up_to(SimDuration::ZERO, secs(10))
                        .because("a longer one would only delay retransmissions"),
                    names: [freebsd("net.inet.tcp.rexmit_slop", MS)]
                }
                /// Compute the time-out as Linux does: the minimum applies only to the deviation, RTO =
                /// SRTT + max(min, deviation), and the largest deviation within a round trip counts. The
                /// timer restarts when the first outstanding segment is retransmitted. Otherwise as in RFC
                /// 6298.
                linux_rto: bool {
                    rfc9293: false, linux: true,
                    kind: ParamKind::flag()
                }
            }
            "Giving up" {
                /// When to give up on an unanswered SYN. Retransmissions are counted after the linear
                /// time-outs, as in Linux.
                syn_give_up "syn_retries": GiveUp {
                    rfc9293: GiveUp::After(secs(180)), // MUST-23
                    linux: GiveUp::Retries(6), // after the linear ones
                    freebsd: GiveUp::After(secs(75)),
                    windows: GiveUp::Retries(2),
                    kind: ParamKind::give_up(),
                    names: [
                        linux("net.ipv4.tcp_syn_retries", BareNumber::Same),
                        freebsd("net.inet.tcp.keepinit", MS),
                        socket("TCP_SYNCNT"),
                    ]
                }
                /// A connection attempt ends exactly when the time of `syn_retries` has passed, as with
                /// FreeBSD's keep-alive timer. Otherwise it ends at the next time-out.
                syn_limit_exact: bool {
                    rfc9293: false, freebsd: true,
                    kind: ParamKind::flag()
                }
                /// Time-outs of a SYN before back-off starts.
                syn_linear_timeouts: u32 {
                    rfc9293: 0, linux: 4,
                    kind: ParamKind::count(0, 127, "time-outs").because("Linux takes no more"),
                    names: [linux("net.ipv4.tcp_syn_linear_timeouts", BareNumber::Same)]
                }
                /// When to give up on an unanswered SYN-ACK.
                synack_give_up "synack_retries": GiveUp {
                    rfc9293: GiveUp::After(secs(180)), linux: GiveUp::Retries(5), freebsd: GiveUp::Retries(3),
                    windows: GiveUp::Retries(2),
                    kind: ParamKind::give_up(),
                    names: [
                        linux("net.ipv4.tcp_synack_retries", BareNumber::Same),
                        freebsd("net.inet.tcp.syncache.rexmtlimit", BareNumber::Same),
                    ]
                }
                /// When to give up on unacknowledged data or a FIN: R2 of RFC 9293 section 3.8.3.
                data_give_up "retries2": GiveUp {
                    rfc9293: GiveUp::After(secs(100)), // SHLD-11
                    linux: GiveUp::Retries(15), freebsd: GiveUp::Retries(12),
                    windows: GiveUp::Retries(5), solaris: GiveUp::After(secs(480)),
                    kind: ParamKind::give_up(),
                    names: [
                        linux("net.ipv4.tcp_retries2", BareNumber::Same),
                        freebsd("net.inet.tcp.rexmit_retries", BareNumber::Same),
                    ]
                }
                /// When to give up after the application has closed.
                orphan_give_up "orphan_retries": GiveUp {
                    rfc9293: GiveUp::After(secs(100)), linux: GiveUp::Retries(8), freebsd: GiveUp::Retries(12),
                    windows: GiveUp::Retries(5), solaris: GiveUp::After(secs(480)),
                    kind: ParamKind::give_up(),
                    names: [linux("net.ipv4.tcp_orphan_retries", BareNumber::Rule(eight_for_zero))]
                }
                /// Retransmissions after which the path is in doubt: R1 of RFC 9293 section 3.8.3.
                retries1: u32 {
                    rfc9293: 3, // SHLD-10
                    kind: ParamKind::count(1, 255, "retransmissions").because("Linux counts them in 8 bits"),
                    names: [linux("net.ipv4.tcp_retries1", BareNumber::Same)]
                }
                /// How long data may stay unacknowledged, or the window closed, before the connection is
                /// given up, regardless of the number of retransmissions (RFC 5482, local side).
                user_timeout: Option<SimDuration> {
                    rfc9293: None,
                    kind: ParamKind::time(MILLISECOND).or("never")
                        .because("a shorter one would give up before any answer"),
                    names: [socket("TCP_USER_TIMEOUT")]
                }
                /// A number of retransmissions stands for the time that many would take starting from the
                /// minimum time-out, counted from the first retransmission, as Linux interprets
                /// `tcp_retries2`. Durations for giving up count from there too, and end a pending
                /// time-out. For SYN and SYN-ACK retransmissions are counted.
                retries_as_time: bool {
                    rfc9293: false, linux: true,
                    kind: ParamKind::flag()
                }
                /// Send a RST to the peer when giving up.
                reset_on_give_up: bool {
                    rfc9293: true, linux: false,
                    kind: ParamKind::flag()
                }
            }
        } $($others)* }
    };
}
pub(super) use rows;
