//! Closed forms compared with simulations: they agree within the stated interval, or no theory is given.
//!
//! The intervals are those of [`reports::analytic`]: the uncertainty of the holding time, the first
//! and last connection of each pair, and four standard deviations of the random processes within the
//! window. `SYNFIN_CASES` sets the number of random scenarios.

mod cases;
mod random_scenarios;

use std::collections::BTreeMap;
use std::path::Path;

use crate::common::planned;
use random_scenarios::ScenarioDraw;
use reports::analytic::{
    Expected, FluidPoint, expected_curve, expected_failures, expected_time_wait, port_limit,
};
use reports::store::reader::Table;
use reports::{ArrivalLaw, RunInfo, RunSummary, Theory};
use scenarios::run;
use scenarios::run_spec::RunSpec;
use sim_core::Rng;

/// A run, and what was counted in it.
struct Seen {
    summary: RunSummary,
    /// Time, TIME-WAIT sockets of the group to which the theory applies, ports in use.
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

/// How many comparisons were made.
#[derive(Debug, Default)]
struct Compared {
    shares: u32,
    populations: u32,
    curves: u32,
    limits: u32,
    holdings: u32,
    without: u32,
    /// Why no theory was given, and how often.
    reasons: BTreeMap<String, u32>,
}

/// Compares every number that theory gives with the run, and returns what is wrong.
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
    // Each port may serve one more connection within the window; ports may be taken in waves.
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
    // Little's law for the ports and the time for which one is held. The census also counts a port in
    // TIME-WAIT that may be reused.
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

/// The expected value at a time. The curve is exact except for the last connection of each pair, what
/// waits for a port in each cycle, and the noise of Poisson arrivals.
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
        // A tenth of the ports and of the times: the same curves with a hundredth of the events.
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

#[test]
fn theory_and_simulation_agree_in_random_scenarios_or_theory_is_absent() {
    let cases = std::env::var("SYNFIN_CASES").map_or(200, |n| n.parse().unwrap());
    let mut compared = Compared::default();
    let mut failures = Vec::new();
    for case in 0..cases {
        let text = ScenarioDraw(Rng::stream(7, "theory", case)).scenario();
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
