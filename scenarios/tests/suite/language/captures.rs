//! Captures and samples: HTTP for tshark, stamps of a given time, rows at fixed times.

use std::path::Path;
use std::process::Command;

use crate::common::make;
use reports::store::reader::Table;

const PAGES: &str = r#"
name = "pages"
duration = "5 s"
topology = { kind = "pair", path = { rate = "10 Mbit/s", delay = "5 ms" } }
[[workload]]
arrivals = { kind = "burst", count = 2 }
requests = 3
request = { kind = "uniform", min = "100 B", max = "2 kB" }
response = { kind = "uniform", min = "100 B", max = "20 kB" }
[record]
pcap = true
pcap_payload = "http"
pcap_start = 2026-11-29T10:00:00Z
"#;

/// Lines of tshark's output; `None` where there is no tshark.
fn tshark(packets: &Path, args: &[&str]) -> Option<Vec<String>> {
    let mut command = Command::new("tshark");
    let output = command.arg("-r").arg(packets).args(args).output().ok()?;
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    Some(text.lines().map(str::to_owned).collect())
}

#[test]
fn tshark_shows_http_with_every_request_and_response_whole() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("run");
    let summary = make(PAGES, &[], &dir);
    assert_eq!(summary.metrics["requests_done"], 6.0);
    let packets = dir.join("packets.pcapng");
    let count = |filter: &str| tshark(&packets, &["-Y", filter]).map(|lines| lines.len());
    let Some(requests) = count("http.request") else {
        println!("skipped: tshark is not installed");
        return;
    };
    assert_eq!(requests, 6);
    assert_eq!(count("http.response.code == 200"), Some(6));
    assert_eq!(count("_ws.malformed"), Some(0));
    let first = ["-c", "1", "-T", "fields", "-e", "frame.time_epoch"];
    let stamp = tshark(&packets, &first).unwrap();
    // 2026-11-29T10:00:00Z, as a number or as a date.
    assert!(
        stamp[0].starts_with("1795946400") || stamp[0].starts_with("2026-11-29T10:00:00"),
        "{stamp:?}"
    );
}

#[test]
fn samples_at_fixed_times_stand_at_their_multiples() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("run");
    let text = "name = \"t\"\nduration = \"2 s\"\n[topology]\nkind = \"pair\"\n\
                path = { rate = \"10 Mbit/s\", delay = \"5 ms\" }\n[[workload]]\nkind = \"bulk\"\n\
                [record]\nsamples = \"50 ms\"\n";
    make(text, &[], &dir);
    let table = Table::read(&dir, "samples").unwrap().unwrap();
    let (time, node) = (
        table.floats("time_s").unwrap(),
        table.texts("node").unwrap(),
    );
    let sender: Vec<f64> = (0..table.len())
        .filter(|&i| node[i] == "client")
        .map(|i| time[i])
        .collect();
    // From the first sample on to the end of the run.
    assert!((40..=41).contains(&sender.len()), "{sender:?}");
    for (i, time) in sender.iter().rev().enumerate() {
        assert!((time - 2.0 + 0.05 * i as f64).abs() < 1e-12, "{time}");
    }
    let acked = table.ints("acked_bytes").unwrap();
    assert!(acked.iter().max() > Some(&2_000_000));
}
