//! Dotted paths into a scenario: `topology.link[0].rate`, `workload.clients.arrivals.rate`.
//!
//! An element of a list is given by its index, or by its `name` if it has one.

use std::fmt;
use std::str::FromStr;

use crate::unreadable::Unreadable;

/// A step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PathStep {
    /// A key of a table, or the `name` of an element of a list.
    Key(String),
    /// An index into a list, from 0.
    Index(usize),
}

/// The position of a value in a scenario. The empty path is the scenario itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct DottedPath(pub Vec<PathStep>);

impl DottedPath {
    /// The path to a key of the table at this path.
    pub fn key(&self, key: &str) -> DottedPath {
        self.with(PathStep::Key(key.to_owned()))
    }

    /// The path to an element of the list at this path.
    pub fn index(&self, i: usize) -> DottedPath {
        self.with(PathStep::Index(i))
    }

    /// The path with one more step.
    pub fn with(&self, step: PathStep) -> DottedPath {
        let mut steps = self.0.clone();
        steps.push(step);
        DottedPath(steps)
    }

    /// True when this is `other` or lies within it.
    pub fn is_within(&self, other: &DottedPath) -> bool {
        self.0.starts_with(&other.0)
    }

    /// The path without its last step.
    pub fn parent(&self) -> DottedPath {
        DottedPath(self.0[..self.0.len().saturating_sub(1)].to_vec())
    }
}

/// A path from keys separated by dots, for use in code: no indices, no checks.
impl From<&str> for DottedPath {
    fn from(keys: &str) -> Self {
        DottedPath(
            keys.split('.')
                .map(|k| PathStep::Key(k.to_owned()))
                .collect(),
        )
    }
}

impl fmt::Display for DottedPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            match step {
                PathStep::Key(key) if i == 0 => f.write_str(key)?,
                PathStep::Key(key) => write!(f, ".{key}")?,
                PathStep::Index(place) => write!(f, "[{place}]")?,
            }
        }
        Ok(())
    }
}

impl FromStr for DottedPath {
    type Err = Unreadable;
    fn from_str(text: &str) -> Result<Self, Unreadable> {
        let wrong = || {
            Unreadable::from(format!(
                "{text:?} is not a path; write for example tcp.time_wait or topology.link[0].rate"
            ))
        };
        let mut steps = Vec::new();
        for part in text.trim().split('.') {
            let (key, mut places) = part.split_at(part.find('[').unwrap_or(part.len()));
            match key.parse::<usize>() {
                Ok(place) if !steps.is_empty() => steps.push(PathStep::Index(place)),
                _ if is_name(key) => steps.push(PathStep::Key(key.to_owned())),
                _ => return Err(wrong()),
            }
            while let Some(rest) = places.strip_prefix('[') {
                let (place, rest) = rest.split_once(']').ok_or_else(wrong)?;
                steps.push(PathStep::Index(place.parse().map_err(|_| wrong())?));
                places = rest;
            }
            if !places.is_empty() {
                return Err(wrong());
            }
        }
        Ok(DottedPath(steps))
    }
}

/// True for a valid name or key: letters, digits, `-` and `_`.
pub fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_read_and_print() {
        for (text, printed) in [
            ("tcp.time_wait", "tcp.time_wait"),
            ("topology.link[0].rate", "topology.link[0].rate"),
            ("topology.link.0.rate", "topology.link[0].rate"),
            ("workload.web.ports[1]", "workload.web.ports[1]"),
        ] {
            assert_eq!(text.parse::<DottedPath>().unwrap().to_string(), printed);
        }
        for bad in [
            "", ".", "a..b", "a[", "a[x]", "a[1", "a[1]b", "a b", "a[-1]",
        ] {
            assert!(bad.parse::<DottedPath>().is_err(), "{bad}");
        }
    }
}
