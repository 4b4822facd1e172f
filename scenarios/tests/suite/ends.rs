//! How connections, requests and flows end, in metrics and findings.

use std::collections::BTreeMap;

use crate::common::{make, metric, run_once};
use reports::RunSummary;
use reports::store::reader::Table;

/// One client and one server with a one-way delay of 10 ms; `path` has further keys of the path, and
/// `rest` is appended to the scenario.
fn run(path: &str, rest: &str) -> RunSummary {
    let delay = if path.contains("delay") {
        ""
    } else {
        "delay = \"10 ms\""
    };
    let text = format!(
        "name = \"ends\"\n{rest}\n[topology]\nkind = \"pair\"\npath = {{ {delay}{path} }}\n"
    );
    run_once(&text)
}

#[test]
fn a_request_that_is_never_answered_is_the_headline() {
    let summary = run(
        "delay = \"1 ms\", changes = [{ at = \"1 s\", up = false }]",
        "duration = \"1000 s\"\n[[workload]]\nname = \"web\"\nrequests = 2\nthink = \"2 s\"\n\
         arrivals = { kind = \"burst\", count = 1 }",
    );
    assert_eq!(metric(&summary, "requests_made"), 2.0);
    assert_eq!(metric(&summary, "requests_unanswered"), 1.0);
    assert_eq!(metric(&summary, "requests_unanswered_timed_out"), 1.0);
    assert_eq!(metric(&summary, "requests_unanswered_share"), 0.5);
    let ended = metric(&summary, "ended_timed_out_first_s");
    assert!((ended - 928.9).abs() < 0.1, "{ended}");
    assert!(
        summary.findings[0].starts_with(
            "1 of 2 requests unanswered: its connection timed out (ETIMEDOUT) at t = 928.9 s"
        ),
        "{:?}",
        summary.findings
    );
    let all = summary.findings.join("\n");
    assert!(all.contains("1 of its 2 requests was answered"), "{all}");
    assert!(!all.contains("its request was answered"), "{all}");
}

#[test]
fn a_backend_that_was_down_shows_in_the_headline_though_no_connect_failed() {
    let summary = run(
        ", changes = [{ at = \"20 s\", up = false }, { at = \"50 s\", up = true }]",
        "duration = \"200 s\"\n[[workload]]\nname = \"web\"\n\
         arrivals = { kind = \"fixed\", rate = \"10 /s\" }",
    );
    assert_eq!(metric(&summary, "connects_failed"), 0.0);
    assert!(metric(&summary, "connect_latency_p99_s") > 20.0);
    assert!(metric(&summary, "connect_latency_p50_s") < 0.1);
    let headline = &summary.findings[0];
    assert!(
        headline.starts_with("Some connects were slow, though none failed: 20 ms in the median"),
        "{:?}",
        summary.findings
    );
    assert!(headline.contains("99th percentile"), "{headline}");
}

#[test]
fn requests_under_way_at_the_end_of_a_run_are_nothing_unusual() {
    let summary = run(
        "",
        "duration = \"2.015 s\"\n[[workload]]\nname = \"web\"\n\
         arrivals = { kind = \"fixed\", rate = \"100 /s\" }",
    );
    assert!(metric(&summary, "requests_unanswered_at_run_end") > 0.0);
    let all = summary.findings.join("\n");
    assert!(!all.contains("unanswered"), "{all}");
    assert!(all.contains("in progress at the end"), "{all}");
}

#[test]
fn time_wait_cut_short_by_a_full_table_is_called_unsafe() {
    let summary = run(
        "",
        "duration = \"5 s\"\n[tcp]\nmax_tw_buckets = 10\n[[workload]]\nname = \"web\"\n\
         arrivals = { kind = \"fixed\", rate = \"20 /s\" }",
    );
    let overflow = metric(&summary, "ended_time_wait_overflow");
    assert!(overflow > 50.0, "{overflow}");
    assert!(
        summary.findings[0].contains("closed without TIME-WAIT")
            && summary.findings[0].contains("That is unsafe"),
        "{:?}",
        summary.findings
    );
}

#[test]
fn time_wait_that_acknowledged_a_fin_again_did_its_job() {
    // The client sends SYN, ACK, request, FIN and the ACK of the server's FIN, which is to be lost. It
    // acknowledges the response separately or with its FIN, so the number of that last ACK is not known exactly.
    let stated = ["4", "5", "6"].map(|drop| {
        let summary = run(
            &format!(", drop = [{drop}]"),
            "duration = \"70 s\"\n[[workload]]\nname = \"web\"\nclose = \"client\"\n\
             arrivals = { kind = \"burst\", count = 1 }",
        );
        let answered = metric(&summary, "time_wait_fins_answered");
        let all = summary.findings.join("\n");
        assert_eq!(
            answered > 0.0,
            all.contains("TIME-WAIT did its job"),
            "{all}"
        );
        answered
    });
    assert!(stated.contains(&1.0), "{stated:?}");
}

