//! The conditions for closed forms: each is a predicate, with a sentence for the report if it fails.

use sim_core::network::Impairments;
use sim_core::queue_disc::QueueSpec;
use sim_core::{NodeId, NodeKind, QueueLimit, Rate};
use tcp_model::TcpParams;
use tcp_model::params::{PortSelection, SynCookies, TimerGranularity};
use tcp_model::spec::{Arrivals, Closer};

use super::{ExchangeCase, NoTheory};
use crate::expected::{self, ConnectionLoad, mean, path};
use crate::scenario::workload::Serving;

/// Utilisation of a link from which waiting times can no longer be neglected.
const MOST_USED: f64 = 0.5;
/// A queue shorter than this many bytes may drop packets of a burst.
const LEAST_QUEUE: u64 = 75_000;
/// Maximum number of different kinds of paths.
const MOST_KINDS: usize = 64;
/// Largest share of connects that may find their port in TIME-WAIT at the server.
const RARE_REUSE: f64 = 0.001;

/// A path between a client and a server.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClientPath {
    /// Propagation delay there and back, seconds.
    pub(super) trip_s: f64,
    /// Time to send a byte over all links, there and back.
    pub(super) per_byte_s: f64,
    /// Time to send a byte over all links of the slower direction.
    pub(super) per_byte_one_way_s: f64,
    /// Peak utilisation of its busiest link.
    pub(super) utilisation: f64,
}

/// The TCP parameters of the client and the server.
pub(super) fn ends<'a>(case: &'a ExchangeCase<'_>) -> (&'a TcpParams, &'a TcpParams) {
    let of = |name: &str| &**case.scenario.tcp.of(case.group_of(name));
    (of(&case.workload.client), of(&case.workload.server))
}

fn hosts(case: &ExchangeCase<'_>) -> (Vec<NodeId>, Vec<NodeId>) {
    let of = |name: &str| case.scenario.topology.hosts_named(name);
    (of(&case.workload.client), of(&case.workload.server))
}

/// Propagation delay from the first client to the first server and back, seconds.
pub(super) fn round_trip_s(case: &ExchangeCase<'_>) -> f64 {
    match hosts(case) {
        (c, s) if !c.is_empty() && !s.is_empty() => path::round_trip_s(case.network, c[0], s[0]),
        _ => 0.0,
    }
}

/// The paths between clients and servers that differ in delay or rate.
pub(super) fn ways<'c>(case: &'c ExchangeCase<'_>) -> Result<&'c [ClientPath], NoTheory> {
    let ways = case.ways.get_or_init(|| look_up_ways(case));
    ways.as_deref().map_err(NoTheory::clone)
}

fn look_up_ways(case: &ExchangeCase<'_>) -> Result<Vec<ClientPath>, NoTheory> {
    let (clients, servers) = hosts(case);
    let each = |nodes: &[NodeId]| path::one_of_each(case.network, nodes);
    let (some_clients, some_servers) = (each(&clients), each(&servers));
    if some_clients.len().saturating_mul(some_servers.len()) > MOST_KINDS {
        return Err(NoTheory::because(
            "the paths between clients and servers differ too much",
        ));
    }
    let peak = peak_rate(case);
    let (client, _) = ends(case);
    let one = ConnectionLoad::new(case.exchange, client.mss());
    let way = |c: NodeId, s: NodeId| {
        let address = |n| case.network.addresses(n).next();
        let route = |a, b: NodeId| address(b).map(|to| path::route(case.network, a, &to));
        let (there, back) = (
            route(c, s).unwrap_or_default(),
            route(s, c).unwrap_or_default(),
        );
        let used = |links: &[sim_core::LinkId], bytes: f64| {
            let of_link = |l: &sim_core::LinkId| {
                let link = &case.network.links()[l.0 as usize];
                // A host's own link carries only that host's share.
                let sharers = match (link.from, link.to) {
                    (a, b) if a == c || b == c => clients.len(),
                    (a, b) if a == s || b == s => servers.len(),
                    _ => 1,
                };
                let capacity = link.rate.map_or(f64::INFINITY, |r| r.as_bps() as f64 / 8.0);
                peak * bytes / sharers as f64 / capacity
            };
            links.iter().map(of_link).fold(0.0, f64::max)
        };
        let per_byte = |links: &[_]| path::seconds_per_byte(case.network, links);
        ClientPath {
            trip_s: path::round_trip_s(case.network, c, s),
            per_byte_s: per_byte(&there) + per_byte(&back),
            per_byte_one_way_s: per_byte(&there).max(per_byte(&back)),
            utilisation: used(&there, one.bytes.0).max(used(&back, one.bytes.1)),
        }
    };
    let pairs = some_clients
        .iter()
        .flat_map(|&c| some_servers.iter().map(move |&s| (c, s)));
    Ok(pairs.map(|(c, s)| way(c, s)).collect())
}

