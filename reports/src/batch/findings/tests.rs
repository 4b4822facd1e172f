use super::*;
use crate::batch::unusual::UNUSUAL;
use crate::batch::{Axis, AxisValues, MetricFigure, RunStatus, Unit};

/// An axis of names, or of numbers where every value begins with one.
fn axis(path: &str, values: &[&str]) -> Axis {
    let number = |v: &&str| v.split(' ').next()?.parse().ok();
    let numbers: Option<Vec<f64>> = values.iter().map(number).collect();
    Axis {
        path: path.into(),
        values: values.iter().map(|v| (*v).to_owned()).collect(),
        typed: numbers.map_or(AxisValues::Names, |values| AxisValues::Numbers {
            unit: Unit::One,
            values,
        }),
        ..Axis::default()
    }
}

fn row(values: &[&str], replica: u32, metrics: &[(&str, f64)]) -> BatchRow {
    let metrics = metrics.iter().map(|&(n, v)| (n.to_owned(), v));
    BatchRow {
        values: values.iter().map(|v| (*v).to_owned()).collect(),
        replica,
        status: RunStatus::Ok,
        metrics: metrics.collect(),
        ..BatchRow::default()
    }
}

/// If a time is given, this share of connects fails from then on.
fn run(values: &[&str], failure: Option<(f64, f64)>, limit: f64) -> BatchRow {
    let mut metrics = vec![
        ("port_limit_per_s", limit),
        ("steady_from_s", 80.0),
        ("steady_to_s", 200.0),
        ("connects_failed", if failure.is_some() { 9.0 } else { 0.0 }),
    ];
    let (first, share) = failure.unwrap_or_default();
    metrics.push(("connects_failed_share_steady", share));
    if failure.is_some() {
        metrics.push(("first_failure_s", first));
    }
    row(values, 0, &metrics)
}

#[test]
fn one_axis_shows_from_which_value_on_connects_fail() {
    let rates = ["200 /s", "470 /s", "500 /s", "1000 /s"];
    let info = BatchInfo {
        axes: vec![axis("workload.web.arrivals.rate", &rates)],
        ..BatchInfo::default()
    };
    let limit = 470.533;
    let rows = [
        run(&rates[..1], None, limit),
        run(&rates[1..2], None, limit),
        run(&rates[2..3], Some((56.5, 0.059)), limit),
        run(&rates[3..], Some((28.2, 0.529)), limit),
    ];
    let findings = batch_findings(&info, &rows);
    assert_eq!(
        findings[0],
        "No connect failed up to 470 /s; from 500 /s on connects failed: first at t = 56.5 s \
         (500 /s) … 28.2 s (1000 /s); 5.9 % … 52.9 % failed from 80 s to 200 s; the port supply \
         allows 470.5 connections/s."
    );
    let findings = batch_findings(&info, &rows[..2]);
    assert_eq!(
        findings[0],
        "No connect failed in any run; the port supply allows 470.5 connections/s."
    );
    assert_eq!(
        findings.last().map(String::as_str),
        Some("2 of 2 runs are complete: 4 values of offered rate.")
    );
}

#[test]
fn a_second_axis_makes_a_sentence_for_each_of_its_values() {
    let info = BatchInfo {
        axes: vec![
            axis("topology.client_addresses", &["1", "2", "4"]),
            axis("tcp.tw_reuse", &["false", "true"]),
        ],
        ..BatchInfo::default()
    };
    let rows = [
        run(&["1", "false"], Some((76.3, 0.56)), 470.5),
        run(&["1", "true"], None, f64::NAN),
        run(&["2", "false"], Some((135.0, 0.095)), 941.0),
        run(&["4", "false"], None, 1882.0),
        run(&["4", "true"], None, f64::NAN),
    ];
    let rows = rows.map(|mut r| {
        let mut metrics = r.metrics.to_map();
        metrics.retain(|_, v| v.is_finite());
        r.metrics = metrics.into();
        r
    });
    let findings = batch_findings(&info, &rows);
    assert_eq!(
        findings[..2],
        [
            "tcp_tw_reuse = false: no connect failed from 4 client addresses on; up to 2 client \
             addresses connects failed: first at t = 76.3 s (1) … 135 s (2); 56 % … 9.5 % failed \
             from 80 s to 200 s; the port supply allows 470.5 connections/s (1) … 1,882 \
             connections/s (4).",
            "tcp_tw_reuse = true: no connect failed."
        ]
    );
}

