//! Which directory results are written to, and which results replace which.

use std::fs;

use super::{MINE, ids, ok, refused, two};
use crate::common::{SMALL, SWEEP, files};

#[test]
fn results_of_an_earlier_version_are_left_alone_with_advice() {
    let dir = two();
    fs::create_dir(dir.path().join("old")).unwrap();
    for name in ["run.toml", "summary.json", "census.parquet"] {
        fs::write(dir.path().join("old").join(name), "{}").unwrap();
    }
    for force in [&[] as &[&str], &["--force"]] {
        let args = [&["run", "small.toml", "--out", "old"], force].concat();
        refused(dir.path(), &args, "mv 'old' 'old.old'");
    }
    refused(dir.path(), &["report", "old"], "earlier synfin");
}

#[test]
fn paths_mean_what_they_say() {
    let dir = two();
    for (out, place) in [
        ("new/.", "new"),
        ("slash/", "slash"),
        ("no-such/../b", "b"),
        ("./c/./d//", "c/d"),
    ] {
        for scenario in ["small.toml", "sweep.toml"] {
            let out = out.to_owned();
            let said = ok(dir.path(), &["run", scenario, "--out", &out]);
            assert!(
                said.contains(&format!("report: {place}/report.html")),
                "{said}"
            );
            assert!(dir.path().join(place).join("synfin.json").exists());
            ok(dir.path(), &["report", &out]);
            fs::remove_dir_all(dir.path().join(place)).unwrap();
        }
    }
    assert!(!dir.path().join("no-such").exists());
    let here = dir.path().join("here");
    fs::create_dir(&here).unwrap();
    ok(&here, &["run", "../small.toml", "--out", "."]);
    assert!(here.join("summary.json").exists());
    ok(
        &here,
        &["run", "../small.toml", "--out", "../here/", "--force"],
    );
}

#[test]
fn another_batch_is_refused_and_force_replaces_only_synfins_files() {
    let dir = two();
    ok(dir.path(), &["run", "sweep.toml", "--out", "b"]);
    let batch = dir.path().join("b");
    let first = ids(&batch);
    for args in [
        ["run", "sweep.toml", "--out", "b", "--seed", "2"],
        [
            "run",
            "sweep.toml",
            "--out",
            "b",
            "--set",
            "tcp.time_wait=1 s",
        ],
        ["run", "sweep.toml", "--out", "b", "--set", "duration=2 s"],
    ] {
        refused(dir.path(), &args, "already holds results of another batch");
    }
    refused(
        dir.path(),
        &["run", "small.toml", "--out", "b"],
        "holds the results of a batch",
    );
    // Extended: more values and more replicas.
    let wider = SWEEP.replace("\"2 s\"", "\"2 s\", \"3 s\"");
    fs::write(dir.path().join("wider.toml"), format!("{SMALL}{wider}")).unwrap();
    let said = ok(dir.path(), &["run", "wider.toml", "--out", "b"]);
    assert!(said.contains("4 of 6 runs were complete already"), "{said}");
    assert_eq!(ids(&batch).len(), 6);
    // Forced: the earlier runs are deleted; the notes in one of them stay.
    fs::write(batch.join("runs").join(&first[0]).join("notes"), MINE).unwrap();
    let other = ["run", "sweep.toml", "--out", "b", "--seed", "2", "--force"];
    ok(dir.path(), &other);
    ok(
        dir.path(),
        &["run", "sweep.toml", "--out", "fresh", "--seed", "2"],
    );
    let mut after = files(&batch);
    let notes = format!("runs/{}/notes", first[0]);
    assert_eq!(after.remove(&notes).unwrap(), MINE.as_bytes());
    assert!(after == files(&dir.path().join("fresh")));
}

#[test]
fn a_run_and_a_batch_give_way_to_each_other_only_when_forced() {
    let dir = two();
    for (first, second) in [("small.toml", "sweep.toml"), ("sweep.toml", "small.toml")] {
        let out = &first[..5];
        ok(dir.path(), &["run", first, "--out", out]);
        fs::write(dir.path().join(out).join("notes"), MINE).unwrap();
        refused(
            dir.path(),
            &["run", second, "--out", out],
            "holds the results of a",
        );
        ok(dir.path(), &["run", second, "--out", out, "--force"]);
        let fresh = format!("fresh-{out}");
        ok(dir.path(), &["run", second, "--out", &fresh]);
        let mut after = files(&dir.path().join(out));
        assert_eq!(after.remove("notes").unwrap(), MINE.as_bytes());
        assert!(
            after == files(&dir.path().join(&fresh)),
            "{second} in {out}"
        );
    }
}

#[test]
fn what_is_set_goes_into_the_name_of_the_default_directory() {
    let dir = two();
    let sets = [
        "--set",
        "tcp.tw_reuse=true",
        "--set",
        "engine.event_queue=heap",
    ];
    for (args, place) in [
        (&[] as &[&str], "results/small"),
        (&sets[..], "results/small,tcp.tw_reuse=true"),
        (&["--seed", "7"], "results/small,seed=7"),
    ] {
        let said = ok(dir.path(), &[&["run", "small.toml"], args].concat());
        assert!(
            said.ends_with(&format!("report: {place}/report.html\n")),
            "{said}"
        );
    }
}
