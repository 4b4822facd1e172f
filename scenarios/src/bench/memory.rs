//! `memory`: the memory of each kind of object, and of a connection in each state.
//!
//! In worlds of one client and one server, connections are held in each state by an application that waits
//! or by a link that goes down at the right time. The size of an object is the size of its type plus its
//! share of tables. The size of a connection is the one that the host reports, including memory allocated
//! outside its slot.

use std::collections::BTreeMap;
use std::net::SocketAddrV4;
use std::sync::Arc;

use sim_core::network::LinkChange;
use sim_core::record::Discard;
use sim_core::{NetworkBuilder, NodeId, NodeKind, Rate, SimDuration, SimTime, Simulation};
use tcp_model::host::{StateMemory, TcpHost};
use tcp_model::spec::{
    AppSpec, Arrivals, BulkSpec, ClientSpec, Closer, Exchange, ServerSpec, SinkSpec,
};
use tcp_model::state::State;

use super::BenchError;
use super::churn::params;
use super::measure::{self, TimedRun};
use super::text_table::{Measurement, TextTable};
use super::world::{BenchWorld, address};
use crate::execution::Execution;

/// A world, and the states in which it holds its connections.
struct MemoryCase {
    what: &'static str,
    shows: &'static [State],
    exchange: [Exchange; 2],
    /// When the links from the client and from the server go down, ms.
    down: [u64; 2],
    /// Bulk flows with loss instead of requests.
    bulk: bool,
}

/// One-way delay, ms; all connections open at time zero.
const DELAY: u64 = 10;
const NEVER: u64 = 1_000_000;
/// When memory is measured, ms.
const LOOK: u64 = 900;

fn cases() -> Vec<MemoryCase> {
    let waits = |closer| Exchange {
        closer,
        ..Exchange::default()
    };
    let closes = |closer, linger_ms| Exchange {
        closer,
        linger: SimDuration::from_millis(linger_ms),
        ..Exchange::default()
    };
    let case = |what, shows, exchange, down| MemoryCase {
        what,
        shows,
        exchange,
        down,
        bulk: false,
    };
    let idle = [waits(Closer::Server), waits(Closer::Client)];
    let client_first = |linger| [(); 2].map(|()| closes(Closer::Client, linger));
    vec![
        case("no answer", &[State::SynSent], idle.clone(), [NEVER, 0]),
        // The SYN-ACK arrives, but the client's ACK does not.
        case(
            "no third ACK",
            &[State::SynReceived],
            idle.clone(),
            [DELAY, NEVER],
        ),
        case("idle", &[State::Established], idle.clone(), [NEVER; 2]),
        MemoryCase {
            bulk: true,
            ..case(
                "bulk transfer with loss",
                &[State::Established],
                idle,
                [NEVER; 2],
            )
        },
        // Request and response take until 40 ms; the client's FIN is lost.
        case(
            "FIN lost",
            &[State::FinWait1, State::Established],
            client_first(0),
            [3 * DELAY + DELAY / 2, NEVER],
        ),
        case(
            "the server keeps its side open",
            &[State::FinWait2, State::CloseWait],
            client_first(100_000),
            [NEVER; 2],
        ),
        // Both FINs arrive, but their ACKs do not.
        case(
            "FINs cross",
            &[State::Closing],
            [(); 2].map(|()| Exchange {
                closer: Closer::Both,
                close_after: SimDuration::from_millis(100),
                ..Exchange::default()
            }),
            [145; 2],
        ),
        // The server's FIN is lost.
        case(
            "last FIN lost",
            &[State::LastAck, State::FinWait2],
            client_first(200),
            [NEVER, 5 * DELAY + DELAY / 2],
        ),
        case("closed", &[State::TimeWait], client_first(0), [NEVER; 2]),
    ]
}

