//! Lists in separate files: `"@FILE"` in place of a list in a model of a link.
//!
//! FILE is relative to the directory of the scenario. Results contain the list itself, so that they can be
//! reproduced without the file.

use std::path::Path;

use toml::{Table, Value};

/// Largest file accepted, bytes: its list becomes part of each `run.toml`.
const LONGEST: u64 = 4 << 20;

/// Why a list file cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ListFileError {
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("it has {0} bytes, more than the {LONGEST} that a list may have")]
    TooLong(u64),
}

/// Reads the items of a file, which are separated by commas or line breaks.
///
/// # Errors
/// Why it cannot be read.
pub(crate) fn read(path: &str) -> Result<String, ListFileError> {
    let size = std::fs::metadata(path)?.len();
    if size > LONGEST {
        return Err(ListFileError::TooLong(size));
    }
    let text = std::fs::read_to_string(path)?;
    let items = text.split([',', '\n']).map(str::trim);
    let items: Vec<&str> = items.filter(|item| !item.is_empty()).collect();
    Ok(items.join(", "))
}

/// Makes the file names in the text of a scenario, which is in `directory`, relative to the working
/// directory.
pub(crate) fn named_from_here(mut text: String, directory: &Path) -> String {
    let tree: Table = text.parse().unwrap_or_default();
    let mut names = Vec::new();
    visit(&mut Value::Table(tree), &mut |value| {
        names.extend(name_in(value).map(str::to_owned));
    });
    names.sort();
    names.dedup();
    for name in names {
        let there = format!("@{}", directory.join(&name).display());
        let there = Value::String(there).to_string();
        for quote in ['"', '\''] {
            text = text.replace(&format!("{quote}@{name}{quote}"), &there);
        }
    }
    text
}

/// Replaces file names by the lists in the files, and returns true if there was one. Names of unreadable
/// files stay, and are rejected when the scenario is checked.
pub(crate) fn put_in_place(table: &mut Table) -> bool {
    let mut found = false;
    for (key, value) in table.iter_mut() {
        // A swept value keeps its file name as its label.
        if key != "topology" {
            continue;
        }
        visit(value, &mut |value| {
            if let Some(Ok(list)) = name_in(value).map(read) {
                *value = Value::String(list);
                found = true;
            }
        });
    }
    found
}

fn name_in(value: &Value) -> Option<&str> {
    value.as_str()?.strip_prefix('@')
}

/// Visits all values that are not containers.
fn visit(value: &mut Value, look: &mut impl FnMut(&mut Value)) {
    match value {
        Value::Table(table) => table.iter_mut().for_each(|(_, v)| visit(v, look)),
        Value::Array(items) => items.iter_mut().for_each(|v| visit(v, look)),
        other => look(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_from_where_the_program_runs() {
        let text = "[topology]\nrate_process = { deliveries = \"@up.trace\", other = '@/abs' }\n";
        let here = named_from_here(text.to_owned(), Path::new("some where"));
        assert_eq!(
            here,
            "[topology]\nrate_process = { deliveries = \"@some where/up.trace\", other = \"@/abs\" }\n"
        );
        assert_eq!(
            named_from_here(text.to_owned(), Path::new("")).len(),
            text.len()
        );
    }

    #[test]
    fn lists_take_the_place_of_their_files_and_unreadable_ones_stay() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("up.trace");
        std::fs::write(&file, "1\n2\n\n3\n").unwrap();
        let text = format!(
            "[topology]\na = \"@{}\"\nb = [\"@none\"]\n[sweep]\nc = \"@none\"\n",
            file.display()
        );
        let mut table: Table = text.parse().unwrap();
        assert!(put_in_place(&mut table));
        assert_eq!(table["topology"]["a"].as_str(), Some("1, 2, 3"));
        assert_eq!(table["topology"]["b"][0].as_str(), Some("@none"));
        assert!(!put_in_place(&mut table));
    }
}
