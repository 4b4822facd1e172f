//! Runs with the same content: refused, or left out if the command line has made variants equal.

use std::collections::HashMap;

use super::{SweepAxis, label};
use crate::problem::Problem;
use crate::run_spec::RunSpec;

/// A variant that the command line makes the same as another, because it sets what they differ in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TwinVariant {
    /// The one that is left out.
    pub name: String,
    /// The earlier one, which is kept.
    pub of: String,
}

/// Leaves out variants of which every run is the same as one of an earlier variant.
pub(super) fn drop_variants(axes: &mut [SweepAxis], runs: &mut Vec<RunSpec>) -> Vec<TwinVariant> {
    let Some(axis) = axes.iter_mut().find(|axis| !axis.sets.is_empty()) else {
        return Vec::new();
    };
    let variant = |run: &RunSpec| {
        let mut parameters = run.parameters.iter();
        let found = parameters.find(|(name, _)| *name == axis.name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let mut owners: HashMap<String, String> = HashMap::new();
    let mut twins = Vec::new();
    for name in axis.values.iter().map(label) {
        let of_it = runs.iter().filter(|run| variant(run) == name);
        let ids: Vec<&String> = of_it.map(|run| &run.id).collect();
        match ids.first().and_then(|id| owners.get(*id)) {
            Some(of) if ids.iter().all(|id| owners.contains_key(*id)) => twins.push(TwinVariant {
                name,
                of: of.clone(),
            }),
            _ => {
                for id in ids {
                    owners.entry(id.clone()).or_insert_with(|| name.clone());
                }
            }
        }
    }
    let is_twin = |name: &str| twins.iter().any(|twin| twin.name == name);
    runs.retain(|run| !is_twin(&variant(run)));
    let kept = |axis: &SweepAxis, i: usize| !is_twin(&label(&axis.values[i]));
    let places: Vec<usize> = (0..axis.values.len()).filter(|&i| kept(axis, i)).collect();
    axis.sets = places.iter().map(|&i| axis.sets[i].clone()).collect();
    axis.values = places.iter().map(|&i| axis.values[i].clone()).collect();
    twins
}

/// Rejects two runs with the same content, which would write to the same directory.
pub(super) fn refuse(runs: &[RunSpec]) -> Result<(), Problem> {
    let mut seen: HashMap<&str, &RunSpec> = HashMap::new();
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
