//! setsockopt and getsockopt.
//!
//! Options of a socket without a connection go into the parameters of the connection to come. Later
//! on the model is asked to change them ([`TcpModel::change_params`](crate::TcpModel)); when it
//! cannot, the script is not supported. Buffers count payload: SO_RCVBUF's n is the largest window, which Linux reaches by
//! doubling the number and using half of it.

use sim_core::SimDuration;

use super::calls::Attempt;
use super::open_close::socket;
use super::sockets::{Role, Socket};
use super::{Runner, Step, differs, unsupported};
use crate::packetdrill::ast::{Call, Expr, Field};
use crate::params::{GiveUp, TcpParams};

const SOL_IP: i64 = 0;
const SOL_SOCKET: i64 = 1;
const SOL_TCP: i64 = 6;

impl Runner<'_, '_> {
    pub(super) fn setsockopt(&mut self, call: &Call) -> Step<Attempt> {
        let socket = socket!(self, call, 0);
        let (level, option) = (self.arg(call, 1)?, self.arg(call, 2)?);
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
            (SOL_TCP, 13) => return self.congestion(value),
            _ => {}
        }
        let number = self.first(value)?;
        let mut changed = self.at(socket).clone();
        if !apply(&mut changed, level, option, number) {
            let name = call.args.get(2);
            return unsupported(format!("socket option {name:?}"));
        }
        if let Role::Stream(flow) = changed.role
            && changed.params != self.at(socket).params
            && !self.stack.change_params(flow, &changed.params, self.now)
        {
            return unsupported(format!(
                "socket option {:?} of an open connection: the model cannot change it",
                call.args[2]
            ));
        }
        *self.at(socket) = changed;
        Attempt::ok(0)
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

    fn congestion(&self, value: &Expr) -> Step<Attempt> {
        match value {
            Expr::Text(name) if name == "reno" => Attempt::ok(0),
            Expr::List(all) if *all == [Expr::Text("reno".into())] => Attempt::ok(0),
            other => unsupported(format!("congestion control {other:?}")),
        }
    }

    pub(super) fn getsockopt(&mut self, call: &Call) -> Step<Attempt> {
        let socket = socket!(self, call, 0);
        let (level, option) = (self.arg(call, 1)?, self.arg(call, 2)?);
        let p = self.at(socket).params.clone();
        let idle = self.at(socket).keepalive_idle;
        let flow = match self.at(socket).role {
            Role::Stream(flow) => Some(&mut self.stack.flows[flow]),
            _ => None,
        };
        let secs = |d: SimDuration| (d.as_millis() / 1000) as i64;
        let actual = match (level, option) {
            (SOL_SOCKET, 4) => flow.and_then(|f| f.error.take()).map_or(0, |e| e.1),
            (SOL_SOCKET, 7) => i64::from(p.send_buffer) * 2,
            (SOL_SOCKET, 8) => i64::from(p.receive_buffer) * 2,
            (SOL_SOCKET, 9) => i64::from(p.keepalive.is_some()),
            (SOL_TCP, 1) => i64::from(!p.nagle),
            (SOL_TCP, 2) => flow.map_or(i64::from(p.mss()), |f| f.mss() as i64),
            (SOL_TCP, 4) => secs(idle),
            (SOL_TCP, 5) => secs(p.keepalive_interval),
            (SOL_TCP, 6) => i64::from(p.keepalive_probes),
            (SOL_TCP, 18) => match p.data_give_up {
                GiveUp::After(time) => time.as_millis() as i64,
                _ => 0,
            },
            (SOL_IP, 1) => i64::from(p.tos),
            (SOL_IP, 2) => i64::from(p.ttl),
            _ if call.args.get(3) == Some(&Expr::Any) => return Attempt::ok(0),
            _ => return unsupported(format!("reading socket option {:?}", call.args.get(2))),
        };
        let difference = self.compare_first(call.args.get(3), actual)?;
        Attempt::with(0, difference)
    }
}

/// Sets a socket's option; false when there is none such.
fn apply(socket: &mut Socket, level: i64, option: i64, n: i64) -> bool {
    let p: &mut TcpParams = &mut socket.params;
    let size = n.clamp(1, i64::from(u32::MAX / 4)) as u32;
    let seconds = SimDuration::from_secs(n.clamp(1, 32_767) as u64);
    match (level, option) {
        (SOL_SOCKET, 7 | 32) => p.send_buffer = size.max(2304),
        (SOL_SOCKET, 8 | 33) => p.receive_buffer = size.max(1152),
        (SOL_SOCKET, 9) => p.keepalive = (n != 0).then_some(socket.keepalive_idle),
        // No meaning here: SO_DEBUG, SO_REUSEADDR, SO_PRIORITY, SO_REUSEPORT.
        (SOL_SOCKET, 1 | 2 | 12 | 15) => {}
        (SOL_TCP, 1) => p.nagle = n == 0,
        (SOL_TCP, 2) => p.mtu = n.clamp(88, 65_495) as u16 + 40,
        (SOL_TCP, 4) => {
            socket.keepalive_idle = seconds;
            p.keepalive = p.keepalive.map(|_| seconds);
        }
        (SOL_TCP, 5) => p.keepalive_interval = seconds,
        (SOL_TCP, 6) => p.keepalive_probes = n.clamp(1, 127) as u32,
        (SOL_TCP, 7) => {
            p.syn_give_up = GiveUp::Retries(n.clamp(1, 127) as u32);
        }
        (SOL_TCP, 8) => p.fin_timeout = Some(SimDuration::from_secs(n.clamp(0, 120) as u64)),
        (SOL_TCP, 18) if n > 0 => {
            let after = GiveUp::After(SimDuration::from_millis(n.min(i64::from(i32::MAX)) as u64));
            p.data_give_up = after;
            p.syn_give_up = after;
        }
        (SOL_IP, 1) => p.tos = n as u8,
        (SOL_IP, 2) => p.ttl = n as u8,
        _ => return false,
    }
    true
}
