//! What it costs to read a large scenario and put its run together: `cargo bench -p synfin`.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use scenarios::assemble::Assembly;
use scenarios::execution::Execution;
use scenarios::overrides::Override;
use scenarios::problem::SourceText;
use scenarios::sweep::Plan;

/// A thousand clients behind a router, a hundred servers, three workloads, ten runs.
const LARGE: &str = r#"
name = "large"
duration = "10 s"
replicas = 10
[topology]
kind = "star"
clients = 1000
servers = 100
access = { rate = "1 Gbit/s", delay = "1 ms", queue = "100 packets" }
[[workload]]
name = "pages"
arrivals = { kind = "poisson", rate = "10000 /s" }
response = { kind = "exponential", mean = "10 kB" }
[[workload]]
name = "users"
port = 81
arrivals = { kind = "closed", users = 5000, think = "1 s" }
[[workload]]
name = "bulk"
port = 5000
kind = "bulk"
bytes = "10 MB"
"#;

fn plan() -> Plan {
    let source = SourceText {
        name: "large.toml".to_owned(),
        text: LARGE.to_owned(),
    };
    Plan::new(&source, &[] as &[Override]).unwrap_or_else(|message| panic!("{message}"))
}

fn assembling(c: &mut Criterion) {
    let mut group = c.benchmark_group("a large scenario");
    group.bench_function("from text to ten runs", |b| b.iter(plan));
    let plan = plan();
    let run = &plan.runs[0];
    group.bench_function("text of a run", |b| b.iter(|| black_box(run.text())));
    group.bench_function("network and hosts of a run", |b| {
        b.iter(|| Assembly::new(run).expect("a good scenario"));
    });
    let assembly = Assembly::new(run).expect("a good scenario");
    group.bench_function("expected load and division for two threads", |b| {
        b.iter(|| Execution::with_threads(2).configure(&assembly));
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(3));
    targets = assembling
}
criterion_main!(benches);
