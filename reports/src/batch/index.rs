//! `index.csv` and `index.parquet`: one row per run, with swept parameters as typed columns.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use super::axis::{Axis, AxisValues, Unit};
use super::{BatchInfo, BatchRow, RowMetrics, SharedNames};
use crate::csv::Csv;
use crate::metrics;
use crate::store::StoreError;
use crate::store::reader::Groups;
use crate::store::table::{ColumnKind, SharedText, TableWriter};

/// A column of swept values.
struct SweptColumn<'a> {
    name: String,
    /// The axis to which the row's value belongs.
    main: &'a Axis,
    /// The axis to which the column's values belong: the same, or a companion.
    axis: &'a Axis,
    /// Index of the axis.
    at: usize,
    holds: ColumnContents,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ColumnContents {
    AsWritten,
    Switch,
    Number,
}

/// One column for each axis; two for numbers with a unit: as written and in the base unit.
fn columns(info: &BatchInfo) -> Vec<SweptColumn<'_>> {
    let axes = info.axes.iter().enumerate();
    let each = axes.flat_map(|(at, main)| main.columns().map(move |own| (at, main, own)));
    each.flat_map(|(at, main, own)| columns_of(main, own, at))
        .collect()
}

fn columns_of<'a>(main: &'a Axis, axis: &'a Axis, at: usize) -> Vec<SweptColumn<'a>> {
    let column = |suffix: &str, holds: ColumnContents| SweptColumn {
        name: format!("{}{suffix}", axis.path),
        main,
        axis,
        at,
        holds,
    };
    match &axis.typed {
        AxisValues::Switches(_) => vec![column("", ColumnContents::Switch)],
        AxisValues::Numbers {
            unit: Unit::One, ..
        } => vec![column("", ColumnContents::Number)],
        AxisValues::Numbers { unit, .. } => vec![
            column("", ColumnContents::AsWritten),
            column(unit.suffix(), ColumnContents::Number),
        ],
        AxisValues::Names => vec![column("", ColumnContents::AsWritten)],
    }
}

impl SweptColumn<'_> {
    fn place(&self, row: &BatchRow) -> Option<usize> {
        self.main.place(row.values.get(self.at)?)
    }

    fn text(&self, row: &BatchRow) -> &str {
        let value = self
            .place(row)
            .and_then(|place| self.axis.values.get(place));
        value.map_or("", String::as_str)
    }

    fn number(&self, row: &BatchRow) -> Option<f64> {
        self.axis.numbers()?.get(self.place(row)?).copied()
    }

    fn switch(&self, row: &BatchRow) -> Option<bool> {
        let place = self.place(row)?;
        match &self.axis.typed {
            AxisValues::Switches(values) => values.get(place).copied(),
            _ => None,
        }
    }

    fn kind(&self) -> ColumnKind {
        match self.holds {
            ColumnContents::AsWritten => ColumnKind::Text,
            ColumnContents::Switch => ColumnKind::Bool,
            ColumnContents::Number => ColumnKind::OptFloat,
        }
    }
}

/// Amount of text written at a time.
const BLOCK: usize = 1 << 20;

/// Writes `index.csv`, block by block.
pub(crate) fn write_csv(
    path: &Path,
    info: &BatchInfo,
    rows: &[BatchRow],
    metrics: &[String],
) -> Result<(), StoreError> {
    let failed = StoreError::io("write", path);
    let written = File::create(path).and_then(|mut file| {
        csv(info, rows, metrics, &mut |block| {
            file.write_all(block.as_bytes())
        })
    });
    written.map_err(failed)
}

fn csv(
    info: &BatchInfo,
    rows: &[BatchRow],
    metrics: &[String],
    write: &mut dyn FnMut(&str) -> io::Result<()>,
) -> io::Result<()> {
    let columns = columns(info);
    let header = ["id"].into_iter();
    let header = header.chain(columns.iter().map(|c| c.name.as_str()));
    let header = header.chain(["seed", "replica", "status", "message"]);
    let mut csv = Csv::new(header.chain(metrics.iter().map(String::as_str)));
    for row in rows {
        csv.text(&row.id);
        for column in &columns {
            match column.holds {
                ColumnContents::Number => csv.number(column.number(row).unwrap_or(f64::NAN)),
                ColumnContents::Switch | ColumnContents::AsWritten => csv.text(column.text(row)),
            }
        }
        csv.text(&row.seed.to_string());
        csv.text(&row.replica.to_string());
        csv.text(row.status.name());
        csv.text(&row.message);
        let value = |m: &String| row.metrics.get(m).unwrap_or(f64::NAN);
        csv.row(metrics.iter().map(value));
        if csv.len() >= BLOCK {
            write(&csv.take())?;
        }
    }
    write(&csv.finish())
}

/// What a column of the index holds.
pub(crate) struct ColumnDescription {
    /// Its name.
    pub(crate) name: String,
    /// Its type: text, bool, int or float.
    pub(crate) kind: &'static str,
    /// Its unit; 1 for a plain number, empty if it has none.
    pub(crate) unit: &'static str,
    /// What it is.
    pub(crate) words: String,
    /// How it is computed, where the words do not say everything.
    pub(crate) doc: &'static str,
}

