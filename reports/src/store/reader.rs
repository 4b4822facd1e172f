//! Reads tables back as columns: whole, or row group by row group, and only the columns wanted.

mod chunks;
mod table_file;

use std::collections::BTreeMap;
use std::fs::File;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::statistics::Statistics;
use rayon::prelude::*;

use super::StoreError;
use super::texts::Texts;
use chunks::{append, empty, read_chunk};
use table_file::TableFile;

/// A column in memory.
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    /// Whole numbers.
    Int(Vec<i64>),
    /// Numbers; NaN if missing.
    Float(Vec<f64>),
    /// Booleans.
    Bool(Vec<bool>),
    /// Text.
    Text(Texts),
}

/// A table in memory, or a part of one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    path: PathBuf,
    rows: usize,
    columns: BTreeMap<String, Column>,
}

/// Memory that a table may take if read whole.
const MOST_BYTES: u64 = 1 << 29;
/// Most rows of a row group: groups with more were not written here, and would take too much
/// memory.
const MOST_GROUP_ROWS: usize = 1 << 20;

/// A table read row group by row group, so that its size does not matter.
pub struct Groups {
    path: PathBuf,
    reader: SerializedFileReader<TableFile>,
    /// Columns to be read: index and name.
    wanted: Vec<(usize, String)>,
    /// Index of the column with the identities of connections.
    conn: Option<usize>,
    next: usize,
    side_by_side: bool,
}

impl std::fmt::Debug for Groups {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Groups")
            .field("path", &self.path)
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}

impl Groups {
    /// Opens `NAME.parquet` in `dir` to read these columns, or all columns if none is named; `None`
    /// if there is no such table.
    ///
    /// # Errors
    /// When it cannot be read, or a column is missing.
    pub fn open(dir: &Path, name: &str, columns: &[&str]) -> Result<Option<Groups>, StoreError> {
        let path = dir.join(format!("{name}.parquet"));
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(StoreError::io("read", &path)(e)),
        };
        let file = TableFile::new(file).map_err(StoreError::io("read", &path))?;
        let reader = SerializedFileReader::new(file).map_err(damaged(&path))?;
        let schema = reader.metadata().file_metadata().schema_descr_ptr();
        let all = schema.columns().iter().enumerate();
        let named = |(i, c): (usize, &parquet::schema::types::ColumnDescPtr)| {
            let name = c.name();
            let wanted = columns.is_empty() || columns.contains(&name);
            wanted.then(|| (i, name.to_owned()))
        };
        let wanted: Vec<(usize, String)> = all.filter_map(named).collect();
        let conn = schema.columns().iter().position(|c| c.name() == "conn");
        if let Some(missing) = columns.iter().find(|c| wanted.iter().all(|w| w.1 != **c)) {
            return Err(missing_column(&path, missing));
        }
        Ok(Some(Groups {
            path,
            reader,
            wanted,
            conn,
            next: 0,
            side_by_side: false,
        }))
    }

    /// Reads the columns of a row group side by side, for tables that may have millions of rows. While a
    /// thread waits for columns it may draw another figure: the caller must hold no lock that figures
    /// take.
    #[must_use]
    pub(crate) fn side_by_side(mut self) -> Groups {
        self.side_by_side = true;
        self
    }

    /// Number of rows of the whole table.
    pub fn rows(&self) -> u64 {
        let rows = self.reader.metadata().file_metadata().num_rows();
        u64::try_from(rows).unwrap_or(0)
    }

    /// The next row group; `None` after the last.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn next_group(&mut self) -> Result<Option<Table>, StoreError> {
        self.next_group_with(|_| true)
    }

    /// The first rows of the next row group, at most this many; the rest of the group is skipped.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn first_rows(&mut self, most: usize) -> Result<Option<Table>, StoreError> {
        if self.next == self.reader.metadata().num_row_groups() {
            return Ok(None);
        }
        self.next += 1;
        let table = self.group(self.next - 1, most);
        table.map(Some).map_err(damaged(&self.path))
    }

    /// The next row group that may have a row of a wanted connection, according to the file, which
    /// has the smallest and the largest identity of each group.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn next_group_with(
        &mut self,
        wants: impl Fn(RangeInclusive<i64>) -> bool,
    ) -> Result<Option<Table>, StoreError> {
        while self.next < self.reader.metadata().num_row_groups() {
            let g = self.next;
            self.next += 1;
            if self.conns(g).is_none_or(&wants) {
                let table = self.group(g, MOST_GROUP_ROWS);
                return table.map(Some).map_err(damaged(&self.path));
            }
        }
        Ok(None)
    }

    fn conns(&self, group: usize) -> Option<RangeInclusive<i64>> {
        let column = self.reader.metadata().row_group(group).column(self.conn?);
        match column.statistics()? {
            Statistics::Int64(s) => Some(*s.min_opt()?..=*s.max_opt()?),
            _ => None,
        }
    }

    fn group(&self, g: usize, most: usize) -> Result<Table, ParquetError> {
        let group = self.reader.get_row_group(g)?;
        let rows = usize::try_from(group.metadata().num_rows()).unwrap_or(usize::MAX);
        if rows > MOST_GROUP_ROWS {
            let why = format!("a part of it claims {rows} rows, more than synfin writes at once");
            return Err(ParquetError::General(why));
        }
        let rows = rows.min(most);
        let read = |(i, name): &(usize, String)| {
            let column = read_chunk(group.get_column_reader(*i)?, rows, name)?;
            Ok::<_, ParquetError>((name.clone(), column))
        };
        let columns: Result<_, ParquetError> = match self.side_by_side {
            true => self.wanted.par_iter().map(read).collect(),
            false => self.wanted.iter().map(read).collect(),
        };
        Ok(Table {
            path: self.path.clone(),
            rows,
            columns: columns?,
        })
    }

    /// All row groups as one table.
    fn whole(mut self) -> Result<Table, StoreError> {
        let width: u64 = 16 * self.wanted.len() as u64;
        if self.rows().saturating_mul(width) > MOST_BYTES {
            return Err(StoreError::TooLarge {
                path: self.path,
                rows: self.reader.metadata().file_metadata().num_rows(),
            });
        }
        let schema = self.reader.metadata().file_metadata().schema_descr_ptr();
        let mut table = Table {
            path: self.path.clone(),
            rows: 0,
            columns: BTreeMap::new(),
        };
        while let Some(group) = self.next_group()? {
            table.rows += group.rows;
            for (name, part) in group.columns {
                let whole = match table.columns.remove(&name) {
                    None => part,
                    Some(sofar) => append(sofar, part).map_err(damaged(&self.path))?,
                };
                table.columns.insert(name, whole);
            }
        }
        for (i, name) in &self.wanted {
            let kind = schema.column(*i).physical_type();
            let column = table.columns.entry(name.clone());
            column.or_insert_with(|| empty(kind));
        }
        Ok(table)
    }
}

