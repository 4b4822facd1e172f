//! Writes tables: Parquet files filled row by row, flushed by the row group.
//!
//! Memory is that of one row group per open table, or of three once a thread of its own encodes them,
//! however long the run. The bytes are a function
//! of the rows: no time stamps, no random salts, a fixed `created_by`.

mod cells;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::{Compression, ConvertedType, Repetition, Type as Physical};
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesPtr};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{ColumnPath, Type, TypePtr};

use super::StoreError;
use crate::store::beside::{BatchWork, Beside};
#[cfg(test)]
use cells::TextCells;
use cells::{ColumnCells, write_group};

/// Rows of a row group.
const GROUP_ROWS: usize = 1 << 16;
/// In a table that is not written, the number of rows after which they are discarded.
const FORGOTTEN_ROWS: usize = 256;
/// Texts handed to Parquet at a time: the number it processes at a time.
const TEXT_BLOCK: usize = 1024;

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// Whole number.
    Int,
    /// Number.
    Float,
    /// Number or missing.
    OptFloat,
    /// Boolean.
    Bool,
    /// UTF-8 text.
    Text,
}

/// Text created once and written many times without copying.
#[derive(Clone, Debug)]
pub struct SharedText(ByteArray);

impl SharedText {
    /// Its address: texts with the same address are the same.
    fn address(&self) -> (*const u8, usize) {
        let bytes = self.0.data();
        (bytes.as_ptr(), bytes.len())
    }
}

impl std::fmt::Display for SharedText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&String::from_utf8_lossy(self.0.data()))
    }
}

impl From<&str> for SharedText {
    fn from(text: &str) -> SharedText {
        SharedText(ByteArray::from(text))
    }
}

/// Where the tables of a run go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tables {
    /// Into this directory.
    In(PathBuf),
    /// Nowhere: rows are counted and discarded, for runs of which only the metrics are kept.
    Nowhere,
}

impl From<&Path> for Tables {
    fn from(dir: &Path) -> Tables {
        Tables::In(dir.to_path_buf())
    }
}

impl From<&Tables> for Tables {
    fn from(tables: &Tables) -> Tables {
        tables.clone()
    }
}

/// A table being written.
pub struct TableWriter {
    path: PathBuf,
    output: Output,
    cells: Vec<ColumnCells>,
    rows: usize,
    total: u64,
}

/// Where full row groups go.
enum Output {
    /// Nowhere: the table is not written.
    Discard,
    /// Encoded and written here: the first row group, and the only one of a small table.
    Here(GroupWriter),
    /// By a thread of their own: encoding a row takes longer than creating it.
    Thread(Beside<GroupWriter>),
}

/// Encodes row groups and writes them to the file.
struct GroupWriter {
    path: PathBuf,
    file: SerializedFileWriter<File>,
}

impl BatchWork for GroupWriter {
    type Item = ColumnCells;

    fn work(&mut self, cells: &[ColumnCells]) -> Result<(), StoreError> {
        let group = self.file.next_row_group();
        group
            .and_then(|group| write_group(group, cells))
            .map_err(|e| failed(&self.path, e))
    }
}

impl GroupWriter {
    fn close(self) -> Result<(), StoreError> {
        let closed = self.file.close().map(drop);
        closed.map_err(|e| failed(&self.path, e))
    }
}

impl std::fmt::Debug for TableWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TableWriter")
            .field("path", &self.path)
            .field("rows", &self.total)
            .finish_non_exhaustive()
    }
}

