//! The cost of runs as estimated by `check` and `run`, compared with the actual runs.

use std::collections::BTreeMap;
use std::path::Path;

use crate::common::{planned, said};
use scenarios::estimate::CostEstimate;
use scenarios::run::Job;

#[test]
fn events_are_estimated_within_a_factor_of_three_for_every_library_scenario() {
    for entry in scenarios::library::ALL.iter() {
        let shorter: &[&str] = match entry.name {
            "time-wait" | "port-exhaustion" | "persistent" => &["duration=30 s"],
            _ => &[],
        };
        let short = crate::common::SHORT
            .iter()
            .filter(|(name, _)| *name == entry.name);
        let shorter: Vec<&str> = shorter.iter().copied().chain(short.map(|s| s.1)).collect();
        let runs = planned(entry.text, &shorter).runs;
        let estimates = CostEstimate::of_all(&runs).unwrap();
        for (spec, estimate) in crate::common::spread(runs.len()).map(|i| (&runs[i], &estimates[i]))
        {
            let dir = tempfile::tempdir().unwrap();
            let dir = dir.path().join("run");
            let made = Job::new(spec, &dir).execute(&mut |_| ()).unwrap();
            let timing = std::fs::read_to_string(dir.join("timing.json")).unwrap();
            let timing: BTreeMap<String, serde_json::Value> =
                serde_json::from_str(&timing).unwrap();
            let timing = |name: &str| timing[name].as_f64().unwrap();
            let events = timing("events_per_s") * timing("simulation_s");
            let ratio = estimate.events / events;
            // The estimate cannot foresee how much of the link congestion control leaves unused with a queue
            // of three packets, or when it mistakes reordering for loss.
            let most = match entry.name {
                "bbr-buffer" | "reordering" => 6.0,
                _ => 3.0,
            };
            assert!(
                (1.0 / 3.0..most).contains(&ratio),
                "{} {:?}: {estimate}, {events} events",
                entry.name,
                spec.parameters
            );
            let attempted = made.summary.metrics["connects_attempted"];
            let ratio = estimate.connections / attempted;
            // Nor can it foresee retries, or connections that break because the table of a middlebox is full.
            let least = match entry.name {
                "retry-storm" | "conntrack-full" => 0.5,
                _ => 0.8,
            };
            // Both ends call connect for each connection.
            let calls = match entry.name {
                "simultaneous-open" => 2.0,
                _ => 1.0,
            };
            let ratio = ratio * calls;
            assert!((least..1.25).contains(&ratio), "{}: {ratio}", entry.name);
        }
    }
}

/// A step of a timetable is cheaper than an event with segments, and a connection has fewer of them.
#[test]
fn connections_without_segments_are_estimated_by_the_steps_of_their_timetable() {
    let text = "name = \"x\"\nduration = \"100 s\"\n[topology]\nkind = \"pair\"\npath = { delay = \"1 ms\" }\n\
                [tcp]\nprofile = \"linux\"\nmodel = \"lifecycle\"\n[record]\nsegments = \"none\"\n[[workload]]\n\
                name = \"w\"\narrivals = { kind = \"fixed\", rate = \"200 /s\" }\n";
    let estimate = |segments: bool| {
        let runs = planned(text, &[&format!("tcp.lifecycle_segments={segments}")]).runs;
        (CostEstimate::of_all(&runs).unwrap().remove(0), runs)
    };
    let ((with, _), (without, runs)) = (estimate(true), estimate(false));
    assert_eq!(with.connections, without.connections);
    assert!(
        with.seconds() > 3.0 * without.seconds(),
        "{with}; {without}"
    );
    let dir = tempfile::tempdir().unwrap();
    let made = Job::new(&runs[0], &dir.path().join("run")).execute(&mut |_| ());
    let events = made.unwrap().summary.metrics["events"];
    let ratio = without.events / events;
    assert!((0.7..1.4).contains(&ratio), "{without}, {events}");
}

