//! Proxies between clients and servers: connections of their own, time-outs, the next server, circuit breakers
//! and health checks; and circuit breakers of clients.

use std::collections::BTreeMap;

use reports::store::RunSummary;

use crate::common::{plan, run_once};

/// Four clients, a proxy and two servers, each 1 ms from a hub.
fn proxied(seconds: u32, workload: &str, proxy: &str, rest: &str) -> String {
    format!(
        r#"
name = "proxied"
duration = "{seconds} s"
[tcp]
profile = "linux"
[topology]
kind = "graph"
host = [{{ name = "client", count = 4 }}, {{ name = "proxy" }}, {{ name = "server", count = 2 }}]
router = [{{ name = "hub" }}]
link = [
    {{ between = ["client", "hub"], delay = "1 ms" }},
    {{ between = ["proxy", "hub"], delay = "1 ms" }},
    {{ between = ["server", "hub"], delay = "1 ms" }},
]
[[workload]]
name = "web"
service = "5 ms"
proxy = {{ host = "proxy"{proxy} }}
{workload}
{rest}
"#
    )
}

const STEADY: &str = "arrivals = { kind = \"fixed\", rate = \"100 /s\" }\nstop = \"9 s\"";
const DOWN: &str = "[[fault]]\nnode = \"server-0\"\nat = \"0 s\"\nfor = \"20 s\"";

fn run(text: &str) -> RunSummary {
    let summary = run_once(text);
    conserved(&summary.metrics);
    summary
}

/// Every request that reaches a proxy is answered, refused, abandoned or in progress.
fn conserved(m: &BTreeMap<String, f64>) {
    let ends = [
        "proxy_answered",
        "proxy_errors",
        "proxy_client_gone",
        "proxy_pending",
    ];
    let all: f64 = ends.iter().map(|id| m[*id]).sum();
    assert_eq!(all, m["proxy_requests"]);
    let errors = m["proxy_errors_502"] + m["proxy_errors_503"] + m["proxy_errors_504"];
    assert_eq!(errors, m["proxy_errors"]);
}

/// Times of the client are known to the microsecond: no link has a rate, so that only delays count.
fn assert_ms(seconds: f64, ms: f64) {
    assert!((seconds * 1e3 - ms).abs() < 0.1, "{seconds} s, not {ms} ms");
}

#[test]
fn a_proxy_connects_for_each_request_or_keeps_its_connections() {
    let m = run(&proxied(10, STEADY, "", "")).metrics;
    assert_eq!((m["proxy_requests"], m["requests_done"]), (900.0, 900.0));
    assert_eq!(m["pool_connections_opened"], 900.0);
    assert_eq!(m["pool_closed_max_requests"], 900.0);
    assert_eq!(
        (m["proxy_errors"], m["proxy_tries_per_request"]),
        (0.0, 1.0)
    );
    // A round trip of 4 ms for the handshake, another for the request, and 5 ms of service.
    assert_ms(m["proxy_time_p50_s"], 13.0);
    assert_ms(m["request_latency_p50_s"], 17.0);

    let kept = run(&proxied(10, STEADY, ", pool = {}", "")).metrics;
    assert_eq!(kept["requests_done"], 900.0);
    // Two servers take turns; each has at most one request at a time after the first.
    assert_eq!(kept["pool_connections_opened"], 2.0);
    assert_ms(kept["request_latency_p50_s"], 13.0);

    let limited = ", pool = { max_requests = 10 }";
    let m = run(&proxied(10, STEADY, limited, "")).metrics;
    assert_eq!(m["pool_closed_max_requests"], 90.0);
}

