//! TIME-WAIT and the ports it holds: the values of theory, reproduced exactly where theory is exact.

use std::path::Path;

use crate::common::make;
use reports::RunSummary;
use reports::store::reader::Table;

/// One client, one server address and port, connects at equal intervals, the client closes first.
const PAIR: &str = r#"
name = "pair"
duration = "200 s"
topology = { kind = "pair", path = { rate = "1 Gbit/s", delay = "250 us" } }
[[workload]]
name = "web"
arrivals = { kind = "fixed", rate = "400 /s" }
[record]
states = 10
connections = 10
segments = 0
"#;

/// The number of ports in Linux's default range.
const PORTS: f64 = 28_232.0;

fn metric(summary: &RunSummary, name: &str) -> f64 {
    *summary
        .metrics
        .get(name)
        .unwrap_or_else(|| panic!("{name} of {:?}", summary.metrics.keys()))
}

fn run(sets: &[&str]) -> RunSummary {
    let dir = tempfile::tempdir().unwrap();
    make(PAIR, sets, &dir.path().join("run"))
}

/// TIME-WAIT sockets of the client at a time.
fn population(dir: &Path, at_s: f64) -> i64 {
    let census = Table::read(dir, "census").unwrap().unwrap();
    let (times, scopes) = (
        census.floats("time_s").unwrap(),
        census.texts("scope").unwrap(),
    );
    let row = (0..census.len()).find(|&i| (times[i] - at_s).abs() < 1e-6 && scopes[i] == "client");
    census.ints("TIME-WAIT").unwrap()[row.unwrap_or_else(|| panic!("no row at {at_s} s"))]
}

#[test]
fn below_the_limit_no_connect_fails_and_the_plateau_is_rate_times_60_s() {
    for rate in [200.0, 400.0, 470.0] {
        let summary = run(&[&format!("workload.web.arrivals.rate={rate} /s")]);
        assert_eq!(metric(&summary, "connects_failed"), 0.0, "{rate}");
        assert_eq!(metric(&summary, "connects_attempted"), rate * 200.0);
        assert_eq!(metric(&summary, "time_wait.client_peak"), rate * 60.0);
        assert_eq!(metric(&summary, "time_wait.server_peak"), 0.0);
    }
}

#[test]
fn under_poisson_arrivals_the_plateau_is_within_three_standard_deviations() {
    // The population at one instant is Poisson distributed with mean 400/s x 60 s = 24,000 and standard
    // deviation 155.
    let sd = 24_000f64.sqrt();
    for seed in 1..=3 {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("run");
        let sets = [
            "workload.web.arrivals={kind=\"poisson\",rate=\"400 /s\"}".to_owned(),
            format!("seed={seed}"),
        ];
        make(PAIR, &sets.each_ref().map(String::as_str), &dir);
        for at_s in [70.0, 130.0, 190.0] {
            let off = (population(&dir, at_s) as f64 - 24_000.0) / sd;
            assert!(off.abs() <= 3.0, "seed {seed}: {off} sd at {at_s} s");
        }
    }
}

#[test]
fn above_the_limit_connects_fail_when_the_ports_run_out_in_the_share_of_theory() {
    for rate in [500.0, 660.0, 1000.0] {
        let summary = run(&[&format!("workload.web.arrivals.rate={rate} /s")]);
        let first = metric(&summary, "first_failure_s");
        // All ports are taken after PORTS connects; the next one, an interval later, fails.
        assert!(
            (first - PORTS / rate).abs() <= 1.0 / rate,
            "{rate}: {first}"
        );
        let share = metric(&summary, "connects_failed_share_steady");
        let theory = 1.0 - PORTS / 60.0 / rate;
        assert!(
            (share - theory).abs() < 0.01 * theory.max(0.1),
            "{rate}: {share} {theory}"
        );
        assert_eq!(metric(&summary, "time_wait.client_peak"), PORTS);
        assert_eq!(
            metric(&summary, "connects_failed"),
            metric(&summary, "connects_addr_not_available")
        );
    }
}

