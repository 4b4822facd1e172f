//! `synfin list` and `synfin show`.

use crate::console::{Failure, print};
use crate::library;
use crate::read;
use crate::suggest;

/// Each scenario with its question.
pub(super) fn list() -> Result<(), Failure> {
    let width = library::ALL.iter().map(|e| e.name.len()).max().unwrap_or(0);
    for entry in library::ALL {
        let question = read::file(entry.text)
            .map(|f| f.question)
            .unwrap_or_default();
        print(&format!("{:width$}  {question}", entry.name))?;
    }
    Ok(())
}

/// The text of a scenario.
pub(super) fn show(name: &str) -> Result<(), Failure> {
    match library::find(name) {
        Some(entry) => print(entry.text),
        None => {
            let names = library::ALL.iter().map(|e| e.name);
            Err(Failure::Usage(format!(
                "error: {}",
                suggest::unknown("scenario", name, names)
            )))
        }
    }
}