#[test]
fn a_request_that_takes_too_long_is_tried_with_the_next_server() {
    // The server that is down does not answer: each try with it takes 100 ms.
    let once = ", connect_timeout = \"100 ms\"";
    let m = run(&proxied(10, STEADY, once, DOWN)).metrics;
    assert_eq!((m["proxy_errors_504"], m["proxy_answered"]), (450.0, 450.0));
    // The client sees a response that ends too early.
    assert_eq!(m["requests_unanswered_closed"], 450.0);
    let twice = ", connect_timeout = \"100 ms\", tries = 2";
    let m = run(&proxied(10, STEADY, twice, DOWN)).metrics;
    assert_eq!((m["proxy_errors"], m["requests_done"]), (0.0, 900.0));
    assert_eq!(m["proxy_next_upstream"], m["proxy_tries_failed_timed_out"]);
    // While a request is tried with the other server, that server's turn is used up: more than half of the
    // requests begin with the one that is down.
    assert!(m["proxy_next_upstream"] >= 450.0);
    assert_ms(m["proxy_time_max_s"], 113.0);
    // A time-out of the whole try is as good as one of the connect.
    let try_timeout = ", try_timeout = \"100 ms\", tries = 2";
    let same = run(&proxied(10, STEADY, try_timeout, DOWN)).metrics;
    assert_eq!(same["proxy_next_upstream"], m["proxy_next_upstream"]);
    // A server that is slow: 5 ms of service do not fit into a try of 8 ms with its two round trips.
    let slow = run(&proxied(10, STEADY, ", try_timeout = \"8 ms\"", "")).metrics;
    assert_eq!(slow["proxy_errors_504"], 900.0);
}

#[test]
fn a_circuit_breaker_leaves_a_server_alone_and_tries_it_again() {
    let breaker =
        ", connect_timeout = \"100 ms\", tries = 2, breaker = { failures = 5, open = \"2 s\" }";
    let m = run(&proxied(10, STEADY, breaker, DOWN)).metrics;
    assert_eq!((m["proxy_errors"], m["requests_done"]), (0.0, 900.0));
    // It opens after 5 failures, and again after each trial every 2.1 s. At the first time a few more tries are
    // under way: those of 100 ms.
    assert_eq!(m["breaker_opened"], 5.0);
    let failed = m["proxy_tries_failed_timed_out"];
    assert!((9.0..=25.0).contains(&failed), "{failed}");
    let back = DOWN.replace("20 s", "5 s");
    let m = run(&proxied(10, STEADY, breaker, &back)).metrics;
    assert_eq!(m["breaker_closed"], 1.0);
    // Every server down: nothing can be tried.
    let all = DOWN.replace("server-0", "server");
    let m = run(&proxied(10, STEADY, breaker, &all)).metrics;
    assert!(m["proxy_errors_503"] > 800.0, "{}", m["proxy_errors_503"]);
}

#[test]
fn health_checks_take_a_server_out_of_use_and_back() {
    let health = ", connect_timeout = \"100 ms\", health = { interval = \"1 s\", timeout = \"500 ms\", rise = 2, fall = 2 }";
    let fault = "[[fault]]\nnode = \"server-0\"\nat = \"2.2 s\"\nfor = \"3 s\"";
    let m = run(&proxied(10, STEADY, health, fault)).metrics;
    // Checks of server-0 at 3 s and 4 s fail after 500 ms: from 4.5 s on it is not used. Those at 6 s and 7 s succeed.
    assert_eq!((m["health_down"], m["health_up"]), (1.0, 1.0));
    assert_eq!(m["health_checks_failed"], 3.0);
    assert_eq!(m["health_checks"], 20.0);
    // Half of the requests from 2.2 s to 4.5 s.
    let failed = m["proxy_errors_504"];
    assert!((100.0..=130.0).contains(&failed), "{failed}");
}

#[test]
fn a_proxy_without_ports_answers_502_and_a_full_queue_503() {
    let text = proxied(10, STEADY, "", "").replace(
        "profile = \"linux\"",
        "profile = \"linux\"\n[tcp.host.proxy]\nip_local_port_range = [40000, 40099]",
    );
    let m = run(&text).metrics;
    // A hundred ports for each server, held for 60 s.
    assert_eq!((m["proxy_answered"], m["proxy_errors_502"]), (200.0, 700.0));
    assert_eq!(m["proxy_tries_failed_no_port"], 700.0);
    // Two connections with a service time of 5 ms and a round trip of 4 ms serve 222 requests a second.
    let busy = STEADY.replace("100 /s", "400 /s");
    let queue = ", queue = 10, pool = { max = 1 }";
    let m = run(&proxied(10, &busy, queue, "")).metrics;
    assert!(m["proxy_errors_503"] > 1000.0);
    assert_eq!(m["pool_waiting_peak"], 10.0);
    let served = m["proxy_answered"] / 9.0;
    assert!((served / (2.0 / 0.009) - 1.0).abs() < 0.02, "{served}");
    // Clients that give up leave the queue.
    let impatient = format!("{busy}\nrequest_timeout = \"100 ms\"");
    let m = run(&proxied(10, &impatient, ", pool = { max = 1 }", "")).metrics;
    assert!(m["proxy_client_gone"] > 1000.0);
}

