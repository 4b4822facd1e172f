//! setsockopt and getsockopt, and the forms of their values.

use sim_core::SimDuration;

use super::arguments::{LINGER as LINGER_SHAPE, StructFields, TIME};
use super::calls::{Called, NoResult};
use super::fast_open::fast_open_key;
use super::info::is_field;
use super::sysctl::linux_control;
use super::{Runner, Step, differs, invalid, unsupported};
use crate::congestion::Control;
use crate::errno::EINVAL;
use crate::packetdrill::ast::{Expr, StructField, SystemCall};
use crate::sockets::socket_constants::flags_by_name;
use crate::sockets::{Family, OptionError, Socket, SocketNo, System, TIMESTAMPING};

const SOL_SOCKET: i64 = 1;
const SOL_TCP: i64 = 6;
const LINGER: (i64, i64) = (SOL_SOCKET, 13);
const CONGESTION: (i64, i64) = (SOL_TCP, 13);
const FAST_OPEN_KEY: (i64, i64) = (SOL_TCP, 33);
const RECEIVE_TIMEOUT: (i64, i64) = (SOL_SOCKET, 20);
const SEND_TIMEOUT: (i64, i64) = (SOL_SOCKET, 21);
const INFO: (i64, i64) = (SOL_TCP, 11);
/// The flags of SO_TIMESTAMPING that are modelled: TX_SOFTWARE, SOFTWARE, OPT_ID, TX_SCHED, TX_ACK, OPT_CMSG,
/// OPT_TSONLY; the next constant: all that Linux has.
const TIMES: i64 = 2 | 16 | 128 | 256 | 512 | 1024 | 2048;
const ALL_TIMES: i64 = (1 << 19) - 1;

impl Runner<'_, '_> {
    fn level_and_option(&self, call: &SystemCall) -> Step<(i64, i64)> {
        let level = self.arg_in(call, 1, Family::Level)?;
        Ok((level, self.arg_in(call, 2, Family::Option(level))?))
    }

    pub(super) fn setsockopt(&mut self, call: &SystemCall) -> Called {
        let socket = self.socket_of(call, 0)?;
        let option = self.level_and_option(call)?;
        let Some(value) = call.args.get(3) else {
            return differs("arguments of setsockopt", "5", call.args.len().to_string());
        };
        self.check_length(call, option, value)?;
        let set = match option {
            LINGER => {
                let linger = self.linger(value)?;
                self.change(socket, |end| end.linger = linger)
            }
            RECEIVE_TIMEOUT => {
                let time = self.time_value(value)?;
                self.change(socket, |end| end.receive_timeout = time)
            }
            SEND_TIMEOUT => {
                let time = self.time_value(value)?;
                self.change(socket, |end| end.send_timeout = time)
            }
            CONGESTION => {
                let control = congestion(self.options.system, value)?;
                self.change(socket, |end| end.params.congestion = control)
            }
            FAST_OPEN_KEY => {
                let key = fast_open_key(value)?;
                self.change(socket, |end| end.fast_open_key = Some(key))
            }
            _ => {
                if matches!(value, Expr::Any | Expr::Text(_) | Expr::Struct(_)) {
                    let option = named(call.args.get(2));
                    return unsupported(format!("socket option {option} with this value"));
                }
                let number = self.number_in(value, Family::Plain)?;
                if option == TIMESTAMPING && number & !ALL_TIMES != 0 {
                    return Err(EINVAL.into());
                }
                if option == TIMESTAMPING && number & !TIMES != 0 {
                    return unsupported(flags_by_name("SOF_TIMESTAMPING_", number & !TIMES));
                }
                self.host.sockets.set_option(socket, option, number)
            }
        };
        let name = || named(call.args.get(2));
        match set {
            Ok(()) => Ok(0),
            Err(OptionError::Refused(errno)) => Err(errno.into()),
            Err(OptionError::Unknown) => unsupported(format!("socket option {}", name())),
            Err(OptionError::Fixed) => unsupported(format!(
                "socket option {} of an open connection: the model cannot change it",
                name()
            )),
        }
    }

    /// Checks the length that the call gives for its value: a value that is too short is refused.
    fn check_length(
        &self,
        call: &SystemCall,
        option: (i64, i64),
        value: &Expr,
    ) -> Result<(), NoResult> {
        let Some(length) = call.args.get(4).filter(|expr| **expr != Expr::Any) else {
            return Ok(());
        };
        let length = self.number_in(length, Family::Plain)?;
        let least = match (option, value) {
            (LINGER, _) => 8,
            (RECEIVE_TIMEOUT | SEND_TIMEOUT, _) => 16,
            (FAST_OPEN_KEY, _) => 16,
            (CONGESTION, Expr::Text(name)) => name.len() as i64,
            (CONGESTION | INFO, _) => 1,
            _ => 4,
        };
        // Valid but unsupported lengths: part of a name, an IP option in one byte, a value that is
        // not filled.
        let in_part = option == CONGESTION || option.0 == 0 || call.name == "getsockopt";
        match length {
            n if n >= least => Ok(()),
            n if n >= 0 && in_part => {
                let name = named(call.args.get(2));
                unsupported(format!("socket option {name} with a length of {n}"))
            }
            _ => Err(EINVAL.into()),
        }
    }

