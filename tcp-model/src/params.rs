//! Parameters of a host's TCP, and the named sets of them: `rfc9293`, `linux` and `freebsd`.

use sim_core::SimDuration;

pub use crate::ticks::Timers;

/// When to stop retransmitting and report the connection dead: R2 of RFC 9293 section 3.8.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GiveUp {
    /// After this many retransmissions, when the next time-out expires.
    Retries(u32),
    /// At the first time-out at least this long after the first transmission.
    After(SimDuration),
    /// Never.
    Never,
}

/// How a local port is chosen at an active open (RFC 6056).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum PortSelection {
    /// The next free port upwards from the last one used towards the same destination.
    Sequential,
    /// RFC 6056 algorithm 1: a random start, then upwards.
    Random,
    /// As Linux does it: ports of the lower end's parity first, in random even steps from the last
    /// one used (1 to 8 steps of two), then the other parity.
    #[default]
    Linux,
}

/// Whether an active open may take over a port in TIME-WAIT (Linux `tcp_tw_reuse`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum TwReuse {
    /// No.
    #[default]
    Off,
    /// When timestamps were in use and the entry is older than `tw_reuse_delay`.
    On,
}

/// Which congestion control a connection uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum CongestionKind {
    /// RFC 5681 with RFC 6582 recovery.
    #[default]
    NewReno,
}

/// Which IP is below: the length of its header and the MSS to assume (RFC 9293 section 3.7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum IpVersion {
    /// 20 octets, 536.
    #[default]
    V4,
    /// 40 octets, 1220.
    V6,
}

impl IpVersion {
    /// Octets of a header without options.
    pub const fn header_len(self) -> u32 {
        match self {
            IpVersion::V4 => 20,
            IpVersion::V6 => 40,
        }
    }

    /// MUST-15: the MSS of a peer that sends no MSS option.
    pub const fn default_mss(self) -> u16 {
        match self {
            IpVersion::V4 => 536,
            IpVersion::V6 => 1220,
        }
    }
}

/// Whether ECN is used (RFC 3168; Linux `tcp_ecn`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum EcnMode {
    /// No: neither asked for nor granted.
    #[default]
    Off,
    /// Asked for in a SYN, and granted.
    Active,
    /// Granted to a peer that asks.
    Passive,
}

/// Whether a listener answers with SYN cookies (Linux `tcp_syncookies`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum SynCookies {
    /// Never: a SYN that finds the queue full is dropped.
    #[default]
    Off,
    /// When the queue of half-open connections is full.
    WhenFull,
    /// To every SYN.
    Always,
}

/// The order of the options of a SYN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum SynLayout {
    /// As Linux writes them: MSS, SACK-permitted, timestamps, NOP, window scale.
    #[default]
    Linux,
    /// As the BSDs do: MSS, NOP, window scale, SACK-permitted, timestamps.
    Bsd,
}

/// What an idle time of more than one time-out does to the congestion window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum IdleRestart {
    /// Nothing.
    Off,
    /// Slow start begins anew from the initial window (RFC 5681 section 4.1).
    #[default]
    Initial,
    /// Each time-out halves the window, down to the initial one (RFC 2861, as Linux has it).
    Halving,
}

/// What TIME-WAIT does with segments other than the peer's FIN, where stacks differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum TimeWaitRules {
    /// RFC 9293 section 3.10.7.4 with RFC 5961, RFC 6191 and RFC 7323.
    #[default]
    Rfc9293,
    /// As Linux has it.
    Linux,
    /// As FreeBSD has it.
    FreeBsd,
}

