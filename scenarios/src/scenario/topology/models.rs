//! Named models of a link: queue disciplines, loss, extra delay, varying rates.

use sim_core::plugin::{ModelKinds, ModelParameter, ModelValue, Plugin, PluginError, ValueKind};
use toml::{Table, Value as Toml};

use super::{DottedPath, Problem};
use crate::file::values::ModelFile;
use crate::list_file;
use crate::suggest;

/// Builds the model that `file` describes.
pub(crate) fn plugin<T>(
    file: &ModelFile,
    kinds: &ModelKinds<T>,
    others: &[&str],
    at: &DottedPath,
) -> Result<Plugin<T>, Problem> {
    let Some(kind) = kinds.get(&file.kind) else {
        let names: Vec<&str> = others
            .iter()
            .copied()
            .chain(kinds.iter().map(|k| k.name))
            .collect();
        let message = suggest::unknown(kinds.what(), &file.kind, names.iter().copied());
        return Err(Problem::new(at.key("kind"), message));
    };
    known_keys(&file.parameters, kind.keys(), at)?;
    let given = file
        .parameters
        .iter()
        .map(|(key, value)| {
            let is_list = is_list(kind.parameters, key);
            Ok((key.as_str(), text(value, is_list, &at.key(key))?))
        })
        .collect::<Result<Vec<(&str, String)>, Problem>>()?;
    let given: Vec<(&str, &str)> = given.iter().map(|(k, v)| (*k, v.as_str())).collect();
    kind.plugin(&given).map_err(|error| match error {
        PluginError::Value { name, error, .. } => {
            let path = at.key(name);
            Problem::new(path.clone(), format!("{path}: {error}"))
        }
        PluginError::Refused { error, .. } => {
            let path = at.key(error.parameter);
            let message = format!("{path} {}; {}", error.problem, error.advice);
            Problem::new(path, message)
        }
        PluginError::Missing { name, doc, .. } => {
            Problem::new(at.clone(), format!("`{name}` is missing in {at}")).help(format!(
                "add {name} = {}: {doc}",
                example(kind.parameters, name)
            ))
        }
        other => Problem::new(at.clone(), format!("{at}: {other}")),
    })
}

/// Rejects keys that are not parameters of a model.
pub(super) fn known_keys(
    given: &Table,
    names: impl Iterator<Item = &'static str>,
    at: &DottedPath,
) -> Result<(), Problem> {
    let names: Vec<&str> = names.collect();
    let Some(key) = given.keys().find(|key| !names.contains(&key.as_str())) else {
        return Ok(());
    };
    let mut message = format!("unknown key `{key}` in {at}");
    if let Some(near) = suggest::nearest(key, names.iter().copied()) {
        message.push_str(&format!("; did you mean `{near}`?"));
    }
    let problem = Problem::new(at.key(key), message);
    Err(problem.help(format!("known keys here: kind, {}", names.join(", "))))
}

fn is_list(parameters: &[ModelParameter], name: &str) -> bool {
    let found = parameters.iter().find(|p| p.name == name);
    found.is_some_and(|p| matches!(p.kind, ValueKind::List | ValueKind::Nodes))
}

fn text(value: &Toml, is_list: bool, at: &DottedPath) -> Result<String, Problem> {
    match value {
        Toml::String(text) if is_list => match text.strip_prefix('@') {
            Some(path) => from_file(path, at),
            None => Ok(text.clone()),
        },
        Toml::String(text) => Ok(text.clone()),
        Toml::Integer(n) => Ok(n.to_string()),
        Toml::Float(x) => Ok(x.to_string()),
        Toml::Boolean(on) => Ok(on.to_string()),
        Toml::Array(items) if is_list => {
            let items = items.iter().enumerate();
            let texts = items.map(|(i, item)| text(item, false, &at.index(i)));
            Ok(texts.collect::<Result<Vec<_>, _>>()?.join(", "))
        }
        other => Err(
            Problem::new(at.clone(), format!("{at} is a {}", other.type_str())).help(
                match is_list {
                    true => "write a list of numbers or quoted quantities, or \"@FILE\" to read a file of them",
                    false => "write a quoted quantity, a number, true or false",
                },
            ),
        ),
    }
}

/// Reads a list from a file. `run.toml` contains the list itself.
fn from_file(path: &str, at: &DottedPath) -> Result<String, Problem> {
    list_file::read(path).map_err(|why| {
        Problem::new(at.clone(), format!("{at}: cannot read {path:?}: {why}")).help(
            "a scenario names files relative to its own directory, and `--set` relative to the \
             working directory",
        )
    })
}

fn example(parameters: &[ModelParameter], name: &str) -> &'static str {
    match parameters.iter().find(|p| p.name == name).map(|p| p.kind) {
        Some(ValueKind::Duration) => "\"5 ms\"",
        Some(ValueKind::Limit) => "\"100 packets\"",
        Some(ValueKind::Rate) => "\"10 Mbit/s\"",
        Some(ValueKind::Bytes) => "\"64 KiB\"",
        Some(ValueKind::List) => "[1, 5, 9]",
        Some(ValueKind::Nodes) => "\"server\"",
        Some(ValueKind::Flag) => "true",
        Some(ValueKind::Count) => "8",
        _ => "0.01",
    }
}

/// The model with all its parameters, as it would be written.
pub(crate) fn to_file<T>(plugin: &Plugin<T>) -> ModelFile {
    let value = |value: ModelValue| match value {
        ModelValue::Number(x) => Toml::Float(x),
        ModelValue::Count(n) => Toml::Integer(i64::try_from(n).unwrap_or(i64::MAX)),
        ModelValue::Flag(on) => Toml::Boolean(on),
        ModelValue::Duration(_)
        | ModelValue::Limit(_)
        | ModelValue::Rate(_)
        | ModelValue::Bytes(_)
        | ModelValue::List(_) => Toml::String(value.to_string()),
    };
    ModelFile {
        kind: plugin.name().to_owned(),
        parameters: plugin
            .values()
            .iter()
            .map(|(name, v)| (name.to_owned(), value(v)))
            .collect(),
    }
}
