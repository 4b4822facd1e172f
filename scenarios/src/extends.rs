//! Scenarios built from other files: `extends = "base.toml"` and `include = ["hosts.toml", "figures.toml"]`.
//!
//! Tables are merged key by key; any other value, even a list, replaces the one of the base file. Paths are
//! relative to the directory of the scenario that names them; `extends` can name a ready-made scenario. The
//! results contain the merged scenario (`batch.toml`), so that they can be reproduced without the files.

use std::path::{Path, PathBuf};

use reports::store::read_text_file;
use toml::{Table, Value};

use crate::library;
use crate::list_file;

/// Maximum depth of base files.
const DEEPEST: usize = 16;
/// Largest file that is read, bytes.
const LARGEST: u64 = 64 << 20;

/// Why a scenario cannot be assembled from its files.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ExtendsError {
    /// A file cannot be read.
    #[error("{by}: cannot read {file}: {why}")]
    Unreadable {
        /// The file that names it.
        by: String,
        /// The file.
        file: String,
        /// The reason.
        why: String,
    },
    /// A file is not valid TOML.
    #[error("{file}: {why}")]
    NoToml {
        /// The file.
        file: String,
        /// The reason.
        why: String,
    },
    /// A key has a value of another kind.
    #[error("{file}: {key} must be {what}")]
    Kind {
        /// The file.
        file: String,
        /// The key.
        key: &'static str,
        /// What it must be.
        what: &'static str,
    },
    /// The files form a cycle or are nested too deep.
    #[error("{0}: files extend each other more than {DEEPEST} deep; is there a cycle?")]
    TooDeep(String),
}

/// Returns the text of a scenario merged with its base files; `None` if it has none, or if it is not valid
/// TOML, which is reported elsewhere.
pub(crate) fn resolve(
    text: &str,
    name: &str,
    directory: &Path,
) -> Result<Option<String>, ExtendsError> {
    let Ok(own) = text.parse::<Table>() else {
        return Ok(None);
    };
    if !own.contains_key("extends") && !own.contains_key("include") {
        return Ok(None);
    }
    let whole = with_beneath(own, name, directory, 0)?;
    let text = toml::to_string(&whole);
    text.map(Some).map_err(|e| ExtendsError::NoToml {
        file: name.to_owned(),
        why: e.to_string(),
    })
}

/// Merges a table over the files that it names.
fn with_beneath(
    mut own: Table,
    name: &str,
    directory: &Path,
    depth: usize,
) -> Result<Table, ExtendsError> {
    if depth > DEEPEST {
        return Err(ExtendsError::TooDeep(name.to_owned()));
    }
    let wrong = |key, what| ExtendsError::Kind {
        file: name.to_owned(),
        key,
        what,
    };
    let mut beneath: Vec<String> = Vec::new();
    match own.remove("extends") {
        None => {}
        Some(Value::String(file)) => beneath.push(file),
        Some(_) => return Err(wrong("extends", "a file name, as in \"base.toml\"")),
    }
    let list = "a list of file names, as in [\"hosts.toml\"]";
    match own.remove("include") {
        None => {}
        Some(Value::Array(files)) => {
            for file in files {
                let file = file.as_str().ok_or_else(|| wrong("include", list))?;
                beneath.push(file.to_owned());
            }
        }
        Some(_) => return Err(wrong("include", list)),
    }
    let mut whole = Table::new();
    for file in beneath {
        merge(&mut whole, read(&file, name, directory, depth + 1)?);
    }
    merge(&mut whole, own);
    Ok(whole)
}

/// Reads a file that another file names, merged over its own base files.
fn read(file: &str, by: &str, directory: &Path, depth: usize) -> Result<Table, ExtendsError> {
    let path = directory.join(file);
    let (text, shown, beside) = match library::find(file) {
        Some(entry) if !path.exists() => (entry.source().text, file.to_owned(), PathBuf::new()),
        _ => {
            let text = read_text_file(&path, LARGEST).map_err(|e| ExtendsError::Unreadable {
                by: by.to_owned(),
                file: path.display().to_string(),
                why: e.to_string(),
            })?;
            let beside = path.parent().unwrap_or(Path::new("")).to_path_buf();
            (text, path.display().to_string(), beside)
        }
    };
    let text = list_file::named_from_here(text, &beside);
    let table = text
        .parse()
        .map_err(|e: toml::de::Error| ExtendsError::NoToml {
            file: shown.clone(),
            why: e.to_string(),
        })?;
    with_beneath(table, &shown, &beside, depth)
}

/// Merges the values of a table over those of another.
fn merge(beneath: &mut Table, over: Table) {
    for (key, value) in over {
        match (beneath.get_mut(&key), value) {
            (Some(Value::Table(there)), Value::Table(own)) => merge(there, own),
            (_, value) => {
                beneath.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(all: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in all {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        dir
    }

    #[test]
    fn tables_are_merged_and_other_values_replaced() {
        let dir = files(&[
            (
                "sub/base.toml",
                "a = 1\nlist = [1, 2]\nf = \"@x\"\n[t]\nx = 1\ny = 2\n",
            ),
            (
                "mid.toml",
                "extends = \"sub/base.toml\"\nb = 2\n[t]\ny = 3\n",
            ),
            ("more.toml", "b = 5\nc = 6\n"),
        ]);
        let text = "extends = \"mid.toml\"\ninclude = [\"more.toml\"]\nlist = [3]\n[t]\nz = 4\n";
        let whole = resolve(text, "own.toml", dir.path()).unwrap().unwrap();
        let table: Table = whole.parse().unwrap();
        let file = format!("@{}", dir.path().join("sub/x").display());
        let expected =
            format!("a = 1\nb = 5\nc = 6\nf = {file:?}\nlist = [3]\n[t]\nx = 1\ny = 3\nz = 4\n");
        assert_eq!(table, expected.parse::<Table>().unwrap());
        assert_eq!(resolve("a = 1", "x", dir.path()), Ok(None));
        assert_eq!(resolve("a = ", "x", dir.path()), Ok(None));
        let ready = resolve("extends = \"time-wait\"", "x", dir.path()).unwrap();
        assert!(ready.unwrap().contains("[topology"));
    }

    #[test]
    fn what_cannot_be_put_together_is_refused_with_the_file() {
        let dir = files(&[
            ("a.toml", "extends = \"b.toml\""),
            ("b.toml", "extends = \"a.toml\""),
            ("bad.toml", "x ="),
        ]);
        for (text, why) in [
            ("extends = 3", "own.toml: extends must be"),
            ("include = \"x\"", "own.toml: include must be a list"),
            ("include = [3]", "own.toml: include must be a list"),
            ("extends = \"none.toml\"", "none.toml: "),
            ("extends = \"bad.toml\"", "bad.toml: "),
            ("extends = \"a.toml\"", "cycle"),
        ] {
            let error = resolve(text, "own.toml", dir.path())
                .unwrap_err()
                .to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
