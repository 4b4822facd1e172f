//! `%{ … }%`: the little of Python that scripts use to look at `tcp_info`.
//!
//! Statements `assert`, `print`, `pass`, assignment, and `if` with `elif` and `else`, whose blocks
//! are marked by indentation; numbers, strings, names, arithmetic, bit operations, comparisons
//! (chained), `and`, `or`, `not`, `in`, a conditional expression, lists and a few functions. What
//! else Python has is refused when the script is read.

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
    /// `name = value`; `name += value` becomes `name = name + value`.
    Assign(String, Value),
    /// `if`, `elif`, `else`: tests with their statements, and those when no test holds.
    If(Vec<(Value, Vec<Statement>)>, Vec<Statement>),
    /// A value that is looked at and dropped.
    Value(Value),
    /// `pass`.
    Pass,
}

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
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
    /// `a[b]`.
    Item(Box<[Value; 2]>),
}

/// Words that begin what is not supported.
const REFUSED: [&str; 15] = [
    "for", "while", "def", "import", "from", "class", "return", "try", "with", "lambda", "del",
    "global", "raise", "elif", "else",
];

/// Reads a block with its brackets.
pub(super) fn block(cursor: &mut Cursor<'_>) -> Parsed<Vec<Statement>> {
    cursor.expect("%{")?;
    let at = cursor.at();
    let text = cursor.take_until("}%", "code")?;
    let mut inner = Cursor::new(text, at);
    let statements = statements(&mut inner, 0)?;
    if inner.is_at_end() {
        Ok(statements)
    } else {
        Err(inner.unexpected("a statement"))
    }
}

/// Reads a text that is one expression and nothing else.
pub(super) fn expression(text: &str) -> Parsed<Value> {
    let mut cursor = Cursor::new(text, Position { line: 1, column: 1 });
    let value = value(&mut cursor)?;
    blanks(&mut cursor);
    if cursor.is_at_end() {
        Ok(value)
    } else {
        Err(cursor.unexpected("the end of the expression"))
    }
}

/// Statements whose lines begin at this column or right of it.
fn statements(cursor: &mut Cursor<'_>, column: u32) -> Parsed<Vec<Statement>> {
    let mut all = Vec::new();
    loop {
        separators(cursor);
        if cursor.is_at_end() || cursor.at().column < column {
            return Ok(all);
        }
        all.push(statement(cursor)?);
        end_of_statement(cursor)?;
    }
}

fn end_of_statement(cursor: &mut Cursor<'_>) -> Parsed<()> {
    blanks(cursor);
    // After the block of an `if` the next line has begun.
    let begun = cursor.brackets == 0 && cursor.after_block;
    cursor.after_block = false;
    if begun || cursor.is_at_end() || cursor.rest().starts_with(['\n', ';', '\r']) {
        Ok(())
    } else {
        Err(cursor.unexpected("the end of the statement"))
    }
}

/// What stands behind a colon: statements on the same line, or an indented block.
fn suite(cursor: &mut Cursor<'_>, column: u32) -> Parsed<Vec<Statement>> {
    if !eat(cursor, ":") {
        return Err(cursor.unexpected("':'"));
    }
    cursor.descend()?;
    blanks(cursor);
    let on_the_line = !cursor.is_at_end() && !cursor.rest().starts_with(['\n', '\r']);
    let all = if on_the_line {
        let mut all = vec![statement(cursor)?];
        while eat(cursor, ";") {
            blanks(cursor);
            if cursor.is_at_end() || cursor.rest().starts_with(['\n', '\r']) {
                break;
            }
            all.push(statement(cursor)?);
        }
        end_of_statement(cursor)?;
        separators(cursor);
        all
    } else {
        separators(cursor);
        let inner = cursor.at().column;
        if cursor.is_at_end() || inner <= column {
            return Err(cursor.unexpected("an indented block"));
        }
        statements(cursor, inner)?
    };
    cursor.ascend();
    Ok(all)
}

/// After `if`, which stands at this column.
fn choice(cursor: &mut Cursor<'_>, column: u32) -> Parsed<Statement> {
    let mut tests = Vec::new();
    let mut otherwise = Vec::new();
    loop {
        blanks(cursor);
        let test = value(cursor)?;
        tests.push((test, suite(cursor, column)?));
        let here = cursor.at().column == column;
        if here && cursor.peek_word() == "elif" {
            cursor.eat("elif");
            continue;
        }
        if here && cursor.peek_word() == "else" {
            cursor.eat("else");
            otherwise = suite(cursor, column)?;
        }
        cursor.after_block = true;
        return Ok(Statement::If(tests, otherwise));
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
        "if" => {
            cursor.eat(word);
            choice(cursor, at.column)
        }
        "" => Err(cursor.unexpected("a statement")),
        name => assignment(cursor, name),
    }
}

