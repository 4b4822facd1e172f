//! `report`: the cost of a whole run - recording, tables, figures, report - compared with the bare
//! simulation.
//!
//! Each workload is a scenario. It is run once without recording and once as `synfin run` does, into a
//! temporary directory, all in one process. Leaves out the cost of starting a process.
//!
//! The cost of a record to the simulating thread is the difference between the processor times of that
//! thread with and without recording, divided by the number of records. That thread creates the records;
//! another thread turns them into tables.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use sim_core::record::Discard;
use tcp_model::host::{TcpHost, TcpSimulation};

use super::text_table::{Measurement, TextTable};
use super::{BenchError, batch_report};
use crate::assemble::Assembly;
use crate::execution::{Execution, make_hosts};
use crate::overrides::Override;
use crate::problem::SourceText;
use crate::process;
use crate::run::Job;
use crate::sweep::Plan;

/// A workload: its name, and its scenario.
struct ReportCase {
    name: &'static str,
    text: String,
}

/// The workloads; `part` scales their bytes and times, 1 for the full size.
fn cases(part: f64) -> [ReportCase; 4] {
    let seconds = |s: f64| format!("{} ms", (s * part * 1e3).max(1.0).round());
    let bytes = (1e9 * part).round();
    let case = |name, text: String| ReportCase {
        name,
        text: format!("name = \"{name}\"\n{text}"),
    };
    let exchange = "request = \"100 B\"\nresponse = \"1000 B\"";
    [
        case(
            "bulk",
            format!(
                r#"duration = "60 s"
                [tcp]
                send_buffer = "4 MB"
                receive_buffer = "4 MB"
                congestion = "newreno"
                [topology]
                kind = "pair"
                path = {{ rate = "1 Gbit/s", delay = "1 ms", queue = "1000 packets" }}
                [[workload]]
                name = "transfer"
                kind = "bulk"
                bytes = "{bytes} B""#
            ),
        ),
        case(
            "time-wait",
            format!(
                r#"duration = "{}"
                [tcp]
                profile = "linux"
                congestion = "newreno"
                [topology]
                kind = "pair"
                path = {{ rate = "1 Gbit/s", delay = "250 us" }}
                [[workload]]
                name = "web"
                arrivals = {{ kind = "fixed", rate = "660 /s" }}
                close = "client"
                {exchange}"#,
                seconds(200.0)
            ),
        ),
        case(
            "churn",
            format!(
                r#"duration = "{}"
                [tcp]
                profile = "linux"
                congestion = "newreno"
                [topology]
                kind = "pair"
                path = {{ rate = "10 Gbit/s", delay = "250 us" }}
                client_addresses = 16
                [[workload]]
                name = "web"
                arrivals = {{ kind = "poisson", rate = "10000 /s" }}
                close = "client"
                {exchange}"#,
                seconds(10.0)
            ),
        ),
        case(
            "star",
            format!(
                r#"duration = "{}"
                [tcp]
                profile = "linux"
                congestion = "newreno"
                [topology]
                kind = "star"
                clients = {}
                servers = 4
                access = {{ rate = "1 Gbit/s", delay = "1 ms" }}
                [[workload]]
                name = "web"
                arrivals = {{ kind = "poisson", rate = "20000 /s" }}
                close = "client"
                {exchange}"#,
                seconds(1.0),
                (10_000.0 * part).max(1.0).round()
            ),
        ),
    ]
}

/// The plan with the only run of a workload.
fn plan(case: &ReportCase, sets: &[&str]) -> Result<Plan, BenchError> {
    let source = SourceText {
        name: format!("{}.toml", case.name),
        text: case.text.clone(),
    };
    let sets = sets.iter().map(|set| Override::parse(set));
    let sets = sets.collect::<Result<Vec<_>, _>>();
    let sets = sets.map_err(|e| e.to_string())?;
    Plan::new(&source, &sets).map_err(|e| e.to_string().into())
}

/// The cost of the bare simulation.
struct SimulationOnly {
    seconds: f64,
    cpu_s: f64,
    events: u64,
}

