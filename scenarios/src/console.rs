//! What the program says: results on stdout, everything else on stderr.
//!
//! A line on stderr that cannot be written is lost and changes nothing. Output on stdout that cannot
//! be written is an error, unless its reader has gone away, as `head` does. Characters that would
//! act on a terminal are written out.

use std::io::{self, ErrorKind, Write};

use reports::text::visible;

/// Why a command ends without success.
#[derive(Debug)]
pub enum Failure {
    /// A run, a result, or output failed; exit code 1.
    Run(String),
    /// The results are not what the scenario expects; exit code 3.
    Unexpected(String),
    /// Usage or scenario; exit code 2.
    Usage(String),
    /// A signal stopped the command; its exit code is 128 and the signal's number.
    Stopped {
        /// What is complete, and how to go on.
        message: String,
        /// The exit code.
        code: u8,
    },
}

impl Failure {
    /// What is left to say, and the exit code.
    pub fn parts(&self) -> (&str, u8) {
        match self {
            Failure::Run(message) => (message, 1),
            Failure::Usage(message) => (message, 2),
            Failure::Unexpected(message) => (message, 3),
            Failure::Stopped { message, code } => (message, *code),
        }
    }
}

/// Prints a result to stdout, with one line end.
///
/// # Errors
/// When it cannot be written, and not because its reader has gone.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let text = visible(text.trim_end());
    outcome(writeln!(io::stdout().lock(), "{text}"))
}

/// Flushes stdout, at the end of the program.
///
/// # Errors
/// As [`print`].
pub(crate) fn flush() -> Result<(), Failure> {
    outcome(io::stdout().lock().flush())
}

/// Tells what became of output.
pub(crate) fn outcome(written: io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(Failure::Run(format!(
            "error: cannot write to stdout, so output is lost: {e}"
        ))),
        _ => Ok(()),
    }
}

/// Says something on stderr, if that is possible.
pub(crate) fn note(text: &str) {
    let text = clipped(text.trim_end());
    let _ = writeln!(io::stderr().lock(), "{}", visible(&text));
}

/// Most characters of a line of a message: it may quote a file that is all one line.
const LONGEST_LINE: usize = 2_000;

/// The text with what is too much of a line left out.
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
