//! Runs that are watched while they are executed: `--serve` in a browser, `--live` in a terminal.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use crate::common::{SMALL, SWEEP, assert_same, directory, said};
use crate::pages::browser;

/// A program that serves its runs; killed if the test fails.
struct Serving {
    child: Child,
    notes: BufReader<ChildStderr>,
    at: SocketAddr,
    token: String,
}

impl Serving {
    fn start(dir: &Path, args: &[&str]) -> Serving {
        let mut child = Command::new(env!("CARGO_BIN_EXE_synfin"))
            .current_dir(dir)
            .args(args)
            .arg("--serve")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut notes = BufReader::new(child.stderr.take().unwrap());
        let url = loop {
            let mut line = String::new();
            assert!(notes.read_line(&mut line).unwrap() > 0, "no address");
            if let Some((_, url)) = line.trim().split_once("watch at ") {
                break url.to_owned();
            }
        };
        let (at, token) = url
            .strip_prefix("http://")
            .unwrap()
            .split_once('/')
            .unwrap();
        let token = token.trim_end_matches('/').to_owned();
        assert!(
            token.len() == 32 && token.bytes().all(|b| b.is_ascii_hexdigit()),
            "{url}"
        );
        let at: SocketAddr = at.parse().unwrap();
        assert!(at.ip().is_loopback(), "{url}");
        Serving {
            child,
            notes,
            at,
            token,
        }
    }

    /// Sends a request with this first line (without the version) and field Host; returns the answer.
    fn ask(&self, line: &str, host: &str) -> String {
        let mut stream = TcpStream::connect(self.at).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        write!(stream, "{line} HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn status(&self, line: &str, host: &str) -> u16 {
        let answer = self.ask(line, host);
        answer
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok())
            .unwrap_or(0)
    }

    /// The body of what is below the token.
    fn get(&self, path: &str) -> String {
        let line = format!("GET /{}/{path}", self.token);
        let answer = self.ask(&line, &self.at.to_string());
        assert!(answer.starts_with("HTTP/1.1 200 "), "{path}: {answer}");
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    }

