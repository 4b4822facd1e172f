//! Unusual events in a run are reported, and reported first; what is unknown is not reported.

use crate::common::{metric, run_once};
use reports::RunSummary;

/// One client and one server with this `path` between them; `rest` is appended to the scenario.
fn run(path: &str, rest: &str) -> RunSummary {
    let text =
        format!("name = \"unusual\"\n{rest}\n[topology]\nkind = \"pair\"\npath = {{ {path} }}\n");
    run_once(&text)
}

fn headline<'a>(summary: &'a RunSummary, begin: &str) -> &'a str {
    let first = &summary.findings[0];
    assert!(first.starts_with(begin), "{:?}", summary.findings);
    first
}

#[test]
fn requests_that_never_get_a_connection_of_their_pool_are_the_headline() {
    // 20 requests a second for two connections, which can carry 2/0.502 a second.
    let summary = run(
        "delay = \"1 ms\"",
        "duration = \"50 s\"\n[[workload]]\nservice = \"500 ms\"\npool = { max = 2 }\n\
         arrivals = { kind = \"fixed\", rate = \"20 /s\" }",
    );
    let waiting = metric(&summary, "requests_never_sent");
    let sent = metric(&summary, "requests_made");
    assert!((sent - 200.0).abs() < 4.0, "{sent}");
    assert_eq!(waiting + sent, 1000.0);
    // The next request to be served was made after a fifth of the time.
    let longest = metric(&summary, "request_never_sent_wait_max_s");
    assert!((longest - 40.0).abs() < 0.5, "{longest}");
    headline(
        &summary,
        "800 requests were still waiting for a pooled connection",
    );
    let all = summary.findings.join("\n");
    assert!(
        all.contains("including that wait they took 20.2 s in the median"),
        "{all}"
    );
}

#[test]
fn a_wait_for_a_connection_of_a_pool_is_part_of_what_a_request_takes() {
    // Of three requests made at once, two wait for the ones before them.
    let summary = run(
        "delay = \"1 ms\"",
        "duration = \"5 s\"\n[[workload]]\nservice = \"100 ms\"\npool = { max = 1 }\n\
         arrivals = { kind = \"burst\", count = 3 }",
    );
    assert!(metric(&summary, "request_with_connect_max_s") > 0.3);
    assert!(!summary.metrics.contains_key("requests_never_sent"));
    let all = summary.findings.join("\n");
    assert!(
        all.contains("including that wait they took")
            || all.contains("including the wait for a pooled"),
        "{all}"
    );
}

#[test]
fn connects_that_nobody_answers_are_the_headline_though_none_has_failed_yet() {
    let summary = run(
        "delay = \"1 ms\", changes = [{ at = \"10 s\", up = false }]",
        "duration = \"60 s\"\n[[workload]]\narrivals = { kind = \"fixed\", rate = \"10 /s\" }",
    );
    assert_eq!(metric(&summary, "connects_failed"), 0.0);
    assert!((metric(&summary, "connect_unsettled_max_s") - 50.0).abs() < 0.2);
    headline(
        &summary,
        "500 of 600 connects had neither succeeded nor failed when the run ended, the longest after 50 s",
    );
    let all = summary.findings.join("\n");
    assert!(!all.contains("None of"), "{all}");
    // This is not unusual: a handshake takes that long.
    let summary = run(
        "delay = \"200 ms\"",
        "duration = \"10.1 s\"\n[[workload]]\narrivals = { kind = \"fixed\", rate = \"10 /s\" }",
    );
    assert!(metric(&summary, "connect_unsettled_max_s") > 0.0);
    let all = summary.findings.join("\n");
    assert!(!all.contains("neither succeeded nor failed"), "{all}");
}

