//! The table of parameters: [`TcpParams`], its profiles and the descriptions are made from it.
//!
//! To add a parameter, add one row. It is then a field, and a key of `[tcp]` in a scenario, of
//! `--set` and of a sweep, under each of its names; `docs/parameters.md`, `synfin explain` and the
//! schema describe it.

use sim_core::SimDuration;

use super::choices::{
    EcnMode, GiveUp, IdleRestart, IpVersion, PortSelection, SynCookies, SynLayout, TimeWaitRules,
    TwReuse,
};
use super::kind::{MICROSECOND, MILLISECOND, ParamKind as Kind, Word};
use super::names::{MS, NS, Raw, S, US, freebsd, linux, other, socket};
use super::value::{Field, Value};
use super::{Param, Timers};
use crate::congestion::Control;
use crate::own_model::ModelChoice;

/// Makes everything from the rows of the table. A row is
///
/// ```text
/// /// What it is.
/// field "key, where it is another one": Type {
///     rfc9293: …, linux: …, freebsd: …,     // a profile without a value has that of rfc9293
///     kind: what it takes, names: [its names elsewhere]
/// }
/// ```
macro_rules! tcp_params {
    ($($section:literal {
        $(
            $(#[doc = $doc:literal])+
            $field:ident $($key:literal)? : $type:ty {
                rfc9293: $rfc9293:expr,
                $(linux: $linux:expr,)?
                $(freebsd: $freebsd:expr,)?
                kind: $kind:expr
                $(, names: [$($name:expr),* $(,)?])?
                $(,)?
            }
        )+
    })+) => {
        /// Everything that can be set about a host's TCP. Times are exact unless `timers` says
        /// otherwise.
        #[derive(Clone, Debug, PartialEq)]
        pub struct TcpParams {
            $($($(#[doc = $doc])+ pub $field: $type,)+)+
        }

        impl TcpParams {
            /// RFC 9293 and the RFCs it cites, with the values they recommend: MSL 2 minutes,
            /// minimum RTO one second, SYN retransmission for at least 3 minutes, R2 of 100 seconds.
            pub fn rfc9293() -> TcpParams {
                TcpParams { $($($field: $rfc9293,)+)+ }
            }

            /// Linux 6.x defaults, with exact timers; `timers` makes them as coarse as Linux's.
            ///
            /// Leaves out send-buffer autotuning: the buffer has its final size from the start.
            pub fn linux() -> TcpParams {
                TcpParams {
                    $($($($field: $linux,)?)+)+
                    ..TcpParams::rfc9293()
                }
            }

            /// FreeBSD 14 defaults, with exact timers.
            ///
            /// Leaves out autotuning of the send buffer, which has its final size from the start, and
            /// the limit of challenge ACKs.
            /// Deviation: the 200 ms that FreeBSD adds to every time-out are the least variance
            /// term here.
            pub fn freebsd() -> TcpParams {
                TcpParams {
                    $($($($field: $freebsd,)?)+)+
                    ..TcpParams::rfc9293()
                }
            }
        }

        /// All parameters, in the order of the table.
        pub static PARAMS: &[Param] = &[$($({
            const KIND: Kind = $kind;
            Param {
                key: tcp_params!(@key $field $($key)?),
                section: $section,
                doc: concat!($($doc, "\n"),+),
                kind: KIND,
                names: &[$($($name),*)?],
                get: |p| Field::write(&p.$field, &KIND),
                set: |p, value| {
                    p.$field = Field::read(value, &KIND)?;
                    Ok(())
                },
            }
        },)+)+];

        /// One field of each row: the table has all of them, or this does not compile.
        #[cfg(test)]
        pub(super) fn count_fields(p: TcpParams) -> usize {
            let TcpParams { $($($field,)+)+ } = p;
            let mut n = 0;
            $($({ let _ = $field; n += 1; })+)+
            n
        }
    };
    (@key $field:ident) => { stringify!($field) };
    (@key $field:ident $key:literal) => { $key };
}

const fn secs(s: u64) -> SimDuration {
    SimDuration::from_secs(s)
}

const fn millis(ms: u64) -> SimDuration {
    SimDuration::from_millis(ms)
}

/// RFC 7323 section 2.3: no window beyond 2^30.
const LARGEST: u64 = 1 << 30;
const BUFFER: Kind = Kind::size(1, LARGEST).because("TCP's largest window is 1 GiB");
/// The longest time-out; Linux's is two minutes.
const HOUR: SimDuration = secs(3600);
/// The largest number of a sysctl of Linux.
const INT_MAX: u64 = i32::MAX as u64;

/// Bits of `fast_open`.
const FAST_OPEN: &[Word] = &[
    bit(TcpParams::FAST_OPEN_CLIENT, "client"),
    bit(TcpParams::FAST_OPEN_SERVER, "server"),
    bit(
        TcpParams::FAST_OPEN_CLIENT_NO_COOKIE,
        "client without cookie",
    ),
    bit(
        TcpParams::FAST_OPEN_SERVER_NO_COOKIE,
        "server without cookie",
    ),
    bit(TcpParams::FAST_OPEN_ALL_LISTENERS, "all listeners"),
];

const fn bit(number: u32, doc: &'static str) -> Word {
    Word {
        word: "",
        number: number as i64,
        doc,
    }
}

tcp_params! {
    "Which TCP" {
        /// The TCP of the connections: `"full"`, the simulator's own, or the name of one that the
        /// program has registered.
        model: ModelChoice {
            rfc9293: ModelChoice::default(),
            kind: Kind::model()
        }
    }
    "IP and the path" {
        /// Version of IP below TCP: it decides the length of the header and the MSS to assume of a
        /// peer that names none (RFC 9293 section 3.7.1). Addresses are written as IPv4 ones for both.
        ip_version: IpVersion {
            rfc9293: IpVersion::V4,
            kind: Kind::words::<IpVersion>()
        }
        /// The least that a peer's MSS is taken for, options included.
        min_mss: u32 {
            rfc9293: 64, linux: 48, freebsd: 216,
            kind: Kind::count(48, 65_535, "bytes").because("options take up to 40 of them"),
            names: [
                linux("net.ipv4.tcp_min_snd_mss", Raw::Same),
                freebsd("net.inet.tcp.minmss", Raw::Same),
            ]
        }
        /// Largest IP packet sent or received, in bytes. The MSS is this less the IP and TCP headers.
        mtu: u16 {
            rfc9293: 1500,
            kind: Kind::count(128, 65_535, "bytes")
                .because("headers, options and some data must fit; IP has a length of 16 bits")
        }
        /// A smaller MSS to announce and to send, as set by the application.
        max_segment: Option<u16> {
            rfc9293: None,
            kind: Kind::count(88, 65_495, "bytes").or("unlimited")
                .because("Linux takes no less than 88"),
            names: [socket("TCP_MAXSEG")]
        }
        /// Obey ICMP "packet too big" (RFC 1191). When off, it is ignored.
        path_mtu_discovery: bool {
            rfc9293: true,
            kind: Kind::flag(),
            names: [
                linux("net.ipv4.ip_no_pmtu_disc", Raw::NotFlag),
                freebsd("net.inet.tcp.path_mtu_discovery", Raw::Flag),
                socket("IP_MTU_DISCOVER"),
            ]
        }
        /// Smallest path MTU that is believed (RFC 5927 section 7.3). At most `mtu`.
        min_path_mtu: u16 {
            rfc9293: 552,
            kind: Kind::count(128, 65_535, "bytes")
                .because("headers, options and some data must fit"),
            names: [linux("net.ipv4.route.min_pmtu", Raw::Same)]
        }
        /// Time to live of packets sent.
        ttl: u8 {
            rfc9293: 64,
            kind: Kind::count(1, 255, "hops").because("IP has 8 bits, and 0 goes nowhere"),
            names: [linux("net.ipv4.ip_default_ttl", Raw::Same), socket("IP_TTL")]
        }
        /// DS field of packets sent.
        tos: u8 {
            rfc9293: 0,
            kind: Kind::count(0, 255, "").because("IP has 8 bits"),
            names: [socket("IP_TOS")]
        }
    }
    "Buffers and windows" {
        /// Send buffer.
        send_buffer: u32 {
            rfc9293: 256 * 1024, linux: 4 * 1024 * 1024, freebsd: 2 * 1024 * 1024,
            kind: BUFFER,
            names: [freebsd("net.inet.tcp.sendspace", Raw::Bytes), socket("SO_SNDBUF")]
        }
        /// The send buffer counts memory, as `SO_SNDBUF` of Linux does: every two segments take some 960
        /// octets beside their payload.
        send_buffer_is_memory: bool {
            rfc9293: false,
            kind: Kind::flag()
        }
        /// Receive buffer: the largest window offered.
        receive_buffer: u32 {
            rfc9293: 256 * 1024, linux: 6 * 1024 * 1024, freebsd: 2 * 1024 * 1024,
            kind: BUFFER,
            names: [freebsd("net.inet.tcp.recvbuf_max", Raw::Bytes), socket("SO_RCVBUF")]
        }
        /// Receive buffer at the start: of an adaptive receiver, as memory, and where
        /// `grow_receive_buffer` is on.
        receive_buffer_start: u32 {
            rfc9293: 128 * 1024, freebsd: 64 * 1024,
            kind: BUFFER,
            names: [freebsd("net.inet.tcp.recvspace", Raw::Bytes)]
        }
        /// The receive buffer grows by half whenever more than three eighths of it arrive in a
        /// round trip, from `receive_buffer_start` to `receive_buffer`, as on FreeBSD. An adaptive
        /// receiver has its own rule (`moderate_rcvbuf`).
        grow_receive_buffer: bool {
            rfc9293: false, freebsd: true,
            kind: Kind::flag(),
            names: [freebsd("net.inet.tcp.recvbuf_auto", Raw::Flag)]
        }
        /// The receive buffer is rounded up to whole segments once their size is agreed, and all of it
        /// that is free is offered, unless that is little, as on FreeBSD (`tcp_mss`, `tcp_output`).
        freebsd_window: bool {
            rfc9293: false, freebsd: true,
            kind: Kind::flag()
        }
        /// The receiver follows the traffic as Linux does: quick ACKs, interactive connections, a
        /// delay from `delayed_ack` up, and a window that opens from half of `receive_buffer_start`
        /// as segments come.
        adaptive_receiver: bool {
            rfc9293: false, linux: true,
            kind: Kind::flag()
        }
        /// Text beyond the right edge of the window is cut off (RFC 9293 section 3.10.7.4). Otherwise a
        /// segment that begins inside and ends beyond is taken whole when the application has read
        /// everything before, and refused when it has not, as Linux has it since 6.17.
        trim_to_window: bool {
            rfc9293: true, linux: false,
            kind: Kind::flag()
        }
        /// The buffer of an adaptive receiver grows with what the application reads, up to
        /// `receive_buffer`.
        moderate_rcvbuf: bool {
            rfc9293: true,
            kind: Kind::flag(),
            names: [linux("net.ipv4.tcp_moderate_rcvbuf", Raw::Flag)]
        }
        /// A smaller bound of the window offered, in bytes.
        window_clamp: Option<u32> {
            rfc9293: None,
            kind: Kind::count(1, LARGEST, "bytes").or("unlimited")
                .because("a window of 0 would never open"),
            names: [socket("TCP_WINDOW_CLAMP")]
        }
        /// An application that waits to write is woken while fewer bytes than this wait to be sent.
        notsent_lowat: Option<u32> {
            rfc9293: None,
            kind: Kind::count(1, u32::MAX as u64, "bytes").or("unlimited")
                .because("with 0 the application would never write"),
            names: [
                linux("net.ipv4.tcp_notsent_lowat", Raw::Rule(unlimited_from_u32_max)),
                socket("TCP_NOTSENT_LOWAT"),
            ]
        }
        /// Offer window scaling (RFC 7323 section 2).
        window_scaling: bool {
            rfc9293: true,
            kind: Kind::flag(),
            names: [linux("net.ipv4.tcp_window_scaling", Raw::Flag)]
        }
        /// Shift count of the window scale, where it is not the smallest one with which the field can
        /// express the largest window. A shift with which it could not express any is lowered.
        window_shift: Option<u8> {
            rfc9293: None, freebsd: Some(6), // for buffers up to 2 MiB
            kind: Kind::count(0, 14, "bits").or("auto")
                .because("RFC 7323 section 2.3 allows no more than 14")
        }
        /// The receiver holds data until a PSH, the end of the stream, or half a buffer
        /// (RFC 9293 section 3.9.1.2). Otherwise it delivers all data at once, as Linux does.
        hold_until_push: bool {
            rfc9293: true, linux: false, freebsd: false,
            kind: Kind::flag()
        }
    }
    "Options and extensions" {
        /// Order of the options of a SYN.
        syn_layout: SynLayout {
            rfc9293: SynLayout::Linux, freebsd: SynLayout::Bsd,
            kind: Kind::words::<SynLayout>()
        }
        /// Offer timestamps (RFC 7323 section 3), used for RTT measurement, PAWS and TIME-WAIT reuse.
        timestamps: bool {
            rfc9293: true,
            kind: Kind::flag(),
            names: [linux("net.ipv4.tcp_timestamps", Raw::Flag)]
        }
        /// Drop segments without a timestamp once timestamps are agreed (RFC 7323 section 3.2).
        require_timestamps: bool {
            rfc9293: true, linux: false, freebsd: false,
            kind: Kind::flag(),
            names: [freebsd("net.inet.tcp.tolerate_missing_ts", Raw::NotFlag)]
        }
        /// Age at which the latest timestamp of the peer no longer makes a segment old (RFC 7323
        /// section 5.5): its clock may have run half way around.
        ts_recent_lifetime: SimDuration {
            rfc9293: secs(24 * 86_400), linux: secs(2_147),
            kind: Kind::time_up_to(secs(1), secs(24 * 86_400))
                .because("a clock of milliseconds runs half way around in 24.8 days")
        }
        /// The peer's timestamp is taken only from a segment whose ACK is good: neither below SND.UNA
        /// nor above SND.NXT, as Linux has it. Otherwise before the ACK is looked at (RFC 9293
        /// section 3.10.7.4, first).
        ts_recent_after_ack: bool {
            rfc9293: false, linux: true,
            kind: Kind::flag()
        }
        /// Offer SACK (RFC 2018).
        sack: bool {
            rfc9293: true,
            kind: Kind::flag(),
            names: [
                linux("net.ipv4.tcp_sack", Raw::Flag),
                freebsd("net.inet.tcp.sack.enable", Raw::Flag),
            ]
        }
        /// Report duplicates by SACK (RFC 2883).
        dsack: bool {
            rfc9293: true,
            kind: Kind::flag(),
            names: [linux("net.ipv4.tcp_dsack", Raw::Flag)]
        }
        /// A SACK block covers the FIN behind it, as on Linux.
        sack_covers_fin: bool {
            rfc9293: false, linux: true,
            kind: Kind::flag()
        }
        /// Explicit congestion notification (RFC 3168).
        ecn: EcnMode {
            rfc9293: EcnMode::Passive,
            kind: Kind::words::<EcnMode>(),
            names: [
                linux("net.ipv4.tcp_ecn", Raw::Same),
                freebsd("net.inet.tcp.ecn.enable", Raw::Same),
            ]
        }
        /// A SYN that is sent again does not ask for ECN (RFC 3168 section 6.1.1.1), nor for accurate feedback
        /// when it is sent again a second time (RFC 9768 section 3.1.4.1).
        ecn_fallback: bool {
            rfc9293: true,
            kind: Kind::flag(),
            names: [linux("net.ipv4.tcp_ecn_fallback", Raw::Flag)]
        }
        /// Control packets and retransmissions carry ECT too (ECN++, draft-ietf-tcpm-generalized-ecn):
        /// SYN-ACKs and FINs; SYNs and pure ACKs only with accurate feedback.
        ecn_plus_plus: bool {
            rfc9293: false,
            kind: Kind::flag()
        }
        /// With accurate feedback (RFC 9768), ACKs carry the option with its byte counters when they
        /// have changed.
        accecn_option: bool {
            rfc9293: true,
            kind: Kind::flag()
        }
        /// Alternative back-off with ECN (RFC 8511): a congestion mark costs NewReno a fifth and CUBIC
        /// 15 % of the window, less than a loss does.
        abe: bool {
            rfc9293: false,
            kind: Kind::flag(),
            names: [freebsd("net.inet.tcp.cc.abe", Raw::Flag)]
        }
        /// Fast Open (RFC 7413), a sum of bits: 0x1 for active opens, 0x2 for listeners, 0x4 for data
        /// in a SYN without a cookie, 0x200 to accept them, 0x400 for every listener.
        fast_open: u32 {
            rfc9293: 0, linux: TcpParams::FAST_OPEN_CLIENT,
            kind: Kind::bits(FAST_OPEN),
            names: [linux("net.ipv4.tcp_fastopen", Raw::Rule(known_bits)), socket("TCP_FASTOPEN")]
        }
    }
    "Congestion control and loss detection" {
        /// Congestion control.
        /// Its name, or a table with its name and parameters: `{ kind = "cubic", beta = 0.7 }`.
        congestion: Control {
            rfc9293: Control::default(),
            kind: Kind::control(),
            names: [
                linux("net.ipv4.tcp_congestion_control", Raw::Same),
                freebsd("net.inet.tcp.cc.algorithm", Raw::Same),
                socket("TCP_CONGESTION"),
            ]
        }
        /// Segments leave evenly spaced, at a rate of the congestion window in a round-trip time
        /// times one of the two ratios. A congestion control that asks for a rate of its own is
        /// paced at that, whatever this says.
        pacing: bool {
            rfc9293: false,
            kind: Kind::flag()
        }
        /// The first segments of a connection, which are not paced whoever paces the others.
        unpaced_segments: u32 {
            rfc9293: 0, linux: 10,
            kind: Kind::count(0, 10_000, "segments")
        }
        /// Pacing in slow start, in percent of a window per round-trip time.
        pacing_ss_ratio: u32 {
            rfc9293: 200,
            kind: Kind::count(1, 1000, "percent").because("as on Linux; with 0 nothing would leave"),
            names: [linux("net.ipv4.tcp_pacing_ss_ratio", Raw::Same)]
        }
        /// Pacing in congestion avoidance, in percent of a window per round-trip time.
        pacing_ca_ratio: u32 {
            rfc9293: 120,
            kind: Kind::count(1, 1000, "percent").because("as on Linux; with 0 nothing would leave"),
            names: [linux("net.ipv4.tcp_pacing_ca_ratio", Raw::Same)]
        }
        /// Initial window (RFC 6928).
        initial_window: u32 {
            rfc9293: 10,
            kind: Kind::count(1, 10_000, "segments").because("something must be sent first"),
            names: [freebsd("net.inet.tcp.initcwnd_segments", Raw::Same)]
        }
        /// Time-outs of the SYN or SYN-ACK that do not reduce the initial window to one segment. With
        /// one or more, time-outs that the peer's timestamp shows to be needless do not count, as on
        /// Linux.
        syn_losses_forgiven: u32 {
            rfc9293: 0, linux: 1,
            kind: Kind::count(0, 255, "time-outs").because("the model counts them in 8 bits")
        }
        /// The congestion window is accounted for as on Linux. It grows by what an ACK newly reports
        /// delivered; in slow start it counts as used while it is less than twice the most that was
        /// in flight in a round; `ssthresh` after a loss comes from the window and not from what is
        /// in flight, in whole segments; recovery ends with `ssthresh`, from which the same ACK opens
        /// the window, unless what was found lost in recovery is still out: then the next begins.
        linux_cwnd: bool {
            rfc9293: false, linux: true,
            kind: Kind::flag()
        }
        /// What becomes of the congestion window while nothing is sent.
        idle_restart: IdleRestart {
            rfc9293: IdleRestart::Initial, linux: IdleRestart::Halving,
            kind: Kind::words::<IdleRestart>(),
            names: [linux("net.ipv4.tcp_slow_start_after_idle", Raw::Rule(halving_unless_zero))]
        }
        /// Most segments by which one ACK opens the window in slow start (L of RFC 3465).
        slow_start_limit: Option<u32> {
            rfc9293: Some(1), linux: None, freebsd: Some(2),
            kind: Kind::count(1, 10_000, "segments").or("unlimited")
                .because("with 0 the window would never open"),
            names: [freebsd("net.inet.tcp.abc_l_var", Raw::Same)]
        }
        /// Duplicate ACKs that start fast retransmit (RFC 5681).
        dup_ack_threshold: u32 {
            rfc9293: 3,
            kind: Kind::count(1, 300, "ACKs").because("Linux counts reordering up to 300"),
            names: [linux("net.ipv4.tcp_reordering", Raw::Same)]
        }
        /// Find losses by time instead of counting duplicate ACKs (RFC 8985 section 6). Needs SACK.
        rack: bool {
            rfc9293: false, linux: true,
            kind: Kind::flag()
        }
        /// Probe for the loss of the last segments before the retransmission timer expires
        /// (RFC 8985 section 7). Needs SACK.
        tail_loss_probe: bool {
            rfc9293: false, linux: true,
            kind: Kind::flag()
        }
        /// Small segments that are sent again are joined, as far as one segment holds them.
        join_retransmissions: bool {
            rfc9293: false, linux: true,
            kind: Kind::flag(),
            names: [linux("net.ipv4.tcp_retrans_collapse", Raw::Flag)]
        }
        /// The time-out of a thin stream, with less than four segments outstanding, does not back off
        /// for the first six retransmissions.
        thin_linear_timeouts: bool {
            rfc9293: false,
            kind: Kind::flag(),
            names: [linux("net.ipv4.tcp_thin_linear_timeouts", Raw::Flag)]
        }
        /// In fast recovery, send in proportion to what arrives (Proportional Rate Reduction,
        /// RFC 9937). Otherwise as soon as what is in flight falls below the window (RFC 6675).
        prr: bool {
            rfc9293: false, linux: true, freebsd: true,
            kind: Kind::flag(),
            names: [freebsd("net.inet.tcp.do_prr", Raw::Flag)]
        }
        /// After a time-out, find out whether it was spurious before sending more again (F-RTO,
        /// RFC 5682). To restore the window then, `undo` must be on.
        frto: bool {
            rfc9293: false, linux: true,
            kind: Kind::flag(),
            names: [linux("net.ipv4.tcp_frto", Raw::Flag)]
        }
        /// Restore the congestion window when what seemed lost was only late: by timestamps (Eifel,
        /// RFC 3522 and 4015), D-SACK (RFC 3708) or F-RTO.
        undo: bool {
            rfc9293: false, linux: true,
            kind: Kind::flag()
        }
    }
    "Retransmission time-out" {
        /// How coarse timers are.
        timers: Timers {
            rfc9293: Timers::Exact,
            kind: Kind::words::<Timers>()
        }
        /// Time-out before there is an RTT sample (RFC 6298 rule 2.1). At most `max_rto`.
        initial_rto: SimDuration {
            rfc9293: secs(1),
            kind: Kind::time_up_to(MILLISECOND, HOUR)
                .because("a shorter one would send a SYN again and again before any answer"),
            names: [freebsd("net.inet.tcp.rexmit_initial", MS)]
        }
        /// Smallest time-out (RFC 6298 rule 2.4). At most `max_rto`.
        min_rto: SimDuration {
            rfc9293: secs(1), linux: millis(200), freebsd: millis(200),
            kind: Kind::time_up_to(MICROSECOND, HOUR)
                .because("a shorter one makes millions of events in a microsecond"),
            names: [
                linux("net.ipv4.tcp_rto_min_us", US),
                other("tcp_rto_min"),
                freebsd("net.inet.tcp.rexmit_min", MS),
            ]
        }
        /// Largest time-out (RFC 6298 rule 2.5).
        max_rto: SimDuration {
            rfc9293: secs(60), linux: secs(120), freebsd: secs(64),
            kind: Kind::time_up_to(MILLISECOND, HOUR)
                .because("with less a dead peer would be sent over a thousand segments a second"),
            names: [linux("net.ipv4.tcp_rto_max_ms", MS), other("tcp_rto_max")]
        }
        /// Estimate the time-out as Linux does: the smallest bounds the deviation alone,
        /// RTO = SRTT + max(min, deviation), and the largest deviation of a round trip counts. The
        /// time-out begins again when the first outstanding segment is sent again.
        /// Otherwise as RFC 6298 says.
        linux_rto: bool {
            rfc9293: false, linux: true, freebsd: true,
            kind: Kind::flag()
        }
    }
    "Giving up" {
        /// When to give up on an unanswered SYN. Retransmissions count after the linear time-outs, as
        /// Linux counts them.
        syn_give_up "syn_retries": GiveUp {
            rfc9293: GiveUp::After(secs(180)), // MUST-23
            linux: GiveUp::Retries(6), // after the linear ones
            freebsd: GiveUp::After(secs(75)),
            kind: Kind::give_up(),
            names: [
                linux("net.ipv4.tcp_syn_retries", Raw::Same),
                freebsd("net.inet.tcp.keepinit", MS),
                socket("TCP_SYNCNT"),
            ]
        }
        /// Time-outs of a SYN before back-off starts.
        syn_linear_timeouts: u32 {
            rfc9293: 0, linux: 4, freebsd: 4,
            kind: Kind::count(0, 127, "time-outs").because("Linux takes no more"),
            names: [linux("net.ipv4.tcp_syn_linear_timeouts", Raw::Same)]
        }
        /// When to give up on an unanswered SYN-ACK.
        synack_give_up "synack_retries": GiveUp {
            rfc9293: GiveUp::After(secs(180)), linux: GiveUp::Retries(5), freebsd: GiveUp::Retries(3),
            kind: Kind::give_up(),
            names: [linux("net.ipv4.tcp_synack_retries", Raw::Same)]
        }
        /// When to give up on unacknowledged data or FIN: R2 of RFC 9293 section 3.8.3.
        data_give_up "retries2": GiveUp {
            rfc9293: GiveUp::After(secs(100)), // SHLD-11
            linux: GiveUp::Retries(15), freebsd: GiveUp::Retries(12),
            kind: Kind::give_up(),
            names: [
                linux("net.ipv4.tcp_retries2", Raw::Same),
                freebsd("net.inet.tcp.rexmit_retries", Raw::Same),
            ]
        }
        /// When to give up after the application has closed.
        orphan_give_up "orphan_retries": GiveUp {
            rfc9293: GiveUp::After(secs(100)), linux: GiveUp::Retries(8), freebsd: GiveUp::Retries(12),
            kind: Kind::give_up(),
            names: [linux("net.ipv4.tcp_orphan_retries", Raw::Rule(eight_for_zero))]
        }
        /// Retransmissions after which the path is in doubt: R1 of RFC 9293 section 3.8.3.
        retries1: u32 {
            rfc9293: 3, // SHLD-10
            kind: Kind::count(1, 255, "retransmissions").because("Linux counts them in 8 bits"),
            names: [linux("net.ipv4.tcp_retries1", Raw::Same)]
        }
        /// How long data may stay unacknowledged, or the window closed, before the connection is given
        /// up, whatever the number of retransmissions (RFC 5482, local side).
        user_timeout: Option<SimDuration> {
            rfc9293: None,
            kind: Kind::time(MILLISECOND).or("never")
                .because("a shorter one gives up before any answer"),
            names: [socket("TCP_USER_TIMEOUT")]
        }
        /// A number of retransmissions stands for the time that many would take from the smallest
        /// time-out on, counted from the first retransmission, as Linux takes `tcp_retries2`. Times of
        /// giving up count from there too, and a time-out ends with them. SYN and SYN-ACK are counted.
        retries_as_time: bool {
            rfc9293: false, linux: true,
            kind: Kind::flag()
        }
        /// Send the peer a RST when its silence ends the connection.
        reset_on_give_up: bool {
            rfc9293: true, linux: false,
            kind: Kind::flag()
        }
    }
    "Acknowledgements" {
        /// Longest delay of an ACK, or the shortest of an adaptive receiver. 0 s acknowledges every
        /// segment at once (RFC 9293 section 3.8.6.3, which wants less than 0.5 s).
        delayed_ack: SimDuration {
            rfc9293: millis(200), linux: millis(40), freebsd: millis(40),
            kind: Kind::time_up_to(SimDuration::ZERO, secs(10))
                .because("RFC 9293 MUST-58 ends at 0.5 s; longer ones only delay the sender"),
            names: [freebsd("net.inet.tcp.delacktime", MS)]
        }
        /// Full-sized segments per ACK, at most.
        ack_every: u32 {
            rfc9293: 2,
            kind: Kind::count(1, 10_000, "segments").because("an ACK answers at least one")
        }
        /// Segments acknowledged at once when a connection is young (Linux quick ACKs).
        quick_acks: u32 {
            rfc9293: 0, linux: 16,
            kind: Kind::count(0, 10_000, "segments")
        }
        /// ACKs wait for data of the own from the first segment on, as those of a connection in dialogue do
        /// (`TCP_QUICKACK` = 0 on the socket that listens; with `adaptive_receiver`).
        interactive_from_start: bool {
            rfc9293: false,
            kind: Kind::flag()
        }
        /// Duplicate ACKs that may be left out in favour of a later one, beyond the first three of a
        /// gap, where SACK tells all of what they would have told (Linux ACK compression, with
        /// `adaptive_receiver`).
        compressed_acks: u32 {
            rfc9293: 0, linux: 44,
            kind: Kind::count(0, 255, "acknowledgements"),
            names: [linux("net.ipv4.tcp_comp_sack_nr", Raw::Same)]
        }
        /// The longest that a duplicate ACK waits for others, and at most a twentieth of the round trip.
        ack_compression_delay: SimDuration {
            rfc9293: SimDuration::ZERO, linux: SimDuration::from_millis(1),
            kind: Kind::time(SimDuration::ZERO),
            names: [linux("net.ipv4.tcp_comp_sack_delay_ns", NS)]
        }
        /// How much later than that its timer runs.
        ack_compression_slack: SimDuration {
            rfc9293: SimDuration::ZERO, linux: SimDuration::from_micros(100),
            kind: Kind::time(SimDuration::ZERO),
            names: [linux("net.ipv4.tcp_comp_sack_slack_ns", NS)]
        }
    }
    "Sending" {
        /// Nagle's algorithm (RFC 9293 section 3.7.4).
        nagle: bool {
            rfc9293: true,
            kind: Kind::flag(),
            names: [socket("TCP_NODELAY")]
        }
        /// Nagle's algorithm in Minshall's form, as Linux has it: only a small segment in flight holds
        /// back the next small one.
        minshall: bool {
            rfc9293: false, linux: true,
            kind: Kind::flag()
        }
        /// Less than a full segment waits, up to 200 ms.
        cork: bool {
            rfc9293: false,
            kind: Kind::flag(),
            names: [socket("TCP_CORK")]
        }
        /// Segments leave in bursts, as a network card cuts them from one large buffer (TSO), and the
        /// last of a burst of two or more has PSH, as on Linux. Pacing waits between bursts.
        tso: bool {
            rfc9293: false, linux: true,
            kind: Kind::flag()
        }
        /// The least number of segments in a burst that the pacing rate asks for (`tso`). A burst takes
        /// at most half of the congestion window.
        min_burst: u32 {
            rfc9293: 2,
            kind: Kind::count(1, 65_535, "segments").because("a burst has a segment at least"),
            names: [linux("net.ipv4.tcp_min_tso_segs", Raw::Same)]
        }
        /// The last octet in the send buffer goes with PSH (RFC 9293 MUST-61). Otherwise PSH is only
        /// where a call ends without `MSG_MORE`, as on Linux.
        push_last: bool {
            rfc9293: true, linux: false,
            kind: Kind::flag()
        }
        /// A burst ends with what is left of the peer's window, though that is less than a full
        /// segment, as Linux sends it.
        fill_window: bool {
            rfc9293: false, linux: true,
            kind: Kind::flag()
        }
        /// Window probes carry one new octet (RFC 9293 section 3.8.6.1). Otherwise they are empty, one
        /// octet below SND.UNA, as Linux sends them.
        probe_with_octet: bool {
            rfc9293: true, linux: false,
            kind: Kind::flag()
        }
        /// The time to the next window probe counts from the answer to the last one, not from the
        /// probe.
        probes_from_answer: bool {
            rfc9293: false, linux: true,
            kind: Kind::flag()
        }
    }
    "Keep-alive" {
        /// Idle time before the first keep-alive probe (RFC 9293 MUST-25: off unless asked for).
        keepalive: Option<SimDuration> {
            rfc9293: None, freebsd: Some(TcpParams::DEFAULT_KEEPALIVE),
            kind: Kind::time(millis(100)).or("never")
                .because("with less an idle connection would send over ten probes a second"),
            names: [linux("net.ipv4.tcp_keepalive_time", S), socket("TCP_KEEPIDLE")]
        }
        /// Time between keep-alive probes.
        keepalive_interval: SimDuration {
            rfc9293: secs(75),
            kind: Kind::time(millis(100))
                .because("with less a dead peer would be sent over ten probes a second"),
            names: [
                linux("net.ipv4.tcp_keepalive_intvl", S),
                freebsd("net.inet.tcp.keepintvl", MS),
                socket("TCP_KEEPINTVL"),
            ]
        }
        /// Unanswered probes after which the connection is dead.
        keepalive_probes: u32 {
            rfc9293: 9, freebsd: 8,
            kind: Kind::count(1, 255, "probes").because("RFC 9293 MUST-29: one at least"),
            names: [
                linux("net.ipv4.tcp_keepalive_probes", Raw::Same),
                freebsd("net.inet.tcp.keepcnt", Raw::Same),
                socket("TCP_KEEPCNT"),
            ]
        }
        /// Traffic does not move the keep-alive timer: when it expires, it looks how long the peer has
        /// been silent, and waits for the rest.
        keepalive_polls: bool {
            rfc9293: false, linux: true,
            kind: Kind::flag()
        }
    }
    "Close and TIME-WAIT" {
        /// Time in TIME-WAIT: 2 MSL.
        time_wait: SimDuration {
            rfc9293: secs(240), // section 3.4.2
            linux: secs(60), freebsd: secs(60), // the MSL of FreeBSD is 30 s
            kind: Kind::time(MICROSECOND).because("TIME-WAIT cannot be switched off"),
            names: [freebsd("net.inet.tcp.msl", Raw::Half(MILLISECOND))]
        }
        /// What segments do in TIME-WAIT.
        time_wait_rules: TimeWaitRules {
            rfc9293: TimeWaitRules::Rfc9293, linux: TimeWaitRules::Linux,
            freebsd: TimeWaitRules::FreeBsd,
            kind: Kind::words::<TimeWaitRules>()
        }
        /// An active open may take over a local port in TIME-WAIT, where timestamps make it safe.
        tw_reuse: TwReuse {
            rfc9293: TwReuse::Off, linux: TwReuse::Loopback,
            kind: Kind::flag_or_2("for connections of a host with itself only"),
            names: [linux("net.ipv4.tcp_tw_reuse", Raw::Same)]
        }
        /// Age at which `tw_reuse` may take over a port.
        tw_reuse_delay: SimDuration {
            rfc9293: secs(1),
            kind: Kind::time(SimDuration::ZERO),
            names: [linux("net.ipv4.tcp_tw_reuse_delay", MS)]
        }
        /// A listener accepts a new SYN in TIME-WAIT where that is safe (RFC 9293 MAY-2, RFC 6191).
        tw_accept_syn: bool {
            rfc9293: true,
            kind: Kind::flag()
        }
        /// Ignore RSTs in TIME-WAIT (RFC 1337, fix F1).
        rfc1337: bool {
            rfc9293: false,
            kind: Kind::flag(),
            names: [linux("net.ipv4.tcp_rfc1337", Raw::Flag)]
        }
        /// Most sockets in TIME-WAIT that a host holds. Beyond that, connections close at once, which
        /// is unsafe: old segments may reach a new connection.
        max_tw_buckets: Option<u32> {
            rfc9293: None, linux: Some(131_072),
            kind: Kind::count(0, INT_MAX, "sockets").or("unlimited")
                .because("Linux takes no larger number"),
            names: [
                linux("net.ipv4.tcp_max_tw_buckets", Raw::Same),
                freebsd("net.inet.tcp.maxtcptw", Raw::Same),
            ]
        }
        /// How long FIN-WAIT-2 lasts once the application has closed.
        fin_timeout: Option<SimDuration> {
            rfc9293: None, linux: Some(secs(60)), freebsd: Some(secs(60)),
            kind: Kind::time(MICROSECOND).or("never").because("the peer needs time to close"),
            names: [
                linux("net.ipv4.tcp_fin_timeout", S),
                freebsd("net.inet.tcp.finwait2_timeout", MS),
                socket("TCP_LINGER2"),
            ]
        }
        /// Where `fin_timeout` is longer than `time_wait`, a closed connection stays in FIN-WAIT-2 for
        /// the difference, twice: as a full connection and as a small entry, as Linux has it.
        split_fin_timeout: bool {
            rfc9293: false, linux: true,
            kind: Kind::flag()
        }
    }
    "Local ports" {
        /// First and last local port of active opens.
        port_range "ip_local_port_range": (u16, u16) {
            rfc9293: (49152, 65535), // RFC 6335, dynamic ports
            linux: (32768, 60999), freebsd: (10000, 65535),
            kind: Kind::ports(),
            names: [linux("net.ipv4.ip_local_port_range", Raw::Same)]
        }
        /// How a local port is chosen.
        port_selection: PortSelection {
            rfc9293: PortSelection::Random, linux: PortSelection::Linux,
            kind: Kind::words::<PortSelection>()
        }
    }
    "Listeners" {
        /// Upper bound of a listener's accept queue.
        somaxconn: u32 {
            rfc9293: 4096, freebsd: 128,
            kind: Kind::count(1, INT_MAX, "connections")
                .because("with 0 no connection would be accepted"),
            names: [linux("net.core.somaxconn", Raw::Same)]
        }
        /// Connections in SYN-RECEIVED that a listener holds.
        max_syn_backlog: u32 {
            rfc9293: 4096,
            kind: Kind::count(1, INT_MAX, "connections")
                .because("with 0 no connection would be accepted"),
            names: [linux("net.ipv4.tcp_max_syn_backlog", Raw::Same)]
        }
        /// SYN cookies of a listener (RFC 4987 section 3.6).
        syn_cookies: SynCookies {
            rfc9293: SynCookies::Off, linux: SynCookies::WhenFull, freebsd: SynCookies::WhenFull,
            kind: Kind::words::<SynCookies>(),
            names: [
                linux("net.ipv4.tcp_syncookies", Raw::Rule(cookies)),
                freebsd("net.inet.tcp.syncookies", Raw::Rule(cookies_when_full)),
                freebsd("net.inet.tcp.syncookies_only", Raw::Rule(cookies_only)),
            ]
        }
        /// While more than half of a listener's queue of half-open connections is in use, old ones are
        /// dropped before their retransmissions are used up, as on Linux.
        prune_half_open: bool {
            rfc9293: false, linux: true,
            kind: Kind::flag()
        }
        /// A listener drops a SYN that has a FIN, too.
        drop_syn_fin: bool {
            rfc9293: false, linux: true,
            kind: Kind::flag(),
            names: [freebsd("net.inet.tcp.drop_synfin", Raw::Flag)]
        }
        /// Answer with RST instead of silence when the accept queue is full.
        abort_on_overflow: bool {
            rfc9293: false,
            kind: Kind::flag(),
            names: [linux("net.ipv4.tcp_abort_on_overflow", Raw::Flag)]
        }
        /// Connections of a listener are established by their first data, not by the bare last ACK of
        /// the handshake, for about this long.
        defer_accept: Option<SimDuration> {
            rfc9293: None,
            kind: Kind::time(MILLISECOND).or("never").because("the data need time to arrive"),
            names: [socket("TCP_DEFER_ACCEPT")]
        }
    }
    "Resets, challenge ACKs and ICMP" {
        /// The RST that answers data after close takes its number from the segment, as where there is
        /// no connection. Otherwise it is SND.NXT, with an acknowledgement.
        reset_from_segment: bool {
            rfc9293: false, linux: true, freebsd: true,
            kind: Kind::flag()
        }
        /// An RST anywhere in the window resets, without RFC 5961 section 3.
        rst_in_window_resets: bool {
            rfc9293: false,
            kind: Kind::flag(),
            names: [freebsd("net.inet.tcp.insecure_rst", Raw::Flag)]
        }
        /// A SYN in the window resets, as in RFC 793, without RFC 5961 section 4.
        syn_in_window_resets: bool {
            rfc9293: false,
            kind: Kind::flag(),
            names: [freebsd("net.inet.tcp.insecure_syn", Raw::Flag)]
        }
        /// Smallest time between two ACKs that answer unacceptable segments (RFC 5961 section 7).
        challenge_ack_interval: SimDuration {
            rfc9293: SimDuration::ZERO, linux: millis(500),
            kind: Kind::time(SimDuration::ZERO),
            names: [linux("net.ipv4.tcp_invalid_ratelimit", MS)]
        }
        /// Most challenge ACKs that a host sends in a second, over all its connections.
        challenge_ack_limit: Option<u32> {
            rfc9293: None,
            kind: Kind::count(0, INT_MAX, "ACKs").or("unlimited")
                .because("Linux takes no larger number"),
            names: [linux("net.ipv4.tcp_challenge_ack_limit", Raw::Rule(unlimited_from_i32_max))]
        }
        /// A hard ICMP error ends a connection in any state (RFC 9293 SHLD-26). Otherwise only before
        /// it is synchronized (RFC 5927 section 5.2, Linux).
        icmp_hard_abort: bool {
            rfc9293: true, linux: false,
            kind: Kind::flag()
        }
        /// A soft ICMP error ends a connection attempt (RFC 5461 section 3.1, Linux). Otherwise none
        /// ends on it (RFC 9293 MUST-56).
        icmp_soft_abort_connect: bool {
            rfc9293: false, linux: true,
            kind: Kind::flag()
        }
    }
}

/// Bits above those of `fast_open` belong to older kernels and mean nothing to newer ones.
fn known_bits(n: i64) -> Option<Value> {
    Some(Value::Number(n & 0x7ff))
}

/// `tcp_orphan_retries` = 0 means 8.
fn eight_for_zero(n: i64) -> Option<Value> {
    Some(Value::Number(if n == 0 { 8 } else { n }))
}

/// `tcp_slow_start_after_idle`.
fn halving_unless_zero(n: i64) -> Option<Value> {
    Some(Value::text(if n == 0 { "off" } else { "halving" }))
}

fn unlimited_from_i32_max(n: i64) -> Option<Value> {
    Some(unlimited_from(n, i64::from(i32::MAX)))
}

fn unlimited_from_u32_max(n: i64) -> Option<Value> {
    Some(unlimited_from(n, i64::from(u32::MAX)))
}

fn unlimited_from(n: i64, limit: i64) -> Value {
    if n >= limit {
        Value::text("unlimited")
    } else {
        Value::Number(n)
    }
}

/// `tcp_syncookies`: every number from 2 on means always.
fn cookies(n: i64) -> Option<Value> {
    Some(match n {
        0 | 1 => Value::Number(n),
        _ => Value::text("always"),
    })
}

/// FreeBSD's `syncookies`.
fn cookies_when_full(n: i64) -> Option<Value> {
    Some(Value::text(if n == 0 { "off" } else { "when-full" }))
}

/// FreeBSD's `syncookies_only`.
fn cookies_only(n: i64) -> Option<Value> {
    Some(Value::text(if n == 0 { "when-full" } else { "always" }))
}
