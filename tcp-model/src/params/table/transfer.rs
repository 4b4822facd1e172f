//! When data and acknowledgements are sent.

macro_rules! rows {
    ($next:ident! { $($before:tt)* } $($others:ident)*) => {
        $next! { @rows {
            $($before)*
            "Acknowledgements" {
                /// Longest delay of an ACK, or the shortest of an adaptive receiver. 0 s acknowledges every
                /// segment at once (RFC 9293 section 3.8.6.3, which wants less than 0.5 s).
                delayed_ack: SimDuration {
                    rfc9293: millis(200), linux: millis(40), freebsd: millis(40),
                    kind: ParamKind::time_up_to(SimDuration::ZERO, secs(10))
                        .because("RFC 9293 MUST-58 ends at 0.5 s; longer ones only delay the sender"),
                    names: [freebsd("net.inet.tcp.delacktime", MS)]
                }
                /// Full-sized segments per ACK, at most.
                ack_every: u32 {
                    rfc9293: 2,
                    kind: ParamKind::count(1, 10_000, "segments").because("an ACK answers at least one")
                }
                /// Segments acknowledged at once when a connection is young (Linux quick ACKs).
                quick_acks: u32 {
                    rfc9293: 0, linux: 16,
                    kind: ParamKind::count(0, 10_000, "segments")
                }
                /// ACKs wait for data of the own from the first segment on, as those of a connection in dialogue do
                /// (`TCP_QUICKACK` = 0 on the socket that listens; with `adaptive_receiver`).
                interactive_from_start: bool {
                    rfc9293: false,
                    kind: ParamKind::flag()
                }
                /// Duplicate ACKs that may be left out in favour of a later one, beyond the first three of a
                /// gap, where SACK tells all of what they would have told (Linux ACK compression, with
                /// `adaptive_receiver`).
                compressed_acks: u32 {
                    rfc9293: 0, linux: 44,
                    kind: ParamKind::count(0, 255, "acknowledgements"),
                    names: [linux("net.ipv4.tcp_comp_sack_nr", Raw::Same)]
                }
                /// The longest that a duplicate ACK waits for others, and at most a twentieth of the round trip.
                ack_compression_delay: SimDuration {
                    rfc9293: SimDuration::ZERO, linux: SimDuration::from_millis(1),
                    kind: ParamKind::time(SimDuration::ZERO),
                    names: [linux("net.ipv4.tcp_comp_sack_delay_ns", NS)]
                }
                /// How much later than that its timer runs.
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
                /// Nagle's algorithm in Minshall's form, as Linux has it: only a small segment in flight holds
                /// back the next small one.
                minshall: bool {
                    rfc9293: false, linux: true,
                    kind: ParamKind::flag()
                }
                /// Nagle's algorithm looks at what was in flight before a burst: what is left of one write goes with
                /// its full segments, as on FreeBSD.
                nagle_by_burst: bool {
                    rfc9293: false, freebsd: true,
                    kind: ParamKind::flag()
                }
                /// Less than a full segment waits, up to 200 ms.
                cork: bool {
                    rfc9293: false,
                    kind: ParamKind::flag(),
                    names: [socket("TCP_CORK")]
                }
                /// Segments leave in bursts, as a network card cuts them from one large buffer (TSO), and the
                /// last of a burst of two or more has PSH, as on Linux. Pacing waits between bursts.
                tso: bool {
                    rfc9293: false, linux: true,
                    kind: ParamKind::flag()
                }
                /// The least number of segments in a burst that the pacing rate asks for (`tso`). A burst takes
                /// at most half of the congestion window.
                min_burst: u32 {
                    rfc9293: 2,
                    kind: ParamKind::count(1, 65_535, "segments").because("a burst has a segment at least"),
                    names: [linux("net.ipv4.tcp_min_tso_segs", Raw::Same)]
                }
                /// The last octet in the send buffer goes with PSH (RFC 9293 MUST-61). Otherwise PSH is only
                /// where a call ends without `MSG_MORE`, as on Linux.
                push_last: bool {
                    rfc9293: true, linux: false,
                    kind: ParamKind::flag()
                }
                /// A burst ends with what is left of the peer's window, though that is less than a full
                /// segment, as Linux sends it.
                fill_window: bool {
                    rfc9293: false, linux: true,
                    kind: ParamKind::flag()
                }
                /// Window probes carry one new octet (RFC 9293 section 3.8.6.1). Otherwise they are empty, one
                /// octet below SND.UNA, as Linux sends them.
                probe_with_octet: bool {
                    rfc9293: true, linux: false,
                    kind: ParamKind::flag()
                }
                /// The least time between window probes, which then come at FreeBSD's intervals: 4 SRTT + 8 RTTVAR,
                /// doubled each time, and at most a minute. Otherwise the intervals are those of retransmissions.
                probe_interval: Option<SimDuration> {
                    rfc9293: None, freebsd: Some(secs(5)),
                    kind: ParamKind::time_up_to(MILLISECOND, secs(60)).or("rto")
                        .because("intervals end at a minute"),
                    names: [freebsd("net.inet.tcp.persmin", MS)]
                }
                /// The time to the next window probe counts from the answer to the last one, not from the
                /// probe.
                probes_from_answer: bool {
                    rfc9293: false, linux: true,
                    kind: ParamKind::flag()
                }
            }
        } $($others)* }
    };
}
pub(super) use rows;
