//! Problems with a scenario: what is wrong, where, and what to try.

use std::fmt::Write as _;
use std::ops::Range;

use crate::dotted_path::DottedPath;
use crate::locate;

/// A problem with a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The affected value; empty for the scenario as a whole.
    pub path: DottedPath,
    /// Its position in the text, if known more precisely than by the path.
    pub span: Option<Range<usize>>,
    /// What is wrong, as one sentence.
    pub message: String,
    /// What to try.
    pub help: Option<String>,
}

impl Problem {
    /// Creates a problem with the value at `path`.
    pub fn new(path: DottedPath, message: impl Into<String>) -> Problem {
        Problem {
            path,
            span: None,
            message: message.into(),
            help: None,
        }
    }

    /// Adds advice.
    pub fn help(mut self, help: impl Into<String>) -> Problem {
        self.help = Some(help.into());
        self
    }

    /// Sets the position in the text.
    pub fn at(mut self, span: Option<Range<usize>>) -> Problem {
        self.span = span;
        self
    }
}

/// The text of a scenario.
#[derive(Clone, Debug)]
pub struct SourceText {
    /// File name, or the name of a library scenario.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// The source of a value that is not from the scenario's text: `--set`, or a sweep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueOrigin {
    /// The path of the value.
    pub path: DottedPath,
    /// Where it comes from, as in `--set tcp.nagle=true`.
    pub words: String,
}

/// A rejected scenario; displays as the message for users.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RefusedScenario {
    /// What is wrong.
    pub problem: Problem,
    message: String,
}

impl RefusedScenario {
    /// Rejects a scenario because of a problem; `set` lists the values that do not come from its text.
    pub fn new(problem: Problem, source: &SourceText, set: &[ValueOrigin]) -> RefusedScenario {
        let message = render(&problem, source, set);
        RefusedScenario { problem, message }
    }
}

/// Formats the message for users: what is wrong, where, the line with a caret, and what to try.
///
/// A value from `--set` or a sweep is shown instead of the line of the file.
pub fn render(problem: &Problem, source: &SourceText, set: &[ValueOrigin]) -> String {
    let mut out = format!("error: {}\n", problem.message);
    // `workload.web` and `workload[0]` may be the same element.
    let tree = source.text.parse().unwrap_or_default();
    let path = locate::place(&tree, &problem.path);
    let set = set
        .iter()
        .rev()
        .find(|o| path.is_within(&locate::place(&tree, &o.path)));
    if let Some(set) = set {
        let _ = writeln!(out, "  --> {}", set.words);
    } else {
        let span = problem
            .span
            .clone()
            .or_else(|| locate::span_of(&source.text, &problem.path));
        match span {
            Some(span) => show_line(&mut out, source, &problem.path, span),
            None => {
                let _ = writeln!(out, "  --> {}", source.name);
            }
        }
    }
    if let Some(help) = &problem.help {
        let _ = writeln!(out, "  = help: {help}");
    }
    out
}

fn show_line(out: &mut String, source: &SourceText, path: &DottedPath, span: Range<usize>) {
    let text = &source.text;
    let mut start = span.start.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let line_start = text[..start].rfind('\n').map_or(0, |i| i + 1);
    let line_end = text[start..].find('\n').map_or(text.len(), |i| start + i);
    let line = text[line_start..line_end].trim_end_matches('\r');
    let number = text[..start].matches('\n').count() + 1;
    let column = text[line_start..start].chars().count() + 1;
    let end = span.end.min(line_end).max(start);
    let carets = text
        .get(start..end)
        .map_or(1, |s| s.trim_end().chars().count())
        .max(1);
    // Tabs are kept so that the caret is below the right column.
    let indent: String = text[line_start..start]
        .chars()
        .map(|c| if c == '\t' { '\t' } else { ' ' })
        .collect();
    let gutter = " ".repeat(number.to_string().len());
    let path = if path.0.is_empty() {
        String::new()
    } else {
        format!(" ({path})")
    };
    let _ = writeln!(out, "{gutter}--> {}:{number}:{column}{path}", source.name);
    // If the line is long, show the part around the position.
    let from = if column > MOST_BEFORE {
        column - MOST_BEFORE / 2
    } else {
        0
    };
    let before = if from > 0 { "… " } else { "" };
    let shown: String = line.chars().skip(from).take(MOST_SHOWN).collect();
    let after = if line.chars().count() > from + MOST_SHOWN {
        " …"
    } else {
        ""
    };
    let indent: String = indent.chars().skip(from).collect();
    let blank = " ".repeat(before.chars().count());
    let carets = carets.min(MOST_SHOWN.saturating_sub(column - 1 - from).max(1));
    let _ = writeln!(out, "{gutter} |");
    let _ = writeln!(out, "{number} | {before}{shown}{after}");
    let _ = writeln!(out, "{gutter} | {blank}{indent}{}", "^".repeat(carets));
}

/// Maximum number of characters of a line before the position, and in all.
const MOST_BEFORE: usize = 120;
const MOST_SHOWN: usize = 200;
