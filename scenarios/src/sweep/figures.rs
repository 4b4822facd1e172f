//! Checks `[[figure]]`: metrics and axes must exist, and names must be unique.

mod theory;

use std::collections::BTreeSet;

use reports::batch::{DistributionKind, MOST_CURVES, MOST_PANELS};
use reports::{Layout, MetricFigure};
use toml::{Table, Value};

use super::{SweepAxis, label};
use crate::analytic::curves;
use crate::dotted_path::DottedPath;
use crate::file::{FigureFile, SCALES, ScenarioFile};
use crate::locate;
use crate::problem::Problem;
use crate::run_spec::RunSpec;
use crate::suggest;
use theory::theory_curves;

/// Converts a figure over these runs for reports.
pub(crate) fn for_report(figure: &FigureFile, runs: &[RunSpec]) -> MetricFigure {
    let is_log = |scale: &Option<String>| scale.as_deref() == Some("log");
    let theory = figure.theory.iter();
    let theory = theory.flat_map(|name| theory_curves(name, figure, runs));
    MetricFigure {
        log: (is_log(&figure.x_scale), is_log(&figure.y_scale)),
        theory: theory.filter(|curve| !curve.points.is_empty()).collect(),
        name: figure.name.clone(),
        metric: figure.y.clone(),
        x: figure.x.clone(),
        series: figure.series.clone().unwrap_or_default(),
        only: only(&figure.only),
        against: figure.against.clone().unwrap_or_default(),
        distribution: figure
            .distribution
            .as_deref()
            .and_then(DistributionKind::named),
        quantile: figure.quantile,
        effects: figure.effects.unwrap_or(false),
        limit: figure.limit,
        ..MetricFigure::default()
    }
}

/// Returns the values of `where` by path: `"tcp.tw_reuse" = true` and `tcp.tw_reuse = true` are the same.
pub(super) fn only(table: &Table) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for (key, value) in table {
        match value {
            Value::Table(inner) => all.extend(
                only(inner)
                    .into_iter()
                    .map(|(path, value)| (format!("{key}.{path}"), value)),
            ),
            value => all.push((key.clone(), label(value))),
        }
    }
    all
}

/// Replaces the swept paths in figures and expectations by the spelling of the axes, which may differ:
/// `net.ipv4.tcp_tw_reuse` for `tcp.tw_reuse`, `workload[0]` for `workload.web`.
pub(super) fn spell_as_axes(file: &mut ScenarioFile, tree: &Table, axes: &[SweepAxis]) {
    let place = |path: &DottedPath| locate::place(tree, path);
    let spelled = |path: &String| {
        let wanted = path.parse::<DottedPath>().ok().map(|p| place(&p));
        let mut columns = axes.iter().flat_map(SweepAxis::paths_by_name);
        let found =
            columns.find(|(name, own)| *name == path || wanted.as_ref() == Some(&place(own)));
        found.map_or_else(|| path.clone(), |(name, _)| name.clone())
    };
    let values = |table: &Table| {
        let values = only(table).into_iter();
        values
            .map(|(path, value)| (spelled(&path), Value::String(value)))
            .collect()
    };
    for figure in &mut file.figure {
        figure.x = spelled(&figure.x);
        figure.series = figure.series.as_ref().map(spelled);
        figure.only = values(&figure.only);
    }
    for expect in &mut file.expect {
        expect.only = values(&expect.only);
    }
}

/// Rejects figures of metrics that no run has, figures over paths that are not swept, and two figures with
/// the same file.
pub(super) fn check(
    file: &ScenarioFile,
    axes: &[SweepAxis],
    runs: &[RunSpec],
) -> Result<(), Problem> {
    let mut seen: Vec<(String, usize)> = Vec::new();
    for (i, figure) in file.figure.iter().enumerate() {
        let at = DottedPath::from("figure").index(i);
        check_name(figure, i, &at, &mut seen)?;
        check_paths(file, figure, axes, &at)?;
        check_where(file, figure, axes, &at)?;
        check_y(figure, runs, &at.key("y"))?;
        if let Some(metric) = &figure.against {
            check_metric(metric, runs, &at.key("against"))?;
        }
        check_drawing(figure, &at)?;
        check_size(figure, axes, &at)?;
    }
    Ok(())
}

