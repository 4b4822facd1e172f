//! A sweep from code: a scenario, its runs in parallel, and a table of them. The index and the report are
//! written to the directory.
//!
//! `cargo run --release -p synfin --example sweep -- results/sweep`

use std::error::Error;

use scenarios::batch::{BatchOptions, RunControl, make};
use scenarios::interrupt::Interrupt;
use scenarios::problem::SourceText;
use scenarios::progress::BatchProgress;
use scenarios::sweep::Plan;

const SCENARIO: &str = r#"
name = "sweep"
duration = "10 s"
replicas = 3
topology = { kind = "pair", path = { delay = "1 ms", loss = 0.02 } }
workload = [{ arrivals = { kind = "poisson", rate = "50 /s" } }]
sweep = { "topology.path.delay" = ["1 ms", "10 ms", "100 ms"] }
"#;

fn main() -> Result<(), Box<dyn Error>> {
    let (name, text) = ("sweep".into(), SCENARIO.into());
    let source = SourceText { name, text };
    let plan = Plan::new(&source, &[])?;
    let dir = std::env::args().nth(1);
    let options = BatchOptions::new(dir.unwrap_or("results/sweep".into()), &source);
    let lengths = plan.runs.iter().map(|run| run.scenario.duration);
    let (progress, interrupt) = (BatchProgress::new(lengths, true), Interrupt::default());
    let batch = make(&plan, &options, RunControl::new(&progress, &interrupt))?;
    for (run, outcome) in plan.runs.iter().zip(&batch.outcomes) {
        let metrics = outcome.outline().map(|outline| &outline.metrics);
        let median = metrics.and_then(|m| m.get("connect_latency_p50_s"));
        println!("{:?} replica {}: {median:?} s", run.parameters, run.replica);
    }
    println!("{}", batch.findings.join("\n"));
    Ok(())
}
