//! Bound local ports, and the rules for sharing one (`SO_REUSEADDR`, `SO_REUSEPORT`).
//!
//! The rules are Linux's: two sockets on one port and overlapping addresses conflict, unless both
//! have `SO_REUSEADDR` and neither listens, or both have `SO_REUSEPORT`. Connections and TIME-WAIT
//! entries count as sockets, with the flags of the socket they came from.
//!
//! Leaves out user ids: everything on a host belongs to one user.

use std::net::Ipv4Addr;

use super::bound::{Bind, BindId, Reuse};
use super::cx::HostEnv;
use super::four_tuple::FourTuple;
use super::stack::Stack;
use crate::errno::{self, Errno};

/// How to bind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BindOptions {
    /// Bind to this address; otherwise to all addresses of the host.
    pub address: Option<Ipv4Addr>,
    /// Bind to this port; otherwise the host chooses one.
    pub port: Option<u16>,
    /// How the port is shared.
    pub reuse: Reuse,
}

/// Why a socket could not be bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BindError {
    /// Another socket has the port (EADDRINUSE).
    #[error("port {0} is in use")]
    AddrInUse(u16),
    /// All ports of the range are in use (EADDRINUSE).
    #[error("no local port is free")]
    NoFreePort,
    /// The address is not one of the host's (EADDRNOTAVAIL).
    #[error("{0} is not an address of this host")]
    NotLocal(Ipv4Addr),
}

impl BindError {
    /// The error that `bind` returns on Linux.
    pub const fn errno(self) -> Errno {
        match self {
            BindError::AddrInUse(_) | BindError::NoFreePort => errno::EADDRINUSE,
            BindError::NotLocal(_) => errno::EADDRNOTAVAIL,
        }
    }
}

fn overlap(a: Option<Ipv4Addr>, b: Option<Ipv4Addr>) -> bool {
    a.is_none() || b.is_none() || a == b
}

impl Stack {
    /// Binds to a port (Linux `inet_csk_get_port`).
    pub(super) fn bind(&mut self, options: BindOptions) -> Result<BindId, BindError> {
        let own = |address| self.addresses.contains(&address);
        if let Some(address) = options.address.filter(|&address| !own(address)) {
            return Err(BindError::NotLocal(address));
        }
        let port = match options.port.filter(|&port| port != 0) {
            Some(port) if self.bind_conflicts(&options, port) => {
                return Err(BindError::AddrInUse(port));
            }
            Some(port) => port,
            None => self.free_port(&options).ok_or(BindError::NoFreePort)?,
        };
        self.take(options, port)
    }

    /// Binds to a port in order to listen, as servers do: to all addresses, with `SO_REUSEADDR`, regardless
    /// of existing connections (RFC 9293 section 3.9.1, MUST-41 and MUST-42).
    pub(super) fn bind_to_listen(&mut self, port: u16) -> Result<BindId, BindError> {
        if self.binds.on_port(port).next().is_some() {
            return Err(BindError::AddrInUse(port));
        }
        let options = BindOptions {
            reuse: Reuse {
                address: true,
                port: false,
            },
            ..BindOptions::default()
        };
        self.take(options, port)
    }

    fn take(&mut self, options: BindOptions, port: u16) -> Result<BindId, BindError> {
        let id = self.binds.insert(Bind {
            address: options.address,
            port,
            reuse: options.reuse,
            listens: false,
        });
        let id = id.ok_or(BindError::AddrInUse(port))?;
        self.ports.reserve(port);
        self.binds.draining.retain(|&other| other != port);
        Ok(id)
    }

    fn bind_conflicts(&self, options: &BindOptions, port: u16) -> bool {
        let conflicts = |address, reuse, listens| {
            overlap(options.address, address) && !options.reuse.allows(reuse, listens)
        };
        let mut binds = self.binds.on_port(port);
        binds.any(|(_, b)| conflicts(b.address, b.reuse, b.listens))
            || self.local_ends().any(|(flow, reuse)| {
                flow.local().port() == port && conflicts(Some(*flow.local().ip()), reuse, false)
            })
    }

    /// Whether a bound port may be listened on (Linux checks again at `listen`).
    pub(super) fn may_listen(&self, id: BindId) -> bool {
        let Some(own) = self.binds.get(id) else {
            return false;
        };
        let mut others = self
            .binds
            .on_port(own.port)
            .filter(|(other, _)| *other != id);
        others
            .all(|(_, b)| !overlap(own.address, b.address) || own.reuse.allows(b.reuse, b.listens))
    }

