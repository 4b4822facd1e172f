//! Models that plug into a link, by name: what parameters they take, and how they are made.
//!
//! ```text
//!  name, parameters as text ──► Kind::plugin ──► Plugin (data: compared, printed, shared)
//!                               checks values        │ build: once per link direction
//!                                                    ▼
//!                                                the model with its state
//! ```
//!
//! Each model file has one function that returns its [`Kind`]; the kinds of one sort make a
//! [`Kinds`], to which users add their own.

use std::fmt;
use std::sync::Arc;

use crate::queue_limit::QueueLimit;
use crate::time::SimDuration;
use crate::units::{Bytes, Rate};

/// Makes a fresh model for a link direction.
pub type Maker<T> = Arc<dyn Fn() -> T + Send + Sync>;

type Constructor<T> = Arc<dyn Fn(&Values) -> Result<Maker<T>, String> + Send + Sync>;

/// What a parameter's value is.
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
}

/// A checked value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
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
    /// See [`ValueKind::List`].
    List(Arc<str>),
}

/// The items of a list: separated by commas where it has any, otherwise by white space.
pub fn list_items(text: &str) -> impl Iterator<Item = &str> {
    let commas = text.contains(',');
    let is_end = move |c: char| if commas { c == ',' } else { c.is_whitespace() };
    text.split(is_end)
        .map(str::trim)
        .filter(|item| !item.is_empty())
}

impl Value {
    /// Reads a value of a kind.
    ///
    /// # Errors
    /// When the text is not one, with what to write instead.
    pub fn parse(kind: ValueKind, text: &str) -> Result<Value, String> {
        let number = || match text.trim().parse::<f64>() {
            Ok(n) if n.is_finite() => Ok(n),
            _ => Err(format!(
                "cannot read {text:?} as a number; write for example 0.01"
            )),
        };
        match kind {
            ValueKind::Duration => text.parse().map(Value::Duration).map_err(|e| describe(&e)),
            ValueKind::Limit => text.parse().map(Value::Limit).map_err(|e| describe(&e)),
            ValueKind::Rate => text.parse().map(Value::Rate).map_err(|e| describe(&e)),
            ValueKind::Bytes => text.parse().map(Value::Bytes).map_err(|e| describe(&e)),
            ValueKind::Number => number().map(Value::Number),
            ValueKind::Probability => match number()? {
                p if (0.0..=1.0).contains(&p) => Ok(Value::Number(p)),
                p => Err(format!("{p} must lie between 0 and 1: one percent is 0.01")),
            },
            ValueKind::Count => text.trim().parse().map(Value::Count).map_err(|_| {
                format!("cannot read {text:?} as a whole number; write for example 8")
            }),
            ValueKind::List => Ok(Value::List(text.trim().into())),
            ValueKind::Flag => match text.trim() {
                "true" | "1" => Ok(Value::Flag(true)),
                "false" | "0" => Ok(Value::Flag(false)),
                _ => Err(format!("cannot read {text:?}; write true or false")),
            },
        }
    }
}

fn describe(error: &dyn fmt::Display) -> String {
    error.to_string()
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Duration(d) => write!(f, "{d}"),
            Value::Limit(l) => write!(f, "{l}"),
            Value::Rate(r) => write!(f, "{r}"),
            Value::Bytes(b) => write!(f, "{b}"),
            Value::Number(n) => write!(f, "{n}"),
            Value::Count(n) => write!(f, "{n}"),
            Value::Flag(on) => write!(f, "{on}"),
            Value::List(text) => f.write_str(text),
        }
    }
}

/// A parameter of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its key in a scenario.
    pub name: &'static str,
    /// What its value is.
    pub kind: ValueKind,
    /// Its value where none is given, as text; `None` when one must be given.
    pub default: Option<&'static str>,
    /// What it means, in one line.
    pub doc: &'static str,
}

impl Parameter {
    /// A parameter with a default.
    pub const fn new(
        name: &'static str,
        kind: ValueKind,
        default: &'static str,
        doc: &'static str,
    ) -> Parameter {
        Parameter {
            name,
            kind,
            default: Some(default),
            doc,
        }
    }