/// Everything that can be set about a host's TCP. Times are exact unless said otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct TcpParams {
    /// Which IP is below.
    pub ip_version: IpVersion,
    /// Largest IP packet sent or received, bytes; the MSS is this less the two headers.
    /// Everything that can be set about a host's TCP.
    /// How timers round.
    pub timers: Timers,
    /// Largest IP packet sent or received, bytes; the MSS is this less 40.
    pub mtu: u16,
    /// A smaller MSS to announce and to send, set by the application (`TCP_MAXSEG`).
    pub max_segment: Option<u16>,
    /// Follow "packet too big" (RFC 1191); off, it is ignored.
    pub path_mtu_discovery: bool,
    /// Least path MTU that is believed (Linux `min_pmtu`; RFC 5927 section 7.3).
    pub min_path_mtu: u16,
    /// Send buffer, bytes.
    pub send_buffer: u32,
    /// Receive buffer, bytes: the largest window offered.
    pub receive_buffer: u32,
    /// A smaller bound of the window offered (`TCP_WINDOW_CLAMP`).
    pub window_clamp: Option<u32>,
    /// Writing is worth it while fewer bytes than this wait to be sent (`TCP_NOTSENT_LOWAT`).
    pub notsent_lowat: Option<u32>,
    /// Offer window scaling (RFC 7323 section 2).
    pub window_scaling: bool,
    /// Own shift count, where it is not the least one for `receive_buffer`.
    pub window_shift: Option<u8>,
    /// Order of the options of a SYN.
    pub syn_layout: SynLayout,
    /// Offer timestamps (RFC 7323 section 3), used for RTT measurement, PAWS and TIME-WAIT reuse.
    pub timestamps: bool,
    /// Offer SACK (RFC 2018).
    pub sack: bool,
    /// Report duplicates by SACK (RFC 2883).
    pub dsack: bool,
    /// ECN (RFC 3168).
    pub ecn: EcnMode,
    /// Fast Open (RFC 7413), the bits of Linux `tcp_fastopen`: see [`TcpParams::FAST_OPEN_CLIENT`]
    /// and its fellows.
    pub fast_open: u32,
    /// SYN cookies of a listener.
    pub syn_cookies: SynCookies,
    /// Initial window in segments (RFC 6928).
    pub initial_window: u32,
    /// What becomes of the congestion window while nothing is sent.
    pub idle_restart: IdleRestart,
    /// Most segments by which one ACK opens the window in slow start (L of RFC 3465); `None` for
    /// no limit.
    pub slow_start_limit: Option<u32>,
    /// Congestion control.
    pub congestion: CongestionKind,
    /// Duplicate ACKs that start fast retransmit (RFC 5681).
    pub dup_ack_threshold: u32,
    /// Time-out before any RTT sample (RFC 6298 rule 2.1).
    pub initial_rto: SimDuration,
    /// Smallest time-out (RFC 6298 rule 2.4).
    pub min_rto: SimDuration,
    /// The time-out is estimated as Linux does: the smallest bounds the deviation alone, RTO =
    /// SRTT + max(min, deviation), and the largest deviation of a round trip counts. Otherwise
    /// RFC 6298.
    pub linux_rto: bool,
    /// Largest time-out (RFC 6298 rule 2.5).
    pub max_rto: SimDuration,
    /// When to give up on an unanswered SYN; retries count after the linear time-outs, as Linux
    /// counts them.
    pub syn_give_up: GiveUp,
    /// SYN time-outs before back-off starts (Linux `tcp_syn_linear_timeouts`).
    pub syn_linear_timeouts: u32,
    /// When to give up on an unanswered SYN-ACK.
    pub synack_give_up: GiveUp,
    /// When to give up on unacknowledged data or FIN.
    pub data_give_up: GiveUp,
    /// R1 of RFC 9293 section 3.8.3: retransmissions after which the path is in doubt.
    pub retries1: u32,
    /// How long data may stay unacknowledged, or the window closed, until the connection is given
    /// up, whatever the number of retransmissions (`TCP_USER_TIMEOUT`, RFC 5482 locally).
    pub user_timeout: Option<SimDuration>,
    /// When to give up after the application has closed.
    pub orphan_give_up: GiveUp,
    /// A number of retries stands for the time that many would take from the smallest time-out on,
    /// counted from the first retransmission, as Linux takes `tcp_retries2`; times of give-up count
    /// from there too, and a time-out ends with them. SYN and SYN-ACK are counted.
    pub retries_as_time: bool,
    /// The peer is sent a RST when its silence ends the connection.
    pub reset_on_give_up: bool,
    /// A segment probes for the loss of the last ones before the retransmission timer expires
    /// (RFC 8985 section 7); needs SACK.
    pub tail_loss_probe: bool,
    /// Losses are found by time, not by counting duplicate ACKs (RFC 8985 section 6); needs SACK.
    pub rack: bool,
    /// The time to the next window probe counts from the answer to the last one, not from the probe.
    pub probes_from_answer: bool,
    /// Traffic does not move the keep-alive timer: when it expires, it looks how long the peer has
    /// been silent, and waits for the rest.
    pub keepalive_polls: bool,
    /// Where `fin_timeout` is longer than `time_wait`, an orphan stays in FIN-WAIT-2 for the
    /// difference, twice: as a full connection and as a small entry, as Linux has it.
    pub split_fin_timeout: bool,
    /// ACKs and window follow the data that arrive, as Linux's do: quick ACKs, interactive
    /// connections, a delay from `delayed_ack` up, and a window that opens from half of
    /// `receive_buffer_start` as segments come.
    pub adaptive_receiver: bool,
    /// Receive buffer of an adaptive receiver at the start, in bytes of memory (`tcp_rmem`).
    pub receive_buffer_start: u32,
    /// The buffer of an adaptive receiver grows with what the application reads, up to
    /// `receive_buffer`.
    pub moderate_rcvbuf: bool,
    /// Longest delay of an ACK, or the shortest of an adaptive receiver's; zero acknowledges every
    /// segment at once (RFC 9293 section 3.8.6.3).
    pub delayed_ack: SimDuration,
    /// Full-sized segments per ACK, at most.
    pub ack_every: u32,
    /// Segments acknowledged at once when a connection is young (Linux quick ACKs).
    pub quick_acks: u32,
    /// Nagle's algorithm (RFC 9293 section 3.7.4).
    pub nagle: bool,
    /// Nagle in Minshall's form, as Linux has it: only a small segment in flight holds back the
    /// next small one.
    pub minshall: bool,
    /// Less than a full segment waits, up to 200 ms (`TCP_CORK`).
    pub cork: bool,
    /// A burst ends with what is left of the peer's window, though that is less than a full segment,
    /// as Linux sends it.
    pub fill_window: bool,
    /// Window probes carry one new octet (RFC 9293 section 3.8.6.1); otherwise they are empty, one
    /// octet below SND.UNA, as Linux sends them.
    pub probe_with_octet: bool,
    /// Segments without a timestamp are dropped once timestamps are agreed (RFC 7323 section 3.2).
    pub require_timestamps: bool,
    /// The receiver holds data until a PSH, the end of the stream, or half a buffer
    /// (RFC 9293 section 3.9.1.2); otherwise it delivers all data at once, as Linux does.
    pub hold_until_push: bool,
    /// Time in TIME-WAIT: 2 MSL.
    pub time_wait: SimDuration,
    /// What segments do in TIME-WAIT.
    pub time_wait_rules: TimeWaitRules,
    /// Taking over local ports in TIME-WAIT.
    pub tw_reuse: TwReuse,
    /// Age at which `tw_reuse` may take an entry over.
    pub tw_reuse_delay: SimDuration,
    /// A listener accepts a new SYN in TIME-WAIT where that is safe (RFC 9293 MAY-2, RFC 6191).
    pub tw_accept_syn: bool,
    /// Ignore RSTs in TIME-WAIT (RFC 1337, fix F1).
    pub rfc1337: bool,
    /// Most TIME-WAIT entries a host holds; beyond, connections close at once. `None`: no limit.
    pub max_tw_buckets: Option<u32>,
    /// How long FIN-WAIT-2 lasts once the application has closed; `None`: for ever.
    pub fin_timeout: Option<SimDuration>,
    /// Idle time before the first keep-alive probe; `None`: off (RFC 9293 MUST-25).
    pub keepalive: Option<SimDuration>,
    /// Time between keep-alive probes.
    pub keepalive_interval: SimDuration,
    /// Unanswered probes after which the connection is dead.
    pub keepalive_probes: u32,
    /// First and last local port for active opens.
    pub port_range: (u16, u16),
    /// How a local port is chosen.
    pub port_selection: PortSelection,
    /// Upper bound of a listener's accept queue (`somaxconn`).
    pub somaxconn: u32,
    /// Connections in SYN-RECEIVED a listener holds (`tcp_max_syn_backlog`).
    pub max_syn_backlog: u32,
    /// Answer with RST, rather than silence, when the accept queue is full.
    pub abort_on_overflow: bool,
    /// A listener's connections are established by their first data, not by the bare last ACK of
    /// the handshake, for about this long (`TCP_DEFER_ACCEPT`).
    pub defer_accept: Option<SimDuration>,
    /// The RST that answers data after close takes its number from the segment, as at an end where
    /// nobody is; otherwise it is SND.NXT, with an acknowledgement.
    pub reset_from_segment: bool,
    /// An RST anywhere in the window resets, without RFC 5961 section 3.
    pub rst_in_window_resets: bool,
    /// A SYN in the window resets, as RFC 793 had it, without RFC 5961 section 4.
    pub syn_in_window_resets: bool,
    /// Least time between two ACKs sent in answer to unacceptable segments (RFC 5961 section 7).
    pub challenge_ack_interval: SimDuration,
    /// Most challenge ACKs a host sends in a second, over all connections; `None`: no limit.
    pub challenge_ack_limit: Option<u32>,
    /// A hard ICMP error ends a connection in any state (RFC 9293 SHLD-26); otherwise only before
    /// it is synchronized (RFC 5927 section 5.2, Linux).
    pub icmp_hard_abort: bool,
    /// A soft ICMP error ends a connection attempt (RFC 5461 section 3.1, Linux); otherwise none
    /// ends on it (RFC 9293 MUST-56).
    pub icmp_soft_abort_connect: bool,
    /// Time to live of sent packets.
    pub ttl: u8,
    /// DS field of sent packets.
    pub tos: u8,
}

