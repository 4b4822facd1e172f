//! `synfin compare`: a page for several runs or batches.

use std::fs;
use std::path::{Path, PathBuf};

use reports::render::{MOST_COMPARED, write_comparison};
use reports::store::{ResultKind, look_at_results, resolve};

use super::args::{CompareArgs, LanguageArg};
use super::unfold::unfold;
use crate::console::{CommandError, print};

/// The tag in the head of every page that synfin writes. Files without it are not overwritten.
const OWN_PAGE: &str = "<meta name=\"generator\" content=\"synfin\">";

/// Writes the page and prints its first sentences.
pub(super) fn compare(args: &CompareArgs) -> Result<(), CommandError> {
    let usage = |text: String| CommandError::Usage(format!("error: {text}"));
    if args.dirs.len() > MOST_COMPARED {
        return Err(usage(format!(
            "{} directories do not fit side by side\n  = help: compare at most {MOST_COMPARED}",
            args.dirs.len()
        )));
    }
    let mut dirs = Vec::new();
    for dir in &args.dirs {
        let dir = resolve(dir).map_err(|e| usage(e.to_string()))?;
        let dir = unfold(&dir)?;
        let marker = look_at_results(&dir).map_err(|_| {
            usage(format!(
                "{} holds no synfin results\n  = help: name directories that `synfin run` printed, as results/NAME",
                dir.display()
            ))
        })?;
        dirs.push((dir, marker.kind == ResultKind::Run));
    }
    if let [(first, is_run), others @ ..] = dirs.as_slice()
        && let Some((other, _)) = others.iter().find(|(_, run)| run != is_run)
    {
        let (run, batch) = if *is_run {
            (first, other)
        } else {
            (other, first)
        };
        return Err(usage(format!(
            "{} is a run, and {} a batch\n  = help: compare runs with runs: {}",
            run.display(),
            batch.display(),
            batch.join("runs").join("ID").display()
        )));
    }
    let page = args.out.clone().unwrap_or_else(|| "comparison.html".into());
    refuse_foreign(&page)?;
    let dirs: Vec<PathBuf> = dirs.into_iter().map(|d| d.0).collect();
    let named: Vec<(String, PathBuf)> = names(&dirs).into_iter().zip(dirs).collect();
    let said = write_comparison(&named, &page, args.lang.into())
        .map_err(|e| CommandError::Run(format!("error: {e}")))?;
    said.iter().try_for_each(|line| print(line))?;
    let word = match args.lang {
        LanguageArg::En => "page: ",
        LanguageArg::Zh => "页面：",
    };
    print(&format!("{word}{}", page.display()))
}

/// Refuses to replace a file that synfin has not written.
fn refuse_foreign(page: &Path) -> Result<(), CommandError> {
    if !page.exists() {
        return Ok(());
    }
    let text = fs::read(page).unwrap_or_default();
    let head = &text[..text.len().min(4_000)];
    if String::from_utf8_lossy(head).contains(OWN_PAGE) {
        return Ok(());
    }
    Err(CommandError::Usage(format!(
        "error: {} exists and was not written by synfin, so it is left alone\n  = help: choose another name with --out",
        page.display()
    )))
}

/// Short names of the directories: their last components, as many as are needed to tell them apart.
fn names(dirs: &[PathBuf]) -> Vec<String> {
    let last = |dir: &PathBuf, parts: usize| {
        let all: Vec<String> = dir
            .components()
            .map(|c| c.as_os_str().to_string_lossy().into_owned())
            .collect();
        all[all.len().saturating_sub(parts)..].join("/")
    };
    let longest = dirs.iter().map(|d| d.components().count()).max();
    let of = |parts: usize| dirs.iter().map(|d| last(d, parts)).collect::<Vec<_>>();
    let differ = |names: &Vec<String>| {
        let mut sorted = names.clone();
        sorted.sort();
        sorted.windows(2).all(|w| w[0] != w[1])
    };
    let found = (1..=longest.unwrap_or(1)).map(of).find(differ);
    found.unwrap_or_else(|| {
        let all = dirs.iter().enumerate();
        all.map(|(i, d)| format!("{} ({})", last(d, 1), i + 1))
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_long_as_tells_them_apart() {
        let of = |dirs: &[&str]| names(&dirs.iter().map(PathBuf::from).collect::<Vec<_>>());
        assert_eq!(of(&["results/a", "results/b"]), ["a", "b"]);
        assert_eq!(of(&["x/runs/1", "y/runs/1"]), ["x/runs/1", "y/runs/1"]);
        assert_eq!(of(&["a", "a"]), ["a (1)", "a (2)"]);
    }
}
