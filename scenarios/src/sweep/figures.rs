//! Checks `[[figure]]`: what is drawn must exist, and each figure needs a name of its own.

use std::collections::BTreeSet;

use super::Axis;
use crate::file::{FigureFile, ScenarioFile};
use crate::path::DottedPath;
use crate::problem::Problem;
use crate::run_spec::RunSpec;
use crate::suggest;

/// Refuses figures of metrics that no run has, over paths that are not swept, and two figures that
/// would be written to the same file.
pub(super) fn check(file: &ScenarioFile, axes: &[Axis], runs: &[RunSpec]) -> Result<(), Problem> {
    let mut seen: Vec<(String, usize)> = Vec::new();
    for (i, figure) in file.figure.iter().enumerate() {
        let at = DottedPath::from("figure").index(i);
        check_name(figure, i, &at, &mut seen)?;
        check_paths(file, figure, axes, &at)?;
        check_metric(figure, runs, &at)?;
    }
    Ok(())
}

/// Names that differ only in case are the same file on some systems.
fn check_name(
    figure: &FigureFile,
    i: usize,
    at: &DottedPath,
    seen: &mut Vec<(String, usize)>,
) -> Result<(), Problem> {
    let file = reports::figures::file_name(&figure.name).to_ascii_lowercase();
    if let Some((_, earlier)) = seen.iter().find(|(name, _)| *name == file) {
        let message = format!(
            "figure[{earlier}] and figure[{i}] are both called {:?}: the second would overwrite the first",
            figure.name
        );
        return Err(Problem::new(at.key("name"), message)
            .help("give each figure a name of its own; upper and lower case count as the same"));
    }
    seen.push((file, i));
    Ok(())
}

fn check_paths(
    file: &ScenarioFile,
    figure: &FigureFile,
    axes: &[Axis],
    at: &DottedPath,
) -> Result<(), Problem> {
    for (key, path) in [("x", Some(&figure.x)), ("series", figure.series.as_ref())] {
        let Some(path) = path else { continue };
        let swept = file.sweep.contains_key(path) || axes.iter().any(|a| a.name == *path);
        if !swept {
            let all = axes.iter().map(|a| a.name.as_str());
            return Err(
                Problem::new(at.key(key), suggest::unknown("swept path", path, all))
                    .help("a figure's x and series are paths of [sweep], spelled alike"),
            );
        }
    }
    Ok(())
}

fn check_metric(figure: &FigureFile, runs: &[RunSpec], at: &DottedPath) -> Result<(), Problem> {
    let found = reports::metrics::find(&figure.y);
    if found
        .as_ref()
        .is_some_and(|f| !f.metric.id.contains("<group>"))
    {
        return Ok(());
    }
    let groups: BTreeSet<String> = runs
        .iter()
        .flat_map(|r| r.scenario.topology.groups())
        .collect();
    let groups = groups.iter().map(String::as_str);
    if reports::metrics::is_known(&figure.y, groups.clone()) {
        return Ok(());
    }
    let known = reports::metrics::names(groups);
    let meant = suggest::nearest(&figure.y, known.iter().map(String::as_str));
    let meant = meant.map_or(String::new(), |m| format!("; did you mean {m:?}?"));
    let message = format!("no metric is called {:?}{meant}", figure.y);
    Err(Problem::new(at.key("y"), message).help("scenarios/docs/metrics.md lists all metrics"))
}