/// Both servers are tried in turn, although neither has a port left; the queue of requests without responses empties
/// at once.
#[test]
fn a_thousand_tries_and_a_long_queue_are_worked_off_without_recursion() {
    let short = STEADY.replace("9 s", "3 s");
    let text = proxied(4, &short, ", tries = 1000", "").replace(
        "profile = \"linux\"",
        "profile = \"linux\"\n[tcp.host.proxy]\nip_local_port_range = [40000, 40009]",
    );
    let m = run(&text).metrics;
    assert_eq!((m["proxy_answered"], m["proxy_errors_502"]), (20.0, 280.0));
    assert_eq!(m["proxy_tries_failed_no_port"], 280_000.0);
    let burst = "arrivals = { kind = \"burst\", count = 2800 }\nhow = \"half\"\nrequest = \"1 B\"\nresponse = \"0 B\"";
    let m = run(&proxied(10, burst, ", pool = { max = 1 }", "")).metrics;
    assert_eq!(m["proxy_answered"], 2_800.0);
}

#[test]
fn a_proxy_serves_kept_connections_and_half_closing_clients() {
    let kept = format!("{STEADY}\nrequests = 3\nthink = \"10 ms\"");
    let m = run(&proxied(11, &kept, ", pool = {}", "")).metrics;
    assert_eq!((m["proxy_answered"], m["requests_done"]), (2700.0, 2700.0));
    let half = format!("{STEADY}\nhow = \"half\"");
    let m = run(&proxied(10, &half, ", pool = { max = 1 }", "")).metrics;
    assert_eq!((m["requests_done"], m["proxy_client_gone"]), (900.0, 0.0));
    let pool = format!("{STEADY}\npool = {{}}");
    let m = run(&proxied(10, &pool, "", "")).metrics;
    assert_eq!(m["requests_done"], 900.0);
}

#[test]
fn a_circuit_breaker_of_a_client_spares_a_server_that_is_down() {
    let text = |more: &str| {
        let text = proxied(10, STEADY, "", DOWN).replace("proxy = { host = \"proxy\" }", "");
        text.replace(
            "[[fault]]",
            &format!("connect_timeout = \"100 ms\"\n{more}\n[[fault]]"),
        )
    };
    let m = run_once(&text("")).metrics;
    assert_eq!(m["connects_aborted"], 450.0);
    let m = run_once(&text("breaker = { failures = 3, open = \"2 s\" }")).metrics;
    // Each of the four clients opens its breaker, and again after each trial every 2.1 s.
    assert!((16.0..=20.0).contains(&m["breaker_opened"]));
    assert!(m["connects_aborted"] < 60.0, "{}", m["connects_aborted"]);
    let pooled = "pool = {}\nbreaker = { failures = 3, open = \"2 s\" }";
    let m = run_once(&text(pooled)).metrics;
    assert!(m["connects_aborted"] < 60.0, "{}", m["connects_aborted"]);
    assert!(m["requests_done"] > 800.0);
    // With retries nothing fails in the end, and the time with all attempts shows what retries cost.
    let retries = "exchange_times = true\nbreaker = { share = 0.5, window = 4, open = \"2 s\" }\nretries = { max = 3, backoff = \"10 ms\", jitter = 0.0 }";
    let m = run_once(&text(retries)).metrics;
    assert_eq!(m["exchanges_failed"], 0.0);
    assert!(
        m["exchange_time_max_s"] >= 0.11,
        "{}",
        m["exchange_time_max_s"]
    );
    assert!(m["request_latency_max_s"] < 0.02);
    // All servers down and all breakers open: exchanges fail at once.
    let all = text("breaker = { failures = 1 }").replace("server-0", "server");
    let m = run_once(&all).metrics;
    assert!(m["breaker_rejected"] > 700.0, "{}", m["breaker_rejected"]);
}

