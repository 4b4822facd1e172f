//! What a run did not write, and the key that would make it do so.

use serde::{Deserialize, Serialize};

/// Something left out to keep the files of a run small.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LeftOut {
    /// The table it is missing from.
    pub table: String,
    /// What was left out, as a sentence.
    pub what: String,
    /// The line of a scenario's `[record]` that includes it.
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
