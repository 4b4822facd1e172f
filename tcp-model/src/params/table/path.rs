//! The TCP model of a host, IP and the path.

macro_rules! rows {
    ($next:ident! { $($before:tt)* } $($others:ident)*) => {
        $next! { @rows {
            $($before)*
            "Which TCP" {
                /// The TCP of the connections: `"full"`, which simulates every segment; `"lifecycle"`, for very
                /// large numbers of short connections, which computes the transfer by formula; or the name of
                /// a TCP that the program has registered.
                model: ModelChoice {
                    rfc9293: ModelChoice::default(),
                    kind: ParamKind::model()
                }
                /// Rate that the formula of `model = "lifecycle"` gives to one connection: its share of the
                /// bottleneck. Without it only the links limit the rate.
                lifecycle_rate: Option<u32> {
                    rfc9293: None,
                    kind: ParamKind::count(1, 4_000_000_000, "kbit/s").or("unlimited")
                }
                /// Whether handshake and close of `model = "lifecycle"` are simulated segment by segment. If not, every
                /// connection follows the timetable of one that is simulated beforehand on the idle path, while ports, SYN
                /// queues and TIME-WAIT remain those of the hosts: for hundreds of millions of connections. For clients
                /// and servers on links without losses; what cannot be simulated like that is refused.
                lifecycle_segments: bool {
                    rfc9293: true,
                    kind: ParamKind::flag()
                }
                /// Data segments that the formula of `model = "lifecycle"` loses, beside what the links do to
                /// its packets.
                lifecycle_loss: u32 {
                    rfc9293: 0,
                    kind: ParamKind::count(0, 500_000, "segments per million")
                }
            }
            "IP and the path" {
                /// IP version: determines the header length and the default MSS for a peer without an MSS
                /// option (RFC 9293 section 3.7.1). Addresses are written as IPv4 addresses for both.
                ip_version: IpVersion {
                    rfc9293: IpVersion::V4,
                    kind: ParamKind::words::<IpVersion>()
                }
                /// Smallest MSS accepted from a peer, including options; a smaller one is raised.
                min_mss: u32 {
                    rfc9293: 64, linux: 48, freebsd: 216,
                    kind: ParamKind::count(48, 65_535, "bytes").because("options take up to 40 bytes"),
                    names: [
                        linux("net.ipv4.tcp_min_snd_mss", BareNumber::Same),
                        freebsd("net.inet.tcp.minmss", BareNumber::Same),
                    ]
                }
                /// Largest IP packet sent or received, in bytes. The MSS is this minus the IP and TCP
                /// headers.
                mtu: u16 {
                    rfc9293: 1500,
                    kind: ParamKind::count(128, 65_535, "bytes")
                        .because("headers, options and some data must fit; IP has a length of 16 bits")
                }
                /// A smaller MSS to announce and to send, as set by the application.
                max_segment: Option<u16> {
                    rfc9293: None,
                    kind: ParamKind::count(88, 65_495, "bytes").or("unlimited")
                        .because("Linux takes no less than 88"),
                    names: [socket("TCP_MAXSEG")]
                }
                /// Obey ICMP "packet too big" (RFC 1191). When off, it is ignored.
                path_mtu_discovery: bool {
                    rfc9293: true,
                    kind: ParamKind::flag(),
                    names: [
                        linux("net.ipv4.ip_no_pmtu_disc", BareNumber::NotFlag),
                        freebsd("net.inet.tcp.path_mtu_discovery", BareNumber::Flag),
                        socket("IP_MTU_DISCOVER"),
                    ]
                }
                /// Smallest path MTU accepted from ICMP (RFC 5927 section 7.3). At most `mtu`.
                min_path_mtu: u16 {
                    rfc9293: 552,
                    kind: ParamKind::count(128, 65_535, "bytes")
                        .because("headers, options and some data must fit"),
                    names: [linux("net.ipv4.route.min_pmtu", BareNumber::Same)]
                }
                /// Probing for the path MTU with segments of increasing size (RFC 4821): 0 never, 1 once
                /// more than `retries1` time-outs in a row suggest that long packets do not arrive, 2
                /// always. Needs `rack` or `tail_loss_probe`.
                mtu_probing: u8 {
                    rfc9293: 0,
                    kind: ParamKind::count(0, 2, "").because("as Linux numbers them"),
                    names: [linux("net.ipv4.tcp_mtu_probing", BareNumber::Same)]
                }
                /// MSS with which probing for the path MTU begins.
                base_mss: u32 {
                    rfc9293: 1024,
                    kind: ParamKind::count(48, 65_495, "bytes"),
                    names: [linux("net.ipv4.tcp_base_mss", BareNumber::Same)]
                }
                /// Probing for the path MTU ends when the range left is smaller than this.
                mtu_probe_threshold: u32 {
                    rfc9293: 8,
                    kind: ParamKind::count(0, 65_535, "bytes"),
                    names: [linux("net.ipv4.tcp_probe_threshold", BareNumber::Same)]
                }
                /// Time after which a larger path MTU is searched for again.
                mtu_probe_interval: SimDuration {
                    rfc9293: secs(600),
                    kind: ParamKind::time(MILLISECOND),
                    names: [linux("net.ipv4.tcp_probe_interval", S)]
                }
                /// Time to live of packets sent.
                ttl: u8 {
                    rfc9293: 64,
                    kind: ParamKind::count(1, 255, "hops").because("IP has 8 bits, and 0 goes nowhere"),
                    names: [linux("net.ipv4.ip_default_ttl", BareNumber::Same), socket("IP_TTL")]
                }
                /// DS field of packets sent.
                tos: u8 {
                    rfc9293: 0,
                    kind: ParamKind::count(0, 255, "").because("IP has 8 bits"),
                    names: [socket("IP_TOS")]
                }
            }
        } $($others)* }
    };
}
pub(super) use rows;
