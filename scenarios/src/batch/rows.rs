//! The rows and the description of a batch, for its index and report.

use std::sync::Arc;

use reports::{BatchInfo, BatchRow, RunStatus};

use super::RunOutcome;
use crate::parameters;
use crate::run::RunError;
use crate::run_spec::RunSpec;
use crate::scenario::Scenario;
use crate::sweep::{Plan, SweepAxis, figure_for_report};

pub(crate) fn row(plan: &Plan, spec: &RunSpec, outcome: &RunOutcome) -> BatchRow {
    let value = |axis: &SweepAxis| {
        let mut parameters = spec.parameters.iter();
        let found = parameters.find(|(name, _)| *name == axis.name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let (status, message) = match outcome {
        RunOutcome::Failed(RunError::Stopped) => (RunStatus::Missing, "not made yet".to_owned()),
        RunOutcome::Failed(error) => (RunStatus::Failed, error.to_string()),
        RunOutcome::LeftOut(why) => (RunStatus::Missing, (*why).to_owned()),
        _ => (RunStatus::Ok, String::new()),
    };
    BatchRow {
        id: spec.id.clone(),
        values: plan.axes.iter().map(value).collect(),
        seed: spec.seed,
        replica: spec.replica,
        status,
        message,
        metrics: outcome
            .outline()
            .map(|outline| outline.metrics.clone())
            .unwrap_or_default(),
    }
}

pub(super) fn batch_info(plan: &Plan, command: &str, metrics_only: bool) -> BatchInfo {
    BatchInfo {
        name: plan.name.clone(),
        question: plan.question.clone(),
        description: plan
            .runs
            .first()
            .map(|r| r.scenario.description.clone())
            .unwrap_or_default(),
        zh: plan.zh.clone(),
        command: command.to_owned(),
        parameters: common_parameters(&plan.runs),
        axes: plan.axes.iter().map(SweepAxis::for_report).collect(),
        figures: plan
            .figures
            .iter()
            .map(|figure| figure_for_report(figure, &plan.runs))
            .collect(),
        expectations: plan.expectations.clone(),
        metrics_only,
        notes: plan.notes.clone(),
        search: Vec::new(),
    }
}

/// The parameters that are the same for all runs.
fn common_parameters(runs: &[RunSpec]) -> Vec<(String, String)> {
    let mut common: Option<Vec<(String, String)>> = None;
    let mut last: Option<&Arc<Scenario>> = None;
    for run in runs {
        // Replicas share their scenario.
        if last.is_some_and(|last| Arc::ptr_eq(last, &run.scenario)) {
            continue;
        }
        last = Some(&run.scenario);
        let own = parameters::shown(&run.scenario);
        match &mut common {
            None => common = Some(own),
            Some(common) => common.retain(|parameter| own.contains(parameter)),
        }
    }
    common.unwrap_or_default()
}
