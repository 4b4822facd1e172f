//! What applications do besides answering at once, each compared with a time or a number computed by hand.

use crate::common::{make, metric, run_once};
use reports::RunSummary;

/// Runs a pair of hosts, 10 ms apart, with these workloads for `seconds`.
pub(crate) fn run(seconds: u32, workloads: &str) -> RunSummary {
    run_with(seconds, "", workloads)
}

fn run_with(seconds: u32, tcp: &str, workloads: &str) -> RunSummary {
    let text = format!(
        "name = \"t\"\nduration = \"{seconds} s\"\n[tcp]\n{tcp}\n[topology]\nkind = \"pair\"\n\
         path = {{ delay = \"10 ms\" }}\n{workloads}"
    );
    run_once(&text)
}

pub(crate) fn close(got: f64, want: f64, within: f64) {
    assert!((got - want).abs() <= within, "{got} for {want}");
}

#[test]
fn a_server_that_never_accepts_takes_one_more_than_its_backlog() {
    let summary = run(
        10,
        r#"[[workload]]
accept_start = "never"
backlog = 4
arrivals = { kind = "fixed", rate = "10 /s" }
limit = 20
"#,
    );
    assert_eq!(metric(&summary, "connects_established"), 5.0);
    assert_eq!(metric(&summary, "requests_made"), 5.0);
    assert_eq!(metric(&summary, "requests_unanswered_at_run_end"), 5.0);
}

#[test]
fn a_server_that_accepts_late_answers_then() {
    let summary = run(
        10,
        r#"[[workload]]
accept_start = "5 s"
arrivals = { kind = "burst", count = 3 }
"#,
    );
    // The request is made at 20 ms; the server receives it, reads it at 5 s, and the response takes 10 ms.
    assert_eq!(metric(&summary, "requests_done"), 3.0);
    close(metric(&summary, "request_latency_max_s"), 4.99, 1e-9);
}

#[test]
fn a_server_that_reads_late_lets_its_buffer_fill_and_then_drains_it() {
    let bulk = |read_start: &str| {
        let workload = format!(
            "[[workload]]\nkind = \"bulk\"\nbytes = \"2 MB\"\nread_start = \"{read_start}\"\n"
        );
        run_with(20, "receive_buffer = \"200 kB\"", &workload)
    };
    let never = bulk("never");
    let held = metric(&never, "goodput_bps") * 20.0 / 8.0;
    assert!((60_000.0..=200_000.0).contains(&held), "{held}");
    assert!(!never.metrics.contains_key("flow_completion_mean_s"));
    let late = bulk("5 s");
    let took = metric(&late, "flow_completion_mean_s");
    assert!((5.0..8.0).contains(&took), "{took}");
}

#[test]
fn a_buffer_set_after_accept_counts_but_the_window_scale_stays() {
    let upload = |buffer: &str, after: &str| {
        let tcp = format!(
            "profile = \"rfc9293\"\nhold_until_push = false\ndelayed_ack = \"0 s\"\nreceive_buffer = \"{buffer}\""
        );
        let workload = format!(
            "[[workload]]\narrivals = {{ kind = \"burst\", count = 1 }}\nrequest = \"2 MB\"\n{after}"
        );
        let summary = run_with(20, &tcp, &workload);
        assert_eq!(metric(&summary, "requests_done"), 1.0);
        2e6 / (metric(&summary, "request_latency_max_s") / 0.02)
    };
    // Bytes per round trip: the full segments of a window, each acknowledged at once, less one, because silly-window
    // avoidance opens the window in steps of 1460 bytes and segments have 1448. Slow start doubles the initial ten
    // segments; the handshake, the last small segment (Nagle) and the response take at most a round trip each.
    let fits = |measured: f64, window: f64| {
        let segments = (window / 1448.0).floor();
        let (mut opened, mut lost) = (10.0, 0.0);
        while opened < segments {
            lost += 1.0 - opened / segments;
            opened *= 2.0;
        }
        let rounds = 2e6 / 1448.0 / (segments - 1.0) + lost + 3.0;
        let range = 2e6 / rounds..=segments * 1448.0;
        assert!(range.contains(&measured), "{measured} in {range:?}");
    };
    fits(upload("20 kB", ""), 20e3);
    fits(
        upload("20 kB", "receive_buffer_after_accept = \"50 kB\""),
        50e3,
    );
    // 20 kB need no scale, so the window field holds at most 65,535 bytes; 100 kB are advertised in units of two
    // bytes.
    fits(
        upload("20 kB", "receive_buffer_after_accept = \"200 kB\""),
        65_535.0,
    );
    fits(
        upload("100 kB", "receive_buffer_after_accept = \"200 kB\""),
        131_070.0,
    );
}

