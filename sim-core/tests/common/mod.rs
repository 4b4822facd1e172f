//! A network built from node names, and a host that sends according to a plan and records what it
//! sees.

#![allow(dead_code)]

use std::net::Ipv4Addr;
use std::ops::ControlFlow;
use std::sync::Arc;

use sim_core::record::Collect;
use sim_core::{
    Cx, Host, LinkId, LinkSpec, Loss, LossCause, Network, NetworkBuilder, NodeId, Outgoing, Packet,
    Rate, Record, RunConfig, RunStats, SimDuration, SimTime, Simulation,
};

/// Builds the network, to be shared among runs.
pub(crate) fn built(net: NetworkBuilder) -> Arc<Network> {
    Arc::new(net.build().unwrap())
}

/// Host `a`, one link described by `spec` (its ends are set here), host `b`.
pub(crate) fn one_link(spec: impl FnOnce(&mut LinkSpec)) -> Arc<Network> {
    let mut net = NetworkBuilder::new();
    let (a, b) = (net.host("a"), net.host("b"));
    let mut link = LinkSpec::new(a, b, None, ms(1));
    spec(&mut link);
    net.link(link);
    net.link(LinkSpec::new(b, a, None, ms(1)));
    built(net)
}

pub(crate) const fn ms(n: u64) -> SimDuration {
    SimDuration::from_millis(n)
}

pub(crate) const fn us(n: u64) -> SimDuration {
    SimDuration::from_micros(n)
}

/// A point in time in microseconds.
pub(crate) const fn at_us(n: u64) -> SimTime {
    SimTime::from_ps(n * 1_000_000)
}

pub(crate) const MBIT: Option<Rate> = Some(Rate::mbps(1));

/// A packet to send.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shot {
    pub(crate) at: SimTime,
    pub(crate) to: Ipv4Addr,
    pub(crate) size: u32,
    pub(crate) ttl: u8,
    pub(crate) tos: u8,
}

/// What a [`Prober`] records.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Seen {
    /// A packet arrived: its number in the sender's plan, id, hops left, bit error.
    Got(usize, u64, u8, bool),
    /// That packet carries a congestion mark.
    Marked(usize),
    /// A packet was lost.
    Lost(usize, LossCause, Option<LinkId>),
}

/// Sends its plan and records what arrives.
#[derive(Clone, Debug, Default)]
pub(crate) struct Prober {
    pub(crate) plan: Vec<Shot>,
    /// Answers every packet with one of this size, at most `echoes` times.
    pub(crate) echo_size: u32,
    pub(crate) echoes: u32,
}

impl Host for Prober {
    type Payload = usize;
    type Sample = Seen;
    type Scratch = ();

    fn on_start(&mut self, cx: &mut Cx<'_, Self>) {
        for (i, shot) in self.plan.iter().enumerate() {
            cx.wake(shot.at, i as u64);
        }
    }

    fn on_packet(&mut self, p: Packet<usize>, cx: &mut Cx<'_, Self>) {
        cx.record(Seen::Got(p.payload, p.id, p.ttl, p.corrupt));
        if p.tos & 0b11 == 0b11 {
            cx.record(Seen::Marked(p.payload));
        }
        if self.echoes > 0 {
            self.echoes -= 1;
            cx.send(Outgoing::to(p.src, self.echo_size, p.payload + 1));
        }
    }

    fn on_timer(&mut self, token: u64, cx: &mut Cx<'_, Self>) {
        let shot = self.plan[token as usize];
        cx.send(Outgoing {
            ttl: shot.ttl,
            tos: shot.tos,
            ..Outgoing::to(shot.to, shot.size, token as usize)
        });
    }

    fn lost(packet: &Packet<usize>, loss: Loss) -> Option<Seen> {
        Some(Seen::Lost(packet.payload, loss.cause, loss.link))
    }
}

/// Records and statistics of a run.
pub(crate) type Outcome<S> = (Vec<Record<S>>, RunStats);

/// Runs hosts to the end of the configuration.
pub(crate) fn run<H: Host>(
    network: &Arc<Network>,
    hosts: Vec<Option<H>>,
    config: &RunConfig,
) -> (Outcome<H::Sample>, Vec<Option<H>>) {
    let mut simulation = Simulation::new(Arc::clone(network), hosts, config);
    let mut seen = Collect::default();
    let stats = simulation
        .run(&mut seen, &mut |_| ControlFlow::Continue(()))
        .unwrap();
    ((seen.0, stats), simulation.into_hosts())
}

/// One host per host node, made by `make`.
pub(crate) fn hosts<H>(network: &Network, make: impl FnMut(NodeId) -> H) -> Vec<Option<H>> {
    network.place(make)
}

pub(crate) fn address(network: &Network, name: &str) -> Ipv4Addr {
    let node = network.node(name).unwrap();
    network.addresses(node).next().unwrap()
}

/// Host `a` sends packets of these sizes at these times (in us) to host `b`.
pub(crate) fn send_from_a(network: &Arc<Network>, packets: &[(u64, u32)]) -> Outcome<Seen> {
    send_marked(network, packets, 0)
}

/// The same with a type of service.
pub(crate) fn send_marked(
    network: &Arc<Network>,
    packets: &[(u64, u32)],
    tos: u8,
) -> Outcome<Seen> {
    let (a, to) = (network.node("a").unwrap(), address(network, "b"));
    let plan: Vec<Shot> = packets
        .iter()
        .map(|&(at, size)| Shot {
            at: at_us(at),
            to,
            size,
            ttl: 64,
            tos,
        })
        .collect();
    let hosts = hosts(network, |node| Prober {
        plan: if node == a { plan.clone() } else { Vec::new() },
        ..Prober::default()
    });
    let config = RunConfig::new(1, SimTime::MAX);
    run(network, hosts, &config).0
}

/// Arrivals as (number in the plan, time in us), in order.
pub(crate) fn arrivals(records: &[Record<Seen>]) -> Vec<(usize, f64)> {
    let arrived = |r: &Record<Seen>| match r.sample {
        Seen::Got(i, ..) => Some((i, r.time.as_ps() as f64 / 1e6)),
        Seen::Lost(..) | Seen::Marked(_) => None,
    };
    records.iter().filter_map(arrived).collect()
}

/// Losses as (number in the plan, cause), in order.
pub(crate) fn losses(records: &[Record<Seen>]) -> Vec<(usize, LossCause)> {
    let lost = |r: &Record<Seen>| match r.sample {
        Seen::Lost(i, cause, _) => Some((i, cause)),
        Seen::Got(..) | Seen::Marked(_) => None,
    };
    records.iter().filter_map(lost).collect()
}

/// Numbers of the packets that arrived with a congestion mark, in order.
pub(crate) fn marked(records: &[Record<Seen>]) -> Vec<usize> {
    let marked = |r: &Record<Seen>| match r.sample {
        Seen::Marked(i) => Some(i),
        Seen::Got(..) | Seen::Lost(..) => None,
    };
    records.iter().filter_map(marked).collect()
}