    /// What the page shows once this holds.
    fn until(&self, what: impl Fn(&str) -> bool) -> String {
        let begun = Instant::now();
        loop {
            let part = self.get("now");
            if what(&part) {
                return part;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "still: {part}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ctrl-C; returns the exit code and the rest of stderr.
    fn interrupt(mut self) -> (Option<i32>, String) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", "INT", &pid]).status();
        assert!(sent.unwrap().success());
        let mut rest = String::new();
        self.notes.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap().code(), rest)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_server_answers_its_token_alone_and_ends_with_the_report() {
    let dir = directory(&[("small.toml", SMALL)]);
    let plain = said(dir.path(), &["run", "small.toml", "-q", "--out", "plain"]);
    assert_eq!(plain.0, 0, "{}", plain.2);
    let serving = Serving::start(dir.path(), &["run", "small.toml", "--out", "out"]);
    let end = serving.until(|part| part.contains("data-report=\"results/report.html\""));
    for words in ["TIME-WAIT", "connects: ", "吞吐量", "class=\"census\""] {
        assert!(end.contains(words), "{words}: {end}");
    }
    let own = serving.at.to_string();
    let (page, other) = (format!("/{}/", serving.token), "0".repeat(32));
    for (line, host, code) in [
        (format!("GET {page}"), own.as_str(), 200),
        (format!("GET {page}live.js"), &own, 200),
        (
            format!("GET {page}results/figures/states_timeline.csv"),
            &own,
            200,
        ),
        ("GET /".to_owned(), &own, 403),
        (format!("GET /{other}/"), &own, 403),
        (format!("GET /{other}/results/report.html"), &own, 403),
        (format!("GET {page}"), "rebound.example:80", 403),
        (format!("GET {page}now"), "", 403),
        (format!("POST {page}"), &own, 405),
        (format!("DELETE {page}results/report.html"), &own, 405),
        (format!("GET {page}results/../small.toml"), &own, 404),
        (format!("GET {page}results/%2e%2e/small.toml"), &own, 404),
        (format!("GET {page}results/none.html"), &own, 404),
        ("nonsense".to_owned(), &own, 400),
    ] {
        assert_eq!(serving.status(&line, host), code, "{line} {host}");
    }
    let answer = serving.ask(&format!("GET {page}"), &own);
    assert!(
        answer.contains("Content-Security-Policy: default-src 'none'"),
        "{answer}"
    );
    let report = std::fs::read_to_string(dir.path().join("out/report.html")).unwrap();
    assert_eq!(serving.get("results/report.html"), report);
    let address = serving.at;
    let (code, rest) = serving.interrupt();
    assert_eq!(code, Some(0), "{rest}");
    assert!(rest.contains("results/report.html until Ctrl-C"), "{rest}");
    assert!(TcpStream::connect(address).is_err(), "the server has ended");
    assert_same(&dir.path().join("plain"), &dir.path().join("out"));
}

#[test]
fn a_batch_is_seen_while_it_runs_and_ctrl_c_stops_it_as_without_a_server() {
    let long = SMALL.replace("3 s", "1000 s") + SWEEP;
    let dir = directory(&[("long.toml", &long)]);
    let args = [
        "run",
        "long.toml",
        "--threads",
        "1",
        "--keep",
        "all",
        "--out",
        "out",
    ];
    let serving = Serving::start(dir.path(), &args);
    let part = serving.until(|part| {
        let connects = part.split("ESTABLISHED <b>").nth(1);
        connects.is_some_and(|n| !n.starts_with("0<")) && part.contains("0 of 4 runs")
    });
    assert!(
        part.contains("0 of 4 runs") && part.contains("time_wait = 1 s, requests = 3"),
        "{part}"
    );
    assert!(!part.contains("data-ended"), "{part}");
    assert!(serving.get("?lang=zh").contains("<html lang=\"zh\">"));
    let part = serving.until(|part| part.contains("/report.html\">time_wait = "));
    let page = part.split("href=\"results/runs/").nth(1).unwrap();
    let page = page.split('"').next().unwrap();
    assert!(
        serving
            .get(&format!("results/runs/{page}"))
            .contains("<html")
    );
    let (code, rest) = serving.interrupt();
    assert_eq!(code, Some(130), "{rest}");
    assert!(
        rest.contains("runs are complete and in the report"),
        "{rest}"
    );
}

#[test]
fn a_failed_expectation_is_said_before_the_server_waits() {
    let text = SMALL.to_owned() + "[[expect]]\nmetric = \"connects_attempted\"\nat_most = 1\n";
    let dir = directory(&[("small.toml", &text)]);
    let mut serving = Serving::start(dir.path(), &["run", "small.toml", "--out", "out"]);
    let mut seen = String::new();
    while !seen.contains("until Ctrl-C") {
        assert!(serving.notes.read_line(&mut seen).unwrap() > 0, "{seen}");
    }
    // The verdict comes before the address of the report.
    let lines: Vec<&str> = seen.lines().collect();
    assert!(
        lines.len() >= 2 && lines[lines.len() - 2].contains("at most 1"),
        "{seen}"
    );
    let (code, rest) = serving.interrupt();
    assert_eq!((code, rest.trim()), (Some(3), ""));
}

#[test]
fn a_browser_shows_the_run_and_then_its_report() {
    let Some(browser) = browser() else { return };
    let long = SMALL.replace("3 s", "100000 s");
    let dir = directory(&[("small.toml", SMALL), ("long.toml", &long)]);
    let open = |serving: &Serving, more: &[&str]| {
        let profile = tempfile::tempdir().unwrap();
        let output = Command::new(browser)
            .args([
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--dump-dom",
            ])
            .args(["--enable-logging=stderr", "--timeout=4000"])
            .args(more)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(format!("http://{}/{}/?lang=zh", serving.at, serving.token))
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        let faults: Vec<&str> = errors.lines().filter(|l| l.contains("CONSOLE")).collect();
        assert!(faults.is_empty(), "{faults:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let serving = Serving::start(
        dir.path(),
        &["run", "long.toml", "--allow-large", "--out", "long"],
    );
    serving.until(|part| part.contains("<polyline points=\"0"));
    let dom = open(&serving, &["--window-size=400,900"]);
    assert!(
        dom.contains("class=\"census\"") && dom.contains("lang=\"zh\""),
        "{dom}"
    );
    assert_eq!(serving.interrupt().0, Some(130));
    let serving = Serving::start(dir.path(), &["run", "small.toml", "--out", "out"]);
    serving.until(|part| part.contains("data-report"));
    let dom = open(&serving, &["--virtual-time-budget=8000"]);
    assert!(
        dom.contains("name=\"generator\" content=\"synfin\""),
        "the report: {}",
        &dom[..dom.len().min(2000)]
    );
    assert_eq!(serving.interrupt().0, Some(0));
}

#[test]
fn without_a_terminal_live_prints_lines_and_changes_no_result() {
    let dir = directory(&[("small.toml", &(SMALL.to_owned() + SWEEP))]);
    let (code, usual, _) = said(dir.path(), &["run", "small.toml", "--out", "plain"]);
    assert_eq!(code, 0);
    let (code, out, notes) = said(
        dir.path(),
        &["run", "small.toml", "--live", "--out", "live"],
    );
    assert_eq!(code, 0, "{notes}");
    let line = notes
        .lines()
        .find(|l| l.contains("TIME-WAIT"))
        .unwrap_or_else(|| panic!("{notes}"));
    assert!(
        line.starts_with("4 of 4 runs, 12.0 of 12.0 s simulated"),
        "{line}"
    );
    assert!(!notes.contains('\u{1b}'), "{notes:?}");
    assert_eq!(out.replace("live", "plain"), usual);
    let runs = |of: &str| dir.path().join(of).join("runs");
    assert_same(&runs("plain"), &runs("live"));
}

#[test]
fn watching_needs_somebody_who_is_told() {
    let dir = directory(&[("small.toml", SMALL)]);
    for args in [
        ["--serve", "--quiet"],
        ["--live", "--quiet"],
        ["--serve", "--shard=1/2"],
    ] {
        let (code, _, notes) = said(dir.path(), &["run", "small.toml", args[0], args[1]]);
        assert_eq!(code, 2, "{notes}");
        assert!(notes.contains("cannot be used with"), "{notes}");
    }
}