/// `name = value`, `name += value`, or a value by itself.
fn assignment(cursor: &mut Cursor<'_>, name: &str) -> Parsed<Statement> {
    let start = *cursor;
    cursor.eat(name);
    blanks(cursor);
    if !cursor.rest().starts_with("==") && cursor.eat("=") {
        return Ok(Statement::Assign(name.to_string(), value(cursor)?));
    }
    for operator in ["+", "-", "*", "//", "/", "%", "|", "&", "^"] {
        if cursor.eat(&format!("{operator}=")) {
            let old = Box::new(Value::Name(name.to_string()));
            let new = Value::Binary(operator, old, Box::new(value(cursor)?));
            return Ok(Statement::Assign(name.to_string(), new));
        }
    }
    *cursor = start;
    value(cursor).map(Statement::Value)
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
        } else if *o == "*" && cursor.rest().starts_with("**") {
            false
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
    while let Some(o) = relation(cursor) {
        rest.push((o, level(cursor, n)?));
        if rest.len() > 200 {
            return Err(cursor.error("more than 200 terms in an expression".into()));
        }
    }
    Ok(if rest.is_empty() {
        first
    } else {
        Value::Compare(Box::new(first), rest)
    })
}

/// An operator of comparisons, of one word or two.
fn relation(cursor: &mut Cursor<'_>) -> Option<&'static str> {
    let o = operator(cursor, &["==", "!=", "<=", ">=", "<", ">", "in", "is"]);
    if o == Some("is") {
        return Some(if eat_word(cursor, "not") { "!=" } else { "is" });
    }
    let mut ahead = *cursor;
    if o.is_none() && eat_word(&mut ahead, "not") && eat_word(&mut ahead, "in") {
        *cursor = ahead;
        return Some("not in");
    }
    o
}

fn unary(cursor: &mut Cursor<'_>) -> Parsed<Value> {
    match operator(cursor, &["-", "+", "~"]) {
        None => power(cursor),
        Some(o) => {
            cursor.descend()?;
            let all = Value::Unary(o, Box::new(unary(cursor)?));
            cursor.ascend();
            Ok(all)
        }
    }
}

/// `a ** b`, which binds more tightly than a sign before it.
fn power(cursor: &mut Cursor<'_>) -> Parsed<Value> {
    let mut base = atom(cursor)?;
    while eat(cursor, "[") {
        cursor.descend()?;
        cursor.brackets += 1;
        let index = value(cursor)?;
        cursor.brackets -= 1;
        if !eat(cursor, "]") {
            return Err(cursor.unexpected("']'"));
        }
        cursor.ascend();
        base = Value::Item(Box::new([base, index]));
    }
    if !eat(cursor, "**") {
        return Ok(base);
    }
    cursor.descend()?;
    let exponent = unary(cursor)?;
    cursor.ascend();
    Ok(Value::Binary("**", Box::new(base), Box::new(exponent)))
}

/// A number, with a fraction or an exponent where it is no whole one.
fn number(cursor: &mut Cursor<'_>) -> Parsed<Value> {
    let start = *cursor;
    let starts_with_point = cursor.peek() == Some('.');
    if !starts_with_point {
        let n = cursor.number("a number", i64::MAX as u64)?;
        let goes_on = matches!(cursor.peek(), Some('.' | 'e' | 'E'));
        if !goes_on || start.rest().starts_with("0x") || start.rest().starts_with("0X") {
            return Ok(Value::Int(n as i64));
        }
    }
    cursor.take_while(|c| c.is_ascii_digit());
    if cursor.eat(".") {
        cursor.take_while(|c| c.is_ascii_digit());
    }
    if cursor.eat("e") || cursor.eat("E") {
        let _ = cursor.eat("-") || cursor.eat("+");
        cursor.take_while(|c| c.is_ascii_digit());
    }
    let text = &start.rest()[..start.rest().len() - cursor.rest().len()];
    match text.parse::<f64>() {
        Ok(x) if x.is_finite() => Ok(Value::Float(x)),
        _ => Err(start.error(format!("'{text}' is no number"))),
    }
}

/// A string in quotes; a backslash before a quote keeps it inside.
fn string(cursor: &mut Cursor<'_>) -> Parsed<Value> {
    let start = *cursor;
    let Some(quote) = cursor.bump() else {
        return Err(start.unexpected("a string"));
    };
    let mut text = String::new();
    loop {
        match cursor.bump() {
            Some(c) if c == quote => return Ok(Value::Text(text)),
            Some('\\') => match cursor.bump() {
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                Some(c) => text.push(c),
                None => break,
            },
            Some('\n') | None => break,
            Some(c) => text.push(c),
        }
    }
    Err(start.error(format!("string is not closed by {quote}")))
}

fn atom(cursor: &mut Cursor<'_>) -> Parsed<Value> {
    blanks(cursor);
    let begins_number = |c: char| c.is_ascii_digit() || c == '.';
    match cursor.peek() {
        Some(c) if begins_number(c) => number(cursor),
        Some('"' | '\'') => {
            let Value::Text(mut all) = string(cursor)? else {
                return Err(cursor.unexpected("a string"));
            };
            // Strings side by side are one.
            loop {
                blanks(cursor);
                match cursor.peek() {
                    Some('"' | '\'') => match string(cursor)? {
                        Value::Text(more) => all += &more,
                        other => return Ok(other),
                    },
                    _ => return Ok(Value::Text(all)),
                }
            }
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
            if matches!(word, "f" | "r" | "b" | "u") && cursor.rest().starts_with(['"', '\'']) {
                return string(cursor);
            }
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
