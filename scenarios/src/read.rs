//! Parses text to a [`ScenarioFile`], with error messages that give the key, its position and a remedy.

use std::ops::Range;

use tcp_model::params;
use toml::{Table, Value};

use crate::dotted_path::{DottedPath, PathStep};
use crate::file::{ScenarioFile, ranges};
use crate::locate;
use crate::overrides::Override;
use crate::problem::Problem;
use crate::suggest;

/// A scenario as written.
pub(crate) struct ScenarioText {
    /// The text as TOML.
    pub(crate) tree: Table,
    /// Its content.
    pub(crate) file: ScenarioFile,
}

/// Maximum number of hosts, routers, links, workloads or faults that a text may list one by one.
const MOST_LISTED: usize = 20_000;

/// Lists of tables that may grow long, and what to write instead.
const LISTS: [(&str, &str, &str); 5] = [
    ("topology", "host", HOSTS_ALIKE),
    ("topology", "router", HOSTS_ALIKE),
    (
        "topology",
        "link",
        "a link from a name with `count` is a link from each of its nodes",
    ),
    (
        "",
        "workload",
        "one workload may have all hosts of a `group` as its clients and servers",
    ),
    (
        "",
        "fault",
        "a fault takes down all nodes of a name or a `group`",
    ),
];
const HOSTS_ALIKE: &str = "write identical nodes once, as in { name = \"client\", count = 100000 }";

/// Reads a scenario as written.
///
/// # Errors
/// When the text is not TOML, or not a valid scenario.
pub fn file(text: &str) -> Result<ScenarioFile, Problem> {
    written(text).map(|written| written.file)
}

/// The same, with the TOML tree; the text is parsed once.
///
/// # Errors
/// As [`file`](fn@file).
pub(crate) fn written(text: &str) -> Result<ScenarioText, Problem> {
    let explained = || toml::from_str::<ScenarioFile>(text).map_err(|e| explain(&e, text));
    let Ok(tree) = text.parse::<Table>() else {
        return explained().map(|file| ScenarioText {
            tree: Table::new(),
            file,
        });
    };
    refuse_long_lists(&tree)?;
    ranges::check(&tree)?;
    // Only parsing the text gives the position of an error.
    let file = match tree.clone().try_into() {
        Ok(file) => file,
        Err(_) => explained()?,
    };
    refuse_dropped(&tree, &file)?;
    Ok(ScenarioText { tree, file })
}

/// Rejects lists that would take long to check.
fn refuse_long_lists(tree: &Table) -> Result<(), Problem> {
    for (table, key, help) in LISTS {
        let at = match table {
            "" => DottedPath::from(key),
            table => DottedPath::from(table).key(key),
        };
        let table = match table {
            "" => Some(tree),
            name => tree.get(name).and_then(Value::as_table),
        };
        let list = table.and_then(|t| t.get(key)).and_then(Value::as_array);
        let count = list.map_or(0, Vec::len);
        if count > MOST_LISTED {
            let message = format!("{at} lists {count} elements; at most {MOST_LISTED} are allowed");
            return Err(Problem::new(at, message).help(help));
        }
    }
    Ok(())
}

/// As [`file`](fn@file), but from a TOML tree, without positions in a text.
///
/// # Errors
/// When the tree is not a valid scenario.
pub(crate) fn table(written: Table) -> Result<ScenarioFile, Problem> {
    ranges::check(&written)?;
    let file = written
        .clone()
        .try_into()
        .map_err(|e: toml::de::Error| Problem::new(DottedPath::default(), e.message()))?;
    refuse_dropped(&written, &file)?;
    Ok(file)
}

/// Rejects lists of which serde has read only the first elements, and lists in place of tables.
fn refuse_dropped(written: &Table, file: &ScenarioFile) -> Result<(), Problem> {
    let understood = Table::try_from(file).unwrap_or_default();
    compare_tables(written, &understood, &DottedPath::default())
}

fn compare_tables(written: &Table, understood: &Table, at: &DottedPath) -> Result<(), Problem> {
    for (key, value) in written {
        if let Some(other) = understood.get(key) {
            compare(value, other, &at.key(key))?;
        }
    }
    Ok(())
}

fn compare(written: &Value, understood: &Value, at: &DottedPath) -> Result<(), Problem> {
    match (written, understood) {
        (Value::Table(a), Value::Table(b)) => compare_tables(a, b, at),
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let mut pairs = a.iter().zip(b).enumerate();
            pairs.try_for_each(|(i, (a, b))| compare(a, b, &at.index(i)))
        }
        (Value::Array(a), Value::Array(b)) => Err(Problem::new(
            at.clone(),
            format!("{at} has {} elements instead of {}", a.len(), b.len()),
        )
        .help(format!("keep {}", b.len()))),
        (Value::Array(_), Value::Table(table)) => {
            let keys: Vec<&str> = table.keys().map(String::as_str).collect();
            Err(
                Problem::new(at.clone(), format!("{at} is a list")).help(format!(
                    "write a table with keys, as in {{ {} = … }}",
                    keys.join(" = …, ")
                )),
            )
        }
        _ => Ok(()),
    }
}

