//! What can be wrong with a condition.

/// Why a condition cannot be read, or does not apply to the values it is given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    /// The name of no value.
    #[error("there is no value named {name}; {hint} (put text in quotation marks)")]
    UnknownName {
        /// The name as written.
        name: String,
        /// The name that was probably meant, or all there are.
        hint: String,
    },
    /// The end of several names.
    #[error("{name} could be {}", .candidates.join(" or "))]
    AmbiguousName {
        /// The name as written.
        name: String,
        /// The names that end so.
        candidates: Vec<String>,
    },
    /// A text that does not end.
    #[error("a text has no closing quotation mark")]
    UnclosedText,
    /// Digits that do not form a number.
    #[error("{0} is not a number")]
    NotANumber(String),
    /// A character that conditions do not have.
    #[error("`{0}` is not part of a condition")]
    UnknownSign(char),
    /// More than one condition.
    #[error("unexpected {0} after the end of the condition")]
    AfterEnd(String),
    /// A bracket or comma that must come next.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// Parentheses or signs within one another beyond this number.
    #[error("it is nested more than {0} deep")]
    TooDeep(usize),
    /// A sign with nothing after it.
    #[error("the condition ends where a value is expected")]
    EndsEarly,
    /// A sign in the place of a value.
    #[error("{0} stands where a value is expected")]
    NotAValue(String),
    /// A value in the place of true or false.
    #[error("{0} is neither true nor false")]
    NotASwitch(String),
    /// Quantities that cannot be compared or added.
    #[error("{0} and {1} are of different kinds")]
    DifferentKinds(String, String),
    /// Texts or switches in the place of numbers.
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
