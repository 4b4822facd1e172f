//! `%{ … }%`: the little of Python that scripts use to look at `tcp_info`.
//!
//! Statements `assert`, `print`, `pass` and assignment; integers, strings, names, arithmetic, bit
//! operations, comparisons (chained), `and`, `or`, `not`, `in`, a conditional expression, lists
//! and a few functions. What else Python has is refused when the script is read.

use super::ast::Position;
use super::cursor::{Cursor, Parsed};

/// A statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Statement {
    /// `assert test, message`.
    Assert {
        /// Where.
        at: Position,
        /// The test, as text and read.
        text: String,
        /// The test.
        test: Value,
        /// What to say when it fails.
        message: Option<Value>,
    },
    /// `print(a, b)`.
    Print(Vec<Value>),
    /// `name = value`.
    Assign(String, Value),
    /// `pass`.
    Pass,
}

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number.
    Int(i64),
    /// A string.
    Text(String),
    /// A name.
    Name(String),
    /// `[a, b]` or `(a, b)`.
    List(Vec<Value>),
    /// `-a`, `+a`, `~a`, `not a`.
    Unary(&'static str, Box<Value>),
    /// `a + b`, `a and b`, …
    Binary(&'static str, Box<Value>, Box<Value>),
    /// `a < b <= c`.
    Compare(Box<Value>, Vec<(&'static str, Value)>),
    /// `a if test else b`: test, a, b.
    Choice(Box<[Value; 3]>),
    /// `f(a, b)`.
    Call(String, Vec<Value>),
}

/// Words that begin what is not supported.
const REFUSED: [&str; 14] = [
    "if", "for", "while", "def", "import", "from", "class", "return", "try", "with", "lambda",
    "del", "global", "raise",
];

/// Reads a block with its brackets.
pub(super) fn block(cursor: &mut Cursor<'_>) -> Parsed<Vec<Statement>> {
    cursor.expect("%{")?;
    let at = cursor.at();
    let text = cursor.take_until("}%", "code")?;
    let mut inner = Cursor::new(text, at);
    let mut statements = Vec::new();
    loop {
        separators(&mut inner);
        if inner.is_at_end() {
            return Ok(statements);
        }
        statements.push(statement(&mut inner)?);
        blanks(&mut inner);
        if !inner.is_at_end() && !inner.rest().starts_with(['\n', ';', '\r']) {
            return Err(inner.unexpected("the end of the statement"));
        }
    }
}

/// White space inside a statement, and a comment up to the end of the line. Lines are joined by a
/// backslash and inside brackets.
fn blanks(cursor: &mut Cursor<'_>) {
    loop {
        let joined = cursor.brackets > 0;
        cursor.take_while(|c| c == ' ' || c == '\t' || (joined && c.is_whitespace()));
        if cursor.peek() == Some('#') {
            cursor.take_while(|c| c != '\n');
        } else if !cursor.eat("\\\n") {
            return;
        }
    }
}

fn separators(cursor: &mut Cursor<'_>) {
    loop {
        blanks(cursor);
        if cursor
            .take_while(|c| c.is_whitespace() || c == ';')
            .is_empty()
        {
            return;
        }
    }
}

fn statement(cursor: &mut Cursor<'_>) -> Parsed<Statement> {
    let at = cursor.at();
    let word = cursor.peek_word();
    if REFUSED.contains(&word) {
        return Err(cursor.error(format!("'{word}' is not supported in code")));
    }
    match word {
        "assert" => {
            cursor.eat(word);
            blanks(cursor);
            let start = *cursor;
            let test = value(cursor)?;
            let len = start.rest().len() - cursor.rest().len();
            let text = start.rest()[..len].trim().to_string();
            let message = eat(cursor, ",").then(|| value(cursor)).transpose()?;
            Ok(Statement::Assert {
                at,
                text,
                test,
                message,
            })
        }
        "print" => {
            cursor.eat(word);
            blanks(cursor);
            let values = if cursor.rest().starts_with(['\n', ';']) || cursor.is_at_end() {
                Vec::new()
            } else if cursor.peek() == Some('(') {
                match value(cursor)? {
                    Value::List(all) => all,
                    one => vec![one],
                }
            } else {
                tuple(cursor)?
            };
            Ok(Statement::Print(values))
        }
        "pass" => {
            cursor.eat(word);
            Ok(Statement::Pass)
        }
        "" => Err(cursor.unexpected("a statement")),
        name => {
            cursor.eat(name);
            blanks(cursor);
            if cursor.rest().starts_with("==") || !cursor.eat("=") {
                return Err(cursor.unexpected("'=' (statements are assert, print, pass, name = …)"));
            }
            Ok(Statement::Assign(name.to_string(), value(cursor)?))
        }
    }
}

/// Values with commas between them.
fn tuple(cursor: &mut Cursor<'_>) -> Parsed<Vec<Value>> {
    let mut all = vec![value(cursor)?];
    while eat(cursor, ",") {
        all.push(value(cursor)?);
    }
    Ok(all)
}

fn eat(cursor: &mut Cursor<'_>, text: &str) -> bool {
    blanks(cursor);
    cursor.eat(text)
}

fn eat_word(cursor: &mut Cursor<'_>, word: &str) -> bool {
    blanks(cursor);
    cursor.peek_word() == word && cursor.eat(word)
}

fn value(cursor: &mut Cursor<'_>) -> Parsed<Value> {
    cursor.descend()?;
    let first = level(cursor, 0)?;
    let all = if eat_word(cursor, "if") {
        let test = level(cursor, 0)?;
        if !eat_word(cursor, "else") {
            return Err(cursor.unexpected("'else'"));
        }
        Value::Choice(Box::new([test, first, value(cursor)?]))
    } else {
        first
    };
    cursor.ascend();
    Ok(all)
}

/// Operators that associate to the left, the loosest first; `None` where `not` and the comparisons
/// stand. Longer ones come before those they begin with.
const LEVELS: [Option<&[&str]>; 9] = [
    Some(&["or"]),
    Some(&["and"]),
    None,
    Some(&["|"]),
    Some(&["^"]),
    Some(&["&"]),
    Some(&["<<", ">>"]),
    Some(&["+", "-"]),
    Some(&["//", "*", "/", "%"]),
];

fn level(cursor: &mut Cursor<'_>, n: usize) -> Parsed<Value> {
    let Some(operators) = LEVELS.get(n) else {
        return unary(cursor);
    };
    let Some(operators) = operators else {
        return comparison(cursor, n + 1);
    };
    let mut left = level(cursor, n + 1)?;
    let mut terms = 0;
    while let Some(operator) = operator(cursor, operators) {
        let right = level(cursor, n + 1)?;
        left = Value::Binary(operator, Box::new(left), Box::new(right));
        terms += 1;
        if terms > 200 {
            return Err(cursor.error("more than 200 terms in an expression".into()));
        }
    }
    Ok(left)
}

fn operator(cursor: &mut Cursor<'_>, operators: &[&'static str]) -> Option<&'static str> {
    blanks(cursor);
    operators.iter().copied().find(|o| {
        if o.starts_with(|c: char| c.is_ascii_alphabetic()) {
            cursor.peek_word() == *o && cursor.eat(o)
        } else {
            cursor.eat(o)
        }
    })
}

fn comparison(cursor: &mut Cursor<'_>, n: usize) -> Parsed<Value> {
    if eat_word(cursor, "not") {
        cursor.descend()?;
        let all = Value::Unary("not", Box::new(comparison(cursor, n)?));
        cursor.ascend();
        return Ok(all);
    }
    let first = level(cursor, n)?;
    let mut rest = Vec::new();
    while let Some(o) = operator(cursor, &["==", "!=", "<=", ">=", "<", ">", "in", "is"]) {
        rest.push((o, level(cursor, n)?));
    }
    Ok(if rest.is_empty() {
        first
    } else {
        Value::Compare(Box::new(first), rest)
    })
}

fn unary(cursor: &mut Cursor<'_>) -> Parsed<Value> {
    match operator(cursor, &["-", "+", "~"]) {
        None => atom(cursor),
        Some(o) => {
            cursor.descend()?;
            let all = Value::Unary(o, Box::new(unary(cursor)?));
            cursor.ascend();
            Ok(all)
        }
    }
}

fn atom(cursor: &mut Cursor<'_>) -> Parsed<Value> {
    blanks(cursor);
    match cursor.peek() {
        Some(c) if c.is_ascii_digit() => {
            let n = cursor.number("a number", i64::MAX as u64)?;
            if cursor.peek() == Some('.') {
                return Err(cursor.error("numbers in code are integers".into()));
            }
            Ok(Value::Int(n as i64))
        }
        Some(quote @ ('"' | '\'')) => {
            cursor.bump();
            let close = quote.to_string();
            Ok(Value::Text(
                cursor.take_until(&close, "string")?.to_string(),
            ))
        }
        Some(open @ ('(' | '[')) => {
            cursor.bump();
            let (mut all, comma) = arguments(cursor, if open == '(' { ")" } else { "]" })?;
            Ok(match (open, all.len(), comma) {
                ('(', 1, false) => all.swap_remove(0),
                _ => Value::List(all),
            })
        }
        _ => {
            let word = cursor.peek_word();
            if word.is_empty() || REFUSED.contains(&word) {
                return Err(cursor.unexpected("a value"));
            }
            cursor.eat(word);
            if eat(cursor, "(") {
                return Ok(Value::Call(word.to_string(), arguments(cursor, ")")?.0));
            }
            Ok(Value::Name(word.to_string()))
        }
    }
}

/// Values up to `close`, over several lines if need be; and whether a comma was the last of them.
fn arguments(cursor: &mut Cursor<'_>, close: &str) -> Parsed<(Vec<Value>, bool)> {
    let mut all = Vec::new();
    let mut comma = false;
    cursor.brackets += 1;
    while !eat(cursor, close) {
        if !all.is_empty() && !comma {
            return Err(cursor.unexpected(&format!("',' or '{close}'")));
        }
        all.push(value(cursor)?);
        comma = eat(cursor, ",");
    }
    cursor.brackets -= 1;
    Ok((all, comma))
}