#[test]
fn the_time_of_an_exchange_counts_failed_attempts_and_back_off() {
    // The only server is down for the first 1.95 s. The connect at 1 s is given up after 300 ms, and again after each
    // back-off of 400 ms: attempts at 1 s, 1.7 s and 2.4 s. The last one takes two round trips of 4 ms and 5 ms.
    let text = r#"
name = "attempts"
duration = "5 s"
[tcp]
profile = "linux"
[topology]
kind = "pair"
path = { delay = "2 ms" }
[[fault]]
node = "server"
at = "0 s"
for = "1.95 s"
[[workload]]
name = "web"
start = "1 s"
arrivals = { kind = "burst", count = 1 }
service = "5 ms"
connect_timeout = "300 ms"
exchange_times = true
retries = { max = 5, backoff = "400 ms", factor = 1.0, jitter = 0.0 }
"#;
    let m = run_once(text).metrics;
    assert_eq!(m["retries_made"], 2.0);
    assert_ms(m["exchange_time_max_s"], 1413.0);
    assert_ms(m["request_with_connect_max_s"], 13.0);
    // It fails for good after its only attempt.
    let once = text.replace("max = 5", "max = 0");
    let m = run_once(&once).metrics;
    assert_ms(m["exchange_time_failed_mean_s"], 300.0);
    // Between two attempts when the run ends.
    let short = text.replace("duration = \"5 s\"", "duration = \"2.1 s\"");
    let m = run_once(&short).metrics;
    assert_eq!(m["exchanges_pending"], 1.0);
    assert_ms(m["exchange_pending_wait_max_s"], 1100.0);
}

#[test]
fn what_does_not_fit_a_proxy_is_refused() {
    let refused = |workload: &str, proxy: &str, change: (&str, &str)| {
        let text = proxied(10, workload, proxy, "").replace(change.0, change.1);
        plan(&text, &[]).unwrap_err().to_string()
    };
    let none = ("", "");
    let host = refused(
        STEADY,
        "",
        ("proxy = { host = \"proxy\"", "proxy = { host = \"prox\""),
    );
    assert!(host.contains("prox"), "{host}");
    let own = refused(
        STEADY,
        "",
        ("proxy = { host = \"proxy\"", "proxy = { host = \"server\""),
    );
    assert!(own.contains("the server of the same workload"), "{own}");
    for (proxy, word) in [
        (", tries = 0", "tries"),
        (", tries = 1001", "tries"),
        (", pool = { max = 0 }", "max"),
        (", try_timeout = \"0 s\"", "try_timeout"),
        (
            ", health = { interval = \"1 s\", timeout = \"2 s\" }",
            "a check may take 2 s",
        ),
        (", health = { fall = 0 }", "fall"),
        (", breaker = { failures = 0 }", "failures"),
        (", breaker = { share = 0.0 }", "share"),
        (", breaker = { open = \"0 s\" }", "open"),
    ] {
        let message = refused(STEADY, proxy, none);
        assert!(message.contains(word), "{proxy}: {message}");
    }
    let workload = format!("{STEADY}\nclose = \"server\"\nrespond_after = \"10 B\"");
    let message = refused(&workload, "", none);
    assert!(
        message.contains("cannot be combined with `proxy`"),
        "{message}"
    );
    // Two workloads on one port of a proxy.
    let second = format!(
        "{}\n[[workload]]\nname = \"other\"\nproxy = {{ host = \"proxy\" }}\n{STEADY}",
        proxied(10, STEADY, "", "")
    );
    let message = plan(&second, &[]).unwrap_err().to_string();
    assert!(message.contains("already serves"), "{message}");
}

