//! A batch: many runs of one scenario over swept values and replicas.

use serde::{Deserialize, Serialize};

use crate::expectations::Expectation;
use crate::info::Translation;

mod axis;
mod choice;
mod derived;
pub(crate) mod effects;
mod findings;
pub(crate) mod index;
mod judging;
mod layout;
pub(crate) mod paired;
mod status;
pub(crate) mod translated;
mod unusual;
pub(crate) mod variants;

pub use crate::store::row_metrics::{RowMetrics, SharedNames};
pub use axis::{Axis, AxisValues, Unit};
pub(crate) use choice::{chosen_metrics, is_comparable, metric_names, metrics_that_vary};
pub use derived::row_metrics;
pub(crate) use derived::with_derived;
pub(crate) use findings::batch_findings_in;
pub use findings::{VariantNote, batch_findings};
pub use judging::judge_run;
pub use layout::{Layout, MOST_CURVES, MOST_PANELS};
pub use status::RunStatus;
pub use variants::estimate_of;

/// The description of a batch for reports; stored in `batch.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BatchInfo {
    /// Name of the scenario.
    pub name: String,
    /// The question it answers.
    pub question: String,
    /// The scenario's description.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Question, description and names of variants in Chinese.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zh: Option<Translation>,
    /// The command line that repeats the batch.
    pub command: String,
    /// Parameters that are the same for all runs.
    pub parameters: Vec<(String, String)>,
    /// The swept parameters.
    pub axes: Vec<Axis>,
    /// Figures to draw and report; empty for an automatic choice.
    pub figures: Vec<MetricFigure>,
    /// Expectations on the results.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expectations: Vec<Expectation>,
    /// Only metrics are kept: the runs have no directories.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub metrics_only: bool,
    /// The scenario's notes on its variants.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<VariantNote>,
    /// How a search led to these runs, one sentence per step.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub search: Vec<String>,
}

/// A metric against a swept parameter: one curve per value of another parameter, one panel per
/// combination of the rest.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MetricFigure {
    /// Name of its files; if empty, derived from the metric.
    pub name: String,
    /// Name of the metric.
    pub metric: String,
    /// Axis along x; if empty, the first.
    pub x: String,
    /// Axis shown by colour; if empty, the first of the others, if any.
    pub series: String,
    /// Only runs with these values are drawn: dotted path and value as written.
    pub only: Vec<(String, String)>,
    /// Whether the x axis and the y axis are logarithmic.
    pub log: (bool, bool),
    /// Theoretical curves to draw beside the runs.
    pub theory: Vec<TheoryCurve>,
    /// Another metric to draw along x, with a point for each value of the axis. Empty for none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub against: String,
    /// How the metric is distributed over the runs, instead of its means. If the runs keep the
    /// distribution itself ([`POOLED`](crate::metrics::POOLED)): over the connects, requests or
    /// flows of all replicas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distribution: Option<DistributionKind>,
    /// A quantile over the replicas instead of their mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantile: Option<f64>,
    /// The effect of each swept parameter as a bar, instead of the metric along x.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub effects: bool,
    /// A phase diagram: for each pair of values of the two axes, whether the metric is at most this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
    /// How it looks; not stored, since reports draw for screens.
    #[serde(skip)]
    pub style: FigureStyle,
}

/// What a figure is drawn for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FigureStyle {
    /// Screens: wide, with a title, in colour.
    #[default]
    Screen,
    /// A column of a printed paper: 89 mm wide, no title (the caption has it); curves differ by
    /// shades of grey, dashes and the shapes of points, not by colour.
    Paper,
}

/// How a distribution is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DistributionKind {
    /// The share of runs with at most this value.
    Cdf,
    /// The share of runs with more than this value.
    Ccdf,
}

impl DistributionKind {
    /// Names, as scenarios write them.
    pub const NAMES: [&str; 2] = ["cdf", "ccdf"];

    /// The kind with this name.
    pub fn named(name: &str) -> Option<DistributionKind> {
        match name {
            "cdf" => Some(DistributionKind::Cdf),
            "ccdf" => Some(DistributionKind::Ccdf),
            _ => None,
        }
    }
}

/// Theoretical values along the x axis.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TheoryCurve {
    /// The values of other axes for which the curve holds: dotted path and value as written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<(String, String)>,
    /// Its source, for the legend.
    pub name: String,
    /// The value of the x axis as written, and the value of the metric in its base unit.
    pub points: Vec<(String, f64)>,
}

/// One run of a batch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BatchRow {
    /// Identity of the run; its directory is `runs/ID`.
    pub id: String,
    /// Values of the swept parameters, in the order of the axes.
    pub values: Vec<String>,
    /// Seed.
    pub seed: u64,
    /// Replica, from 0.
    pub replica: u32,
    /// Its outcome.
    pub status: RunStatus,
    /// Why it failed; empty otherwise.
    pub message: String,
    /// Its metrics; stored in `index.parquet`, not in `batch.json`.
    #[serde(skip)]
    pub metrics: RowMetrics,
}
