//! One run of a workload and its cost.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use sha2::{Digest as _, Sha256};
use sim_core::simulation::SimulationProgress;
use sim_core::{Recorder, RunConfig, RunStats};
use tcp_model::host::{TcpHost, TcpSimulation};
use tcp_model::sample::{ConnectionCounts, TcpSample};

use super::BenchError;
use super::world::BenchWorld;
use crate::console::note;
use crate::execution::{Division, Execution, make_hosts};
use crate::process;

/// The outcome of a run and its cost.
#[derive(Debug)]
pub(super) struct TimedRun {
    pub(super) stats: RunStats,
    pub(super) hosts: Vec<TcpHost>,
    /// Threads used; fewer than requested if more do not help.
    pub(super) threads: usize,
    /// Processor time to create the network and hosts, seconds.
    pub(super) setup_cpu_s: f64,
    /// Processor time of the simulated part, seconds.
    pub(super) cpu_s: f64,
    /// The processor-time clock at the end of the simulated part, seconds.
    pub(super) ended_cpu_s: f64,
    /// Wall-clock time of the simulated part, seconds.
    pub(super) wall_s: f64,
    /// Growth of the resident memory since before the network was created.
    pub(super) grown_bytes: f64,
    /// Largest resident memory so far.
    pub(super) peak_bytes: f64,
}

/// Makes a world and runs it.
///
/// # Errors
/// A message, when the world cannot be made.
pub(super) fn run(
    make: impl FnOnce() -> Result<BenchWorld, BenchError>,
    execution: Execution,
    recorder: &mut dyn Recorder<TcpSample>,
) -> Result<TimedRun, BenchError> {
    run_observed(make, execution, recorder, &mut |_| ())
}

/// As [`run`]; `observe` is called with the progress from time to time.
///
/// # Errors
/// As [`run`].
pub(super) fn run_observed(
    make: impl FnOnce() -> Result<BenchWorld, BenchError>,
    execution: Execution,
    recorder: &mut dyn Recorder<TcpSample>,
    observe: &mut dyn FnMut(SimulationProgress),
) -> Result<TimedRun, BenchError> {
    let resident = process::resident_bytes();
    let before = process::cpu_s();
    let world = make()?;
    let base = RunConfig::new(1, world.end);
    let (config, division) = execution.divide(base, &world.network, &world.hosts);
    if execution.threads > 1 && matches!(division, Division::Whole(_)) {
        note(&division.to_string());
    }
    let hosts = make_hosts(world.hosts, &config.partition_of, &TcpHost::new);
    let mut simulation = TcpSimulation::new(Arc::clone(&world.network), hosts, &config);
    let (ready, started) = (process::cpu_s(), Instant::now());
    let stats = simulation
        .run(recorder, &mut |progress| {
            observe(progress);
            ControlFlow::Continue(())
        })
        .map_err(|e| e.to_string())?;
    let wall_s = started.elapsed().as_secs_f64();
    let ended_cpu_s = process::cpu_s();
    Ok(TimedRun {
        stats,
        threads: config.threads,
        setup_cpu_s: ready - before,
        cpu_s: ended_cpu_s - ready,
        ended_cpu_s,
        wall_s,
        grown_bytes: process::resident_bytes() - resident,
        peak_bytes: process::peak_bytes(),
        hosts: simulation.into_hosts().into_iter().flatten().collect(),
    })
}

impl TimedRun {
    /// Packets transmitted, summed over links.
    pub(super) fn packet_hops(&self) -> u64 {
        self.stats.links.iter().map(|l| l.sent_pkts).sum()
    }

    /// The counters of all connections that still exist.
    pub(super) fn counts(&self) -> Vec<ConnectionCounts> {
        self.hosts.iter().map(TcpHost::counts).collect()
    }

    /// Number of TIME-WAIT entries.
    pub(super) fn time_waits(&self) -> u64 {
        self.hosts.iter().map(|h| u64::from(h.time_waits())).sum()
    }

    /// Number of end points, without TIME-WAIT entries.
    pub(super) fn end_points(&self) -> u64 {
        self.hosts.iter().map(|h| u64::from(h.connections())).sum()
    }

    /// A digest of everything that must not depend on how the run was executed: events, links, hosts.
    pub(super) fn digest(&self) -> String {
        let mut hash = Sha256::new();
        let stats = &self.stats;
        let of_run = (stats.events, stats.unrouted_pkts, &stats.links);
        hash.update(format!("{of_run:?}"));
        for host in &self.hosts {
            let of_host = (
                host.stats(),
                host.counts(),
                host.connections(),
                host.time_waits(),
            );
            hash.update(format!("{of_host:?}"));
        }
        let bytes = hash.finalize();
        bytes.iter().take(8).map(|b| format!("{b:02x}")).collect()
    }
}
