//! Socket options by level and Linux's number: their values, and how they are set and read.
//!
//! Options of a socket without a connection become parameters of its future connection. Later the model is
//! asked to change them ([`TcpModel::change_params`](crate::TcpModel)). Buffers count payload: the value of
//! SO_RCVBUF is the largest window, which Linux achieves by doubling the value and using half of it.

use sim_core::SimDuration;

use super::error_queue::TIMESTAMPING;
use super::socket::{Socket, SocketRole};
use super::socket_constants::{QUICK_ACK, constant};
use super::{SocketNo, Sockets, System};
use crate::errno::{self, Errno};
use crate::params::{GiveUp, TcpParams};

/// IP_FREEBIND, IP_TRANSPARENT: bind() takes addresses of other hosts.
pub(crate) const FOREIGN_BIND: [(i64, i64); 2] = [(0, 15), (0, 19)];
/// IP_BIND_ADDRESS_NO_PORT: bind() to port 0 lets connect() choose the port.
pub(crate) const BIND_WITHOUT_PORT: (i64, i64) = (0, 24);
/// IPV6_V6ONLY.
pub(crate) const V6_ONLY: (i64, i64) = (41, 26);
pub(super) const RECEIVE_LOW_WATER: (i64, i64) = (1, 18);
const SEND_LOW_WATER: (i64, i64) = (1, 19);
/// SO_OOBINLINE.
pub(crate) const OUT_OF_BAND_INLINE: (i64, i64) = (1, 10);
const NODELAY: (i64, i64) = (6, 1);
/// TCP_INQ.
pub(crate) const INQ: (i64, i64) = (6, 36);

/// An option that is a parameter of the connection.
struct SocketOption {
    /// Its names, one for each level that has it.
    names: &'static [&'static str],
    /// Smallest and largest value; others are rejected (EINVAL).
    range: (i64, i64),
    get: fn(&Socket) -> i64,
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
    SO_MAX_PACING_RATE in ANY => |s| s.params.max_pacing_rate.map_or(-1, i64::from),
        |s, n| s.params.max_pacing_rate = (1..i64::from(u32::MAX)).contains(&n).then_some(n as u32);
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
    TCP_DEFER_ACCEPT in NOT_NEGATIVE => |s| s.params.defer_accept.map_or(0, time_of_retries),
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
    TCP_RTO_MIN_US in (1, i64::MAX) => |s| (s.params.min_rto.as_ps() / 1_000_000) as i64, |s, n| {
        let time = SimDuration::from_micros(n.clamp(0, 1 << 31) as u64);
        s.params.min_rto = time.min(s.params.max_rto);
    };
    TCP_THIN_LINEAR_TIMEOUTS in (0, 1) => |s| s.params.thin_linear_timeouts.into(),
        |s, n| s.params.thin_linear_timeouts = n != 0;
    // TCP owns the ECN bits of the octet.
    IP_TOS | IPV6_TCLASS in ANY => |s| s.params.tos.into(), |s, n| s.params.tos = (n & 0xfc) as u8;
    IP_TTL | IPV6_UNICAST_HOPS in (-1, 255) => |s| s.params.ttl.into(),
        |s, n| s.params.ttl = if n == -1 { 64 } else { n as u8 };
};

/// Options stored as a number and used by the host, the calls or the interpreter.
const FOLLOWED: &str = "\
    SO_REUSEADDR SO_REUSEPORT SO_OOBINLINE SO_RCVLOWAT SO_ZEROCOPY IP_MTU_DISCOVER IP_RECVERR \
    IP_MINTTL IP_FREEBIND IP_TRANSPARENT IP_BIND_ADDRESS_NO_PORT IPV6_MINHOPCOUNT \
    IPV6_MTU_DISCOVER IPV6_RECVERR IPV6_V6ONLY TCP_QUICKACK TCP_FASTOPEN TCP_FASTOPEN_CONNECT \
    TCP_FASTOPEN_NO_COOKIE TCP_INQ";

/// Options that can be set and read but have no effect on a TCP connection over the one interface
/// of a script, not even on the real systems: routing, priority, marks, polling and queueing inside
/// the host, and control messages for datagrams.
const WITHOUT_EFFECT: &str = "\
    SO_DEBUG SO_DONTROUTE SO_BROADCAST SO_NO_CHECK SO_PRIORITY SO_MARK SO_RXQ_OVFL \
    SO_BUSY_POLL SO_INCOMING_CPU SO_TXREHASH SO_NOSIGPIPE IP_PKTINFO IP_RECVTTL IP_RECVTOS \
    IPV6_RECVHOPLIMIT IPV6_RECVTCLASS";

