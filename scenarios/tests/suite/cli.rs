//! The command line: messages, exit codes, and the contents of directories.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::common::{SMALL, SWEEP, assert_same, directory, files, said};
use scenarios::library;

#[test]
fn wrong_usage_exits_with_2_and_says_what_to_try() {
    let dir = directory(&[
        ("bad.toml", "name = \"x\"\ndurration = \"1 s\"\n"),
        ("small.toml", SMALL),
    ]);
    for (args, expected) in [
        (&[] as &[&str], "Usage: synfin"),
        (&["walk"], "unrecognized subcommand 'walk'"),
        (&["run", "time-wiat"], "did you mean \"time-wait\"?"),
        (&["run", "no/such.toml"], "cannot read no/such.toml"),
        (&["show", "bluk"], "did you mean \"bulk\"?"),
        (&["run", "bad.toml"], "--> bad.toml:2:1 (durration)"),
        (&["check", "bad.toml"], "did you mean `duration`?"),
        (
            &["run", "small.toml", "--set", "tcp.time_wait"],
            "has no `=`",
        ),
        (
            &["run", "small.toml", "--set", "tcp.nagel=true"],
            "did you mean `nagle`?",
        ),
        (&["run", "small.toml", "--replicas", "0"], "0 is not in 1.."),
        (&["run", "small.toml", "--threads", "0"], "0 is not in 1.."),
        (&["report", "."], "no synfin results (no synfin.json)"),
    ] {
        let (code, stdout, stderr) = said(dir.path(), args);
        assert_eq!(code, 2, "{args:?}: {stderr}");
        assert!(stderr.contains(expected), "{args:?}: {stderr}");
        assert_eq!(stdout, "", "{args:?}");
    }
    assert!(!dir.path().join("results").exists());
}

#[test]
fn every_scenario_of_the_library_is_listed_shown_and_checked() {
    let dir = directory(&[]);
    let (code, list, _) = said(dir.path(), &["list"]);
    assert_eq!(code, 0);
    for entry in library::ALL {
        assert!(
            list.lines()
                .any(|l| l.starts_with(entry.name) && l.ends_with('?')),
            "{list}"
        );
        let (_, text, _) = said(dir.path(), &["show", entry.name]);
        std::fs::write(dir.path().join("copy.toml"), &text).unwrap();
        let (code, from_file, stderr) = said(dir.path(), &["check", "copy.toml"]);
        assert_eq!((code, stderr.as_str()), (0, "copy.toml is valid.\n"));
        let (_, from_library, _) = said(dir.path(), &["check", entry.name]);
        assert_eq!(from_file, from_library);
    }
}

#[test]
fn a_checked_scenario_is_complete_and_means_the_same_when_read_again() {
    let dir = directory(&[("small.toml", SMALL)]);
    let (_, once, _) = said(dir.path(), &["check", "small.toml"]);
    std::fs::write(dir.path().join("complete.toml"), &once).unwrap();
    let (code, twice, _) = said(dir.path(), &["check", "complete.toml"]);
    assert_eq!((code, &twice), (0, &once));
    assert!(
        once.contains("tw_reuse_delay = \"1 s\"") && once.contains("# 1 run:"),
        "{once}"
    );
}

