//! `synfin packetdrill`: which scripts it finds, what it prints about them, exit codes.

use std::path::Path;

use crate::common::said;

const OPEN: &str = "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 < S 0:0(0) win 65535 <mss 1000>
";
const GOOD: &str = "+0 > S. 0:0(0) ack 1 <mss 1460>\n";
const BAD: &str = "+0 > S. 0:0(0) ack 2 <mss 1460>\n";
const MISSING: &str = "+0 tee(3) = 5\n";
const MISREAD: &str = "+0 > S. 0:0(0) ack 1 <mss 1460\n";

fn directory(scripts: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, end) in scripts {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, format!("{OPEN}{end}")).unwrap();
    }
    dir
}

fn drill(dir: &Path, args: &[&str]) -> (i32, String, String) {
    let mut all = vec!["packetdrill"];
    all.extend(args);
    said(dir, &all)
}

#[test]
fn directories_are_searched_and_only_what_is_wrong_is_shown() {
    let dir = directory(&[
        ("a/good.pkt", GOOD),
        ("a/deep/good.pkt", GOOD),
        ("a/notes.txt", BAD),
        ("single", GOOD),
    ]);
    let (code, out, err) = drill(dir.path(), &["a", "single"]);
    assert_eq!(
        (code, out.as_str(), err.as_str()),
        (0, "3 scripts: 3 passed, 0 failed\n", "")
    );
}

#[test]
fn a_failure_shows_the_line_both_sides_and_the_ladder() {
    let dir = directory(&[("bad.pkt", BAD), ("good.pkt", GOOD)]);
    let (code, out, err) = drill(dir.path(), &["."]);
    assert_eq!((code, err.as_str()), (1, ""));
    assert_eq!(
        out,
        "FAIL  ./bad.pkt:5:1: acknowledgement number
     5 | +0 > S. 0:0(0) ack 2 <mss 1460>
  expected: S. 0:0(0) ack 2 <mss 1460>
  actual:   S. 0:0(0) ack 1 win 64240 <mss 1460>
    0.000000 < S 0:0(0) win 65535 <mss 1000>
    0.000000 > S. 0:0(0) ack 1 win 64240 <mss 1460>
2 scripts: 1 passed, 1 failed
"
    );
}

#[test]
fn what_is_not_supported_is_listed_and_counted_apart() {
    let dir = directory(&[("good.pkt", GOOD), ("more.pkt", MISSING)]);
    let (code, out, _) = drill(dir.path(), &["."]);
    assert_eq!(code, 0);
    assert!(
        out.contains("skip  ./more.pkt:5:1: not supported: system call tee\n     5 | +0 tee"),
        "{out}"
    );
    assert!(
        out.ends_with("2 scripts: 1 passed, 0 failed, 1 not supported\n"),
        "{out}"
    );
}

#[test]
fn unknown_syntax_is_an_error_with_its_place_and_never_a_pass() {
    let dir = directory(&[("good.pkt", GOOD), ("odd.pkt", MISREAD), ("bad.pkt", BAD)]);
    let (code, out, _) = drill(dir.path(), &["odd.pkt", "good.pkt", "bad.pkt"]);
    assert_eq!(code, 2);
    assert!(
        out.starts_with("ERROR odd.pkt:6:1: expected ',', found the end of the script\n"),
        "{out}"
    );
    assert!(
        out.ends_with("3 scripts: 1 passed, 1 failed, 1 could not be read\n"),
        "{out}"
    );
}

#[test]
fn json_has_one_object_for_each_script_in_the_order_of_the_files() {
    let dir = directory(&[
        ("1.pkt", GOOD),
        ("2.pkt", BAD),
        ("3.pkt", MISSING),
        ("4.pkt", MISREAD),
    ]);
    let (code, out, err) = drill(dir.path(), &["--json", "--threads", "3", "."]);
    assert_eq!(code, 2);
    let lines: Vec<serde_json::Value> = out
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    let outcomes: Vec<&str> = lines
        .iter()
        .map(|l| l["outcome"].as_str().unwrap())
        .collect();
    assert_eq!(outcomes, ["passed", "failed", "unsupported", "error"]);
    assert_eq!(
        (&lines[1]["line"], &lines[1]["column"]),
        (&5.into(), &1.into())
    );
    assert_eq!(lines[1]["what"], "acknowledgement number");
    assert_eq!(lines[1]["expected"], "S. 0:0(0) ack 2 <mss 1460>");
    assert_eq!(lines[0]["ladder"][1]["inbound"], false);
    assert_eq!(lines[3]["line"], 6);
    assert!(err.starts_with("4 scripts: 1 passed"), "{err}");
}

#[test]
fn everything_is_shown_on_request() {
    let dir = directory(&[(
        "talks.pkt",
        "+0 > S. 0:0(0) ack 1 <mss 1460>\n+0 `nstat > /dev/null`\n+0 %{ print('hello', 1 + 1) }%\n",
    )]);
    let (code, out, _) = drill(dir.path(), &["-v", "talks.pkt"]);
    assert_eq!(code, 0);
    for part in [
        "ok    talks.pkt\n",
        "> S. 0:0(0) ack 1 win 64240 <mss 1460>",
        "printed: hello 2",
        "skipped at 6:4: nstat > /dev/null",
    ] {
        assert!(out.contains(part), "{part}: {out}");
    }
}

