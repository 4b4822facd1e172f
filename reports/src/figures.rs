//! Figures: each is an SVG and a CSV with its numbers, drawn from a run or batch directory alone.

mod bulk;
pub(crate) mod chart;
mod connects;
mod conversation;
mod data;
mod drawing;
mod ladder;
mod ladder_choice;
mod ladder_labels;
mod ladder_rows;
mod ladder_steps;
mod pools;
mod population;
mod queues;
mod samples;
mod senders;
mod sequence;
mod shares;
mod slowdown;
pub(crate) mod story;
mod style;
pub(crate) use style::{BLUE, Rgb, VERMILION, state_colour};
mod svg;
pub(crate) mod sweep;
mod time_bins;
mod time_waits;
mod timeline;
mod tracked;

use std::path::Path;

use rayon::prelude::*;

use crate::bilingual::{Language, say};
use crate::guard::guarded;
use crate::store::{RunSummary, StoreError};
use data::RunData;
pub use drawing::Drawing;
pub use samples::{SampleSeries, histogram, time_series};
pub(crate) use svg::escape;

/// A figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// Name of its files, without extension.
    pub name: String,
    /// Heading.
    pub title: String,
    /// What it shows, in a sentence or two.
    pub caption: String,
    /// The picture.
    pub svg: Drawing,
    /// Its numbers.
    pub csv: String,
}

impl Figure {
    /// Writes `NAME.svg` and `NAME.csv` into a directory, replacing files with these names.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write_to(&self, dir: &Path) -> std::io::Result<()> {
        let name = file_name(&self.name);
        std::fs::write(dir.join(format!("{name}.svg")), self.svg.as_bytes())?;
        std::fs::write(dir.join(format!("{name}.csv")), &self.csv)
    }
}

/// The name of a figure's files: the given name, reduced to characters that every file system allows.
pub fn file_name(name: &str) -> String {
    let safe = |c: char| match c {
        c if c.is_ascii_alphanumeric() || "-_.".contains(c) => c,
        _ => '_',
    };
    name.chars().map(safe).collect()
}

/// The end of a caption: how many curves were left out; empty if none.
fn not_drawn(left_out: usize, one: &str, many: &str, chinese: &str, language: Language) -> String {
    match left_out {
        0 => String::new(),
        n => {
            let left_out = language.counted(n as f64, one, many, chinese);
            say!(language, " Not drawn: {left_out}.", " 未画出：{left_out}。")
        }
    }
}

/// The outcome of drawing the figures of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Drawn {
    /// The figures that could be drawn.
    pub(crate) figures: Vec<Figure>,
    /// Figures that could not be drawn, with the reason: "bulk: links.parquet cannot be used: …".
    pub(crate) failed: Vec<String>,
}

impl Drawn {
    /// Appends other figures and failures.
    pub(crate) fn extend(&mut self, other: Drawn) {
        self.figures.extend(other.figures);
        self.failed.extend(other.failed);
    }

    /// The result of `make`; if it fails or panics, a default, and the report names the failure.
    pub(crate) fn part<T: Default>(
        &mut self,
        what: &str,
        dir: &Path,
        make: impl FnOnce() -> Result<T, StoreError>,
    ) -> T {
        guarded(dir, make).unwrap_or_else(|error| {
            self.failed.push(format!("{what}: {error}"));
            T::default()
        })
    }
}

