//! The command line: `synfin run | check | list | show | report | packetdrill | bench | …`.
//!
//! Data goes to stdout, progress and messages to stderr. Exit codes: 0 fine, 1 a run or output
//! failed, 2 wrong usage or scenario, 130 and 143 stopped by Ctrl-C and by SIGTERM.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

use reports::store::read_text_file;

use crate::batch::Keep;
use crate::bench;
use crate::console::{CommandError, flush, note, outcome};
use crate::extends;
use crate::fuzz;
use crate::library;
use crate::list_file;
use crate::output_dir::shell_words;
use crate::overrides::Override;
use crate::packetdrill;
use crate::problem::Source;
use crate::registry::Registry;
use crate::suggest;

mod check;
mod collect;
mod cost;
mod diff;
mod drawings;
mod explain;
mod export;
mod find;
mod junit;
mod list;
mod manual;
mod nstat;
mod plan;
mod report;
mod rerun;
mod run;
mod single_run;
mod ss;
mod status;
mod submit;
mod unfold;
mod wanted;

/// Simulate the life of TCP connections, from SYN to FIN and beyond: handshakes, closes,
/// TIME-WAIT, port exhaustion.
#[derive(Debug, Parser)]
#[command(
    name = "synfin",
    version,
    after_help = "First steps:\n  synfin list\n  synfin run time-wait\n  synfin show time-wait > my.toml   # a start for your own scenario"
)]
struct Cli {
    #[command(subcommand)]
    command: CliCommand,
}

#[derive(Debug, Subcommand)]
enum CliCommand {
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
    /// Find the largest or smallest value for which all expectations hold
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
        /// Print more
        #[arg(short, long)]
        verbose: bool,
    },
    /// Find where two runs begin to differ: their parameters, and the first event that is not the same
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
        lang: Language,
    },
    /// Print a JSON schema of scenario files, for editors that complete and check TOML
    Schema,
    /// Run packetdrill scripts against the simulator's TCP in virtual time
    Packetdrill(packetdrill::PacketdrillArgs),
    /// Check the rules of TCP in random worlds, each with two hosts and a bad path
    Fuzz(fuzz::FuzzArgs),
    /// Measure the simulator itself: speed and memory on standard workloads
    Bench(bench::BenchArgs),
    /// Print a script that completes synfin's command line in a shell
    #[command(after_help = manual::COMPLETIONS_HELP)]
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

/// The language of an explanation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Language {
    /// English
    En,
    /// Chinese
    Zh,
}

#[derive(Debug, Default, Args)]
struct ScenarioArgs {
    /// Name of a ready-made scenario, or a TOML file
    scenario: String,
    /// Change a value, as in --set tcp.time_wait="30 s"; repeatable
    #[arg(long = "set", value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// Seed of the random numbers
    #[arg(long, value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    seed: Option<u64>,
    /// Number of runs of each variant, each with different random numbers
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    replicas: Option<u32>,
}

#[derive(Debug, Default, Args)]
struct RunArgs {
    #[command(flatten)]
    scenario: ScenarioArgs,
    /// Directory for the results [default: results/NAME plus what --set and --seed change, as in
    /// results/time-wait,tcp.tw_reuse=true]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Number of threads. They run several runs at once; with fewer runs than threads, a network is divided
    /// among threads where that helps. Results do not depend on it [default: one per processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Divide each network into this many parts even if that does not help, to test that results stay the
    /// same
    #[arg(long, value_name = "N", hide = true, value_parser = clap::value_parser!(u16).range(1..))]
    partitions: Option<u16>,
    /// Repeat completed runs, and replace other synfin results in the directory; files that are not
    /// synfin's are never touched
    #[arg(long)]
    force: bool,
    /// Run only where a condition on the swept values holds, as in 'tcp.congestion == "cubic" && rate >
    /// "400 /s"'; replicas count from 0. Other completed runs stay in the index and report
    #[arg(long, value_name = "CONDITION")]
    filter: Option<String>,
    /// What to keep of each run of a batch: `all` (tables, figures and a page), `metrics` (many runs in
    /// one file; `synfin report DIR/runs/ID` repeats one of them with everything), or `auto`: metrics if
    /// there are more than 100 runs
    #[arg(long, value_enum, value_name = "WHAT", default_value_t)]
    keep: KeepArg,
    /// Run only one shard of a batch, while other processes run the others: 3/8 is the third of eight;
    /// `auto` and `auto/8` take the number from Slurm, HyperQueue, Kubernetes, PBS, SGE or GNU parallel.
    /// `synfin collect` then writes the index and the report of all runs
    #[arg(long, value_name = "I/N")]
    shard: Option<String>,
    /// Start no more runs once one has failed
    #[arg(long)]
    fail_fast: bool,
    /// Stop a run that takes longer than this in real time, as in "10 min"; it counts as failed
    #[arg(long, value_name = "TIME")]
    run_time: Option<String>,
    /// Do not start a run whose estimated memory exceeds this, as in "2 GB"; it counts as failed
    #[arg(long, value_name = "SIZE")]
    run_memory: Option<String>,
    /// Keep the progress of the runs in this file, as JSON, for other programs
    #[arg(long, value_name = "FILE")]
    progress: Option<PathBuf>,
    /// Write the verdicts on the expectations as JUnit XML, for build servers
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Start even if the runs are estimated to need more memory than is available
    #[arg(long)]
    allow_large: bool,
    /// Print a line for each run, how it was divided among threads and why, and the hash of its results
    #[arg(short, long)]
    verbose: bool,
    /// Print only errors
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,
}

