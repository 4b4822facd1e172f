//! Calls that make and end connections.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddrV4};

use super::calls::{Called, NoResult};
use super::flow::{LOCAL, REMOTE};
use super::{Runner, Step, invalid, unsupported};
use crate::errno::{EALREADY, EINPROGRESS, EINVAL, ENOTCONN};
use crate::packetdrill::ast::{Call, Expr};
use crate::params::IpVersion;
use crate::sockets::{BIND_WITHOUT_PORT, FOREIGN_BIND, Family, V6_ONLY};

const NONBLOCK: i64 = 0x800;

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
        let socket = self.host.sockets.socket();
        self.host.sockets.at_mut(socket).nonblocking = kind & NONBLOCK != 0;
        self.host.test_next();
        self.made(socket)
    }

    pub(super) fn open_file(&mut self, _: &Call) -> Called {
        let file = self.host.sockets.file();
        self.made(file)
    }

    /// The port of an address, if it says one.
    fn port(&self, address: Option<&Expr>) -> Step<Option<u16>> {
        let port = address.and_then(|a| a.given("sin_port").or_else(|| a.given("sin6_port")));
        port.map(|expr| Ok(self.number(expr)? as u16)).transpose()
    }

    pub(super) fn bind(&mut self, call: &Call) -> Called {
        let socket = self.socket_of(call, 0)?;
        let port = self.port(call.args.get(1))?.unwrap_or(self.bind_port);
        let address = self.address(call.args.get(1))?;
        let port = Some(port).filter(|port| *port != 0);
        let has = |option| self.host.sockets.at(socket).value(option) != 0;
        if port.is_none() && has(BIND_WITHOUT_PORT) {
            return unsupported("bind() to port 0 with IP_BIND_ADDRESS_NO_PORT");
        }
        if address == Some(REMOTE) && FOREIGN_BIND.into_iter().any(has) {
            return unsupported("bind() to an address of another host");
        }
        if address.is_none() && has(V6_ONLY) && self.speaks_v4() {
            return unsupported("IPV6_V6ONLY where packets are IPv4");
        }
        self.host.sockets.bind(socket, address, port)?;
        Ok(0)
    }

    /// Packets are IPv4: sockets of IPv6 use mapped addresses.
    fn speaks_v4(&self) -> bool {
        self.host.sockets.params().ip_version == IpVersion::V4
    }

    /// The address to bind to; `None` for all of the host's. It has one: that which the script or the
    /// tool gives it.
    fn address(&self, arg: Option<&Expr>) -> Step<Option<Ipv4Addr>> {
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
        Ok(match address.is_unspecified() {
            true => None,
            false if own => Some(LOCAL),
            false => Some(REMOTE), // any that is not the host's
        })
    }

    pub(super) fn listen(&mut self, call: &Call) -> Called {
        let socket = self.socket_of(call, 0)?;
        let backlog = self.arg(call, 1)?.clamp(0, i64::from(u32::MAX)) as u32;
        self.host.sockets.listen(socket, backlog)?;
        Ok(0)
    }

    pub(super) fn accept(&mut self, call: &Call) -> Called {
        let socket = self.socket_of(call, 0)?;
        let flags = match call.name.as_str() {
            "accept4" => self.arg_in(call, 3, Family::Socket)?,
            _ => 0,
        };
        let accepted = self.host.sockets.accept(socket);
        if let Ok(made) = accepted {
            self.host.sockets.at_mut(made).nonblocking = flags & NONBLOCK != 0;
            return self.made(made);
        }
        let listener = self.host.sockets.at(socket);
        let (nonblocking, timeout) = (listener.nonblocking, listener.receive_timeout);
        self.or_wait(accepted.map(|_| 0), nonblocking, timeout)
    }

    pub(super) fn connect(&mut self, call: &Call) -> Called {
        let socket = self.socket_of(call, 0)?;
        let Some(remote) = self.remote(call.args.get(1))? else {
            self.host.sockets.disconnect(socket);
            return Ok(0);
        };
        let connecting = self.host.sockets.connect(socket, remote);
        let end = self.host.sockets.at(socket);
        let (nonblocking, timeout) = (end.nonblocking, end.send_timeout);
        match connecting {
            Ok(()) => Ok(0),
            Err(EINPROGRESS | EALREADY) if !nonblocking => match self.wait(false, timeout) {
                Err(NoResult::Error(_)) => Err(EINPROGRESS.into()),
                waits => waits,
            },
            Err(errno) => Err(errno.into()),
        }
    }

    /// The address is of no family: AF_UNSPEC.
    fn is_unspecified(&self, address: Option<&Expr>) -> Step<bool> {
        match address.and_then(|a| a.given("sa_family")) {
            None => Ok(false),
            Some(family) => Ok(self.number(family)? == 0),
        }
    }

    /// The end to connect to, on the port that the address says or the usual one; `None` for an
    /// address of no family.
    pub(super) fn remote(&self, address: Option<&Expr>) -> Step<Option<SocketAddrV4>> {
        if self.is_unspecified(address)? {
            return Ok(None);
        }
        let port = self.port(address)?.unwrap_or(self.connect_port);
        Ok(Some(SocketAddrV4::new(REMOTE, port)))
    }

    /// getsockname() and getpeername(): the port is compared where the script writes one.
    pub(super) fn name(&mut self, call: &Call) -> Called {
        let socket = self.socket_of(call, 0)?;
        let sockets = &self.host.sockets;
        let flow = sockets
            .connection(socket)
            .and_then(|id| self.host.flow_of(id));
        let flow = flow.map(|flow| &self.host.flows[flow]);
        let actual = match (call.name.as_str(), flow) {
            ("getpeername", flow) => flow.ok_or(ENOTCONN)?.remote_port,
            (_, Some(flow)) => flow.local_port,
            (_, None) => sockets.at(socket).port,
        };
        let wanted = self.port(call.args.get(1))?.unwrap_or(actual);
        self.check_output(wanted, actual, |port| format!("port {port}"));
        Ok(0)
    }

    pub(super) fn shutdown(&mut self, call: &Call) -> Called {
        let socket = self.socket_of(call, 0)?;
        let how = self.arg(call, 1)?;
        if !(0..=2).contains(&how) {
            return Err(EINVAL.into());
        }
        self.host.sockets.shutdown(socket, how != 1, how != 0)?;
        Ok(0)
    }

    pub(super) fn close(&mut self, call: &Call) -> Called {
        let fd = self.arg(call, 0)?;
        let socket = self.socket_of(call, 0)?;
        let sockets = &mut self.host.sockets;
        if !self.progress.tried {
            sockets.hang_up(socket);
        }
        // SO_LINGER: waits until all is acknowledged.
        let linger = sockets.at(socket).linger;
        if linger.is_some()
            && sockets.is_closing(socket)
            && let Err(NoResult::Waits) = self.wait(false, linger)
        {
            return Err(NoResult::Waits);
        }
        self.host.sockets.release(socket);
        self.fds.remove(&fd);
        Ok(0)
    }
}
