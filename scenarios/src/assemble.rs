//! Turns a run into the input of the engine: the network, hosts with their applications, and configuration.

mod idle_paths;
mod info;
pub mod without_segments;
mod workload_hosts;

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::Arc;

use reports::{RunInfo, SegmentsKept};
use sim_core::plugin::Plugin;
use sim_core::queue_disc::QueueSpec;
use sim_core::{LinkId, Network, NodeId, NodeKind, QueueLimit, RunConfig, SimDuration, SimTime};
use tcp_model::TcpHost;
use tcp_model::app::http::HttpPayloads;
use tcp_model::host::Pause;
use tcp_model::middlebox::BoxedMiddlebox;
use tcp_model::spec::{AppSpec, HostConfig, KeptSegments, ServerSpec, SinkSpec, TraceSpec};

use self::workload_hosts::PlacedWorkload;
use crate::file::values::PayloadChoice;
use crate::problem::Problem;
use crate::run_spec::RunSpec;
use crate::scenario::Scenario;
use crate::scenario::workload::WorkloadKind;

/// The parts of a run.
#[derive(Debug)]
pub struct Assembly {
    /// The network.
    pub network: Arc<Network>,
    /// The configuration of each node; `None` for routers.
    pub hosts: Vec<Option<HostConfig>>,
    /// Nodes with a middlebox, a restart or a pause.
    pub extras: Vec<(NodeId, NodeExtra)>,
    /// Seed, end and event queue.
    pub config: RunConfig,
    /// Information for the report.
    pub info: RunInfo,
    /// Its connections have no segments (`tcp.lifecycle_segments = false`).
    pub without_segments: bool,
}

impl Assembly {
    /// Assembles a run.
    ///
    /// # Errors
    /// When the engine rejects the network.
    pub fn new(spec: &RunSpec) -> Result<Assembly, Problem> {
        let scenario = &spec.scenario;
        let network = scenario.topology.network()?;
        let outages = scenario
            .faults
            .iter()
            .flat_map(|f| f.outages(&scenario.topology));
        let outages: Vec<_> = outages.map(|(_, outage)| outage).collect();
        let network = match outages.is_empty() {
            true => network,
            false => Arc::unwrap_or_clone(network)
                .with_outages(outages)
                .map(Arc::new)
                .map_err(|e| Problem::new("fault".into(), e.to_string()))?,
        };
        let hosts = hosts(scenario, &network);
        let end = SimTime::ZERO + scenario.duration;
        let extras = extras(scenario, &hosts);
        let without_segments = without_segments::check(&network, &hosts, &extras)?;
        let queues = if without_segments {
            0
        } else {
            scenario.record.queues
        };
        let config = RunConfig {
            queue: scenario.event_queue,
            watched: watched(&network, queues),
            ..RunConfig::new(spec.seed, end)
        };
        let info = info::info(spec, &network);
        Ok(Assembly {
            network,
            extras,
            without_segments,
            hosts,
            config,
            info,
        })
    }
}

/// The links whose queues are recorded: the slowest, up to `most`, that have a rate and a limited or managed
/// queue.
fn watched(network: &Network, most: u32) -> Vec<LinkId> {
    let has_queue = |queue: &QueueSpec| *queue != QueueSpec::from(QueueLimit::Unlimited);
    let links = network.links().iter().zip(0u32..);
    let with_queues = links.filter_map(|(link, i)| {
        let limited = link.rate.is_some() || link.rate_process.is_some();
        let bps = link.rate.map_or(0, |rate| rate.as_bps());
        (limited && has_queue(&link.queue)).then_some((bps, LinkId(i)))
    });
    let mut all: Vec<(u64, LinkId)> = with_queues.collect();
    all.sort_unstable();
    all.truncate(most as usize);
    all.into_iter().map(|(_, link)| link).collect()
}

/// A part of a node other than its applications.
#[derive(Clone, Debug)]
pub enum NodeExtra {
    /// A middlebox.
    Middlebox(Plugin<BoxedMiddlebox>),
    /// It crashes, and restarts these applications after a quiet time.
    Restart(Vec<AppSpec>, SimDuration),
    /// Its applications pause for a time.
    Pause(Pause),
    /// Its timestamp clock wraps around at this time.
    ClockWrap(SimTime),
}

impl Assembly {
    /// The payload of captured packets, if it is HTTP.
    pub fn http(&self, spec: &RunSpec) -> Option<HttpPayloads> {
        let record = &spec.scenario.record;
        (record.pcap && record.pcap_payload == PayloadChoice::Http).then(|| {
            let mut http = HttpPayloads::new(spec.seed);
            for (host, node) in self.hosts.iter().zip(0..) {
                if let Some(host) = host {
                    let addresses: Vec<Ipv4Addr> = self.network.addresses(NodeId(node)).collect();
                    http.add_host(&addresses, &host.apps);
                }
            }
            http
        })
    }

    /// Installs middleboxes, restarts, pauses and clocks in their hosts.
    pub fn equip(extras: Vec<(NodeId, NodeExtra)>, hosts: &mut [Option<TcpHost>]) {
        for (node, extra) in extras {
            let Some(place) = hosts.get_mut(node.0 as usize) else {
                continue;
            };
            *place = place.take().map(|host| match extra {
                NodeExtra::Middlebox(middlebox) => host.with_middlebox(middlebox.build()),
                NodeExtra::Restart(apps, quiet) => host.with_restart(apps, quiet),
                NodeExtra::Pause(pause) => host.with_pause(pause),
                NodeExtra::ClockWrap(at) => host.with_clock_wrap(at),
            });
        }
    }
}

