//! The parameters of a balancer.

use std::sync::Arc;

use sim_core::plugin::{
    InvalidValue, ModelKind, ModelParameter, ModelValues, ValueKind, list_items,
};
use sim_core::{SimDuration, SimTime};

use super::Balancer;
use crate::middlebox::BoxedMiddlebox;

const PARAMETERS: &[ModelParameter] = &[
    ModelParameter::needed(
        "servers",
        ValueKind::Nodes,
        "names of hosts, or of groups of them, that get the connections",
    ),
    ModelParameter::new(
        "method",
        ValueKind::List,
        "round-robin",
        "who gets a connection: round-robin, least-connections, or hash (of the client's address and port)",
    ),
    ModelParameter::new(
        "idle_timeout",
        ValueKind::Duration,
        "350 s",
        "a connection that is silent for so long is forgotten",
    ),
    ModelParameter::new(
        "closed",
        ValueKind::Duration,
        "60 s",
        "the same after FINs of both sides or a reset",
    ),
    ModelParameter::new(
        "reset",
        ValueKind::Flag,
        "true",
        "packets of forgotten connections are answered by a reset; otherwise they are dropped",
    ),
    ModelParameter::new(
        "direct",
        ValueKind::Flag,
        "false",
        "servers answer clients directly (direct server return); the router next to them is a direct-return",
    ),
    ModelParameter::new(
        "health_interval",
        ValueKind::Duration,
        "0 s",
        "time between two health checks of a server, each a SYN that a SYN-ACK answers; 0 s for none",
    ),
    ModelParameter::new(
        "health_timeout",
        ValueKind::Duration,
        "1 s",
        "a check that takes longer has failed",
    ),
    ModelParameter::new(
        "health_port",
        ValueKind::Count,
        "80",
        "the port of the servers that is checked",
    ),
    ModelParameter::new(
        "rise",
        ValueKind::Count,
        "2",
        "a server gets connections again after this many successful checks in a row",
    ),
    ModelParameter::new(
        "fall",
        ValueKind::Count,
        "3",
        "a server gets no more connections after this many failed checks in a row",
    ),
    ModelParameter::new(
        "drain",
        ValueKind::Nodes,
        "none",
        "names of servers that get no new connections from `drain_at` on",
    ),
    ModelParameter::new(
        "drain_at",
        ValueKind::Duration,
        "0 s",
        "when draining begins, since the start of the run",
    ),
    ModelParameter::new(
        "drain_time",
        ValueKind::Duration,
        "300 s",
        "connections of drained servers that are left after so long are forgotten",
    ),
];

/// Its name and parameters.
pub(in crate::middlebox) fn kind() -> ModelKind<BoxedMiddlebox> {
    let doc = "sends connections to its own address to one of several servers (layer 4)";
    ModelKind::new("balancer", doc, PARAMETERS, |values| {
        let spec = BalancerSpec::of(values)?;
        Ok(Arc::new(move || -> BoxedMiddlebox {
            Box::new(Balancer::new(spec.clone()))
        }))
    })
}

/// Who gets a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    RoundRobin,
    LeastConnections,
    Hash,
}

/// Health checks.
#[derive(Clone, Copy, Debug)]
pub(super) struct CheckSpec {
    pub(super) interval: SimDuration,
    pub(super) timeout: SimDuration,
    pub(super) port: u16,
    pub(super) rise: u32,
    pub(super) fall: u32,
}

fn check_spec(values: &ModelValues) -> Result<Option<CheckSpec>, InvalidValue> {
    let port = values.count_within("health_port", 1..=65_535, "it is a port")?;
    let rise = values.count_within("rise", 1..=1_000_000, "it counts checks")?;
    let fall = values.count_within("fall", 1..=1_000_000, "it counts checks")?;
    let interval = values.duration("health_interval");
    let timeout = values.duration("health_timeout");
    if interval.is_zero() {
        return Ok(None);
    }
    if timeout.is_zero() || timeout > interval {
        let problem = format!("{timeout} is not between zero and `health_interval`, {interval}");
        let advice = "make it shorter than the interval";
        return Err(InvalidValue::new("health_timeout", problem, advice));
    }
    Ok(Some(CheckSpec {
        interval,
        timeout,
        port: port as u16,
        rise: rise as u32,
        fall: fall as u32,
    }))
}

#[derive(Clone, Debug)]
pub(super) struct BalancerSpec {
    pub(super) servers: Vec<String>,
    pub(super) method: Method,
    pub(super) idle: SimDuration,
    pub(super) closed: SimDuration,
    pub(super) reset: bool,
    pub(super) direct: bool,
    pub(super) health: Option<CheckSpec>,
    pub(super) drain: Vec<String>,
    pub(super) drain_at: SimTime,
    /// When the connections of drained servers are forgotten.
    pub(super) drained: SimTime,
}

impl BalancerSpec {
    pub(super) fn of(values: &ModelValues) -> Result<BalancerSpec, InvalidValue> {
        let names = |key| -> Vec<String> {
            let list = values.list(key);
            let names = list_items(&list).filter(|name| *name != "none");
            names.map(str::to_owned).collect()
        };
        let servers = names("servers");
        if servers.is_empty() {
            let advice = "write for example servers = \"server\"";
            return Err(InvalidValue::new("servers", "names no host", advice));
        }
        let method = match &*values.list("method") {
            "round-robin" => Method::RoundRobin,
            "least-connections" => Method::LeastConnections,
            "hash" => Method::Hash,
            other => {
                let problem = format!("{other:?} is not known");
                let advice = "write round-robin, least-connections or hash";
                return Err(InvalidValue::new("method", problem, advice));
            }
        };
        let drain_at = SimTime::ZERO.saturating_add(values.duration("drain_at"));
        Ok(BalancerSpec {
            servers,
            method,
            idle: values.duration("idle_timeout"),
            closed: values.duration("closed"),
            reset: values.flag("reset"),
            direct: values.flag("direct"),
            health: check_spec(values)?,
            drain: names("drain"),
            drain_at,
            drained: drain_at.saturating_add(values.duration("drain_time")),
        })
    }
}
