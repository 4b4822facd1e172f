//! Losses wherever a limited number of connections is held, compared with Erlang's loss formula: at five loads, and
//! for two distributions of the holding time, of which only the mean counts (insensitivity).

use crate::common::run_once;
use reports::analytic::erlang_b;

/// The number of places, and the mean time for which one is held.
const PLACES: u64 = 20;
const HELD_S: f64 = 1.0;
/// Offered loads in Erlang.
const LOADS: [f64; 5] = [10.0, 15.0, 20.0, 30.0, 40.0];
/// Length of each run.
const SECONDS: f64 = 50.0;
/// Runs of each case, with different seeds: their spread shows how accurate their mean is.
const SEEDS: u64 = 8;

/// The time from connect() to the response, for which a place is held in addition to the service time: two round
/// trips.
const ROUND_TRIPS_S: f64 = 2.0 * 0.002;

/// The share of connects that found no place, and the actual offered load. Connections are reset at the end, so that
/// there is no TIME-WAIT, and a connect that gets no answer is given up at once.
fn lost(network: &str, tcp: &str, load: f64, service: &str, seed: u64) -> (f64, f64) {
    let rate = load / HELD_S;
    let summary = run_once(&format!(
        "name = \"erlang\"\nduration = \"{SECONDS} s\"\nseed = {seed}\n[tcp]\nprofile = \"linux\"\n{tcp}\n{network}\n\
         [[workload]]\nname = \"w\"\narrivals = {{ kind = \"poisson\", rate = \"{rate} /s\" }}\nhow = \"rst\"\n\
         service = {service}\nconnect_timeout = \"50 ms\"\n[record]\nsegments = \"none\"\nconnections = 0\nstates = 0\n"
    ));
    let get = |name: &str| summary.metrics[name];
    let attempted = get("connects_attempted");
    let share = get("connects_failed") / attempted;
    (share, attempted / SECONDS * HELD_S)
}

/// The share of losses at the load of each seed agrees with the formula: the mean difference is zero within its
/// 99.9 % confidence interval. The width of the interval is measured, as losses come in bursts. Three percent are
/// added to it for the beginning, when all places are free. Runs without losses never pass: their differences all
/// have the same sign and nearly the same value.
fn assert_follows_erlang_b(seen: impl Fn(u64) -> (f64, f64), case: &str) {
    let seen: Vec<(f64, f64)> = (1..=SEEDS).map(seen).collect();
    let n = SEEDS as f64;
    let mean = |of: &dyn Fn(&(f64, f64)) -> f64| seen.iter().map(of).sum::<f64>() / n;
    let expected = mean(&|(_, load)| erlang_b(*load, PLACES));
    let difference = |(share, load): &(f64, f64)| share - erlang_b(*load, PLACES);
    let off = mean(&difference);
    let variance = mean(&|one| (difference(one) - off).powi(2)) * n / (n - 1.0);
    // Student's t for seven degrees of freedom.
    let half = 5.408 * (variance / n).sqrt();
    assert!(
        off.abs() <= half + 0.03 * expected,
        "{off} +- {half} from {expected} at {case}"
    );
    assert!(mean(&|(share, _)| *share) > 0.0, "no losses at {case}");
}

/// Compares the losses at all loads and for both distributions with the formula.
fn follows_erlang(network: &str, tcp: &str) {
    let mean = 1e3 * (HELD_S - ROUND_TRIPS_S);
    let constant = format!("\"{mean} ms\"");
    let exponential = format!("{{ kind = \"exponential\", mean = \"{mean} ms\" }}");
    for load in LOADS {
        for service in [&constant, &exponential] {
            assert_follows_erlang_b(
                |seed| lost(network, tcp, load, service, seed),
                &format!("{load} Erlang with {service}"),
            );
        }
    }
}

#[test]
fn a_port_range_loses_by_erlang_b() {
    let network = "[topology]\nkind = \"pair\"\npath = { delay = \"1 ms\" }";
    follows_erlang(network, "ip_local_port_range = [40000, 40019]");
}

#[test]
fn the_ports_of_a_nat_lose_by_erlang_b() {
    let network = "[topology]\nkind = \"nat\"\nclients = 4\naccess = { delay = \"500 us\" }\npath = { delay = \"300 us\" }\n\
                   server_access = { delay = \"200 us\" }\ngateway = { ports = [2000, 2019], reset = \"1 us\" }";
    follows_erlang(network, "");
}

