//! Everything that determines the results of a scenario, as text for the hash.

use std::borrow::Cow;
use std::sync::OnceLock;

use serde::Serialize;
use tcp_model::params::{PARAMS, Param, ParamValue};

use crate::file::ScenarioFile;
use crate::scenario::tcp::TcpSets;
use crate::scenario::topology::Topology;
use crate::scenario::workload::Workload;
use crate::scenario::{NodeFault, RecordPlan, Scenario};

/// Everything that determines the results of a scenario, as text: the scenario without replicas, engine and
/// figures, in canonical form. Parts that the variants of a sweep share are serialised once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Content {
    /// The name, question and description that `texts` holds as lines.
    named: [String; 3],
    /// Their lines. A long description takes longer to serialise than everything else.
    texts: [String; 3],
    /// The workloads and `[record]` of the first variant, with the text of both.
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
            record: (scenario.record.clone(), record_text(&scenario.record)),
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
    /// Prepares for scenarios that mostly have the name, question and description of `file`.
    pub(crate) fn new(file: &ScenarioFile) -> Content {
        let named = [&file.name, &file.question, &file.description].map(String::clone);
        Content {
            texts: std::array::from_fn(|i| text_line(i, &named[i])),
            named,
            first: OnceLock::new(),
        }
    }

    /// Returns the text for a scenario; `topology` and `tcp` are given if already serialised.
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
        // Quantities contain no characters that need escaping.
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
            let faults: Vec<_> = scenario.faults.iter().map(NodeFault::to_file).collect();
            section("fault", &faults) + "\n"
        };
        let first = self.first.get_or_init(|| SharedTexts::new(scenario));
        let workloads = same(&first.workloads, &scenario.workloads, |w| workload_text(w));
        let record = same(&first.record, &scenario.record, record_text);
        let zh = scenario.zh.as_deref().map(|zh| section("zh", zh));
        // Sorted by key, as in the canonical form.
        let mut all = [
            head.as_str(),
            &(faults + &record),
            &tcp,
            &topology,
            &workloads,
        ]
        .join("\n");
        if let Some(zh) = zh {
            all.push('\n');
            all.push_str(&zh);
        }
        all
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

pub(super) fn tcp_text(tcp: &TcpSets) -> String {
    section("tcp", &tcp.to_file())
}

pub(crate) fn topology_text(topology: &Topology) -> String {
    section("topology", &topology.to_file())
}

/// Serialises TCP parameters, and reuses the lines of a first set if values are equal.
#[derive(Clone, Debug)]
pub(crate) struct TcpText {
    profile: String,
    /// A line for each key in order, with its parameter and value; the profile's line has neither.
    lines: Vec<ParameterLine>,
}

/// A parameter with its value, and its line of text.
type ParameterLine = (Option<(&'static Param, ParamValue)>, String);

impl TcpText {
    /// Prepares for sets that are mostly equal to `like`.
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

    /// Serialises a set line by line; `None` if a value contains tables.
    pub(super) fn quickly(&self, sets: &TcpSets) -> Option<String> {
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
            if matches!(value, ParamValue::Table(_)) {
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

/// A single top-level key, in canonical form.
fn section(key: &str, value: &impl Serialize) -> String {
    let value = toml::Value::try_from(value).ok();
    let table: toml::Table = value.map(|v| (key.to_owned(), v)).into_iter().collect();
    toml::to_string(&table).unwrap_or_default()
}
