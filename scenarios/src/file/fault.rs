//! `[[fault]]`: hosts, gateways and routers that go down, hosts that pause, and hosts whose clock wraps around.

use serde::{Deserialize, Serialize};
use sim_core::SimDuration;

use super::keys::described;

described! {
/// An outage of a node, or of each node of a group, all at once or one after the other.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultFile {
    /// The host, router or group.
    pub node: String => { example: r#""server""#, needed: true },
    /// When it goes down.
    pub at: Option<SimDuration> => { example: r#""10 s""#, needed: true },
    /// How long it is down.
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    pub lasts: Option<SimDuration> => { name: "for", default: "for good", example: r#""5 s""# },
    /// Time between the outages of one node of the group and the next: a rolling restart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stagger: Option<SimDuration> => { default: "0 s", example: r#""15 s""# },
    /// After a host has come up, how long it neither opens nor accepts connections (RFC 9293 section
    /// 3.4.3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quiet: Option<SimDuration> => { default: "0 s", example: r#""240 s""# },
    /// The host does not go down: its applications stop, as in a garbage collection, while its TCP continues to
    /// acknowledge and accept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pause: Option<bool> => { default: "false", example: "true" },
    /// The host does not go down: at this time its timestamp clock (RFC 7323) passes 2^32, as it does every 49.7 days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock_wrap: Option<bool> => { default: "false", example: "true" },
}
}
