//! The first event in which two runs differ.
//!
//! Looks at the tables of events only: what was not recorded cannot be seen to differ.

use std::path::Path;

use crate::store::StoreError;
use crate::store::reader::{Groups, Table};

/// Tables of events, each with its time column.
const TABLES: [(&str, &str); 3] = [
    ("states", "time_s"),
    ("segments", "sent_s"),
    ("samples", "time_s"),
];

/// The place where two runs begin to differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The table.
    pub table: &'static str,
    /// The row, from 0.
    pub row: u64,
    /// When it happened, in the run where it happened first, seconds.
    pub time_s: f64,
    /// The row in each run: column and value; `None` for a run that has fewer rows.
    pub rows: [Option<Vec<(String, String)>>; 2],
}

impl Difference {
    /// Columns that differ, with both values.
    pub fn columns(&self) -> Vec<(String, String, String)> {
        let [Some(a), Some(b)] = &self.rows else {
            return Vec::new();
        };
        let pairs = a.iter().zip(b).filter(|(a, b)| a != b);
        pairs
            .map(|(a, b)| (a.0.clone(), a.1.clone(), b.1.clone()))
            .collect()
    }
}

/// The first difference of two run directories; `None` when their events are the same.
///
/// # Errors
/// When a table cannot be read.
pub fn first_difference(a: &Path, b: &Path) -> Result<Option<Difference>, StoreError> {
    let mut first: Option<Difference> = None;
    for (table, time) in TABLES {
        let found = in_table([a, b], table, time)?;
        let earlier = |d: &Difference| first.as_ref().is_none_or(|f| d.time_s < f.time_s);
        if let Some(found) = found.filter(earlier) {
            first = Some(found);
        }
    }
    Ok(first)
}

fn in_table(
    dirs: [&Path; 2],
    table: &'static str,
    time: &str,
) -> Result<Option<Difference>, StoreError> {
    let [a, b] = dirs.map(|dir| Groups::open(dir, table, &[]));
    let (Some(mut a), Some(mut b)) = (a?, b?) else {
        return Ok(None);
    };
    let mut before = 0;
    loop {
        let pair = (a.next_group()?, b.next_group()?);
        let (row, rows) = match &pair {
            (None, None) => return Ok(None),
            (Some(x), None) => (0, [Some((x, 0)), None]),
            (None, Some(y)) => (0, [None, Some((y, 0))]),
            (Some(x), Some(y)) => match x.first_difference(y) {
                Some(row) => {
                    let at = |t| (row < Table::len(t)).then_some((t, row));
                    (row, [at(x), at(y)])
                }
                None => {
                    before += x.len() as u64;
                    continue;
                }
            },
        };
        let times = rows.iter().flatten().filter_map(|(t, i)| {
            let times = t.floats(time).ok()?;
            times.get(*i).copied().filter(|t| t.is_finite())
        });
        let time_s = times.fold(f64::INFINITY, f64::min);
        return Ok(Some(Difference {
            table,
            row: before + row as u64,
            time_s,
            rows: rows.map(|r| r.map(|(t, i)| t.row(i))),
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::table::{ColumnKind, SharedText, TableWriter};

    fn write(dir: &Path, rows: &[(f64, &str)]) {
        let columns = [("time_s", ColumnKind::Float), ("to", ColumnKind::Text)];
        let mut table = TableWriter::create(dir, "states", &columns).unwrap();
        for (time, to) in rows {
            table
                .row()
                .float(*time)
                .text(&SharedText::from(*to))
                .end()
                .unwrap();
        }
        table.close().unwrap();
    }

    #[test]
    fn the_first_row_that_differs_is_named_with_its_columns() {
        let dirs = [(); 3].map(|()| tempfile::tempdir().unwrap());
        write(
            dirs[0].path(),
            &[(1.0, "SYN-SENT"), (2.0, "ESTABLISHED"), (3.0, "CLOSED")],
        );
        write(
            dirs[1].path(),
            &[(1.0, "SYN-SENT"), (2.5, "ESTABLISHED"), (3.0, "CLOSED")],
        );
        write(dirs[2].path(), &[(1.0, "SYN-SENT"), (2.0, "ESTABLISHED")]);
        let between =
            |a: usize, b: usize| first_difference(dirs[a].path(), dirs[b].path()).unwrap();
        assert_eq!(between(0, 0), None);
        let found = between(0, 1).unwrap();
        assert_eq!((found.table, found.row, found.time_s), ("states", 1, 2.0));
        assert_eq!(
            found.columns(),
            [("time_s".into(), "2".into(), "2.5".into())]
        );
        let shorter = between(0, 2).unwrap();
        assert_eq!((shorter.row, shorter.time_s), (2, 3.0));
        assert!(shorter.rows[0].is_some() && shorter.rows[1].is_none());
    }
}