#[test]
fn parameters_come_from_profile_and_changes() {
    let mtu = "+0 > S. 0:0(0) ack 1 <mss 960>\n";
    let scaled = "+0 > S. 0:0(0) ack 1 <mss 1460>\n+1 > S. 0:0(0) ack 1 <mss 1460>\n+.1 < . 1:1(0) ack 1 win 500\n+0 %{ assert tcpi_rto >= 3000000, tcpi_rto }%\n";
    let dir = directory(&[("mtu.pkt", mtu), ("rto.pkt", scaled)]);
    assert_eq!(drill(dir.path(), &["mtu.pkt", "--set", "mtu=1000"]).0, 0);
    assert_eq!(
        drill(dir.path(), &["mtu.pkt", "--set", "tcp.mtu=1001"]).0,
        1
    );
    let (code, _, err) = drill(dir.path(), &["mtu.pkt", "--set", "mtuu=1000"]);
    assert!(code == 2 && err.contains("did you mean `mtu`?"), "{err}");
    let (code, _, err) = drill(dir.path(), &["mtu.pkt", "--profile", "linx"]);
    assert!(
        code == 2 && err.contains("did you mean \"linux\"?"),
        "{err}"
    );
    for profile in ["linux", "rfc9293", "freebsd"] {
        let (code, out, _) = drill(dir.path(), &["rto.pkt", "--profile", profile]);
        assert_eq!(code, 0, "{out}");
    }
}

#[test]
fn scripts_that_set_parameters_of_a_bsd_meet_its_tcp() {
    let dir = tempfile::tempdir().unwrap();
    let text = |command: &str, options: &str| {
        format!(
            "0 `{command}`\n+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n\
             +0 fcntl(3, F_SETFL, O_NONBLOCK) = 0\n\
             +0 connect(3, ..., ...) = -1 EINPROGRESS\n+0 > S 0:0(0) <{options}>\n"
        )
    };
    let write = |name, text| std::fs::write(dir.path().join(name), text).unwrap();
    write(
        "bsd.pkt",
        text(
            "sysctl net.inet.tcp.ecn.enable=0",
            "mss 1460,nop,wscale 6,sackOK,TS val 1 ecr 0",
        ),
    );
    write(
        "linux.pkt",
        text(
            "./defaults.sh",
            "mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 8",
        ),
    );
    let (code, out, _) = drill(dir.path(), &["."]);
    assert_eq!(code, 0, "{out}");
}

#[test]
fn exact_runs_allow_no_difference_in_time() {
    let late = "+0 > S. 0:0(0) ack 1 <mss 1460>\n+1.002 > S. 0:0(0) ack 1 <mss 1460>\n";
    let dir = directory(&[("late.pkt", late)]);
    assert_eq!(drill(dir.path(), &["late.pkt"]).0, 0);
    let (code, out, _) = drill(dir.path(), &["--exact", "late.pkt"]);
    assert!(code == 1 && out.contains("actual:   1.000000 s"), "{out}");
}

#[test]
fn names_are_given_values() {
    let named = "+0 > S. 0:0(0) ack 1 <mss 1460>\n+0 setsockopt(3, SOL_TCP, TCP_KEEPCNT, [PROBES], 4) = 0\n+0 getsockopt(3, SOL_TCP, TCP_KEEPCNT, [5], [4]) = 0\n";
    let dir = directory(&[("named.pkt", named)]);
    let (code, out, _) = drill(dir.path(), &["named.pkt", "-D", "PROBES=5"]);
    assert_eq!((code, out.as_str()), (0, "1 script: 1 passed, 0 failed\n"));
    assert_eq!(
        drill(dir.path(), &["named.pkt", "--define", "PROBES=4"]).0,
        1
    );
    let (code, out, _) = drill(dir.path(), &["named.pkt"]);
    assert!(
        code == 2 && out.contains("there is no constant PROBES"),
        "{out}"
    );
}

#[test]
fn strict_runs_fail_by_what_was_not_run() {
    let quiet = format!("{GOOD}+0 `nstat > /dev/null`\n");
    let dir = directory(&[
        ("good.pkt", GOOD),
        ("more.pkt", MISSING),
        ("over.pkt", &quiet),
    ]);
    for script in ["more.pkt", "over.pkt"] {
        assert_eq!(drill(dir.path(), &[script]).0, 0);
        let (code, out, _) = drill(dir.path(), &["--strict", script]);
        assert!(
            code == 1 && out.starts_with(&format!("skip  {script}")),
            "{out}"
        );
    }
    assert_eq!(drill(dir.path(), &["--strict", "good.pkt"]).0, 0);
}

#[test]
fn defaults_beside_a_script_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let open = OPEN.replace("<mss 1000>", "<mss 1000,sackOK>");
    std::fs::write(
        dir.path().join("a.pkt"),
        format!("`./defaults.sh`\n{open}{GOOD}"),
    )
    .unwrap();
    assert_eq!(drill(dir.path(), &["a.pkt"]).0, 1);
    let text = "#!/bin/sh\nsysctl -q net.ipv4.tcp_sack=0\n";
    std::fs::write(dir.path().join("defaults.sh"), text).unwrap();
    assert_eq!(drill(dir.path(), &["a.pkt"]).0, 0);
}

#[test]
fn wrong_usage_is_reported() {
    let dir = directory(&[("d/notes.txt", "")]);
    for (args, expected) in [
        (&[] as &[&str], "required arguments were not provided"),
        (&["no.pkt"], "cannot read no.pkt"),
        (&["d"], "no *.pkt in d"),
        (&["d", "--set", "mtu"], "has no `=`"),
    ] {
        let (code, out, err) = drill(dir.path(), args);
        assert!(
            code == 2 && out.is_empty() && err.contains(expected),
            "{err}"
        );
    }
}
