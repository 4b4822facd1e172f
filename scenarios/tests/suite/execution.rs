//! Result directories are the same, byte for byte, for every event queue and any number of partitions and
//! threads.

use std::path::Path;

use crate::common::{assert_same, planned, said};
use scenarios::execution::Execution;
use scenarios::run::Job;
use sim_core::event_queue::EventQueueKind;

/// Every event queue; 1, 2, 3, 5 and 8 partitions that separate neighbours; 1 and 2 threads; and the automatic
/// choice.
fn executions() -> Vec<Execution> {
    let one = Execution::default();
    let queues = EventQueueKind::ALL.iter().map(|&queue| Execution {
        queue: Some(queue),
        ..one
    });
    let torn = [1, 2, 3, 5, 8]
        .into_iter()
        .zip(EventQueueKind::ALL.iter().cycle());
    let torn = torn.flat_map(|(parts, &queue)| {
        [1, 2].map(|threads| Execution {
            queue: (threads == 2).then_some(queue),
            threads,
            partitions: Some(parts),
        })
    });
    queues
        .chain(torn)
        .chain([Execution::with_threads(2)])
        .collect()
}

fn same_for_every_execution(text: &str) {
    same_for(text, executions());
}

fn same_for(text: &str, executions: Vec<Execution>) {
    let plan = planned(text, &[]);
    let tmp = tempfile::tempdir().unwrap();
    let make = |dir: &Path, execution: Execution| {
        let job = Job {
            execution,
            ..Job::new(&plan.runs[0], dir)
        };
        job.execute(&mut |_| ()).unwrap().summary
    };
    let first = tmp.path().join("first");
    let expected = make(&first, Execution::default());
    assert!(expected.metrics["records"] > 200.0);
    for (i, execution) in executions.into_iter().enumerate() {
        let dir = tmp.path().join(format!("run-{i}"));
        let summary = make(&dir, execution);
        assert_eq!(summary.result_hash, expected.result_hash, "{execution:?}");
        assert_same(&first, &dir);
        std::fs::remove_dir_all(&dir).unwrap();
    }
}

#[test]
fn with_loss_disorder_and_bit_errors() {
    same_for_every_execution(
        r#"
name = "lossy"
duration = "8 s"
[topology]
kind = "dumbbell"
pairs = 3
bottleneck = { rate = "20 Mbit/s", delay = "3 ms", queue = "20 packets", loss = 0.01, jitter = "200 us", duplicate = 0.01, corrupt = 0.005 }
access = { rate = "50 Mbit/s", delay = "1 ms", reorder = 0.02, reorder_delay = "2 ms" }
[[workload]]
name = "bulk"
kind = "bulk"
bytes = "1 MB"
port = 5000
[[workload]]
name = "pages"
arrivals = { kind = "poisson", rate = "20 /s" }
response = { kind = "exponential", mean = "8 kB" }
[record]
pcap = true
"#,
    );
}

#[test]
fn with_models_of_queue_loss_delay_and_rate() {
    same_for_every_execution(
        r#"
name = "models"
duration = "8 s"
tcp = { tcp_ecn = 1 }
[topology]
kind = "dumbbell"
pairs = 3
bottleneck = { rate = "5 Mbit/s", delay = "3 ms", queue = { kind = "codel", target = "2 ms", interval = "30 ms", ecn = true }, loss = { kind = "gilbert-elliott", good_to_bad = 0.005, bad_to_good = 0.4 } }
access = { rate = "50 Mbit/s", delay = "1 ms", queue = { kind = "codel", limit = "30 kB" }, rate_process = { kind = "two-state", other = "2 Mbit/s", mean_other = "300 ms" }, jitter = { kind = "exponential", mean = "200 us" } }
[[workload]]
name = "bulk"
kind = "bulk"
bytes = "1 MB"
port = 5000
[[workload]]
name = "pages"
arrivals = { kind = "poisson", rate = "20 /s" }
response = { kind = "exponential", mean = "8 kB" }
"#,
    );
}

#[test]
fn with_a_nat_and_crashes() {
    same_for_every_execution(
        r#"
name = "nat"
duration = "12 s"
[topology]
kind = "nat"
clients = 4
path = { rate = "20 Mbit/s", delay = "3 ms", queue = { kind = "codel", target = "1 ms", interval = "10 ms" } }
gateway = { addresses = 1, ports = [2000, 2019], closed = "2 s" }
[[fault]]
node = "server"
at = "4 s"
for = "1 s"
quiet = "500 ms"
[[fault]]
node = "nat"
at = "8 s"
for = "200 ms"
[[workload]]
name = "pages"
arrivals = { kind = "poisson", rate = "20 /s" }
requests = 3
think = "100 ms"
response = { kind = "exponential", mean = "8 kB" }
"#,
    );
}

