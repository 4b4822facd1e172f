//! What users add by name works in sweeps, replicas and reports as built-in parts do.

mod common;

use reports::RunSummary;
use scenarios::registry::Registry;
use scenarios::run::execute;
use scenarios::sweep::Plan;
use sim_core::SimTime;
use tcp_model::own_model::OwnModel;
use tcp_model::{Connection, Input, Outputs, TcpModel, TcpView};

/// The example project: `synfin` with one more congestion control.
#[allow(dead_code, unreachable_pub, missing_docs)]
#[path = "../examples/own_control/src/main.rs"]
mod example;

/// A TCP that resets instead of closing.
#[derive(Debug)]
struct Abrupt(Connection);

impl TcpModel for Abrupt {
    fn step(&mut self, input: Input<'_>, now: SimTime, out: &mut Outputs) {
        let input = match input {
            Input::Close => Input::Abort,
            other => other,
        };
        self.0.step(input, now, out);
    }
    fn next_timeout(&self) -> Option<SimTime> {
        self.0.next_timeout()
    }
    fn view(&self) -> TcpView {
        self.0.view()
    }
}

static ABRUPT: OwnModel = OwnModel {
    name: "abrupt",
    doc: "resets instead of closing",
    version: 1,
    make: |context| Box::new(Abrupt(Connection::new(context))),
};

fn plan(text: &str, sets: &[&str]) -> Result<Plan, String> {
    let registry = Registry::new().control(&example::AIMD).tcp_model(&ABRUPT);
    registry.install().expect("names that are free");
    common::plan(text, sets).map_err(|refused| refused.to_string())
}

const SWEEP: &str = include_str!("../examples/own_control/sweep.toml");

/// The same scenario without its sweep.
fn single() -> &'static str {
    SWEEP.split("[sweep]").next().unwrap()
}

fn make(plan: &Plan, run: usize) -> RunSummary {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("run");
    execute(&plan.runs[run], &dir, false, &mut |_| ()).unwrap()
}

#[test]
fn an_own_control_runs_in_a_sweep_beside_ours() {
    let plan = plan(SWEEP, &["duration=3 s", "replicas=1"]).unwrap();
    let sent: Vec<f64> = (0..plan.runs.len())
        .map(|run| make(&plan, run).metrics["retransmissions"])
        .collect();
    let [newreno, aimd, greedy, cubic] = sent[..] else {
        panic!("{} runs", sent.len());
    };
    assert!(newreno > 0.0 && aimd > 0.0 && cubic > 0.0, "{sent:?}");
    assert_ne!(greedy, aimd, "the parameters have their effect");
    let label = |run: usize| plan.runs[run].parameters[0].1.clone();
    assert_eq!(label(1), "aimd");
    assert!(label(2).contains("decrease = 0.8"), "{}", label(2));
}

#[test]
fn a_run_file_makes_the_same_run_again() {
    let first = plan(SWEEP, &["duration=3 s"]).unwrap();
    for run in &first.runs {
        let again = plan(&run.text(), &[]).unwrap();
        assert_eq!(again.runs[0].id, run.id);
    }
}

#[test]
fn the_command_line_and_host_groups_choose_too() {
    let chosen = |sets: &[&str]| {
        let plan = plan(single(), sets).unwrap();
        let tcp = &plan.runs[0].scenario.tcp;
        let names = tcp.all().map(|p| p.congestion.to_string());
        names.collect::<Vec<_>>()
    };
    assert_eq!(chosen(&[]), ["cubic-linux"]);
    assert_eq!(chosen(&["tcp.congestion=aimd"]), ["aimd"]);
    assert_eq!(
        chosen(&["tcp.congestion={ kind = 'aimd', increase = 2.5 }"]),
        ["aimd (increase = 2.5)"]
    );
    assert_eq!(chosen(&["tcp_congestion_control=cubic"]), ["cubic"]);
    let group = chosen(&["tcp.host.server.congestion='aimd'"]);
    assert_eq!(group, ["cubic-linux", "aimd"]);
}

#[test]
fn unknown_names_and_parameters_are_errors_that_say_what_may_be_meant() {
    for (set, says) in [
        ("tcp.congestion=amid", "did you mean \"aimd\"?"),
        (
            "tcp.congestion={ kind = 'aimd', increse = 2 }",
            "did you mean \"increase\"?",
        ),
        (
            "tcp.congestion={ kind = 'aimd', increase = 0 }",
            "between 0.01 and 100",
        ),
        ("tcp.model=abrubt", "\"abrupt\""),
    ] {
        let error = plan(single(), &[set]).unwrap_err();
        assert!(error.contains(says), "{set}: {error}");
    }
}

#[test]
fn an_own_tcp_is_chosen_by_name() {
    const TEXT: &str = r#"
name = "own-tcp"
question = "Who resets?"
duration = "3 s"
topology = { kind = "pair", path = { rate = "10 Mbit/s", delay = "5 ms" } }
[[workload]]
arrivals = { kind = "poisson", rate = "20 /s" }
response = "5 kB"
"#;
    let usual = plan(TEXT, &[]).unwrap();
    let own = plan(TEXT, &["tcp.model=abrupt"]).unwrap();
    assert_ne!(usual.runs[0].id, own.runs[0].id);
    assert!(own.runs[0].text().contains("abrupt"));
    assert_ne!(make(&usual, 0).metrics, make(&own, 0).metrics);
}

#[test]
fn a_name_that_is_taken_is_refused() {
    use tcp_model::congestion::{Algorithm, Control};
    static NEWRENO: Algorithm =
        Algorithm::own("newreno", |_, context| Control::default().make(context));
    let error = Registry::new().control(&NEWRENO).install().unwrap_err();
    assert!(error.to_string().contains("\"newreno\""), "{error}");
}
