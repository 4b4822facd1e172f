//! `--set path=value` and the values of a sweep: changes to the TOML tree before it is checked.

use std::sync::Arc;

use toml::{Table, Value};

use crate::aliases::{self, TcpPath};
use crate::dotted_path::{DottedPath, PathStep};
use crate::problem::{Problem, ValueOrigin};
use crate::suggest;
use crate::unreadable::Unreadable;

/// A change of a value in a scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct Override {
    /// Path to the value.
    pub path: DottedPath,
    /// The new value.
    pub value: Value,
    /// Where the change comes from.
    pub by: OverrideSource,
}

/// Where an override comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OverrideSource {
    /// The command line.
    Set,
    /// The scenario's `[sweep]`.
    Sweep,
    /// The `[[variant]]` with this name.
    Variant(Arc<str>),
}

impl Override {
    /// Parses `path=value` from the command line. A value that is not TOML is taken as a string, so that
    /// `tcp.time_wait=30 s` needs no quotes within quotes.
    ///
    /// # Errors
    /// When there is no `=`, or the path is invalid.
    pub fn parse(text: &str) -> Result<Override, Unreadable> {
        let (path, value) = text.split_once('=').ok_or_else(|| {
            format!("{text:?} has no `=`; write for example --set tcp.time_wait=\"30 s\"")
        })?;
        Ok(Override {
            path: path.parse()?,
            value: read_value(value.trim()),
            by: OverrideSource::Set,
        })
    }

    /// Where it comes from, for messages.
    pub fn origin(&self) -> ValueOrigin {
        let words = match &self.by {
            OverrideSource::Set => format!("--set {}={}", self.path, self.value),
            OverrideSource::Sweep => format!("value {} of sweep.\"{}\"", self.value, self.path),
            OverrideSource::Variant(name) => {
                format!("{} = {} of variant {name:?}", self.path, self.value)
            }
        };
        ValueOrigin {
            path: self.path.clone(),
            words,
        }
    }

    /// True if it changes only `[engine]`, which does not affect results.
    pub fn is_engine(&self) -> bool {
        self.path.is_within(&"engine".into())
    }

    /// Puts the value into the tree, and creates missing tables. A TCP parameter replaces the same parameter
    /// under another name.
    ///
    /// # Errors
    /// When the path leads through a plain value, or to an element that a list does not have.
    pub fn apply(&self, root: &mut Table) -> Result<(), Problem> {
        match TcpPath::of(&self.path) {
            Some(tcp) if tcp.inside.is_empty() => {
                let place = self.place(root, &tcp.table)?;
                let Value::Table(table) = place else {
                    let what = format!("{} is {} and has no parts", tcp.table, kind(place));
                    return Err(self.problem(&what, "set it as a whole, or check the path"));
                };
                aliases::remove(table, &tcp.named);
                table.insert(tcp.name, self.value.clone());
            }
            _ => *self.place(root, &aliases::canonical(&self.path))? = self.value.clone(),
        }
        Ok(())
    }

