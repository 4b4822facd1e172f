//! Makes one run: assembles it, runs it, writes its directory.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use reports::{Completion, RunRecorder, RunSummary, RunWriter};
use sim_core::Simulation;
use sim_core::simulation::Progress;
use tcp_model::host::TcpHost;

use crate::assemble::Assembly;
use crate::run_spec::RunSpec;

/// Makes the run directory `dir`; an existing one gives way with `replace`.
///
/// # Errors
/// A message: the scenario cannot be assembled, the directory cannot be written, or the simulator
/// has a bug; then there is no directory.
pub fn execute(
    spec: &RunSpec,
    dir: &Path,
    replace: bool,
    observe: &mut dyn FnMut(Progress),
) -> Result<RunSummary, String> {
    // A bug in one run must not take the others of a batch with it.
    catch_unwind(AssertUnwindSafe(|| attempt(spec, dir, replace, observe))).unwrap_or_else(
        |panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("no message");
            Err(format!(
                "internal error: {text}; this is a bug, please report it together with the scenario"
            ))
        },
    )
}

fn attempt(
    spec: &RunSpec,
    dir: &Path,
    replace: bool,
    observe: &mut dyn FnMut(Progress),
) -> Result<RunSummary, String> {
    let assembly = Assembly::new(spec).map_err(|p| p.message)?;
    let writer = RunWriter::create(dir, replace).map_err(|e| e.to_string())?;
    writer
        .write_text("run.toml", &spec.text())
        .map_err(|e| e.to_string())?;
    let mut recorder = RunRecorder::new(writer, assembly.info).map_err(|e| e.to_string())?;
    let hosts = assembly
        .hosts
        .into_iter()
        .map(|h| h.map(TcpHost::new))
        .collect();
    let mut simulation = Simulation::new(Arc::clone(&assembly.network), hosts, &assembly.config);
    let started = Instant::now();
    let stats = simulation
        .run(&mut recorder, &mut |progress| {
            observe(progress);
            ControlFlow::Continue(())
        })
        .map_err(|e| e.to_string())?;
    let wall = started.elapsed().as_secs_f64();
    let timing = BTreeMap::from([
        ("simulation_s".to_owned(), wall),
        (
            "events_per_s".to_owned(),
            stats.events as f64 / wall.max(1e-9),
        ),
        (
            "simulated_s_per_s".to_owned(),
            stats.reached.as_secs_f64() / wall.max(1e-9),
        ),
    ]);
    let completion = Completion {
        stats,
        timing,
        ..Completion::default()
    };
    recorder.complete(completion).map_err(|e| e.to_string())
}
