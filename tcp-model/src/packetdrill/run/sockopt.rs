//! setsockopt and getsockopt.
//!
//! Options of a socket without a connection go into the parameters of the connection to come. Later
//! on the model is asked to change them ([`TcpModel::change_params`](crate::TcpModel)); when it
//! cannot, the script is not supported. Buffers count payload: SO_RCVBUF's n is the largest window, which Linux reaches by
//! doubling the number and using half of it.

use sim_core::SimDuration;

use super::calls::Called;
use super::constants::Errno;
use super::dialect::{Family, System};
use super::error_queue::TIMESTAMPING;
use super::socket_options::{self, apply, is_remembered, whole_seconds};
use super::sockets::{Role, Socket};
use super::{Runner, Step, differs, unsupported};
use crate::congestion::Control;
use crate::packetdrill::ast::{Call, Expr, Field};

const SOL_IP: i64 = 0;
const SOL_SOCKET: i64 = 1;
const SOL_TCP: i64 = 6;
const SOL_IPV6: i64 = 41;
const LINGER: (i64, i64) = (SOL_SOCKET, 13);
const CONGESTION: (i64, i64) = (SOL_TCP, 13);

impl Runner<'_, '_> {
    fn level_and_option(&self, call: &Call) -> Step<(i64, i64)> {
        let level = self.arg_in(call, 1, Family::Level)?;
        Ok((level, self.arg_in(call, 2, Family::Option(level))?))
    }

    pub(super) fn setsockopt(&mut self, call: &Call) -> Called {
        let socket = self.socket_of(call, 0)?;
        let option = self.level_and_option(call)?;
        let Some(value) = call.args.get(3) else {
            return differs("arguments of setsockopt", "5", call.args.len().to_string());
        };
        let mut changed = self.at(socket).clone();
        match option {
            LINGER => changed.linger = self.linger(value)?,
            (SOL_SOCKET, 20) => changed.receive_timeout = self.time_value(value)?,
            (SOL_SOCKET, 21) => changed.send_timeout = self.time_value(value)?,
            CONGESTION => changed.params.congestion = congestion(value)?,
            (SOL_TCP, 33) => return self.fast_open_key(socket, value),
            _ => {
                let number = self.number_in(value, Family::Plain)?;
                if option == TIMESTAMPING {
                    return self.timestamping(socket, number);
                }
                if let ((SOL_TCP, 12), Some(flow)) = (option, self.stream(socket)) {
                    self.host
                        .on_socket(flow, |host, id| host.quick_ack(id, number != 0));
                    return Ok(0);
                }
                if !apply(&mut changed, option, number)? {
                    return unsupported(format!("socket option {}", named(call.args.get(2))));
                }
            }
        }
        self.take_over(socket, call, changed)
    }

    /// A socket has new options: its connection or listener follows.
    fn take_over(&mut self, socket: usize, call: &Call, changed: Socket) -> Called {
        if let Role::Stream(flow) = changed.role {
            if changed.params != self.at(socket).params && !self.change_params(flow, &changed) {
                return unsupported(format!(
                    "socket option {} of an open connection: the model cannot change it",
                    named(call.args.get(2))
                ));
            }
            self.host.flows[flow].reports_errors = changed.reports_errors();
        }
        if let Some(bound) = changed.bound {
            let reuse = changed.reuse();
            self.host.call(|host| host.set_reuse(bound, reuse));
        }
        *self.at(socket) = changed;
        self.refresh_listener(socket);
        Ok(0)
    }

