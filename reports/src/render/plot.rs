//! A single figure over the runs of a batch, drawn on request.

use crate::batch::translated::in_language;
use crate::batch::{BatchInfo, BatchRow, MetricFigure, metric_names};
use crate::bilingual::Language;
use crate::figures::{Figure, sweep};
use crate::store::StoreError;

/// Draws a figure of a batch with its words in `language`; `None` if no run has its metric, or an axis of it is not
/// swept.
///
/// # Errors
/// When the figure cannot be drawn.
pub fn plot_batch(
    info: &BatchInfo,
    rows: &[BatchRow],
    wanted: &MetricFigure,
    language: Language,
) -> Result<Option<Figure>, StoreError> {
    let (info, rows) = in_language(info, rows, language);
    sweep::figure(&info, &rows, wanted, language)
}

/// The names of all metrics that these runs have.
pub fn metrics_of(rows: &[BatchRow]) -> Vec<String> {
    metric_names(rows)
}
