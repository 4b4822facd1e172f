//! Files that are not synfin's are never lost, overwritten or moved; results are never mixed.

mod directories;
mod messages;

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::common::{SMALL, SWEEP, directory, files, said};

const MINE: &str = "my own words";

/// A directory with a scenario that has one run, and one that has four.
fn two() -> tempfile::TempDir {
    directory(&[
        ("small.toml", SMALL),
        ("sweep.toml", &format!("{SMALL}{SWEEP}")),
    ])
}

fn ok(dir: &Path, args: &[&str]) -> String {
    let (code, stdout, stderr) = said(dir, args);
    assert_eq!(code, 0, "{args:?}: {stderr}");
    stdout + &stderr
}

/// Runs `synfin`, which must fail with this message and change nothing.
fn refused(dir: &Path, args: &[&str], expected: &str) {
    let before = files(dir);
    let (code, _, stderr) = said(dir, args);
    assert!(code == 1 || code == 2, "{args:?}: {code} {stderr}");
    assert!(stderr.contains(expected), "{args:?}: {stderr}");
    assert!(files(dir) == before, "{args:?} changed something");
}

fn ids(batch: &Path) -> Vec<String> {
    let entries = fs::read_dir(batch.join("runs")).unwrap();
    let names = entries.map(|e| e.unwrap().file_name().into_string().unwrap());
    let mut all: Vec<String> = names.collect();
    all.sort();
    all
}

#[test]
fn notes_in_result_directories_survive_run_report_force_and_damage() {
    let dir = two();
    ok(dir.path(), &["run", "small.toml", "--out", "r"]);
    ok(dir.path(), &["run", "sweep.toml", "--out", "b"]);
    let id = &ids(&dir.path().join("b"))[0];
    let mut notes = vec!["r/notes.txt".to_owned(), "r/figures/mine.svg".to_owned()];
    notes.push("b/notes.txt".to_owned());
    notes.push("b/runs/notes.txt".to_owned());
    notes.push("b/figures/mine.svg".to_owned());
    notes.push(format!("b/runs/{id}/figures/mine.svg"));
    notes.push(format!("b/runs/{id}/notes.txt"));
    for note in &notes {
        fs::write(dir.path().join(note), MINE).unwrap();
    }
    let whole = files(dir.path());
    let damage = |name: &str| fs::write(dir.path().join(name), "{").unwrap();
    for args in [
        &["report", "r"] as &[&str],
        &["report", "b"],
        &["run", "small.toml", "--out", "r"],
        &["run", "sweep.toml", "--out", "b"],
        &["run", "small.toml", "--out", "r", "--force"],
        &["run", "sweep.toml", "--out", "b", "--force"],
    ] {
        ok(dir.path(), args);
        assert!(files(dir.path()) == whole, "{args:?}");
    }
    damage("r/summary.json");
    damage(&format!("b/runs/{id}/census.parquet"));
    let said = ok(dir.path(), &["run", "small.toml", "--out", "r"]);
    assert!(said.contains("repeated, because results were damaged: r/summary.json"));
    let said = ok(dir.path(), &["run", "sweep.toml", "--out", "b"]);
    assert!(said.contains("3 of 4 runs were complete already"), "{said}");
    // The damaged file is kept under another name; everything else is as it was.
    let mut after = files(dir.path());
    for kept in [
        "r/summary.json.kept-1".to_owned(),
        format!("b/runs/{id}/census.parquet.kept-1"),
    ] {
        assert_eq!(after.remove(&kept).unwrap(), b"{");
    }
    assert!(after == whole);
}

#[test]
fn figures_that_were_edited_are_kept_when_they_are_drawn_again() {
    let dir = two();
    ok(dir.path(), &["run", "small.toml", "--out", "r"]);
    let report = dir.path().join("r/report.html");
    let drawn = fs::read(&report).unwrap();
    fs::write(&report, MINE).unwrap();
    let said = ok(dir.path(), &["run", "small.toml", "--out", "r"]);
    assert!(
        said.contains("r/report.html was changed or removed since synfin drew it"),
        "{said}"
    );
    assert_eq!(fs::read(&report).unwrap(), MINE.as_bytes());
    let said = ok(dir.path(), &["report", "r"]);
    assert!(
        said.contains("has been kept as r/report.html.kept-1"),
        "{said}"
    );
    assert!(fs::read(&report).unwrap() == drawn);
    let kept = dir.path().join("r/report.html.kept-1");
    assert_eq!(fs::read(&kept).unwrap(), MINE.as_bytes());
}

