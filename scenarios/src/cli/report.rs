//! `synfin report`.

use std::path::Path;

use reports::{render_batch, render_run};

use super::{Failure, print};
use crate::batch;

/// Makes figures and report of a run or batch directory anew.
pub(super) fn report(dir: &Path, verbose: bool) -> Result<(), Failure> {
    let failed = |e: reports::StoreError| Failure::Run(format!("error: {e}"));
    if dir.join("summary.json").is_file() {
        let summary = render_run(dir).map_err(failed)?;
        for finding in &summary.findings {
            print(finding);
        }
    } else if dir.join("batch.json").is_file() {
        for finding in render_batch(dir).map_err(failed)? {
            print(&finding);
        }
        if verbose {
            eprintln!("the reports of the single runs are left as they are");
        }
    } else if dir.join("batch.toml").is_file() {
        let part = batch::report_part(dir).map_err(|message| {
            Failure::Run(format!("error: {}", message.trim_start_matches("error: ")))
        })?;
        part.findings.iter().for_each(|finding| print(finding));
        if part.made < part.all {
            let (made, all, shown) = (part.made, part.all, dir.display());
            eprintln!(
                "this batch was stopped: {made} of {all} runs are complete; `synfin run {shown}/batch.toml --out {shown}` makes the others"
            );
        }
    } else if dir.join("run.toml").is_file() {
        let shown = dir.display();
        return Err(Failure::Run(format!(
            "error: {shown} is an incomplete run: its summary.json is missing\n  = help: `synfin run {shown}/run.toml --out {shown} --force` makes it again"
        )));
    } else {
        return Err(Failure::Usage(format!(
            "error: {} holds no results: there is neither a summary.json nor a batch.json\n  = help: give the directory that `synfin run` printed, results/NAME say",
            dir.display()
        )));
    }
    print(&format!("report: {}", dir.join("report.html").display()));
    Ok(())
}
