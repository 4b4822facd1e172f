//! What a run records is bounded, and the report says what is left out.

use std::path::Path;

use crate::common::{assert_same, files, make};
use reports::RunSummary;
use reports::store::reader::Table;
use scenarios::execution::Execution;
use scenarios::problem::SourceText;
use scenarios::run::Job;
use scenarios::sweep::Plan;

/// A transfer through a bottleneck whose queue overflows from time to time.
fn bulk(megabytes: u32) -> String {
    format!(
        r#"
name = "bulk"
duration = "600 s"
[topology]
kind = "dumbbell"
pairs = 1
access = {{ rate = "1 Gbit/s", delay = "1 ms" }}
bottleneck = {{ rate = "100 Mbit/s", delay = "5 ms", queue = "60 packets" }}
[tcp]
congestion = "newreno"
[[workload]]
name = "transfer"
kind = "bulk"
bytes = "{megabytes} MB"
"#
    )
}

fn size(dir: &Path) -> usize {
    files(dir).values().map(Vec::len).sum()
}

fn table(dir: &Path, name: &str) -> Table {
    Table::read(dir, name).unwrap().unwrap()
}

fn left_out<'a>(summary: &'a RunSummary, table: &str) -> Option<&'a reports::LeftOut> {
    summary.left_out.iter().find(|l| l.table == table)
}

#[test]
fn files_do_not_grow_with_the_length_of_a_transfer() {
    let tmp = tempfile::tempdir().unwrap();
    let sizes = [20, 80].map(|megabytes| {
        let dir = tmp.path().join(megabytes.to_string());
        let summary = make(&bulk(megabytes), &[], &dir);
        assert!(summary.metrics["retransmissions"] > 10.0);
        let text = &left_out(&summary, "segments").unwrap().what;
        assert!(
            text.contains("segments of the traced connections"),
            "{text}"
        );
        size(&dir)
    });
    assert!(sizes[1] < 2_000_000, "{sizes:?}");
    assert!(sizes[1] < sizes[0] + 300_000, "{sizes:?}");
}

#[test]
fn a_long_transfer_keeps_its_first_last_and_lost_segments() {
    let tmp = tempfile::tempdir().unwrap();
    let (ladder, all) = (tmp.path().join("ladder"), tmp.path().join("all"));
    let summary = make(&bulk(20), &[], &ladder);
    let whole = make(&bulk(20), &["record.segments=all"], &all);
    let mut metrics = summary.metrics.clone();
    metrics.insert("records".into(), whole.metrics["records"]);
    assert_eq!(
        metrics, whole.metrics,
        "metrics count all, whatever is kept"
    );
    let (some, every) = (table(&ladder, "segments"), table(&all, "segments"));
    assert!(some.len() < 3_000 && every.len() > 15_000);
    // Each kept row equals its row in the full table, except for the number.
    let (packets, of_all) = (some.ints("packet").unwrap(), every.ints("packet").unwrap());
    let places: std::collections::HashMap<i64, usize> =
        of_all.iter().enumerate().map(|(i, p)| (*p, i)).collect();
    let mut unseen = 0;
    for (i, packet) in packets.iter().enumerate() {
        let k = places[packet];
        for column in ["seq", "ack", "len", "conn", "window"] {
            let (a, b) = (some.ints(column).unwrap(), every.ints(column).unwrap());
            assert_eq!(a[i], b[k], "{column} of packet {packet}");
        }
        assert_eq!(
            some.floats("sent_s").unwrap()[i],
            every.floats("sent_s").unwrap()[k]
        );
        let fate = |t: &Table, i: usize| t.texts("fate").unwrap()[i].clone();
        unseen += usize::from(fate(&some, i) == "unseen");
        if fate(&some, i) != "unseen" {
            assert_eq!(fate(&some, i), fate(&every, k), "of packet {packet}");
        }
    }
    assert!(
        unseen * 50 <= some.len(),
        "{unseen} of {} arrivals are not kept",
        some.len()
    );
    assert_eq!(packets[..100], of_all[..100], "the first");
    let close = |t: &Table| {
        t.texts("flags")
            .unwrap()
            .iter()
            .filter(|f| f.contains("FIN"))
            .count()
    };
    assert_eq!(close(&some), close(&every));
    let repeated = some.bools("retransmission").unwrap().iter().filter(|r| **r);
    assert!(repeated.count() > 5);
    let lost = some
        .texts("fate")
        .unwrap()
        .iter()
        .filter(|f| f.starts_with("lost"));
    assert!(lost.count() > 5, "losses are joined to their sendings");
    let page = std::fs::read_to_string(ladder.join("report.html")).unwrap();
    assert!(page.contains("segments not drawn"));
    assert!(page.contains("Not recorded") && page.contains("segments = &quot;all&quot;"));
    assert!(
        !std::fs::read_to_string(all.join("report.html"))
            .unwrap()
            .contains("Not recorded")
    );
}

const STAR: &str = r#"
name = "star"
duration = "2 s"
[topology]
kind = "star"
clients = 30
servers = 2
access = { rate = "100 Mbit/s", delay = "2 ms" }
[[workload]]
name = "web"
arrivals = { kind = "poisson", rate = "600 /s" }
request = "100 B"
response = "3000 B"
close = "client"
"#;

