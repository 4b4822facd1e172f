//! Executes one run: assembles it, simulates, writes its directory.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use reports::store::{ConnectionMemory, MemorySummary, StoreError};
use reports::{Completed, Completion, NumbersRecorder, RunRecorder, RunSummary, RunWriter};
use sim_core::simulation::Progress;
use sim_core::{Recorder, RunConfig, RunStats, Simulation};
use tcp_model::host::TcpHost;
use tcp_model::middlebox::{AnyMiddlebox, Middlebox};
use tcp_model::spec::HostConfig;
use tcp_model::{ByRule, RetransmitReason, TcpSample};

use crate::assemble::Assembly;
use crate::execution::{Division, Execution, make_hosts};
use crate::interrupt::Interrupt;
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
    Simulation(#[from] sim_core::simulation::RunError),
    /// No thread could be started.
    #[error("cannot start threads: {0}; try --threads 1")]
    Threads(String),
    /// A bug in the simulator.
    #[error("internal error: {0}; this is a bug, please report it together with the scenario")]
    Internal(String),
    /// It took longer than it may.
    #[error("it took longer than the {0} s that --run-time allows")]
    TooLong(f64),
    /// It would take more memory than it may: needed, and allowed.
    #[error("it is estimated to need {0} of memory, more than the {1} that --run-memory allows")]
    TooLarge(String, String),
    /// It failed in another process.
    #[error("{0}")]
    Earlier(String),
    /// It was interrupted.
    #[error("it was stopped")]
    Stopped,
}

/// Makes the host that a configuration describes.
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
    /// Stops it early when set; there are no results then.
    pub interrupt: Option<&'a Interrupt>,
    /// It fails after this time by the clock, seconds.
    pub time_s: Option<f64>,
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
pub struct Made {
    /// Its results.
    pub summary: RunSummary,
    /// How its network was divided; not part of the results.
    pub division: Division,
    /// Processor time of the calling thread while simulating and recording, seconds, without that of other
    /// threads. Not part of the results.
    pub simulating_cpu_s: f64,
    /// Where edited files are kept that the run replaced.
    pub kept: Vec<PathBuf>,
}

/// The metrics of a run that was made for them alone.
#[derive(Clone, Debug)]
pub struct MadeMetrics {
    /// As in the index of a batch.
    pub metrics: BTreeMap<String, f64>,
    /// Wall-clock time of the simulation, seconds; no part of the results.
    pub simulation_s: f64,
}

