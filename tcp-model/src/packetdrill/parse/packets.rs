//! Packets: direction, IP marks, ports, flags, numbers; ICMP messages.

use super::super::ast::{Action, EcnMark, Icmp, IpMarks, ScriptPacket};
use super::super::cursor::{Parsed, ScriptCursor};
use super::icmp::{names, numbers};
use super::options;
use crate::segment::Flags;
use crate::suggest;

/// Reads `< …` or `> …`.
pub(super) fn packet(cursor: &mut ScriptCursor<'_>) -> Parsed<Action> {
    let inbound = cursor.eat("<");
    if !inbound {
        cursor.expect(">")?;
    }
    let mut about = None;
    let mut ip = IpMarks::default();
    loop {
        cursor.skip()?;
        match cursor.peek() {
            Some('[') if echoed_is_next(cursor) => about = Some(echoed(cursor)?),
            Some('[' | '(') => {
                let start = *cursor;
                marks(cursor, &mut ip)?;
                if let Some(contradiction) = ip.contradiction() {
                    return Err(start.error(contradiction));
                }
            }
            _ => break,
        }
    }
    match cursor.peek_word() {
        "icmp" | "icmpv4" | "icmpv6" => return icmp(cursor, inbound, about),
        other @ ("udp" | "udplite" | "sctp" | "dccp") => return other_protocol(cursor, other),
        other @ ("ipv4" | "ipv6" | "gre" | "mpls") => return other_protocol(cursor, other),
        _ => {}
    }
    if about.is_some() {
        return Err(cursor.unexpected("'icmp'"));
    }
    let ports = ports(cursor)?;
    let flags = flags(cursor)?;
    let (seq, len) = range(cursor)?;
    let number = |cursor: &mut ScriptCursor<'_>, word: &str, max: u64| -> Parsed<Option<u64>> {
        if cursor.eat_word(word)? {
            cursor.number(word, max).map(Some)
        } else {
            Ok(None)
        }
    };
    let ack = number(cursor, "ack", u32::MAX.into())?.map(|n| n as u32);
    let window = number(cursor, "win", u16::MAX.into())?.map(|n| n as u16);
    if inbound && window.is_none() {
        return Err(cursor.error("an injected packet needs its window: 'win N'".into()));
    }
    let urgent = number(cursor, "urg", u16::MAX.into())?.map(|n| n as u16);
    cursor.skip()?;
    if options::speak_of_mptcp(cursor) {
        return other_protocol(cursor, "MPTCP");
    }
    let options_at = *cursor;
    let options = options::list(cursor)?;
    if inbound && options.is_none() {
        return Err(options_at.error("an injected packet needs its options spelt out".into()));
    }
    let (options, cookies) = options.map_or((None, Vec::new()), |(all, named)| (Some(all), named));
    Ok(Action::Packet(Box::new(ScriptPacket {
        inbound,
        ip,
        ports,
        flags,
        seq,
        len,
        ack,
        window,
        urgent,
        options,
        cookies,
    })))
}

/// A packet of another protocol: the parser skips the line, and a run stops there.
fn other_protocol(cursor: &mut ScriptCursor<'_>, protocol: &str) -> Parsed<Action> {
    loop {
        cursor.take_while(|c| c != '\n' && c != '/');
        if cursor.peek() != Some('/') || cursor.rest().starts_with("//") {
            return Ok(Action::Other(format!("a packet of {protocol}")));
        }
        cursor.bump();
    }
}

/// `[1:1001(1000)]` rather than `[ect0]`.
fn echoed_is_next(cursor: &ScriptCursor<'_>) -> bool {
    let inside = cursor.rest()[1..].trim_start();
    inside.starts_with(|c: char| c.is_ascii_digit())
}

fn echoed(cursor: &mut ScriptCursor<'_>) -> Parsed<(u32, u32)> {
    cursor.expect("[")?;
    let range = range(cursor)?;
    cursor.expect("]")?;
    Ok(range)
}

/// `[ect0]`, `[tos 0x10]`, `[ttl 64, flowlabel 0x1]`, in square or round brackets.
fn marks(cursor: &mut ScriptCursor<'_>, ip: &mut IpMarks) -> Parsed<()> {
    let close = if cursor.bump() == Some('[') { "]" } else { ")" };
    loop {
        cursor.skip()?;
        let start = *cursor;
        match cursor.word()?.unwrap_or("") {
            "tos" => ip.tos = Some(cursor.number("tos", 255)? as u8),
            "ttl" | "hlim" => ip.ttl = Some(cursor.number("ttl", 255)? as u8),
            "flowlabel" => {
                ip.flow_label = Some(cursor.number("flowlabel", (1 << 20) - 1)? as u32);
            }
            name => match EcnMark::named(name) {
                Some(mark) => ip.ecn = Some(mark),
                None => {
                    let known = "noecn, ect0, ect1, ect01, ce, tos, ttl or flowlabel";
                    return Err(start.unexpected(known));
                }
            },
        }
        if cursor.eat_next(close)? {
            return Ok(());
        }
        cursor.expect(",")?;
    }
}