fn extras(scenario: &Scenario, hosts: &[Option<HostConfig>]) -> Vec<(NodeId, NodeExtra)> {
    let middleboxes = scenario.topology.middleboxes().into_iter();
    let middleboxes = middleboxes.map(|(node, spec)| (node, NodeExtra::Middlebox(spec)));
    let crashing = scenario.faults.iter().flat_map(|fault| {
        let nodes = fault.outages(&scenario.topology);
        nodes.map(|(node, _)| (node, fault.quiet))
    });
    let restarts = crashing.filter_map(|(node, quiet)| {
        let apps = hosts.get(node.0 as usize)?.as_ref()?.apps.clone();
        Some((node, NodeExtra::Restart(apps, quiet)))
    });
    let pausing = scenario.faults.iter();
    let pausing = pausing.flat_map(|fault| fault.pauses(&scenario.topology));
    let pauses = pausing.map(|(node, pause)| (node, NodeExtra::Pause(pause)));
    let wrapping = scenario.faults.iter();
    let wrapping = wrapping.flat_map(|fault| fault.clock_wraps(&scenario.topology));
    let wraps = wrapping.map(|(node, at)| (node, NodeExtra::ClockWrap(at)));
    let faults = restarts.chain(pauses).chain(wraps);
    middleboxes.chain(faults).collect()
}

fn hosts(scenario: &Scenario, network: &Network) -> Vec<Option<HostConfig>> {
    let traced = traced_clients(scenario);
    let trace = |node: u32| TraceSpec {
        segments: match traced.contains(&NodeId(node)) {
            true => scenario.record.traced_connections,
            false => 0,
        },
        keep: match scenario.record.segments {
            SegmentsKept::None => KeptSegments::None,
            SegmentsKept::Ladder => KeptSegments::Ladder,
            SegmentsKept::All => KeptSegments::All,
        },
        sender_interval: scenario.record.sender_interval,
    };
    let groups = scenario.topology.group_of_nodes();
    let mut hosts: Vec<Option<HostConfig>> = network
        .nodes()
        .iter()
        .zip(groups)
        .zip(0u32..)
        .map(|((node, group), i)| match node.kind {
            NodeKind::Host { .. } | NodeKind::Gateway { .. } => Some(HostConfig {
                params: Arc::clone(scenario.tcp.of(group)),
                apps: Vec::new(),
                trace: trace(i),
            }),
            NodeKind::Router => None,
        })
        .collect();
    for workload in &scenario.workloads {
        let place = PlacedWorkload::new(scenario, workload, network);
        place.servers(&mut hosts);
        let mut add = |node: NodeId, app: AppSpec| {
            if let Some(host) = hosts.get_mut(node.0 as usize).and_then(Option::as_mut) {
                // Most hosts have only one application, and an application is large: reserve space for one.
                host.apps.reserve_exact(1);
                host.apps.push(app);
            }
        };
        match &workload.kind {
            WorkloadKind::Exchange { .. } => {
                place.proxies(&mut add);
                place.clients(&mut add);
            }
            WorkloadKind::Bulk {
                bytes,
                flows,
                stagger,
                ..
            } => place.bulk(*bytes, *flows, *stagger, &mut add),
            WorkloadKind::SynFlood {
                arrivals,
                limit,
                sources,
            } => place.flood(arrivals, *limit, *sources, &mut add),
            WorkloadKind::Named { application } => place.named(application, &mut add),
        }
    }
    // The default backlog is the host's somaxconn.
    for host in hosts.iter_mut().flatten() {
        for app in &mut host.apps {
            if let AppSpec::Server(ServerSpec { backlog, .. })
            | AppSpec::Sink(SinkSpec { backlog, .. }) = app
                && *backlog == 0
            {
                *backlog = host.params.somaxconn;
            }
            if let AppSpec::Proxy(proxy) = app
                && proxy.front.backlog == 0
            {
                proxy.front.backlog = host.params.somaxconn;
            }
            if let AppSpec::Named(named) = app
                && named.place.backlog == 0
            {
                named.place.backlog = host.params.somaxconn;
            }
        }
    }
    hosts
}

/// The hosts whose connections are traced: the first clients, and then servers of named applications, which
/// may open connections too.
fn traced_clients(scenario: &Scenario) -> BTreeSet<NodeId> {
    let most = scenario.record.traced_clients as usize;
    let hosts = |name: &str| scenario.topology.hosts_named(name);
    let clients = scenario.workloads.iter().flat_map(|w| hosts(&w.client));
    let clients: BTreeSet<NodeId> = clients.collect();
    let mut traced: BTreeSet<NodeId> = clients.into_iter().take(most).collect();
    let named = scenario.workloads.iter();
    let named = named.filter(|w| matches!(w.kind, WorkloadKind::Named { .. }));
    for server in named.flat_map(|w| hosts(&w.server)) {
        if traced.len() < most {
            traced.insert(server);
        }
    }
    traced
}
