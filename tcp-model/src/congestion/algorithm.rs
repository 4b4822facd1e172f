//! Congestion controls by name: what there is, its parameters, and how to make one.
//!
//! A scenario names an algorithm and may set its parameters; [`Control`] is that choice, checked.
//! An algorithm is a file of this module and its row in [`BUILT_IN`]; a user's own is added with
//! [`register`] and is then chosen by its name like ours.

use std::fmt;
use std::sync::{PoisonError, RwLock};

use sim_core::SimDuration;

use super::AnyCc;
use crate::suggest;

/// The algorithms that come with the simulator.
pub const BUILT_IN: &[&Algorithm] = &[
    &super::newreno::ALGORITHM,
    &super::cubic::ALGORITHM,
    &super::cubic_linux::ALGORITHM,
    &super::vegas::ALGORITHM,
    &super::westwood::ALGORITHM,
    &super::highspeed::ALGORITHM,
    &super::scalable::ALGORITHM,
    &super::htcp::ALGORITHM,
    &super::illinois::ALGORITHM,
    &super::hybla::ALGORITHM,
    &super::bic::ALGORITHM,
    &super::veno::ALGORITHM,
    &super::yeah::ALGORITHM,
    &super::ledbat::ALGORITHM,
    &super::ledbat_pp::ALGORITHM,
    &super::copa::ALGORITHM,
    &super::dctcp::ALGORITHM,
    &super::prague::ALGORITHM,
    &super::bbr::ALGORITHM,
    &super::bbr3::ALGORITHM,
    &super::fixed::ALGORITHM,
];

/// Most parameters that an algorithm can have.
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
    /// Raised whenever it behaves differently, so that results of before are not taken for those
    /// of now.
    pub version: u32,
    /// Its parameters, at most [`MOST_PARAMETERS`].
    pub parameters: &'static [Parameter],
    /// Makes one for a connection.
    pub make: fn(&Control, &ControlContext) -> AnyCc,
}

/// What a control may know of the parameters of its connection when it is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ControlContext {
    /// Most segments by which an ACK widens the window in slow start (L of RFC 3465); none for no
    /// limit.
    pub slow_start_limit: Option<u32>,
}

impl ControlContext {
    /// With this limit of slow start.
    pub const fn new(slow_start_limit: Option<u32>) -> ControlContext {
        ControlContext { slow_start_limit }
    }
}

/// A parameter of an algorithm.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Its name in scenarios.
    pub name: &'static str,
    /// What its values are.
    pub kind: ParameterKind,
    /// Least value; for times in seconds.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// The value when nothing is said.
    pub default: f64,
    /// What it means.
    pub doc: &'static str,
}

impl Algorithm {
    /// A user's own, with this name, to be completed by struct update: no parameters,
    /// version 1.
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

/// What the values of a parameter are.
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

/// A value for a parameter, as it was written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Setting {
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
    /// The value does not fit.
    #[error("`{name}` of congestion control {algorithm:?} must be {wanted}")]
    Value {
        /// The algorithm.
        algorithm: &'static str,
        /// The parameter.
        name: &'static str,
        /// What would fit.
        wanted: String,
    },
    /// Registered by a name that is taken.
    #[error("there is a congestion control {0:?} already; register yours under another name")]
    Taken(&'static str),
    /// Registered with more parameters than there is room for.
    #[error("congestion control {0:?} has more than {MOST_PARAMETERS} parameters")]
    TooManyParameters(&'static str),
}

static REGISTERED: RwLock<Vec<&'static Algorithm>> = RwLock::new(Vec::new());

/// Registers a user's own algorithm under its name, for the whole process. Call it before scenarios
/// are read.
///
/// # Errors
/// When an algorithm of this name, or another of its names, is known already, or it has too many
/// parameters.
pub fn register(algorithm: &'static Algorithm) -> Result<(), ControlError> {
    if algorithm.parameters.len() > MOST_PARAMETERS {
        return Err(ControlError::TooManyParameters(algorithm.name));
    }
    let names = std::iter::once(&algorithm.name).chain(algorithm.aliases);
    for name in names {
        if find(name).is_some_and(|known| !std::ptr::eq(known, algorithm)) {
            return Err(ControlError::Taken(name));
        }
    }
    let mut registered = REGISTERED.write().unwrap_or_else(PoisonError::into_inner);
    if !registered.iter().any(|r| std::ptr::eq(*r, algorithm)) {
        registered.push(algorithm);
    }
    Ok(())
}

/// All algorithms that can be named, ours first.
pub fn algorithms() -> Vec<&'static Algorithm> {
    let registered = REGISTERED.read().unwrap_or_else(PoisonError::into_inner);
    BUILT_IN.iter().chain(registered.iter()).copied().collect()
}

/// The algorithm of that name.
pub fn find(name: &str) -> Option<&'static Algorithm> {
    let named = |a: &&Algorithm| a.name == name || a.aliases.contains(&name);
    algorithms().into_iter().find(named)
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

    /// The algorithm of that name, with its defaults.
    ///
    /// # Errors
    /// When there is none.
    pub fn named(name: &str) -> Result<Control, ControlError> {
        find(name).map(Control::new).ok_or_else(|| {
            let all: Vec<&str> = algorithms().iter().map(|a| a.name).collect();
            ControlError::Unknown(suggest::unknown("congestion control", name, all))
        })
    }