impl TableWriter {
    /// Begins `NAME.parquet` in a directory, or a table that is not written.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn create(
        to: impl Into<Tables>,
        name: &str,
        columns: &[(&str, ColumnKind)],
    ) -> Result<TableWriter, StoreError> {
        let (path, output) = match to.into() {
            Tables::Nowhere => (PathBuf::new(), Output::Discard),
            Tables::In(dir) => {
                let path = dir.join(format!("{name}.parquet"));
                let file = File::create(&path).map_err(StoreError::io("create", &path))?;
                let made = schema(name, columns)
                    .and_then(|s| SerializedFileWriter::new(file, s, properties(columns)));
                let file = made.map_err(|e| failed(&path, e))?;
                let writer = GroupWriter {
                    path: path.clone(),
                    file,
                };
                (path, Output::Here(writer))
            }
        };
        let cells = columns.iter().map(|&(_, kind)| ColumnCells::new(kind));
        Ok(TableWriter {
            path,
            output,
            cells: cells.collect(),
            rows: 0,
            total: 0,
        })
    }

    /// Begins a row: one cell per column follows, in order, then [`RowWriter::end`].
    pub fn row(&mut self) -> RowWriter<'_> {
        RowWriter { table: self, at: 0 }
    }

    /// Rows written so far.
    pub fn rows(&self) -> u64 {
        self.total
    }

    /// Writes the remaining rows and closes the file.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn close(mut self) -> Result<(), StoreError> {
        self.flush()?;
        match self.output {
            Output::Discard => Ok(()),
            Output::Here(writer) => writer.close(),
            Output::Thread(thread) => thread.join()?.close(),
        }
    }

    /// Removes the table, if the run has no rows for it.
    ///
    /// # Errors
    /// When the file cannot be removed.
    pub fn discard(self) -> Result<(), StoreError> {
        if matches!(self.output, Output::Discard) {
            return Ok(());
        }
        let path = self.path;
        drop(self.output);
        std::fs::remove_file(&path).map_err(StoreError::io("remove", &path))
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        if self.rows == 0 {
            return Ok(());
        }
        self.rows = 0;
        match &mut self.output {
            Output::Discard => {}
            Output::Here(writer) => writer.work(&self.cells)?,
            Output::Thread(thread) => {
                let mut next = thread.used();
                if next.is_empty() {
                    next.extend(self.cells.iter().map(ColumnCells::empty_like));
                }
                thread.hand_over(std::mem::replace(&mut self.cells, next))?;
            }
        }
        self.cells.iter_mut().for_each(ColumnCells::clear);
        Ok(())
    }

    /// After a full row group: more will follow, and a thread encodes them.
    fn grow(&mut self) -> Result<(), StoreError> {
        self.flush()?;
        self.output = match std::mem::replace(&mut self.output, Output::Discard) {
            Output::Here(writer) => {
                let thread = Beside::new("tables", writer, 1);
                Output::Thread(thread.map_err(StoreError::io("write", &self.path))?)
            }
            other => other,
        };
        Ok(())
    }
}

/// A row being filled. A cell of another kind than its column is a bug, caught by the first test
/// that writes the table.
#[derive(Debug)]
pub struct RowWriter<'a> {
    table: &'a mut TableWriter,
    at: usize,
}

impl RowWriter<'_> {
    fn next(&mut self) -> Option<&mut ColumnCells> {
        self.at += 1;
        self.table.cells.get_mut(self.at - 1)
    }

    /// A whole number.
    pub fn int(mut self, value: impl Into<i64>) -> Self {
        match self.next() {
            Some(ColumnCells::Int(cells)) => cells.push(value.into()),
            _ => debug_assert!(false, "column {} is not of type Int", self.at),
        }
        self
    }

    /// A count; values beyond 2^63 wrap around, as the bits of an identity may.
    pub fn count(self, value: u64) -> Self {
        self.int(value as i64)
    }

    /// A number.
    pub fn float(mut self, value: f64) -> Self {
        match self.next() {
            Some(ColumnCells::Float(cells)) => cells.push(value),
            _ => debug_assert!(false, "column {} is not of type Float", self.at),
        }
        self
    }

    /// A number, or a missing value.
    pub fn opt(mut self, value: Option<f64>) -> Self {
        match self.next() {
            Some(ColumnCells::OptFloat(cells, present)) => {
                present.push(i16::from(value.is_some()));
                cells.extend(value);
            }
            _ => debug_assert!(false, "column {} is not of type OptFloat", self.at),
        }
        self
    }

    /// A boolean.
    pub fn bool(mut self, value: bool) -> Self {
        match self.next() {
            Some(ColumnCells::Bool(cells)) => cells.push(value),
            _ => debug_assert!(false, "column {} is not of type Bool", self.at),
        }
        self
    }

    /// Text.
    pub fn text(mut self, value: &SharedText) -> Self {
        match self.next() {
            Some(ColumnCells::Text(cells)) => cells.push(value),
            _ => debug_assert!(false, "column {} is not of type Text", self.at),
        }
        self
    }

    /// Ends the row; a full row group goes to the file.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn end(self) -> Result<(), StoreError> {
        debug_assert_eq!(self.at, self.table.cells.len(), "one cell per column");
        self.table.rows += 1;
        self.table.total += 1;
        let most = match self.table.output {
            Output::Discard => FORGOTTEN_ROWS,
            _ => GROUP_ROWS,
        };
        if self.table.rows == most {
            self.table.grow()?;
        }
        Ok(())
    }
}