/// Reads a scenario as written, with some values changed.
///
/// # Errors
/// When an override leads nowhere, or the result is not a valid scenario.
pub fn file_with(text: &str, overrides: &[Override]) -> Result<ScenarioFile, Problem> {
    if overrides.is_empty() {
        return file(text);
    }
    let mut table: Table = text.parse().map_err(|e| explain(&e, text))?;
    for change in overrides {
        change.apply(&mut table)?;
    }
    let changed = toml::to_string(&table).map_err(|e| {
        Problem::new(
            DottedPath::default(),
            format!("cannot write the scenario: {e}"),
        )
    })?;
    // The user does not see the changed text, so positions in it are useless; the path is enough.
    file(&changed).map_err(|p| p.at(None))
}

fn explain(error: &toml::de::Error, text: &str) -> Problem {
    let span = error.span();
    let path = span
        .clone()
        .map_or_else(DottedPath::default, |s| locate::path_at(text, s));
    let message = error.message().trim();
    if text.parse::<Table>().is_err() {
        let message = format!("this is not valid TOML: {}", message.replace('\n', "; "));
        return Problem::new(DottedPath::default(), message).at(span).help(
            "strings need quotes, as in delay = \"5 ms\"; lists of tables are written [[workload]]",
        );
    }
    if let Some(rest) = message.strip_prefix("unknown field `") {
        return unknown_key(rest, path).at(span);
    }
    let missing = message.strip_prefix("missing field `");
    if let Some(key) = missing.and_then(|rest| rest.strip_suffix('`')) {
        // An empty span stands for the scenario as a whole.
        let whole = span.as_ref().is_none_or(Range::is_empty);
        let (path, span) = if whole {
            (DottedPath::default(), None)
        } else {
            (path, span)
        };
        return Problem::new(path.clone(), format!("`{key}` is missing{}", inside(&path)))
            .at(span)
            .help(format!("add {key} = …"));
    }
    if let Some((length, needed)) = message
        .strip_prefix("invalid length ")
        .and_then(|m| m.split_once(", expected an array of length "))
    {
        return Problem::new(
            path.clone(),
            format!("{path} has {length} elements instead of {needed}"),
        )
        .at(span);
    }
    if let Some((found, needed)) = message
        .strip_prefix("invalid type: ")
        .or_else(|| message.strip_prefix("invalid value: "))
        .and_then(|m| m.split_once(", expected "))
    {
        return Problem::new(path.clone(), format!("{path} is {}", article(found)))
            .at(span)
            .help(format!("write {}", in_words(needed)));
    }
    // "0 is out of range; choose 1 to 255 probes"
    let (message, choose) = match message.split_once("; choose ") {
        Some((message, choose)) => (message, Some(format!("choose {choose}"))),
        None => (message, None),
    };
    let message = if path.0.is_empty() {
        message.to_owned()
    } else {
        format!("{path}: {message}")
    };
    let problem = Problem::new(path, message).at(span);
    match choose {
        Some(choose) => problem.help(choose),
        None => problem,
    }
}

/// Rust's type names in plain words.
fn in_words(needed: &str) -> String {
    match needed {
        "u8" => "a whole number from 0 to 255".to_owned(),
        "u16" => "a whole number from 0 to 65535".to_owned(),
        "u32" => "a whole number from 0 to 4294967295".to_owned(),
        "u64" | "usize" => "a whole number from 0 to 9223372036854775807".to_owned(),
        "f64" => "a number".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a string" => "a string in quotes".to_owned(),
        "a sequence" => "a list in [ ]".to_owned(),
        "a map" => "a table".to_owned(),
        other if other.starts_with("struct ") => "a table, as in { key = \"value\" }".to_owned(),
        other => other.to_owned(),
    }
}

fn article(found: &str) -> String {
    match found.split_once(' ') {
        Some(("integer" | "array", _)) => format!("an {found}"),
        Some(("sequence", _)) => format!("a list, {found}"),
        _ => format!("a {found}"),
    }
}

/// "unknown key `rat` in topology.link[0]; did you mean `rate`?" from serde's list of keys.
fn unknown_key(rest: &str, path: DottedPath) -> Problem {
    let (key, expected) = rest.split_once('`').unwrap_or((rest, ""));
    let mut known: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
    known.sort_unstable();
    // Some errors have the position of the table instead of that of the key.
    let ends_here = matches!(path.0.last(), Some(PathStep::Key(last)) if last == key);
    let table = if ends_here {
        path.parent()
    } else {
        path.clone()
    };
    let mut message = format!("unknown key `{key}`{}", inside(&table));
    if let Some(near) = suggest::nearest(key, known.iter().copied()) {
        message.push_str(&format!("; did you mean `{near}`?"));
    }
    let problem = Problem::new(if ends_here { path } else { table.key(key) }, message);
    let in_tcp = table.0.first() == Some(&PathStep::Key("tcp".to_owned()));
    if !in_tcp && (key == "net" || params::find(key).is_some()) {
        return problem.help(format!("`{key}` is a TCP parameter: write it in [tcp]"));
    }
    if in_tcp {
        return problem.help("`synfin explain tcp` lists the keys here and their other names");
    }
    if known.is_empty() {
        return problem.help("there are no keys here");
    }
    problem.help(format!("known keys here: {}", known.join(", ")))
}

fn inside(table: &DottedPath) -> String {
    if table.0.is_empty() {
        String::new()
    } else {
        format!(" in {table}")
    }
}
