//! One run: the unit of work. A complete scenario, which replica of it, and its identity.

use std::borrow::Cow;
use std::sync::Arc;

use serde::Serialize;
use sha2::{Digest, Sha256};
use sim_core::rng::mix;

use crate::aliases;
use crate::file::{RunFile, ScenarioFile};
use crate::path::DottedPath;
use crate::registry;
use crate::scenario::tcp::TcpSets;
use crate::scenario::topology::Topology;
use crate::scenario::workload::Workload;
use crate::scenario::{Fault, Scenario};

/// Raised whenever the same scenario gives other results: runs of another version are not reused.
pub const RESULTS_VERSION: u32 = 7;

/// One run to be made.
#[derive(Clone, Debug)]
pub struct RunSpec {
    /// The first 12 hexadecimal digits of the SHA-256 of everything that decides the results.
    pub id: String,
    /// What to run; shared by its replicas.
    pub scenario: Arc<Scenario>,
    /// Which replica, from 0.
    pub replica: u32,
    /// Seed of the run: of the scenario's seed and the replica, and of no swept value, so that
    /// variants meet the same arrivals and losses.
    pub seed: u64,
    /// Swept values, in the order of the axes.
    pub parameters: Vec<(String, String)>,
}

impl RunSpec {
    /// The run number `replica` of a scenario. A scenario read from a `run.toml` keeps the replica
    /// and the parameters it had.
    pub fn new(scenario: &Scenario, replica: u32, parameters: &[(String, String)]) -> RunSpec {
        let content = Content::default().text(scenario);
        RunSpec::with_content(Arc::new(scenario.clone()), replica, parameters, &content)
    }

    /// The same where the scenario's [`Content::text`] is known.
    pub(crate) fn with_content(
        scenario: Arc<Scenario>,
        replica: u32,
        parameters: &[(String, String)],
        content: &str,
    ) -> RunSpec {
        let mut replica = replica;
        let mut parameters = parameters.to_vec();
        if let Some(run) = &scenario.run {
            replica = replica.saturating_add(run.replica);
            let same = |a: &str, b: &str| a == b || place(a) == place(b);
            let earlier = run
                .parameters
                .iter()
                .filter(|[name, _]| parameters.iter().all(|(p, _)| !same(p, name)));
            let mut all: Vec<(String, String)> =
                earlier.map(|[p, v]| (p.clone(), v.clone())).collect();
            all.append(&mut parameters);
            parameters = all;
        }
        let seed = run_seed(scenario.seed, replica);
        let own = registry::versions(scenario.tcp.all());
        RunSpec {
            id: identity(content, &own, seed),
            scenario,
            replica,
            seed,
            parameters,
        }
    }

    /// `run.toml`: all that is needed to make the run again.
    pub fn text(&self) -> String {
        let run = RunFile {
            id: self.id.clone(),
            replica: self.replica,
            seed: format!("{:#018x}", self.seed),
            results_version: RESULTS_VERSION,
            parameters: self
                .parameters
                .iter()
                .map(|(p, v)| [p.clone(), v.clone()])
                .collect(),
        };
        // Nothing of the scenario's goes into the comment, where a line end would end it.
        let head = "# A run of synfin, complete: `synfin run run.toml` makes it again.\n\n";
        head.to_owned()
            + &canonical(&ScenarioFile {
                replicas: None,
                engine: None,
                figure: Vec::new(),
                run: Some(run),
                ..self.scenario.to_file()
            })
    }
}

/// The first digits of the hash of what decides the results.
/// `own`: the versions of what users have added.
fn identity(content: &str, own: &str, seed: u64) -> String {
    let mut hash = Sha256::new();
    hash.update(content);
    hash.update(own);
    hash.update(seed.to_be_bytes());
    hash.update(RESULTS_VERSION.to_be_bytes());
    let digits = hash.finalize();
    digits[..6]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// What decides the results of a scenario, as text: the scenario without replicas, engine and
/// figures, in canonical form. The long tables are written once for all scenarios that share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Content {
    /// The name, question and description that `texts` are of.
    named: [String; 3],
    /// These as lines. A long description takes longer to write than all the rest.
    texts: [String; 3],
    topology: Option<String>,
    tcp: Option<String>,
}

impl Content {
    /// For scenarios with this topology and these TCP parameters, where they are known.
    pub(crate) fn new(
        file: &ScenarioFile,
        topology: Option<&Topology>,
        tcp: Option<&TcpSets>,
    ) -> Content {
        let named = [&file.name, &file.question, &file.description].map(String::clone);
        Content {
            texts: std::array::from_fn(|i| text_line(i, &named[i])),
            named,
            topology: topology.map(topology_text),
            tcp: tcp.map(tcp_text),
        }
    }

