//! Writes the index of a batch in formats that other programs read.
//!
//! `csv` and `parquet` are tidy long tables: a row for each run and metric, with the swept values
//! as columns. `sqlite` is SQL for `sqlite3` (and for DuckDB and PostgreSQL); `omnetpp` is a scalar
//! file as written by OMNeT++ 5 and 6, for `opp_scavetool` and the Python package `omnetpp.scave`.

use std::io::{self, Write};
use std::path::Path;

use crate::batch::index::{self, ColumnDescription};
use crate::batch::{BatchInfo, BatchRow, metric_names};
use crate::csv::Csv;
use crate::store::StoreError;
use crate::store::table::{ColumnKind, SharedText, TableWriter};

/// A format of the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated text, long.
    Csv,
    /// Parquet, long.
    Parquet,
    /// SQL statements that create the tables `runs`, `metrics` and `columns`.
    Sqlite,
    /// OMNeT++ scalars.
    Omnetpp,
}

impl Format {
    /// The name of the file.
    pub fn file(self) -> &'static str {
        match self {
            Format::Csv => "long.csv",
            Format::Parquet => "long.parquet",
            Format::Sqlite => "batch.sql",
            Format::Omnetpp => "batch.sca",
        }
    }
}

/// Writes the index in this format to a file in `dir`.
///
/// # Errors
/// When it cannot be written.
pub fn write(
    dir: &Path,
    format: Format,
    info: &BatchInfo,
    rows: &[BatchRow],
) -> Result<(), StoreError> {
    if format == Format::Parquet {
        return parquet(dir, info, rows);
    }
    let path = dir.join(format.file());
    let file = std::fs::File::create(&path).map_err(StoreError::io("create", &path))?;
    let mut out = io::BufWriter::new(file);
    let written = match format {
        Format::Sqlite => sql(&mut out, info, rows),
        Format::Omnetpp => omnetpp(&mut out, info, rows),
        _ => csv(&mut out, info, rows),
    };
    let written = written.and_then(|()| out.flush());
    written.map_err(StoreError::io("write", &path))
}

/// The swept values of a run, each with the name of its column.
fn values<'a>(info: &'a BatchInfo, row: &'a BatchRow) -> impl Iterator<Item = (&'a str, &'a str)> {
    info.axes.iter().enumerate().flat_map(move |(at, main)| {
        let value = row.values.get(at);
        let place = value.and_then(|value| main.place(value));
        main.columns().map(move |own| {
            let text = place.and_then(|place| own.values.get(place));
            (own.path.as_str(), text.map_or("", String::as_str))
        })
    })
}

fn paths(info: &BatchInfo) -> Vec<&str> {
    let columns = info.axes.iter().flat_map(|axis| axis.columns());
    columns.map(|own| own.path.as_str()).collect()
}

fn metrics(row: &BatchRow) -> impl Iterator<Item = (&String, f64)> {
    let names = row.metrics.names().iter();
    names.zip(row.metrics.values().iter().copied())
}

fn csv(out: &mut impl Write, info: &BatchInfo, rows: &[BatchRow]) -> io::Result<()> {
    let header = ["id"].into_iter().chain(paths(info));
    let mut text = Csv::new(header.chain(["replica", "metric", "value"]));
    for row in rows {
        for (name, value) in metrics(row) {
            text.text(&row.id);
            values(info, row).for_each(|(_, value)| text.text(value));
            text.text(&row.replica.to_string());
            text.text(name);
            text.row([value]);
        }
        out.write_all(text.take().as_bytes())?;
    }
    out.write_all(text.finish().as_bytes())
}

fn parquet(dir: &Path, info: &BatchInfo, rows: &[BatchRow]) -> Result<(), StoreError> {
    let mut schema = vec![("id", ColumnKind::Text)];
    schema.extend(paths(info).into_iter().map(|path| (path, ColumnKind::Text)));
    schema.extend([("replica", ColumnKind::Int), ("metric", ColumnKind::Text)]);
    schema.push(("value", ColumnKind::Float));
    let mut table = TableWriter::create(dir, "long", &schema)?;
    for run in rows {
        let id = SharedText::from(run.id.as_str());
        let swept: Vec<SharedText> = values(info, run)
            .map(|(_, value)| SharedText::from(value))
            .collect();
        for (name, value) in metrics(run) {
            let mut row = table.row().text(&id);
            for value in &swept {
                row = row.text(value);
            }
            row = row.int(run.replica).text(&SharedText::from(name.as_str()));
            row.float(value).end()?;
        }
    }
    table.close()
}

