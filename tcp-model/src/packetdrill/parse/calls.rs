//! System calls: `connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)`.

use super::super::ast::SystemCall;
use super::super::cursor::{Parsed, ScriptCursor};
use super::expr::{expression, items};

/// Reads a call with its result.
pub(super) fn call(cursor: &mut ScriptCursor<'_>) -> Parsed<SystemCall> {
    let name = cursor.word()?.unwrap_or("").to_string();
    cursor.skip()?;
    if cursor.peek() != Some('(') {
        return Err(cursor.unexpected("'('"));
    }
    let (args, _) = items(cursor, ")", expression)?;
    cursor.expect("=")?;
    let result = expression(cursor)?;
    let errno = cursor.word()?.map(str::to_string);
    if let Some(name) = errno.iter().find(|name| !name.starts_with('E')) {
        return Err(cursor.error(format!("'{name}' is not the name of an error")));
    }
    // The explanation that strace adds to an error.
    if cursor.eat_next("(")? {
        cursor.take_until(")", "note")?;
    }
    Ok(SystemCall {
        name,
        args,
        result,
        errno,
    })
}
