//! Executes one run: assembles it, simulates it, and writes its directory.

mod counters;
mod host_metrics;
mod memory;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use reports::store::{Provenance, StoreError};
use reports::{
    Completed, Completion, NumbersRecorder, RecorderOptions, RunRecorder, RunSummary, RunWriter,
};
use sim_core::record::Discard;
use sim_core::simulation::SimulationProgress;
use sim_core::{Recorder, RunConfig, RunStats, SimDuration, SimTime};
use tcp_model::TcpSample;
use tcp_model::host::{SocketLine, TcpHost, TcpSimulation};
use tcp_model::spec::HostConfig;

use crate::assemble::Assembly;
use crate::execution::{Division, Execution, make_hosts};
use crate::interrupt::Interrupt;
use crate::live::{RunWatch, WatchedRecorder};
use crate::process;
use crate::run_spec::RunSpec;

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The scenario does not describe a network that can be simulated.
    #[error("{0}")]
    Scenario(String),
    /// Its results cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It aborted, usually because its records could not be written.
    #[error(transparent)]
    Simulation(#[from] sim_core::simulation::SimulationError),
    /// No thread could be started.
    #[error("cannot start threads: {0}; try --threads 1")]
    Threads(String),
    /// A bug in the simulator.
    #[error("internal error: {0}; this is a bug, please report it together with the scenario")]
    Internal(String),
    /// It exceeded its time limit, in seconds.
    #[error("it took longer than the {0} s that --run-time allows")]
    TooLong(f64),
    /// It would exceed its memory limit: the memory needed, and the limit.
    #[error("it is estimated to need {0} of memory, more than the {1} that --run-memory allows")]
    TooLarge(String, String),
    /// It failed in another process.
    #[error("{0}")]
    Earlier(String),
    /// It was interrupted.
    #[error("it was stopped")]
    Stopped,
}

/// A function that creates the host that a configuration describes.
pub type MakeHost<'a> = &'a (dyn Fn(HostConfig) -> TcpHost + Sync);

/// A run to execute, and how.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// What to run.
    pub spec: &'a RunSpec,
    /// Where the results go.
    pub dir: &'a Path,
    /// Replace existing results.
    pub replace: bool,
    /// How to execute it; does not affect results.
    pub execution: Execution,
    /// Creates the hosts: put your own TCP or application here, with [`TcpHost::with_model`] and
    /// [`TcpHost::with_app`].
    pub make: MakeHost<'a>,
    /// Stops it early when set, without results.
    pub interrupt: Option<&'a Interrupt>,
    /// Shows it to viewers while it is executed.
    pub watch: Option<&'a RunWatch>,
    /// It fails after this wall-clock time, seconds.
    pub time_s: Option<f64>,
    /// The command line, for its provenance.
    pub command: &'a str,
}

impl fmt::Debug for Job<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("run", &self.spec.id)
            .field("dir", &self.dir)
            .field("execution", &self.execution)
            .finish_non_exhaustive()
    }
}

/// A finished run.
#[derive(Clone, Debug)]
pub struct FinishedRun {
    /// Its results.
    pub summary: RunSummary,
    /// How its network was divided; not part of the results.
    pub division: Division,
    /// Processor time of the calling thread while simulating and recording, seconds, without that of other
    /// threads. Not part of the results.
    pub simulating_cpu_s: f64,
    /// Where files that somebody had edited are kept, if the run replaced them.
    pub kept: Vec<PathBuf>,
    /// Tables that could not be read and figures that could not be drawn, each with the reason.
    pub missing: Vec<String>,
}

/// The metrics of a run that was executed only for them.
#[derive(Clone, Debug)]
pub struct MadeMetrics {
    /// The metrics, as in the index of a batch.
    pub metrics: BTreeMap<String, f64>,
    /// Wall-clock time of the simulation, seconds; not part of the results.
    pub simulation_s: f64,
}

