//! The variants of a batch whose runs have one or two connections, side by side: a "what if"
//! question, each case answered by a ladder.

use std::path::Path;

use super::page::HtmlPage;
use crate::batch::{BatchInfo, BatchRow};
use crate::figures::{Figure, run_ladders};
use crate::store::{RunSummary, run_link, run_place};

/// Most variants shown.
const MOST_VARIANTS: usize = 8;
/// Most connections of a run.
const MOST_CONNECTIONS: f64 = 2.0;

/// A variant with the ladders of its run.
#[derive(Debug)]
struct LessonVariant {
    name: String,
    run: String,
    /// Directory of the run, from the page of the batch.
    link: String,
    ladders: Vec<Figure>,
}

/// The variants; empty for batches of another kind.
#[derive(Debug, Default)]
pub(crate) struct Lesson {
    variants: Vec<LessonVariant>,
}

impl Lesson {
    /// Reads the runs. A run that cannot be read is left out; its own report says why.
    pub(crate) fn read(runs: &Path, info: &BatchInfo, rows: &[BatchRow]) -> Lesson {
        let is_small = |row: &BatchRow| {
            let attempted = row.metrics.get("connects_attempted");
            attempted.is_some_and(|n| (1.0..=MOST_CONNECTIONS).contains(&n))
        };
        let suits = matches!(info.axes.as_slice(), [only] if only.path == "variant")
            && rows.len() <= MOST_VARIANTS
            && rows.iter().all(|row| is_small(row) && row.replica == 0);
        if !suits {
            return Lesson::default();
        }
        let variants = rows.iter().filter_map(|row| {
            let dir = run_place(runs, &row.id);
            let summary = RunSummary::read(&dir).ok()?;
            let ladders = run_ladders(&dir, &summary).figures;
            (!ladders.is_empty()).then(|| LessonVariant {
                name: row.values.first().cloned().unwrap_or_default(),
                run: row.id.clone(),
                link: run_link(runs, &row.id),
                ladders,
            })
        });
        Lesson {
            variants: variants.collect(),
        }
    }

    pub(crate) fn write(&self, page: &mut HtmlPage) {
        if self.variants.is_empty() {
            return;
        }
        page.heading("What if");
        page.paragraph(
            "Each variant has been run. Step through its ladder, or read below it what each segment \
             does; the quiz asks what comes next before it shows it.",
        );
        for variant in &self.variants {
            let dir = format!("{}/", variant.link);
            let id = format!("run-{}", variant.run);
            page.choice(&id, &variant.name, &format!("{dir}report.html"), |page| {
                for ladder in &variant.ladders {
                    page.figure_of(&dir, ladder);
                }
            });
        }
    }
}
