//! Selects the combinations of swept values to run: those that meet every `constraint` and no `exclude`, without
//! equal points of a Saltelli design.

use rayon::prelude::*;
use toml::{Table, Value};

use super::sample::saltelli;
use super::variants::places;
use super::{SweepAxis, swept};
use crate::condition::{Condition, ConditionValue};
use crate::dotted_path::DottedPath;
use crate::problem::Problem;

/// The key of conditions that exclude combinations.
pub(super) const EXCLUDE: &str = "exclude";
/// The key of conditions that combinations must meet.
pub(super) const CONSTRAINT: &str = "constraint";

/// A condition, its position, and the value that it must have.
struct Rule {
    at: DottedPath,
    condition: Condition,
    keeps: bool,
}

/// Returns the numbers of the combinations to run, in order.
///
/// # Errors
/// When a condition cannot be parsed or does not fit its values, or no combination is left.
pub(super) fn combinations(sweep: &Table, axes: &[SweepAxis]) -> Result<Vec<usize>, Problem> {
    let count: usize = axes.iter().map(|a| a.values.len()).product();
    let columns = || {
        axes.iter()
            .enumerate()
            .flat_map(|(i, a)| a.columns().map(move |c| (i, c)))
    };
    let names: Vec<String> = columns().map(|(_, (name, _))| name.clone()).collect();
    let rules = rules(sweep, &names)?;
    let design = axes.iter().position(|axis| axis.base_points.is_some());
    match (design, rules.first()) {
        (Some(_), Some(rule)) => {
            let message =
                "a Saltelli design needs all of its points, so no combination may be left out";
            return Err(Problem::new(rule.at.clone(), message).help(
                "use another method in [sweep.sample], or ranges in which every combination is valid",
            ));
        }
        (Some(design), None) => {
            let repeats = saltelli::repeats(&axes[design]);
            let is_first = |i: &usize| !repeats[places(axes, *i)[design]];
            return Ok((0..count).filter(is_first).collect());
        }
        (None, None) => return Ok((0..count).collect()),
        (None, Some(_)) => {}
    }
    let data: Vec<(usize, Vec<ConditionValue>)> = columns()
        .map(|(axis, (_, values))| (axis, values.iter().map(ConditionValue::of).collect()))
        .collect();
    let is_chosen = |i: usize| {
        let places = places(axes, i);
        let value = |column: usize| {
            let (axis, values) = &data[column];
            &values[places[*axis]]
        };
        for rule in &rules {
            let holds = rule.condition.holds(&value).map_err(|why| {
                let message = format!("{:?}: {why}", rule.condition.text());
                Problem::new(rule.at.clone(), message)
            })?;
            if holds != rule.keeps {
                return Ok(false);
            }
        }
        Ok(true)
    };
    let each: Vec<Result<bool, Problem>> = (0..count).into_par_iter().map(is_chosen).collect();
    let mut chosen = Vec::new();
    for (i, is_chosen) in each.into_iter().enumerate() {
        if is_chosen? {
            chosen.push(i);
        }
    }
    if chosen.is_empty() {
        let message = format!("the conditions exclude all {count} combinations");
        return Err(Problem::new(rules[0].at.clone(), message).help(
            "`exclude` drops combinations for which it holds, `constraint` those for which it does not",
        ));
    }
    Ok(chosen)
}

fn rules(sweep: &Table, names: &[String]) -> Result<Vec<Rule>, Problem> {
    let mut rules = Vec::new();
    for (key, keeps) in [(EXCLUDE, false), (CONSTRAINT, true)] {
        let at = swept(key);
        let texts = match sweep.get(key) {
            None => continue,
            Some(Value::String(text)) => vec![Some(text.as_str())],
            Some(Value::Array(list)) => list.iter().map(Value::as_str).collect(),
            Some(_) => vec![None],
        };
        for text in texts {
            let example =
                "write for example exclude = [\"tcp.congestion == 'bbr' && rate > '400 Mbit/s'\"]";
            let Some(text) = text else {
                let message = format!("`{key}` must be a condition or a list of conditions");
                return Err(Problem::new(at, message).help(example));
            };
            let condition = Condition::parse(text, names).map_err(|why| {
                Problem::new(at.clone(), format!("{text:?}: {why}")).help(example)
            })?;
            rules.push(Rule {
                at: at.clone(),
                condition,
                keeps,
            });
        }
    }
    Ok(rules)
}