#[test]
fn figures_choose_the_metrics_described_and_replicas_give_intervals() {
    let info = BatchInfo {
        axes: vec![axis("workload.users.requests", &["1", "5"])],
        figures: vec![MetricFigure {
            metric: "time_wait_mean_steady".into(),
            ..MetricFigure::default()
        }],
        ..BatchInfo::default()
    };
    let one = |values: &[&str], replica: u32, n: f64| {
        row(
            values,
            replica,
            &[("time_wait_mean_steady", n), ("other", n)],
        )
    };
    let mut rows = vec![
        one(&["1"], 0, 100.0),
        one(&["1"], 1, 102.0),
        one(&["5"], 0, 10.0),
    ];
    rows.push(BatchRow {
        status: RunStatus::Failed,
        message: "disk full".into(),
        ..one(&["5"], 1, 0.0)
    });
    // Two replicas: half-width = 12.706 x 1.4142 / sqrt 2 = 12.7.
    assert_eq!(
        batch_findings(&info, &rows),
        [
            "Sockets in TIME-WAIT, mean in the steady window, by requests per connection: 101 \
             [88.3 … 113.7] (1), 10 (5).",
            "3 of 4 runs are complete: 2 values of requests per connection x 2 replicas; values \
             are means over replicas, with 95 % intervals in brackets.",
            "1 not complete: disk full",
        ]
    );
}

#[test]
fn a_port_supply_that_differs_between_curves_is_given_for_each() {
    let info = BatchInfo {
        axes: vec![
            axis("workload.web.arrivals.rate", &["200 /s", "400 /s"]),
            axis("tcp.tw_reuse", &["true", "false"]),
        ],
        ..BatchInfo::default()
    };
    let rows = |limits: [f64; 2]| {
        let of = |reuse, limit| ["200 /s", "400 /s"].map(|rate| run(&[rate, reuse], None, limit));
        [of("true", limits[0]), of("false", limits[1])].concat()
    };
    assert_eq!(
        batch_findings(&info, &rows([28_000.0, 470.5]))[0],
        "No connect failed in any run; with tcp_tw_reuse = true, the port supply allows 28,000 \
         connections/s; with tcp_tw_reuse = false, the port supply allows 470.5 connections/s."
    );
    assert_eq!(
        batch_findings(&info, &rows([470.5; 2]))[0],
        "No connect failed in any run; the port supply allows 470.5 connections/s."
    );
}

#[test]
fn port_supplies_over_names_are_listed_instead_of_a_range() {
    let info = BatchInfo {
        axes: vec![axis("tcp.profile", &["linux", "freebsd", "rfc9293"])],
        ..BatchInfo::default()
    };
    let rows = [
        run(&["linux"], None, 470.5),
        run(&["freebsd"], None, 925.5),
        run(&["rfc9293"], None, 68.3),
    ];
    assert_eq!(
        batch_findings(&info, &rows)[0],
        "No connect failed in any run; the port supply allows 470.5 connections/s (linux), 925.5 \
         connections/s (freebsd) and 68.3 connections/s (rfc9293)."
    );
}

#[test]
fn what_is_unusual_comes_before_the_news_that_no_connect_failed() {
    let info = BatchInfo {
        axes: vec![axis("workload.web.pool.max", &["1", "2"])],
        ..BatchInfo::default()
    };
    let mut rows = [run(&["1"], None, 470.5), run(&["2"], None, 470.5)];
    let mut put = |metrics: &[(&str, f64)]| {
        let metrics = metrics.iter().map(|(name, v)| ((*name).to_owned(), *v));
        let mut all = rows[0].metrics.to_map();
        all.extend(metrics);
        rows[0].metrics = all.into();
        batch_findings(&info, &rows)
    };
    assert!(put(&[])[0].starts_with("No connect failed in any run"));
    // Requests that have just arrived are normal; those that have waited a long time are unusual.
    let findings = put(&[
        ("requests_never_sent", 7.0),
        ("request_never_sent_wait_max_s", 0.01),
    ]);
    assert!(
        findings[0].starts_with("No connect failed in any run"),
        "{findings:?}"
    );
    let findings = put(&[("request_never_sent_wait_max_s", 30.0)]);
    assert_eq!(
        findings[0],
        "In 1 of 2 runs, requests still waited for a pooled connection when the run ended (7 in all)."
    );
    let findings = put(&[
        ("connects_attempted", 50.0),
        ("connects_established", 10.0),
        ("connects_failed", 0.0),
        ("connect_unsettled_max_s", 20.0),
        ("nat_syns_dropped", 90.0),
    ]);
    assert_eq!(
        findings[..2],
        [
            "In 1 of 2 runs, a NAT had no free port and dropped SYNs (90 in all).",
            "In 1 of 2 runs, connects had long been pending without an answer when the run ended.",
        ]
    );
    for unusual in UNUSUAL {
        let known = crate::findings::all().any(|f| f.name == unusual.finding);
        assert!(unusual.finding.is_empty() || known, "{}", unusual.finding);
        let metric = unusual.metric;
        assert!(
            metric.is_empty() || crate::metrics::find(metric).is_some(),
            "{metric}"
        );
    }
}

