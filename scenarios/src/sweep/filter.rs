//! Selects the runs of a plan for which a condition holds.

use std::collections::HashMap;

use super::{Plan, label};
use crate::condition::{Condition, ConditionError, ConditionValue};
use reports::Unit;

/// Why a condition cannot select runs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// The condition cannot be parsed, or does not apply to the swept values.
    #[error("{condition:?}: {why}")]
    Condition {
        /// The condition as written.
        condition: String,
        /// What is wrong with it.
        why: ConditionError,
    },
    /// The condition holds for no run.
    #[error("{condition:?} holds for none of the {runs} runs")]
    NoRun {
        /// The condition as written.
        condition: String,
        /// Number of runs.
        runs: usize,
    },
}

/// The name of the replica number in conditions.
const REPLICA: &str = "replica";

impl Plan {
    /// Returns for each run whether a condition on its swept values holds. In the condition, `replica` is the
    /// number of the replica, from 0.
    ///
    /// # Errors
    /// When the condition is invalid or holds for no run.
    pub fn matching(&self, condition: &str) -> Result<Vec<bool>, FilterError> {
        let refused = |why| FilterError::Condition {
            condition: condition.to_owned(),
            why,
        };
        let columns = || self.axes.iter().flat_map(super::SweepAxis::columns);
        let mut names: Vec<String> = columns().map(|(name, _)| name.clone()).collect();
        names.push(REPLICA.to_owned());
        let data: Vec<HashMap<String, ConditionValue>> = columns()
            .map(|(_, values)| {
                values
                    .iter()
                    .map(|v| (label(v), ConditionValue::of(v)))
                    .collect()
            })
            .collect();
        let parsed = Condition::parse(condition, &names).map_err(refused)?;
        let nothing = ConditionValue::Text(String::new());
        let each = self.runs.iter().map(|run| {
            let replica = ConditionValue::Number(f64::from(run.replica), Unit::One);
            let found: Vec<&ConditionValue> = names
                .iter()
                .zip(&data)
                .map(|(name, data)| {
                    let mut parameters = run.parameters.iter();
                    let label = parameters.find(|(path, _)| path == name);
                    label.and_then(|(_, v)| data.get(v)).unwrap_or(&nothing)
                })
                .chain([&replica])
                .collect();
            parsed.holds(&|i| found[i])
        });
        let each: Result<Vec<bool>, ConditionError> = each.collect();
        let each = each.map_err(refused)?;
        if each.contains(&true) {
            Ok(each)
        } else {
            let (condition, runs) = (condition.to_owned(), self.runs.len());
            Err(FilterError::NoRun { condition, runs })
        }
    }
}
