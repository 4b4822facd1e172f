//! Losses of everything that holds a limited number of connections, against Erlang's loss formula: at five loads,
//! and for two distributions of the holding time, of which only the mean counts (insensitivity).

use crate::common::make;
use reports::analytic::erlang_b;

/// Places that there are, and the mean time for which one is held.
const PLACES: u64 = 20;
const HELD_S: f64 = 1.0;
/// Offered loads in Erlang.
const LOADS: [f64; 5] = [10.0, 15.0, 20.0, 30.0, 40.0];
/// How long a run counts.
const SECONDS: f64 = 300.0;

/// Time from the call of connect to the response, which holds a place besides the service: two round trips.
const ROUND_TRIPS_S: f64 = 2.0 * 0.002;

/// The share of connects that found no place, and the load that came in fact. Connections are reset at the end, so that no TIME-WAIT follows,
/// and a connect that gets no answer is given up at once.
fn lost(network: &str, tcp: &str, load: f64, service: &str) -> (f64, f64) {
    let rate = load / HELD_S;
    let text = format!(
        "name = \"erlang\"\nduration = \"{SECONDS} s\"\n[tcp]\nprofile = \"linux\"\n{tcp}\n{network}\n\
         [[workload]]\nname = \"w\"\narrivals = {{ kind = \"poisson\", rate = \"{rate} /s\" }}\nhow = \"rst\"\n\
         service = {service}\nconnect_timeout = \"50 ms\"\n[record]\nsegments = \"none\"\nconnections = 0\nstates = 0\n"
    );
    let dir = tempfile::tempdir().unwrap();
    let summary = make(&text, &[], &dir.path().join("run"));
    let get = |name: &str| summary.metrics[name];
    let attempted = get("connects_attempted");
    assert!(
        (0.9..1.1).contains(&(attempted / (rate * SECONDS))),
        "{attempted}"
    );
    let share = get("connects_failed") / attempted;
    (share, attempted / SECONDS * HELD_S)
}

/// Compares the losses at all loads and for both distributions with the formula.
fn follows_erlang(network: &str, tcp: &str) {
    let mean = 1e3 * (HELD_S - ROUND_TRIPS_S);
    let constant = format!("\"{mean} ms\"");
    let exponential = format!("{{ kind = \"exponential\", mean = \"{mean} ms\" }}");
    for load in LOADS {
        for service in [&constant, &exponential] {
            let (share, came) = lost(network, tcp, load, service);
            let expected = erlang_b(came, PLACES);
            // Losses come in bursts: their variance is larger than that of independent ones, by some eight
            // times at these loads.
            let connects = came / HELD_S * SECONDS;
            let sigma = (8.0 * expected * (1.0 - expected) / connects).sqrt();
            let off = (share - expected).abs();
            assert!(
                off <= 3.0 * sigma + 0.002,
                "{share} for {expected} at {came} Erlang with {service}; sigma is {sigma}"
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
