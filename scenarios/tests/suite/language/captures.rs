//! Captures and samples: HTTP for tshark, time stamps from a given time, rows at fixed times.

use std::path::Path;
use std::process::Command;

use crate::common::{LOSSY, make};
use reports::store::reader::Table;
use scenarios::library;

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

/// The lines of tshark's output; `None` if tshark is not installed.
fn tshark(packets: &Path, args: &[&str]) -> Option<Vec<String>> {
    let mut command = Command::new("tshark");
    let output = command.arg("-r").arg(packets).args(args).output().ok()?;
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    Some(text.lines().map(str::to_owned).collect())
}

/// As [`tshark`], of each segment alone. Putting streams together takes what is sent again for overlapping
/// fragments, and ten times as long.
fn tshark_apart(packets: &Path, args: &[&str]) -> Option<Vec<String>> {
    let apart = ["-o", "tcp.desegment_tcp_streams:FALSE"];
    tshark(packets, &[&apart[..], args].concat())
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

/// Segments with a window of zero, except SYNs and RSTs.
fn zero_windows(segments: &Table) -> usize {
    let (flags, window) = (
        segments.texts("flags").unwrap(),
        segments.ints("window").unwrap(),
    );
    let sent = segments.floats("sent_s").unwrap();
    let is_one = |i: &usize| {
        let other = ["SYN", "RST"].iter().any(|f| flags[*i].contains(f));
        !other && window[*i] == 0 && sent[*i].is_finite()
    };
    (0..segments.len()).filter(is_one).count()
}

#[test]
fn tshark_counts_what_we_count() {
    let of_library = |name: &str| library::find(name).unwrap().text.to_owned();
    let lessons = [
        "retransmission",
        "handshake",
        "lost-last-ack",
        "flow-control",
        "four-way-close",
    ];
    let runs = lessons
        .iter()
        .map(|name| (*name, of_library(name)))
        .chain([("lossy", LOSSY.to_owned())]);
    let (mut retransmissions, mut windows) = (0, 0);
    for (name, text) in runs {
        for spec in &crate::common::planned(&text, &[]).runs {
            let dir = tempfile::tempdir().unwrap();
            let dir = dir.path().join("run");
            let summary = scenarios::run::execute(spec, &dir, false, &mut |_| ()).unwrap();
            let packets = dir.join("packets.pcapng");
            let Some(bad) = tshark_apart(&packets, &["-Y", "_ws.malformed"]) else {
                println!("skipped: tshark is not installed");
                return;
            };
            assert_eq!(bad.len(), 0, "{name}");
            let count = |filter: &str| tshark_apart(&packets, &["-Y", filter]).unwrap().len();
            // The capture has every packet at its sender, lost or not, so retransmitted data appear twice.
            // Within 3 ms, or within a round trip of a duplicate ACK, tshark calls them out of order.
            let again = count(
                "tcp.analysis.retransmission || tcp.analysis.fast_retransmission || \
                 tcp.analysis.spurious_retransmission || tcp.analysis.out_of_order",
            );
            assert_eq!(
                again as f64, summary.metrics["retransmissions"],
                "{name} {}",
                spec.id
            );
            let segments = Table::read(&dir, "segments").unwrap().unwrap();
            let zero = count("tcp.window_size_value == 0 && !tcp.flags.syn && !tcp.flags.reset");
            assert_eq!(zero, zero_windows(&segments), "{name} {}", spec.id);
            let rules = segments.texts("reason").unwrap();
            let rules = rules.iter().filter(|rule| !rule.is_empty()).count();
            assert_eq!(
                count("frame.comment contains \"sent again\""),
                rules,
                "{name}"
            );
            let lost = segments.texts("fate").unwrap();
            let lost = lost.iter().filter(|fate| fate.starts_with("lost")).count();
            assert_eq!(count("frame.comment contains \"lost: \""), lost, "{name}");
            retransmissions += again;
            windows += zero;
        }
    }
    assert!(retransmissions > 20, "{retransmissions}");
    println!("{retransmissions} retransmissions, {windows} zero windows");
}

#[test]
fn a_capture_names_hosts_and_says_what_each_packet_did() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("run");
    let spec = crate::common::planned(library::find("four-way-close").unwrap().text, &[]);
    scenarios::run::execute(&spec.runs[0], &dir, false, &mut |_| ()).unwrap();
    let packets = dir.join("packets.pcapng");
    let fields = [
        "-T",
        "fields",
        "-e",
        "ip.src_host",
        "-e",
        "frame.comment",
        "-e",
        "frame.interface_name",
    ];
    let fields = ["-o", "nameres.network_name:TRUE"]
        .into_iter()
        .chain(fields);
    let Some(rows) = tshark_apart(&packets, &fields.collect::<Vec<_>>()) else {
        println!("skipped: tshark is not installed");
        return;
    };
    let first: Vec<&str> = rows[0].split('\t').collect();
    assert_eq!(first[0], "client");
    assert_eq!(
        first[1],
        "client is now SYN-SENT; server is now SYN-RECEIVED"
    );
    assert_eq!(first[2], "client");
    let said = |text: &str| rows.iter().filter(|r| r.contains(text)).count();
    for state in ["FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT"] {
        assert_eq!(
            said(&format!("client is now {state}")),
            1,
            "{state}: {rows:#?}"
        );
    }
    for state in ["CLOSE-WAIT", "LAST-ACK"] {
        assert_eq!(
            said(&format!("server is now {state}")),
            1,
            "{state}: {rows:#?}"
        );
    }
    assert_eq!(said("lost"), 0);
}

