//! A source NAT by name: its parameters, and the NATs of systems and clouds.

use std::sync::Arc;

use sim_core::plugin::{
    InvalidValue, ModelKind, ModelParameter, ModelValues, Plugin, Presets, ValueKind, list_items,
};

use super::{Nat, NatMapping, NatSpec, NatTimeouts};
use crate::middlebox::BoxedMiddlebox;

const fn time(name: &'static str, default: &'static str, doc: &'static str) -> ModelParameter {
    ModelParameter::new(name, ValueKind::Duration, default, doc)
}

const PARAMETERS: &[ModelParameter] = &[
    ModelParameter::new(
        "addresses",
        ValueKind::Count,
        "1",
        "addresses that the hosts behind it share",
    ),
    ModelParameter::new(
        "mapping",
        ValueKind::List,
        "endpoint-dependent",
        "what a mapping depends on besides the host inside and its port: endpoint-independent, address-dependent or endpoint-dependent",
    ),
    ModelParameter::new(
        "keep_port",
        ValueKind::Flag,
        "false",
        "a connection keeps the port of the inside host if that port is free on the NAT",
    ),
    ModelParameter::new(
        "block",
        ValueKind::Count,
        "0",
        "limits each inside host to one block of this many ports; 0 for no limit",
    ),
    ModelParameter::new(
        "ports",
        ValueKind::List,
        "1024, 65535",
        "first and last port of the pool of each address",
    ),
    time(
        "opening",
        "120 s",
        "time-out while a connection is being opened",
    ),
    time(
        "established",
        "432000 s",
        "time-out of an established connection (5 days)",
    ),
    time("closing", "120 s", "time-out after the first FIN"),
    time("closed", "120 s", "time-out after FINs of both sides"),
    time("reset", "10 s", "time-out after a reset"),
    ModelParameter::new(
        "answer_reset",
        ValueKind::Flag,
        "false",
        "packets from inside that belong to no connection it knows, as after a time-out, are answered with a reset; otherwise they are dropped",
    ),
    ModelParameter::new(
        "forward",
        ValueKind::Nodes,
        "none",
        "names of hosts behind it that get the connections to its own addresses, on ports outside of its pool",
    ),
    ModelParameter::new(
        "hairpin",
        ValueKind::Nodes,
        "none",
        "names of hosts behind it whose connections to its own addresses get an address of the NAT as their source, so that the answers come back through it (RFC 4787 section 6)",
    ),
];

/// The NATs of systems and clouds, as documented in 2025.
pub static NAT_PROFILES: Presets = Presets {
    key: "profile",
    doc: "the NAT to imitate: it sets the defaults of the other keys",
    all: &[
        ("linux", &[("keep_port", "true")]),
        // 55,000 connections to a destination; idle connections are forgotten after 350 s, and their next packet is
        // answered with a reset.
        (
            "aws",
            &[
                ("ports", "1024, 56023"),
                ("established", "350 s"),
                ("answer_reset", "true"),
            ],
        ),
        // A port may be used again 65 s after a FIN, 16 s after a reset, 30 s after a SYN without answer.
        (
            "azure",
            &[
                ("opening", "30 s"),
                ("established", "240 s"),
                ("closing", "65 s"),
                ("closed", "65 s"),
                ("reset", "16 s"),
            ],
        ),
        // 64 ports for each machine unless more are asked for.
        (
            "gcp",
            &[
                ("opening", "30 s"),
                ("established", "1200 s"),
                ("closing", "30 s"),
                ("closed", "120 s"),
                ("reset", "30 s"),
                ("block", "64"),
            ],
        ),
    ],
};

/// Its name and parameters.
pub(in crate::middlebox) fn kind() -> ModelKind<BoxedMiddlebox> {
    let doc = "translates the addresses of the hosts behind it (RFC 3022 NAPT)";
    let kind = ModelKind::new("nat", doc, PARAMETERS, |values| {
        values.count_within("addresses", 1..=1_000_000, "one is usual")?;
        let spec = NatSpec::of(values)?;
        Ok(Arc::new(move || -> BoxedMiddlebox {
            Box::new(Nat::new(spec.clone()))
        }))
    });
    kind.with_presets(&NAT_PROFILES)
}