/// Options that can only be off, since their effect is not modelled: keeping the SYN for TCP_SAVED_SYN,
/// IPv6 flow labels.
const ONLY_OFF: &str = "TCP_SAVE_SYN IPV6_FLOWINFO_SEND IPV6_AUTOFLOWLABEL";

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
fn find(option: (i64, i64)) -> Option<&'static SocketOption> {
    let mut all = OPTIONS.iter();
    all.find(|row| row.names.iter().any(|name| is_named(name, option)))
}

fn is_one_of(list: &str, option: (i64, i64)) -> bool {
    let mut names = list.split_whitespace();
    names.any(|name| is_named(name, option))
}

/// Whether its number is only stored.
fn is_kept(option: (i64, i64)) -> bool {
    let lists = [FOLLOWED, WITHOUT_EFFECT, ONLY_OFF];
    lists.iter().any(|list| is_one_of(list, option))
}

/// Whether an accepted connection inherits it from the listener: all except TCP options, which are
/// parameters or concern the handshake.
pub(super) fn is_inherited(option: (i64, i64)) -> bool {
    option.0 != 6 || option == INQ
}

/// Sets a socket's option.
fn apply(socket: &mut Socket, option: (i64, i64), n: i64) -> Result<(), OptionError> {
    if let Some(errno) = refused(socket, option, n) {
        return Err(OptionError::Refused(errno));
    }
    match option {
        (1, 7 | 32) => socket.params.fix_send_buffer(size(n).max(2304)),
        (1, 8 | 33) => socket.params.fix_receive_buffer(size(n).max(1152)),
        (0, 10) | (41, 23) => {
            // IP_PMTUDISC_DONT, _INTERFACE and _OMIT ignore the path MTU.
            socket.params.path_mtu_discovery = matches!(n, 1..=3);
            socket.values.insert(option, n);
        }
        (6, 17) if (0..=1).contains(&n) => {} // TCP_THIN_DUPACK, which Linux no longer implements
        _ => match find(option) {
            Some(row) => (row.set)(socket, n),
            None if n != 0 && is_one_of(ONLY_OFF, option) => return Err(OptionError::Unknown),
            None if is_kept(option) => {
                socket.values.insert(option, n);
            }
            None => return Err(OptionError::Unknown),
        },
    }
    Ok(())
}

/// The error of a value that an option does not take, or not in this state.
fn refused(socket: &Socket, option: (i64, i64), n: i64) -> Option<Errno> {
    let unused = socket.role == SocketRole::Fresh;
    let waits = unused || matches!(socket.role, SocketRole::Listening(_));
    let connects_fast = socket.params.fast_open & TcpParams::FAST_OPEN_CLIENT != 0;
    let flag = (0..=1).contains(&n);
    let fits = match option {
        (1, 60) => flag,
        (6, 2) => n == 0 || n >= 88,
        (6, 23) => n >= 0 && waits,
        (6, 30) if flag && !connects_fast => return Some(errno::EOPNOTSUPP),
        (6, 30) => flag && unused,
        (6, 34) => flag && waits,
        (0, 2) | (41, 16) => n != 0,
        (0, 10) | (41, 23) => (0..=5).contains(&n),
        (0, 21) | (41, 73) => (0..=255).contains(&n),
        _ => true,
    };
    let (least, most) = find(option).map_or(ANY, |row| row.range);
    (!fits || n < least || n > most).then_some(errno::EINVAL)
}

fn size(n: i64) -> u32 {
    n.clamp(1, i64::from(u32::MAX / 4)) as u32
}

fn seconds(n: i64) -> SimDuration {
    SimDuration::from_secs(n.clamp(1, 32_767) as u64)
}

/// The seconds of TCP_DEFER_ACCEPT, rounded up to the time of a number of SYN-ACKs, which is what
/// Linux stores.
fn time_of_retries(time: SimDuration) -> i64 {
    let (mut period, mut step) = (1, 1);
    while period < whole_seconds(time) {
        step = (step * 2).min(120);
        period += step;
    }
    period
}

fn whole_seconds(d: SimDuration) -> i64 {
    (d.as_millis() / 1000) as i64
}

/// Why an option is not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OptionError {
    /// The call fails.
    Refused(Errno),
    /// There is no such option, or the effect of this value is not modelled.
    Unknown,
    /// The model of the open connection cannot change it.
    Fixed,
}

