//! Ctrl-C and SIGTERM: complete runs are kept and reported, and no temporary files remain.
#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::common::{SMALL, assert_same, directory, said};

const SWEEP_OF_SIX: &str =
    "[sweep]\n\"tcp.time_wait\" = [\"1 s\", \"2 s\", \"3 s\", \"4 s\", \"5 s\", \"6 s\"]\n";

fn spawn(dir: &Path, args: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_synfin"))
        .current_dir(dir)
        .args(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn send(signal: &str, child: &Child) {
    let pid = child.id().to_string();
    let status = Command::new("kill").args(["-s", signal, &pid]).status();
    assert!(status.unwrap().success());
}

fn wait_for(what: impl Fn() -> bool) {
    let begun = Instant::now();
    while !what() {
        assert!(begun.elapsed() < Duration::from_secs(60), "nothing happens");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Names of entries below `dir` that are still being written.
fn temporary(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![dir.to_path_buf()];
    while let Some(here) = open.pop() {
        for entry in std::fs::read_dir(&here).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().contains(".tmp-") {
                found.push(entry.path());
            }
            if entry.path().is_dir() {
                open.push(entry.path());
            }
        }
    }
    found
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn ended(child: Child) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output().unwrap();
    (status.code(), text(&stdout), text(&stderr))
}

#[test]
fn a_stopped_batch_has_an_index_of_what_is_there_and_goes_on() {
    let long = SMALL.replace("3 s", "60 s") + SWEEP_OF_SIX;
    let dir = directory(&[("long.toml", &long)]);
    let args = ["run", "long.toml", "--threads", "1", "--out", "out"];
    let child = spawn(dir.path(), &args);
    let out = dir.path().join("out");
    let complete = || {
        let runs = std::fs::read_dir(out.join("runs")).into_iter().flatten();
        let names = runs.flatten().map(|e| e.file_name());
        names
            .filter(|n| !n.to_string_lossy().starts_with('.'))
            .count()
    };
    wait_for(|| complete() >= 1);
    send("INT", &child);
    let (code, _, stderr) = ended(child);
    let made = complete();
    assert!(made < 6, "it was too fast to be stopped");
    assert_eq!(code, Some(130), "{stderr}");
    let expected = format!(
        "stopped: {made} of 6 runs are complete and in the report; `synfin run out/batch.toml --out out` runs the others"
    );
    assert!(stderr.contains(&expected), "{stderr}");
    assert_eq!(temporary(dir.path()), Vec::<PathBuf>::new());
    let index = std::fs::read_to_string(out.join("index.csv")).unwrap();
    assert_eq!(index.matches(",ok,").count(), made, "{index}");
    assert_eq!(index.matches(",missing,").count(), 6 - made, "{index}");
    assert!(out.join("report.html").exists());

    let (code, _, stderr) = said(dir.path(), &["run", "out/batch.toml", "--out", "out"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(
        stderr.contains(&format!("{made} of 6 runs were complete")),
        "{stderr}"
    );
    // Except for the command, the same as if made in one go.
    let again = ["run", "out/batch.toml", "--out", "out"];
    assert_eq!(said(dir.path(), &again).0, 0);
    std::fs::rename(&out, dir.path().join("first")).unwrap();
    std::fs::create_dir(&out).unwrap();
    std::fs::remove_dir(&out).unwrap();
    assert_eq!(said(dir.path(), &["run", "long.toml", "--out", "out"]).0, 0);
    for entry in std::fs::read_dir(out.join("runs")).unwrap() {
        let name = entry.unwrap().file_name();
        assert_same(
            &dir.path().join("first/runs").join(&name),
            &out.join("runs").join(&name),
        );
    }
}

#[test]
fn a_stopped_run_leaves_nothing_and_says_so() {
    let dir = directory(&[("long.toml", &SMALL.replace("3 s", "100000 s"))]);
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        for threads in ["1", "2"] {
            let args = [
                "run",
                "long.toml",
                "--threads",
                threads,
                "--out",
                "here/out",
            ];
            let child = spawn(dir.path(), &args);
            wait_for(|| !temporary(dir.path()).is_empty());
            send(signal, &child);
            let (ended_with, stdout, stderr) = ended(child);
            assert_eq!(ended_with, Some(code), "{stderr}");
            assert_eq!(stdout, "");
            assert!(
                stderr.contains("stopped: the run was incomplete"),
                "{stderr}"
            );
            assert_eq!(temporary(dir.path()), Vec::<PathBuf>::new());
            assert!(!dir.path().join("here/out").exists());
        }
    }
}

#[test]
fn commands_without_results_end_as_any_program_does() {
    let dir = directory(&[]);
    let args = ["bench", "hold", "6", "--holds", "400000000"];
    let child = spawn(dir.path(), &args);
    std::thread::sleep(Duration::from_millis(100));
    // Not SIGINT, which background processes may ignore.
    send("TERM", &child);
    // Ended by the signal: there is no exit code.
    assert_eq!(ended(child).0, None);
}