fn damaged(path: &Path) -> impl Fn(ParquetError) -> StoreError {
    let path = path.to_path_buf();
    move |e| StoreError::Damaged {
        path: path.clone(),
        why: e.to_string(),
    }
}

fn missing_column(path: &Path, name: &str) -> StoreError {
    StoreError::Damaged {
        path: path.to_path_buf(),
        why: format!("it has no usable column {name:?}"),
    }
}

impl Table {
    /// Reads `NAME.parquet` in `dir`; `None` if there is no such table.
    ///
    /// # Errors
    /// When it cannot be read, or would take more memory than a table may.
    pub fn read(dir: &Path, name: &str) -> Result<Option<Table>, StoreError> {
        Groups::open(dir, name, &[])?.map(Groups::whole).transpose()
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// True when it has no rows.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Names of the columns of floating-point numbers, sorted.
    pub(crate) fn names_of_floats(&self) -> impl Iterator<Item = &String> {
        let floats = |(_, column): &(&String, &Column)| matches!(column, Column::Float(_));
        self.columns.iter().filter(floats).map(|(name, _)| name)
    }

    /// A column of integers.
    ///
    /// # Errors
    /// When there is no such column of this kind.
    pub fn ints(&self, name: &str) -> Result<&[i64], StoreError> {
        match self.columns.get(name) {
            Some(Column::Int(v)) => Ok(v),
            _ => Err(self.missing(name)),
        }
    }

    /// A column of numbers, NaN if missing.
    ///
    /// # Errors
    /// When there is no such column of this kind.
    pub fn floats(&self, name: &str) -> Result<&[f64], StoreError> {
        match self.columns.get(name) {
            Some(Column::Float(v)) => Ok(v),
            _ => Err(self.missing(name)),
        }
    }

    /// A column of booleans.
    ///
    /// # Errors
    /// When there is no such column of this kind.
    pub fn bools(&self, name: &str) -> Result<&[bool], StoreError> {
        match self.columns.get(name) {
            Some(Column::Bool(v)) => Ok(v),
            _ => Err(self.missing(name)),
        }
    }

    /// A column of text.
    ///
    /// # Errors
    /// When there is no such column of this kind.
    pub fn texts(&self, name: &str) -> Result<&Texts, StoreError> {
        match self.columns.get(name) {
            Some(Column::Text(v)) => Ok(v),
            _ => Err(self.missing(name)),
        }
    }

    /// A row as columns with their values as text; empty for a missing value.
    pub(crate) fn row(&self, i: usize) -> Vec<(String, String)> {
        let text = |column: &Column| match column {
            Column::Int(v) => v[i].to_string(),
            Column::Float(v) if v[i].is_nan() => String::new(),
            Column::Float(v) => v[i].to_string(),
            Column::Bool(v) => v[i].to_string(),
            Column::Text(v) => v[i].clone(),
        };
        let all = self.columns.iter();
        all.map(|(name, column)| (name.clone(), text(column)))
            .collect()
    }

    /// The first row in which the columns that both tables have differ; the row after the end of
    /// the shorter table if all others are equal.
    pub(crate) fn first_difference(&self, other: &Table) -> Option<usize> {
        fn first<T>(a: &[T], b: &[T], same: impl Fn(&T, &T) -> bool) -> Option<usize> {
            a.iter().zip(b).position(|(a, b)| !same(a, b))
        }
        let both = self.rows.min(other.rows);
        let found = self.columns.iter().filter_map(|(name, column)| {
            match (column, other.columns.get(name)?) {
                (Column::Int(a), Column::Int(b)) => first(a, b, |a, b| a == b),
                (Column::Float(a), Column::Float(b)) => {
                    first(a, b, |a, b| a.to_bits() == b.to_bits())
                }
                (Column::Bool(a), Column::Bool(b)) => first(a, b, |a, b| a == b),
                (Column::Text(a), Column::Text(b)) => (0..both).find(|&i| a[i] != b[i]),
                _ => None,
            }
        });
        found.min().or((self.rows != other.rows).then_some(both))
    }

    fn missing(&self, name: &str) -> StoreError {
        missing_column(&self.path, name)
    }
}

#[cfg(test)]
mod tests;
