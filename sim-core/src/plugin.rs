//! Models that plug into a link, selected by name: their parameters, and how they are built.
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
pub use value::{ModelParameter, ModelValue, ModelValues, ValueKind, list_items};

/// Makes a fresh model for a link direction.
pub type Maker<T> = Arc<dyn Fn() -> T + Send + Sync>;

type Constructor<T> = Arc<dyn Fn(&ModelValues) -> Result<Maker<T>, InvalidValue> + Send + Sync>;

/// A kind of model: its name, its parameters, and how to build it.
pub struct ModelKind<T> {
    /// Its name in a scenario.
    pub name: &'static str,
    /// What it is, in one line, with its source.
    pub doc: &'static str,
    /// Its parameters.
    pub parameters: &'static [ModelParameter],
    version: u32,
    presets: Option<&'static Presets>,
    make: Constructor<T>,
}

/// Named sets of values for some parameters of a model. A separate key selects a set; values given
/// explicitly take precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Presets {
    /// The key that selects a set.
    pub key: &'static str,
    /// What it means, in one line.
    pub doc: &'static str,
    /// Each set: its name, and its values as text.
    pub all: &'static [Preset],
}

/// Names of parameters and their values.
type GivenValues = [(&'static str, &'static str)];

/// A name, and parameters with their values.
pub type Preset = (&'static str, &'static GivenValues);

impl Presets {
    /// Their names, in order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.all.iter().map(|(name, _)| *name)
    }

    fn get(&self, name: &str) -> Result<&'static GivenValues, InvalidValue> {
        let found = self.all.iter().find(|(n, _)| *n == name);
        found.map(|(_, values)| *values).ok_or_else(|| {
            let advice = format!("known are: {}", list(self.names()));
            InvalidValue::new(self.key, format!("{name:?} is not known"), advice)
        })
    }
}

impl<T> ModelKind<T> {
    /// A kind whose models are built by `make`: it gets the value of every parameter and returns a maker of fresh
    /// models for link directions, or an error if the values do not fit together.
    pub fn new(
        name: &'static str,
        doc: &'static str,
        parameters: &'static [ModelParameter],
        make: impl Fn(&ModelValues) -> Result<Maker<T>, InvalidValue> + Send + Sync + 'static,
    ) -> ModelKind<T> {
        ModelKind {
            name,
            doc,
            parameters,
            version: 1,
            presets: None,
            make: Arc::new(make),
        }
    }

    /// Adds named sets of values.
    #[must_use]
    pub fn with_presets(self, presets: &'static Presets) -> ModelKind<T> {
        ModelKind {
            presets: Some(presets),
            ..self
        }
    }

