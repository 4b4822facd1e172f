//! A model, given by name with its parameters in place of a plain value: `{ kind = "codel" }`.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde::{Serialize, Serializer};
use serde_json::json;
use sim_core::SimDuration;
use toml::{Table, Value};

use super::QueueSize;
use crate::file::keys::{KeyForm, ScenarioValue};
use crate::unreadable::Unreadable;

/// A model as written: its `kind` and its parameters.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelFile {
    /// Its name.
    pub kind: String,
    /// Its parameters, as written.
    pub parameters: Table,
}

/// A plain value, or a model.
#[derive(Clone, Debug, PartialEq)]
pub enum OrModel<T> {
    /// A plain value.
    Plain(T),
    /// A model.
    Model(ModelFile),
}

/// A plain value that may be replaced by a model.
pub trait PlainValue: Sized {
    /// The accepted values, for messages.
    const EXPECTING: &'static str;

    /// Reads it from a string; `None` if it is not written as a string.
    fn from_text(text: &str) -> Option<Result<Self, Unreadable>>;

    /// Reads it from a number; `None` if it is not written as a number.
    fn from_number(number: f64) -> Option<Self> {
        let _ = number;
        None
    }
}

impl PlainValue for QueueSize {
    const EXPECTING: &'static str = "a quoted limit such as \"100 packets\", \"64 KiB\", \"50 ms\" or \"unlimited\", or a table such as { kind = \"codel\", target = \"5 ms\" }";
    fn from_text(text: &str) -> Option<Result<Self, Unreadable>> {
        Some(text.parse())
    }
}

/// The probability of independent losses.
impl PlainValue for f64 {
    const EXPECTING: &'static str = "a number from 0 to 1, or a table such as { kind = \"gilbert-elliott\", good_to_bad = 0.01, bad_to_good = 0.3 }";
    fn from_text(_: &str) -> Option<Result<Self, Unreadable>> {
        None
    }
    fn from_number(number: f64) -> Option<Self> {
        Some(number)
    }
}

/// The bound of a uniform extra delay.
impl PlainValue for SimDuration {
    const EXPECTING: &'static str = "a quoted duration such as \"200 us\", or a table such as { kind = \"exponential\", mean = \"1 ms\" }";
    fn from_text(text: &str) -> Option<Result<Self, Unreadable>> {
        Some(
            text.parse()
                .map_err(|e: sim_core::units::ParseUnitError| e.into()),
        )
    }
}

/// A value that is always a model, never a plain value.
macro_rules! always_a_model {
    ($(#[$doc:meta])* $name:ident: $expecting:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {}

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                match *self {}
            }
        }

        impl PlainValue for $name {
            const EXPECTING: &'static str = $expecting;
            fn from_text(_: &str) -> Option<Result<Self, Unreadable>> {
                None
            }
        }

        /// Nothing is written for it.
        impl ScenarioValue for $name {
            fn form() -> KeyForm {
                KeyForm::Leaf {
                    takes: String::new(),
                    schema: json!(false),
                }
            }
        }
    };
}

always_a_model! {
    /// A rate process is always a model.
    Never: "a table such as { kind = \"two-state\", other = \"1 Mbit/s\" }"
}
always_a_model! {
    /// An application is always a model.
    NamedOnly: "a table such as { kind = \"heartbeat\", interval = \"1 s\" }"
}

always_a_model! {
    /// A middlebox is always a model.
    MiddleboxOnly: "a table such as { kind = \"syn-limit\", rate = 100 }"
}

impl Serialize for ModelFile {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut table = self.parameters.clone();
        table.insert("kind".to_owned(), Value::String(self.kind.clone()));
        table.serialize(s)
    }
}

impl<T: Serialize> Serialize for OrModel<T> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            OrModel::Plain(value) => value.serialize(s),
            OrModel::Model(model) => model.serialize(s),
        }
    }
}

impl<'de, T: PlainValue> Deserialize<'de> for OrModel<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct ValueOrTable<T>(PhantomData<T>);
        impl<'de, T: PlainValue> Visitor<'de> for ValueOrTable<T> {
            type Value = OrModel<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(T::EXPECTING)
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<OrModel<T>, E> {
                match T::from_text(text) {
                    Some(read) => read.map(OrModel::Plain).map_err(E::custom),
                    None => Err(E::invalid_type(de::Unexpected::Str(text), &self)),
                }
            }
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<OrModel<T>, E> {
                let read = T::from_number(number).map(OrModel::Plain);
                read.ok_or_else(|| E::invalid_type(de::Unexpected::Float(number), &self))
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<OrModel<T>, E> {
                let read = T::from_number(number as f64).map(OrModel::Plain);
                read.ok_or_else(|| E::invalid_type(de::Unexpected::Signed(number), &self))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<OrModel<T>, A::Error> {
                let mut model = ModelFile::default();
                let mut kind = None;
                while let Some(key) = map.next_key::<String>()? {
                    if key == "kind" {
                        kind = Some(map.next_value()?);
                    } else {
                        model.parameters.insert(key, map.next_value()?);
                    }
                }
                model.kind = kind.ok_or_else(|| de::Error::missing_field("kind"))?;
                Ok(OrModel::Model(model))
            }
        }
        d.deserialize_any(ValueOrTable(PhantomData))
    }
}

impl<T: ScenarioValue> ScenarioValue for OrModel<T> {
    fn form() -> KeyForm {
        let model = "a table with the `kind` of a model and its parameters";
        let model_schema = json!({
            "type": "object",
            "properties": { "kind": { "type": "string" } },
            "required": ["kind"],
        });
        match T::form() {
            KeyForm::Leaf { takes, schema } => KeyForm::Leaf {
                takes: match takes.as_str() {
                    "" => model.to_owned(),
                    plain => format!("{plain}; or {model}"),
                },
                schema: json!({ "anyOf": [schema, model_schema] }),
            },
            other => other,
        }
    }
}