impl<'a> Job<'a> {
    /// On one thread, with built-in hosts, into a directory that does not exist yet.
    pub fn new(spec: &'a RunSpec, dir: &'a Path) -> Job<'a> {
        Job {
            spec,
            dir,
            replace: false,
            execution: Execution::default(),
            make: &TcpHost::new,
            interrupt: None,
            time_s: None,
        }
    }

    /// Executes the run.
    ///
    /// # Errors
    /// When the scenario cannot be assembled, the directory cannot be written, the run was
    /// interrupted, or the simulator has a bug; then there is no directory.
    pub fn execute(&self, observe: &mut dyn FnMut(Progress)) -> Result<Made, RunError> {
        guarded(|| self.attempt(observe))
    }

    /// Makes the run for its metrics: nothing is written.
    ///
    /// # Errors
    /// As [`Job::execute`].
    pub fn metrics(&self, observe: &mut dyn FnMut(Progress)) -> Result<MadeMetrics, RunError> {
        guarded(|| self.attempt_metrics(observe))
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

    fn attempt_metrics(&self, observe: &mut dyn FnMut(Progress)) -> Result<MadeMetrics, RunError> {
        let mut assembly = self.assemble()?;
        let (hosts, config, _) = self.hosts(&mut assembly);
        let network = Arc::clone(&assembly.network);
        let mut recorder = NumbersRecorder::new(assembly.info)?;
        let started = Instant::now();
        let mut simulation = Simulation::new(network, hosts, &config);
        let stats = self.simulate(&mut simulation, &mut recorder, observe)?;
        let simulation_s = started.elapsed().as_secs_f64();
        let completion = self.completion(&stats, &simulation.into_hosts(), BTreeMap::new());
        Ok(MadeMetrics {
            metrics: recorder.complete(&stats, &completion)?,
            simulation_s,
        })
    }

    fn attempt(&self, observe: &mut dyn FnMut(Progress)) -> Result<Made, RunError> {
        let mut assembly = self.assemble()?;
        let http = assembly.http(self.spec);
        let (hosts, config, division) = self.hosts(&mut assembly);
        let writer = RunWriter::create(self.dir, self.replace)?;
        writer.write_text("run.toml", &self.spec.text())?;
        let network = Arc::clone(&assembly.network);
        let mut recorder = RunRecorder::with_payloads(writer, assembly.info, http)?;
        let mut simulation = Simulation::new(network, hosts, &config);
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
            let completion = self.completion(&stats, &hosts, timing);
            // Freeing 10^5 hosts takes as long as writing a table, so both are done at once.
            freed = thread::Builder::new().spawn(move || drop(hosts)).ok();
            completion
        });
        // Free the hosts before the next run starts, to bound the memory of a batch.
        if let Some(freed) = freed {
            let _ = freed.join();
        }
        let Completed { summary, kept } = completed?;
        Ok(Made {
            summary,
            division,
            simulating_cpu_s,
            kept,
        })
    }

    /// The hosts, taken out of the assembly, and how they are divided.
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
        simulation: &mut Simulation<TcpHost>,
        recorder: &mut dyn Recorder<TcpSample>,
        observe: &mut dyn FnMut(Progress),
    ) -> Result<RunStats, RunError> {
        let begun = Instant::now();
        let is_late = || {
            self.time_s
                .is_some_and(|most| begun.elapsed().as_secs_f64() > most)
        };
        let mut late = false;
        let stats = simulation.run(recorder, &mut |progress| {
            observe(progress);
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

    /// With what only the hosts tell.
    fn completion(
        &self,
        stats: &RunStats,
        hosts: &[Option<TcpHost>],
        timing: BTreeMap<String, f64>,
    ) -> Completion {
        let groups = self.spec.scenario.topology.group_of_nodes();
        let mut metrics = host_metrics(hosts, &groups);
        metrics.extend(stuck(hosts, stats.idle));
        let blocked: u64 = hosts.iter().flatten().map(TcpHost::blocked_by_window).sum();
        if blocked > 0 {
            metrics.insert("blocked_by_window_end".to_owned(), blocked as f64);
        }
        Completion {
            metrics,
            counters: counters(hosts, &groups),
            memory: memory(hosts),
            timing,
        }
    }
}

type Hosts = Vec<Option<TcpHost>>;

/// A bug in one run must not end the other runs of a batch.
fn guarded<T>(make: impl FnOnce() -> Result<T, RunError>) -> Result<T, RunError> {
    catch_unwind(AssertUnwindSafe(make)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("no message");
        Err(RunError::Internal(text.to_owned()))
    })
}

/// Wall-clock facts of a run.
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
    observe: &mut dyn FnMut(Progress),
) -> Result<RunSummary, RunError> {
    execute_with(spec, dir, replace, &TcpHost::new, observe)
}

/// As [`execute`], with hosts made by `make`.
///
/// # Errors
/// As [`Job::execute`].
pub fn execute_with(
    spec: &RunSpec,
    dir: &Path,
    replace: bool,
    make: MakeHost<'_>,
    observe: &mut dyn FnMut(Progress),
) -> Result<RunSummary, RunError> {
    let job = Job {
        replace,
        make,
        ..Job::new(spec, dir)
    };
    job.execute(observe).map(|made| made.summary)
}