    /// Its named sets of values, if it has any.
    pub fn presets(&self) -> Option<&'static Presets> {
        self.presets
    }

    /// Every key it takes: its parameters, and the key that selects a preset.
    pub fn keys(&self) -> impl Iterator<Item = &'static str> {
        let names = self.parameters.iter().map(|p| p.name);
        self.presets.map(|p| p.key).into_iter().chain(names)
    }

    /// The values of the selected preset.
    fn preset(&self, given: &[(&str, &str)]) -> Result<&'static GivenValues, InvalidValue> {
        let Some(presets) = self.presets else {
            return Ok(&[]);
        };
        match given.iter().find(|(name, _)| *name == presets.key) {
            Some((_, name)) => presets.get(name),
            None => Ok(&[]),
        }
    }

    /// Sets the version, which is 1 by default: raise it whenever the behaviour of the model changes, so that old
    /// results are not mistaken for new ones.
    #[must_use]
    pub fn with_version(self, version: u32) -> ModelKind<T> {
        ModelKind { version, ..self }
    }

    /// The model with the given parameters, as text, and the defaults of the others.
    ///
    /// # Errors
    /// When a parameter is unknown, missing, unreadable or out of range.
    pub fn plugin(&self, given: &[(&str, &str)]) -> Result<Plugin<T>, PluginError> {
        let kind = || self.name.to_owned();
        let refused = |error| PluginError::Refused {
            kind: kind(),
            error: Box::new(error),
        };
        let known = |name: &str| self.keys().any(|key| key == name);
        if let Some((name, _)) = given.iter().find(|(name, _)| !known(name)) {
            return Err(PluginError::UnknownParameter {
                kind: kind(),
                name: (*name).to_owned(),
                known: list(self.keys()),
            });
        }
        let preset = self.preset(given).map_err(refused)?;
        let mut values = ModelValues::default();
        for &ModelParameter {
            name,
            kind: value_kind,
            default,
            doc,
        } in self.parameters
        {
            let text = given.iter().find(|(n, _)| *n == name).map(|(_, v)| *v);
            let of_preset = preset.iter().find(|(n, _)| *n == name).map(|(_, v)| *v);
            let Some(text) = text.or(of_preset).or(default) else {
                let kind = kind();
                return Err(PluginError::Missing { kind, name, doc });
            };
            let value =
                ModelValue::parse(value_kind, text).map_err(|error| PluginError::Value {
                    kind: kind(),
                    name,
                    error: Box::new(error),
                })?;
            values.0.push((name, value));
        }
        let make = (self.make)(&values).map_err(refused)?;
        Ok(Plugin {
            name: self.name,
            version: self.version,
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

/// A model with its parameters. It is only data until [`Plugin::build`] makes an instance. Two are
/// equal when their names, versions and values are equal.
pub struct Plugin<T> {
    name: &'static str,
    version: u32,
    values: ModelValues,
    make: Maker<T>,
}

impl<T> Plugin<T> {
    /// A model defined by a function alone, without a list of parameters; `name` identifies it.
    pub fn of(name: &'static str, make: impl Fn() -> T + Send + Sync + 'static) -> Plugin<T> {
        Plugin {
            name,
            version: 1,
            values: ModelValues::default(),
            make: Arc::new(make),
        }
    }

    /// The name of its kind.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The version of its kind: see [`ModelKind::with_version`].
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The values of its parameters.
    pub fn values(&self) -> &ModelValues {
        &self.values
    }

    /// Builds a fresh model for one link direction.
    pub fn build(&self) -> T {
        (self.make)()
    }
}

impl<T> Clone for Plugin<T> {
    fn clone(&self) -> Self {
        Plugin {
            name: self.name,
            version: self.version,
            values: self.values.clone(),
            make: Arc::clone(&self.make),
        }
    }
}

impl<T> PartialEq for Plugin<T> {
    fn eq(&self, other: &Self) -> bool {
        (self.name, self.version) == (other.name, other.version) && self.values == other.values
    }
}

impl<T> fmt::Debug for Plugin<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        f.debug_map().entries(self.values.iter()).finish()
    }
}

/// The models for one purpose, by name.
#[derive(Debug)]
pub struct ModelKinds<T> {
    what: &'static str,
    all: Vec<ModelKind<T>>,
}

impl<T> ModelKinds<T> {
    /// The given kinds; messages call each of them `what`.
    pub fn new(what: &'static str, all: Vec<ModelKind<T>>) -> ModelKinds<T> {
        ModelKinds { what, all }
    }

    /// What messages call them, such as "middlebox".
    pub fn what(&self) -> &'static str {
        self.what
    }

    /// Adds a kind; it replaces any kind of the same name.
    pub fn add(&mut self, kind: ModelKind<T>) {
        self.all.retain(|k| k.name != kind.name);
        self.all.push(kind);
    }

    /// Looks up a kind by its name.
    pub fn get(&self, name: &str) -> Option<&ModelKind<T>> {
        self.all.iter().find(|k| k.name == name)
    }

    /// All kinds, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = &ModelKind<T>> {
        self.all.iter()
    }

    /// The model with the given name and parameters, as text.
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