/// The columns of the index, in order.
pub(crate) fn described(info: &BatchInfo, metrics: &[String]) -> Vec<ColumnDescription> {
    let fixed = |name: &str, kind, unit, words: &str| ColumnDescription {
        name: name.to_owned(),
        kind,
        unit,
        words: words.to_owned(),
        doc: "",
    };
    let swept = columns(info).into_iter().map(|column| {
        let path = &column.axis.path;
        let (kind, unit, words) = match column.holds {
            ColumnContents::AsWritten => ("text", "", format!("swept value of {path}, as written")),
            ColumnContents::Switch => ("bool", "", format!("swept value of {path}")),
            ColumnContents::Number => {
                let unit = match &column.axis.typed {
                    AxisValues::Numbers { unit, .. } => unit.symbol(),
                    _ => "",
                };
                ("float", unit, format!("swept value of {path}"))
            }
        };
        fixed(&column.name, kind, unit, &words)
    });
    let measured = metrics.iter().map(|id| {
        let found = metrics::find(id);
        ColumnDescription {
            name: id.clone(),
            kind: "float",
            unit: found.as_ref().map_or("1", |f| f.metric.kind.unit()),
            words: found.as_ref().map(|f| f.words.clone()).unwrap_or_default(),
            doc: found.as_ref().map_or("", |f| f.metric.doc),
        }
    });
    let id = fixed(
        "id",
        "text",
        "",
        "identity of the run: a hash of everything that determines its results",
    );
    let others = [
        fixed("seed", "int", "", "seed of the run"),
        fixed(
            "replica",
            "int",
            "1",
            "replica, from 0; runs with the same number draw the same random numbers",
        ),
        fixed("status", "text", "", "ok, failed or missing"),
        fixed("message", "text", "", "why it failed"),
    ];
    std::iter::once(id)
        .chain(swept)
        .chain(others)
        .chain(measured)
        .collect()
}

/// `index.columns.csv`: the data dictionary of the index.
pub(crate) fn dictionary(info: &BatchInfo, metrics: &[String]) -> String {
    let mut csv = Csv::new(["column", "type", "unit", "words", "how"]);
    for column in described(info, metrics) {
        let cells = [
            &column.name,
            column.kind,
            column.unit,
            &column.words,
            column.doc,
        ];
        cells.into_iter().for_each(|cell| csv.text(cell));
        csv.end();
    }
    csv.finish()
}

/// Fills in the metrics of rows, in order, from `index.parquet` in `dir`.
///
/// # Errors
/// When it cannot be read, or belongs to other runs.
pub(crate) fn read_metrics(
    dir: &Path,
    info: &BatchInfo,
    rows: &mut [BatchRow],
) -> Result<(), StoreError> {
    let damaged = |why: &str| StoreError::Damaged {
        path: dir.join("index.parquet"),
        why: why.to_owned(),
    };
    let mut groups =
        Groups::open(dir, "index", &[])?.ok_or_else(|| damaged("the file is missing"))?;
    let swept: HashSet<String> = columns(info).into_iter().map(|c| c.name).collect();
    let mut shared = SharedNames::default();
    let mut left = rows.iter_mut();
    while let Some(table) = groups.next_group()? {
        let ids = table.texts("id")?;
        let names = table
            .names_of_floats()
            .filter(|name| !swept.contains(*name));
        let names: Vec<&String> = names.collect();
        let all: Result<Vec<&[f64]>, StoreError> =
            names.iter().map(|name| table.floats(name)).collect();
        let all = all?;
        for i in 0..table.len() {
            let row = left.next().filter(|row| *row.id == ids[i]);
            let row = row.ok_or_else(|| damaged("its rows differ from those of batch.json"))?;
            let each = names
                .iter()
                .zip(&all)
                .filter(|(_, column)| !column[i].is_nan());
            let (names, values): (Vec<String>, Vec<f64>) = each
                .map(|(name, column)| ((*name).clone(), column[i]))
                .unzip();
            let metrics = RowMetrics::from_parts(shared.list(names.into()), values);
            row.metrics = metrics.unwrap_or_default();
        }
    }
    match left.next() {
        None => Ok(()),
        Some(_) => Err(damaged("it ends before the rows of batch.json")),
    }
}

/// `index.parquet`.
pub(crate) fn write_table(
    dir: &Path,
    info: &BatchInfo,
    rows: &[BatchRow],
    metrics: &[String],
) -> Result<(), StoreError> {
    let swept = columns(info);
    let mut schema = vec![("id", ColumnKind::Text)];
    schema.extend(swept.iter().map(|c| (c.name.as_str(), c.kind())));
    schema.extend([("seed", ColumnKind::Int), ("replica", ColumnKind::Int)]);
    schema.extend([("status", ColumnKind::Text), ("message", ColumnKind::Text)]);
    schema.extend(metrics.iter().map(|m| (m.as_str(), ColumnKind::OptFloat)));
    let mut table = TableWriter::create(dir, "index", &schema)?;
    for run in rows {
        let mut row = table.row().text(&SharedText::from(run.id.as_str()));
        for column in &swept {
            row = match column.holds {
                ColumnContents::AsWritten => row.text(&SharedText::from(column.text(run))),
                ColumnContents::Switch => row.bool(column.switch(run).unwrap_or_default()),
                ColumnContents::Number => row.opt(column.number(run)),
            };
        }
        row = row.count(run.seed).int(run.replica);
        row = row.text(&SharedText::from(run.status.name()));
        row = row.text(&SharedText::from(run.message.as_str()));
        for name in metrics {
            row = row.opt(run.metrics.get(name));
        }
        row.end()?;
    }
    table.close()
}
