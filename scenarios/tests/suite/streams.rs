//! Lost output is an error; lost messages, and readers that close the pipe, are not.
#![cfg(target_os = "linux")]

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::common::{SMALL, SWEEP, directory, said};

/// One call of each command; all succeed and print something.
const COMMANDS: &[&[&str]] = &[
    &["list"],
    &["show", "time-wait"],
    &["check", "time-wait"],
    &["run", "small.toml", "--out", "r"],
    &["run", "sweep.toml", "--out", "b"],
    &["run", "sweep.toml", "--out", "b", "--verbose"],
    &["report", "r"],
    &["report", "b"],
    &["packetdrill", "fine.pkt"],
    &["packetdrill", "--verbose", "fine.pkt"],
    &["packetdrill", "--json", "fine.pkt"],
    &["bench", "hold", "2", "--holds", "1000"],
    &["bench", "--json", "hold", "2", "--holds", "1000"],
    &["explain", "tcp"],
    &["explain", "unsafe-time-wait"],
    &["schema"],
    &["fuzz", "--worlds", "1"],
    &["completions", "bash"],
    &["man"],
    &["licenses"],
    &["--help"],
    &["run", "--help"],
    &["--version"],
];

fn place() -> tempfile::TempDir {
    let small = SMALL.replace("3 s", "1 s");
    let dir = directory(&[
        ("small.toml", &small),
        ("sweep.toml", &format!("{small}{SWEEP}")),
        (
            "fine.pkt",
            "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 close(3) = 0\n",
        ),
    ]);
    for args in COMMANDS {
        let (code, stdout, stderr) = said(dir.path(), args);
        assert_eq!(code, 0, "{args:?}: {stderr}");
        assert!(!stdout.is_empty(), "{args:?}");
    }
    dir
}

fn full() -> Stdio {
    let full: File = OpenOptions::new().write(true).open("/dev/full").unwrap();
    full.into()
}

/// A pipe whose reader is closed.
fn gone() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

fn ends(dir: &Path, args: &[&str], stdout: Stdio, stderr: Stdio) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_synfin"))
        .current_dir(dir)
        .args(args)
        .stdout(stdout)
        .stderr(stderr)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let code = output.status.code().unwrap();
    (code, text(output.stdout), text(output.stderr))
}

#[test]
fn lost_output_is_an_error_of_every_command() {
    let dir = place();
    for args in COMMANDS {
        let (code, _, stderr) = ends(dir.path(), args, full(), Stdio::piped());
        assert_eq!(code, 1, "{args:?}: {stderr}");
        assert!(
            stderr.contains("cannot write to stdout"),
            "{args:?}: {stderr}"
        );
    }
}

#[test]
fn a_closed_pipe_is_not_an_error_of_any_command() {
    let dir = place();
    for args in COMMANDS {
        let (code, _, stderr) = ends(dir.path(), args, gone(), Stdio::piped());
        assert_eq!(code, 0, "{args:?}: {stderr}");
        assert!(!stderr.contains("panicked"), "{args:?}: {stderr}");
    }
}

#[test]
fn lost_messages_change_no_exit_code_and_no_output() {
    let dir = place();
    let failing: &[&[&str]] = &[
        &["run", "no-such"],
        &["report", "no-such"],
        &["check", "small.toml", "--set", "x=1"],
        &["packetdrill", "no-such.pkt"],
        &["no-such"],
        &[],
    ];
    for args in COMMANDS.iter().chain(failing) {
        let (code, stdout, _) = said(dir.path(), args);
        let timed = args.contains(&"bench");
        for stderr in [full(), gone()] {
            let (lost_code, lost_stdout, _) = ends(dir.path(), args, Stdio::piped(), stderr);
            assert_eq!(lost_code, code, "{args:?}");
            assert!(timed || lost_stdout == stdout, "{args:?}");
        }
    }
    // Progress lines, in a directory that does not exist yet.
    for (i, stderr) in [full(), gone()].into_iter().enumerate() {
        let out = format!("fresh-{i}");
        let args = ["run", "sweep.toml", "--verbose", "--out", &out];
        let (code, stdout, _) = ends(dir.path(), &args, Stdio::piped(), stderr);
        assert_eq!(code, 0);
        assert!(stdout.contains("4 of 4 runs are complete"), "{stdout}");
    }
}

#[test]
fn closed_descriptors_fail_no_command() {
    let dir = place();
    for args in COMMANDS {
        for closed in [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"] {
            let quoted: Vec<String> = args.iter().map(|a| format!("'{a}'")).collect();
            let script = format!(
                "exec {} {} {closed}",
                env!("CARGO_BIN_EXE_synfin"),
                quoted.join(" ")
            );
            let status = Command::new("sh")
                .current_dir(dir.path())
                .args(["-c", &script])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .unwrap();
            assert_eq!(status.code(), Some(0), "{args:?} {closed}");
        }
    }
}

#[test]
fn completions_and_the_manual_name_every_command() {
    let dir = directory(&[]);
    let (_, man, _) = said(dir.path(), &["man"]);
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (code, script, _) = said(dir.path(), &["completions", shell]);
        assert_eq!(code, 0);
        for command in [
            "run",
            "check",
            "list",
            "show",
            "report",
            "packetdrill",
            "bench",
        ] {
            assert!(script.contains(command), "{shell}: {command}");
            let title = format!("SYNFIN {}", command.to_uppercase());
            assert!(man.contains(&title), "{title}");
        }
        assert!(script.contains("replicas"), "{shell}");
    }
    assert!(man.contains("replicas"));
}