#[test]
fn the_rfc_profile_waits_240_s_on_16384_ports() {
    // 16384 / 240 s = 68.27 /s.
    let profile = ["tcp.profile=rfc9293", "duration=600 s"];
    let below = run(&[profile[0], profile[1], "workload.web.arrivals.rate=68 /s"]);
    assert_eq!(metric(&below, "connects_failed"), 0.0);
    assert_eq!(metric(&below, "time_wait.client_peak"), 68.0 * 240.0);
    let above = run(&[profile[0], profile[1], "workload.web.arrivals.rate=100 /s"]);
    assert!((metric(&above, "first_failure_s") - 163.84).abs() <= 0.01);
    let share = metric(&above, "connects_failed_share_steady");
    let theory = 1.0 - 16_384.0 / 240.0 / 100.0;
    assert!((share - theory).abs() < 0.01 * theory, "{share} {theory}");
}

#[test]
fn a_step_of_the_rate_makes_a_trapezoid_with_flanks_of_2_msl() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("run");
    let steps = "workload.web.arrivals={ kind = \"steps\", steps = [\
        { at = \"0 s\", rate = \"100 /s\" }, { at = \"40 s\", rate = \"300 /s\" }, \
        { at = \"80 s\", rate = \"0 /s\" }] }";
    make(
        PAIR,
        &[
            steps,
            "tcp.time_wait=20 s",
            "duration=120 s",
            "record.census_interval=1 s",
        ],
        &dir,
    );
    // Rate x time during the rise, rate x 20 s on the plateau, and a rise and a fall of 20 s each. The
    // handshake and exchange of the newest connections take 1.5 ms, less than the interval between connects.
    for (at_s, expected) in [
        (10.0, 1_000),
        (20.0, 2_000),
        (40.0, 2_000),
        (50.0, 10 * 100 + 10 * 300),
        (60.0, 6_000),
        (80.0, 6_000),
        (90.0, 3_000),
        (101.0, 0),
    ] {
        let found = population(&dir, at_s);
        assert!(
            (found - expected).abs() <= 1,
            "at {at_s} s: {found} instead of {expected}"
        );
    }
}

#[test]
fn each_further_address_or_port_adds_as_many_connections() {
    // 100 ports and 2 s: 50 /s for each combination of addresses and server port.
    let small = [
        "tcp.ip_local_port_range=[40000, 40099]",
        "tcp.time_wait=2 s",
        "duration=22 s",
    ];
    for (more, pairs) in [
        (vec![], 1.0),
        (vec!["topology.client_addresses=2"], 2.0),
        (vec!["topology.server_addresses=3"], 3.0),
        (vec!["workload.web.ports=[80, 81]"], 2.0),
        (
            vec!["topology.client_addresses=2", "workload.web.ports=2"],
            4.0,
        ),
    ] {
        let mut sets = small.to_vec();
        sets.push("workload.web.arrivals.rate=500 /s");
        sets.extend(&more);
        let summary = run(&sets);
        assert_eq!(
            metric(&summary, "time_wait.client_peak"),
            100.0 * pairs,
            "{more:?}"
        );
        let share = metric(&summary, "connects_failed_share_steady");
        let theory = 1.0 - 50.0 * pairs / 500.0;
        assert!((share - theory).abs() < 0.01, "{more:?}: {share} {theory}");
    }
}

#[test]
fn reuse_or_a_server_that_closes_first_lift_the_limit() {
    let over = "workload.web.arrivals.rate=1000 /s";
    let reuse = run(&[over, "tcp.tw_reuse=true"]);
    assert_eq!(metric(&reuse, "connects_failed"), 0.0);
    assert!(reuse.counters["client"]["time_wait_reused"] > 0);
    let server = run(&[over, "workload.web.close=server"]);
    assert_eq!(metric(&server, "connects_failed"), 0.0);
    assert!(metric(&server, "time_wait.server_peak") > 0.0);
}

