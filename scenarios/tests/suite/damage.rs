//! Damaged run directories are noticed, explained and repaired; files of the user are never touched.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::common::{SMALL, SWEEP, directory, files, planned, said};
use reports::render_run;
use reports::store::{PathContents, look};
use scenarios::batch::{RunControl, RunOutcome, make_run};
use scenarios::execution::Execution;
use scenarios::existing::Existing;
use scenarios::interrupt::Interrupt;
use scenarios::progress::BatchProgress;
use scenarios::run_spec::RunSpec;
use scenarios::sweep::Plan;
use sim_core::rng::mix;

/// A directory in memory, if possible: flushing results to the disk would take most of the time.
fn memory_dir() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap_or_else(|_| tempfile::tempdir().unwrap())
}

/// How many damaged directories are tested by default; `SYNFIN_CASES` sets another number.
const CASES: u64 = 200;

fn cases() -> u64 {
    let asked = std::env::var("SYNFIN_CASES").ok();
    asked.and_then(|n| n.parse().ok()).unwrap_or(CASES)
}

/// A source of random numbers for one case.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = mix(self.0);
        (self.0 % n.max(1) as u64) as usize
    }
}

const KINDS: [&str; 10] = [
    "bit",
    "byte",
    "cut",
    "longer",
    "empty",
    "missing",
    "directory",
    "swapped",
    "newer",
    "foreign",
];

/// Damages a file in one way; returns false if that changes nothing.
fn damage(dir: &Path, name: &str, kind: &str, dice: &mut Dice) -> bool {
    let path = dir.join(name);
    let mut bytes = fs::read(&path).unwrap();
    match kind {
        "bit" if !bytes.is_empty() => {
            let at = dice.below(bytes.len());
            bytes[at] ^= 1 << dice.below(8);
        }
        "byte" if !bytes.is_empty() => {
            let at = dice.below(bytes.len());
            bytes[at] = bytes[at].wrapping_add(1 + dice.below(255) as u8);
        }
        "cut" if !bytes.is_empty() => bytes.truncate(dice.below(bytes.len())),
        "longer" => bytes.extend((0..=dice.below(100)).map(|i| i as u8)),
        "empty" => bytes.clear(),
        "missing" => {
            fs::remove_file(&path).unwrap();
            return true;
        }
        "directory" => {
            fs::remove_file(&path).unwrap();
            fs::create_dir(&path).unwrap();
            fs::write(path.join("mine"), "mine").unwrap();
            return true;
        }
        "swapped" => bytes = fs::read(dir.join("run.toml")).unwrap(),
        "newer" => {
            let marker = dir.join("synfin.json");
            let text = fs::read_to_string(&marker).unwrap();
            fs::write(&marker, text.replace("\"format\": 1", "\"format\": 2")).unwrap();
            return true;
        }
        _ => return false,
    }
    let changed = fs::read(&path).unwrap() != bytes;
    fs::write(&path, bytes).unwrap();
    changed
}

