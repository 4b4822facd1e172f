//! `synfin packetdrill`: runs conformance scripts against the TCP of the simulator.
//!
//! Files run in parallel, independently of each other and in virtual time. The output is in the order of the
//! files and is the same for any number of threads. `docs/packetdrill.md` describes the supported language.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use rayon::prelude::*;
use reports::store::read_file;
use tcp_model::packetdrill::{ParseError, Report, RunOptions, System, parse, run, speaks_of_bsd};
use tcp_model::{Connection, TcpParams};

use crate::console::{CommandError, note, print};
use crate::overrides::Override;
use crate::problem::{SourceText, ValueOrigin, render};
use crate::read;
use crate::scenario::tcp::TcpSets;
use crate::unreadable::Unreadable;

mod files;
mod show;

/// Which scripts to run, and how.
#[derive(Debug, Args)]
pub(crate) struct PacketdrillArgs {
    /// Scripts, or directories to search for *.pkt
    #[arg(required = true, value_name = "FILE")]
    paths: Vec<PathBuf>,
    /// Parameters to start from: linux, freebsd or rfc9293 [default: freebsd for scripts that
    /// set its system parameters, linux for the others]
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// Change a TCP parameter, as in --set tcp_fin_timeout="30 s"; repeatable
    #[arg(long = "set", value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// Define a name that scripts use; repeatable
    #[arg(short = 'D', long = "define", value_name = "NAME=VALUE")]
    define: Vec<String>,
    /// Require exact times and timestamps
    #[arg(long)]
    exact: bool,
    /// Count scripts that are unsupported or skipped as failures: exit code 1
    #[arg(long)]
    strict: bool,
    /// Print one JSON object per script and line, for programs
    #[arg(long)]
    json: bool,
    /// Show every script: the passing ones, ladders, skipped parts, and what scripts print
    #[arg(short, long)]
    verbose: bool,
    /// Scripts run at the same time [default: one per processor]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
}

/// The outcome of a file.
enum FileOutcome {
    /// It cannot be read, or contains no events.
    Unreadable(String),
    /// It does not parse.
    Misread(ParseError),
    /// It was run.
    Run(Report),
}

/// A script and its outcome.
struct ScriptFile {
    path: PathBuf,
    text: String,
    outcome: FileOutcome,
}

/// TCP parameters for each kind of script.
struct StartParameters {
    linux: RunOptions,
    preamble: TcpParams,
    freebsd: RunOptions,
}

/// Runs scripts and prints the outcome of each.
pub(crate) fn packetdrill(args: &PacketdrillArgs) -> Result<(), CommandError> {
    let start = StartParameters::new(args)?;
    let paths = files::find(&args.paths)?;
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(args.threads.map_or(0, usize::from))
        .build()
        .map_err(|e| CommandError::Run(format!("error: cannot start threads: {e}")))?;
    let scripts: Vec<ScriptFile> = pool.install(|| {
        let all = paths.into_par_iter();
        all.map(|path| start.script(path)).collect()
    });
    let mut count = show::ScriptCounts::default();
    for script in &scripts {
        count.add(&script.outcome);
        if args.json {
            print(&show::json(script))?;
        } else if let Some(text) = show::text(script, args.verbose, args.strict) {
            print(&text)?;
        }
    }
    let summary = count.to_string();
    if args.json {
        note(&summary);
    } else {
        print(&summary)?;
    }
    match &count {
        show::ScriptCounts { errors: 1.., .. } => Err(CommandError::Usage(String::new())),
        show::ScriptCounts { failed: 1.., .. } => Err(CommandError::Run(String::new())),
        _ if args.strict && count.lacking() => Err(CommandError::Run(String::new())),
        _ => Ok(()),
    }
}

