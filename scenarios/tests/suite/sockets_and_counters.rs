//! `synfin ss` and `synfin nstat`: what people know from a real host, of a run.

use crate::common::{directory, said};

/// Ten connections a second, one request of 1 s each, closed by the client: 10 established (and a few on their way),
/// and 20 in TIME-WAIT for 2 s.
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
    // They leave one by one, within the 2 s.
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
    // Ten a second for 10 s, each closed after 1 s and for 2 s in TIME-WAIT.
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
