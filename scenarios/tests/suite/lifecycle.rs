//! `tcp.model = "lifecycle"` in scenarios: the same in every partition, and close to the full model.

use crate::common::{assert_same_in_every_partition, plan, summary_of};
use scenarios::execution::Execution;

const TEXT: &str = r#"
name = "lives"
duration = "20 s"
topology = { kind = "star", clients = 3, servers = 2, access = { rate = "1 Gbit/s", delay = "5 ms" } }
tcp = { profile = "linux", time_wait = "3 s" }
[[workload]]
name = "web"
arrivals = { kind = "poisson", rate = "100 /s" }
response = { kind = "exponential", mean = "30 kB" }
service = { kind = "exponential", mean = "20 ms" }
"#;

#[test]
fn it_is_the_same_in_every_partition() {
    let lossy = "topology.access.loss=0.01";
    assert_same_in_every_partition(&plan(TEXT, &["tcp.model=\"lifecycle\"", lossy]).unwrap());
}

#[test]
fn populations_and_latencies_are_those_of_the_full_model() {
    let metrics = |model: &str| {
        let plan = plan(TEXT, &[&format!("tcp.model=\"{model}\"")]).unwrap();
        summary_of(&plan, 0, Execution::default()).metrics
    };
    let (full, short) = (metrics("full"), metrics("lifecycle"));
    for name in ["connects_established", "requests_done", "time_wait_made"] {
        assert_eq!(short[name], full[name], "{name}");
    }
    for name in [
        "connect_latency_mean_s",
        "request_latency_mean_s",
        "request_latency_p99_s",
        "established_mean",
        "time_wait_mean",
        "time_wait_peak",
    ] {
        let off = short[name] / full[name] - 1.0;
        assert!(
            off.abs() < 0.03,
            "{name}: {} for {}",
            short[name],
            full[name]
        );
    }
}

const WITHOUT: &str = r#"
name = "many"
duration = "60 s"
topology = { kind = "pair", path = { rate = "10 Gbit/s", delay = "5 ms" }, client_addresses = 2 }
tcp = { profile = "linux", model = "lifecycle", time_wait = "20 s", ip_local_port_range = [40000, 45000] }
record = { segments = "none" }
[[workload]]
name = "web"
arrivals = { kind = "poisson", rate = "600 /s" }
"#;

/// Ports run out here, and TIME-WAIT fills and empties.
#[test]
fn without_segments_a_run_has_the_same_numbers() {
    let metrics = |segments: bool| {
        let plan = plan(WITHOUT, &[&format!("tcp.lifecycle_segments={segments}")]).unwrap();
        summary_of(&plan, 0, Execution::default()).metrics
    };
    let (with, without) = (metrics(true), metrics(false));
    assert!(with["connects_failed"] > 1000.0 && with["time_wait_expired"] > 1000.0);
    // All but what depends on the queues of links and on how the run was executed.
    for (name, value) in &with {
        let of_links = ["backlog", "events", "wall"]
            .iter()
            .any(|part| name.contains(part));
        if of_links {
            continue;
        }
        let other = without.get(name).copied().unwrap_or(f64::NAN);
        let near = (other - value).abs() <= 1e-3 * value.abs().max(1e-9);
        assert!(near, "{name}: {value} with segments, {other} without");
    }
    for name in [
        "connects_attempted",
        "connects_failed",
        "time_wait_made",
        "time_wait_expired",
        "requests_done",
    ] {
        assert_eq!(with[name], without[name], "{name}");
    }
}

#[test]
fn what_cannot_be_simulated_without_segments_is_refused() {
    let refused = |set: &[&str]| {
        let mut sets = vec!["tcp.lifecycle_segments=false"];
        sets.extend(set);
        let plan = plan(WITHOUT, &sets).unwrap();
        let problem = scenarios::assemble::Assembly::new(&plan.runs[0])
            .map(|_| ())
            .unwrap_err();
        assert_eq!(problem.path.to_string(), "tcp.lifecycle_segments");
        problem.message
    };
    for (set, why) in [
        ("topology.path.loss=0.01", "loses, delays or alters packets"),
        (
            "workload.web.response={kind=\"exponential\",mean=\"30 kB\"}",
            "responses of different sizes",
        ),
        ("workload.web.retries={max=3}", "retries"),
        ("workload.web.pool={max=10}", "a pool"),
        ("workload.web.workers=3", "a limit on workers"),
        ("workload.web.close=\"server\"", "timestamps"),
        ("record.segments=\"all\"", "no segments to record"),
        ("tcp.tw_recycle=true", "tw_recycle"),
        ("tcp.lifecycle_loss=1000", "lifecycle_loss"),
    ] {
        let message = refused(&[set, "tcp.timestamps=false"]);
        assert!(message.contains(why), "{set}: {message}");
    }
}
