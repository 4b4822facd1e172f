//! `synfin bench`: measures the speed and memory of the simulator on whole workloads.
//!
//! The workloads are built in code from the same types as scenarios, and run without a recorder or with one
//! that only counts. What is simulated does not depend on the machine, and repetitions are checked to be
//! equal; only times and memory vary. `docs/performance.md` explains the figures and lists measurements.

use sim_core::event_queue::EventQueueKind;

use crate::console::{CommandError, print};
use crate::execution::Execution;

mod args;
mod batch_report;
mod churn;
mod dumbbell;
mod fat_tree;
mod growth;
mod hold;
mod idle;
mod measure;
mod memory;
mod pairs;
mod replay;
mod report;
mod text_table;
mod time_wait;
mod torus;
mod world;

pub(crate) use args::BenchArgs;
use args::BenchWorkload;
use text_table::{Measurement, TextTable};

/// Why nothing could be measured.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct BenchError(String);

impl From<String> for BenchError {
    fn from(why: String) -> BenchError {
        BenchError(why)
    }
}

/// Measures, and prints the results.
pub(crate) fn bench(args: &BenchArgs) -> Result<(), CommandError> {
    for table in tables(args).map_err(|message| CommandError::Run(format!("error: {message}")))? {
        print(&if args.json {
            table.json_lines()
        } else {
            table.text()
        })?;
    }
    Ok(())
}

fn tables(args: &BenchArgs) -> Result<Vec<TextTable>, BenchError> {
    let execution = Execution {
        queue: Some(args.event_queue),
        ..Execution::with_threads(usize::from(args.threads))
    };
    let queue = args.event_queue.name();
    let within = |default: f64| args.seconds.unwrap_or(default);
    let title = |what: String, seconds: f64| format!("{what}, {seconds} s, {queue}");
    match &args.workload {
        BenchWorkload::Dumbbell { flows, options } => {
            let seconds = within(10.0);
            let once = |execution| dumbbell::run(*flows, options, seconds, execution);
            let what = format!("dumbbell {flows}{}", options.title());
            measured(args, execution, title(what, seconds), once)
        }
        BenchWorkload::Churn { rate, close } => {
            let seconds = within(10.0);
            let title = title(format!("churn {rate}"), seconds);
            let title = format!(
                "{title}, {} closes{}",
                close.first_name(),
                close.model_name()
            );
            churned(args, execution, title, |execution| {
                churn::run(*rate, None, seconds, close, execution)
            })
        }
        BenchWorkload::Idle { connections } => {
            let once = |execution| idle::run(*connections, execution);
            measured(
                args,
                execution,
                format!("idle {connections}, {queue}"),
                once,
            )
        }
        BenchWorkload::TimeWait { entries, close } => {
            let title = format!(
                "time-wait {entries}, {queue}, {} closes{}",
                close.first_name(),
                close.model_name()
            );
            churned(args, execution, title, |execution| {
                time_wait::run(*entries, close, execution)
            })
        }
        BenchWorkload::Pairs { pairs } => {
            let seconds = within(1.0);
            let once = |execution| pairs::run(*pairs, seconds, execution);
            measured(
                args,
                execution,
                title(format!("pairs {pairs}"), seconds),
                once,
            )
        }
        BenchWorkload::FatTree { pods, flows } => {
            let seconds = within(0.1);
            let once = |execution| fat_tree::run(*pods, *flows, seconds, execution);
            let what = format!("fat-tree {pods}, {flows} flows per host");
            measured(args, execution, title(what, seconds), once)
        }
        BenchWorkload::Torus { side } => {
            let seconds = within(0.5);
            let once = |execution| torus::run(*side, seconds, execution);
            measured(
                args,
                execution,
                title(format!("torus {side}"), seconds),
                once,
            )
        }
        BenchWorkload::Growth { decades } => {
            whole(args, "growth")?;
            let table = growth::table(*decades, execution, format!("growth, {queue}"))?;
            Ok(vec![table])
        }
        BenchWorkload::Memory { connections } => {
            whole(args, "memory")?;
            memory::tables(*connections, execution)
        }
        BenchWorkload::Hold { decades, holds } => {
            whole(args, "hold")?;
            Ok(vec![hold::table(*decades, *holds)?])
        }
        BenchWorkload::Report { part } => {
            whole(args, "report")?;
            report::tables(*part, args.reps, execution)
        }
        BenchWorkload::Replay { operations } => {
            whole(args, "replay")?;
            Ok(vec![replay::table(*operations as usize)?])
        }
    }
}

