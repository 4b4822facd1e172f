//! `synfin check`.

use sim_core::Network;

use super::ScenarioArgs;
use crate::console::{Failure, note, print};
use crate::run_spec::canonical;
use crate::scenario::topology::Topology;
use crate::size;
use crate::sweep::Plan;

/// Prints the first run's scenario complete, then the list of runs.
pub(super) fn check(args: &ScenarioArgs) -> Result<(), Failure> {
    let source = args.source()?;
    let plan = Plan::new(&source, &args.changes()?).map_err(|e| Failure::Usage(e.to_string()))?;
    let mut sizes = Vec::new();
    let mut known: Option<(&Topology, Network)> = None;
    for run in &plan.runs {
        let scenario = &run.scenario;
        let same = known
            .as_ref()
            .is_some_and(|(t, _)| std::ptr::eq(*t, &*scenario.topology));
        if !same {
            let network = scenario.topology.network();
            let network = network.map_err(|p| Failure::Usage(format!("error: {}", p.message)))?;
            known = Some((&scenario.topology, network));
        }
        if let Some((_, network)) = &known {
            sizes.push(size::connections(scenario, network));
        }
    }
    let Some(first) = plan.runs.first() else {
        return Ok(());
    };
    let of = if plan.is_single() {
        ""
    } else {
        ", as in its first run"
    };
    print(&format!(
        "# {}: complete, with every default{of}.\n",
        plan.name
    ))?;
    print(&canonical(&first.scenario.to_file()))?;
    let count = plan.runs.len();
    print(&format!(
        "\n# {count} {}:",
        if count == 1 { "run" } else { "runs" }
    ))?;
    for (run, connections) in plan.runs.iter().zip(sizes) {
        let values: Vec<String> = run
            .parameters
            .iter()
            .map(|(p, v)| format!("{p} = {v}"))
            .collect();
        let values = if values.is_empty() {
            String::new()
        } else {
            format!("  {}", values.join(", "))
        };
        print(&format!(
            "# {}  replica {}{values}  about {connections:.0} connections",
            run.id, run.replica
        ))?;
    }
    note(&format!("{} is fine.", source.name));
    Ok(())
}
