//! `synfin find`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::scenario_args::ScenarioArgs;

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("goal").required(true))]
pub(in crate::cli) struct FindArgs {
    #[command(flatten)]
    pub(in crate::cli) scenario: ScenarioArgs,
    /// Path of the value to vary, as in workload.web.arrivals.rate
    #[arg(
        long,
        value_name = "PATH",
        default_value = "",
        hide_default_value = true
    )]
    pub(in crate::cli) vary: String,
    /// Smallest value to try, as in "100 /s"
    #[arg(
        long,
        value_name = "VALUE",
        default_value = "",
        hide_default_value = true
    )]
    pub(in crate::cli) from: String,
    /// Largest value to try
    #[arg(
        long,
        value_name = "VALUE",
        default_value = "",
        hide_default_value = true
    )]
    pub(in crate::cli) to: String,
    /// Instead of a value, find which variant or combination of the sweep has the largest or smallest mean
    /// of this metric; those that are certainly worse get no more replicas
    #[arg(long, value_name = "METRIC", conflicts_with_all = ["vary", "from", "to", "expect", "log"])]
    pub(in crate::cli) best: Option<String>,
    /// Find the largest value that passes: expectations hold up to it and fail above
    #[arg(long, group = "goal")]
    pub(in crate::cli) largest: bool,
    /// Find the smallest value that passes: expectations hold from it on and fail below
    #[arg(long, group = "goal")]
    pub(in crate::cli) smallest: bool,
    /// The expectation, as in 'connects_failed_share_steady < 0.001' [default: the scenario's [[expect]]]
    #[arg(long, value_name = "METRIC < BOUND")]
    pub(in crate::cli) expect: Option<String>,
    /// Stop when the closest passing and failing values differ by no more than this share of the larger
    #[arg(long, value_name = "SHARE", default_value_t = 0.005)]
    pub(in crate::cli) resolution: f64,
    /// Search on a logarithmic scale
    #[arg(long)]
    pub(in crate::cli) log: bool,
    /// Maximum number of replicas for a value that is hard to decide
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(in crate::cli) max_replicas: u32,
    /// Directory for the results [default: results/NAME,PATH=found]
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) out: Option<PathBuf>,
    /// Number of runs at a time [default: one per processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(in crate::cli) threads: Option<u16>,
    /// Replace other synfin results in the directory
    #[arg(long)]
    pub(in crate::cli) force: bool,
    /// Print JSON, with all values that were tried
    #[arg(long)]
    pub(in crate::cli) json: bool,
}
