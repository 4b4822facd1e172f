//! The design of Saltelli, from which total Sobol indices are estimated (Saltelli et al., Computer Physics
//! Communications 181, 2010; the order of the points is that of the Python package SALib).
//!
//! Each base point is drawn twice, as A and as B, independently of each other. It becomes d + 2 points: A, B, and
//! for each of the d paths A with the value of that path taken from B. The results of A and of the
//! latter differ only by that path, alone and together with the others.

use std::collections::HashSet;

use toml::Value;

use super::{Dimension, NAME, SamplingMethod, places, sobol};
use crate::dotted_path::DottedPath;
use crate::problem::Problem;
use crate::sweep::{MAX_VARIANTS, SweepAxis, SweepColumn, label};

/// The points of a design with `count` base points.
///
/// # Errors
/// When there are more paths than a Sobol sequence of twice as many dimensions supports, or too many points.
pub(super) fn axis(
    at: &DottedPath,
    over: Vec<Dimension>,
    count: usize,
    seed: u64,
) -> Result<SweepAxis, Problem> {
    let width = over.len() + 2;
    let most = sobol::MOST_DIMENSIONS / 2;
    if over.len() > most {
        let why = format!(
            "a Saltelli design of {} paths; at most {most} are supported",
            over.len()
        );
        return Err(Problem::new(at.key("over"), why).help(
            "fix the paths that matter least; `synfin plot --kind effects` over a \"latin-hypercube\" sample shows which",
        ));
    }
    let points = count * width;
    if points > MAX_VARIANTS {
        let why = format!(
            "{count} base points of {} paths make {points} points, more than the {MAX_VARIANTS} that are checked one by one",
            over.len()
        );
        let help = format!("write at most count = {}", MAX_VARIANTS / width);
        return Err(Problem::new(at.key("count"), why).help(help));
    }
    let (dimensions, each) = (over.len(), over.into_iter().enumerate());
    let companions = each.map(|(d, of)| {
        let method = SamplingMethod::Saltelli;
        let pairs = places(method, d, count, seed).zip(places(method, d + dimensions, count, seed));
        let values = pairs.flat_map(|(a, b)| {
            let (a, b) = (of.from.at(a), of.from.at(b));
            let mixed = (0..dimensions).map(|k| if k == d { b.clone() } else { a.clone() });
            let mixed: Vec<Value> = mixed.collect();
            [a, b].into_iter().chain(mixed)
        });
        SweepColumn {
            name: of.name,
            path: of.path,
            values: values.collect(),
        }
    });
    Ok(SweepAxis {
        name: NAME.to_owned(),
        path: DottedPath::from(NAME),
        values: (1..=points).map(|i| Value::Integer(i as i64)).collect(),
        sets: vec![Vec::new(); points],
        companions: companions.collect(),
        base_points: Some(count),
    })
}

/// For each point of a design, whether an earlier one has the same values: then its run is the same, too, and is
/// executed only once. Values from lists and whole numbers often repeat.
pub(in crate::sweep) fn repeats(axis: &SweepAxis) -> Vec<bool> {
    let mut seen: HashSet<Vec<String>> = HashSet::new();
    let values = |point: usize| -> Vec<String> {
        let columns = axis.companions.iter();
        columns.map(|c| label(&c.values[point])).collect()
    };
    let points = 0..axis.values.len();
    points.map(|point| !seen.insert(values(point))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::PointSource;
    use super::*;
    use crate::sweep::ranges::SearchRange;

    fn dimension(name: &str, from: PointSource) -> Dimension {
        Dimension {
            name: name.to_owned(),
            path: DottedPath::from(name),
            from,
        }
    }

    fn range() -> PointSource {
        PointSource::Range(
            SearchRange::to_search(&Value::Float(0.0), &Value::Float(1.0), false).unwrap(),
        )
    }

    #[test]
    fn a_base_point_becomes_a_and_b_and_a_with_each_value_of_b() {
        let over = vec![dimension("x", range()), dimension("y", range())];
        let axis = axis(&DottedPath::from("sample"), over, 64, 1).unwrap();
        assert_eq!((axis.values.len(), axis.base_points), (256, Some(64)));
        let of = |column: usize| -> Vec<f64> {
            let values = axis.companions[column].values.iter();
            values.map(|v| v.as_float().unwrap()).collect()
        };
        let (x, y) = (of(0), of(1));
        for point in (0..256).step_by(4) {
            let at = |k: usize| (x[point + k], y[point + k]);
            let ((a0, a1), (b0, b1)) = (at(0), at(1));
            assert_eq!((at(2), at(3)), ((b0, a1), (a0, b1)));
        }
        // Four dimensions of one sequence: each is balanced, and A is independent of B.
        for k in 0..2 {
            let below = x.iter().skip(k).step_by(4).filter(|v| **v < 0.5).count();
            assert_eq!(below, 32);
        }
        let both = (0..256)
            .step_by(4)
            .filter(|&p| x[p] < 0.5 && x[p + 1] < 0.5);
        assert_eq!(both.count(), 16);
        assert!(repeats(&axis).iter().all(|repeats| !repeats));
    }

    #[test]
    fn equal_points_are_found() {
        let list = PointSource::List(vec![Value::Integer(1), Value::Integer(2)]);
        let over = vec![dimension("x", list.clone()), dimension("y", list)];
        let axis = axis(&DottedPath::from("sample"), over, 8, 1).unwrap();
        // Two values of each of two paths: four points at most differ.
        let differ = repeats(&axis).iter().filter(|repeats| !**repeats).count();
        assert_eq!(differ, 4);
    }

    #[test]
    fn a_design_with_too_many_points_is_refused() {
        let over = |n: usize| (0..n).map(|_| dimension("x", range())).collect();
        let wrong = |n, count| axis(&DottedPath::from("sample"), over(n), count, 1).unwrap_err();
        assert!(
            wrong(11, 64).message.contains("at most 10"),
            "{:?}",
            wrong(11, 64)
        );
        let help = wrong(3, 20_000).help.unwrap();
        assert!(help.contains("count = 10000"), "{help}");
        assert!(axis(&DottedPath::from("sample"), over(3), 10_000, 1).is_ok());
    }
}
