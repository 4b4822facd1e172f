//! The arguments of `synfin bench`.

use clap::{Args, Subcommand};
use sim_core::event_queue::EventQueueKind;

use super::{BenchError, churn, dumbbell};

/// What to measure and how.
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    #[command(subcommand)]
    pub(super) workload: BenchWorkload,
    /// Threads for one simulation, where its network can be divided
    #[arg(long, global = true, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) threads: u16,
    /// Event queue: wheel, heap, or priority-queue
    #[arg(long, global = true, value_name = "NAME", default_value = "wheel", value_parser = queue)]
    pub(super) event_queue: EventQueueKind,
    /// Run with one thread and with several (2, or what --threads says) in turn, and compare
    #[arg(long, global = true)]
    pub(super) compare_threads: bool,
    /// Simulated seconds [default: 10; pairs: 1, torus: 0.5, fat-tree: 0.1]
    #[arg(long, global = true, value_name = "S", value_parser = seconds)]
    pub(super) seconds: Option<f64>,
    /// Repetitions; memory is measured in the first
    #[arg(long, global = true, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) reps: u32,
    /// Print one JSON object per measurement and line, for programs
    #[arg(long, global = true)]
    pub(super) json: bool,
}

#[derive(Clone, Debug, Subcommand)]
pub(super) enum BenchWorkload {
    /// Bulk flows through a bottleneck with 10 Mbit/s per flow
    Dumbbell {
        /// Number of flows
        #[arg(value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        flows: u32,
        #[command(flatten)]
        options: dumbbell::DumbbellOptions,
    },
    /// Short connections: request of 100 bytes, response of 1000, close
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
    /// A given number of connections in TIME-WAIT at once
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
    },
    /// Bulk flows in a data centre of K pods, for several threads; single shortest paths, no ECMP
    FatTree {
        /// Number of pods, even; K^3/4 hosts
        #[arg(value_name = "K", value_parser = clap::value_parser!(u32).range(2..=48))]
        pods: u32,
        /// Flows of each host
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
        flows: u32,
    },
    /// Bulk flows over many hops between N x N routers, for several threads
    Torus {
        /// Routers in a row
        #[arg(value_name = "N", value_parser = clap::value_parser!(u32).range(2..=256))]
        side: u32,
    },
    /// Cost of an event as the number of equally active connections grows
    Growth {
        /// Largest number of connections, as a power of ten
        #[arg(value_parser = clap::value_parser!(u32).range(3..=7), default_value_t = 6)]
        decades: u32,
    },
    /// Memory of each kind of object, and of a connection in each state
    Memory {
        /// Connections in each state
        #[arg(value_parser = clap::value_parser!(u32).range(1..=1_000_000), default_value_t = 1000)]
        connections: u32,
    },
    /// Cost of recording, tables and figures relative to the bare simulation: 1 GB bulk, time-wait, churn
    /// of 10,000 connections/s, a star of 10,000 clients; and the time to write the report of a batch of 216 runs
    Report {
        /// Run only this part of each workload
        #[arg(long, default_value_t = 1.0, value_parser = part)]
        part: f64,
    },
    /// The event queues alone, replaying the operations of whole workloads
    Replay {
        /// Maximum number of operations of each workload
        #[arg(long, value_parser = clap::value_parser!(u32).range(1000..=50_000_000), default_value_t = 4_000_000)]
        operations: u32,
    },
    /// The event queues alone: remove the first event, insert another
    Hold {
        /// Largest number of pending events, as a power of ten
        #[arg(value_parser = clap::value_parser!(u32).range(2..=8), default_value_t = 6)]
        decades: u32,
        /// Holds measured for each
        #[arg(long, value_parser = clap::value_parser!(u32).range(1000..), default_value_t = 4_000_000)]
        holds: u32,
    },
}

pub(super) fn queue(name: &str) -> Result<EventQueueKind, BenchError> {
    let names: Vec<&str> = EventQueueKind::ALL.iter().map(|k| k.name()).collect();
    EventQueueKind::from_name(name).ok_or_else(|| format!("one of {}", names.join(", ")).into())
}

pub(super) fn seconds(text: &str) -> Result<f64, BenchError> {
    match text.parse() {
        Ok(s) if (1e-3..=1e6).contains(&s) => Ok(s),
        _ => Err("a number of seconds from 0.001 to 1000000"
            .to_owned()
            .into()),
    }
}

pub(super) fn part(text: &str) -> Result<f64, BenchError> {
    match text.parse() {
        Ok(part) if (1e-4..=100.0).contains(&part) => Ok(part),
        _ => Err("a number from 0.0001 to 100".to_owned().into()),
    }
}
