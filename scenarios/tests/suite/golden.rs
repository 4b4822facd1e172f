//! The results of every ready-made scenario, by hash: any change of a number shows here.
//!
//! If a change is meant to alter results, regenerate the hashes with `UPDATE=1 cargo test -p synfin
//! --test suite golden`, describe the change under "Changed results" in `CHANGELOG.md`, and raise
//! `RESULTS_VERSION`.

use std::path::Path;

use crate::common::SHORT;
use scenarios::library;
use scenarios::overrides::Override;
use scenarios::run;
use scenarios::sweep::Plan;

/// Long scenarios are shortened, but still long enough for each of their mechanisms to take effect.
pub(crate) const CUT: [(&str, &str); 11] = [
    ("time-wait", "duration=10 s"),
    ("port-exhaustion", "duration=20 s"),
    ("persistent", "duration=20 s"),
    ("lossy-link", "replicas=1"),
    ("lossy-link", "duration=20 s"),
    ("reordering", "replicas=1"),
    ("ack-loss", "replicas=1"),
    ("fairness-rtt", "replicas=1"),
    ("multiple-bottlenecks", "duration=10 s"),
    ("ramp-up", "replicas=1"),
    ("compare-controls", "replicas=1"),
];

#[test]
fn the_results_of_every_ready_made_scenario_are_the_recorded_ones() {
    let tmp = tempfile::tempdir().unwrap();
    let mut found = String::new();
    for entry in library::ALL {
        let cut = CUT
            .iter()
            .chain(&SHORT)
            .filter(|(name, _)| *name == entry.name);
        let changes: Vec<Override> = cut.map(|(_, set)| Override::parse(set).unwrap()).collect();
        let plan = Plan::new(&entry.source(), &changes).unwrap_or_else(|e| panic!("{e}"));
        // As many as are recorded by default.
        for i in crate::common::few(plan.runs.len()) {
            let spec = &plan.runs[i];
            let dir = tmp.path().join(format!("{}-{i}", entry.name));
            let summary = run::execute(spec, &dir, false, &mut |_| ()).unwrap();
            found += &format!("{} {i} {}\n", entry.name, summary.result_hash);
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/golden/hashes.txt");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &found).unwrap();
    }
    let recorded = std::fs::read_to_string(&path).unwrap_or_default();
    let moved: Vec<&str> = found
        .lines()
        .filter(|line| !recorded.lines().any(|r| r == *line))
        .collect();
    assert!(
        moved.is_empty() && found.lines().count() == recorded.lines().count(),
        "results have moved (scenario, run, hash now):\n{}",
        moved.join("\n")
    );
}
