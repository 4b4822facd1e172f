//! The table of a host's bound ports, and how each is shared.

use std::net::Ipv4Addr;

/// How a socket shares its port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Reuse {
    /// `SO_REUSEADDR`: with others that set it and do not listen.
    pub address: bool,
    /// `SO_REUSEPORT`: with others that set it; listeners share the connections that arrive.
    pub port: bool,
}

impl Reuse {
    const ADDRESS: u8 = 1;
    const PORT: u8 = 2;

    /// The flags in the two lowest bits.
    pub(super) fn bits(self) -> u8 {
        (u8::from(self.address) * Reuse::ADDRESS) | (u8::from(self.port) * Reuse::PORT)
    }

    /// The inverse of [`Reuse::bits`]; ignores higher bits.
    pub(super) fn from_bits(bits: u8) -> Reuse {
        Reuse {
            address: bits & Reuse::ADDRESS != 0,
            port: bits & Reuse::PORT != 0,
        }
    }

    /// Whether two sockets may have the same port; `listens`: one of them listens.
    pub(super) fn allows(self, other: Reuse, listens: bool) -> bool {
        self.address && other.address && !listens || self.port && other.port
    }
}

/// A bound port, until [`SocketCx::unbind`](super::SocketCx::unbind).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BindId(pub(super) u16);

#[cfg(test)]
impl BindId {
    pub(super) const FIRST: BindId = BindId(0);
}

/// A socket bound to a port.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bind {
    pub(super) address: Option<Ipv4Addr>,
    pub(super) port: u16,
    pub(super) reuse: Reuse,
    pub(super) listens: bool,
}

/// All bound ports of a host.
#[derive(Debug, Default)]
pub(super) struct Binds {
    pub(super) all: Vec<Option<Bind>>,
    /// Ports whose sockets are closed but still have connections.
    pub(super) draining: Vec<u16>,
}

impl Binds {
    pub(super) fn get(&self, id: BindId) -> Option<&Bind> {
        self.all.get(usize::from(id.0))?.as_ref()
    }

    pub(super) fn get_mut(&mut self, id: BindId) -> Option<&mut Bind> {
        self.all.get_mut(usize::from(id.0))?.as_mut()
    }

    pub(super) fn insert(&mut self, bind: Bind) -> Option<BindId> {
        let free = self.all.iter().position(Option::is_none);
        let at = free.unwrap_or(self.all.len());
        let id = u16::try_from(at).ok()?;
        match self.all.get_mut(at) {
            Some(place) => *place = Some(bind),
            None => self.all.push(Some(bind)),
        }
        Some(BindId(id))
    }

    pub(super) fn on_port(&self, port: u16) -> impl Iterator<Item = (BindId, &Bind)> {
        let all = self.all.iter().enumerate();
        let bound = all.filter_map(|(i, bind)| Some((BindId(i as u16), bind.as_ref()?)));
        bound.filter(move |(_, bind)| bind.port == port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_shared_only_by_sockets_that_agree() {
        let address = Reuse {
            address: true,
            port: false,
        };
        let port = Reuse {
            address: false,
            port: true,
        };
        let none = Reuse::default();
        for (a, b, idle, listening) in [
            (none, none, false, false),
            (address, none, false, false),
            (address, address, true, false),
            (port, port, true, true),
            (address, port, false, false),
        ] {
            assert_eq!((a.allows(b, false), a.allows(b, true)), (idle, listening));
            assert_eq!(Reuse::from_bits(a.bits() | 4), a);
        }
    }
}