#[test]
fn drawings_that_are_gone_are_named_in_batches_too() {
    let dir = directory(&[("small.toml", &format!("{SMALL}{SWEEP}"))]);
    let batch = ["run", "small.toml", "--out", "b"];
    ok(dir.path(), &batch);
    let runs = fs::read_dir(dir.path().join("b/runs")).unwrap();
    let run = runs.map(|r| r.unwrap().path()).next().unwrap();
    fs::remove_file(run.join("report.html")).unwrap();
    fs::write(dir.path().join("b/report.html"), MINE).unwrap();
    let name = run.strip_prefix(dir.path()).unwrap().display().to_string();
    let gone = format!("{name}/report.html was changed or removed since synfin drew it");
    for args in [&batch[..], &["report", "b"]] {
        let said = ok(dir.path(), args);
        assert!(said.contains(&gone), "{said}");
        assert!(said.contains(&format!("`synfin report {name}`")), "{said}");
        assert_eq!(
            said.contains("b/report.html.kept-1"),
            args == batch,
            "{said}"
        );
    }
    ok(dir.path(), &["report", &name]);
    let said = ok(dir.path(), &batch);
    assert!(!said.contains("since synfin drew"), "{said}");
}

#[test]
fn a_lost_timing_file_is_reported() {
    let dir = directory(&[("small.toml", SMALL)]);
    let run = ["run", "small.toml", "--out", "r"];
    ok(dir.path(), &run);
    for damage in [None, Some("{ \"wall\": "), Some(MINE)] {
        match damage {
            None => fs::remove_file(dir.path().join("r/timing.json")).unwrap(),
            Some(text) => fs::write(dir.path().join("r/timing.json"), text).unwrap(),
        }
        for args in [&run[..], &["report", "r"]] {
            let said = ok(dir.path(), args);
            assert!(
                said.contains("r/timing.json is missing or was changed"),
                "{said}"
            );
        }
    }
    ok(dir.path(), &["run", "small.toml", "--out", "r", "--force"]);
    let said = ok(dir.path(), &run);
    assert!(!said.contains("timing.json"), "{said}");
}

#[test]
fn a_changed_file_of_a_run_is_named_when_it_is_kept() {
    let dir = directory(&[
        ("small.toml", SMALL),
        ("s.toml", &format!("{SMALL}{SWEEP}")),
    ]);
    ok(dir.path(), &["run", "small.toml", "--out", "r"]);
    fs::write(dir.path().join("r/summary.json"), MINE).unwrap();
    let said = ok(dir.path(), &["run", "small.toml", "--out", "r"]);
    assert!(
        said.contains("has been kept as r/summary.json.kept-1"),
        "{said}"
    );
    let kept = fs::read_to_string(dir.path().join("r/summary.json.kept-1"));
    assert_eq!(kept.unwrap(), MINE);
    ok(dir.path(), &["run", "s.toml", "--out", "b"]);
    let runs = fs::read_dir(dir.path().join("b/runs")).unwrap();
    let run = runs.map(|r| r.unwrap().path()).next().unwrap();
    fs::write(run.join("summary.json"), MINE).unwrap();
    let said = ok(dir.path(), &["run", "s.toml", "--out", "b"]);
    let run = run.strip_prefix(dir.path()).unwrap().display().to_string();
    assert!(
        said.contains(&format!("has been kept as {run}/summary.json.kept-1")),
        "{said}"
    );
}

#[test]
fn a_directory_with_a_batch_toml_of_the_users_is_left_alone() {
    let sweep = format!("{SMALL}{SWEEP}");
    let dir = directory(&[("small.toml", SMALL), ("batch.toml", &sweep)]);
    fs::create_dir_all(dir.path().join("u/figures")).unwrap();
    fs::write(dir.path().join("u/batch.toml"), &sweep).unwrap();
    fs::write(dir.path().join("u/figures/thesis.svg"), MINE).unwrap();
    for force in [&[] as &[&str], &["--force"]] {
        for (scenario, out) in [
            ("batch.toml", "u"),
            ("u/batch.toml", "u"),
            ("batch.toml", "."),
            ("small.toml", "."),
            ("small.toml", "u/figures"),
        ] {
            let args = [&["run", scenario, "--out", out], force].concat();
            refused(dir.path(), &args, "left alone");
        }
    }
    refused(dir.path(), &["report", "u"], "left alone");
}