    /// New options of a connection; false when its model cannot change them.
    fn change_params(&mut self, flow: usize, socket: &Socket) -> bool {
        let params = socket.shared_params();
        self.host.is_over(flow)
            || self
                .host
                .on_socket(flow, |host, id| host.set_params(id, &params))
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

    pub(super) fn getsockopt(&mut self, call: &Call) -> Called {
        let socket = self.socket_of(call, 0)?;
        let option = self.level_and_option(call)?;
        let wanted = call.args.get(3);
        match (option, wanted) {
            (LINGER, Some(value @ Expr::Struct(_))) => {
                let actual = self.at(socket).linger;
                let actual = [actual.is_some().into(), actual.map_or(0, whole_seconds)];
                let wanted = self.two(value, ["onoff", "linger"])?;
                self.tells(wanted, actual, |both| format!("{both:?}"));
                return Ok(0);
            }
            (CONGESTION, Some(Expr::Text(name))) => {
                let algorithm = self.at(socket).params.congestion.algorithm();
                if !algorithm.aliases.contains(&name.as_str()) {
                    self.tells(name.as_str(), algorithm.name, |name| name.to_string());
                }
                return Ok(0);
            }
            ((SOL_TCP, 11), Some(Expr::Struct(fields))) => {
                self.tells_info(fields)?;
                return Ok(0);
            }
            _ => {}
        }
        match self.option_value(socket, option) {
            Some(actual) if option == (SOL_SOCKET, 4) => {
                self.tells_number(wanted, actual, Family::Error)?;
            }
            Some(actual) => self.tells_number(wanted, actual, Family::Plain)?,
            None if wanted == Some(&Expr::Any) => {}
            None => {
                return unsupported(format!("reading socket option {}", named(call.args.get(2))));
            }
        }
        Ok(0)
    }

    /// `{tcpi_state=1, tcpi_unacked=0}`.
    fn tells_info(&mut self, fields: &[Field]) -> Step<()> {
        for field in fields {
            let Some(name) = field.name.as_deref() else {
                return differs("an argument", "tcpi_…=…", "a value without a name");
            };
            if field.value != Expr::Any {
                let (wanted, actual) = (self.number(&field.value)?, self.info(name)?);
                self.tells(wanted, actual, |n| format!("{name}={n}"));
            }
        }
        Ok(())
    }

    /// The value of an option that is a number, where it is known.
    fn option_value(&mut self, socket: usize, option: (i64, i64)) -> Option<i64> {
        let flow = self.stream(socket);
        let socket = &self.sockets.all[socket];
        let p = &socket.params;
        // Linux takes twice as much memory as it was asked for, and tells that.
        let doubled = |n: u32| match self.options.system {
            System::Linux => i64::from(n) * 2,
            System::FreeBsd => i64::from(n),
        };
        Some(match option {
            (SOL_SOCKET, 3) => 1,
            (SOL_SOCKET, 4) => flow
                .and_then(|flow| self.host.take_error(flow))
                .map_or(0, Errno::number),
            (SOL_SOCKET, 7) if p.send_buffer_is_memory => i64::from(p.send_buffer),
            (SOL_SOCKET, 7) => doubled(p.send_buffer),
            (SOL_SOCKET, 8) if p.adaptive_receiver => i64::from(p.initial_buffer()),
            (SOL_SOCKET, 8) => {
                let buffer = match p.grow_receive_buffer {
                    true => p.receive_buffer_start.min(p.receive_buffer),
                    false => p.receive_buffer,
                };
                match (flow, self.options.system) {
                    (Some(flow), System::FreeBsd) => {
                        // Once the MSS is known, whole segments fit in.
                        let details = self.host.details(flow);
                        let stamps = if details.timestamps == Some(true) { 12 } else { 0 };
                        let mss = details.snd_mss.unwrap_or(536) + stamps;
                        i64::from(buffer.next_multiple_of(mss))
                    }
                    _ => doubled(buffer),
                }
            }
            (SOL_SOCKET, 18 | 19) => socket.value(option).max(1),
            (SOL_SOCKET, 30) => matches!(socket.role, Role::Listening(_)).into(),
            (SOL_SOCKET, 38) => 6,
            (SOL_TCP, 2) if flow.is_some() => {
                let details = flow.map(|flow| self.host.details(flow));
                details.and_then(|d| d.snd_mss).map_or(0, i64::from)
            }
            (SOL_IP, 10) | (SOL_IPV6, 23) => socket.values.get(&option).copied().unwrap_or(1),
            (SOL_IP, 14) | (SOL_IPV6, 24) => {
                let path = flow.and_then(|f| self.host.details(f).path_mtu);
                path.map_or(i64::from(p.mtu), i64::from)
            }
            option => match socket_options::find(option) {
                Some(row) => (row.get)(socket),
                None if is_remembered(option) => socket.value(option),
                None => return None,
            },
        })
    }
}

/// A congestion control by its name, with its default parameters.
fn congestion(value: &Expr) -> Step<Control> {
    match value {
        Expr::Text(name) => Control::named(name).or_else(|error| unsupported(error.to_string())),
        Expr::List(all) if all.len() == 1 => congestion(&all[0]),
        other => unsupported(format!("congestion control {}", named(Some(other)))),
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
