//! setsockopt and getsockopt.
//!
//! Options of a socket without a connection go into the parameters of the connection to come. Later
//! on the model is asked to change them ([`TcpModel::change_params`](crate::TcpModel)); when it
//! cannot, the script is not supported. Buffers count payload: SO_RCVBUF's n is the largest window, which Linux reaches by
//! doubling the number and using half of it.

use sim_core::SimDuration;

use super::calls::Attempt;
use super::constants::{self, Errno};
use super::dialect::{Family, System};
use super::info::micros;
use super::open_close::socket;
use super::sockets::{Role, Socket};
use super::{Runner, Step, differs, unsupported};
use crate::congestion::Control;
use crate::packetdrill::ast::{Call, Expr, Field};
use crate::params::{GiveUp, TcpParams};

const SOL_IP: i64 = 0;
const SOL_SOCKET: i64 = 1;
const SOL_TCP: i64 = 6;
const SOL_IPV6: i64 = 41;

impl Runner<'_, '_> {
    fn level_and_option(&self, call: &Call) -> Step<(i64, i64)> {
        let level = self.arg_in(call, 1, Family::Level)?;
        Ok((level, self.arg_in(call, 2, Family::Option(level))?))
    }

    pub(super) fn setsockopt(&mut self, call: &Call) -> Step<Attempt> {
        let socket = socket!(self, call, 0);
        let (level, option) = self.level_and_option(call)?;
        let Some(value) = call.args.get(3) else {
            return differs("arguments of setsockopt", "5", call.args.len().to_string());
        };
        match (level, option) {
            (SOL_SOCKET, 13) => {
                self.at(socket).linger = self.linger(value)?;
                return Attempt::ok(0);
            }
            (SOL_SOCKET, 20 | 21) => {
                let time = self.time_value(value)?;
                let socket = self.at(socket);
                if option == 20 {
                    socket.receive_timeout = time;
                } else {
                    socket.send_timeout = time;
                }
                return Attempt::ok(0);
            }
            (SOL_TCP, 13) => return self.congestion(socket, call, value),
            _ => {}
        }
        if (level, option) == (SOL_TCP, 33) {
            return self.fast_open_key(socket, value);
        }
        let number = self.first(value)?;
        if let (SOL_TCP, 12, Role::Stream(flow)) = (level, option, &self.at(socket).role) {
            let flow = *flow;
            self.host
                .on_socket(flow, self.now, |host, id| host.quick_ack(id, number != 0));
            return Attempt::ok(0);
        }
        let mut changed = self.at(socket).clone();
        match apply(&mut changed, level, option, number) {
            Set::Done => {}
            Set::Error(errno) => return Attempt::error(errno),
            Set::Unknown => {
                return unsupported(format!("socket option {}", named(call.args.get(2))));
            }
        }
        self.take_over(socket, call, changed)
    }

    /// A socket has new options: its connection or listener follows.
    fn take_over(&mut self, socket: usize, call: &Call, changed: Socket) -> Step<Attempt> {
        if let Role::Stream(flow) = changed.role
            && changed.params != self.at(socket).params
            && !self.change_params(flow, &changed)
        {
            return unsupported(format!(
                "socket option {} of an open connection: the model cannot change it",
                named(call.args.get(2))
            ));
        }
        let (bound, reuse) = (changed.bound, changed.reuse());
        *self.at(socket) = changed;
        if let Some(bound) = bound {
            self.host
                .call(self.now, |host| host.set_reuse(bound, reuse));
        }
        self.refresh_listener(socket);
        Attempt::ok(0)
    }

    /// New options of a connection; false when its model cannot change them.
    fn change_params(&mut self, flow: usize, socket: &Socket) -> bool {
        let params = socket.shared_params();
        self.host.is_over(flow)
            || self
                .host
                .on_socket(flow, self.now, |host, id| host.set_params(id, &params))
    }

    /// `{onoff=1, linger=5}`, by name or place.
    fn linger(&self, value: &Expr) -> Step<Option<SimDuration>> {
        let [on, time] = self.two(value, ["onoff", "linger"])?;
        Ok((on != 0).then(|| SimDuration::from_secs(time.clamp(0, 1 << 20) as u64)))
    }

    fn time_value(&self, value: &Expr) -> Step<Option<SimDuration>> {
        let [secs, micros] = self.two(value, ["tv_sec", "tv_usec"])?;
        let time = SimDuration::from_secs(secs.clamp(0, 1 << 20) as u64)
            + SimDuration::from_micros(micros.clamp(0, 1_000_000) as u64);
        Ok((!time.is_zero()).then_some(time))
    }

