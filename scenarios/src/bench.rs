//! `synfin bench`: what the simulator itself costs, on whole workloads.
//!
//! The workloads are built in code from the types that scenarios become, and run without a
//! recorder, or with one that only counts. What is simulated does not depend on the machine, and
//! repetitions are checked to be the same; times and memory are measured.
//! `docs/performance.md` tells how to read them and what they were.

use clap::{Args, Subcommand};
use sim_core::event_queue::EventQueueKind;

use crate::cli::{Failure, print};

mod churn;
mod dumbbell;
mod hold;
mod idle;
mod measure;
mod pairs;
mod process;
mod replay;
mod table;
mod time_wait;
mod world;

use measure::Engine;
use table::{Measurement, Table};

/// What to measure and how.
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    #[command(subcommand)]
    workload: Workload,
    /// Threads of one simulation, where its network lets it be divided
    #[arg(long, global = true, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    threads: u16,
    /// Event queue: wheel, heap, or priority-queue
    #[arg(long, global = true, value_name = "NAME", default_value = "wheel", value_parser = queue)]
    event_queue: EventQueueKind,
    /// Simulated seconds [default: 10; pairs: 1]
    #[arg(long, global = true, value_name = "S", value_parser = seconds)]
    seconds: Option<f64>,
    /// Repetitions; memory is measured in the first
    #[arg(long, global = true, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    reps: u32,
    /// A JSON object per line and measurement, for programs
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Clone, Debug, Subcommand)]
enum Workload {
    /// Bulk flows through a bottleneck of 10 Mbit/s for each
    Dumbbell {
        /// Number of flows
        #[arg(value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        flows: u32,
    },
    /// Short connections: 100 bytes there, 1000 back, close
    Churn {
        /// Connections per second
        #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
        rate: u32,
        #[command(flatten)]
        close: churn::CloseArgs,
    },
    /// Established connections on which nothing happens for a minute
    Idle {
        /// Number of connections
        #[arg(value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
        connections: u32,
    },
    /// So many connections in TIME-WAIT at once
    TimeWait {
        /// Number of entries
        #[arg(value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
        entries: u32,
        #[command(flatten)]
        close: churn::CloseArgs,
    },
    /// Bulk flows in and between four sites, for several threads
    Pairs {
        /// Number of pairs of hosts
        #[arg(value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        pairs: u32,
        /// Run with one thread and with several (2, or what --threads says), and compare
        #[arg(long)]
        compare_threads: bool,
    },
    /// The event queues alone, asked what they were asked in whole workloads
    Replay {
        /// Operations of each workload, at most
        #[arg(long, value_parser = clap::value_parser!(u32).range(1000..=50_000_000), default_value_t = 4_000_000)]
        operations: u32,
    },
    /// The event queues alone: take the first event, put one back
    Hold {
        /// Largest number of pending events, as a power of ten
        #[arg(value_parser = clap::value_parser!(u32).range(2..=8), default_value_t = 6)]
        decades: u32,
        /// Holds measured for each
        #[arg(long, value_parser = clap::value_parser!(u32).range(1000..), default_value_t = 4_000_000)]
        holds: u32,
    },
}

fn queue(name: &str) -> Result<EventQueueKind, String> {
    let names: Vec<&str> = EventQueueKind::ALL.iter().map(|k| k.name()).collect();
    EventQueueKind::from_name(name).ok_or_else(|| format!("one of {}", names.join(", ")))
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(s) if (1e-3..=1e6).contains(&s) => Ok(s),
        _ => Err("a number of seconds from 0.001 to 1000000".to_owned()),
    }
}

/// Measures and prints.
pub(crate) fn bench(args: &BenchArgs) -> Result<(), Failure> {
    for table in tables(args).map_err(|message| Failure::Run(format!("error: {message}")))? {
        print(&if args.json {
            table.json_lines()
        } else {
            table.text()
        });
    }
    Ok(())
}

fn tables(args: &BenchArgs) -> Result<Vec<Table>, String> {
    let engine = Engine {
        queue: args.event_queue,
        threads: usize::from(args.threads),
    };
    let seconds = args.seconds.unwrap_or(10.0);
    let how = format!("{seconds} s, {}", engine.queue.name());
    match &args.workload {
        Workload::Dumbbell { flows } => {
            let once = || dumbbell::run(*flows, seconds, engine);
            let table = repeat(format!("dumbbell {flows}, {how}"), args.reps, once)?;
            Ok(vec![table])
        }
        Workload::Churn { rate, close } => {
            let mut intervals = Vec::new();
            let once = || {
                let ran = churn::run(*rate, None, seconds, close, engine)?;
                if intervals.is_empty() {
                    intervals = ran.intervals;
                }
                Ok((ran.total, ran.digest))
            };
            let title = format!("churn {rate}, {how}, {} closes", close.first_name());
            let total = repeat(title.clone(), args.reps, once)?;
            Ok(vec![churn::flatness(title, intervals), total])
        }
        Workload::Idle { connections } => {
            let once = || idle::run(*connections, engine);
            let title = format!("idle {connections}, {}", engine.queue.name());
            Ok(vec![repeat(title, args.reps, once)?])
        }
        Workload::TimeWait { entries, close } => {
            let mut intervals = Vec::new();
            let once = || {
                let ran = time_wait::run(*entries, close, engine)?;
                if intervals.is_empty() {
                    intervals = ran.intervals;
                }
                Ok((ran.total, ran.digest))
            };
            let title = format!(
                "time-wait {entries}, {}, {} closes",
                engine.queue.name(),
                close.first_name()
            );
            let total = repeat(title.clone(), args.reps, once)?;
            Ok(vec![churn::flatness(title, intervals), total])
        }
        Workload::Pairs {
            pairs,
            compare_threads,
        } => {
            let seconds = args.seconds.unwrap_or(1.0);
            let title = format!("pairs {pairs}, {seconds} s, {}", engine.queue.name());
            Ok(vec![if *compare_threads {
                pairs::compare(*pairs, seconds, engine, args.reps, title)?
            } else {
                repeat(title, args.reps, || pairs::run(*pairs, seconds, engine))?
            }])
        }
        Workload::Replay { operations } => Ok(vec![replay::table(*operations as usize)?]),
        Workload::Hold { decades, holds } => Ok(vec![hold::table(*decades, *holds)?]),
    }
}

/// Measures `reps` times; the simulated outcome must be the same each time.
fn repeat(
    title: String,
    reps: u32,
    mut once: impl FnMut() -> Result<(Measurement, String), String>,
) -> Result<Table, String> {
    let mut all: Vec<Measurement> = Vec::new();
    let mut expected: Option<String> = None;
    for rep in 0..reps {
        let (mut m, digest) = once()?;
        if expected.get_or_insert_with(|| digest.clone()) != &digest {
            return Err(format!(
                "repetition {} had another outcome than the first; this is a bug",
                rep + 1
            ));
        }
        if rep > 0 {
            m.forget_memory();
        }
        all.push(m.with("outcome", digest));
    }
    let median = (reps > 1).then(|| ("median".to_owned(), Measurement::median(&all)));
    let numbered = (1..).zip(all).map(|(i, m): (u32, _)| (i.to_string(), m));
    Ok(Table {
        title,
        by: "repetition",
        columns: numbered.chain(median).collect(),
    })
}