#[test]
fn a_server_that_answers_an_unread_request_and_closes_resets_the_connection() {
    let early = r#"[[workload]]
arrivals = { kind = "burst", count = 1 }
request = "20 MB"
respond_after = "1 kB"
close = "server"
"#;
    let summary = run(5, early);
    assert_eq!(metric(&summary, "requests_unanswered_reset"), 1.0);
    assert_eq!(metric(&summary, "ended_reset"), 1.0);
    // The first kilobyte of the request arrives at the server at 30 ms, the reset at the client at 40 ms.
    close(metric(&summary, "request_unanswered_last_s"), 0.04, 1e-9);
    // A request that fits into the send buffer is written by then, and its response is read before the reset.
    let small = run(5, &early.replace("20 MB", "100 kB"));
    assert_eq!(metric(&small, "requests_done"), 1.0);
    assert_eq!(metric(&small, "ended_reset"), 1.0);
}

#[test]
fn a_client_gives_up_a_request_when_its_time_is_over() {
    let summary = run(
        10,
        r#"[[workload]]
arrivals = { kind = "fixed", rate = "10 /s" }
limit = 30
request_timeout = "300 ms"
service = "2 s"
"#,
    );
    assert_eq!(metric(&summary, "requests_unanswered_given_up"), 30.0);
    close(metric(&summary, "request_unanswered_first_s"), 0.32, 1e-9);
    close(metric(&summary, "request_unanswered_wait_max_s"), 0.3, 1e-9);
    // The server answers a client that has gone; the client's host resets the connection.
    assert_eq!(metric(&summary, "ended_aborted"), 30.0);
}

#[test]
fn requests_in_time_are_not_given_up_however_many_a_connection_carries() {
    let summary = run(
        10,
        r#"[[workload]]
arrivals = { kind = "burst", count = 1 }
request_timeout = "300 ms"
service = "200 ms"
requests = 20
"#,
    );
    assert_eq!(metric(&summary, "requests_done"), 20.0);
    assert_eq!(metric(&summary, "requests_unanswered"), 0.0);
}

#[test]
fn a_client_gives_up_a_connect_when_its_time_is_over() {
    let summary = run_with(
        10,
        "tcp_syncookies = 0",
        r#"[[workload]]
accept_start = "never"
backlog = 1
connect_timeout = "500 ms"
arrivals = { kind = "fixed", rate = "10 /s" }
limit = 20
"#,
    );
    assert_eq!(metric(&summary, "connects_established"), 2.0);
    assert_eq!(metric(&summary, "connects_aborted"), 18.0);
    // The third connect, at 200 ms, is the first that gets no answer.
    close(metric(&summary, "first_failure_s"), 0.7, 1e-9);
}

#[test]
fn silent_clients_stay_as_long_as_they_like() {
    // Little's law: 10 per second for 4.95 s each.
    let silent = r#"[[workload]]
arrivals = { kind = "fixed", rate = "10 /s" }
requests = 0
close_after = "4950 ms"
"#;
    let summary = run(20, silent);
    assert_eq!(metric(&summary, "established.server_peak"), 50.0);
    assert!(!summary.metrics.contains_key("requests_made"));
    // A server with an idle time-out of 1.95 s closes first; the client does not notice until it closes.
    let summary = run(20, &format!("{silent}idle_timeout = \"1950 ms\"\n"));
    assert_eq!(metric(&summary, "established.server_peak"), 20.0);
    assert_eq!(metric(&summary, "close_wait.client_peak"), 30.0);
}

#[test]
fn an_idle_timeout_that_meets_a_request_leaves_it_unanswered() {
    // The client thinks for 1 s after the response, which takes 10 ms. A request that arrives after the server has
    // closed, and was sent before the server's FIN arrived, is reset.
    let race = |idle_timeout: &str| {
        run(
            5,
            &format!(
                "[[workload]]\narrivals = {{ kind = \"burst\", count = 1 }}\nrequests = 2\n\
                 think = \"1 s\"\nidle_timeout = \"{idle_timeout}\"\n"
            ),
        )
    };
    let early = race("990 ms");
    assert_eq!(metric(&early, "requests_made"), 1.0);
    assert_eq!(metric(&early, "requests_unanswered"), 0.0);
    for timeout in ["1001 ms", "1019 ms"] {
        let summary = race(timeout);
        // The FIN was sent before the reset, so the client reads the end of the stream.
        assert_eq!(
            metric(&summary, "requests_unanswered_closed"),
            1.0,
            "{timeout}"
        );
        assert_eq!(metric(&summary, "ended_aborted"), 1.0, "{timeout}");
    }
    let late = race("1021 ms");
    assert_eq!(metric(&late, "requests_done"), 2.0);
}