/// A text or a name, quoted for SQL.
fn quoted(text: &str, quote: char) -> String {
    let inner = text
        .replace(quote, &format!("{quote}{quote}"))
        .replace('\0', "");
    format!("{quote}{inner}{quote}")
}

fn sql(out: &mut impl Write, info: &BatchInfo, rows: &[BatchRow]) -> io::Result<()> {
    let name = |text: &str| quoted(text, '"');
    let text = |text: &str| quoted(text, '\'');
    writeln!(
        out,
        "-- Results of synfin: {}",
        info.name.replace(['\n', '\r'], " ")
    )?;
    writeln!(out, "BEGIN;")?;
    let swept: Vec<String> = paths(info)
        .into_iter()
        .map(|p| name(p) + " TEXT, ")
        .collect();
    writeln!(
        out,
        "CREATE TABLE runs (id TEXT PRIMARY KEY, {}seed TEXT, replica INTEGER, status TEXT, message TEXT);",
        swept.concat()
    )?;
    writeln!(
        out,
        "CREATE TABLE metrics (id TEXT, metric TEXT, value DOUBLE PRECISION);"
    )?;
    let columns = "CREATE TABLE columns (name TEXT, type TEXT, unit TEXT, words TEXT, how TEXT);";
    writeln!(out, "{columns}")?;
    for row in rows {
        let swept: Vec<String> = values(info, row).map(|(_, v)| text(v) + ", ").collect();
        let (id, swept) = (text(&row.id), swept.concat());
        let (status, message) = (text(row.status.name()), text(&row.message));
        let (seed, replica) = (row.seed, row.replica);
        writeln!(
            out,
            "INSERT INTO runs VALUES ({id}, {swept}'{seed}', {replica}, {status}, {message});"
        )?;
        for (metric, value) in metrics(row) {
            let metric = text(metric);
            writeln!(
                out,
                "INSERT INTO metrics VALUES ({id}, {metric}, {value:?});"
            )?;
        }
    }
    for ColumnDescription {
        name,
        kind,
        unit,
        words,
        doc,
    } in index::described(info, &metric_names(rows))
    {
        let cells = [name.as_str(), kind, unit, words.as_str(), doc].map(text);
        writeln!(out, "INSERT INTO columns VALUES ({});", cells.join(", "))?;
    }
    writeln!(out, "COMMIT;")
}

/// A word of a scalar file, quoted if necessary.
fn word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/[]".contains(c);
    match !text.is_empty() && text.chars().all(is_plain) {
        true => text.to_owned(),
        false => {
            let text = text
                .replace('\\', "\\\\")
                .replace('"', "\\\"")
                .replace(['\n', '\r'], " ");
            format!("\"{text}\"")
        }
    }
}

fn omnetpp(out: &mut impl Write, info: &BatchInfo, rows: &[BatchRow]) -> io::Result<()> {
    writeln!(out, "version 3")?;
    for row in rows {
        let measurement: Vec<String> = values(info, row)
            .map(|(path, value)| format!("${path}={value}"))
            .collect();
        let name = word(&info.name);
        writeln!(out, "run {}", word(&format!("{}-{}", info.name, row.id)))?;
        writeln!(out, "attr configname {name}")?;
        writeln!(out, "attr experiment {name}")?;
        writeln!(out, "attr measurement {}", word(&measurement.join(", ")))?;
        writeln!(
            out,
            "attr replication {}",
            word(&format!("#{}", row.replica))
        )?;
        writeln!(out, "attr repetition {}", row.replica)?;
        writeln!(out, "attr seedset {}", row.seed)?;
        for (path, value) in values(info, row) {
            writeln!(out, "itervar {} {}", word(path), word(value))?;
        }
        for (metric, value) in metrics(row) {
            writeln!(out, "scalar synfin {} {value}", word(metric))?;
            let unit = crate::metrics::kind(metric).unit();
            if unit != "1" {
                writeln!(out, "attr unit {}", word(unit))?;
            }
        }
        writeln!(out)?;
    }
    Ok(())
}