    /// A parameter that must be given.
    pub const fn needed(name: &'static str, kind: ValueKind, doc: &'static str) -> Parameter {
        Parameter {
            name,
            kind,
            default: None,
            doc,
        }
    }
}

/// The values of all parameters of a model, in the order of its list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Values(Vec<(&'static str, Value)>);

macro_rules! getters {
    ($($(#[$doc:meta])* $name:ident -> $type:ty, $default:expr, $arm:ident;)*) => {$(
        $(#[$doc])*
        pub fn $name(&self, name: &str) -> $type {
            match self.get(name) {
                Some(Value::$arm(value)) => value,
                _ => $default,
            }
        }
    )*};
}

impl Values {
    /// The value of a parameter.
    pub fn get(&self, name: &str) -> Option<Value> {
        let found = self.0.iter().find(|(n, _)| *n == name);
        found.map(|(_, value)| value.clone())
    }

    /// Names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, Value)> + '_ {
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

    /// A list as text; empty when the model has no such parameter.
    pub fn list(&self, name: &str) -> Arc<str> {
        match self.get(name) {
            Some(Value::List(text)) => text,
            _ => "".into(),
        }
    }

    /// A bit rate; `None` when the model has no such parameter.
    pub fn rate(&self, name: &str) -> Option<Rate> {
        match self.get(name) {
            Some(Value::Rate(rate)) => Some(rate),
            _ => None,
        }
    }
}

/// Why a model cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PluginError {
    /// No model of that name.
    #[error("unknown {what} {name:?}; known are: {known}")]
    UnknownKind {
        /// What was looked for.
        what: &'static str,
        /// The name given.
        name: String,
        /// Names there are.
        known: String,
    },
    /// The model has no such parameter.
    #[error("{kind} has no parameter {name:?}; it has: {known}")]
    UnknownParameter {
        /// Name of the model.
        kind: String,
        /// The name given.
        name: String,
        /// Names there are.
        known: String,
    },
    /// A parameter without default is missing.
    #[error("{kind} needs `{name}`: {doc}")]
    Missing {
        /// Name of the model.
        kind: String,
        /// Name of the parameter.
        name: &'static str,
        /// What it means.
        doc: &'static str,
    },
    /// A value cannot be read or is out of range.
    #[error("`{name}` of {kind}: {problem}")]
    Value {
        /// Name of the model.
        kind: String,
        /// Name of the parameter.
        name: &'static str,
        /// What is wrong, and what to write.
        problem: String,
    },
    /// The values do not go together.
    #[error("{kind}: {problem}")]
    Values {
        /// Name of the model.
        kind: String,
        /// What is wrong, and what to write.
        problem: String,
    },
}

/// A sort of model: its name, its parameters, and how one is made.
pub struct Kind<T> {
    /// Its name in a scenario.
    pub name: &'static str,
    /// What it is, in one line, with its source.
    pub doc: &'static str,
    /// Its parameters.
    pub parameters: &'static [Parameter],
    make: Constructor<T>,
}

impl<T> Kind<T> {
    /// A kind whose models `make` makes: it gets the value of every parameter, and returns what
    /// makes a fresh model for each link direction, or says why the values do not go together.
    pub fn new(
        name: &'static str,
        doc: &'static str,
        parameters: &'static [Parameter],
        make: impl Fn(&Values) -> Result<Maker<T>, String> + Send + Sync + 'static,
    ) -> Kind<T> {
        Kind {
            name,
            doc,
            parameters,
            make: Arc::new(make),
        }
    }

    /// The model with the given parameters, as text, and the defaults of the others.
    ///
    /// # Errors
    /// When a parameter is unknown, missing, unreadable or out of range.
    pub fn plugin(&self, given: &[(&str, &str)]) -> Result<Plugin<T>, PluginError> {
        let kind = || self.name.to_owned();
        let known = |name: &str| self.parameters.iter().any(|p| p.name == name);
        if let Some((name, _)) = given.iter().find(|(name, _)| !known(name)) {
            return Err(PluginError::UnknownParameter {
                kind: kind(),
                name: (*name).to_owned(),
                known: list(self.parameters.iter().map(|p| p.name)),
            });
        }
        let mut values = Values::default();
        for &Parameter {
            name,
            kind: value_kind,
            default,
            doc,
        } in self.parameters
        {
            let text = given.iter().find(|(n, _)| *n == name).map(|(_, v)| *v);
            let Some(text) = text.or(default) else {
                let kind = kind();
                return Err(PluginError::Missing { kind, name, doc });
            };
            let value = Value::parse(value_kind, text).map_err(|problem| PluginError::Value {
                kind: kind(),
                name,
                problem,
            })?;
            values.0.push((name, value));
        }
        let make = (self.make)(&values).map_err(|problem| PluginError::Values {
            kind: kind(),
            problem,
        })?;
        Ok(Plugin {
            name: self.name,
            values,
            make,
        })
    }
}

impl<T> Clone for Kind<T> {
    fn clone(&self) -> Self {
        Kind {
            make: Arc::clone(&self.make),
            ..*self
        }
    }
}

impl<T> fmt::Debug for Kind<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kind({})", self.name)
    }
}

