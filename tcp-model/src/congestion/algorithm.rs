//! A congestion control in a scenario: its name, its parameters, and how it is made.
//!
//! A scenario names an algorithm and may set its parameters; [`Control`] is that choice, checked. The
//! list of algorithms is in [`built_in`](super::built_in).

use std::fmt;

use sim_core::SimDuration;

use super::AnyCc;
use crate::suggest;

/// Maximum number of parameters of an algorithm.
pub const MOST_PARAMETERS: usize = 10;

/// A congestion control that can be chosen by name.
#[derive(Debug)]
pub struct Algorithm {
    /// Its name in scenarios: lower case, words joined by hyphens.
    pub name: &'static str,
    /// Other names for it.
    pub aliases: &'static [&'static str],
    /// What it does, in a sentence.
    pub doc: &'static str,
    /// Where it is defined: an RFC, a draft or a paper.
    pub source: &'static str,
    /// Raised whenever its behaviour changes, so that old results are not mistaken for new ones.
    pub version: u32,
    /// Its parameters, at most [`MOST_PARAMETERS`].
    pub parameters: &'static [ControlParameter],
    /// Makes one for a connection.
    pub make: fn(&Control, &ControlContext) -> AnyCc,
}

/// The parameters of a connection that a new control may use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ControlContext {
    /// Maximum number of segments by which an ACK opens the window in slow start (L of RFC 3465);
    /// `None` for no limit.
    pub slow_start_limit: Option<u32>,
}

impl ControlContext {
    /// A context with this limit of slow start.
    pub const fn new(slow_start_limit: Option<u32>) -> ControlContext {
        ControlContext { slow_start_limit }
    }
}

/// A parameter of an algorithm.
#[derive(Clone, Copy, Debug)]
pub struct ControlParameter {
    /// Its name in scenarios.
    pub name: &'static str,
    /// The type of its values.
    pub kind: ParameterKind,
    /// Minimum value; times are in seconds.
    pub min: f64,
    /// Maximum value.
    pub max: f64,
    /// The default.
    pub default: f64,
    /// What it means.
    pub doc: &'static str,
}

impl Algorithm {
    /// A user's own algorithm with this name, to be completed by struct update: no parameters, version 1.
    pub const fn own(
        name: &'static str,
        make: fn(&Control, &ControlContext) -> AnyCc,
    ) -> Algorithm {
        Algorithm {
            name,
            aliases: &[],
            doc: "is a user's own",
            source: "a user's own",
            version: 1,
            parameters: &[],
            make,
        }
    }
}

/// The type of the values of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterKind {
    /// Any number within the range.
    Number,
    /// A whole number.
    Count,
    /// `true` or `false`.
    Switch,
    /// A time.
    Time,
}

/// A value for a parameter, as written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ControlValue {
    /// A number.
    Number(f64),
    /// `true` or `false`.
    Switch(bool),
    /// A time.
    Time(SimDuration),
}

/// Why a choice of a congestion control is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// No algorithm has this name.
    #[error("{0}")]
    Unknown(String),
    /// It has no such parameter.
    #[error("{0}")]
    UnknownParameter(String),
    /// The value is not allowed.
    #[error("`{name}` of congestion control {algorithm:?} must be {wanted}")]
    Value {
        /// The algorithm.
        algorithm: &'static str,
        /// The parameter.
        name: &'static str,
        /// What is allowed.
        wanted: String,
    },
    /// Registered under a name that is already taken.
    #[error("there is a congestion control {0:?} already; register yours under another name")]
    Taken(&'static str),
    /// Registered with more parameters than there is room for.
    #[error("congestion control {0:?} has more than {MOST_PARAMETERS} parameters")]
    TooManyParameters(&'static str),
}

impl Algorithm {
    /// What it does, its source and its parameters, as `synfin explain` prints them.
    pub fn explain(&self) -> String {
        let mut text = format!(
            "{}: a congestion control that {}\n  source: {}\n  in a scenario: tcp.congestion = {:?}\n",
            self.name, self.doc, self.source, self.name
        );
        for p in self.parameters {
            text.push_str(&format!(
                "  {} = {}: {}; {}\n",
                p.name,
                p.show(p.default),
                p.doc,
                p.range()
            ));
        }
        if let Some(p) = self.parameters.first() {
            text.push_str(&format!(
                "  as in tcp.congestion = {{ kind = {:?}, {} = {} }}\n",
                self.name,
                p.name,
                p.show(p.default)
            ));
        }
        text
    }
}

/// A congestion control and the values of its parameters.
#[derive(Clone, Copy)]
pub struct Control {
    algorithm: &'static Algorithm,
    values: [f64; MOST_PARAMETERS],
}

impl Control {
    /// An algorithm with its defaults.
    pub const fn new(algorithm: &'static Algorithm) -> Control {
        let mut values = [0.0; MOST_PARAMETERS];
        let mut i = 0;
        while i < algorithm.parameters.len() {
            values[i] = algorithm.parameters[i].default;
            i += 1;
        }
        Control { algorithm, values }
    }

    /// This control with another value of a parameter.
    ///
    /// # Errors
    /// When it has no such parameter, or the value is not allowed.
    pub fn with(mut self, name: &str, setting: ControlValue) -> Result<Control, ControlError> {
        let algorithm = self.algorithm;
        let Some(i) = algorithm.parameters.iter().position(|p| p.name == name) else {
            let what = format!("parameter of congestion control {:?}", algorithm.name);
            let all = algorithm.parameters.iter().map(|p| p.name);
            return Err(ControlError::UnknownParameter(suggest::unknown(
                &what, name, all,
            )));
        };
        let parameter = &algorithm.parameters[i];
        self.values[i] = parameter.read(setting).ok_or_else(|| ControlError::Value {
            algorithm: algorithm.name,
            name: parameter.name,
            wanted: parameter.range(),
        })?;
        Ok(self)
    }

    /// The algorithm.
    pub fn algorithm(&self) -> &'static Algorithm {
        self.algorithm
    }

    /// The value of a parameter; times in seconds, switches 0 or 1. Zero if there is no parameter of that name.
    pub fn get(&self, name: &str) -> f64 {
        let place = self
            .algorithm
            .parameters
            .iter()
            .position(|p| p.name == name);
        place.map_or(0.0, |i| self.values[i])
    }

    /// Whether a switch is on.
    pub fn is_on(&self, name: &str) -> bool {
        self.get(name) != 0.0
    }

    /// A whole number.
    pub fn count(&self, name: &str) -> u32 {
        self.get(name) as u32
    }

    /// A time.
    pub fn time(&self, name: &str) -> SimDuration {
        SimDuration::from_secs_f64(self.get(name))
    }

    /// The parameters with their values.
    pub fn values(&self) -> impl Iterator<Item = (&'static ControlParameter, f64)> {
        self.algorithm.parameters.iter().zip(self.values)
    }

    /// A control for a connection.
    pub fn make(&self, context: &ControlContext) -> AnyCc {
        (self.algorithm.make)(self, context)
    }
}