#[test]
fn a_filter_selects_what_tshark_would_select() {
    let tmp = tempfile::tempdir().unwrap();
    let text = LOSSY.replace("pcap = true", "");
    std::fs::write(tmp.path().join("s.toml"), &text).unwrap();
    let run = |filter: &str, out: &str| {
        let args = ["run", "s.toml", "-q", "--pcap", filter, "--out", out];
        let (code, _, words) = crate::common::said(tmp.path(), &args);
        assert_eq!(code, 0, "{words}");
        tmp.path().join(out).join("packets.pcapng")
    };
    let all = run("all", "all");
    // The filter, and the same for tshark among all packets.
    for (i, (filter, theirs)) in [
        (
            "host server and port 80",
            "ip.addr == 10.0.0.2 && tcp.port == 80",
        ),
        ("src client and data", "ip.src == 10.0.0.1 && tcp.len > 0"),
        (
            "syn or (fin and not rst)",
            "tcp.flags.syn == 1 || (tcp.flags.fin == 1 && tcp.flags.reset == 0)",
        ),
        ("retransmission", "frame.comment contains \"sent again\""),
        (
            "net 10.0.0.2/32 and greater 1500",
            "ip.addr == 10.0.0.2 && ip.len >= 1500",
        ),
        ("host 192.0.2.1", "ip.addr == 192.0.2.1"),
    ]
    .into_iter()
    .enumerate()
    {
        let ours = run(filter, &format!("r{i}"));
        // The start, the identity of the packet and what it did: a filter changes none of them.
        let fields = [
            "-T",
            "fields",
            "-e",
            "frame.time_epoch",
            "-e",
            "frame.comment",
            "-e",
            "tcp.seq_raw",
        ];
        let Some(wanted) = tshark_apart(&all, &[&["-Y", theirs][..], &fields].concat()) else {
            println!("skipped: tshark is not installed");
            return;
        };
        assert_eq!(tshark_apart(&ours, &fields).unwrap(), wanted, "{filter}");
        assert!(i == 5 || wanted.len() > 1, "{filter}: {}", wanted.len());
    }
    for (filter, parts) in [
        (
            "host sever",
            [
                "unknown host \"sever\"; did you mean \"server\"",
                "at character 6",
            ],
        ),
        (
            "host server and prot 80",
            ["`prot` is not a word", "did you mean `port`?"],
        ),
        (
            "port 80 or syn and ack",
            ["need parentheses", "at character 16"],
        ),
    ] {
        let (code, _, words) =
            crate::common::said(tmp.path(), &["check", "s.toml", "--pcap", filter]);
        assert_eq!(code, 2, "{words}");
        for part in parts.into_iter().chain(["record.pcap"]) {
            assert!(words.contains(part), "{part}: {words}");
        }
    }
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
    // From the first sample to the end of the run.
    assert!((40..=41).contains(&sender.len()), "{sender:?}");
    for (i, time) in sender.iter().rev().enumerate() {
        assert!((time - 2.0 + 0.05 * i as f64).abs() < 1e-12, "{time}");
    }
    let acked = table.ints("acked_bytes").unwrap();
    assert!(acked.iter().max() > Some(&2_000_000));
}