#[test]
fn with_proxies_breakers_health_checks_and_crashes() {
    same_for_every_execution(
        r#"
name = "proxies"
duration = "8 s"
[tcp]
profile = "linux"
[topology]
kind = "graph"
host = [{ name = "client", count = 3 }, { name = "proxy", count = 2 }, { name = "server", count = 3 }]
router = [{ name = "hub", count = 1 }]
link = [
    { between = ["client", "hub"], delay = "1 ms", loss = 0.01 },
    { between = ["proxy", "hub"], delay = "500 us" },
    { between = ["server", "hub"], delay = "700 us", loss = 0.01 },
]
[[fault]]
node = "server-1"
at = "2 s"
for = "2 s"
[[fault]]
node = "proxy-0"
at = "4 s"
for = "500 ms"
[[workload]]
name = "web"
arrivals = { kind = "poisson", rate = "150 /s" }
service = { kind = "exponential", mean = "10 ms" }
response = { kind = "exponential", mean = "4 kB" }
workers = 2
request_timeout = "300 ms"
retries = { max = 2, backoff = "20 ms" }
breaker = { failures = 4, open = "500 ms" }
[workload.proxy]
host = "proxy"
pool = { max = 3, idle_timeout = "400 ms", max_requests = 40 }
connect_timeout = "50 ms"
try_timeout = "150 ms"
tries = 2
queue = 20
breaker = { share = 0.5, window = 10, open = "300 ms" }
health = { interval = "250 ms", timeout = "100 ms" }
"#,
    );
}

#[test]
fn with_multiplexed_connections() {
    // Client and server share the order of responses: as many threads as partitions come to its lock in any order.
    let as_many = [3_u8, 5, 8].map(|n| Execution {
        threads: n.into(),
        partitions: Some(n.into()),
        ..Execution::default()
    });
    let mut all = executions();
    all.extend(as_many);
    same_for(
        r#"
name = "multiplexed"
duration = "8 s"
[tcp]
profile = "linux"
[topology]
kind = "star"
clients = 3
servers = 2
access = { rate = "20 Mbit/s", delay = "2 ms", loss = 0.02 }
[[fault]]
node = "server-1"
at = "3 s"
for = "1 s"
[[workload]]
name = "web"
http = "http/2"
arrivals = { kind = "poisson", rate = "200 /s" }
service = { kind = "exponential", mean = "10 ms" }
response = { kind = "exponential", mean = "4 kB" }
workers = 3
connect_timeout = "300 ms"
request_timeout = "300 ms"
retries = { max = 2, backoff = "20 ms" }
pool = { max = 2, streams = 8, max_requests = 60, max_lifetime = "2 s" }
"#,
        all,
    );
}

#[test]
fn with_many_events_at_one_instant() {
    same_for_every_execution(
        r#"
name = "ties"
duration = "70 s"
[tcp]
time_wait = "1 s"
[topology]
kind = "star"
clients = 6
servers = 2
access = { delay = "1 ms" }
[[workload]]
name = "burst"
arrivals = { kind = "burst", count = 60 }
close = "both"
[[workload]]
name = "users"
port = 81
arrivals = { kind = "closed", users = 12, think = "100 ms" }
requests = 3
close = "server"
stop = "3 s"
"#,
    );
}

#[test]
fn with_links_that_change_in_mid_run() {
    same_for_every_execution(
        r#"
name = "changes"
duration = "9 s"
[topology]
kind = "chain"
routers = 4
path = { rate = "10 Mbit/s", delay = "2 ms", queue = "30 packets", changes = [
  { at = "1 s", delay = "500 us" },
  { at = "2 s", rate = "2 Mbit/s", loss = 0.02 },
  { at = "3 s", up = false },
  { at = "3500 ms", up = true, delay = "5 ms", loss = 0.0 },
] }
[[workload]]
name = "bulk"
kind = "bulk"
port = 5000
[[workload]]
name = "requests"
arrivals = { kind = "fixed", rate = "10 /s" }
"#,
    );
}

