//! Reads and checks the variants of a sweep; parts that they share are read only once.
//!
//! The text grows with the number of swept values, so a sweep of 10^5 values must not parse it 10^5 times.
//! It is parsed once. A top-level table is read once for every combination of the values that change it:
//! five axes of ten values that change five different tables need fifty reads, not half a million. Checks
//! across tables are made for every variant.

use std::sync::{Arc, OnceLock};

use toml::Table;

use super::{PlanProblem, SweepAxis};
use crate::aliases;
use crate::dotted_path::{DottedPath, PathStep};
use crate::file::ScenarioFile;
use crate::overrides::Override;
use crate::read;
use crate::run_spec::{Content, TcpText, topology_text};
use crate::scenario::tcp::TcpSets;
use crate::scenario::{CheckedNetwork, Scenario, tcp_sets};

/// A scenario with varying values.
pub(super) struct Variants<'a> {
    text: &'a str,
    changes: &'a [Override],
    axes: &'a [SweepAxis],
    /// The text with the changes of the command line, without its sweep.
    table: Table,
    /// The scenario as read, without `tables`.
    file: ScenarioFile,
    /// The tables that vary, and `[topology]` and `[tcp]`, which take the longest to check.
    tables: Vec<VariedTable>,
    content: Content,
    tcp_text: OnceLock<TcpText>,
}

/// A top-level table.
struct VariedTable {
    key: String,
    /// The axes that change it, by number.
    axes: Vec<usize>,
    /// The cached result for each combination of their values; empty if each is needed only once.
    known: Vec<OnceLock<Option<Arc<CheckedTable>>>>,
}

/// A top-level table with given values, read and checked.
enum CheckedTable {
    Topology {
        network: CheckedNetwork,
        groups: Vec<String>,
        text: String,
    },
    Tcp {
        file: Box<ScenarioFile>,
        /// Checked for the groups of the first topology it was used with.
        checked: OnceLock<Option<CheckedTcp>>,
    },
    Other(Box<ScenarioFile>),
}

/// TCP parameters, checked for some groups of hosts.
struct CheckedTcp {
    sets: Arc<TcpSets>,
    groups: Vec<String>,
    text: String,
}

