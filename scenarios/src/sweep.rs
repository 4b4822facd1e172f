//! From a scenario's text to its runs: every combination of swept values, every replica.

use std::collections::BTreeMap;

use toml::{Table, Value};

use crate::file::{FigureFile, ScenarioFile};
use crate::locate;
use crate::overrides::{By, Override};
use crate::path::{DottedPath, Step};
use crate::problem::{Problem, Source, render};
use crate::read;
use crate::run_spec::RunSpec;
use crate::scenario::Scenario;
use crate::suggest;

/// A swept value: a path and what it takes on.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// As written.
    pub name: String,
    /// Where.
    pub path: DottedPath,
    /// What, in order.
    pub values: Vec<Value>,
}

/// All runs of a scenario, in order: the last axis varies fastest, replicas fastest of all.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Name of the scenario.
    pub name: String,
    /// Its question.
    pub question: String,
    /// Swept values, in the order written.
    pub axes: Vec<Axis>,
    /// Figures asked for.
    pub figures: Vec<FigureFile>,
    /// The runs.
    pub runs: Vec<RunSpec>,
}

/// Most runs of one batch.
const MAX_RUNS: usize = 100_000;

impl Plan {
    /// Reads a scenario, changes it as asked, and lists its runs.
    ///
    /// # Errors
    /// A rendered message that names place and remedy.
    pub fn new(source: &Source, changes: &[Override]) -> Result<Plan, String> {
        // What is wrong with the text itself is told with its own lines and columns.
        read::file(&source.text).map_err(|p| render(&p, source, &[]))?;
        plan(source, changes).map_err(|(p, all)| render(&p, source, &all))
    }

    /// True when there is one run and nothing to compare it with.
    pub fn is_single(&self) -> bool {
        self.axes.is_empty() && self.runs.len() == 1
    }
}

type Failure = (Problem, Vec<Override>);

fn plan(source: &Source, changes: &[Override]) -> Result<Plan, Failure> {
    let with_changes = |p: Problem| (p, changes.to_vec());
    let file = read::file_with(&source.text, changes).map_err(with_changes)?;
    let axes = axes(&file, source, changes).map_err(with_changes)?;
    let count = axes
        .iter()
        .try_fold(1usize, |n, a| n.checked_mul(a.values.len()));
    let replicas = file.replicas.unwrap_or(1).max(1) as usize;
    if count
        .and_then(|n| n.checked_mul(replicas))
        .is_none_or(|n| n > MAX_RUNS)
    {
        let at = if replicas > MAX_RUNS {
            "replicas"
        } else {
            "sweep"
        };
        let problem = Problem::new(at.into(), format!("these are more than {MAX_RUNS} runs"));
        return Err(with_changes(
            problem.help("sweep fewer values, or make several scenarios of them"),
        ));
    }
    let mut runs: Vec<RunSpec> = Vec::new();
    for point in points(&axes) {
        let mut all = changes.to_vec();
        all.extend(point.iter().cloned());
        let fail = |p: Problem| (p, all.clone());
        let variant = read::file_with(&source.text, &all).map_err(fail)?;
        let scenario = Scenario::new(&variant).map_err(fail)?;
        let values: Vec<(String, String)> = axes
            .iter()
            .zip(&point)
            .map(|(a, o)| (a.name.clone(), label(&o.value)))
            .collect();
        for replica in 0..scenario.replicas {
            runs.push(RunSpec::new(&scenario, replica, &values));
        }
    }
    refuse_twins(&runs).map_err(with_changes)?;
    check_figures(&file, &axes).map_err(with_changes)?;
    Ok(Plan {
        name: file.name,
        question: file.question,
        axes,
        figures: file.figure,
        runs,
    })
}

