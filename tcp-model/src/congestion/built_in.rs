//! The list of named congestion controls.
//!
//! An algorithm is a file of this module and its row in [`BUILT_IN`]; a user's own is added with [`register`]
//! and is then selected by its name like the built-in ones.

use std::sync::{PoisonError, RwLock};

use super::{Algorithm, Control, ControlError, MOST_PARAMETERS};
use crate::suggest;

/// The built-in algorithms.
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

static REGISTERED: RwLock<Vec<&'static Algorithm>> = RwLock::new(Vec::new());

/// Registers a user's own algorithm under its name, for the whole process. Call it before scenarios
/// are read.
///
/// # Errors
/// When one of its names is already taken, or it has too many parameters.
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

/// All named algorithms, the built-in ones first.
pub fn algorithms() -> Vec<&'static Algorithm> {
    let registered = REGISTERED.read().unwrap_or_else(PoisonError::into_inner);
    BUILT_IN.iter().chain(registered.iter()).copied().collect()
}

/// The algorithm of that name.
pub fn find(name: &str) -> Option<&'static Algorithm> {
    let named = |a: &&Algorithm| a.name == name || a.aliases.contains(&name);
    algorithms().into_iter().find(named)
}

impl Control {
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

    /// Whether it is built in; otherwise it is a user's own.
    pub fn is_built_in(&self) -> bool {
        BUILT_IN.iter().any(|b| std::ptr::eq(*b, self.algorithm()))
    }
}

impl Default for Control {
    fn default() -> Control {
        Control::new(&super::newreno::ALGORITHM)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ControlParameter, ControlValue};
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
        let other = cubic.with("beta", ControlValue::Number(0.8)).unwrap();
        assert_eq!(other.to_string(), "cubic (beta = 0.8)");
        assert_ne!(cubic, other);
        let wrong = [
            ("beta", ControlValue::Number(1.5)),
            ("beta", ControlValue::Number(f64::NAN)),
            ("beta", ControlValue::Switch(true)),
            ("hystart", ControlValue::Number(1.0)),
            ("bet", ControlValue::Number(0.7)),
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
            parameters: &[ControlParameter::switch("on", true, ""); MOST_PARAMETERS + 1],
            ..Algorithm::own("wide", |_, context| Control::default().make(context))
        };
        assert_eq!(
            register(&WIDE),
            Err(ControlError::TooManyParameters("wide"))
        );
    }
}