/// The peak rate at which connections are opened.
fn peak_rate(case: &ExchangeCase<'_>) -> f64 {
    match case.arrivals {
        Arrivals::Closed { users, think } => {
            let cycle = expected::open_s(case.exchange, round_trip_s(case)) + mean::mean(*think);
            f64::from(*users) / cycle.max(1e-6)
        }
        _ => {
            let offered = case.offered();
            offered.iter().map(|p| p.1).fold(0.0, f64::max)
        }
    }
}

/// The conditions on the network and hosts that do not hold.
pub(super) fn of_network(case: &ExchangeCase<'_>) -> Vec<String> {
    let mut no = Vec::new();
    let mut unless = |holds: bool, why: &str| {
        if !holds {
            no.push(why.to_owned());
        }
    };
    let (client, server) = ends(case);
    let both = |f: fn(&TcpParams) -> bool| f(client) && f(server);
    unless(
        !matches!(case.arrivals, Arrivals::Burst(_)),
        "a burst has no rate",
    );
    unless(case.scenario.faults.is_empty(), "hosts crash");
    unless(case.limit.is_none(), "the number of connections is limited");
    unless(!case.exchange.fast_open, "Fast Open changes the handshake");
    unless(
        both(|p| p.timers == TimerGranularity::Exact),
        "timers are rounded to ticks",
    );
    unless(
        both(|p| p.defer_accept.is_none() && p.syn_cookies != SynCookies::Always && !p.cork),
        "a listener or sender waits (`defer_accept`, `syn_cookies`, `cork`)",
    );
    let serving = case.workload.serving;
    unless(
        serving.accept_rate.is_none(),
        "the server accepts at a limited rate",
    );
    unless(
        Serving {
            accept_rate: None,
            ..serving
        } == Serving::default(),
        "the server accepts or reads late, closes idle connections, or has a limited number of workers",
    );
    let e = case.exchange;
    unless(
        e.connect_timeout.is_none() && e.request_timeout.is_none(),
        "clients give up connects or requests",
    );
    unless(
        e.respond_after.is_none(),
        "the server responds before it has the whole request",
    );
    unless(
        case.retries.max == 0,
        "clients retry, so the number of connects is unknown",
    );
    let nodes = case.network.nodes().iter();
    unless(
        nodes
            .map(|n| &n.kind)
            .all(|k| matches!(k, NodeKind::Host { .. } | NodeKind::Router)),
        "a middlebox keeps state",
    );
    let addresses: Vec<u32> = case
        .scenario
        .topology
        .addresses_named(&case.workload.client)
        .map(|n| n.min(case.workload.client_addresses.unwrap_or(u32::MAX)))
        .collect();
    unless(
        addresses.windows(2).all(|w| w[0] == w[1]),
        "clients have different numbers of addresses",
    );
    let links = case.network.links();
    unless(
        links.iter().all(|l| {
            let plain = l.impairments == Impairments::default() && l.rate_process.is_none();
            plain && l.changes.is_empty()
        }),
        "links lose, delay or change packets, or change themselves",
    );
    let is_long = |rate: Rate, queue: &QueueSpec| match queue {
        QueueSpec::DropTail(QueueLimit::Unlimited) => true,
        QueueSpec::DropTail(QueueLimit::Packets(n)) => u64::from(*n) * 1_500 >= LEAST_QUEUE,
        QueueSpec::DropTail(QueueLimit::Bytes(n)) => n.0 >= LEAST_QUEUE,
        QueueSpec::DropTail(QueueLimit::Time(t)) => *t >= rate.transmission_time(LEAST_QUEUE),
        QueueSpec::Managed(_) => false,
    };
    unless(
        links
            .iter()
            .all(|l| l.rate.is_none_or(|rate| is_long(rate, &l.queue))),
        "a queue may overflow",
    );
    no
}

