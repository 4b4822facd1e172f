//! `%{ … }%`: the subset of Python that scripts use to check `tcp_info`.
//!
//! Statements `assert`, `print`, `pass`, assignment, and `if` with `elif` and `else`, whose blocks
//! are marked by indentation. The rest of Python is rejected when the script is read.

use super::super::ast::{Expr, Position, Statement};
use super::super::cursor::{Parsed, ScriptCursor};
use super::expr::{REFUSED, expression};

/// Operators that an assignment may include, as in `+=`.
const ASSIGNED: [&str; 9] = ["+", "-", "*", "//", "/", "%", "|", "&", "^"];

/// Reads a block with its brackets.
pub(super) fn block(cursor: &mut ScriptCursor<'_>) -> Parsed<Vec<Statement>> {
    cursor.expect("%{")?;
    let at = cursor.at();
    let text = cursor.take_until("}%", "code")?;
    let mut inner = ScriptCursor::of_code(text, at);
    let statements = statements(&mut inner, 0)?;
    if inner.is_at_end() {
        Ok(statements)
    } else {
        Err(inner.unexpected("a statement"))
    }
}

/// Reads a text that must consist of one expression.
pub(in super::super) fn whole_expression(text: &str) -> Parsed<Expr> {
    let mut cursor = ScriptCursor::of_code(text, Position { line: 1, column: 1 });
    let value = expression(&mut cursor)?;
    cursor.skip()?;
    if cursor.is_at_end() {
        Ok(value)
    } else {
        Err(cursor.unexpected("the end of the expression"))
    }
}

/// Statements whose lines begin at or to the right of this column.
fn statements(cursor: &mut ScriptCursor<'_>, column: u32) -> Parsed<Vec<Statement>> {
    let mut all = Vec::new();
    loop {
        separators(cursor)?;
        if cursor.is_at_end() || cursor.at().column < column {
            return Ok(all);
        }
        all.push(statement(cursor)?);
    }
}

/// Skips to the next statement.
fn separators(cursor: &mut ScriptCursor<'_>) -> Parsed<()> {
    loop {
        cursor.skip()?;
        let taken = cursor.take_while(|c| c.is_whitespace() || c == ';');
        if taken.is_empty() {
            return Ok(());
        }
    }
}

/// True where a line ends.
fn at_line_end(cursor: &mut ScriptCursor<'_>) -> Parsed<bool> {
    cursor.skip()?;
    Ok(cursor.is_at_end() || cursor.rest().starts_with(['\n', '\r']))
}

/// What follows a colon: statements on the same line, or an indented block.
fn suite(cursor: &mut ScriptCursor<'_>, column: u32) -> Parsed<Vec<Statement>> {
    cursor.expect(":")?;
    cursor.descend()?;
    let all = if at_line_end(cursor)? {
        separators(cursor)?;
        let inner = cursor.at().column;
        if cursor.is_at_end() || inner <= column {
            return Err(cursor.unexpected("an indented block"));
        }
        statements(cursor, inner)?
    } else {
        let mut all = vec![statement(cursor)?];
        while cursor.eat_next(";")? && !at_line_end(cursor)? {
            all.push(statement(cursor)?);
        }
        separators(cursor)?;
        all
    };
    cursor.ascend();
    Ok(all)
}

/// Reads what follows an `if` at this column.
fn choice(cursor: &mut ScriptCursor<'_>, column: u32) -> Parsed<Statement> {
    let mut tests = Vec::new();
    loop {
        let test = expression(cursor)?;
        tests.push((test, suite(cursor, column)?));
        let here = cursor.at().column == column;
        if here && cursor.eat_word("elif")? {
            continue;
        }
        let otherwise = match here && cursor.eat_word("else")? {
            true => suite(cursor, column)?,
            false => Vec::new(),
        };
        return Ok(Statement::If(tests, otherwise));
    }
}

/// Reads a statement up to its end.
fn statement(cursor: &mut ScriptCursor<'_>) -> Parsed<Statement> {
    let at = cursor.at();
    let word = cursor.peek_word();
    if REFUSED.contains(&word) {
        return Err(cursor.error(format!("'{word}' is not supported in code")));
    }
    let start = *cursor;
    cursor.eat(word);
    let statement = match word {
        "if" => return choice(cursor, at.column),
        "assert" => assertion(cursor, at)?,
        "print" => Statement::Print(printed(cursor)?),
        "pass" => Statement::Pass,
        "" => return Err(cursor.unexpected("a statement")),
        name => match assignment(cursor, name)? {
            Some(assigned) => assigned,
            None => {
                *cursor = start;
                Statement::Value(expression(cursor)?)
            }
        },
    };
    if at_line_end(cursor)? || cursor.rest().starts_with(';') {
        Ok(statement)
    } else {
        Err(cursor.unexpected("the end of the statement"))
    }
}

fn assertion(cursor: &mut ScriptCursor<'_>, at: Position) -> Parsed<Statement> {
    let start = *cursor;
    let test = expression(cursor)?;
    let text = start.text_up_to(cursor).trim().to_string();
    let message = match cursor.eat_next(",")? {
        true => Some(expression(cursor)?),
        false => None,
    };
    Ok(Statement::Assert {
        at,
        text,
        test,
        message,
    })
}

/// Comma-separated values, with or without brackets.
fn printed(cursor: &mut ScriptCursor<'_>) -> Parsed<Vec<Expr>> {
    if at_line_end(cursor)? || cursor.rest().starts_with(';') {
        return Ok(Vec::new());
    }
    let in_brackets = cursor.peek() == Some('(');
    let mut all = vec![expression(cursor)?];
    match &mut all[0] {
        Expr::List(values) if in_brackets => return Ok(std::mem::take(values)),
        _ if in_brackets => return Ok(all),
        _ => {}
    }
    while cursor.eat_next(",")? {
        all.push(expression(cursor)?);
    }
    Ok(all)
}

/// `name = value` or `name += value`; `None` for anything else.
fn assignment(cursor: &mut ScriptCursor<'_>, name: &str) -> Parsed<Option<Statement>> {
    cursor.skip()?;
    let assigned = |value| Some(Statement::Assign(name.to_string(), value));
    if !cursor.rest().starts_with("==") && cursor.eat("=") {
        return expression(cursor).map(assigned);
    }
    let mut all = ASSIGNED.into_iter();
    let Some(operator) = all.find(|operator| cursor.eat(&format!("{operator}="))) else {
        return Ok(None);
    };
    let old = Box::new(Expr::Word(name.to_string()));
    let value = Expr::Binary(operator, old, Box::new(expression(cursor)?));
    Ok(assigned(value))
}