#[test]
fn rows_are_those_of_the_first_connections_of_the_run_and_the_rest_is_counted() {
    let tmp = tempfile::tempdir().unwrap();
    let (few, all) = (tmp.path().join("few"), tmp.path().join("all"));
    let sets = [
        "record.states=20",
        "record.connections=50",
        "record.traced_clients=3",
    ];
    let summary = make(STAR, &sets, &few);
    let sets = [
        "record.states=all",
        "record.connections=all",
        "record.traced_clients=all",
    ];
    let whole = make(STAR, &sets, &all);
    let conns = |dir: &Path, name: &str| -> std::collections::BTreeSet<i64> {
        table(dir, name)
            .ints("conn")
            .unwrap()
            .iter()
            .copied()
            .collect()
    };
    assert_eq!(conns(&few, "states").len(), 20);
    assert!(conns(&few, "connections").len() <= 50);
    assert!(
        conns(&few, "connections").len() > 40,
        "a few are still open"
    );
    assert!(conns(&all, "connections").len() > 1000);
    let clients: std::collections::BTreeSet<i64> =
        conns(&few, "segments").iter().map(|c| c >> 32).collect();
    assert_eq!(clients.len(), 3);
    for metric in [
        "connects_established",
        "bytes_acked",
        "ended_closed",
        "request_latency_p99_s",
    ] {
        assert_eq!(summary.metrics[metric], whole.metrics[metric], "{metric}");
    }
    for (table, key) in [
        ("states", "states = \"all\""),
        ("connections", "connections = \"all\""),
    ] {
        assert_eq!(left_out(&summary, table).unwrap().key, key);
        assert!(left_out(&whole, table).is_none());
    }
    let traced = left_out(&summary, "segments, samples").unwrap();
    assert!(traced.key.contains("traced_clients"));
    // Ports are drawn if it is known how long TIME-WAIT held them, and no port is shown as free before that.
    let ports = |dir: &Path| std::fs::read_to_string(dir.join("figures/port-space.csv")).unwrap();
    let drawn = ports(&few).lines().skip(1).count();
    assert!((1..=20).contains(&drawn), "{drawn}");
    assert!(ports(&all).lines().count() > 1000);
    for row in ports(&few).lines().skip(1) {
        let values: Vec<f64> = row.split(',').map(|v| v.parse().unwrap()).collect();
        assert!(values[3] > values[2], "TIME-WAIT holds the port: {row}");
    }
}

#[test]
fn what_is_kept_is_the_same_for_every_division_of_the_network() {
    let source = SourceText {
        name: "test.toml".into(),
        text: bulk(3).replace("pairs = 1", "pairs = 3"),
    };
    let plan = Plan::new(&source, &[]).unwrap_or_else(|message| panic!("{message}"));
    let tmp = tempfile::tempdir().unwrap();
    let first = tmp.path().join("0");
    for (i, parts) in [None, Some(1), Some(2), Some(3), Some(5)]
        .into_iter()
        .enumerate()
    {
        let dir = tmp.path().join(i.to_string());
        let execution = Execution {
            partitions: parts,
            ..Execution::with_threads(2)
        };
        let job = Job {
            execution,
            ..Job::new(&plan.runs[0], &dir)
        };
        job.execute(&mut |_| ()).unwrap();
        assert_same(&first, &dir);
    }
}

#[test]
fn no_segments_are_kept_when_none_are_requested() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path().join("none");
    make(&bulk(2), &["record.segments=none"], &dir);
    assert!(!dir.join("segments.parquet").exists());
    assert!(
        table(&dir, "samples").len() > 10,
        "senders are followed all the same"
    );
}

#[test]
fn a_capture_holds_every_segment_of_the_traced_connections() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path().join("pcap");
    make(&bulk(1), &["record.pcap=true", "record.segments=1"], &dir);
    let segments = table(&dir, "segments").len();
    let bytes = std::fs::read(dir.join("packets.pcapng")).unwrap();
    let (mut at, mut packets) = (0, 0);
    while at < bytes.len() {
        let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        packets += usize::from(word(at) == 6);
        at += word(at + 4) as usize;
    }
    assert_eq!(packets, segments);
}

#[test]
fn contradictions_of_keys_are_refused_with_what_to_write() {
    let tmp = tempfile::tempdir().unwrap();
    std::fs::write(tmp.path().join("s.toml"), bulk(1)).unwrap();
    for (sets, text) in [
        (
            ["record.pcap=true", "record.segments=ladder"],
            "leave `pcap` out",
        ),
        (
            ["record.segments=3", "record.traced_connections=4"],
            "beside `traced_connections`",
        ),
        (
            ["record.segments=some", "record.pcap=false"],
            "\"ladder\", \"all\", \"none\"",
        ),
    ] {
        let args = ["check", "s.toml", "--set", sets[0], "--set", sets[1]];
        let (code, _, stderr) = crate::common::said(tmp.path(), &args);
        assert_eq!(code, 2, "{stderr}");
        assert!(stderr.contains(text), "{stderr}");
    }
}
