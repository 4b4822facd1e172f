//! Helpers for the tests: running the program, comparing directories, running scenarios in this process.

#![allow(dead_code, unreachable_pub)] // each test file uses its own part

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use reports::RunSummary;
use scenarios::execution::Execution;
use scenarios::overrides::Override;
use scenarios::problem::{RefusedScenario, SourceText};
use scenarios::run::{self, Job};
use scenarios::sweep::Plan;

/// A run with about 150 connections.
pub const SMALL: &str = r#"
name = "small"
question = "Does it run?"
duration = "3 s"
topology = { kind = "pair", path = { rate = "10 Mbit/s", delay = "5 ms", loss = 0.05 } }
[[workload]]
arrivals = { kind = "poisson", rate = "50 /s" }
response = { kind = "exponential", mean = "5 kB" }
[record]
states = 5
segments = 2
pcap = true
"#;

/// A bulk transfer through a small queue, with random losses.
pub const LOSSY: &str = r#"
name = "lossy"
duration = "8 s"
topology = { kind = "pair", path = { rate = "10 Mbit/s", delay = "15 ms", loss = 0.01, queue = "40 packets" } }
[[workload]]
kind = "bulk"
[record]
pcap = true
"#;

/// Makes [`SMALL`] a batch of four runs.
pub const SWEEP: &str = r#"
[sweep]
"tcp.time_wait" = ["1 s", "2 s"]
"workload[0].requests" = [1, 3]
"#;

/// Scenarios about the life of many connections, with a change that makes each short enough for a test
/// that runs them all.
pub const SHORT: [(&str, &str); 21] = [
    ("time-wait-client", "duration=5 s"),
    ("time-wait-server", "duration=5 s"),
    ("remedies", "duration=5 s"),
    ("memtier-232", "duration=2.2 s"),
    ("envoy-44747", "duration=5 s"),
    ("proxy-upstream", "duration=5 s"),
    ("nat-gateway", "duration=5 s"),
    ("conntrack-full", "duration=5 s"),
    ("idle-timeout-race", "duration=100 s"),
    ("backend-crash", "duration=45 s"),
    ("retry-storm", "duration=30 s"),
    ("deploy-storm", "duration=40 s"),
    ("syn-flood", "duration=8 s"),
    ("accept-overflow", "duration=25 s"),
    ("old-duplicates", "duration=2 s"),
    ("corruption", "duration=1 s"),
    ("tw-assassination", "duration=10 s"),
    ("tw-recycle", "duration=10 s"),
    ("half-open", "duration=100 s"),
    ("fin-wait-2", "duration=15 s"),
    ("close-wait-leak", "duration=30 s"),
];

/// A test over the library makes at most this many runs of a scenario: the first, the last, and one
/// between. `SYNFIN_DEEP=1` makes all runs.
const MOST_RUNS: usize = 3;

/// The indices of these runs among all `runs`.
pub fn spread(runs: usize) -> impl Iterator<Item = usize> {
    let deep = std::env::var_os("SYNFIN_DEEP").is_some();
    at_most(if deep { runs } else { MOST_RUNS }, runs)
}

/// The indices of the first run, the last, and one between.
pub fn few(runs: usize) -> impl Iterator<Item = usize> {
    at_most(MOST_RUNS, runs)
}

fn at_most(most: usize, runs: usize) -> impl Iterator<Item = usize> {
    let n = runs.min(most);
    (0..n).map(move |i| i * (runs - 1) / (n - 1).max(1))
}

/// A temporary directory with these files.
pub fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    dir
}

/// Runs `synfin` in a directory.
pub fn synfin(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_synfin"))
        .current_dir(dir)
        .args(args)
        .output()
        .unwrap()
}

/// Exit code, stdout and stderr of `synfin`.
pub fn said(dir: &Path, args: &[&str]) -> (i32, String, String) {
    let output = synfin(dir, args);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (
        output.status.code().unwrap(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

/// All files below a directory except `timing.json`, by path.
pub fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut open = vec![dir.to_path_buf()];
    while let Some(here) = open.pop() {
        for entry in std::fs::read_dir(&here).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.file_name().is_some_and(|n| n != "timing.json") {
                let name = path
                    .strip_prefix(dir)
                    .unwrap()
                    .to_string_lossy()
                    .into_owned();
                all.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    all
}

/// Asserts that two result directories are the same, byte for byte.
pub fn assert_same(a: &Path, b: &Path) {
    let (a, b) = (files(a), files(b));
    assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>());
    for (name, bytes) in &a {
        assert!(bytes == &b[name], "{name} differs");
    }
}

/// Plans the runs of a scenario text with these values set.
pub fn plan(text: &str, sets: &[&str]) -> Result<Plan, RefusedScenario> {
    let source = SourceText {
        name: "test.toml".into(),
        text: text.into(),
    };
    let sets: Vec<Override> = sets.iter().map(|s| Override::parse(s).unwrap()).collect();
    Plan::new(&source, &sets)
}

/// Plans the runs of a scenario text that must be accepted.
pub fn planned(text: &str, sets: &[&str]) -> Plan {
    plan(text, sets).unwrap_or_else(|message| panic!("{message}\n{text}"))
}

/// Makes the only run of a scenario text, in `dir`.
pub fn make(text: &str, sets: &[&str], dir: &Path) -> RunSummary {
    let plan = planned(text, sets);
    assert!(plan.is_single(), "{} runs", plan.runs.len());
    run::execute(&plan.runs[0], dir, false, &mut |_| ()).unwrap()
}

/// Makes the only run of a scenario text, and keeps only its summary.
pub fn run_once(text: &str) -> RunSummary {
    let dir = tempfile::tempdir().unwrap();
    make(text, &[], &dir.path().join("run"))
}

/// A metric, which the run must have.
pub fn metric(summary: &RunSummary, id: &str) -> f64 {
    let value = summary.metrics.get(id).copied();
    value.unwrap_or_else(|| panic!("no {id} in {:?}", summary.metrics.keys()))
}

/// Makes one run of a plan, and keeps only its summary.
pub fn summary_of(plan: &Plan, run: usize, execution: Execution) -> RunSummary {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path().join("run");
    let job = Job {
        execution,
        ..Job::new(&plan.runs[run], &dir)
    };
    job.execute(&mut |_| ()).unwrap().summary
}

/// Asserts that the first run of a plan has the same results however the network is divided.
pub fn assert_same_in_every_partition(plan: &Plan) {
    let expected = summary_of(plan, 0, Execution::default()).result_hash;
    for parts in [1, 2, 3, 5, 8] {
        let execution = Execution {
            partitions: Some(parts),
            threads: 2,
            ..Execution::default()
        };
        let hash = summary_of(plan, 0, execution).result_hash;
        assert_eq!(hash, expected, "{parts} partitions");
    }
}

/// Asserts that the scenario text that each run records makes the same run again.
pub fn assert_made_again_from_its_text(first: &Plan) {
    for run in &first.runs {
        let again = plan(&run.text(), &[]).unwrap();
        assert_eq!(again.runs[0].id, run.id);
    }
}