/// A hundred connections a second, to a server that accepts 30 a second from each queue.
#[test]
fn listeners_that_share_a_port_have_a_queue_and_a_rate_of_accepting_each() {
    let with = |listeners: u32| {
        run(
            10,
            &format!(
                "[[workload]]\narrivals = {{ kind = \"fixed\", rate = \"100 /s\" }}\nstop = \"9 s\"\n\
                 accept_rate = \"30 /s\"\nbacklog = 2000\nlisteners = {listeners}\n"
            ),
        )
    };
    let one = metric(&with(1), "requests_done");
    assert!((one / 300.0 - 1.0).abs() < 0.02, "{one}");
    // A hash divides the connections: about 25 a second each.
    let four = with(4);
    assert_eq!(metric(&four, "requests_done"), 900.0);
    assert_eq!(metric(&four, "listen_end"), 4.0);
    // With two, 50 a second come to each queue, which accepts 30.
    let two = metric(&with(2), "requests_done");
    assert!((two / 600.0 - 1.0).abs() < 0.05, "{two}");
}

#[test]
fn workers_make_a_queue_with_the_mean_wait_of_erlang_c() {
    let (rate, mean) = (50.0, 0.05);
    for (workers, within) in [(3.0_f64, 0.2), (4.0, 0.06)] {
        let summary = run(
            200,
            &format!(
                "[[workload]]\narrivals = {{ kind = \"poisson\", rate = \"50 /s\" }}\n\
                 service = {{ kind = \"exponential\", mean = \"50 ms\" }}\nworkers = {workers}\n\
                 [record]\nsegments = \"none\"\n"
            ),
        );
        let load: f64 = rate * mean;
        let mut term = 1.0;
        let mut sum = 1.0;
        for k in 1..workers as u32 {
            term *= load / f64::from(k);
            sum += term;
        }
        let last = term * load / workers * workers / (workers - load);
        let waits = last / (sum + last);
        let expected = waits / (workers / mean - rate) + mean + 0.02;
        let got = metric(&summary, "request_latency_mean_s");
        assert!(
            (got / expected - 1.0).abs() < within,
            "{workers} workers: {got} for {expected}"
        );
    }
}

#[test]
fn retries_are_made_as_often_as_their_limit_and_budget_allow() {
    let attempts = |retries: &str| {
        let summary = run(
            30,
            &format!(
                "[[workload]]\narrivals = {{ kind = \"fixed\", rate = \"20 /s\" }}\nlimit = 100\n\
                 request_timeout = \"100 ms\"\nservice = \"1 s\"\nretries = {retries}\n"
            ),
        );
        let made = metric(&summary, "connects_attempted");
        assert_eq!(metric(&summary, "requests_unanswered_given_up"), made);
        (made, metric(&summary, "request_unanswered_last_s"))
    };
    let (made, last) = attempts("{ max = 3, backoff = \"100 ms\", jitter = 0.0 }");
    assert_eq!(made, 400.0);
    // The last exchange starts at 4.95 s; four attempts take 120 ms each, with waits of 100, 200 and 400 ms between
    // them.
    close(last, 4.95 + 4.0 * 0.12 + 0.7, 1e-9);
    assert_eq!(attempts("{ max = 3, budget = 0.2 }").0, 120.0);
}

#[test]
fn workloads_share_a_server_port_with_an_exchange_each() {
    let summary = run(
        10,
        r#"[[workload]]
name = "pages"
arrivals = { kind = "burst", count = 10 }
request = "300 B"
response = "5 kB"
[[workload]]
name = "chat"
arrivals = { kind = "burst", count = 7 }
requests = 3
request = "20 B"
response = "50 B"
close = "server"
"#,
    );
    assert_eq!(metric(&summary, "requests_done"), 10.0 + 21.0);
    assert_eq!(metric(&summary, "requests_unanswered"), 0.0);
    assert_eq!(metric(&summary, "bytes_acked"), 10.0 * 5300.0 + 21.0 * 70.0);
    // Each connection closes as its workload says.
    assert_eq!(metric(&summary, "time_wait.client_peak"), 10.0);
    assert_eq!(metric(&summary, "time_wait.server_peak"), 7.0);
}

#[test]
fn a_port_bound_before_connect_serves_one_destination() {
    // 100 ports and a TIME-WAIT of 1 s allow 100 connects per second in total, or 100 to each of two servers.
    let failed = |no_port: bool| {
        let text = format!(
            "name = \"t\"\nduration = \"20 s\"\n[tcp]\nip_local_port_range = [32768, 32867]\n\
             time_wait = \"1 s\"\n[topology]\nkind = \"star\"\nclients = 1\nservers = 2\n\
             access = {{ delay = \"100 us\" }}\n[[workload]]\n\
             arrivals = {{ kind = \"fixed\", rate = \"150 /s\" }}\n\
             ip_bind_address_no_port = {no_port}\n"
        );
        let dir = tempfile::tempdir().unwrap();
        let summary = make(&text, &[], &dir.path().join("run"));
        metric(&summary, "connects_failed_share_steady")
    };
    assert_eq!(failed(true), 0.0);
    close(failed(false), 1.0 / 3.0, 0.01);
}

