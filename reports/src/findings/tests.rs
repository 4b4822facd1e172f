use super::*;
use crate::info::{AnalyticHints, RecordOptions, Span, Theory, TimeWaitTheory};

fn info(rate: f64) -> RunInfo {
    RunInfo {
        duration_s: 240.0,
        record: RecordOptions {
            steady_s: Some((120.0, 240.0)),
            ..RecordOptions::default()
        },
        analytic: AnalyticHints {
            time_wait_s: Some(60.0),
            ports_per_destination: Some(28_232),
            destinations: 1,
            offered_per_s: vec![(0.0, rate)],
            theory: Some(Theory {
                ports: 28_232.0,
                pairs: 1.0,
                held_s: Span {
                    low: 60.0,
                    high: 60.0,
                },
                settles_s: Some(60.0),
                time_wait: Some(TimeWaitTheory {
                    group: "client".into(),
                    stay_s: 60.0,
                    ..TimeWaitTheory::default()
                }),
                ..Theory::default()
            }),
            ..AnalyticHints::default()
        },
        ..RunInfo::default()
    }
}

fn metrics(list: &[(&str, f64)]) -> BTreeMap<String, f64> {
    list.iter().map(|&(n, v)| (n.to_owned(), v)).collect()
}

#[test]
fn exhausted_ports_are_reported_with_cause_and_limit() {
    let m = metrics(&[
        ("connects_attempted", 72_000.0),
        ("connects_established", 56_464.0),
        ("connects_failed", 15_536.0),
        ("connects_addr_not_available", 15_536.0),
        ("connects_failed_share_steady", 0.21),
        ("first_failure_s", 94.1),
    ]);
    let found = findings(&info(600.0), &m);
    assert_eq!(
        found[0],
        "Connects began to fail at t = 94.1 s; 15,536 of 72,000 failed (21.6 %, 21 % in the \
         steady window): all found no free local port."
    );
    assert_eq!(
        found[1],
        "The port supply allows 470.5 connections/s (28,232 ports / 60 s); of the 600/s \
         offered in the steady window, 21.6 % fail in theory."
    );
}

#[test]
fn connects_without_an_outcome_are_named_beside_those_that_have_one() {
    let mut m = metrics(&[
        ("connects_attempted", 3_000.0),
        ("connects_established", 50.0),
    ]);
    assert_eq!(
        findings(&RunInfo::default(), &m)[0],
        "50 of 3,000 connects were established and none failed; 2,950 were still pending at \
         the end."
    );
    m.insert("connects_failed".into(), 50.0);
    m.insert("connects_timed_out".into(), 50.0);
    assert_eq!(
        findings(&RunInfo::default(), &m)[0],
        "Connects began to fail at t = 0 s; 50 of 3,000 failed (1.67 %): all timed out; 2,900 \
         were still pending at the end."
    );
}

#[test]
fn a_plateau_is_reported_with_littles_law() {
    let m = metrics(&[
        ("connects_attempted", 108_000.0),
        ("connects_established", 108_000.0),
        ("time_wait_peak", 27_000.0),
        ("time_wait_peak_at_s", 60.0),
        ("time_wait_mean_steady", 27_000.0),
    ]);
    let found = findings(&info(450.0), &m);
    assert_eq!(found[0], "None of the 108,000 connects failed.");
    assert!(
        found[1].ends_with("the 450/s offered use 95.6 % of it."),
        "{}",
        found[1]
    );
    assert!(
        found[2].ends_with("Little's law says 450/s x 60 s = 27,000."),
        "{}",
        found[2]
    );
}

#[test]
fn without_metrics_there_are_no_findings() {
    assert!(findings(&RunInfo::default(), &BTreeMap::new()).is_empty());
}

#[test]
fn a_single_connection_is_described_individually() {
    let mut info = info(1.0);
    info.analytic.time_wait_group = Some("server".into());
    let mut m = metrics(&[
        ("connects_attempted", 1.0),
        ("connects_established", 1.0),
        ("connect_latency_mean_s", 0.1),
        ("connect_latency_max_s", 0.1),
        ("requests_done", 1.0),
        ("request_latency_mean_s", 0.15),
        ("request_latency_p99_s", 0.15),
        ("time_wait_peak", 1.0),
        ("segments_sent", 13.0),
        ("goodput_bps", 480.0),
    ]);
    assert_eq!(
        findings(&info, &m),
        [
            "The connection was established after 100 ms; its request was answered after 150 \
             ms; the server closed first and stayed in TIME-WAIT for 60 s.",
            "Nothing was lost and nothing was retransmitted.",
        ]
    );
    m.extend(metrics(&[
        ("connects_failed", 1.0),
        ("connects_refused", 1.0),
    ]));
    m.insert("first_failure_s".into(), 0.1);
    assert_eq!(
        findings(&info, &m)[0],
        "1 of 1 connect failed, the first at t = 100 ms: it was refused."
    );
}

#[test]
fn few_connections_are_described_by_groups_and_losses() {
    let m = metrics(&[
        ("connects_attempted", 5.0),
        ("connects_established", 5.0),
        ("connect_latency_mean_s", 0.5),
        ("connect_latency_max_s", 1.1),
        ("requests_done", 5.0),
        ("time_wait_peak", 5.0),
        ("time_wait.client_peak", 4.0),
        ("time_wait.server_peak", 1.0),
        ("segments_sent", 61.0),
        ("retransmissions", 1.0),
        ("timeouts", 1.0),
        ("wire_losses_pkts", 4.0),
    ]);
    assert_eq!(
        findings(&RunInfo::default(), &m),
        [
            "All 5 connections were established, after 500 ms on average and 1.1 s at most.",
            "In TIME-WAIT: 4 sockets of client and 1 socket of server.",
            "Links lost 4 packets; 1 segment was retransmitted (1.64 % of all), with 1 time-out.",
        ]
    );
}

#[test]
fn bulk_flows_are_described_one_by_one() {
    let m = metrics(&[
        ("connects_attempted", 2.0),
        ("connects_established", 2.0),
        ("connect_latency_mean_s", 0.04),
        ("goodput_bps", 6.67e6),
        ("flow_goodput.left-1_bps", 5.5e6),
        ("flow_goodput.left-2_bps", 4.5e6),
        ("jain_index", 0.98),
    ]);
    assert_eq!(
        findings(&RunInfo::default(), &m)[1],
        "Goodput while active was 5.5 Mbit/s for left-1 and 4.5 Mbit/s for left-2; while all \
         were active, Jain's fairness index was 0.98."
    );
    let m = metrics(&[
        ("connects_attempted", 16.0),
        ("connects_established", 16.0),
        ("goodput_bps", 6.67e6),
        ("flow_goodput.left-1_bps", 5.5e6),
    ]);
    let words = findings(&RunInfo::default(), &m).join(" ");
    let cut = "5.5 Mbit/s for left-1 (1 of 16 flows; the others were not traced or \
               sent less than 50 kB).";
    assert!(words.contains(cut), "{words}");
}
