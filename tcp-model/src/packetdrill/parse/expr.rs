//! Expressions: arguments and results of system calls, and the values of code.
//!
//! Names, numbers, strings, lists and calls are the same in both. Arguments have `|` as their only
//! operator, `...` for anything, structures and addresses (`&x`); code has the operators of Python.

use super::super::ast::{Expr, StructField};
use super::super::cursor::{Parsed, ScriptCursor};

/// Operators and how tightly they bind. Longer operators come before their prefixes.
const OPERATORS: [(&str, u8); 24] = [
    ("or", 1),
    ("and", 2),
    ("==", COMPARISON),
    ("!=", COMPARISON),
    ("<<", 8),
    (">>", 8),
    ("<=", COMPARISON),
    (">=", COMPARISON),
    ("<", COMPARISON),
    (">", COMPARISON),
    ("in", COMPARISON),
    ("not in", COMPARISON),
    ("is not", COMPARISON),
    ("is", COMPARISON),
    ("|", 5),
    ("^", 6),
    ("&", 7),
    ("+", 9),
    ("-", 9),
    ("**", UNARY + 1),
    ("//", 10),
    ("*", 10),
    ("/", 10),
    ("%", 10),
];
const NOT: u8 = 3;
const COMPARISON: u8 = 4;
const UNARY: u8 = 11;

/// Keywords of Python that begin something unsupported, or are in the wrong place.
pub(super) const REFUSED: [&str; 15] = [
    "for", "while", "def", "import", "from", "class", "return", "try", "with", "lambda", "del",
    "global", "raise", "elif", "else",
];

/// Reads an expression.
pub(super) fn expression(cursor: &mut ScriptCursor<'_>) -> Parsed<Expr> {
    let first = operation(cursor, 0)?;
    if !cursor.code || !cursor.eat_word("if")? {
        return Ok(first);
    }
    let test = operation(cursor, 0)?;
    if !cursor.eat_word("else")? {
        return Err(cursor.unexpected("'else'"));
    }
    let other = deeper(cursor, expression)?;
    Ok(Expr::Choice(Box::new([test, first, other])))
}

/// Reads operands joined by operators that bind at least as tightly as `least`.
fn operation(cursor: &mut ScriptCursor<'_>, least: u8) -> Parsed<Expr> {
    let mut left = operand(cursor, least)?;
    let mut chained = false;
    for terms in 1.. {
        let Some((name, level)) = operator(cursor, least)? else {
            break;
        };
        let right = match name {
            "**" => deeper(cursor, |cursor| operation(cursor, UNARY))?,
            _ => operation(cursor, level + 1)?,
        };
        left = match left {
            Expr::Compare(first, mut rest) if chained && level == COMPARISON => {
                rest.push((name, right));
                Expr::Compare(first, rest)
            }
            left if level == COMPARISON => Expr::Compare(Box::new(left), vec![(name, right)]),
            left => Expr::Binary(name, Box::new(left), Box::new(right)),
        };
        chained = level == COMPARISON;
        if terms > 200 {
            return Err(cursor.error("more than 200 terms in an expression".into()));
        }
    }
    Ok(left)
}

/// Takes the next operator if it binds at least as tightly as `least`.
fn operator(cursor: &mut ScriptCursor<'_>, least: u8) -> Parsed<Option<(&'static str, u8)>> {
    cursor.skip()?;
    for (name, level) in OPERATORS {
        let mut ahead = *cursor;
        let mut parts = name.split(' ');
        let found = match name.as_bytes()[0] {
            b'a'..=b'z' => parts.try_fold(true, |all, word| Ok(all && ahead.eat_word(word)?))?,
            _ => ahead.eat(name),
        };
        if found && (cursor.code || name == "|") {
            let taken = level >= least;
            *cursor = if taken { ahead } else { *cursor };
            return Ok(taken.then_some((name, level)));
        }
    }
    Ok(None)
}

/// An operand with preceding signs and following indices.
fn operand(cursor: &mut ScriptCursor<'_>, least: u8) -> Parsed<Expr> {
    if cursor.code {
        if least <= NOT && cursor.eat_word("not")? {
            let all = deeper(cursor, |cursor| operation(cursor, NOT))?;
            return Ok(Expr::Unary("not", Box::new(all)));
        }
        for sign in ["-", "+", "~"] {
            if cursor.eat_next(sign)? {
                let all = deeper(cursor, |cursor| operation(cursor, UNARY))?;
                return Ok(Expr::Unary(sign, Box::new(all)));
            }
        }
    }
    let mut base = atom(cursor)?;
    while cursor.code && cursor.eat_next("[")? {
        cursor.brackets += 1;
        let index = deeper(cursor, expression)?;
        cursor.brackets -= 1;
        cursor.expect("]")?;
        base = Expr::Item(Box::new([base, index]));
    }
    Ok(base)
}

fn deeper<'a, T>(
    cursor: &mut ScriptCursor<'a>,
    read: impl FnOnce(&mut ScriptCursor<'a>) -> Parsed<T>,
) -> Parsed<T> {
    cursor.descend()?;
    let all = read(cursor)?;
    cursor.ascend();
    Ok(all)
}