    /// The same with another value of a parameter.
    ///
    /// # Errors
    /// When it has no such parameter, or the value does not fit.
    pub fn with(mut self, name: &str, setting: Setting) -> Result<Control, ControlError> {
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

    /// The value of a parameter; times in seconds, switches 0 or 1. Zero when there is none of
    /// that name.
    pub fn get(&self, name: &str) -> f64 {
        let place = self
            .algorithm
            .parameters
            .iter()
            .position(|p| p.name == name);
        place.map_or(0.0, |i| self.values[i])
    }

    /// A switch is on.
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
    pub fn values(&self) -> impl Iterator<Item = (&'static Parameter, f64)> {
        self.algorithm.parameters.iter().zip(self.values)
    }

    /// It comes with the simulator; otherwise it is a user's own.
    pub fn is_built_in(&self) -> bool {
        BUILT_IN.iter().any(|b| std::ptr::eq(*b, self.algorithm))
    }

    /// A control for a connection.
    pub fn make(&self, context: &ControlContext) -> AnyCc {
        (self.algorithm.make)(self, context)
    }
}

impl Default for Control {
    fn default() -> Control {
        Control::new(&super::newreno::ALGORITHM)
    }
}

impl PartialEq for Control {
    fn eq(&self, other: &Control) -> bool {
        std::ptr::eq(self.algorithm, other.algorithm) && self.values == other.values
    }
}

impl Eq for Control {} // the values are never NaN: `Parameter::read`

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for Control {
    /// The name, and in brackets what differs from the defaults: `cubic (beta = 0.8)`.
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

impl Parameter {
    /// A number within a range.
    pub const fn number(
        name: &'static str,
        (min, max): (f64, f64),
        default: f64,
        doc: &'static str,
    ) -> Parameter {
        Parameter {
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
    ) -> Parameter {
        Parameter {
            kind: ParameterKind::Count,
            ..Parameter::number(name, (min as f64, max as f64), default as f64, doc)
        }
    }

    /// Something that is on or off.
    pub const fn switch(name: &'static str, on: bool, doc: &'static str) -> Parameter {
        Parameter {
            kind: ParameterKind::Switch,
            ..Parameter::number(name, (0.0, 1.0), if on { 1.0 } else { 0.0 }, doc)
        }
    }

    /// A time, in seconds.
    pub const fn time(
        name: &'static str,
        range: (f64, f64),
        default: f64,
        doc: &'static str,
    ) -> Parameter {
        Parameter {
            kind: ParameterKind::Time,
            ..Parameter::number(name, range, default, doc)
        }
    }

    fn read(&self, setting: Setting) -> Option<f64> {
        let value = match (self.kind, setting) {
            (ParameterKind::Switch, Setting::Switch(on)) => f64::from(u8::from(on)),
            (ParameterKind::Time, Setting::Time(time)) => time.as_secs_f64(),
            (ParameterKind::Number, Setting::Number(n)) => n,
            (ParameterKind::Count, Setting::Number(n)) if n == libm::trunc(n) => n,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_defaults_lie_within_their_range() {
        let mut names: Vec<&str> = Vec::new();
        for a in BUILT_IN {
            names.push(a.name);
            names.extend(a.aliases);
            assert!(!a.doc.is_empty() && !a.source.is_empty(), "{}", a.name);
            assert!(a.parameters.len() <= MOST_PARAMETERS, "{}", a.name);
            let mut own: Vec<&str> = a.parameters.iter().map(|p| p.name).collect();
            for p in a.parameters {
                assert!(
                    p.min <= p.default && p.default <= p.max,
                    "{} {}",
                    a.name,
                    p.name
                );
            }
            own.sort_unstable();
            own.dedup();
            assert_eq!(own.len(), a.parameters.len(), "{}", a.name);
        }
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }

    #[test]
    fn a_choice_is_checked_and_shown() {
        let cubic = Control::named("cubic").unwrap();
        assert_eq!(cubic.to_string(), "cubic");
        let other = cubic.with("beta", Setting::Number(0.8)).unwrap();
        assert_eq!(other.to_string(), "cubic (beta = 0.8)");
        assert_ne!(cubic, other);
        let wrong = [
            ("beta", Setting::Number(1.5)),
            ("beta", Setting::Number(f64::NAN)),
            ("beta", Setting::Switch(true)),
            ("hystart", Setting::Number(1.0)),
            ("bet", Setting::Number(0.7)),
        ];
        for (name, value) in wrong {
            assert!(cubic.with(name, value).is_err(), "{name} {value:?}");
        }
        let error = Control::named("cubik").unwrap_err().to_string();
        assert!(error.contains("\"cubic\""), "{error}");
    }

    #[test]
    fn an_explanation_has_source_parameters_ranges_and_an_example() {
        let text = find("cubic").unwrap().explain();
        for part in [
            "source: RFC 9438",
            "beta = 0.7: share of the window that is left after a loss; a number between 0.1 and 0.99",
            "hystart = true",
            "{ kind = \"cubic\", beta = 0.7 }",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(find("reno").unwrap().explain().contains("RFC 5681"));
    }

    #[test]
    fn a_name_that_is_taken_cannot_be_registered() {
        static OTHER: Algorithm = Algorithm {
            name: "own-cubic",
            aliases: &["cubic"],
            doc: "",
            source: "",
            version: 1,
            parameters: &[],
            make: |_, context| Control::default().make(context),
        };
        assert_eq!(register(&OTHER), Err(ControlError::Taken("cubic")));
        assert!(find("own-cubic").is_none());
        static WIDE: Algorithm = Algorithm {
            parameters: &[Parameter::switch("on", true, ""); MOST_PARAMETERS + 1],
            ..Algorithm::own("wide", |_, context| Control::default().make(context))
        };
        assert_eq!(
            register(&WIDE),
            Err(ControlError::TooManyParameters("wide"))
        );
    }
}
