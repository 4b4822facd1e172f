//! The slowdown of transfers by their size: the time taken, divided by that on the idle path ([`crate::ideal`]).
//!
//! Bulk flows and answered requests count once they are complete; those in progress at the end of the run
//! and those that failed do not. A slowdown is kept in a histogram of durations, in which a second stands for
//! 1.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use sim_core::{NodeId, SimDuration};
use tcp_model::ConnectionEnd;
use tcp_model::sample::{Ending, FlowEnd, RequestDone};

use super::histogram::Histogram;
use crate::ideal::{IdealPath, IdealPaths};
use crate::metrics::Metrics;
use crate::store::StoreError;
use crate::store::table::{ColumnKind, TableWriter, Tables};

const COLUMNS: &[(&str, ColumnKind)] = &[
    ("over_bytes", ColumnKind::Float),
    ("to_bytes", ColumnKind::Float),
    ("transfers", ColumnKind::Int),
    ("mean_bytes", ColumnKind::Float),
    ("slowdown_mean", ColumnKind::Float),
    ("slowdown_p50", ColumnKind::Float),
    ("slowdown_p99", ColumnKind::Float),
    ("slowdown_max", ColumnKind::Float),
];

/// The decimal exponent of the upper bound of the first class: transfers of up to 1 kB.
const FIRST_CLASS: u32 = 3;
/// The units of the bounds, by thousands from that one on.
const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];

/// The class of a transfer: the exponent of the smallest power of ten that is not smaller.
fn class_of(bytes: u64) -> u32 {
    bytes
        .max(1)
        .saturating_sub(1)
        .checked_ilog10()
        .map_or(0, |log| log + 1)
        .max(FIRST_CLASS)
}

/// The name of a class in metrics: its upper bound, "10kB".
fn class_name(class: u32) -> String {
    let above = class.saturating_sub(FIRST_CLASS);
    format!(
        "{}{}",
        10_u32.pow(above % 3),
        UNITS[(above / 3) as usize % UNITS.len()]
    )
}

/// Number of paths that are remembered; further ones are looked up each time.
const REMEMBERED: usize = 100_000;

/// The transfers of a class.
#[derive(Debug, Default)]
struct SizeClass {
    bytes: u128,
    slowdowns: Histogram,
}

/// The slowdowns of a run, if they are wanted.
#[derive(Debug)]
pub(crate) struct Slowdowns {
    wanted: Option<Wanted>,
}

#[derive(Debug)]
struct Wanted {
    table: TableWriter,
    paths: IdealPaths,
    known: BTreeMap<(NodeId, Ipv4Addr), Option<IdealPath>>,
    classes: BTreeMap<u32, SizeClass>,
    all: Histogram,
    /// Complete transfers whose idle path is unknown.
    without: u64,
}

impl Slowdowns {
    /// Nothing is recorded without `paths`.
    pub(crate) fn new(to: &Tables, paths: Option<&IdealPaths>) -> Result<Slowdowns, StoreError> {
        let wanted = match paths {
            Some(paths) => Some(Wanted {
                table: TableWriter::create(to, "slowdown", COLUMNS)?,
                paths: paths.clone(),
                known: BTreeMap::new(),
                classes: BTreeMap::new(),
                all: Histogram::default(),
                without: 0,
            }),
            None => None,
        };
        Ok(Slowdowns { wanted })
    }

    pub(crate) fn on_flow(&mut self, node: NodeId, flow: &FlowEnd) {
        let Some(wanted) = &mut self.wanted else {
            return;
        };
        if let (Some(bytes), Ending::Connection(ConnectionEnd::Closed)) = (flow.bytes, flow.ending)
        {
            let ideal = |path: &IdealPath| path.bulk_s(bytes);
            wanted.add(node, Some(flow.server), bytes, flow.took, ideal);
        }
    }

