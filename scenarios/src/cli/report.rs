//! `synfin report`.

use std::path::Path;

use reports::{render_batch, render_run};

use super::{Failure, print};

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
    } else {
        return Err(Failure::Usage(format!(
            "error: {} holds no results: there is neither a summary.json nor a batch.json\n  = help: give the directory that `synfin run` printed, results/NAME say",
            dir.display()
        )));
    }
    print(&format!("report: {}", dir.join("report.html").display()));
    Ok(())
}
