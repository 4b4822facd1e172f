//! Calls that make and end connections.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use sim_core::SimTime;

use super::calls::{Attempt, Progress};
use super::constants::{self, Errno};
use super::dialect::Family;
use super::host::LOCAL;
use super::sockets::Role;
use super::{Runner, Step, invalid, unsupported};
use crate::host::{BindError, BindOptions, ConnectOptions};
use crate::packetdrill::ast::{Call, Expr};
use crate::state::State;

const NONBLOCK: i64 = 0x800;
/// TCP_QUICKACK.
const QUICK_ACK: (i64, i64) = (6, 12);

/// The socket of argument `n`, or the end of the call with EBADF.
macro_rules! socket {
    ($self:ident, $call:ident, $n:expr) => {
        match $self.socket_of($call, $n)? {
            Ok(socket) => socket,
            Err(errno) => return Attempt::error(errno),
        }
    };
}
pub(super) use socket;

/// The text of an address: `sin_addr = inet_addr("…")`, `sin6_addr = inet_pton(AF_INET6, "…")`, or
/// the latter as strace shows it, without a name.
fn address_text(structure: &Expr) -> Option<&str> {
    let Expr::Struct(fields) = structure else {
        return None;
    };
    let functions = fields.iter().filter_map(|field| match &field.value {
        Expr::Apply(function, args) => Some((function.as_str(), args)),
        _ => None,
    });
    let mut texts = functions.filter_map(|(function, args)| match (function, &args[..]) {
        ("inet_addr", [Expr::Text(text), ..]) => Some(text.as_str()),
        ("inet_pton", [_, Expr::Text(text), ..]) => Some(text.as_str()),
        _ => None,
    });
    texts.next()
}

/// Addresses that the tool gives to the host under test unless the script says otherwise; the one of
/// IPv4 is [`LOCAL`].
const USUAL_V6: Ipv6Addr = Ipv6Addr::new(0xfd3d, 0xfa7b, 0xd17d, 0, 0, 0, 0, 1);

impl Runner<'_, '_> {
    pub(super) fn socket(&mut self, call: &Call) -> Step<Attempt> {
        let kind = self.arg_in(call, 1, Family::Socket)?;
        if kind & 0xf != 1 {
            return unsupported("a socket that is not SOCK_STREAM");
        }
        if !matches!(self.arg(call, 2)?, 0 | 6) {
            return unsupported("a socket that is not IPPROTO_TCP");
        }
        let socket = self.sockets.add(Role::Fresh, &self.params);
        self.at(socket).nonblocking = kind & NONBLOCK != 0;
        self.host.test_next();
        Attempt::descriptor(socket)
    }

    /// The port of an address, if it says one.
    fn port(&self, address: Option<&Expr>) -> Step<Option<u16>> {
        let port = address.and_then(|a| a.field("sin_port").or_else(|| a.field("sin6_port")));
        Ok(match port {
            Some(expr) if *expr != Expr::Any => Some(self.number(expr)? as u16),
            _ => None,
        })
    }

    pub(super) fn bind(&mut self, call: &Call) -> Step<Attempt> {
        let socket = socket!(self, call, 0);
        if self.at(socket).role != Role::Fresh || self.at(socket).bound.is_some() {
            return Attempt::error(constants::EINVAL);
        }
        let default = self.sockets.default_port;
        let port = self.port(call.args.get(1))?.unwrap_or(default);
        let address = match self.address(call.args.get(1))? {
            Ok(address) => address,
            Err(errno) => return Attempt::error(errno),
        };
        match self.bind_to(socket, address, port) {
            Ok(()) => Attempt::ok(0),
            Err(errno) => Attempt::error(errno),
        }
    }

    /// The address to bind to; `None` for all of the host's. It has one: that which the script or the
    /// tool gives it.
    fn address(&self, arg: Option<&Expr>) -> Step<Result<Option<Ipv4Addr>, Errno>> {
        let Some(text) = arg.and_then(address_text) else {
            return Ok(Ok(None));
        };
        let Ok(address) = text.parse::<IpAddr>() else {
            return invalid(format!("{text} is not an address"));
        };
        let address = address.to_canonical(); // IPv4-mapped
        if address.is_loopback() {
            return unsupported("an address of the loopback");
        }
        let usual = [IpAddr::V4(LOCAL), IpAddr::V6(USUAL_V6)];
        let own = self.own_address == Some(address) || usual.contains(&address);
        Ok(match address.is_unspecified() {
            true => Ok(None),
            false if own => Ok(Some(LOCAL)),
            false => Err(constants::EADDRNOTAVAIL),
        })
    }

    /// Binds a socket; port 0 lets the host choose.
    fn bind_to(
        &mut self,
        socket: usize,
        address: Option<Ipv4Addr>,
        port: u16,
    ) -> Result<(), Errno> {
        let options = BindOptions {
            address,
            port: (port != 0).then_some(port),
            reuse: self.at(socket).reuse(),
        };
        let bound = self.host.call(self.now, |host| {
            let id = host.bind(options)?;
            Ok::<_, BindError>((id, host.bound_port(id)))
        });
        let (id, port) = bound.map_err(|error| Errno(error.errno()))?;
        let socket = self.at(socket);
        (socket.bound, socket.port) = (Some(id), port.unwrap_or(0));
        Ok(())
    }