/// Draws a figure of a run, if the run has the data for it.
type DrawFigure = fn(&RunData<'_>) -> Result<Option<Figure>, StoreError>;

/// Draws a figure, or one for each of several connections.
#[derive(Clone, Copy)]
enum Draw {
    One(DrawFigure),
    Several(fn(&RunData<'_>) -> Result<Vec<Figure>, StoreError>),
}

impl Draw {
    fn figures(self, data: &RunData<'_>) -> Result<Vec<Figure>, StoreError> {
        match self {
            Draw::One(draw) => Ok(draw(data)?.into_iter().collect()),
            Draw::Several(draw) => draw(data),
        }
    }
}

/// Figures for runs with many connections.
const POPULATION: &[(&str, DrawFigure)] = &[
    ("connect outcomes", connects::connect_outcomes),
    ("ports tried per connect", connects::port_probes),
    ("TIME-WAIT", population::time_wait),
    ("sockets by state", population::sockets_by_state),
    ("ports in use", population::ports_in_use),
    ("local ports over time", time_waits::ports),
    ("time spent in TIME-WAIT", time_waits::ages),
    ("connection pools", pools::occupancy),
    ("waits for a connection", pools::waits),
    ("entries of middleboxes", tracked::entries),
];

/// Figures that show single connections.
const SINGLE: &[(&str, DrawFigure)] = &[
    ("goodput", bulk::goodput),
    ("shares of the goodput", shares::shares),
    ("fairness", shares::fairness),
    ("slowdown by size", slowdown::by_size),
    ("congestion windows", bulk::cwnd),
    ("round-trip times", bulk::rtt),
    ("queueing delay", queues::waits),
    ("queue length", queues::backlogs),
    ("waits in queues", queues::wait_distribution),
    ("states of the first connections", timeline::states_timeline),
];

/// Figures drawn separately for each of the first connections.
const SEVERAL: [(&str, Draw); 2] = [
    ("time-sequence plots", Draw::Several(sequence::sequences)),
    ("ladders", Draw::Several(|data| Ok(ladder::ladders(data)))),
];

/// All figures that the tables in a run directory allow, drawn side by side. An unreadable table or a failing figure affects no
/// other figure.
pub(crate) fn run_figures(dir: &Path, summary: &RunSummary, language: Language) -> Drawn {
    let mut drawn = Drawn::default();
    let data = RunData::read(dir, summary, language, &mut drawn);
    let population = POPULATION.iter().filter(|_| !data.is_small());
    let single = population
        .chain(SINGLE)
        .map(|(what, draw)| (*what, Draw::One(*draw)));
    let all: Vec<(&str, Draw)> = single.chain(SEVERAL).collect();
    let figures = all.par_iter().map(|(what, draw)| {
        let mut own = Drawn::default();
        own.figures = own.part(what, dir, || draw.figures(&data));
        own
    });
    figures
        .collect::<Vec<Drawn>>()
        .into_iter()
        .for_each(|own| drawn.extend(own));
    drawn
}

/// The number of connections that [`explain_connection`] searches.
const MOST_SEARCHED: usize = 64;

/// Describes a connection of a run in plain text: what each segment does and why it was sent then.
/// `which` is its name in tables of the report, "0.3", or its place among the first, from 0. `None`
/// if no segments of such a connection are recorded.
///
/// # Errors
/// When the tables of segments or states cannot be read.
pub fn explain_connection(
    dir: &Path,
    which: &str,
    chinese: bool,
) -> Result<Option<String>, StoreError> {
    let all = conversation::conversations(dir, MOST_SEARCHED)?;
    let named = all.iter().find(|c| c.conn.to_string() == which);
    let placed = || all.get(which.parse::<usize>().ok()?);
    let found = named.or_else(placed).filter(|c| !c.segments.is_empty());
    Ok(found.map(|c| story::text(c, chinese)))
}

/// Draws only the ladders of a run, and summarises its first connection.
pub(crate) fn run_ladders(
    dir: &Path,
    summary: &RunSummary,
    language: Language,
) -> (Drawn, story::StorySummary) {
    let mut drawn = Drawn::default();
    let data = RunData::read(dir, summary, language, &mut drawn);
    let ladders = drawn.part("ladders", dir, || Ok(ladder::ladders(&data)));
    let first = data.conversations.iter().find(|c| !c.segments.is_empty());
    let story = drawn.part("summary", dir, || {
        Ok(first.map(story::summary).unwrap_or_default())
    });
    drawn.figures.extend(ladders);
    (drawn, story)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::table::{ColumnKind, TableWriter};

    #[test]
    fn an_unreadable_table_affects_only_its_own_figures() {
        let tmp = tempfile::tempdir().unwrap();
        for table in ["outcomes", "census"] {
            std::fs::write(tmp.path().join(format!("{table}.parquet")), "no table").unwrap();
        }
        let drawn = run_figures(tmp.path(), &RunSummary::default(), Language::English);
        assert_eq!(drawn.figures, []);
        let begin: Vec<&str> = drawn
            .failed
            .iter()
            .filter_map(|f| f.split(':').next())
            .collect();
        assert_eq!(
            begin,
            [
                "table of outcomes",
                "TIME-WAIT",
                "sockets by state",
                "ports in use"
            ]
        );
        assert!(
            drawn.failed[0].contains("outcomes.parquet"),
            "{:?}",
            drawn.failed
        );
    }

    /// A table that claims more rows than may be read at once.
    fn write_too_large(dir: &Path, name: &str) {
        let columns: Vec<String> = (0..1000).map(|i| format!("c{i}")).collect();
        let columns: Vec<(&str, ColumnKind)> = columns
            .iter()
            .map(|c| (c.as_str(), ColumnKind::Bool))
            .collect();
        let mut table = TableWriter::create(dir, name, &columns).unwrap();
        for _ in 0..34_000 {
            let row = columns.iter().fold(table.row(), |row, _| row.bool(true));
            row.end().unwrap();
        }
        table.close().unwrap();
    }

    #[test]
    fn a_table_too_large_to_read_affects_only_its_own_figures() {
        let tmp = tempfile::tempdir().unwrap();
        write_too_large(tmp.path(), "outcomes");
        let drawn = run_figures(tmp.path(), &RunSummary::default(), Language::English);
        assert_eq!(drawn.failed.len(), 1, "{:?}", drawn.failed);
        assert!(
            drawn.failed[0].starts_with("table of outcomes: ")
                && drawn.failed[0].contains("34000 rows, too many for memory"),
            "{:?}",
            drawn.failed
        );
    }

    #[test]
    fn a_panic_affects_only_its_own_figure() {
        let mut drawn = Drawn::default();
        let none: Option<Figure> = drawn.part("goodput", Path::new("run"), || panic!("no rows"));
        assert_eq!(none, None);
        let ten = drawn.part("rtt", Path::new("run"), || Ok(10));
        assert_eq!(ten, 10);
        assert_eq!(drawn.failed.len(), 1);
        assert!(
            drawn.failed[0].starts_with("goodput: run cannot be used")
                && drawn.failed[0].contains("no rows"),
            "{:?}",
            drawn.failed
        );
    }
}
