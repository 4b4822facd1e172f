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
enum Sender {
    Client,
    Server,
}

/// The kind of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Syn,
    Fin,
    Rst,
    Ack,
    Data,
    Any,
}

impl What {
    const NAMES: [(&'static str, What); 6] = [
        ("SYN", What::Syn),
        ("FIN", What::Fin),
        ("RST", What::Rst),
        ("ACK", What::Ack),
        ("data segment", What::Data),
        ("segment", What::Any),
    ];
    const COUNT: usize = What::NAMES.len();

    fn place(self) -> usize {
        What::NAMES
            .iter()
            .position(|(_, what)| *what == self)
            .unwrap_or(0)
    }
}

/// A rule for packets to drop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DropRule {
    sender: Sender,
    what: What,
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
    why: Fault,
}

/// What is wrong with the text of a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum Fault {
    #[error("give sender, kind and number, as in \"client FIN 1\"")]
    Incomplete,
    #[error("{0:?} is neither \"client\" nor \"server\"")]
    Sender(String),
    #[error("{what:?} is not one of {}", What::NAMES.map(|(name, _)| name).join(", "))]
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

fn read(text: &str) -> Result<DropRule, Fault> {
    let mut parts = text.split(',').map(str::trim);
    let head: Vec<&str> = parts.next().unwrap_or("").split_whitespace().collect();
    let [who, what @ .., number] = head.as_slice() else {
        return Err(Fault::Incomplete);
    };
    let sender = match *who {
        "client" => Sender::Client,
        "server" => Sender::Server,
        other => return Err(Fault::Sender(other.to_owned())),
    };
    if what.is_empty() {
        return Err(Fault::Incomplete);
    }
    let what = what.join(" ");
    let mut known = What::NAMES.iter();
    let Some(&(_, what)) = known.find(|(name, _)| name.eq_ignore_ascii_case(&what)) else {
        return Err(Fault::What { what });
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
            [which, "transmission"] if what == What::Data => rule.transmission = nth(which)?,
            ["transmission", number] if what == What::Data => {
                rule.transmission = Some(counted(number)?);
            }
            [_, "transmission"] | ["transmission", _] => return Err(Fault::Transmission),
            ["connection", number] => rule.connection = Some(counted(number)?),
            _ => return Err(Fault::Part(part.to_owned())),
        }
    }
    Ok(rule)
}

fn counted(text: &str) -> Result<u64, Fault> {
    match text.parse() {
        Ok(0) | Err(_) => Err(Fault::Number(text.to_owned())),
        Ok(n) => Ok(n),
    }
}

fn nth(word: &str) -> Result<Option<u64>, Fault> {
    if word == "every" {
        return Ok(None);
    }
    match ORDINALS.iter().position(|o| *o == word) {
        Some(place) => Ok(Some(place as u64 + 1)),
        None => Err(Fault::Ordinal(word.to_owned())),
    }
}

impl fmt::Display for DropRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = match self.sender {
            Sender::Client => "client",
            Sender::Server => "server",
        };
        let what = What::NAMES[self.what.place()].0;
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
struct Seen {
    sender: Sender,
    connection: u64,
    /// Packets by kind; of data, segments of new data.
    counts: [u64; What::COUNT],
    /// The first octet of the stream beyond all data seen.
    next: u64,
    /// Data segments in rules: number, first octet, times sent.
    watched: Vec<(u64, u64, u64)>,
}

