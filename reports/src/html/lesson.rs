//! The variants of a batch whose runs have one or two connections, side by side: a "what if"
//! question, each case answered by a ladder.

use std::path::Path;

use super::chinese::WHAT_IF;
use super::page::HtmlPage;
use crate::batch::{BatchInfo, BatchRow};
use crate::bilingual::{Bilingual, Language};
use crate::figures::story::StorySummary;
use crate::figures::{Figure, run_ladders};
use crate::format::count;
use crate::info::Translation;
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
    story: StorySummary,
    /// Bytes of one connection that another one took for its own.
    mistaken_bytes: f64,
}

/// The variants; empty for batches of another kind.
#[derive(Debug, Default)]
pub(crate) struct Lesson {
    variants: Vec<LessonVariant>,
}

impl Lesson {
    /// Reads the runs. A run that cannot be read is left out; its own report says why.
    pub(crate) fn read(
        runs: &Path,
        info: &BatchInfo,
        rows: &[BatchRow],
        language: Language,
    ) -> Lesson {
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
            let (drawn, story) = run_ladders(&dir, &summary, language);
            let ladders = drawn.figures;
            let link = run_link(runs, &row.id)?;
            let mistaken = summary.metrics.get("old_duplicate_bytes").copied();
            (!ladders.is_empty()).then(|| LessonVariant {
                story,
                mistaken_bytes: mistaken.unwrap_or(0.0),
                name: row.values.first().cloned().unwrap_or_default(),
                run: row.id.clone(),
                link,
                ladders,
            })
        });
        let mut variants: Vec<LessonVariant> = variants.collect();
        // Whether data are mistaken is worth a word only where it happens in some variant.
        if variants.iter().any(|v| v.mistaken_bytes > 0.0) {
            let first = variants[0].story.time_wait.clone();
            for variant in &mut variants {
                let waits_otherwise = variant.story.time_wait != first;
                let said = mistaken(variant.mistaken_bytes, waits_otherwise);
                variant.story.sentences.push(said);
            }
        }
        Lesson { variants }
    }

    /// What the lesson shows: all about the first variant, beginning with what the others change, and
    /// then what is different in each of them.
    pub(crate) fn findings(&self, zh: Option<&Translation>) -> Vec<Bilingual> {
        let Some((first, others)) = self.variants.split_first() else {
            return Vec::new();
        };
        let story = &first.story;
        let is_shared =
            |s: &&Bilingual| others.iter().all(|other| other.story.sentences.contains(s));
        let (shared, changed): (Vec<&Bilingual>, Vec<&Bilingual>) =
            story.sentences.iter().partition(is_shared);
        let wait = story.time_wait.iter().chain(&story.why_time_wait);
        let mut all: Vec<Bilingual> = changed
            .into_iter()
            .chain(wait)
            .chain(shared)
            .cloned()
            .collect();
        for variant in others {
            let other = &variant.story;
            let new = |s: &&Bilingual| !story.sentences.contains(s);
            let wait = other
                .time_wait
                .iter()
                .filter(|_| other.time_wait != story.time_wait);
            let mut said = other.sentences.iter().filter(new).chain(wait).peekable();
            if said.peek().is_none() {
                continue;
            }
            let name = variant.name.as_str();
            let chinese = chinese_name(name, zh).unwrap_or(name);
            let begin = Bilingual::new(format!("What if: {name}?"), format!("假如：{chinese}？"));
            all.push(said.cloned().fold(begin, Bilingual::and));
        }
        all
    }

    pub(crate) fn write(&self, page: &mut HtmlPage, zh: Option<&Translation>) {
        if self.variants.is_empty() {
            return;
        }
        page.heading("What if");
        page.paragraph(WHAT_IF);
        for variant in &self.variants {
            let dir = format!("{}/", variant.link);
            let id = format!("run-{}", variant.run);
            let name = variant.name.as_str();
            let names = (name, chinese_name(name, zh));
            page.choice(&id, names, &format!("{dir}report.html"), |page| {
                for ladder in &variant.ladders {
                    page.figure_of(&dir, ladder);
                }
            });
        }
    }
}

/// Whether data of a connection ended up in another one, which only the simulator knows.
///
/// `waits_otherwise`: its TIME-WAIT is another one than that of the first variant.
fn mistaken(bytes: f64, waits_otherwise: bool) -> Bilingual {
    if bytes <= 0.0 && waits_otherwise {
        return Bilingual::new(
            "Even so, no byte of a connection is taken for data of the next one.",
            "即便如此，也没有任何字节被当作下一条连接的数据。",
        );
    }
    if bytes <= 0.0 {
        return Bilingual::new(
            "No byte of a connection is taken for data of the next one.",
            "没有任何字节被当作下一条连接的数据。",
        );
    }
    let bytes = count(bytes);
    Bilingual::new(
        format!(
            "{bytes} bytes of a connection are taken for data of the next one between the same addresses and ports: \
             what its application reads is corrupted. Neither end can tell; the simulator can, since it marks every byte."
        ),
        format!(
            "{bytes} 字节被相同地址和端口之间的下一条连接当作自己的数据：它的应用读到的内容已损坏。两端都无法察觉；模拟器可以，\
             因为它给每个字节都做了标记。"
        ),
    )
}

/// The Chinese name of a variant.
fn chinese_name<'a>(name: &str, zh: Option<&'a Translation>) -> Option<&'a str> {
    zh?.variants.get(name).map(String::as_str)
}
