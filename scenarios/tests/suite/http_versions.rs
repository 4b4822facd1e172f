//! The versions of HTTP by name: how many connections they need, and what a slow response or a lost segment holds up.

use crate::common::{metric, plan, run_once};

/// One client and one server, 5 ms apart.
fn web(http: &str, workload: &str) -> String {
    format!(
        r#"
name = "http"
duration = "20 s"
[tcp]
profile = "linux"
[topology]
kind = "pair"
path = {{ delay = "5 ms" }}
[[workload]]
name = "web"
http = "http/{http}"
stop = "10 s"
{workload}
"#
    )
}

#[test]
fn each_version_has_its_number_of_connections() {
    // Ten requests at once, each served for 50 ms, after a round trip of 10 ms for the handshake and one for the
    // request.
    let ten = "arrivals = { kind = \"burst\", count = 10 }\nservice = \"50 ms\"";
    for (http, connections, last_ms) in [
        ("1.0", 10.0, 70.0),
        // One after the other: 10 ms, and 60 ms for each.
        ("1.1", 1.0, 610.0),
        // Six and four.
        ("1.1-six", 6.0, 130.0),
        ("2", 1.0, 70.0),
    ] {
        let summary = run_once(&web(http, ten));
        let get = |id| metric(&summary, id);
        assert_eq!(get("requests_done"), 10.0, "{http}");
        assert_eq!(get("connects_established"), connections, "{http}");
        let last = get("request_with_connect_max_s") * 1e3;
        assert!((last - last_ms).abs() < 0.5, "{http}: {last} ms");
    }
}

#[test]
fn a_connection_of_http_1_0_is_closed_by_its_server() {
    let ten = "arrivals = { kind = \"burst\", count = 10 }";
    let summary = run_once(&web("1.0", ten));
    let server = run_once(&web("1.1", ten));
    assert_eq!(summary.counters["server"]["time_wait_made"], 10);
    let made = server
        .counters
        .get("server")
        .and_then(|c| c.get("time_wait_made"));
    assert_eq!(made.copied().unwrap_or(0), 0);
}

/// With services of 0 to 100 ms responses come out of order; each request still waits for its own service only.
#[test]
fn responses_come_when_they_are_ready() {
    let steady = "arrivals = { kind = \"fixed\", rate = \"200 /s\" }\nservice = { kind = \"uniform\", min = \"0 ms\", max = \"100 ms\" }";
    let summary = run_once(&web("2", steady));
    let get = |id| metric(&summary, id);
    assert_eq!(get("requests_done"), 2000.0);
    assert_eq!(get("pool_connections_opened"), 1.0);
    // Uniform between 10 ms and 110 ms.
    for (id, ms) in [
        ("request_latency_mean_s", 60.0),
        ("request_latency_p50_s", 60.0),
        ("request_latency_p99_s", 109.0),
    ] {
        let found = get(id) * 1e3;
        assert!((found - ms).abs() < 3.0, "{id}: {found} ms");
    }
    assert!(get("request_latency_max_s") < 0.1105);
    // A limit of two at a time makes them wait.
    let two = format!("{steady}\npool = {{ streams = 2 }}").replace("200 /s", "25 /s");
    let summary = run_once(&web("2", &two));
    assert!(metric(&summary, "pool_waiting_peak") >= 1.0);
    assert!(metric(&summary, "pool_busy_peak") <= 1.0);
}

#[test]
fn a_connection_leaves_after_its_last_request_and_all_are_answered() {
    let going = "arrivals = { kind = \"fixed\", rate = \"100 /s\" }\nservice = \"100 ms\"\npool = { max_requests = 50 }";
    let summary = run_once(&web("2", going));
    let get = |id| metric(&summary, id);
    assert_eq!(
        (get("requests_done"), get("requests_unanswered")),
        (1000.0, 0.0)
    );
    assert_eq!(get("pool_closed_max_requests"), 20.0);
    // The next connection is opened while the last requests of the one before are in flight.
    assert_eq!(get("pool_open_peak"), 2.0);
}

#[test]
fn a_request_given_up_leaves_the_connection_alone() {
    let slow = "arrivals = { kind = \"fixed\", rate = \"50 /s\" }\nservice = { kind = \"uniform\", min = \"0 ms\", max = \"200 ms\" }\nrequest_timeout = \"110 ms\"\nresponse = \"2000 B\"";
    let summary = run_once(&web("2", slow));
    let get = |id| metric(&summary, id);
    assert_eq!(
        get("requests_done") + get("requests_unanswered_given_up"),
        500.0
    );
    // Half of the services take longer than 100 ms.
    assert!((get("requests_done") - 250.0).abs() < 40.0);
    assert_eq!(get("pool_connections_opened"), 1.0);
    assert!(get("request_latency_max_s") <= 0.11);
}

