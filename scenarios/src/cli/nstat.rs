//! `synfin nstat`: the counters of a run under their Linux names.
//!
//! Linux has more counters than the model; those that the model lacks are not printed, not even as zero.

use std::collections::BTreeMap;
use std::path::Path;

use reports::RunSummary;
use tcp_model::host::HostStats;

use super::single_run;
use crate::console::{CommandError, print};
use crate::suggest;

/// Prints the counters of a run, for one group of hosts or for all.
pub(super) fn nstat(dir: &Path, host: Option<&str>) -> Result<(), CommandError> {
    let (_, summary) = single_run::open(dir)?;
    let groups = chosen(&summary, host)?;
    print("#synfin")?;
    for (name, n) in counters(&groups) {
        print(&format!("{name:<32}{n:<18}0.0"))?;
    }
    Ok(())
}

/// The counters of the named group, or of all groups.
fn chosen<'a>(
    summary: &'a RunSummary,
    host: Option<&str>,
) -> Result<Vec<&'a BTreeMap<String, u64>>, CommandError> {
    let Some(name) = host else {
        return Ok(summary.counters.values().collect());
    };
    match summary.counters.get(name) {
        Some(counters) => Ok(vec![counters]),
        None => {
            let names = summary.counters.keys().map(String::as_str);
            let message = suggest::unknown("group of hosts", name, names);
            Err(CommandError::Usage(format!("error: {message}")))
        }
    }
}

/// The names of the counters with their sums, in the order of Linux's files; zeros are left out, as `nstat`
/// does.
fn counters(groups: &[&BTreeMap<String, u64>]) -> Vec<(&'static str, u64)> {
    let sum = |own: &str| groups.iter().filter_map(|g| g.get(own)).sum::<u64>();
    let named = HostStats::COUNTERS.iter();
    let all = named.filter_map(|counter| Some((counter.nstat?, sum(counter.name))));
    all.filter(|(_, n)| *n > 0).collect()
}
