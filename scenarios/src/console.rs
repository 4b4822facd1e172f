//! Output of the program: results on stdout, everything else on stderr.
//!
//! A line that cannot be written to stderr is dropped. A failure to write to stdout is an error, unless the
//! reader has closed the pipe, as `head` does. Control characters are escaped.

use std::io::{self, ErrorKind, Write};

use reports::text::visible;

/// Why a command failed.
#[derive(Debug)]
pub enum CommandError {
    /// A run failed, or results or output could not be written; exit code 1.
    Run(String),
    /// The results do not meet the scenario's expectations; exit code 3.
    Unexpected(String),
    /// Wrong usage or a wrong scenario; exit code 2.
    Usage(String),
    /// A signal stopped the command; the exit code is 128 plus the signal's number.
    Stopped {
        /// What is complete, and how to continue.
        message: String,
        /// The exit code.
        code: u8,
    },
}

impl CommandError {
    /// The message, which may be empty, and the exit code.
    pub fn parts(&self) -> (&str, u8) {
        match self {
            CommandError::Run(message) => (message, 1),
            CommandError::Usage(message) => (message, 2),
            CommandError::Unexpected(message) => (message, 3),
            CommandError::Stopped { message, code } => (message, *code),
        }
    }
}

/// Prints a result to stdout, ending in one newline.
///
/// # Errors
/// When it cannot be written, unless the reader has closed the pipe.
pub(crate) fn print(text: &str) -> Result<(), CommandError> {
    let text = visible(text.trim_end());
    outcome(writeln!(io::stdout().lock(), "{text}"))
}

/// Flushes stdout, at the end of the program.
///
/// # Errors
/// As [`print`].
pub(crate) fn flush() -> Result<(), CommandError> {
    outcome(io::stdout().lock().flush())
}

/// Converts the result of a write into that of the command; a closed pipe is not a failure.
pub(crate) fn outcome(written: io::Result<()>) -> Result<(), CommandError> {
    match written {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(CommandError::Run(format!(
            "error: cannot write to stdout, so output is lost: {e}"
        ))),
        _ => Ok(()),
    }
}

/// Prints a message to stderr, if possible.
pub(crate) fn note(text: &str) {
    let text = clipped(text.trim_end());
    let _ = writeln!(io::stderr().lock(), "{}", visible(&text));
}

/// Maximum number of characters in a line of a message, which may quote a file without line breaks.
const LONGEST_LINE: usize = 2_000;

/// Shortens long lines.
fn clipped(text: &str) -> String {
    let lines = text
        .lines()
        .map(|line| match line.char_indices().nth(LONGEST_LINE) {
            Some((end, _)) => format!("{} …", &line[..end]),
            None => line.to_owned(),
        });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_quotes_a_huge_line_is_cut() {
        let text = format!("first\n{}\nlast", "é".repeat(3_000_000));
        let clipped = clipped(&text);
        assert!(clipped.chars().count() < 2_100);
        assert!(clipped.starts_with("first\né") && clipped.ends_with("é …\nlast"));
    }
}