#[test]
fn bulk_flows_that_are_not_completed_or_hardly_begun_come_first() {
    let summary = run(
        "delay = \"1 ms\"",
        "duration = \"100 s\"\n[[workload]]\nkind = \"bulk\"\nbytes = \"5 MB\"\nread_start = \"never\"",
    );
    headline(
        &summary,
        "The bulk flow was not completed in the 100 s it had; at the end 1 sender stood against \
         a closed window: the receiving application did not read",
    );
    assert_eq!(metric(&summary, "blocked_by_window_end"), 1.0);
    // A receiver that starts to read after 10 s has an open window at the end, and its transfer completes.
    let summary = run(
        "delay = \"1 ms\"",
        "duration = \"100 s\"\n[[workload]]\nkind = \"bulk\"\nbytes = \"5 MB\"\nread_start = \"10 s\"",
    );
    assert!(!summary.metrics.contains_key("blocked_by_window_end"));
    // Every data segment is lost: nothing is acknowledged.
    let summary = run(
        "delay = \"1 ms\", changes = [{ at = \"2500 us\", up = false }]",
        "duration = \"20 s\"\n[[workload]]\nkind = \"bulk\"\nflows = 2\nstagger = \"1 s\"",
    );
    assert_eq!(metric(&summary, "flow_small_min_bytes"), 0.0);
    assert!(!summary.metrics.contains_key("flows_unfinished"));
    let all = summary.findings.join("\n");
    assert!(
        all.contains("2 flows had fewer than 50,000 bytes acknowledged, one of them 0"),
        "{all}"
    );
}

#[test]
fn connections_that_a_server_closes_between_requests_are_named() {
    let summary = run(
        "delay = \"1 ms\"",
        "duration = \"30 s\"\n[[workload]]\nrequests = 3\nthink = \"10 s\"\nidle_timeout = \"5 s\"\n\
         arrivals = { kind = \"burst\", count = 30 }",
    );
    assert_eq!(metric(&summary, "connections_cut_short"), 30.0);
    assert_eq!(metric(&summary, "requests_unanswered"), 0.0);
    headline(
        &summary,
        "30 connections ended while their clients had more requests to make",
    );
}

#[test]
fn half_open_connections_are_found_while_others_go_on() {
    // The server forgets the connections that are open at 5 s; their clients send nothing until 85 s
    // or later.
    let summary = run(
        "delay = \"1 ms\"",
        "duration = \"60 s\"\n[[workload]]\nclose_after = \"85 s\"\n\
         arrivals = { kind = \"fixed\", rate = \"10 /s\" }\n\
         [[fault]]\nnode = \"server\"\nat = \"5 s\"\nfor = \"1 s\"",
    );
    assert_eq!(metric(&summary, "half_open_end"), 50.0);
    assert_eq!(metric(&summary, "half_open_max_s"), 55.0);
    assert!(!summary.metrics.contains_key("end_points_stuck"));
    let all = summary.findings.join("\n");
    assert!(
        all.contains("50 connections were half-open at the end, and had been for up to 55 s"),
        "{all}"
    );
    // With keep-alive both ends notice.
    let summary = run(
        "delay = \"1 ms\"",
        "duration = \"60 s\"\n[tcp]\nkeepalive = \"10 s\"\nkeepalive_interval = \"10 s\"\n[[workload]]\n\
         close_after = \"85 s\"\nstop = \"5 s\"\narrivals = { kind = \"fixed\", rate = \"10 /s\" }\n\
         [[fault]]\nnode = \"server\"\nat = \"5 s\"\nfor = \"1 s\"",
    );
    assert!(!summary.metrics.contains_key("half_open_end"));
}

#[test]
fn requests_without_a_response_are_not_called_answered() {
    let summary = run(
        "delay = \"1 ms\"",
        "duration = \"10 s\"\n[[workload]]\nresponse = \"0 B\"\n\
         arrivals = { kind = \"fixed\", rate = \"10 /s\" }",
    );
    assert_eq!(metric(&summary, "requests_one_way"), 100.0);
    assert_eq!(metric(&summary, "requests_made"), 100.0);
    assert!(!summary.metrics.contains_key("requests_done"));
    let all = summary.findings.join("\n");
    assert!(
        all.contains("100 requests were sent that have no response."),
        "{all}"
    );
    assert!(!all.contains("answered"), "{all}");
}