/// A value as people read it: strings without quotes.
pub fn label(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn axes(file: &ScenarioFile, source: &Source, changes: &[Override]) -> Result<Vec<Axis>, Problem> {
    let mut axes = Vec::new();
    flatten(&file.sweep, String::new(), &mut axes)?;
    let tree: Table = source.text.parse().unwrap_or_default();
    for axis in &mut axes {
        let at = DottedPath(vec![
            Step::Key("sweep".into()),
            Step::Key(axis.name.clone()),
        ]);
        axis.path = axis
            .name
            .parse()
            .map_err(|e: String| Problem::new(at.clone(), e))?;
        if axis.path.0.first() == Some(&Step::Key("sweep".into())) || axis.name == "replicas" {
            return Err(Problem::new(at, format!("{} cannot be swept", axis.name)));
        }
        if axis.values.is_empty() {
            return Err(
                Problem::new(at, format!("the sweep of {} has no values", axis.name)).help(
                    "list at least one, as in [\"100 /s\", \"200 /s\"], or leave the line out",
                ),
            );
        }
    }
    // What the command line sets is no longer swept.
    let fixed: Vec<DottedPath> = changes
        .iter()
        .map(|c| locate::place(&tree, &c.path))
        .collect();
    axes.retain(|a| !fixed.contains(&locate::place(&tree, &a.path)));
    for (i, axis) in axes.iter().enumerate() {
        if axes[..i]
            .iter()
            .any(|other| locate::place(&tree, &other.path) == locate::place(&tree, &axis.path))
        {
            let at = DottedPath(vec![
                Step::Key("sweep".into()),
                Step::Key(axis.name.clone()),
            ]);
            return Err(Problem::new(
                at,
                format!("{} is swept twice, under two spellings", axis.name),
            ));
        }
    }
    let written = |a: &Axis| {
        let quoted = DottedPath(vec![Step::Key("sweep".into()), Step::Key(a.name.clone())]);
        locate::span_of(&source.text, &quoted).map_or(usize::MAX, |s| s.start)
    };
    axes.sort_by_key(written);
    Ok(axes)
}

/// Lists with their path: `"tcp.congestion" = […]` and `tcp.congestion = […]` are the same.
fn flatten(table: &Table, prefix: String, axes: &mut Vec<Axis>) -> Result<(), Problem> {
    for (key, value) in table {
        let name = if prefix.is_empty() {
            key.clone()
        } else {
            format!("{prefix}.{key}")
        };
        match value {
            Value::Array(values) => {
                axes.push(Axis {
                    name,
                    path: DottedPath::default(),
                    values: values.clone(),
                });
            }
            Value::Table(inner) => flatten(inner, name, axes)?,
            other => {
                let at = DottedPath(vec![Step::Key("sweep".into()), Step::Key(name.clone())]);
                return Err(Problem::new(at, format!("the sweep of {name} is no list"))
                    .help(format!("write \"{name}\" = [{other}]")));
            }
        }
    }
    Ok(())
}

/// Every combination of values, the last axis fastest; one empty combination without axes.
fn points(axes: &[Axis]) -> Vec<Vec<Override>> {
    let mut all = vec![Vec::new()];
    for axis in axes {
        all = all
            .into_iter()
            .flat_map(|point: Vec<Override>| {
                axis.values.iter().map(move |value| {
                    let mut longer = point.clone();
                    longer.push(Override {
                        path: axis.path.clone(),
                        value: value.clone(),
                        by: By::Sweep,
                    });
                    longer
                })
            })
            .collect();
    }
    all
}

fn check_figures(file: &ScenarioFile, axes: &[Axis]) -> Result<(), Problem> {
    for (i, figure) in file.figure.iter().enumerate() {
        let at = DottedPath::from("figure").index(i);
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
    }
    Ok(())
}

/// Two runs with the same content would write to the same directory.
fn refuse_twins(runs: &[RunSpec]) -> Result<(), Problem> {
    let mut seen: BTreeMap<&str, &RunSpec> = BTreeMap::new();
    for run in runs {
        if let Some(twin) = seen.insert(&run.id, run) {
            let show = |r: &RunSpec| {
                r.parameters
                    .iter()
                    .map(|(p, v)| format!("{p} = {v}"))
                    .collect::<Vec<_>>()
                    .join(", ")
            };
            let message = format!(
                "two runs of the sweep are the same: {} and {}",
                show(twin),
                show(run)
            );
            return Err(
                Problem::new("sweep".into(), message).help("remove one of the equal values")
            );
        }
    }
    Ok(())
}