    pub(super) fn listen(&mut self, call: &Call) -> Step<Attempt> {
        let socket = socket!(self, call, 0);
        let backlog = self.arg(call, 1)?.clamp(0, i64::from(u32::MAX)) as u32;
        match self.at(socket).role {
            Role::Fresh => {}
            Role::Listening(id) => {
                let options = self.at(socket).listen_options();
                self.host.call(self.now, |host| {
                    host.set_listener(id, Some(backlog), options)
                });
                return Attempt::ok(0);
            }
            _ => return Attempt::error(constants::EINVAL),
        }
        if self.at(socket).bound.is_none()
            && let Err(errno) = self.bind_to(socket, None, 0)
        {
            return Attempt::error(errno);
        }
        let (port, options) = (self.at(socket).port, self.at(socket).listen_options());
        let listening = self
            .host
            .call(self.now, |host| host.listen_with(port, backlog, options));
        match listening {
            Ok(id) => self.at(socket).role = Role::Listening(id),
            Err(_) => return Attempt::error(constants::EADDRINUSE),
        }
        Attempt::ok(0)
    }

    pub(super) fn accept(&mut self, call: &Call, progress: &mut Progress) -> Step<Attempt> {
        let socket = socket!(self, call, 0);
        let flags = if call.name == "accept4" {
            self.arg_in(call, 3, Family::Socket)?
        } else {
            0
        };
        let nonblocking = self.at(socket).nonblocking;
        let timeout = self.at(socket).receive_timeout;
        let Role::Listening(id) = self.at(socket).role else {
            return Attempt::error(constants::EINVAL);
        };
        let accepted = self.host.call(self.now, |host| host.accept_from(id));
        let Some(flow) = accepted.and_then(|id| self.host.flow_of(id)) else {
            return self.wait(progress, nonblocking, timeout);
        };
        let listener = self.at(socket).clone();
        let made = self.sockets.add(Role::Stream(flow), &listener.params);
        let stream = self.at(made);
        stream.port = listener.port;
        stream.linger = listener.linger;
        stream.keepalive_idle = listener.keepalive_idle;
        stream.nonblocking = flags & NONBLOCK != 0;
        stream.connect_told = true;
        Attempt::descriptor(made)
    }

    pub(super) fn connect(&mut self, call: &Call, progress: &mut Progress) -> Step<Attempt> {
        let socket = socket!(self, call, 0);
        if self.is_unspecified(call.args.get(1))? {
            self.disconnect(socket);
            return Attempt::ok(0);
        }
        let nonblocking = self.at(socket).nonblocking;
        let timeout = self.at(socket).send_timeout;
        let flow = match self.at(socket).role {
            Role::Fresh => {
                let remote = self.remote_port(call.args.get(1))?;
                let flow = match self.open_active(socket, remote, self.wants_fast_open(socket)) {
                    Ok(flow) => flow,
                    Err(errno) => return Attempt::error(errno),
                };
                if self.holds_back_syn(socket, flow) {
                    return Attempt::ok(0);
                }
                if nonblocking {
                    return Attempt::error(constants::EINPROGRESS);
                }
                flow
            }
            Role::Stream(flow) => flow,
            _ => return Attempt::error(constants::EISCONN),
        };
        if self.at(socket).connect_told || self.host.is_deferred(flow) {
            return Attempt::error(constants::EISCONN);
        }
        if let Some(errno) = self.host.take_error(flow) {
            self.at(socket).role = Role::Fresh;
            return Attempt::error(errno);
        }
        if self.host.is_connected(flow) {
            self.at(socket).connect_told = true;
            return Attempt::ok(0);
        }
        if self.host.is_over(flow) {
            return Attempt::error(constants::ECONNABORTED);
        }
        if nonblocking {
            return Attempt::error(constants::EALREADY);
        }
        match self.wait(progress, false, timeout)? {
            Attempt::Blocks => Ok(Attempt::Blocks),
            Attempt::Done(_) => Attempt::error(constants::EINPROGRESS),
        }
    }

    /// The address is of no family: AF_UNSPEC.
    pub(super) fn is_unspecified(&self, address: Option<&Expr>) -> Step<bool> {
        match address.and_then(|a| a.field("sa_family")) {
            None | Some(Expr::Any) => Ok(false),
            Some(family) => Ok(self.number(family)? == 0),
        }
    }

    /// Linux `tcp_disconnect`: the connection is reset or forgotten, or the socket listens no more;
    /// it can connect again.
    fn disconnect(&mut self, socket: usize) {
        match self.at(socket).role {
            Role::Listening(id) => self.host.call(self.now, |host| host.close_listener(id)),
            Role::Stream(flow) => self
                .host
                .on_socket(flow, self.now, |host, id| host.abort(id)),
            _ => {}
        }
        let socket = self.at(socket);
        socket.role = Role::Fresh;
        (socket.connect_told, socket.read_shut, socket.write_shut) = (false, false, false);
    }

