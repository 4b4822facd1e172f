//! Packets to drop, described in words: `"client FIN 1"`, `"server data segment 5, second transmission"`.
//!
//! A rule gives the sender, the kind of packet, and its number among those of that kind, counted from 1
//! within its connection as seen by the link:
//!
//! | rule | meaning |
//! |---|---|
//! | `client SYN 1`, `server SYN 1` | the first SYN, the first SYN-ACK; its retransmission is number 2 |
//! | `client FIN 1`, `server RST 1` | the first segment with that flag |
//! | `client ACK 2` | the second segment that is only an acknowledgement |
//! | `server data segment 5` | the fifth segment of new data, when first sent |
//! | `server data segment 5, second transmission` | its retransmission; `every transmission` for all of them |
//! | `client segment 3` | the third segment of any kind |
//!
//! A rule applies to every connection, or with `, connection 4` to the fourth seen by the link. The client
//! is the end that sends the SYN without an ACK; connections whose SYN did not pass the link are left
//! alone. Retransmitted data count as the segment whose first octet they carry.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use rustc_hash::FxHashMap;
use sim_core::{Packet, PacketFilter};

use crate::segment::{ConnId, Flags, Packed, Segment};

/// The sender of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PacketSender {
    Client,
    Server,
}

/// The kind of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PacketKind {
    Syn,
    Fin,
    Rst,
    Ack,
    Data,
    Any,
}

impl PacketKind {
    const NAMES: [(&'static str, PacketKind); 6] = [
        ("SYN", PacketKind::Syn),
        ("FIN", PacketKind::Fin),
        ("RST", PacketKind::Rst),
        ("ACK", PacketKind::Ack),
        ("data segment", PacketKind::Data),
        ("segment", PacketKind::Any),
    ];
    const COUNT: usize = PacketKind::NAMES.len();

    fn place(self) -> usize {
        PacketKind::NAMES
            .iter()
            .position(|(_, what)| *what == self)
            .unwrap_or(0)
    }
}

/// A rule for packets to drop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DropRule {
    sender: PacketSender,
    what: PacketKind,
    number: u64,
    /// Which transmission of a data segment; `None` for every one.
    transmission: Option<u64>,
    /// In which connection; `None` for all.
    connection: Option<u64>,
}

/// The error of a text that is not a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot read {text:?} as a packet to drop: {why}")]
pub struct DropRuleError {
    text: String,
    why: RuleError,
}

/// What is wrong with the text of a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum RuleError {
    #[error("give sender, kind and number, as in \"client FIN 1\"")]
    Incomplete,
    #[error("{0:?} is neither \"client\" nor \"server\"")]
    Sender(String),
    #[error("{what:?} is not one of {}", PacketKind::NAMES.map(|(name, _)| name).join(", "))]
    What { what: String },
    #[error(
        "only data segments have transmissions; a retransmitted SYN or FIN has the next number"
    )]
    Transmission,
    #[error(
        "{0:?} is neither a transmission, as \"second transmission\", nor a connection, as \"connection 4\""
    )]
    Part(String),
    #[error("{0:?} is not a number counted from 1")]
    Number(String),
    #[error("{0:?} is not a word such as \"first\"; write \"transmission 12\" beyond the tenth")]
    Ordinal(String),
}

const ORDINALS: [&str; 10] = [
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth",
];

impl FromStr for DropRule {
    type Err = DropRuleError;

    fn from_str(text: &str) -> Result<DropRule, DropRuleError> {
        read(text).map_err(|why| DropRuleError {
            text: text.to_owned(),
            why,
        })
    }
}

fn read(text: &str) -> Result<DropRule, RuleError> {
    let mut parts = text.split(',').map(str::trim);
    let head: Vec<&str> = parts.next().unwrap_or("").split_whitespace().collect();
    let [who, what @ .., number] = head.as_slice() else {
        return Err(RuleError::Incomplete);
    };
    let sender = match *who {
        "client" => PacketSender::Client,
        "server" => PacketSender::Server,
        other => return Err(RuleError::Sender(other.to_owned())),
    };
    if what.is_empty() {
        return Err(RuleError::Incomplete);
    }
    let what = what.join(" ");
    let mut known = PacketKind::NAMES.iter();
    let Some(&(_, what)) = known.find(|(name, _)| name.eq_ignore_ascii_case(&what)) else {
        return Err(RuleError::What { what });
    };
    let mut rule = DropRule {
        sender,
        what,
        number: counted(number)?,
        transmission: Some(1),
        connection: None,
    };
    for part in parts {
        match part.split_whitespace().collect::<Vec<_>>().as_slice() {
            [which, "transmission"] if what == PacketKind::Data => rule.transmission = nth(which)?,
            ["transmission", number] if what == PacketKind::Data => {
                rule.transmission = Some(counted(number)?);
            }
            [_, "transmission"] | ["transmission", _] => return Err(RuleError::Transmission),
            ["connection", number] => rule.connection = Some(counted(number)?),
            _ => return Err(RuleError::Part(part.to_owned())),
        }
    }
    Ok(rule)
}

fn counted(text: &str) -> Result<u64, RuleError> {
    match text.parse() {
        Ok(0) | Err(_) => Err(RuleError::Number(text.to_owned())),
        Ok(n) => Ok(n),
    }
}