/// `tcp_tw_recycle` ends TIME-WAIT early. It is harmless if each address is one host with one clock. Hosts
/// behind a NAT share an address but not a clock, and most of them cannot connect.
#[test]
fn tw_recycle_breaks_hosts_behind_a_nat() {
    let run = |clients: u32, recycle: bool, offsets: bool| {
        let dir = tempfile::tempdir().unwrap();
        let text = format!(
            "name = \"recycle\"\nduration = \"30 s\"\n\
             [topology]\nkind = \"nat\"\nclients = {clients}\naccess = {{ delay = \"100 us\" }}\npath = {{ delay = \"5 ms\" }}\n\
             [tcp]\nprofile = \"linux\"\ntcp_tw_recycle = {recycle}\ntimestamp_offsets = {offsets}\n\
             [[workload]]\nname = \"w\"\narrivals = {{ kind = \"fixed\", rate = \"20 /s\" }}\nclose = \"server\"\n\
             connect_timeout = \"5 s\"\n[record]\nsegments = \"none\"\nconnections = 0\nstates = 0\n"
        );
        make(&text, &[], &dir.path().join("run"))
    };
    let failed = |summary: &RunSummary| metric(summary, "connects_failed");
    let off = run(10, false, false);
    assert_eq!(failed(&off), 0.0);
    assert!(metric(&off, "time_wait_peak") > 590.0);
    // 3.5 time-outs of about 210 ms: 15 entries at 20 connections a second.
    let alone = run(1, true, false);
    assert_eq!(failed(&alone), 0.0);
    let peak = metric(&alone, "time_wait_peak");
    assert!((14.0..=16.0).contains(&peak), "{peak}");
    // The host whose clock is ahead can connect; the other nine wait and give up.
    let behind = run(10, true, false);
    let share = metric(&behind, "connects_failed_share");
    assert!((0.7..=0.95).contains(&share), "{share}");
    assert!(metric(&behind, "old_stamp_syns") > failed(&behind));
    // With an offset for each connection even one host looks like many.
    assert!(failed(&run(1, true, true)) > 0.0);
}

/// Connects at a fixed rate, each closed first by the client: ports in use grow with time until TIME-WAIT entries expire.
/// While less than half of a range of 1,000 ports is in use towards the server, Linux finds a port among the first few
/// that it tries; beyond, it tries all of the first half before. The figure shows both, and the time between.
#[test]
fn ports_tried_per_connect_have_their_knee_at_half_of_the_range() {
    let text = r#"
name = "knee"
duration = "20 s"
[topology]
kind = "pair"
path = { delay = "1 ms" }
[tcp]
profile = "linux"
ip_local_port_range = [40000, 40999]
[[workload]]
name = "web"
arrivals = { kind = "fixed", rate = "40 /s" }
[record]
census_interval = "500 ms"
"#;
    let tmp = tempfile::tempdir().unwrap();
    let run = tmp.path().join("run");
    crate::common::make(text, &[], &run);
    let numbers = std::fs::read_to_string(run.join("figures/port_probes.csv")).unwrap();
    let mut lines = numbers.lines();
    assert_eq!(
        lines.next(),
        Some("time_s,ports_tried_per_connect,ports_in_use")
    );
    let rows: Vec<Vec<f64>> = lines
        .map(|line| {
            line.split(',')
                .map(|n| n.parse().unwrap_or(f64::NAN))
                .collect()
        })
        .collect();
    let mean = |from: f64, to: f64| {
        let within = rows.iter().filter(|row| (from..to).contains(&row[2]));
        let tried: Vec<f64> = within.map(|row| row[1]).collect();
        assert!(tried.len() >= 5, "{} rows from {from} to {to}", tried.len());
        tried.iter().sum::<f64>() / tried.len() as f64
    };
    // 500 ports have the parity that is tried first.
    let (below, above) = (mean(0.0, 450.0), mean(520.0, 800.0));
    assert!(below < 10.0, "{below}");
    assert!((500.0..520.0).contains(&above), "{above}");
    let svg = std::fs::read_to_string(run.join("figures/port_probes.svg")).unwrap();
    assert!(svg.contains("half of the range in use"));
}
