//! When data and acknowledgements are sent.

macro_rules! rows {
    ($next:ident! { $($before:tt)* } $($others:ident)*) => {
        $next! { @rows {
            $($before)*
            "Acknowledgements" {
                /// Maximum delay of an ACK; for an adaptive receiver the minimum. 0 s acknowledges every
                /// segment at once (RFC 9293 section 3.8.6.3, which requires less than 0.5 s).
                delayed_ack: SimDuration {
                    rfc9293: millis(200), linux: millis(40), freebsd: millis(40),
                    windows: millis(40), macos: millis(100), solaris: millis(100),
                    kind: ParamKind::time_up_to(SimDuration::ZERO, secs(10))
                        .because("RFC 9293 MUST-58 allows 0.5 s; a longer delay would only slow the sender down"),
                    names: [freebsd("net.inet.tcp.delacktime", MS)]
                }
                /// Maximum full-sized segments per ACK.
                ack_every: u32 {
                    rfc9293: 2,
                    kind: ParamKind::count(1, 10_000, "segments").because("an ACK covers at least one")
                }
                /// Number of segments acknowledged at once at the start of a connection (Linux quick ACKs).
                quick_acks: u32 {
                    rfc9293: 0, linux: 16,
                    kind: ParamKind::count(0, 10_000, "segments")
                }
                /// The connection starts in interactive (pingpong) mode: ACKs wait for outgoing data from
                /// the first segment on (`TCP_QUICKACK` = 0 on the listening socket; with
                /// `adaptive_receiver`).
                interactive_from_start: bool {
                    rfc9293: false,
                    kind: ParamKind::flag()
                }
                /// Number of duplicate ACKs, beyond the first three of a gap, that may be merged into a
                /// later one, if SACK reports all of their information (Linux ACK compression, with
                /// `adaptive_receiver`).
                compressed_acks: u32 {
                    rfc9293: 0, linux: 44,
                    kind: ParamKind::count(0, 255, "acknowledgements"),
                    names: [linux("net.ipv4.tcp_comp_sack_nr", BareNumber::Same)]
                }
                /// Maximum wait of a duplicate ACK for others; at most a twentieth of the round trip.
                ack_compression_delay: SimDuration {
                    rfc9293: SimDuration::ZERO, linux: SimDuration::from_millis(1),
                    kind: ParamKind::time(SimDuration::ZERO),
                    names: [linux("net.ipv4.tcp_comp_sack_delay_ns", NS)]
                }
                /// How much later than that its timer may fire.
                ack_compression_slack: SimDuration {
                    rfc9293: SimDuration::ZERO, linux: SimDuration::from_micros(100),
                    kind: ParamKind::time(SimDuration::ZERO),
                    names: [linux("net.ipv4.tcp_comp_sack_slack_ns", NS)]
                }
            }
            "Sending" {
                /// Nagle's algorithm (RFC 9293 section 3.7.4).
                nagle: bool {
                    rfc9293: true,
                    kind: ParamKind::flag(),
                    names: [socket("TCP_NODELAY")]
                }
                /// Nagle's algorithm in Minshall's form, as in Linux: only a small segment in flight holds
                /// back the next small one.
                minshall: bool {
                    rfc9293: false, linux: true,
                    kind: ParamKind::flag()
                }
                /// Nagle's algorithm considers what was in flight before a burst: the remainder of a write
                /// leaves with its full segments, as on FreeBSD.
                nagle_by_burst: bool {
                    rfc9293: false, freebsd: true,
                    kind: ParamKind::flag()
                }
                /// Partial segments wait, up to 200 ms.
                cork: bool {
                    rfc9293: false,
                    kind: ParamKind::flag(),
                    names: [socket("TCP_CORK")]
                }
                /// Segments leave in bursts, as a network card splits one large buffer (TSO), and the last
                /// of a burst of two or more has PSH, as on Linux. Pacing waits between bursts.
                tso: bool {
                    rfc9293: false, linux: true,
                    kind: ParamKind::flag()
                }
                /// Minimum number of segments in a burst that pacing determines (`tso`). A burst takes at
                /// most half of the congestion window.
                min_burst: u32 {
                    rfc9293: 2,
                    kind: ParamKind::count(1, 65_535, "segments").because("a burst has at least one segment"),
                    names: [linux("net.ipv4.tcp_min_tso_segs", BareNumber::Same)]
                }
                /// A burst (`tso`) that could be larger with more window waits for the next ACK if the last one left
                /// less than a millisecond ago and the ACK is expected within a millisecond, or half a round
                /// trip if that is shorter, unless the room is at least the window divided by this number; with 0, more than three segments.
                tso_win_divisor: u32 {
                    rfc9293: 3,
                    kind: ParamKind::count(0, 65_535, "parts"),
                    names: [linux("net.ipv4.tcp_tso_win_divisor", BareNumber::Same)]
                }
                /// The last octet in the send buffer is sent with PSH (RFC 9293 MUST-61). Otherwise PSH
                /// marks only the ends of calls without `MSG_MORE`, as on Linux.
                push_last: bool {
                    rfc9293: true, linux: false,
                    kind: ParamKind::flag()
                }
                /// A burst fills the rest of the peer's window even with less than a full segment, as on
                /// Linux.
                fill_window: bool {
                    rfc9293: false, linux: true,
                    kind: ParamKind::flag()
                }
                /// Window probes carry one new octet (RFC 9293 section 3.8.6.1). Otherwise they are empty,
                /// one octet below SND.UNA, as on Linux.
                probe_with_octet: bool {
                    rfc9293: true, linux: false,
                    kind: ParamKind::flag()
                }
                /// Minimum time between window probes, which then follow FreeBSD's intervals: 4 SRTT + 8
                /// RTTVAR, doubled each time, up to a minute. Otherwise the intervals are those of
                /// retransmissions.
                probe_interval: Option<SimDuration> {
                    rfc9293: None, freebsd: Some(secs(5)),
                    kind: ParamKind::time_up_to(MILLISECOND, secs(60)).or("rto")
                        .because("intervals grow to a minute at most"),
                    names: [freebsd("net.inet.tcp.persmin", MS)]
                }
                /// The interval to the next window probe counts from the answer to the last one, not from
                /// the probe.
                probes_from_answer: bool {
                    rfc9293: false, linux: true,
                    kind: ParamKind::flag()
                }
            }
        } $($others)* }
    };
}
pub(super) use rows;