/// `8080 > 5001`, if it is there.
fn ports(cursor: &mut ScriptCursor<'_>) -> Parsed<Option<(u16, u16)>> {
    cursor.skip()?;
    let mut ahead = *cursor;
    let digits = ahead.take_while(|c| c.is_ascii_digit());
    if digits.is_empty() || !ahead.eat_next(">")? {
        return Ok(None);
    }
    let from = cursor.number("port", u16::MAX.into())? as u16;
    cursor.expect(">")?;
    let to = cursor.number("port", u16::MAX.into())? as u16;
    Ok(Some((from, to)))
}

/// Letters of the control bits, `.` for ACK, a digit for the three bits of the ACE field
/// (RFC 9768), `-` for none.
fn flags(cursor: &mut ScriptCursor<'_>) -> Parsed<Flags> {
    cursor.skip()?;
    let start = *cursor;
    let text = cursor.take_while(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-');
    let mut flags = Flags::NONE;
    for c in text.chars() {
        let one = match c {
            'S' => Flags::SYN,
            'F' => Flags::FIN,
            'R' => Flags::RST,
            'P' => Flags::PSH,
            '.' => Flags::ACK,
            'U' => Flags::URG,
            'E' => Flags::ECE,
            'W' | 'C' => Flags::CWR,
            'A' => Flags::AE,
            '0'..='7' => Flags(u16::from(c as u8 - b'0') << 6),
            '-' if text == "-" => Flags::NONE,
            _ => return Err(start.error(format!("'{c}' is not a TCP flag"))),
        };
        flags |= one;
    }
    if text.is_empty() {
        return Err(start.unexpected("TCP flags"));
    }
    Ok(flags)
}

/// `1:1001(1000)`: first sequence number and length.
fn range(cursor: &mut ScriptCursor<'_>) -> Parsed<(u32, u32)> {
    cursor.skip()?;
    let start = *cursor;
    let max = u64::from(u32::MAX);
    let first = cursor.number("a sequence number", max)? as u32;
    cursor.expect(":")?;
    let last = cursor.number("a sequence number", max)? as u32;
    cursor.expect("(")?;
    let len = cursor.number("a length", max)? as u32;
    cursor.expect(")")?;
    if first.wrapping_add(len) != last {
        return Err(start.error(format!("from {first} to {last} is not {len}")));
    }
    Ok((first, len))
}

fn icmp(
    cursor: &mut ScriptCursor<'_>,
    inbound: bool,
    mut about: Option<(u32, u32)>,
) -> Parsed<Action> {
    let v6 = cursor.word()? == Some("icmpv6");
    cursor.skip()?;
    let start = *cursor;
    let Some(kind) = cursor.word()? else {
        return Err(cursor.unexpected("an ICMP type"));
    };
    let (mut code, mut mtu) = ("", None);
    loop {
        cursor.skip()?;
        match cursor.peek_word() {
            "mtu" => {
                cursor.word()?;
                mtu = Some(cursor.number("mtu", u32::MAX.into())? as u32);
            }
            "" if cursor.peek().is_some_and(|c| c.is_ascii_digit()) && code.is_empty() => {
                code = cursor.take_while(|c| c.is_ascii_digit());
            }
            "" if cursor.peek() == Some('[') => about = Some(echoed(cursor)?),
            "" => break,
            _ if code.is_empty() => code = cursor.word()?.unwrap_or(""),
            _ => return Err(cursor.unexpected("mtu or the segment the message is about")),
        }
    }
    // A name in capitals is defined elsewhere and looked up when the message is injected.
    let defined = |name: &str| name.contains(|c: char| c.is_ascii_uppercase());
    if numbers(v6, kind, code).is_none() && !defined(kind) && !defined(code) {
        let known = names(v6).chain(["type_0", "code_0"]);
        let unknown = if numbers(v6, kind, "").is_none() {
            kind
        } else {
            code
        };
        let near = suggest::nearest(unknown, known);
        let near = near.map_or(String::new(), |near| format!("; did you mean {near}?"));
        return Err(start.error(format!("there is no ICMP message '{kind} {code}'{near}")));
    }
    Ok(Action::Icmp(Icmp {
        inbound,
        v6,
        kind: kind.to_string(),
        code: code.to_string(),
        mtu,
        about,
    }))
}
