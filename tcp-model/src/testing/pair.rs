//! Two hosts and the path between them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::Ipv4Addr;
use std::sync::Arc;

use sim_core::{Packet, Rng, SimDuration, SimTime};

use crate::app::AppEvent;
use crate::host::{Driver, ModelFactory, SocketCx};
use crate::params::TcpParams;
use crate::segment::Segment;
use crate::spec::{AppSpec, HostConfig};

/// Address of the first host.
pub const A: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
/// Address of the second.
pub const B: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);

/// The path between two hosts, and what it does to packets.
#[derive(Clone, Debug, PartialEq)]
pub struct PairPath {
    /// One-way delay.
    pub delay: SimDuration,
    /// Share of packets lost.
    pub loss: f64,
    /// Share of packets that arrive twice.
    pub duplicate: f64,
    /// Share of packets that take up to three times as long.
    pub reorder: f64,
    /// From this time on the path only delays packets.
    pub good_from: SimTime,
    /// Packets to lose, numbered in the order of sending from 0.
    pub drop: Vec<usize>,
}

impl Default for PairPath {
    /// A delay of 10 ms and no faults.
    fn default() -> PairPath {
        PairPath {
            delay: SimDuration::from_millis(10),
            loss: 0.0,
            duplicate: 0.0,
            reorder: 0.0,
            good_from: SimTime::MAX,
            drop: Vec::new(),
        }
    }
}

/// A packet that was sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SentPacket {
    /// When.
    pub at: SimTime,
    /// The sending host: 0 or 1.
    pub from: usize,
    /// The packet.
    pub packet: Packet<Segment>,
    /// It repeats octets sent before.
    pub retransmission: bool,
    /// The path lost it.
    pub lost: bool,
}

/// Two hosts, at [`A`] and [`B`], and the path between them.
///
/// ```
/// use std::net::SocketAddrV4;
/// use tcp_model::TcpParams;
/// use tcp_model::spec::{AppSpec, SinkSpec};
/// use tcp_model::testing::{B, Pair};
///
/// let sink = SinkSpec { port: 80, backlog: 1, read_rate: None, ..SinkSpec::default() };
/// let mut pair = Pair::new(TcpParams::linux(), TcpParams::linux())
///     .with_apps(1, vec![AppSpec::Sink(sink)])
///     .drop(&[3]);
/// let id = pair.call(0, |s| s.connect(None, SocketAddrV4::new(B, 80))).unwrap();
/// pair.step(); // the SYN arrives
/// pair.step(); // the SYN-ACK arrives: the connection is established
/// pair.call(0, |s| s.write(id, 3000));
/// pair.call(0, |s| s.close(id));
/// pair.run();
/// assert!(pair.log().iter().any(|passed| passed.retransmission));
/// ```
#[derive(Debug)]
pub struct Pair {
    hosts: [Driver<'static>; 2],
    configs: [HostConfig; 2],
    factory: Option<ModelFactoryBox>,
    path: PairPath,
    rng: Rng,
    now: SimTime,
    /// Arrival, order of sending, place in the log.
    flying: BinaryHeap<Reverse<(SimTime, u64, usize)>>,
    count: u64,
    log: Vec<SentPacket>,
}

/// A factory with a `Debug` output.
struct ModelFactoryBox(ModelFactory);

impl std::fmt::Debug for ModelFactoryBox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ModelFactory")
    }
}

impl Pair {
    /// Hosts without applications; the test is one.
    pub fn new(a: TcpParams, b: TcpParams) -> Pair {
        let configs = [a, b].map(|params| HostConfig::new(params, Vec::new()));
        Pair {
            hosts: [0, 1].map(|i| host(i, &configs[i], None)),
            configs,
            factory: None,
            path: PairPath::default(),
            rng: Rng::stream(1, "path", 0),
            now: SimTime::ZERO,
            flying: BinaryHeap::new(),
            count: 0,
            log: Vec::new(),
        }
    }

    /// Gives a host applications, besides the test. Call it before anything happens.
    #[must_use]
    pub fn with_apps(mut self, host: usize, apps: Vec<AppSpec>) -> Pair {
        self.configs[host].apps = apps;
        self.rebuilt()
    }

    /// Gives both hosts TCPs from a factory. Call it before anything happens.
    #[must_use]
    pub fn with_model(mut self, factory: ModelFactory) -> Pair {
        self.factory = Some(ModelFactoryBox(factory));
        self.rebuilt()
    }

