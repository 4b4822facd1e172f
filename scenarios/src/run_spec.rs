//! One run, the unit of work: a complete scenario, a replica number, and an identity.

mod canonical;
mod content;

use std::sync::Arc;

use reports::Expectation;
use sha2::{Digest, Sha256};
use sim_core::rng::mix;

use crate::aliases;
use crate::dotted_path::DottedPath;
use crate::file::{RunFile, ScenarioFile};
use crate::registry;
use crate::scenario::Scenario;

pub use canonical::canonical;
pub(crate) use content::{Content, TcpText, topology_text};

/// Version of the results. It is raised whenever the same scenario gives different results; runs of another
/// version are not reused.
pub const RESULTS_VERSION: u32 = 24;

/// One run to execute.
#[derive(Clone, Debug)]
pub struct RunSpec {
    /// The first 12 hexadecimal digits of the SHA-256 of everything that determines the results.
    pub id: String,
    /// The scenario, shared by its replicas.
    pub scenario: Arc<Scenario>,
    /// Which replica, from 0.
    pub replica: u32,
    /// Seed of the run, derived from the scenario's seed and the replica, but not from swept values, so
    /// that variants meet the same arrivals and losses.
    pub seed: u64,
    /// Swept values, in the order of the axes.
    pub parameters: Vec<(String, String)>,
    /// The expectations on it, if it is the only run of its plan; not part of its identity.
    pub expectations: Vec<Expectation>,
}

impl RunSpec {
    /// Creates replica number `replica` of a scenario. A scenario read from a `run.toml` keeps its replica
    /// and parameters.
    pub fn new(scenario: &Scenario, replica: u32, parameters: &[(String, String)]) -> RunSpec {
        let content = Content::default().text(scenario, None, None);
        RunSpec::with_content(Arc::new(scenario.clone()), replica, parameters, &content)
    }

    /// The same if the scenario's [`Content::text`] is known.
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
        let own = registry::versions(&scenario);
        RunSpec {
            id: identity(content, &own, seed),
            scenario,
            replica,
            seed,
            parameters,
            expectations: Vec::new(),
        }
    }

    /// Returns the text of `run.toml`: everything needed to repeat the run.
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
        // The comment must not contain text of the scenario, because a newline would end it.
        let head = "# A run of synfin, complete: `synfin run run.toml` repeats it.\n\n";
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

/// The first digits of the hash of everything that determines the results. `own` has the versions of a user's
/// own parts.
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

/// A path in comparable form: a TCP parameter under its canonical name.
fn place(path: &str) -> Option<DottedPath> {
    path.parse().ok().map(|path| aliases::canonical(&path))
}

/// Returns the seed of a replica.
pub fn run_seed(scenario: u64, replica: u32) -> u64 {
    mix(mix(scenario) ^ u64::from(replica))
}

#[cfg(test)]
mod tests {
    use reports::text::is_hidden;

    use super::content::tcp_text;
    use super::*;
    use crate::file::tcp::TcpFile;
    use crate::scenario::tcp::TcpSets;

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
            let text = Content::default().text(&scenario, None, None);
            assert_eq!(text, whole, "{}", entry.name);
            let topology = topology_text(&scenario.topology);
            let linux = TcpText::new(&TcpSets::new(&TcpFile::default(), &[]).unwrap());
            let tcp = linux.of(&scenario.tcp);
            let shared = Content::new(&file);
            for _ in 0..2 {
                let text = shared.text(&scenario, Some(&topology), Some(&tcp));
                assert_eq!(text, whole, "{}", entry.name);
            }
        }
    }

    #[test]
    fn a_set_of_parameters_is_written_the_same_line_by_line() {
        let sets = |text: &str| {
            let file: TcpFile = toml::from_str(text).unwrap();
            TcpSets::new(&file, &["client".to_owned()]).unwrap()
        };
        let linux = TcpText::new(&sets(""));
        for text in [
            "",
            "time_wait = \"1 s\"\ntw_reuse = true\ntcp_rmem = \"4096 65536 1000000\"",
            "congestion = { kind = \"cubic\", hystart = false }",
            "congestion = \"vegas\"\nfin_timeout = \"never\"\nip_local_port_range = [2000, 3000]",
            "profile = \"freebsd\"",
            "[host.client]\ntime_wait = \"1 s\"",
        ] {
            assert_eq!(linux.of(&sets(text)), tcp_text(&sets(text)), "{text}");
            let own = TcpText::new(&sets(text));
            assert_eq!(own.of(&sets(text)), tcp_text(&sets(text)), "{text}");
        }
        assert!(linux.quickly(&sets("time_wait = \"1 s\"")).is_some());
    }

    #[test]
    fn characters_that_are_not_seen_are_escapes_in_a_run_file() {
        let text = "name = \"x\"\nduration = \"1 s\"\n[topology]\nkind = \"pair\"\npath = { delay = \"1 ms\" }\n\
                    [[workload]]\narrivals = { kind = \"burst\", count = 1 }\n";
        for question in [
            "a\u{85}b",
            "it's \u{9b}31m \"red\"",
            "two\nlines \u{202e}''",
            "C:\\x\u{85}",
        ] {
            let mut file = crate::read::file(text).unwrap();
            file.question = question.to_owned();
            let run = RunSpec::new(&Scenario::new(&file).unwrap(), 0, &[]);
            let written = run.text();
            assert!(!written.chars().any(is_hidden), "{written}");
            let again = crate::read::file(&written).unwrap();
            assert_eq!(again.question, question, "{written}");
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