impl NatSpec {
    /// The specification of a middlebox named `nat`; `None` for any other.
    pub fn of_plugin(plugin: &Plugin<BoxedMiddlebox>) -> Option<NatSpec> {
        let names = plugin.values().iter().map(|(name, _)| name);
        let is_ours = plugin.name() == "nat" && names.eq(PARAMETERS.iter().map(|p| p.name));
        is_ours.then(|| NatSpec::of(plugin.values()).ok()).flatten()
    }

    fn of(values: &ModelValues) -> Result<NatSpec, InvalidValue> {
        let times = ["opening", "established", "closing", "closed", "reset"];
        values.positive(&times, "write for example \"120 s\"")?;
        let time = |name| values.duration(name);
        let names = |key| -> Vec<String> {
            let list = values.list(key);
            let names = list_items(&list).filter(|name| *name != "none");
            names.map(str::to_owned).collect()
        };
        let block = values.count_within("block", 0..=65_535, "it counts ports")?;
        Ok(NatSpec {
            ports: ports(&values.list("ports"))?,
            timeouts: NatTimeouts {
                opening: time("opening"),
                established: time("established"),
                closing: time("closing"),
                closed: time("closed"),
                reset: time("reset"),
            },
            mapping: mapping(&values.list("mapping"))?,
            keep_port: values.flag("keep_port"),
            block: (block > 0).then_some(block as u32),
            answer_reset: values.flag("answer_reset"),
            forward: names("forward"),
            hairpin: names("hairpin"),
        })
    }
}

fn mapping(name: &str) -> Result<NatMapping, InvalidValue> {
    let named = NatMapping::ALL.into_iter().find(|m| m.as_str() == name);
    named.ok_or_else(|| {
        let known = NatMapping::ALL.map(NatMapping::as_str).join(", ");
        let problem = format!("{name:?} is not known");
        InvalidValue::new("mapping", problem, format!("known are: {known}"))
    })
}

fn ports(text: &str) -> Result<(u16, u16), InvalidValue> {
    let ports: Result<Vec<u16>, _> = list_items(text).map(str::parse).collect();
    match ports.as_deref() {
        Ok(&[first, last]) if 0 < first && first <= last => Ok((first, last)),
        _ => Err(InvalidValue::new(
            "ports",
            "must be two ports from 1 on, the smaller one first",
            "write for example ports = [1024, 65535]",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_parameters_it_is_the_default() {
        let usual = kind().plugin(&[]).unwrap();
        assert_eq!(NatSpec::of_plugin(&usual), Some(NatSpec::default()));
    }

    /// Keys that a profile leaves open keep their defaults, and keys given beside it take
    /// precedence.
    #[test]
    fn a_profile_is_a_set_of_defaults() {
        let spec = |given: &[(&str, &str)]| NatSpec::of_plugin(&kind().plugin(given).unwrap());
        let aws = spec(&[("profile", "aws"), ("reset", "1 s")]).unwrap();
        let secs = sim_core::SimDuration::from_secs;
        assert_eq!(aws.ports, (1024, 1024 + 54_999));
        assert_eq!(
            (aws.timeouts.established, aws.timeouts.reset),
            (secs(350), secs(1))
        );
        assert!(aws.answer_reset);
        assert_eq!(aws.timeouts.opening, NatTimeouts::default().opening);
        let gcp = spec(&[("profile", "gcp")]).unwrap();
        assert_eq!((gcp.block, gcp.timeouts.closing), (Some(64), secs(30)));
        for name in NAT_PROFILES.names() {
            assert_ne!(spec(&[("profile", name)]), spec(&[]), "{name}");
        }
        let wrong = kind()
            .plugin(&[("profile", "gpc")])
            .unwrap_err()
            .to_string();
        assert!(
            wrong.contains("\"gpc\" is not known; known are: linux, aws"),
            "{wrong}"
        );
    }
}
