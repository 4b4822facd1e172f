//! How long FIN-WAIT-2 and TIME-WAIT last, how many entries there are, and when ports run out.

use std::collections::BTreeMap;
use std::sync::Arc;

use sim_core::{Record, SimDuration, SimTime};
use tcp_model::app::spec::{
    AppSpec, Arrivals, ClientSpec, Closer, Distribution, Exchange, HostConfig, ServerSpec,
};
use tcp_model::host::HostStats;
use tcp_model::params::TwReuse;
use tcp_model::sample::{Side, TcpSample};
use tcp_model::segment::ConnId;
use tcp_model::testing::two_hosts;
use tcp_model::{State, TcpHost, TcpParams};

use super::fixture::{LIVES, lines};
use super::replay::{TICK, ms, params};
use super::script::SERVER;

/// The values of an experiment, one for each repetition.
fn measured(name: &str, what: &str) -> Vec<f64> {
    let of = |f: Vec<&str>| (f[0] == name && f[2] == what).then(|| f[3].parse().unwrap());
    let values: Vec<f64> = lines(LIVES).filter_map(of).collect();
    assert!(!values.is_empty(), "{name} has no {what}");
    values
}

fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::MAX, f64::min)
}

fn most(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::MIN, f64::max)
}

/// Connections at a fixed rate over a path with an RTT of 50 ms.
struct Load {
    params: TcpParams,
    rate: f64,
    connections: u32,
    exchange: Exchange,
    until: SimDuration,
}

struct Done {
    records: Vec<Record<TcpSample>>,
    client: HostStats,
    server: HostStats,
}

impl Load {
    fn run(&self) -> Done {
        let exchange = Arc::new(self.exchange.clone());
        let host =
            |params: &TcpParams, app| TcpHost::new(HostConfig::new(params.clone(), vec![app]));
        let client = host(
            &self.params,
            AppSpec::Client(ClientSpec {
                name: "client".to_owned(),
                locals: Vec::new(),
                remotes: vec![SERVER].into(),
                start: SimTime::ZERO + ms(1001),
                stop: SimTime::MAX,
                limit: Some(u64::from(self.connections)),
                arrivals: Arrivals::Fixed(self.rate),
                exchange: Arc::clone(&exchange),
                ..ClientSpec::default()
            }),
        );
        let server = host(
            &self.params,
            AppSpec::Server(ServerSpec {
                port: SERVER.port(),
                backlog: 4096,
                accept_rate: None,
                exchange,
                ..ServerSpec::default()
            }),
        );
        let end = SimTime::ZERO + self.until;
        let done = two_hosts(client, server)
            .with_delay(ms(25))
            .until(end)
            .run();
        let stats: Vec<HostStats> = done.hosts.iter().flatten().map(TcpHost::stats).collect();
        Done {
            records: done.records,
            client: stats[0],
            server: stats[1],
        }
    }
}

