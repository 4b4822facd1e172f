//! Calls that make and end connections.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddrV4};

use super::calls::{Called, NoResult};
use super::script_flow::{LOCAL, REMOTE};
use super::{Runner, Step, invalid, unsupported};
use crate::errno::{EAFNOSUPPORT, EALREADY, EBADF, EINPROGRESS, EINVAL, ENOTCONN};
use crate::packetdrill::ast::{Expr, SystemCall};
use crate::params::IpVersion;
use crate::sockets::{BIND_WITHOUT_PORT, FOREIGN_BIND, Family, SocketNo, V6_ONLY};

const NONBLOCK: i64 = 0x800;
/// SOCK_CLOEXEC, O_CLOEXEC, EPOLL_CLOEXEC.
pub(super) const CLOSE_ON_EXEC: i64 = 0x8_0000;

const AF_UNSPEC: i64 = 0;
const AF_INET: i64 = 2;
const AF_INET6: i64 = 10;

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

/// The default address that packetdrill gives to the host under test for IPv6; the one for IPv4 is
/// [`LOCAL`].
const USUAL_V6: Ipv6Addr = Ipv6Addr::new(0xfd3d, 0xfa7b, 0xd17d, 0, 0, 0, 0, 1);
/// The same for the peer; the one for IPv4 is [`REMOTE`].
const USUAL_REMOTE_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);

/// Whose an address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    /// `0.0.0.0`, `::`.
    Nobody,
    Host,
    Peer,
    Other,
}

impl Runner<'_, '_> {
    pub(super) fn socket(&mut self, call: &SystemCall) -> Called {
        let kind = self.arg_in(call, 1, Family::Socket)?;
        if kind & 0xf != 1 {
            return unsupported("a socket that is not SOCK_STREAM");
        }
        if let Some(domain) = call.args.first().filter(|expr| **expr != Expr::Any) {
            let domain = self.number(domain)?;
            let speaks = domain == AF_INET6 || (domain == AF_INET && self.speaks_v4());
            if !speaks {
                return unsupported(format!("a socket of the domain {domain} here"));
            }
        }
        if kind & !(0xf | NONBLOCK | CLOSE_ON_EXEC) != 0 {
            return Err(EINVAL.into());
        }
        if !matches!(self.arg(call, 2)?, 0 | 6) {
            return unsupported("a socket that is not IPPROTO_TCP");
        }
        let socket = self.host.sockets.socket();
        self.set_flags(socket, kind);
        self.host.test_next();
        self.made(socket)
    }

    /// SOCK_NONBLOCK and SOCK_CLOEXEC of a new socket.
    fn set_flags(&mut self, socket: SocketNo, flags: i64) {
        let socket = self.host.sockets.at_mut(socket);
        socket.nonblocking = flags & NONBLOCK != 0;
        socket.close_on_exec = flags & CLOSE_ON_EXEC != 0;
    }

    /// A file that sendfile() can send from; its content is ignored.
    pub(super) fn open_file(&mut self, call: &SystemCall) -> Called {
        let at = usize::from(call.name == "openat");
        if let Some(Expr::Text(path)) = call.args.get(at)
            && ["/proc/", "/sys/"]
                .iter()
                .any(|root| path.starts_with(root))
        {
            return unsupported(format!(
                "open() of {path}: set system parameters in `backticks`"
            ));
        }
        let flags = match call.name.as_str() {
            "creat" => 0,
            _ => self.arg_in(call, at + 1, Family::Open)?,
        };
        let file = self.host.sockets.file();
        self.host.sockets.at_mut(file).close_on_exec = flags & CLOSE_ON_EXEC != 0;
        self.made(file)
    }

    /// The port of an address, if one is written.
    fn port(&self, address: Option<&Expr>) -> Step<Option<u16>> {
        let port = address.and_then(|a| a.given("sin_port").or_else(|| a.given("sin6_port")));
        let Some(port) = port else {
            return Ok(None);
        };
        let number = self.number(port)?;
        match u16::try_from(number) {
            Ok(port) => Ok(Some(port)),
            Err(_) => invalid(format!("{number} is not a port")),
        }
    }

    /// The family of an address, if one is written. Flow labels and scopes are not modelled.
    fn family(&self, address: Option<&Expr>) -> Step<Option<i64>> {
        let given = |name: &str| address.and_then(|a| a.given(name));
        for name in ["sin6_flowinfo", "sin6_scope_id"] {
            if let Some(expr) = given(name)
                && self.number(expr)? != 0
            {
                return unsupported(format!("{name} of an address"));
            }
        }
        let names = ["sa_family", "sin_family", "sin6_family"];
        match names.iter().find_map(|name| given(name)) {
            None => Ok(None),
            Some(family) => match self.number(family)? {
                family @ (AF_UNSPEC | AF_INET | AF_INET6) => Ok(Some(family)),
                other => unsupported(format!("an address of the family {other}")),
            },
        }
    }

