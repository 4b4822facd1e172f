//! The options of `synfin plot`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::LanguageArg;

#[derive(Debug, Args)]
pub(in crate::cli) struct PlotArgs {
    /// Directory of a batch; with --figure also of a run
    pub(in crate::cli) dir: PathBuf,
    /// A figure that the directory has already, by its name in figures/, as it is
    #[arg(long, value_name = "NAME", conflicts_with_all = ["x", "series", "facet", "log_x", "log_y", "theory", "kind", "filter", "style"])]
    pub(in crate::cli) figure: Option<String>,
    /// A swept parameter, or a metric, along x [default: the first swept parameter with numbers]
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) x: Option<String>,
    /// The metric along y
    #[arg(
        long,
        value_name = "METRIC",
        required_unless_present = "figure",
        conflicts_with = "figure"
    )]
    pub(in crate::cli) y: Option<String>,
    /// A curve for each value of this swept parameter [default: the first remaining one]
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) series: Option<String>,
    /// A panel for each value of this swept parameter; may be given several times [default: all
    /// remaining ones]
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) facet: Vec<String>,
    /// A logarithmic x axis
    #[arg(long)]
    pub(in crate::cli) log_x: bool,
    /// A logarithmic y axis
    #[arg(long)]
    pub(in crate::cli) log_y: bool,
    /// A theoretical curve beside the runs, as mathis, pftk or cubic; may be given several times
    /// [default: those of the scenario's figure of the same metric and parameter]
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) theory: Vec<String>,
    /// What to draw for runs that differ only in their replica, or for all runs of a curve
    #[arg(long, value_enum, default_value_t, value_name = "KIND")]
    pub(in crate::cli) kind: PlotKind,
    /// Only runs where a condition on the swept values holds, as in 'tcp.congestion == "cubic"'
    #[arg(long, value_name = "CONDITION")]
    pub(in crate::cli) filter: Option<String>,
    /// For a screen, or for a column of a printed paper: 89 mm wide, no title, in greys
    #[arg(long, value_enum, default_value_t, value_name = "STYLE")]
    pub(in crate::cli) style: PlotStyle,
    /// The picture, NAME.svg or NAME.png; its numbers go to NAME.csv beside it. PNG needs a synfin that was built with
    /// the feature `png` [default: a name from the metric, as SVG]
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) out: Option<PathBuf>,
    /// Resolution of a PNG, pixels per inch [default: 192; 600 with --style paper]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(36..=2400))]
    pub(in crate::cli) dpi: Option<u16>,
    /// Language of the figure and of what is printed
    #[arg(long, value_enum, default_value = "en")]
    pub(in crate::cli) lang: LanguageArg,
}

/// What is drawn of several runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum PlotKind {
    /// Means with 95 % intervals
    #[default]
    Mean,
    /// Medians with 95 % intervals
    Median,
    /// The share of runs with at most a value
    Cdf,
    /// The share of runs with more than a value
    Ccdf,
    /// The effect of each swept parameter
    Effects,
}

/// What a figure is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum PlotStyle {
    /// In colour, with a title
    #[default]
    Screen,
    /// A column of a paper
    Paper,
}