#[test]
fn with_churn_and_full_ports_behind_routers() {
    same_for_every_execution(
        r#"
name = "churn"
duration = "6 s"
[tcp]
time_wait = "2 s"
ip_local_port_range = "40000 40099"
max_tw_buckets = 150
[topology]
kind = "graph"
[[topology.host]]
name = "a"
group = "client"
[[topology.host]]
name = "b"
group = "client"
[[topology.host]]
name = "c"
group = "client"
addresses = 2
[[topology.host]]
name = "server"
addresses = 2
[[topology.router]]
name = "r"
count = 3
[[topology.link]]
between = ["a", "r-0"]
delay = "1 ms"
[[topology.link]]
between = ["b", "r-1"]
delay = "1 ms"
[[topology.link]]
between = ["c", "r-2"]
delay = "250 us"
[[topology.link]]
between = ["r-0", "r-1"]
delay = "2 ms"
rate = "100 Mbit/s"
[[topology.link]]
between = ["r-1", "r-2"]
delay = "2 ms"
rate = "100 Mbit/s"
[[topology.link]]
between = ["r-2", "r-0"]
delay = "5 ms"
rate = "100 Mbit/s"
[[topology.link]]
between = ["r-2", "server"]
delay = "250 us"
loss = 0.001
[[workload]]
arrivals = { kind = "poisson", rate = "300 /s" }
"#,
    );
}

const BUSY: &str = r#"
name = "busy"
duration = "1 s"
[topology]
kind = "star"
clients = 4
servers = 4
access = { rate = "1 Gbit/s", delay = "2 ms", queue = "200 packets" }
[[workload]]
name = "bulk"
kind = "bulk"
"#;

#[test]
fn a_run_prints_how_it_was_divided_or_why_not() {
    let tmp = tempfile::tempdir().unwrap();
    std::fs::write(tmp.path().join("busy.toml"), BUSY).unwrap();
    let verbose = |args: &str| {
        let words: Vec<&str> = args.split(' ').collect();
        let (code, _, stderr) = said(tmp.path(), &words);
        assert_eq!(code, 0, "{stderr}");
        stderr
    };
    let two = verbose("run busy.toml -v --threads 2 --out two");
    assert!(
        two.contains("2 partitions, look-ahead 2 ms, estimated gain 1."),
        "{two}"
    );
    let one = verbose("run busy.toml -v --threads 1 --out one");
    assert!(one.contains("one partition: one thread to use"), "{one}");
    let hash = |text: &str| {
        let at = text.find("result hash ").unwrap();
        text[at..].lines().next().unwrap().to_owned()
    };
    assert_eq!(hash(&one), hash(&two));
    assert_same(&tmp.path().join("one"), &tmp.path().join("two"));
    let timing = |dir: &str| std::fs::read_to_string(tmp.path().join(dir).join("timing.json"));
    assert!(timing("two").unwrap().contains("\"look_ahead_s\": 0.002"));
    assert!(timing("one").unwrap().contains("\"partitions\": 1.0"));

    let few = verbose("run http-exchange -v --threads 2 --out few");
    assert!(few.contains("one partition: only about"), "{few}");
    let forced = verbose("run http-exchange -v --threads 2 --partitions 2 --out verbose");
    assert!(forced.contains("2 partitions, as requested"), "{forced}");
    assert_same(&tmp.path().join("few"), &tmp.path().join("verbose"));
    // One host has most of the work, however the network is divided.
    let set = ["--set", "topology.servers=1", "--set", "topology.clients=2"];
    let mut words = vec!["run", "busy.toml", "-v", "--threads", "2", "--out", "whole"];
    words.extend(set);
    let (code, _, stderr) = said(tmp.path(), &words);
    assert_eq!(code, 0);
    assert!(stderr.contains("one partition: "), "{stderr}");
}

#[test]
fn a_batch_shares_its_threads_and_gives_the_same_results() {
    let tmp = tempfile::tempdir().unwrap();
    let text = format!("{BUSY}[sweep]\n\"workload.bulk.flows\" = [1, 2]\n");
    std::fs::write(tmp.path().join("busy.toml"), text).unwrap();
    for (threads, dir) in [("1", "one"), ("4", "four")] {
        let (code, _, stderr) = said(
            tmp.path(),
            &["run", "busy.toml", "-v", "--threads", threads, "--out", dir],
        );
        assert_eq!(code, 0, "{stderr}");
        let divided = stderr.matches("2 partitions, look-ahead").count();
        assert_eq!(divided, if threads == "4" { 2 } else { 0 }, "{stderr}");
    }
    assert_same(&tmp.path().join("one"), &tmp.path().join("four"));
}
