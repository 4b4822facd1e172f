//! Batches whose process is killed without warning, that run out of disk space, or on which two processes
//! work: afterwards the same command makes the missing runs, and the index is that of an undisturbed batch.
#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::common::{directory, said};
use sim_core::rng::mix;

const TEXT: &str = r#"
name = "grid"
duration = "3 s"
replicas = 10
topology = { kind = "pair", path = { delay = "1 ms" } }
[[workload]]
arrivals = { kind = "poisson", rate = "60 /s" }
[sweep]
"topology.path.delay" = ["1 ms", "10 ms"]
"#;

/// How often a process is killed; `SYNFIN_CASES` sets another number.
fn kills() -> u64 {
    let asked = std::env::var("SYNFIN_CASES").ok();
    asked.and_then(|n| n.parse().ok()).unwrap_or(20)
}

fn start(dir: &Path, args: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_synfin"));
    let command = command.current_dir(dir).args(args);
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The index of a batch, in both formats.
fn index(dir: &Path, of: &str) -> [Vec<u8>; 2] {
    ["index.csv", "index.parquet"].map(|name| fs::read(dir.join(of).join(name)).unwrap())
}

#[test]
fn after_kills_at_random_moments_the_rest_is_made_and_the_index_is_the_same() {
    let dir = directory(&[("grid.toml", TEXT)]);
    for keep in ["metrics", "all"] {
        let whole = [
            "run",
            "grid.toml",
            "--out",
            &format!("whole-{keep}"),
            "--keep",
            keep,
        ];
        let began = Instant::now();
        assert_eq!(said(dir.path(), &whole).0, 0);
        let takes = began.elapsed().max(Duration::from_millis(20));
        let out = format!("killed-{keep}");
        let args = ["run", "grid.toml", "--out", &out, "--keep", keep];
        let mut there = 0;
        for case in 0..kills() / 2 {
            let mut child = start(dir.path(), &args);
            let share = mix(case ^ u64::from(keep == "all") << 32) % 1000;
            std::thread::sleep(takes.mul_f64(share as f64 / 1000.0 / 4.0));
            child.kill().unwrap();
            child.wait().unwrap();
            let (code, text, _) = said(dir.path(), &["status", &out, "--json"]);
            if code == 0 {
                let status: serde_json::Value = serde_json::from_str(&text).unwrap();
                let now = status["complete"].as_u64().unwrap();
                assert!(
                    now >= there,
                    "a complete run is never lost: {there} and then {now}"
                );
                there = now;
            }
        }
        let (code, _, err) = said(dir.path(), &args);
        assert_eq!(code, 0, "{keep}: {err}");
        assert!(!err.contains("failed"), "{keep}: {err}");
        assert!(index(dir.path(), &out) == index(dir.path(), &format!("whole-{keep}")));
        for place in [".", "runs", "parts"] {
            let left = fs::read_dir(dir.path().join(&out).join(place)).into_iter();
            let names = left.flatten().map(|e| e.unwrap().file_name());
            let names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
            let unfinished = names.iter().any(|name| name.contains(".tmp-"));
            assert!(!unfinished, "{keep}: {place} holds {names:?}");
        }
    }
}

#[test]
fn runs_fail_on_a_full_disk_and_are_repeated_when_there_is_room() {
    let dir = directory(&[("grid.toml", TEXT)]);
    assert_eq!(
        said(dir.path(), &["run", "grid.toml", "--out", "whole"]).0,
        0
    );
    // File sizes are limited to 10 kB, as a quota would do: longer writes fail.
    let program = env!("CARGO_BIN_EXE_synfin");
    let line = format!(
        "trap '' XFSZ; ulimit -f 20; exec '{program}' run grid.toml --out r --keep metrics"
    );
    let done = Command::new("sh")
        .current_dir(dir.path())
        .args(["-c", &line])
        .output()
        .unwrap();
    let err = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(1), "{err}");
    assert!(err.contains("error: "), "{err}");
    let (code, _, err) = said(
        dir.path(),
        &["run", "grid.toml", "--out", "r", "--keep", "metrics"],
    );
    assert_eq!(code, 0, "{err}");
    assert!(index(dir.path(), "r") == index(dir.path(), "whole"));
}

#[test]
fn two_processes_on_one_directory_do_not_disturb_each_other() {
    let dir = directory(&[("grid.toml", TEXT)]);
    let args = ["run", "grid.toml", "--out", "r", "--keep", "metrics"];
    assert_eq!(
        said(dir.path(), &["run", "grid.toml", "--out", "whole"]).0,
        0
    );
    let mut children: Vec<Child> = (0..3).map(|_| start(dir.path(), &args)).collect();
    let codes: Vec<Option<i32>> = children
        .iter_mut()
        .map(|c| c.wait().unwrap().code())
        .collect();
    // One process owns the directory; another is refused, or waits until the first has finished.
    assert!(
        codes.contains(&Some(0)) && codes.iter().all(|c| matches!(c, Some(0 | 1))),
        "{codes:?}"
    );
    assert_eq!(said(dir.path(), &args).0, 0);
    assert!(index(dir.path(), "r") == index(dir.path(), "whole"));
}

/// Files with dates in the future or in the past are results like any others: no decision depends on file times.
#[test]
fn a_clock_that_jumps_changes_nothing() {
    let dir = directory(&[("grid.toml", TEXT)]);
    let args = ["run", "grid.toml", "--out", "r", "--keep", "metrics"];
    let some = [&args[..], &["--filter", "replica < 5"]].concat();
    assert_eq!(said(dir.path(), &some).0, 0);
    let jumped = ["2031-01-01", "1971-01-01"];
    for (name, date) in [
        "r",
        "r/synfin.json",
        "r/batch.toml",
        "r/parts/run-0001.runs",
    ]
    .iter()
    .zip(jumped.iter().cycle())
    {
        let touched = Command::new("touch")
            .current_dir(dir.path())
            .args(["-d", date, name])
            .status();
        assert!(touched.unwrap().success());
    }
    let (code, _, err) = said(dir.path(), &args);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("10 of 20 runs were complete already"), "{err}");
    assert_eq!(
        said(dir.path(), &["run", "grid.toml", "--out", "whole"]).0,
        0
    );
    assert!(index(dir.path(), "r") == index(dir.path(), "whole"));
}
