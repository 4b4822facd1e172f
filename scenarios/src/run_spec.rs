//! One run: the unit of work. A complete scenario, which replica of it, and its identity.

use sha2::{Digest, Sha256};
use sim_core::rng::mix;

use crate::file::{RunFile, ScenarioFile};
use crate::scenario::Scenario;

/// Raised whenever the same scenario gives other results: runs of another version are not reused.
pub const RESULTS_VERSION: u32 = 4;

/// One run to be made.
#[derive(Clone, Debug)]
pub struct RunSpec {
    /// The first 12 hexadecimal digits of the SHA-256 of everything that decides the results.
    pub id: String,
    /// What to run.
    pub scenario: Scenario,
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
        let mut replica = replica;
        let mut parameters = parameters.to_vec();
        if let Some(run) = &scenario.run {
            replica = replica.saturating_add(run.replica);
            let earlier = run
                .parameters
                .iter()
                .filter(|[name, _]| parameters.iter().all(|(p, _)| p != name));
            let mut all: Vec<(String, String)> =
                earlier.map(|[p, v]| (p.clone(), v.clone())).collect();
            all.append(&mut parameters);
            parameters = all;
        }
        let mut spec = RunSpec {
            id: String::new(),
            scenario: scenario.clone(),
            replica,
            seed: run_seed(scenario.seed, replica),
            parameters,
        };
        spec.id = spec.identity();
        spec
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
        let head = format!(
            "# A run of synfin, complete: `synfin run run.toml` makes it again.\n# {}\n\n",
            self.scenario.question
        );
        head + &canonical(&ScenarioFile {
            run: Some(run),
            ..self.content()
        })
    }

    /// What decides the results, and what they are called.
    fn content(&self) -> ScenarioFile {
        ScenarioFile {
            replicas: None,
            engine: None,
            figure: Vec::new(),
            run: None,
            ..self.scenario.to_file()
        }
    }

    fn identity(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(canonical(&self.content()));
        hash.update(self.seed.to_be_bytes());
        hash.update(RESULTS_VERSION.to_be_bytes());
        hash.finalize()[..6]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
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
    fn seeds_of_replicas_differ_and_stay_as_they_are() {
        assert_eq!(run_seed(1, 0), mix(mix(1)));
        let seeds: std::collections::BTreeSet<u64> = (0..4)
            .flat_map(|s| (0..4).map(move |r| run_seed(s, r)))
            .collect();
        assert_eq!(seeds.len(), 16);
    }
}