impl<'a> Variants<'a> {
    /// `table` is the whole text; `file` is the same with the changes of the command line.
    pub(super) fn new(
        text: &'a str,
        mut table: Table,
        changes: &'a [Override],
        axes: &'a [SweepAxis],
        file: &ScenarioFile,
    ) -> Variants<'a> {
        for change in changes {
            // The file has already been read with all changes, so they cannot fail.
            let _ = change.apply(&mut table);
        }
        table.remove("sweep");
        table.remove("variant");
        table.remove("expect");
        let mut file = file.clone();
        file.sweep = Table::new();
        file.variant = Vec::new();
        file.expect = Vec::new();
        let content = Content::new(&file);
        file.topology = None;
        file.tcp = None;
        let keys = axes.iter().flat_map(SweepAxis::paths).filter_map(top_key);
        let mut tables: Vec<VariedTable> = Vec::new();
        for key in keys.chain(["topology", "tcp"].map(str::to_owned)) {
            if tables.iter().all(|t| t.key != key) {
                tables.push(VariedTable::new(key, axes));
            }
        }
        Variants {
            text,
            changes,
            axes,
            table,
            file,
            tables,
            content,
            tcp_text: OnceLock::new(),
        }
    }

    /// The index of each axis' value in combination `i`.
    pub(super) fn places(&self, i: usize) -> Vec<usize> {
        places(self.axes, i)
    }

    /// Returns the scenario of combination `i`, and its [`Content`](crate::run_spec::Content) as text.
    ///
    /// # Errors
    /// The same message as for the whole text.
    pub(super) fn scenario(&self, i: usize) -> Result<(Scenario, String), PlanProblem> {
        if let Some(made) = self.quickly(i) {
            return Ok(made);
        }
        let scenario = self.read_whole(i)?;
        let text = self.content.text(&scenario, None, None);
        Ok((scenario, text))
    }

    /// Reads and checks only the parts that are not cached; `None` if there is an error to explain.
    fn quickly(&self, i: usize) -> Option<(Scenario, String)> {
        let places = self.places(i);
        let mut file = self.file.clone();
        let (mut topology, mut tcp) = (None, None);
        for table in &self.tables {
            let known = self.known(table, &places)?;
            match &*known {
                CheckedTable::Topology { .. } => topology = Some(known),
                CheckedTable::Tcp { .. } => tcp = Some(known),
                CheckedTable::Other(read) => file.take(&table.key, &mut read.clone())?,
            }
        }
        let (topology, tcp) = (topology?, tcp?);
        let (
            CheckedTable::Topology {
                network,
                groups,
                text,
            },
            CheckedTable::Tcp {
                file: read,
                checked,
            },
        ) = (&*topology, &*tcp)
        else {
            return None;
        };
        let first = checked.get_or_init(|| self.checked(read, network, groups));
        let own;
        let tcp = match first {
            Some(tcp) if tcp.groups == *groups => tcp,
            _ => {
                own = self.checked(read, network, groups)?;
                &own
            }
        };
        let scenario = Scenario::with_shared(&file, Some(network), Some(&tcp.sets)).ok()?;
        let text = self.content.text(&scenario, Some(text), Some(&tcp.text));
        Some((scenario, text))
    }

    fn checked(
        &self,
        file: &ScenarioFile,
        network: &CheckedNetwork,
        groups: &[String],
    ) -> Option<CheckedTcp> {
        let sets = tcp_sets(file, &network.topology).ok()?;
        let like = self.tcp_text.get_or_init(|| TcpText::new(&sets));
        Some(CheckedTcp {
            text: like.of(&sets),
            sets: Arc::new(sets),
            groups: groups.to_vec(),
        })
    }

    /// A table with the values at these indices.
    fn known(&self, table: &VariedTable, places: &[usize]) -> Option<Arc<CheckedTable>> {
        let read = || self.read(table, places).map(Arc::new);
        match table.known.get(table.combination(self.axes, places)) {
            Some(known) => known.get_or_init(read).clone(),
            None => read(),
        }
    }

    fn read(&self, table: &VariedTable, places: &[usize]) -> Option<CheckedTable> {
        let key = &table.key;
        let mut written = Table::new();
        if let Some(value) = self.table.get(key) {
            written.insert(key.clone(), value.clone());
        }
        for &i in &table.axes {
            for change in self.axes[i].changes(places[i]) {
                if top_key(&change.path).as_ref() == Some(key) {
                    change.apply(&mut written).ok()?;
                }
            }
        }
        if written.keys().any(|k| k != key) {
            return None; // a path that leads to another table than it names
        }
        written.entry("name").or_insert("x".into());
        let file = read::table(written).ok()?;
        Some(match key.as_str() {
            "topology" => {
                let network = CheckedNetwork::new(&file).ok()?;
                if table.axes.is_empty() {
                    network.topology.keep(&network.network);
                }
                CheckedTable::Topology {
                    groups: network.topology.groups(),
                    text: topology_text(&network.topology),
                    network,
                }
            }
            "tcp" => CheckedTable::Tcp {
                file: Box::new(file),
                checked: OnceLock::new(),
            },
            _ => CheckedTable::Other(Box::new(file)),
        })
    }

    /// Reads the whole text, which is slow but gives errors with positions in the text.
    fn read_whole(&self, i: usize) -> Result<Scenario, PlanProblem> {
        let mut all = self.changes.to_vec();
        let values = self.axes.iter().zip(self.places(i));
        all.extend(values.flat_map(|(axis, place)| axis.changes(place)));
        let scenario = read::file_with(self.text, &all).and_then(|file| Scenario::new(&file));
        scenario.map_err(|problem| (problem, all))
    }
}

/// The index of each axis' value in combination `i`; the last axis varies fastest.
pub(super) fn places(axes: &[SweepAxis], i: usize) -> Vec<usize> {
    let mut rest = i;
    let mut places = vec![0; axes.len()];
    for (place, axis) in places.iter_mut().zip(axes).rev() {
        *place = rest % axis.values.len();
        rest /= axis.values.len();
    }
    places
}

impl VariedTable {
    fn new(key: String, all: &[SweepAxis]) -> VariedTable {
        let changes = |a: &SweepAxis| a.paths().any(|path| top_key(path).as_ref() == Some(&key));
        let axes: Vec<usize> = (0..all.len()).filter(|&i| changes(&all[i])).collect();
        let combinations: usize = axes.iter().map(|&i| all[i].values.len()).product();
        let variants: usize = all.iter().map(|a| a.values.len()).product();
        let mut known = Vec::new();
        if combinations < variants || variants == 1 {
            known.resize_with(combinations, OnceLock::new);
        }
        VariedTable { key, axes, known }
    }

    /// The number of the combination of the values that change this table.
    fn combination(&self, all: &[SweepAxis], places: &[usize]) -> usize {
        let axes = self.axes.iter();
        axes.fold(0, |n, &i| n * all[i].values.len() + places[i])
    }
}

/// The top-level table that a path changes; `tcp` for any name of a TCP parameter.
fn top_key(path: &DottedPath) -> Option<String> {
    match aliases::canonical(path).0.into_iter().next() {
        Some(PathStep::Key(key)) => Some(key),
        _ => None,
    }
}