/// What is kept of each run of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum KeepArg {
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
struct PlanArgs {
    #[command(flatten)]
    scenario: ScenarioArgs,
    /// Directory of the results [default: as for `synfin run`]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Only the runs for which a condition on the swept values holds, as for `synfin run`
    #[arg(long, value_name = "CONDITION")]
    filter: Option<String>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// A form of the index of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ExportFormat {
    /// A row for each run and metric: long.csv
    Csv,
    /// The same: long.parquet
    Parquet,
    /// SQL that creates the tables runs, metrics and columns: sqlite3 batch.db < batch.sql
    Sqlite,
    /// OMNeT++ scalars: batch.sca
    Omnetpp,
}

/// A scheduler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Scheduler {
    /// Slurm, by sbatch
    Slurm,
    /// HyperQueue, by hq
    Hq,
    /// Kubernetes: the manifest is printed, for kubectl apply -f -
    K8s,
}

#[derive(Debug, Args)]
struct SubmitArgs {
    /// The scheduler
    #[arg(value_enum)]
    target: Scheduler,
    #[command(flatten)]
    scenario: ScenarioArgs,
    /// Number of tasks that the batch is divided into
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    shards: u16,
    /// Directory for the results, shared by all machines [default: as for `synfin run`]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Processors of each task
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    cpus: u16,
    /// Memory of each task, as the scheduler writes it
    #[arg(long, value_name = "SIZE")]
    memory: Option<String>,
    /// Time limit of each task, as the scheduler writes it; runs that are missing then can be submitted
    /// again
    #[arg(long, value_name = "TIME")]
    time: Option<String>,
    /// Slurm partition
    #[arg(long, value_name = "NAME")]
    partition: Option<String>,
    /// Another option of the scheduler, as in --option=--account=net; repeatable
    #[arg(long = "option", value_name = "OPTION")]
    options: Vec<String>,
    /// Only the shards with missing runs
    #[arg(long)]
    only_missing: bool,
    /// Print what would be submitted
    #[arg(long)]
    print: bool,
    /// The program on the machines of the cluster [default: this one]
    #[arg(long, value_name = "PATH")]
    program: Option<String>,
    /// Container image with synfin, for Kubernetes
    #[arg(long, value_name = "IMAGE")]
    image: Option<String>,
    /// Claim of the volume that all pods share, for Kubernetes
    #[arg(long, value_name = "CLAIM")]
    volume: Option<String>,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("goal").required(true))]
