//! A balancer of connections (layer 4): clients connect to its address, and it sends each
//! connection to one of its servers, as IPVS with NAT or a cloud's network load balancer does.
//!
//! A SYN chooses a server and makes an entry; later packets of the connection follow it. The
//! balancer rewrites the address of the server, so that responses must pass through it too. An
//! entry whose connection is silent for `idle_timeout` is forgotten without notice; a later packet
//! is answered by a reset to its sender, or dropped (`reset = false`). A server that is drained
//! gets no new connections from `drain_at` on, and its remaining connections are forgotten after
//! `drain_time`.
//!
//! With direct server return (`direct`) responses do not pass through the balancer: the servers answer clients
//! themselves (see [`super::direct_return`]). It then sees one direction only, so that a FIN or a reset of the client
//! ends a connection for it, and a connection on which the client is silent is idle however much the server sends.
//! A server that health checks find down gets no new connections; those that it has are kept.
//!
//! Leaves out: weights, and balancers that end connections themselves.

mod health;
mod spec;

use std::net::{Ipv4Addr, SocketAddrV4};

use sim_core::rng::mix;
use sim_core::{LazyTimer, Packet, SimTime};

use self::health::Checks;
pub(super) use self::spec::kind;
use self::spec::{BalancerSpec, Method};
use super::flow_table::FlowTable;
use super::refusal::refuse;
use super::{FxMap, Middlebox, MiddleboxCount, MiddleboxCx};
use crate::segment::{Flags, Packed};

/// A connection.
#[derive(Clone, Copy, Debug)]
struct BalancedConnection {
    client: SocketAddrV4,
    /// The balancer's address and port that the client knows.
    front: SocketAddrV4,
    /// The server by number.
    server: usize,
    /// FINs seen from the client and from the server.
    fins: [bool; 2],
    over: bool,
}

/// A server.
#[derive(Clone, Copy, Debug)]
struct Backend {
    address: Ipv4Addr,
    /// Connections now.
    open: u64,
    /// Connections so far.
    given: u64,
    /// It will be drained.
    drains: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct BalancerStats {
    made: u64,
    idle: u64,
    closed: u64,
    replaced: u64,
    drained: u64,
    crashed: u64,
    peak: u32,
    strangers: u64,
    resets: u64,
}

/// A balancer.
#[derive(Debug)]
pub struct Balancer {
    spec: BalancerSpec,
    servers: Vec<Backend>,
    table: FlowTable<BalancedConnection>,
    /// By client and front, and by client and server.
    by_front: FxMap<(SocketAddrV4, SocketAddrV4), u32>,
    by_server: FxMap<(SocketAddrV4, SocketAddrV4), u32>,
    turn: usize,
    checks: Option<Checks>,
    /// When the connections of drained servers are forgotten; `MAX` once they are.
    drain_ends: SimTime,
    timer: LazyTimer,
    stats: BalancerStats,
}

impl Balancer {
    fn new(spec: BalancerSpec) -> Balancer {
        let drain_ends = match spec.drain.is_empty() {
            true => SimTime::MAX,
            false => spec.drained,
        };
        Balancer {
            spec,
            drain_ends,
            servers: Vec::new(),
            table: FlowTable::default(),
            by_front: FxMap::default(),
            by_server: FxMap::default(),
            turn: 0,
            checks: None,
            timer: LazyTimer::default(),
            stats: BalancerStats::default(),
        }
    }

    /// The server for a new connection; `None` if there is none.
    fn choose(&mut self, client: SocketAddrV4, now: SimTime) -> Option<usize> {
        let draining = now >= self.spec.drain_at;
        let is_up = |i| self.checks.as_ref().is_none_or(|checks| checks.is_up(i));
        let takes = |i: usize| is_up(i) && !(self.servers[i].drains && draining);
        let n = (0..self.servers.len()).filter(|&i| takes(i)).count();
        if n == 0 {
            return None;
        }
        let number = match self.spec.method {
            Method::RoundRobin | Method::LeastConnections => {
                self.turn += 1;
                (self.turn - 1) % n
            }
            Method::Hash => {
                let key = u64::from(client.ip().to_bits()) << 16 | u64::from(client.port());
                (mix(key) % n as u64) as usize
            }
        };
        let open = |i: usize| self.servers[i].open;
        let places = || (0..self.servers.len()).filter(|&i| takes(i));
        match self.spec.method {
            Method::RoundRobin | Method::Hash => places().nth(number),
            Method::LeastConnections => {
                let least = places().map(open).min()?;
                // Servers with equally few connections take turns.
                let turn = places().skip(number).chain(places().take(number));
                turn.into_iter().find(|&i| open(i) == least)
            }
        }
    }

    fn at(&self, entry: &BalancedConnection) -> SocketAddrV4 {
        SocketAddrV4::new(self.servers[entry.server].address, entry.front.port())
    }

