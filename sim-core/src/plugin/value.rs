//! Parameters of a model and their values: read from text, checked, printed.

use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

use super::{InvalidValue, ParseValueError};
use crate::queue_limit::QueueLimit;
use crate::time::SimDuration;
use crate::units::{Bytes, Rate};

/// The type of a parameter's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKind {
    /// A duration such as `5 ms`.
    Duration,
    /// A queue limit such as `1 MB`, `100 packets` or `unlimited`.
    Limit,
    /// A bit rate such as `10 Mbit/s`.
    Rate,
    /// A size such as `64 KiB`.
    Bytes,
    /// A number from 0 to 1.
    Probability,
    /// A finite number.
    Number,
    /// A whole number, zero or more.
    Count,
    /// `true` or `false`.
    Flag,
    /// A list of numbers or quantities, separated by commas or white space; see [`list_items`].
    List,
    /// A list of names of nodes, or of groups of them, that must exist in the network; `none` for none. It is read
    /// as [`ModelValue::List`].
    Nodes,
}

/// A checked value.
#[derive(Clone, Debug, PartialEq)]
pub enum ModelValue {
    /// See [`ValueKind::Duration`].
    Duration(SimDuration),
    /// See [`ValueKind::Limit`].
    Limit(QueueLimit),
    /// See [`ValueKind::Rate`].
    Rate(Rate),
    /// See [`ValueKind::Bytes`].
    Bytes(Bytes),
    /// See [`ValueKind::Probability`] and [`ValueKind::Number`].
    Number(f64),
    /// See [`ValueKind::Count`].
    Count(u64),
    /// See [`ValueKind::Flag`].
    Flag(bool),
    /// See [`ValueKind::List`] and [`ValueKind::Nodes`].
    List(Arc<str>),
}

/// The items of a list: separated by commas if there are any, otherwise by white space.
pub fn list_items(text: &str) -> impl Iterator<Item = &str> {
    let commas = text.contains(',');
    let is_end = move |c: char| if commas { c == ',' } else { c.is_whitespace() };
    text.split(is_end)
        .map(str::trim)
        .filter(|item| !item.is_empty())
}

impl ModelValue {
    /// Reads a value of a kind.
    ///
    /// # Errors
    /// When the text is not such a value; the error says what to write instead.
    pub fn parse(kind: ValueKind, text: &str) -> Result<ModelValue, ParseValueError> {
        let trimmed = text.trim();
        let unreadable = |what, example| ParseValueError::Unreadable {
            text: text.to_owned(),
            what,
            example,
        };
        let number = || match trimmed.parse::<f64>() {
            Ok(n) if n.is_finite() => Ok(n),
            _ => Err(unreadable("a number", "0.01")),
        };
        Ok(match kind {
            ValueKind::Duration => ModelValue::Duration(text.parse()?),
            ValueKind::Limit => ModelValue::Limit(text.parse()?),
            ValueKind::Rate => ModelValue::Rate(text.parse()?),
            ValueKind::Bytes => ModelValue::Bytes(text.parse()?),
            ValueKind::Number => ModelValue::Number(number()?),
            ValueKind::Probability => match number()? {
                p if (0.0..=1.0).contains(&p) => ModelValue::Number(p),
                _ => return Err(ParseValueError::NotAProbability(trimmed.to_owned())),
            },
            ValueKind::Count => {
                let count = trimmed.parse();
                ModelValue::Count(count.map_err(|_| unreadable("a whole number", "8"))?)
            }
            ValueKind::List | ValueKind::Nodes => ModelValue::List(trimmed.into()),
            ValueKind::Flag => match trimmed {
                "true" | "1" => ModelValue::Flag(true),
                "false" | "0" => ModelValue::Flag(false),
                _ => return Err(unreadable("a switch", "true or false")),
            },
        })
    }
}

impl fmt::Display for ModelValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ModelValue::Duration(d) => write!(f, "{d}"),
            ModelValue::Limit(l) => write!(f, "{l}"),
            ModelValue::Rate(r) => write!(f, "{r}"),
            ModelValue::Bytes(b) => write!(f, "{b}"),
            ModelValue::Number(n) => write!(f, "{n}"),
            ModelValue::Count(n) => write!(f, "{n}"),
            ModelValue::Flag(on) => write!(f, "{on}"),
            ModelValue::List(text) => f.write_str(text),
        }
    }
}

