//! TCP options: `<mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 7>`.

use super::super::ast::OptionSpec;
use super::super::cursor::{Cursor, Parsed};
use crate::options::Options;
use crate::suggest;

const MD5: u8 = 19;

/// Names of options.
const NAMES: [&str; 12] = [
    "mss", "wscale", "sackOK", "sack", "TS", "nop", "eol", "FO", "FOEXP", "md5", "ECN", "unknown",
];

/// The list, where there is one; `None` for `<...>`.
pub(super) fn list(cursor: &mut Cursor<'_>) -> Parsed<Option<Vec<OptionSpec>>> {
    let mut options = Vec::new();
    if !cursor.eat_next("<")? {
        return Ok(Some(options));
    }
    let start = *cursor;
    if cursor.eat_next("...")? {
        cursor.expect(">")?;
        return Ok(None);
    }
    if cursor.eat_next(">")? {
        return Err(start.error("an empty list of options: leave it out".into()));
    }
    loop {
        options.push(option(cursor)?);
        if cursor.eat_next(">")? {
            break;
        }
        cursor.expect(",")?;
    }
    let bytes: usize = options.iter().map(OptionSpec::wire_len).sum();
    if bytes > Options::MAX {
        return Err(start.error(format!("TCP options of {bytes} bytes, more than 40")));
    }
    Ok(Some(options))
}

/// The list names an option of MPTCP (RFC 8684).
pub(super) fn speak_of_mptcp(cursor: &Cursor<'_>) -> bool {
    let list = cursor.rest().strip_prefix('<');
    let list = list.and_then(|l| l.split_once('>')).map_or("", |l| l.0);
    let mut words = list.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.any(|w| MPTCP.contains(&w))
}

const MPTCP: [&str; 15] = [
    "mp_capable",
    "mp_capable_no_cs",
    "mp_join",
    "mp_join_syn",
    "mp_join_syn_ack",
    "mp_join_ack",
    "add_address",
    "add_addr",
    "remove_address",
    "remove_addr",
    "dss",
    "mp_prio",
    "mp_fail",
    "mp_fastclose",
    "mp_reset",
];

fn option(cursor: &mut Cursor<'_>) -> Parsed<OptionSpec> {
    cursor.skip()?;
    let start = *cursor;
    let max = u64::from(u32::MAX);
    Ok(match cursor.word()?.unwrap_or("") {
        "mss" => OptionSpec::Mss(cursor.number("mss", u16::MAX.into())? as u16),
        "wscale" => OptionSpec::WindowScale(cursor.number("wscale", 255)? as u8),
        "sackOK" => OptionSpec::SackPermitted,
        "nop" => OptionSpec::Nop,
        "eol" => OptionSpec::Eol,
        "sack" => OptionSpec::Sack(blocks(cursor)?),
        "TS" => {
            if !cursor.eat_word("val")? {
                return Err(cursor.unexpected("'val'"));
            }
            let val = cursor.number("a timestamp", max)? as u32;
            if !cursor.eat_word("ecr")? {
                return Err(cursor.unexpected("'ecr'"));
            }
            let ecr = cursor.number("a timestamp", max)? as u32;
            OptionSpec::Timestamps { val, ecr }
        }
        "FO" => fast_open(cursor, false)?,
        "FOEXP" => fast_open(cursor, true)?,
        "md5" => OptionSpec::Other(MD5, hex(cursor)?),
        "ECN" => accurate_ecn(cursor)?,
        "unknown" => unknown(cursor)?,
        _ => {
            if let Some(near) = suggest::nearest(start.peek_word(), NAMES) {
                let word = start.peek_word();
                return Err(start.error(format!(
                    "there is no TCP option {word}; did you mean {near}?"
                )));
            }
            return Err(start.unexpected(
                "a TCP option (mss, wscale, sackOK, sack, TS, nop, eol, FO, FOEXP, md5, ECN, unknown)",
            ));
        }
    })
}

