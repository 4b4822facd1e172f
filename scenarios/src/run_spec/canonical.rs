//! The canonical text of a scenario.

use reports::text::{is_hidden, visible};

use crate::file::ScenarioFile;

/// Returns a scenario as TOML with sorted keys. Equal scenarios give equal text.
pub fn canonical(file: &ScenarioFile) -> String {
    // A TOML table sorts its keys. A scenario file consists of strings, numbers, lists and tables with
    // string keys, all of which TOML can represent.
    let Ok(mut table) = toml::Table::try_from(file) else {
        return String::new();
    };
    let mut has_hidden = false;
    for (_, value) in &mut table {
        has_hidden |= force_escapes(value);
    }
    let text = toml::to_string(&table).unwrap_or_default();
    if has_hidden {
        visible(&text).replace(FORCED, "")
    } else {
        text
    }
}

/// A marker that makes the TOML writer choose quotes in which `\u0085` is an escape, and the marker as it is
/// written.
const FORCING: &str = "\u{1}\u{2}\u{3}\u{1}";
const FORCED: &str = "\\u0001\\u0002\\u0003\\u0001";

/// Marks strings with invisible characters that TOML allows unescaped, such as U+0085. Returns true if there
/// is one.
fn force_escapes(value: &mut toml::Value) -> bool {
    match value {
        toml::Value::String(text) => {
            let found = text.chars().any(|c| !c.is_ascii() && is_hidden(c));
            if found {
                text.push_str(FORCING);
            }
            found
        }
        toml::Value::Array(list) => {
            let found = list.iter_mut().map(force_escapes);
            found.fold(false, |any, one| any | one)
        }
        toml::Value::Table(table) => {
            let found = table.iter_mut().map(|(_, value)| force_escapes(value));
            found.fold(false, |any, one| any | one)
        }
        _ => false,
    }
}
