//! `[[sweep.together]]`: lists of values that change together.

use toml::{Table, Value};

use super::{SweepAxis, SweepColumn, label, swept};
use crate::dotted_path::DottedPath;
use crate::problem::Problem;

/// Makes an axis of lists of equal length.
///
/// # Errors
/// When the lists differ in length, or no list has distinct values.
pub(super) fn axis(
    columns: Vec<SweepColumn>,
    at: &DottedPath,
) -> Result<Option<SweepAxis>, Problem> {
    let Some(first) = columns.first() else {
        return Ok(None);
    };
    let length = first.values.len();
    if let Some(other) = columns.iter().find(|c| c.values.len() != length) {
        let message = format!(
            "{} has {length} values and {} has {}: values that change together are lists of equal length",
            first.name,
            other.name,
            other.values.len()
        );
        return Err(
            Problem::new(at.clone(), message).help("give each list the same number of values")
        );
    }
    let Some(main) = columns.iter().position(has_no_equals) else {
        let message = "none of these lists has distinct values, so points cannot be distinguished";
        return Err(Problem::new(at.clone(), message)
            .help("remove duplicate combinations, or add a list that distinguishes them"));
    };
    let mut companions = columns;
    let main = companions.remove(main);
    Ok(Some(SweepAxis {
        name: main.name,
        path: main.path,
        values: main.values,
        sets: Vec::new(),
        companions,
        base_points: None,
    }))
}

fn has_no_equals(column: &SweepColumn) -> bool {
    let mut labels: Vec<String> = column.values.iter().map(label).collect();
    labels.sort_unstable();
    labels.windows(2).all(|pair| pair[0] != pair[1])
}

/// Returns the elements of `together`.
///
/// # Errors
/// When it is not a list of tables.
pub(super) fn tables(value: &Value) -> Result<Vec<Table>, Problem> {
    let all = value.as_array().map(|list| {
        let tables = list.iter().map(|v| v.as_table().cloned());
        tables.collect::<Option<Vec<Table>>>()
    });
    all.flatten().ok_or_else(|| {
        Problem::new(swept("together"), "`together` must be a list of tables").help(
            "write [[sweep.together]] and below it a list for each path, as in \"tcp.tw_reuse\" = [false, true]",
        )
    })
}