#[test]
fn the_scenario_is_never_written_over() {
    let dir = two();
    ok(dir.path(), &["run", "small.toml", "--out", "r"]);
    ok(dir.path(), &["run", "sweep.toml", "--out", "b"]);
    // Running the same scenario again from its own file, as after a batch was stopped, is fine.
    ok(dir.path(), &["run", "b/batch.toml", "--out", "b"]);
    ok(dir.path(), &["run", "b/batch.toml", "--out", "b/."]);
    ok(dir.path(), &["run", "r/run.toml", "--out", "r", "--force"]);
    let id = &ids(&dir.path().join("b"))[0];
    let of_run = format!("b/runs/{id}/run.toml");
    for (args, force) in [
        (["run", "r/run.toml", "--seed", "2", "--out", "r"], true),
        (["run", "b/batch.toml", "--seed", "2", "--out", "b"], true),
        (["run", &of_run, "--seed", "2", "--out", "b"], true),
        (
            ["run", "r/run.toml", "--replicas", "2", "--out", "r"],
            false,
        ),
    ] {
        let force: &[&str] = if force { &["--force"] } else { &[] };
        refused(
            dir.path(),
            &[&args[..], force].concat(),
            "is the scenario and",
        );
    }
    // Inside the directory, the result directory is `.`, and the scenario is still the same file.
    let inside = dir.path().join("b");
    let args = ["run", "batch.toml", "--seed", "2", "--out", ".", "--force"];
    refused(&inside, &args, "is the scenario and");
    ok(&inside, &["run", "batch.toml", "--out", "."]);
    // A user's own scenario in a result directory is not one of synfin's files.
    fs::copy(dir.path().join("small.toml"), inside.join("mine.toml")).unwrap();
    let changed = ["run", "mine.toml", "--seed", "2", "--out", ".", "--force"];
    ok(&inside, &changed);
    assert_eq!(fs::read_to_string(inside.join("mine.toml")).unwrap(), SMALL);
    assert!(!inside.join("runs").exists() && !inside.join("batch.toml").exists());
}

#[cfg(unix)]
#[test]
fn nothing_is_written_through_a_symbolic_link() {
    use std::os::unix::fs::symlink;
    let dir = two();
    fs::create_dir(dir.path().join("target")).unwrap();
    symlink("target", dir.path().join("link")).unwrap();
    for scenario in ["small.toml", "sweep.toml"] {
        for force in [&[] as &[&str], &["--force"]] {
            let args = [&["run", scenario, "--out", "link"], force].concat();
            refused(dir.path(), &args, "symbolic link");
        }
    }
    ok(dir.path(), &["run", "small.toml", "--out", "r"]);
    let figures = dir.path().join("r/figures");
    fs::rename(&figures, dir.path().join("r/own-figures")).unwrap();
    symlink("../target", &figures).unwrap();
    refused(dir.path(), &["report", "r"], "rename it");
    refused(
        dir.path(),
        &["run", "small.toml", "--out", "r", "--force"],
        "rename it",
    );
    assert_eq!(fs::read_dir(dir.path().join("target")).unwrap().count(), 0);
    // A symbolic link on the way to the directory is a path like any other.
    ok(dir.path(), &["run", "small.toml", "--out", "link/below"]);
    assert!(dir.path().join("target/below/summary.json").exists());
}

/// Runs a command that must fail, with file sizes limited to this many blocks of 512 bytes, and returns
/// its messages. Writing beyond the limit is an error instead of a signal.
fn fails_with_files_of(blocks: u32, dir: &Path, command: &str) -> String {
    let script = format!(
        "trap '' XFSZ; ulimit -f {blocks}; exec {} {command}",
        env!("CARGO_BIN_EXE_synfin")
    );
    let output = Command::new("sh")
        .current_dir(dir)
        .args(["-c", &script])
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{command}: {stderr}");
    stderr
}

#[test]
fn a_full_disk_leaves_good_results_as_they_are() {
    let dir = two();
    ok(dir.path(), &["run", "small.toml", "--out", "r"]);
    ok(dir.path(), &["run", "sweep.toml", "--out", "b"]);
    let before = files(dir.path());
    for command in ["run small.toml --out r --force", "report r", "report b"] {
        let stderr = fails_with_files_of(1, dir.path(), command);
        assert!(stderr.contains("cannot"), "{stderr}");
        assert!(files(dir.path()) == before, "{command}");
    }
}

#[test]
fn reports_and_runs_of_one_directory_at_the_same_time_do_not_disturb_each_other() {
    let dir = two();
    ok(dir.path(), &["run", "small.toml", "--out", "r"]);
    ok(dir.path(), &["run", "sweep.toml", "--out", "b"]);
    let before = files(dir.path());
    std::thread::scope(|scope| {
        for args in [
            &["report", "r"] as &[&str],
            &["report", "r"],
            &["run", "small.toml", "--out", "r"],
            &["run", "small.toml", "--out", "r", "--force"],
            &["report", "b"],
            &["report", "b"],
            &["run", "sweep.toml", "--out", "b"],
        ] {
            let dir = &dir;
            scope.spawn(move || {
                let (code, _, stderr) = said(dir.path(), args);
                // It either works or says why not.
                let busy = code == 1 && stderr.contains("another synfin is using");
                assert!(code == 0 || busy, "{args:?}: {code} {stderr}");
            });
        }
    });
    assert!(files(dir.path()) == before);
}