fn put(dir: &Path, whole: &BTreeMap<String, Vec<u8>>) {
    let _ = fs::remove_dir_all(dir);
    for (name, bytes) in whole {
        let path = dir.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

fn plan() -> Plan {
    let text = SMALL.replace("3 s", "200 ms").replace("50 /s", "20 /s");
    planned(&text, &[])
}

fn make(spec: &RunSpec, dir: &Path) -> RunOutcome {
    let progress = BatchProgress::new([spec.scenario.duration].into_iter(), true);
    let interrupt = Interrupt::default();
    let making = RunControl::new(&progress, &interrupt);
    make_run(spec, dir, Execution::with_threads(1), making)
}

/// The user's own files, which are in every directory.
const OWN: [(&str, &str); 2] = [("notes.txt", "mine"), ("figures/own.svg", "<svg/>")];

#[derive(Debug, Default)]
struct Counts {
    cases: usize,
    noticed: usize,
    made_again: usize,
    drawn_again: usize,
    refused: usize,
    harmless: usize,
}

#[test]
fn damaged_run_directories_are_noticed_explained_and_made_again() {
    let tmp = memory_dir();
    let plan = plan();
    let spec = &plan.runs[0];
    let dir = tmp.path().join("run");
    assert!(matches!(make(spec, &dir), RunOutcome::Made { .. }));
    for (name, text) in OWN {
        fs::write(dir.join(name), text).unwrap();
    }
    let mut whole = files(&dir);
    whole.insert(
        "timing.json".into(),
        fs::read(dir.join("timing.json")).unwrap(),
    );
    let names: Vec<String> = whole
        .keys()
        .filter(|name| OWN.iter().all(|(own, _)| own != name))
        .cloned()
        .collect();
    let mut counts = Counts::default();
    for case in 0..cases() {
        let mut dice = Dice(mix(case));
        put(&dir, &whole);
        let kind = KINDS[case as usize % KINDS.len()];
        let name = &names[dice.below(names.len())];
        let changed = damage(&dir, name, kind, &mut dice);
        let found = Existing::look(spec, &dir);
        let context = format!("case {case}: {kind} {name}: {found:?}");
        check(
            spec,
            &dir,
            (name, kind, changed),
            found,
            &whole,
            &mut counts,
            &context,
        );
        for (own, text) in OWN {
            assert_eq!(
                fs::read_to_string(dir.join(own)).unwrap(),
                text,
                "{context}"
            );
        }
    }
    println!("{counts:?}");
    assert_eq!(counts.cases as u64, cases());
    assert!(counts.made_again > 0 && counts.refused > 0 && counts.drawn_again > 0);
}

fn check(
    spec: &RunSpec,
    dir: &Path,
    (name, kind, changed): (&str, &str, bool),
    found: Existing,
    whole: &BTreeMap<String, Vec<u8>>,
    counts: &mut Counts,
    context: &str,
) {
    counts.cases += 1;
    let before = everything(dir);
    let drawn = name == "report.html" || name.starts_with("figures/");
    match found {
        Existing::Complete(_) if !changed || name == "timing.json" && kind != "newer" => {
            counts.harmless += 1;
        }
        Existing::Complete(_) if drawn && kind != "newer" => {
            counts.noticed += 1;
            let Ok(PathContents::Ours(marker)) = look(dir) else {
                panic!("{context}");
            };
            assert_eq!(marker.changed_drawings(dir), [name], "{context}");
            render_run(dir).unwrap();
            same_but_for_kept(dir, whole, context);
            counts.drawn_again += 1;
        }
        // Without a trustworthy list of files, nothing in the directory is touched.
        Existing::Other(error) => {
            counts.noticed += 1;
            assert!(name == "synfin.json" || kind == "newer", "{context}");
            assert!(error.to_string().contains("left alone"), "{context}");
            assert!(
                matches!(make(spec, dir), RunOutcome::Failed(_)),
                "{context}"
            );
            assert!(render_run(dir).is_err(), "{context}");
            assert!(everything(dir) == before, "{context}");
            counts.refused += 1;
        }
        Existing::Damaged(why) => {
            counts.noticed += 1;
            assert!(why.contains(name), "{context}");
            assert!(!drawn, "{context}");
            // `report` refuses, and leaves the good figures as they are.
            let error = render_run(dir).unwrap_err().to_string();
            assert!(error.contains(name), "{context}: {error}");
            assert!(everything(dir) == before, "{context}");
            let made = make(spec, dir);
            assert!(
                matches!(&made, RunOutcome::Made { because: Some(why), .. } if why.contains(name)),
                "{context}: {made:?}"
            );
            same_but_for_kept(dir, whole, context);
            counts.made_again += 1;
        }
        _ => panic!("{context}"),
    }
}

fn everything(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = files(dir);
    if let Ok(bytes) = fs::read(dir.join("timing.json")) {
        all.insert("timing.json".into(), bytes);
    }
    all
}

/// The directory is complete again; changed files are kept as `NAME.kept-1`.
fn same_but_for_kept(dir: &Path, whole: &BTreeMap<String, Vec<u8>>, context: &str) {
    let mut now = files(dir);
    now.retain(|name, _| !name.contains(".kept-1"));
    let mut whole = whole.clone();
    whole.remove("timing.json");
    let names = |all: &BTreeMap<String, Vec<u8>>| all.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&now), names(&whole), "{context}");
    assert!(now == whole, "{context}");
}