impl PartialEq for Control {
    fn eq(&self, other: &Control) -> bool {
        std::ptr::eq(self.algorithm, other.algorithm) && self.values == other.values
    }
}

impl Eq for Control {} // the values are never NaN: `ControlParameter::read`

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for Control {
    /// The name, and in brackets the values that differ from the defaults: `cubic (beta = 0.8)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.algorithm.name)?;
        let changed: Vec<String> = self
            .values()
            .filter(|(p, v)| *v != p.default)
            .map(|(p, v)| format!("{} = {}", p.name, p.show(v)))
            .collect();
        if changed.is_empty() {
            return Ok(());
        }
        write!(f, " ({})", changed.join(", "))
    }
}

impl ControlParameter {
    /// A number within a range.
    pub const fn number(
        name: &'static str,
        (min, max): (f64, f64),
        default: f64,
        doc: &'static str,
    ) -> ControlParameter {
        ControlParameter {
            name,
            kind: ParameterKind::Number,
            min,
            max,
            default,
            doc,
        }
    }

    /// A whole number within a range.
    pub const fn count(
        name: &'static str,
        (min, max): (u32, u32),
        default: u32,
        doc: &'static str,
    ) -> ControlParameter {
        ControlParameter {
            kind: ParameterKind::Count,
            ..ControlParameter::number(name, (min as f64, max as f64), default as f64, doc)
        }
    }

    /// Something that is on or off.
    pub const fn switch(name: &'static str, on: bool, doc: &'static str) -> ControlParameter {
        ControlParameter {
            kind: ParameterKind::Switch,
            ..ControlParameter::number(name, (0.0, 1.0), if on { 1.0 } else { 0.0 }, doc)
        }
    }

    /// A time, in seconds.
    pub const fn time(
        name: &'static str,
        range: (f64, f64),
        default: f64,
        doc: &'static str,
    ) -> ControlParameter {
        ControlParameter {
            kind: ParameterKind::Time,
            ..ControlParameter::number(name, range, default, doc)
        }
    }

    fn read(&self, setting: ControlValue) -> Option<f64> {
        let value = match (self.kind, setting) {
            (ParameterKind::Switch, ControlValue::Switch(on)) => f64::from(u8::from(on)),
            (ParameterKind::Time, ControlValue::Time(time)) => time.as_secs_f64(),
            (ParameterKind::Number, ControlValue::Number(n)) => n,
            (ParameterKind::Count, ControlValue::Number(n)) if n == libm::trunc(n) => n,
            _ => return None,
        };
        (self.min <= value && value <= self.max).then_some(value)
    }

    /// A value as a scenario would write it.
    pub fn show(&self, value: f64) -> String {
        match self.kind {
            ParameterKind::Switch => (value != 0.0).to_string(),
            ParameterKind::Time => format!("{:?}", SimDuration::from_secs_f64(value).to_string()),
            ParameterKind::Number | ParameterKind::Count => value.to_string(),
        }
    }

    /// The values it takes, in words.
    pub fn range(&self) -> String {
        let between = |what| {
            let (min, max) = (self.show(self.min), self.show(self.max));
            format!("{what} between {min} and {max}")
        };
        match self.kind {
            ParameterKind::Switch => "true or false".to_owned(),
            ParameterKind::Number => between("a number"),
            ParameterKind::Count => between("a whole number"),
            ParameterKind::Time => between("a time"),
        }
    }
}
