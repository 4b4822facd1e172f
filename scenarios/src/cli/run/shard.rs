//! `synfin run --shard`: a part of a batch, while other processes run the rest.

use super::batch_output::BatchOutput;
use crate::batch::{self, BatchOptions, RunControl, RunOutcome, Shard, ShardChoice, ShardError};
use crate::cli::args::RunArgs;
use crate::console::{CommandError, note};
use crate::output_dir::shell_words;
use crate::sweep::Plan;

/// The shard given on the command line.
pub(super) fn asked_for(args: &RunArgs) -> Result<Option<Shard>, CommandError> {
    let choice = args.shard.as_deref().map(str::parse::<ShardChoice>);
    let shard = choice.map(|choice| choice?.resolve(|name| std::env::var(name).ok()));
    let usage = |e: ShardError| CommandError::Usage(format!("error: --shard: {e}"));
    shard.transpose().map_err(usage)
}

/// Whether to execute each run: the filter must choose it, and it must belong to the shard.
pub(super) fn chosen(
    plan: &Plan,
    only: Option<Vec<bool>>,
    shard: Option<Shard>,
) -> Option<Vec<bool>> {
    let Some(shard) = shard else { return only };
    let mut own = shard.chooses(&plan.runs);
    if let Some(only) = only {
        own.iter_mut()
            .zip(only)
            .for_each(|(own, only)| *own &= only);
    }
    Some(own)
}

/// Runs a shard; `synfin collect` writes the index and the report.
pub(super) fn of_shard(
    plan: &Plan,
    options: &BatchOptions,
    args: &RunArgs,
    control: RunControl<'_>,
    shard: Shard,
) -> Result<(), CommandError> {
    let outcomes = batch::make_shard(plan, options, control, shard);
    let outcomes = outcomes.map_err(|e| CommandError::Run(format!("error: {e}")))?;
    let shown = BatchOutput {
        plan,
        outcomes: &outcomes,
        args,
        first: Vec::new(),
    };
    shown.note_trouble();
    let count = |is: fn(&RunOutcome) -> bool| shown.count(is);
    let made = count(|o| matches!(o, RunOutcome::Made { .. }));
    let failed = count(|o| matches!(o, RunOutcome::Failed(_)) && !o.is_stopped());
    let stopped = count(RunOutcome::is_stopped);
    let collect = shell_words(["synfin", "collect", &options.dir.display().to_string()]);
    if !args.quiet {
        note(&format!(
            "shard {shard}: {made} runs completed, {failed} failed; when all shards have ended, `{collect}` writes the index and the report"
        ));
    }
    match (stopped, failed) {
        (0, 0) => Ok(()),
        (0, failed) => Err(CommandError::Run(format!(
            "error: {failed} runs of shard {shard} failed"
        ))),
        _ => Err(CommandError::Stopped {
            message: format!(
                "stopped: {stopped} runs of shard {shard} are missing; the same command runs them"
            ),
            code: control.interrupt.exit_code(),
        }),
    }
}
