//! Messages about files that cannot be used, and their length.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use super::{fails_with_files_of, ok, two};
use crate::common::{SMALL, assert_same, directory, files, said};

#[test]
fn text_of_a_scenario_changes_no_file_page_or_terminal() {
    let question = r#"a\nreplicas = 5\n# \u001B[2J\u0007 <script>alert(1)</script> \u202Egnp"#;
    let small = SMALL
        .replace("Does it run?", question)
        .replace("[[workload]]", "[[workload]]\nname = \"=cmd|'x'!A1\"");
    let dir = directory(&[("evil.toml", &small)]);
    let (code, stdout, stderr) = said(dir.path(), &["check", "evil.toml"]);
    if code != 0 {
        // The name is rejected, so the question is tried alone.
        assert!(!stderr.contains('\u{1b}'));
        let alone = SMALL.replace("Does it run?", question);
        fs::write(dir.path().join("evil.toml"), alone).unwrap();
    } else {
        assert!(!stdout.contains('\u{1b}'), "{stdout}");
    }
    let said_all = ok(dir.path(), &["run", "evil.toml", "--out", "r"]);
    assert!(!said_all.contains(['\u{1b}', '\u{7}', '\u{202e}']));
    // The run's own file repeats this one run: `replicas = 5` in the question has no effect.
    ok(dir.path(), &["run", "r/run.toml", "--out", "again"]);
    assert_same(&dir.path().join("r"), &dir.path().join("again"));
    for (name, bytes) in files(&dir.path().join("r")) {
        let text = name.ends_with(".toml") || name.ends_with(".json") || name.ends_with("csv");
        let page = name.ends_with(".html") || name.ends_with(".svg");
        if text || page {
            let content = String::from_utf8(bytes).unwrap();
            let hidden = content.chars().find(|c| c.is_control() && *c != '\n');
            assert_eq!(hidden, None, "{name}");
        }
    }
    let page = fs::read_to_string(dir.path().join("r/report.html")).unwrap();
    assert!(page.contains("&lt;script&gt;") && !page.contains("<script>alert"));
    assert!(!page.contains('\u{202e}'));
    // Messages about invalid input contain no control characters either.
    for args in [
        ["run", "\u{1b}[2Jx"],
        ["show", "\u{1b}[2Jx"],
        ["report", "\u{1b}[2Jx"],
        ["\u{1b}[2J", "x"],
    ] {
        let (code, stdout, stderr) = said(dir.path(), &args);
        assert_ne!(code, 0);
        assert!(!(stdout + &stderr).contains('\u{1b}'), "{args:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_fifo_or_device_as_input_is_refused_at_once() {
    let dir = two();
    let fifo = dir.path().join("pipe.toml");
    assert!(
        Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    let pkt = dir.path().join("pipe.pkt");
    assert!(Command::new("mkfifo").arg(&pkt).status().unwrap().success());
    ok(dir.path(), &["run", "small.toml", "--out", "r"]);
    fs::remove_file(dir.path().join("r/summary.json")).unwrap();
    let inside = dir.path().join("r/summary.json");
    assert!(
        Command::new("mkfifo")
            .arg(&inside)
            .status()
            .unwrap()
            .success()
    );
    for args in [
        &["run", "pipe.toml"] as &[&str],
        &["check", "pipe.toml"],
        &["check", "/dev/zero"],
        &["packetdrill", "pipe.pkt"],
        &["packetdrill", "/dev/zero"],
        &["report", "r"],
        &["report", "pipe.toml"],
    ] {
        let (code, _, stderr) = said(dir.path(), args);
        assert!(code == 1 || code == 2, "{args:?}: {code} {stderr}");
    }
    // The run is repeated; the file that had replaced its own is kept under another name.
    ok(dir.path(), &["run", "small.toml", "--out", "r"]);
    assert!(dir.path().join("r/summary.json").is_file());
    assert!(dir.path().join("r/summary.json.kept-1").exists());
}

#[cfg(unix)]
#[test]
fn a_report_of_a_directory_that_may_not_be_written_gives_advice_that_exists() {
    use std::os::unix::fs::PermissionsExt;
    let dir = two();
    ok(dir.path(), &["run", "small.toml", "--out", "r"]);
    let results = dir.path().join("r");
    fs::set_permissions(&results, fs::Permissions::from_mode(0o555)).unwrap();
    if fs::write(results.join("x"), "").is_ok() {
        println!("skipped: this user may write everywhere");
        return;
    }
    let (code, _, stderr) = said(dir.path(), &["report", "r"]);
    fs::set_permissions(&results, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(code, 1, "{stderr}");
    assert!(stderr.contains("a copy of this one"), "{stderr}");
    assert!(!stderr.contains("--out"), "{stderr}");
}

#[test]
fn an_empty_script_has_not_passed() {
    let dir = directory(&[("empty.pkt", ""), ("words.pkt", "// nothing\n")]);
    for args in [["packetdrill", "empty.pkt"], ["packetdrill", "words.pkt"]] {
        let (code, stdout, _) = said(dir.path(), &args);
        assert_eq!(code, 2, "{stdout}");
        assert!(stdout.contains("has no events, so"), "{stdout}");
        assert!(stdout.contains("0 passed"), "{stdout}");
    }
}

#[test]
fn a_name_beside_a_file_of_that_name_suggests_the_file() {
    let dir = directory(&[("nginx.toml", SMALL)]);
    let (code, _, stderr) = said(dir.path(), &["run", "nginx"]);
    assert_eq!(code, 2);
    assert!(
        stderr.contains("did you mean `synfin run nginx.toml`?"),
        "{stderr}"
    );
}

#[test]
fn a_batch_of_many_runs_prints_at_most_a_screen() {
    let dir = directory(&[("small.toml", &SMALL.replace("3 s", "1 s"))]);
    let args = ["run", "small.toml", "--replicas", "30", "--out", "b"];
    let (code, stdout, stderr) = said(dir.path(), &args);
    assert_eq!(code, 0, "{stderr}");
    let lines = stdout.lines().count() + stderr.lines().count();
    assert!(lines <= 24, "{lines} lines:\n{stdout}{stderr}");
    let (code, stdout, stderr) = said(dir.path(), &[&args[..], &["--quiet"]].concat());
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (0, "", ""));
    let verbose = said(dir.path(), &[&args[..], &["--verbose"]].concat());
    assert!(verbose.1.lines().count() > 30);
    let listed: BTreeMap<_, _> = files(&dir.path().join("b"));
    assert!(listed.contains_key("index.csv"));
}

#[test]
fn when_all_runs_fail_none_is_called_complete() {
    let dir = two();
    ok(dir.path(), &["run", "sweep.toml", "--out", "b"]);
    // With 8 KiB the tables of a run do not fit, and the batch's own files may or may not.
    let stderr = fails_with_files_of(16, dir.path(), "run sweep.toml --out b --force");
    assert!(!stderr.contains("the others are complete"), "{stderr}");
}
