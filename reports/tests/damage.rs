//! Files that are wrong although their hashes match: the readers reject them and never panic or
//! hang, and existing figures are kept.

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use common::Story;
use reports::{Completion, RunRecorder, RunWriter, render_run};
use sim_core::Recorder as _;
use sim_core::rng::mix;

const STORY: Story = Story {
    duration_s: 20.0,
    per_s: 3.0,
    ports: 12,
    time_wait_s: 8.0,
    traced: 3,
};

/// A directory in memory if possible: results are flushed to the disk, which takes longer than
/// everything else.
fn memory_dir() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap_or_else(|_| tempfile::tempdir().unwrap())
}

/// Cases of the default test; `SYNFIN_CASES` sets another number.
const CASES: u64 = 150;

fn make(dir: &Path) {
    let writer = RunWriter::create(dir, false).unwrap();
    let mut recorder = RunRecorder::new(writer, STORY.info()).unwrap();
    recorder.write(&STORY.records()).unwrap();
    let stats = STORY.stats();
    recorder.finish(stats.reached).unwrap();
    recorder.complete(&stats, Completion::default()).unwrap();
}

fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut open = vec![dir.to_path_buf()];
    while let Some(here) = open.pop() {
        for entry in std::fs::read_dir(&here).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(dir).unwrap().to_path_buf();
                all.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    all
}

/// Puts files in a new run directory; their hashes are listed.
fn put(dir: &Path, files: &BTreeMap<PathBuf, Vec<u8>>) {
    let writer = RunWriter::create(dir, false).unwrap();
    for (name, bytes) in files.iter().filter(|(n, _)| !n.ends_with("synfin.json")) {
        let path = writer.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    writer.finish(&BTreeMap::new()).unwrap();
}

/// Changes some bytes, usually few and close together.
fn spoil(bytes: &mut Vec<u8>, seed: u64) {
    let mut state = seed;
    let mut below = |n: usize| {
        state = mix(state);
        (state % n.max(1) as u64) as usize
    };
    match below(6) {
        0 => bytes.truncate(below(bytes.len())),
        1 => {
            // A length or a time in a table becomes as large as possible.
            let at = below(bytes.len());
            let end = (at + 1 + below(8)).min(bytes.len());
            bytes[at..end].fill(if below(2) == 0 { 0xff } else { 0x7f });
        }
        2 => {
            // Near the end, where Parquet keeps its directory.
            let from = bytes.len().saturating_sub(1 + below(1500));
            bytes[from] ^= 1 << below(8);
        }
        _ => {
            for _ in 0..=below(3) {
                let at = below(bytes.len());
                bytes[at] ^= 1 << below(8);
            }
        }
    }
}

#[test]
fn tables_with_false_sizes_are_refused_without_panic_or_hang() {
    let cases = std::env::var("SYNFIN_CASES").ok();
    let cases = cases.and_then(|n| n.parse().ok()).unwrap_or(CASES);
    let tmp = memory_dir();
    let good = tmp.path().join("good");
    make(&good);
    let whole = files(&good);
    let data: Vec<&PathBuf> = whole
        .keys()
        .filter(|n| n.extension().is_some_and(|e| e == "parquet") || n.ends_with("summary.json"))
        .collect();
    let (mut drawn, mut in_part, mut refused) = (0u64, 0u64, 0u64);
    for case in 0..cases {
        let name = data[case as usize % data.len()];
        let mut files_now = whole.clone();
        spoil(files_now.get_mut(name).unwrap(), mix(case));
        let dir = tmp.path().join("run");
        put(&dir, &files_now);
        let before = files(&dir);
        let (done, wait) = mpsc::channel();
        let place = dir.clone();
        std::thread::spawn(move || {
            let _ = done.send(render_run(&place).map(drop));
        });
        let end = wait.recv_timeout(Duration::from_secs(60));
        let end = end.unwrap_or_else(|e| panic!("case {case}, {}: {e}", name.display()));
        match end {
            Ok(()) => {
                // Figures that could not be drawn are named in the report, with the reason.
                let page = std::fs::read_to_string(dir.join("report.html")).unwrap();
                match page.contains("Missing here") {
                    true => in_part += 1,
                    false => drawn += 1,
                }
            }
            Err(error) => {
                let text = error.to_string();
                assert!(files(&dir) == before, "case {case}: {text}");
                assert!(text.contains("run"), "case {case}: {text}");
                refused += 1;
            }
        }
        std::fs::remove_dir_all(&dir).unwrap();
    }
    let counts = format!("{drawn} drawn, {in_part} in part, {refused} refused");
    println!("{cases} cases: {counts}");
    assert!(in_part + refused > cases / 3, "{counts}");
    assert!(in_part > 0 && refused > 0, "{counts}");
}
