//! The data that figures read from the tables of a run.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::Drawn;
use super::conversation::{Conversation, conversations};
use super::senders::{Senders, senders};
use crate::bilingual::Language;
use crate::findings::SMALL;
use crate::info::OutageKind;
use crate::store::reader::{Groups, Table};
use crate::store::{RunSummary, StoreError};

/// The data for figures.
#[derive(Debug)]
pub(crate) struct RunData<'a> {
    dir: &'a Path,
    pub(crate) summary: &'a RunSummary,
    /// The language of titles, captions and labels.
    pub(crate) language: Language,
    pub(crate) outcomes: Option<Table>,
    pub(crate) senders: Senders,
    /// The first connections, as many as there are diagrams.
    pub(crate) conversations: Vec<Conversation>,
    /// When nodes or links were down, seconds.
    pub(crate) outages: Vec<(f64, f64)>,
    has_states: bool,
    /// Censuses that figures have requested, by scope.
    censuses: Mutex<BTreeMap<String, Option<Arc<CensusRows>>>>,
}

impl RunData<'_> {
    /// Reads the data shared by several figures; unreadable parts are absent and named in `drawn`.
    pub(crate) fn read<'a>(
        dir: &'a Path,
        summary: &'a RunSummary,
        language: Language,
        drawn: &mut Drawn,
    ) -> RunData<'a> {
        let diagrams = summary.info.record.diagrams as usize;
        RunData {
            dir,
            summary,
            language,
            outcomes: drawn.part("table of outcomes", dir, || {
                Ok(Table::read(dir, "outcomes")?.filter(|t| !t.is_empty()))
            }),
            senders: drawn.part("samples of senders", dir, || senders(dir)),
            conversations: drawn.part("segments and states of connections", dir, || {
                conversations(dir, diagrams)
            }),
            outages: summary
                .info
                .outages
                .iter()
                .map(|o| (o.from_s, o.to_s.unwrap_or(f64::MAX)))
                .collect(),
            has_states: drawn.part("table of states", dir, || {
                Ok(Groups::open(dir, "states", &[])?.is_some_and(|g| g.rows() > 0))
            }),
            censuses: Mutex::default(),
        }
    }

    /// A table of bounded size; `None` if the run has none.
    pub(crate) fn table(&self, name: &str) -> Result<Option<Table>, StoreError> {
        Table::read(self.dir, name)
    }

    /// Columns of a table of any size; `None` if the run has none.
    pub(crate) fn groups(
        &self,
        name: &str,
        columns: &[&str],
    ) -> Result<Option<Groups>, StoreError> {
        Groups::open(self.dir, name, columns)
    }

    /// The caption's note on outages; empty without outages.
    pub(crate) fn shading(&self) -> &'static str {
        let mut kinds = self.summary.info.outages.iter().map(|o| o.kind);
        let language = self.language;
        if self.outages.is_empty() {
            ""
        } else if kinds.all(|kind| kind == OutageKind::Down) {
            language.pick(
                " Grey: outages of nodes or links.",
                " 灰色：节点或链路停机。",
            )
        } else {
            language.pick(
                " Grey: faults (outages, pauses, clocks that wrap around).",
                " 灰色：故障（停机、暂停、时钟回绕）。",
            )
        }
    }

    /// True for runs with few connections, which ladders and the timeline show better than socket
    /// counts.
    pub(crate) fn is_small(&self) -> bool {
        let attempted = self.summary.metrics.get("connects_attempted");
        self.has_states && attempted.is_some_and(|n| *n < SMALL)
    }

    /// Rows of the census of one scope, read once for all figures; if there are very many, every n-th.
    pub(crate) fn census_of(&self, scope: &str) -> Result<Option<Arc<CensusRows>>, StoreError> {
        // A figure that panics leaves only complete entries behind.
        let mut known = self.censuses.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(census) = known.get(scope) {
            return Ok(census.clone());
        }
        let census = self.read_census(scope)?.map(Arc::new);
        known.insert(scope.to_owned(), census.clone());
        Ok(census)
    }

    fn read_census(&self, scope: &str) -> Result<Option<CensusRows>, StoreError> {
        let states = tcp_model::State::ALL[1..].iter().map(|s| s.name());
        let counts: Vec<&'static str> = states.chain(["ports_in_use"]).collect();
        let columns: Vec<&str> = counts.iter().copied().chain(["time_s", "scope"]).collect();
        let groups = Groups::open(self.dir, "census", &columns)?;
        let Some(mut groups) = groups.filter(|g| g.rows() > 0) else {
            return Ok(None);
        };
        let mut census = CensusRows::new(&counts);
        while let Some(group) = groups.next_group()? {
            let (times, scopes) = (group.floats("time_s")?, group.texts("scope")?);
            let all = counts.iter().map(|name| group.ints(name));
            let all = all.collect::<Result<Vec<_>, _>>()?;
            let Some(wanted) = scopes.different().iter().position(|s| s == scope) else {
                continue;
            };
            for i in (0..group.len()).filter(|&i| scopes.place(i) == wanted) {
                census.push(times[i], all.iter().map(|column| column[i] as f64));
            }
        }
        Ok(Some(census))
    }
}

/// Most points of a curve: more than a figure has pixels.
const MOST_POINTS: usize = 1 << 15;

/// A scope's sockets over time.
#[derive(Debug)]
pub(crate) struct CensusRows {
    pub(crate) times: Vec<f64>,
    names: Vec<&'static str>,
    columns: Vec<Vec<f64>>,
    /// Only every n-th row is kept.
    stride: u64,
    seen: u64,
}

impl CensusRows {
    fn new(names: &[&'static str]) -> CensusRows {
        CensusRows {
            times: Vec::new(),
            names: names.to_vec(),
            columns: vec![Vec::new(); names.len()],
            stride: 1,
            seen: 0,
        }
    }

    /// Adds a row; when there are too many, every other one is dropped.
    fn push(&mut self, time: f64, counts: impl Iterator<Item = f64>) {
        let keeps = self.seen.is_multiple_of(self.stride);
        self.seen += 1;
        if !keeps {
            return;
        }
        self.times.push(time);
        for (column, count) in self.columns.iter_mut().zip(counts) {
            column.push(count);
        }
        if self.times.len() > MOST_POINTS {
            let columns = self.columns.iter_mut();
            for column in columns.chain([&mut self.times]) {
                let mut keep = false;
                column.retain(|_| {
                    keep = !keep;
                    keep
                });
            }
            self.stride *= 2;
        }
    }

    pub(crate) fn column(&self, name: &str) -> &[f64] {
        let place = self.names.iter().position(|n| *n == name);
        place.map_or(&[], |i| self.columns[i].as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_census_of_millions_of_rows_becomes_a_curve_of_thousands() {
        let mut census = CensusRows::new(&["a", "b"]);
        for i in 0..3_000_000 {
            census.push(f64::from(i), [f64::from(i), 1.0].into_iter());
        }
        assert!(census.times.len() > 10_000 && census.times.len() <= MOST_POINTS);
        assert_eq!(census.times, census.column("a"));
        assert_eq!(census.column("b").len(), census.times.len());
        let steps = census.times.windows(2).map(|w| w[1] - w[0]);
        assert!(
            steps.into_iter().all(|step| step == 128.0),
            "at equal distances"
        );
        assert!(census.column("c").is_empty());
    }
}