/// The conditions on the load that do not hold.
pub(super) fn of_load(case: &ExchangeCase<'_>, has_time_wait: bool) -> Vec<String> {
    let mut no = Vec::new();
    let mut unless = |holds: bool, why: &str| {
        if !holds {
            no.push(why.to_owned());
        }
    };
    let (client, server) = ends(case);
    let Ok(ways) = ways(case) else {
        return no;
    };
    let most = |f: fn(&ClientPath) -> f64| ways.iter().map(f).fold(0.0, f64::max);
    unless(
        most(|w| w.utilisation) <= MOST_USED,
        "a link is more than half utilised, so segments wait for an unknown time",
    );
    let first = client.initial_rto.min(server.initial_rto).as_secs_f64();
    unless(
        most(|w| w.trip_s) < 0.9 * first,
        "a round trip is as long as the first retransmission time-out",
    );
    let (clients, servers) = hosts(case);
    let peak = peak_rate(case);
    let backlog = case.workload.backlog.unwrap_or(server.somaxconn);
    let backlog = backlog.min(server.somaxconn).min(server.max_syn_backlog);
    let half_open = peak * most(|w| w.trip_s) / (servers.len() * case.workload.ports.len()) as f64;
    unless(
        with_noise(half_open) <= f64::from(backlog),
        "the listener's backlog may be full",
    );
    let holders = [
        (client, clients.len(), true),
        (
            server,
            servers.len(),
            case.exchange.closer != Closer::Client,
        ),
    ];
    let all_pairs = case.pairs() as f64;
    for (params, hosts, holds) in holders {
        let Some(table) = params.max_tw_buckets.filter(|_| holds && has_time_wait) else {
            continue;
        };
        let ports = f64::from(client.port_count()) * all_pairs / hosts as f64;
        let arrive = peak * params.time_wait.as_secs_f64() / hosts as f64;
        unless(
            ports.min(with_noise(arrive)) <= f64::from(table),
            "the table of TIME-WAIT entries overflows (`max_tw_buckets`)",
        );
    }
    no
}

/// An upper bound that a Poisson variable with this mean practically never exceeds.
fn with_noise(mean: f64) -> f64 {
    mean + 6.0 * libm::sqrt(mean) + 6.0
}

/// Why a port may be reused within `within_s` of its last use; `None` if that is improbable.
pub(super) fn early_reuse(case: &ExchangeCase<'_>, within_s: f64) -> Option<String> {
    let (client, _) = ends(case);
    let ports = f64::from(client.port_count());
    let pairs = case.pairs() as f64;
    let time = case.workload.stop.as_secs_f64() - case.workload.start.as_secs_f64();
    let connects = peak_rate(case) * time.max(0.0) / pairs;
    let meanwhile = peak_rate(case) * within_s / pairs;
    let selection = match case.bind_first {
        true => PortSelection::Random,
        false => client.port_selection,
    };
    let fits = match selection {
        PortSelection::Sequential => with_noise(meanwhile) < ports,
        // Destinations share a counter, which advances with each connect.
        PortSelection::Hash | PortSelection::DoubleHash => with_noise(meanwhile * pairs) < ports,
        // Each connect advances the counter by at most 8 steps of two ports.
        PortSelection::Linux => 16.0 * with_noise(connects) < ports,
        PortSelection::Random | PortSelection::RandomAgain | PortSelection::RandomIncrements => {
            meanwhile.min(connects) / ports < RARE_REUSE
        }
    };
    (!fits).then(|| "a port may be reused while the server has it in TIME-WAIT".to_owned())
}
