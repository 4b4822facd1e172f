//! Reads tables back as columns.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};

use super::StoreError;

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
    Text(Vec<String>),
}

/// A table in memory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    path: PathBuf,
    rows: usize,
    columns: BTreeMap<String, Column>,
}

impl Table {
    /// Reads `NAME.parquet` in `dir`; `None` when there is no such table.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(dir: &Path, name: &str) -> Result<Option<Table>, StoreError> {
        let path = dir.join(format!("{name}.parquet"));
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(StoreError::io("read", &path)(e)),
        };
        let columns = read_columns(file).map_err(|e| StoreError::Damaged {
            path: path.clone(),
            why: e.to_string(),
        })?;
        let rows = columns.values().map(len).next().unwrap_or(0);
        Ok(Some(Table {
            path,
            rows,
            columns,
        }))
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// True when it has no rows.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
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
    pub fn texts(&self, name: &str) -> Result<&[String], StoreError> {
        match self.columns.get(name) {
            Some(Column::Text(v)) => Ok(v),
            _ => Err(self.missing(name)),
        }
    }

    fn missing(&self, name: &str) -> StoreError {
        StoreError::Damaged {
            path: self.path.clone(),
            why: format!("it has no usable column {name:?}"),
        }
    }
}

fn len(column: &Column) -> usize {
    match column {
        Column::Int(v) => v.len(),
        Column::Float(v) => v.len(),
        Column::Bool(v) => v.len(),
        Column::Text(v) => v.len(),
    }
}

fn read_columns(file: File) -> Result<BTreeMap<String, Column>, ParquetError> {
    let reader = SerializedFileReader::new(file)?;
    let meta = reader.metadata();
    let schema = meta.file_metadata().schema_descr_ptr();
    let mut columns = BTreeMap::new();
    for (i, spec) in schema.columns().iter().enumerate() {
        let mut column: Option<Column> = None;
        for g in 0..meta.num_row_groups() {
            let group = reader.get_row_group(g)?;
            let rows = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
            let part = read_chunk(group.get_column_reader(i)?, rows)?;
            column = Some(match column {
                None => part,
                Some(sofar) => append(sofar, part)?,
            });
        }
        let column = column.unwrap_or_else(|| empty(spec.physical_type()));
        columns.insert(spec.name().to_owned(), column);
    }
    Ok(columns)
}

fn empty(kind: parquet::basic::Type) -> Column {
    use parquet::basic::Type;
    match kind {
        Type::DOUBLE | Type::FLOAT => Column::Float(Vec::new()),
        Type::BOOLEAN => Column::Bool(Vec::new()),
        Type::BYTE_ARRAY => Column::Text(Vec::new()),
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
        (Column::Text(a), Column::Text(b)) => Column::Text(join(a, b)),
        _ => return Err(ParquetError::General("a column changes its kind".into())),
    })
}

fn read_chunk(reader: ColumnReader, rows: usize) -> Result<Column, ParquetError> {
    Ok(match reader {
        ColumnReader::Int64ColumnReader(r) => Column::Int(values(r, rows)?.0),
        ColumnReader::DoubleColumnReader(r) => {
            let (values, levels) = values(r, rows)?;
            Column::Float(spread(values, &levels))
        }
        ColumnReader::BoolColumnReader(r) => Column::Bool(values(r, rows)?.0),
        ColumnReader::ByteArrayColumnReader(r) => {
            let bytes = values(r, rows)?.0;
            let texts = bytes.iter().map(|b: &ByteArray| {
                let text = b.as_utf8();
                text.map(str::to_owned)
            });
            Column::Text(texts.collect::<Result<_, _>>()?)
        }
        _ => {
            return Err(ParquetError::General(
                "a column of a kind not written here".into(),
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
    let (mut values, mut levels) = (Vec::new(), Vec::new());
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
    use crate::store::table::{Kind, TableWriter, Text};

    const COLUMNS: &[(&str, Kind)] = &[
        ("n", Kind::Int),
        ("x_s", Kind::Float),
        ("maybe_s", Kind::OptFloat),
        ("flag", Kind::Bool),
        ("name", Kind::Text),
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
        assert!(error.is_damage(), "{error}");
    }
}