    pub(super) fn bind(&mut self, call: &SystemCall) -> Called {
        let socket = self.socket_of(call, 0)?;
        let port = self.port(call.args.get(1))?.unwrap_or(self.bind_port);
        let address = self.address(call.args.get(1))?;
        if self.family(call.args.get(1))? == Some(AF_UNSPEC) && address.is_some() {
            return Err(EAFNOSUPPORT.into());
        }
        let port = Some(port).filter(|port| *port != 0);
        let has = |option| self.host.sockets.at(socket).value(option) != 0;
        if port.is_none() && has(BIND_WITHOUT_PORT) {
            return unsupported("bind() to port 0 with IP_BIND_ADDRESS_NO_PORT");
        }
        if address == Some(REMOTE) && FOREIGN_BIND.into_iter().any(has) {
            return unsupported("bind() to an address of another host");
        }
        self.check_v6_only(socket)?;
        self.host.sockets.bind(socket, address, port)?;
        self.host.sockets.at_mut(socket).bound_address = address;
        Ok(0)
    }

    /// Rejects IPv4 connections on an IPv6-only socket as unsupported.
    fn check_v6_only(&self, socket: SocketNo) -> Step<()> {
        if self.host.sockets.at(socket).value(V6_ONLY) != 0 && self.speaks_v4() {
            return unsupported("IPV6_V6ONLY where packets are IPv4");
        }
        Ok(())
    }

    /// Whether packets are IPv4: IPv6 sockets then use mapped addresses.
    fn speaks_v4(&self) -> bool {
        self.host.sockets.params().ip_version == IpVersion::V4
    }

    /// The address to bind to; `None` for all of the host's. The host has one address: the one given by the
    /// script, or packetdrill's default.
    fn address(&self, arg: Option<&Expr>) -> Step<Option<Ipv4Addr>> {
        let Some(text) = arg.and_then(address_text) else {
            return Ok(None);
        };
        Ok(match self.whose(text)? {
            Whose::Nobody => None,
            Whose::Host => Some(LOCAL),
            Whose::Peer | Whose::Other => Some(REMOTE), // any address that is not the host's
        })
    }

    /// Whose address a text is: the host and its peer have one each for IPv4 and IPv6.
    fn whose(&self, text: &str) -> Step<Whose> {
        let Ok(address) = text.parse::<IpAddr>() else {
            return invalid(format!("{text} is not an address"));
        };
        let address = address.to_canonical(); // IPv4-mapped
        if address.is_loopback() {
            return unsupported("an address of the loopback");
        }
        let own = [IpAddr::V4(LOCAL), IpAddr::V6(USUAL_V6)];
        let remote = [IpAddr::V4(REMOTE), IpAddr::V6(USUAL_REMOTE_V6)];
        Ok(match Some(address) {
            _ if address.is_unspecified() => Whose::Nobody,
            given if given == self.own_address => Whose::Host,
            given if given == self.remote_address => Whose::Peer,
            _ if own.contains(&address) => Whose::Host,
            _ if self.remote_address.is_none() && remote.contains(&address) => Whose::Peer,
            _ => Whose::Other,
        })
    }

    pub(super) fn listen(&mut self, call: &SystemCall) -> Called {
        let socket = self.socket_of(call, 0)?;
        self.check_v6_only(socket)?;
        // A negative backlog is a large one.
        let backlog = u32::try_from(self.arg(call, 1)?).unwrap_or(u32::MAX);
        self.host.sockets.listen(socket, backlog)?;
        Ok(0)
    }

    pub(super) fn accept(&mut self, call: &SystemCall) -> Called {
        let socket = self.socket_of(call, 0)?;
        let flags = match call.name.as_str() {
            "accept4" => self.arg_in(call, 3, Family::Socket)?,
            _ => 0,
        };
        if flags & !(NONBLOCK | CLOSE_ON_EXEC) != 0 {
            return Err(EINVAL.into());
        }
        let accepted = self.host.sockets.accept(socket);
        if let Ok(made) = accepted {
            self.set_flags(made, flags);
            let connection = self.host.sockets.connection(made);
            let flow = connection.and_then(|id| self.host.flow_of(id));
            let port = flow.map_or(0, |flow| self.host.flows[flow].remote_port);
            self.check_address(call.args.get(1), Whose::Peer, port)?;
            return self.made(made);
        }
        let listener = self.host.sockets.at(socket);
        let (nonblocking, timeout) = (listener.nonblocking, listener.receive_timeout);
        self.or_wait(accepted.map(|_| 0), nonblocking, timeout)
    }