/// Rejects a name whose file is taken. Names that differ only in case are the same file on some systems.
fn check_name(
    figure: &FigureFile,
    i: usize,
    at: &DottedPath,
    seen: &mut Vec<(String, usize)>,
) -> Result<(), Problem> {
    let file = reports::figures::file_name(&figure.name).to_ascii_lowercase();
    if let Some((_, earlier)) = seen.iter().find(|(name, _)| *name == file) {
        let message = format!(
            "figure[{earlier}] and figure[{i}] both have the name {:?}: the second would overwrite the first",
            figure.name
        );
        return Err(Problem::new(at.key("name"), message)
            .help("give each figure its own name; upper and lower case count as the same"));
    }
    seen.push((file, i));
    Ok(())
}

/// Checks the metric along y, or that the runs keep the distribution to pool.
fn check_y(figure: &FigureFile, runs: &[RunSpec], at: &DottedPath) -> Result<(), Problem> {
    let name = figure.y.as_str();
    if figure.distribution.is_none() || !reports::metrics::POOLED.contains(&name) {
        return check_metric(name, runs, at);
    }
    if runs.iter().all(|run| run.scenario.record.histograms) {
        return Ok(());
    }
    let message = format!("the runs do not keep the distribution {name}");
    Err(Problem::new(at.clone(), message).help("write [record] with histograms = true"))
}

/// Checks the names of scales and theories, and that each theory predicts the metric.
pub(super) fn check_drawing(figure: &FigureFile, at: &DottedPath) -> Result<(), Problem> {
    for (key, scale) in [("x_scale", &figure.x_scale), ("y_scale", &figure.y_scale)] {
        if let Some(scale) = scale.as_deref().filter(|s| !SCALES.contains(s)) {
            let message = suggest::unknown("scale", scale, SCALES);
            return Err(Problem::new(at.key(key), message));
        }
    }
    check_kind(figure, at)?;
    let at = at.key("theory");
    for (i, name) in figure.theory.iter().enumerate() {
        let Some(theory) = curves::find(name) else {
            let names = curves::CURVES.iter().map(|theory| theory.name);
            let message = suggest::unknown("theory", name, names);
            return Err(Problem::new(at.index(i), message));
        };
        if !theory.metrics.contains(&figure.y.as_str()) {
            let metrics = theory.metrics.join(", ");
            let message = format!("{name:?} says nothing of {}", figure.y);
            let help = format!("draw y = one of {metrics}, or leave {name:?} out");
            return Err(Problem::new(at.index(i), message).help(help));
        }
    }
    Ok(())
}

/// Checks the name of the kind of distribution, and that the figure is of one kind only.
fn check_kind(figure: &FigureFile, at: &DottedPath) -> Result<(), Problem> {
    let kinds = [
        ("against", figure.against.is_some()),
        ("distribution", figure.distribution.is_some()),
        ("quantile", figure.quantile.is_some()),
        ("effects", figure.effects == Some(true)),
        ("limit", figure.limit.is_some()),
    ];
    let given: Vec<&str> = kinds.iter().filter(|k| k.1).map(|k| k.0).collect();
    if let [first, second, ..] = given.as_slice() {
        let message = format!("`{first}` and `{second}` ask for two different figures");
        return Err(Problem::new(at.key(second), message).help("use two figures"));
    }
    if let Some(q) = figure.quantile.filter(|q| !(*q > 0.0 && *q < 1.0)) {
        let message = format!("quantile = {q} is not between 0 and 1");
        return Err(Problem::new(at.key("quantile"), message).help("write for example 0.9"));
    }
    if figure.limit.is_some() && figure.series.is_none() {
        let message = "a phase diagram is over two swept paths, and `series` is missing";
        return Err(
            Problem::new(at.key("limit"), message).help("name the second path with `series`")
        );
    }
    let Some(name) = &figure.distribution else {
        return Ok(());
    };
    let at = at.key("distribution");
    if DistributionKind::named(name).is_none() {
        let message = suggest::unknown("distribution", name, DistributionKind::NAMES);
        return Err(Problem::new(at, message));
    }
    Ok(())
}

fn check_paths(
    file: &ScenarioFile,
    figure: &FigureFile,
    axes: &[SweepAxis],
    at: &DottedPath,
) -> Result<(), Problem> {
    let is_companion = |path: &String| {
        let mut companions = axes.iter().flat_map(|a| &a.companions);
        companions.any(|c| c.name == *path)
    };
    for (key, path) in [("x", Some(&figure.x)), ("series", figure.series.as_ref())] {
        let Some(path) = path else { continue };
        let along_x = key == "x" && is_companion(path);
        let swept = file.sweep.contains_key(path) || axes.iter().any(|a| a.name == *path);
        if !along_x && !swept {
            let all = axes.iter().map(|a| a.name.as_str());
            return Err(
                Problem::new(at.key(key), suggest::unknown("swept path", path, all))
                    .help("a figure's x and series are paths of [sweep]"),
            );
        }
    }
    Ok(())
}

