//! Buffers and the windows derived from them.

macro_rules! rows {
    ($next:ident! { $($before:tt)* } $($others:ident)*) => {
        $next! { @rows {
            $($before)*
            "Buffers and windows" {
                /// Send buffer.
                send_buffer: u32 {
                    rfc9293: 256 * 1024, linux: 4 * 1024 * 1024, freebsd: 2 * 1024 * 1024,
                    kind: BUFFER,
                    names: [freebsd("net.inet.tcp.sendspace", BareNumber::Bytes), socket("SO_SNDBUF")]
                }
                /// The send buffer counts memory, as `SO_SNDBUF` of Linux does: every two segments take
                /// about 960 octets in addition to their payload.
                send_buffer_is_memory: bool {
                    rfc9293: false,
                    kind: ParamKind::flag()
                }
                /// Receive buffer: the largest window offered.
                receive_buffer: u32 {
                    rfc9293: 256 * 1024, linux: 6 * 1024 * 1024, freebsd: 2 * 1024 * 1024,
                    kind: BUFFER,
                    names: [freebsd("net.inet.tcp.recvbuf_max", BareNumber::Bytes), socket("SO_RCVBUF")]
                }
                /// Initial receive buffer: of an adaptive receiver, counted as memory, or with
                /// `grow_receive_buffer`.
                receive_buffer_start: u32 {
                    rfc9293: 128 * 1024, freebsd: 64 * 1024,
                    kind: BUFFER,
                    names: [freebsd("net.inet.tcp.recvspace", BareNumber::Bytes)]
                }
                /// The receive buffer grows by half whenever more than three eighths of it arrive within a
                /// round trip, from `receive_buffer_start` to `receive_buffer`, as on FreeBSD. An adaptive
                /// receiver has its own rule (`moderate_rcvbuf`).
                grow_receive_buffer: bool {
                    rfc9293: false, freebsd: true,
                    kind: ParamKind::flag(),
                    names: [freebsd("net.inet.tcp.recvbuf_auto", BareNumber::Flag)]
                }
                /// The receive buffer is rounded up to whole segments once the MSS is known, and all free
                /// space is offered unless it is small, as on FreeBSD (`tcp_mss`, `tcp_output`).
                freebsd_window: bool {
                    rfc9293: false, freebsd: true,
                    kind: ParamKind::flag()
                }
                /// The receiver follows the traffic as Linux does: quick ACKs, interactive connections, ACK
                /// delays of at least `delayed_ack`, and a window that opens from half of
                /// `receive_buffer_start` as segments arrive.
                adaptive_receiver: bool {
                    rfc9293: false, linux: true,
                    kind: ParamKind::flag()
                }
                /// Text beyond the right edge of the window is cut off (RFC 9293 section 3.10.7.4).
                /// Otherwise a segment that begins inside the window and ends beyond it is accepted whole
                /// if the application has read all earlier data, and rejected if not, as in Linux since
                /// 6.17.
                trim_to_window: bool {
                    rfc9293: true, linux: false,
                    kind: ParamKind::flag()
                }
                /// Segments are checked as on Linux: the ACK of old text counts if the text ends where the last ACK
                /// did or later (`tcp_sequence`); a window counts if its segment acknowledges data or is newer, or if
                /// it is larger or zero (`tcp_may_update_window`); segments with an MD5 signature are dropped.
                linux_input: bool {
                    rfc9293: false, linux: true,
                    kind: ParamKind::flag()
                }
                /// The window of an adaptive receiver with a window scale may shrink when memory becomes
                /// short, against RFC 9293 section 3.8.6 (SHLD-14).
                shrink_window: bool {
                    rfc9293: false,
                    kind: ParamKind::flag(),
                    names: [linux("net.ipv4.tcp_shrink_window", BareNumber::Flag)]
                }
                /// The buffer of an adaptive receiver grows with what the application reads, up to
                /// `receive_buffer`.
                moderate_rcvbuf: bool {
                    rfc9293: true,
                    kind: ParamKind::flag(),
                    names: [linux("net.ipv4.tcp_moderate_rcvbuf", BareNumber::Flag)]
                }
                /// Upper bound of the window offered, in bytes.
                window_clamp: Option<u32> {
                    rfc9293: None,
                    kind: ParamKind::count(1, LARGEST, "bytes").or("unlimited")
                        .because("a window of 0 would never open"),
                    names: [socket("TCP_WINDOW_CLAMP")]
                }
                /// An application that waits to write is woken once fewer bytes than this are unsent.
                notsent_lowat: Option<u32> {
                    rfc9293: None,
                    kind: ParamKind::count(1, u32::MAX as u64, "bytes").or("unlimited")
                        .because("with 0 the application could never write"),
                    names: [
                        linux("net.ipv4.tcp_notsent_lowat", BareNumber::Rule(unlimited_from_u32_max)),
                        socket("TCP_NOTSENT_LOWAT"),
                    ]
                }
                /// Offer window scaling (RFC 7323 section 2).
                window_scaling: bool {
                    rfc9293: true,
                    kind: ParamKind::flag(),
                    names: [linux("net.ipv4.tcp_window_scaling", BareNumber::Flag)]
                }
                /// Shift count of the window scale; by default the smallest one that can express the
                /// largest window. A shift that could express no window at all is lowered.
                window_shift: Option<u8> {
                    rfc9293: None, freebsd: Some(6), // for buffers up to 2 MiB
                    kind: ParamKind::count(0, 14, "bits").or("auto")
                        .because("RFC 7323 section 2.3 allows no more than 14")
                }
                /// The receiver holds data back until a PSH, the end of the stream, or half a buffer (RFC
                /// 9293 section 3.9.1.2). Otherwise it delivers all data at once, as Linux does.
                hold_until_push: bool {
                    rfc9293: true, linux: false, freebsd: false,
                    kind: ParamKind::flag()
                }
            }
        } $($others)* }
    };
}
pub(super) use rows;
