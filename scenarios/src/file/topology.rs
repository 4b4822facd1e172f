//! `[topology]`: a named shape, or hosts, routers and links one by one.

use serde::{Deserialize, Serialize};
use sim_core::SimDuration;
use tcp_model::middlebox::{NAT_PROFILES, NatMapping};

use super::keys::described;
use super::values::{Dropped, LinkRate, MiddleboxOnly, Never, OrModel, QueueSize};

described! {
/// The network of a scenario. `kind` says which of the other keys it takes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TopologyFile {
    /// Which shape; `graph` is hosts, routers and links one by one.
    pub kind: String => { example: r#""pair""#, one_of: |shapes| shapes.to_vec(), needed: true },
    /// Addresses of each client (all kinds but graph).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_addresses: Option<u32> => { default: "1", example: "4", within: Some((1.0, 1_000_000.0)) },
    /// Addresses of each server (all kinds but graph).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_addresses: Option<u32> => { default: "1", example: "4", within: Some((1.0, 1_000_000.0)) },
    /// Number of clients (star, nat).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clients: Option<u32> => { default: "1", example: "10", within: Some((1.0, 1_000_000.0)) },
    /// Number of servers (star, nat).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub servers: Option<u32> => { default: "1", example: "4", within: Some((1.0, 1_000_000.0)) },
    /// Number of clients, and of servers (dumbbell, sites).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pairs: Option<u32> => { default: "1", example: "4", within: Some((1.0, 500_000.0)) },
    /// Number of routers between client and server (chain).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub routers: Option<u32> => { default: "1", example: "3", within: Some((1.0, 2_000.0)) },
    /// Number of pods, even (fat-tree).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pods: Option<u32> => { default: "4", example: "4", within: Some((2.0, 64.0)) },
    /// Rows of routers (torus).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<u32> => { default: "4", example: "4", within: Some((2.0, 1_000.0)) },
    /// Columns of routers (torus).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub columns: Option<u32> => { default: "as `rows`", example: "4", within: Some((2.0, 1_000.0)) },
    /// Number of sites (sites).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sites: Option<u32> => { default: "4", example: "4", within: Some((2.0, 1_000.0)) },
    /// The link between client and server (pair), each link of the path (chain), or the link outside the
    /// NAT (nat).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<LinkFile> => { default: "none; needed", example: r#"{ rate = "1 Gbit/s", delay = "1 ms" }"# },
    /// The link of each client (all kinds but pair, chain and graph).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access: Option<LinkFile> => { default: r#"{ delay = "1 ms" }"#, example: r#"{ rate = "1 Gbit/s", delay = "1 ms" }"# },
    /// The link of each server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_access: Option<LinkFile> => { default: "as `access`", example: r#"{ rate = "1 Gbit/s", delay = "1 ms" }"# },
    /// The link between the two routers (dumbbell).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bottleneck: Option<LinkFile> => { default: "none; needed", example: r#"{ rate = "10 Mbit/s", delay = "10 ms", queue = "64 KiB" }"# },
    /// The links between routers (fat-tree, torus, sites).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub core: Option<LinkFile> => { default: "none; needed", example: r#"{ rate = "10 Gbit/s", delay = "10 us" }"# },
    /// Largest processing time of a host for each packet it sends, drawn uniformly; packets keep their
    /// order. A value below a packet's transmission time at the bottleneck keeps flows from falling into
    /// step with its queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processing: Option<SimDuration> => { default: "0 s", example: r#""100 us""# },
    /// Address translation for the clients (nat).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<NatFile> => { default: "the defaults of a NAT", example: "{ addresses = 2 }" },
    /// Hosts (graph).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub host: Vec<HostFile> => { default: "none", example: r#"[{ name = "client", count = 2 }]"# },
    /// Routers (graph).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub router: Vec<RouterFile> => { default: "none", example: r#"[{ name = "hub" }]"# },
    /// Links (graph).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub link: Vec<LinkFile> => { default: "none", example: r#"[{ between = ["client", "hub"], delay = "1 ms" }]"# },
}
}

described! {
/// A host, or several identical ones: `name-0`, `name-1` and so on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostFile {
    /// Name: letters, digits, `-` and `_`.
    pub name: String => { example: r#""client""#, needed: true },
    /// How many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u32> => { default: "1", example: "10", within: Some((1.0, 1_000_000.0)) },
    /// Addresses of each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub addresses: Option<u32> => { default: "1", example: "4", within: Some((1.0, 1_000_000.0)) },
    /// Group for workloads and TCP parameters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String> => { default: "the name", example: r#""clients""# },
}
}