    /// The text for a scenario.
    pub(crate) fn text(&self, scenario: &Scenario) -> String {
        let texts = [&scenario.name, &scenario.question, &scenario.description];
        let texts: [Cow<'_, str>; 3] = std::array::from_fn(|i| {
            if self.named[i] == *texts[i] {
                Cow::Borrowed(self.texts[i].as_str())
            } else {
                Cow::Owned(text_line(i, texts[i]))
            }
        });
        let [name, question, description] = &texts;
        let duration = section("duration", &scenario.duration);
        let seed = section("seed", &scenario.seed);
        let head = [description, &*duration, name, question, &seed].concat();
        let workloads: Vec<_> = scenario.workloads.iter().map(Workload::to_file).collect();
        let tcp = match &self.tcp {
            Some(known) => Cow::Borrowed(known),
            None => Cow::Owned(tcp_text(&scenario.tcp)),
        };
        let topology = match &self.topology {
            Some(known) => Cow::Borrowed(known),
            None => Cow::Owned(topology_text(&scenario.topology)),
        };
        let faults = if scenario.faults.is_empty() {
            String::new()
        } else {
            let faults: Vec<_> = scenario.faults.iter().map(Fault::to_file).collect();
            section("fault", &faults) + "\n"
        };
        // In the order of their keys, as in one canonical text.
        [
            head.as_str(),
            &(faults + &section("record", &scenario.record.to_file())),
            tcp.as_str(),
            topology.as_str(),
            &section("workload", &workloads),
        ]
        .join("\n")
    }
}

/// The line of a scenario's name, question or description; nothing for one that is empty and may be.
fn text_line(i: usize, text: &str) -> String {
    let keys = ["name", "question", "description"];
    if i > 0 && text.is_empty() {
        return String::new();
    }
    section(keys[i], &text)
}

fn tcp_text(tcp: &TcpSets) -> String {
    section("tcp", &tcp.to_file())
}

fn topology_text(topology: &Topology) -> String {
    section("topology", &topology.to_file())
}

/// A top-level key alone, in canonical form.
fn section(key: &str, value: &impl Serialize) -> String {
    let value = toml::Value::try_from(value).ok();
    let table: toml::Table = value.map(|v| (key.to_owned(), v)).into_iter().collect();
    toml::to_string(&table).unwrap_or_default()
}

/// A path to compare: other names of a TCP parameter are replaced by its own.
fn place(path: &str) -> Option<DottedPath> {
    path.parse().ok().map(|path| aliases::canonical(&path))
}

/// The seed of a replica.
pub fn run_seed(scenario: u64, replica: u32) -> u64 {
    mix(mix(scenario) ^ u64::from(replica))
}

/// A scenario as TOML with sorted keys: equal scenarios give equal text.
pub fn canonical(file: &ScenarioFile) -> String {
    // Through a table, whose keys are sorted. A scenario file is strings, numbers, lists and
    // tables with string keys, all of which TOML can say.
    toml::Table::try_from(file)
        .ok()
        .and_then(|table| toml::to_string(&table).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_is_the_canonical_text_in_parts() {
        for (entry, i) in crate::library::ALL.iter().zip(0..) {
            let mut file = crate::read::file(entry.text).unwrap();
            if i == 0 {
                file.fault.push(crate::file::fault::FaultFile {
                    node: "server".to_owned(),
                    at: Some(sim_core::SimDuration::from_secs(1)),
                    ..Default::default()
                });
            }
            let scenario = Scenario::new(&file).unwrap();
            let whole = canonical(&ScenarioFile {
                replicas: None,
                engine: None,
                figure: Vec::new(),
                run: None,
                ..scenario.to_file()
            });
            assert_eq!(Content::default().text(&scenario), whole, "{}", entry.name);
            let shared = Content::new(&file, Some(&scenario.topology), Some(&scenario.tcp));
            assert_eq!(shared.text(&scenario), whole, "{}", entry.name);
        }
    }

    #[test]
    fn seeds_of_replicas_differ_and_stay_as_they_are() {
        assert_eq!(run_seed(1, 0), mix(mix(1)));
        let seeds: std::collections::BTreeSet<u64> = (0..4)
            .flat_map(|s| (0..4).map(move |r| run_seed(s, r)))
            .collect();
        assert_eq!(seeds.len(), 16);
    }
}