    /// Makes an entry for a SYN.
    fn begin(&mut self, client: SocketAddrV4, front: SocketAddrV4, now: SimTime) -> Option<u32> {
        let server = self.choose(client, now)?;
        let entry = BalancedConnection {
            client,
            front,
            server,
            fins: [false; 2],
            over: false,
        };
        let place = self.table.insert(entry, now.saturating_add(self.spec.idle));
        self.by_front.insert((client, front), place);
        self.by_server.insert((client, self.at(&entry)), place);
        let backend = &mut self.servers[server];
        backend.open += 1;
        backend.given += 1;
        self.stats.made += 1;
        self.stats.peak = self.stats.peak.max(self.table.len());
        Some(place)
    }

    fn forget(&mut self, entry: &BalancedConnection) {
        self.by_front.remove(&(entry.client, entry.front));
        self.by_server.remove(&(entry.client, self.at(entry)));
        let backend = &mut self.servers[entry.server];
        backend.open = backend.open.saturating_sub(1);
    }

    fn expire(&mut self, now: SimTime) {
        while let Some(entry) = self.table.pop_expired(now) {
            self.forget(&entry);
            self.stats.idle += u64::from(!entry.over);
            self.stats.closed += u64::from(entry.over);
        }
        if self.drain_ends <= now {
            self.drain_ends = SimTime::MAX;
            self.end_draining();
        }
    }

    /// Forgets the remaining connections of drained servers.
    fn end_draining(&mut self) {
        let drains = |e: &BalancedConnection| self.servers[e.server].drains;
        let all = self.table.iter().filter(|(_, e)| drains(e));
        let places: Vec<u32> = all.map(|(place, _)| place).collect();
        for place in places {
            if let Some(entry) = self.table.remove(place) {
                self.forget(&entry);
                self.stats.drained += u64::from(!entry.over);
                self.stats.closed += u64::from(entry.over);
            }
        }
    }

    /// When there is something to forget.
    fn next_deadline(&self) -> Option<SimTime> {
        let drain = (self.drain_ends < SimTime::MAX).then_some(self.drain_ends);
        let checks = self.checks.as_ref().and_then(Checks::next_deadline);
        let entries = self.table.next_deadline();
        entries.into_iter().chain(drain).chain(checks).min()
    }

    /// Tracks the connection of an entry, and postpones its time-out.
    fn heed(&mut self, place: u32, flags: Flags, from_server: bool, now: SimTime) {
        let Some(entry) = self.table.get_mut(place) else {
            return;
        };
        entry.fins[usize::from(from_server)] |= flags.is_fin();
        // The FINs of a server that answers directly are not seen.
        let ends = entry.fins[0] && (entry.fins[1] || self.spec.direct);
        entry.over |= flags.is_rst() || ends;
        let stays = match entry.over {
            true => self.spec.closed,
            false => self.spec.idle,
        };
        self.table.set_deadline(place, now.saturating_add(stays));
    }

    /// Handles a packet from a client to the balancer's address.
    fn inward(&mut self, mut packet: Packet<Packed>, cx: &mut MiddleboxCx<'_, '_>) {
        let (src, dst) = packet.payload.ports();
        let client = SocketAddrV4::new(packet.src, src);
        let front = SocketAddrV4::new(packet.dst, dst);
        let flags = packet.payload.flags();
        let opens = flags.is_syn() && !flags.is_ack();
        let known = self.by_front.get(&(client, front)).copied();
        let is_over = |table: &mut FlowTable<BalancedConnection>, place| {
            table
                .get_mut(place)
                .is_some_and(|e: &mut BalancedConnection| e.over)
        };
        let place = match known {
            // A new connection from the same client port.
            Some(place) if opens && is_over(&mut self.table, place) => {
                if let Some(old) = self.table.remove(place) {
                    self.forget(&old);
                    self.stats.replaced += 1;
                }
                self.begin(client, front, cx.now())
            }
            None if opens && !packet.corrupt => self.begin(client, front, cx.now()),
            known => known,
        };
        let Some(place) = place else {
            self.refuse(packet, cx);
            return;
        };
        if !packet.corrupt {
            self.heed(place, flags, false, cx.now());
        }
        if let Some(entry) = self.table.get_mut(place).copied() {
            packet.dst = *self.at(&entry).ip();
        }
        cx.pass_on(packet);
    }

    /// Handles a packet that passes through: a response of a server, or unrelated traffic.
    fn outward(&mut self, mut packet: Packet<Packed>, cx: &mut MiddleboxCx<'_, '_>) {
        let (src, dst) = packet.payload.ports();
        let server = SocketAddrV4::new(packet.src, src);
        let client = SocketAddrV4::new(packet.dst, dst);
        match self.by_server.get(&(client, server)).copied() {
            Some(place) => {
                if !packet.corrupt {
                    self.heed(place, packet.payload.flags(), true, cx.now());
                }
                if let Some(entry) = self.table.get_mut(place) {
                    packet.src = *entry.front.ip();
                }
                cx.pass_on(packet);
            }
            None if self.servers.iter().any(|s| s.address == packet.src) => {
                self.refuse(packet, cx);
            }
            None => cx.pass_on(packet),
        }
    }

