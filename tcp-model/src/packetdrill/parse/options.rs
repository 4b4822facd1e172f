//! TCP options: `<mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 7>`.

use super::super::ast::NamedCookie;
use super::super::cursor::{Parsed, ScriptCursor};
use crate::options::{Options, kind};
use crate::suggest;

const MD5: u8 = 19;

/// Names of options.
const NAMES: [&str; 12] = [
    "mss", "wscale", "sackOK", "sack", "TS", "nop", "eol", "FO", "FOEXP", "md5", "ECN", "unknown",
];

/// A list of options: the bytes, and the cookies given by name.
type List = (Options, Vec<NamedCookie>);

/// The list, empty if there is none; `None` for `<...>`.
pub(super) fn list(cursor: &mut ScriptCursor<'_>) -> Parsed<Option<List>> {
    let (mut bytes, mut cookies) = (Vec::new(), Vec::new());
    if !cursor.eat_next("<")? {
        return Ok(Some((Options::NONE, cookies)));
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
        let at = bytes.len();
        bytes.extend(match option(cursor)? {
            Spelt::Bytes(option) => option,
            Spelt::Cookie(name, experimental) => {
                cookies.push(NamedCookie {
                    name,
                    experimental,
                    at,
                });
                vec![0; NamedCookie::ROOM]
            }
        });
        if cursor.eat_next(">")? {
            break;
        }
        cursor.expect(",")?;
    }
    match Options::from_bytes(&bytes) {
        Ok(options) => Ok(Some((options, cookies))),
        Err(_) => {
            let bytes = bytes.len();
            Err(start.error(format!("TCP options of {bytes} bytes, more than 40")))
        }
    }
}

/// An option as it is written.
enum Spelt {
    Bytes(Vec<u8>),
    /// A cookie by its name; `true` for `FOEXP`.
    Cookie(String, bool),
}

/// An option with its length.
fn tlv(kind: u8, data: impl IntoIterator<Item = u8>) -> Vec<u8> {
    let mut bytes = vec![kind, 0];
    bytes.extend(data);
    bytes[1] = bytes.len() as u8;
    bytes
}

/// A Fast Open option, of kind 34 or an experiment (RFC 6994, RFC 7413).
pub(in super::super) fn cookie(cookie: &[u8], experimental: bool) -> Vec<u8> {
    let cookie = cookie.iter().copied();
    match experimental {
        true => tlv(kind::EXPERIMENT_1, [0xf9, 0x89].into_iter().chain(cookie)),
        false => tlv(kind::FAST_OPEN, cookie),
    }
}

/// Whether the list has an option of MPTCP (RFC 8684).
pub(super) fn speak_of_mptcp(cursor: &ScriptCursor<'_>) -> bool {
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

fn option(cursor: &mut ScriptCursor<'_>) -> Parsed<Spelt> {
    cursor.skip()?;
    let start = *cursor;
    let word = cursor.word()?.unwrap_or("");
    Ok(Spelt::Bytes(match word {
        "mss" => tlv(kind::MSS, number(cursor, "mss", u16::MAX.into(), 2)?),
        "wscale" => tlv(kind::WINDOW_SCALE, number(cursor, "wscale", 255, 1)?),
        "sackOK" => tlv(kind::SACK_PERMITTED, []),
        "nop" => vec![kind::NOP],
        "eol" => vec![kind::EOL],
        "sack" => tlv(kind::SACK, blocks(cursor)?),
        "TS" => {
            let mut data = Vec::new();
            for word in ["val", "ecr"] {
                if !cursor.eat_word(word)? {
                    return Err(cursor.unexpected(&format!("'{word}'")));
                }
                data.extend(number(cursor, "a timestamp", u32::MAX, 4)?);
            }
            tlv(kind::TIMESTAMPS, data)
        }
        "FO" | "FOEXP" => return fast_open(cursor, word == "FOEXP"),
        "md5" => tlv(MD5, hex(cursor)?),
        "ECN" => accurate_ecn(cursor)?,
        "unknown" => unknown(cursor)?,
        _ => {
            return Err(match suggest::nearest(word, NAMES) {
                Some(near) => start.error(format!(
                    "there is no TCP option {word}; did you mean {near}?"
                )),
                None => start.unexpected(&format!("a TCP option ({})", NAMES.join(", "))),
            });
        }
    }))
}

/// A number in the given number of bytes.
fn number(cursor: &mut ScriptCursor<'_>, what: &str, max: u32, bytes: usize) -> Parsed<Vec<u8>> {
    let n = cursor.number(what, max.into())? as u32;
    Ok(n.to_be_bytes()[4 - bytes..].to_vec())
}

/// A cookie in hexadecimal or by its name, or none.
fn fast_open(cursor: &mut ScriptCursor<'_>, experimental: bool) -> Parsed<Spelt> {
    cursor.skip()?;
    let word = cursor.peek_word();
    let is_name = |c: char| c == '_' || c.is_ascii_uppercase();
    if word.starts_with(is_name) && word.contains(|c: char| !c.is_ascii_hexdigit()) {
        cursor.eat(word);
        return Ok(Spelt::Cookie(word.to_string(), experimental));
    }
    Ok(Spelt::Bytes(cookie(&hex(cursor)?, experimental)))
}

/// Kinds of the AccECN option (RFC 9768 section 3.2.3): counters of octets marked ECT(0), CE,
/// ECT(1) in this order, or in the other.
const ACC_ECN_0: u8 = 172;
const ACC_ECN_1: u8 = 174;

/// `ECN e0b 1 ceb 0 e1b 1`: up to three counters of 24 bits; the first one shows the order.
fn accurate_ecn(cursor: &mut ScriptCursor<'_>) -> Parsed<Vec<u8>> {
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
        data.extend(number(cursor, "a counter", (1 << 24) - 1, 3)?);
        names.push(name);
    }
    let order_0 = ["e0b", "ceb", "e1b"];
    let order_1 = ["e1b", "ceb", "e0b"];
    match &names[..] {
        n if order_0.starts_with(n) => Ok(tlv(ACC_ECN_0, data)),
        n if order_1.starts_with(n) => Ok(tlv(ACC_ECN_1, data)),
        _ => Err(cursor.error("counters in neither order of the AccECN option".into())),
    }
}

/// SACK blocks, `1:1001 2001:3001`.
fn blocks(cursor: &mut ScriptCursor<'_>) -> Parsed<Vec<u8>> {
    let mut data = Vec::new();
    loop {
        data.extend(number(cursor, "a sequence number", u32::MAX, 4)?);
        cursor.expect(":")?;
        data.extend(number(cursor, "a sequence number", u32::MAX, 4)?);
        cursor.skip()?;
        if !cursor.peek().is_some_and(|c| c.is_ascii_digit()) {
            return Ok(data);
        }
    }
}

/// Bytes as hexadecimal digits, with or without `0x`; none at all is an empty list.
fn hex(cursor: &mut ScriptCursor<'_>) -> Parsed<Vec<u8>> {
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
fn unknown(cursor: &mut ScriptCursor<'_>) -> Parsed<Vec<u8>> {
    cursor.skip()?;
    let start = *cursor;
    if !cursor.rest().starts_with("0x") {
        let kind = cursor.number("an option kind", 255)? as u8;
        return Ok(tlv(kind, hex(cursor)?));
    }
    match hex(cursor)?.split_first() {
        Some((&kind, data)) => Ok(tlv(kind, data.iter().copied())),
        None => Err(start.unexpected("an option kind")),
    }
}
