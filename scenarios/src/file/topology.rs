//! `[topology]`: a named shape, or hosts, routers and links one by one.

use serde::{Deserialize, Serialize};
use sim_core::SimDuration;

use super::values::{LinkRate, Never, OrModel, QueueSize};

/// The network of a scenario. `kind` says which of the other keys it takes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TopologyFile {
    /// `pair`, `star`, `dumbbell`, `chain`, `nat`, `fat-tree`, `torus`, `sites` or `graph`.
    pub kind: String,
    /// Addresses of each client (all kinds but graph).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_addresses: Option<u32>,
    /// Addresses of each server (all kinds but graph).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_addresses: Option<u32>,
    /// Number of clients (star, nat).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clients: Option<u32>,
    /// Number of servers (star, nat).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub servers: Option<u32>,
    /// Number of clients, and of servers (dumbbell, sites).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pairs: Option<u32>,
    /// Number of routers between client and server (chain).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub routers: Option<u32>,
    /// Number of pods, even (fat-tree).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pods: Option<u32>,
    /// Rows of routers (torus).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<u32>,
    /// Columns of routers; as many as rows unless given (torus).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub columns: Option<u32>,
    /// Number of sites (sites).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sites: Option<u32>,
    /// The link between client and server (pair), each link of the way (chain), or the link outside
    /// the NAT (nat).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<LinkFile>,
    /// The link of each client (all kinds but pair, chain and graph).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access: Option<LinkFile>,
    /// The link of each server; as `access` unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_access: Option<LinkFile>,
    /// The link between the two routers (dumbbell).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bottleneck: Option<LinkFile>,
    /// The links between routers (fat-tree, torus, sites).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub core: Option<LinkFile>,
    /// Address translation for the clients (nat).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<NatFile>,
    /// Hosts (graph).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub host: Vec<HostFile>,
    /// Routers (graph).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub router: Vec<RouterFile>,
    /// Links (graph).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub link: Vec<LinkFile>,
}

/// A host, or several alike: `name-0`, `name-1` and so on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostFile {
    /// Name.
    pub name: String,
    /// How many; 1 unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// Addresses of each; 1 unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub addresses: Option<u32>,
    /// Group for workloads and TCP parameters; the name unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

/// A router, or several alike.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouterFile {
    /// Name.
    pub name: String,
    /// How many; 1 unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// Address translation; none unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nat: Option<NatFile>,
}

/// A source NAT on a router: hosts on one side share its addresses towards the other. Time-outs count
/// from the last packet of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NatFile {
    /// Addresses that are shared; 1 unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub addresses: Option<u32>,
    /// First and last port of the pool of each address; `[1024, 65535]` unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ports: Option<[u16; 2]>,
    /// Time-out while a connection is being opened; 120 s unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opening: Option<SimDuration>,
    /// Time-out of an established connection; 5 days unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub established: Option<SimDuration>,
    /// Time-out after the first FIN; 120 s unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closing: Option<SimDuration>,
    /// Time-out after FINs of both sides; 120 s unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed: Option<SimDuration>,
    /// Time-out after a reset; 10 s unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reset: Option<SimDuration>,
}

/// A link with its two directions. All keys but `drop` hold in both unless `reverse` says
/// otherwise; `drop` counts the packets from the first end to the second.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkFile {
    /// The two ends (graph): names of hosts, routers or groups. A name that stands for several
    /// nodes is joined one by one to the other end, or pairwise when both stand for as many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub between: Option<[String; 2]>,
    /// Bit rate; `unlimited` unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<LinkRate>,
    /// Propagation delay, one way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay: Option<SimDuration>,
    /// How the rate varies at random; it does not unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_process: Option<OrModel<Never>>,
    /// Limit of a drop-tail queue, or a queue discipline; `unlimited` unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<OrModel<QueueSize>>,
    /// Probability that a packet is lost, or a loss model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss: Option<OrModel<f64>>,
    /// Packets to lose, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drop: Option<Vec<u64>>,
    /// Probability of a bit error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corrupt: Option<f64>,
    /// Probability that a packet arrives twice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicate: Option<f64>,
    /// Probability that a packet is held back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reorder: Option<f64>,
    /// For how long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reorder_delay: Option<SimDuration>,
    /// Largest extra delay of each packet, drawn uniformly; or a delay model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jitter: Option<OrModel<SimDuration>>,
    /// Changes in mid-run, in order of time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changes: Option<Vec<ChangeFile>>,
    /// What differs in the direction from the second end to the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reverse: Option<Box<LinkFile>>,
}

/// A change of a link; what is absent stays.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeFile {
    /// When.
    pub at: SimDuration,
    /// New rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<sim_core::Rate>,
    /// New delay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay: Option<SimDuration>,
    /// New loss probability.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss: Option<f64>,
    /// Whether it carries packets at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub up: Option<bool>,
}
