//! What closed forms need to know of a scenario, as far as they apply to it.

use reports::AnalyticHints;
use sim_core::{Network, SimDuration};
use tcp_model::params::TwReuse;
use tcp_model::spec::{Arrivals, CloseHow, Closer, Distribution, Exchange};

use crate::scenario::Scenario;
use crate::scenario::workload::{Kind, Workload};

/// Hints for a scenario with exactly one exchange workload; none for others, whose populations
/// mix.
pub fn hints(scenario: &Scenario, network: &Network) -> AnalyticHints {
    let [workload] = scenario.workloads.as_slice() else {
        return AnalyticHints::default();
    };
    let Kind::Exchange {
        arrivals,
        exchange,
        limit,
        ..
    } = &workload.kind
    else {
        return AnalyticHints::default();
    };
    let group = match (exchange.closer, exchange.how) {
        (_, CloseHow::Rst) | (Closer::Both, _) => None,
        (Closer::Client, _) => Some(&workload.client),
        (Closer::Server, _) => Some(&workload.server),
    };
    let of_group = |name: &String| {
        scenario
            .topology
            .group_named(name)
            .unwrap_or(name)
            .to_owned()
    };
    let clients = scenario.tcp.of(&of_group(&workload.client));
    let holders = scenario
        .tcp
        .of(&of_group(group.unwrap_or(&workload.client)));
    let pairs = pairs(scenario, workload);
    let early_reuse = clients.tw_reuse == TwReuse::On && clients.timestamps;
    let ports = u64::from(clients.port_count());
    let hosts = scenario.topology.hosts_named(&workload.client).len().max(1) as u64;
    let table = clients.max_tw_buckets.map_or(u64::MAX, u64::from);
    AnalyticHints {
        time_wait_s: group.map(|_| holders.time_wait.as_secs_f64()),
        time_wait_group: group.map(of_group),
        ports_per_destination: Some(ports),
        destinations: pairs,
        ports_held_by_time_wait: exchange.closer == Closer::Client
            && exchange.how != CloseHow::Rst
            && !early_reuse
            && ports.saturating_mul(pairs.div_ceil(hosts)) <= table,
        offered_per_s: if limit.is_some() {
            Vec::new()
        } else {
            offered(workload, arrivals)
        },
        hold_s: hold(scenario, workload, exchange, network).as_secs_f64(),
    }
}

/// The window of steady state: the last whole periods of 2 MSL and holding time. A fixed load
/// above the limit succeeds and fails in turns of that period, so that a share must be taken over
/// whole ones.
pub fn steady(scenario: &Scenario, hints: &AnalyticHints) -> Option<(f64, f64)> {
    let [workload] = scenario.workloads.as_slice() else {
        return None;
    };
    let Kind::Exchange {
        arrivals: Arrivals::Fixed(_) | Arrivals::Poisson(_),
        ..
    } = &workload.kind
    else {
        return None;
    };
    let period = hints.time_wait_s? + hints.hold_s;
    let end = workload.stop.min(scenario.duration).as_secs_f64();
    let whole = ((end - workload.start.as_secs_f64()) / period - 1.0).floor();
    (whole >= 1.0).then_some((end - whole * period, end))
}

/// Client address times server address and port.
fn pairs(scenario: &Scenario, workload: &Workload) -> u64 {
    let count = |name: &str, most: Option<u32>| {
        scenario
            .topology
            .addresses_named(name)
            .map(|n| u64::from(n.min(most.unwrap_or(u32::MAX))))
            .sum::<u64>()
    };
    count(&workload.client, workload.client_addresses)
        .saturating_mul(count(&workload.server, workload.server_addresses))
        .saturating_mul(workload.ports.len() as u64)
}

/// Connections per second over time, as in [`AnalyticHints::offered_per_s`]; nothing for users and
/// bursts.
pub(crate) fn offered(workload: &Workload, arrivals: &Arrivals) -> Vec<(f64, f64)> {
    let (start, stop) = (workload.start.as_secs_f64(), workload.stop.as_secs_f64());
    let mut points = match arrivals {
        Arrivals::Fixed(rate) | Arrivals::Poisson(rate) => vec![(start, *rate)],
        Arrivals::Ramp { from, to, over } => {
            vec![(start, *from), (start + over.as_secs_f64(), *to)]
        }
        Arrivals::Steps(steps) => {
            let mut points: Vec<(f64, f64)> = Vec::new();
            for (at, rate) in steps {
                let at = start + at.as_secs_f64();
                if let Some(&(_, before)) = points.last() {
                    points.push((at, before));
                }
                points.push((at, *rate));
            }
            points
        }
        Arrivals::Closed { .. } | Arrivals::Burst(_) => return Vec::new(),
    };
    if let Some(cut) = points.iter().position(|p| p.0 > stop) {
        let ((t0, r0), (t1, r1)) = (points[cut.saturating_sub(1)], points[cut]);
        points.truncate(cut);
        points.push((stop, r0 + (r1 - r0) * (stop - t0) / (t1 - t0)));
    }
    let last = points.last().map_or(0.0, |p| p.1);
    points.push((stop, last));
    points.push((stop, 0.0));
    points
}

/// Mean time of a user from one connection to the next; `None` where there are no users.
pub(crate) fn cycle(
    scenario: &Scenario,
    workload: &Workload,
    network: &Network,
) -> Option<SimDuration> {
    match &workload.kind {
        Kind::Exchange {
            arrivals: Arrivals::Closed { think, .. },
            exchange,
            ..
        } => Some(
            hold(scenario, workload, exchange, network) + SimDuration::from_secs_f64(mean(*think)),
        ),
        _ => None,
    }
}

/// Mean time from connect to TIME-WAIT of the closing client: a round trip each for the handshake,
/// every request and the close, plus the waits. Leaves out serialisation and queueing.
fn hold(
    scenario: &Scenario,
    workload: &Workload,
    exchange: &Exchange,
    network: &Network,
) -> SimDuration {
    let first = |name: &str| scenario.topology.hosts_named(name).first().copied();
    let (Some(client), Some(server)) = (first(&workload.client), first(&workload.server)) else {
        return SimDuration::ZERO;
    };
    let there = network.path_delay(client, server).unwrap_or_default();
    let back = network.path_delay(server, client).unwrap_or_default();
    let requests = u64::from(exchange.requests);
    let waits = mean(exchange.service) * f64::from(exchange.requests)
        + mean(exchange.think) * f64::from(exchange.requests - 1);
    (there + back) * (requests + 2)
        + SimDuration::from_secs_f64(waits)
        + exchange.close_after
        + exchange.linger
}

pub(crate) fn mean(distribution: Distribution) -> f64 {
    match distribution {
        Distribution::Constant(x) | Distribution::Exponential(x) => x,
        Distribution::Uniform(low, high) => (low + high) / 2.0,
        // The mean of a log-normal is median * exp(sigma^2 / 2); written without exp it would not
        // be exact, so the median stands in: a hint for drawing, no result.
        Distribution::LogNormal { median, .. } => median,
        Distribution::Pareto { min, alpha } if alpha > 1.0 => alpha * min / (alpha - 1.0),
        Distribution::Pareto { min, .. } => min,
    }
}