fn nth(word: &str) -> Result<Option<u64>, RuleError> {
    if word == "every" {
        return Ok(None);
    }
    match ORDINALS.iter().position(|o| *o == word) {
        Some(place) => Ok(Some(place as u64 + 1)),
        None => Err(RuleError::Ordinal(word.to_owned())),
    }
}

impl fmt::Display for DropRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = match self.sender {
            PacketSender::Client => "client",
            PacketSender::Server => "server",
        };
        let what = PacketKind::NAMES[self.what.place()].0;
        write!(f, "{who} {what} {}", self.number)?;
        match self.transmission {
            Some(1) => {}
            None => f.write_str(", every transmission")?,
            Some(n) => match ORDINALS.get(n as usize - 1) {
                Some(word) => write!(f, ", {word} transmission")?,
                None => write!(f, ", transmission {n}")?,
            },
        }
        match self.connection {
            Some(n) => write!(f, ", connection {n}"),
            None => Ok(()),
        }
    }
}

/// One direction of a connection as seen by a link.
#[derive(Debug)]
struct DirectionState {
    sender: PacketSender,
    connection: u64,
    /// Packets by kind; for data, segments of new data.
    counts: [u64; PacketKind::COUNT],
    /// The first octet of the stream beyond all data seen.
    next: u64,
    /// Data segments in rules: number, first octet, times sent.
    watched: Vec<(u64, u64, u64)>,
}

/// Drops the packets in the rules of a link.
#[derive(Debug)]
pub struct DropFilter {
    rules: Vec<DropRule>,
    seen: FxHashMap<(ConnId, Ipv4Addr, u16), DirectionState>,
    connections: u64,
}

impl DropFilter {
    /// A new filter with these rules.
    pub fn new(rules: Vec<DropRule>) -> DropFilter {
        DropFilter {
            rules,
            seen: FxHashMap::default(),
            connections: 0,
        }
    }

    fn segment(&mut self, src: Ipv4Addr, segment: &Segment) -> bool {
        let key = (segment.tag.conn, src, segment.src_port);
        if !self.seen.contains_key(&key) {
            if !segment.flags.is_syn() {
                return false;
            }
            self.connections += 1;
            let sender = match segment.flags.is_ack() {
                true => PacketSender::Server,
                false => PacketSender::Client,
            };
            let seen = DirectionState {
                sender,
                connection: self.connections,
                counts: [0; PacketKind::COUNT],
                next: 0,
                watched: Vec::new(),
            };
            self.seen.insert(key, seen);
        }
        let rules = &self.rules;
        self.seen
            .get_mut(&key)
            .is_some_and(|seen| seen.names(rules, segment))
    }
}

impl DirectionState {
    /// Counts a segment; true when a rule matches it.
    fn names(&mut self, rules: &[DropRule], segment: &Segment) -> bool {
        let flags = segment.flags;
        let others = Flags(Flags::SYN.0 | Flags::FIN.0 | Flags::RST.0);
        let alone = flags.is_ack() && segment.len == 0 && flags.without(others) == flags;
        let is = [
            (PacketKind::Syn, flags.is_syn()),
            (PacketKind::Fin, flags.is_fin()),
            (PacketKind::Rst, flags.is_rst()),
            (PacketKind::Ack, alone),
            (PacketKind::Any, true),
        ];
        for (what, _) in is.iter().filter(|(_, is)| *is) {
            self.counts[what.place()] += 1;
        }
        let mine = |rule: &&DropRule| {
            rule.sender == self.sender && rule.connection.is_none_or(|n| n == self.connection)
        };
        let counted = rules.iter().filter(mine).any(|rule| {
            let this = is.iter().any(|(what, is)| *is && *what == rule.what);
            this && self.counts[rule.what.place()] == rule.number
        });
        let data = segment.len > 0 && self.names_data(rules, segment);
        counted || data
    }

    fn names_data(&mut self, rules: &[DropRule], segment: &Segment) -> bool {
        let (start, end) = (
            segment.tag.offset,
            segment.tag.offset + u64::from(segment.len),
        );
        let of_data = |rule: &&DropRule| {
            rule.what == PacketKind::Data
                && rule.sender == self.sender
                && rule.connection.is_none_or(|n| n == self.connection)
        };
        if start >= self.next {
            let count = &mut self.counts[PacketKind::Data.place()];
            *count += 1;
            let number = *count;
            if rules.iter().filter(of_data).any(|r| r.number == number) {
                self.watched.push((number, start, 0));
            }
        }
        self.next = self.next.max(end);
        let mut dropped = false;
        for (number, _, times) in self
            .watched
            .iter_mut()
            .filter(|(_, first, _)| (start..end).contains(first))
        {
            *times += 1;
            let named = |rule: &DropRule| {
                rule.number == *number && rule.transmission.is_none_or(|n| n == *times)
            };
            dropped |= rules
                .iter()
                .filter(|rule| {
                    rule.what == PacketKind::Data
                        && rule.sender == self.sender
                        && rule.connection.is_none_or(|n| n == self.connection)
                })
                .any(named);
        }
        dropped
    }
}

impl PacketFilter<Packed> for DropFilter {
    fn drops(&mut self, packet: &Packet<Packed>) -> bool {
        let segment = packet.payload.segment(packet.size);
        self.segment(packet.src, &segment)
    }
}

#[cfg(test)]
mod tests;
