//! The addresses and ports of a NAT: numbered over all addresses, taken for a connection, given back.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::ops::Range;

use super::{InsideFlow, Mapping, Nat, NatMapping};

impl Nat {
    /// Ports of the pool, over all addresses.
    pub(super) fn pool_size(&self) -> u32 {
        self.per_address() * self.addresses.len() as u32
    }

    /// Ports of each address.
    pub(super) fn per_address(&self) -> u32 {
        let (first, last) = self.spec.ports;
        u32::from(last).saturating_sub(u32::from(first)) + 1
    }

    /// Address and port number `i` of the pool: addresses take turns, unless blocks must lie within
    /// one.
    pub(super) fn endpoint(&self, i: u32) -> SocketAddrV4 {
        let (address, port) = match self.spec.block {
            Some(_) => (i / self.per_address(), i % self.per_address()),
            None => {
                let n = self.addresses.len() as u32;
                (i % n, i / n)
            }
        };
        let port = u32::from(self.spec.ports.0) + port;
        SocketAddrV4::new(self.addresses[address as usize], port as u16)
    }

    /// The number of an address and port in the pool.
    pub(super) fn index(&self, mapped: SocketAddrV4) -> u32 {
        let n = self.addresses.len() as u32;
        let address = self.addresses.iter().position(|a| a == mapped.ip());
        let address = address.unwrap_or_default() as u32;
        let port = u32::from(mapped.port()) - u32::from(self.spec.ports.0);
        match self.spec.block {
            Some(_) => address * self.per_address() + port,
            None => port * n + address,
        }
    }

    /// Whether it matters which of the free ports is taken.
    pub(super) fn chooses(&self) -> bool {
        self.spec.keep_port || self.spec.block.is_some()
    }

    /// The number of a port for a connection; `None` when none is free.
    pub(super) fn take_port(&mut self, inside: InsideFlow) -> Option<u32> {
        let scope = self.spec.mapping.scope(inside.remote);
        let shares = self.spec.mapping != NatMapping::EndpointDependent;
        if shares && let Some(port) = self.shared.join(inside.host, scope) {
            return Some(port);
        }
        let size = self.pool_size();
        let port = if self.chooses() {
            let range = self.ports_of(*inside.host.ip(), size)?;
            let wanted = self.wanted(inside.host, &range);
            let pool = self.pools.entry(scope).or_default();
            pool.take_from(range, wanted)?
        } else {
            self.pools.entry(scope).or_default().take(size)?
        };
        let taken = self.pools.entry(scope).or_default().taken();
        self.stats.peak_ports = self.stats.peak_ports.max(taken);
        if shares {
            self.shared.begin(inside.host, scope, port);
        }
        Some(port)
    }

    /// The ports that a host inside may have; `None` when no block is left for it.
    pub(super) fn ports_of(&mut self, host: Ipv4Addr, size: u32) -> Option<Range<u32>> {
        let Some(block) = self.spec.block else {
            return Some(0..size);
        };
        let block = block.clamp(1, self.per_address());
        // A block does not go beyond its address.
        let on_address = self.per_address() / block;
        let number = self
            .blocks
            .of(host, on_address * self.addresses.len() as u32)?;
        let first = number / on_address * self.per_address() + number % on_address * block;
        Some(first..first + block)
    }

    /// The port to try first: the host's own, on an address that is the same for all its
    /// connections.
    pub(super) fn wanted(&self, host: SocketAddrV4, range: &Range<u32>) -> u32 {
        let (first, last) = self.spec.ports;
        if !self.spec.keep_port || !(first..=last).contains(&host.port()) {
            return range.start;
        }
        let n = self.addresses.len() as u32;
        let address = self.addresses[(host.ip().to_bits() % n) as usize];
        self.index(SocketAddrV4::new(address, host.port()))
    }

    /// Gives back the port of a connection that is over: it is free after the last one that shares
    /// it.
    pub(super) fn give_back(&mut self, over: &Mapping) {
        let (host, remote) = (over.inside.host, over.inside.remote);
        let scope = self.spec.mapping.scope(remote);
        let shares = self.spec.mapping != NatMapping::EndpointDependent;
        if self.spec.block.is_some() {
            self.blocks.remove(*host.ip());
        }
        if shares && !self.shared.leave(host, scope) {
            return;
        }
        let (port, chooses) = (self.index(over.mapped), self.chooses());
        if let Some(pool) = self.pools.get_mut(&scope) {
            match chooses {
                true => pool.release(port),
                false => pool.give_back(port),
            }
        }
    }
}
