use std::ops::ControlFlow;
use std::sync::Arc;

use sim_core::record::Discard;
use tcp_model::TcpHost;
use tcp_model::host::TcpSimulation;

use super::*;
use crate::assemble::Assembly;
use crate::overrides::Override;
use crate::problem::SourceText;
use crate::sweep::Plan;

fn assembly(text: &str) -> Assembly {
    let source = SourceText {
        name: "x".to_owned(),
        text: format!("name = \"x\"\n{text}"),
    };
    let plan = Plan::new(&source, &[] as &[Override]).unwrap_or_else(|e| panic!("{e}"));
    Assembly::new(&plan.runs[0]).unwrap()
}

fn expected_of(assembly: &Assembly) -> Vec<f64> {
    expected(&assembly.network, &assembly.hosts, assembly.config.end)
}

const CHAIN: &str = r#"
duration = "20 s"
[topology]
kind = "chain"
routers = 2
path = { rate = "20 Mbit/s", delay = "5 ms", queue = "50 packets" }
"#;

#[test]
fn expected_events_are_near_those_that_happen() {
    let pair = "duration = \"20 s\"\n[topology]\nkind = \"pair\"\npath = { rate = \"10 Mbit/s\", delay = \"10 ms\", queue = \"50 packets\" }\n";
    for (text, what) in [
        (
            format!("{pair}[[workload]]\narrivals = {{ kind = \"poisson\", rate = \"50 /s\" }}"),
            "short connections",
        ),
        (
            format!(
                "{pair}[[workload]]\narrivals = {{ kind = \"ramp\", from = \"0 /s\", to = \"80 /s\", over = \"10 s\" }}\nstop = \"15 s\""
            ),
            "a ramp",
        ),
        (
            format!(
                "{pair}[[workload]]\narrivals = {{ kind = \"steps\", steps = [{{ at = \"0 s\", rate = \"5 /s\" }}, {{ at = \"10 s\", rate = \"50 /s\" }}] }}"
            ),
            "steps",
        ),
        (
            format!(
                "{pair}[[workload]]\narrivals = {{ kind = \"closed\", users = 20, think = \"100 ms\" }}\nrequests = 4\nresponse = \"20 kB\""
            ),
            "users with persistent connections",
        ),
        (
            format!("{pair}[[workload]]\nkind = \"bulk\"\nflows = 3"),
            "bulk flows that share a link",
        ),
        (
            format!("{pair}[[workload]]\nkind = \"bulk\"\nbytes = \"5 MB\""),
            "a finite transfer",
        ),
        (
            format!("{CHAIN}[[workload]]\nkind = \"bulk\"\nflows = 2"),
            "bulk flows over routers",
        ),
        (
            format!(
                "{pair}[[workload]]\narrivals = {{ kind = \"fixed\", rate = \"50 /s\" }}\nresponse = \"40 kB\""
            ),
            "more than the link carries",
        ),
        (
            format!(
                "{pair}[[workload]]\napplication = {{ kind = \"heartbeat\", interval = \"100 ms\", bytes = 3000 }}"
            ),
            "an application by name",
        ),
    ] {
        let assembly = assembly(&text);
        let guess = expected_of(&assembly).iter().sum::<f64>() * assembly.config.end.as_secs_f64();
        let hosts = assembly.hosts.into_iter().map(|h| h.map(TcpHost::new));
        let mut simulation = TcpSimulation::new(
            Arc::clone(&assembly.network),
            hosts.collect(),
            &assembly.config,
        );
        let ran = simulation.run(&mut Discard, &mut |_| ControlFlow::Continue(()));
        let ratio = guess / ran.unwrap().events as f64;
        assert!((0.5..2.0).contains(&ratio), "{what}: {ratio}");
    }
}

#[test]
fn routers_on_the_way_have_their_share_and_others_none() {
    let assembly = assembly(&format!("{CHAIN}[[workload]]\nkind = \"bulk\""));
    let events = expected_of(&assembly);
    let names = assembly.network.nodes().iter().map(|n| n.name.as_str());
    let of: BTreeMap<&str, f64> = names.zip(events.iter().copied()).collect();
    let routers: Vec<f64> = of
        .iter()
        .filter(|(name, _)| name.starts_with('r'))
        .map(|(_, events)| *events)
        .collect();
    // A router sees data and ACKs, the receiver only data, the sender only ACKs.
    let (most, least) = events
        .iter()
        .fold((0.0f64, f64::MAX), |(m, l), &e| (m.max(e), l.min(e)));
    assert!(routers.iter().all(|&r| r == most), "{of:?}");
    assert!((most / least - 3.0).abs() < 0.01, "{of:?}");
}
