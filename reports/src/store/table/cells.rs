//! The cells of a row group, column by column, until they are written.

use std::fs::File;

use parquet::data_type::{BoolType, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::writer::{SerializedColumnWriter, SerializedRowGroupWriter};
use rustc_hash::FxHashMap;

use super::{ColumnKind, SharedText, TEXT_BLOCK};

/// The cells of a column.
#[derive(Debug)]
pub(super) enum ColumnCells {
    Int(Vec<i64>),
    Float(Vec<f64>),
    OptFloat(Vec<f64>, Vec<i16>),
    Bool(Vec<bool>),
    Text(TextCells),
}

/// Cells of text: the texts, and for each cell the index of its text.
#[derive(Debug, Default)]
pub(super) struct TextCells {
    pub(super) texts: Vec<SharedText>,
    pub(super) cells: Vec<u32>,
    /// Indices by address, once there are too many texts to search linearly.
    pub(super) places: FxHashMap<(usize, usize), u32>,
}

/// Number of texts that are searched linearly.
pub(super) const FEW_TEXTS: usize = 8;

impl TextCells {
    #[inline]
    pub(super) fn push(&mut self, text: &SharedText) {
        let address = text.address();
        let few = &self.texts[..self.texts.len().min(FEW_TEXTS)];
        let place = match few.iter().position(|known| known.address() == address) {
            Some(place) => place as u32,
            None => self.place(text),
        };
        self.cells.push(place);
    }

    pub(super) fn place(&mut self, text: &SharedText) -> u32 {
        let (address, len) = text.address();
        let next = self.texts.len() as u32;
        let place = *self.places.entry((address as usize, len)).or_insert(next);
        if place == next {
            self.texts.push(text.clone());
        }
        place
    }

    /// Writes the cells, this many at a time.
    pub(super) fn write(
        &self,
        group: &mut SerializedRowGroupWriter<'_, File>,
        at_a_time: usize,
    ) -> Result<(), ParquetError> {
        let mut column = next_column(group)?;
        let writer = column.typed::<ByteArrayType>();
        let mut block = Vec::with_capacity(at_a_time.min(self.cells.len()));
        for cells in self.cells.chunks(at_a_time) {
            block.clear();
            let texts = cells.iter().map(|&place| &self.texts[place as usize]);
            block.extend(texts.map(|text| text.0.clone()));
            writer.write_batch(&block, None, None)?;
        }
        column.close()
    }
}

impl ColumnCells {
    pub(super) fn new(kind: ColumnKind) -> ColumnCells {
        match kind {
            ColumnKind::Int => ColumnCells::Int(Vec::new()),
            ColumnKind::Float => ColumnCells::Float(Vec::new()),
            ColumnKind::OptFloat => ColumnCells::OptFloat(Vec::new(), Vec::new()),
            ColumnKind::Bool => ColumnCells::Bool(Vec::new()),
            ColumnKind::Text => ColumnCells::Text(TextCells::default()),
        }
    }

    /// No cells, of the same kind, with room for as many.
    pub(super) fn empty_like(&self) -> ColumnCells {
        match self {
            ColumnCells::Int(v) => ColumnCells::Int(Vec::with_capacity(v.len())),
            ColumnCells::Float(v) => ColumnCells::Float(Vec::with_capacity(v.len())),
            ColumnCells::OptFloat(v, present) => ColumnCells::OptFloat(
                Vec::with_capacity(v.len()),
                Vec::with_capacity(present.len()),
            ),
            ColumnCells::Bool(v) => ColumnCells::Bool(Vec::with_capacity(v.len())),
            ColumnCells::Text(texts) => ColumnCells::Text(TextCells {
                cells: Vec::with_capacity(texts.cells.len()),
                ..TextCells::default()
            }),
        }
    }

    /// Discards all cells but keeps their memory.
    pub(super) fn clear(&mut self) {
        match self {
            ColumnCells::Int(v) => v.clear(),
            ColumnCells::Float(v) => v.clear(),
            ColumnCells::OptFloat(v, present) => {
                v.clear();
                present.clear();
            }
            ColumnCells::Bool(v) => v.clear(),
            ColumnCells::Text(texts) => {
                texts.cells.clear();
                texts.texts.clear();
                texts.places.clear();
            }
        }
    }
}

/// Writes the cells of a row group.
pub(super) fn write_group(
    mut group: SerializedRowGroupWriter<'_, File>,
    cells: &[ColumnCells],
) -> Result<(), ParquetError> {
    for cells in cells {
        match cells {
            ColumnCells::Int(v) => write_column::<Int64Type>(&mut group, v, None)?,
            ColumnCells::Float(v) => write_column::<DoubleType>(&mut group, v, None)?,
            ColumnCells::OptFloat(v, present) => {
                write_column::<DoubleType>(&mut group, v, Some(present))?;
            }
            ColumnCells::Bool(v) => write_column::<BoolType>(&mut group, v, None)?,
            ColumnCells::Text(texts) => texts.write(&mut group, TEXT_BLOCK)?,
        }
    }
    group.close().map(drop)
}

pub(super) fn next_column<'a>(
    group: &'a mut SerializedRowGroupWriter<'_, File>,
) -> Result<SerializedColumnWriter<'a>, ParquetError> {
    let column = group.next_column()?;
    column.ok_or_else(|| ParquetError::General("more columns than the schema".into()))
}

pub(super) fn write_column<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, File>,
    values: &[T::T],
    present: Option<&[i16]>,
) -> Result<(), ParquetError> {
    let mut column = next_column(group)?;
    column.typed::<T>().write_batch(values, present, None)?;
    column.close()
}
