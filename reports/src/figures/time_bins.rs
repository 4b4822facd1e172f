//! Values in bins of time, drawn as steps over the width of each bin.

use crate::store::StoreError;
use crate::store::reader::Table;

/// The bins of a table with the columns `time_s` and `width_s`.
pub(super) struct TimeBins {
    /// Start and end of each bin, seconds.
    pub(super) edges: Vec<f64>,
}

impl TimeBins {
    /// Reads the bins.
    ///
    /// # Errors
    /// When the table lacks a column.
    pub(super) fn of(table: &Table) -> Result<TimeBins, StoreError> {
        let (starts, widths) = (table.floats("time_s")?, table.floats("width_s")?);
        let edges = starts.iter().zip(widths).flat_map(|(&t, &w)| [t, t + w]);
        Ok(TimeBins {
            edges: edges.collect(),
        })
    }

    /// One value for each bin, at both of its edges.
    pub(super) fn values(values: &[f64]) -> Vec<f64> {
        values.iter().flat_map(|&v| [v, v]).collect()
    }

    /// From the first edge to the last.
    pub(super) fn range(&self) -> (f64, f64) {
        let (first, last) = (self.edges.first(), self.edges.last());
        (first.copied().unwrap_or(0.0), last.copied().unwrap_or(1.0))
    }
}
