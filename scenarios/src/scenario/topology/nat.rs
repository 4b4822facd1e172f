//! Routers that translate addresses.

use sim_core::SimDuration;
use tcp_model::middlebox::{NatMapping, NatSpec, NatTimeouts};

use super::{DottedPath, Problem, at_least_one};
use crate::file::topology::NatFile;
use crate::suggest;

/// A source NAT on a router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NatGateway {
    /// Addresses that the hosts behind it share.
    pub addresses: u32,
    /// Ports and time-outs.
    pub spec: NatSpec,
}

impl NatGateway {
    /// Checks a NAT as written.
    pub(super) fn new(file: &NatFile, at: &DottedPath) -> Result<NatGateway, Problem> {
        let usual = match &file.profile {
            None => NatSpec::default(),
            Some(name) => NatSpec::profile(name).ok_or_else(|| {
                let message = suggest::unknown("profile of a NAT", name, NatSpec::PROFILES);
                Problem::new(at.key("profile"), message)
            })?,
        };
        let mapping = match &file.mapping {
            None => usual.mapping,
            Some(name) => {
                let named = NatMapping::ALL.into_iter().find(|m| m.as_str() == name);
                named.ok_or_else(|| {
                    let known = NatMapping::ALL.map(NatMapping::as_str);
                    let message = suggest::unknown("mapping", name, known);
                    Problem::new(at.key("mapping"), message)
                })?
            }
        };
        let ports = file
            .ports
            .map_or(usual.ports, |[first, last]| (first, last));
        if ports.0 == 0 || ports.0 > ports.1 {
            return Err(Problem::new(
                at.key("ports"),
                "`ports` must be two ports from 1 on, the smaller one first",
            )
            .help("write for example ports = [1024, 65535]"));
        }
        let time = |key: &str, value: Option<SimDuration>, usual: SimDuration| match value {
            Some(t) if t.is_zero() => Err(Problem::new(
                at.key(key),
                format!("`{key}` must be greater than zero"),
            )
            .help("write for example \"120 s\"")),
            other => Ok(other.unwrap_or(usual)),
        };
        Ok(NatGateway {
            addresses: at_least_one(file.addresses, "addresses", at)?,
            spec: NatSpec {
                ports,
                timeouts: NatTimeouts {
                    opening: time("opening", file.opening, usual.timeouts.opening)?,
                    established: time("established", file.established, usual.timeouts.established)?,
                    closing: time("closing", file.closing, usual.timeouts.closing)?,
                    closed: time("closed", file.closed, usual.timeouts.closed)?,
                    reset: time("reset", file.reset, usual.timeouts.reset)?,
                },
                mapping,
                keep_port: file.keep_port.unwrap_or(usual.keep_port),
                block: file.block.or(usual.block),
            },
        })
    }

    /// Everything written out.
    pub(super) fn to_file(self) -> NatFile {
        let NatSpec {
            ports,
            timeouts,
            mapping,
            keep_port,
            block,
        } = self.spec;
        let usual = NatSpec::default();
        NatFile {
            addresses: Some(self.addresses),
            profile: None,
            mapping: (mapping != usual.mapping).then(|| mapping.as_str().to_owned()),
            keep_port: keep_port.then_some(true),
            block,
            ports: Some([ports.0, ports.1]),
            opening: Some(timeouts.opening),
            established: Some(timeouts.established),
            closing: Some(timeouts.closing),
            closed: Some(timeouts.closed),
            reset: Some(timeouts.reset),
        }
    }
}