    fn two(&self, value: &Expr, names: [&str; 2]) -> Step<[i64; 2]> {
        let Expr::Struct(fields) = value else {
            return differs(
                "an argument",
                format!("{{{}}}", names.join(", ")),
                "no structure",
            );
        };
        let mut numbers = [0; 2];
        for (i, number) in numbers.iter_mut().enumerate() {
            let named = |f: &&Field| f.name.as_deref() == Some(names[i]);
            let field = fields.iter().find(named).or(fields.get(i));
            *number = field.map_or(Ok(0), |f| self.number(&f.value))?;
        }
        Ok(numbers)
    }

    /// `TCP_CONGESTION`: by its name, with its default parameters.
    fn congestion(&mut self, socket: usize, call: &Call, value: &Expr) -> Step<Attempt> {
        let control = match value {
            Expr::Text(name) => Control::named(name),
            Expr::List(all) if all.len() == 1 => return self.congestion(socket, call, &all[0]),
            other => return unsupported(format!("congestion control {}", named(Some(other)))),
        };
        match control {
            Ok(control) => {
                let mut changed = self.at(socket).clone();
                changed.params.congestion = control;
                self.take_over(socket, call, changed)
            }
            Err(error) => unsupported(error.to_string()),
        }
    }

    pub(super) fn getsockopt(&mut self, call: &Call) -> Step<Attempt> {
        let socket = socket!(self, call, 0);
        let (level, option) = self.level_and_option(call)?;
        let wanted = call.args.get(3);
        match (level, option, wanted) {
            (SOL_SOCKET, 13, Some(Expr::Struct(_))) => {
                let actual = self.at(socket).linger;
                let actual = [actual.is_some().into(), actual.map_or(0, whole_seconds)];
                let wanted = self.two(&call.args[3], ["onoff", "linger"])?;
                let differs =
                    (wanted != actual).then(|| (format!("{wanted:?}"), format!("{actual:?}")));
                return Attempt::with(0, differs);
            }
            (SOL_TCP, 13, Some(Expr::Text(name))) => {
                let algorithm = self.at(socket).params.congestion.algorithm();
                let mut names = algorithm.aliases.iter().chain([&algorithm.name]);
                let same = names.any(|n| n == name);
                let differs = (!same).then(|| (name.clone(), algorithm.name.to_owned()));
                return Attempt::with(0, differs);
            }
            (SOL_TCP, 11, Some(Expr::Struct(fields))) => {
                let difference = self.compare_info(fields)?;
                return Attempt::with(0, difference);
            }
            _ => {}
        }
        let Some(actual) = self.option_value(socket, level, option) else {
            if wanted == Some(&Expr::Any) {
                return Attempt::ok(0);
            }
            return unsupported(format!("reading socket option {}", named(call.args.get(2))));
        };
        let family = match (level, option) {
            (SOL_SOCKET, 4) => Some(Family::Error),
            _ => None,
        };
        let difference = self.compare_number(wanted, actual, family)?;
        Attempt::with(0, difference)
    }

    /// `{tcpi_state=1, tcpi_unacked=0}`.
    fn compare_info(&mut self, fields: &[Field]) -> Step<Option<(String, String)>> {
        for field in fields {
            let Some(name) = field.name.as_deref() else {
                return differs("an argument", "tcpi_…=…", "a value without a name");
            };
            if field.value == Expr::Any {
                continue;
            }
            let (wanted, actual) = (self.number(&field.value)?, self.info(name)?);
            if wanted != actual {
                return Ok(Some((
                    format!("{name}={wanted}"),
                    format!("{name}={actual}"),
                )));
            }
        }
        Ok(None)
    }

