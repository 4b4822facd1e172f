//! Which connections share a port of the NAT (RFC 4787 section 4.1, RFC 5382 section 5), and which ports a host
//! inside may have.

use std::net::{Ipv4Addr, SocketAddrV4};

use super::super::FxMap;

/// What a mapping depends on besides the host inside and its port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NatMapping {
    /// Nothing: one port for all connections of a port inside, whatever their destination.
    EndpointIndependent,
    /// The address outside.
    AddressDependent,
    /// Address and port outside: one port for each connection, and ports serve several destinations.
    #[default]
    EndpointDependent,
}

impl NatMapping {
    /// All of them.
    pub const ALL: [NatMapping; 3] = [
        NatMapping::EndpointIndependent,
        NatMapping::AddressDependent,
        NatMapping::EndpointDependent,
    ];

    /// Its name in scenarios.
    pub const fn as_str(self) -> &'static str {
        match self {
            NatMapping::EndpointIndependent => "endpoint-independent",
            NatMapping::AddressDependent => "address-dependent",
            NatMapping::EndpointDependent => "endpoint-dependent",
        }
    }

    /// The part of a destination that matters: within a scope each port is used once.
    pub(super) fn scope(self, remote: SocketAddrV4) -> SocketAddrV4 {
        match self {
            NatMapping::EndpointIndependent => SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0),
            NatMapping::AddressDependent => SocketAddrV4::new(*remote.ip(), 0),
            NatMapping::EndpointDependent => remote,
        }
    }
}

/// Ports shared by several connections of a port inside: maps host inside and scope to the number
/// of the port and the number of its connections.
#[derive(Debug, Default)]
pub(super) struct SharedPorts(FxMap<(SocketAddrV4, SocketAddrV4), (u32, u32)>);

impl SharedPorts {
    /// Adds a connection; returns the number of its port, if there is one already.
    pub(super) fn join(&mut self, host: SocketAddrV4, scope: SocketAddrV4) -> Option<u32> {
        let (port, connections) = self.0.get_mut(&(host, scope))?;
        *connections += 1;
        Some(*port)
    }

    /// Notes the port that the first connection has taken.
    pub(super) fn begin(&mut self, host: SocketAddrV4, scope: SocketAddrV4, port: u32) {
        self.0.insert((host, scope), (port, 1));
    }

    /// Removes a connection; true when it was the last.
    pub(super) fn leave(&mut self, host: SocketAddrV4, scope: SocketAddrV4) -> bool {
        let Some((_, connections)) = self.0.get_mut(&(host, scope)) else {
            return true;
        };
        *connections -= 1;
        let last = *connections == 0;
        if last {
            self.0.remove(&(host, scope));
        }
        last
    }
}

/// Blocks of ports: each host inside has one while it has a mapping.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    /// Maps a host inside to the number of its block and the number of its mappings.
    of_host: FxMap<Ipv4Addr, (u32, u32)>,
    fresh: u32,
    freed: Vec<u32>,
}

impl Blocks {
    /// The block of a host, out of `blocks`; `None` when all are taken.
    pub(super) fn of(&mut self, host: Ipv4Addr, blocks: u32) -> Option<u32> {
        if let Some((block, _)) = self.of_host.get(&host) {
            return Some(*block);
        }
        let block = match self.freed.pop() {
            Some(block) => block,
            None if self.fresh < blocks => {
                self.fresh += 1;
                self.fresh - 1
            }
            None => return None,
        };
        self.of_host.insert(host, (block, 0));
        Some(block)
    }

    /// Counts a new mapping of a host.
    pub(super) fn add(&mut self, host: Ipv4Addr) {
        if let Some((_, mappings)) = self.of_host.get_mut(&host) {
            *mappings += 1;
        }
    }

    /// Removes a mapping of a host; its block is free after the last.
    pub(super) fn remove(&mut self, host: Ipv4Addr) {
        let Some((block, mappings)) = self.of_host.get_mut(&host) else {
            return;
        };
        *mappings -= 1;
        if *mappings == 0 {
            self.freed.push(*block);
            self.of_host.remove(&host);
        }
    }
}
