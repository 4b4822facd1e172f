//! Load balancers, selected by name.

use scenarios::sweep::Plan;

use crate::{FIREWALL, assert_flows_are_conserved, done, plan};

/// Ten clients behind a balancer in front of three servers.
fn balanced(balancer: &str, workload: &str, seconds: u32) -> Plan {
    let text = format!(
        r#"
name = "balanced"
duration = "{seconds} s"
[tcp]
profile = "linux"
[topology]
kind = "graph"
host = [{{ name = "client", count = 10 }}, {{ name = "server", count = 3 }}]
router = [{{ name = "lb", middlebox = {{ kind = "balancer", servers = "server"{balancer} }} }}]
link = [
    {{ between = ["client", "lb"], delay = "1 ms" }},
    {{ between = ["lb", "server"], delay = "1 ms" }},
]
[[workload]]
name = "web"
via = "lb"
{workload}
"#
    );
    plan(&text).unwrap()
}

#[test]
fn a_balancer_gives_each_server_its_share() {
    let web = "arrivals = { kind = \"poisson\", rate = \"50 /s\" }\nservice = { kind = \"exponential\", mean = \"100 ms\" }";
    for (method, most) in [
        ("round-robin", 1.01),
        ("least-connections", 1.05),
        ("hash", 1.15),
    ] {
        let plan = balanced(&format!(", method = \"{method}\""), web, 10);
        let done = done(&plan).metrics;
        assert_eq!(done["connects_refused"], 0.0, "{method}");
        assert_eq!(
            done["balancer_connections"], done["connects_attempted"],
            "{method}"
        );
        let imbalance = done["balancer_imbalance"];
        assert!((1.0..=most).contains(&imbalance), "{method}: {imbalance}");
        assert_eq!(done["balancer_strangers_pkts"], 0.0, "{method}");
        assert_flows_are_conserved(&done);
    }
}

#[test]
fn a_connection_that_a_balancer_forgot_is_reset_or_hangs() {
    // Two requests, 10 s apart; the balancer forgets a connection after 5 s.
    let web = "arrivals = { kind = \"burst\", count = 10 }\nrequests = 2\nthink = \"10 s\"";
    let short = ", idle_timeout = \"5 s\"";
    let reset = done(&balanced(short, web, 60));
    assert_eq!(reset.metrics["balancer_idle_forgotten"], 10.0);
    assert_eq!(reset.metrics["requests_unanswered_reset"], 10.0);
    assert!(
        reset
            .findings
            .iter()
            .any(|f| f.starts_with("A balancer forgot 10 connections that had been silent")),
        "{:#?}",
        reset.findings
    );
    let silent = done(&balanced(&format!("{short}, reset = false"), web, 60)).metrics;
    assert_eq!(silent["balancer_resets_sent"], 0.0);
    assert_eq!(silent["requests_unanswered_at_run_end"], 10.0);
    assert_flows_are_conserved(&silent);
    let long = done(&balanced(", idle_timeout = \"15 s\"", web, 60)).metrics;
    assert_eq!(
        (long["requests_done"], long["requests_unanswered"]),
        (20.0, 0.0)
    );
}

/// From 5 s on the third server gets no new connections; its requests, which take 8 s, are cut off 2 s later.
#[test]
fn a_drained_server_keeps_its_connections_for_a_while() {
    let web =
        "arrivals = { kind = \"fixed\", rate = \"3 /s\" }\nstop = \"10 s\"\nservice = \"8 s\"";
    let drain = |time: &str| {
        let keys = format!(", drain = \"server-2\", drain_at = \"5 s\", drain_time = \"{time}\"");
        balanced(&keys, web, 60)
    };
    let patient = done(&drain("300 s")).metrics;
    assert_eq!(patient["balancer_entries_drained"], 0.0);
    assert_eq!(patient["requests_unanswered"], 0.0);
    assert!(
        patient["balancer_imbalance"] > 1.2,
        "two servers did the rest"
    );
    let plan = drain("2 s");
    crate::common::assert_same_in_every_partition(&plan);
    let hasty = done(&plan).metrics;
    assert_eq!(hasty["balancer_entries_drained"], 5.0);
    assert_eq!(hasty["requests_unanswered"], 5.0);
    assert_flows_are_conserved(&hasty);
}

#[test]
fn the_mistakes_about_balancers_are_named() {
    let refused = |from: &str, to: &str| plan(&FIREWALL.replace(from, to)).unwrap_err();
    let method = refused(
        "\"syn-limit\", rate = 10",
        "\"balancer\", servers = \"server\", method = \"random\"",
    );
    assert!(
        method.contains("round-robin, least-connections or hash"),
        "{method}"
    );
    let (before, _) = FIREWALL.split_once("kind = \"application\"").unwrap();
    let arrivals = "arrivals = { kind = \"burst\", count = 1 }";
    let via = plan(&format!("{before}via = \"server\"\n{arrivals}\n")).unwrap_err();
    assert!(via.contains("is not a router with a middlebox"), "{via}");
}
