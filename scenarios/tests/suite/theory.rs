//! Closed forms against simulations: they agree within the stated interval, or no theory is stated.
//!
//! The intervals are those of [`reports::analytic`]: what is not known of the holding time, the first
//! and last connection of each pair, and four standard deviations of the random processes within
//! the window. `SYNFIN_CASES` sets the number of random scenarios.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use crate::common::{make, planned};
use reports::analytic::{
    Expected, FluidPoint, expected_curve, expected_failures, expected_time_wait, port_limit,
};
use reports::store::reader::Table;
use reports::{ArrivalLaw, RunInfo, RunSummary, Theory};
use scenarios::run;
use scenarios::run_spec::RunSpec;
use sim_core::Rng;
use tcp_model::{Connection, TcpHost, TcpModel};

/// A run and what was counted in it.
struct Seen {
    summary: RunSummary,
    /// Time, TIME-WAIT sockets of the group that theory speaks of, ports in use.
    census: Vec<(f64, f64, f64)>,
}

impl Seen {
    fn new(spec: &RunSpec) -> Seen {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("run");
        let summary = run::execute(spec, &dir, false, &mut |_| ()).unwrap();
        let stay = theory(&summary).and_then(|t| t.time_wait.as_ref());
        let group = stay.map_or("all", |t| t.group.as_str());
        let time_wait = census(&dir, group, "TIME-WAIT");
        let ports = census(&dir, "all", "ports_in_use");
        let rows = time_wait.into_iter().zip(ports);
        Seen {
            census: rows.map(|((t, n), (_, p))| (t, n, p)).collect(),
            summary,
        }
    }

    fn info(&self) -> &RunInfo {
        &self.summary.info
    }

    fn metric(&self, name: &str) -> Option<f64> {
        self.summary.metrics.get(name).copied()
    }

    /// Mean over the rows of a window.
    fn mean(&self, (from, to): (f64, f64), of: impl Fn(&(f64, f64, f64)) -> f64) -> f64 {
        let rows = self.census.iter().filter(|r| from <= r.0 && r.0 <= to);
        let (sum, n) = rows.fold((0.0, 0u32), |(sum, n), row| (sum + of(row), n + 1));
        sum / f64::from(n.max(1))
    }
}

fn theory(summary: &RunSummary) -> Option<&Theory> {
    summary.info.analytic.theory.as_ref()
}

fn census(dir: &Path, scope: &str, column: &str) -> Vec<(f64, f64)> {
    let table = Table::read(dir, "census").unwrap().unwrap();
    let (times, scopes) = (
        table.floats("time_s").unwrap(),
        table.texts("scope").unwrap(),
    );
    let counts = table.ints(column).unwrap();
    (0..table.len())
        .filter(|&i| scopes[i] == scope)
        .map(|i| (times[i], counts[i] as f64))
        .collect()
}

/// What was compared.
#[derive(Debug, Default)]
struct Compared {
    shares: u32,
    populations: u32,
    curves: u32,
    limits: u32,
    holdings: u32,
    without: u32,
    /// Why no theory is stated, and how often.
    reasons: BTreeMap<String, u32>,
}