    /// Handles a packet of no connection: drops it, or answers it with a reset.
    fn refuse(&mut self, mut packet: Packet<Packed>, cx: &mut MiddleboxCx<'_, '_>) {
        self.stats.strangers += 1;
        if !self.spec.reset || !refuse(&mut packet) {
            cx.drop(packet);
            return;
        }
        self.stats.resets += 1;
        cx.pass_on(packet);
    }
}

impl Middlebox for Balancer {
    fn on_start(&mut self, cx: &mut MiddleboxCx<'_, '_>) {
        let drained: Vec<Ipv4Addr> = self
            .spec
            .drain
            .iter()
            .flat_map(|name| cx.hosts_named(name))
            .collect();
        let found = self
            .spec
            .servers
            .iter()
            .flat_map(|name| cx.hosts_named(name));
        let backend = |address| Backend {
            address,
            open: 0,
            given: 0,
            drains: drained.contains(&address),
        };
        self.servers = found.map(backend).collect();
        let addresses = self.servers.iter().map(|server| server.address);
        let now = cx.now();
        self.checks = self
            .spec
            .health
            .map(|spec| Checks::new(spec, addresses, now));
        let token = cx.token();
        self.timer.set(self.next_deadline(), token, cx.wakes());
    }

    fn on_packet(
        &mut self,
        packet: Packet<Packed>,
        cx: &mut MiddleboxCx<'_, '_>,
    ) -> Option<Packet<Packed>> {
        self.expire(cx.now());
        if let Some(checks) = &mut self.checks {
            checks.run(cx); // no wake is pending after a crash
        }
        let own = cx.owns(packet.dst);
        if own
            && let Some(checks) = &mut self.checks
            && checks.on_packet(&packet, cx)
        {
            // The answer to a health check ends here.
        } else if own {
            self.inward(packet, cx);
        } else {
            self.outward(packet, cx);
        }
        let token = cx.token();
        self.timer.set(self.next_deadline(), token, cx.wakes());
        None
    }

    fn on_wake(&mut self, cx: &mut MiddleboxCx<'_, '_>) {
        let token = cx.token();
        if self.timer.fire(token, cx.wakes()) {
            self.expire(cx.now());
            if let Some(checks) = &mut self.checks {
                checks.run(cx);
            }
        }
        self.timer.set(self.next_deadline(), token, cx.wakes());
    }

    fn on_crash(&mut self) {
        self.stats.crashed += u64::from(self.table.len());
        self.table.clear();
        self.by_front.clear();
        self.by_server.clear();
        self.timer = LazyTimer::default();
        if let Some(checks) = &mut self.checks {
            checks.on_crash();
        }
        for server in &mut self.servers {
            server.open = 0;
        }
    }

    fn entries(&self) -> Option<u32> {
        Some(self.table.len())
    }

    fn counts(&self) -> Vec<(&'static str, MiddleboxCount)> {
        let s = &self.stats;
        let most = self.servers.iter().map(|s| s.given).max().unwrap_or(0);
        let mean = s.made as f64 / self.servers.len().max(1) as f64;
        let mut all = vec![
            ("balancer_connections", MiddleboxCount::Sum(s.made as f64)),
            (
                "balancer_entries_peak",
                MiddleboxCount::Most(f64::from(s.peak)),
            ),
            (
                "balancer_entries_closed",
                MiddleboxCount::Sum(s.closed as f64),
            ),
            (
                "balancer_entries_replaced",
                MiddleboxCount::Sum(s.replaced as f64),
            ),
            (
                "balancer_entries_drained",
                MiddleboxCount::Sum(s.drained as f64),
            ),
            (
                "balancer_entries_crashed",
                MiddleboxCount::Sum(s.crashed as f64),
            ),
            (
                "balancer_entries_end",
                MiddleboxCount::Sum(f64::from(self.table.len())),
            ),
            (
                "balancer_idle_forgotten",
                MiddleboxCount::Sum(s.idle as f64),
            ),
            (
                "balancer_strangers_pkts",
                MiddleboxCount::Sum(s.strangers as f64),
            ),
            ("balancer_resets_sent", MiddleboxCount::Sum(s.resets as f64)),
        ];
        if let Some(checks) = &self.checks {
            let c = checks.stats;
            let counts = [
                ("balancer_health_checks", c.made),
                ("balancer_health_checks_failed", c.failed),
                ("balancer_health_down", c.down),
                ("balancer_health_up", c.up),
            ];
            let count = |(name, n)| (name, MiddleboxCount::Sum(n as f64));
            all.extend(counts.map(count));
        }
        if s.made > 0 {
            all.push((
                "balancer_imbalance",
                MiddleboxCount::Most(most as f64 / mean),
            ));
        }
        all
    }
}