#[test]
fn a_flood_fills_the_syn_queue_by_littles_law_and_cookies_let_others_through() {
    let flood = r#"[[workload]]
name = "flood"
kind = "syn-flood"
arrivals = { kind = "fixed", rate = "2 /s" }
[[workload]]
name = "pages"
backlog = 4096
arrivals = { kind = "fixed", rate = "1 /s" }
start = "100 s"
"#;
    // SYN-ACKs are retransmitted after 1, 2, 4, 8 and 16 s, and a wait of 32 s follows: 63 s.
    let summary = run_with(200, "tcp_syncookies = 0\ntcp_max_syn_backlog = 4096", flood);
    close(
        metric(&summary, "syn_received.server_peak"),
        2.0 * 63.0,
        2.0,
    );
    assert_eq!(metric(&summary, "connects_failed"), 0.0);
    let small = flood.replace("4096", "16");
    let full = run_with(200, "tcp_syncookies = 0", &small);
    assert_eq!(metric(&full, "syn_received.server_peak"), 17.0);
    let waits = full.metrics.get("connect_latency_max_s");
    let waits = waits.copied().unwrap_or(f64::INFINITY);
    assert!(
        waits > 1.0 || metric(&full, "connects_failed") > 0.0,
        "{waits}"
    );
    let cookies = run_with(200, "tcp_syncookies = 1", &small);
    assert_eq!(metric(&cookies, "connects_established"), 100.0);
    close(metric(&cookies, "connect_latency_max_s"), 0.02, 1e-9);
}

#[test]
fn a_pool_opens_as_many_connections_as_it_may_and_requests_wait_for_them() {
    let pool = |rest: &str| {
        run(
            200,
            &format!(
                "[[workload]]\nstop = \"190 s\"\narrivals = {{ kind = \"poisson\", rate = \"50 /s\" }}\n\
                 service = {{ kind = \"exponential\", mean = \"30 ms\" }}\n{rest}\n\
                 [record]\nsegments = \"none\"\n"
            ),
        )
    };
    // Each request keeps a connection busy for 50 ms: 2.5 of 4 connections are busy on average.
    let summary = pool("pool = { max = 4 }");
    assert_eq!(metric(&summary, "connects_attempted"), 4.0);
    assert_eq!(
        metric(&summary, "requests_unanswered_at_run_end"),
        metric(&summary, "requests_unanswered")
    );
    let busy = metric(&summary, "request_latency_mean_s");
    let waited = metric(&summary, "request_with_connect_mean_s");
    assert!((busy / 0.05 - 1.0).abs() < 0.03, "{busy}");
    assert!(waited > busy + 0.003, "{waited}");
    // One request per connection, as in HTTP/1.0.
    let single = pool("pool = { max_requests = 1 }");
    assert_eq!(
        metric(&single, "connects_attempted"),
        metric(&single, "requests_made")
    );
}

#[test]
fn a_pool_closes_what_is_idle_or_too_much() {
    // Ten requests at once.
    let steps = |pool: &str| {
        run(
            60,
            &format!(
                "[[workload]]\narrivals = {{ kind = \"burst\", count = 10 }}\n\
                 service = \"100 ms\"\npool = {pool}\n"
            ),
        )
    };
    let kept = steps("{ idle = 3 }");
    assert_eq!(metric(&kept, "connects_attempted"), 10.0);
    assert_eq!(metric(&kept, "established.client_end"), 3.0);
    let timed = steps("{ idle = 3, idle_timeout = \"5 s\" }");
    assert_eq!(metric(&timed, "established.client_end"), 0.0);
    assert_eq!(metric(&timed, "time_wait.client_peak"), 10.0);
}

#[test]
fn a_request_that_meets_the_servers_idle_timeout_is_tried_again() {
    // A request every second over one connection. The server closes 985 ms after the last byte, and the next request
    // is sent 5 ms later, before the FIN arrives.
    let race = |retries: &str| {
        run(
            10,
            &format!(
                "[[workload]]\narrivals = {{ kind = \"fixed\", rate = \"1 /s\" }}\nlimit = 5\n\
                 start = \"1 s\"\npool = {{ max = 1 }}\nidle_timeout = \"985 ms\"\n{retries}\n"
            ),
        )
    };
    let lost = race("");
    assert!(metric(&lost, "requests_unanswered") >= 1.0);
    let again = race("retries = { max = 1, backoff = \"1 ms\" }");
    assert_eq!(metric(&again, "requests_done"), 5.0);
}