struct FindArgs {
    #[command(flatten)]
    scenario: ScenarioArgs,
    /// Path of the value to vary, as in workload.web.arrivals.rate
    #[arg(long, value_name = "PATH")]
    vary: String,
    /// Smallest value to try, as in "100 /s"
    #[arg(long, value_name = "VALUE")]
    from: String,
    /// Largest value to try
    #[arg(long, value_name = "VALUE")]
    to: String,
    /// Find the largest value that passes: expectations hold up to it and fail above
    #[arg(long, group = "goal")]
    largest: bool,
    /// Find the smallest value that passes: expectations hold from it on and fail below
    #[arg(long, group = "goal")]
    smallest: bool,
    /// The expectation, as in 'connects_failed_share_steady < 0.001' [default: the scenario's [[expect]]]
    #[arg(long, value_name = "METRIC < BOUND")]
    expect: Option<String>,
    /// Stop when the closest passing and failing values differ by no more than this share of the larger
    #[arg(long, value_name = "SHARE", default_value_t = 0.005)]
    resolution: f64,
    /// Search on a logarithmic scale
    #[arg(long)]
    log: bool,
    /// Maximum number of replicas for a value that is hard to decide
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    max_replicas: u32,
    /// Directory for the results [default: results/NAME,PATH=found]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Number of runs at a time [default: one per processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Replace other synfin results in the directory
    #[arg(long)]
    force: bool,
    /// Print JSON, with all values that were tried
    #[arg(long)]
    json: bool,
}

impl FindArgs {
    /// The command line that repeats this search.
    fn command(&self) -> String {
        let mut words = vec![
            "synfin".to_owned(),
            "find".to_owned(),
            self.scenario.scenario.clone(),
        ];
        words.extend(
            self.scenario
                .set
                .iter()
                .flat_map(|s| ["--set".to_owned(), s.clone()]),
        );
        for (flag, value) in [
            ("--vary", &self.vary),
            ("--from", &self.from),
            ("--to", &self.to),
        ] {
            words.extend([flag.to_owned(), value.clone()]);
        }
        let goal = if self.largest {
            "--largest"
        } else {
            "--smallest"
        };
        words.push(goal.to_owned());
        words.extend(
            self.expect
                .iter()
                .flat_map(|e| ["--expect".to_owned(), e.clone()]),
        );
        shell_words(words.iter().map(String::as_str))
    }
}

#[derive(Debug, Args)]
struct RerunArgs {
    /// Directory of the run
    run: PathBuf,
    /// Record every segment
    #[arg(long)]
    with_segments: bool,
    /// Change a value, as for `synfin run`
    #[arg(long = "set", value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// Directory for the results [default: RUN-again beside the run, or in results/ for a run of a batch]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Replace other synfin results in the directory
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Args)]
struct CheckArgs {
    #[command(flatten)]
    scenario: ScenarioArgs,
}

/// Runs the command given on the command line and returns its exit code.
pub fn main() -> ExitCode {
    main_with(Registry::new())
}

/// As [`main`], with the caller's own congestion controls, TCPs and models, which are chosen by name.
pub fn main_with(registry: Registry) -> ExitCode {
    let done = match (registry.install(), Cli::try_parse()) {
        (Err(taken), _) => Err(CommandError::Usage(format!("error: {taken}"))),
        (Ok(()), Ok(cli)) => obey(cli.command),
        (Ok(()), Err(usage)) => explain(&usage),
    };
    match done.and_then(|()| flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // The command may have printed everything already.
            let (message, code) = failure.parts();
            if !message.is_empty() {
                note(message);
            }
            ExitCode::from(code)
        }
    }
}

fn obey(command: CliCommand) -> Result<(), CommandError> {
    match command {
        CliCommand::Run(args) => run::run(&args),
        CliCommand::Check(args) => check::check(&args.scenario),
        CliCommand::Plan(args) => plan::plan(&args),
        CliCommand::Status { dir, json } => status::status(&dir, json),
        CliCommand::Export { dir, format, out } => export::export(&dir, format, out.as_deref()),
        CliCommand::Submit(args) => submit::submit(&args),
        CliCommand::Collect { dir } => collect::collect(&dir),
        CliCommand::Find(args) => find::find(&args),
        CliCommand::Rerun(args) => rerun::rerun(&args),
        CliCommand::List => list::list(),
        CliCommand::Show { name, command } => list::show(&name, command),
        CliCommand::Report { dir, verbose } => report::report(&dir, verbose),
        CliCommand::Diff { first, second } => diff::diff(&first, &second),
        CliCommand::Nstat { dir, host } => nstat::nstat(&dir, host.as_deref()),
        CliCommand::Ss { dir, at, host } => ss::ss(&dir, &at, host.as_deref()),
        CliCommand::Explain {
            name,
            connection,
            lang,
        } => match connection {
            Some(which) => explain::connection(Path::new(&name), &which, lang == Language::Zh),
            None => explain::explain(&name),
        },
        CliCommand::Schema => explain::schema(),
        CliCommand::Packetdrill(args) => packetdrill::packetdrill(&args),
        CliCommand::Fuzz(args) => fuzz::fuzz(&args),
        CliCommand::Bench(args) => bench::bench(&args),
        CliCommand::Completions { shell } => manual::completions(shell),
        CliCommand::Man => manual::man(),
        CliCommand::Licenses => manual::licenses(),
    }
}