impl TcpParams {
    /// RFC 9293 and the RFCs it cites, with the values they recommend: MSL 2 minutes, minimum RTO
    /// one second, SYN retransmission for at least 3 minutes, R2 of 100 seconds.
    pub fn rfc9293() -> TcpParams {
        TcpParams {
            ip_version: IpVersion::V4,
            timers: Timers::Exact,
            mtu: 1500,
            max_segment: None,
            path_mtu_discovery: true,
            min_path_mtu: 552,
            send_buffer: 256 * 1024,
            receive_buffer: 256 * 1024,
            window_clamp: None,
            notsent_lowat: None,
            window_scaling: true,
            window_shift: None,
            syn_layout: SynLayout::Linux,
            timestamps: true,
            sack: true,
            dsack: true,
            ecn: EcnMode::Passive,
            fast_open: 0,
            syn_cookies: SynCookies::Off,
            initial_window: 10,
            idle_restart: IdleRestart::Initial,
            slow_start_limit: Some(1),
            congestion: CongestionKind::NewReno,
            dup_ack_threshold: 3,
            initial_rto: SimDuration::from_secs(1),
            min_rto: SimDuration::from_secs(1),
            linux_rto: false,
            max_rto: SimDuration::from_secs(60),
            syn_give_up: GiveUp::After(SimDuration::from_secs(180)), // MUST-23
            syn_linear_timeouts: 0,
            synack_give_up: GiveUp::After(SimDuration::from_secs(180)),
            data_give_up: GiveUp::After(SimDuration::from_secs(100)), // SHLD-11
            orphan_give_up: GiveUp::After(SimDuration::from_secs(100)),
            retries1: 3, // SHLD-10
            user_timeout: None,
            retries_as_time: false,
            reset_on_give_up: true,
            tail_loss_probe: false,
            rack: false,
            probes_from_answer: false,
            keepalive_polls: false,
            split_fin_timeout: false,
            adaptive_receiver: false,
            receive_buffer_start: 128 * 1024,
            moderate_rcvbuf: true,
            delayed_ack: SimDuration::from_millis(200),
            ack_every: 2,
            quick_acks: 0,
            nagle: true,
            minshall: false,
            fill_window: false,
            cork: false,
            probe_with_octet: true,
            require_timestamps: true,
            hold_until_push: true,
            time_wait: SimDuration::from_secs(240), // 2 MSL, section 3.4.2
            time_wait_rules: TimeWaitRules::Rfc9293,
            tw_reuse: TwReuse::Off,
            tw_reuse_delay: SimDuration::from_secs(1),
            tw_accept_syn: true,
            rfc1337: false,
            max_tw_buckets: None,
            fin_timeout: None,
            keepalive: None,
            keepalive_interval: SimDuration::from_secs(75),
            keepalive_probes: 9,
            port_range: (49152, 65535), // RFC 6335 dynamic ports
            port_selection: PortSelection::Random,
            somaxconn: 4096,
            max_syn_backlog: 4096,
            abort_on_overflow: false,
            defer_accept: None,
            reset_from_segment: false,
            rst_in_window_resets: false,
            syn_in_window_resets: false,
            challenge_ack_interval: SimDuration::ZERO,
            challenge_ack_limit: None,
            icmp_hard_abort: true,
            icmp_soft_abort_connect: false,
            ttl: 64,
            tos: 0,
        }
    }

