//! Socket options that are numbers: which they take, what they set, what they read.

use sim_core::SimDuration;

use super::constants::{self, Errno, constant};
use super::info::micros;
use super::sockets::{Role, Socket};
use crate::params::{GiveUp, TcpParams};

/// An option that is a parameter of the connection.
pub(super) struct SocketOption {
    /// Its names, one for each level that has it.
    names: &'static [&'static str],
    /// Smallest and largest number; others are refused (EINVAL).
    range: (i64, i64),
    pub(super) get: fn(&Socket) -> i64,
    set: fn(&mut Socket, i64),
}

macro_rules! options {
    ($($($name:ident)|+ in $range:expr => $get:expr, $set:expr;)*) => {
        &[$(SocketOption {
            names: &[$(stringify!($name)),+],
            range: $range,
            get: $get,
            set: $set,
        }),*]
    };
}

const ANY: (i64, i64) = (i64::MIN, i64::MAX);
const NOT_NEGATIVE: (i64, i64) = (0, i64::MAX);

const OPTIONS: &[SocketOption] = options! {
    SO_KEEPALIVE in ANY => |s| s.params.keepalive.is_some().into(),
        |s, n| s.params.keepalive = (n != 0).then_some(s.keepalive_idle);
    TCP_NODELAY in ANY => |s| (!s.params.nagle).into(), |s, n| s.params.nagle = n == 0;
    TCP_CORK in ANY => |s| s.params.cork.into(), |s, n| s.params.cork = n != 0;
    TCP_MAXSEG in (0, 32_767) => |s| s.params.mss().into(),
        |s, n| s.params.max_segment = (n > 0).then_some(n as u16);
    TCP_KEEPIDLE in (1, 32_767) => |s| whole_seconds(s.keepalive_idle), |s, n| {
        s.keepalive_idle = seconds(n);
        s.params.keepalive = s.params.keepalive.map(|_| seconds(n));
    };
    TCP_KEEPINTVL in (1, 32_767) => |s| whole_seconds(s.params.keepalive_interval),
        |s, n| s.params.keepalive_interval = seconds(n);
    TCP_KEEPCNT in (1, 127) => |s| s.params.keepalive_probes.into(),
        |s, n| s.params.keepalive_probes = n as u32;
    TCP_SYNCNT in (1, 127) => |s| match s.params.syn_give_up {
        GiveUp::Retries(n) => n.into(),
        _ => 0,
    }, |s, n| s.params.syn_give_up = GiveUp::Retries(n as u32);
    TCP_KEEPINIT in (1, 32_767) => |s| match s.params.syn_give_up {
        GiveUp::After(time) => whole_seconds(time),
        _ => 0,
    }, |s, n| s.params.syn_give_up = GiveUp::After(seconds(n));
    TCP_LINGER2 in ANY => |s| s.params.fin_timeout.map_or(-1, whole_seconds),
        |s, n| s.params.fin_timeout = Some(SimDuration::from_secs(n.clamp(0, 120) as u64));
    TCP_DEFER_ACCEPT in NOT_NEGATIVE => |s| s.params.defer_accept.map_or(0, whole_seconds),
        |s, n| s.params.defer_accept = (n > 0).then_some(seconds(n));
    TCP_WINDOW_CLAMP in ANY => |s| s.params.window_clamp.map_or(0, i64::from),
        |s, n| s.params.window_clamp = (n > 0).then_some(size(n));
    TCP_USER_TIMEOUT in NOT_NEGATIVE =>
        |s| s.params.user_timeout.map_or(0, |t| t.as_millis() as i64), |s, n| {
        let time = SimDuration::from_millis(n.clamp(0, i64::from(i32::MAX)) as u64);
        s.params.user_timeout = (n > 0).then_some(time);
    };
    TCP_NOTSENT_LOWAT in ANY => |s| s.params.notsent_lowat.map_or(0, i64::from),
        |s, n| s.params.notsent_lowat = (n > 0).then_some(size(n));
    TCP_RTO_MAX_MS in (1_000, 120_000) => |s| s.params.max_rto.as_millis() as i64, |s, n| {
        s.params.max_rto = SimDuration::from_millis(n as u64).max(s.params.min_rto);
    };
    TCP_RTO_MIN_US in (1, i64::MAX) => |s| micros(s.params.min_rto), |s, n| {
        let time = SimDuration::from_micros(n.clamp(0, 1 << 31) as u64);
        s.params.min_rto = time.min(s.params.max_rto);
    };
    // The ECN bits of the octet are TCP's own.
    IP_TOS | IPV6_TCLASS in ANY => |s| s.params.tos.into(), |s, n| s.params.tos = (n & 0xfc) as u8;
    IP_TTL | IPV6_UNICAST_HOPS in (-1, 255) => |s| s.params.ttl.into(),
        |s, n| s.params.ttl = if n == -1 { 64 } else { n as u8 };
};