    /// Ports of connections and TIME-WAIT entries, with the flags of their sockets.
    fn local_ends(&self) -> impl Iterator<Item = (FourTuple, Reuse)> {
        let connections = self.endpoints.iter().filter(|e| !e.detached);
        let connections = connections.map(|e| (e.flow, Reuse::from_bits(e.reuse)));
        let waiting = self.time_waits.iter();
        connections.chain(waiting.map(|entry| (entry.flow(), entry.reuse())))
    }

    /// Chooses the port for a `bind` without one: from the range, odd distances from its lower end first,
    /// because `connect` prefers even ones.
    fn free_port(&mut self, options: &BindOptions) -> Option<u16> {
        let (low, high) = self.params.port_range;
        let count = u64::from(high).checked_sub(u64::from(low))? + 1;
        let offset = self.port_rng.below(count) | 1;
        let steps = (0..count.div_ceil(2)).map(|i| 2 * i);
        let odd = steps.clone().map(|step| offset + step);
        let even = steps.map(|step| offset - 1 + step);
        let of_range = |at: u64| {
            let size = count + (count & 1);
            low.checked_add((at % size) as u16)
                .filter(|port| *port <= high)
        };
        let mut candidates = odd.chain(even).filter_map(of_range);
        let reserved = &self.params.reserved_ports;
        candidates.find(|&port| !reserved.contains(port) && !self.bind_conflicts(options, port))
    }

    /// Releases a port. It stays reserved in the allocator while connections use it.
    pub(super) fn unbind(&mut self, id: BindId) {
        let Some(place) = self.binds.all.get_mut(usize::from(id.0)) else {
            return;
        };
        let Some(bind) = place.take() else {
            return;
        };
        if self.binds.on_port(bind.port).next().is_none() {
            self.binds.draining.push(bind.port);
            self.free_drained_ports();
        }
    }

    /// Frees ports in the allocator whose last connection has ended. True when there was one.
    pub(super) fn free_drained_ports(&mut self) -> bool {
        let draining = std::mem::take(&mut self.binds.draining);
        let before = draining.len();
        for port in draining {
            let used = self
                .local_ends()
                .any(|(flow, _)| flow.local().port() == port);
            if used {
                self.binds.draining.push(port);
            } else {
                self.ports.unreserve(port);
            }
        }
        self.binds.draining.len() < before
    }

    /// Sets new parameters of the host (`sysctl`). Existing connections keep theirs; the host's own
    /// behaviour (cookies, limits, TIME-WAIT, port selection) changes at once.
    pub(super) fn set_params(&mut self, params: &std::sync::Arc<crate::params::TcpParams>) {
        let range = params.port_range;
        let reserved = &params.reserved_ports;
        let moved = range != self.params.port_range || *reserved != self.params.reserved_ports;
        self.params = params.clone();
        if moved {
            self.ports.set_range(range, reserved);
            self.take_ports_again();
        }
    }

    /// Marks the ports of connections and TIME-WAIT entries as used in a new allocator.
    fn take_ports_again(&mut self) {
        for slot in 0..self.endpoints.slots() {
            let Some(endpoint) = self.endpoints.get_mut(slot).filter(|e| e.holds_port) else {
                continue;
            };
            let flow = endpoint.flow;
            let to = super::stack::destination(flow);
            endpoint.holds_port = self.ports.occupy(to, flow.local().port());
        }
        for place in self.time_waits.places() {
            let entry = self.time_waits.get_mut(place);
            if entry.holds_port() {
                let flow = entry.flow();
                let to = super::stack::destination(flow);
                let holds = self.ports.occupy(to, flow.local().port());
                entry.set_holds_port(holds);
            }
        }
    }

    /// Stops listening: half-open connections are dropped, unaccepted ones reset.
    pub(super) fn close_listener(&mut self, listener: u16, cx: &mut impl HostEnv) {
        let Some(closed) = self.listeners.get_mut(usize::from(listener)) else {
            return;
        };
        let Some(bind) = closed.close() else {
            return;
        };
        if let Some(bind) = self.binds.get_mut(bind) {
            bind.listens = false;
        }
        for slot in 0..self.endpoints.slots() {
            self.orphan(slot, listener, cx);
        }
    }
}