    /// getsockname() and getpeername(): the port is compared where the script writes one.
    pub(super) fn name(&mut self, call: &Call) -> Step<Attempt> {
        let socket = socket!(self, call, 0);
        let flow = match self.at(socket).role {
            Role::Stream(flow) => Some(flow),
            _ => None,
        };
        let actual = match (call.name.as_str(), flow) {
            ("getpeername", None) => return Attempt::error(constants::ENOTCONN),
            ("getpeername", Some(flow)) => self.host.flows[flow].remote_port,
            (_, Some(flow)) => self.host.flows[flow].local_port,
            (_, None) => self.at(socket).port,
        };
        let wanted = self.port(call.args.get(1))?.unwrap_or(actual);
        let differs =
            (wanted != actual).then(|| (format!("port {wanted}"), format!("port {actual}")));
        Attempt::with(0, differs)
    }

    /// The port an address says, else the usual one.
    pub(super) fn remote_port(&mut self, address: Option<&Expr>) -> Step<u16> {
        Ok(self.port(address)?.unwrap_or(self.connect_port))
    }

    /// Gives a socket its end of a new connection; with `fast_open` the SYN may wait for data.
    pub(super) fn open_active(
        &mut self,
        socket: usize,
        remote: u16,
        fast_open: bool,
    ) -> Result<usize, Errno> {
        let end = self.at(socket);
        let options = ConnectOptions {
            bound: end.bound,
            reuse: end.reuse(),
            params: Some(end.shared_params()),
            fast_open,
            ..ConnectOptions::default()
        };
        let connected = self.host.connect(remote, options, self.now);
        let flow = connected.map_err(|error| Errno(error.errno()))?;
        self.at(socket).port = self.host.flows[flow].local_port;
        self.at(socket).role = Role::Stream(flow);
        // Linux then saves the last ACK of the handshake.
        let end = self.at(socket);
        let slow = end.values.get(&QUICK_ACK) == Some(&0) || end.params.defer_accept.is_some();
        if slow {
            self.host
                .on_socket(flow, self.now, |host, id| host.quick_ack(id, false));
        }
        Ok(flow)
    }

    /// Blocks at most `timeout`, then EAGAIN.
    pub(super) fn wait(
        &mut self,
        progress: &mut Progress,
        nonblocking: bool,
        timeout: Option<sim_core::SimDuration>,
    ) -> Step<Attempt> {
        let deadline = timeout.map(|t| progress.started + t);
        progress.deadline = deadline;
        Attempt::wait(nonblocking || deadline.is_some_and(|t| t <= self.now))
    }

    pub(super) fn shutdown(&mut self, call: &Call) -> Step<Attempt> {
        let socket = socket!(self, call, 0);
        let how = self.arg(call, 1)?;
        if !(0..=2).contains(&how) {
            return Attempt::error(constants::EINVAL);
        }
        let (read, write) = (how != 1, how != 0);
        match self.at(socket).role.clone() {
            Role::Stream(flow) if self.host.state(flow) != State::Closed => {
                self.at(socket).read_shut |= read;
                self.at(socket).write_shut |= write;
                if write {
                    self.host
                        .on_socket(flow, self.now, |host, id| host.shutdown(id));
                }
                Attempt::ok(0)
            }
            Role::Listening(id) => {
                if read {
                    self.host.call(self.now, |host| host.close_listener(id));
                    self.at(socket).role = Role::Fresh;
                }
                Attempt::ok(0)
            }
            _ => Attempt::error(constants::ENOTCONN),
        }
    }

    pub(super) fn close(&mut self, call: &Call, progress: &mut Progress) -> Step<Attempt> {
        let fd = self.arg(call, 0)?;
        let socket = socket!(self, call, 0);
        let linger = self.at(socket).linger;
        match self.at(socket).role.clone() {
            Role::Listening(id) => self.host.call(self.now, |host| host.close_listener(id)),
            Role::Stream(flow) => {
                if !progress.begun {
                    let aborts = linger.is_some_and(|l| l.is_zero());
                    self.host.on_socket(flow, self.now, |host, id| {
                        if aborts {
                            host.abort(id);
                        } else {
                            host.close(id);
                        }
                    });
                }
                // SO_LINGER: waits until all is acknowledged, FIN included.
                let state = self.host.state(flow);
                let closing = matches!(state, State::FinWait1 | State::Closing | State::LastAck);
                let deadline: Option<SimTime> = linger.map(|l| progress.started + l);
                if closing && deadline.is_some_and(|t| t > self.now) {
                    progress.deadline = deadline;
                    return Ok(Attempt::Blocks);
                }
            }
            _ => {}
        }
        if let Some(bound) = self.at(socket).bound.take() {
            self.host.call(self.now, |host| host.unbind(bound));
        }
        self.sockets.forget(fd);
        Attempt::ok(0)
    }
}