/// Metrics from the hosts' own counters.
fn host_metrics(hosts: &[Option<TcpHost>], groups: &[&str]) -> BTreeMap<String, f64> {
    let mut sums = [
        ("time_wait_fins_answered", 0),
        ("time_wait_reused", 0),
        ("time_wait_recycled", 0),
        ("time_wait_killed", 0),
        ("resets_sent", 0),
        ("listen_overflows", 0),
        ("listen_drops", 0),
    ];
    let mut spurious = ByRule::default();
    let (mut peak, mut share) = (0, 0.0_f64);
    // These metrics exist only where the event occurred.
    let mut rare = [
        ("syn_cookies_sent", 0),
        ("time_wait_lost", 0),
        ("corrupted_pkts", 0),
    ];
    for stats in hosts.iter().flatten().map(TcpHost::stats) {
        let counts = [
            stats.time_wait_fins_answered,
            stats.time_wait_reused,
            stats.time_wait_recycled,
            stats.time_wait_killed,
            stats.resets_sent,
            stats.listen_overflows,
            stats.listen_drops,
        ];
        for (sum, n) in sums.iter_mut().zip(counts) {
            sum.1 += n;
        }
        spurious += stats.spurious;
        let counts = [
            u64::from(stats.syn_cookies_sent),
            stats.time_wait_lost,
            stats.checksum_failures,
        ];
        for (sum, n) in rare.iter_mut().zip(counts) {
            sum.1 += n;
        }
        let used = stats.peak_ports_per_destination;
        peak = peak.max(used);
        share = share.max(f64::from(used) / f64::from(stats.ports_per_destination.max(1)));
    }
    let sums = sums.map(|(name, n)| (name.to_owned(), n as f64));
    let peaks = [
        ("ports_in_use_destination_peak".to_owned(), f64::from(peak)),
        (
            "ports_in_use_destination_share_peak".to_owned(),
            share.min(1.0),
        ),
    ];
    let mut all: BTreeMap<String, f64> = sums.into_iter().chain(peaks).collect();
    let rare = rare.into_iter().filter(|(_, n)| *n > 0);
    all.extend(rare.map(|(name, n)| (name.to_owned(), n as f64)));
    all.extend(spurious_metrics(&spurious));
    all.extend(nat_metrics(hosts, groups));
    all.extend(middlebox_metrics(hosts));
    all
}

/// Metrics reported by middleboxes.
fn middlebox_metrics(hosts: &[Option<TcpHost>]) -> BTreeMap<String, f64> {
    let mut all: BTreeMap<String, f64> = BTreeMap::new();
    let middleboxes = hosts.iter().flatten().filter_map(TcpHost::middlebox);
    for (name, count) in middleboxes.flat_map(Middlebox::counts) {
        all.entry(name.to_owned())
            .and_modify(|n| *n = count.and(*n))
            .or_insert(count.value());
    }
    all
}

/// Spurious retransmissions, in total and by rule.
fn spurious_metrics(spurious: &ByRule) -> BTreeMap<String, f64> {
    let total = (
        "retransmissions_spurious".to_owned(),
        spurious.total() as f64,
    );
    let mut all = BTreeMap::from([total]);
    for rule in RetransmitReason::ALL {
        let name = match rule {
            RetransmitReason::DuplicateAcks => "spurious_duplicate_acks",
            RetransmitReason::PartialAck => "spurious_partial_ack",
            RetransmitReason::Sack => "spurious_sack",
            RetransmitReason::Rack => "spurious_rack",
            RetransmitReason::TailLossProbe => "spurious_tlp",
            RetransmitReason::Timeout => "spurious_rto",
            RetransmitReason::AfterTimeout => "spurious_after_rto",
            RetransmitReason::Frto => "spurious_after_frto",
            _ => "spurious_other",
        };
        if spurious.of(rule) > 0 {
            *all.entry(name.to_owned()).or_default() += f64::from(spurious.of(rule));
        }
    }
    all
}

/// The number of connections still open although no event is scheduled; `None` if there are none.
fn stuck(hosts: &[Option<TcpHost>], is_idle: bool) -> Option<(String, f64)> {
    if !is_idle {
        return None;
    }
    let by_state = hosts.iter().flatten().map(TcpHost::memory_by_state);
    let open: u64 = by_state.flatten().map(|(_, of_state)| of_state.count).sum();
    (open > 0).then(|| ("end_points_stuck".to_owned(), open as f64))
}