    /// The value of an option that is a number, where it is known.
    fn option_value(&mut self, socket: usize, level: i64, option: i64) -> Option<i64> {
        let socket = &self.sockets.all[socket];
        let p = &socket.params;
        // Linux takes twice as much memory as it was asked for, and tells that.
        let doubled = |n: u32| match self.options.system {
            System::Linux => i64::from(n) * 2,
            System::FreeBsd => i64::from(n),
        };
        let flow = match socket.role {
            Role::Stream(flow) => Some(flow),
            _ => None,
        };
        let retries = |give_up| match give_up {
            GiveUp::Retries(n) => Some(i64::from(n)),
            _ => None,
        };
        Some(match (level, option) {
            (SOL_SOCKET, 3) => 1,
            (SOL_SOCKET, 4) => flow
                .and_then(|flow| self.host.take_error(flow))
                .map_or(0, Errno::number),
            (SOL_SOCKET, 7) if p.send_buffer_is_memory => i64::from(p.send_buffer),
            (SOL_SOCKET, 7) => doubled(p.send_buffer),
            (SOL_SOCKET, 8) if p.adaptive_receiver => i64::from(p.receive_buffer),
            (SOL_SOCKET, 8) => doubled(p.receive_buffer),
            (SOL_SOCKET, 9) => i64::from(p.keepalive.is_some()),
            (SOL_SOCKET, 18 | 19) => socket.value((level, option)).max(1),
            (SOL_SOCKET, 30) => matches!(socket.role, Role::Listening(_)).into(),
            (SOL_SOCKET, 38) => 6,
            (SOL_TCP, 1) => i64::from(!p.nagle),
            (SOL_TCP, 2) => flow.map_or(i64::from(p.mss()), |f| {
                self.host.flows[f].mss(p.mss()) as i64
            }),
            (SOL_TCP, 4) => whole_seconds(socket.keepalive_idle),
            (SOL_TCP, 5) => whole_seconds(p.keepalive_interval),
            (SOL_TCP, 6) => i64::from(p.keepalive_probes),
            (SOL_TCP, 7) => return retries(p.syn_give_up),
            (SOL_TCP, 8) => p.fin_timeout.map_or(-1, whole_seconds),
            (SOL_TCP, 3) => i64::from(p.cork),
            (SOL_TCP, 9) => p.defer_accept.map_or(0, whole_seconds),
            (SOL_TCP, 10) => p.window_clamp.map_or(0, i64::from),
            (SOL_TCP, 18) => p.user_timeout.map_or(0, |t| t.as_millis() as i64),
            (SOL_TCP, 25) => p.notsent_lowat.map_or(0, i64::from),
            (SOL_TCP, 44) => p.max_rto.as_millis() as i64,
            (SOL_TCP, 45) => micros(p.min_rto),
            (SOL_IP, 1) | (SOL_IPV6, 67) => i64::from(p.tos),
            (SOL_IP, 2) | (SOL_IPV6, 16) => i64::from(p.ttl),
            (SOL_IP, 10) | (SOL_IPV6, 23) => match socket.values.get(&(level, option)) {
                Some(n) => *n,
                None => 1,
            },
            (SOL_IP, 14) | (SOL_IPV6, 24) => {
                let path = flow.and_then(|f| self.host.details(f).path_mtu);
                path.map_or(i64::from(p.mtu), i64::from)
            }
            _ if is_remembered(level, option) => socket.value((level, option)),
            _ => return None,
        })
    }
}

/// An argument as it is written, for messages.
fn named(expr: Option<&Expr>) -> String {
    match expr {
        Some(Expr::Word(name)) | Some(Expr::Text(name)) => name.clone(),
        Some(Expr::Int(n)) => n.to_string(),
        Some(other) => format!("{other:?}"),
        None => "without a name".into(),
    }
}

fn whole_seconds(d: SimDuration) -> i64 {
    (d.as_millis() / 1000) as i64
}

/// What became of setting an option.
enum Set {
    Done,
    Error(Errno),
    /// There is none such.
    Unknown,
}

/// Options that change nothing the other end could see: SO_DEBUG, SO_REUSEADDR, SO_DONTROUTE,
/// SO_BROADCAST, SO_OOBINLINE, SO_NO_CHECK, SO_PRIORITY, SO_REUSEPORT, SO_RCVLOWAT, SO_SNDLOWAT,
/// SO_BINDTODEVICE, SO_MARK, SO_RXQ_OVFL, SO_BUSY_POLL, SO_INCOMING_CPU, SO_TXREHASH,
/// SO_NOSIGPIPE, and SO_ZEROCOPY, which the error queue follows; IP_PKTINFO, IP_MTU_DISCOVER, IP_RECVERR, IP_RECVTTL, IP_RECVTOS, IP_FREEBIND,
/// IP_TRANSPARENT, IP_BIND_ADDRESS_NO_PORT, and the same of IPv6; TCP_SAVE_SYN, TCP_INQ,
/// TCP_QUICKACK before there is a connection; and those of Fast Open, which the host follows.
fn is_remembered(level: i64, option: i64) -> bool {
    match level {
        SOL_SOCKET => matches!(
            option,
            1 | 2 | 5 | 6 | 10 | 11 | 12 | 15 | 18 | 19 | 25 | 36 | 40 | 46 | 49 | 60 | 74 | 0x800
        ),
        SOL_IP => matches!(option, 8 | 10..=13 | 15 | 19 | 24),
        SOL_IPV6 => matches!(option, 23 | 25 | 26 | 33 | 51 | 66 | 70),
        SOL_TCP => matches!(option, 12 | 23 | 27 | 30 | 34 | 36),
        _ => false,
    }
}