/// Every number that theory gives for a run against the run; what is wrong.
fn compare(seen: &Seen, compared: &mut Compared) -> Vec<String> {
    let info = seen.info();
    let hints = &info.analytic;
    let window = info.steady_window();
    let mut wrong = Vec::new();
    let mut within = |what: &str, got: f64, e: Expected| {
        if !(e.low - 1e-9..=e.high + 1e-9).contains(&got) {
            wrong.push(format!("{what}: {got} instead of {e:?}"));
        }
    };
    for reason in &hints.no_closed_form {
        let reason = reason
            .split(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
            .next();
        *compared
            .reasons
            .entry(reason.unwrap_or("").to_owned())
            .or_default() += 1;
    }
    let Some(theory) = &hints.theory else {
        compared.without += 1;
        assert!(!hints.no_closed_form.is_empty(), "no theory and no reason");
        return wrong;
    };
    if let Some(share) = expected_failures(hints, info.duration_s, window) {
        compared.shares += 1;
        let got = seen.metric("connects_failed_share_steady").unwrap_or(0.0);
        within("share that fails", got, share);
    }
    if let Some(expected) = expected_time_wait(hints, info.duration_s, window) {
        compared.populations += 1;
        within("TIME-WAIT", seen.mean(window, |r| r.1), expected);
    }
    if let (Some(points), Some(_)) = (expected_curve(hints, info.duration_s), &theory.time_wait) {
        compared.curves += 1;
        for &(t, got, _) in &seen.census {
            within(
                &format!("TIME-WAIT at {t} s"),
                got,
                at(&points, t, theory, info),
            );
        }
    }
    let settled = theory.start_s + 2.0 * theory.held_s.high;
    let settled = theory.settles_s.map_or(f64::INFINITY, |s| {
        s.max(settled - theory.start_s) + theory.start_s
    });
    if window.0 < settled || hints.offered_per_s.is_empty() {
        return wrong;
    }
    let Some(per_s) = seen.metric("connects_per_s_steady") else {
        return wrong;
    };
    let length = window.1 - window.0;
    let connects = (per_s * length).max(1.0);
    let spread = 4.0 * theory.held_sd_s / theory.held_s.low / connects.sqrt();
    compared.limits += 1;
    // A port serves a last connection within the window; the supply may be used in waves.
    let supply = theory.ports * theory.pairs;
    let waves = supply * (length / theory.held_s.low).ceil() / length;
    let limit = port_limit(theory).high * (1.0 + spread) + (theory.pairs + 1.0) / length;
    let limit = limit.max(waves);
    let most = Expected {
        value: limit,
        low: 0.0,
        high: limit,
    };
    within("connections per second", per_s, most);
    // Little's law for the ports: the time that one is held. The census counts a port in TIME-WAIT
    // that may be used again.
    if !hints.no_closed_form.is_empty() {
        return wrong;
    }
    compared.holdings += 1;
    let value = per_s * theory.held_s.middle();
    let noise = 4.0 * (value * (theory.held_s.high / length).min(1.0)).sqrt() + spread * value;
    let single = 2.0 * theory.pairs + 2.0 + per_s * theory.held_s.width();
    let held = Expected {
        value,
        low: value - noise - single,
        high: value + noise + single,
    };
    within("ports in use", seen.mean(window, |r| r.2), held);
    wrong
}

/// The curve at a time: exact but for the last connection of each pair and what waits for a port in
/// each cycle, and for the noise of Poisson arrivals.
fn at(points: &[FluidPoint], t: f64, theory: &Theory, info: &RunInfo) -> Expected {
    let i = points.partition_point(|p| p.t_s < t).min(points.len() - 1);
    let step = points[1].t_s;
    let near = &points[i.saturating_sub(2)..(i + 2).min(points.len())];
    let value = points[i].time_wait;
    let low = near.iter().map(|p| p.time_wait).fold(value, f64::min);
    let high = near.iter().map(|p| p.time_wait).fold(value, f64::max);
    let top = info
        .analytic
        .offered_per_s
        .iter()
        .map(|p| p.1)
        .fold(0.0, f64::max);
    let after = theory.time_wait.as_ref().map_or(0.0, |s| s.after_s.width());
    let cycles = (t / theory.held_s.low).ceil();
    let blur = 4.0 * theory.blur_s(t);
    let unknown = top * (cycles * theory.held_s.width() + after + step + blur);
    let single = theory.pairs * (2.0 + cycles) + unknown;
    let noise = match theory.arrivals {
        ArrivalLaw::Even => 0.0,
        _ => {
            4.5 * high.max(1.0).sqrt()
                + top * theory.time_wait.as_ref().map_or(0.0, |s| s.after_s.high)
        }
    };
    Expected {
        value,
        low: low - single - noise,
        high: high + single + noise,
    }
}

#[test]
fn theory_and_simulation_agree_in_every_library_scenario() {
    let mut compared = Compared::default();
    for entry in scenarios::library::ALL {
        // A tenth of the ports and times: the same curves with a hundredth of the events.
        let small: &[&str] = match entry.name {
            "time-wait" | "port-exhaustion" => &[
                "tcp.time_wait=6 s",
                "tcp.ip_local_port_range=[40000, 42822]",
                "duration=20 s",
            ],
            "persistent" => &["duration=20 s", "tcp.time_wait=6 s"],
            _ => &[],
        };
        let short = crate::common::SHORT
            .iter()
            .filter(|(name, _)| *name == entry.name);
        let small: Vec<&str> = small.iter().copied().chain(short.map(|s| s.1)).collect();
        let runs = planned(entry.text, &small).runs;
        for spec in crate::common::spread(runs.len()).map(|i| &runs[i]) {
            let wrong = compare(&Seen::new(spec), &mut compared);
            assert!(
                wrong.is_empty(),
                "{} {:?}: {wrong:?}",
                entry.name,
                spec.parameters
            );
        }
    }
    assert!(compared.shares >= 8 && compared.curves >= 8, "{compared:?}");
}

/// Draws a scenario.
struct Draw(Rng);

impl Draw {
    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.0.below(of.len() as u64) as usize]
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low * (high / low).powf(self.0.uniform())
    }

    fn number(&mut self, low: u64, high: u64) -> u64 {
        low + self.0.below(high - low + 1)
    }

    fn time(&mut self, longest_ms: f64) -> String {
        let x = self.between(2.0, longest_ms);
        match self.number(0, 9) {
            0..=3 => format!("\"{x:.0} ms\""),
            4 => format!(
                "{{ kind = \"uniform\", min = \"{:.0} ms\", max = \"{x:.0} ms\" }}",
                x / 3.0
            ),
            5..=6 => format!("{{ kind = \"exponential\", mean = \"{x:.0} ms\" }}"),
            7..=8 => format!(
                "{{ kind = \"lognormal\", median = \"{:.0} ms\", sigma = {:.1} }}",
                x / 2.0,
                self.between(0.2, 1.5)
            ),
            _ => format!(
                "{{ kind = \"pareto\", min = \"{:.0} ms\", alpha = {:.1} }}",
                x / 4.0,
                self.between(0.8, 3.5)
            ),
        }
    }

    fn scenario(&mut self) -> String {
        let ports = self.number(50, 500);
        let time_wait = self.between(0.5, 4.0);
        let mut tcp = format!(
            "[tcp]\nprofile = \"{}\"\ntime_wait = \"{:.0} ms\"\nip_local_port_range = [40000, {}]\n",
            self.one(&["linux", "linux", "linux", "rfc9293", "freebsd"]),
            time_wait * 1e3,
            39_999 + ports,
        );
        let mut add = |yes: bool, text: &str| {
            if yes {
                tcp.push_str(text);
                tcp.push('\n');
            }
        };
        let table = self.number(20, 400);
        add(self.0.chance(0.15), "tw_reuse = true");
        add(self.0.chance(0.1), "tw_reuse_delay = \"300 ms\"");
        add(self.0.chance(0.1), &format!("max_tw_buckets = {table}"));
        add(self.0.chance(0.2), "fin_timeout = \"3 s\"");
        add(self.0.chance(0.1), "timers = \"hz-250\"");
        let selection = self.one(&["linux", "linux", "random", "sequential"]);
        add(true, &format!("port_selection = \"{selection}\""));
        add(self.0.chance(0.2), "[tcp.host.server]\ntimestamps = false");
        let (topology, pairs) = self.topology();
        let (workload, open) = self.workload();
        let load = self.between(0.2, 2.5);
        let rate = (load * ports as f64 * pairs / (time_wait + open)).min(600.0);
        let length = (14.0 * (time_wait + open))
            .min(9_000.0 / rate)
            .max(3.0 * time_wait);
        let arrivals = match self.number(0, 9) {
            0..=3 => format!("{{ kind = \"fixed\", rate = \"{rate:.2} /s\" }}"),
            4..=7 => format!("{{ kind = \"poisson\", rate = \"{rate:.2} /s\" }}"),
            8 => format!(
                "{{ kind = \"ramp\", from = \"{:.2} /s\", to = \"{rate:.2} /s\", over = \"{:.1} s\" }}",
                rate / 5.0,
                length / 2.0
            ),
            _ => match self.number(0, 2) {
                0 => format!(
                    "{{ kind = \"steps\", steps = [{{ at = \"0 s\", rate = \"{:.2} /s\" }}, {{ at = \"{:.1} s\", rate = \"{rate:.2} /s\" }}] }}",
                    rate / 3.0,
                    length / 3.0
                ),
                1 => "{ kind = \"closed\", users = 40, think = \"100 ms\" }".to_owned(),
                _ => "{ kind = \"burst\", count = 100 }".to_owned(),
            },
        };
        format!(
            "name = \"x\"\nduration = \"{length:.2} s\"\nseed = {}\n{tcp}{topology}[[workload]]\narrivals = {arrivals}\n{workload}[record]\nstates = 1\nconnections = 1\nsegments = 0\n",
            self.number(1, 1_000_000)
        )
    }

    /// The network, and the pairs of client address and destination.
    fn topology(&mut self) -> (String, f64) {
        let delay = self.between(0.2, 20.0);
        let mut link = format!("delay = \"{delay:.3} ms\"");
        if self.0.chance(0.5) {
            let _ = write!(link, ", rate = \"{} Mbit/s\"", self.number(10, 1_000));
        }
        if self.0.chance(0.05) {
            link.push_str(", loss = 0.02");
        }
        if self.0.chance(0.05) {
            link.push_str(", queue = \"3 packets\"");
        }
        let (local, remote) = (self.number(1, 2), self.number(1, 2));
        let addresses = format!("client_addresses = {local}\nserver_addresses = {remote}\n");
        if self.0.chance(0.7) {
            let single = self.0.chance(0.5);
            let text = format!("[topology]\nkind = \"pair\"\npath = {{ {link} }}\n");
            return if single {
                (text, 1.0)
            } else {
                (text + &addresses, (local * remote) as f64)
            };
        }
        let (clients, servers) = (self.number(1, 3), self.number(1, 3));
        let text = format!(
            "[topology]\nkind = \"star\"\nclients = {clients}\nservers = {servers}\naccess = {{ {link} }}\n{addresses}"
        );
        (text, (clients * local * servers * remote) as f64)
    }

    /// What a connection does, and about how long it is open, seconds.
    fn workload(&mut self) -> (String, f64) {
        let close = self.one(&["client", "client", "client", "server", "both"]);
        let how = match self.number(0, 9) {
            0 => "rst",
            1 if close == "client" => "half",
            _ => "fin",
        };
        let requests = self.number(1, 3);
        let mut text = format!("close = \"{close}\"\nhow = \"{how}\"\nrequests = {requests}\n");
        let mut open = 0.1;
        for (key, chance, longest) in [("service", 0.4, 800.0), ("think", 0.3, 400.0)] {
            if self.0.chance(chance) {
                let _ = writeln!(text, "{key} = {}", self.time(longest));
                open += 0.5 * longest / 1e3;
            }
        }
        for (key, chance, longest) in [("close_after", 0.2, 500.0), ("linger", 0.3, 8_000.0)] {
            if self.0.chance(chance) {
                let s = self.between(10.0, longest) / 1e3;
                let _ = writeln!(text, "{key} = \"{s:.3} s\"");
                open += s.min(4.0);
            }
        }
        let response = self.one(&[
            "\"1000 B\"",
            "\"1000 B\"",
            "\"8 kB\"",
            "\"60 kB\"",
            "{ kind = \"exponential\", mean = \"2 kB\" }",
        ]);
        let _ = writeln!(text, "response = {response}");
        if self.0.chance(0.05) {
            text.push_str("backlog = 2\n");
        }
        if self.0.chance(0.05) {
            text.push_str("accept_rate = \"20 /s\"\n");
        }
        if self.0.chance(0.1) {
            text.push_str("start = \"500 ms\"\n");
        }
        (text, open)
    }
}

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
    // The client gives up in FIN-WAIT-2 after 60 s: 28,232 / 60 s, and a little less, for that
    // begins with the server's ACK, which may be delayed by 40 ms. The server still has the connection
    // when its port is used again, and the SYN has to be sent again after a second.
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
    // Twice the 30 s beyond TIME-WAIT, as Linux has it.
    let (least, most) = (28_232.0 / 61.05, 28_232.0 / 60.0);
    assert!((longer - (least + most) / 2.0).abs() < 0.3, "{longer}");
    let short = limit(&["workload.web.linger=20 s"]).unwrap();
    assert!((short - 28_232.0 / 80.0).abs() < 0.1, "{short}");
    // RFC 9293 knows no such time-out.
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
    // Every port is in CLOSE-WAIT at the server when it is used again.
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
fn theory_and_simulation_agree_in_random_scenarios_or_theory_is_absent() {
    let cases = std::env::var("SYNFIN_CASES").map_or(200, |n| n.parse().unwrap());
    let mut compared = Compared::default();
    let mut failures = Vec::new();
    for case in 0..cases {
        let text = Draw(Rng::stream(7, "theory", case)).scenario();
        let wrong = compare(&Seen::new(&planned(&text, &[]).runs[0]), &mut compared);
        if !wrong.is_empty() {
            let some = &wrong[..wrong.len().min(3)];
            failures.push(format!("case {case}: {some:#?}\n{text}"));
        }
    }
    assert!(failures.is_empty(), "{compared:?}\n{}", failures.join("\n"));
    let with_theory = cases as u32 - compared.without;
    assert!(
        with_theory > cases as u32 / 4 && compared.shares > cases as u32 / 5,
        "theory is stated for too few: {compared:?}"
    );
    eprintln!("{compared:?}");
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