/// A scenario with a proxy whose pool, time-outs, tries, breakers, checks and faults are drawn at random.
fn random_world(number: u64) -> String {
    let mut state = number;
    let mut draw = |n: usize| {
        state = sim_core::rng::mix(state.wrapping_add(0x9e37_79b9_7f4a_7c15));
        (state >> 33) as usize % n
    };
    let mut proxy = String::new();
    proxy += [
        "",
        ", pool = {}",
        ", pool = { max = 2, idle = 1, max_requests = 5 }",
        ", pool = { max = 3, idle_timeout = \"200 ms\", max_lifetime = \"1 s\" }",
    ][draw(4)];
    proxy += ["", ", tries = 3"][draw(2)];
    proxy += [
        "",
        ", connect_timeout = \"80 ms\"",
        ", try_timeout = \"60 ms\"",
    ][draw(3)];
    proxy += ["", ", queue = 5", ", queue = 0"][draw(3)];
    proxy += [
        "",
        ", breaker = {}",
        ", breaker = { share = 0.3, window = 7, open = \"400 ms\" }",
    ][draw(3)];
    proxy += [
        "",
        ", health = { interval = \"300 ms\", timeout = \"100 ms\" }",
    ][draw(2)];
    proxy += ["", ", idle_timeout = \"300 ms\""][draw(2)];
    let client = [
        "",
        "requests = 4\nthink = \"50 ms\"\n",
        "pool = { max = 3 }\nrequest_timeout = \"100 ms\"\nretries = { max = 2, backoff = \"20 ms\" }\n",
        "how = \"rst\"\n",
        "how = \"half\"\n",
        "close = \"server\"\nrequest_timeout = \"50 ms\"\nbreaker = { failures = 2, open = \"1 s\" }\n",
    ][draw(6)];
    let workers = ["", "workers = 1\n", "idle_timeout = \"150 ms\"\n"][draw(3)];
    let fault = [
        "",
        "[[fault]]\nnode = \"server-0\"\nat = \"1 s\"\nfor = \"1 s\"\n",
        "[[fault]]\nnode = \"proxy\"\nat = \"1 s\"\nfor = \"300 ms\"\n",
        "[[fault]]\nnode = \"server\"\nat = \"1 s\"\nfor = \"500 ms\"\npause = true\n",
        "[[fault]]\nnode = \"client\"\nat = \"1 s\"\nfor = \"300 ms\"\n",
    ][draw(5)];
    let rate = ["20", "150", "600"][draw(3)];
    let workload = format!(
        "arrivals = {{ kind = \"poisson\", rate = \"{rate} /s\" }}\nstop = \"2.5 s\"\nresponse = {{ kind = \"exponential\", mean = \"3 kB\" }}\n{client}{workers}"
    );
    let loss = ["0", "0.02"][draw(2)];
    let text = proxied(3, &workload, &proxy, fault);
    text.replace(
        "delay = \"1 ms\"",
        &format!("delay = \"1 ms\", loss = {loss}"),
    )
}

#[test]
fn every_request_at_a_proxy_ends_in_exactly_one_way_in_random_worlds() {
    for number in 0..24 {
        let text = random_world(number);
        let plan = plan(&text, &[]).unwrap_or_else(|e| panic!("world {number}: {e}"));
        let summary =
            crate::common::summary_of(&plan, 0, scenarios::execution::Execution::default());
        let m = &summary.metrics;
        assert!(m["proxy_requests"] > 0.0, "world {number}");
        conserved(m);
        // A connection of the pool is closed once at most; those of a proxy that crashed are not closed at all.
        let closed: f64 = [
            "idle",
            "lifetime",
            "max_requests",
            "surplus",
            "server",
            "given_up",
        ]
        .map(|why| m[&format!("pool_closed_{why}")])
        .iter()
        .sum();
        let opened = m["pool_connections_opened"];
        assert!(closed <= opened, "world {number}: {closed} of {opened}");
        assert!(
            m["pool_requests_sent"] >= m["proxy_answered"],
            "world {number}"
        );
        if number % 8 == 0 {
            crate::common::assert_same_in_every_partition(&plan);
        }
    }
}

/// Two connections serve 222 of 400 requests a second: nothing fails, but requests pile up at the proxy.
#[test]
fn a_pool_of_a_proxy_that_lets_requests_pile_up_is_no_remedy() {
    let busy = STEADY.replace("100 /s", "400 /s");
    let variants = "[[variant]]\nname = \"small\"\nnote = \"few connections\"\nset = { \"workload.web.proxy.pool\" = { max = 1 } }\n\
                    [[variant]]\nname = \"large\"\nset = { \"workload.web.proxy.pool\" = { max = 10 } }\n";
    let text = proxied(9, &busy.replace("9 s", "20 s"), "", variants);
    let dir = crate::common::directory(&[("piles.toml", &text)]);
    let (code, out, err) = crate::common::said(dir.path(), &["run", "piles.toml", "--out", "r"]);
    assert_eq!(code, 0, "{err}");
    assert!(
        out.contains("The first sufficient remedy is \"large\""),
        "{out}"
    );
    let small = "Not sufficient: \"small\" (";
    assert!(
        out.contains(small) && out.contains("requests still waited for a connection at the end"),
        "{out}"
    );
}