/// Checks `where`, which fixes swept paths at one value each, but cannot fix x or the series.
fn check_where(
    file: &ScenarioFile,
    figure: &FigureFile,
    axes: &[SweepAxis],
    at: &DottedPath,
) -> Result<(), Problem> {
    let at = at.key("where");
    for (path, _) in only(&figure.only) {
        if path == figure.x || Some(&path) == figure.series.as_ref() {
            let message = format!("the figure draws {path}, so `where` cannot fix it at one value");
            return Err(Problem::new(at, message).help("leave it out of `where`"));
        }
    }
    check_values(file, &figure.only, axes, &at)
}

/// Rejects values of `where` that no run has.
pub(super) fn check_values(
    file: &ScenarioFile,
    table: &Table,
    axes: &[SweepAxis],
    at: &DottedPath,
) -> Result<(), Problem> {
    for (path, value) in only(table) {
        let Some(axis) = axes.iter().find(|a| a.name == path) else {
            if file.sweep.contains_key(&path) {
                continue; // the command line holds it at a value already
            }
            let all = axes.iter().map(|a| a.name.as_str());
            let message = suggest::unknown("swept path", &path, all);
            return Err(Problem::new(at.clone(), message).help("`where` takes paths of [sweep]"));
        };
        let values: Vec<String> = axis.values.iter().map(label).collect();
        if !values.contains(&value) {
            let message = format!("{path} is never {value} in the sweep");
            return Err(Problem::new(at.clone(), message)
                .help(format!("its values are {}", values.join(", "))));
        }
    }
    Ok(())
}

/// Rejects more panels or curves than are legible.
fn check_size(figure: &FigureFile, axes: &[SweepAxis], at: &DottedPath) -> Result<(), Problem> {
    let axes: Vec<reports::Axis> = axes.iter().map(SweepAxis::for_report).collect();
    let Some(layout) = Layout::new(&axes, &for_report(figure, &[])) else {
        return Ok(()); // an axis of it is held by the command line
    };
    let curves = layout.curves(&axes);
    if let Some(series) = layout.series.filter(|_| curves > MOST_CURVES) {
        let message = format!(
            "a curve for each value of {} makes {curves} curves; at most {MOST_CURVES} can be distinguished",
            axes[series].path
        );
        return Err(Problem::new(at.clone(), message).help(remedy(&axes[series])));
    }
    let panels = layout.panel_count(&axes);
    if panels > MOST_PANELS {
        let axis = |&i: &usize| &axes[i];
        let names: Vec<&str> = layout
            .panels
            .iter()
            .map(|i| axis(i).path.as_str())
            .collect();
        let message = format!(
            "a panel for each combination of {} makes {panels} panels; at most {MOST_PANELS} can be drawn",
            names.join(" and ")
        );
        let largest = layout
            .panels
            .iter()
            .map(axis)
            .max_by_key(|a| a.values.len());
        let problem = Problem::new(at.clone(), message);
        return Err(match largest {
            Some(axis) => problem.help(remedy(axis)),
            None => problem,
        });
    }
    Ok(())
}

/// The advice to fix an axis at one value.
fn remedy(axis: &reports::Axis) -> String {
    let value = axis.values.first().map_or("", String::as_str);
    let is_bare = value.parse::<f64>().is_ok() || value.parse::<bool>().is_ok();
    let quoted = if is_bare {
        value.to_owned()
    } else {
        format!("{value:?}")
    };
    format!(
        "fix {} at one value: for this figure with where = {{ {:?} = {quoted} }}, or for all runs with --set '{}={value}'",
        axis.path, axis.path, axis.path
    )
}

/// Rejects a metric that no run has.
pub(super) fn check_metric(metric: &str, runs: &[RunSpec], at: &DottedPath) -> Result<(), Problem> {
    let found = reports::metrics::find(metric);
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
    if reports::metrics::is_known(metric, groups.clone()) {
        return Ok(());
    }
    let known = reports::metrics::names(groups);
    let meant = suggest::nearest(metric, known.iter().map(String::as_str));
    let meant = meant.map_or(String::new(), |m| format!("; did you mean {m:?}?"));
    let message = format!("unknown metric {metric:?}{meant}");
    Err(Problem::new(at.clone(), message).help("scenarios/docs/metrics.md lists all metrics"))
}
