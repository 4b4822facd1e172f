//! Results are the same for any number of partitions, whatever applications and links do.

use crate::common::assert_same;
use scenarios::execution::Execution;
use scenarios::overrides::Override;
use scenarios::problem::SourceText;
use scenarios::run::Job;
use scenarios::sweep::Plan;

const EVERYTHING: &str = r#"
name = "everything"
duration = "6 s"
[tcp]
ip_local_port_range = [32768, 32967]
time_wait = "1 s"
[topology]
kind = "graph"
host = [{ name = "a", count = 3 }, { name = "b" }, { name = "bot" }]
router = [{ name = "hub" }]
[[topology.link]]
between = ["a", "hub"]
rate = "10 Mbit/s"
delay = "2 ms"
queue = "20 packets"
drop = [7, "client FIN 1", "server data segment 3, every transmission, connection 2"]
[[topology.link]]
between = ["hub", "b"]
delay = "1 ms"
loss = 0.01
[[topology.link]]
between = ["hub", "bot"]
delay = "1 ms"
[[topology.link]]
between = ["b", "b"]
delay = "20 us"
[[workload]]
name = "pages"
client = "a"
server = "b"
arrivals = { kind = "poisson", rate = "60 /s" }
response = { kind = "exponential", mean = "6 kB" }
service = { kind = "exponential", mean = "20 ms" }
workers = 2
idle_timeout = "500 ms"
request_timeout = "200 ms"
connect_timeout = "400 ms"
retries = { max = 2, backoff = "50 ms", budget = 0.5 }
ip_bind_address_no_port = false
backlog = 10
[[workload]]
name = "chat"
client = "a"
server = "b"
arrivals = { kind = "poisson", rate = "20 /s" }
pool = { max = 3, idle = 1, idle_timeout = "300 ms", max_requests = 5 }
[[workload]]
name = "silent"
client = "a"
server = "b"
port = 81
requests = 0
close_after = "1 s"
accept_start = "2 s"
receive_buffer_after_accept = "100 kB"
arrivals = { kind = "poisson", rate = "10 /s" }
[[workload]]
name = "early"
client = "b"
server = "b"
port = 82
request = "20 kB"
respond_after = "1 kB"
close = "server"
arrivals = { kind = "poisson", rate = "10 /s" }
[[workload]]
name = "flood"
kind = "syn-flood"
client = "bot"
server = "b"
sources = 500
arrivals = { kind = "poisson", rate = "100 /s" }
[record]
samples = "20 ms"
pcap = true
pcap_payload = "http"
"#;

#[test]
fn everything_together_is_the_same_in_one_partition_and_in_many() {
    let source = SourceText {
        name: "test.toml".into(),
        text: EVERYTHING.into(),
    };
    let plan = Plan::new(&source, &[] as &[Override]).unwrap_or_else(|m| panic!("{m}"));
    let tmp = tempfile::tempdir().unwrap();
    let first = tmp.path().join("first");
    let run = |dir: &std::path::Path, execution: Execution| {
        let job = Job {
            execution,
            ..Job::new(&plan.runs[0], dir)
        };
        job.execute(&mut |_| ()).unwrap().summary
    };
    let expected = run(&first, Execution::default());
    for metric in [
        "requests_done",
        "requests_unanswered_given_up",
        "ended_aborted",
        "wire_losses_pkts",
    ] {
        assert!(expected.metrics[metric] > 0.0, "{metric}");
    }
    // A checked scenario can be written out and read back unchanged.
    let text = plan.runs[0].text();
    let source = SourceText {
        name: "run.toml".into(),
        text,
    };
    let again = Plan::new(&source, &[] as &[Override]).unwrap_or_else(|m| panic!("{m}"));
    assert_eq!(again.runs[0].id, plan.runs[0].id);
    for (parts, threads) in [(2, 1), (3, 2), (5, 1), (6, 2)] {
        let dir = tmp.path().join(format!("run-{parts}"));
        let execution = Execution {
            partitions: Some(parts),
            threads,
            ..Execution::default()
        };
        let summary = run(&dir, execution);
        assert_eq!(summary.result_hash, expected.result_hash, "{parts}");
        assert_same(&first, &dir);
    }
}