    /// Linux 6.x defaults, with exact timers; `timers` makes them as coarse as Linux's.
    ///
    /// Leaves out send-buffer autotuning: the buffer has its final size from the start.
    pub fn linux() -> TcpParams {
        TcpParams {
            send_buffer: 4 * 1024 * 1024,
            receive_buffer: 6 * 1024 * 1024,
            min_rto: SimDuration::from_millis(200),
            linux_rto: true,
            max_rto: SimDuration::from_secs(120),
            syn_give_up: GiveUp::Retries(6), // tcp_syn_retries, after the linear ones
            syn_linear_timeouts: 4,
            synack_give_up: GiveUp::Retries(5),
            data_give_up: GiveUp::Retries(15),
            orphan_give_up: GiveUp::Retries(8),
            retries_as_time: true,
            reset_on_give_up: false,
            tail_loss_probe: true,
            rack: true,
            probes_from_answer: true,
            keepalive_polls: true,
            split_fin_timeout: true,
            adaptive_receiver: true,
            delayed_ack: SimDuration::from_millis(40),
            quick_acks: 16,
            slow_start_limit: None,
            idle_restart: IdleRestart::Halving, // tcp_slow_start_after_idle
            minshall: true,
            fill_window: true,
            probe_with_octet: false,
            require_timestamps: false,
            hold_until_push: false,
            time_wait: SimDuration::from_secs(60),
            time_wait_rules: TimeWaitRules::Linux,
            reset_from_segment: true,
            tw_reuse_delay: SimDuration::from_secs(1),
            max_tw_buckets: Some(131_072),
            fin_timeout: Some(SimDuration::from_secs(60)),
            port_range: (32768, 60999),
            port_selection: PortSelection::Linux,
            challenge_ack_interval: SimDuration::from_millis(500),
            icmp_hard_abort: false,
            icmp_soft_abort_connect: true,
            fast_open: TcpParams::FAST_OPEN_CLIENT,
            syn_cookies: SynCookies::WhenFull,
            ..TcpParams::rfc9293()
        }
    }