#[test]
fn the_table_of_a_firewall_loses_by_erlang_b() {
    let network = "[topology]\nkind = \"graph\"\nhost = [{ name = \"client\" }, { name = \"server\" }]\n\
                   router = [{ name = \"fw\", middlebox = { kind = \"conntrack\", max = 20, early_drop = false, close = \"1 us\" } }]\n\
                   link = [{ between = [\"client\", \"fw\"], delay = \"500 us\" }, { between = [\"fw\", \"server\"], delay = \"500 us\" }]";
    follows_erlang(network, "");
}

/// Connections enter TIME-WAIT as a Poisson process, however long they are, and stay for 1 s each; a connection that
/// finds all buckets taken is closed without TIME-WAIT.
#[test]
fn time_wait_buckets_overflow_by_erlang_b() {
    let overflowed = |load: f64, service: &str, seed: u64| {
        let summary = run_once(&format!(
            "name = \"buckets\"\nduration = \"{SECONDS} s\"\nseed = {seed}\n\
             [topology]\nkind = \"pair\"\npath = {{ delay = \"1 ms\" }}\n\
             [tcp]\nprofile = \"linux\"\nmax_tw_buckets = {PLACES}\ntime_wait = \"{HELD_S} s\"\n\
             [[workload]]\nname = \"w\"\narrivals = {{ kind = \"poisson\", rate = \"{load} /s\" }}\n\
             service = {service}\n[record]\nsegments = \"none\"\nconnections = 0\nstates = 0\n"
        ));
        let get = |name: &str| summary.metrics[name];
        assert!(get("time_wait_peak") <= PLACES as f64);
        let overflows = get("time_wait_overflows");
        let came = get("time_wait_made") + overflows;
        (overflows / came, came / SECONDS * HELD_S)
    };
    for load in LOADS {
        for service in ["\"1 s\"", "{ kind = \"exponential\", mean = \"1 s\" }"] {
            assert_follows_erlang_b(
                |seed| overflowed(load, service, seed),
                &format!("{load} Erlang with {service}"),
            );
        }
    }
}

/// A half-open connection holds its place until the last ACK of its handshake: for the round trip of 0.2 s, or for
/// one whose return delay is exponentially distributed. A SYN that finds no place is not retransmitted before its
/// client gives up.
#[test]
fn a_syn_queue_drops_by_erlang_b() {
    const ROUND_TRIP_S: f64 = 0.2;
    const SECONDS: f64 = 10.0;
    let links = [
        "delay = \"100 ms\"",
        "delay = \"100 ms\", reverse = { delay = \"1 us\", jitter = { kind = \"exponential\", mean = \"100 ms\", reorder = true } }",
    ];
    let dropped = |load: f64, link: &str, seed: u64| {
        let rate = load / ROUND_TRIP_S;
        // Linux accepts one more than the backlog.
        let backlog = PLACES - 1;
        let summary = run_once(&format!(
            "name = \"backlog\"\nduration = \"{SECONDS} s\"\nseed = {seed}\n\
             [topology]\nkind = \"pair\"\npath = {{ {link} }}\n\
             [tcp]\nprofile = \"linux\"\ntcp_syncookies = 0\ntcp_max_syn_backlog = 1000\nprune_half_open = false\n\
             [[workload]]\nname = \"w\"\narrivals = {{ kind = \"poisson\", rate = \"{rate} /s\" }}\n\
             backlog = {backlog}\nhow = \"rst\"\nconnect_timeout = \"950 ms\"\nrequest_timeout = \"100 ms\"\n\
             [record]\nsegments = \"none\"\nconnections = 0\nstates = 0\n"
        ));
        let get = |name: &str| summary.metrics[name];
        let came = get("connects_attempted");
        (get("listen_drops") / came, came / SECONDS * ROUND_TRIP_S)
    };
    for load in LOADS {
        for link in links {
            assert_follows_erlang_b(
                |seed| dropped(load, link, seed),
                &format!("{load} Erlang, {link}"),
            );
        }
    }
}

