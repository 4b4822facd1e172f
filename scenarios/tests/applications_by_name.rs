//! Workloads that choose their application by name: one built-in, one defined by the user.

mod common;

use std::sync::{Arc, Once};

use common::summary_of;
use scenarios::batch::{BatchOptions, Keep, RunControl, RunOutcome, make};
use scenarios::execution::Execution;
use scenarios::interrupt::Interrupt;
use scenarios::problem::SourceText;
use scenarios::progress::BatchProgress;
use scenarios::registry::Registry;
use scenarios::sweep::Plan;
use sim_core::plugin::{Maker, ModelKind, ModelParameter, ValueKind};
use tcp_model::app::named::{AnyApplication, Application, Placement};
use tcp_model::app::{App, AppEvent};
use tcp_model::host::SocketCx;

/// With this many connections to open, the application panics.
const TOO_MANY: u64 = 1_000;

/// Opens connections at its start and leaves them open.
#[derive(Clone, Debug)]
struct Crowd {
    connections: u64,
    place: Option<Placement>,
}

impl Crowd {
    fn at(&self, place: &Placement) -> Box<dyn App> {
        Box::new(Crowd {
            place: Some(place.clone()),
            ..self.clone()
        })
    }
}

impl Application for Crowd {
    fn client(&self, place: &Placement) -> Box<dyn App> {
        self.at(place)
    }
    fn server(&self, place: &Placement) -> Box<dyn App> {
        self.at(place)
    }
}

impl App for Crowd {
    fn on_event(&mut self, event: AppEvent, socket: &mut SocketCx<'_, '_>) {
        let Some(place) = &self.place else { return };
        let server = place.role == tcp_model::app::named::ApplicationSide::Server;
        match event {
            AppEvent::Start if server => {
                socket.listen(place.ports[0], place.backlog).unwrap();
            }
            AppEvent::Start => socket.wake(place.start, 0),
            AppEvent::Wake(_) => {
                assert!(self.connections < TOO_MANY, "a bug of the crowd");
                for _ in 0..self.connections {
                    let server = place.servers.get(0).unwrap();
                    socket.connect(None, server).unwrap();
                }
            }
            _ => {}
        }
    }
}

const PARAMETERS: &[ModelParameter] = &[ModelParameter {
    name: "connections",
    kind: ValueKind::Count,
    default: None,
    doc: "connections of each client",
}];

fn crowd() -> ModelKind<AnyApplication> {
    ModelKind::new(
        "crowd",
        "opens connections at its start",
        PARAMETERS,
        |values| {
            let crowd = Crowd {
                connections: values.count("connections"),
                place: None,
            };
            let make: Maker<AnyApplication> = Arc::new(move || Box::new(crowd.clone()));
            Ok(make)
        },
    )
}

fn plan(text: &str) -> Result<Plan, String> {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        let registry = Registry::new().application(crowd());
        registry.install().expect("nothing was read before");
    });
    common::plan(text, &[]).map_err(|refused| refused.to_string())
}

const HEARTBEAT: &str = r#"
name = "beat"
duration = "10.5 s"
[topology]
kind = "star"
clients = 3
access = { delay = "10 ms" }
server_access = { delay = "15 ms" }
[[workload]]
name = "beat"
application = { kind = "heartbeat" }
"#;

/// A connect at 0 s, then a message every second from 1 s to 10 s; the one-way delay is 25 ms.
#[test]
fn heartbeats_are_answered_after_a_round_trip() {
    let plan = plan(HEARTBEAT).unwrap();
    let summary = summary_of(&plan, 0, Execution::default());
    let metric = |name: &str| summary.metrics[name];
    assert_eq!(metric("connects_established"), 3.0);
    assert_eq!(metric("requests_done"), 30.0);
    assert!((metric("request_latency_max_s") - 0.05).abs() < 1e-9);
    let words = summary.findings.join("\n");
    assert!(words.contains("30 requests"), "{words}");
}

/// Messages larger than the buffers are echoed whole; messages whose path breaks are counted.
#[test]
fn large_messages_come_back_whole_and_lost_ones_are_counted() {
    let large = "\"heartbeat\", interval = \"3 s\", bytes = 3000000";
    let text = HEARTBEAT.replace("\"heartbeat\"", large);
    let summary = summary_of(&plan(&text).unwrap(), 0, Execution::default());
    assert!(summary.metrics["requests_done"] >= 6.0);
    let broken = format!("{HEARTBEAT}[[fault]]\nnode = \"server\"\nat = \"5.01 s\"\n");
    let summary = summary_of(&plan(&broken).unwrap(), 0, Execution::default());
    assert_eq!(summary.metrics["requests_done"], 12.0);
    assert_eq!(summary.metrics["requests_unanswered"], 3.0);
}

