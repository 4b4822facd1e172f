//! `synfin list` and `synfin show`.

use std::path::Path;

use reports::store::read_text_file;

use super::unfold::unfold;
use crate::console::{CommandError, print};
use crate::library;
use crate::output_dir::shell_words;
use crate::read;
use crate::suggest;

/// Prints each ready-made scenario with its question.
pub(super) fn list() -> Result<(), CommandError> {
    let width = library::ALL.iter().map(|e| e.name.len()).max().unwrap_or(0);
    for entry in library::ALL {
        let question = read::file(entry.text)
            .map(|f| f.question)
            .unwrap_or_default();
        print(&format!("{:width$}  {question}", entry.name))?;
    }
    Ok(())
}

/// Prints the text of a scenario, or the command that reproduces its results.
pub(super) fn show(name: &str, command: bool) -> Result<(), CommandError> {
    let dir = unfold(Path::new(name))?;
    let results = ["batch.toml", "run.toml"].map(|file| dir.join(file));
    let results = results.into_iter().find(|file| file.is_file());
    match (library::find(name), results) {
        (Some(entry), _) if command => print(&shell_words(["synfin", "run", entry.name])),
        (Some(entry), _) => print(entry.text),
        (None, Some(file)) if command => {
            let (file, dir) = (file.display().to_string(), dir.display().to_string());
            print(&shell_words(["synfin", "run", &file, "--out", &dir]))
        }
        (None, Some(file)) => {
            let text = read_text_file(&file, u64::MAX);
            let text = text.map_err(|e| {
                CommandError::Run(format!("error: cannot read {}: {e}", file.display()))
            })?;
            print(&text)
        }
        (None, None) => {
            let names = library::ALL.iter().map(|e| e.name);
            Err(CommandError::Usage(format!(
                "error: {}",
                suggest::unknown("scenario", name, names)
            )))
        }
    }
}
