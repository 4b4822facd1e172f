//! Connections to the NAT's own addresses: forwarding to a host behind it, and hairpinning.

use std::net::{Ipv4Addr, SocketAddrV4};

use sim_core::{Packet, SimTime};

use super::{InsideFlow, Nat, Outside};
use crate::middlebox::MiddleboxCx;
use crate::segment::Packed;

/// Whether a packet asks for a connection.
fn opens(packet: &Packet<Packed>) -> bool {
    let flags = packet.payload.flags();
    flags.is_syn() && !flags.is_ack() && !packet.corrupt
}

impl Nat {
    /// Looks up the hosts that are named in the description.
    pub(super) fn find_hosts(&mut self, cx: &MiddleboxCx<'_, '_>) {
        let named = |names: &[String]| -> Vec<Ipv4Addr> {
            names.iter().flat_map(|name| cx.hosts_named(name)).collect()
        };
        self.forwards = (named(&self.spec.forward), 0);
        self.behind = named(&self.spec.hairpin);
        self.behind.sort_unstable();
    }

    /// Whether a packet to one of the NAT's addresses comes from a host inside and goes back inside with an address of
    /// the NAT as its source: it belongs to such a connection, or opens one.
    pub(super) fn turns_back(&mut self, packet: &Packet<Packed>) -> bool {
        if self.behind.is_empty() {
            return false;
        }
        let (src, dst) = packet.payload.ports();
        let flow = InsideFlow {
            host: SocketAddrV4::new(packet.src, src),
            remote: SocketAddrV4::new(packet.dst, dst),
        };
        if self.by_inside.contains_key(&flow) {
            return true;
        }
        let hairpins = opens(packet)
            && self.is_forwarded(dst)
            && self.behind.binary_search(&packet.src).is_ok();
        self.stats.hairpinned += u64::from(hairpins);
        hairpins
    }

    /// Whether connections to a port of the NAT go to a host behind it.
    fn is_forwarded(&self, port: u16) -> bool {
        let (first, last) = self.spec.ports;
        !self.forwards.0.is_empty() && !(first..=last).contains(&port)
    }

    /// Makes a mapping for a SYN to one of the NAT's addresses, if its port is forwarded.
    pub(super) fn forward(
        &mut self,
        outside: Outside,
        packet: &Packet<Packed>,
        now: SimTime,
    ) -> Option<u32> {
        let port = outside.mapped.port();
        if !opens(packet) || !self.is_forwarded(port) {
            return None;
        }
        let (hosts, turn) = &mut self.forwards;
        let host = SocketAddrV4::new(hosts[*turn % hosts.len()], port);
        let inside = InsideFlow {
            host,
            remote: outside.remote,
        };
        // The same client through another address of the NAT: the host could not tell the two apart.
        if self.by_inside.contains_key(&inside) {
            return None;
        }
        *turn += 1;
        self.stats.forwarded += 1;
        Some(self.insert(inside, outside.mapped, true, now))
    }
}