    fn rebuilt(mut self) -> Pair {
        let factory = self.factory.as_ref().map(|f| &f.0);
        self.hosts = [0, 1].map(|i| host(i, &self.configs[i], factory));
        self
    }

    /// Sets the path, and the seed of its losses, duplicates and reordering.
    #[must_use]
    pub fn with_path(mut self, path: PairPath, seed: u64) -> Pair {
        self.path = path;
        self.rng = Rng::stream(seed, "path", 0);
        self
    }

    /// Loses these packets, numbered in the order of sending from 0.
    #[must_use]
    pub fn drop(mut self, numbers: &[usize]) -> Pair {
        self.path.drop.extend_from_slice(numbers);
        self
    }

    /// The time.
    pub fn now(&self) -> SimTime {
        self.now
    }

    /// A host.
    pub fn host(&self, host: usize) -> &Driver<'static> {
        &self.hosts[host]
    }

    /// A host, mutably.
    pub fn host_mut(&mut self, host: usize) -> &mut Driver<'static> {
        &mut self.hosts[host]
    }

    /// All packets so far, in the order of sending.
    pub fn log(&self) -> &[SentPacket] {
        &self.log
    }

    /// Makes calls on the sockets of a host.
    pub fn call<R>(&mut self, host: usize, calls: impl FnOnce(&mut SocketCx<'_, '_>) -> R) -> R {
        let result = self.hosts[host].call(self.now, calls);
        self.take_packets(host);
        result
    }

    /// Takes the next event for the test as an application of a host.
    pub fn next_event(&mut self, host: usize) -> Option<AppEvent> {
        self.hosts[host].next_event()
    }

    /// Keeps what the hosts record, for [`Driver::take_records`]. Call it before anything happens.
    #[must_use]
    pub fn recording(mut self) -> Pair {
        self.hosts = self.hosts.map(Driver::recording);
        self
    }

    /// When the next event happens.
    pub fn next_time(&self) -> Option<SimTime> {
        let arrival = self.flying.peek().map(|Reverse((at, ..))| *at);
        let timeouts = self.hosts.iter().filter_map(Driver::next_timeout);
        timeouts.chain(arrival).min()
    }

    /// Advances to the next event and handles it; false when there is none left.
    pub fn step(&mut self) -> bool {
        let Some(at) = self.next_time() else {
            return false;
        };
        self.now = self.now.max(at);
        while let Some(Reverse((at, _, place))) = self.flying.peek().copied()
            && at <= self.now
        {
            self.flying.pop();
            let SentPacket { from, packet, .. } = self.log[place];
            self.hosts[1 - from].receive(self.now, &packet);
            self.take_packets(1 - from);
        }
        for host in 0..2 {
            self.hosts[host].time_out(self.now);
            self.take_packets(host);
        }
        true
    }

    /// Runs until `end`.
    pub fn run_until(&mut self, end: SimTime) {
        while self.next_time().is_some_and(|at| at <= end) {
            self.step();
        }
        self.now = self.now.max(end);
    }

    /// Runs until nothing more happens.
    pub fn run(&mut self) {
        while self.step() {}
    }

    fn take_packets(&mut self, from: usize) {
        while let Some(sent) = self.hosts[from].next_packet() {
            let rough = self.now < self.path.good_from;
            let lost = self.path.drop.contains(&self.log.len())
                || rough && self.rng.chance(self.path.loss);
            self.log.push(SentPacket {
                at: self.now,
                from,
                packet: sent.packet,
                retransmission: sent.retransmission,
                lost,
            });
            if lost {
                continue;
            }
            let copies = 1 + u32::from(rough && self.rng.chance(self.path.duplicate));
            for _ in 0..copies {
                let late = rough && self.rng.chance(self.path.reorder);
                let more = if late { self.rng.below(1000) } else { 0 };
                let delay = self.path.delay + self.path.delay * (2 * more) / 1000;
                self.count += 1;
                let place = self.log.len() - 1;
                self.flying
                    .push(Reverse((self.now + delay, self.count, place)));
            }
        }
    }
}

fn host(i: usize, config: &HostConfig, factory: Option<&ModelFactory>) -> Driver<'static> {
    let driver = Driver::new(config.clone(), i as u32 + 1, vec![[A, B][i]], 1);
    match factory {
        Some(factory) => driver.with_model(Arc::clone(factory)),
        None => driver,
    }
}
