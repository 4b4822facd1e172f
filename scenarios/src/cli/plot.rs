//! `synfin plot`: a figure of a batch, drawn on request.

mod existing;
mod picture;

use std::path::Path;

use reports::batch::{DistributionKind, FigureStyle, TheoryCurve};
use reports::render::{metrics_of, plot_batch};
use reports::store::{ResultKind, look_at_results, read_text_file, resolve};
use reports::{Axis, BatchInfo, BatchRow, Layout, MetricFigure, Unit, read_batch};

use picture::PictureFile;

use super::args::{PlotArgs, PlotKind, PlotStyle};
use crate::condition::{Condition, ConditionValue};
use crate::console::{CommandError, print};
use crate::problem::SourceText;
use crate::suggest;
use crate::sweep::Plan;

fn usage(text: String) -> CommandError {
    CommandError::Usage(format!("error: {text}"))
}

/// Draws the figure and prints its path.
pub(super) fn plot(args: &PlotArgs) -> Result<(), CommandError> {
    let dir = resolve(&args.dir).map_err(|e| usage(e.to_string()))?;
    if let Some(name) = &args.figure {
        return existing::existing(args, &dir, name);
    }
    let run = look_at_results(&dir).is_ok_and(|marker| marker.kind == ResultKind::Run);
    if run {
        let names = existing::names(&dir.join("figures")).join(", ");
        return Err(usage(format!(
            "{} is a single run: there is nothing to draw a metric against\n  = help: --figure NAME writes one of its \
             figures: {names}",
            dir.display(),
        )));
    }
    let (info, rows) = read_batch(&dir).map_err(|e| CommandError::Run(format!("error: {e}")))?;
    let (info, rows) = match &args.filter {
        Some(condition) => filtered(info, rows, condition)?,
        None => (info, rows),
    };
    let mut wanted = wanted(args, &info, &rows)?;
    wanted.theory = theory(args, &dir, &info, &wanted)?;
    // Refused before it is drawn; the name of the figure does not matter.
    PictureFile::new(args, "figure")?;
    let figure = plot_batch(&info, &rows, &wanted, args.lang.into())
        .map_err(|e| CommandError::Run(format!("error: {e}")))?;
    let figure = figure.ok_or_else(|| {
        CommandError::Run(format!("error: no complete run has {}", wanted.metric))
    })?;
    let written = PictureFile::new(args, &figure.name)?.write(&figure.svg, &figure.csv)?;
    print(&figure.caption)?;
    print(&written)
}

/// The theoretical curves for a figure of means: those asked for, or those of the scenario's own figure.
fn theory(
    args: &PlotArgs,
    dir: &Path,
    info: &BatchInfo,
    wanted: &MetricFigure,
) -> Result<Vec<TheoryCurve>, CommandError> {
    let x = Layout::new(&info.axes, wanted).map(|layout| info.axes[layout.x].path.clone());
    let x = x.unwrap_or_default();
    if args.theory.is_empty() {
        let same = |f: &&MetricFigure| f.metric == wanted.metric && f.x == x;
        let own = info.figures.iter().find(same);
        return Ok(own.map(|f| f.theory.clone()).unwrap_or_default());
    }
    if args.kind != PlotKind::Mean || !wanted.against.is_empty() {
        return Err(usage(
            "--theory goes with means along a swept parameter\n  = help: leave it or the other option out".into(),
        ));
    }
    let file = dir.join("batch.toml");
    let text = read_text_file(&file, u64::MAX)
        .map_err(|e| CommandError::Run(format!("error: cannot read {}: {e}", file.display())))?;
    let name = file.display().to_string();
    let plan =
        Plan::new(&SourceText { name, text }, &[]).map_err(|e| CommandError::Run(e.to_string()))?;
    plan.theory(&args.theory, &x, &wanted.metric)
        .map_err(|problem| {
            let help = problem
                .help
                .map_or(String::new(), |help| format!("\n  = help: {help}"));
            usage(format!("--theory: {}{help}", problem.message))
        })
}

