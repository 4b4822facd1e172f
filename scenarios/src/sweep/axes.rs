//! The axes of a sweep: lists, ranges, values that change together, samples and variants.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::swept_paths::{joined, path_of, swept};
use super::{SweepAxis, SweepColumn, alternatives, chosen, ranges, sample, together};
use crate::dotted_path::DottedPath;
use crate::file::ScenarioFile;
use crate::locate;
use crate::overrides::Override;
use crate::problem::{Problem, SourceText};

pub(super) fn axes(
    file: &ScenarioFile,
    source: &SourceText,
    tree: &Table,
    changes: &[Override],
) -> Result<Vec<SweepAxis>, Problem> {
    // Values set on the command line are no longer swept.
    let fixed: BTreeSet<DottedPath> = changes
        .iter()
        .map(|c| locate::place(tree, &c.path))
        .collect();
    let is_free = |path: &DottedPath| !fixed.contains(&locate::place(tree, path));
    let mut sweep = file.sweep.clone();
    for key in [chosen::EXCLUDE, chosen::CONSTRAINT] {
        sweep.remove(key);
    }
    let together = sweep.remove(TOGETHER).map(|v| together::tables(&v));
    let sample = sweep.remove(sample::NAME);
    let mut columns = Vec::new();
    flatten(&sweep, String::new(), &mut columns)?;
    columns.retain(|c| is_free(&c.path));
    let mut axes: Vec<SweepAxis> = columns.into_iter().map(SweepAxis::of).collect();
    let plain = axes.len();
    for (i, table) in together.transpose()?.unwrap_or_default().iter().enumerate() {
        let mut columns = Vec::new();
        flatten(table, String::new(), &mut columns)?;
        columns.retain(|c| is_free(&c.path));
        let at = DottedPath::from("sweep").key(TOGETHER).index(i);
        axes.extend(together::axis(columns, &at)?);
    }
    if let Some(sample) = &sample {
        axes.extend(sampled(sample, &is_free)?);
    }
    let mut variants = alternatives::axis(&file.variant)?;
    for set in variants.iter_mut().flat_map(|v| &mut v.sets) {
        set.retain(|(path, _)| is_free(path));
    }
    check_twice(&axes, variants.as_ref(), tree)?;
    let joint = axes.split_off(plain);
    let paths: Vec<DottedPath> = axes.iter().map(|a| swept(&a.name)).collect();
    let spans = locate::spans_of(&source.text, &paths);
    let starts = spans.into_iter().map(|s| s.map_or(usize::MAX, |s| s.start));
    let mut in_order: Vec<(usize, SweepAxis)> = starts.zip(axes).collect();
    in_order.sort_by_key(|(start, _)| *start);
    let axes = in_order.into_iter().map(|(_, axis)| axis);
    Ok(variants.into_iter().chain(axes).chain(joint).collect())
}

/// The key of values that change together.
const TOGETHER: &str = "together";

/// The axis of a sample; `None` if nothing is left to draw.
fn sampled(
    sample: &Value,
    is_free: &dyn Fn(&DottedPath) -> bool,
) -> Result<Option<SweepAxis>, Problem> {
    let at = swept(sample::NAME);
    let table = sample.as_table().ok_or_else(|| {
        Problem::new(at, "`sample` must be a table")
            .help("write [sweep.sample] with method = \"latin-hypercube\" and count = 64, and [sweep.sample.over]")
    })?;
    let over = table.get("over").and_then(Value::as_table);
    let mut dimensions = Vec::new();
    if let Some(over) = over {
        sources(over, String::new(), &mut dimensions)?;
    }
    let had_any = !dimensions.is_empty();
    dimensions.retain(|d| is_free(&d.path));
    match had_any && dimensions.is_empty() {
        true => Ok(None),
        false => sample::axis(table, dimensions).map(Some),
    }
}

/// Collects the ranges and lists from which a sample is drawn, by path.
fn sources(table: &Table, prefix: String, all: &mut Vec<sample::Dimension>) -> Result<(), Problem> {
    for (key, value) in table {
        let name = joined(&prefix, key);
        let from = match value {
            Value::Array(values) if !values.is_empty() => sample::PointSource::List(values.clone()),
            Value::Table(range) if ranges::is_range(range) => {
                sample::PointSource::Range(ranges::SearchRange::to_draw_from(&name, range)?)
            }
            Value::Table(inner) => {
                sources(inner, name, all)?;
                continue;
            }
            _ => {
                let at = swept(sample::NAME).key("over").key(&name);
                let message = format!("{name} must be drawn from a range or a list");
                return Err(Problem::new(at, message).help(format!(
                    "write for example \"{name}\" = {{ from = 1, to = 10 }}"
                )));
            }
        };
        let path = path_of(&name)?;
        all.push(sample::Dimension { name, path, from });
    }
    Ok(())
}

impl SweepAxis {
    /// An axis of a single path.
    fn of(column: SweepColumn) -> SweepAxis {
        SweepAxis {
            name: column.name,
            path: column.path,
            values: column.values,
            sets: Vec::new(),
            companions: Vec::new(),
            base_points: None,
        }
    }
}

/// Rejects a value that is swept in two places, because one would silently override the other.
fn check_twice(
    axes: &[SweepAxis],
    variants: Option<&SweepAxis>,
    tree: &Table,
) -> Result<(), Problem> {
    let mut places = BTreeSet::new();
    let companions = axes.iter().flat_map(|a| &a.companions);
    let companions = companions.map(|c| (&c.name, &c.path));
    let all = axes.iter().map(|a| (&a.name, &a.path)).chain(companions);
    for (name, path) in all {
        if !places.insert(locate::place(tree, path)) {
            let message = format!("{name} is swept twice, from two places or under two names");
            return Err(Problem::new(swept(name), message).help("keep one of them"));
        }
    }
    let sets = variants.iter().flat_map(|v| v.sets.iter().zip(&v.values));
    for (i, (set, name)) in sets.enumerate() {
        let mut own = BTreeSet::new();
        for (path, _) in set {
            let place = locate::place(tree, path);
            let is_swept = places.contains(&place);
            if is_swept || !own.insert(place) {
                let by = if is_swept { "[sweep] too" } else { "it twice" };
                let message = format!("the variant {name} sets {path}, which is set by {by}");
                let at = DottedPath::from("variant").index(i).key("set");
                return Err(Problem::new(at, message).help("keep one of them"));
            }
        }
    }
    Ok(())
}

/// Collects lists by path: `"tcp.congestion" = […]` and `tcp.congestion = […]` are the same.
fn flatten(table: &Table, prefix: String, columns: &mut Vec<SweepColumn>) -> Result<(), Problem> {
    for (key, value) in table {
        let name = joined(&prefix, key);
        let values = match value {
            Value::Array(values) => values.clone(),
            Value::Table(range) if ranges::is_range(range) => ranges::expand(&name, range)?,
            Value::Table(inner) => {
                flatten(inner, name, columns)?;
                continue;
            }
            other => {
                let message = format!("the sweep of {name} must be a list or a range");
                return Err(Problem::new(swept(&name), message)
                    .help(format!("write \"{name}\" = [{other}]")));
            }
        };
        let path = path_of(&name)?;
        if values.is_empty() {
            let message = format!("the sweep of {name} has no values");
            return Err(Problem::new(swept(&name), message)
                .help("list at least one, as in [\"100 /s\", \"200 /s\"], or leave the line out"));
        }
        columns.push(SweepColumn { name, path, values });
    }
    Ok(())
}
