//! `growth`: the cost of an event as the number of connections grows.
//!
//! 10^3, 10^4, ... connections, each with a request of 100 bytes and a response of 1000 bytes every second.
//! Four pairs of client and server, 10 Gbit/s, round trip 10 ms; the opens are spread evenly over the first
//! second, and measurement starts after two seconds.

use std::sync::Arc;

use sim_core::record::Discard;
use sim_core::{SimDuration, SimTime};
use tcp_model::spec::{Distribution, Exchange};

use super::BenchError;
use super::idle::four_pairs;
use super::measure;
use super::text_table::{Measurement, TextTable};
use super::world::BenchWorld;
use crate::execution::Execution;
use crate::process;

/// Simulated seconds before measurement starts, when all connections are open and active.
const WARM: f64 = 2.0;
/// Minimum number of requests measured, and of simulated seconds.
const REQUESTS: f64 = 400_000.0;
const SECONDS: f64 = 2.0;

fn world(n: u32, seconds: f64) -> Result<BenchWorld, BenchError> {
    let exchange = Arc::new(Exchange {
        requests: u32::MAX,
        think: Distribution::Constant(1.0),
        ..Exchange::default()
    });
    let end = SimTime::ZERO + SimDuration::from_secs_f64(WARM + seconds);
    four_pairs(n, 1.0, [Arc::clone(&exchange), exchange], end)
}

/// Measures 10^3 to 10^`decades` connections.
pub(super) fn table(
    decades: u32,
    execution: Execution,
    title: String,
) -> Result<TextTable, BenchError> {
    let mut columns: Vec<(String, Measurement)> = Vec::new();
    let mut least = f64::INFINITY;
    for decade in 3..=decades {
        let m = once(10u32.pow(decade), execution)?;
        let ns = m.number("ns_per_event");
        least = least.min(ns);
        columns.push((format!("10^{decade}"), m.with("growth", ns / least)));
    }
    Ok(TextTable {
        title,
        by: "connections",
        columns,
    })
}

fn once(n: u32, execution: Execution) -> Result<Measurement, BenchError> {
    let seconds = (REQUESTS / f64::from(n)).max(SECONDS);
    let warm = SimTime::ZERO + SimDuration::from_secs_f64(WARM);
    let mut mark = None;
    let ran = measure::run_observed(
        || world(n, seconds),
        execution,
        &mut Discard,
        &mut |progress| {
            if mark.is_none() && progress.now >= warm {
                mark = Some((progress, process::cpu_s()));
            }
        },
    )?;
    let Some((from, begun)) = mark else {
        return Err("nothing happened after the warm-up".to_owned().into());
    };
    let events = (ran.stats.events - from.events) as f64;
    let time = ran.stats.reached.since(from.now).as_secs_f64();
    // Processor time was read at the end of the run.
    let cpu_s = ran.ended_cpu_s - begun;
    let caches = process::caches();
    let tables: usize = ran.hosts.iter().map(|h| h.memory().total()).sum();
    let fits = caches.iter().find(|(_, bytes)| *bytes >= tables as f64);
    Ok(Measurement::default()
        .with("events", events)
        .with("events_per_connection_and_s", events / f64::from(n) / time)
        .with("cpu_s", cpu_s)
        .with("events_per_cpu_s", events / cpu_s)
        .with("ns_per_event", 1e9 * cpu_s / events)
        .with("bytes_per_connection", ran.grown_bytes / f64::from(n))
        .with("tables_mib", tables as f64 / 1024.0 / 1024.0)
        .with(
            "tables_fit",
            fits.map_or_else(|| "memory".to_owned(), |(name, _)| name.clone()),
        )
        .with("outcome", ran.digest()))
}
