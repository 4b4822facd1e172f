//! `synfin plan`: the runs of a batch and their cost, before they start.

use std::path::Path;

use reports::store::parts::{PartRun, Parts};
use reports::store::run_place;
use serde_json::json;

use super::args::PlanArgs;
use super::cost::RunsCost;
use super::run::still_to_make;
use super::wanted::WantedRuns;
use crate::batch::Keep;
use crate::console::{CommandError, print};
use crate::estimate::{bytes, time};
use crate::run_spec::RunSpec;
use crate::sweep::Plan;

/// Maximum number of completed runs whose measured time is used to correct the estimate.
const MOST_MEASURED: usize = 200;

/// Prints the number of runs, how many are complete, and the cost of the rest.
pub(super) fn plan(args: &PlanArgs) -> Result<(), CommandError> {
    let WantedRuns {
        plan, dir, only, ..
    } = WantedRuns::new(&args.scenario, args.out.as_deref(), args.filter.as_deref())?;
    let missing = still_to_make(&plan, &dir, false, only.as_deref())?;
    let there = still_there(&plan, &dir)?;
    let cost = RunsCost::new(&missing)?.keeping(Keep::BySize, plan.runs.len());
    let factor = correction(&plan, &there, &dir)?;
    let planned = RemainingPlan {
        plan: &plan,
        dir: &dir,
        missing: &missing,
        there: there.len(),
        chosen: only.map(|only| only.iter().filter(|chosen| **chosen).count()),
        seconds: cost.seconds_times(factor.unwrap_or(1.0)),
        memory: cost
            .each()
            .iter()
            .map(|e| e.memory_bytes)
            .fold(0.0, f64::max),
        disk: cost.each().iter().map(|e| e.disk_bytes).sum(),
        factor,
    };
    match args.json {
        true => planned.json(),
        false => planned.text(),
    }
}

/// A plan and the runs that remain to be executed.
struct RemainingPlan<'a> {
    plan: &'a Plan,
    dir: &'a Path,
    missing: &'a [RunSpec],
    there: usize,
    chosen: Option<usize>,
    /// Estimated time of the missing runs on one thread.
    seconds: f64,
    /// Estimated memory of the largest run, bytes.
    memory: f64,
    disk: f64,
    /// Measured time of the completed runs divided by their estimate.
    factor: Option<f64>,
}

impl RemainingPlan<'_> {
    fn text(&self) -> Result<(), CommandError> {
        let plan = self.plan;
        print(&format!(
            "{}: {} runs in {}",
            plan.name,
            plan.runs.len(),
            self.dir.display()
        ))?;
        for axis in plan.axes.iter().map(|a| a.for_report()) {
            for column in axis.columns() {
                let (n, values) = (column.values.len(), shortened(&column.values));
                print(&format!("  {}: {n} values: {values}", column.path))?;
            }
        }
        if let Some(chosen) = self.chosen {
            print(&format!("chosen by --filter: {chosen}"))?;
        }
        print(&format!(
            "complete: {}; to run: {}",
            self.there,
            self.missing.len()
        ))?;
        if let (Some(first), Some(last)) = (self.missing.first(), self.missing.last()) {
            print(&format!(
                "estimate for the rest: {} on one thread, {} of memory for the largest, {} on disk",
                time(self.seconds),
                bytes(self.memory),
                bytes(self.disk)
            ))?;
            if let Some(factor) = self.factor {
                print(&format!(
                    "  (times are {factor:.2} times the first estimate, as measured on the completed runs)"
                ))?;
            }
            print(&format!("first: {}", named(first)))?;
            print(&format!("last:  {}", named(last)))?;
        }
        Ok(())
    }

    fn json(&self) -> Result<(), CommandError> {
        let axes = self.plan.axes.iter().map(|a| a.for_report());
        let axes: Vec<_> = axes
            .flat_map(|a| a.columns().cloned().collect::<Vec<_>>())
            .map(|c| json!({ "path": c.path, "values": c.values }))
            .collect();
        let point = |run: &RunSpec| {
            let values: serde_json::Map<String, serde_json::Value> = run
                .parameters
                .iter()
                .map(|(path, value)| (path.clone(), json!(value)))
                .collect();
            json!({ "id": run.id, "replica": run.replica, "seed": run.seed, "values": values })
        };
        let all = json!({
            "name": self.plan.name,
            "dir": self.dir.display().to_string(),
            "runs": self.plan.runs.len(),
            "there": self.there,
            "to_make": self.missing.len(),
            "axes": axes,
            "estimate": {
                "seconds_on_one_thread": self.seconds,
                "memory_bytes_of_largest": self.memory,
                "disk_bytes": self.disk,
                "measured_over_estimated": self.factor,
            },
            "first": self.missing.first().map(point),
            "last": self.missing.last().map(point),
        });
        print(&serde_json::to_string_pretty(&all).unwrap_or_default())
    }
}

/// The first few values and the last.
fn shortened(values: &[String]) -> String {
    match values {
        [few @ .., last] if few.len() > 5 => format!("{}, … {last}", few[..4].join(", ")),
        all => all.join(", "),
    }
}

fn named(run: &RunSpec) -> String {
    let values: Vec<String> = run
        .parameters
        .iter()
        .map(|(p, v)| format!("{p} = {v}"))
        .collect();
    format!("{}  replica {}  {}", run.id, run.replica, values.join(", "))
}

/// Returns the runs whose results in `dir` are complete.
fn still_there(plan: &Plan, dir: &Path) -> Result<Vec<RunSpec>, CommandError> {
    let missing = still_to_make(plan, dir, false, None)?;
    let missing: std::collections::HashSet<&str> = missing.iter().map(|r| r.id.as_str()).collect();
    let there = plan
        .runs
        .iter()
        .filter(|r| !missing.contains(r.id.as_str()));
    Ok(there.cloned().collect())
}

/// Measured time of the completed runs divided by their estimate.
fn correction(plan: &Plan, there: &[RunSpec], dir: &Path) -> Result<Option<f64>, CommandError> {
    let step = (there.len() / MOST_MEASURED).max(1);
    let looked_at: Vec<RunSpec> = there.iter().step_by(step).cloned().collect();
    let estimated = RunsCost::new(&looked_at)?;
    let (mut measured_s, mut estimated_s) = (0.0, 0.0);
    let parts = Parts::read(dir).map_err(|e| CommandError::Run(format!("error: {e}")))?;
    for (run, estimate) in looked_at.iter().zip(estimated.each()) {
        let dir = match plan.is_single() {
            true => dir.to_path_buf(),
            false => run_place(&dir.join("runs"), &run.id),
        };
        let seconds = match parts.runs.get(&run.id) {
            Some(PartRun::Complete { simulation_s, .. }) => Some(*simulation_s),
            _ => measured(&dir),
        };
        if let Some(seconds) = seconds {
            measured_s += seconds;
            estimated_s += estimate.seconds();
        }
    }
    Ok((measured_s > 0.0 && estimated_s > 0.0).then(|| measured_s / estimated_s))
}

/// Duration of a run in seconds, from its `timing.json`.
fn measured(dir: &Path) -> Option<f64> {
    let text = std::fs::read_to_string(dir.join("timing.json")).ok()?;
    let timing: serde_json::Value = serde_json::from_str(&text).ok()?;
    timing
        .get("simulation_s")?
        .as_f64()
        .filter(|s| s.is_finite())
}