/// A cookie in hexadecimal or by its name, or none.
fn fast_open(cursor: &mut Cursor<'_>, experimental: bool) -> Parsed<OptionSpec> {
    cursor.skip()?;
    let word = cursor.peek_word();
    let is_name = |c: char| c == '_' || c.is_ascii_uppercase();
    if word.starts_with(is_name) && word.contains(|c: char| !c.is_ascii_hexdigit()) {
        cursor.eat(word);
        return Ok(OptionSpec::NamedCookie {
            name: word.to_string(),
            experimental,
        });
    }
    Ok(OptionSpec::cookie(&hex(cursor)?, experimental))
}

/// Kinds of the AccECN option (RFC 9768 section 3.2.3): counters of octets marked ECT(0), CE,
/// ECT(1) in this order, or in the other.
const ACC_ECN_0: u8 = 172;
const ACC_ECN_1: u8 = 174;

/// `ECN e0b 1 ceb 0 e1b 1`: up to three counters of 24 bits, the first of which tells the order.
fn accurate_ecn(cursor: &mut Cursor<'_>) -> Parsed<OptionSpec> {
    let mut names = Vec::new();
    let mut data = Vec::new();
    loop {
        cursor.skip()?;
        let start = *cursor;
        let name = match cursor.peek_word() {
            "" => break,
            name @ ("e0b" | "ceb" | "e1b") => name,
            _ => return Err(start.unexpected("e0b, ceb or e1b")),
        };
        cursor.eat(name);
        let n = cursor.number("a counter", (1 << 24) - 1)? as u32;
        names.push(name);
        data.extend(&n.to_be_bytes()[1..]);
    }
    let order_0 = ["e0b", "ceb", "e1b"];
    let order_1 = ["e1b", "ceb", "e0b"];
    match &names[..] {
        n if order_0.starts_with(n) => Ok(OptionSpec::Other(ACC_ECN_0, data)),
        n if order_1.starts_with(n) => Ok(OptionSpec::Other(ACC_ECN_1, data)),
        _ => Err(cursor.error("counters in neither order of the AccECN option".into())),
    }
}

fn blocks(cursor: &mut Cursor<'_>) -> Parsed<Vec<(u32, u32)>> {
    let mut blocks = Vec::new();
    let max = u64::from(u32::MAX);
    loop {
        let left = cursor.number("a sequence number", max)? as u32;
        cursor.expect(":")?;
        blocks.push((left, cursor.number("a sequence number", max)? as u32));
        cursor.skip()?;
        if !cursor.peek().is_some_and(|c| c.is_ascii_digit()) {
            return Ok(blocks);
        }
    }
}

/// Bytes as hexadecimal digits, with or without `0x`; none at all is an empty list.
fn hex(cursor: &mut Cursor<'_>) -> Parsed<Vec<u8>> {
    cursor.skip()?;
    let start = *cursor;
    let _ = cursor.eat("0x");
    let digits = cursor.take_while(|c| c.is_ascii_alphanumeric());
    let odd = || start.error(format!("'{digits}' is not a list of bytes in hexadecimal"));
    if !digits.len().is_multiple_of(2) || digits.len() > 2 * Options::MAX {
        return Err(odd());
    }
    (0..digits.len() / 2)
        .map(|i| u8::from_str_radix(&digits[2 * i..2 * i + 2], 16).map_err(|_| odd()))
        .collect()
}

/// `unknown 99 0x0102`, or the kind as the first byte: `unknown 0x630102`.
fn unknown(cursor: &mut Cursor<'_>) -> Parsed<OptionSpec> {
    cursor.skip()?;
    let start = *cursor;
    if !cursor.rest().starts_with("0x") {
        let kind = cursor.number("an option kind", 255)? as u8;
        return Ok(OptionSpec::Other(kind, hex(cursor)?));
    }
    match hex(cursor)?.split_first() {
        Some((&kind, data)) => Ok(OptionSpec::Other(kind, data.to_vec())),
        None => Err(start.unexpected("an option kind")),
    }
}
