//! Calls that make and end connections.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::calls::{Called, NoResult};
use super::constants::{
    EADDRINUSE, EADDRNOTAVAIL, EALREADY, ECONNABORTED, EINPROGRESS, EINVAL, EISCONN, ENOTCONN,
    Errno,
};
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

/// The text of an address: `sin_addr = inet_addr("…")`, `sin6_addr = inet_pton(AF_INET6, "…")`, or
/// the latter as strace shows it, without a name.
fn address_text(structure: &Expr) -> Option<&str> {
    let Expr::Struct(fields) = structure else {
        return None;
    };
    fields.iter().find_map(|field| match &field.value {
        Expr::Apply(function, args) => match (function.as_str(), &args[..]) {
            ("inet_addr", [Expr::Text(text), ..]) => Some(text.as_str()),
            ("inet_pton", [_, Expr::Text(text), ..]) => Some(text.as_str()),
            _ => None,
        },
        _ => None,
    })
}

/// Addresses that the tool gives to the host under test unless the script says otherwise; the one of
/// IPv4 is [`LOCAL`].
const USUAL_V6: Ipv6Addr = Ipv6Addr::new(0xfd3d, 0xfa7b, 0xd17d, 0, 0, 0, 0, 1);

impl Runner<'_, '_> {
    pub(super) fn socket(&mut self, call: &Call) -> Called {
        let kind = self.arg_in(call, 1, Family::Socket)?;
        if kind & 0xf != 1 {
            return unsupported("a socket that is not SOCK_STREAM");
        }
        if !matches!(self.arg(call, 2)?, 0 | 6) {
            return unsupported("a socket that is not IPPROTO_TCP");
        }
        let socket = self.make(Role::Fresh);
        self.at(socket).nonblocking = kind & NONBLOCK != 0;
        self.host.test_next();
        Ok(0)
    }

    pub(super) fn open_file(&mut self, _: &Call) -> Called {
        self.make(Role::File);
        Ok(0)
    }

    /// The port of an address, if it says one.
    fn port(&self, address: Option<&Expr>) -> Step<Option<u16>> {
        let port = address.and_then(|a| a.given("sin_port").or_else(|| a.given("sin6_port")));
        port.map(|expr| Ok(self.number(expr)? as u16)).transpose()
    }

    pub(super) fn bind(&mut self, call: &Call) -> Called {
        let socket = self.socket_of(call, 0)?;
        if self.at(socket).role != Role::Fresh || self.at(socket).bound.is_some() {
            return Err(EINVAL.into());
        }
        let port = self.port(call.args.get(1))?;
        let address = self.address(call.args.get(1))?;
        self.bind_to(socket, address, port.unwrap_or(self.sockets.default_port))
    }

