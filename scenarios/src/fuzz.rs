//! `synfin fuzz`: checks the rules of TCP in random worlds, for the built-in TCP and every registered TCP.

use std::sync::Arc;

use clap::Args;
use rayon::prelude::*;
use tcp_model::host::ModelFactory;
use tcp_model::own_model::{ModelChoice, OwnModel, model_names};
use tcp_model::testing::worlds::{WorldFailure as Found, check_one};

use crate::console::{CommandError, print};

/// Which worlds to try.
#[derive(Debug, Args)]
pub(crate) struct FuzzArgs {
    /// Number of worlds to try
    #[arg(long, value_name = "N", default_value_t = 1000)]
    worlds: u64,
    /// Seed of the worlds
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Number of the first world; with --worlds 1, only that world
    #[arg(long, value_name = "N", default_value_t = 0)]
    first: u64,
    /// Worlds tried at the same time [default: one per processor]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
}

/// Tries the worlds and reports the first that fails, shrunk to a minimum.
pub(crate) fn fuzz(args: &FuzzArgs) -> Result<(), CommandError> {
    let end = args.first.saturating_add(args.worlds);
    let threads = args.threads.map_or(0, usize::from);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    let pool = pool
        .build()
        .map_err(|e| CommandError::Run(format!("error: cannot start threads: {e}")))?;
    model_names()
        .into_iter()
        .filter_map(ModelChoice::named)
        .try_for_each(|tcp| pool.install(|| try_one(args, end, tcp.own())))
}

/// Tries the worlds with a user's own TCP, or with the built-in one.
fn try_one(args: &FuzzArgs, end: u64, own: Option<&'static OwnModel>) -> Result<(), CommandError> {
    let factory = own.map(|own| Arc::new(own.make) as ModelFactory);
    let with = own.map_or(String::new(), |own| format!(" with the TCP `{}`", own.name));
    let failed = (args.first..end).into_par_iter().find_map_first(|number| {
        let failure = check_one(args.seed, number, factory.as_ref()).err()?;
        Some((number, failure))
    });
    match failed {
        None => print(&format!(
            "{} worlds of seed {}{with}: all rules hold",
            end - args.first,
            args.seed
        )),
        Some((number, failure)) => Err(CommandError::Run(describe(
            args.seed, number, &with, &failure,
        ))),
    }
}

fn describe(seed: u64, number: u64, with: &str, failure: &Found) -> String {
    format!(
        "error: world {number} of seed {seed}{with} breaks a rule: {failure}\
         try it alone: synfin fuzz --seed {seed} --first {number} --worlds 1"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use tcp_model::Connection;

    static SOUND: OwnModel = OwnModel {
        name: "sound",
        doc: "the built-in one under another name",
        version: 1,
        make: |open| Box::new(Connection::new(open)),
    };
    static BROKEN: OwnModel = OwnModel {
        name: "broken",
        doc: "cannot open a connection",
        version: 1,
        make: |_| panic!("cannot open"),
    };

    #[test]
    fn a_tcp_of_a_users_own_runs_in_the_worlds_and_is_named_when_it_fails() {
        let args = FuzzArgs {
            worlds: 3,
            seed: 1,
            first: 0,
            threads: Some(1),
        };
        assert!(try_one(&args, 3, Some(&SOUND)).is_ok());
        let failure = try_one(&args, 3, Some(&BROKEN)).expect_err("it panics");
        let (message, _) = failure.parts();
        assert!(
            message.contains("with the TCP `broken` breaks a rule"),
            "{message}"
        );
        assert!(message.contains("cannot open"), "{message}");
    }
}
