//! The parameters of a connection tracker.

use std::sync::Arc;

use sim_core::SimDuration;
use sim_core::plugin::{ModelKind, ModelParameter, ModelValues, ValueKind};

use super::Conntrack;
use crate::middlebox::BoxedMiddlebox;

const fn time(name: &'static str, default: &'static str, doc: &'static str) -> ModelParameter {
    ModelParameter::new(name, ValueKind::Duration, default, doc)
}

const fn flag(name: &'static str, default: &'static str, doc: &'static str) -> ModelParameter {
    ModelParameter::new(name, ValueKind::Flag, default, doc)
}

const PARAMETERS: &[ModelParameter] = &[
    ModelParameter::new(
        "max",
        ValueKind::Count,
        "262144",
        "most entries (nf_conntrack_max)",
    ),
    time("syn_sent", "120 s", "time-out after a SYN"),
    time("syn_recv", "60 s", "time-out after a SYN-ACK"),
    time(
        "established",
        "432000 s",
        "time-out of an established connection (5 days)",
    ),
    time("fin_wait", "120 s", "time-out after the first FIN"),
    time(
        "close_wait",
        "60 s",
        "time-out after that FIN was acknowledged",
    ),
    time("last_ack", "30 s", "time-out after the second FIN"),
    time(
        "time_wait",
        "120 s",
        "time-out after that FIN was acknowledged",
    ),
    time("close", "10 s", "time-out after a reset"),
    flag(
        "loose",
        "true",
        "picks up connections whose SYN it has not seen (nf_conntrack_tcp_loose)",
    ),
    flag(
        "drop_invalid",
        "true",
        "drops packets that fit no entry and make none",
    ),
    flag(
        "early_drop",
        "true",
        "a full table gives up its oldest entry that is not assured",
    ),
    time(
        "gc",
        "0 s",
        "above 95 % of the table, closing entries are removed so often (Linux 4.12 and later, at varying intervals); 0 s for never",
    ),
];

/// Its name and parameters.
pub(in crate::middlebox) fn kind() -> ModelKind<BoxedMiddlebox> {
    let doc = "follows connections and drops packets when its table is full (Linux nf_conntrack)";
    ModelKind::new("conntrack", doc, PARAMETERS, |values| {
        let spec = ConntrackSpec::of(values);
        values.count_within("max", 1..=100_000_000, "it counts entries")?;
        Ok(Arc::new(move || -> BoxedMiddlebox {
            Box::new(Conntrack::new(spec))
        }))
    })
}

/// A tracker as data.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ConntrackSpec {
    pub(super) max: u64,
    /// In the order of [`TrackedState`](super::tcp_state::TrackedState).
    pub(super) timeouts: [SimDuration; 9],
    pub(super) loose: bool,
    pub(super) drop_invalid: bool,
    pub(super) early_drop: bool,
    pub(super) gc: SimDuration,
}

impl ConntrackSpec {
    pub(super) fn of(values: &ModelValues) -> ConntrackSpec {
        let names = [
            "syn_sent",
            "syn_sent",
            "syn_recv",
            "established",
            "fin_wait",
            "close_wait",
            "last_ack",
            "time_wait",
            "close",
        ];
        ConntrackSpec {
            max: values.count("max"),
            timeouts: names.map(|name| values.duration(name)),
            loose: values.flag("loose"),
            drop_invalid: values.flag("drop_invalid"),
            early_drop: values.flag("early_drop"),
            gc: values.duration("gc"),
        }
    }
}
