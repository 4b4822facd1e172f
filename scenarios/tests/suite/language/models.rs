//! Link models by name in a scenario: each carries a transfer, and lists may come from files.

use std::fs;

use crate::common::{metric, run_once, said};
use reports::RunSummary;
use sim_core::LinkModels;
use sim_core::plugin::{ModelKind, ValueKind};

/// A transfer of 1 MB over one link with the given keys.
fn transfer(link: &str) -> String {
    format!(
        "name = \"t\"\nduration = \"60 s\"\n[topology]\nkind = \"pair\"\n\
         path = {{ delay = \"10 ms\", {link} }}\n[tcp]\nsack = true\n\
         [[workload]]\nkind = \"bulk\"\nbytes = \"1 MB\"\n"
    )
}

/// A model with the parameters it requires, in TOML.
fn written<T>(kind: &ModelKind<T>) -> String {
    let needed = kind.parameters.iter().filter(|p| p.default.is_none());
    let values = needed.map(|p| {
        let value = match (p.name, p.kind) {
            ("values", _) => "[\"1 ms\", \"3 ms\"]",
            ("deliveries", _) => "[1, 2, 3, 4]",
            ("every", _) => "50",
            ("bad_to_good", _) => "0.3",
            (_, ValueKind::Duration) => "\"1 ms\"",
            (_, ValueKind::Rate) => "\"8 Mbit/s\"",
            (_, ValueKind::List) => "[3, \"70-72\"]",
            _ => "0.01",
        };
        format!(", {} = {value}", p.name)
    });
    format!(
        "{{ kind = \"{}\"{} }}",
        kind.name,
        values.collect::<String>()
    )
}

#[test]
fn a_transfer_ends_over_every_model_there_is() {
    let models = LinkModels::default();
    let rate = "rate = \"10 Mbit/s\", queue = \"100 packets\"";
    let queues = models.queues.iter().map(|kind| {
        let queue = written(kind);
        format!("rate = \"10 Mbit/s\", queue = {queue}")
    });
    let losses = models.losses.iter().map(written);
    let losses = losses.map(|loss| format!("{rate}, loss = {loss}"));
    let delays = models.delays.iter().map(written);
    let delays = delays.map(|jitter| format!("{rate}, jitter = {jitter}"));
    let rates = models.rates.iter().map(written);
    let rates = rates.map(|process| format!("{rate}, rate_process = {process}"));
    let all: Vec<String> = queues.chain(losses).chain(delays).chain(rates).collect();
    assert!(all.len() >= 23, "{}", all.len());
    for link in all {
        let summary = run_once(&transfer(&link));
        assert_eq!(metric(&summary, "flows_completed"), 1.0, "{link}");
    }
}

#[test]
fn listed_packets_are_lost_and_sent_again() {
    // The fifth packet that the link sends in each direction: the second data segment, and an ACK.
    let lost = run_once(&transfer(
        "rate = \"10 Mbit/s\", loss = { kind = \"list\", packets = [5] }",
    ));
    assert_eq!(metric(&lost, "wire_losses_pkts"), 2.0);
    assert_eq!(metric(&lost, "retransmissions"), 1.0);
}

#[test]
fn a_rate_trace_from_a_file_becomes_part_of_the_run() {
    let tmp = tempfile::tempdir().unwrap();
    // 1500 bytes every 2 ms are 6 Mbit/s.
    fs::write(tmp.path().join("up.trace"), "2\n4\n6\n8\n").unwrap();
    let text = transfer("rate_process = { kind = \"trace\", deliveries = \"@up.trace\" }");
    fs::write(tmp.path().join("s.toml"), &text).unwrap();
    let (code, _, stderr) = said(tmp.path(), &["run", "s.toml", "--out", "out"]);
    assert_eq!(code, 0, "{stderr}");
    let summary = RunSummary::read(&tmp.path().join("out")).unwrap();
    let goodput = metric(&summary, "flow_goodput_mean_bps");
    assert!((4e6..6e6).contains(&goodput), "{goodput}");
    // Without the file, the run can be repeated from its own record.
    fs::remove_file(tmp.path().join("up.trace")).unwrap();
    let (code, _, stderr) = said(tmp.path(), &["run", "out/run.toml", "--out", "again"]);
    assert_eq!(code, 0, "{stderr}");
    let again = RunSummary::read(&tmp.path().join("again")).unwrap();
    assert_eq!(again.result_hash, summary.result_hash);
    let (code, _, stderr) = said(tmp.path(), &["check", "s.toml"]);
    assert_eq!(code, 2);
    assert!(
        stderr.contains("up.trace") && stderr.contains("relative to"),
        "{stderr}"
    );
}

#[test]
fn a_limit_in_time_is_that_of_the_links_rate() {
    // 20 ms at 10 Mbit/s are 25,000 bytes.
    let time = run_once(&transfer("rate = \"10 Mbit/s\", queue = \"20 ms\""));
    let bytes = run_once(&transfer("rate = \"10 Mbit/s\", queue = \"25 kB\""));
    assert!(metric(&time, "queue_drops_pkts") > 0.0);
    assert_eq!(
        metric(&time, "queue_drops_pkts"),
        metric(&bytes, "queue_drops_pkts")
    );
    assert_eq!(metric(&time, "events"), metric(&bytes, "events"));
}