    /// Returns the value at a path; creates an empty table if there is none.
    fn place<'a>(&self, root: &'a mut Table, path: &DottedPath) -> Result<&'a mut Value, Problem> {
        let Some((PathStep::Key(first), rest)) = path.0.split_first() else {
            return Err(self.problem(
                "a path begins with a key",
                "write for example tcp.time_wait",
            ));
        };
        let empty = || Value::Table(Table::new());
        let mut here = root.entry(first.clone()).or_insert_with(empty);
        for (i, step) in rest.iter().enumerate() {
            here = match (here, step) {
                (Value::Table(table), PathStep::Key(key)) => {
                    table.entry(key.clone()).or_insert_with(empty)
                }
                (Value::Array(list), step) => self.element(list, step)?,
                (other, _) => {
                    let parent = DottedPath(path.0[..=i].to_vec());
                    let what = format!("{parent} is {} and has no parts", kind(other));
                    return Err(self.problem(&what, "set it as a whole, or check the path"));
                }
            };
        }
        Ok(here)
    }

    fn element<'a>(
        &self,
        list: &'a mut [Value],
        step: &PathStep,
    ) -> Result<&'a mut Value, Problem> {
        let names: Vec<String> = list
            .iter()
            .filter_map(|v| v.get("name").and_then(Value::as_str).map(str::to_owned))
            .collect();
        let count = list.len();
        let place = match step {
            PathStep::Index(i) => Some(*i),
            PathStep::Key(name) => list
                .iter()
                .position(|v| v.get("name").and_then(Value::as_str) == Some(name)),
        };
        if let Some(found) = place.filter(|&i| i < count) {
            return Ok(&mut list[found]);
        }
        let help = match (count, step) {
            (0, _) => "the list is empty".to_owned(),
            (_, PathStep::Key(name)) if !names.is_empty() => {
                suggest::unknown("name", name, names.iter().map(String::as_str))
            }
            _ => format!(
                "the list has {count}, so the places are [0] to [{}]",
                count - 1
            ),
        };
        Err(self.problem(
            &format!("{} does not lead to an element of its list", self.path),
            &help,
        ))
    }

    fn problem(&self, message: &str, help: &str) -> Problem {
        Problem::new(self.path.clone(), message).help(help)
    }
}

fn kind(value: &Value) -> String {
    match value {
        Value::String(s) => format!("the string {s:?}"),
        other => format!("the {} {other}", other.type_str()),
    }
}

/// Parses a value as TOML, or takes it as a string if it is not TOML.
pub(crate) fn read_value(text: &str) -> Value {
    format!("value = {text}")
        .parse::<Table>()
        .ok()
        .filter(|t| t.len() == 1)
        .and_then(|mut t| t.remove("value"))
        .unwrap_or_else(|| Value::String(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str, set: &str) -> Result<String, Problem> {
        let mut table: Table = text.parse().unwrap();
        Override::parse(set).unwrap().apply(&mut table)?;
        Ok(toml::to_string(&table).unwrap())
    }

    #[test]
    fn overrides_reach_tables_lists_and_named_elements() {
        let list = "[[l]]\nname = \"one\"\na = 1\n";
        assert_eq!(set("", "t.a=30 s").unwrap(), "[t]\na = \"30 s\"\n");
        assert_eq!(set("", "a=[1, 2]").unwrap(), "a = [1, 2]\n");
        for path in ["l[0].a", "l.0.a", "l.one.a"] {
            let changed = set(list, &format!("{path}=2")).unwrap();
            assert!(changed.contains("a = 2"), "{path}: {changed}");
        }
    }

    #[test]
    fn a_tcp_parameter_replaces_itself_under_another_name() {
        let file = "[tcp]\ntcp_fin_timeout = \"60 s\"\nmtu = 1500\n";
        for path in [
            "tcp.fin_timeout",
            "net.ipv4.tcp_fin_timeout",
            "tcp_fin_timeout",
        ] {
            let changed = set(file, &format!("{path}=30 s")).unwrap();
            assert_eq!(changed.matches("fin_timeout").count(), 1, "{changed}");
            assert!(
                changed.contains("30 s") && changed.contains("mtu"),
                "{changed}"
            );
        }
        let changed = set("", "tcp.host.web.net.ipv4.tcp_sack=0").unwrap();
        assert_eq!(changed, "[tcp.host.web]\n\"net.ipv4.tcp_sack\" = 0\n");
    }

    #[test]
    fn overrides_that_lead_nowhere_say_why() {
        let list = "x = \"y\"\n[[l]]\nname = \"one\"\na = 1\n";
        for (path, message, help) in [
            (
                "l[1].a",
                "l[1].a does not lead to an element of its list",
                "places are [0] to [0]",
            ),
            (
                "l.onee.a",
                "l.onee.a does not lead to an element of its list",
                "did you mean \"one\"?",
            ),
            (
                "x.z",
                "x is the string \"y\" and has no parts",
                "as a whole",
            ),
        ] {
            let problem = set(list, &format!("{path}=2")).unwrap_err();
            assert!(problem.message.contains(message), "{problem:?}");
            assert!(problem.help.unwrap().contains(help), "{path}");
        }
        assert!(Override::parse("no value").is_err());
    }
}
