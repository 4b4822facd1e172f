//! TCP options and protocol extensions.

macro_rules! rows {
    ($next:ident! { $($before:tt)* } $($others:ident)*) => {
        $next! { @rows {
            $($before)*
            "Options and extensions" {
                /// Order of the options of a SYN.
                syn_layout: SynLayout {
                    rfc9293: SynLayout::Linux, freebsd: SynLayout::Bsd,
                    kind: ParamKind::words::<SynLayout>()
                }
                /// Offer timestamps (RFC 7323 section 3), used for RTT measurement, PAWS and TIME-WAIT reuse.
                timestamps: bool {
                    rfc9293: true,
                    windows: false,
                    kind: ParamKind::flag(),
                    names: [linux("net.ipv4.tcp_timestamps", BareNumber::Flag)]
                }
                /// Add a different offset to the timestamps of each connection (RFC 7323 section 5.4), as Linux
                /// does since 4.10 with `tcp_timestamps` = 1. Otherwise, as with 2, all connections of a host
                /// share one clock, which starts when the host boots.
                timestamp_offsets: bool {
                    rfc9293: true,
                    kind: ParamKind::flag(),
                    names: [freebsd("net.inet.tcp.ts_offset_per_conn", BareNumber::Flag)]
                }
                /// Drop segments without a timestamp once timestamps are agreed (RFC 7323 section 3.2).
                require_timestamps: bool {
                    rfc9293: true, linux: false, freebsd: false,
                    kind: ParamKind::flag(),
                    names: [freebsd("net.inet.tcp.tolerate_missing_ts", BareNumber::NotFlag)]
                }
                /// Age from which the latest timestamp of the peer no longer makes a segment old (RFC 7323
                /// section 5.5), since the clock may have wrapped halfway.
                ts_recent_lifetime: SimDuration {
                    rfc9293: secs(24 * 86_400), linux: secs(2_147),
                    kind: ParamKind::time_up_to(secs(1), secs(24 * 86_400))
                        .because("a millisecond clock wraps halfway in 24.8 days")
                }
                /// The peer's timestamp is accepted only from a segment whose ACK is neither below SND.UNA
                /// nor above SND.NXT, as on Linux. Otherwise it is accepted before the ACK is checked (RFC
                /// 9293 section 3.10.7.4, first).
                ts_recent_after_ack: bool {
                    rfc9293: false, linux: true,
                    kind: ParamKind::flag()
                }
                /// Offer SACK (RFC 2018).
                sack: bool {
                    rfc9293: true,
                    kind: ParamKind::flag(),
                    names: [
                        linux("net.ipv4.tcp_sack", BareNumber::Flag),
                        freebsd("net.inet.tcp.sack.enable", BareNumber::Flag),
                    ]
                }
                /// Report duplicates by SACK (RFC 2883).
                dsack: bool {
                    rfc9293: true,
                    kind: ParamKind::flag(),
                    names: [linux("net.ipv4.tcp_dsack", BareNumber::Flag)]
                }
                /// Number of ranges beyond a gap that the receiver reports in SACKs, the most recent ones;
                /// others are kept but no longer reported.
                sack_blocks: Option<u32> {
                    rfc9293: None, linux: Some(4), freebsd: Some(6),
                    kind: ParamKind::count(1, 255, "ranges").or("unlimited").because("an ACK reports at least one")
                }
                /// A SACK block includes a FIN that follows its data, as on Linux.
                sack_covers_fin: bool {
                    rfc9293: false, linux: true,
                    kind: ParamKind::flag()
                }
                /// Explicit congestion notification (RFC 3168).
                ecn: EcnMode {
                    rfc9293: EcnMode::Passive,
                    windows: EcnMode::Off,
                    kind: ParamKind::words::<EcnMode>(),
                    names: [
                        linux("net.ipv4.tcp_ecn", BareNumber::Same),
                        freebsd("net.inet.tcp.ecn.enable", BareNumber::Same),
                    ]
                }
                /// A retransmitted SYN does not request ECN (RFC 3168 section 6.1.1.1), nor, from the
                /// second retransmission on, accurate feedback (RFC 9768 section 3.1.4.1).
                ecn_fallback: bool {
                    rfc9293: true,
                    kind: ParamKind::flag(),
                    names: [linux("net.ipv4.tcp_ecn_fallback", BareNumber::Flag)]
                }
                /// Control packets and retransmissions also carry ECT (ECN++,
                /// draft-ietf-tcpm-generalized-ecn): SYN-ACKs and FINs; SYNs and pure ACKs only with
                /// accurate feedback.
                ecn_plus_plus: bool {
                    rfc9293: false,
                    kind: ParamKind::flag()
                }
                /// With accurate feedback (RFC 9768), send the AccECN option with the byte counters: on ACKs and
                /// data if a counter has changed, and on a client's first data. If packets with the option get
                /// lost, it is no longer sent.
                accecn_option: bool {
                    rfc9293: true,
                    kind: ParamKind::flag()
                }
                /// With accurate feedback: after this many rounds in which every packet was reported with CE, counted
                /// from the first, the path is taken to mark everything. This end then sends no ECT and
                /// ignores marks (RFC 9768 section 3.2.2.3, which suggests three or four). 0 for never, as
                /// on Linux: a queue with a step threshold may mark whole rounds too.
                accecn_ce_rounds: u32 {
                    rfc9293: 4, linux: 0,
                    kind: ParamKind::count(0, 1_000, "rounds")
                }
                /// Alternative back-off with ECN (RFC 8511): a congestion mark costs NewReno a fifth and CUBIC
                /// 15 % of the window, less than a loss does.
                abe: bool {
                    rfc9293: false,
                    kind: ParamKind::flag(),
                    names: [freebsd("net.inet.tcp.cc.abe", BareNumber::Flag)]
                }
                /// Fast Open (RFC 7413), a sum of bits: 0x1 for active opens, 0x2 for listeners, 0x4 for
                /// data in a SYN without a cookie, 0x200 to accept such data, 0x400 for every listener.
                fast_open: u32 {
                    rfc9293: 0, linux: TcpParams::FAST_OPEN_CLIENT,
                    kind: ParamKind::bits(FAST_OPEN),
                    names: [linux("net.ipv4.tcp_fastopen", BareNumber::Rule(known_bits)), socket("TCP_FASTOPEN")]
                }
            }
        } $($others)* }
    };
}
pub(super) use rows;
