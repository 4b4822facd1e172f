//! What can be wrong with a condition.

/// Why a condition cannot be parsed, or does not apply to the given values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    /// There is no value with this name.
    #[error("there is no value named {name}; {hint} (put text in quotation marks)")]
    UnknownName {
        /// The name as written.
        name: String,
        /// The name that was probably meant, or all names.
        hint: String,
    },
    /// Several names end with these parts.
    #[error("{name} could be {}", .candidates.join(" or "))]
    AmbiguousName {
        /// The name as written.
        name: String,
        /// The names that end with these parts.
        candidates: Vec<String>,
    },
    /// A text without a closing quotation mark.
    #[error("a text has no closing quotation mark")]
    UnclosedText,
    /// Digits that do not form a number.
    #[error("{0} is not a number")]
    NotANumber(String),
    /// A character that is not part of the syntax.
    #[error("`{0}` is not part of a condition")]
    UnknownSign(char),
    /// Something follows the condition.
    #[error("unexpected {0} after the end of the condition")]
    AfterEnd(String),
    /// A bracket or comma is missing.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// Parentheses or signs are nested deeper than this.
    #[error("it is nested more than {0} deep")]
    TooDeep(usize),
    /// Nothing follows a sign.
    #[error("the condition ends where a value is expected")]
    EndsEarly,
    /// A sign where a value is expected.
    #[error("{0} stands where a value is expected")]
    NotAValue(String),
    /// A value that is neither true nor false where one of them is expected.
    #[error("{0} is neither true nor false")]
    NotASwitch(String),
    /// Quantities that cannot be compared or added.
    #[error("{0} and {1} are of different kinds")]
    DifferentKinds(String, String),
    /// An order comparison of texts or switches.
    #[error("{0} and {1} have no order: only numbers can be compared with <, <=, > and >=")]
    Unordered(String, String),
    /// Calculation with something that is not a number.
    #[error("{left} {sign} {right} cannot be calculated: both must be numbers")]
    NotNumbers {
        /// The value to the left of the sign.
        left: String,
        /// `+`, `-`, `*` or `/`.
        sign: char,
        /// The value to its right.
        right: String,
    },
}
