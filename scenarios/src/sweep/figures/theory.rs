//! Theoretical curves for a figure of runs.

use std::collections::HashMap;

use reports::batch::TheoryCurve;

use crate::analytic::curves;
use crate::file::FigureFile;
use crate::run_spec::RunSpec;

/// Returns the curves of a theory along x, one for each combination of the other swept values that affect it.
pub(super) fn theory_curves(name: &str, figure: &FigureFile, runs: &[RunSpec]) -> Vec<TheoryCurve> {
    type SweptValues = Vec<(String, String)>;
    let x = figure.x.as_str();
    let others = |run: &RunSpec| -> SweptValues {
        let others = run.parameters.iter().filter(|p| p.0 != x);
        others.cloned().collect()
    };
    let mut order: Vec<SweptValues> = Vec::new();
    let mut groups: HashMap<SweptValues, Vec<&RunSpec>> = HashMap::new();
    // The curve is the same for all replicas.
    for run in runs.iter().filter(|run| run.replica == runs[0].replica) {
        let values = others(run);
        if !groups.contains_key(&values) {
            order.push(values.clone());
        }
        groups.entry(values).or_default().push(run);
    }
    let mut curves: Vec<TheoryCurve> = Vec::new();
    for only in order {
        let of_group = groups[&only].iter().copied();
        if let Some((name, points)) = curves::curve(name, &figure.y, of_group, x) {
            curves.push(TheoryCurve { only, name, points });
        }
    }
    let paths: Vec<String> = curves.first().map_or_else(Vec::new, |curve| {
        curve.only.iter().map(|(path, _)| path.clone()).collect()
    });
    for path in paths {
        let without = |curve: &TheoryCurve| -> SweptValues {
            let rest = curve.only.iter().filter(|(p, _)| *p != path);
            rest.cloned().collect()
        };
        let mut merged: Vec<TheoryCurve> = Vec::new();
        let makes_no_difference = curves.iter().all(|curve| {
            let only = without(curve);
            match merged.iter().find(|m| m.only == only) {
                Some(there) => there.points == curve.points,
                None => {
                    merged.push(TheoryCurve {
                        only,
                        ..curve.clone()
                    });
                    true
                }
            }
        });
        if makes_no_difference {
            curves = merged;
        }
    }
    curves
}