/// The client pauses from 1.1 s to 2.1 s, and its request is to be given up at 1.31 s.
#[test]
fn a_time_out_during_a_pause_of_the_client_comes_after_it() {
    let slow = "start = \"1 s\"\narrivals = { kind = \"burst\", count = 1 }\nservice = \"10 s\"\nrequest_timeout = \"300 ms\"";
    let pause = "[[fault]]\nnode = \"client\"\nat = \"1.1 s\"\nfor = \"1 s\"\npause = true";
    let summary = run_once(&format!("{}{pause}\n", web("2", slow)));
    assert_eq!(metric(&summary, "requests_unanswered_given_up"), 1.0);
}

/// A request without a response is done once it is written: the queue empties at once when the connection is there.
#[test]
fn a_long_queue_of_requests_without_responses_is_written_at_once() {
    let many =
        "arrivals = { kind = \"burst\", count = 50000 }\nrequest = \"1 B\"\nresponse = \"0 B\"";
    let summary = run_once(&web("1.1", many));
    assert_eq!(metric(&summary, "requests_one_way"), 50_000.0);
    assert_eq!(metric(&summary, "pool_connections_opened"), 1.0);
}

#[test]
fn a_lost_segment_holds_up_all_responses_of_a_connection() {
    let steady = "arrivals = { kind = \"fixed\", rate = \"500 /s\" }";
    let lossy = |http: &str| {
        let text =
            web(http, steady).replace("delay = \"5 ms\" }", "delay = \"5 ms\", loss = 0.01 }");
        metric(&run_once(&text), "request_latency_mean_s")
    };
    let (two, six) = (lossy("2"), lossy("1.1-six"));
    let clean = metric(&run_once(&web("2", steady)), "request_latency_mean_s");
    assert!(two > 1.1 * clean, "{two} {clean}");
    // With 500 requests a second and 10 ms each, six connections are busy and only one waits for the lost segment,
    // for longer: it has no later data that would show the loss.
    assert!(six > clean);
}

#[test]
fn a_server_that_dies_takes_all_requests_of_a_connection_with_it() {
    let steady = "arrivals = { kind = \"fixed\", rate = \"100 /s\" }\nservice = \"100 ms\"\nretries = { max = 5, backoff = \"200 ms\" }\nconnect_timeout = \"100 ms\"\nrequest_timeout = \"300 ms\"";
    let fault = "[[fault]]\nnode = \"server\"\nat = \"3 s\"\nfor = \"500 ms\"";
    let summary = run_once(&format!("{}{fault}\n", web("2", steady)));
    let get = |id| metric(&summary, id);
    assert_eq!(get("exchanges_begun"), 1000.0);
    assert_eq!(get("requests_done") + get("exchanges_failed"), 1000.0);
    assert!(get("requests_unanswered") >= 10.0);
    assert!(get("pool_connections_opened") >= 2.0);
}

#[test]
fn a_server_with_workers_serves_requests_of_all_connections_in_order() {
    let busy = "arrivals = { kind = \"burst\", count = 8 }\nservice = \"50 ms\"\nworkers = 2";
    let summary = run_once(&web("2", busy));
    // Four rounds of 50 ms after two round trips.
    let last = metric(&summary, "request_with_connect_max_s") * 1e3;
    assert!((last - 220.0).abs() < 0.5, "{last} ms");
}

#[test]
fn what_does_not_fit_a_version_is_refused() {
    let refused = |http: &str, workload: &str| {
        let workload = format!("arrivals = {{ kind = \"burst\", count = 1 }}\n{workload}");
        plan(&web(http, &workload), &[]).unwrap_err().to_string()
    };
    let unknown = refused("3", "");
    assert!(unknown.contains("version of HTTP"), "{unknown}");
    let pool = refused("1.0", "pool = {}");
    assert!(pool.contains("keeps no connections"), "{pool}");
    let breaker = refused("2", "breaker = {}");
    assert!(breaker.contains("streams"), "{breaker}");
    let requests = refused("2", "requests = 3");
    assert!(requests.contains("this workload has a pool"), "{requests}");
    let shared = "arrivals = { kind = \"burst\", count = 1 }\n[[workload]]\nname = \"other\"\narrivals = { kind = \"burst\", count = 1 }";
    let shared = plan(&web("2", shared), &[]).unwrap_err().to_string();
    assert!(shared.contains("streams"), "{shared}");
}
