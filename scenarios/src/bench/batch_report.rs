//! `report`, its second table: the time to write the report of a whole batch, from its directory alone.
//!
//! The batch has 216 runs, six values of each of three swept parameters. It is executed into a temporary directory,
//! once with a directory for each run and once with their metrics alone; what is measured is what `synfin report DIR`
//! does: reading the index, drawing the figures, writing the page, and checking the files of every run.

use std::path::Path;
use std::time::Instant;

use reports::render_batch;

use super::BenchError;
use super::text_table::{Measurement, TextTable};
use crate::batch::{self, BatchOptions, Keep, RunControl};
use crate::execution::Execution;
use crate::interrupt::Interrupt;
use crate::problem::SourceText;
use crate::progress::BatchProgress;
use crate::sweep::Plan;

/// Values of each swept parameter.
const VALUES: [u32; 6] = [1, 2, 3, 5, 8, 13];

/// The scenario with the first `n` values of each parameter.
fn source(n: usize) -> SourceText {
    let values = |unit: &str| {
        let all = VALUES[..n].iter().map(|v| format!("\"{v} {unit}\""));
        all.collect::<Vec<_>>().join(", ")
    };
    SourceText {
        name: "batch-of-216.toml".to_owned(),
        text: format!(
            r#"name = "batch-of-216"
            duration = "2 s"
            [tcp]
            profile = "linux"
            time_wait = "1 s"
            [topology]
            kind = "pair"
            path = {{ delay = "1 ms" }}
            [[workload]]
            name = "web"
            arrivals = {{ kind = "poisson", rate = "20 /s" }}
            [sweep]
            "topology.path.delay" = [{}]
            "tcp.time_wait" = [{}]
            "workload.web.service" = [{}]"#,
            values("ms"),
            values("s"),
            values("ms"),
        ),
    }
}

/// Measures the report with each of the two ways to keep runs, `reps` times, and takes the minimum. With a `part` below
/// 1 there are fewer runs.
pub(super) fn table(
    part: f64,
    reps: u32,
    execution: Execution,
    scratch: &Path,
) -> Result<TextTable, BenchError> {
    let side = (VALUES.len() as f64 * part.cbrt()).round();
    let source = source((side as usize).clamp(2, VALUES.len()));
    let plan = Plan::new(&source, &[]).map_err(|e| e.to_string())?;
    let mut columns = Vec::new();
    for (name, keep) in [("all", Keep::Everything), ("metrics", Keep::Metrics)] {
        let dir = scratch.join(format!("batch-{name}"));
        let options = BatchOptions {
            execution,
            keep,
            ..BatchOptions::new(&dir, &source)
        };
        let lengths = plan.runs.iter().map(|run| run.scenario.duration);
        let progress = BatchProgress::new(lengths, true);
        let interrupt = Interrupt::default();
        batch::make(&plan, &options, RunControl::new(&progress, &interrupt))
            .map_err(|e| e.to_string())?;
        let mut least = f64::INFINITY;
        for _ in 0..reps {
            let began = Instant::now();
            render_batch(&dir).map_err(|e| e.to_string())?;
            let ids = plan.runs.iter().map(|run| run.id.clone()).collect();
            let bad = batch::damaged_runs(&dir, &ids).map_err(|e| e.to_string())?;
            least = least.min(began.elapsed().as_secs_f64());
            if !bad.is_empty() {
                return Err(format!("{} runs are damaged; this is a bug", bad.len()).into());
            }
        }
        let page = std::fs::metadata(dir.join("report.html")).map_err(|e| e.to_string())?;
        let m = Measurement::default()
            .with("runs", plan.runs.len() as u64)
            .with("report_s", least)
            .with("page_kib", page.len() as f64 / 1024.0);
        columns.push((name.to_owned(), m));
    }
    Ok(TextTable {
        title: format!(
            "report of a batch of {} runs, least of {reps}",
            plan.runs.len()
        ),
        by: "kept",
        columns,
    })
}