    /// The size of an exchange is that of its larger message.
    pub(crate) fn on_request(&mut self, node: NodeId, request: &RequestDone) {
        let Some(wanted) = self.wanted.as_mut().filter(|_| request.is_answered()) else {
            return;
        };
        let took = match request.opens {
            true => request.with_connect,
            false => request.latency,
        };
        let ideal =
            |path: &IdealPath| path.exchange_s(request.sent, request.received, request.opens);
        let size = request.sent.max(request.received);
        wanted.add(node, request.server, size, took, ideal);
    }

    pub(crate) fn close(self, metrics: &mut Metrics) -> Result<(), StoreError> {
        match self.wanted {
            Some(wanted) => wanted.close(metrics),
            None => Ok(()),
        }
    }
}

impl Wanted {
    fn add(
        &mut self,
        node: NodeId,
        server: Option<Ipv4Addr>,
        bytes: u64,
        took: SimDuration,
        ideal_s: impl Fn(&IdealPath) -> f64,
    ) {
        let ideal = server.and_then(|server| match self.known.get(&(node, server)) {
            Some(path) => path.as_ref().map(&ideal_s),
            None => {
                let path = self.paths.find(node, server);
                let ideal = path.as_ref().map(&ideal_s);
                if self.known.len() < REMEMBERED {
                    self.known.insert((node, server), path);
                }
                ideal
            }
        });
        let Some(ideal) = ideal.filter(|s| *s > 0.0) else {
            self.without += 1;
            return;
        };
        let slowdown = SimDuration::from_secs_f64(took.as_secs_f64() / ideal);
        self.all.add(slowdown);
        let class = self.classes.entry(class_of(bytes)).or_default();
        class.bytes += u128::from(bytes);
        class.slowdowns.add(slowdown);
    }

    fn close(mut self, metrics: &mut Metrics) -> Result<(), StoreError> {
        metrics.put("transfers_without_slowdown", self.without as f64);
        put(&self.all, "", metrics);
        for (class, of) in &self.classes {
            let name = class_name(*class);
            let bound = |class: u32| 10_u64.checked_pow(class).map_or(1e20, |n| n as f64);
            let over = if *class == FIRST_CLASS {
                0.0
            } else {
                bound(class - 1)
            };
            metrics.put(
                &format!("slowdown_transfers.{name}"),
                of.slowdowns.len() as f64,
            );
            put(&of.slowdowns, &format!(".{name}"), metrics);
            let number = |value: Option<f64>| value.unwrap_or_default();
            self.table
                .row()
                .float(over)
                .float(bound(*class))
                .count(of.slowdowns.len())
                .float(of.bytes as f64 / of.slowdowns.len() as f64)
                .float(number(of.slowdowns.mean_s()))
                .float(number(of.slowdowns.quantile_s(0.5)))
                .float(number(of.slowdowns.quantile_s(0.99)))
                .float(number(of.slowdowns.max_s()))
                .end()?;
        }
        match self.classes.is_empty() {
            true => self.table.discard(),
            false => self.table.close(),
        }
    }
}

/// Adds mean, median, 99th percentile and maximum as `slowdown_mean` and so on, with `suffix`.
fn put(of: &Histogram, suffix: &str, metrics: &mut Metrics) {
    for (statistic, value) in [
        ("mean", of.mean_s()),
        ("p50", of.quantile_s(0.5)),
        ("p99", of.quantile_s(0.99)),
        ("max", of.max_s()),
    ] {
        metrics.put_known(&format!("slowdown_{statistic}{suffix}"), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_ends_with_a_power_of_ten() {
        for (bytes, name) in [
            (0, "1kB"),
            (1, "1kB"),
            (1_000, "1kB"),
            (1_001, "10kB"),
            (10_000, "10kB"),
            (100_001, "1MB"),
            (1_000_000_000, "1GB"),
            (u64::MAX, "100EB"),
        ] {
            assert_eq!(class_name(class_of(bytes)), name, "{bytes}");
        }
    }
}