impl Sockets<'_> {
    /// Sets an option that is a number.
    pub(crate) fn set_option(
        &mut self,
        socket: SocketNo,
        option: (i64, i64),
        n: i64,
    ) -> Result<(), OptionError> {
        if option == SEND_LOW_WATER {
            return Err(match self.system {
                System::Linux => OptionError::Refused(errno::ENOPROTOOPT),
                System::FreeBsd => OptionError::Unknown, // it decides when a socket is writable
            });
        }
        if option == TIMESTAMPING {
            let set = self.set_timestamping(socket, n);
            return set.map_err(OptionError::Refused);
        }
        if option == QUICK_ACK && self.connection(socket).is_some() {
            self.on_stream(socket, |host, id| host.quick_ack(id, n != 0));
            return Ok(());
        }
        if option == NODELAY && n != 0 && !self.at(socket).params.nagle {
            // Setting it again pushes again.
            self.change(socket, |changed| changed.params.nagle = true)?;
        }
        self.try_change(socket, |changed| apply(changed, option, n))
    }

    /// Changes a socket and applies the change to its connection or listener.
    pub(crate) fn change(
        &mut self,
        socket: SocketNo,
        change: impl FnOnce(&mut Socket),
    ) -> Result<(), OptionError> {
        self.try_change(socket, |changed| {
            change(changed);
            Ok(())
        })
    }

    fn try_change(
        &mut self,
        socket: SocketNo,
        change: impl FnOnce(&mut Socket) -> Result<(), OptionError>,
    ) -> Result<(), OptionError> {
        let mut changed = self.at(socket).clone();
        change(&mut changed)?;
        if let SocketRole::Stream(id) = changed.role {
            let params = changed.shared_params();
            let follows = changed.params == self.at(socket).params
                || self.is_over(id)
                || self.call(|host| host.set_params(id, &params));
            if !follows {
                return Err(OptionError::Fixed);
            }
            if let Some(stream) = self.stream_mut(id) {
                stream.reports_errors = changed.reports_errors();
            }
        }
        if let Some(bound) = changed.bound {
            let reuse = changed.reuse();
            self.call(|host| host.set_reuse(bound, reuse));
        }
        *self.at_mut(socket) = changed;
        self.refresh_listener(socket);
        Ok(())
    }

    /// The value of a numeric option, if known.
    pub(crate) fn option(&mut self, socket: SocketNo, option: (i64, i64)) -> Option<i64> {
        let id = self.connection(socket);
        if option == (1, 4) {
            let earlier = self.at_mut(socket).error.take();
            let error = earlier.or_else(|| id.and_then(|id| self.take_error(id)));
            return Some(error.map_or(0, Errno::number));
        }
        let details = id.map(|id| self.details(id));
        let mss = details.and_then(|details| details.snd_mss);
        let socket = self.at(socket);
        let p = &socket.params;
        // Linux reserves, and reports, twice the requested memory.
        let doubled = |n: u32| match self.system {
            System::Linux => i64::from(n) * 2,
            System::FreeBsd => i64::from(n),
        };
        Some(match option {
            (1, 3) => 1,
            (1, 7) if p.send_buffer_is_memory => i64::from(p.send_buffer),
            (1, 7) => doubled(p.send_buffer),
            (1, 8) if p.adaptive_receiver => i64::from(p.initial_buffer()),
            (1, 8) => {
                let buffer = match p.grow_receive_buffer {
                    true => p.receive_buffer_start.min(p.receive_buffer),
                    false => p.receive_buffer,
                };
                match details {
                    Some(details) if self.system == System::FreeBsd => {
                        // Once the MSS is known, the buffer holds whole segments.
                        let stamps = if details.timestamps == Some(true) {
                            12
                        } else {
                            0
                        };
                        i64::from(buffer.next_multiple_of(mss.unwrap_or(536) + stamps))
                    }
                    _ => doubled(buffer),
                }
            }
            RECEIVE_LOW_WATER => socket.value(option).max(1),
            SEND_LOW_WATER if self.system == System::Linux => 1,
            (1, 30) => matches!(socket.role, SocketRole::Listening(_)).into(),
            (1, 38) => 6,
            (6, 2) if id.is_some() => mss.map_or(0, i64::from),
            // The MSS used towards a peer that announces none.
            (6, 2) if p.max_segment.is_none() => i64::from(p.ip_version.default_mss()),
            (0, 10) | (41, 23) => socket.values.get(&option).copied().unwrap_or(1),
            (0, 14) | (41, 24) => {
                let path = details.and_then(|details| details.path_mtu);
                path.map_or(i64::from(p.mtu), i64::from)
            }
            option => match find(option) {
                Some(row) => (row.get)(socket),
                None if is_kept(option) => socket.value(option),
                None => return None,
            },
        })
    }
}
