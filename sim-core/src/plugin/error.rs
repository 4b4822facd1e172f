//! Errors in the description of a model.

use std::borrow::Cow;

use crate::quantity::ParseUnitError;
use crate::queue_limit::ParseLimitError;

/// The text of a value cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseValueError {
    /// It is not a quantity with its unit.
    #[error(transparent)]
    Unit(#[from] ParseUnitError),
    /// It is not a limit of a queue.
    #[error(transparent)]
    Limit(#[from] ParseLimitError),
    /// It is not a number, whole number or switch.
    #[error("cannot read {text:?} as {what}; write for example {example}")]
    Unreadable {
        /// The text given.
        text: String,
        /// What was expected, with its article.
        what: &'static str,
        /// An example of what to write.
        example: &'static str,
    },
    /// It is a number, but less than 0 or more than 1.
    #[error("{0} must lie between 0 and 1; write for example 0.01 for one percent")]
    NotAProbability(String),
}

/// A value that can be read but that a model does not take: it is out of range, or does not fit another
/// value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{parameter}` {problem}; {advice}")]
pub struct InvalidValue {
    /// Name of the parameter.
    pub parameter: &'static str,
    /// What is wrong with it, as a clause whose subject is the parameter.
    pub problem: Cow<'static, str>,
    /// What to write instead.
    pub advice: Cow<'static, str>,
}

impl InvalidValue {
    /// A value of `parameter` that cannot be used: what is wrong, and what to write instead.
    ///
    /// ```
    /// use sim_core::plugin::InvalidValue;
    ///
    /// let error = InvalidValue::new("shape", "must be greater than zero", "2.5 is usual");
    /// assert_eq!(error.to_string(), "`shape` must be greater than zero; 2.5 is usual");
    /// ```
    pub fn new(
        parameter: &'static str,
        problem: impl Into<Cow<'static, str>>,
        advice: impl Into<Cow<'static, str>>,
    ) -> InvalidValue {
        InvalidValue {
            parameter,
            problem: problem.into(),
            advice: advice.into(),
        }
    }
}

/// Why a model cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PluginError {
    /// There is no model of this name.
    #[error("unknown {what} {name:?}; known are: {known}")]
    UnknownKind {
        /// What kind of thing was looked up.
        what: &'static str,
        /// The name given.
        name: String,
        /// The names that exist.
        known: String,
    },
    /// The model has no such parameter.
    #[error("{kind} has no parameter {name:?}; it has: {known}")]
    UnknownParameter {
        /// Name of the model.
        kind: String,
        /// The name given.
        name: String,
        /// The names that exist.
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
    /// The text of a value cannot be read.
    #[error("`{name}` of {kind}: {error}")]
    Value {
        /// Name of the model.
        kind: String,
        /// Name of the parameter.
        name: &'static str,
        /// What is wrong, and what to write.
        error: Box<ParseValueError>,
    },
    /// The model rejects a value, on its own or in combination with the others.
    #[error("{kind}: {error}")]
    Refused {
        /// Name of the model.
        kind: String,
        /// Which value, what is wrong, and what to write.
        error: Box<InvalidValue>,
    },
}