    /// The address to bind to; `None` for all of the host's. It has one: that which the script or the
    /// tool gives it.
    fn address(&self, arg: Option<&Expr>) -> Result<Option<Ipv4Addr>, NoResult> {
        let Some(text) = arg.and_then(address_text) else {
            return Ok(None);
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
        match address.is_unspecified() {
            true => Ok(None),
            false if own => Ok(Some(LOCAL)),
            false => Err(EADDRNOTAVAIL.into()),
        }
    }

    /// Binds a socket; port 0 lets the host choose.
    fn bind_to(&mut self, socket: usize, address: Option<Ipv4Addr>, port: u16) -> Called {
        let options = BindOptions {
            address,
            port: (port != 0).then_some(port),
            reuse: self.at(socket).reuse(),
        };
        let bound = self.host.call(|host| {
            let id = host.bind(options)?;
            Ok::<_, BindError>((id, host.bound_port(id)))
        });
        let (id, port) = bound.map_err(|error| Errno(error.errno()))?;
        let socket = self.at(socket);
        (socket.bound, socket.port) = (Some(id), port.unwrap_or(0));
        Ok(0)
    }

    pub(super) fn listen(&mut self, call: &Call) -> Called {
        let socket = self.socket_of(call, 0)?;
        let backlog = self.arg(call, 1)?.clamp(0, i64::from(u32::MAX)) as u32;
        match self.at(socket).role {
            Role::Fresh => {}
            Role::Listening(id) => {
                let options = self.at(socket).listen_options();
                self.host
                    .call(|host| host.set_listener(id, Some(backlog), options));
                return Ok(0);
            }
            _ => return Err(EINVAL.into()),
        }
        if self.at(socket).bound.is_none() {
            self.bind_to(socket, None, 0)?;
        }
        let (port, options) = (self.at(socket).port, self.at(socket).listen_options());
        let listening = self
            .host
            .call(|host| host.listen_with(port, backlog, options));
        self.at(socket).role = Role::Listening(listening.map_err(|_| EADDRINUSE)?);
        Ok(0)
    }

    pub(super) fn accept(&mut self, call: &Call) -> Called {
        let socket = self.socket_of(call, 0)?;
        let flags = match call.name.as_str() {
            "accept4" => self.arg_in(call, 3, Family::Socket)?,
            _ => 0,
        };
        let listener = self.at(socket).clone();
        let Role::Listening(id) = listener.role else {
            return Err(EINVAL.into());
        };
        let accepted = self.host.call(|host| host.accept_from(id));
        let Some(flow) = accepted.and_then(|id| self.host.flow_of(id)) else {
            return self.wait(listener.nonblocking, listener.receive_timeout);
        };
        let made = self.make(Role::Stream(flow));
        let stream = self.at(made);
        stream.params = listener.params;
        stream.port = listener.port;
        stream.linger = listener.linger;
        stream.keepalive_idle = listener.keepalive_idle;
        stream.nonblocking = flags & NONBLOCK != 0;
        stream.connect_told = true;
        Ok(0)
    }

    pub(super) fn connect(&mut self, call: &Call) -> Called {
        let socket = self.socket_of(call, 0)?;
        if self.is_unspecified(call.args.get(1))? {
            self.disconnect(socket);
            return Ok(0);
        }
        let nonblocking = self.at(socket).nonblocking;
        let flow = match self.at(socket).role {
            Role::Fresh => {
                let remote = self.remote_port(call.args.get(1))?;
                let flow = self.open_active(socket, remote, self.wants_fast_open(socket))?;
                if self.holds_back_syn(socket, flow) {
                    return Ok(0);
                }
                if nonblocking {
                    return Err(EINPROGRESS.into());
                }
                flow
            }
            Role::Stream(flow) => flow,
            _ => return Err(EISCONN.into()),
        };
        if self.at(socket).connect_told || self.host.is_deferred(flow) {
            return Err(EISCONN.into());
        }
        if let Some(errno) = self.host.take_error(flow) {
            self.at(socket).role = Role::Fresh;
            return Err(errno.into());
        }
        if self.host.is_connected(flow) {
            self.at(socket).connect_told = true;
            return Ok(0);
        }
        if self.host.is_over(flow) {
            return Err(ECONNABORTED.into());
        }
        if nonblocking {
            return Err(EALREADY.into());
        }
        let timeout = self.at(socket).send_timeout;
        match self.wait(false, timeout) {
            Err(NoResult::Error(_)) => Err(EINPROGRESS.into()),
            waits => waits,
        }
    }

    /// The address is of no family: AF_UNSPEC.
    pub(super) fn is_unspecified(&self, address: Option<&Expr>) -> Step<bool> {
        match address.and_then(|a| a.given("sa_family")) {
            None => Ok(false),
            Some(family) => Ok(self.number(family)? == 0),
        }
    }

    /// Linux `tcp_disconnect`: the connection is reset or forgotten, or the socket listens no more;
    /// it can connect again.
    fn disconnect(&mut self, socket: usize) {
        match self.at(socket).role {
            Role::Listening(id) => self.host.call(|host| host.close_listener(id)),
            Role::Stream(flow) => self.host.on_socket(flow, |host, id| host.abort(id)),
            _ => {}
        }
        let socket = self.at(socket);
        socket.role = Role::Fresh;
        (socket.connect_told, socket.read_shut, socket.write_shut) = (false, false, false);
    }

    /// getsockname() and getpeername(): the port is compared where the script writes one.
    pub(super) fn name(&mut self, call: &Call) -> Called {
        let socket = self.socket_of(call, 0)?;
        let flow = self.stream(socket).map(|flow| &self.host.flows[flow]);
        let actual = match (call.name.as_str(), flow) {
            ("getpeername", flow) => flow.ok_or(ENOTCONN)?.remote_port,
            (_, Some(flow)) => flow.local_port,
            (_, None) => self.sockets.all[socket].port,
        };
        let wanted = self.port(call.args.get(1))?.unwrap_or(actual);
        self.tells(wanted, actual, |port| format!("port {port}"));
        Ok(0)
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
        let connected = self.host.connect(remote, options);
        let flow = connected.map_err(|error| Errno(error.errno()))?;
        let port = self.host.flows[flow].local_port;
        let end = self.at(socket);
        (end.port, end.role) = (port, Role::Stream(flow));
        // Linux then saves the last ACK of the handshake.
        let slow = end.values.get(&QUICK_ACK) == Some(&0) || end.params.defer_accept.is_some();
        if slow {
            self.host
                .on_socket(flow, |host, id| host.quick_ack(id, false));
        }
        Ok(flow)
    }

    pub(super) fn shutdown(&mut self, call: &Call) -> Called {
        let socket = self.socket_of(call, 0)?;
        let how = self.arg(call, 1)?;
        if !(0..=2).contains(&how) {
            return Err(EINVAL.into());
        }
        let (read, write) = (how != 1, how != 0);
        match self.sockets.all[socket].role {
            Role::Stream(flow) if self.host.state(flow) != State::Closed => {
                self.at(socket).read_shut |= read;
                self.at(socket).write_shut |= write;
                if write {
                    self.host.on_socket(flow, |host, id| host.shutdown(id));
                }
            }
            Role::Listening(id) if read => {
                self.host.call(|host| host.close_listener(id));
                self.at(socket).role = Role::Fresh;
            }
            Role::Listening(_) => {}
            _ => return Err(ENOTCONN.into()),
        }
        Ok(0)
    }

    pub(super) fn close(&mut self, call: &Call) -> Called {
        let fd = self.arg(call, 0)?;
        let socket = self.socket_of(call, 0)?;
        let linger = self.at(socket).linger;
        match self.at(socket).role {
            Role::Listening(id) => self.host.call(|host| host.close_listener(id)),
            Role::Stream(flow) => {
                if !self.progress.tried {
                    let aborts = linger.is_some_and(|l| l.is_zero());
                    self.host.on_socket(flow, |host, id| match aborts {
                        true => host.abort(id),
                        false => host.close(id),
                    });
                }
                // SO_LINGER: waits until all is acknowledged, FIN included.
                let state = self.host.state(flow);
                let closing = matches!(state, State::FinWait1 | State::Closing | State::LastAck);
                if closing
                    && linger.is_some()
                    && let Err(NoResult::Waits) = self.wait(false, linger)
                {
                    return Err(NoResult::Waits);
                }
            }
            _ => {}
        }
        if let Some(bound) = self.at(socket).bound.take() {
            self.host.call(|host| host.unbind(bound));
        }
        self.sockets.forget(fd);
        Ok(0)
    }
}
