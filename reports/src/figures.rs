//! Figures: each an SVG with its numbers as CSV, made from a run or batch directory alone.

mod bulk;
pub(crate) mod chart;
mod connects;
mod conversation;
mod csv;
mod data;
mod ladder;
mod ladder_choice;
mod ladder_labels;
mod ladder_rows;
mod population;
mod samples;
mod senders;
mod style;
mod svg;
pub(crate) mod sweep;
mod timeline;

use std::path::Path;

use crate::store::{RunSummary, StoreError};
pub(crate) use csv::Csv;
use data::RunData;
pub use samples::{Series, histogram, time_series};
pub(crate) use svg::escape;

/// A figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// Name of its files, without extension.
    pub name: String,
    /// Heading.
    pub title: String,
    /// What is to be seen, in a sentence or two.
    pub caption: String,
    /// The picture.
    pub svg: String,
    /// Its numbers.
    pub csv: String,
}

impl Figure {
    /// Writes `NAME.svg` and `NAME.csv` into a directory, in place of files with these names.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write_to(&self, dir: &Path) -> std::io::Result<()> {
        let name = file_name(&self.name);
        std::fs::write(dir.join(format!("{name}.svg")), &self.svg)?;
        std::fs::write(dir.join(format!("{name}.csv")), &self.csv)
    }
}

/// The name of a figure's files for a name that was asked for: with only the characters that every
/// file system takes.
pub fn file_name(name: &str) -> String {
    let safe = |c: char| match c {
        c if c.is_ascii_alphanumeric() || "-_.".contains(c) => c,
        _ => '_',
    };
    name.chars().map(safe).collect()
}

/// All figures that the tables in a run directory allow.
///
/// # Errors
/// When a table cannot be read, or a figure not be drawn.
pub fn run_figures(dir: &Path, summary: &RunSummary) -> Result<Vec<Figure>, StoreError> {
    let data = RunData::read(dir, summary)?;
    let population = if data.is_small() {
        Default::default()
    } else {
        [
            connects::connect_outcomes(&data)?,
            population::time_wait(&data)?,
            population::sockets_by_state(&data)?,
            population::ports_in_use(&data)?,
        ]
    };
    let single = [
        bulk::goodput(&data)?,
        bulk::cwnd(&data)?,
        bulk::rtt(&data)?,
        timeline::states_timeline(&data)?,
    ];
    let mut figures: Vec<Figure> = population.into_iter().chain(single).flatten().collect();
    figures.extend(ladder::ladders(&data));
    Ok(figures)
}
