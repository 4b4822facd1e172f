//! A scenario, checked and complete.
//!
//! Holds everything that determines the results of a run, with every default filled in. Reading the output
//! of [`Scenario::to_file`] gives an equal scenario.

use std::sync::Arc;

use sim_core::event_queue::EventQueueKind;
use sim_core::{Network, NodeId, SimDuration};

use crate::dotted_path::DottedPath;
use crate::file::{EngineFile, FigureFile, RunFile, ScenarioFile, TextsFile};
use crate::problem::Problem;
use crate::suggest;

pub mod arrivals;
mod clock;
mod fault;
pub mod record;
mod shared_ports;
pub mod size;
pub mod tcp;
pub mod topology;
pub mod workload;

pub(crate) use clock::unix_ns;
pub use fault::{FaultKind, NodeFault};
pub use record::RecordPlan;
use shared_ports::TakenPorts;
use tcp::TcpSets;
use topology::Topology;
use workload::Workload;

/// A checked and complete scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// Name; the results go to `results/NAME`.
    pub name: String,
    /// The question it answers.
    pub question: String,
    /// More about it.
    pub description: String,
    /// Question and description in Chinese.
    pub zh: Option<Arc<TextsFile>>,
    /// Simulated time.
    pub duration: SimDuration,
    /// Seed of all randomness.
    pub seed: u64,
    /// Runs of each variant.
    pub replicas: u32,
    /// Which event queue; not part of a run's identity.
    pub event_queue: EventQueueKind,
    /// TCP parameters, shared by the runs of a sweep that have equal ones.
    pub tcp: Arc<TcpSets>,
    /// The network, shared in the same way.
    pub topology: Arc<Topology>,
    /// What the hosts do.
    pub workloads: Vec<Workload>,
    /// Nodes that go down.
    pub faults: Vec<NodeFault>,
    /// What is recorded.
    pub record: RecordPlan,
    /// Figures over the runs of a batch, checked against the sweep by [`crate::sweep`].
    pub figures: Vec<FigureFile>,
    /// Which run this is, if it was read from a `run.toml`.
    pub run: Option<RunFile>,
}

impl Scenario {
    /// Checks a scenario as written and fills in defaults.
    ///
    /// # Errors
    /// The first value that is missing, unknown, out of range or contradictory.
    pub fn new(file: &ScenarioFile) -> Result<Scenario, Problem> {
        Scenario::with_shared(file, None, None)
    }

    /// The same with parts that have already been checked: the network of `[topology]`, and the sets of
    /// `[tcp]`.
    pub(crate) fn with_shared(
        file: &ScenarioFile,
        known: Option<&CheckedNetwork>,
        tcp: Option<&Arc<TcpSets>>,
    ) -> Result<Scenario, Problem> {
        check_name(&file.name)?;
        let duration = match file.duration {
            Some(d) if !d.is_zero() => d,
            Some(_) => {
                return Err(
                    Problem::new("duration".into(), "`duration` must be longer than zero")
                        .help("write for example duration = \"200 s\""),
                );
            }
            None => {
                return Err(missing(
                    "duration",
                    "add duration = \"200 s\", the simulated time",
                ));
            }
        };
        let replicas = file.replicas.unwrap_or(1);
        if replicas == 0 {
            return Err(Problem::new(
                "replicas".into(),
                "`replicas` must be at least 1",
            ));
        }
        let made = match known {
            Some(known) => known.clone(),
            None => CheckedNetwork::new(file)?,
        };
        let CheckedNetwork { topology, network } = made;
        let tcp = match tcp {
            Some(tcp) => Arc::clone(tcp),
            None => Arc::new(tcp_sets(file, &topology)?),
        };
        let workloads = workloads(file, &topology, &network, duration)?;
        size::check(&workloads, &topology)?;
        let faults = NodeFault::all(&file.fault, &topology)?;
        let record = file.record.clone().unwrap_or_default();
        let record = RecordPlan::new(&record, duration, &topology)?;
        Ok(Scenario {
            name: file.name.clone(),
            question: file.question.clone(),
            description: file.description.clone(),
            zh: file.zh.clone().map(Arc::new),
            duration,
            seed: file.seed.unwrap_or(1),
            replicas,
            event_queue: event_queue(file.engine.as_ref())?,
            tcp,
            topology,
            workloads,
            faults,
            record,
            figures: file.figure.clone(),
            run: file.run.clone(),
        })
    }