/// Prints the requested help, or reports what is wrong with the command line.
fn explain(usage: &clap::Error) -> Result<(), CommandError> {
    if usage.use_stderr() {
        Err(CommandError::Usage(usage.render().to_string()))
    } else {
        outcome(usage.print())
    }
}

/// Largest scenario file accepted, bytes.
const MOST_SCENARIO: u64 = 64 << 20;

impl ScenarioArgs {
    /// The text of the scenario, from the library or a file.
    fn source(&self) -> Result<Source, CommandError> {
        let name = &self.scenario;
        if let Some(entry) = library::find(name) {
            return Ok(entry.source());
        }
        let text = read_text_file(Path::new(name), MOST_SCENARIO);
        let directory = Path::new(name).parent().unwrap_or(Path::new(""));
        let name = name.clone();
        match text {
            Ok(text) => {
                let text = list_file::named_from_here(text, directory);
                let whole = extends::resolve(&text, &name, directory);
                match whole.map_err(|e| CommandError::Usage(format!("error: {e}")))? {
                    None => Ok(Source { name, text }),
                    Some(text) => Ok(Source {
                        name: format!("{name} and the files it extends"),
                        text,
                    }),
                }
            }
            Err(error) => Err(CommandError::Usage(unreadable(&name, &error))),
        }
    }

    /// The file the scenario is read from; `None` for a ready-made one.
    fn file(&self) -> Option<&Path> {
        let is_ready_made = library::find(&self.scenario).is_some();
        (!is_ready_made).then_some(Path::new(&self.scenario))
    }

    /// The changes made by the command line.
    fn changes(&self) -> Result<Vec<Override>, CommandError> {
        let mut texts = self.set.clone();
        texts.extend(self.seed.map(|seed| format!("seed={seed}")));
        texts.extend(self.replicas.map(|n| format!("replicas={n}")));
        texts
            .iter()
            .map(|text| Override::parse(text))
            .collect::<Result<_, _>>()
            .map_err(|e| CommandError::Usage(format!("error: {e}")))
    }

    /// An equivalent command line, without options that do not affect results.
    fn command(&self) -> String {
        let mut words = vec!["synfin".to_owned(), "run".to_owned(), self.scenario.clone()];
        let sets = self.set.iter();
        let telling = sets.filter(|s| Override::parse(s).is_ok_and(|o| !o.is_engine()));
        words.extend(telling.flat_map(|set| ["--set".to_owned(), set.clone()]));
        words.extend(
            self.seed
                .iter()
                .flat_map(|s| ["--seed".to_owned(), s.to_string()]),
        );
        let replicas = self.replicas.iter();
        words.extend(replicas.flat_map(|n| ["--replicas".to_owned(), n.to_string()]));
        shell_words(words.iter().map(String::as_str))
    }
}

/// The message for a name that is neither a ready-made scenario nor a readable file.
fn unreadable(name: &str, error: &std::io::Error) -> String {
    let beside = format!("{name}.toml");
    if error.kind() == std::io::ErrorKind::NotFound && Path::new(&beside).is_file() {
        return format!(
            "error: there is no ready-made scenario {name:?}, but a file {beside}\n  = help: did you mean `synfin run {}`?",
            shell_words([beside.as_str()])
        );
    }
    let looks_like_file = name.ends_with(".toml") || name.contains('/');
    if looks_like_file || error.kind() != std::io::ErrorKind::NotFound {
        return format!(
            "error: cannot read {name}: {error}\n  = help: give a TOML file, or a name from `synfin list`"
        );
    }
    let names = library::ALL.iter().map(|e| e.name);
    format!(
        "error: {}\n  = help: `synfin list` describes the ready-made scenarios; give a file by its path",
        suggest::unknown("scenario", name, names)
    )
}
