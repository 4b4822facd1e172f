//! Figures and reports of runs and batches, from their directories alone.

use std::path::Path;

use rayon::prelude::*;

use crate::bilingual::Language;
use crate::expectations::Judgement;
use crate::figures::{Figure, run_figures};
use crate::findings::findings_in;
use crate::guard::guarded;
use crate::html::run_page::{self, PageTables};
use crate::store::{ResultDir, RunSummary, StoreError, is_drawn, write_whole};

mod batch;
mod compare;
mod plot;

pub use compare::{MOST_COMPARED, write_comparison};
pub use plot::{metrics_of, plot_batch};

pub use batch::{
    RenderedBatch, read_batch, render_batch, render_batch_in, write_batch, write_batch_of,
};

/// Redraws the figures and the report of a run directory and replaces the old ones; a figure that the user
/// has edited is kept as `NAME.kept-N`.
///
/// # Errors
/// When the directory is not a complete run, its files are damaged, or it cannot be written; nothing has
/// changed then.
pub fn render_run(dir: &Path) -> Result<RunSummary, StoreError> {
    render_run_in(&mut ResultDir::open(dir)?, Language::English).map(|rendered| rendered.summary)
}

/// A run whose figures and report have been drawn.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// Its summary, whose own findings are in English.
    pub summary: RunSummary,
    /// Its findings in the language of the page.
    pub findings: Vec<String>,
    /// The verdicts on its expectations in the same language.
    pub judgements: Vec<Judgement>,
    /// Tables that could not be read and figures that could not be drawn, each with the reason; the report
    /// names them too.
    pub missing: Vec<String>,
}

/// Like [`render_run`], for an open directory, which then knows which files it has kept. The page
/// opens in `language`.
///
/// # Errors
/// As [`render_run`].
pub fn render_run_in(place: &mut ResultDir, language: Language) -> Result<Rendered, StoreError> {
    let dir = &place.path().to_path_buf();
    place.marker().verify(dir)?;
    let summary = RunSummary::read(dir)?;
    let mut missing = Vec::new();
    place.change(
        |name| !is_drawn(name),
        true,
        |aside| {
            missing = guarded(dir, || render_files(dir, &summary, aside, language))?;
            Ok(())
        },
    )?;
    let findings = match language {
        Language::English => summary.findings.clone(),
        Language::Chinese => findings_in(&summary.info, &summary.metrics, language),
    };
    let judgements = summary.judge_in(&summary.info.expectations, language);
    Ok(Rendered {
        summary,
        findings,
        judgements,
        missing,
    })
}

/// Draws the run whose tables are in `dir` into `to`, which may be the same. Figures that cannot be drawn
/// are left out; the report names them with the reason, and they are returned.
pub(crate) fn render_files(
    dir: &Path,
    summary: &RunSummary,
    to: &Path,
    language: Language,
) -> Result<Vec<String>, StoreError> {
    let (mut drawn, (tables, failed)) = rayon::join(
        || run_figures(dir, summary, language),
        || PageTables::read(dir, language),
    );
    drawn.extend(failed);
    let page = || {
        let html = run_page::report(summary, &drawn, &tables, language);
        write_whole(&to.join("report.html"), &html)
    };
    let (figures, page) = rayon::join(|| write_figures(to, &drawn.figures), page);
    figures.and(page)?;
    Ok(drawn.failed)
}

/// Writes `figures/NAME.svg` and `figures/NAME.csv`.
pub(crate) fn write_figures(dir: &Path, figures: &[Figure]) -> Result<(), StoreError> {
    if figures.is_empty() {
        return Ok(());
    }
    let place = dir.join("figures");
    std::fs::create_dir_all(&place).map_err(StoreError::io("create the directory", &place))?;
    figures.par_iter().try_for_each(|figure| {
        write_whole(&place.join(format!("{}.svg", figure.name)), &figure.svg)?;
        write_whole(&place.join(format!("{}.csv", figure.name)), &figure.csv)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_report_lacks_is_returned_and_named_in_it() {
        let tmp = tempfile::tempdir().unwrap();
        std::fs::write(tmp.path().join("outcomes.parquet"), "no table").unwrap();
        let missing = render_files(
            tmp.path(),
            &RunSummary::default(),
            tmp.path(),
            Language::English,
        )
        .unwrap();
        assert!(missing[0].contains("outcomes.parquet"), "{missing:?}");
        let page = std::fs::read_to_string(tmp.path().join("report.html")).unwrap();
        assert!(page.contains("Missing here") && page.contains("outcomes.parquet"));
    }
}