    /// Converts back to a file with every default written out, without the sweep.
    pub fn to_file(&self) -> ScenarioFile {
        ScenarioFile {
            name: self.name.clone(),
            question: self.question.clone(),
            description: self.description.clone(),
            zh: self.zh.as_deref().cloned(),
            duration: Some(self.duration),
            seed: Some(self.seed),
            replicas: Some(self.replicas),
            engine: Some(EngineFile {
                event_queue: Some(self.event_queue.name().to_owned()),
            }),
            tcp: Some(self.tcp.to_file()),
            topology: Some(self.topology.to_file()),
            workload: self.workloads.iter().map(Workload::to_file).collect(),
            fault: self.faults.iter().map(NodeFault::to_file).collect(),
            record: Some(self.record.to_file()),
            sweep: toml::Table::new(),
            variant: Vec::new(),
            until: None,
            expect: Vec::new(),
            figure: self.figures.clone(),
            run: self.run.clone(),
        }
    }
}

/// A topology with its network.
#[derive(Clone, Debug)]
pub(crate) struct CheckedNetwork {
    pub(crate) topology: Arc<Topology>,
    pub(crate) network: Arc<Network>,
}

impl CheckedNetwork {
    /// Checks `[topology]`.
    pub(crate) fn new(file: &ScenarioFile) -> Result<CheckedNetwork, Problem> {
        let Some(topology) = &file.topology else {
            return Err(missing(
                "topology",
                "add [topology] with kind = \"pair\" and path = { rate = \"1 Gbit/s\", delay = \"1 ms\" }",
            ));
        };
        let topology = Topology::new(topology)?;
        let network = topology.network()?;
        Ok(CheckedNetwork {
            topology: Arc::new(topology),
            network,
        })
    }
}

/// Checks `[tcp]` for the groups of a topology.
pub(crate) fn tcp_sets(file: &ScenarioFile, topology: &Topology) -> Result<TcpSets, Problem> {
    TcpSets::new(&file.tcp.clone().unwrap_or_default(), &topology.groups())
}

fn missing(key: &str, help: &str) -> Problem {
    Problem::new(DottedPath::default(), format!("`{key}` is missing")).help(help)
}

fn check_name(name: &str) -> Result<(), Problem> {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
        return Err(Problem::new("name".into(), format!("{name:?} cannot name a scenario"))
            .help("use letters, digits, -, _ and dots, and do not begin with a dot: it names the result directory"));
    }
    Ok(())
}

fn event_queue(engine: Option<&EngineFile>) -> Result<EventQueueKind, Problem> {
    let Some(name) = engine.and_then(|e| e.event_queue.as_deref()) else {
        return Ok(EventQueueKind::default());
    };
    EventQueueKind::from_name(name).ok_or_else(|| {
        let all: Vec<&str> = EventQueueKind::ALL.iter().map(|k| k.name()).collect();
        Problem::new(
            "engine.event_queue".into(),
            suggest::unknown("event queue", name, all.iter().copied()),
        )
    })
}

fn workloads(
    file: &ScenarioFile,
    topology: &Topology,
    network: &Network,
    duration: SimDuration,
) -> Result<Vec<Workload>, Problem> {
    if file.workload.is_empty() {
        return Err(missing(
            "[[workload]]",
            "add [[workload]] with arrivals = { kind = \"fixed\", rate = \"100 /s\" }",
        ));
    }
    let at = DottedPath::from("workload");
    let mut all: Vec<Workload> = Vec::new();
    let mut taken = TakenPorts::default();
    for (i, workload) in file.workload.iter().enumerate() {
        let at = at.index(i);
        let mut workload = Workload::new(workload, &at, topology, duration)?;
        let clients = topology.hosts_named(&workload.client);
        let servers = topology.hosts_named(&workload.server);
        let proxy = workload
            .proxy()
            .map(|proxy| topology.hosts_named(&proxy.host));
        let proxies = proxy.unwrap_or_default();
        if file.workload.len() > 1 {
            taken.add(&mut workload, &servers, &proxies, &at, &all)?;
        }
        if proxies.is_empty() {
            check_routes(network, &clients, &servers, &at)?;
        } else {
            check_routes(network, &clients, &proxies, &at)?;
            check_routes(network, &proxies, &servers, &at)?;
        }
        all.push(workload);
    }
    Ok(all)
}

/// Checks that there are routes from every client to every server and back.
fn check_routes(
    network: &Network,
    clients: &[NodeId],
    servers: &[NodeId],
    at: &DottedPath,
) -> Result<(), Problem> {
    let Some((client, server)) = topology::first_unreachable(network, clients, servers) else {
        return Ok(());
    };
    let name = |n: NodeId| &network.nodes()[n.0 as usize].name;
    if client == server {
        return Err(Problem::new(
            at.clone(),
            format!("{:?} would be its own peer", name(client)),
        )
        .help("`client` and `server` must be different hosts, or the host needs a link to itself, its loopback"));
    }
    Err(Problem::new(
        at.clone(),
        format!(
            "there is no route from {:?} to {:?}",
            name(client),
            name(server)
        ),
    )
    .help("connect them by links, via routers if needed; hosts do not forward packets"))
}