#[test]
fn names_without_order_are_listed() {
    let info = BatchInfo {
        axes: vec![axis("tcp.congestion", &["newreno", "cubic"])],
        ..BatchInfo::default()
    };
    let rows = [
        run(&["newreno"], Some((5.0, 0.5)), 470.5),
        run(&["cubic"], None, 470.5),
    ];
    let findings = batch_findings(&info, &rows);
    assert!(
        findings[0].starts_with(
            "No connect failed at congestion control = cubic; connects failed at congestion \
             control = newreno: first at t = 5 s; 50 % failed from 80 s to 200 s;"
        ),
        "{}",
        findings[0]
    );
}

#[test]
fn a_requested_metric_that_no_run_has_is_named_with_the_reason() {
    let info = BatchInfo {
        axes: vec![axis("tcp.tw_reuse", &["false", "true"])],
        figures: vec![MetricFigure {
            metric: "first_failure_s".into(),
            ..MetricFigure::default()
        }],
        ..BatchInfo::default()
    };
    let rows = [run(&["false"], None, 470.5), run(&["true"], None, 470.5)];
    let findings = batch_findings(&info, &rows).join("\n");
    assert!(
        findings.contains(
            "No run has a value for the time of first failure (first_failure_s): no connect \
             failed. Its figure is not drawn."
        ),
        "{findings}"
    );
    let failing = [run(&["false"], Some((5.0, 0.5)), 470.5)];
    assert!(
        !batch_findings(&info, &failing)
            .join("\n")
            .contains("No run has")
    );
}

#[test]
fn what_is_unusual_in_single_runs_is_reported_for_the_batch() {
    let info = BatchInfo {
        axes: vec![axis("tcp.sack", &["false", "true"])],
        ..BatchInfo::default()
    };
    let one = |value: &str, broken: f64| {
        row(
            &[value],
            0,
            &[("connects_failed", 0.0), ("flows_broken", broken)],
        )
    };
    let findings = batch_findings(&info, &[one("false", 7.0), one("true", 0.0)]);
    assert_eq!(
        findings[..2],
        [
            "In 1 of 2 runs, bulk flows broke off (7 in all).",
            "No connect failed in any run.",
        ]
    );
}

#[test]
fn an_empty_batch_says_so() {
    assert_eq!(
        batch_findings(&BatchInfo::default(), &[]),
        ["0 of 0 runs are complete."]
    );
}

#[test]
fn a_figure_over_a_parameter_that_is_no_longer_swept_is_named() {
    let axis = Axis {
        path: "a".into(),
        values: vec!["1".into(), "2".into()],
        ..Axis::default()
    };
    let figure = |name: &str, x: &str| MetricFigure {
        name: name.into(),
        metric: "connects_failed".into(),
        x: x.into(),
        ..MetricFigure::default()
    };
    let info = BatchInfo {
        axes: vec![axis],
        figures: vec![figure("drawn", "a"), figure("left out", "b")],
        ..BatchInfo::default()
    };
    let findings = batch_findings(&info, &[]);
    let named: Vec<&String> = findings
        .iter()
        .filter(|t| t.contains("not drawn"))
        .collect();
    assert_eq!(
        named,
        [
            "The figure \"left out\" is not drawn: it needs a sweep of b, which has one value in these runs."
        ]
    );
}

