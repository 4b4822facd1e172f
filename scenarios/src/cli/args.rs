//! The commands, arguments and options of the command line, with their help.

mod find;
mod plot;
mod submit;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::scenario_args::ScenarioArgs;
use crate::batch::Keep;
use crate::bench;
use crate::fuzz;
use crate::packetdrill;
pub(super) use find::FindArgs;
pub(super) use plot::{PlotArgs, PlotKind, PlotStyle};
pub(super) use submit::{Scheduler, SubmitArgs};

const COMPLETIONS_HELP: &str = "\
Where shells look for them, for example:
  synfin completions bash > ~/.local/share/bash-completion/completions/synfin
  synfin completions zsh  > ~/.zfunc/_synfin      # with fpath+=~/.zfunc in .zshrc
  synfin completions fish > ~/.config/fish/completions/synfin.fish";

/// The output of `--version`, with the commit and the compiler.
const LONG_VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    "\ncommit: ",
    env!("SYNFIN_COMMIT_SHOWN"),
    "\nbuilt: ",
    env!("SYNFIN_BUILD"),
    ", ",
    env!("SYNFIN_RUSTC")
);

/// Simulate the life of TCP connections, from SYN to FIN and beyond: handshakes, closes,
/// TIME-WAIT, port exhaustion.
#[derive(Debug, Parser)]
#[command(
    name = "synfin",
    version,
    long_version = LONG_VERSION,
    after_help = "First steps:\n  synfin list\n  synfin run time-wait\n  synfin show time-wait > my.toml   # a start for your own scenario"
)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: CliCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum CliCommand {
    /// Run a scenario with every value of its sweep; completed runs are kept, not repeated
    Run(RunArgs),
    /// Check a scenario; print it with every default filled in, and list its runs
    Check(CheckArgs),
    /// Show how many runs a scenario has, how many are complete, and what the rest will cost
    Plan(PlanArgs),
    /// Show the progress of a batch: complete, failed and missing runs
    Status {
        /// Directory of the batch
        dir: PathBuf,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Write the index of a batch in a format for other programs
    Export {
        /// Directory of the batch
        dir: PathBuf,
        /// The format
        #[arg(long, value_enum)]
        format: ExportFormat,
        /// Directory of the file [default: export in the directory of the batch]
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Submit a batch to a scheduler, one task per shard
    Submit(SubmitArgs),
    /// Write the index and the report of a batch that ran in shards, or of the part of it that is complete
    Collect {
        /// Directory of the batch
        dir: PathBuf,
    },
    /// Find the largest or smallest value for which all expectations hold, or the best of several variants
    Find(FindArgs),
    /// Repeat one run, recording more or with changed settings
    Rerun(RerunArgs),
    /// List the ready-made scenarios and the questions they answer
    List,
    /// Print a ready-made scenario as a start for your own, or the scenario behind a result directory
    Show {
        /// Name of a scenario, or directory of a run or a batch
        name: String,
        /// Print the command that reproduces the results
        #[arg(long)]
        command: bool,
    },
    /// Redraw the figures and rewrite the report of a result directory from its results
    Report {
        /// Directory of a run or a batch
        dir: PathBuf,
        /// Language of the page, its figures and the findings printed. The pages of a batch's runs stay as they are
        #[arg(long, value_enum, default_value = "en")]
        lang: LanguageArg,
        /// Print more
        #[arg(short, long)]
        verbose: bool,
    },
    /// Write a page that shows several runs, or several batches, side by side
    Compare(CompareArgs),
    /// Draw the connections of a capture (pcap or pcapng) of a real network as those of runs: ladders,
    /// timelines, time-sequence plots
    ReadPcap {
        /// The capture
        file: PathBuf,
        /// Directory for the page and its figures; created if missing [default: the name of the capture without
        /// its ending]
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// Number of connections to draw, from the first of the capture
        #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=64))]
        connections: u32,
        /// Language of the page, its figures and the findings printed
        #[arg(long, value_enum, default_value = "en")]
        lang: LanguageArg,
    },
    /// Draw a figure of a batch: a metric against a swept parameter or against another metric; or write a figure that
    /// a run or a batch has as PNG
    Plot(PlotArgs),
    /// Find where two runs begin to differ: their parameters, and the first event that differs
    Diff {
        /// Directory of a run
        first: PathBuf,
        /// Directory of another
        second: PathBuf,
    },
    /// Print the counters of a run under their Linux names, as nstat does
    Nstat {
        /// Directory of a run
        dir: PathBuf,
        /// Only this group of hosts [default: the sum over all groups]
        #[arg(long, value_name = "GROUP")]
        host: Option<String>,
    },
    /// Print the sockets of a run at a given time, as ss -tan does
    Ss {
        /// Directory of a run
        dir: PathBuf,
        /// Time since the start of the run, as in 12.5s
        #[arg(long, value_name = "TIME")]
        at: String,
        /// Only this host or group of hosts
        #[arg(long, value_name = "HOST")]
        host: Option<String>,
        /// Repeat the run up to that time, and show Recv-Q, Send-Q and all sockets, recorded or not
        #[arg(long)]
        queues: bool,
    },
    /// Repeat a run up to a time, and print its sockets then, as ss -tan does, with their queues
    Replay {
        /// Directory of a run
        dir: PathBuf,
        /// Where to stop: time since the start of the run, as in 12.5s
        #[arg(long, value_name = "TIME")]
        until: String,
        /// Only this host or group of hosts
        #[arg(long, value_name = "HOST")]
        host: Option<String>,
    },
    /// Explain a name: a TCP parameter (by any of its names), a scenario key, a metric, a finding, a link
    /// model
    Explain {
        /// For example net.ipv4.tcp_tw_reuse, record.states, connects_failed or codel; `tcp` lists the
        /// parameters. With --connection the directory of a run
        name: String,
        /// Explain this connection of the run segment by segment: its name, as in 0.3, or its position from 0
        #[arg(long, value_name = "N")]
        connection: Option<String>,
        /// Language of that explanation
        #[arg(long, value_enum, default_value = "en", requires = "connection")]
        lang: LanguageArg,
    },
    /// Print the JSON schema of scenario files, for editors that complete and check TOML, or of what a command prints with --json
    Schema {
        /// What it describes: plan, status, find, best, progress, timing, bench or packetdrill [default: scenario files]
        #[arg(long, value_name = "OUTPUT")]
        of: Option<String>,
    },
    /// Run packetdrill scripts against the simulator's TCP in virtual time
    Packetdrill(packetdrill::PacketdrillArgs),
    /// Check the rules of TCP in random worlds, each with two hosts and a bad path
    Fuzz(fuzz::FuzzArgs),
    /// Measure the simulator itself: speed and memory on standard workloads
    Bench(bench::BenchArgs),
    /// Print a script that completes synfin's command line in a shell
    #[command(after_help = COMPLETIONS_HELP)]
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the manual page: `synfin man | man -l -`
    Man,
    /// Print the licences of synfin and of the packages built into it
    Licenses,
}

/// The language of an explanation or a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum LanguageArg {
    /// English
    En,
    /// Chinese
    Zh,
}

impl From<LanguageArg> for reports::Language {
    fn from(language: LanguageArg) -> reports::Language {
        match language {
            LanguageArg::En => reports::Language::English,
            LanguageArg::Zh => reports::Language::Chinese,
        }
    }
}

#[derive(Debug, Default, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    pub(super) scenario: ScenarioArgs,
    /// Directory for the results [default: results/NAME plus what --set and --seed change, as in
    /// results/time-wait,tcp.tw_reuse=true]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Number of threads. They run several runs at once; with fewer runs than threads, a network is divided
    /// among threads where that helps. Results do not depend on it [default: one per processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) threads: Option<u16>,
    /// Divide each network into this many parts even if that does not help, to test that results stay the
    /// same
    #[arg(long, value_name = "N", hide = true, value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) partitions: Option<u16>,
    /// Repeat completed runs, and replace other synfin results in the directory; files that are not
    /// synfin's are never touched
    #[arg(long)]
    pub(super) force: bool,
    /// Run only where a condition on the swept values holds, as in 'tcp.congestion == "cubic" && rate >
    /// "400 /s"'; replicas count from 0. Other completed runs stay in the index and report
    #[arg(long, value_name = "CONDITION")]
    pub(super) filter: Option<String>,
    /// What to keep of each run of a batch: `all` (tables, figures and a page), `metrics` (many runs in
    /// one file; `synfin report DIR/runs/ID` repeats one of them with everything), or `auto`: metrics if
    /// there are more than 100 runs
    #[arg(long, value_enum, value_name = "WHAT", default_value_t)]
    pub(super) keep: KeepArg,
    /// Run only one shard of a batch, while other processes run the others: 3/8 is the third of eight;
    /// `auto` and `auto/8` take the number from Slurm, HyperQueue, Kubernetes, PBS, SGE or GNU parallel.
    /// `synfin collect` then writes the index and the report of all runs
    #[arg(long, value_name = "I/N")]
    pub(super) shard: Option<String>,
    /// Start no more runs once one has failed
    #[arg(long)]
    pub(super) fail_fast: bool,
    /// Stop a run that takes longer than this in real time, as in "10 min"; it counts as failed
    #[arg(long, value_name = "TIME")]
    pub(super) run_time: Option<String>,
    /// Do not start a run whose estimated memory exceeds this, as in "2 GB"; it counts as failed
    #[arg(long, value_name = "SIZE")]
    pub(super) run_memory: Option<String>,
    /// Write the progress of the runs to this file, as JSON, for other programs
    #[arg(long, value_name = "FILE")]
    pub(super) progress: Option<PathBuf>,
    /// Show the runs in a browser while they are executed: progress, connections by state, failures, throughput,
    /// and at the end the report. Prints the address, which works only on this machine; nobody without its
    /// token can read it. Results are served until Ctrl-C
    #[arg(long, conflicts_with_all = ["quiet", "shard"])]
    pub(super) serve: bool,
    /// Draw the runs in the terminal while they are executed: connections by state, failures and throughput
    /// over simulated time. Where stderr is no terminal, print a line with them from time to time. NO_COLOR is
    /// honoured
    #[arg(long, conflicts_with = "quiet")]
    pub(super) live: bool,
    /// Language of the pages, their figures, and the findings printed [default: en, but pages that are there stay as
    /// they are]
    #[arg(long, value_enum, conflicts_with = "shard")]
    pub(super) lang: Option<LanguageArg>,
    /// Write the verdicts on the expectations as JUnit XML, for build servers
    #[arg(long, value_name = "FILE")]
    pub(super) junit: Option<PathBuf>,
    /// Start even if the runs are estimated to need more memory than is available
    #[arg(long)]
    pub(super) allow_large: bool,
    /// Print a line for each run, how it was divided among threads and why, and the hash of its results
    #[arg(short, long)]
    pub(super) verbose: bool,
    /// Print only errors
    #[arg(short, long, conflicts_with = "verbose")]
    pub(super) quiet: bool,
}

