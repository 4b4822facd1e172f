//! Agreement with the full model, and the rules that hold in random worlds.

use std::net::SocketAddrV4;
use std::sync::Arc;

use sim_core::{SimDuration, SimTime};

use crate::app::spec::{
    AppSpec, Arrivals, ClientSpec, Closer, Distribution, Exchange, HostConfig, ServerSpec,
};
use crate::host::{HostStats, ModelFactory, TcpHost};
use crate::params::{ModelChoice, TcpParams};
use crate::sample::{OpenResult, TcpSample};
use crate::testing::worlds::World;
use crate::testing::{B, two_hosts};

use super::Lifecycle;

const CONNECTIONS: u64 = 20;

/// The result of a run.
#[derive(Debug)]
struct Came {
    /// Mean times in seconds.
    connect: f64,
    request: f64,
    established: usize,
    done: usize,
    /// Connections that entered TIME-WAIT at client and server.
    time_waits: [u64; 2],
    segments: u64,
    resent: u64,
}

/// A combination of the grid.
#[derive(Clone, Copy, Debug)]
struct Cell {
    delay_ms: u64,
    response: f64,
    requests: u32,
    closer: Closer,
    loss: f64,
}

const USUAL: Cell = Cell {
    delay_ms: 10,
    response: 1000.0,
    requests: 1,
    closer: Closer::Client,
    loss: 0.0,
};

fn params(model: &str, change: impl Fn(&mut TcpParams)) -> TcpParams {
    let model = ModelChoice::named(model).expect("built in");
    let mut params = TcpParams {
        model,
        tso_win_divisor: 65_535, // the lifecycle model leaves out that bursts wait
        ..TcpParams::linux()
    };
    change(&mut params);
    params
}

fn run(params: &TcpParams, cell: Cell) -> Came {
    let exchange = Arc::new(Exchange {
        requests: cell.requests,
        response: Distribution::Constant(cell.response),
        closer: cell.closer,
        ..Exchange::default()
    });
    let client = ClientSpec {
        name: "client".to_owned(),
        remotes: vec![SocketAddrV4::new(B, 80)].into(),
        stop: SimTime::MAX,
        limit: Some(CONNECTIONS),
        arrivals: Arrivals::Fixed(2.0),
        exchange: Arc::clone(&exchange),
        ..ClientSpec::default()
    };
    let server = ServerSpec {
        port: 80,
        backlog: 128,
        exchange,
        ..ServerSpec::default()
    };
    let host = |app| TcpHost::new(HostConfig::new(params.clone(), vec![app]));
    let done = two_hosts(host(AppSpec::Client(client)), host(AppSpec::Server(server)))
        .with_delay(SimDuration::from_millis(cell.delay_ms))
        .with_links(|link| link.impairments.loss = cell.loss.into())
        .until(SimTime::ZERO + SimDuration::from_secs(200))
        .run();
    let mean = |all: &[f64]| all.iter().sum::<f64>() / all.len().max(1) as f64;
    let (mut connects, mut requests) = (Vec::new(), Vec::new());
    for record in &done.records {
        match &record.sample {
            TcpSample::Outcome(o) if o.result == OpenResult::Established => {
                connects.push(o.latency.as_secs_f64());
            }
            TcpSample::Request(r) => requests.push(r.latency.as_secs_f64()),
            _ => {}
        }
    }
    let stats = |i: usize| -> HostStats { done.hosts[i].as_ref().expect("a host").stats() };
    let both = [stats(0), stats(1)];
    Came {
        connect: mean(&connects),
        request: mean(&requests),
        established: connects.len(),
        done: requests.len(),
        time_waits: both.map(|s| s.time_wait_made),
        segments: both.iter().map(|s| s.segments_sent).sum(),
        resent: both.iter().map(|s| s.resent.total()).sum(),
    }
}

fn near(a: f64, b: f64, share: f64) -> bool {
    (a - b).abs() <= share * b.abs().max(1e-9)
}

#[test]
fn without_losses_connections_live_as_in_the_full_model() {
    for delay_ms in [5, 20, 100] {
        for response in [1.0, 1_000.0, 14_000.0, 40_000.0, 200_000.0] {
            for (requests, closer) in [
                (1, Closer::Client),
                (1, Closer::Server),
                (4, Closer::Client),
            ] {
                let cell = Cell {
                    delay_ms,
                    response,
                    requests,
                    closer,
                    loss: 0.0,
                };
                let [full, short] = ["full", "lifecycle"].map(|m| run(&params(m, |_| {}), cell));
                let context = format!("{cell:?}\n{full:?}\n{short:?}");
                assert!(near(short.connect, full.connect, 0.001), "{context}");
                assert!(near(short.request, full.request, 0.02), "{context}");
                assert_eq!(short.established, full.established, "{context}");
                assert_eq!(short.done, full.done, "{context}");
                assert_eq!(short.time_waits, full.time_waits, "{context}");
                assert!(short.segments < full.segments, "{context}");
                assert_eq!(short.resent, 0, "{context}");
            }
        }
    }
}

#[test]
fn lost_segments_of_handshake_and_close_are_retransmitted() {
    let cell = Cell { loss: 0.1, ..USUAL };
    let [full, short] = ["full", "lifecycle"].map(|m| run(&params(m, |_| {}), cell));
    assert_eq!((full.done, short.done), (20, 20), "{full:?}\n{short:?}");
    assert!(short.resent > 0, "{short:?}");
    assert_eq!(
        short.time_waits[0], full.time_waits[0],
        "{full:?}\n{short:?}"
    );
}

#[test]
fn the_formula_takes_a_rate_and_a_loss_probability_into_account() {
    let cell = Cell {
        response: 1_000_000.0,
        ..USUAL
    };
    let free = run(&params("lifecycle", |_| {}), cell);
    // 8 Mbit at 4 Mbit/s take 2 s, the first 15 kB go at once.
    let slow = run(
        &params("lifecycle", |p| p.lifecycle_rate = Some(4_000)),
        cell,
    );
    assert!((1.9..2.1).contains(&slow.request), "{free:?}\n{slow:?}");
    let lossy = run(&params("lifecycle", |p| p.lifecycle_loss = 20_000), cell);
    assert!(lossy.request > 2.0 * free.request, "{free:?}\n{lossy:?}");
    assert_eq!((lossy.done, lossy.resent), (20, 0));
}

#[test]
fn the_rules_of_random_worlds_hold() {
    let factory: ModelFactory = Arc::new(|context| Box::new(Lifecycle::new(context)));
    for number in 0..300 {
        if let Err(failure) = World::random(13, number).run(Some(&factory)) {
            panic!("world {number}: {failure}");
        }
    }
}
