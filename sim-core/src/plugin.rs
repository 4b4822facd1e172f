//! Models that plug into a link, by name: what parameters they take, and how they are made.
//!
//! ```text
//!  name, parameters as text ──► ModelKind::plugin ──► Plugin (data: compared, printed, shared)
//!                               checks values        │ build: once per link direction
//!                                                    ▼
//!                                                the model with its state
//! ```
//!
//! Each model file has one function that returns its [`ModelKind`]; the kinds that serve the same
//! purpose make a [`ModelKinds`], to which users add their own.

mod error;
mod value;

use std::fmt;
use std::sync::Arc;

pub use error::{InvalidValue, ParseValueError, PluginError};
pub use value::{Parameter, Value, ValueKind, Values, list_items};

/// Makes a fresh model for a link direction.
pub type Maker<T> = Arc<dyn Fn() -> T + Send + Sync>;

type Constructor<T> = Arc<dyn Fn(&Values) -> Result<Maker<T>, InvalidValue> + Send + Sync>;

/// A kind of model: its name, its parameters, and how one is made.
pub struct ModelKind<T> {
    /// Its name in a scenario.
    pub name: &'static str,
    /// What it is, in one line, with its source.
    pub doc: &'static str,
    /// Its parameters.
    pub parameters: &'static [Parameter],
    make: Constructor<T>,
}

impl<T> ModelKind<T> {
    /// A kind whose models `make` makes: it gets the value of every parameter, and returns what
    /// makes a fresh model for each link direction, or says why the values do not go together.
    pub fn new(
        name: &'static str,
        doc: &'static str,
        parameters: &'static [Parameter],
        make: impl Fn(&Values) -> Result<Maker<T>, InvalidValue> + Send + Sync + 'static,
    ) -> ModelKind<T> {
        ModelKind {
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
            let value = Value::parse(value_kind, text).map_err(|error| PluginError::Value {
                kind: kind(),
                name,
                error: Box::new(error),
            })?;
            values.0.push((name, value));
        }
        let make = (self.make)(&values).map_err(|error| PluginError::Refused {
            kind: kind(),
            error: Box::new(error),
        })?;
        Ok(Plugin {
            name: self.name,
            values,
            make,
        })
    }
}

impl<T> Clone for ModelKind<T> {
    fn clone(&self) -> Self {
        ModelKind {
            make: Arc::clone(&self.make),
            ..*self
        }
    }
}

impl<T> fmt::Debug for ModelKind<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ModelKind({})", self.name)
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
pub struct ModelKinds<T> {
    what: &'static str,
    all: Vec<ModelKind<T>>,
}

impl<T> ModelKinds<T> {
    /// The kinds of what messages call `what`.
    pub fn new(what: &'static str, all: Vec<ModelKind<T>>) -> ModelKinds<T> {
        ModelKinds { what, all }
    }

    /// What they are kinds of.
    pub fn what(&self) -> &'static str {
        self.what
    }

    /// Adds a kind; it replaces one of the same name.
    pub fn add(&mut self, kind: ModelKind<T>) {
        self.all.retain(|k| k.name != kind.name);
        self.all.push(kind);
    }

    /// The kind of that name.
    pub fn get(&self, name: &str) -> Option<&ModelKind<T>> {
        self.all.iter().find(|k| k.name == name)
    }

    /// All kinds, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = &ModelKind<T>> {
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

impl<T> Clone for ModelKinds<T> {
    fn clone(&self) -> Self {
        ModelKinds {
            what: self.what,
            all: self.all.clone(),
        }
    }
}
