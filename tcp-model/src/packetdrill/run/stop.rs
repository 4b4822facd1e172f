//! Why a run stops before its end.

use crate::packetdrill::ast::Position;
use crate::packetdrill::report::ScriptFailure;
use crate::suggest;

/// Why a run stops before its end.
#[derive(Debug)]
pub(super) enum RunStop {
    Failed(ScriptFailure),
    Unsupported(String),
    Invalid(String),
}

impl RunStop {
    /// Adds the place of a failure, unless a closer one is known.
    pub(super) fn at(mut self, place: Position) -> RunStop {
        if let RunStop::Failed(failure) = &mut self
            && failure.at == Position::default()
        {
            failure.at = place;
        }
        self
    }
}

/// Result of a part of a run.
pub(super) type Step<T> = Result<T, RunStop>;

pub(super) fn differs<T, E: From<RunStop>>(
    what: impl Into<String>,
    expected: impl Into<String>,
    actual: impl Into<String>,
) -> Result<T, E> {
    let failure = ScriptFailure {
        at: Position::default(),
        what: what.into(),
        expected: expected.into(),
        actual: actual.into(),
    };
    Err(RunStop::Failed(failure).into())
}

pub(super) fn unsupported<T, E: From<RunStop>>(what: impl Into<String>) -> Result<T, E> {
    Err(RunStop::Unsupported(what.into()).into())
}

/// Stops because the script itself is wrong.
pub(super) fn invalid<T, E: From<RunStop>>(what: impl Into<String>) -> Result<T, E> {
    Err(RunStop::Invalid(what.into()).into())
}

/// A name that does not exist, with the nearest that does.
pub(super) fn no_such<'a, T, E: From<RunStop>>(
    kind: &str,
    name: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Result<T, E> {
    let near = suggest::nearest(name, known);
    let near = near.map_or(String::new(), |near| format!("; did you mean {near}?"));
    invalid(format!("there is no {kind} {name}{near}"))
}
