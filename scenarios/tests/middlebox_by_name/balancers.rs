//! Load balancers, selected by name.

use scenarios::sweep::Plan;

use crate::{FIREWALL, assert_flows_are_conserved, done, plan, plan as plan_of};

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
    let nobody = refused(
        "\"syn-limit\", rate = 10",
        "\"balancer\", servers = \"server, sevrer\"",
    );
    assert!(nobody.contains("did you mean \"server\""), "{nobody}");
    let front = refused(
        "\"syn-limit\", rate = 10",
        "\"direct-return\", servers = \"server\", balancer = \"lb\"",
    );
    assert!(front.contains("unknown node \"lb\""), "{front}");
    let (before, _) = FIREWALL.split_once("kind = \"application\"").unwrap();
    let arrivals = "arrivals = { kind = \"burst\", count = 1 }";
    let via = plan(&format!("{before}via = \"server\"\n{arrivals}\n")).unwrap_err();
    assert!(via.contains("is not a router with a middlebox"), "{via}");
}

/// Clients and servers at a hub that gives answers of servers the balancer's address; the balancer is at the hub too.
fn direct(balancer: &str, workload: &str, hub: bool) -> Plan {
    let hub = match hub {
        true => {
            ", middlebox = { kind = \"direct-return\", servers = \"server\", balancer = \"lb\" }"
        }
        false => "",
    };
    let text = format!(
        r#"
name = "direct"
duration = "30 s"
[tcp]
profile = "linux"
[topology]
kind = "graph"
host = [{{ name = "client", count = 4 }}, {{ name = "server", count = 2 }}]
router = [
    {{ name = "lb", middlebox = {{ kind = "balancer", servers = "server"{balancer} }} }},
    {{ name = "hub"{hub} }},
]
link = [
    {{ between = ["client", "hub"], delay = "1 ms" }},
    {{ between = ["lb", "hub"], delay = "3 ms" }},
    {{ between = ["server", "hub"], delay = "1 ms" }},
]
[[workload]]
name = "web"
via = "lb"
{workload}
"#
    );
    plan(&text).unwrap()
}

const STEADY: &str = "arrivals = { kind = \"fixed\", rate = \"20 /s\" }\nstop = \"10 s\"";

#[test]
fn servers_of_direct_return_answer_without_the_balancer() {
    let plan = direct(", direct = true", STEADY, true);
    crate::common::assert_same_in_every_partition(&plan);
    crate::common::assert_made_again_from_its_text(&plan);
    let done = done(&plan).metrics;
    assert_eq!(done["requests_done"], 200.0);
    // The way there takes 8 ms through the balancer, the way back 2 ms without it.
    assert!((done["request_latency_p50_s"] - 0.010).abs() < 1e-4);
    assert!(done["direct_return_pkts"] >= 600.0);
    // The balancer sees the client's FIN only, and forgets connections 60 s after it.
    assert_eq!(done["balancer_entries_end"], 200.0);
    assert_eq!(done["balancer_strangers_pkts"], 0.0);
    assert_flows_are_conserved(&done);
    // The server closes first: the client's FIN still ends the entry.
    let server = format!("{STEADY}\nclose = \"server\"");
    let short = direct(", direct = true, closed = \"1 s\"", &server, true);
    let m = crate::done(&short).metrics;
    assert_eq!(m["balancer_entries_closed"], 200.0);
    assert_eq!(m["requests_done"], 200.0);
}

#[test]
fn a_silent_client_is_forgotten_although_its_server_sends() {
    // A response of 100 MB takes many seconds, but its ACKs pass the balancer; a server that works for 10 s is silent
    // both ways; and without ACKs in between the entry would time out.
    let slow = "arrivals = { kind = \"burst\", count = 4 }\nservice = \"10 s\"";
    let plan = direct(", direct = true, idle_timeout = \"5 s\"", slow, true);
    let m = done(&plan).metrics;
    assert_eq!(m["balancer_idle_forgotten"], 4.0);
    // The answer arrives; the client's ACK of it meets a reset.
    assert!(m["balancer_resets_sent"] >= 4.0);
    assert_flows_are_conserved(&m);
}

#[test]
fn without_direct_return_answers_of_servers_belong_to_no_connection() {
    let m = done(&direct(", direct = true", STEADY, false)).metrics;
    assert_eq!(m["connects_established"], 0.0);
}

#[test]
fn a_balancer_leaves_out_servers_that_fail_its_health_checks() {
    let fault = "arrivals = { kind = \"fixed\", rate = \"100 /s\" }\nconnect_timeout = \"100 ms\"\n[[fault]]\nnode = \"server-1\"\nat = \"2.5 s\"\nfor = \"4 s\"";
    let without = done(&balanced("", fault, 12)).metrics;
    // A third of 100 connects a second fail for 4 s.
    assert!((without["connects_aborted"] - 133.0).abs() < 8.0);
    assert!(!without.contains_key("balancer_health_checks"));
    let health = ", health_interval = \"1 s\", health_timeout = \"300 ms\", rise = 2, fall = 2";
    let plan = balanced(health, fault, 12);
    crate::common::assert_same_in_every_partition(&plan);
    crate::common::assert_made_again_from_its_text(&plan);
    let with = done(&plan);
    let m = &with.metrics;
    assert_eq!(
        (m["balancer_health_down"], m["balancer_health_up"]),
        (1.0, 1.0)
    );
    // Twelve checks of each of three servers; four of one of them fail.
    assert_eq!(m["balancer_health_checks"], 36.0);
    assert_eq!(m["balancer_health_checks_failed"], 4.0);
    // It falls 1.3 s after its first failed check begins, which is at most 1 s after the crash.
    assert!(m["connects_aborted"] < 85.0, "{}", m["connects_aborted"]);
    let sentence = "Health checks took servers out of use 1 time, and back into use 1 time.";
    assert!(
        with.findings.iter().any(|f| f == sentence),
        "{:#?}",
        with.findings
    );
    assert_flows_are_conserved(m);
    // Checks also work with direct return.
    let plan = direct(&format!(", direct = true{health}"), STEADY, true);
    let m = done(&plan).metrics;
    assert_eq!(m["balancer_health_checks_failed"], 0.0);
    assert_eq!(m["balancer_health_checks"], 60.0);
}

#[test]
fn a_health_check_that_outlasts_its_interval_is_refused() {
    let text = ", health_interval = \"1 s\", health_timeout = \"2 s\"";
    let text = format!(
        "name = \"x\"\nduration = \"1 s\"\n[topology]\nkind = \"graph\"\nhost = [{{ name = \"client\" }}, {{ name = \"server\" }}]\nrouter = [{{ name = \"lb\", middlebox = {{ kind = \"balancer\", servers = \"server\"{text} }} }}]\nlink = [{{ between = [\"client\", \"lb\"], delay = \"1 ms\" }}, {{ between = [\"lb\", \"server\"], delay = \"1 ms\" }}]\n[[workload]]\nvia = \"lb\"\narrivals = {{ kind = \"burst\", count = 1 }}\n"
    );
    let refused = plan_of(&text).unwrap_err();
    assert!(refused.contains("health_interval"), "{refused}");
}
