//! `synfin fuzz`: random worlds that must keep to the rules, whatever happens in them.

use clap::Args;
use rayon::prelude::*;
use tcp_model::testing::worlds::{Failure as Found, check_one};

use crate::console::{Failure, print};

/// Which worlds to try.
#[derive(Debug, Args)]
pub(crate) struct FuzzArgs {
    /// How many worlds to try
    #[arg(long, value_name = "N", default_value_t = 1000)]
    worlds: u64,
    /// Seed of the worlds
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Number of the first world; with --worlds 1, that world alone
    #[arg(long, value_name = "N", default_value_t = 0)]
    first: u64,
    /// Worlds tried at the same time [default: one for each processor]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
}

/// Tries the worlds and reports the first that fails, made as small as can be.
pub(crate) fn fuzz(args: &FuzzArgs) -> Result<(), Failure> {
    let end = args.first.saturating_add(args.worlds);
    let threads = args.threads.map_or(0, usize::from);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    let pool = pool
        .build()
        .map_err(|e| Failure::Run(format!("error: cannot start threads: {e}")))?;
    let worlds = (args.first..end).into_par_iter();
    let failed = pool.install(|| {
        worlds.find_map_first(|number| {
            let failure = check_one(args.seed, number, None).err()?;
            Some((number, failure))
        })
    });
    match failed {
        None => print(&format!(
            "{} worlds of seed {}: all rules hold",
            end - args.first,
            args.seed
        )),
        Some((number, failure)) => Err(Failure::Run(told(args.seed, number, &failure))),
    }
}

fn told(seed: u64, number: u64, failure: &Found) -> String {
    format!(
        "error: world {number} of seed {seed} breaks a rule: {failure}\
         try it alone: synfin fuzz --seed {seed} --first {number} --worlds 1"
    )
}
