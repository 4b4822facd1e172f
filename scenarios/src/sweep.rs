//! Turns a scenario's text into its runs: all replicas of all combinations of swept values.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;
use toml::Value;

use crate::dotted_path::DottedPath;
use crate::file::FigureFile;
use crate::overrides::{Override, OverrideSource};
use crate::problem::{Problem, RefusedScenario, SourceText, ValueOrigin};
use crate::read::{self, ScenarioText};
use crate::run_spec::RunSpec;

mod alternatives;
mod axes;
mod chosen;
mod expectations;
mod figures;
mod filter;
mod ranges;
mod sample;
mod swept_paths;
mod together;
mod twins;
mod until;
mod values;
mod variants;

use axes::axes;
pub(crate) use figures::for_report as figure_for_report;
pub use filter::FilterError;
pub(crate) use ranges::SearchRange;
use swept_paths::{may_vary, swept};
pub use twins::TwinVariant;
pub use until::Until;
use variants::Variants;

/// A swept path and its values.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepAxis {
    /// The path as written.
    pub name: String,
    /// The path.
    pub path: DottedPath,
    /// The values in order; or names, if each stands for several values.
    pub values: Vec<Value>,
    /// The values by path that each name stands for; empty if the values themselves go to `path`.
    pub sets: Vec<Vec<(DottedPath, Value)>>,
    /// Columns that change together with it, each with the same number of values.
    pub companions: Vec<SweepColumn>,
    /// Of the points of a Saltelli design, the number of base points.
    pub base_points: Option<usize>,
}

/// A path and its values.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepColumn {
    /// The path as written.
    pub name: String,
    /// The path.
    pub path: DottedPath,
    /// The values in order.
    pub values: Vec<Value>,
}

impl SweepAxis {
    /// The overrides for value number `place`.
    fn changes(&self, place: usize) -> impl Iterator<Item = Override> {
        let (path, value) = (&self.path, &self.values[place]);
        let own = self
            .sets
            .is_empty()
            .then_some((path, value, OverrideSource::Sweep));
        let name: Arc<str> = label(value).into();
        let sets = self.sets.get(place).into_iter().flatten();
        let sets = sets
            .map(move |(path, value)| (path, value, OverrideSource::Variant(Arc::clone(&name))));
        let companions = self.companions.iter();
        let companions =
            companions.map(move |c| (&c.path, &c.values[place], OverrideSource::Sweep));
        own.into_iter()
            .chain(sets)
            .chain(companions)
            .map(|(path, value, by)| Override {
                path: path.clone(),
                value: value.clone(),
                by,
            })
    }

    /// The paths that it changes.
    fn paths(&self) -> impl Iterator<Item = &DottedPath> {
        let own = self.sets.is_empty().then_some(&self.path);
        let sets = self.sets.iter().flatten().map(|(path, _)| path);
        let companions = self.companions.iter().map(|c| &c.path);
        own.into_iter().chain(sets).chain(companions)
    }

    /// The names and paths that vary together, the axis itself first.
    fn paths_by_name(&self) -> impl Iterator<Item = (&String, &DottedPath)> {
        let companions = self.companions.iter().map(|c| (&c.name, &c.path));
        std::iter::once((&self.name, &self.path)).chain(companions)
    }

    /// The names and values that vary together, the axis itself first.
    fn columns(&self) -> impl Iterator<Item = (&String, &[Value])> {
        let own = [(&self.name, self.values.as_slice())];
        let companions = self.companions.iter();
        own.into_iter()
            .chain(companions.map(|c| (&c.name, c.values.as_slice())))
    }

    /// Converts the axis for reports: values as text and as typed data.
    pub(crate) fn for_report(&self) -> reports::Axis {
        let mut columns = self.columns().map(|(name, values)| reports::Axis {
            path: name.clone(),
            values: values.iter().map(label).collect(),
            typed: values::typed(values),
            companions: Vec::new(),
            base_points: None,
        });
        let mut axis = columns.next().unwrap_or_default();
        axis.companions = columns.collect();
        axis.base_points = self.base_points;
        if !self.sets.is_empty() {
            axis.typed = reports::AxisValues::Names;
        }
        axis
    }
}

/// All runs of a scenario. The last axis varies fastest, and replicas fastest of all.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Name of the scenario.
    pub name: String,
    /// Its question.
    pub question: String,
    /// Its texts in Chinese.
    pub zh: Option<reports::Translation>,
    /// Swept values, in the order written.
    pub axes: Vec<SweepAxis>,
    /// The figures to draw.
    pub figures: Vec<FigureFile>,
    /// The expectations on the results.
    pub expectations: Vec<reports::Expectation>,
    /// The rule for when a variant has enough replicas; if `None`, all runs are executed.
    pub until: Option<Until>,
    /// The scenario's notes on its variants.
    pub notes: Vec<reports::VariantNote>,
    /// Variants that are left out, because the command line has made them the same as others.
    pub twins: Vec<TwinVariant>,
    /// The runs.
    pub runs: Vec<RunSpec>,
}

/// Maximum number of runs in a batch.
const MAX_RUNS: usize = 100_000;

/// Maximum number of combinations of swept values. Each is checked as a whole scenario; this many take less
/// than a second.
const MAX_VARIANTS: usize = 50_000;

impl Plan {
    /// Reads a scenario, applies the changes, and lists its runs.
    ///
    /// # Errors
    /// When the scenario is wrong; the message gives the position and a remedy.
    pub fn new(source: &SourceText, changes: &[Override]) -> Result<Plan, RefusedScenario> {
        // Problems in the text itself are shown with their lines and columns.
        let written =
            read::written(&source.text).map_err(|p| RefusedScenario::new(p, source, &[]))?;
        plan(source, written, changes).map_err(|(problem, all)| {
            let set: Vec<ValueOrigin> = all.iter().map(Override::origin).collect();
            RefusedScenario::new(problem, source, &set)
        })
    }

