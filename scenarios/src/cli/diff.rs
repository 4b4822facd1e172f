//! `synfin diff`: where two runs begin to differ.

use std::path::Path;

use reports::difference::{Difference, first_difference};

use super::single_run;
use crate::console::{CommandError, print};

/// Prints the parameters that differ, and the first event that differs.
pub(super) fn diff(a: &Path, b: &Path) -> Result<(), CommandError> {
    let (first, second) = (single_run::open(a)?, single_run::open(b)?);
    let (one, other) = (&first.1.info, &second.1.info);
    for (name, value) in &one.parameters {
        let theirs = other.parameters.iter().find(|p| p.0 == *name);
        match theirs {
            Some((_, theirs)) if theirs == value => {}
            Some((_, theirs)) => print(&format!("{name}: {value} and {theirs}"))?,
            None => print(&format!("{name}: {value} in the first only"))?,
        }
    }
    for (name, value) in &other.parameters {
        if one.parameters.iter().all(|p| p.0 != *name) {
            print(&format!("{name}: {value} in the second only"))?;
        }
    }
    let found = first_difference(&first.0, &second.0);
    match found.map_err(|e| CommandError::Run(format!("error: {e}")))? {
        Some(found) => tell(&found),
        None if first.1.result_hash == second.1.result_hash => {
            print("The results are the same, byte for byte.")
        }
        None => print(
            "The events recorded are the same; the rest of the results differs. More recorded events \
             may show where: --set 'record.segments=\"all\"'",
        ),
    }
}

fn tell(found: &Difference) -> Result<(), CommandError> {
    print(&format!(
        "First difference at t = {} s, row {} of {}:",
        found.time_s, found.row, found.table
    ))?;
    let columns = found.columns();
    if columns.is_empty() {
        let which = if found.rows[0].is_some() {
            "first"
        } else {
            "second"
        };
        print(&format!("  only the {which} run has it"))?;
        let row = found.rows.iter().flatten().flatten();
        for (name, value) in row.filter(|c| !c.1.is_empty()) {
            print(&format!("  {name} = {value}"))?;
        }
        return Ok(());
    }
    let same = found.rows[0].iter().flatten();
    let same = same.filter(|c| columns.iter().all(|d| d.0 != c.0) && !c.1.is_empty());
    let same: Vec<String> = same
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    print(&format!("  in both: {}", same.join(", ")))?;
    for (name, a, b) in columns {
        print(&format!("  {name}: {a} and {b}"))?;
    }
    Ok(())
}
