//! Information about a run for its reports.

use reports::ideal::IdealPaths;
use reports::stats::WarmUpRule;
use reports::{LinkInfo, NodeInfo, RecordOptions, RunInfo, Translation};
use sim_core::{Network, NodeId};

use super::idle_paths;
use crate::analytic;
use crate::file::values::{SamplesChoice, WarmUpChoice};
use crate::outages;
use crate::parameters;
use crate::phase;
use crate::run_spec::RunSpec;
use crate::scenario::unix_ns;

/// Maximum number of ladder diagrams, and of lanes of the timeline, in a report.
const DIAGRAMS: u32 = 6;

/// The description of a run.
pub(super) fn info(spec: &RunSpec, network: &Network) -> RunInfo {
    let scenario = &spec.scenario;
    let nodes = network
        .nodes()
        .iter()
        .zip(scenario.topology.group_of_nodes())
        .zip(0u32..);
    let analytic = analytic::hints(scenario, network);
    // Swept values come first and are not repeated.
    let mut parameters = spec.parameters.clone();
    let others = parameters::shown(scenario).into_iter();
    parameters.extend(others.filter(|(name, _)| spec.parameters.iter().all(|(p, _)| p != name)));
    RunInfo {
        name: scenario.name.clone(),
        question: scenario.question.clone(),
        description: scenario.description.clone(),
        zh: scenario.zh.as_ref().map(|zh| Translation {
            question: zh.question.clone(),
            description: zh.description.clone(),
            ..Translation::default()
        }),
        command: "synfin run run.toml".to_owned(),
        parameters,
        seed: spec.seed,
        duration_s: scenario.duration.as_secs_f64(),
        nodes: nodes
            .map(|((node, group), i)| NodeInfo {
                name: node.name.clone(),
                group: group.to_owned(),
                addresses: network.addresses(NodeId(i)).collect(),
            })
            .collect(),
        links: network
            .links()
            .iter()
            .map(|l| LinkInfo {
                from: l.from.0,
                to: l.to.0,
                rate_bps: l.rate.map(|r| r.as_bps() as f64),
                delay_s: l.delay.as_secs_f64(),
            })
            .collect(),
        paths: match scenario.record.slowdown {
            true => idle_paths::of(scenario, network),
            false => IdealPaths::default(),
        },
        outages: outages::named(scenario),
        expectations: spec.expectations.clone(),
        record: RecordOptions {
            interval_s: scenario.record.census_interval.as_secs_f64(),
            states: scenario.record.states,
            connections: scenario.record.connections,
            segments: scenario.record.segments,
            all_samples: scenario.record.samples == SamplesChoice::All,
            samples_every_s: match scenario.record.samples {
                SamplesChoice::Every(every) => Some(every.as_secs_f64()),
                SamplesChoice::Grid | SamplesChoice::All => None,
            },
            pcapng: scenario.record.pcap,
            capture_filter: scenario.record.pcap_filter.resolve(&|name| {
                let named = scenario.topology.nodes_named(name).into_iter();
                named.flat_map(|node| network.addresses(node)).collect()
            }),
            capture_start_ns: scenario.record.pcap_start.and_then(unix_ns).unwrap_or(0),
            steady_s: analytic::steady(scenario, &analytic, network),
            diagrams: DIAGRAMS,
            warm_up: scenario.record.warm_up.map(|rule| match rule {
                WarmUpChoice::Mser5 => WarmUpRule::Mser5,
                WarmUpChoice::Lasts(time) => WarmUpRule::After(time.as_secs_f64()),
            }),
            histograms: scenario.record.histograms,
            slowdown: scenario.record.slowdown,
        },
        phase_risk: phase::risk(scenario, network),
        analytic,
    }
}
