//! The command line: `synfin run | check | list | show | report | packetdrill | bench`.
//!
//! Data goes to stdout, progress and messages to stderr. Exit codes: 0 fine, 1 a run failed,
//! 2 wrong usage or scenario.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::bench;
use crate::library;
use crate::overrides::Override;
use crate::packetdrill;
use crate::problem::Source;
use crate::suggest;

mod check;
mod list;
mod report;
mod run;

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
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a scenario with all values of its sweep; runs that are there already are kept
    Run(RunArgs),
    /// Check a scenario and print it complete, with every default, and its runs
    Check(CheckArgs),
    /// List the ready-made scenarios and the questions they answer
    List,
    /// Print a ready-made scenario, to start your own from
    Show {
        /// Name of the scenario
        name: String,
    },
    /// Make the figures and the report of a result directory anew
    Report {
        /// Directory of a run or of a batch
        dir: PathBuf,
        /// Say more
        #[arg(short, long)]
        verbose: bool,
    },
    /// Run packetdrill scripts against the TCP of the simulator, in virtual time
    Packetdrill(packetdrill::PacketdrillArgs),
    /// Measure the simulator itself: speed and memory on standard workloads
    Bench(bench::BenchArgs),
}

#[derive(Debug, Args)]
struct ScenarioArgs {
    /// Name of a ready-made scenario, or a TOML file
    scenario: String,
    /// Change a value, as in --set tcp.time_wait="30 s"; repeatable
    #[arg(long = "set", value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// Seed of all randomness
    #[arg(long, value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    seed: Option<u64>,
    /// Runs of each variant with different randomness
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    replicas: Option<u32>,
}

#[derive(Debug, Args)]
struct RunArgs {
    #[command(flatten)]
    scenario: ScenarioArgs,
    /// Where the results go [default: results/NAME]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Threads: for runs side by side, and where there are fewer runs, for parts of one network,
    /// if that helps; results are the same [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Divide each network into so many parts whether it helps or not, to test that results are
    /// the same
    #[arg(long, value_name = "N", hide = true, value_parser = clap::value_parser!(u16).range(1..))]
    partitions: Option<u16>,
    /// Make runs again that are there already
    #[arg(long)]
    force: bool,
    /// Say more: how each run was divided among threads and why, and the hash of its results
    #[arg(short, long)]
    verbose: bool,
}

#[derive(Debug, Args)]
struct CheckArgs {
    #[command(flatten)]
    scenario: ScenarioArgs,
}

/// Why a command ends without success.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A run or a result; exit code 1.
    Run(String),
    /// Usage or scenario; exit code 2.
    Usage(String),
}

/// Reads the command line, does what it says, and gives the exit code.
pub fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Run(args) => run::run(&args),
        Command::Check(args) => check::check(&args.scenario),
        Command::List => list::list(),
        Command::Show { name } => list::show(&name),
        Command::Report { dir, verbose } => report::report(&dir, verbose),
        Command::Packetdrill(args) => packetdrill::packetdrill(&args),
        Command::Bench(args) => bench::bench(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Run(message)) => failed(&message, 1),
        Err(Failure::Usage(message)) => failed(&message, 2),
    }
}

/// Says what there is to say; a command may have said it all.
fn failed(message: &str, code: u8) -> ExitCode {
    if !message.is_empty() {
        eprintln!("{}", message.trim_end());
    }
    ExitCode::from(code)
}

/// Prints to stdout; a reader that has gone away is no error.
pub(crate) fn print(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{}", text.trim_end());
}

impl ScenarioArgs {
    /// The scenario's text: of the library, or of a file.
    fn source(&self) -> Result<Source, Failure> {
        let name = &self.scenario;
        if let Some(entry) = library::find(name) {
            return Ok(entry.source());
        }
        match std::fs::read_to_string(name) {
            Ok(text) => Ok(Source {
                name: name.clone(),
                text,
            }),
            Err(error) => {
                let looks_like_file = name.ends_with(".toml") || name.contains('/');
                Err(Failure::Usage(
                    if looks_like_file || error.kind() != std::io::ErrorKind::NotFound {
                        format!(
                            "error: cannot read {name}: {error}\n  = help: give a TOML file, or a name of `synfin list`"
                        )
                    } else {
                        let names = library::ALL.iter().map(|e| e.name);
                        format!(
                            "error: {}\n  = help: `synfin list` tells what they are about; a file is given by its path",
                            suggest::unknown("scenario", name, names)
                        )
                    },
                ))
            }
        }
    }

    /// What the command line changes.
    fn changes(&self) -> Result<Vec<Override>, Failure> {
        let mut texts = self.set.clone();
        texts.extend(self.seed.map(|seed| format!("seed={seed}")));
        texts.extend(self.replicas.map(|n| format!("replicas={n}")));
        texts
            .iter()
            .map(|text| Override::parse(text))
            .collect::<Result<_, _>>()
            .map_err(|e| Failure::Usage(format!("error: {e}")))
    }

    /// The command line that says the same, without what changes no result.
    fn command(&self) -> String {
        let mut words = vec![format!("synfin run {}", self.scenario)];
        let sets = self.set.iter();
        let telling = sets.filter(|s| Override::parse(s).is_ok_and(|o| !o.is_engine()));
        words.extend(telling.map(|s| format!("--set '{s}'")));
        words.extend(self.seed.map(|s| format!("--seed {s}")));
        words.extend(self.replicas.map(|n| format!("--replicas {n}")));
        words.join(" ")
    }
}
