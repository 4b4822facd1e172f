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
use tcp_model::spec::HostConfig;

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
    execute_with(spec, dir, replace, &TcpHost::new, observe)
}

/// As [`execute`], with hosts made by `make`: the place for a TCP or an application of your own,
/// through [`TcpHost::with_model`] and [`TcpHost::with_app`].
///
/// # Errors
/// As [`execute`].
pub fn execute_with(
    spec: &RunSpec,
    dir: &Path,
    replace: bool,
    make: &dyn Fn(HostConfig) -> TcpHost,
    observe: &mut dyn FnMut(Progress),
) -> Result<RunSummary, String> {
    // A bug in one run must not take the others of a batch with it.
    catch_unwind(AssertUnwindSafe(|| {
        attempt(spec, dir, replace, make, observe)
    }))
    .unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("no message");
        Err(format!(
            "internal error: {text}; this is a bug, please report it together with the scenario"
        ))
    })
}

fn attempt(
    spec: &RunSpec,
    dir: &Path,
    replace: bool,
    make: &dyn Fn(HostConfig) -> TcpHost,
    observe: &mut dyn FnMut(Progress),
) -> Result<RunSummary, String> {
    let assembly = Assembly::new(spec).map_err(|p| p.message)?;
    let writer = RunWriter::create(dir, replace).map_err(|e| e.to_string())?;
    writer
        .write_text("run.toml", &spec.text())
        .map_err(|e| e.to_string())?;
    let mut recorder = RunRecorder::new(writer, assembly.info).map_err(|e| e.to_string())?;
    let hosts = assembly.hosts.into_iter().map(|h| h.map(make)).collect();
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
    let groups = spec.scenario.topology.group_of_nodes();
    let completion = Completion {
        stats,
        counters: counters(&simulation.into_hosts(), &groups),
        timing,
        ..Completion::default()
    };
    recorder.complete(completion).map_err(|e| e.to_string())
}

/// The counters of hosts, summed by group; what never happened is left out.
fn counters(hosts: &[Option<TcpHost>], groups: &[&str]) -> BTreeMap<String, BTreeMap<String, u64>> {
    let mut all: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    for (host, group) in hosts.iter().zip(groups) {
        let Some(host) = host else { continue };
        let stats = host.stats();
        let counts = [
            ("segments_sent", stats.segments_sent),
            ("segments_received", stats.segments_received),
            ("checksum_failures", stats.checksum_failures),
            ("resets_sent", stats.resets_sent),
            ("listen_overflows", stats.listen_overflows),
            ("listen_drops", stats.listen_drops),
            ("syn_cookies_sent", stats.syn_cookies_sent.into()),
            ("syn_cookies_received", stats.syn_cookies_received.into()),
            ("syn_cookies_failed", stats.syn_cookies_failed.into()),
            ("fast_opens_accepted", stats.fast_opens_accepted.into()),
            ("challenges_suppressed", stats.challenges_suppressed.into()),
            ("path_advices", stats.path_advices.into()),
            ("time_wait_overflows", stats.time_wait_overflows),
            ("time_wait_reused", stats.time_wait_reused),
            ("time_wait_recycled", stats.time_wait_recycled),
            ("time_wait_killed", stats.time_wait_killed),
            ("port_searches", stats.port_searches),
            ("port_probes", stats.port_probes),
            ("ports_exhausted", stats.ports_exhausted),
        ];
        let of_group = all.entry((*group).to_owned()).or_default();
        for (name, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
            *of_group.entry(name.to_owned()).or_default() += count;
        }
    }
    all
}