fn world(n: u32, case: &MemoryCase) -> Result<BenchWorld, BenchError> {
    let mut net = NetworkBuilder::new();
    let addresses = n.div_ceil(30_000);
    let client = net.node("client", NodeKind::Host { addresses });
    let server = net.host("server");
    let delay = SimDuration::from_millis(DELAY);
    net.connect(client, server, Rate::mbps(100_000), delay);
    for link in net.links_mut() {
        let down = case.down[usize::from(link.from != client)];
        link.changes = vec![LinkChange {
            at: SimTime::ZERO + SimDuration::from_millis(down),
            up: Some(false),
            ..LinkChange::default()
        }];
        if case.bulk {
            link.impairments.loss = 0.01.into();
        }
    }
    let network = net.build().map_err(|e| e.to_string())?;
    let locals: Vec<_> = network.addresses(client).collect();
    let to = address(&network, server);
    let [of_client, of_server] = case.exchange.clone().map(Arc::new);
    let apps = |node: NodeId| match (case.bulk, node == client) {
        (true, true) => {
            let flow = |i: u32| {
                AppSpec::Bulk(BulkSpec {
                    name: "bulk".to_owned(),
                    local: locals[i as usize % locals.len()],
                    remote: SocketAddrV4::new(to, 5000),
                    start: SimTime::ZERO,
                    bytes: None,
                })
            };
            (0..n).map(flow).collect()
        }
        (true, false) => vec![AppSpec::Sink(SinkSpec {
            port: 5000,
            backlog: 1 << 24,
            read_rate: None,
            ..SinkSpec::default()
        })],
        (false, true) => vec![AppSpec::Client(ClientSpec {
            name: "states".to_owned(),
            locals: locals.clone(),
            remotes: vec![SocketAddrV4::new(to, 80)].into(),
            start: SimTime::ZERO,
            stop: SimTime::MAX,
            limit: None,
            arrivals: Arrivals::Burst(n),
            exchange: Arc::clone(&of_client),
            ..ClientSpec::default()
        })],
        (false, false) => vec![AppSpec::Server(ServerSpec {
            port: 80,
            backlog: 1 << 24,
            accept_rate: None,
            exchange: Arc::clone(&of_server),
            ..ServerSpec::default()
        })],
    };
    let end = SimTime::ZERO + SimDuration::from_millis(LOOK);
    Ok(BenchWorld::new(
        network,
        params(SimDuration::from_secs(240)),
        end,
        apps,
    ))
}

/// Maximum number of bulk flows of a case: each needs its own application.
const MOST_FLOWS: u32 = 100;

/// Measures the sizes of objects, and of connections by state.
pub(super) fn tables(n: u32, execution: Execution) -> Result<Vec<TextTable>, BenchError> {
    let mut columns = Vec::new();
    let mut objects = None;
    for case in cases() {
        let n = if case.bulk { n.min(MOST_FLOWS) } else { n };
        let ran = measure::run(|| world(n, &case), execution, &mut Discard)?;
        let states = by_state(&ran);
        for &state in case.shows {
            let of_state = states.get(&state).copied().unwrap_or_default();
            if of_state.count == 0 {
                return Err(format!("no connection is in {state} where {}", case.what).into());
            }
            let m = Measurement::default()
                .with("case", case.what.to_owned())
                .with("count", of_state.count)
                .with("bytes_each", of_state.bytes as f64 / of_state.count as f64)
                .with("bytes_at_most", of_state.largest);
            columns.push((state.to_string(), m));
        }
        objects.get_or_insert_with(|| of_objects(&ran));
    }
    let objects = TextTable {
        title: "memory of objects, bytes".to_owned(),
        by: "of",
        columns: vec![("each".to_owned(), objects.unwrap_or_default())],
    };
    let states = TextTable {
        title: format!("memory of connections by state, {n} in each"),
        by: "state",
        columns,
    };
    Ok(vec![objects, states])
}

fn by_state(ran: &TimedRun) -> BTreeMap<State, StateMemory> {
    let mut all: BTreeMap<State, StateMemory> = BTreeMap::new();
    for (state, memory) in ran.hosts.iter().flat_map(TcpHost::memory_by_state) {
        *all.entry(state).or_default() += memory;
    }
    all
}

fn of_objects(ran: &TimedRun) -> Measurement {
    let core = Simulation::<TcpHost>::object_bytes();
    let of_host = ran.hosts.first().map(TcpHost::memory).unwrap_or_default();
    Measurement::default()
        .with("event", core.event as u64)
        .with("packet", core.packet as u64)
        .with("link", core.link as u64)
        .with("router", core.node as u64)
        .with("host", (core.node + core.host) as u64)
        .with("connection", of_host.per_connection as u64)
        .with("time_wait_entry", of_host.per_time_wait as u64)
        .with("listener", of_host.per_listener as u64)
        .with("half_open_connection", of_host.per_connection as u64)
        .with("accept_queue_entry", of_host.per_accept_queue_entry as u64)
        .with("ports_of_destination", of_host.per_destination as u64)
}