fn list(names: impl Iterator<Item = &'static str>) -> String {
    let names: Vec<_> = names.collect();
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}

/// A model with its parameters: data, until [`Plugin::build`] makes one. Two are equal when their
/// names and values are.
pub struct Plugin<T> {
    name: &'static str,
    values: Values,
    make: Maker<T>,
}

impl<T> Plugin<T> {
    /// A model by itself, without a list of parameters; `name` identifies it.
    pub fn of(name: &'static str, make: impl Fn() -> T + Send + Sync + 'static) -> Plugin<T> {
        Plugin {
            name,
            values: Values::default(),
            make: Arc::new(make),
        }
    }

    /// The name of its kind.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The values of its parameters.
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// A fresh model, for one link direction.
    pub fn build(&self) -> T {
        (self.make)()
    }
}

impl<T> Clone for Plugin<T> {
    fn clone(&self) -> Self {
        Plugin {
            name: self.name,
            values: self.values.clone(),
            make: Arc::clone(&self.make),
        }
    }
}

impl<T> PartialEq for Plugin<T> {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.values == other.values
    }
}

impl<T> fmt::Debug for Plugin<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        f.debug_map().entries(self.values.iter()).finish()
    }
}

/// The models of one sort, by name.
#[derive(Debug)]
pub struct Kinds<T> {
    what: &'static str,
    all: Vec<Kind<T>>,
}

impl<T> Kinds<T> {
    /// The kinds of what messages call `what`.
    pub fn new(what: &'static str, all: Vec<Kind<T>>) -> Kinds<T> {
        Kinds { what, all }
    }

    /// What they are kinds of.
    pub fn what(&self) -> &'static str {
        self.what
    }

    /// Adds a kind; it replaces one of the same name.
    pub fn add(&mut self, kind: Kind<T>) {
        self.all.retain(|k| k.name != kind.name);
        self.all.push(kind);
    }

    /// The kind of that name.
    pub fn get(&self, name: &str) -> Option<&Kind<T>> {
        self.all.iter().find(|k| k.name == name)
    }

    /// All kinds, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = &Kind<T>> {
        self.all.iter()
    }

    /// The model of that name with the given parameters, as text.
    ///
    /// # Errors
    /// When there is no such kind, or it refuses the parameters.
    pub fn plugin(&self, name: &str, given: &[(&str, &str)]) -> Result<Plugin<T>, PluginError> {
        let kind = self.get(name).ok_or_else(|| PluginError::UnknownKind {
            what: self.what,
            name: name.to_owned(),
            known: list(self.all.iter().map(|k| k.name)),
        })?;
        kind.plugin(given)
    }
}

impl<T> Clone for Kinds<T> {
    fn clone(&self) -> Self {
        Kinds {
            what: self.what,
            all: self.all.clone(),
        }
    }
}