/// The figure that the options describe.
fn wanted(
    args: &PlotArgs,
    info: &BatchInfo,
    rows: &[BatchRow],
) -> Result<MetricFigure, CommandError> {
    let metrics = metrics_of(rows);
    let is_metric = |name: &str| metrics.iter().any(|m| m == name);
    // The command line requires it, unless there is --figure.
    let y = args.y.clone().unwrap_or_default();
    if !is_metric(&y) {
        let near = suggest::nearest(&y, metrics.iter().map(String::as_str));
        let near = near.map_or(String::new(), |near| format!("; did you mean {near:?}?"));
        return Err(usage(format!(
            "--y: no run has a metric {y:?}{near}\n  = help: index.columns.csv in the directory lists them"
        )));
    }
    let x = match args.x.as_deref() {
        Some(name) if is_metric(name) => None,
        other => other,
    };
    let axis = |option: &str, name: &str| {
        axis_named(info, name).map_err(|e| usage(format!("--{option}: {e}")))
    };
    let mut figure = MetricFigure {
        metric: y,
        x: x.map_or(Ok(String::new()), |name| axis("x", name))?,
        series: args
            .series
            .as_deref()
            .map_or(Ok(String::new()), |name| axis("series", name))?,
        log: (args.log_x, args.log_y),
        style: match args.style {
            PlotStyle::Screen => FigureStyle::Screen,
            PlotStyle::Paper => FigureStyle::Paper,
        },
        ..MetricFigure::default()
    };
    if x.is_none() {
        figure.against = args.x.clone().unwrap_or_default();
    }
    match args.kind {
        PlotKind::Mean => {}
        PlotKind::Median => figure.quantile = Some(0.5),
        PlotKind::Cdf => figure.distribution = Some(DistributionKind::Cdf),
        PlotKind::Ccdf => figure.distribution = Some(DistributionKind::Ccdf),
        PlotKind::Effects => figure.effects = true,
    }
    if !figure.against.is_empty() && args.kind != PlotKind::Mean {
        return Err(usage(
            "a metric along x and --kind are two different figures\n  = help: leave one of them out".into(),
        ));
    }
    let facets: Result<Vec<String>, CommandError> =
        args.facet.iter().map(|name| axis("facet", name)).collect();
    let facets = facets?;
    // Without --series, there is a curve for each value of the first parameter that is not a facet.
    if figure.series.is_empty() && !facets.is_empty() {
        let layout = Layout::new(&info.axes, &figure);
        let x = layout.map(|l| info.axes[l.x].path.clone());
        let free = info.axes.iter().find(|a| {
            a.values.len() > 1 && Some(&a.path) != x.as_ref() && !facets.contains(&a.path)
        });
        figure.series = free.map(|a| a.path.clone()).unwrap_or_default();
    }
    let layout = Layout::new(&info.axes, &figure).ok_or_else(|| {
        usage("--x and --series name the same parameter\n  = help: name two that are swept".into())
    })?;
    let panels = layout.panels.iter().map(|&i| info.axes[i].path.as_str());
    let not_named = |path: &&str| !facets.is_empty() && !facets.iter().any(|f| f == path);
    if let Some(path) = panels.into_iter().find(not_named) {
        return Err(usage(format!(
            "the runs differ in {path}, too\n  = help: --facet {path} makes a panel of each of its values; --filter \
             chooses one"
        )));
    }
    Ok(figure)
}

/// The axis with this name, or whose path ends with it.
fn axis_named(info: &BatchInfo, name: &str) -> Result<String, String> {
    let paths: Vec<&str> = info
        .axes
        .iter()
        .flat_map(Axis::columns)
        .map(|a| a.path.as_str())
        .collect();
    let ends = format!(".{name}");
    let found: Vec<&str> = match paths.iter().find(|p| **p == name) {
        Some(path) => vec![path],
        None => paths
            .iter()
            .copied()
            .filter(|p| p.ends_with(&ends))
            .collect(),
    };
    match found.as_slice() {
        [only] => Ok((*only).to_owned()),
        _ => Err(suggest::unknown("swept parameter", name, paths)),
    }
}

/// Keeps the runs for which a condition on the swept values holds, and the swept values that occur in them.
fn filtered(
    mut info: BatchInfo,
    rows: Vec<BatchRow>,
    condition: &str,
) -> Result<(BatchInfo, Vec<BatchRow>), CommandError> {
    let wrong = |why: String| usage(format!("--filter {condition:?}: {why}"));
    let columns = || {
        info.axes
            .iter()
            .enumerate()
            .flat_map(|(i, a)| a.columns().map(move |c| (i, c)))
    };
    let mut names: Vec<String> = columns().map(|(_, c)| c.path.clone()).collect();
    names.push("replica".to_owned());
    let parsed = Condition::parse(condition, &names).map_err(|e| wrong(e.to_string()))?;
    let mut kept = Vec::new();
    for row in rows {
        let values = columns().map(|(i, column)| {
            let own = row.values.get(i)?;
            let place = info.axes[i].values.iter().position(|v| v == own)?;
            column.values.get(place).map(|text| value(text))
        });
        let values: Option<Vec<ConditionValue>> = values.collect();
        let Some(mut values) = values else { continue };
        values.push(ConditionValue::Number(f64::from(row.replica), Unit::One));
        if parsed
            .holds(&|i| &values[i])
            .map_err(|e| wrong(e.to_string()))?
        {
            kept.push(row);
        }
    }
    if kept.is_empty() {
        return Err(wrong("it holds for no run".into()));
    }
    let axes = info.axes.iter().enumerate().map(|(i, axis)| {
        let has = |value: &String| kept.iter().any(|row| row.values.get(i) == Some(value));
        axis.only(&axis.values.iter().map(has).collect::<Vec<_>>())
    });
    info.axes = axes.collect();
    Ok((info, kept))
}

/// A swept value from its text.
fn value(text: &str) -> ConditionValue {
    let read = format!("v = {text}").parse::<toml::Table>().ok();
    let value = read.and_then(|mut table| table.remove("v"));
    ConditionValue::of(&value.unwrap_or_else(|| toml::Value::String(text.to_owned())))
}
