//! Local ports and listeners.

macro_rules! rows {
    ($next:ident! { $($before:tt)* } $($others:ident)*) => {
        $next! { @rows {
            $($before)*
            "Local ports" {
                /// First and last local port of active opens.
                port_range "ip_local_port_range": (u16, u16) {
                    rfc9293: (49152, 65535), // RFC 6335, dynamic ports
                    linux: (32768, 60999), freebsd: (10000, 65535),
                    macos: (49152, 65535), solaris: (32768, 65535),
                    kind: ParamKind::ports(),
                    names: [linux("net.ipv4.ip_local_port_range", BareNumber::Same)]
                }
                /// Ports of the range that active opens do not get. An application that asks for one gets it.
                reserved_ports "ip_local_reserved_ports": PortSet {
                    rfc9293: PortSet::empty(),
                    kind: ParamKind::port_set(),
                    names: [linux("net.ipv4.ip_local_reserved_ports", BareNumber::Same)]
                }
                /// How a local port is chosen.
                port_selection: PortSelection {
                    rfc9293: PortSelection::Random, linux: PortSelection::Linux,
                    kind: ParamKind::words::<PortSelection>()
                }
            }
            "Listeners" {
                /// Upper bound of a listener's accept queue.
                somaxconn: u32 {
                    rfc9293: 4096, freebsd: 128,
                    windows: 200, solaris: 128,
                    kind: ParamKind::count(1, INT_MAX, "connections")
                        .because("with 0 no connection would be accepted"),
                    names: [linux("net.core.somaxconn", BareNumber::Same)]
                }
                /// Maximum number of connections in SYN-RECEIVED of a listener.
                max_syn_backlog: u32 {
                    rfc9293: 4096,
                    solaris: 1024,
                    kind: ParamKind::count(1, INT_MAX, "connections")
                        .because("with 0 no connection would be accepted"),
                    names: [linux("net.ipv4.tcp_max_syn_backlog", BareNumber::Same)]
                }
                /// SYN cookies of a listener (RFC 4987 section 3.6).
                syn_cookies: SynCookies {
                    rfc9293: SynCookies::Off, linux: SynCookies::WhenFull, freebsd: SynCookies::WhenFull,
                    macos: SynCookies::Off,
                    kind: ParamKind::words::<SynCookies>(),
                    names: [
                        linux("net.ipv4.tcp_syncookies", BareNumber::Rule(cookies)),
                        freebsd("net.inet.tcp.syncookies", BareNumber::Rule(cookies_when_full)),
                        freebsd("net.inet.tcp.syncookies_only", BareNumber::Rule(cookies_only)),
                    ]
                }
                /// While more than half of a listener's queue of half-open connections is in use, old ones
                /// are dropped before their last retransmission, as on Linux.
                prune_half_open: bool {
                    rfc9293: false, linux: true,
                    kind: ParamKind::flag()
                }
                /// A listener drops a SYN that also has a FIN.
                drop_syn_fin: bool {
                    rfc9293: false, linux: true,
                    kind: ParamKind::flag(),
                    names: [freebsd("net.inet.tcp.drop_synfin", BareNumber::Flag)]
                }
                /// Answer with a RST instead of dropping the ACK when the accept queue is full.
                abort_on_overflow: bool {
                    rfc9293: false,
                    kind: ParamKind::flag(),
                    names: [linux("net.ipv4.tcp_abort_on_overflow", BareNumber::Flag)]
                }
                /// For about this long, connections of a listener are established only by their first data,
                /// not by the bare last ACK of the handshake.
                defer_accept: Option<SimDuration> {
                    rfc9293: None,
                    kind: ParamKind::time(MILLISECOND).or("never").because("the data need time to arrive"),
                    names: [socket("TCP_DEFER_ACCEPT")]
                }
            }
        } $($others)* }
    };
}
pub(super) use rows;
