//! An entry of the gallery, from the report of a scenario.

use std::fs;
use std::path::Path;
use std::process::Command;

use scenarios::library::LibraryEntry;
use scenarios::sweep::{Plan, label};
use sha2::{Digest, Sha256};

/// Pictures of a scenario: the first of its report.
pub(super) const MOST_FIGURES: usize = 2;
/// Lines of the answer.
const MOST_LINES: usize = 2;

/// A section of the page with its pictures.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) section: String,
    pub(super) pictures: Vec<String>,
}

fn digits(hash: Sha256) -> String {
    hash.finalize()[..8]
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect()
}

/// The hash of what an entry is made from: the text of the scenario, and the recorded hashes of its results.
pub(super) fn made_from(scenario: &LibraryEntry) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/golden/hashes.txt");
    let golden = fs::read_to_string(path).unwrap();
    let results = golden
        .lines()
        .filter(|line| line.split(' ').next() == Some(scenario.name));
    let mut hash = Sha256::new();
    hash.update(scenario.text);
    results.for_each(|line| hash.update(line));
    digits(hash)
}

/// The figures at the head of a report: title, and file from the directory of the report.
fn first_figures(report: &str) -> Vec<(String, String)> {
    let figure = |part: &str| {
        let (id, rest) = part.split_once('"')?;
        let title = rest.split("aria-label=\"").nth(1)?.split('"').next()?;
        // The figure of a run within the page of a batch: runs-ID-NAME.
        let file = match id
            .strip_prefix("runs-")
            .and_then(|rest| rest.split_once('-'))
        {
            Some((run, name)) => format!("runs/{run}/figures/{name}.svg"),
            None => format!("figures/{id}.svg"),
        };
        let title = title
            .replace("&quot;", "\"")
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&");
        Some((title, file))
    };
    report
        .split("<figure id=\"")
        .skip(1)
        .filter_map(figure)
        .take(MOST_FIGURES)
        .collect()
}

/// The answer in what `synfin run` prints: of a batch what comes after the lines of the single runs.
fn answer(printed: &str) -> Vec<&str> {
    let over_all = printed.split_once("\n\n").map_or(printed, |(_, rest)| rest);
    let is_answer =
        |line: &&str| !line.starts_with("report: ") && !line.contains(" runs are complete: ");
    over_all
        .lines()
        .filter(is_answer)
        .take(MOST_LINES)
        .collect()
}

impl Entry {
    pub(super) fn hash(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(&self.section);
        self.pictures.iter().for_each(|svg| hash.update(svg));
        digits(hash)
    }

    /// Runs a scenario as a user does, and takes the entry from its report.
    pub(super) fn make(scenario: &LibraryEntry) -> Entry {
        let name = scenario.name;
        let dir = tempfile::tempdir().unwrap();
        let program = std::env::var_os("SYNFIN_PROGRAM")
            .unwrap_or_else(|| env!("CARGO_BIN_EXE_synfin").into());
        let output = Command::new(program)
            .args(["run", name, "--out", "r"])
            .current_dir(dir.path())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{name}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let printed = String::from_utf8(output.stdout).unwrap();
        let results = dir.path().join("r");
        let report = fs::read_to_string(results.join("report.html")).unwrap();
        let figures = first_figures(&report);
        assert!(!figures.is_empty(), "{name} has no figure");
        let question = scenarios::read::file(scenario.text).unwrap().question;
        let mut section = format!(
            "\n## `{name}`\n\n{question}\n\n`synfin run {name}`, from [{name}.toml](../library/{name}.toml)\n"
        );
        // The page of a lesson answers segment by segment, which the lines of a batch do not.
        let is_lesson = figures[0].1.starts_with("runs/");
        let plan = Plan::new(&scenario.source(), &[]).unwrap_or_else(|e| panic!("{e}"));
        let variant = |number: usize| match plan.axes.first() {
            Some(axis) if is_lesson => format!("{}: ", label(&axis.values[number])),
            _ => String::new(),
        };
        for line in answer(&printed).iter().filter(|_| !is_lesson) {
            section.push_str(&format!("\n> {line}\n"));
        }
        let mut pictures = Vec::new();
        for (number, (title, file)) in figures.iter().enumerate() {
            let picture = super::picture(name, number + 1);
            section.push_str(&format!(
                "\n![{}{title}](gallery/{picture})\n",
                variant(number)
            ));
            pictures.push(fs::read_to_string(results.join(file)).unwrap());
        }
        Entry { section, pictures }
    }
}