    /// MUST-28: idle time before the first keep-alive probe, for those who switch it on and say no
    /// more.
    pub const DEFAULT_KEEPALIVE: SimDuration = SimDuration::from_secs(7_200);
    /// FreeBSD 14 defaults, with exact timers.
    ///
    /// Leaves out buffer autotuning, the limit of challenge ACKs, and SYN cookies. Deviation: the
    /// 200 ms that FreeBSD adds to every time-out are the least variance term here.
    pub fn freebsd() -> TcpParams {
        TcpParams {
            send_buffer: 2 * 1024 * 1024,
            receive_buffer: 64 * 1024,
            window_shift: Some(6), // for buffers up to 2 MiB
            syn_layout: SynLayout::Bsd,
            slow_start_limit: Some(2), // net.inet.tcp.abc_l_var
            min_rto: SimDuration::from_millis(200),
            linux_rto: true,
            max_rto: SimDuration::from_secs(64),
            syn_give_up: GiveUp::After(SimDuration::from_secs(75)), // net.inet.tcp.keepinit
            syn_linear_timeouts: 4,
            synack_give_up: GiveUp::Retries(3),
            data_give_up: GiveUp::Retries(12),
            orphan_give_up: GiveUp::Retries(12),
            delayed_ack: SimDuration::from_millis(40),
            hold_until_push: false,
            time_wait: SimDuration::from_secs(60), // net.inet.tcp.msl is 30 s
            time_wait_rules: TimeWaitRules::FreeBsd,
            reset_from_segment: true,
            fin_timeout: Some(SimDuration::from_secs(60)),
            keepalive: Some(SimDuration::from_secs(7200)),
            keepalive_probes: 8,
            somaxconn: 128,
            ..TcpParams::rfc9293()
        }
    }