/// Drops the packets in the rules of a link.
#[derive(Debug)]
pub struct DropFilter {
    rules: Vec<DropRule>,
    seen: FxHashMap<(ConnId, Ipv4Addr, u16), Seen>,
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
                true => Sender::Server,
                false => Sender::Client,
            };
            let seen = Seen {
                sender,
                connection: self.connections,
                counts: [0; What::COUNT],
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

impl Seen {
    /// Counts a segment; true when a rule matches it.
    fn names(&mut self, rules: &[DropRule], segment: &Segment) -> bool {
        let flags = segment.flags;
        let others = Flags(Flags::SYN.0 | Flags::FIN.0 | Flags::RST.0);
        let alone = flags.is_ack() && segment.len == 0 && flags.without(others) == flags;
        let is = [
            (What::Syn, flags.is_syn()),
            (What::Fin, flags.is_fin()),
            (What::Rst, flags.is_rst()),
            (What::Ack, alone),
            (What::Any, true),
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
            rule.what == What::Data
                && rule.sender == self.sender
                && rule.connection.is_none_or(|n| n == self.connection)
        };
        if start >= self.next {
            let count = &mut self.counts[What::Data.place()];
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
                    rule.what == What::Data
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
mod tests {
    use super::*;
    use crate::segment::Tag;

    fn rule(text: &str) -> DropRule {
        text.parse().unwrap()
    }

    #[test]
    fn rules_are_written_as_they_are_read() {
        for text in [
            "client SYN 1",
            "server FIN 2",
            "client ACK 3, connection 4",
            "server data segment 5",
            "server data segment 5, second transmission",
            "server data segment 5, transmission 12",
            "server data segment 5, every transmission, connection 2",
            "client segment 7",
        ] {
            assert_eq!(rule(text).to_string(), text);
        }
        assert_eq!(
            rule("server data segment 5, first transmission"),
            rule("server data segment 5")
        );
    }

    #[test]
    fn invalid_rules_are_rejected() {
        for (text, why) in [
            ("", "sender, kind and number"),
            ("FIN 1", "neither \"client\" nor"),
            ("client FIN", "sender, kind and number"),
            ("client FIN x", "\"x\" is not a number"),
            ("client FNI 1", "\"FNI\" is not one of SYN, FIN"),
            ("client FIN 0", "not a number counted from 1"),
            ("client FIN 1, second transmission", "the next number"),
            ("server data segment 1, 2nd transmission", "transmission 12"),
            ("server data segment 1, often", "neither a transmission"),
        ] {
            let refused = text.parse::<DropRule>().unwrap_err().to_string();
            assert!(refused.contains(why), "{text}: {refused}");
        }
    }

    const CLIENT: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);

    fn of(serial: u32, flags: Flags, offset: u64, len: u32) -> Segment {
        Segment {
            src_port: 4000,
            flags,
            len,
            tag: Tag {
                conn: ConnId::new(0, serial),
                offset,
                ..Tag::default()
            },
            ..Segment::EMPTY
        }
    }

    /// Indices of the dropped packets.
    fn dropped(rules: &[&str], packets: &[Segment]) -> Vec<usize> {
        let mut filter = DropFilter::new(rules.iter().map(|text| rule(text)).collect());
        let packets = packets.iter().enumerate();
        packets
            .filter_map(|(i, packet)| filter.segment(CLIENT, packet).then_some(i))
            .collect()
    }

    #[test]
    fn data_segments_are_counted_once_and_their_transmissions_apart() {
        let data = |offset| of(0, Flags::ACK, offset, 100);
        let packets = [
            of(0, Flags::SYN, 0, 0),
            data(0),
            data(100),
            data(200),
            data(100),
            data(300),
            data(100),
        ];
        let second = |rest: &str| dropped(&[&format!("client data segment 2{rest}")], &packets);
        assert_eq!(second(""), [2]);
        assert_eq!(second(", second transmission"), [4]);
        assert_eq!(second(", every transmission"), [2, 4, 6]);
        assert_eq!(dropped(&["client data segment 4"], &packets), [5]);
        assert_eq!(dropped(&["server data segment 2"], &packets), []);
        assert_eq!(dropped(&["client segment 3"], &packets), [2]);
    }

    #[test]
    fn a_rule_holds_for_each_connection_or_for_one() {
        let fin = Flags(Flags::FIN.0 | Flags::ACK.0);
        let packets = [
            of(0, Flags::SYN, 0, 0),
            of(1, Flags::SYN, 0, 0),
            of(0, fin, 0, 0),
            of(1, fin, 0, 0),
            of(1, fin, 0, 0),
        ];
        assert_eq!(dropped(&["client FIN 1"], &packets), [2, 3]);
        assert_eq!(dropped(&["client FIN 2"], &packets), [4]);
        assert_eq!(dropped(&["client FIN 1, connection 2"], &packets), [3]);
        // Without the SYN the roles of the ends are unknown.
        assert_eq!(dropped(&["client FIN 1"], &packets[2..]), []);
    }
}
