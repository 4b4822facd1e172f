//! `synfin check`.

use reports::PhaseRisk;

use super::cost::RunsCost;
use super::scenario_args::ScenarioArgs;
use crate::analytic;
use crate::batch::Keep;
use crate::console::{CommandError, note, print};
use crate::phase;
use crate::run_spec::{RunSpec, canonical};

/// Maximum number of runs that are listed one by one.
const MOST_LISTED: usize = 1_000;

/// Prints the scenario of the first run with every default, then the list of runs.
pub(super) fn check(args: &ScenarioArgs) -> Result<(), CommandError> {
    let source = args.source()?;
    let plan = args.plan(&source)?;
    let cost = RunsCost::new(&plan.runs)?.keeping(Keep::BySize, plan.runs.len());
    let Some(first) = plan.runs.first() else {
        return Ok(());
    };
    let of = if plan.is_single() {
        ""
    } else {
        ", as in its first run"
    };
    print(&format!(
        "# {}: with every default filled in{of}.\n",
        plan.name
    ))?;
    print(&canonical(&first.scenario.to_file()))?;
    let count = plan.runs.len();
    print(&format!(
        "\n# {count} {}:",
        if count == 1 { "run" } else { "runs" }
    ))?;
    let mut lines = String::new();
    for (run, estimate) in plan.runs.iter().zip(cost.each()).take(MOST_LISTED) {
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
        lines.push_str(&format!(
            "# {}  replica {}{values}  about {estimate}\n",
            run.id, run.replica
        ));
    }
    print(&lines)?;
    if count > MOST_LISTED {
        let more = count - MOST_LISTED;
        print(&format!(
            "# and {more} more, also checked and included in the estimate"
        ))?;
    }
    print(&format!("# rough estimate for {}", cost.summary()))?;
    for why in no_closed_form(first)? {
        print(&format!("# no closed form: {why}"))?;
    }
    if let Some(risk) = phase_risk(&plan.runs)? {
        print(&format!("# {}", phase::warning(&risk)))?;
    }
    note(&format!("{} is valid.", source.name));
    Ok(())
}

/// Maximum number of runs that are checked for phase effects.
const MOST_LOOKED_AT: usize = 200;

/// Returns the first risk of phase effects among the runs.
fn phase_risk(runs: &[RunSpec]) -> Result<Option<PhaseRisk>, CommandError> {
    for run in runs
        .iter()
        .filter(|run| run.replica == 0)
        .take(MOST_LOOKED_AT)
    {
        let network = run.scenario.topology.network();
        let network = network.map_err(|p| CommandError::Usage(format!("error: {}", p.message)))?;
        let risk = phase::risk(&run.scenario, &network);
        if risk.is_some() {
            return Ok(risk);
        }
    }
    Ok(None)
}

/// Returns the reasons why no closed form applies to a run.
fn no_closed_form(run: &RunSpec) -> Result<Vec<String>, CommandError> {
    let network = run.scenario.topology.network();
    let network = network.map_err(|p| CommandError::Usage(format!("error: {}", p.message)))?;
    Ok(analytic::hints(&run.scenario, &network).no_closed_form)
}