#[test]
fn in_a_batch_only_damaged_runs_are_made_again() {
    let dir = directory(&[("sweep.toml", &format!("{SMALL}{SWEEP}"))]);
    let args = ["run", "sweep.toml", "--out", "b"];
    assert_eq!(said(dir.path(), &args).0, 0);
    let batch = dir.path().join("b");
    let whole = files(&batch);
    let runs: Vec<PathBuf> = fs::read_dir(batch.join("runs"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    let of = |path: &Path, name: &str| path.join(name);
    for kind in [
        "newer",
        "mark cut",
        "mark missing",
        "table",
        "summary",
        "run missing",
    ] {
        fs::write(of(&runs[1], "notes"), "mine").unwrap();
        let run = &runs[1];
        let mark = of(run, "synfin.json");
        match kind {
            "newer" => {
                let text = fs::read_to_string(&mark).unwrap();
                fs::write(&mark, text.replace("\"format\": 1", "\"format\": 7")).unwrap();
            }
            "mark cut" => fs::write(&mark, "{\"format\":").unwrap(),
            "mark missing" => fs::remove_file(&mark).unwrap(),
            "table" => fs::write(of(run, "census.parquet"), "PAR1").unwrap(),
            "summary" => fs::remove_file(of(run, "summary.json")).unwrap(),
            _ => fs::remove_dir_all(run).unwrap(),
        }
        let (code, _, stderr) = said(dir.path(), &["report", "b"]);
        assert_eq!(code, 1, "{kind}: {stderr}");
        assert!(
            stderr.contains("1 of 4 runs are damaged"),
            "{kind}: {stderr}"
        );
        let (code, _, stderr) = said(dir.path(), &args);
        assert_eq!(code, 0, "{kind}: {stderr}");
        assert!(
            stderr.contains("3 of 4 runs were complete already"),
            "{kind}: {stderr}"
        );
        let explained = stderr.contains("repeated, because results were damaged");
        assert_eq!(explained, kind != "run missing", "{kind}: {stderr}");
        let mut now = files(&batch);
        let notes = now
            .iter()
            .filter(|(name, bytes)| name.ends_with("/notes") && *bytes == b"mine")
            .count();
        assert_eq!(notes, usize::from(kind != "run missing"), "{kind}");
        now.retain(|name, _| !name.contains(".kept-") && !name.ends_with("/notes"));
        assert!(now == whole, "{kind}");
        for entry in fs::read_dir(batch.join("runs")).unwrap() {
            let path = entry.unwrap().path();
            if path.to_string_lossy().contains(".kept-") {
                fs::remove_dir_all(path).unwrap();
            }
        }
        let _ = fs::remove_file(of(&runs[1], "census.parquet.kept-1"));
    }
}

#[test]
fn a_damaged_index_is_noticed_and_the_good_figures_stay() {
    let dir = directory(&[("sweep.toml", &format!("{SMALL}{SWEEP}"))]);
    let args = ["run", "sweep.toml", "--out", "b"];
    assert_eq!(said(dir.path(), &args).0, 0);
    let whole = files(&dir.path().join("b"));
    for name in ["batch.json", "index.csv", "index.parquet", "batch.toml"] {
        fs::write(dir.path().join("b").join(name), "{}").unwrap();
        let before = files(&dir.path().join("b"));
        let (code, _, stderr) = said(dir.path(), &["report", "b"]);
        assert_eq!(code, 1, "{stderr}");
        assert!(stderr.contains(&format!("b/{name} is damaged")), "{stderr}");
        assert!(files(&dir.path().join("b")) == before);
        assert_eq!(said(dir.path(), &args).0, 0);
        let mut now = files(&dir.path().join("b"));
        assert_eq!(now.remove(&format!("{name}.kept-1")).unwrap(), b"{}");
        assert!(now == whole, "{name}");
        fs::remove_file(dir.path().join("b").join(format!("{name}.kept-1"))).unwrap();
    }
}