impl StartParameters {
    fn new(args: &PacketdrillArgs) -> Result<StartParameters, CommandError> {
        let of = |name: &str| params(args.profile.as_deref().unwrap_or(name), &args.set);
        let mut defines = BTreeMap::new();
        for text in &args.define {
            let (name, value) = text.split_once('=').unwrap_or((text, "1"));
            defines.insert(name.to_owned(), value.to_owned());
        }
        let options = |params, system| RunOptions {
            params,
            system: match args.profile.as_deref() {
                Some("freebsd") => System::FreeBsd,
                Some(_) => System::Linux,
                None => system,
            },
            exact: args.exact,
            defines: defines.clone(),
            ..RunOptions::default()
        };
        let linux = of("linux")?;
        let mut preamble = linux.clone();
        if args.profile.is_none() && !args.set.iter().any(|s| s.contains("receive_buffer")) {
            let usual = TcpParams::of_scripts();
            preamble.receive_buffer = usual.receive_buffer;
            preamble.receive_buffer_start = usual.receive_buffer_start;
        }
        if args.profile.is_none() && !args.set.iter().any(|s| s.contains("fast_open")) {
            preamble.fast_open = TcpParams::of_scripts().fast_open;
        }
        Ok(StartParameters {
            linux: options(linux, System::Linux),
            preamble,
            freebsd: options(of("freebsd")?, System::FreeBsd),
        })
    }

    fn script(&self, path: PathBuf) -> ScriptFile {
        let (text, outcome) = match read_text(&path) {
            Err(e) => (
                String::new(),
                FileOutcome::Unreadable(format!("cannot be read: {e}")),
            ),
            Ok(text) => {
                let outcome = self.run(&text, &path);
                (text, outcome)
            }
        };
        ScriptFile {
            path,
            text,
            outcome,
        }
    }

    fn run(&self, text: &str, path: &Path) -> FileOutcome {
        let script = match parse(text) {
            Ok(script) => script,
            Err(error) => return FileOutcome::Misread(error),
        };
        if script.events.is_empty() {
            let message = "has no events, so there is nothing to test";
            return FileOutcome::Unreadable(message.to_owned());
        }
        let options = if speaks_of_bsd(&script) {
            &self.freebsd
        } else {
            &self.linux
        };
        let options = RunOptions {
            preamble: self.preamble.clone(),
            preamble_text: preamble_text(&script, path),
            ..options.clone()
        };
        FileOutcome::Run(run(
            &script,
            &mut |ctx| Box::new(Connection::new(ctx)),
            &options,
        ))
    }
}

/// The text of the `defaults.sh` that the script names, if it is in the script's directory.
fn preamble_text(script: &tcp_model::packetdrill::Script, path: &Path) -> Option<String> {
    let mut words = script.init.iter().flat_map(|c| c.text.split_whitespace());
    let name = words.find(|w| w.rsplit('/').next() == Some("defaults.sh"))?;
    read_text(&path.parent()?.join(name)).ok()
}

fn read_text(path: &Path) -> std::io::Result<String> {
    let bytes = read_file(path, MOST_SCRIPT)?;
    // A comment in another encoding does not make the script invalid.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Largest script accepted, bytes.
const MOST_SCRIPT: u64 = 16 << 20;

/// A minimal scenario, of which only `[tcp]` is used.
const BARE: &str = "name = \"scripts\"\nquestion = \"?\"\nduration = \"1 s\"\n\
                    topology = { kind = \"pair\", path = { rate = \"1 Mbit/s\", delay = \"1 ms\" } }\n";

/// The parameters of a profile, with the changes of the command line.
fn params(profile: &str, set: &[String]) -> Result<TcpParams, CommandError> {
    let usage = |e: Unreadable| CommandError::Usage(format!("error: {e}"));
    let mut changes = vec![Override::parse(&format!("tcp.profile={profile}")).map_err(usage)?];
    for text in set {
        let whole = if text.starts_with("tcp.") {
            text.clone()
        } else {
            format!("tcp.{text}")
        };
        changes.push(Override::parse(&whole).map_err(usage)?);
    }
    let source = SourceText {
        name: "--set".into(),
        text: BARE.into(),
    };
    let set: Vec<ValueOrigin> = changes.iter().map(Override::origin).collect();
    let problem = |p| CommandError::Usage(render(&p, &source, &set));
    let file = read::file_with(BARE, &changes).map_err(problem)?;
    let sets = TcpSets::new(&file.tcp.unwrap_or_default(), &[]).map_err(problem)?;
    Ok(TcpParams::clone(&sets.base.params))
}
