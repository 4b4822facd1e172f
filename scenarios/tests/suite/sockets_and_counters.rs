//! `synfin ss` and `synfin nstat` show about a run what these commands show on a real host.

use crate::common::{directory, said};

/// Ten connections a second, with one request of 1 s each, closed by the client: 10 are established (and a few are
/// opening), and 20 are in TIME-WAIT for 2 s each.
const TEXT: &str = r#"
name = "sockets"
duration = "10 s"
topology = { kind = "pair", path = { delay = "1 ms" } }
tcp = { profile = "linux", time_wait = "2 s" }
[[workload]]
arrivals = { kind = "fixed", rate = "10 /s" }
service = "1 s"
[record]
states = "all"
connections = "all"
"#;

#[test]
fn ss_shows_the_sockets_of_a_moment() {
    let dir = directory(&[("sockets.toml", TEXT)]);
    let (code, _, err) = said(dir.path(), &["run", "sockets.toml", "--out", "r"]);
    assert_eq!(code, 0, "{err}");
    let (code, out, err) = said(
        dir.path(),
        &["ss", "r", "--at", "5.05s", "--host", "client"],
    );
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    let lines = |state: &str| {
        let those = out
            .lines()
            .filter(|l| l.split_whitespace().nth(1) == Some(state));
        those.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(lines("ESTAB").len(), 10, "{out}");
    let waiting = lines("TIME-WAIT");
    assert_eq!(waiting.len(), 20, "{out}");
    // They leave one by one within the 2 s.
    for timer in ["timer:(timewait,1sec,0)", "timer:(timewait,56ms,0)"] {
        assert!(waiting.iter().any(|l| l.ends_with(timer)), "{timer}: {out}");
    }
    assert!(waiting[0].contains(":80 "), "{out}");
    let (_, server, _) = said(
        dir.path(),
        &["ss", "r", "--at", "5.05s", "--host", "server"],
    );
    assert_eq!(server.matches("LISTEN").count(), 1, "{server}");
    assert_eq!(server.matches("TIME-WAIT").count(), 0, "{server}");
    for (args, words) in [
        (["ss", "r", "--at", "11s"], "the run ended at t = 10 s"),
        (["ss", "r", "--at", "soon"], "\"soon\" is not a time"),
        (["ss", ".", "--at", "1s"], "holds no synfin results"),
    ] {
        let (code, out, err) = said(dir.path(), &args);
        assert_eq!((code, out.as_str()), (2, ""), "{args:?}");
        assert!(err.contains(words), "{args:?}: {err}");
    }
    let few = ["--set", "record.states=3", "--out", "few", "--quiet"];
    said(dir.path(), &[&["run", "sockets.toml"], &few[..]].concat());
    let (_, _, err) = said(dir.path(), &["ss", "few", "--at", "5s"]);
    assert!(
        err.contains("--set 'record.states=\"all\"' records the rest"),
        "{err}"
    );
}

#[test]
fn ss_makes_the_run_again_to_show_queues() {
    let dir = directory(&[("sockets.toml", TEXT)]);
    let (code, _, err) = said(dir.path(), &["run", "sockets.toml", "--out", "r"]);
    assert_eq!(code, 0, "{err}");
    let ss = |at: &str, host: &str, queues: bool| {
        let args = ["ss", "r", "--at", at, "--host", host, "--queues"];
        let (code, out, err) = said(dir.path(), &args[..if queues { 7 } else { 6 }]);
        assert_eq!((code, err.as_str()), (0, ""), "{out}");
        out
    };
    // The same sockets as from the tables, with the queues between state and addresses.
    for (at, host) in [
        ("5.05s", "client"),
        ("5.05s", "server"),
        ("9.999s", "client"),
        ("0s", "server"),
    ] {
        let columns = |out: &str, state: &str, all: bool| -> Vec<String> {
            let lines = out
                .lines()
                .filter(|l| l.split_whitespace().nth(1) == Some(state));
            let mut kept: Vec<String> = lines
                .map(|l| {
                    l.split_whitespace()
                        .skip(if all { 4 } else { 2 })
                        .take(2)
                        .collect()
                })
                .collect();
            kept.sort();
            kept
        };
        let (plain, again) = (ss(at, host, false), ss(at, host, true));
        for state in ["ESTAB", "TIME-WAIT", "SYN-SENT", "CLOSE-WAIT"] {
            assert_eq!(
                columns(&plain, state, false),
                columns(&again, state, true),
                "{at} {host} {state}"
            );
        }
        assert_eq!(
            plain.lines().count(),
            again.lines().count(),
            "{plain}{again}"
        );
    }
}

#[test]
fn a_run_is_replayed_up_to_a_time() {
    let dir = directory(&[("sockets.toml", TEXT)]);
    let (code, _, err) = said(dir.path(), &["run", "sockets.toml", "--out", "r"]);
    assert_eq!(code, 0, "{err}");
    let (code, replayed, err) = said(dir.path(), &["replay", "r", "--until", "5.05s"]);
    assert_eq!(code, 0, "{err}");
    let (_, shown, _) = said(dir.path(), &["ss", "r", "--at", "5.05s", "--queues"]);
    assert!(
        replayed.contains("ESTAB") && replayed.contains("LISTEN"),
        "{replayed}"
    );
    assert_eq!(replayed, shown);
    let (code, _, err) = said(dir.path(), &["replay", "r", "--until", "soon"]);
    assert!(code == 2 && err.contains("12.5s"), "{err}");
}

/// A server that accepts one connection a second and sends 1 MB on each through 1 Mbit/s: connections wait in its
/// accept queue, and bytes in its send buffers.
#[test]
fn queues_are_those_of_the_moment() {
    const SLOW: &str = r#"
name = "slow"
duration = "20 s"
tcp = { profile = "linux" }
topology = { kind = "pair", path = { rate = "1 Mbit/s", delay = "1 ms" } }
[[workload]]
arrivals = { kind = "fixed", rate = "3 /s" }
response = "1 MB"
accept_rate = "1 /s"
backlog = 10
"#;
    let dir = directory(&[("slow.toml", SLOW)]);
    let (code, _, err) = said(dir.path(), &["run", "slow.toml", "--out", "r"]);
    assert_eq!(code, 0, "{err}");
    let queues = |at: &str, host: &str, state: &str| -> Vec<(u64, u64)> {
        let args = ["ss", "r", "--at", at, "--host", host, "--queues"];
        let (_, out, _) = said(dir.path(), &args);
        let lines = out
            .lines()
            .map(|l| l.split_whitespace().collect::<Vec<_>>());
        let those = lines.filter(|l| l[1] == state);
        those
            .map(|l| (l[2].parse().unwrap(), l[3].parse().unwrap()))
            .collect()
    };
    // After 4 s 12 or 13 connections have arrived, some of which are still opening behind the data, and 4 or 5 have
    // been accepted.
    let [(waiting, backlog)] = queues("4s", "server", "LISTEN")[..] else {
        panic!("one listener");
    };
    assert!((4..=9).contains(&waiting), "{waiting}");
    assert_eq!(backlog, 10);
    // Of the several megabytes written, at most 0.5 MB can have been sent.
    let unsent: u64 = queues("4s", "server", "ESTAB")
        .iter()
        .map(|(_, send)| send)
        .sum();
    assert!(unsent > 2_500_000, "{unsent}");
    assert_eq!(
        queues("4s", "client", "ESTAB")
            .iter()
            .map(|(recv, _)| recv)
            .sum::<u64>(),
        0
    );
    let one = queues("4s", "client", "ESTAB").len();
    assert!((8..=13).contains(&one), "{one}");
}

#[test]
fn nstat_prints_the_counters_under_their_names_in_linux() {
    let dir = directory(&[("sockets.toml", TEXT)]);
    let (code, _, err) = said(dir.path(), &["run", "sockets.toml", "--out", "r"]);
    assert_eq!(code, 0, "{err}");
    let value = |out: &str, name: &str| -> Option<u64> {
        let line = out
            .lines()
            .find(|l| l.split_whitespace().next() == Some(name))?;
        line.split_whitespace().nth(1)?.parse().ok()
    };
    let (code, all, _) = said(dir.path(), &["nstat", "r"]);
    assert_eq!(code, 0);
    let (_, client, _) = said(dir.path(), &["nstat", "r", "--host", "client"]);
    let (_, server, _) = said(dir.path(), &["nstat", "r", "--host", "server"]);
    assert_eq!(value(&client, "synfinPortProbes"), Some(100));
    assert_eq!(value(&server, "synfinPortProbes"), None);
    assert_eq!(value(&client, "TcpOutSegs"), value(&server, "TcpInSegs"));
    let sum = value(&client, "TcpOutSegs").unwrap() + value(&server, "TcpOutSegs").unwrap();
    assert_eq!(value(&all, "TcpOutSegs"), Some(sum));
    assert_eq!(value(&all, "TcpOutRsts"), None);
    // Ten a second for 10 s, each closed after 1 s and then in TIME-WAIT for 2 s.
    let made = value(&client, "synfinTimeWaitMade").unwrap();
    let expired = value(&client, "TcpExtTW").unwrap();
    assert_eq!((made, expired), (90, 70), "{client}");
    assert_eq!(value(&all, "TcpRetransSegs"), None);
    let (code, _, err) = said(dir.path(), &["nstat", "r", "--host", "clint"]);
    assert_eq!(
        (code, err.contains("did you mean \"client\"?")),
        (2, true),
        "{err}"
    );
}
