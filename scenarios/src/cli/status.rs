//! `synfin status`: how far a batch is, from what lies in its directory.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use reports::store::reader::Table;
use reports::store::{StoreError, look_at_results, read_text_file};
use serde_json::json;

use crate::batch::go_on;
use crate::console::{Failure, print};
use crate::problem::Source;
use crate::sweep::Plan;

/// Failed runs that are named.
const MOST_NAMED: usize = 10;

/// Prints how many runs are there, failed and missing. Files of runs are not read: `synfin run`
/// verifies them.
pub(super) fn status(dir: &Path, as_json: bool) -> Result<(), Failure> {
    let wrong = |e: StoreError| Failure::Run(format!("error: {e}"));
    look_at_results(dir).map_err(wrong)?;
    let file = dir.join("batch.toml");
    let text = read_text_file(&file, u64::MAX).map_err(|e| {
        let help = "  = help: give the directory of a batch; `synfin report` looks at a single run";
        Failure::Usage(format!(
            "error: cannot read {}: {e}\n{help}",
            file.display()
        ))
    })?;
    let name = file.display().to_string();
    let plan = Plan::new(&Source { name, text }, &[]).map_err(|e| Failure::Run(e.to_string()))?;
    let there = directories(&dir.join("runs"));
    let failed = failures(dir)?;
    let is_there = |id: &str| there.contains(id);
    let complete = plan.runs.iter().filter(|r| is_there(&r.id)).count();
    let failed: Vec<(&str, String, &str)> = plan
        .runs
        .iter()
        .filter(|run| !is_there(&run.id))
        .filter_map(|run| {
            let why = failed.get(&run.id)?;
            let values = run.parameters.iter().map(|(p, v)| format!("{p} = {v}"));
            let mut values: Vec<String> = values.collect();
            values.push(format!("replica {}", run.replica));
            Some((run.id.as_str(), values.join(", "), why.as_str()))
        })
        .collect();
    let (all, missing) = (plan.runs.len(), plan.runs.len() - complete - failed.len());
    let command = go_on(dir);
    if as_json {
        let failed: Vec<_> = failed
            .iter()
            .map(|(id, values, why)| json!({ "id": id, "values": values, "message": why }))
            .collect();
        let status = json!({
            "name": plan.name, "runs": all, "complete": complete, "missing": missing,
            "failed": failed, "command": command,
        });
        return print(&serde_json::to_string_pretty(&status).unwrap_or_default());
    }
    print(&format!(
        "{}: {complete} of {all} runs are there, {} failed, {missing} are missing",
        plan.name,
        failed.len()
    ))?;
    for (_, values, why) in failed.iter().take(MOST_NAMED) {
        print(&format!("  failed: {values}: {why}"))?;
    }
    if failed.len() > MOST_NAMED {
        print(&format!(
            "  and {} more; --json names all",
            failed.len() - MOST_NAMED
        ))?;
    }
    match complete == all {
        true => Ok(()),
        false => print(&format!("`{command}` makes the others")),
    }
}

/// The runs that are there: a run gets its name when it is complete.
fn directories(runs: &Path) -> HashSet<String> {
    let entries = std::fs::read_dir(runs).into_iter().flatten().flatten();
    let entries = entries.filter(|entry| entry.file_type().is_ok_and(|t| t.is_dir()));
    let named = entries.filter_map(|entry| entry.file_name().into_string().ok());
    named.filter(|name| !name.starts_with('.')).collect()
}

/// Why runs failed when the index was last written, by their identity.
fn failures(dir: &Path) -> Result<BTreeMap<String, String>, Failure> {
    let wrong = |e: StoreError| Failure::Run(format!("error: {e}"));
    let Some(index) = Table::read(dir, "index").map_err(wrong)? else {
        return Ok(BTreeMap::new());
    };
    let column = |name: &str| index.texts(name).map_err(wrong);
    let (ids, status, messages) = (column("id")?, column("status")?, column("message")?);
    let rows = (0..index.len()).filter(|&i| &status[i] == "failed");
    Ok(rows
        .map(|i| (ids[i].to_string(), messages[i].to_string()))
        .collect())
}