#[test]
fn one_exhausted_destination_shows_beside_idle_ones() {
    let text = "name = \"uneven\"\nduration = \"20 s\"\n\
         [tcp]\nip_local_port_range = [40000, 40099]\n\
         [topology]\nkind = \"graph\"\n[[topology.host]]\nname = \"client\"\n\
         [[topology.host]]\nname = \"a\"\n[[topology.host]]\nname = \"b\"\n\
         [[topology.link]]\nbetween = [\"client\", \"a\"]\ndelay = \"1 ms\"\n\
         [[topology.link]]\nbetween = [\"client\", \"b\"]\ndelay = \"1 ms\"\n\
         [[workload]]\nname = \"busy\"\nclient = \"client\"\nserver = \"a\"\n\
         arrivals = { kind = \"fixed\", rate = \"10 /s\" }\n\
         [[workload]]\nname = \"idle\"\nclient = \"client\"\nserver = \"b\"\n\
         arrivals = { kind = \"fixed\", rate = \"0.2 /s\" }\n";
    let dir = tempfile::tempdir().unwrap();
    let summary = make(text, &[], &dir.path().join("run"));
    assert_eq!(metric(&summary, "ports_in_use_destination_peak"), 100.0);
    assert_eq!(metric(&summary, "ports_in_use_destination_share_peak"), 1.0);
    assert!(metric(&summary, "connects_addr_not_available") > 0.0);
}

#[test]
fn bulk_flows_have_completion_times_and_goodput_of_their_own_lives() {
    // 1 MB over 10 Mbit/s takes 0.84 s with headers; the run lasts a hundred times as long.
    let summary = run(
        ", rate = \"10 Mbit/s\"",
        "duration = \"100 s\"\n[[workload]]\nname = \"bulk\"\nkind = \"bulk\"\nbytes = \"1 MB\"",
    );
    assert_eq!(metric(&summary, "flows_completed"), 1.0);
    assert_eq!(metric(&summary, "flows_broken"), 0.0);
    let took = metric(&summary, "flow_completion_mean_s");
    assert!((0.84..1.3).contains(&took), "{took}");
    assert_eq!(took, metric(&summary, "flow_completion_max_s"));
    let own = metric(&summary, "flow_goodput_mean_bps");
    assert!((own - 8e6 / took).abs() < 1.0, "{own}");
    assert!(
        metric(&summary, "goodput_bps") < 0.1e6,
        "over the whole run"
    );
    let all = summary.findings.join("\n");
    assert!(all.contains("The bulk flow was completed after"), "{all}");
}

#[test]
fn a_flow_that_breaks_off_is_reported_first() {
    let summary = run(
        ", rate = \"10 Mbit/s\", changes = [{ at = \"200 ms\", up = false }]",
        "duration = \"1100 s\"\n[[workload]]\nname = \"bulk\"\nkind = \"bulk\"\nbytes = \"1 MB\"",
    );
    assert_eq!(metric(&summary, "flows_broken"), 1.0);
    assert!(
        summary.findings[0].starts_with("1 of 1 bulk flow broke off"),
        "{:?}",
        summary.findings
    );
}

#[test]
fn every_state_has_its_population() {
    let summary = run(
        "",
        "duration = \"10 s\"\n[[workload]]\nname = \"web\"\nclose = \"client\"\n\
         arrivals = { kind = \"fixed\", rate = \"10 /s\" }",
    );
    for state in [
        "listen",
        "syn_sent",
        "syn_received",
        "established",
        "fin_wait_1",
        "fin_wait_2",
        "close_wait",
        "closing",
        "last_ack",
        "time_wait",
    ] {
        for statistic in ["peak", "mean", "mean_steady", "end"] {
            assert!(metric(&summary, &format!("{state}_{statistic}")) >= 0.0);
        }
    }
    // A handshake takes 20 ms, and there are 10 a second: 0.2 connections in SYN-SENT on average (Little's law).
    assert!((metric(&summary, "syn_sent_mean") - 0.2).abs() < 0.01);
    assert_eq!(metric(&summary, "syn_sent.client_peak"), 1.0);
    assert_eq!(
        metric(&summary, "time_wait_end"),
        metric(&summary, "time_wait_peak")
    );
    assert!(!summary.metrics.contains_key("syn_sent.server_peak"));
}

