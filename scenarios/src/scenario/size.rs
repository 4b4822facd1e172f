//! The number of connections of a run, known before it starts, and limits on it.

use tcp_model::spec::Arrivals;

use super::topology::Topology;
use super::workload::{Workload, WorkloadKind};
use crate::dotted_path::DottedPath;
use crate::expected;
use crate::problem::Problem;

/// Maximum number of connections of one node in a run: they are numbered with 32 bits.
const MOST_OF_NODE: f64 = 4_294_967_296.0;
/// Maximum number of connections that a workload opens at once: users, a burst, bulk flows.
const MOST_AT_ONCE: u64 = 10_000_000;

/// Rejects workloads with more connections than the simulator can number or hold.
///
/// # Errors
/// When there are too many users, flows or connections.
pub fn check(workloads: &[Workload], topology: &Topology) -> Result<(), Problem> {
    let mut of_node = vec![0.0; topology.node_count()];
    for (i, workload) in workloads.iter().enumerate() {
        let at = DottedPath::from("workload").index(i);
        let clients = topology.hosts_named(&workload.client);
        let servers = topology.hosts_named(&workload.server);
        let (key, at_once) = match &workload.kind {
            WorkloadKind::Exchange { arrivals, .. } | WorkloadKind::SynFlood { arrivals, .. } => {
                match arrivals {
                    Arrivals::Closed { users, .. } => ("users", u64::from(*users)),
                    Arrivals::Burst(count) => ("count", u64::from(*count)),
                    _ => ("rate", 0),
                }
            }
            WorkloadKind::Bulk { flows, .. } => ("flows", u64::from(*flows) * clients.len() as u64),
            WorkloadKind::Named { .. } => ("application", clients.len() as u64),
        };
        let key = match &workload.kind {
            WorkloadKind::Exchange { .. } | WorkloadKind::SynFlood { .. } => {
                at.key("arrivals").key(key)
            }
            WorkloadKind::Bulk { .. } | WorkloadKind::Named { .. } => at.key(key),
        };
        if at_once > MOST_AT_ONCE {
            return Err(Problem::new(
                key,
                format!("{at_once} connections at once are more than the {MOST_AT_ONCE} that a workload may open"),
            )
            .help("lower it; ten thousand connections at once show most effects"));
        }
        let total = connections_of(workload, clients.len(), None);
        for nodes in [&clients, &servers] {
            for node in nodes {
                let Some(sum) = of_node.get_mut(node.0 as usize) else {
                    continue;
                };
                *sum += total / nodes.len() as f64;
                if *sum > MOST_OF_NODE {
                    return Err(Problem::new(
                        key,
                        format!("one node would have about {sum:.1e} connections in the run, more than the 2^32 that can be numbered"),
                    )
                    .help("lower the rate, shorten `duration`, set a `limit`, or use more hosts"));
                }
            }
        }
    }
    Ok(())
}

/// Number of connections of a workload. If the round trip is not known, each user opens one.
pub(crate) fn connections_of(workload: &Workload, clients: usize, trip_s: Option<f64>) -> f64 {
    let window = (workload.start.as_secs_f64(), workload.stop.as_secs_f64());
    match &workload.kind {
        WorkloadKind::Exchange {
            arrivals,
            limit,
            exchange,
            ..
        } => {
            let open_s = trip_s.map(|trip_s| expected::open_s(exchange, trip_s));
            expected::connections(arrivals, *limit, window, open_s)
        }
        // The behaviour of the application is unknown: assume one connection per client.
        WorkloadKind::Named { .. } => clients as f64,
        WorkloadKind::SynFlood {
            arrivals, limit, ..
        } => expected::connections(arrivals, *limit, window, None),
        WorkloadKind::Bulk { flows, stagger, .. } => {
            let all = f64::from(*flows) * clients as f64;
            if stagger.is_zero() {
                all
            } else {
                all.min(((window.1 - window.0).max(0.0) / stagger.as_secs_f64()).ceil())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expected::path;
    use crate::overrides::Override;
    use crate::problem::SourceText;
    use crate::sweep::Plan;

    fn about(workload: &str) -> Result<f64, String> {
        let text = format!(
            "name = \"x\"\nduration = \"100 s\"\n[topology]\nkind = \"pair\"\npath = {{ delay = \"100 ms\" }}\n[[workload]]\n{workload}\n"
        );
        let name = "x".to_owned();
        let plan = Plan::new(&SourceText { name, text }, &[] as &[Override]);
        let plan = plan.map_err(|refused| refused.to_string())?;
        let scenario = &plan.runs[0].scenario;
        let workload = &scenario.workloads[0];
        let clients = scenario.topology.hosts_named(&workload.client);
        let servers = scenario.topology.hosts_named(&workload.server);
        let network = scenario.topology.network().unwrap();
        let trip_s = path::round_trip_s(&network, clients[0], servers[0]);
        Ok(connections_of(workload, clients.len(), Some(trip_s)))
    }

    #[test]
    fn connections_are_counted_beforehand() {
        for (workload, expected) in [
            ("arrivals = { kind = \"poisson\", rate = \"5 /s\" }", 500.0),
            (
                "arrivals = { kind = \"fixed\", rate = \"5 /s\" }\nstart = \"10 s\"\nstop = \"30 s\"",
                100.0,
            ),
            (
                "arrivals = { kind = \"ramp\", from = \"0 /s\", to = \"10 /s\", over = \"50 s\" }",
                750.0,
            ),
            (
                "arrivals = { kind = \"steps\", steps = [{ at = \"0 s\", rate = \"1 /s\" }, { at = \"90 s\", rate = \"11 /s\" }] }",
                200.0,
            ),
            (
                "arrivals = { kind = \"fixed\", rate = \"5 /s\" }\nlimit = 7",
                7.0,
            ),
            ("arrivals = { kind = \"burst\", count = 9 }", 9.0),
            // Three round trips of 200 ms and a think time of 400 ms.
            (
                "arrivals = { kind = \"closed\", users = 2, think = \"400 ms\" }",
                200.0,
            ),
            ("kind = \"bulk\"\nflows = 3", 3.0),
        ] {
            let got = about(workload).unwrap();
            assert!((got - expected).abs() < 1e-6, "{workload}: {got}");
        }
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for (workload, why) in [
            (
                "arrivals = { kind = \"fixed\", rate = \"1000000000000 /s\" }",
                "2^32",
            ),
            (
                "arrivals = { kind = \"closed\", users = 1000000000 }",
                "choose 1 to 10000000",
            ),
            (
                "arrivals = { kind = \"burst\", count = 4000000000 }",
                "choose 1 to 10000000",
            ),
            ("kind = \"bulk\"\nflows = 4000000000", "choose 1 to 1000000"),
        ] {
            let message = about(workload).unwrap_err();
            assert!(message.contains(why), "{workload}: {message}");
        }
    }
}
