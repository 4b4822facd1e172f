//! Congestion control and loss detection.

macro_rules! rows {
    ($next:ident! { $($before:tt)* } $($others:ident)*) => {
        $next! { @rows {
            $($before)*
            "Congestion control and loss detection" {
                /// Congestion control.
                /// Its name, or a table with its name and parameters: `{ kind = "cubic", beta = 0.7 }`.
                congestion: Control {
                    rfc9293: Control::default(), linux: LINUX_CUBIC,
                    freebsd: CUBIC, // since 14.0
                    windows: CUBIC,
                    kind: ParamKind::control(),
                    names: [
                        linux("net.ipv4.tcp_congestion_control", BareNumber::Same),
                        freebsd("net.inet.tcp.cc.algorithm", BareNumber::Same),
                        socket("TCP_CONGESTION"),
                    ]
                }
                /// Segments leave evenly spaced, at the congestion window per round-trip time, times one of
                /// the two ratios. A congestion control that sets its own rate is always paced at that
                /// rate.
                pacing: bool {
                    rfc9293: false,
                    kind: ParamKind::flag()
                }
                /// Maximum bytes per second of a connection; if set, it is paced even without `pacing`.
                max_pacing_rate: Option<u32> {
                    rfc9293: None,
                    kind: ParamKind::count(1, u32::MAX as u64, "bytes/s").or("unlimited")
                        .because("with 0 nothing would leave"),
                    names: [socket("SO_MAX_PACING_RATE")]
                }
                /// A burst that begins later than pacing allows shortens the wait for the next one by the delay, at
                /// most by half, as on Linux.
                pacing_makes_up: bool {
                    rfc9293: false, linux: true,
                    kind: ParamKind::flag()
                }
                /// Number of first segments of a connection that are never paced.
                unpaced_segments: u32 {
                    rfc9293: 0, linux: 10,
                    kind: ParamKind::count(0, 10_000, "segments")
                }
                /// Pacing in slow start, in percent of a window per round-trip time.
                pacing_ss_ratio: u32 {
                    rfc9293: 200,
                    kind: ParamKind::count(1, 1000, "percent").because("as on Linux; with 0 nothing would leave"),
                    names: [linux("net.ipv4.tcp_pacing_ss_ratio", BareNumber::Same)]
                }
                /// Pacing in congestion avoidance, in percent of a window per round-trip time.
                pacing_ca_ratio: u32 {
                    rfc9293: 120,
                    kind: ParamKind::count(1, 1000, "percent").because("as on Linux; with 0 nothing would leave"),
                    names: [linux("net.ipv4.tcp_pacing_ca_ratio", BareNumber::Same)]
                }
                /// Initial window (RFC 6928).
                initial_window: u32 {
                    rfc9293: 10,
                    solaris: 4,
                    kind: ParamKind::count(1, 10_000, "segments").because("something must be sent first"),
                    names: [freebsd("net.inet.tcp.initcwnd_segments", BareNumber::Same)]
                }
                /// Number of time-outs of the SYN or SYN-ACK that do not reduce the initial window to one
                /// segment. If at least 1, time-outs that the peer's timestamp shows to be spurious do not
                /// count, as on Linux.
                syn_losses_forgiven: u32 {
                    rfc9293: 0, linux: 1,
                    kind: ParamKind::count(0, 255, "time-outs").because("the model counts them in 8 bits")
                }
                /// The congestion window is managed as on Linux. It grows by what an ACK newly reports
                /// delivered; in slow start it counts as used while it is less than twice the maximum in
                /// flight within a round; `ssthresh` after a loss is computed from the window, not from the
                /// data in flight, in whole segments; recovery ends at `ssthresh`, from which the same ACK
                /// opens the window, unless data found lost during recovery are still outstanding: then the
                /// next recovery begins.
                linux_cwnd: bool {
                    rfc9293: false, linux: true,
                    kind: ParamKind::flag()
                }
                /// What happens to the congestion window while nothing is sent.
                idle_restart: IdleRestart {
                    rfc9293: IdleRestart::Initial, linux: IdleRestart::Halving,
                    kind: ParamKind::words::<IdleRestart>(),
                    names: [linux("net.ipv4.tcp_slow_start_after_idle", BareNumber::Rule(halving_unless_zero))]
                }
                /// The most by which one ACK opens the congestion window in slow start (L of RFC 3465).
                slow_start_limit: Option<u32> {
                    rfc9293: Some(1), linux: None, freebsd: Some(2),
                    kind: ParamKind::count(1, 10_000, "segments").or("unlimited")
                        .because("with 0 the window would never open"),
                    names: [freebsd("net.inet.tcp.abc_l_var", BareNumber::Same)]
                }
                /// Duplicate ACKs that start fast retransmit (RFC 5681).
                dup_ack_threshold: u32 {
                    rfc9293: 3,
                    kind: ParamKind::count(1, 300, "ACKs").because("Linux counts reordering up to 300"),
                    names: [linux("net.ipv4.tcp_reordering", BareNumber::Same)]
                }
                /// Detect losses by time instead of counting duplicate ACKs (RFC 8985 section 6). Needs
                /// SACK.
                rack: bool {
                    rfc9293: false, linux: true,
                    kind: ParamKind::flag()
                }
                /// Probe for the loss of the last segments before the retransmission timer expires
                /// (RFC 8985 section 7). Needs SACK.
                tail_loss_probe: bool {
                    rfc9293: false, linux: true,
                    kind: ParamKind::flag()
                }
                /// Small segments are merged when retransmitted, as far as they fit in one segment.
                join_retransmissions: bool {
                    rfc9293: false, linux: true,
                    kind: ParamKind::flag(),
                    names: [linux("net.ipv4.tcp_retrans_collapse", BareNumber::Flag)]
                }
                /// The time-out of a thin stream, with fewer than four segments outstanding, does not back
                /// off for the first six retransmissions.
                thin_linear_timeouts: bool {
                    rfc9293: false,
                    kind: ParamKind::flag(),
                    names: [linux("net.ipv4.tcp_thin_linear_timeouts", BareNumber::Flag)]
                }
                /// In fast recovery, send in proportion to delivered data (Proportional Rate Reduction, RFC
                /// 9937). Otherwise send as soon as the data in flight fall below the window (RFC 6675).
                prr: bool {
                    rfc9293: false, linux: true, freebsd: true,
                    kind: ParamKind::flag(),
                    names: [freebsd("net.inet.tcp.do_prr", BareNumber::Flag)]
                }
                /// After a time-out, find out whether it was spurious before retransmitting more (F-RTO,
                /// RFC 5682). Restoring the window also needs `undo`.
                frto: bool {
                    rfc9293: false, linux: true,
                    kind: ParamKind::flag(),
                    names: [linux("net.ipv4.tcp_frto", BareNumber::Flag)]
                }
                /// Restore the congestion window when a loss turns out to be spurious: by timestamps
                /// (Eifel, RFC 3522 and 4015), D-SACK (RFC 3708) or F-RTO.
                undo: bool {
                    rfc9293: false, linux: true,
                    kind: ParamKind::flag()
                }
            }
        } $($others)* }
    };
}
pub(super) use rows;
