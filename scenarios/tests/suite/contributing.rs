//! `CONTRIBUTING.md` says which files a new congestion control, queue discipline and so on touch.
//! For one that exists of each sort, these must be the files that know it.

mod circles;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The first column of the table, what names an existing member of the sort in code, the file of
/// that member, and the other files that name it.
type Sort = (
    &'static str,
    &'static str,
    Option<&'static str>,
    &'static [&'static str],
);

const SORTS: &[Sort] = &[
    (
        "a congestion control",
        "scalable",
        Some("tcp-model/src/congestion/scalable.rs"),
        &[
            "tcp-model/src/congestion.rs",
            "tcp-model/src/congestion/algorithm.rs",
        ],
    ),
    (
        "a queue discipline",
        "cobalt::",
        Some("sim-core/src/queue_disc/cobalt.rs"),
        &["sim-core/src/queue_disc.rs"],
    ),
    (
        "a loss or rate model",
        "gilbert_elliott",
        Some("sim-core/src/impairments/loss/gilbert_elliott.rs"),
        &["sim-core/src/impairments/loss.rs"],
    ),
    (
        "a TCP parameter",
        "dsack: bool {",
        None,
        &["tcp-model/src/params/table/options.rs"],
    ),
    (
        "a metric",
        "\"bytes_acked\"",
        None,
        &[
            "reports/src/metrics/table/end_points.rs",
            "reports/src/recorders/connections.rs",
        ],
    ),
    (
        "a figure of a run",
        "population::",
        Some("reports/src/figures/population.rs"),
        &["reports/src/figures.rs"],
    ),
    (
        "a topology shape",
        "chain::",
        Some("scenarios/src/scenario/topology/shapes/chain.rs"),
        &["scenarios/src/scenario/topology/shapes.rs"],
    ),
    (
        "an application",
        "heartbeat::",
        Some("tcp-model/src/app/heartbeat.rs"),
        &["tcp-model/src/app/built_in.rs"],
    ),
    (
        "a node on the way",
        "syn_limit::",
        Some("tcp-model/src/middlebox/syn_limit.rs"),
        &["tcp-model/src/middlebox.rs"],
    ),
    (
        "a packetdrill call",
        "\"sendto\"",
        None,
        &["tcp-model/src/packetdrill/run/calls.rs"],
    ),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// All source files of the crates, without those of tests, relative to the root.
fn sources() -> Vec<String> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = ["sim-core", "tcp-model", "reports", "scenarios"]
        .iter()
        .map(|name| root().join(name).join("src"))
        .collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let relative = path.strip_prefix(root()).unwrap();
                found.push(relative.to_str().unwrap().replace('\\', "/"));
            }
        }
    }
    found.retain(|path| !path.contains("/tests/") && !path.ends_with("/tests.rs"));
    found
}

/// A source file without comments and without its tests.
fn code(path: &str) -> String {
    let text = fs::read_to_string(root().join(path)).unwrap();
    let before_tests = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let lines = before_tests.lines();
    let code = lines.filter(|line| !line.trim_start().starts_with("//"));
    code.collect::<Vec<_>>().join("\n")
}

#[test]
fn each_sort_is_known_to_the_files_that_the_table_names() {
    let sources: Vec<(String, String)> = sources()
        .into_iter()
        .map(|path| (path.clone(), code(&path)))
        .collect();
    assert!(sources.len() > 200, "{}", sources.len());
    for (sort, name, own, lists) in SORTS {
        let knows = |path: &str, code: &str| Some(path) != *own && code.contains(name);
        let found: BTreeSet<&str> = sources
            .iter()
            .filter(|(path, code)| knows(path, code))
            .map(|(path, _)| path.as_str())
            .collect();
        let expected: BTreeSet<&str> = lists.iter().copied().collect();
        assert_eq!(found, expected, "{sort}: files that contain {name:?}");
        if let Some(own) = own {
            assert!(sources.iter().any(|(path, _)| path == own), "{own}");
        }
    }
}

#[test]
fn the_table_names_these_files() {
    let text = fs::read_to_string(root().join("CONTRIBUTING.md")).unwrap();
    for (sort, _, own, lists) in SORTS {
        let start = format!("| {sort}");
        let row = text
            .lines()
            .find(|line| line.starts_with(&start))
            .unwrap_or_else(|| panic!("there is no row {start:?}"));
        for path in own.iter().chain(lists.iter()) {
            // The row names a file by its last part, or stands for all with NAME.
            let file = path.rsplit('/').next().unwrap();
            let folder = path.rsplit('/').nth(1).unwrap();
            let named = row.contains(file)
                || row.contains(&format!("{folder}/NAME.rs"))
                || row.contains("/{") && row.contains(folder);
            assert!(named, "the row of {sort} does not name {path}: {row}");
        }
    }
}
