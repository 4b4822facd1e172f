//! Published incidents: the failures occur with the published numbers, and disappear when the advice is
//! followed.

use crate::common::summary_of;
use scenarios::execution::Execution;
use scenarios::library;
use scenarios::overrides::Override;
use scenarios::sweep::Plan;
use std::collections::BTreeMap;

/// The metrics of a run of a ready-made scenario with these values set.
fn metrics(name: &str, run: usize, sets: &[&str]) -> BTreeMap<String, f64> {
    let entry = library::ALL.iter().find(|e| e.name == name).unwrap();
    let sets: Vec<Override> = sets.iter().map(|s| Override::parse(s).unwrap()).collect();
    let plan = Plan::new(&entry.source(), &sets).unwrap_or_else(|e| panic!("{e}"));
    summary_of(&plan, run, Execution::default()).metrics
}

/// Of 28,232 ports the benchmark had used 27,477 when it stopped, less than two seconds after its start.
#[test]
fn memtier_232_fails_in_its_second_second_and_each_remedy_mends_it() {
    let short = "duration=3 s";
    let as_reported = metrics("memtier-232", 0, &[short]);
    assert!(as_reported["connects_failed"] > 0.0);
    let done = as_reported["connects_established"];
    assert!((done / 28_232.0 - 1.0).abs() < 0.01, "{done}");
    // The variants of the scenario: a reset instead of the close, tcp_tw_reuse, keep-alive.
    for variant in 1..=3 {
        let mended = metrics("memtier-232", variant, &[short]);
        assert_eq!(mended["connects_failed"], 0.0, "variant {variant}");
        assert!(mended["requests_done"] > done, "variant {variant}");
    }
}

#[test]
fn envoy_44747_runs_out_of_ports_until_they_are_chosen_at_connect() {
    let short = "duration=25 s";
    let bound = metrics("envoy-44747", 0, &[short]);
    assert!(bound["connects_failed"] > 0.0);
    // The second run is the one with `ip_bind_address_no_port = true`.
    let mended = metrics("envoy-44747", 1, &[short]);
    assert_eq!(mended["connects_failed"], 0.0);
    assert!(mended["connects_established"] > bound["connects_established"]);
}

/// Old bytes are accepted without protection, and where resets end TIME-WAIT; not with rfc1337, timestamps, or Linux's
/// check of acknowledgements.
#[test]
fn old_duplicates_reach_the_next_connection_unless_something_protects_it() {
    let bytes = |variant| metrics("old-duplicates", variant, &["duration=3 s"]);
    for (variant, accepted) in [true, true, false, false, false].into_iter().enumerate() {
        let old = bytes(variant)["old_duplicate_bytes"];
        assert_eq!(old > 0.0, accepted, "variant {variant}: {old} bytes");
    }
    assert!(bytes(1)["time_wait_killed"] > 0.0);
    assert_eq!(bytes(2)["time_wait_killed"], 0.0);
}

/// RFC 1337: H1, H2, H3, the remedy of RFC 5961 for H3, and TIME-WAIT of 2MSL against all of them.
#[test]
fn without_time_wait_each_hazard_of_rfc_1337_happens() {
    let found = |name: &str| -> Vec<f64> {
        (0..5)
            .map(|variant| metrics("rfc1337-hazards", variant, &[])[name])
            .collect()
    };
    assert_eq!(
        found("old_duplicate_bytes"),
        [1460.0, 1460.0, 0.0, 0.0, 0.0]
    );
    assert_eq!(found("requests_unanswered"), [0.0, 1.0, 1.0, 0.0, 0.0]);
    assert_eq!(
        found("requests_unanswered_reset"),
        [0.0, 0.0, 1.0, 0.0, 0.0]
    );
    let segments = found("segments_sent");
    // An ACK every 2 ms for 20 s, and every retransmitted request begins another such loop.
    assert!((9_000.0..=60_000.0).contains(&segments[1]), "{segments:?}");
    assert!(
        [0, 2, 3, 4].iter().all(|i| segments[*i] < 100.0),
        "{segments:?}"
    );
}

/// The lengths of TIME-WAIT vary slowest: 1, 10, ... 50 ms, each without and with timestamps.
#[test]
fn corruption_ends_with_a_time_wait_of_50_ms_or_with_timestamps() {
    let old: Vec<f64> = (0..12)
        .map(|run| metrics("corruption", run, &[])["old_duplicate_bytes"])
        .collect();
    let without: Vec<f64> = old.iter().copied().step_by(2).collect();
    let with: Vec<f64> = old.iter().copied().skip(1).step_by(2).collect();
    assert_eq!(with, [0.0; 6]);
    assert!(without[..5].iter().all(|bytes| *bytes > 0.0), "{without:?}");
    assert!(
        without[0] > 4.0 * without[4] && without[5] == 0.0,
        "{without:?}"
    );
}

/// 56,464 ports carry 941 of 1,200 requests a second: the first 502 comes after 47 s, and a pool of 30 connections to each server
/// needs none of them. Times are a tenth of the scenario's, and so are the ports.
#[test]
fn the_proxy_of_proxy_upstream_runs_out_of_ports_and_a_pool_mends_it() {
    let tenth = [
        "duration=13 s",
        "tcp.time_wait=\"6 s\"",
        "tcp.host.proxy.ip_local_port_range=[32768, 35590]",
    ];
    let each = metrics("proxy-upstream", 0, &tenth);
    // 2823 ports for each server, and 6 s: the limit is 941 requests a second as well.
    let lost = each["proxy_errors_502"] / each["proxy_requests"];
    assert_eq!(each["proxy_errors_502"], each["proxy_errors"]);
    assert!((0.17..0.26).contains(&lost), "{lost}");
    assert!(
        (each["first_failure_s"] - 4.7).abs() < 0.2,
        "{}",
        each["first_failure_s"]
    );
    let twice = metrics("proxy-upstream", 1, &tenth);
    assert!(twice["proxy_errors_502"] / twice["proxy_requests"] > 0.17);
    for mended in [3, 4] {
        let pool = metrics("proxy-upstream", mended, &tenth);
        assert_eq!(pool["proxy_errors"], 0.0, "variant {mended}");
        assert!(pool["proxy_answered"] > 1.15 * each["proxy_answered"]);
    }
}