#[test]
fn a_first_request_counts_its_connect() {
    let summary = run(
        "",
        "duration = \"1 s\"\n[[workload]]\nname = \"web\"\nrequests = 2\n\
         arrivals = { kind = \"burst\", count = 1 }",
    );
    // 20 ms for each request, and another 20 ms for the handshake before the first.
    let near = |id: &str, expected: f64| {
        let value = metric(&summary, id);
        assert!((value - expected).abs() < 1e-3, "{id} = {value}");
    };
    near("request_latency_mean_s", 0.020);
    near("request_with_connect_mean_s", 0.030);
    near("request_with_connect_max_s", 0.040);
}

#[test]
fn a_gateway_out_of_ports_is_the_headline() {
    let text = "name = \"nat\"\nduration = \"5 s\"\n[topology]\nkind = \"nat\"\nclients = 2\n\
                path = { delay = \"1 ms\" }\ngateway = { ports = [2000, 2009] }\n\
                [[workload]]\nname = \"web\"\narrivals = { kind = \"fixed\", rate = \"10 /s\" }";
    let dir = tempfile::tempdir().unwrap();
    let summary = make(text, &[], &dir.path().join("run"));
    let mapped = metric(&summary, "nat_ports_in_use_peak");
    assert_eq!(mapped, metric(&summary, "nat_mappings_made"));
    assert_eq!(metric(&summary, "nat_mappings_peak"), mapped);
    assert_eq!(metric(&summary, "nat_ports_in_use_share_peak"), 1.0);
    assert_eq!(metric(&summary, "nat_mappings_expired"), 0.0);
    let dropped = metric(&summary, "nat_syns_dropped");
    let waiting = 50.0 - mapped;
    assert!(dropped >= waiting, "each retransmission counts: {dropped}");
    assert_eq!(metric(&summary, "nat.nat_syns_dropped"), dropped);
    let first = metric(&summary, "nat.nat_first_drop_s");
    let stated = &summary.findings;
    let expected = format!(
        "NAT nat had no free port from t = {first:.0} s on, and {dropped} SYNs were dropped."
    );
    assert_eq!(stated[0], expected, "{stated:?}");
    assert_eq!(
        stated[1],
        format!(
            "{waiting} of 50 connects had neither succeeded nor failed when the run ended, the longest \
             after 4 s; {mapped} were established and none failed."
        )
    );
}

#[test]
fn connections_left_open_with_nothing_scheduled_are_named() {
    let text = |more: &str| {
        format!(
            "duration = \"5000 s\"\n{more}\n[[workload]]\nname = \"web\"\nrequests = 2\nthink = \"4000 s\"\n\
             arrivals = {{ kind = \"burst\", count = 1 }}\n"
        )
    };
    let crash = "[[fault]]\nnode = \"client\"\nat = \"1 s\"\n";
    let stuck = run("", &text(crash));
    assert_eq!(metric(&stuck, "end_points_stuck"), 1.0);
    let stated = "1 end point was open at the end with nothing scheduled";
    assert!(
        stuck.findings.iter().any(|f| f.starts_with(stated)),
        "{:?}",
        stuck.findings
    );
    // A timer of either end, or of an application, counts as something scheduled.
    let keepalive = format!("[tcp]\nkeepalive = \"60 s\"\n{crash}");
    for fine in [
        text(&keepalive),
        text(""),
        text("").replace("4000 s", "6000 s"),
    ] {
        let summary = run("", &fine);
        assert!(
            !summary.metrics.contains_key("end_points_stuck"),
            "{:?}",
            summary.findings
        );
    }
}

