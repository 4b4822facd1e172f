//! `synfin status`: the progress of a batch, read from its directory.

use std::collections::BTreeMap;
use std::path::Path;

use reports::store::reader::Groups;
use reports::store::{StoreError, look_at_results, read_text_file};
use serde_json::json;

use crate::batch::{go_on, runs_there};
use crate::console::{CommandError, print};
use crate::problem::SourceText;
use crate::sweep::Plan;

/// Maximum number of failed runs that are named one by one.
const MOST_NAMED: usize = 10;

/// Prints how many runs are complete, failed and missing. Does not read their files; `synfin run` verifies
/// those.
pub(super) fn status(dir: &Path, as_json: bool) -> Result<(), CommandError> {
    let wrong = |e: StoreError| CommandError::Run(format!("error: {e}"));
    look_at_results(dir).map_err(wrong)?;
    let file = dir.join("batch.toml");
    let text = read_text_file(&file, u64::MAX).map_err(|e| {
        let help = "  = help: give the directory of a batch; `synfin report` works on a single run";
        CommandError::Usage(format!(
            "error: cannot read {}: {e}\n{help}",
            file.display()
        ))
    })?;
    let name = file.display().to_string();
    let plan =
        Plan::new(&SourceText { name, text }, &[]).map_err(|e| CommandError::Run(e.to_string()))?;
    let (there, failed_in_parts) = runs_there(dir).map_err(wrong)?;
    let mut failed = failures(dir)?;
    failed.extend(failed_in_parts);
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
        "{}: {complete} of {all} runs are complete, {} failed, {missing} are missing",
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
        false => print(&format!("`{command}` runs the others")),
    }
}

/// The messages of failed runs by their identities, from the index as last written.
fn failures(dir: &Path) -> Result<BTreeMap<String, String>, CommandError> {
    let wrong = |e: StoreError| CommandError::Run(format!("error: {e}"));
    let mut failed = BTreeMap::new();
    let groups = Groups::open(dir, "index", &["id", "status", "message"]).map_err(wrong)?;
    let Some(mut groups) = groups else {
        return Ok(failed);
    };
    while let Some(rows) = groups.next_group().map_err(wrong)? {
        let column = |name: &str| rows.texts(name).map_err(wrong);
        let (ids, status, messages) = (column("id")?, column("status")?, column("message")?);
        let those = (0..rows.len()).filter(|&i| &status[i] == "failed");
        failed.extend(those.map(|i| (ids[i].to_string(), messages[i].to_string())));
    }
    Ok(failed)
}
