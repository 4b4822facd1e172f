//! TCP features enabled by scenarios: what a run counts and measures about them.

use crate::common::make;
use reports::RunSummary;
use scenarios::library;

fn exchange(sets: &[&str]) -> RunSummary {
    let dir = tempfile::tempdir().unwrap();
    let text = library::find("http-exchange").unwrap().text;
    make(text, sets, &dir.path().join("run"))
}

fn count(summary: &RunSummary, group: &str, name: &str) -> u64 {
    let of_group = summary.counters.get(group);
    of_group.and_then(|c| c.get(name)).copied().unwrap_or(0)
}

/// RFC 7413: every connection saves a round trip of 100 ms except the first, which fetches the
/// cookie. Connections last 250 ms, so the second starts after the first has ended.
#[test]
fn fast_open_saves_a_round_trip_from_the_second_connection_on() {
    let arrivals = "workload.page.arrivals={ kind = \"fixed\", rate = \"1 /s\" }";
    let limit = "workload.page.limit=4";
    let plain = exchange(&[arrivals, limit]);
    let fast = exchange(&[
        arrivals,
        limit,
        "tcp.tcp_fastopen=3",
        "workload.page.fast_open=true",
    ]);
    assert_eq!(count(&plain, "server", "fast_opens_accepted"), 0);
    assert_eq!(count(&fast, "server", "fast_opens_accepted"), 3);
    // 200 ms from the SYN to the response, or 100 ms with data in the SYN.
    let mean = |summary: &RunSummary| summary.metrics["request_latency_mean_s"];
    assert!((mean(&plain) - 0.1).abs() < 1e-9, "{}", mean(&plain));
    assert!((mean(&fast) - 0.125).abs() < 1e-9, "{}", mean(&fast));
}

#[test]
fn syn_cookies_carry_an_exchange() {
    let with = exchange(&["tcp.tcp_syncookies=\"always\""]);
    assert_eq!(count(&with, "server", "syn_cookies_sent"), 1);
    assert_eq!(count(&with, "server", "syn_cookies_received"), 1);
    assert_eq!(with.metrics["retransmissions"], 0.0);
}