/// Sets a socket's option.
fn apply(socket: &mut Socket, level: i64, option: i64, n: i64) -> Set {
    let unused = socket.role == Role::Fresh;
    let listens = matches!(socket.role, Role::Listening(_));
    let p: &mut TcpParams = &mut socket.params;
    let connects_fast = p.fast_open & TcpParams::FAST_OPEN_CLIENT != 0;
    let size = n.clamp(1, i64::from(u32::MAX / 4)) as u32;
    let seconds = SimDuration::from_secs(n.clamp(1, 32_767) as u64);
    let milliseconds = SimDuration::from_millis(n.clamp(0, 1 << 31) as u64);
    let microseconds = SimDuration::from_micros(n.clamp(0, 1 << 31) as u64);
    let refused = match (level, option) {
        (SOL_SOCKET, 60) => !(0..=1).contains(&n),
        (SOL_TCP, 2) => n != 0 && !(88..=32_767).contains(&n),
        (SOL_TCP, 4 | 5) => !(1..=32_767).contains(&n),
        (SOL_TCP, 6 | 7) => !(1..=127).contains(&n),
        (SOL_TCP, 9 | 18) => n < 0,
        (SOL_TCP, 44) => !(1000..=120_000).contains(&n),
        (SOL_TCP, 45) => n < 1,
        (SOL_TCP, 23) => n < 0 || !(unused || listens),
        (SOL_TCP, 30) => !(0..=1).contains(&n) || (connects_fast && !unused),
        (SOL_TCP, 34) => !(0..=1).contains(&n) || !(unused || listens),
        (SOL_IP, 2) | (SOL_IPV6, 16) => n != -1 && !(1..=255).contains(&n),
        _ => false,
    };
    if refused {
        return Set::Error(constants::EINVAL);
    }
    if (level, option) == (SOL_TCP, 30) && !connects_fast {
        return Set::Error(constants::EOPNOTSUPP);
    }
    match (level, option) {
        (SOL_SOCKET, 7 | 32) => p.fix_send_buffer(size.max(2304)),
        (SOL_SOCKET, 8 | 33) => p.fix_receive_buffer(size.max(1152)),
        (SOL_SOCKET, 9) => p.keepalive = (n != 0).then_some(socket.keepalive_idle),
        (SOL_TCP, 1) => p.nagle = n == 0,
        (SOL_TCP, 2) => p.max_segment = (n > 0).then_some(n as u16),
        (SOL_TCP, 3) => p.cork = n != 0,
        (SOL_TCP, 4) => {
            socket.keepalive_idle = seconds;
            p.keepalive = p.keepalive.map(|_| seconds);
        }
        (SOL_TCP, 5) => p.keepalive_interval = seconds,
        (SOL_TCP, 6) => p.keepalive_probes = n as u32,
        (SOL_TCP, 7) => p.syn_give_up = GiveUp::Retries(n as u32),
        // FreeBSD's TCP_KEEPINIT.
        (SOL_TCP, 0x8080) => p.syn_give_up = GiveUp::After(seconds),
        (SOL_TCP, 8) => p.fin_timeout = Some(SimDuration::from_secs(n.clamp(0, 120) as u64)),
        (SOL_TCP, 9) => p.defer_accept = (n > 0).then_some(seconds),
        (SOL_TCP, 10) => p.window_clamp = (n > 0).then_some(size),
        (SOL_TCP, 18) => {
            let time = SimDuration::from_millis(n.clamp(0, i64::from(i32::MAX)) as u64);
            p.user_timeout = (n > 0).then_some(time);
        }
        (SOL_TCP, 25) => p.notsent_lowat = (n > 0).then_some(size),
        (SOL_TCP, 44) => p.max_rto = milliseconds.max(p.min_rto),
        (SOL_TCP, 45) => p.min_rto = microseconds.min(p.max_rto),
        (SOL_IP, 10) | (SOL_IPV6, 23) => {
            // IP_PMTUDISC_DONT, _INTERFACE and _OMIT do not follow what the path says.
            p.path_mtu_discovery = matches!(n, 1..=3);
            socket.values.insert((level, option), n);
        }
        (SOL_TCP, 16 | 17) if n == 0 => {}
        // The ECN bits of the octet are TCP's own.
        (SOL_IP, 1) | (SOL_IPV6, 67) => p.tos = (n & 0xfc) as u8,
        (SOL_IP, 2) | (SOL_IPV6, 16) => p.ttl = if n == -1 { 64 } else { n as u8 },
        _ if is_remembered(level, option) => {
            socket.values.insert((level, option), n);
        }
        _ => return Set::Unknown,
    }
    Set::Done
}