impl RunArgs {
    /// The language of what is printed.
    pub(super) fn language(&self) -> reports::Language {
        self.lang.map_or(reports::Language::English, Into::into)
    }
}

/// What is kept of each run of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum KeepArg {
    #[default]
    Auto,
    All,
    Metrics,
}

impl From<KeepArg> for Keep {
    fn from(keep: KeepArg) -> Keep {
        match keep {
            KeepArg::Auto => Keep::BySize,
            KeepArg::All => Keep::Everything,
            KeepArg::Metrics => Keep::Metrics,
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct CompareArgs {
    /// Directories of runs, or of batches; differences are given against the first
    #[arg(required = true, num_args = 2.., value_name = "DIR")]
    pub(super) dirs: Vec<PathBuf>,
    /// The page [default: comparison.html]
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// Language of the page, its figures and the findings printed
    #[arg(long, value_enum, default_value = "en")]
    pub(super) lang: LanguageArg,
}

#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    pub(super) scenario: ScenarioArgs,
    /// Directory of the results [default: as for `synfin run`]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Only the runs for which a condition on the swept values holds, as for `synfin run`
    #[arg(long, value_name = "CONDITION")]
    pub(super) filter: Option<String>,
    /// As JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// A form of the index of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ExportFormat {
    /// A row for each run and metric: long.csv
    Csv,
    /// The same: long.parquet
    Parquet,
    /// SQL that creates the tables runs, metrics and columns: sqlite3 batch.db < batch.sql
    Sqlite,
    /// OMNeT++ scalars: batch.sca
    Omnetpp,
}

#[derive(Debug, Args)]
pub(super) struct RerunArgs {
    /// Directory of the run
    pub(super) run: PathBuf,
    /// Record every segment
    #[arg(long)]
    pub(super) with_segments: bool,
    /// Write the packets that a filter selects to packets.pcapng, as for `synfin run`
    #[arg(long, value_name = "FILTER")]
    pub(super) pcap: Option<String>,
    /// Change a value, as for `synfin run`
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub(super) set: Vec<String>,
    /// Directory for the results [default: RUN-again beside the run, or in results/ for a run of a batch]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Replace other synfin results in the directory
    #[arg(long)]
    pub(super) force: bool,
}

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    pub(super) scenario: ScenarioArgs,
}