/// A parameter of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModelParameter {
    /// Its key in a scenario.
    pub name: &'static str,
    /// The type of its value.
    pub kind: ValueKind,
    /// Its default, as text; `None` if a value is required.
    pub default: Option<&'static str>,
    /// What it means, in one line.
    pub doc: &'static str,
}

impl ModelParameter {
    /// A parameter with a default.
    pub const fn new(
        name: &'static str,
        kind: ValueKind,
        default: &'static str,
        doc: &'static str,
    ) -> ModelParameter {
        ModelParameter {
            name,
            kind,
            default: Some(default),
            doc,
        }
    }

    /// A required parameter.
    pub const fn needed(name: &'static str, kind: ValueKind, doc: &'static str) -> ModelParameter {
        ModelParameter {
            name,
            kind,
            default: None,
            doc,
        }
    }
}

/// The values of all parameters of a model, in the order of the model's parameter list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelValues(pub(super) Vec<(&'static str, ModelValue)>);

macro_rules! getters {
    ($($(#[$doc:meta])* $name:ident -> $type:ty, $default:expr, $arm:ident;)*) => {$(
        $(#[$doc])*
        pub fn $name(&self, name: &str) -> $type {
            match self.get(name) {
                Some(ModelValue::$arm(value)) => value,
                _ => $default,
            }
        }
    )*};
}

impl ModelValues {
    /// The value of a parameter.
    pub fn get(&self, name: &str) -> Option<ModelValue> {
        let found = self.0.iter().find(|(n, _)| *n == name);
        found.map(|(_, value)| value.clone())
    }

    /// Names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, ModelValue)> + '_ {
        self.0.iter().map(|(name, value)| (*name, value.clone()))
    }

    getters! {
        /// A duration; zero when the model has no such parameter.
        duration -> SimDuration, SimDuration::ZERO, Duration;
        /// A queue limit; unlimited when the model has no such parameter.
        limit -> QueueLimit, QueueLimit::Unlimited, Limit;
        /// A size; zero when the model has no such parameter.
        bytes -> Bytes, Bytes::ZERO, Bytes;
        /// A number or probability; zero when the model has no such parameter.
        number -> f64, 0.0, Number;
        /// A whole number; zero when the model has no such parameter.
        count -> u64, 0, Count;
        /// A switch; off when the model has no such parameter.
        flag -> bool, false, Flag;
    }

    /// Checks that these durations are positive. `advice` says what to write.
    ///
    /// # Errors
    /// For the first duration that is not positive.
    pub fn positive(
        &self,
        names: &[&'static str],
        advice: &'static str,
    ) -> Result<(), InvalidValue> {
        let is_positive = |name: &&&'static str| match self.get(name) {
            Some(ModelValue::Duration(d)) => !d.is_zero(),
            Some(ModelValue::Bytes(b)) => b.0 > 0,
            Some(ModelValue::Number(n)) => n > 0.0,
            Some(ModelValue::Count(n)) => n > 0,
            _ => true,
        };
        match names.iter().find(|name| !is_positive(name)) {
            Some(name) => Err(InvalidValue::new(name, "must be greater than zero", advice)),
            None => Ok(()),
        }
    }

    /// A whole number in a range. `advice` says what is usual.
    ///
    /// # Errors
    /// When it is outside.
    pub fn count_within(
        &self,
        name: &'static str,
        range: RangeInclusive<u64>,
        advice: impl Into<Cow<'static, str>>,
    ) -> Result<u64, InvalidValue> {
        let count = self.count(name);
        if range.contains(&count) {
            return Ok(count);
        }
        let (least, most) = range.into_inner();
        let problem = format!("is {count} and must lie between {least} and {most}");
        Err(InvalidValue::new(name, problem, advice))
    }

    /// A list as text; empty when the model has no such parameter.
    pub fn list(&self, name: &str) -> Arc<str> {
        match self.get(name) {
            Some(ModelValue::List(text)) => text,
            _ => "".into(),
        }
    }

    /// A bit rate; `None` when the model has no such parameter.
    pub fn rate(&self, name: &str) -> Option<Rate> {
        match self.get(name) {
            Some(ModelValue::Rate(rate)) => Some(rate),
            _ => None,
        }
    }
}