/// Runs the bare simulation.
fn alone(case: &ReportCase, execution: Execution) -> Result<SimulationOnly, BenchError> {
    let plan = plan(case, &["record.traced_connections=0"])?;
    let assembly = Assembly::new(&plan.runs[0]).map_err(|p| p.message)?;
    let (config, _) = execution.configure(&assembly);
    let mut hosts = make_hosts(assembly.hosts, &config.partition_of, &TcpHost::new);
    Assembly::equip(assembly.extras, &mut hosts);
    let mut simulation = TcpSimulation::new(Arc::clone(&assembly.network), hosts, &config);
    let (started, cpu) = (Instant::now(), process::thread_cpu_s());
    let stats = simulation.run(&mut Discard, &mut |_| ControlFlow::Continue(()));
    let stats = stats.map_err(|e| e.to_string())?;
    Ok(SimulationOnly {
        seconds: started.elapsed().as_secs_f64(),
        cpu_s: process::thread_cpu_s() - cpu,
        events: stats.events,
    })
}

/// The cost of a whole run, and the size of its results.
struct WholeRunCost {
    seconds: f64,
    /// Processor time of the simulating thread while it simulates, seconds.
    cpu_s: f64,
    records: f64,
    bytes: u64,
}

/// Executes the whole run, from the text of its scenario to its report.
fn whole(
    case: &ReportCase,
    sets: &[&str],
    dir: &Path,
    execution: Execution,
) -> Result<WholeRunCost, BenchError> {
    let started = Instant::now();
    let plan = plan(case, sets)?;
    let job = Job {
        execution,
        replace: true,
        ..Job::new(&plan.runs[0], dir)
    };
    let made = job.execute(&mut |_| ()).map_err(|e| e.to_string())?;
    let seconds = started.elapsed().as_secs_f64();
    let records = made.summary.metrics.get("records");
    Ok(WholeRunCost {
        seconds,
        cpu_s: made.simulating_cpu_s,
        records: records.copied().unwrap_or(0.0),
        bytes: bytes_below(dir),
    })
}

/// Total size of the files below a directory, bytes.
fn bytes_below(dir: &Path) -> u64 {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(meta) if meta.is_dir() => bytes_below(&entry.path()),
        Ok(meta) => meta.len(),
        Err(_) => 0,
    });
    sizes.sum()
}

/// A directory that is removed when dropped.
struct ScratchDir(PathBuf);

impl Drop for ScratchDir {
    fn drop(&mut self) {
        // Best effort: the directory is a temporary one.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Measures all workloads `reps` times, alternating between the two ways to run, and takes the minimum,
/// because other work on the machine only adds time. A second table is about the report of a batch.
pub(super) fn tables(
    part: f64,
    reps: u32,
    execution: Execution,
) -> Result<Vec<TextTable>, BenchError> {
    let name = format!("synfin-bench-report-{}", std::process::id());
    let scratch = ScratchDir(std::env::temp_dir().join(name));
    std::fs::create_dir_all(&scratch.0).map_err(|e| e.to_string())?;
    let mut columns = Vec::new();
    for case in cases(part) {
        let (mut least, mut least_cpu) = ([f64::INFINITY; 3], [f64::INFINITY; 3]);
        let mut last = None;
        for _ in 0..reps {
            let alone = alone(&case, execution)?;
            let dir = scratch.0.join(case.name);
            let default = whole(&case, &[], &dir, execution)?;
            let all = whole(&case, &["record.segments=all"], &dir, execution)?;
            let took = [alone.seconds, default.seconds, all.seconds];
            let cpu = [alone.cpu_s, default.cpu_s, all.cpu_s];
            least = std::array::from_fn(|i| least[i].min(took[i]));
            least_cpu = std::array::from_fn(|i| least_cpu[i].min(cpu[i]));
            last = Some((alone.events, default, all));
        }
        let Some((events, default, all)) = last else {
            continue;
        };
        let per_record = |way: usize, records: f64| {
            1e9 * (least_cpu[way] - least_cpu[0]).max(0.0) / records.max(1.0)
        };
        let m = Measurement::default()
            .with("events", events)
            .with("simulation_s", least[0])
            .with("whole_s", least[1])
            .with("ratio", least[1] / least[0])
            .with("simulating_cpu_ratio", least_cpu[1] / least_cpu[0])
            .with("records", default.records)
            .with("ns_per_record", per_record(1, default.records))
            .with("files_kib", default.bytes as f64 / 1024.0)
            .with("whole_all_segments_s", least[2])
            .with("ratio_all_segments", least[2] / least[0])
            .with("records_all_segments", all.records)
            .with("ns_per_record_all_segments", per_record(2, all.records))
            .with("files_all_segments_kib", all.bytes as f64 / 1024.0);
        columns.push((case.name.to_owned(), m));
    }
    let runs = TextTable {
        title: format!("report, part {part} of each workload, least of {reps}"),
        by: "workload",
        columns,
    };
    let batch = batch_report::table(part, reps, execution, &scratch.0)?;
    Ok(vec![runs, batch])
}
