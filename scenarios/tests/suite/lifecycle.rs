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
