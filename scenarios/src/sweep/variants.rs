//! The variants of a sweep, read and checked without reading again what they have in common.
//!
//! A sweep of 10^5 values must not read its text 10^5 times, for the text itself grows with the
//! values. The text is parsed once; a variant reads the top-level tables that its values change,
//! and shares the checked topology and TCP parameters with the others where none changes them.

use std::sync::Arc;

use toml::{Table, Value};

use super::{Axis, Failure};
use crate::aliases;
use crate::file::ScenarioFile;
use crate::overrides::{By, Override};
use crate::path::{DottedPath, Step};
use crate::read;
use crate::run_spec::Content;
use crate::scenario::tcp::TcpSets;
use crate::scenario::{CheckedNetwork, Scenario, tcp_sets};

/// A scenario whose values vary.
pub(super) struct Variants<'a> {
    text: &'a str,
    changes: &'a [Override],
    axes: &'a [Axis],
    /// The text with the changes of the command line, without its sweep.
    table: Table,
    /// The same as it is read.
    file: ScenarioFile,
    network: Option<CheckedNetwork>,
    tcp: Option<Arc<TcpSets>>,
    content: Content,
}

impl<'a> Variants<'a> {
    pub(super) fn new(
        text: &'a str,
        changes: &'a [Override],
        axes: &'a [Axis],
        file: &ScenarioFile,
    ) -> Variants<'a> {
        let mut table: Table = text.parse().unwrap_or_default();
        for change in changes {
            // The file was read with all of them before.
            let _ = change.apply(&mut table);
        }
        table.remove("sweep");
        let mut file = file.clone();
        file.sweep = Table::new();
        let changed = |key: &str| {
            axes.iter()
                .any(|a| top_key(&a.path).as_deref() == Some(key))
        };
        // What is wrong with them is found with the first variant.
        let network = CheckedNetwork::new(&file).ok();
        let network = network.filter(|_| !changed("topology"));
        let sets = network.as_ref().filter(|_| !changed("tcp"));
        let tcp = sets.and_then(|n| tcp_sets(&file, &n.topology).ok());
        let tcp = tcp.map(Arc::new);
        let content = Content::new(
            &file,
            network.as_ref().map(|n| &*n.topology),
            tcp.as_deref(),
        );
        // What is known need not be copied for every variant.
        file.topology = file.topology.filter(|_| network.is_none());
        file.tcp = file.tcp.filter(|_| tcp.is_none());
        Variants {
            text,
            changes,
            axes,
            table,
            file,
            network,
            tcp,
            content,
        }
    }

    /// Number of combinations of values.
    pub(super) fn len(&self) -> usize {
        self.axes.iter().map(|a| a.values.len()).product()
    }

    /// The values of combination `i`, the last axis fastest.
    pub(super) fn values(&self, i: usize) -> Vec<&'a Value> {
        let mut rest = i;
        let mut values = Vec::with_capacity(self.axes.len());
        for axis in self.axes.iter().rev() {
            values.push(&axis.values[rest % axis.values.len()]);
            rest /= axis.values.len();
        }
        values.reverse();
        values
    }

    fn overrides(&self, i: usize) -> impl Iterator<Item = Override> {
        let values = self.axes.iter().zip(self.values(i));
        values.map(|(axis, value)| Override {
            path: axis.path.clone(),
            value: value.clone(),
            by: By::Sweep,
        })
    }

    /// The scenario of combination `i`, and what decides its results as text.
    ///
    /// # Errors
    /// What is wrong with it, in the words for the whole text.
    pub(super) fn scenario(&self, i: usize) -> Result<(Scenario, String), Failure> {
        let scenario = match self.quickly(i) {
            Some(scenario) => scenario,
            None => self.read_whole(i)?,
        };
        let text = self.content.text(&scenario);
        Ok((scenario, text))
    }

    /// Reads only the top-level tables that change; `None` when there is something to explain.
    fn quickly(&self, i: usize) -> Option<Scenario> {
        let mut changed = Table::new();
        for change in self.overrides(i) {
            let key = top_key(&change.path)?;
            if !changed.contains_key(&key)
                && let Some(value) = self.table.get(&key)
            {
                changed.insert(key, value.clone());
            }
            change.apply(&mut changed).ok()?;
        }
        let keys: Vec<String> = changed.keys().cloned().collect();
        let is_changed = |key: &String| {
            self.axes
                .iter()
                .any(|a| top_key(&a.path).as_ref() == Some(key))
        };
        if !keys.iter().all(is_changed) {
            return None; // a path that leads to another table than it names
        }
        changed.entry("name").or_insert("x".into());
        let mut read = read::table(changed).ok()?;
        let mut file = self.file.clone();
        for key in &keys {
            file.take(key, &mut read)?;
        }
        Scenario::with_shared(&file, self.network.as_ref(), self.tcp.as_ref()).ok()
    }

    /// The slow way, with the places and words of the text.
    fn read_whole(&self, i: usize) -> Result<Scenario, Failure> {
        let mut all = self.changes.to_vec();
        all.extend(self.overrides(i));
        let scenario = read::file_with(self.text, &all).and_then(|file| Scenario::new(&file));
        scenario.map_err(|problem| (problem, all))
    }
}

/// The top-level table that a path changes: of a parameter under another of its names, `tcp`.
fn top_key(path: &DottedPath) -> Option<String> {
    match aliases::canonical(path).0.into_iter().next() {
        Some(Step::Key(key)) => Some(key),
        _ => None,
    }
}
