//! Executes replicas in rounds until there are enough of each variant.

use std::collections::BTreeMap;

use reports::BatchRow;

use super::{BatchOptions, RunControl, RunOutcome, row};
use crate::run::RunError;
use crate::sweep::{Plan, Until};

/// The reason why a replica of the plan is not executed.
pub(super) const ENOUGH: &str = "not needed: there are enough replicas";

/// Executes the runs and returns the outcome of each run of the plan.
pub(super) fn all_runs(
    plan: &Plan,
    options: &BatchOptions,
    control: RunControl<'_>,
    until: &Until,
) -> Result<(Vec<RunOutcome>, Vec<String>), RunError> {
    let nothing = RunOutcome::LeftOut(ENOUGH);
    // Gives the values of each run.
    let named: Vec<BatchRow> = plan
        .runs
        .iter()
        .map(|run| row(plan, run, &nothing))
        .collect();
    let mut counts: BTreeMap<Vec<String>, u32> = BTreeMap::new();
    for row in &named {
        counts.insert(row.values.clone(), until.first);
    }
    loop {
        let in_round: Vec<bool> = named
            .iter()
            .map(|row| counts.get(&row.values).is_some_and(|n| row.replica < *n))
            .collect();
        let chosen = in_round.iter().enumerate();
        let chosen: Vec<bool> = chosen.map(|(i, is)| *is && control.is_chosen(i)).collect();
        let these = RunControl {
            only: Some(&chosen),
            ..control
        };
        control
            .progress
            .restart(plan.runs.iter().map(|run| run.scenario.duration));
        let (mut outcomes, damaged) = super::all_runs(plan, options, these, None)?;
        // Leave out existing replicas beyond these: they stem from a batch with a narrower interval.
        for (outcome, _) in outcomes.iter_mut().zip(&in_round).filter(|(_, is)| !**is) {
            *outcome = RunOutcome::LeftOut(ENOUGH);
        }
        let made = plan.runs.iter().zip(&outcomes);
        let rows: Vec<BatchRow> = made.map(|(run, outcome)| row(plan, run, outcome)).collect();
        let next = until.next(&counts, &rows);
        if next == counts || outcomes.iter().any(RunOutcome::is_stopped) {
            return Ok((outcomes, damaged));
        }
        counts = next;
    }
}
