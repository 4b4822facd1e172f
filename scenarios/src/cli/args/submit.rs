//! `synfin submit`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::cli::scenario_args::ScenarioArgs;

/// A scheduler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Scheduler {
    /// Slurm, by sbatch
    Slurm,
    /// HyperQueue, by hq
    Hq,
    /// Kubernetes: the manifest is printed, for kubectl apply -f -
    K8s,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct SubmitArgs {
    /// The scheduler
    #[arg(value_enum)]
    pub(in crate::cli) target: Scheduler,
    #[command(flatten)]
    pub(in crate::cli) scenario: ScenarioArgs,
    /// Number of tasks that the batch is divided into
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(in crate::cli) shards: u16,
    /// Directory for the results, shared by all machines [default: as for `synfin run`]
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) out: Option<PathBuf>,
    /// Processors of each task
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub(in crate::cli) cpus: u16,
    /// Memory of each task, as the scheduler writes it
    #[arg(long, value_name = "SIZE")]
    pub(in crate::cli) memory: Option<String>,
    /// Time limit of each task, as the scheduler writes it; runs that are missing then can be submitted
    /// again
    #[arg(long, value_name = "TIME")]
    pub(in crate::cli) time: Option<String>,
    /// Slurm partition
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) partition: Option<String>,
    /// Another option of the scheduler, as in --option=--account=net; repeatable
    #[arg(long = "option", value_name = "OPTION")]
    pub(in crate::cli) options: Vec<String>,
    /// Only the shards with missing runs
    #[arg(long)]
    pub(in crate::cli) only_missing: bool,
    /// Print what would be submitted
    #[arg(long)]
    pub(in crate::cli) print: bool,
    /// The program on the machines of the cluster [default: this one]
    #[arg(long, value_name = "PATH")]
    pub(in crate::cli) program: Option<String>,
    /// Container image with synfin, for Kubernetes
    #[arg(long, value_name = "IMAGE")]
    pub(in crate::cli) image: Option<String>,
    /// Claim of the volume that all pods share, for Kubernetes
    #[arg(long, value_name = "CLAIM")]
    pub(in crate::cli) volume: Option<String>,
}
