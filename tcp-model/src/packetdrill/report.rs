//! The result of a script.

use std::fmt;

use serde::Serialize;
use sim_core::SimTime;

use super::ast::Position;

/// The result of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// How it ended.
    #[serde(flatten)]
    pub outcome: ScriptOutcome,
    /// Every segment up to the end, in order.
    pub ladder: Vec<Rung>,
    /// Segments that were sent and that no line of the script expected.
    pub unclaimed: usize,
    /// Commands and options that have no effect here and were skipped.
    pub skipped: Vec<Skipped>,
    /// What `print` wrote.
    pub printed: Vec<String>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "outcome", rename_all = "lowercase")]
pub enum ScriptOutcome {
    /// Everything matched the script.
    Passed,
    /// Something differed.
    Failed(ScriptFailure),
    /// The script itself is wrong: it uses a name of a call, a constant, a field of `tcp_info` or a
    /// system parameter that does not exist, or echoes a timestamp that was never sent.
    #[serde(rename = "error")]
    Invalid {
        /// Where.
        #[serde(flatten)]
        at: Position,
        /// What is wrong, with a suggestion for a misspelt name.
        what: String,
    },
    /// The script needs something that the interpreter or the model does not support: neither passed
    /// nor failed.
    Unsupported {
        /// Where.
        #[serde(flatten)]
        at: Position,
        /// What is missing.
        what: String,
    },
}

/// The first difference between script and model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScriptFailure {
    /// The event.
    #[serde(flatten)]
    pub at: Position,
    /// What was compared.
    pub what: String,
    /// The value in the script.
    pub expected: String,
    /// The actual value.
    pub actual: String,
}

/// A segment of the ladder.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rung {
    /// When, in seconds.
    pub time_s: f64,
    /// From the script to the model.
    pub inbound: bool,
    /// The segment in the language of scripts.
    pub text: String,
}

/// Something that was skipped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// Where.
    pub at: Position,
    /// The text.
    pub text: String,
}

impl Report {
    /// True when the script passed.
    pub fn passed(&self) -> bool {
        self.outcome == ScriptOutcome::Passed
    }
}

impl Rung {
    pub(super) fn new(at: SimTime, inbound: bool, text: String) -> Rung {
        Rung {
            time_s: at.as_secs_f64(),
            inbound,
            text,
        }
    }
}

impl fmt::Display for Rung {
    /// "0.100000 > S. 0:0(0) ack 1".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arrow = if self.inbound { '<' } else { '>' };
        write!(f, "{:.6} {arrow} {}", self.time_s, self.text)
    }
}

impl fmt::Display for Report {
    /// The outcome; for a failure with the ladder so far.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.outcome {
            ScriptOutcome::Passed => return f.write_str("passed"),
            ScriptOutcome::Unsupported { at, what } => {
                return write!(f, "{at}: not supported: {what}");
            }
            ScriptOutcome::Invalid { at, what } => return write!(f, "{at}: {what}"),
            ScriptOutcome::Failed(failure) => {
                let ScriptFailure { at, what, .. } = failure;
                writeln!(f, "{at}: {what}")?;
                writeln!(f, "  expected: {}", failure.expected)?;
                writeln!(f, "  actual:   {}", failure.actual)?;
            }
        }
        for rung in &self.ladder {
            writeln!(f, "    {rung}")?;
        }
        Ok(())
    }
}
