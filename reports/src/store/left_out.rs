//! What a run did not write down, and the key that brings it.

use serde::{Deserialize, Serialize};

/// Something that was left out so that the files of a run stay small.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LeftOut {
    /// The table that does not have it.
    pub table: String,
    /// What was left out, a sentence.
    pub what: String,
    /// The line of a scenario's `[record]` that brings it.
    pub key: String,
}

impl LeftOut {
    pub(crate) fn new(table: &str, what: String, key: &str) -> LeftOut {
        LeftOut {
            table: table.to_owned(),
            what,
            key: key.to_owned(),
        }
    }
}
