//! Walks a script's text, keeping count of lines and columns.
//!
//! The language has no tokens that hold everywhere (`S.` is flags in a packet, `0...1` a span of
//! time before a call), so the parsers read characters.

use super::ast::Position;

/// A script that cannot be read: where, and what is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {message}")]
pub struct ParseError {
    /// Where.
    pub at: Position,
    /// What is wrong.
    pub message: String,
}

/// Result of a parser.
pub(super) type Parsed<T> = Result<T, ParseError>;

/// How deep brackets may nest.
const MAX_DEPTH: u32 = 40;

/// A place in the text.
#[derive(Clone, Copy, Debug)]
pub(super) struct ScriptCursor<'a> {
    rest: &'a str,
    at: Position,
    depth: u32,
    /// It walks code: a line ends a statement, and comments begin with `#` alone.
    pub(super) code: bool,
    /// Open brackets, inside which a line of code may end.
    pub(super) brackets: u32,
}

impl<'a> ScriptCursor<'a> {
    pub(super) fn new(text: &'a str, at: Position) -> ScriptCursor<'a> {
        ScriptCursor {
            rest: text,
            at,
            depth: 0,
            code: false,
            brackets: 0,
        }
    }

    /// A cursor for code.
    pub(super) fn of_code(text: &'a str, at: Position) -> ScriptCursor<'a> {
        let code = true;
        ScriptCursor {
            code,
            ..ScriptCursor::new(text, at)
        }
    }

    pub(super) fn at(&self) -> Position {
        self.at
    }

    pub(super) fn rest(&self) -> &'a str {
        self.rest
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.rest = &self.rest[c.len_utf8()..];
        if c == '\n' {
            self.at.line += 1;
            self.at.column = 1;
        } else {
            self.at.column += 1;
        }
        Some(c)
    }

    /// Takes characters while they fit.
    pub(super) fn take_while(&mut self, fits: impl Fn(char) -> bool) -> &'a str {
        let start = self.rest;
        while self.peek().is_some_and(&fits) {
            self.bump();
        }
        &start[..start.len() - self.rest.len()]
    }

    /// The text from here to the position of another cursor.
    pub(super) fn text_up_to(&self, other: &ScriptCursor<'_>) -> &'a str {
        &self.rest[..self.rest.len() - other.rest.len()]
    }

    /// Takes the text up to `end` and `end` itself; returns what lies before it.
    pub(super) fn take_until(&mut self, end: &str, what: &str) -> Parsed<&'a str> {
        let Some(len) = self.rest.find(end) else {
            return Err(self.error(format!("{what} is not closed by {end}")));
        };
        let text = &self.rest[..len];
        let stop = self.rest.len() - len - end.len();
        while self.rest.len() > stop {
            self.bump();
        }
        Ok(text)
    }

    /// Skips white space and comments; in code those of the statement, whose lines are joined by a
    /// backslash and inside brackets.
    pub(super) fn skip(&mut self) -> Parsed<()> {
        let one_line = self.code && self.brackets == 0;
        loop {
            self.take_while(|c| c == ' ' || c == '\t' || (!one_line && c.is_whitespace()));
            if self.rest.starts_with('#') || (!self.code && self.rest.starts_with("//")) {
                self.take_while(|c| c != '\n');
            } else if self.code {
                if !self.eat("\\\n") {
                    return Ok(());
                }
            } else if self.rest.starts_with("/*") {
                self.take_until("*/", "comment")?;
            } else {
                return Ok(());
            }
        }
    }

    /// Takes exactly this text if it is next.
    pub(super) fn eat(&mut self, text: &str) -> bool {
        let found = self.rest.starts_with(text);
        if found {
            for _ in text.chars() {
                self.bump();
            }
        }
        found
    }

    /// Skips, then takes this text if it is next.
    pub(super) fn eat_next(&mut self, text: &str) -> Parsed<bool> {
        self.skip()?;
        Ok(self.eat(text))
    }

    /// Skips, then takes this text.
    pub(super) fn expect(&mut self, text: &str) -> Parsed<()> {
        if self.eat_next(text)? {
            Ok(())
        } else {
            Err(self.unexpected(&format!("'{text}'")))
        }
    }

    /// The word that is next, if one is.
    pub(super) fn peek_word(&self) -> &'a str {
        let starts = self
            .peek()
            .is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
        if !starts {
            return "";
        }
        let end = self
            .rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(self.rest.len());
        &self.rest[..end]
    }

    /// Skips, then takes a word if one is next.
    pub(super) fn word(&mut self) -> Parsed<Option<&'a str>> {
        self.skip()?;
        let word = self.peek_word();
        Ok((!word.is_empty() && self.eat(word)).then_some(word))
    }

    /// Skips, then takes this word if it is next.
    pub(super) fn eat_word(&mut self, word: &str) -> Parsed<bool> {
        self.skip()?;
        Ok(self.peek_word() == word && self.eat(word))
    }

    /// Skips, then reads a number without sign, decimal or `0x`, at most `max`.
    pub(super) fn number(&mut self, what: &str, max: u64) -> Parsed<u64> {
        self.skip()?;
        let start = *self;
        let (digits, radix) = if self.eat("0x") || self.eat("0X") {
            (self.take_while(|c| c.is_ascii_hexdigit()), 16)
        } else {
            (self.take_while(|c| c.is_ascii_digit()), 10)
        };
        if digits.is_empty() {
            return Err(start.unexpected(what));
        }
        match u64::from_str_radix(digits, radix) {
            Ok(n) if n <= max => Ok(n),
            _ => Err(start.error(format!("{what} is larger than {max}"))),
        }
    }

    /// Goes one bracket deeper.
    pub(super) fn descend(&mut self) -> Parsed<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error("brackets nest too deep".into()));
        }
        Ok(())
    }

    /// Leaves a bracket.
    pub(super) fn ascend(&mut self) {
        self.depth -= 1;
    }

    pub(super) fn error(&self, message: String) -> ParseError {
        ParseError {
            at: self.at,
            message,
        }
    }

    /// "expected …, found …".
    pub(super) fn unexpected(&self, wanted: &str) -> ParseError {
        let found = match self.peek() {
            None => "the end of the script".to_string(),
            Some(_) if !self.peek_word().is_empty() => format!("'{}'", self.peek_word()),
            Some('\n') => "the end of the line".to_string(),
            Some(c) => format!("'{c}'"),
        };
        self.error(format!("expected {wanted}, found {found}"))
    }
}