#[test]
fn a_passive_end_that_gives_up_is_closed_and_only_its_listener_listens() {
    // No SYN-ACK arrives: the server gives up after a second, each time before a retransmitted SYN arrives.
    let text = "name = \"ends\"\nduration = \"20 s\"\ntcp.synack_retries = 0\n[[workload]]\n\
                arrivals = { kind = \"burst\", count = 2 }\n[topology]\nkind = \"pair\"\n\
                path = { delay = \"10 ms\", reverse = { loss = 1.0 } }\n";
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("run");
    let summary = make(text, &[], &dir);
    let states = Table::read(&dir, "states").unwrap().unwrap();
    let (conns, sides) = (states.ints("conn").unwrap(), states.texts("side").unwrap());
    let (from, to) = (states.texts("from").unwrap(), states.texts("to").unwrap());
    let end_points = states.ints("end_point").unwrap();
    let mut now: BTreeMap<(i64, &str, i64), &str> = BTreeMap::new();
    let mut given_up = 0;
    for i in 0..states.len() {
        // A listener creates an end point for each retransmitted SYN, and each has its own number.
        let before = now.insert((conns[i], &sides[i], end_points[i]), &to[i]);
        assert_ne!(to[i], "LISTEN", "of a connection");
        let start = if sides[i] == "passive" {
            "LISTEN"
        } else {
            "CLOSED"
        };
        assert_eq!(from[i], before.unwrap_or(start), "row {i}");
        given_up += usize::from(from[i] == "SYN-RECEIVED" && to[i] == "CLOSED");
    }
    assert!(given_up > 4, "{given_up}");
    assert!(end_points.iter().max() > Some(&2), "{end_points:?}");
    // The listener is counted once, whatever happens to its connections.
    assert_eq!(metric(&summary, "listen_peak"), 1.0);
    assert_eq!(metric(&summary, "listen_end"), 1.0);
    assert!(metric(&summary, "syn_received_peak") <= 2.0);
}

#[test]
fn a_host_that_was_down_is_named_with_what_it_forgot() {
    let summary = run(
        "",
        "duration = \"60 s\"\n[[workload]]\nname = \"web\"\n\
         arrivals = { kind = \"fixed\", rate = \"20 /s\" }\n\
         [[fault]]\nnode = \"client\"\nat = \"20 s\"\nfor = \"10 s\"",
    );
    assert_eq!(metric(&summary, "connects_failed"), 0.0);
    let lost = metric(&summary, "time_wait_lost");
    assert!((390.0..=400.0).contains(&lost), "{lost}");
    let stated =
        format!("Client was down from t = 20 s to t = 30 s; {lost} TIME-WAIT entries were");
    let found = summary.findings.iter().position(|f| f.starts_with(&stated));
    let usual = "None of the 1,000 connects failed.";
    let usual = summary.findings.iter().position(|f| f == usual);
    assert!(found.is_some() && found < usual, "{:?}", summary.findings);
}

#[test]
fn a_link_that_was_down_is_named() {
    let summary = run(
        ", changes = [{ at = \"20 s\", up = false }, { at = \"21 s\", up = true }]",
        "duration = \"60 s\"\n[[workload]]\nname = \"web\"\n\
         arrivals = { kind = \"fixed\", rate = \"20 /s\" }",
    );
    let stated = "The link between client and server was down from t = 20 s to t = 21 s.";
    assert!(
        summary.findings.iter().any(|f| f == stated),
        "{:?}",
        summary.findings
    );
}

/// A socket that has closed, and to which the peer never sends its FIN, gives up without reporting ETIMEDOUT.
#[test]
fn an_expired_fin_wait_is_not_a_time_out() {
    let summary = run(
        "",
        "duration = \"100 s\"\n[[workload]]\nname = \"web\"\nlinger = \"300 s\"\n\
         arrivals = { kind = \"burst\", count = 50 }",
    );
    assert_eq!(metric(&summary, "ended_timed_out"), 0.0);
    assert_eq!(metric(&summary, "ended_fin_wait_expired"), 50.0);
    let all = summary.findings.join("\n");
    assert!(!all.contains("timed out"), "{all}");
    assert!(
        all.starts_with("50 sockets were given up in FIN-WAIT-2"),
        "{all}"
    );
}

#[test]
fn a_few_connections_say_how_long_their_requests_took() {
    let summary = run(
        "delay = \"1 ms\"",
        "duration = \"100 s\"\n[tcp]\nwindow_clamp = 10\n[[workload]]\nname = \"web\"\n\
         response = \"10 kB\"\narrivals = { kind = \"burst\", count = 2 }",
    );
    let took = metric(&summary, "request_latency_max_s");
    assert!(took > 1.0, "{took}");
    let all = summary.findings.join("\n");
    assert!(all.contains("2 requests were answered; each took"), "{all}");
}

/// A listener that answers SYNs with cookies keeps no state for them, and still knows to which connection
/// data belong.
#[test]
fn syn_cookies_are_not_reported_as_corruption() {
    let summary = run(
        "delay = \"1 ms\"",
        "duration = \"20 s\"\n[tcp]\ntcp_syncookies = 2\n[[workload]]\nname = \"web\"\n\
         arrivals = { kind = \"fixed\", rate = \"20 /s\" }",
    );
    assert!(metric(&summary, "syn_cookies_sent") > 300.0);
    assert_eq!(metric(&summary, "old_duplicate_bytes"), 0.0);
}