impl<'a> Job<'a> {
    /// Creates a job on one thread, with built-in hosts, and with a directory that does not exist yet.
    pub fn new(spec: &'a RunSpec, dir: &'a Path) -> Job<'a> {
        Job {
            spec,
            dir,
            replace: false,
            execution: Execution::default(),
            make: &TcpHost::new,
            interrupt: None,
            watch: None,
            time_s: None,
            command: "",
        }
    }

    /// Executes the run.
    ///
    /// # Errors
    /// When the scenario cannot be assembled, the directory cannot be written, the run was
    /// interrupted, or the simulator has a bug; then there is no directory.
    pub fn execute(
        &self,
        observe: &mut dyn FnMut(SimulationProgress),
    ) -> Result<FinishedRun, RunError> {
        guarded(|| self.attempt(observe))
    }

    /// Executes the run for its metrics and writes nothing.
    ///
    /// # Errors
    /// As [`Job::execute`].
    pub fn metrics(
        &self,
        observe: &mut dyn FnMut(SimulationProgress),
    ) -> Result<MadeMetrics, RunError> {
        guarded(|| self.attempt_metrics(observe))
    }

    /// Executes the run up to and including the events at `at`, without results. Returns the names of the
    /// hosts and the sockets that each has at that time.
    ///
    /// # Errors
    /// As [`Job::execute`].
    pub fn sockets_at(&self, at: SimTime) -> Result<Vec<(String, Vec<SocketLine>)>, RunError> {
        guarded(|| {
            let mut assembly = self.assemble()?;
            if assembly.without_segments {
                let why = "without segments (`tcp.lifecycle_segments = false`) there are no sockets to show";
                return Err(RunError::Scenario(why.to_owned()));
            }
            let (hosts, mut config, _) = self.hosts(&mut assembly);
            config.end = config.end.min(at + SimDuration::from_ps(1));
            let network = Arc::clone(&assembly.network);
            let mut simulation = TcpSimulation::new(network, hosts, &config);
            self.simulate(&mut simulation, &mut Discard, &mut |_| ())?;
            let hosts = simulation.into_hosts();
            let named = assembly.info.nodes.iter().zip(&hosts);
            let all = named
                .filter_map(|(node, host)| Some((node.name.clone(), host.as_ref()?.sockets())));
            Ok(all.collect())
        })
    }

    fn is_stopped(&self) -> bool {
        self.interrupt.is_some_and(Interrupt::is_set)
    }

    fn assemble(&self) -> Result<Assembly, RunError> {
        if self.is_stopped() {
            return Err(RunError::Stopped);
        }
        Assembly::new(self.spec).map_err(|p| RunError::Scenario(p.message))
    }

    fn attempt_metrics(
        &self,
        observe: &mut dyn FnMut(SimulationProgress),
    ) -> Result<MadeMetrics, RunError> {
        let mut assembly = self.assemble()?;
        let (hosts, config, _) = self.hosts(&mut assembly);
        let network = Arc::clone(&assembly.network);
        let mut recorder = NumbersRecorder::new(assembly.info)?;
        let started = Instant::now();
        let mut simulation = TcpSimulation::new(network, hosts, &config);
        let stats = self.simulate(&mut simulation, &mut recorder, observe)?;
        let simulation_s = started.elapsed().as_secs_f64();
        let completion = self.completion(&stats, &simulation.into_hosts(), BTreeMap::new());
        Ok(MadeMetrics {
            metrics: recorder.complete(&stats, &completion)?,
            simulation_s,
        })
    }

    fn attempt(
        &self,
        observe: &mut dyn FnMut(SimulationProgress),
    ) -> Result<FinishedRun, RunError> {
        let begun = process::provenance(self.command, None);
        let mut assembly = self.assemble()?;
        let http = assembly.http(self.spec);
        let (hosts, config, division) = self.hosts(&mut assembly);
        let writer = RunWriter::create(self.dir, self.replace)?;
        writer.write_text("run.toml", &self.spec.text())?;
        let network = Arc::clone(&assembly.network);
        let options = RecorderOptions {
            http,
            same_thread: self.execution.threads < 2,
        };
        let mut recorder = RunRecorder::with_options(writer, assembly.info, options)?;
        let mut simulation = TcpSimulation::new(network, hosts, &config);
        let (started, cpu) = (Instant::now(), process::thread_cpu_s());
        let stats = self.simulate(&mut simulation, &mut recorder, observe)?;
        let wall = started.elapsed().as_secs_f64();
        let simulating_cpu_s = process::thread_cpu_s() - cpu;
        let mut timing = timing(&stats, wall, simulating_cpu_s);
        timing.insert("threads".to_owned(), config.threads as f64);
        timing.insert("partitions".to_owned(), f64::from(division.parts()));
        let look_ahead = division.look_ahead().map(|l| l.as_secs_f64());
        timing.extend(look_ahead.map(|l| ("look_ahead_s".to_owned(), l)));
        let mut freed = None;
        let completed = recorder.complete_beside(&stats, || {
            let hosts = simulation.into_hosts();
            let completion = Completion {
                provenance: Some(Provenance {
                    ended_unix_s: Some(process::unix_s()),
                    seed: Some(self.spec.seed),
                    ..begun
                }),
                ..self.completion(&stats, &hosts, timing)
            };
            // Freeing 10^5 hosts takes as long as writing a table, so both are done at once.
            freed = thread::Builder::new().spawn(move || drop(hosts)).ok();
            completion
        });
        // Free the hosts before the next run starts, to bound the memory of a batch.
        if let Some(freed) = freed {
            let _ = freed.join();
        }
        let Completed {
            summary,
            kept,
            missing,
        } = completed?;
        Ok(FinishedRun {
            summary,
            division,
            simulating_cpu_s,
            kept,
            missing,
        })
    }

    /// Takes the hosts out of the assembly; also returns how they are divided.
    fn hosts(&self, assembly: &mut Assembly) -> (Hosts, RunConfig, Division) {
        let (config, division) = self.execution.configure(assembly);
        let hosts = std::mem::take(&mut assembly.hosts);
        let mut hosts = make_hosts(hosts, &config.partition_of, self.make);
        Assembly::equip(std::mem::take(&mut assembly.extras), &mut hosts);
        if !hosts.iter().flatten().all(TcpHost::is_as_described) {
            let analytic = &mut assembly.info.analytic;
            analytic.theory = None;
            let why = "a TCP or an application of your own may behave differently";
            analytic.no_closed_form = vec![why.to_owned()];
        }
        (hosts, config, division)
    }

    fn simulate(
        &self,
        simulation: &mut TcpSimulation,
        recorder: &mut dyn Recorder<TcpSample>,
        observe: &mut dyn FnMut(SimulationProgress),
    ) -> Result<RunStats, RunError> {
        let mut watched;
        let recorder = match self.watch {
            Some(watch) => {
                watched = WatchedRecorder::new(recorder, watch, self.spec.scenario.duration);
                &mut watched as &mut dyn Recorder<TcpSample>
            }
            None => recorder,
        };
        let begun = Instant::now();
        let is_late = || {
            self.time_s
                .is_some_and(|most| begun.elapsed().as_secs_f64() > most)
        };
        let mut late = false;
        let stats = simulation.run(recorder, &mut |progress| {
            observe(progress);
            if let Some(watch) = self.watch {
                watch.reached(progress.now);
            }
            late = late || is_late();
            if late || self.is_stopped() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        if self.is_stopped() {
            return Err(RunError::Stopped);
        }
        match self.time_s {
            Some(most) if late => Err(RunError::TooLong(most)),
            _ => Ok(stats),
        }
    }

    /// The part of the results that only the hosts know.
    fn completion(
        &self,
        stats: &RunStats,
        hosts: &[Option<TcpHost>],
        timing: BTreeMap<String, f64>,
    ) -> Completion {
        let groups = self.spec.scenario.topology.group_of_nodes();
        let mut metrics = host_metrics::of(hosts, &groups);
        metrics.extend(host_metrics::stuck(hosts, stats.idle));
        let blocked: u64 = hosts.iter().flatten().map(TcpHost::blocked_by_window).sum();
        if blocked > 0 {
            metrics.insert("blocked_by_window_end".to_owned(), blocked as f64);
        }
        Completion {
            metrics,
            counters: counters::of(hosts, &groups),
            memory: memory::of(hosts),
            timing,
            provenance: None,
        }
    }
}

type Hosts = Vec<Option<TcpHost>>;

/// Turns a panic into an error, so that a bug in one run does not end the other runs of a batch.
fn guarded<T>(make: impl FnOnce() -> Result<T, RunError>) -> Result<T, RunError> {
    catch_unwind(AssertUnwindSafe(make)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("no message");
        Err(RunError::Internal(text.to_owned()))
    })
}

