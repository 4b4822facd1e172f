//! Reads the part of a column that lies in one row group.

use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType};
use parquet::errors::ParquetError;

use super::Column;
use crate::store::texts::Texts;

pub(super) fn empty(kind: parquet::basic::Type) -> Column {
    use parquet::basic::Type;
    match kind {
        Type::DOUBLE | Type::FLOAT => Column::Float(Vec::new()),
        Type::BOOLEAN => Column::Bool(Vec::new()),
        Type::BYTE_ARRAY => Column::Text(Texts::default()),
        _ => Column::Int(Vec::new()),
    }
}

pub(super) fn append(a: Column, b: Column) -> Result<Column, ParquetError> {
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

pub(super) fn read_chunk(
    reader: ColumnReader,
    rows: usize,
    name: &str,
) -> Result<Column, ParquetError> {
    Ok(match reader {
        ColumnReader::Int64ColumnReader(r) => Column::Int(values(r, rows)?.0),
        ColumnReader::DoubleColumnReader(r) => {
            let (values, levels) = values(r, rows)?;
            // An infinite time would make an axis without end. The program never writes one.
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

/// Inserts NaN where a level marks a missing value.
pub(super) fn spread(values: Vec<f64>, levels: &[i16]) -> Vec<f64> {
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

pub(super) fn values<T: DataType>(
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
