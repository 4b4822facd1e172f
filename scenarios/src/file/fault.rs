//! `[[fault]]`: hosts, gateways and routers that go down.

use serde::{Deserialize, Serialize};
use sim_core::SimDuration;

/// An outage of a node, or of each node of a group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultFile {
    /// The host, router or group.
    pub node: String,
    /// When it goes down.
    pub at: Option<SimDuration>,
    /// How long it is down; for good unless given.
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    pub lasts: Option<SimDuration>,
    /// After a host has come up, how long it neither opens nor accepts connections (RFC 9293 section
    /// 3.4.3); 0 s unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quiet: Option<SimDuration>,
}