    fn change(
        &mut self,
        socket: SocketNo,
        change: impl FnOnce(&mut Socket),
    ) -> Result<(), OptionError> {
        self.host.sockets.change(socket, change)
    }

    /// `{onoff=1, linger=5}`, by name or place.
    fn linger(&self, value: &Expr) -> Step<Option<SimDuration>> {
        let [on, time] = self.two(value, ["onoff", "linger"], &LINGER_SHAPE)?;
        Ok((on != 0).then(|| SimDuration::from_secs(time.clamp(0, 1 << 20) as u64)))
    }

    fn time_value(&self, value: &Expr) -> Step<Option<SimDuration>> {
        let [secs, micros] = self.two(value, ["tv_sec", "tv_usec"], &TIME)?;
        let time = SimDuration::from_secs(secs.clamp(0, 1 << 20) as u64)
            + SimDuration::from_micros(micros.clamp(0, 1_000_000) as u64);
        Ok((!time.is_zero()).then_some(time))
    }

    /// The two numbers of a structure, by name or place.
    fn two(&self, value: &Expr, names: [&str; 2], shape: &StructFields) -> Step<[i64; 2]> {
        let Expr::Struct(fields) = value else {
            return differs(
                "an argument",
                format!("{{{}}}", names.join(", ")),
                "no structure",
            );
        };
        self.fits_shape(shape, fields)?;
        let mut numbers = [0; 2];
        for (i, number) in numbers.iter_mut().enumerate() {
            let named = |f: &&StructField| f.name.as_deref() == Some(names[i]);
            let in_place = fields.get(i).filter(|f| f.name.is_none());
            *number = match fields.iter().find(named).or(in_place) {
                Some(field) => self.number(&field.value)?,
                None => return invalid(format!("{} is missing", names[i])),
            };
        }
        Ok(numbers)
    }

    pub(super) fn getsockopt(&mut self, call: &SystemCall) -> Called {
        let socket = self.socket_of(call, 0)?;
        let option = self.level_and_option(call)?;
        let wanted = call.args.get(3);
        self.check_length(call, option, wanted.unwrap_or(&Expr::Any))?;
        match (option, wanted) {
            (LINGER, Some(value @ Expr::Struct(_))) => {
                let actual = self.host.sockets.at(socket).linger;
                let actual = [
                    actual.is_some().into(),
                    actual.map_or(0, |time| (time.as_millis() / 1000) as i64),
                ];
                let wanted = self.two(value, ["onoff", "linger"], &LINGER_SHAPE)?;
                self.check_output(wanted, actual, |both| format!("{both:?}"));
                return Ok(0);
            }
            (CONGESTION, Some(Expr::Text(name))) => {
                let algorithm = self.host.sockets.at(socket).params.congestion.algorithm();
                if !algorithm.aliases.contains(&name.as_str()) {
                    let actual = algorithm.name.trim_end_matches("-linux");
                    self.check_output(name.as_str(), actual, |name| name.to_string());
                }
                return Ok(0);
            }
            (INFO, Some(Expr::Struct(fields))) => {
                self.check_info(socket, fields)?;
                return Ok(0);
            }
            _ => {}
        }
        match self.host.sockets.option(socket, option) {
            Some(actual) if option == (SOL_SOCKET, 4) => {
                self.check_number(wanted, actual, Family::Error)?;
            }
            Some(actual) => self.check_number(wanted, actual, Family::Plain)?,
            None => {
                return unsupported(format!("reading socket option {}", named(call.args.get(2))));
            }
        }
        Ok(0)
    }

    /// `{tcpi_state=1, tcpi_unacked=0}` of a socket.
    fn check_info(&mut self, socket: SocketNo, fields: &[StructField]) -> Step<()> {
        for field in fields {
            let Some(name) = field.name.as_deref() else {
                return differs("an argument", "tcpi_…=…", "a value without a name");
            };
            if field.value == Expr::Any {
                is_field(name)?;
                continue;
            }
            let (wanted, actual) = (self.number(&field.value)?, self.info_of(socket, name)?);
            self.check_output(wanted, actual, |n| format!("{name}={n}"));
        }
        Ok(())
    }
}

/// A congestion control by its name, with its default parameters.
fn congestion(system: System, value: &Expr) -> Step<Control> {
    match value {
        Expr::Text(name) => {
            let name = match system {
                System::Linux => linux_control(name),
                System::FreeBsd => name,
            };
            Control::named(name).or_else(|error| unsupported(error.to_string()))
        }
        Expr::List(all) if all.len() == 1 => congestion(system, &all[0]),
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
