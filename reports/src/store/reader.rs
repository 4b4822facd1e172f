//! Reads tables back as columns: whole, or row group by row group, and only the columns wanted.

use std::collections::BTreeMap;
use std::fs::File;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::statistics::Statistics;

use super::StoreError;
use super::texts::Texts;

/// A column in memory.
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    /// Whole numbers.
    Int(Vec<i64>),
    /// Numbers; NaN where there is none.
    Float(Vec<f64>),
    /// Yes or no.
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

/// Memory that a table read as a whole may take.
const MOST_BYTES: u64 = 1 << 29;
/// Rows of a row group at most: more were not written here, and would take too much memory at once.
const MOST_GROUP_ROWS: usize = 1 << 20;

/// A table read row group by row group, so that its size does not matter.
pub struct Groups {
    path: PathBuf,
    reader: SerializedFileReader<File>,
    /// Columns to be read: place and name.
    wanted: Vec<(usize, String)>,
    /// Place of the column with the identities of connections.
    conn: Option<usize>,
    next: usize,
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
    /// Opens `NAME.parquet` in `dir` to read these columns, all of them when none is named; `None`
    /// when there is no such table.
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
        }))
    }

    /// Rows of the whole table.
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

    /// The first rows of the next row group, at most so many; what comes after them in the group is
    /// not looked at.
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

    /// The next row group that may have a row of a connection wanted, as far as the file tells: it
    /// keeps the smallest and the largest identity of each group.
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
        let columns = self.wanted.iter().map(|(i, name)| {
            let column = read_chunk(group.get_column_reader(*i)?, rows, name)?;
            Ok((name.clone(), column))
        });
        Ok(Table {
            path: self.path.clone(),
            rows,
            columns: columns.collect::<Result<_, ParquetError>>()?,
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
    /// Reads `NAME.parquet` in `dir`; `None` when there is no such table.
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

    /// Names of the columns of numbers that are not whole, sorted.
    pub(crate) fn names_of_floats(&self) -> impl Iterator<Item = &String> {
        let floats = |(_, column): &(&String, &Column)| matches!(column, Column::Float(_));
        self.columns.iter().filter(floats).map(|(name, _)| name)
    }

    /// A column of whole numbers.
    ///
    /// # Errors
    /// When there is none of that name and kind.
    pub fn ints(&self, name: &str) -> Result<&[i64], StoreError> {
        match self.columns.get(name) {
            Some(Column::Int(v)) => Ok(v),
            _ => Err(self.missing(name)),
        }
    }

    /// A column of numbers, NaN where there is none.
    ///
    /// # Errors
    /// When there is none of that name and kind.
    pub fn floats(&self, name: &str) -> Result<&[f64], StoreError> {
        match self.columns.get(name) {
            Some(Column::Float(v)) => Ok(v),
            _ => Err(self.missing(name)),
        }
    }

    /// A column of yes and no.
    ///
    /// # Errors
    /// When there is none of that name and kind.
    pub fn bools(&self, name: &str) -> Result<&[bool], StoreError> {
        match self.columns.get(name) {
            Some(Column::Bool(v)) => Ok(v),
            _ => Err(self.missing(name)),
        }
    }

    /// A column of text.
    ///
    /// # Errors
    /// When there is none of that name and kind.
    pub fn texts(&self, name: &str) -> Result<&Texts, StoreError> {
        match self.columns.get(name) {
            Some(Column::Text(v)) => Ok(v),
            _ => Err(self.missing(name)),
        }
    }

    /// A row as columns with their values written out; nothing for a value that there is not.
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

    /// The first row in which the columns that both have differ; that behind the end of the shorter
    /// one, where all others are equal.
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

fn empty(kind: parquet::basic::Type) -> Column {
    use parquet::basic::Type;
    match kind {
        Type::DOUBLE | Type::FLOAT => Column::Float(Vec::new()),
        Type::BOOLEAN => Column::Bool(Vec::new()),
        Type::BYTE_ARRAY => Column::Text(Texts::default()),
        _ => Column::Int(Vec::new()),
    }
}

fn append(a: Column, b: Column) -> Result<Column, ParquetError> {
    fn join<T>(mut a: Vec<T>, b: Vec<T>) -> Vec<T> {
        a.extend(b);
        a
    }
    Ok(match (a, b) {
        (Column::Int(a), Column::Int(b)) => Column::Int(join(a, b)),
        (Column::Float(a), Column::Float(b)) => Column::Float(join(a, b)),
        (Column::Bool(a), Column::Bool(b)) => Column::Bool(join(a, b)),
        (Column::Text(mut a), Column::Text(b)) => {
            a.append(b);
            Column::Text(a)
        }
        _ => return Err(ParquetError::General("a column changes its type".into())),
    })
}

fn read_chunk(reader: ColumnReader, rows: usize, name: &str) -> Result<Column, ParquetError> {
    Ok(match reader {
        ColumnReader::Int64ColumnReader(r) => Column::Int(values(r, rows)?.0),
        ColumnReader::DoubleColumnReader(r) => {
            let (values, levels) = values(r, rows)?;
            // An infinite time would make an axis without end. None is written.
            if name.ends_with("_s") && !values.iter().all(|v| v.is_finite()) {
                let why = format!("its column {name:?} has a time that is not finite");
                return Err(ParquetError::General(why));
            }
            Column::Float(spread(values, &levels))
        }
        ColumnReader::BoolColumnReader(r) => Column::Bool(values(r, rows)?.0),
        ColumnReader::ByteArrayColumnReader(r) => {
            let cells: Vec<ByteArray> = values(r, rows)?.0;
            Column::Text(Texts::of(&cells)?)
        }
        _ => {
            return Err(ParquetError::General(
                "it has a column of a type that synfin does not write".into(),
            ));
        }
    })
}

/// Puts NaN where a level says that there is no value.
fn spread(values: Vec<f64>, levels: &[i16]) -> Vec<f64> {
    if levels.is_empty() {
        return values;
    }
    let mut values = values.into_iter();
    let cell = |&level: &i16| {
        let value = if level > 0 { values.next() } else { None };
        value.unwrap_or(f64::NAN)
    };
    levels.iter().map(cell).collect()
}

fn values<T: DataType>(
    mut reader: ColumnReaderImpl<T>,
    rows: usize,
) -> Result<(Vec<T::T>, Vec<i16>), ParquetError> {
    let (mut values, mut levels) = (Vec::with_capacity(rows), Vec::new());
    let mut read = 0;
    while read < rows {
        let (n, _, _) = reader.read_records(rows - read, Some(&mut levels), None, &mut values)?;
        if n == 0 {
            return Err(ParquetError::General("a column ends early".into()));
        }
        read += n;
    }
    Ok((values, levels))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::table::{ColumnKind, TableWriter, Text};

    const COLUMNS: &[(&str, ColumnKind)] = &[
        ("n", ColumnKind::Int),
        ("x_s", ColumnKind::Float),
        ("maybe_s", ColumnKind::OptFloat),
        ("flag", ColumnKind::Bool),
        ("name", ColumnKind::Text),
    ];

    fn write(dir: &Path, rows: i64) {
        let mut table = TableWriter::create(dir, "t", COLUMNS).unwrap();
        let names = ["a", "b"].map(Text::from);
        for i in 0..rows {
            let maybe = (i % 3 != 0).then_some(i as f64 * 2.0);
            table
                .row()
                .int(i)
                .float(i as f64 / 4.0)
                .opt(maybe)
                .bool(i % 2 == 0)
                .text(&names[i as usize % 2])
                .end()
                .unwrap();
        }
        table.close().unwrap();
    }

    #[test]
    fn a_table_of_several_row_groups_is_read_back() {
        let tmp = tempfile::tempdir().unwrap();
        let n = 150_000;
        write(tmp.path(), n);
        let t = Table::read(tmp.path(), "t").unwrap().unwrap();
        assert_eq!(t.len(), n as usize);
        for i in [0, 1, 65_535, 65_536, 65_537, 149_999] {
            assert_eq!(t.ints("n").unwrap()[i], i as i64);
            assert_eq!(t.floats("x_s").unwrap()[i], i as f64 / 4.0);
            let maybe = t.floats("maybe_s").unwrap()[i];
            assert!(if i % 3 == 0 {
                maybe.is_nan()
            } else {
                maybe == i as f64 * 2.0
            });
            assert_eq!(t.bools("flag").unwrap()[i], i % 2 == 0);
            assert_eq!(t.texts("name").unwrap()[i], ["a", "b"][i % 2]);
        }
        assert!(t.ints("name").is_err() && t.texts("none").is_err());
    }

    #[test]
    fn row_groups_come_one_by_one_with_the_columns_asked_for() {
        let tmp = tempfile::tempdir().unwrap();
        write(tmp.path(), 150_000);
        let mut groups = Groups::open(tmp.path(), "t", &["n", "name"])
            .unwrap()
            .unwrap();
        assert_eq!(groups.rows(), 150_000);
        let mut lens = Vec::new();
        while let Some(group) = groups.next_group().unwrap() {
            assert_eq!(
                group.ints("n").unwrap()[0],
                lens.iter().sum::<usize>() as i64
            );
            assert!(group.texts("name").is_ok() && group.floats("x_s").is_err());
            lens.push(group.len());
        }
        assert_eq!(lens, [65_536, 65_536, 18_928]);
        let error = Groups::open(tmp.path(), "t", &["none"]).unwrap_err();
        assert!(error.to_string().contains("no usable column"), "{error}");
    }

    #[test]
    fn row_groups_without_a_wanted_connection_are_passed_over() {
        let tmp = tempfile::tempdir().unwrap();
        let mut table = TableWriter::create(tmp.path(), "c", &[("conn", ColumnKind::Int)]).unwrap();
        for i in 0..200_000 {
            table.row().int(i).end().unwrap();
        }
        table.close().unwrap();
        let mut groups = Groups::open(tmp.path(), "c", &["conn"]).unwrap().unwrap();
        let mut firsts = Vec::new();
        while let Some(group) = groups.next_group_with(|r| r.contains(&70_000)).unwrap() {
            firsts.push(group.ints("conn").unwrap()[0]);
        }
        assert_eq!(firsts, [65_536]);
    }

    #[test]
    fn a_table_that_takes_too_much_memory_is_refused_before_it_is_read() {
        let tmp = tempfile::tempdir().unwrap();
        let columns: Vec<String> = (0..1000).map(|i| format!("c{i}")).collect();
        let columns: Vec<(&str, ColumnKind)> = columns
            .iter()
            .map(|c| (c.as_str(), ColumnKind::Bool))
            .collect();
        let mut table = TableWriter::create(tmp.path(), "wide", &columns).unwrap();
        for _ in 0..40_000 {
            let row = columns.iter().fold(table.row(), |row, _| row.bool(true));
            row.end().unwrap();
        }
        table.close().unwrap();
        let error = Table::read(tmp.path(), "wide").unwrap_err();
        assert!(error.to_string().contains("40000 rows"), "{error}");
    }

    #[test]
    fn equal_rows_make_equal_bytes() {
        let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let bytes = dirs.each_ref().map(|d| {
            write(d.path(), 70_000);
            std::fs::read(d.path().join("t.parquet")).unwrap()
        });
        assert!(bytes[0] == bytes[1]);
    }

    #[test]
    fn empty_and_missing_and_broken_tables_are_told_apart() {
        let tmp = tempfile::tempdir().unwrap();
        assert_eq!(Table::read(tmp.path(), "t").unwrap(), None);
        write(tmp.path(), 0);
        let t = Table::read(tmp.path(), "t").unwrap().unwrap();
        assert!(t.is_empty() && t.floats("maybe_s").unwrap().is_empty());
        std::fs::write(tmp.path().join("t.parquet"), "not parquet").unwrap();
        let error = Table::read(tmp.path(), "t").unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    }
}
