//! Prints the outcomes of scripts, for people and for programs.

use std::fmt;
use std::fmt::Write as _;

use serde_json::json;
use tcp_model::packetdrill::{Position, Report, ScriptOutcome};

use super::{FileOutcome, ScriptFile};

/// The number of scripts with each outcome.
#[derive(Debug, Default)]
pub(super) struct ScriptCounts {
    pub(super) passed: usize,
    pub(super) failed: usize,
    pub(super) unsupported: usize,
    pub(super) errors: usize,
    /// Number of passed scripts with skipped lines.
    pub(super) partly: usize,
}

impl ScriptCounts {
    pub(super) fn add(&mut self, outcome: &FileOutcome) {
        let place = match outcome {
            FileOutcome::Unreadable(_) | FileOutcome::Misread(_) => &mut self.errors,
            FileOutcome::Run(report) => match report.outcome {
                ScriptOutcome::Passed => {
                    self.partly += usize::from(!report.skipped.is_empty());
                    &mut self.passed
                }
                ScriptOutcome::Failed(_) => &mut self.failed,
                ScriptOutcome::Unsupported { .. } => &mut self.unsupported,
                ScriptOutcome::Invalid { .. } => &mut self.errors,
            },
        };
        *place += 1;
    }

    /// True if some part of the scripts was not run.
    pub(super) fn lacking(&self) -> bool {
        self.unsupported + self.partly > 0
    }
}

impl fmt::Display for ScriptCounts {
    /// Writes the counts in words: "5 scripts: 3 passed, 1 failed, 1 not supported".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.passed + self.failed + self.unsupported + self.errors;
        write!(f, "{all} script{}", if all == 1 { "" } else { "s" })?;
        write!(f, ": {} passed, {} failed", self.passed, self.failed)?;
        if self.unsupported > 0 {
            write!(f, ", {} not supported", self.unsupported)?;
        }
        if self.errors > 0 {
            write!(f, ", {} could not be read", self.errors)?;
        }
        Ok(())
    }
}

/// The paragraph about a script; `None` if there is nothing to say.
pub(super) fn text(script: &ScriptFile, verbose: bool, strict: bool) -> Option<String> {
    let path = script.path.display();
    Some(match &script.outcome {
        FileOutcome::Unreadable(message) => format!("ERROR {path} {message}"),
        FileOutcome::Misread(error) => {
            format!("ERROR {path}:{error}\n{}", line(script, error.at))
        }
        FileOutcome::Run(report) => match &report.outcome {
            ScriptOutcome::Passed if strict && !report.skipped.is_empty() => {
                format!("skip  {path}\n{}", skipped(report))
            }
            ScriptOutcome::Passed if !verbose => return None,
            ScriptOutcome::Invalid { at, what } => {
                format!("ERROR {path}:{at}: {what}\n{}", line(script, *at))
            }
            ScriptOutcome::Passed => format!("ok    {path}\n{}", details(report, true)),
            ScriptOutcome::Unsupported { at, what } => format!(
                "skip  {path}:{at}: not supported: {what}\n{}{}",
                line(script, *at),
                if verbose {
                    details(report, true)
                } else {
                    String::new()
                }
            ),
            ScriptOutcome::Failed(failure) => format!(
                "FAIL  {path}:{}: {}\n{}  expected: {}\n  actual:   {}\n{}",
                failure.at,
                failure.what,
                line(script, failure.at),
                failure.expected,
                failure.actual,
                details(report, verbose),
            ),
        },
    })
}

/// Maximum number of characters of a script's line that are shown.
const LONGEST_LINE: usize = 500;

/// The line of a script with its number: "  12 | +0 > . 1:1(0) ack 1".
fn line(script: &ScriptFile, at: Position) -> String {
    let mut lines = script.text.lines();
    let text = lines.nth(at.line.saturating_sub(1) as usize);
    text.map_or_else(String::new, |t| {
        let text: String = t.trim_end().chars().take(LONGEST_LINE).collect();
        format!("  {:>4} | {text}\n", at.line)
    })
}

/// The ladder, and what the script printed; with `all`, also the skipped parts.
fn details(report: &Report, all: bool) -> String {
    let mut out = String::new();
    for rung in &report.ladder {
        let _ = writeln!(out, "    {rung}");
    }
    for text in &report.printed {
        let _ = writeln!(out, "  printed: {text}");
    }
    if !all {
        return out;
    }
    out += &skipped(report);
    if report.unclaimed > 0 {
        let n = report.unclaimed;
        let _ = writeln!(out, "  {n} segments at the end that no line expects");
    }
    out
}

/// The skipped parts, a line for each.
fn skipped(report: &Report) -> String {
    let lines = report.skipped.iter();
    lines
        .map(|s| format!("  skipped at {}: {}\n", s.at, s.text))
        .collect()
}

/// One line of JSON.
pub(super) fn json(script: &ScriptFile) -> String {
    let mut value = match &script.outcome {
        FileOutcome::Unreadable(message) => json!({ "outcome": "error", "what": message }),
        FileOutcome::Misread(error) => json!({
            "outcome": "error",
            "line": error.at.line,
            "column": error.at.column,
            "what": error.message,
        }),
        FileOutcome::Run(report) => json!(report),
    };
    value["script"] = script.path.display().to_string().into();
    value.to_string()
}
