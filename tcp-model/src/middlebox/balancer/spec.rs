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
        ValueKind::List,
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
        "drain",
        ValueKind::List,
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

#[derive(Clone, Debug)]
pub(super) struct BalancerSpec {
    pub(super) servers: Vec<String>,
    pub(super) method: Method,
    pub(super) idle: SimDuration,
    pub(super) closed: SimDuration,
    pub(super) reset: bool,
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
            drain: names("drain"),
            drain_at,
            drained: drain_at.saturating_add(values.duration("drain_time")),
        })
    }
}
