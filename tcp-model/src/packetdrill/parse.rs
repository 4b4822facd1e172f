//! Reads a script: options, initial commands, events with their times.

mod calls;
mod code;
mod expr;
mod icmp;
mod options;
mod packets;

use sim_core::SimDuration;

use super::ast::{Action, Moment, Position, Script, ScriptEvent, ScriptOption, ShellCommand};
use super::cursor::{ParseError, Parsed, ScriptCursor};
use crate::suggest;

pub(super) use code::whole_expression;
pub(super) use icmp::numbers as icmp_numbers;
pub(super) use options::cookie as cookie_option;

/// Names of options, whether they have an effect in a simulator or not.
const OPTIONS: &str = "\
    ip_version bind_port connect_port local_ip local_linux_ip remote_ip gateway_ip \
    gateway_linux_ip netmask_ip is_anyip mss mtu speed tolerance_usecs tolerance_percent \
    tcp_ts_tick_usecs tcp_ts_ecr_scaled init_scripts code_command code_format code_sockopt \
    non_fatal persistent_tun_dev tun_dev send_omit_free strict_segments verbose quiet debug \
    dry_run so_filename so_flags define udp_encaps wire_client wire_server wire_client_dev \
    wire_server_dev wire_server_ip wire_server_port no_cleanup hexdump";

/// Reads a script.
///
/// # Errors
/// At the first syntax error, with its line and column.
pub fn parse(text: &str) -> Result<Script, ParseError> {
    let mut cursor = ScriptCursor::new(text, Position { line: 1, column: 1 });
    let mut script = Script::default();
    cursor.skip()?;
    while cursor.rest().starts_with("--") {
        script.options.push(option(&mut cursor)?);
        cursor.skip()?;
    }
    if cursor.peek() == Some('`') {
        script.init.push(command(&mut cursor)?);
        cursor.skip()?;
    }
    if cursor.peek() == Some('`') {
        let what = "only one command comes before the first event: write several lines in it";
        return Err(cursor.error(what.into()));
    }
    while !cursor.is_at_end() && cursor.peek() != Some('`') {
        script.events.push(event(&mut cursor)?);
        cursor.skip()?;
    }
    if cursor.peek() == Some('`') {
        script.cleanup = Some(command(&mut cursor)?);
        cursor.skip()?;
        if !cursor.is_at_end() {
            return Err(cursor.unexpected("nothing after the command that cleans up"));
        }
    }
    Ok(script)
}

fn option(cursor: &mut ScriptCursor<'_>) -> Parsed<ScriptOption> {
    let at = cursor.at();
    let start = *cursor;
    cursor.eat("--");
    let name = cursor.take_while(|c| c.is_ascii_alphanumeric() || c == '_');
    if !OPTIONS.split_whitespace().any(|known| known == name) {
        return Err(start.error(unknown(name)));
    }
    let value = if !cursor.eat("=") {
        ""
    } else if cursor.eat("\"") {
        cursor.take_until("\"", "string")?
    } else {
        cursor.take_while(|c| !c.is_whitespace())
    };
    Ok(ScriptOption {
        at,
        name: name.to_string(),
        value: value.to_string(),
    })
}

/// "unknown option --mtuu; did you mean --mtu?"
fn unknown(name: &str) -> String {
    let near = suggest::nearest(name, OPTIONS.split_whitespace());
    let near = near.map_or(String::new(), |near| format!("; did you mean --{near}?"));
    format!("unknown option --{name}{near}")
}

fn command(cursor: &mut ScriptCursor<'_>) -> Parsed<ShellCommand> {
    let at = cursor.at();
    cursor.expect("`")?;
    let text = cursor.take_until("`", "command")?.to_string();
    Ok(ShellCommand { at, text })
}

fn event(cursor: &mut ScriptCursor<'_>) -> Parsed<ScriptEvent> {
    let at = cursor.at();
    let moment = moment(cursor)?;
    cursor.skip()?;
    let until = if cursor.eat("...") {
        cursor.skip()?;
        cursor.eat("+");
        Some(seconds(cursor)?)
    } else {
        None
    };
    cursor.skip()?;
    let start = *cursor;
    let action = match cursor.peek() {
        Some('`') => Action::Command(command(cursor)?),
        Some('%') => Action::Code(code::block(cursor)?),
        Some('<' | '>') => packets::packet(cursor)?,
        Some(c) if c.is_ascii_alphabetic() || c == '_' => Action::Call(calls::call(cursor)?),
        _ => return Err(cursor.unexpected("a packet, a system call, `command` or %{ code }%")),
    };
    if until.is_some() && !matches!(action, Action::Call(_)) {
        return Err(start.error("only a system call has an end time".into()));
    }
    Ok(ScriptEvent {
        at,
        moment,
        until,
        action,
    })
}

fn moment(cursor: &mut ScriptCursor<'_>) -> Parsed<Moment> {
    if cursor.eat("*") {
        return Ok(Moment::Any);
    }
    let start = *cursor;
    let relative = cursor.eat("+");
    let first = seconds(cursor)?;
    if !cursor.eat_next("~")? {
        return Ok(if relative {
            Moment::After(first)
        } else {
            Moment::At(first)
        });
    }
    cursor.skip()?;
    if cursor.eat("+") != relative {
        return Err(start.error("one end of the range is relative, the other is not".into()));
    }
    let last = seconds(cursor)?;
    if last < first {
        return Err(start.error("the range of times ends before it begins".into()));
    }
    Ok(if relative {
        Moment::AfterBetween(first, last)
    } else {
        Moment::Between(first, last)
    })
}

/// Seconds with up to twelve decimals, exactly.
fn seconds(cursor: &mut ScriptCursor<'_>) -> Parsed<SimDuration> {
    cursor.skip()?;
    let start = *cursor;
    let whole = cursor.take_while(|c| c.is_ascii_digit());
    let has_fraction = cursor.rest().starts_with('.')
        && cursor.rest()[1..].starts_with(|c: char| c.is_ascii_digit());
    let fraction = if has_fraction {
        cursor.eat(".");
        cursor.take_while(|c| c.is_ascii_digit())
    } else {
        ""
    };
    // "1." is a number too; in "0...1" more follows.
    if !whole.is_empty() && !has_fraction && !cursor.rest().starts_with("..") {
        cursor.eat(".");
    }
    if whole.is_empty() && fraction.is_empty() {
        return Err(start.unexpected("a time"));
    }
    let too_large = || start.error("a time of more than 10 000 000 seconds".into());
    if whole.len() > 7 || fraction.len() > 12 {
        return Err(too_large());
    }
    let number = |digits: &str| digits.parse::<u64>().unwrap_or(0);
    let ps = number(&format!("{fraction:0<12}"));
    let secs = SimDuration::from_secs(number(whole));
    Ok(secs + SimDuration::from_ps(ps))
}
