//! Health checks of a balancer: a SYN to each server at regular intervals. A SYN-ACK in time is a success, and is
//! answered by a reset; a reset, or silence, is a failure. The checks of the servers are spread over the interval.
//!
//! Leaves out checks that make a request: a server whose host accepts connections is healthy, however slow its
//! application.

use std::net::Ipv4Addr;

use sim_core::{Packet, SimDuration, SimTime};

use super::spec::CheckSpec;
use crate::middlebox::MiddleboxCx;
use crate::segment::{Flags, Packed, Segment};
use crate::seq::SeqNum;

/// Source ports of checks: each check uses the next one.
const PORTS: std::ops::Range<u16> = 1024..65_535;

/// The check of one server.
#[derive(Clone, Copy, Debug)]
struct ServerCheck {
    address: Ipv4Addr,
    up: bool,
    /// Results in a row that speak against the present state.
    against: u32,
    /// When the next check begins.
    next: SimTime,
    /// The port of the check that is under way, and when it fails.
    waiting: Option<(u16, SimTime)>,
}

/// Counters of checks.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CheckStats {
    pub(super) made: u64,
    pub(super) failed: u64,
    pub(super) down: u64,
    pub(super) up: u64,
}

/// The health checks of a balancer.
#[derive(Debug)]
pub(super) struct Checks {
    spec: CheckSpec,
    servers: Vec<ServerCheck>,
    /// When a check begins or fails next.
    due: SimTime,
    /// Checks begun.
    begun: u64,
    pub(super) stats: CheckStats,
}

impl Checks {
    pub(super) fn new(
        spec: CheckSpec,
        servers: impl ExactSizeIterator<Item = Ipv4Addr>,
        now: SimTime,
    ) -> Checks {
        let n = servers.len().max(1) as u128;
        let check = |(i, address): (usize, Ipv4Addr)| {
            let phase = u128::from(spec.interval.as_ps()) * i as u128 / n;
            ServerCheck {
                address,
                up: true,
                against: 0,
                next: now.saturating_add(SimDuration::from_ps(phase as u64)),
                waiting: None,
            }
        };
        Checks {
            servers: servers.enumerate().map(check).collect(),
            due: now,
            spec,
            begun: 0,
            stats: CheckStats::default(),
        }
    }

    /// Whether a server, by number, gets connections.
    pub(super) fn is_up(&self, server: usize) -> bool {
        self.servers.get(server).is_none_or(|check| check.up)
    }

    /// When a check begins or fails next, or earlier.
    pub(super) fn next_deadline(&self) -> Option<SimTime> {
        (self.due < SimTime::MAX).then_some(self.due)
    }

    fn next_due(&self) -> SimTime {
        let of = |check: &ServerCheck| {
            let fails = check.waiting.map_or(SimTime::MAX, |(_, fails)| fails);
            check.next.min(fails)
        };
        self.servers.iter().map(of).min().unwrap_or(SimTime::MAX)
    }

    /// Begins the checks that are due, and ends those that took too long.
    pub(super) fn run(&mut self, cx: &mut MiddleboxCx<'_, '_>) {
        let now = cx.now();
        if self.due > now {
            return;
        }
        let own = cx.addresses().next();
        for i in 0..self.servers.len() {
            if self.servers[i]
                .waiting
                .is_some_and(|(_, fails)| fails <= now)
            {
                self.end(i, false);
            }
            if self.servers[i].next > now {
                continue;
            }
            let port = PORTS.start + (self.begun % u64::from(PORTS.end - PORTS.start)) as u16;
            self.begun += 1;
            let (interval, timeout) = (self.spec.interval, self.spec.timeout);
            let check = &mut self.servers[i];
            check.next = now.saturating_add(interval);
            check.waiting = Some((port, now.saturating_add(timeout)));
            let syn = Segment {
                src_port: port,
                dst_port: self.spec.port,
                flags: Flags::SYN,
                window: u16::MAX,
                ..Segment::EMPTY
            };
            let address = check.address;
            if let Some(own) = own {
                cx.send(own, address, &syn);
            }
        }
        self.due = self.next_due();
    }

    /// Handles a packet to one of the balancer's own addresses; returns true if it belongs to a check.
    pub(super) fn on_packet(
        &mut self,
        packet: &Packet<Packed>,
        cx: &mut MiddleboxCx<'_, '_>,
    ) -> bool {
        let (src_port, dst_port) = packet.payload.ports();
        if packet.corrupt || src_port != self.spec.port {
            return false;
        }
        let is_it = |check: &ServerCheck| {
            let port = check.waiting.map(|(port, _)| port);
            check.address == packet.src && port == Some(dst_port)
        };
        let Some(server) = self.servers.iter().position(is_it) else {
            return false;
        };
        let segment = packet.payload.segment(packet.size);
        let success = segment.flags.contains(Flags::SYN_ACK);
        self.end(server, success);
        if success {
            let reset = Segment {
                src_port: dst_port,
                dst_port: src_port,
                seq: SeqNum(1),
                flags: Flags::RST,
                ..Segment::EMPTY
            };
            cx.send(packet.dst, packet.src, &reset);
        }
        true
    }

    /// Ends the check of a server.
    fn end(&mut self, server: usize, success: bool) {
        let (rise, fall) = (self.spec.rise, self.spec.fall);
        let check = &mut self.servers[server];
        check.waiting = None;
        self.stats.made += 1;
        self.stats.failed += u64::from(!success);
        if success == check.up {
            check.against = 0;
            return;
        }
        check.against += 1;
        let needed = if check.up { fall } else { rise };
        if check.against < needed {
            return;
        }
        (check.up, check.against) = (success, 0);
        match success {
            true => self.stats.up += 1,
            false => self.stats.down += 1,
        }
    }

    /// Forgets what it knows after a crash of the node.
    pub(super) fn on_crash(&mut self) {
        for check in &mut self.servers {
            (check.up, check.against, check.waiting) = (true, 0, None);
        }
    }
}
