//! A user's own queue disciplines and loss models, selected by name in a scenario.

mod common;

use std::sync::Arc;

use common::{directory, said};
use scenarios::problem::SourceText;
use scenarios::registry::Registry;
use scenarios::sweep::Plan;
use sim_core::impairments::{AnyLoss, LossModel};
use sim_core::plugin::{Maker, ModelKind, ModelParameter, ValueKind};
use sim_core::{Rng, SimTime};

/// Loses every n-th packet.
#[derive(Debug)]
struct EveryNth {
    n: u64,
    count: u64,
}

impl LossModel for EveryNth {
    fn is_lost(&mut self, _: SimTime, _: &mut Rng) -> bool {
        self.count += 1;
        self.count.is_multiple_of(self.n)
    }
}

const PARAMETERS: &[ModelParameter] = &[ModelParameter {
    name: "n",
    kind: ValueKind::Count,
    default: None,
    doc: "loses every n-th packet",
}];

fn every_nth() -> ModelKind<AnyLoss> {
    ModelKind::new(
        "every-nth",
        "loses every n-th packet",
        PARAMETERS,
        |values| {
            values.positive(&["n"], "write 1 to lose all")?;
            let n = values.count("n");
            let make: Maker<AnyLoss> = Arc::new(move || AnyLoss::custom(EveryNth { n, count: 0 }));
            Ok(make)
        },
    )
}

const TEXT: &str = r#"
name = "own"
duration = "5 s"
[topology]
kind = "pair"
path = { rate = "10 Mbit/s", delay = "5 ms", loss = { kind = "every-nth", n = 40 } }
[[workload]]
kind = "bulk"
bytes = "500 kB"
[sweep]
"topology.path.loss.n" = [20, 40]
"#;

#[test]
fn a_users_own_loss_model_works_in_a_sweep() {
    let registry = Registry::new().links(|models| models.losses.add(every_nth()));
    registry.install().expect("nothing was read before");
    let source = |text: &str| SourceText {
        name: "own.toml".to_owned(),
        text: text.to_owned(),
    };
    let plan = Plan::new(&source(TEXT), &[]).expect("a valid scenario");
    assert_eq!(plan.runs.len(), 2);
    assert_ne!(plan.runs[0].id, plan.runs[1].id);
    let tmp = tempfile::tempdir().unwrap();
    let lost = |i: usize| {
        let dir = tmp.path().join(format!("run-{i}"));
        let made = scenarios::run::execute(&plan.runs[i], &dir, false, &mut |_| ()).unwrap();
        made.metrics["wire_losses_pkts"]
    };
    let (often, seldom) = (lost(0), lost(1));
    assert!(often > 1.5 * seldom && seldom > 5.0, "{often}, {seldom}");
    let wrong = TEXT
        .replace("n = 40 }", "n = 0 }")
        .replace("[20, 40]", "[0, 40]");
    let message = Plan::new(&source(&wrong), &[]).unwrap_err().to_string();
    assert!(message.contains("n must be greater than zero"), "{message}");
}

const TRACED: &str = r#"
name = "traced"
duration = "1 s"
[topology]
kind = "pair"
[topology.path]
rate = "10 Mbit/s"
delay = "1 ms"
queue = "20 packets"
rate_process = { kind = "trace", deliveries = "@up.trace" }
[[workload]]
kind = "bulk"
[sweep]
"tcp.congestion" = ["newreno", "cubic"]
"#;

/// Runs the scenario from the directory `from`, and returns the sorted names of its runs.
fn run_from(dir: &std::path::Path, from: &str, file: &str, out: &str) -> Vec<String> {
    let (code, _, err) = said(&dir.join(from), &["run", file, "--out", out, "-q"]);
    assert_eq!(code, 0, "{err}");
    let runs = std::fs::read_dir(dir.join(from).join(out).join("runs")).unwrap();
    let mut runs: Vec<String> = runs
        .map(|run| run.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    runs.sort();
    runs
}

#[test]
fn a_file_of_a_list_lies_beside_its_scenario_and_the_results_do_without_it() {
    let dir = directory(&[]);
    std::fs::create_dir(dir.path().join("own")).unwrap();
    std::fs::write(dir.path().join("own/traced.toml"), TRACED).unwrap();
    std::fs::write(dir.path().join("own/up.trace"), "1\n3\n5\n").unwrap();
    let beside = run_from(dir.path(), "own", "traced.toml", "r");
    let above = run_from(dir.path(), ".", "own/traced.toml", "r");
    assert_eq!(
        beside, above,
        "the same runs from wherever they are started"
    );
    std::fs::remove_file(dir.path().join("own/up.trace")).unwrap();
    let (code, _, err) = said(dir.path(), &["check", "own/traced.toml"]);
    assert_eq!(code, 2);
    assert!(err.contains("cannot read \"own/up.trace\""), "{err}");
    // The recorded scenario contains the list.
    let (code, _, err) = said(dir.path(), &["run", "r/batch.toml", "--out", "again", "-q"]);
    assert_eq!(code, 0, "{err}");
    let again = run_from(dir.path(), ".", "r/batch.toml", "again");
    assert_eq!(again, above);
}