#[test]
fn retransmissions_without_a_loss_come_first_where_they_are_many() {
    let summary = run(
        "delay = \"2 s\"",
        "duration = \"60 s\"\n[[workload]]\narrivals = { kind = \"fixed\", rate = \"5 /s\" }",
    );
    let first = headline(&summary, "2,260 segments were retransmitted (37.");
    assert!(!first.contains("lost"), "{first}");
}

#[test]
fn packets_with_bit_errors_are_reported_beside_retransmissions() {
    let summary = run(
        "delay = \"1 ms\", corrupt = 0.05",
        "duration = \"20 s\"\n[[workload]]\narrivals = { kind = \"fixed\", rate = \"20 /s\" }",
    );
    assert!(metric(&summary, "corrupted_pkts") > 50.0);
    assert_eq!(metric(&summary, "wire_losses_pkts"), 0.0);
    let all = summary.findings.join("\n");
    assert!(all.contains("packets were damaged on the way; "), "{all}");
}

#[test]
fn a_fin_duplicated_by_the_network_is_not_a_lost_ack() {
    let summary = run(
        "delay = \"1 ms\", duplicate = 0.3, reorder = 0.3, reorder_delay = \"300 ms\"",
        "duration = \"20 s\"\n[[workload]]\narrivals = { kind = \"fixed\", rate = \"20 /s\" }",
    );
    assert!(metric(&summary, "time_wait_fins_answered") > 0.0);
    assert_eq!(metric(&summary, "wire_losses_pkts"), 0.0);
    let all = summary.findings.join("\n");
    assert!(all.contains("TIME-WAIT did its job"), "{all}");
    assert!(!all.contains("lost"), "{all}");
}

#[test]
fn a_destination_is_not_called_crowded_where_all_are() {
    let ports = "duration = \"20 s\"\n[tcp]\nip_local_port_range = [40000, 40099]\n[[workload]]\n\
                 arrivals = { kind = \"fixed\", rate = \"50 /s\" }\nports = ";
    let all_full = run("delay = \"1 ms\"", &format!("{ports}2"));
    assert_eq!(
        metric(&all_full, "ports_in_use_destination_share_peak"),
        1.0
    );
    let text = all_full.findings.join("\n");
    assert!(!text.contains("towards one destination"), "{text}");
}

#[test]
fn the_mean_of_time_wait_is_taken_when_it_has_filled_up_though_ports_are_reused_sooner() {
    let summary = run(
        "delay = \"1 ms\"",
        "duration = \"120 s\"\n[tcp]\ntcp_tw_reuse = true\n[[workload]]\n\
         arrivals = { kind = \"fixed\", rate = \"50 /s\" }",
    );
    let (from, _) = summary.info.steady_window();
    assert!(from >= 60.0, "{from}");
    let mean = metric(&summary, "time_wait_mean_steady");
    let peak = metric(&summary, "time_wait_peak");
    assert!(mean > 0.95 * peak, "{mean} {peak}");
}

#[test]
fn no_theory_of_time_wait_is_given_where_both_ends_close() {
    let summary = run(
        "delay = \"1 ms\"",
        "duration = \"150 s\"\n[tcp]\nip_local_port_range = [40000, 40999]\n[[workload]]\n\
         close = \"both\"\narrivals = { kind = \"fixed\", rate = \"20 /s\" }",
    );
    // Both ends of each connection enter TIME-WAIT: twice as many sockets as there are ports.
    assert_eq!(metric(&summary, "time_wait_peak"), 2000.0);
    let all = summary.findings.join("\n");
    assert!(all.contains("The port supply allows 16.7"), "{all}");
    assert!(
        !all.contains("theory predicts") && !all.contains("Little"),
        "{all}"
    );
    let theory = summary.info.analytic.theory.as_ref().unwrap();
    assert!(theory.time_wait.is_none());
    assert!(summary.info.analytic.no_closed_form[0].contains("both ends close"));
}