fn schema(name: &str, columns: &[(&str, ColumnKind)]) -> Result<TypePtr, ParquetError> {
    let fields = columns.iter().map(|&(column, kind)| {
        let (physical, repetition) = match kind {
            ColumnKind::Int => (Physical::INT64, Repetition::REQUIRED),
            ColumnKind::Float => (Physical::DOUBLE, Repetition::REQUIRED),
            ColumnKind::OptFloat => (Physical::DOUBLE, Repetition::OPTIONAL),
            ColumnKind::Bool => (Physical::BOOLEAN, Repetition::REQUIRED),
            ColumnKind::Text => (Physical::BYTE_ARRAY, Repetition::REQUIRED),
        };
        let converted = match kind {
            ColumnKind::Text => ConvertedType::UTF8,
            _ => ConvertedType::NONE,
        };
        Type::primitive_type_builder(column, physical)
            .with_repetition(repetition)
            .with_converted_type(converted)
            .build()
            .map(Arc::new)
    });
    let fields = fields.collect::<Result<Vec<_>, _>>()?;
    let group = Type::group_type_builder(name).with_fields(fields).build()?;
    Ok(Arc::new(group))
}

fn properties(columns: &[(&str, ColumnKind)]) -> WriterPropertiesPtr {
    let mut builder = WriterProperties::builder()
        .set_created_by("synfin".to_owned())
        .set_compression(Compression::SNAPPY)
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_offset_index_disabled(true);
    for &(column, kind) in columns {
        if column == "conn" {
            // Readers skip groups without the connections they want.
            let path = ColumnPath::from(column);
            builder = builder.set_column_statistics_enabled(path, EnabledStatistics::Chunk);
        }
        if kind == ColumnKind::Text {
            builder = builder.set_column_dictionary_enabled(ColumnPath::from(column), true);
        }
    }
    Arc::new(builder.build())
}

/// Parquet wraps the operating system's error in its own; unwraps it for its hint.
fn failed(path: &Path, error: ParquetError) -> StoreError {
    let source = match error {
        ParquetError::External(inner) => match inner.downcast::<std::io::Error>() {
            Ok(io) => *io,
            Err(other) => std::io::Error::other(other),
        },
        other => std::io::Error::other(other),
    };
    StoreError::io("write", path)(source)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A column of texts of all sizes, written this many at a time.
    fn texts(dir: &Path, at_a_time: usize) -> Vec<u8> {
        let columns = [("text", ColumnKind::Text)];
        let path = dir.join("texts.parquet");
        let (schema, file) = (schema("texts", &columns).unwrap(), File::create(&path));
        let made = SerializedFileWriter::new(file.unwrap(), schema, properties(&columns));
        let mut file = made.unwrap();
        let all: Vec<SharedText> = (0..40u32)
            .map(|i| SharedText::from("x".repeat(i as usize * 17).as_str()))
            .collect();
        let mut cells = TextCells::default();
        for i in 0..GROUP_ROWS as u32 {
            // Texts in runs, and texts in no order.
            let which = if i % 5000 < 2500 {
                i / 5000
            } else {
                i.wrapping_mul(2_654_435_761) >> 8
            };
            cells.push(&all[which as usize % all.len()]);
        }
        let mut group = file.next_row_group().unwrap();
        cells.write(&mut group, at_a_time).unwrap();
        group.close().unwrap();
        file.close().unwrap();
        std::fs::read(path).unwrap()
    }

    #[test]
    fn texts_written_block_by_block_are_the_bytes_of_one_piece() {
        let tmp = tempfile::tempdir().unwrap();
        let (blocks, whole) = (texts(tmp.path(), TEXT_BLOCK), texts(tmp.path(), GROUP_ROWS));
        assert!(
            blocks == whole,
            "{} and {} bytes",
            blocks.len(),
            whole.len()
        );
    }
}