#[test]
fn check_prints_the_cost_and_its_main_causes() {
    let sweep = ["check", "persistent", "--set", "workload.users.think=0 s"];
    let (code, out, err) = said(Path::new("."), &sweep);
    assert_eq!(code, 0, "{err}");
    let estimate = out
        .lines()
        .find(|l| l.starts_with("# rough estimate"))
        .unwrap();
    assert!(
        estimate.contains("5 runs: about") && estimate.contains("requests/s"),
        "{estimate}"
    );
}

/// The estimated number of connections, like the simulated one, is that of the pool and not that of the
/// requests.
#[test]
fn requests_over_a_pool_are_estimated_with_the_few_connections_that_they_share() {
    let text = "name = \"x\"\nduration = \"50 s\"\n[topology]\nkind = \"pair\"\n\
                path = { delay = \"1 ms\" }\n[[workload]]\nname = \"w\"\nservice = \"50 ms\"\n\
                arrivals = { kind = \"fixed\", rate = \"100 /s\" }\n";
    for (pool, connections) in [
        ("{ max = 2 }", 2.0..=2.0),
        ("{ max = 50 }", 5.0..=20.0),
        ("{ max = 20, max_requests = 10 }", 450.0..=550.0),
    ] {
        let runs = planned(text, &[&format!("workload.w.pool={pool}")]).runs;
        let estimate = &CostEstimate::of_all(&runs).unwrap()[0];
        assert!(
            connections.contains(&estimate.connections),
            "{pool}: {estimate}"
        );
        let dir = tempfile::tempdir().unwrap();
        let made = Job::new(&runs[0], &dir.path().join("run")).execute(&mut |_| ());
        let made = made.unwrap().summary.metrics;
        assert!(
            connections.contains(&made["connects_attempted"]),
            "{pool}: {made:?}"
        );
        let ratio = estimate.events / made["events"];
        assert!(
            (1.0 / 3.0..3.0).contains(&ratio),
            "{pool}: {estimate}, {ratio}"
        );
    }
}

#[test]
fn connections_that_outlast_the_run_are_estimated_by_what_they_get_done() {
    let text = "name = \"x\"\nduration = \"20 s\"\n[topology]\nkind = \"pair\"\n\
                path = { delay = \"1 ms\" }\n[[workload]]\nname = \"w\"\n\
                arrivals = { kind = \"burst\", count = 2 }\n";
    for set in [
        "workload.w.requests=4294967295",
        "workload.w.response=1000000000 GB",
        "workload.w.request=1000000000 GB",
    ] {
        let sets = [set, "tcp.send_buffer=64 kB", "tcp.receive_buffer=64 kB"];
        let runs = planned(text, &sets).runs;
        let estimate = &CostEstimate::of_all(&runs).unwrap()[0];
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("run");
        Job::new(&runs[0], &dir).execute(&mut |_| ()).unwrap();
        let timing = std::fs::read_to_string(dir.join("timing.json")).unwrap();
        let timing: BTreeMap<String, serde_json::Value> = serde_json::from_str(&timing).unwrap();
        let timing = |name: &str| timing[name].as_f64().unwrap();
        let events = timing("events_per_s") * timing("simulation_s");
        let ratio = estimate.events / events;
        assert!(
            (0.2..5.0).contains(&ratio),
            "{set}: {estimate}, {events} events"
        );
    }
}

#[test]
fn a_run_for_which_there_is_no_memory_is_refused_beforehand() {
    let dir = tempfile::tempdir().unwrap();
    let mut text = "name = \"huge\"\nduration = \"100 s\"\n[topology]\nkind = \"pair\"\npath = { delay = \"1 ms\" }\n".to_owned();
    for i in 0..400 {
        text.push_str(&format!(
            "[[workload]]\nname = \"w{i}\"\nport = {}\narrivals = {{ kind = \"burst\", count = 10000000 }}\nservice = \"90 s\"\n",
            1000 + i
        ));
    }
    std::fs::write(dir.path().join("huge.toml"), text).unwrap();
    let (code, _, err) = said(dir.path(), &["run", "huge.toml"]);
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("would need about 6.6 TB of memory"), "{err}");
    assert!(err.contains("--allow-large"), "{err}");
    assert!(!dir.path().join("results").exists());
}