/// As many connections are in FIN-WAIT-2 as arrive within the time-out. Ports are used in sequence: a port that the
/// server still holds in CLOSE-WAIT would delay the connect.
#[test]
fn fin_wait_2_holds_the_rate_times_its_time_out() {
    for (rate, seconds) in [(50, 5), (50, 10), (100, 5)] {
        let summary = run_once(&format!(
            "name = \"fw2\"\nduration = \"30 s\"\n[topology]\nkind = \"pair\"\npath = {{ delay = \"1 ms\" }}\n\
             [tcp]\nprofile = \"linux\"\ntimers = \"exact\"\nport_selection = \"sequential\"\ntcp_fin_timeout = \"{seconds} s\"\n\
             [[workload]]\nname = \"w\"\narrivals = {{ kind = \"fixed\", rate = \"{rate} /s\" }}\nlinger = \"100 s\"\n\
             [record]\nsegments = \"none\"\nconnections = 0\nstates = 0\n"
        ));
        let peak = summary.metrics["fin_wait_2_peak"];
        let expected = f64::from(rate * seconds);
        assert!(
            (peak / expected - 1.0).abs() < 0.02,
            "{peak} for {expected}"
        );
    }
}

/// The number of ports divided by the time in TIME-WAIT. The run lasts for twice that time, so at 1.2 times the
/// limit all ports are taken before the first is free again, and then each is taken as soon as it is free.
#[test]
fn connects_per_second_are_limited_to_ports_by_time_wait() {
    for (tcp, hold_s, limit) in [
        ("profile = \"linux\"\ntime_wait = \"240 s\"", 240.0, 117.6),
        ("profile = \"linux\"", 60.0, 470.5),
        ("profile = \"freebsd\"", 60.0, 925.6),
    ] {
        let rate = 1.2 * limit;
        let seconds = 2.0 * hold_s;
        let summary = run_once(&format!(
            "name = \"limit\"\nduration = \"{seconds} s\"\n[topology]\nkind = \"pair\"\npath = {{ delay = \"100 us\" }}\n\
             [tcp]\n{tcp}\nmodel = \"lifecycle\"\n\
             [[workload]]\nname = \"w\"\narrivals = {{ kind = \"fixed\", rate = \"{rate} /s\" }}\n\
             [record]\nsegments = \"none\"\nconnections = 0\nstates = 0\n"
        ));
        let established = summary.metrics["connects_established"] / seconds;
        assert!(
            (established / limit - 1.0).abs() < 0.002,
            "{established} for {limit}"
        );
        assert!(summary.metrics["connects_failed"] > 0.0);
    }
}

/// The mean time at a server whose workers serve for exponentially distributed times (M/M/c): the wait by Erlang's
/// second formula, the service and a round trip. The interval is that of [`assert_follows_erlang_b`].
#[test]
fn requests_wait_for_workers_by_erlang_c() {
    const SECONDS: f64 = 200.0;
    const SERVICE_S: f64 = 0.05;
    const ROUND_TRIP_S: f64 = 0.002;
    for (workers, utilisation) in [(1_u64, 0.6), (2, 0.7), (4, 0.8)] {
        let load = utilisation * workers as f64;
        let (rate, capacity) = (load / SERVICE_S, workers as f64 / SERVICE_S);
        let blocked = erlang_b(load, workers);
        let waits = blocked / (1.0 - utilisation * (1.0 - blocked));
        let expected = waits / (capacity - rate) + SERVICE_S + ROUND_TRIP_S;
        let seen: Vec<f64> = (1..=SEEDS)
            .map(|seed| {
                let summary = run_once(&format!(
                    "name = \"workers\"\nduration = \"{SECONDS} s\"\nseed = {seed}\n\
                     [topology]\nkind = \"pair\"\npath = {{ delay = \"1 ms\" }}\n[tcp]\nprofile = \"linux\"\n\
                     [[workload]]\nname = \"w\"\narrivals = {{ kind = \"poisson\", rate = \"{rate} /s\" }}\n\
                     service = {{ kind = \"exponential\", mean = \"50 ms\" }}\nworkers = {workers}\n\
                     [record]\nsegments = \"none\"\nconnections = 0\nstates = 0\n"
                ));
                summary.metrics["request_latency_mean_s"]
            })
            .collect();
        let n = SEEDS as f64;
        let mean = seen.iter().sum::<f64>() / n;
        let variance = seen.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / (n - 1.0);
        let half = 5.408 * (variance / n).sqrt();
        assert!(
            (mean - expected).abs() <= half + 0.03 * expected,
            "{mean} +- {half} for {expected} with {workers} workers"
        );
        assert!(
            half < 0.3 * expected,
            "{half} says nothing about {expected}"
        );
    }
}