described! {
/// A router, or several identical ones.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouterFile {
    /// Name: letters, digits, `-` and `_`.
    pub name: String => { example: r#""hub""#, needed: true },
    /// How many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u32> => { default: "1", example: "3", within: Some((1.0, 2_000.0)) },
    /// Address translation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nat: Option<NatFile> => { default: "none", example: "{ addresses = 2 }" },
    /// Another middlebox, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub middlebox: Option<OrModel<MiddleboxOnly>> =>
        { default: "none", example: r#"{ kind = "syn-limit", rate = 100 }"# },
}
}

described! {
/// A source NAT on a router: hosts on one side share its addresses towards the other. Time-outs count
/// from the last packet of a connection.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NatFile {
    /// Addresses that are shared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub addresses: Option<u32> => { default: "1", example: "2", within: Some((1.0, 1_000_000.0)) },
    /// The NAT to imitate: it decides the keys that are not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String> => { default: "none", example: r#""aws""#, one_of: |_| NAT_PROFILES.names().collect() },
    /// What a mapping depends on besides the host inside and its port: nothing, the address outside, or address and
    /// port. Connections that share a mapping share its port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mapping: Option<String> => { default: "endpoint-dependent", example: r#""endpoint-independent""#, one_of: |_| NatMapping::ALL.map(NatMapping::as_str).to_vec() },
    /// A connection keeps the port of the inside host if that port is free on the NAT.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_port: Option<bool> => { default: "false", example: "true" },
    /// Limits each inside host to one block of this many ports.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block: Option<u32> => { default: "no limit", example: "64", within: Some((1.0, 65_535.0)) },
    /// First and last port of the pool of each address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ports: Option<[u16; 2]> => { default: "[1024, 65535]", example: "[1024, 2047]" },
    /// Time-out while a connection is being opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opening: Option<SimDuration> => { default: "120 s", example: r#""30 s""# },
    /// Time-out of an established connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub established: Option<SimDuration> => { default: "5 days", example: r#""1 h""# },
    /// Time-out after the first FIN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closing: Option<SimDuration> => { default: "120 s", example: r#""30 s""# },
    /// Time-out after FINs of both sides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed: Option<SimDuration> => { default: "120 s", example: r#""30 s""# },
    /// Time-out after a reset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reset: Option<SimDuration> => { default: "10 s", example: r#""1 s""# },
    /// Packets from inside that belong to no connection it knows, as after a time-out, are answered with a reset;
    /// otherwise they are dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer_reset: Option<bool> => { default: "false", example: "true" },
    /// Host or group behind the NAT that gets the connections to its own addresses, on ports outside of `ports`: clients
    /// reach it with `via`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forward: Option<String> => { default: "none", example: r#""server""# },
    /// Host or group behind the NAT whose connections to its own addresses get an address of the NAT as their source
    /// (hairpinning): the answers come back through the NAT.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hairpin: Option<String> => { default: "none", example: r#""client""# },
}
}

described! {
/// A link with its two directions. All keys apply to both unless `reverse` says otherwise, except the
/// numbers in `drop`, which count packets from the first end to the second.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkFile {
    /// The two ends (graph): names of hosts, routers or groups. If one name stands for several nodes, each
    /// is joined to the other end; if both stand for equally many, they are joined pairwise. The same host
    /// name twice gives each host a loopback, in one direction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub between: Option<[String; 2]> => { default: "by the shape", example: r#"["client", "server"]"# },
    /// Bit rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<LinkRate> => { default: r#""unlimited""#, example: r#""1 Gbit/s""# },
    /// Propagation delay, one way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay: Option<SimDuration> => { default: "none; needed", example: r#""1 ms""# },
    /// How the rate varies at random.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_process: Option<OrModel<Never>> => { default: "the rate is constant", example: r#"{ kind = "two-state", other = "1 Mbit/s" }"# },
    /// Limit of a drop-tail queue, or a queue discipline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<OrModel<QueueSize>> => { default: r#""unlimited""#, example: r#""100 packets""# },
    /// Probability that a packet is lost, or a loss model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss: Option<OrModel<f64>> => { default: "0", example: "0.001", within: Some((0.0, 1.0)) },
    /// Packets to drop before they are queued: by number, counted from 1 as they are offered to this
    /// direction; or by sender and kind, in both directions: `"client FIN 1"`, `"server SYN 1"`, `"client ACK
    /// 2"`, `"server data segment 5, second transmission"`, `"client segment 3, connection 4"`. Named
    /// packets are counted within their connection, and dropped in every connection unless one is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drop: Option<Vec<Dropped>> => { default: "none", example: r#"[1, 4, "server FIN 1"]"# },
    /// Probability of a bit error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corrupt: Option<f64> => { default: "0", example: "0.001", within: Some((0.0, 1.0)) },
    /// Probability that a packet arrives twice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicate: Option<f64> => { default: "0", example: "0.001", within: Some((0.0, 1.0)) },
    /// Probability that a packet is held back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reorder: Option<f64> => { default: "0", example: "0.01", within: Some((0.0, 1.0)) },
    /// How long such a packet is held back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reorder_delay: Option<SimDuration> => { default: "0 s", example: r#""2 ms""# },
    /// Largest extra delay of each packet, drawn uniformly; or a delay model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jitter: Option<OrModel<SimDuration>> => { default: "0 s", example: r#""1 ms""# },
    /// Changes during the run, in order of time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changes: Option<Vec<ChangeFile>> => { default: "none", example: r#"[{ at = "10 s", up = false }]"# },
    /// What differs in the direction from the second end to the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reverse: Option<Box<LinkFile>> => { default: "as this direction", example: r#"{ delay = "5 ms" }"# },
}
}

described! {
/// A change of a link; keys not given stay unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeFile {
    /// When it happens, since the start of the run.
    pub at: SimDuration => { example: r#""10 s""#, needed: true },
    /// New rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<sim_core::Rate> => { default: "as before", example: r#""1 Mbit/s""# },
    /// New delay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay: Option<SimDuration> => { default: "as before", example: r#""50 ms""# },
    /// New loss probability.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss: Option<f64> => { default: "as before", example: "0.01", within: Some((0.0, 1.0)) },
    /// Whether it carries packets at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub up: Option<bool> => { default: "as before", example: "false" },
}
}
