//! Individual cases: what theory predicts for them, and where there is no closed form.

use std::sync::Arc;

use super::{Compared, Seen, compare, theory};
use crate::common::{make, planned};
use reports::analytic::{expected_time_wait, port_limit};
use scenarios::run;
use tcp_model::{Connection, TcpHost, TcpModel};

const PAIR: &str = r#"
name = "pair"
duration = "400 s"
topology = { kind = "pair", path = { delay = "1 ms" } }
[[workload]]
name = "web"
arrivals = { kind = "fixed", rate = "100 /s" }
[record]
states = 1
connections = 1
segments = 0
"#;

fn seen(sets: &[&str]) -> Seen {
    let seen = Seen::new(&planned(PAIR, sets).runs[0]);
    let wrong = compare(&seen, &mut Compared::default());
    assert!(
        wrong.is_empty(),
        "{sets:?}: {:?}",
        &wrong[..wrong.len().min(3)]
    );
    seen
}

fn says(seen: &Seen, what: &str) -> bool {
    seen.summary.findings.iter().any(|f| f.contains(what))
}

fn limit(sets: &[&str]) -> Option<f64> {
    let spec = &planned(PAIR, sets).runs[0];
    let network = spec.scenario.topology.network().unwrap();
    let hints = scenarios::analytic::hints(&spec.scenario, &network);
    hints.theory.map(|t| port_limit(&t).middle())
}

#[test]
fn a_lingering_server_leaves_the_client_in_fin_wait_2_for_a_minute_not_for_the_linger() {
    // The client gives up in FIN-WAIT-2 after 60 s, which gives 28,232 / 60 s. The limit is a little
    // lower: FIN-WAIT-2 starts with the server's ACK, which may be delayed by 40 ms, and the server
    // still has the connection when the port is used again, so the SYN must be retransmitted after a second.
    let seen = seen(&["workload.web.linger=600 s"]);
    assert_eq!(seen.metric("connects_failed"), Some(0.0));
    assert!(
        says(
            &seen,
            "allows 462.5 to 470.5 connections/s (28,232 ports / 60 s to 61 s)"
        ),
        "{:?}",
        seen.summary.findings
    );
    assert!(says(&seen, "the 100/s offered use 21.4 % of it"));
    let longer = limit(&["workload.web.linger=600 s", "tcp.fin_timeout=90 s"]).unwrap();
    // Linux waits for twice the 30 s by which the time-out exceeds TIME-WAIT.
    let (least, most) = (28_232.0 / 61.05, 28_232.0 / 60.0);
    assert!((longer - (least + most) / 2.0).abs() < 0.3, "{longer}");
    let short = limit(&["workload.web.linger=20 s"]).unwrap();
    assert!((short - 28_232.0 / 80.0).abs() < 0.1, "{short}");
    // RFC 9293 has no such time-out.
    let rfc = limit(&["workload.web.linger=600 s", "tcp.profile=rfc9293"]).unwrap();
    assert!((rfc - 16_384.0 / 840.0).abs() < 0.1, "{rfc}");
}

#[test]
fn a_port_reused_while_the_server_lingers_costs_one_syn_more() {
    let sets = |duration| {
        [
            "workload.web.linger=600 s",
            "tcp.fin_timeout=10 s",
            "tcp.ip_local_port_range=[10001, 11000]",
            "workload.web.arrivals.rate=150 /s",
            duration,
        ]
    };
    let [half, whole] = ["duration=30 s", "duration=60 s"].map(|d| seen(&sets(d)));
    let established = |seen: &Seen| seen.metric("connects_established").unwrap();
    let rate = (established(&whole) - established(&half)) / 30.0;
    let limit = port_limit(whole.info().analytic.theory.as_ref().unwrap());
    // Every port is still in CLOSE-WAIT at the server when it is used again.
    assert!((rate - 1_000.0 / 11.0).abs() < 1.5, "{rate}");
    assert!(
        limit.low - 1.0 < rate && rate < limit.high,
        "{limit:?} {rate}"
    );
    assert!(
        says(&whole, "Most connects were slow"),
        "{:?}",
        whole.summary.findings
    );
}