    /// Linux as packetdrill scripts take it for granted: their usual preamble raises the largest
    /// receive buffer above the default, so that the window scale is 8, and lets every listener
    /// speak Fast Open.
    pub fn of_scripts() -> TcpParams {
        TcpParams {
            receive_buffer: 15 * 1024 * 1024,
            fast_open: TcpParams::FAST_OPEN_CLIENT
                | TcpParams::FAST_OPEN_SERVER
                | TcpParams::FAST_OPEN_ALL_LISTENERS,
            ..TcpParams::linux()
        }
    }

    /// The set of that name.
    pub fn profile(name: &str) -> Option<TcpParams> {
        match name {
            "rfc9293" => Some(TcpParams::rfc9293()),
            "linux" => Some(TcpParams::linux()),
            "freebsd" => Some(TcpParams::freebsd()),
            _ => None,
        }
    }

    /// Bit of `fast_open`: active opens may use it.
    pub const FAST_OPEN_CLIENT: u32 = 1;
    /// Bit of `fast_open`: listeners may use it.
    pub const FAST_OPEN_SERVER: u32 = 2;
    /// Bit of `fast_open`: SYNs carry data without a cookie.
    pub const FAST_OPEN_CLIENT_NO_COOKIE: u32 = 4;
    /// Bit of `fast_open`: data are taken from SYNs without a cookie.
    pub const FAST_OPEN_SERVER_NO_COOKIE: u32 = 0x200;
    /// Bit of `fast_open`: every listener uses it, not only those told to.
    pub const FAST_OPEN_ALL_LISTENERS: u32 = 0x400;

    /// Names that [`TcpParams::profile`] knows.
    pub const PROFILES: [&'static str; 3] = ["rfc9293", "linux", "freebsd"];

    /// The MSS to offer: what fits a packet of `mtu` bytes without options (RFC 6691, MUST-67), or
    /// less if the application wants so.
    pub const fn mss(&self) -> u16 {
        let fits = self
            .mtu
            .saturating_sub(20 + self.ip_version.header_len() as u16);
        match self.max_segment {
            Some(most) if most < fits => most,
            _ => fits,
        }
    }

    /// The largest window to offer.
    pub const fn offered_buffer(&self) -> u32 {
        match self.window_clamp {
            Some(most) if most < self.receive_buffer => most,
            _ => self.receive_buffer,
        }
    }

    /// The window scale shift to offer: the least that lets the field express the whole buffer.
    pub const fn window_shift(&self) -> u8 {
        if let Some(shift) = self.window_shift {
            return shift;
        }
        // A buffer of fixed memory never offers more than half of it.
        let fixed = self.adaptive_receiver && !self.moderate_rcvbuf;
        let most = self.receive_buffer >> fixed as u32;
        let mut shift = 0;
        while shift < 14 && most >> shift > 0xffff {
            shift += 1;
        }
        shift
    }

    /// The window that a SYN or SYN-ACK offers, whose field is never scaled, when options take
    /// `option_bytes` of every segment. An adaptive receiver offers half of its first buffer, in
    /// whole segments.
    pub fn first_window(&self, option_bytes: u32) -> u32 {
        if !self.adaptive_receiver {
            return self.offered_buffer().min(0xffff);
        }
        let mss = u32::from(self.mss()).saturating_sub(option_bytes).max(1);
        let space = self.initial_buffer() / 2;
        let whole = if space > mss {
            space - space % mss
        } else {
            space
        };
        whole.min(0xffff).min(self.offered_buffer())
    }

    /// A receive buffer of this size for good, as by SO_RCVBUF: Linux takes twice as much memory
    /// for it.
    pub fn fix_receive_buffer(&mut self, bytes: u32) {
        if self.adaptive_receiver {
            self.receive_buffer = bytes.saturating_mul(2);
            self.receive_buffer_start = self.receive_buffer;
            self.moderate_rcvbuf = false;
        } else {
            self.receive_buffer = bytes;
        }
    }

    /// The receive buffer that an adaptive receiver begins with, bytes of memory.
    pub(crate) fn initial_buffer(&self) -> u32 {
        // SOCK_MIN_RCVBUF: Linux has no smaller one.
        self.receive_buffer_start.min(self.receive_buffer).max(2304)
    }

    /// Number of ports for active opens.
    pub const fn port_count(&self) -> u32 {
        (self.port_range.1 as u32 + 1).saturating_sub(self.port_range.0 as u32)
    }
}
