//! `synfin run --lang`: pages, figures and findings in a language. Results are the same in every language, so what has
//! been drawn is drawn again.

use std::path::Path;

use rayon::prelude::*;
use reports::store::{ResultDir, StoreError, run_place};
use reports::{Judgement, Language, Rendered, render_batch_in, render_run_in};

use crate::batch::RunOutcome;
use crate::cli::args::{LanguageArg, RunArgs};
use crate::cli::drawings::note_kept;
use crate::cli::report::failed;
use crate::console::CommandError;
use crate::run_spec::RunSpec;

/// The language in which pages are to be drawn again; `None` if they are as they should be. Runs that were executed now
/// are in English.
pub(super) fn to_redraw(args: &RunArgs, are_new: bool) -> Option<Language> {
    match args.lang {
        Some(LanguageArg::En) if are_new => None,
        lang => lang.map(Language::from),
    }
}

/// The words of a run or batch, in the language that the command line asks for.
pub(super) struct Words {
    pub(super) findings: Vec<String>,
    pub(super) judgements: Vec<Judgement>,
}

/// Draws a run again and returns its words.
pub(super) fn redraw_run(dir: &Path, language: Language) -> Result<Words, CommandError> {
    let rendered = run(dir, language).map_err(|e| failed(dir, &e))?;
    Ok(Words {
        findings: rendered.findings,
        judgements: rendered.judgements,
    })
}

fn run(dir: &Path, language: Language) -> Result<Rendered, StoreError> {
    let mut place = ResultDir::open(dir)?;
    let rendered = render_run_in(&mut place, language)?;
    note_kept(place.kept());
    Ok(rendered)
}

/// Draws a batch and those of its runs that have pages again. Returns the words of the batch, and of each run its first
/// finding.
pub(super) fn redraw_batch(
    dir: &Path,
    runs: &[(&RunSpec, &RunOutcome)],
    language: Language,
) -> Result<(Words, Vec<Option<String>>), CommandError> {
    let redraw = |(spec, outcome): &(&RunSpec, &RunOutcome)| {
        let place = run_place(&dir.join("runs"), &spec.id);
        if outcome.outline().is_none() || !place.is_dir() {
            return Ok(None);
        }
        let rendered = run(&place, language).map_err(|e| failed(&place, &e))?;
        Ok(rendered.findings.into_iter().next())
    };
    let first = runs.par_iter().map(redraw);
    let first: Vec<Option<String>> = first.collect::<Result<_, CommandError>>()?;
    let mut place = ResultDir::open(dir).map_err(|e| failed(dir, &e))?;
    let rendered = render_batch_in(&mut place, language).map_err(|e| failed(dir, &e))?;
    note_kept(place.kept());
    let words = Words {
        findings: rendered.findings,
        judgements: rendered.judgements,
    };
    Ok((words, first))
}