#[test]
fn a_single_run_goes_to_results_and_is_kept_unless_forced() {
    let dir = directory(&[("small.toml", SMALL)]);
    let (code, stdout, stderr) = said(dir.path(), &["run", "small.toml"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(
        stdout.ends_with("report: results/small/report.html\n"),
        "{stdout}"
    );
    assert!(stdout.contains("connects"), "{stdout}");
    let results = dir.path().join("results/small");
    let before = files(&results);
    for name in [
        "run.toml",
        "summary.json",
        "report.html",
        "census.parquet",
        "packets.pcapng",
    ] {
        assert!(before.contains_key(name), "{name} of {:?}", before.keys());
    }
    let (code, again, stderr) = said(dir.path(), &["run", "small.toml"]);
    assert_eq!((code, again), (0, stdout.clone()));
    assert!(stderr.contains("complete already; --force"), "{stderr}");
    let other = ["run", "small.toml", "--seed", "2", "--out", "results/small"];
    let (code, _, stderr) = said(dir.path(), &other);
    assert_eq!(code, 1);
    assert!(stderr.contains("already holds results"), "{stderr}");
    assert!(files(&results) == before, "a refused run changes nothing");
    let (code, forced, _) = said(dir.path(), &["run", "small.toml", "--force"]);
    assert_eq!((code, forced), (0, stdout));
    assert!(
        files(&results) == before,
        "the same run gives the same bytes"
    );
    let (code, _, _) = said(dir.path(), &[&other[..], &["--force"]].concat());
    assert_eq!(code, 0);
    assert!(files(&results) != before, "another seed gives another run");
}

#[test]
fn the_same_run_is_the_same_bytes_from_run_toml_with_any_event_queue() {
    let dir = directory(&[("small.toml", SMALL)]);
    let mut runs = vec![
        vec!["run", "small.toml", "--out", "a"],
        vec!["run", "a/run.toml", "--out", "again"],
    ];
    let queues: Vec<String> = sim_core::event_queue::EventQueueKind::ALL
        .iter()
        .map(|kind| format!("engine.event_queue={}", kind.name()))
        .collect();
    assert!(queues.len() >= 2);
    for queue in &queues {
        runs.push(vec![
            "run",
            "small.toml",
            "--out",
            &queue[19..],
            "--set",
            queue,
        ]);
    }
    for args in &runs {
        let (code, _, stderr) = said(dir.path(), args);
        assert_eq!((code, stderr.as_str()), (0, ""), "{args:?}");
        assert_same(&dir.path().join("a"), &dir.path().join(args[3]));
    }
}

#[test]
fn a_batch_is_the_same_with_any_event_queue() {
    let dir = directory(&[("sweep.toml", &format!("{SMALL}{SWEEP}"))]);
    let run = |out: &str, sets: &[&str]| {
        let args = [&["run", "sweep.toml", "--out", out], sets].concat();
        let (code, _, stderr) = said(dir.path(), &args);
        assert_eq!((code, stderr.as_str()), (0, ""), "{args:?}");
    };
    run("a", &[]);
    for kind in sim_core::event_queue::EventQueueKind::ALL {
        let set = format!("engine.event_queue={}", kind.name());
        run(kind.name(), &["--set", &set]);
        assert_same(&dir.path().join("a"), &dir.path().join(kind.name()));
    }
}

#[test]
fn two_batches_in_one_directory_do_not_interfere() {
    let dir = directory(&[("sweep.toml", &format!("{SMALL}{SWEEP}"))]);
    let out = dir.path().join("out");
    std::fs::create_dir(&out).unwrap();
    let other = reports::store::DirLock::take(&out).unwrap();
    let args = ["run", "sweep.toml", "--out", "out"];
    let (code, _, stderr) = said(dir.path(), &args);
    assert_eq!(code, 1);
    assert!(stderr.contains("another synfin is using"), "{stderr}");
    drop(other);
    assert_eq!(said(dir.path(), &args).0, 0);
}

#[test]
fn a_batch_is_the_same_with_any_number_of_threads_and_its_runs_are_kept() {
    let dir = directory(&[("sweep.toml", &format!("{SMALL}{SWEEP}"))]);
    let one = [
        "run",
        "sweep.toml",
        "--out",
        "one",
        "--threads",
        "1",
        "--replicas",
        "2",
    ];
    let (code, stdout, stderr) = said(dir.path(), &one);
    assert_eq!(code, 0, "{stderr}");
    let lines: Vec<&str> = stdout.lines().collect();
    // A line for each run, an empty line, what the runs show together, and where the report is.
    assert_eq!(lines.iter().position(|l| l.is_empty()), Some(8), "{stdout}");
    assert!(stdout.contains("\nNo connect failed"), "{stdout}");
    assert!(stdout.contains("\n8 of 8 runs are complete: "), "{stdout}");
    assert!(
        lines[1].starts_with("time_wait = 1 s, requests = 1, replica 1: "),
        "{stdout}"
    );
    assert!(
        lines[2].starts_with("time_wait = 1 s, requests = 3, replica 0: "),
        "{stdout}"
    );
    let three = [
        "run",
        "sweep.toml",
        "--out",
        "three",
        "--threads",
        "3",
        "--replicas",
        "2",
    ];
    assert_eq!(said(dir.path(), &three).0, 0);
    assert_same(&dir.path().join("one"), &dir.path().join("three"));

    let index = std::fs::read_to_string(dir.path().join("one/index.csv")).unwrap();
    assert_eq!(index.lines().count(), 9, "{index}");
    let ids: std::collections::BTreeSet<&str> = index
        .lines()
        .skip(1)
        .filter_map(|l| l.split(',').next())
        .collect();
    assert_eq!(ids.len(), 8);

    // More replicas keep the existing runs; fewer would leave some out and are refused.
    let (code, _, stderr) = said(
        dir.path(),
        &["run", "sweep.toml", "--out", "one", "--replicas", "3"],
    );
    assert_eq!(code, 0);
    assert!(
        stderr.contains("8 of 12 runs were complete already"),
        "{stderr}"
    );
    let fewer = ["run", "sweep.toml", "--out", "one", "-v"];
    let (code, _, stderr) = said(dir.path(), &fewer);
    assert_eq!(code, 1);
    assert!(
        stderr.contains("8 of its 12 runs are not in this one"),
        "{stderr}"
    );
    let again = [&fewer[..], &["--replicas", "3"]].concat();
    let (_, _, stderr) = said(dir.path(), &again);
    assert!(
        stderr.contains("12 of 12 runs were complete already"),
        "{stderr}"
    );
    assert!(stderr.contains("kept "), "{stderr}");
    // A run of a batch can be repeated from its own file.
    let id = ids.first().unwrap();
    let file = format!("one/runs/{id}/run.toml");
    assert_eq!(said(dir.path(), &["run", &file, "--out", "alone"]).0, 0);
    assert_same(
        &dir.path().join("one/runs").join(id),
        &dir.path().join("alone"),
    );
}

#[test]
fn a_killed_batch_is_resumed() {
    let long = SMALL.replace("3 s", "40 s")
        + "[sweep]\n\"tcp.time_wait\" = [\"1 s\", \"2 s\", \"3 s\", \"4 s\", \"5 s\", \"6 s\"]\n";
    let dir = directory(&[("long.toml", &long)]);
    let mut child = Command::new(env!("CARGO_BIN_EXE_synfin"))
        .current_dir(dir.path())
        .args(["run", "long.toml", "--threads", "1", "--out", "out"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let runs = dir.path().join("out/runs");
    let complete = || {
        let entries = std::fs::read_dir(&runs)
            .map(|e| e.flatten().collect::<Vec<_>>())
            .unwrap_or_default();
        entries
            .iter()
            .filter(|e| !e.file_name().to_string_lossy().starts_with('.'))
            .count()
    };
    let patience = Instant::now();
    while complete() < 1 {
        assert!(
            patience.elapsed() < Duration::from_secs(60),
            "no run was made"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let left = complete();
    assert!(!dir.path().join("out/index.csv").exists() || left == 6);
    if left < 6 {
        let (code, stdout, stderr) = said(dir.path(), &["report", "out"]);
        assert_eq!(code, 0, "{stderr}");
        assert!(stdout.ends_with("report: out/report.html\n"), "{stdout}");
        let expected = format!("{left} of 6 runs are complete; `synfin run out/batch.toml");
        assert!(stderr.contains(&expected), "{stderr}");
        let page = std::fs::read_to_string(dir.path().join("out/report.html")).unwrap();
        let verb = if left == 1 { "is" } else { "are" };
        assert!(page.contains(&format!("{left} of 6 runs {verb} complete")));
    }
    let (code, _, stderr) = said(dir.path(), &["run", "long.toml", "--out", "out"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(
        stderr.contains(&format!("{left} of 6 runs were complete already")),
        "{left}: {stderr}"
    );
    assert_eq!(
        said(dir.path(), &["run", "long.toml", "--out", "fresh"]).0,
        0
    );
    assert_same(&dir.path().join("out"), &dir.path().join("fresh"));
}

#[test]
fn directories_of_others_and_unwritable_ones_are_refused() {
    let dir = directory(&[
        ("small.toml", SMALL),
        ("sweep.toml", &format!("{SMALL}{SWEEP}")),
        ("a-file", "x"),
    ]);
    std::fs::create_dir(dir.path().join("thesis")).unwrap();
    std::fs::write(dir.path().join("thesis/chapter1"), "years of work").unwrap();
    for file in ["small.toml", "sweep.toml"] {
        for (out, expected) in [("thesis", "left alone"), ("a-file/below", "a-file/below")] {
            for force in [&[] as &[&str], &["--force"]] {
                let args = [&["run", file, "--out", out], force].concat();
                let (code, stdout, stderr) = said(dir.path(), &args);
                assert_eq!((code, stdout.as_str()), (1, ""), "{args:?}: {stderr}");
                assert!(
                    stderr.contains(expected) && stderr.starts_with("error: "),
                    "{args:?}: {stderr}"
                );
            }
        }
    }
    assert_eq!(files(&dir.path().join("thesis")).len(), 1);
    // A batch does not replace a single run, nor a single run a batch.
    for (first, second, expected) in [
        (
            "small.toml",
            "sweep.toml",
            "holds the results of a single run",
        ),
        ("sweep.toml", "small.toml", "holds the results of a batch"),
    ] {
        assert_eq!(
            said(
                dir.path(),
                &["run", first, "--out", first.trim_end_matches(".toml")]
            )
            .0,
            0
        );
        let (code, _, stderr) = said(
            dir.path(),
            &["run", second, "--out", first.trim_end_matches(".toml")],
        );
        assert_ne!(code, 0);
        assert!(stderr.contains(expected), "{stderr}");
    }
}

#[test]
fn a_report_is_rebuilt_from_the_results_alone() {
    let dir = directory(&[
        ("small.toml", SMALL),
        ("sweep.toml", &format!("{SMALL}{SWEEP}")),
    ]);
    for file in ["small.toml", "sweep.toml"] {
        let out = file.trim_end_matches(".toml");
        assert_eq!(said(dir.path(), &["run", file, "--out", out]).0, 0);
        let before = files(&dir.path().join(out));
        std::fs::remove_file(dir.path().join(out).join("report.html")).unwrap();
        std::fs::remove_dir_all(dir.path().join(out).join("figures")).unwrap();
        let (code, stdout, stderr) = said(dir.path(), &["report", out]);
        assert_eq!(code, 0, "{stderr}");
        assert!(
            stdout.contains(&format!("report: {out}/report.html")),
            "{stdout}"
        );
        let after = files(&dir.path().join(out));
        assert_eq!(
            before.keys().collect::<Vec<_>>(),
            after.keys().collect::<Vec<_>>()
        );
        for (name, bytes) in &before {
            assert!(bytes == &after[name], "{out}/{name} is another than before");
        }
    }
}

#[test]
fn an_edited_run_is_distinguished_from_the_original() {
    let dir = directory(&[("small.toml", SMALL)]);
    assert_eq!(said(dir.path(), &["run", "small.toml", "--out", "a"]).0, 0);
    let (code, _, stderr) = said(
        dir.path(),
        &[
            "run",
            "a/run.toml",
            "--set",
            "tcp.nagle=false",
            "--out",
            "b",
        ],
    );
    assert_eq!(code, 0);
    assert!(stderr.starts_with("note: this was run "), "{stderr}");
}
