//! The error of a text that cannot be parsed.

use sim_core::queue_disc::ParseLimitError;
use sim_core::units::ParseUnitError;

/// The message for a text that cannot be parsed, which says what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(String);

impl From<String> for Unreadable {
    fn from(why: String) -> Unreadable {
        Unreadable(why)
    }
}

impl From<ParseLimitError> for Unreadable {
    fn from(error: ParseLimitError) -> Unreadable {
        Unreadable(error.to_string())
    }
}

impl From<ParseUnitError> for Unreadable {
    fn from(error: ParseUnitError) -> Unreadable {
        Unreadable(error.to_string())
    }
}