/// Options that are remembered and told. They change nothing the other end could see, or the host
/// follows them: those of Fast Open, SO_ZEROCOPY, TCP_QUICKACK before there is a connection.
const REMEMBERED: &str = "\
    SO_DEBUG SO_REUSEADDR SO_DONTROUTE SO_BROADCAST SO_OOBINLINE SO_NO_CHECK SO_PRIORITY \
    SO_REUSEPORT SO_RCVLOWAT SO_SNDLOWAT SO_BINDTODEVICE SO_MARK SO_RXQ_OVFL SO_BUSY_POLL \
    SO_INCOMING_CPU SO_ZEROCOPY SO_TXREHASH SO_NOSIGPIPE IP_PKTINFO IP_MTU_DISCOVER IP_RECVERR \
    IP_RECVTTL IP_RECVTOS IP_FREEBIND IP_TRANSPARENT IP_BIND_ADDRESS_NO_PORT IPV6_MTU_DISCOVER \
    IPV6_RECVERR IPV6_V6ONLY IPV6_FLOWINFO_SEND IPV6_RECVHOPLIMIT IPV6_RECVTCLASS \
    IPV6_AUTOFLOWLABEL TCP_QUICKACK TCP_FASTOPEN TCP_SAVE_SYN TCP_FASTOPEN_CONNECT \
    TCP_FASTOPEN_NO_COOKIE TCP_INQ";

/// The level a name belongs to.
fn level_of(name: &str) -> i64 {
    let levels = [("SO_", 1), ("TCP_", 6), ("IPV6_", 41), ("IP_", 0)];
    let found = levels.iter().find(|(prefix, _)| name.starts_with(prefix));
    found.map_or(-1, |(_, level)| *level)
}

fn is_named(name: &str, (level, option): (i64, i64)) -> bool {
    level_of(name) == level && constant(name) == Some(option)
}

/// The option of this level and number.
pub(super) fn find(option: (i64, i64)) -> Option<&'static SocketOption> {
    let mut all = OPTIONS.iter();
    all.find(|row| row.names.iter().any(|name| is_named(name, option)))
}

/// It is only remembered.
pub(super) fn is_remembered(option: (i64, i64)) -> bool {
    let mut names = REMEMBERED.split_whitespace();
    names.any(|name| is_named(name, option))
}

/// Sets a socket's option; false when there is none such.
pub(super) fn apply(socket: &mut Socket, option: (i64, i64), n: i64) -> Result<bool, Errno> {
    if let Some(errno) = refused(socket, option, n) {
        return Err(errno);
    }
    match option {
        (1, 7 | 32) => socket.params.fix_send_buffer(size(n).max(2304)),
        (1, 8 | 33) => socket.params.fix_receive_buffer(size(n).max(1152)),
        (0, 10) | (41, 23) => {
            // IP_PMTUDISC_DONT, _INTERFACE and _OMIT do not follow what the path says.
            socket.params.path_mtu_discovery = matches!(n, 1..=3);
            socket.values.insert(option, n);
        }
        (6, 16 | 17) if n == 0 => {} // TCP_THIN_…: off anyway
        _ => match find(option) {
            Some(row) => (row.set)(socket, n),
            None if is_remembered(option) => {
                socket.values.insert(option, n);
            }
            None => return Ok(false),
        },
    }
    Ok(true)
}

/// The error of a number that an option does not take, or not now.
fn refused(socket: &Socket, option: (i64, i64), n: i64) -> Option<Errno> {
    let unused = socket.role == Role::Fresh;
    let waits = unused || matches!(socket.role, Role::Listening(_));
    let connects_fast = socket.params.fast_open & TcpParams::FAST_OPEN_CLIENT != 0;
    let flag = (0..=1).contains(&n);
    let fits = match option {
        (1, 60) => flag,
        (6, 2) => n == 0 || n >= 88,
        (6, 23) => n >= 0 && waits,
        (6, 30) if flag && !connects_fast => return Some(constants::EOPNOTSUPP),
        (6, 30) => flag && unused,
        (6, 34) => flag && waits,
        (0, 2) | (41, 16) => n != 0,
        _ => true,
    };
    let (least, most) = find(option).map_or(ANY, |row| row.range);
    (!fits || n < least || n > most).then_some(constants::EINVAL)
}

fn size(n: i64) -> u32 {
    n.clamp(1, i64::from(u32::MAX / 4)) as u32
}

fn seconds(n: i64) -> SimDuration {
    SimDuration::from_secs(n.clamp(1, 32_767) as u64)
}

pub(super) fn whole_seconds(d: SimDuration) -> i64 {
    (d.as_millis() / 1000) as i64
}