    /// Rejects a metric that none of the runs can have; `at` is the option or key that names it.
    pub(crate) fn check_metric(&self, metric: &str, at: &'static str) -> Result<(), Problem> {
        figures::check_metric(metric, &self.runs, &at.into())
    }

    /// The theoretical curves with these names for a metric along the swept path `x`.
    pub(crate) fn theory(
        &self,
        names: &[String],
        x: &str,
        metric: &str,
    ) -> Result<Vec<reports::batch::TheoryCurve>, Problem> {
        let figure = FigureFile {
            x: x.to_owned(),
            y: metric.to_owned(),
            theory: names.to_vec(),
            ..FigureFile::default()
        };
        figures::check_drawing(&figure, &"figure".into())?;
        Ok(figure_for_report(&figure, &self.runs).theory)
    }

    /// True for a single run, where nothing is swept.
    pub fn is_single(&self) -> bool {
        self.axes.is_empty() && self.runs.len() == 1
    }
}

type PlanProblem = (Problem, Vec<Override>);

fn plan(
    source: &SourceText,
    written: ScenarioText,
    changes: &[Override],
) -> Result<Plan, PlanProblem> {
    let with_changes = |p: Problem| (p, changes.to_vec());
    let ScenarioText { tree, mut file } = written;
    if !changes.is_empty() {
        file = read::file_with(&source.text, changes).map_err(with_changes)?;
    }
    let until = Until::of(&file).map_err(with_changes)?;
    let mut with_most = changes.to_vec();
    if let Some(until) = &until {
        with_most.push(until.replicas());
        file.replicas = Some(until.most);
    }
    let is_changed = !changes.is_empty();
    let changes = with_most.as_slice();
    let mut axes = axes(&file, source, &tree, changes).map_err(with_changes)?;
    let count = axes
        .iter()
        .try_fold(1usize, |n, a| n.checked_mul(a.values.len()));
    let replicas = file.replicas.unwrap_or(1).max(1) as usize;
    if count.is_none_or(|n| n > MAX_VARIANTS) {
        let values: Vec<String> = axes.iter().map(|a| a.values.len().to_string()).collect();
        let message = format!(
            "the sweep has {} combinations of values, more than the {MAX_VARIANTS} that are checked \
             one by one",
            values.join(" x ")
        );
        let help = "sweep fewer values, or split the scenario; replicas do not count";
        return Err(with_changes(
            Problem::new("sweep".into(), message).help(help),
        ));
    }
    if count
        .and_then(|n| n.checked_mul(replicas))
        .is_none_or(|n| n > MAX_RUNS)
    {
        let at = if replicas > MAX_RUNS {
            "replicas"
        } else {
            "sweep"
        };
        let problem = Problem::new(at.into(), format!("there are more than {MAX_RUNS} runs"));
        return Err(with_changes(
            problem.help("sweep fewer values, or split the scenario"),
        ));
    }
    figures::spell_as_axes(&mut file, &tree, &axes);
    let chosen = chosen::combinations(&file.sweep, &axes).map_err(with_changes)?;
    let variants = Variants::new(&source.text, tree, changes, &axes, &file);
    let mut runs = runs(&variants, &axes, &chosen)?;
    let twins = match is_changed {
        true => twins::drop_variants(&mut axes, &mut runs),
        false => Vec::new(),
    };
    twins::refuse(&runs).map_err(with_changes)?;
    figures::check(&file, &axes, &runs).map_err(with_changes)?;
    let expectations = expectations::check(&file, &axes, &runs).map_err(with_changes)?;
    if let Some(until) = &until {
        until.check(&runs).map_err(with_changes)?;
    }
    if let ([only], true) = (runs.as_mut_slice(), axes.is_empty()) {
        only.expectations.clone_from(&expectations);
    }
    let zh = alternatives::translation(&file);
    Ok(Plan {
        zh,
        name: file.name,
        question: file.question,
        axes,
        figures: file.figure,
        expectations,
        until,
        notes: alternatives::notes(&file.variant),
        twins,
        runs,
    })
}

/// Returns a value in a form for people: strings without quotes.
pub fn label(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// Creates the runs of every variant, in order.
fn runs(
    variants: &Variants<'_>,
    axes: &[SweepAxis],
    chosen: &[usize],
) -> Result<Vec<RunSpec>, PlanProblem> {
    // Only the first failure is reported, so later variants need not be checked.
    let failed = AtomicUsize::new(usize::MAX);
    let of_variant = |i: usize| {
        if failed.load(Ordering::Relaxed) < i {
            return Ok(Vec::new());
        }
        let (scenario, content) = variants.scenario(i).inspect_err(|_| {
            failed.fetch_min(i, Ordering::Relaxed);
        })?;
        let places = variants.places(i);
        let columns = axes.iter().zip(places).flat_map(|(axis, place)| {
            axis.columns()
                .map(move |(name, values)| (name.clone(), label(&values[place])))
        });
        let values: Vec<(String, String)> = columns.collect();
        let scenario = Arc::new(scenario);
        let run =
            |replica| RunSpec::with_content(Arc::clone(&scenario), replica, &values, &content);
        Ok((0..scenario.replicas).map(run).collect())
    };
    let all: Vec<Result<Vec<RunSpec>, PlanProblem>> =
        chosen.par_iter().map(|&i| of_variant(i)).collect();
    let mut runs = Vec::with_capacity(all.len());
    for of_variant in all {
        runs.extend(of_variant?);
    }
    Ok(runs)
}

#[cfg(test)]
mod tests;
