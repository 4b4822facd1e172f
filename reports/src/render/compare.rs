//! A page that shows several results side by side.

use std::path::{Component, Path, PathBuf};

use rayon::prelude::*;

use crate::batch::translated::in_language;
use crate::batch::{BatchInfo, BatchRow, batch_findings_in, chosen_metrics};
use crate::bilingual::Language;
use crate::figures::{Drawn, run_figures, sweep};
use crate::findings::findings_in;
use crate::html::compare::{self, ComparedResults, ResultContents};
use crate::store::{ResultKind, RunSummary, StoreError, look_at_results, runs_and_id, write_whole};

/// Most results on one page: a page with more would be neither legible nor small.
pub const MOST_COMPARED: usize = 8;

/// Writes a page that compares results, each with its name on the page: all of them runs, or all of
/// them batches. Runs of batches are named by the parameters in which they differ. The page, its figures and
/// findings are in `language`. Returns the findings at the top of the page.
///
/// # Errors
/// When a directory holds no complete results, when runs and batches are mixed, or the page cannot be
/// written.
pub fn write_comparison(
    dirs: &[(String, PathBuf)],
    page: &Path,
    language: Language,
) -> Result<Vec<String>, StoreError> {
    let read = dirs.par_iter().map(|(name, dir)| {
        Ok(ComparedResults {
            name: name.clone(),
            path: relative(page.parent().unwrap_or(Path::new(".")), dir),
            contents: contents(dir, language)?,
        })
    });
    let mut all: Vec<ComparedResults> = read.collect::<Result<_, StoreError>>()?;
    if dirs.iter().all(|(_, dir)| is_run_of_batch(dir)) {
        compare::name_by_difference(&mut all);
    }
    let (html, first) = compare::report(&all, language);
    write_whole(page, &html)?;
    Ok(first)
}

/// Whether a directory is named by the hash of its run, which says nothing to a reader.
fn is_run_of_batch(dir: &Path) -> bool {
    runs_and_id(dir).is_some()
}

fn contents(dir: &Path, language: Language) -> Result<ResultContents, StoreError> {
    let marker = look_at_results(dir)?;
    marker.verify(dir)?;
    if marker.kind == ResultKind::Run {
        let mut summary = RunSummary::read(dir)?;
        if language == Language::Chinese {
            // The summary has the English findings.
            summary.findings = findings_in(&summary.info, &summary.metrics, language);
        }
        let drawn = run_figures(dir, &summary, language);
        return Ok(ResultContents::Run(Box::new((summary, drawn))));
    }
    let (info, rows): (BatchInfo, Vec<BatchRow>) = super::read_batch(dir)?;
    let (info, rows) = in_language(&info, &rows, language);
    let (info, rows) = (info.into_owned(), rows.into_owned());
    let findings = batch_findings_in(&info, &rows, language);
    let drawn: Drawn = sweep::figures(&info, &rows, &chosen_metrics(&info, &rows), language);
    Ok(ResultContents::Batch(Box::new((
        info, rows, findings, drawn,
    ))))
}

/// The path of a directory relative to another, with "/" between names and at its end.
fn relative(from: &Path, to: &Path) -> String {
    let whole = |path: &Path| {
        let path = if path.as_os_str().is_empty() {
            Path::new(".")
        } else {
            path
        };
        path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
    };
    let (from, to) = (whole(from), whole(to));
    let (from, to): (Vec<Component<'_>>, Vec<Component<'_>>) =
        (from.components().collect(), to.components().collect());
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let mut out = "../".repeat(from.len() - common);
    for part in &to[common..] {
        out.push_str(&part.as_os_str().to_string_lossy());
        out.push('/');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_seen_from_the_page() {
        let tmp = tempfile::tempdir().unwrap();
        let (a, b) = (tmp.path().join("x/a"), tmp.path().join("y z"));
        std::fs::create_dir_all(&a).unwrap();
        std::fs::create_dir_all(&b).unwrap();
        assert_eq!(relative(&a, &b), "../../y z/");
        assert_eq!(relative(tmp.path(), &a), "x/a/");
        assert_eq!(relative(&a, &a), "");
    }
}
