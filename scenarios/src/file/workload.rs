//! `[[workload]]`: who talks to whom, when, and about what.

use serde::{Deserialize, Serialize};
use sim_core::{Bytes, SimDuration};

use super::values::{Dist, InBytes, InSeconds, Limit, PerSecond, PortList};

/// A workload. Rates, users, bursts and limits are totals, shared evenly by its client hosts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkloadFile {
    /// Name, for reports and random streams; the kind unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `exchange` (unless given) or `bulk`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Group or host that opens connections; `client` unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Group or host that accepts them; `server` unless given. Each client uses all addresses and
    /// ports of all servers in turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// First server port; 80 unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Server ports: how many from `port` upwards, or a list instead of `port`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ports: Option<PortList>,
    /// How many of its addresses each client uses; all unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_addresses: Option<u32>,
    /// How many of its addresses of each server are used; all unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_addresses: Option<u32>,
    /// Backlog of the listen call; as `somaxconn` unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backlog: Option<u32>,
    /// Connections per second a server takes from its accept queue (exchange); all at once unless
    /// given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accept_rate: Option<PerSecond>,
    /// First opening at the earliest; 0 s unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<SimDuration>,
    /// No opening from then on; the end of the run unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop: Option<SimDuration>,
    /// Most connections to open; unlimited unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limit>,
    /// When connections are opened (exchange).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arrivals: Option<ArrivalsFile>,
    /// Requests per connection (exchange); 1 unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<u32>,
    /// Size of a request (exchange); 100 B unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<Dist<InBytes>>,
    /// Size of a response (exchange); 1000 B unless given, 0 B for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<Dist<InBytes>>,
    /// Client's time between a response and the next request (exchange).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub think: Option<Dist<InSeconds>>,
    /// Server's time between a request and its response (exchange).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<Dist<InSeconds>>,
    /// Who closes first (exchange): `client`, `server` or `both`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub close: Option<String>,
    /// How (exchange): `fin`, `half` or `rst`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub how: Option<String>,
    /// Wait of the closer before it closes (exchange).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub close_after: Option<SimDuration>,
    /// Wait of the other side before it closes too (exchange).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub linger: Option<SimDuration>,
    /// The first request goes with the SYN (exchange), where `fast_open` of the hosts has bit 1 at
    /// the client and bit 2 at the server; false unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fast_open: Option<bool>,
    /// Bytes of each flow (bulk); unlimited unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<BulkSize>,
    /// Flows of each client (bulk); 1 unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flows: Option<u32>,
    /// Time between the starts of two flows (bulk).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stagger: Option<SimDuration>,
    /// Bytes per second that the sink reads (bulk), as `"1 MB"`; all at once unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_rate: Option<Bytes>,
}

/// When connections are opened. `kind` says which of the other keys it takes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArrivalsFile {
    /// `fixed`, `poisson`, `ramp`, `steps`, `closed` or `burst`.
    pub kind: String,
    /// Rate (fixed, poisson).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<PerSecond>,
    /// Rate at the start (ramp).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<PerSecond>,
    /// Rate at the end (ramp).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<PerSecond>,
    /// Time from one to the other (ramp).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub over: Option<SimDuration>,
    /// Rates and when they begin (steps).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<Vec<StepFile>>,
    /// Number of users (closed).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub users: Option<u32>,
    /// Time of a user between two connections (closed).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub think: Option<Dist<InSeconds>>,
    /// Number of connections (burst).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
}

/// A rate that holds from a time after the workload's start.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepFile {
    /// When it begins, after the workload's start.
    pub at: SimDuration,
    /// The rate.
    pub rate: PerSecond,
}

/// Bytes of a flow, or `"unlimited"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BulkSize(pub Option<u64>);

impl std::str::FromStr for BulkSize {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "unlimited" => Ok(BulkSize(None)),
            _ => text
                .parse::<Bytes>()
                .map(|b| BulkSize(Some(b.0)))
                .map_err(|e| e.to_string()),
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