#[test]
fn reuse_without_timestamps_reuses_nothing() {
    let seen = seen(&[
        "workload.web.arrivals.rate=660 /s",
        "tcp.tw_reuse=true",
        "tcp.host.server.timestamps=false",
        "duration=200 s",
    ]);
    assert!(
        says(&seen, "allows 470.5 connections/s"),
        "{:?}",
        seen.summary.findings
    );
    let (info, window) = (seen.info(), seen.info().steady_window());
    let mean = expected_time_wait(&info.analytic, info.duration_s, window).unwrap();
    assert!((mean.value - 28_230.0).abs() < 3.0, "{mean:?}");
    assert!((seen.mean(window, |r| r.1) - mean.value).abs() < 3.0);
}

#[test]
fn reuse_frees_a_port_after_its_delay_and_its_time_wait_has_no_closed_form() {
    let limit = limit(&["tcp.tw_reuse=true"]).unwrap();
    assert!((limit - 28_232.0 / 1.006).abs() < 10.0, "{limit}");
    let seen = seen(&[
        "workload.web.arrivals.rate=400 /s",
        "tcp.tw_reuse=true",
        "tcp.ip_local_port_range=[40000, 40199]",
        "duration=20 s",
    ]);
    assert!(!says(&seen, "Little"), "{:?}", seen.summary.findings);
    let share = seen.metric("connects_failed_share_steady").unwrap();
    assert!((share - 0.5).abs() < 0.01, "{share}");
}

#[test]
fn a_log_normal_wait_counts_with_its_mean_and_a_pareto_without_a_mean_has_no_limit() {
    let ports = "tcp.ip_local_port_range=[40000, 40999]";
    let wait = "workload.web.service={ kind = \"lognormal\", median = \"10 s\", sigma = 1.5 }";
    // 1000 / (10 s x e^(1.5^2 / 2) + 60 s)
    let limit_of_mean = limit(&[ports, wait]).unwrap();
    assert!((limit_of_mean - 11.0).abs() < 0.05, "{limit_of_mean}");
    let wait = "workload.web.service={ kind = \"pareto\", min = \"10 s\", alpha = 1.0 }";
    assert_eq!(limit(&[ports, wait]), None);
}

#[test]
fn each_value_of_a_sweep_has_its_own_number_of_destinations() {
    let text = "name = \"star\"\nduration = \"10 s\"\n[topology]\nkind = \"star\"\nclients = 2\n[[workload]]\narrivals = { kind = \"fixed\", rate = \"10 /s\" }\n[sweep]\n\"topology.servers\" = [1, 4, 64]\n";
    for (spec, servers) in planned(text, &[]).runs.iter().zip([1.0, 4.0, 64.0]) {
        let network = spec.scenario.topology.network().unwrap();
        let theory = scenarios::analytic::hints(&spec.scenario, &network)
            .theory
            .unwrap();
        assert_eq!(theory.pairs, 2.0 * servers);
        let limit = port_limit(&theory).middle();
        assert!(
            (limit / (2.0 * servers * 28_232.0 / 60.0) - 1.0).abs() < 1e-3,
            "{limit}"
        );
    }
}

#[test]
fn a_users_own_tcp_has_no_closed_form() {
    let spec = &planned(PAIR, &["duration=5 s"]).runs[0];
    let dir = tempfile::tempdir().unwrap();
    let make = |config| {
        let factory = |open| Box::new(Connection::new(open)) as Box<dyn TcpModel>;
        TcpHost::new(config).with_model(Arc::new(factory))
    };
    let dir = dir.path().join("run");
    let summary = run::execute_with(spec, &dir, false, &make, &mut |_| ()).unwrap();
    assert_eq!(theory(&summary), None);
    assert!(summary.info.analytic.no_closed_form[0].contains("of your own"));
    assert!(!summary.findings.iter().any(|f| f.contains("port supply")));
}

#[test]
fn a_limit_is_drawn_where_the_curve_comes_near_it_and_is_otherwise_said() {
    let text = "name = \"limit\"\nduration = \"20 s\"\n[topology]\nkind = \"pair\"\n\
                path = { delay = \"1 ms\" }\n[[workload]]\nclose = \"client\"\n\
                arrivals = { kind = \"fixed\", rate = \"20 /s\" }";
    for (sets, near) in [
        (&[][..], false),
        (&["tcp.ip_local_port_range=[40000, 40499]"][..], true),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let run = dir.path().join("run");
        make(text, sets, &run);
        let page = std::fs::read_to_string(run.join("report.html")).unwrap();
        let picture = std::fs::read_to_string(run.join("figures/time_wait.svg")).unwrap();
        assert_eq!(picture.contains(" ports"), near, "{sets:?}");
        assert_eq!(page.contains("ports, is far above"), !near, "{sets:?}");
    }
}