/// Adds the time of every event queue to `m`. `play` returns the time of a queue and a digest of the order of
/// its events, which must be the same for all.
fn each_queue(
    mut m: Measurement,
    play: impl Fn(EventQueueKind) -> (f64, u64),
) -> Result<Measurement, BenchError> {
    let mut expected = None;
    for &kind in EventQueueKind::ALL {
        let (ns, order) = play(kind);
        if *expected.get_or_insert(order) != order {
            return Err(format!("{} gives a different order; this is a bug", kind.name()).into());
        }
        m = m.with(kind.name(), ns);
    }
    Ok(m)
}

/// Rejects --compare-threads for a workload that runs on one thread.
fn whole(args: &BenchArgs, workload: &str) -> Result<(), BenchError> {
    if args.compare_threads {
        return Err(format!("{workload} cannot be used with --compare-threads").into());
    }
    Ok(())
}

/// The result of one run of a workload: a measurement, and a digest of what was simulated.
type WorkloadResult = Result<(Measurement, String), BenchError>;

/// Measures a workload `reps` times, and with --compare-threads also with several threads.
fn measured(
    args: &BenchArgs,
    execution: Execution,
    title: String,
    mut once: impl FnMut(Execution) -> WorkloadResult,
) -> Result<Vec<TextTable>, BenchError> {
    let table = if args.compare_threads {
        compare(title, args.reps, execution, once)?
    } else {
        repeat(title, args.reps, || once(execution))?
    };
    Ok(vec![table])
}

/// As [`measured`], plus the cost of each interval of the first run.
fn churned(
    args: &BenchArgs,
    execution: Execution,
    title: String,
    mut run: impl FnMut(Execution) -> Result<churn::ChurnResult, BenchError>,
) -> Result<Vec<TextTable>, BenchError> {
    let mut intervals = Vec::new();
    let total = measured(args, execution, title.clone(), |execution| {
        let ran = run(execution)?;
        if intervals.is_empty() {
            intervals = ran.intervals;
        }
        Ok((ran.total, ran.digest))
    })?;
    let mut tables = vec![churn::flatness(title, intervals)];
    tables.extend(total);
    Ok(tables)
}

/// Runs a workload `reps` times with one thread and with `threads` in turn, and gives the medians and their
/// ratio. The simulated outcome must be the same.
fn compare(
    title: String,
    reps: u32,
    execution: Execution,
    mut once: impl FnMut(Execution) -> WorkloadResult,
) -> Result<TextTable, BenchError> {
    let threads = execution.threads.max(2);
    let mut all = [Vec::new(), Vec::new()];
    let mut expected: Option<String> = None;
    for _ in 0..reps {
        for (runs, threads) in all.iter_mut().zip([1, threads]) {
            let (m, digest) = once(Execution {
                threads,
                ..execution
            })?;
            if expected.get_or_insert_with(|| digest.clone()) != &digest {
                return Err(
                    format!("the outcome differs with {threads} threads; this is a bug").into(),
                );
            }
            runs.push(m.with("outcome", digest));
        }
    }
    let [one, several] = all.map(|runs| Measurement::median(&runs));
    let speed_up = one.number("wall_s") / several.number("wall_s");
    Ok(TextTable {
        title,
        by: "threads_asked",
        columns: vec![
            ("1".to_owned(), one.with("speed_up", 1.0)),
            (threads.to_string(), several.with("speed_up", speed_up)),
        ],
    })
}

/// Measures `reps` times; the simulated outcome must be the same each time.
fn repeat(
    title: String,
    reps: u32,
    mut once: impl FnMut() -> Result<(Measurement, String), BenchError>,
) -> Result<TextTable, BenchError> {
    let mut all: Vec<Measurement> = Vec::new();
    let mut expected: Option<String> = None;
    for rep in 0..reps {
        let (mut m, digest) = once()?;
        if expected.get_or_insert_with(|| digest.clone()) != &digest {
            return Err(format!(
                "the outcome of repetition {} differs from the first; this is a bug",
                rep + 1
            )
            .into());
        }
        if rep > 0 {
            m.forget_memory();
        }
        all.push(m.with("outcome", digest));
    }
    let median = (reps > 1).then(|| ("median".to_owned(), Measurement::median(&all)));
    let numbered = (1..).zip(all).map(|(i, m): (u32, _)| (i.to_string(), m));
    Ok(TextTable {
        title,
        by: "repetition",
        columns: numbered.chain(median).collect(),
    })
}
