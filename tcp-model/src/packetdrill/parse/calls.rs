//! System calls: `connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)`.

use super::super::ast::{Call, Expr, Field};
use super::super::cursor::{Cursor, Parsed};

/// Reads a call with its result.
pub(super) fn call(cursor: &mut Cursor<'_>) -> Parsed<Call> {
    let name = cursor.word()?.unwrap_or("").to_string();
    cursor.expect("(")?;
    let args = items(cursor, ")")?;
    cursor.expect("=")?;
    let result = expression(cursor)?;
    let errno = cursor.word()?.map(str::to_string);
    if let Some(name) = &errno
        && !name.starts_with('E')
    {
        return Err(cursor.error(format!("'{name}' is not the name of an error")));
    }
    // The note that strace puts behind an error.
    if cursor.eat_next("(")? {
        cursor.take_until(")", "note")?;
    }
    Ok(Call {
        name,
        args,
        result,
        errno,
    })
}

/// Expressions with commas between them, up to `close`.
fn items(cursor: &mut Cursor<'_>, close: &str) -> Parsed<Vec<Expr>> {
    let mut items = Vec::new();
    cursor.descend()?;
    if !cursor.eat_next(close)? {
        loop {
            items.push(expression(cursor)?);
            if cursor.eat_next(close)? {
                break;
            }
            cursor.expect(",")?;
        }
    }
    cursor.ascend();
    Ok(items)
}

fn expression(cursor: &mut Cursor<'_>) -> Parsed<Expr> {
    let first = term(cursor)?;
    let mut all = vec![first];
    while cursor.eat_next("|")? {
        all.push(term(cursor)?);
    }
    Ok(match all.len() {
        1 => all.swap_remove(0),
        _ => Expr::Or(all),
    })
}

fn term(cursor: &mut Cursor<'_>) -> Parsed<Expr> {
    cursor.skip()?;
    if cursor.eat("...") {
        return Ok(Expr::Any);
    }
    match cursor.peek() {
        Some('[') => {
            cursor.bump();
            Ok(Expr::List(items(cursor, "]")?))
        }
        Some('{') => {
            cursor.bump();
            Ok(Expr::Struct(fields(cursor)?))
        }
        Some('"') => {
            cursor.bump();
            let text = cursor.take_until("\"", "string")?.to_string();
            cursor.eat("..."); // a string cut short
            Ok(Expr::Text(text))
        }
        // An address: what is there is written out.
        Some('&') => {
            cursor.bump();
            term(cursor)
        }
        Some('-') => {
            cursor.bump();
            Ok(Expr::Int(
                -(cursor.number("a number", i64::MAX as u64)? as i64),
            ))
        }
        Some(c) if c.is_ascii_digit() => {
            Ok(Expr::Int(cursor.number("a number", i64::MAX as u64)? as i64))
        }
        _ => match cursor.word()? {
            None => Err(cursor.unexpected("a value")),
            Some(word) if cursor.peek() == Some('(') => {
                cursor.bump();
                Ok(Expr::Apply(word.to_string(), items(cursor, ")")?))
            }
            Some(word) => Ok(Expr::Word(word.to_string())),
        },
    }
}

/// Fields, with names (`fd=3`), counted names (`msg_iov(1)=[…]`) or none.
fn fields(cursor: &mut Cursor<'_>) -> Parsed<Vec<Field>> {
    let mut fields = Vec::new();
    cursor.descend()?;
    if !cursor.eat_next("}")? {
        loop {
            let first = expression(cursor)?;
            let field = if cursor.eat_next("=")? {
                let (Expr::Word(name) | Expr::Apply(name, _)) = first else {
                    return Err(cursor.error("only a name can stand before '='".into()));
                };
                Field {
                    name: Some(name),
                    value: expression(cursor)?,
                }
            } else {
                Field {
                    name: None,
                    value: first,
                }
            };
            fields.push(field);
            if cursor.eat_next("}")? {
                break;
            }
            cursor.expect(",")?;
        }
    }
    cursor.ascend();
    Ok(fields)
}
