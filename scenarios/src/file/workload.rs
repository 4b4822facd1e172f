//! `[[workload]]`: who talks to whom, when, and about what.

use serde::{Deserialize, Serialize};
use sim_core::{Bytes, SimDuration};

use super::keys::{described, leaf};
use super::values::{Dist, InBytes, InSeconds, Limit, NamedOnly, OrModel, PerSecond, PortList};
use crate::unreadable::Unreadable;

/// Kinds of workloads.
pub(crate) const WORKLOAD_KINDS: [&str; 3] = ["exchange", "bulk", "application"];
/// Kinds of arrivals.
pub(crate) const ARRIVAL_KINDS: [&str; 6] =
    ["fixed", "poisson", "ramp", "steps", "closed", "burst"];

described! {
/// A workload. Rates, users, bursts and limits are totals, shared evenly by its client hosts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkloadFile {
    /// Name, for reports and random streams.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String> => { default: "the kind", example: r#""upstream""# },
    /// What the workload does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String> => { default: "exchange", example: r#""bulk""#, one_of: || WORKLOAD_KINDS.to_vec() },
    /// What its hosts run, by name (application).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application: Option<OrModel<NamedOnly>> => { default: "none; an application needs it", example: r#"{ kind = "heartbeat", interval = "1 s" }"# },
    /// Group or host that opens connections.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String> => { default: "client", example: r#""client""# },
    /// Group or host that accepts them. Each client uses all addresses and
    /// ports of all servers in turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<String> => { default: "server", example: r#""server""# },
    /// First server port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16> => { default: "80", example: "8080", within: Some((1.0, 65_535.0)) },
    /// Server ports: how many from `port` upwards, or a list instead of `port`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ports: Option<PortList> => { default: "1", example: "[80, 81]" },
    /// How many of its addresses each client uses; more than it has means all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_addresses: Option<u32> => { default: "all", example: "4", within: Some((1.0, 1_000_000.0)) },
    /// How many of the addresses of each server are used; more than it has means all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_addresses: Option<u32> => { default: "all", example: "4", within: Some((1.0, 1_000_000.0)) },
    /// Backlog of the listen call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backlog: Option<u32> => { default: "as `somaxconn`", example: "128", within: Some((1.0, 4_294_967_295.0)) },
    /// Connections per second a server takes from its accept queue (exchange).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accept_rate: Option<PerSecond> => { default: "all at once", example: r#""1000 /s""# },
    /// First opening at the earliest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<SimDuration> => { default: "0 s", example: r#""10 s""# },
    /// No opening from then on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop: Option<SimDuration> => { default: "the end of the run", example: r#""100 s""# },
    /// Most connections to open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limit> => { default: r#""unlimited""#, example: "1000" },
    /// When connections are opened (exchange).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arrivals: Option<ArrivalsFile> => { default: "none; an exchange needs it", example: r#"{ kind = "poisson", rate = "450 /s" }"# },
    /// Requests per connection (exchange).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<u32> => { default: "1", example: "10", within: Some((1.0, 4_294_967_295.0)) },
    /// Size of a request (exchange).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<Dist<InBytes>> => { default: "100 B", example: r#""200 B""# },
    /// Size of a response (exchange), 0 B for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<Dist<InBytes>> => { default: "1000 B", example: r#"{ kind = "exponential", mean = "10 kB" }"# },
    /// Client's time between a response and the next request (exchange).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub think: Option<Dist<InSeconds>> => { default: "0 s", example: r#""1 s""# },
    /// Server's time between a request and its response (exchange).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<Dist<InSeconds>> => { default: "0 s", example: r#""5 ms""# },
    /// Who closes first (exchange).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub close: Option<String> => { default: "client", example: r#""server""#, one_of: || vec!["client", "server", "both"] },
    /// How the connection is closed (exchange): both directions, one after the other, or by a reset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub how: Option<String> => { default: "fin", example: r#""half""#, one_of: || vec!["fin", "half", "rst"] },
    /// Wait of the closer before it closes (exchange).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub close_after: Option<SimDuration> => { default: "0 s", example: r#""1 s""# },
    /// Wait of the other side before it closes too (exchange).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub linger: Option<SimDuration> => { default: "0 s", example: r#""1 s""# },
    /// The first request goes with the SYN (exchange), where `fast_open` of the hosts has bit 1 at
    /// the client and bit 2 at the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fast_open: Option<bool> => { default: "false", example: "true" },
    /// Bytes of each flow (bulk).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<BulkSize> => { default: r#""unlimited""#, example: r#""10 MB""# },
    /// Flows of each client (bulk).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flows: Option<u32> => { default: "1", example: "4", within: Some((1.0, 1_000_000.0)) },
    /// Time between the starts of two flows (bulk).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stagger: Option<SimDuration> => { default: "0 s", example: r#""100 ms""# },
    /// Bytes per second that the sink reads (bulk), as `"1 MB"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_rate: Option<Bytes> => { default: "all at once", example: r#""1 MB""# },
}
}

described! {
/// When connections are opened. `kind` says which of the other keys it takes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArrivalsFile {
    /// Which arrival process.
    pub kind: String => { example: r#""fixed""#, one_of: || ARRIVAL_KINDS.to_vec(), needed: true },
    /// Rate (fixed, poisson).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<PerSecond> => { default: "none; needed", example: r#""450 /s""# },
    /// Rate at the start (ramp).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<PerSecond> => { default: "none; needed", example: r#""0 /s""# },
    /// Rate at the end (ramp).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<PerSecond> => { default: "none; needed", example: r#""1000 /s""# },
    /// Time from one to the other (ramp).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub over: Option<SimDuration> => { default: "none; needed", example: r#""60 s""# },
    /// Rates and when they begin (steps).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<Vec<StepFile>> => { default: "none; needed", example: r#"[{ at = "0 s", rate = "100 /s" }, { at = "60 s", rate = "500 /s" }]"# },
    /// Number of users (closed).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub users: Option<u32> => { default: "none; needed", example: "100", within: Some((1.0, 10_000_000.0)) },
    /// Time of a user between two connections (closed).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub think: Option<Dist<InSeconds>> => { default: "0 s", example: r#""1 s""# },
    /// Number of connections (burst).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u32> => { default: "none; needed", example: "1000", within: Some((1.0, 10_000_000.0)) },
}
}

described! {
/// A rate that holds from a time after the workload's start.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepFile {
    /// When it begins, after the workload's start.
    pub at: SimDuration => { example: r#""60 s""#, needed: true },
    /// The rate.
    pub rate: PerSecond => { example: r#""500 /s""#, needed: true },
}
}

/// Bytes of a flow, or `"unlimited"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BulkSize(pub Option<u64>);

impl std::str::FromStr for BulkSize {
    type Err = Unreadable;
    fn from_str(text: &str) -> Result<Self, Unreadable> {
        match text {
            "unlimited" => Ok(BulkSize(None)),
            _ => Ok(BulkSize(Some(text.parse::<Bytes>()?.0))),
        }
    }
}

impl std::fmt::Display for BulkSize {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(bytes) => write!(f, "{}", Bytes(bytes)),
            None => f.write_str("unlimited"),
        }
    }
}
super::values::as_text!(
    BulkSize,
    "a quoted size such as \"10 MB\", or \"unlimited\""
);

leaf! {
    BulkSize: "a size with its unit: B, kB, KiB, MB, MiB, GB or GiB, or `\"unlimited\"`",
        { "type": "string", "anyOf": [{ "pattern": super::keys::SIZE }, { "const": "unlimited" }] };
}