/// Counters of the NATs of a run; empty without one.
fn nat_metrics(hosts: &[Option<TcpHost>], groups: &[&str]) -> BTreeMap<String, f64> {
    let mut all = BTreeMap::new();
    for (host, group) in hosts.iter().zip(groups) {
        let Some(AnyMiddlebox::Nat(nat)) = host.as_ref().and_then(TcpHost::middlebox) else {
            continue;
        };
        let nat = nat.stats();
        let sums = [
            ("nat_mappings_made", nat.made),
            ("nat_mappings_expired", nat.expired),
            ("nat_syns_dropped", nat.exhausted),
            ("nat_packets_unmapped", nat.unmapped),
        ];
        for (name, n) in sums {
            *all.entry(name.to_owned()).or_default() += n as f64;
        }
        let peaks = [
            ("nat_mappings_peak", f64::from(nat.peak_mappings)),
            ("nat_ports_in_use_peak", f64::from(nat.peak_ports)),
            (
                "nat_ports_in_use_share_peak",
                (f64::from(nat.peak_ports) / f64::from(nat.ports.max(1))).min(1.0),
            ),
        ];
        for (name, n) in peaks {
            let most: &mut f64 = all.entry(name.to_owned()).or_default();
            *most = most.max(n);
        }
        if let Some(first) = nat.first_exhausted {
            let dropped = all.entry(format!("nat.{group}_syns_dropped"));
            *dropped.or_default() += nat.exhausted as f64;
            let first = first.as_secs_f64();
            let of_group = all.entry(format!("nat.{group}_first_drop_s"));
            let earliest = of_group.or_insert(first);
            *earliest = earliest.min(first);
        }
    }
    all
}

/// The counters of hosts, summed by group, without zeros.
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
            ("time_wait_fins_answered", stats.time_wait_fins_answered),
            ("time_wait_lost", stats.time_wait_lost),
            ("port_searches", stats.port_searches),
            ("port_probes", stats.port_probes),
            ("ports_exhausted", stats.ports_exhausted),
        ];
        let of_group = all.entry((*group).to_owned()).or_default();
        if let Some(AnyMiddlebox::Nat(nat)) = host.middlebox() {
            let nat = nat.stats();
            let counts = [
                ("nat_mappings_made", nat.made),
                ("nat_mappings_peak", nat.peak_mappings.into()),
                ("nat_syns_dropped", nat.exhausted),
                ("nat_packets_unmapped", nat.unmapped),
            ];
            for (name, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
                *of_group.entry(name.to_owned()).or_default() += count;
            }
        }
        for (name, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
            *of_group.entry(name.to_owned()).or_default() += count;
        }
    }
    all
}

/// Memory figures reported by hosts and engine.
fn memory(hosts: &[Option<TcpHost>]) -> MemorySummary {
    let mut all = MemorySummary::default();
    let core = Simulation::<TcpHost>::object_bytes();
    let of_core = [
        ("event", core.event),
        ("packet", core.packet),
        ("link", core.link),
        ("node", core.node),
        ("host", core.host),
    ];
    let named = |(name, bytes): (&str, usize)| (name.to_owned(), bytes as u64);
    all.object_bytes.extend(of_core.map(named));
    let (mut peaks, mut tables) = ([0; 2], [0; 4]);
    for host in hosts.iter().flatten() {
        let (report, stats) = (host.memory(), host.stats());
        peaks[0] += u64::from(stats.peak_connections);
        peaks[1] += u64::from(stats.peak_time_wait);
        let of_host = [
            report.connections,
            report.time_wait,
            report.demux,
            report.ports,
        ];
        for (sum, bytes) in tables.iter_mut().zip(of_host) {
            *sum += bytes as u64;
        }
        for (state, of_state) in host.memory_by_state() {
            let sum: &mut ConnectionMemory = all.at_end.entry(state.to_string()).or_default();
            sum.connections += of_state.count;
            sum.bytes += of_state.bytes;
            sum.largest = sum.largest.max(of_state.largest);
        }
    }
    // The same for all hosts.
    if let Some(report) = hosts.iter().flatten().last().map(TcpHost::memory) {
        let of_host = [
            ("connection", report.per_connection),
            ("time_wait_entry", report.per_time_wait),
            ("listener", report.per_listener),
            ("half_open_connection", report.per_connection),
            ("accept_queue_entry", report.per_accept_queue_entry),
            ("ports_of_destination", report.per_destination),
        ];
        all.object_bytes.extend(of_host.map(named));
        let owned = |(name, sum): (&str, u64)| (name.to_owned(), sum);
        let names = ["connections", "time_wait"].into_iter().zip(peaks);
        all.peaks.extend(names.map(owned));
        let names = ["connections", "time_wait", "four_tuples", "ports"];
        all.table_bytes
            .extend(names.into_iter().zip(tables).map(owned));
    }
    all
}
