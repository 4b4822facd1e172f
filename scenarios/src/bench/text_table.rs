//! Measurements as text and as JSON.

use reports::format;
use serde_json::{Map, Value, json};

/// A measured value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum TableCell {
    /// A number; NaN if unknown.
    Number(f64),
    /// A text.
    Text(String),
}

impl From<f64> for TableCell {
    fn from(value: f64) -> TableCell {
        TableCell::Number(value)
    }
}

impl From<u64> for TableCell {
    fn from(value: u64) -> TableCell {
        TableCell::Number(value as f64)
    }
}

impl From<String> for TableCell {
    fn from(text: String) -> TableCell {
        TableCell::Text(text)
    }
}

/// One measurement: names and values, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Measurement {
    pub(super) cells: Vec<(&'static str, TableCell)>,
}

impl Measurement {
    /// Adds a value.
    #[must_use]
    pub(super) fn with(mut self, name: &'static str, value: impl Into<TableCell>) -> Measurement {
        self.cells.push((name, value.into()));
        self
    }

    /// The number with this name; NaN if there is none.
    pub(super) fn number(&self, name: &str) -> f64 {
        let cell = self.cells.iter().find(|(n, _)| *n == name);
        match cell {
            Some((_, TableCell::Number(v))) => *v,
            _ => f64::NAN,
        }
    }

    /// Removes the memory figures, which only the first run of a process can measure.
    pub(super) fn forget_memory(&mut self) {
        const OF_GROWTH: [&str; 4] = [
            "kib_per_flow",
            "bytes_per_connection",
            "bytes_per_end_point",
            "bytes_per_entry",
        ];
        for (name, cell) in &mut self.cells {
            if OF_GROWTH.contains(name) {
                *cell = TableCell::Number(f64::NAN);
            }
        }
    }

    /// Returns the median of each number over all measurements.
    pub(super) fn median(all: &[Measurement]) -> Measurement {
        let Some(first) = all.first() else {
            return Measurement::default();
        };
        let of_name = |name: &str| {
            let cells = all.iter().flat_map(|m| &m.cells);
            let named = cells.filter(|(n, _)| *n == name);
            let mut values: Vec<f64> = named
                .filter_map(|(_, cell)| match cell {
                    TableCell::Number(v) if !v.is_nan() => Some(*v),
                    _ => None,
                })
                .collect();
            values.sort_by(f64::total_cmp);
            let middle = |i: usize| values.get(i).copied().unwrap_or(f64::NAN);
            let n = values.len();
            (middle(n / 2) + middle(n.saturating_sub(1) / 2)) / 2.0
        };
        let cells = first.cells.iter().map(|(name, cell)| {
            let cell = match cell {
                TableCell::Number(_) => TableCell::Number(of_name(name)),
                TableCell::Text(_) => cell.clone(),
            };
            (*name, cell)
        });
        Measurement {
            cells: cells.collect(),
        }
    }
}

/// Measurements of one kind, each with the heading of its column.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct TextTable {
    /// What was measured, as given on the command line.
    pub(super) title: String,
    /// What the columns differ in.
    pub(super) by: &'static str,
    pub(super) columns: Vec<(String, Measurement)>,
}

impl TextTable {
    /// One JSON object per measurement and line.
    pub(super) fn json_lines(&self) -> String {
        let line = |(label, m): &(String, Measurement)| {
            let mut object = Map::new();
            object.insert("bench".to_owned(), json!(self.title));
            object.insert(self.by.to_owned(), json!(label));
            for (name, cell) in &m.cells {
                let value = match cell {
                    TableCell::Number(v) if v.fract() == 0.0 && v.abs() < 9e15 => json!(*v as i64),
                    TableCell::Number(v) => json!(v), // NaN becomes null
                    TableCell::Text(t) => json!(t),
                };
                object.insert((*name).to_owned(), value);
            }
            Value::Object(object).to_string()
        };
        let lines: Vec<String> = self.columns.iter().map(line).collect();
        lines.join("\n")
    }

    /// One line per value, one column per measurement.
    pub(super) fn text(&self) -> String {
        let Some((_, first)) = self.columns.first() else {
            return self.title.clone();
        };
        let mut grid: Vec<Vec<String>> = Vec::new();
        let labels = self.columns.iter().map(|(label, _)| label.clone());
        grid.push(std::iter::once(self.by.to_owned()).chain(labels).collect());
        for (i, (name, _)) in first.cells.iter().enumerate() {
            let cells = self.columns.iter().map(|(_, m)| match m.cells.get(i) {
                Some((_, TableCell::Number(v))) => format::number(*v),
                Some((_, TableCell::Text(t))) => t.clone(),
                None => String::new(),
            });
            grid.push(std::iter::once((*name).to_owned()).chain(cells).collect());
        }
        let width = |column: usize| {
            let cells = grid.iter().filter_map(|row| row.get(column));
            cells.map(String::len).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..=self.columns.len()).map(width).collect();
        let mut out = format!("{}\n", self.title);
        for row in &grid {
            out.push_str("  ");
            for (i, (cell, width)) in row.iter().zip(&widths).enumerate() {
                out.push_str(&if i == 0 {
                    format!("{cell:<width$}")
                } else {
                    format!("  {cell:>width$}")
                });
            }
            out.push('\n');
        }
        out
    }
}