/// How long, in seconds, each end of a connection that entered and left `state` was in it.
fn stays(records: &[Record<TcpSample>], state: State) -> Vec<f64> {
    let mut since: BTreeMap<(ConnId, bool), SimTime> = BTreeMap::new();
    let mut stays = Vec::new();
    for record in records {
        let TcpSample::State(change) = record.sample else {
            continue;
        };
        let end = (change.conn, change.side == Side::Active);
        if change.to == state {
            since.insert(end, record.time);
        } else if change.from == state
            && let Some(entered) = since.remove(&end)
        {
            stays.push(record.time.since(entered).as_secs_f64());
        }
    }
    stays
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Orphans: 20 connections a second for 10 s; the client closes, the server never does. The measurement
/// sampled every 0.1 s, so a mean is accurate to 0.05 s at best.
#[test]
fn orphans_stay_in_fin_wait_2_as_long_as_fin_timeout_and_rounding_say() {
    const SAMPLING: f64 = 0.05;
    for seconds in [5, 10, 30, 60, 70, 120] {
        let load = Load {
            params: TcpParams {
                fin_timeout: Some(SimDuration::from_secs(seconds)),
                ..params()
            },
            rate: 20.0,
            connections: 200,
            exchange: Exchange {
                linger: SimDuration::from_secs(100_000),
                ..Exchange::default()
            },
            until: SimDuration::from_secs(200),
        };
        let stays = stays(&load.run().records, State::FinWait2);
        assert_eq!(stays.len(), 200);
        let measured = measured(&format!("fin_timeout_{seconds}"), "fin_wait2_s");
        let spread = most(&measured) - least(&measured);
        let off = (mean(&stays) - mean(&measured)).abs();
        println!(
            "fin_timeout {seconds}: {:.3} for {measured:?}",
            mean(&stays)
        );
        assert!(off <= TICK + spread + SAMPLING, "{seconds} s: {off}");
    }
}

/// 27 instances were measured. The three of `last_ack_lost_3`, which retransmitted FINs restart, are left out.
#[test]
fn time_wait_lasts_from_60_s_to_the_next_slot_of_2048_ms() {
    let load = Load {
        params: params(),
        rate: 100.0,
        connections: 1000,
        exchange: Exchange::default(),
        until: SimDuration::from_secs(100),
    };
    let done = load.run();
    let stays = stays(&done.records, State::TimeWait);
    assert_eq!(stays.len(), 1000);
    let ends = done.records.iter().filter_map(|r| match r.sample {
        TcpSample::State(c) if c.from == State::TimeWait => Some(r.time.as_ps()),
        _ => None,
    });
    for end in ends {
        assert_eq!(end % ms(2048).as_ps(), 0, "{end}");
    }
    // The measurement polled every 40 ms.
    const POLLING: f64 = 0.04;
    let instances = lines(LIVES)
        .filter(|f| f[2].starts_with("time_wait_") && f[0] != "last_ack_lost_3")
        .map(|f| f[3].parse::<f64>().unwrap())
        .collect::<Vec<f64>>();
    assert_eq!(instances.len(), 24);
    for measured in &instances {
        assert!(*measured > least(&stays) - POLLING - TICK, "{measured}");
        assert!(*measured < most(&stays) + POLLING + TICK, "{measured}");
    }
    // 24 samples of a uniform distribution over 2.048 s: their mean has a standard deviation of 0.12 s.
    let off = mean(&instances) - mean(&stays);
    println!(
        "TIME-WAIT: {:.2} to {:.2}, mean off by {off:.2}",
        least(&stays),
        most(&stays)
    );
    assert!(off.abs() < 2.5 * 2.048 / (12.0f64 * 24.0).sqrt(), "{off}");
}

/// The least and most entries of one side, sampled as in the measurement, from 63 s after the first connection
/// to the end of the load.
fn plateau(done: &Done, side: Side, load: &Load) -> (f64, f64) {
    let start = SimTime::ZERO + ms(1001);
    let end = start + SimDuration::from_secs_f64(f64::from(load.connections) / load.rate);
    let mut next = start + SimDuration::from_secs(63);
    let (mut entries, mut low, mut high) = (0i64, i64::MAX, 0);
    for record in &done.records {
        while record.time > next && next < end {
            low = low.min(entries);
            high = high.max(entries);
            next += ms(100);
        }
        if let TcpSample::State(c) = record.sample
            && c.side == side
        {
            entries += i64::from(c.to == State::TimeWait) - i64::from(c.from == State::TimeWait);
        }
    }
    (low as f64, high as f64)
}

fn population(name: &str, load: &Load) -> Done {
    let done = load.run();
    let failed = measured(name, "eaddrnotavail");
    let exhausted = done.client.ports_exhausted as f64;
    println!(
        "{name}: exhausted {exhausted} for {failed:?}, peak {} for {:?}, reused {} for {:?}",
        done.client.peak_time_wait,
        measured(name, "peak"),
        done.client.time_wait_reused,
        measured(name, "recycled"),
    );
    done
}

/// Within the range over the repetitions, widened by their spread and by the resolution.
fn agrees(value: f64, measured: &[f64], resolution: f64) -> bool {
    let spread = most(measured) - least(measured) + resolution;
    value >= least(measured) - spread && value <= most(measured) + spread
}

fn client_closes(rate: f64, seconds: f64, params: TcpParams) -> Load {
    Load {
        params,
        rate,
        connections: (rate * seconds) as u32,
        exchange: Exchange {
            request: Distribution::Constant(100.0),
            ..Exchange::default()
        },
        until: SimDuration::from_secs_f64(seconds + 2.0),
    }
}

fn server_closes(rate: f64, seconds: f64, params: TcpParams) -> Load {
    Load {
        exchange: Exchange {
            closer: Closer::Server,
            ..Exchange::default()
        },
        ..client_closes(rate, seconds, params)
    }
}

/// The population is the rate times 61 s, with a sawtooth of 2.048 s.
#[test]
fn time_wait_entries_build_up_to_a_sawtooth() {
    let params = TcpParams {
        port_range: (1024, 65535),
        ..params()
    };
    for (name, rate) in [("full_c_100_tw0", 100.0), ("full_c_500_tw0", 500.0)] {
        let load = client_closes(rate, 75.0, params.clone());
        let done = population(name, &load);
        let (low, high) = plateau(&done, Side::Active, &load);
        let (lows, highs) = (measured(name, "plateau_min"), measured(name, "plateau_max"));
        println!("{name}: plateau {low} to {high} for {lows:?} to {highs:?}");
        // The connections of one tick, and those between two samples.
        let resolution = rate * (TICK + 0.1);
        assert!(agrees(low, &lows, resolution), "{low} for {lows:?}");
        assert!(agrees(high, &highs, resolution), "{high} for {highs:?}");
        assert_eq!(done.client.ports_exhausted, 0);
    }
}

#[test]
fn a_full_time_wait_table_lets_connections_close_at_once() {
    let params = TcpParams {
        port_range: (1024, 65535),
        max_tw_buckets: Some(5000),
        ..params()
    };
    let done = population("maxtw5000_c_500", &client_closes(500.0, 30.0, params));
    assert_eq!(done.client.peak_time_wait, 5000);
    assert_eq!(done.client.time_wait_overflows, 10_000);
    assert_eq!(measured("maxtw5000_c_500", "overflow"), [10_000.0; 3]);
}

#[test]
fn a_narrow_range_runs_out_of_ports_without_reuse() {
    for (name, rate, ports) in [
        ("narrow2000_c_100_tw0", 100.0, 2000),
        ("narrow500_c_500_tw0", 500.0, 500),
    ] {
        let params = TcpParams {
            port_range: (20_000, 20_000 + ports - 1),
            ..params()
        };
        let done = population(name, &client_closes(rate, 90.0, params));
        let failed = measured(name, "eaddrnotavail");
        assert_eq!(failed, [done.client.ports_exhausted as f64; 3], "{name}");
        assert_eq!(done.client.peak_time_wait, u32::from(ports), "{name}");
    }
}

#[test]
fn reuse_after_a_second_sustains_most_of_the_rate() {
    for (name, rate, ports) in [
        ("narrow2000_c_100_tw1", 100.0, 2000),
        ("narrow500_c_500_tw1", 500.0, 500),
    ] {
        let params = TcpParams {
            port_range: (20_000, 20_000 + ports - 1),
            tw_reuse: TwReuse::On,
            ..params()
        };
        let done = population(name, &client_closes(rate, 90.0, params));
        let failed = measured(name, "eaddrnotavail");
        let recycled = measured(name, "recycled");
        let (exhausted, reused) = (done.client.ports_exhausted, done.client.time_wait_reused);
        assert!(
            agrees(exhausted as f64, &failed, 0.0),
            "{name}: {exhausted} for {failed:?}"
        );
        assert!(
            agrees(reused as f64, &recycled, 1.0),
            "{name}: {reused} for {recycled:?}"
        );
    }
    assert!(measured("narrow500_c_500_tw2", "eaddrnotavail")[0] > 40_000.0);
}

/// The server closes first: when a client port is used again, the new connection ends the old entry.
#[test]
fn a_server_that_closes_first_keeps_an_entry_for_each_port_that_comes_round() {
    let params = TcpParams {
        port_range: (20_000, 20_999),
        ..params()
    };
    let load = server_closes(500.0, 75.0, params);
    let done = population("narrow1000_s_500_tw0", &load);
    let peak = f64::from(done.server.peak_time_wait);
    assert_eq!(done.client.ports_exhausted, 0);
    assert!(
        agrees(peak, &measured("narrow1000_s_500_tw0", "peak"), 0.0),
        "{peak}"
    );
}

/// The same with all ports: a port is used again before 61 s of connections have accumulated, because the
/// sequence of ports jumps to another place every 10 s.
#[test]
fn ports_come_round_early_because_their_sequence_is_moved() {
    let params = TcpParams {
        port_range: (1024, 65535),
        ..params()
    };
    let load = server_closes(100.0, 75.0, params);
    let name = "full_s_100_tw0";
    let done = population(name, &load);
    let (low, high) = plateau(&done, Side::Passive, &load);
    let (lows, highs) = (measured(name, "plateau_min"), measured(name, "plateau_max"));
    println!("{name}: plateau {low} to {high} for {lows:?} to {highs:?}");
    let resolution = 100.0 * (TICK + 0.1);
    assert!(agrees(low, &lows, resolution), "{low} for {lows:?}");
    assert!(agrees(high, &highs, resolution), "{high} for {highs:?}");
}

/// Ports in TIME-WAIT are reused although others have never been used.
#[test]
fn reuse_goes_on_beside_free_ports() {
    let params = TcpParams {
        port_range: (1024, 65535),
        tw_reuse: TwReuse::On,
        ..params()
    };
    let name = "full_c_500_tw1";
    let done = population(name, &client_closes(500.0, 75.0, params));
    let (peak, reused) = (done.client.peak_time_wait, done.client.time_wait_reused);
    assert!(
        agrees(f64::from(peak), &measured(name, "peak"), 0.0),
        "{peak}"
    );
    assert!(
        agrees(reused as f64, &measured(name, "recycled"), 0.0),
        "{reused}"
    );
}

/// At this rate all ports of one parity are used again within 61 s.
#[test]
fn a_server_holds_no_more_entries_than_there_are_ports_of_a_parity() {
    let params = TcpParams {
        port_range: (1024, 65535),
        ..params()
    };
    let load = server_closes(1000.0, 75.0, params);
    let name = "full_s_1000_tw0";
    let done = population(name, &load);
    let peak = f64::from(done.server.peak_time_wait);
    // The measurement sampled every 0.1 s.
    let resolution = 1000.0 * (TICK + 0.1);
    let peaks = measured(name, "peak");
    assert!(agrees(peak, &peaks, resolution), "{peak} for {peaks:?}");
}