#[test]
fn a_port_supply_known_for_some_is_given_for_these() {
    let requests = ["1", "2", "5"];
    let info = BatchInfo {
        axes: vec![axis("workload.web.requests", &requests)],
        ..BatchInfo::default()
    };
    let rows = [
        run(&requests[..1], None, 468.9),
        run(&requests[1..2], None, 467.5),
        row(&requests[2..], 0, &[("connects_failed", 0.0)]),
    ];
    let findings = batch_findings(&info, &rows);
    assert_eq!(
        findings[0],
        "No connect failed in any run; the port supply allows 468.9 connections/s (1) and 467.5 \
         connections/s (2), and has no closed form for the others."
    );
}

#[test]
fn a_range_names_the_extremes_where_they_are_not_at_the_ends() {
    let values = ["100 /s", "200 /s", "300 /s"];
    let info = BatchInfo {
        axes: vec![axis("workload.web.arrivals.rate", &values)],
        ..BatchInfo::default()
    };
    let shares = [(40.0, 0.2), (70.0, 0.5), (10.0, 0.1)];
    let rows: Vec<BatchRow> = values
        .iter()
        .zip(shares)
        .map(|(v, failure)| run(&[v], Some(failure), 80.0))
        .collect();
    assert_eq!(
        batch_findings(&info, &rows)[0],
        "Connects failed in all runs: first at t = 10 s (300 /s) … 70 s (200 /s); 10 % (300 /s) … 50 % (200 /s) \
         failed from 80 s to 200 s; the port supply allows 80 connections/s."
    );
    // More values than are listed one by one, the greatest in the middle.
    let many: Vec<String> = (1..=12).map(|i| format!("{i} MB")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let info = BatchInfo {
        axes: vec![axis("topology.path.queue", &many)],
        figures: vec![crate::MetricFigure {
            metric: "goodput_bps".into(),
            ..crate::MetricFigure::default()
        }],
        ..BatchInfo::default()
    };
    let goodput = |i: usize| if i == 6 { 9e6 } else { i as f64 * 1e6 };
    let rows: Vec<BatchRow> = many
        .iter()
        .enumerate()
        .map(|(i, v)| {
            row(
                &[v],
                0,
                &[("goodput_bps", goodput(i) / if i > 6 { 10.0 } else { 1.0 })],
            )
        })
        .collect();
    let findings = batch_findings(&info, &rows).join("\n");
    assert!(
        findings.contains("0 bit/s (1 MB) … 9 Mbit/s (7 MB)"),
        "{findings}"
    );
}

/// 1 / (1 - 0.53) = 2.1: three supplies of ports carry all connects.
#[test]
fn a_shortage_of_ports_is_followed_by_what_to_change() {
    let findings = |path: &str, no_port: f64, parameters: &[(&str, &str)]| {
        let info = BatchInfo {
            axes: vec![axis(path, &["400 /s", "1000 /s"])],
            parameters: parameters
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            ..BatchInfo::default()
        };
        let of = |rate: &str, failed: f64, share: f64, no_port: f64| {
            let metrics = [
                ("connects_failed", failed),
                ("connects_failed_share_steady", share),
                ("connects_addr_not_available", no_port),
                ("port_limit_per_s", 470.5),
            ];
            row(&[rate], 0, &metrics)
        };
        let rows = [
            of("400 /s", 0.0, 0.0, 0.0),
            of("1000 /s", 95.0, 0.53, no_port),
        ];
        batch_findings(&info, &rows)
    };
    let rate = "workload.web.arrivals.rate";
    let words = "What to change: to carry 1000 /s, use 3 times as many client addresses, or 3 times as many server \
                 addresses or ports. Without more addresses, keep connections open for several requests, or set \
                 tcp_tw_reuse, which needs timestamps at both ends.";
    let linux = ("tcp.profile", "linux");
    let off = ("tcp.tw_reuse", "2");
    assert_eq!(findings(rate, 95.0, &[linux, off])[1], words);
    for without in [
        findings(rate, 94.0, &[linux]),
        findings(rate, 95.0, &[]),
        findings("topology.client_addresses", 95.0, &[linux]),
        findings(rate, 95.0, &[linux, ("tcp.tw_reuse", "1")]),
        findings(rate, 95.0, &[linux, ("workload.web.bind_first", "true")]),
    ] {
        assert!(without.iter().all(|f| !f.contains("change")), "{without:?}");
    }
}