/// `application` implies the kind of the workload, which may also be given explicitly; other kinds do not
/// accept the key.
#[test]
fn an_application_implies_the_kind_of_its_workload() {
    let key = "application = {";
    let with = |kind: &str| HEARTBEAT.replace(key, &format!("kind = {kind:?}\n{key}"));
    let implied = plan(HEARTBEAT).unwrap();
    let written = plan(&with("application")).unwrap();
    assert_eq!(implied.runs[0].id, written.runs[0].id);
    let refused = plan(&with("exchange")).unwrap_err();
    assert!(
        refused.contains("does not belong to a workload of kind \"exchange\""),
        "{refused}"
    );
}

#[test]
fn their_parameters_are_swept_and_written_out() {
    let swept = format!(
        "{HEARTBEAT}[sweep]\n\"workload.beat.application.interval\" = [\"1 s\", \"2 s\"]\n"
    );
    let first = plan(&swept).unwrap();
    assert_eq!(first.runs.len(), 2);
    let done = |run| summary_of(&first, run, Execution::default()).metrics["requests_done"];
    assert_eq!((done(0), done(1)), (30.0, 15.0));
    common::assert_made_again_from_its_text(&first);
}

#[test]
fn they_are_the_same_in_every_partition() {
    let plan = plan(HEARTBEAT).unwrap();
    common::assert_same_in_every_partition(&plan);
}

#[test]
fn a_users_own_is_chosen_by_its_name() {
    let text = HEARTBEAT.replace("\"heartbeat\"", "\"crowd\", connections = 7");
    let plan = plan(&text).unwrap();
    let summary = summary_of(&plan, 0, Execution::default());
    assert_eq!(summary.metrics["connects_established"], 21.0);
}

#[test]
fn what_is_missing_or_unknown_is_named() {
    let refused = |from: &str, to: &str| plan(&HEARTBEAT.replace(from, to)).unwrap_err();
    let unknown = refused("\"heartbeat\"", "\"hartbeat\"");
    assert!(
        unknown.contains("did you mean \"heartbeat\"?") || unknown.contains("`heartbeat`"),
        "{unknown}"
    );
    let key = refused("\"heartbeat\"", "\"heartbeat\", intervall = \"1 s\"");
    assert!(key.contains("did you mean `interval`?"), "{key}");
    let zero = refused("\"heartbeat\"", "\"heartbeat\", interval = \"0 s\"");
    assert!(zero.contains("must be greater than zero"), "{zero}");
    let missing = refused(
        "application = { kind = \"heartbeat\" }\n",
        "kind = \"application\"\n",
    );
    assert!(missing.contains("`application` is missing"), "{missing}");
    let foreign = refused("application = {", "kind = \"bulk\"\napplication = {");
    assert!(
        foreign.contains("`application` does not belong to a workload of kind \"bulk\""),
        "{foreign}"
    );
}

/// A bug in a plug-in fails only its own runs: the others complete, and a second call does not repeat them.
#[test]
fn a_plug_in_that_panics_stops_no_other_run_of_a_batch_of_parts() {
    let text = HEARTBEAT
        .replace("\"heartbeat\"", "\"crowd\", connections = 1")
        .replace("10.5 s", "100 ms");
    let text = format!(
        "replicas = 3\n{text}[sweep]\n\"workload[0].application.connections\" = [1, 5000, 2]\n"
    );
    let plan = plan(&text).unwrap();
    let tmp = tempfile::tempdir().unwrap();
    let source = SourceText {
        name: "crowd".into(),
        text,
    };
    let options = BatchOptions {
        keep: Keep::Metrics,
        ..BatchOptions::new(tmp.path().join("r"), &source)
    };
    let lengths = plan.runs.iter().map(|run| run.scenario.duration);
    let (progress, interrupt) = (BatchProgress::new(lengths, true), Interrupt::default());
    let index = || std::fs::read_to_string(tmp.path().join("r/index.csv")).unwrap();
    let mut before = String::new();
    for repeat in [false, true] {
        let batch = make(&plan, &options, RunControl::new(&progress, &interrupt)).unwrap();
        for (run, outcome) in plan.runs.iter().zip(&batch.outcomes) {
            let connections = run.parameters[0].1.as_str();
            match outcome {
                RunOutcome::Failed(error) => {
                    assert_eq!(connections, "5000");
                    let words = error.to_string();
                    assert!(words.contains("a bug of the crowd"), "{words}");
                }
                RunOutcome::Kept(_) => assert!(repeat && connections != "5000"),
                RunOutcome::Made { .. } => assert!(!repeat && connections != "5000"),
                other => panic!("{other:?}"),
            }
        }
        let rows = index();
        assert_eq!(rows.matches(",failed,").count(), 3, "{rows}");
        assert_eq!(rows.matches(",ok,").count(), 6, "{rows}");
        assert!(!repeat || rows == before, "{rows}");
        before = rows;
    }
}