/// The wall-clock figures of a run.
fn timing(stats: &RunStats, wall: f64, simulating_cpu_s: f64) -> BTreeMap<String, f64> {
    let per_second = |count: f64| count / wall.max(1e-9);
    let all = [
        ("simulation_s", wall),
        ("simulation_thread_cpu_s", simulating_cpu_s),
        ("events_per_s", per_second(stats.events as f64)),
        ("simulated_s_per_s", per_second(stats.reached.as_secs_f64())),
        ("process_peak_rss_bytes", process::peak_bytes()),
    ];
    all.into_iter().map(|(n, v)| (n.to_owned(), v)).collect()
}

/// Executes a run into `dir` on one thread; `replace` allows replacing an existing directory.
///
/// # Errors
/// As [`Job::execute`].
pub fn execute(
    spec: &RunSpec,
    dir: &Path,
    replace: bool,
    observe: &mut dyn FnMut(SimulationProgress),
) -> Result<RunSummary, RunError> {
    execute_with(spec, dir, replace, &TcpHost::new, observe)
}

/// As [`execute`], with hosts created by `make`.
///
/// # Errors
/// As [`Job::execute`].
pub fn execute_with(
    spec: &RunSpec,
    dir: &Path,
    replace: bool,
    make: MakeHost<'_>,
    observe: &mut dyn FnMut(SimulationProgress),
) -> Result<RunSummary, RunError> {
    let job = Job {
        replace,
        make,
        ..Job::new(spec, dir)
    };
    job.execute(observe).map(|made| made.summary)
}
