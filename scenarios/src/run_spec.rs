//! One run, the unit of work: a complete scenario, the number of its replica, and its identity.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use reports::Expectation;
use reports::text::{is_hidden, visible};
use serde::Serialize;
use sha2::{Digest, Sha256};
use sim_core::rng::mix;
use tcp_model::params::{PARAMS, Param, Value};

use crate::aliases;
use crate::dotted_path::DottedPath;
use crate::file::{RunFile, ScenarioFile};
use crate::registry;
use crate::scenario::tcp::TcpSets;
use crate::scenario::topology::Topology;
use crate::scenario::workload::Workload;
use crate::scenario::{Fault, RecordPlan, Scenario};

/// Raised whenever the same scenario gives different results: runs of another version are not reused.
pub const RESULTS_VERSION: u32 = 16;

/// One run to execute.
#[derive(Clone, Debug)]
pub struct RunSpec {
    /// The first 12 hexadecimal digits of the SHA-256 of everything that determines the results.
    pub id: String,
    /// What to run; shared by its replicas.
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
    /// The run number `replica` of a scenario. A scenario read from a `run.toml` keeps its replica and
    /// parameters.
    pub fn new(scenario: &Scenario, replica: u32, parameters: &[(String, String)]) -> RunSpec {
        let content = Content::default().text(scenario, None, None);
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

    /// `run.toml`: all that is needed to repeat the run.
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
        // Text of the scenario must not go into the comment, which a newline would end.
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

/// The first digits of the hash of everything that determines the results. `own`: the versions of users'
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

/// Everything that determines the results of a scenario, as text: the scenario without replicas, engine and
/// figures, in canonical form. Parts that the variants of a sweep share are serialised once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Content {
    /// The name, question and description that `texts` holds as lines.
    named: [String; 3],
    /// Those as lines. A long description takes longer to serialise than all the rest.
    texts: [String; 3],
    /// The workloads and `[record]` of the first variant, and both as text.
    first: OnceLock<SharedTexts>,
}

#[derive(Clone, Debug)]
struct SharedTexts {
    workloads: (Vec<Workload>, String),
    record: (RecordPlan, String),
}

impl SharedTexts {
    fn new(scenario: &Scenario) -> SharedTexts {
        SharedTexts {
            workloads: (
                scenario.workloads.clone(),
                workload_text(&scenario.workloads),
            ),
            record: (scenario.record, record_text(&scenario.record)),
        }
    }
}

/// The cached text, if it belongs to an equal value.
fn same<'a, T: PartialEq>(
    known: &'a (T, String),
    value: &T,
    write: fn(&T) -> String,
) -> Cow<'a, str> {
    if known.0 == *value {
        Cow::Borrowed(&known.1)
    } else {
        Cow::Owned(write(value))
    }
}

impl Content {
    /// For scenarios that mostly have this name, question and description.
    pub(crate) fn new(file: &ScenarioFile) -> Content {
        let named = [&file.name, &file.question, &file.description].map(String::clone);
        Content {
            texts: std::array::from_fn(|i| text_line(i, &named[i])),
            named,
            first: OnceLock::new(),
        }
    }

    /// The text for a scenario; `topology` and `tcp` are given if already serialised.
    pub(crate) fn text(
        &self,
        scenario: &Scenario,
        topology: Option<&str>,
        tcp: Option<&str>,
    ) -> String {
        let texts = [&scenario.name, &scenario.question, &scenario.description];
        let texts: [Cow<'_, str>; 3] = std::array::from_fn(|i| {
            if self.named[i] == *texts[i] {
                Cow::Borrowed(self.texts[i].as_str())
            } else {
                Cow::Owned(text_line(i, texts[i]))
            }
        });
        let [name, question, description] = &texts;
        // Quantities contain nothing that needs escaping.
        let duration = format!("duration = \"{}\"\n", scenario.duration);
        let seed = section("seed", &scenario.seed);
        let head = [description, &*duration, name, question, &seed].concat();
        let tcp = tcp.map_or_else(|| Cow::Owned(tcp_text(&scenario.tcp)), Cow::Borrowed);
        let topology = topology.map_or_else(
            || Cow::Owned(topology_text(&scenario.topology)),
            Cow::Borrowed,
        );
        let faults = if scenario.faults.is_empty() {
            String::new()
        } else {
            let faults: Vec<_> = scenario.faults.iter().map(Fault::to_file).collect();
            section("fault", &faults) + "\n"
        };
        let first = self.first.get_or_init(|| SharedTexts::new(scenario));
        let workloads = same(&first.workloads, &scenario.workloads, |w| workload_text(w));
        let record = same(&first.record, &scenario.record, record_text);
        // Sorted by key, as in the canonical form.
        [
            head.as_str(),
            &(faults + &record),
            &tcp,
            &topology,
            &workloads,
        ]
        .join("\n")
    }
}

