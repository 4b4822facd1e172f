//! The command line: `synfin run | check | list | show | report | packetdrill | bench | …`.
//!
//! Data goes to stdout, progress and messages to stderr. Exit codes: 0 for success, 1 if a run or output
//! failed, 2 for wrong usage or a wrong scenario, 3 if an expectation failed, 130 and 143 if stopped by
//! Ctrl-C and by SIGTERM.

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;

use self::args::{Cli, CliCommand, LanguageArg};
use crate::bench;
use crate::console::{CommandError, flush, note, outcome};
use crate::fuzz;
use crate::packetdrill;
use crate::registry::Registry;

mod args;
mod check;
mod collect;
mod compare;
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
mod plot;
mod read_pcap;
mod report;
mod rerun;
mod run;
mod scenario_args;
mod single_run;
mod ss;
mod status;
mod submit;
mod unfold;
mod wanted;

/// Runs the command given on the command line and returns its exit code.
pub fn main() -> ExitCode {
    main_with(Registry::new())
}

/// As [`main`], but scenarios can also use the congestion controls, TCPs and models of `registry` by name.
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
        CliCommand::Report { dir, verbose, lang } => report::report(&dir, verbose, lang.into()),
        CliCommand::Compare(args) => compare::compare(&args),
        CliCommand::ReadPcap {
            file,
            out,
            connections,
            lang,
        } => read_pcap::read_pcap(&file, out.as_deref(), connections, lang),
        CliCommand::Plot(args) => plot::plot(&args),
        CliCommand::Diff { first, second } => diff::diff(&first, &second),
        CliCommand::Nstat { dir, host } => nstat::nstat(&dir, host.as_deref()),
        CliCommand::Ss {
            dir,
            at,
            host,
            queues,
        } => ss::ss(&dir, &at, host.as_deref(), queues),
        CliCommand::Replay { dir, until, host } => ss::ss(&dir, &until, host.as_deref(), true),
        CliCommand::Explain {
            name,
            connection,
            lang,
        } => match connection {
            Some(which) => explain::connection(Path::new(&name), &which, lang == LanguageArg::Zh),
            None => explain::explain(&name),
        },
        CliCommand::Schema { of } => explain::schema(of.as_deref()),
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