fn atom(cursor: &mut ScriptCursor<'_>) -> Parsed<Expr> {
    cursor.skip()?;
    let code = cursor.code;
    if !code && cursor.eat("...") {
        return Ok(Expr::Any);
    }
    match cursor.peek() {
        Some('[') => Ok(Expr::List(items(cursor, "]", expression)?.0)),
        Some('{') if !code => Ok(Expr::Struct(items(cursor, "}", field)?.0)),
        Some('(') if code => {
            let (mut all, comma) = items(cursor, ")", expression)?;
            Ok(match (all.len(), comma) {
                (1, false) => all.swap_remove(0),
                _ => Expr::List(all),
            })
        }
        Some('"' | '\'') if code => strings(cursor),
        Some('"') => {
            cursor.bump();
            let text = cursor.take_until("\"", "string")?.to_string();
            cursor.eat("..."); // a truncated string
            Ok(Expr::Text(text))
        }
        // An address: its content is written out.
        Some('&') if !code => {
            cursor.bump();
            atom(cursor)
        }
        Some('-') if !code => {
            cursor.bump();
            let n = cursor.number("a number", i64::MAX as u64)?;
            Ok(Expr::Int(-(n as i64)))
        }
        Some(c) if c.is_ascii_digit() || (code && c == '.') => number(cursor),
        _ => name(cursor),
    }
}

/// A name, or a call of it.
fn name(cursor: &mut ScriptCursor<'_>) -> Parsed<Expr> {
    let word = cursor.peek_word();
    if word.is_empty() || (cursor.code && REFUSED.contains(&word)) {
        return Err(cursor.unexpected("a value"));
    }
    cursor.eat(word);
    if cursor.code {
        // Strings with a letter as prefix.
        if matches!(word, "f" | "r" | "b" | "u") && cursor.rest().starts_with(['"', '\'']) {
            return string(cursor).map(Expr::Text);
        }
        cursor.skip()?;
    }
    if cursor.peek() == Some('(') {
        let (args, _) = items(cursor, ")", expression)?;
        return Ok(Expr::Apply(word.to_string(), args));
    }
    Ok(Expr::Word(word.to_string()))
}

/// A field with a name (`fd=3`), a counted name (`msg_iov(1)=[…]`) or none.
fn field(cursor: &mut ScriptCursor<'_>) -> Parsed<StructField> {
    let first = expression(cursor)?;
    if !cursor.eat_next("=")? {
        return Ok(StructField {
            name: None,
            value: first,
        });
    }
    let (name, count) = match first {
        Expr::Word(name) => (name, None),
        Expr::Apply(name, mut args) => (name, args.pop()),
        _ => return Err(cursor.error("only a name can stand before '='".into())),
    };
    let value = expression(cursor)?;
    if let (Some(Expr::Int(count)), Expr::List(all)) = (count, &value)
        && all.len() as i64 != count
    {
        let text = format!("{name}({count}) has {} elements", all.len());
        return Err(cursor.error(text));
    }
    Ok(StructField {
        name: Some(name),
        value,
    })
}

/// The comma-separated items between an opening bracket and `close`, possibly over several lines; and
/// whether a comma came last, which only code may have.
pub(super) fn items<'a, T>(
    cursor: &mut ScriptCursor<'a>,
    close: &str,
    each: fn(&mut ScriptCursor<'a>) -> Parsed<T>,
) -> Parsed<(Vec<T>, bool)> {
    cursor.bump();
    cursor.descend()?;
    cursor.brackets += 1;
    let mut all = Vec::new();
    let mut comma = false;
    while (comma && !cursor.code) || !cursor.eat_next(close)? {
        if !all.is_empty() && !comma {
            return Err(match cursor.code {
                true => cursor.unexpected(&format!("',' or '{close}'")),
                false => cursor.unexpected("','"),
            });
        }
        all.push(each(cursor)?);
        comma = cursor.eat_next(",")?;
    }
    cursor.brackets -= 1;
    cursor.ascend();
    Ok((all, comma))
}

/// A number; in code it may have a fraction or an exponent.
fn number(cursor: &mut ScriptCursor<'_>) -> Parsed<Expr> {
    let start = *cursor;
    if cursor.peek() != Some('.') {
        let n = cursor.number("a number", i64::MAX as u64)?;
        let goes_on = cursor.rest().starts_with(['.', 'e', 'E']);
        if !cursor.code || !goes_on || start.rest().starts_with("0x") {
            return Ok(Expr::Int(n as i64));
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
    let text = start.text_up_to(cursor);
    match text.parse::<f64>() {
        Ok(x) if x.is_finite() => Ok(Expr::Float(x)),
        _ => Err(start.error(format!("'{text}' is not a number"))),
    }
}

/// A string in code; adjacent ones are joined.
fn strings(cursor: &mut ScriptCursor<'_>) -> Parsed<Expr> {
    let mut all = String::new();
    while matches!(cursor.peek(), Some('"' | '\'')) {
        all += &string(cursor)?;
        cursor.skip()?;
    }
    Ok(Expr::Text(all))
}

/// A string in quotes; a backslash before a quote keeps it inside.
fn string(cursor: &mut ScriptCursor<'_>) -> Parsed<String> {
    let start = *cursor;
    let quote = cursor.bump().unwrap_or('"');
    let mut text = String::new();
    loop {
        match cursor.bump() {
            Some(c) if c == quote => return Ok(text),
            Some('\\') => match cursor.bump() {
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                c => text.extend(c),
            },
            Some('\n') | None => {
                return Err(start.error(format!("string is not closed by {quote}")));
            }
            Some(c) => text.push(c),
        }
    }
}