/// The line of a scenario's name, question or description; an empty question or description has none.
fn text_line(i: usize, text: &str) -> String {
    let keys = ["name", "question", "description"];
    if i > 0 && text.is_empty() {
        return String::new();
    }
    section(keys[i], &text)
}

fn workload_text(workloads: &[Workload]) -> String {
    let workloads: Vec<_> = workloads.iter().map(Workload::to_file).collect();
    section("workload", &workloads)
}

fn record_text(record: &RecordPlan) -> String {
    section("record", &record.to_file())
}

fn tcp_text(tcp: &TcpSets) -> String {
    section("tcp", &tcp.to_file())
}

pub(crate) fn topology_text(topology: &Topology) -> String {
    section("topology", &topology.to_file())
}

/// Serialises TCP parameters, reusing the lines of a first set where values are equal.
#[derive(Clone, Debug)]
pub(crate) struct TcpText {
    profile: String,
    /// A line for each key in order, with its parameter and value; the profile's line has neither.
    lines: Vec<ParameterLine>,
}

/// A parameter with its value, and its line of text.
type ParameterLine = (Option<(&'static Param, Value)>, String);

impl TcpText {
    /// For sets that are mostly equal to this one.
    pub(crate) fn new(like: &TcpSets) -> TcpText {
        let base = &like.base;
        let mut lines: Vec<(&str, ParameterLine)> = Vec::with_capacity(PARAMS.len() + 1);
        for param in PARAMS {
            let value = param.get(&base.params);
            let line = section(param.key, &value);
            lines.push((param.key, (Some((param, value)), line)));
        }
        let profile = section("profile", &base.profile);
        lines.push(("profile", (None, profile)));
        lines.sort_by_key(|(key, _)| *key);
        TcpText {
            profile: base.profile.clone(),
            lines: lines.into_iter().map(|(_, line)| line).collect(),
        }
    }

    /// The text of a set.
    pub(crate) fn of(&self, sets: &TcpSets) -> String {
        self.quickly(sets).unwrap_or_else(|| tcp_text(sets))
    }

    /// Line by line; `None` if a value contains tables.
    fn quickly(&self, sets: &TcpSets) -> Option<String> {
        if !sets.groups.is_empty() || sets.base.profile != self.profile {
            return None;
        }
        let mut text = String::from("[tcp]\n");
        for (of, line) in &self.lines {
            let Some((param, known)) = of else {
                text.push_str(line);
                continue;
            };
            let value = param.get(&sets.base.params);
            if matches!(value, Value::Table(_)) {
                return None;
            } else if value == *known {
                text.push_str(line);
            } else {
                text.push_str(&section(param.key, &value));
            }
        }
        Some(text)
    }
}

/// A top-level key alone, in canonical form.
fn section(key: &str, value: &impl Serialize) -> String {
    let value = toml::Value::try_from(value).ok();
    let table: toml::Table = value.map(|v| (key.to_owned(), v)).into_iter().collect();
    toml::to_string(&table).unwrap_or_default()
}

/// A path in comparable form: a TCP parameter under its main name.
fn place(path: &str) -> Option<DottedPath> {
    path.parse().ok().map(|path| aliases::canonical(&path))
}

/// The seed of a replica.
pub fn run_seed(scenario: u64, replica: u32) -> u64 {
    mix(mix(scenario) ^ u64::from(replica))
}

/// A scenario as TOML with sorted keys: equal scenarios give equal text.
pub fn canonical(file: &ScenarioFile) -> String {
    // A TOML table sorts its keys. A scenario file consists of strings, numbers, lists and tables with
    // string keys, all of which TOML can represent.
    let Ok(mut table) = toml::Table::try_from(file) else {
        return String::new();
    };
    let mut has_hidden = false;
    for (_, value) in &mut table {
        has_hidden |= force_escapes(value);
    }
    let text = toml::to_string(&table).unwrap_or_default();
    if has_hidden {
        visible(&text).replace(FORCED, "")
    } else {
        text
    }
}

/// A marker that makes the TOML writer choose the kind of quotes in which `\u0085` is an escape, and the
/// form in which the marker is written.
const FORCING: &str = "\u{1}\u{2}\u{3}\u{1}";
const FORCED: &str = "\\u0001\\u0002\\u0003\\u0001";

/// Marks strings with invisible characters that TOML allows unescaped, such as U+0085; true when there is
/// one.
fn force_escapes(value: &mut toml::Value) -> bool {
    match value {
        toml::Value::String(text) => {
            let found = text.chars().any(|c| !c.is_ascii() && is_hidden(c));
            if found {
                text.push_str(FORCING);
            }
            found
        }
        toml::Value::Array(list) => {
            let found = list.iter_mut().map(force_escapes);
            found.fold(false, |any, one| any | one)
        }
        toml::Value::Table(table) => {
            let found = table.iter_mut().map(|(_, value)| force_escapes(value));
            found.fold(false, |any, one| any | one)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::tcp::TcpFile;

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
