//! The tables of a run in memory.

use std::collections::BTreeMap;
use std::path::Path;

use crate::findings::SMALL;
use crate::store::reader::Table;
use crate::store::{RunSummary, StoreError};

/// What figures are made of.
#[derive(Debug)]
pub(crate) struct RunData<'a> {
    pub(crate) summary: &'a RunSummary,
    pub(crate) census: Option<Table>,
    pub(crate) outcomes: Option<Table>,
    pub(crate) samples: Option<Table>,
    pub(crate) states: Option<Table>,
    pub(crate) segments: Option<Table>,
}

impl RunData<'_> {
    pub(crate) fn read<'a>(dir: &Path, summary: &'a RunSummary) -> Result<RunData<'a>, StoreError> {
        let table = |name: &str| Ok(Table::read(dir, name)?.filter(|t| !t.is_empty()));
        Ok(RunData {
            summary,
            census: table("census")?,
            outcomes: table("outcomes")?,
            samples: table("samples")?,
            states: table("states")?,
            segments: table("segments")?,
        })
    }

    /// True for runs of a few connections, which ladder and timeline show better than a count of
    /// sockets does.
    pub(crate) fn is_small(&self) -> bool {
        let attempted = self.summary.metrics.get("connects_attempted");
        self.states.is_some() && attempted.is_some_and(|n| *n < SMALL)
    }

    /// Rows of the census of one scope.
    pub(crate) fn census_of(&self, scope: &str) -> Result<Option<Census>, StoreError> {
        let Some(table) = &self.census else {
            return Ok(None);
        };
        let rows: Vec<usize> = table
            .texts("scope")?
            .iter()
            .enumerate()
            .filter_map(|(i, s)| (s == scope).then_some(i))
            .collect();
        let times = table.floats("time_s")?;
        let mut columns = BTreeMap::new();
        for name in tcp_model::State::ALL[1..]
            .iter()
            .map(|s| s.name())
            .chain(["ports_in_use"])
        {
            let all = table.ints(name)?;
            let values = rows.iter().map(|&i| all[i] as f64).collect();
            columns.insert(name, values);
        }
        Ok(Some(Census {
            times: rows.iter().map(|&i| times[i]).collect(),
            columns,
        }))
    }
}

/// A scope's sockets over time.
#[derive(Debug)]
pub(crate) struct Census {
    pub(crate) times: Vec<f64>,
    columns: BTreeMap<&'static str, Vec<f64>>,
}

impl Census {
    pub(crate) fn column(&self, name: &str) -> &[f64] {
        self.columns.get(name).map_or(&[], Vec::as_slice)
    }
}
