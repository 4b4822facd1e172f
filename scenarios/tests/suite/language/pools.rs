//! What is counted about connection pools and retries.

use super::applications::{close, run};
use crate::common::metric;

#[test]
fn a_pool_records_its_connections_and_how_long_requests_waited() {
    // Ten requests arrive at once and four connections are allowed. Each connection takes 20 ms to open,
    // and a request takes 120 ms. The requests are served in rounds of four, four and two.
    let summary = run(
        10,
        "[[workload]]\narrivals = { kind = \"burst\", count = 10 }\nservice = \"100 ms\"\n\
         pool = { max = 4, idle = 3, idle_timeout = \"1 s\" }\n",
    );
    for (name, value) in [
        ("pool_connections_opened", 4.0),
        ("pool_requests_sent", 10.0),
        ("pool_requests_reused", 6.0),
        ("pool_reuse_share", 0.6),
        ("pool_open_peak", 4.0),
        ("pool_busy_peak", 4.0),
        ("pool_waiting_peak", 6.0),
        ("pool_closed_surplus", 1.0),
        ("pool_closed_idle", 3.0),
        ("pool_closed_server", 0.0),
        ("pool_requests_raced", 0.0),
    ] {
        assert_eq!(metric(&summary, name), value, "{name}");
    }
    let (first, last) = (0.02, 0.02 + 2.0 * 0.12);
    close(metric(&summary, "pool_wait_max_s"), last, 0.02);
    let mean = (4.0 * first + 4.0 * (first + 0.12) + 2.0 * last) / 10.0;
    close(metric(&summary, "pool_wait_mean_s"), mean, 0.02);
    assert!(
        summary.findings.iter().any(|f| f.starts_with(
            "Pools sent 10 requests, 60 % of them over a kept connection, and opened 4 connections"
        )),
        "{:#?}",
        summary.findings
    );
}

/// A request every second over one connection, which the server closes when it has been idle for the time
/// `server`.
fn with_idle_timeouts(server: &str, pool: &str) -> reports::RunSummary {
    run(
        20,
        &format!(
            "[[workload]]\narrivals = {{ kind = \"fixed\", rate = \"1 /s\" }}\nlimit = 10\nstart = \"1 s\"\n\
             pool = {{ max = 1{pool} }}\nidle_timeout = \"{server}\"\n\
             retries = {{ max = 1, backoff = \"1 ms\" }}\n"
        ),
    )
}

#[test]
fn a_request_that_meets_the_servers_close_is_counted_as_a_race() {
    let race = with_idle_timeouts("985 ms", "");
    let raced = metric(&race, "pool_requests_raced");
    assert!(raced >= 1.0, "{raced}");
    assert_eq!(metric(&race, "retries_made"), raced);
    assert_eq!(metric(&race, "exchanges_failed"), 0.0);
    assert_eq!(metric(&race, "requests_done"), 10.0);
    assert!(
        race.findings
            .iter()
            .any(|f| f.contains("(a proxy then answers 502)")),
        "{:#?}",
        race.findings
    );
    // The remedy that the finding suggests.
    let safe = with_idle_timeouts("985 ms", ", idle_timeout = \"500 ms\"");
    assert_eq!(metric(&safe, "pool_requests_raced"), 0.0);
    assert_eq!(metric(&safe, "attempts_failed"), 0.0);
    assert_eq!(metric(&safe, "requests_done"), 10.0);
}

#[test]
fn exchanges_fail_for_good_after_their_attempts_or_without_budget() {
    // The server never reads, and each attempt is given up after 100 ms.
    let failing = |retries: &str| {
        run(
            30,
            &format!(
                "[[workload]]\narrivals = {{ kind = \"burst\", count = 10 }}\nrequest_timeout = \"100 ms\"\n\
                 read_start = \"never\"\nretries = {{ {retries} }}\n"
            ),
        )
    };
    let all = failing("max = 2, backoff = \"10 ms\"");
    for (name, value) in [
        ("exchanges_begun", 10.0),
        ("attempts_failed", 30.0),
        ("retries_made", 20.0),
        ("attempts_per_exchange", 3.0),
        ("exchanges_failed", 10.0),
        ("exchanges_failed_share", 1.0),
        ("exchanges_failed_last_attempt", 10.0),
        ("exchanges_failed_no_budget", 0.0),
        ("attempts_failed_in_a_row_max", 3.0),
    ] {
        assert_eq!(metric(&all, name), value, "{name}");
    }
    let some = failing("max = 2, backoff = \"10 ms\", budget = 0.5");
    assert_eq!(metric(&some, "retries_made"), 5.0);
    let failed = (
        metric(&some, "exchanges_failed_last_attempt"),
        metric(&some, "exchanges_failed_no_budget"),
    );
    assert_eq!(failed.0 + failed.1, 10.0);
    assert!(failed.1 >= 5.0, "{failed:?}");
}