    pub(super) fn connect(&mut self, call: &SystemCall) -> Called {
        let socket = self.socket_of(call, 0)?;
        let Some(remote) = self.remote(call.args.get(1))? else {
            self.host.sockets.disconnect(socket);
            return Ok(0);
        };
        self.check_v6_only(socket)?;
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

    /// The address and port to connect to, with the default port if none is written; `None` for an
    /// unspecified address family.
    pub(super) fn remote(&self, address: Option<&Expr>) -> Step<Option<SocketAddrV4>> {
        if self.family(address)? == Some(AF_UNSPEC) {
            return Ok(None);
        }
        if let Some(text) = address.and_then(address_text)
            && self.whose(text)? != Whose::Peer
        {
            return unsupported(format!("{text}, which is not the address of the peer"));
        }
        let port = self.port(address)?.unwrap_or(self.connect_port);
        Ok(Some(SocketAddrV4::new(REMOTE, port)))
    }

    /// Compares an address that a call returns, as far as the script writes it.
    fn check_address(&mut self, wanted: Option<&Expr>, actual: Whose, port: u16) -> Step<()> {
        if let Some(family) = self.family(wanted)? {
            // Sockets of either family can have IPv4 connections.
            let fits = family == AF_INET6 || (family == AF_INET && self.speaks_v4());
            self.check_output(true, fits, |fits| match fits {
                true => format!("an address of the family {family}"),
                false => "one of another".into(),
            });
        }
        if let Some(text) = wanted.and_then(address_text)
            && self.whose(text)? != actual
        {
            let actual = match actual {
                Whose::Nobody => "none".to_string(),
                Whose::Host => self.own_address.unwrap_or(LOCAL.into()).to_string(),
                _ => self.remote_address.unwrap_or(REMOTE.into()).to_string(),
            };
            self.check_output(text, &actual, |text| format!("address {text}"));
        }
        let wanted = self.port(wanted)?.unwrap_or(port);
        self.check_output(wanted, port, |port| format!("port {port}"));
        Ok(())
    }

    /// getsockname() and getpeername(): compared if the script writes an address.
    pub(super) fn name(&mut self, call: &SystemCall) -> Called {
        let socket = self.socket_of(call, 0)?;
        let sockets = &self.host.sockets;
        let flow = sockets
            .connection(socket)
            .and_then(|id| self.host.flow_of(id));
        let flow = flow.map(|flow| &self.host.flows[flow]);
        let (whose, port) = match (call.name.as_str(), flow) {
            ("getpeername", flow) => (Whose::Peer, flow.ok_or(ENOTCONN)?.remote_port),
            (_, Some(flow)) => (Whose::Host, flow.local_port),
            (_, None) => {
                let unconnected = sockets.at(socket);
                match unconnected.bound_address {
                    Some(_) => (Whose::Host, unconnected.port),
                    None => (Whose::Nobody, unconnected.port),
                }
            }
        };
        self.check_address(call.args.get(1), whose, port)?;
        Ok(0)
    }

    pub(super) fn shutdown(&mut self, call: &SystemCall) -> Called {
        let socket = self.socket_of(call, 0)?;
        let how = self.arg(call, 1)?;
        if !(0..=2).contains(&how) {
            return Err(EINVAL.into());
        }
        self.host.sockets.shutdown(socket, how != 1, how != 0)?;
        Ok(0)
    }

    /// dup, dup2 and dup3: another descriptor of the same socket, which is closed with the last of them.
    pub(super) fn dup(&mut self, call: &SystemCall) -> Called {
        let old = self.arg(call, 0)?;
        let socket = self.socket_of(call, 0)?;
        if call.args.len() == 1 {
            return self.made(socket);
        }
        let new = self.arg(call, 1)?;
        if call.name == "dup3" && self.arg_in(call, 2, Family::Open)? != 0 {
            return unsupported("flags of dup3");
        }
        if new < 0 {
            return Err(EBADF.into());
        }
        if new == old {
            let same = call.name == "dup2";
            return if same { Ok(new) } else { Err(EINVAL.into()) };
        }
        if let Some(closed) = self.fds.insert(new, socket)
            && !self.is_open_elsewhere(closed, new)
        {
            self.host.sockets.close(closed);
        }
        Ok(new)
    }

    /// Whether another descriptor than this one is of the same socket.
    fn is_open_elsewhere(&self, socket: SocketNo, fd: i64) -> bool {
        let mut all = self.fds.iter();
        all.any(|(other, known)| *known == socket && *other != fd)
    }

    pub(super) fn close(&mut self, call: &SystemCall) -> Called {
        let fd = self.arg(call, 0)?;
        let socket = self.socket_of(call, 0)?;
        if self.is_open_elsewhere(socket, fd) {
            self.fds.remove(&fd);
            return Ok(0);
        }
        let sockets = &mut self.host.sockets;
        if !self.progress.tried {
            sockets.hang_up(socket);
        }
        // SO_LINGER: waits until everything is acknowledged.
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
