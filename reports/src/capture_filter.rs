//! Which packets go to a capture: `host server and port 80`, in the words of tcpdump.
//!
//! `host`, `net`, `port` and `portrange`, each with `src` or `dst` before it or without; the control
//! bits `syn`, `ack`, `fin`, `rst`, `psh`, `urg`, `ece`, `cwr`; `state TIME-WAIT` for packets whose
//! sender is in that state once it has sent them; `data`, `retransmission`, `less` and `greater`;
//! `and`, `or`, `not` and parentheses. A host is an address, or the name of a host or of a group of
//! hosts.
//!
//! Other than in tcpdump, `and` and `or` side by side need parentheses: tcpdump reads them from left
//! to right, most languages read `and` first, and the same text would select different packets.
//! Offsets such as `tcp[13] & 2` are not modelled.

use std::fmt;
use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};
use tcp_model::State;
use tcp_model::sample::SegmentTrace;
use tcp_model::segment::Flags;

mod parse;

/// A filter as written, with its meaning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CaptureFilter {
    text: String,
    root: FilterNode,
}

/// Why a filter cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem} (at character {at} of `{text}`)")]
pub struct CaptureFilterError {
    /// The filter.
    pub text: String,
    /// Position of the fault in it, in characters from 1.
    pub at: usize,
    /// What is wrong.
    pub problem: String,
    /// What to try.
    pub help: String,
}

impl CaptureFilterError {
    fn new(
        text: &str,
        at: usize,
        problem: impl Into<String>,
        help: impl Into<String>,
    ) -> CaptureFilterError {
        CaptureFilterError {
            text: text.to_owned(),
            at,
            problem: problem.into(),
            help: help.into(),
        }
    }
}

/// A host that a filter names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedHost {
    /// Its name.
    pub name: String,
    /// Position of the name in the filter, in characters from 1.
    pub at: usize,
    /// The addresses that the name stands for.
    addresses: Vec<Ipv4Addr>,
}

#[derive(Clone, Debug, PartialEq)]
enum FilterNode {
    Everything,
    Not(Box<FilterNode>),
    All(Vec<FilterNode>),
    Any(Vec<FilterNode>),
    End(Direction, EndTest),
    Flag(Flags),
    SenderIn(State),
    Data,
    Retransmission,
    /// Length of the IP packet, bytes.
    AtLeast(u32),
    AtMost(u32),
}

/// Which end of a packet is tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Source,
    Destination,
    Either,
}

/// What is tested of the end.
#[derive(Clone, Debug, PartialEq)]
enum EndTest {
    Host(NamedHost),
    /// An address and the bits of it that count.
    Net(u32, u32),
    /// First and last port.
    Ports(u16, u16),
}

impl Default for CaptureFilter {
    /// Every packet.
    fn default() -> CaptureFilter {
        CaptureFilter {
            text: "all".to_owned(),
            root: FilterNode::Everything,
        }
    }
}

impl CaptureFilter {
    /// Reads a filter. Names of hosts stand for no address until [`CaptureFilter::resolve`].
    ///
    /// # Errors
    /// What is wrong, where, and what to try.
    pub fn parse(text: &str) -> Result<CaptureFilter, CaptureFilterError> {
        let root = parse::parse(text)?;
        Ok(CaptureFilter {
            text: text.to_owned(),
            root,
        })
    }

    /// Whether it lets every packet through.
    pub fn is_everything(&self) -> bool {
        self.root == FilterNode::Everything
    }

    /// The hosts that it names, in order.
    pub fn hosts(&self) -> Vec<&NamedHost> {
        let mut all = Vec::new();
        self.root.hosts(&mut all);
        all
    }

    /// The same filter with the addresses of the hosts that it names.
    #[must_use]
    pub fn resolve(&self, addresses: &dyn Fn(&str) -> Vec<Ipv4Addr>) -> CaptureFilter {
        let mut resolved = self.clone();
        resolved.root.resolve(addresses);
        resolved
    }

    /// Whether a packet that a host sends goes to the capture.
    pub(crate) fn matches(&self, sent: &SegmentTrace) -> bool {
        self.root.matches(sent)
    }

    /// The error for a fault at a character, counted from 1.
    pub fn error(
        &self,
        at: usize,
        problem: impl Into<String>,
        help: impl Into<String>,
    ) -> CaptureFilterError {
        CaptureFilterError::new(&self.text, at, problem, help)
    }
}

impl fmt::Display for CaptureFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for CaptureFilter {
    type Error = CaptureFilterError;
    fn try_from(text: String) -> Result<CaptureFilter, CaptureFilterError> {
        CaptureFilter::parse(&text)
    }
}

impl From<CaptureFilter> for String {
    fn from(filter: CaptureFilter) -> String {
        filter.text
    }
}

impl FilterNode {
    fn hosts<'a>(&'a self, all: &mut Vec<&'a NamedHost>) {
        match self {
            FilterNode::Not(inner) => inner.hosts(all),
            FilterNode::All(parts) | FilterNode::Any(parts) => {
                parts.iter().for_each(|part| part.hosts(all));
            }
            FilterNode::End(_, EndTest::Host(host)) => all.push(host),
            _ => {}
        }
    }

    fn resolve(&mut self, addresses: &dyn Fn(&str) -> Vec<Ipv4Addr>) {
        match self {
            FilterNode::Not(inner) => inner.resolve(addresses),
            FilterNode::All(parts) | FilterNode::Any(parts) => {
                parts.iter_mut().for_each(|part| part.resolve(addresses));
            }
            FilterNode::End(_, EndTest::Host(host)) => {
                host.addresses = addresses(&host.name);
                host.addresses.sort_unstable();
            }
            _ => {}
        }
    }

    fn matches(&self, sent: &SegmentTrace) -> bool {
        match self {
            FilterNode::Everything => true,
            FilterNode::Not(inner) => !inner.matches(sent),
            FilterNode::All(parts) => parts.iter().all(|part| part.matches(sent)),
            FilterNode::Any(parts) => parts.iter().any(|part| part.matches(sent)),
            FilterNode::End(direction, test) => {
                let source = || test.holds(sent.src, sent.segment.src_port);
                let destination = || test.holds(sent.dst, sent.segment.dst_port);
                match direction {
                    Direction::Source => source(),
                    Direction::Destination => destination(),
                    Direction::Either => source() || destination(),
                }
            }
            FilterNode::Flag(flags) => sent.segment.flags.contains(*flags),
            FilterNode::SenderIn(state) => sent.state == Some(*state),
            FilterNode::Data => sent.segment.len > 0,
            FilterNode::Retransmission => sent.retransmission.is_some(),
            FilterNode::AtLeast(bytes) => sent.segment.ipv4_len() >= *bytes,
            FilterNode::AtMost(bytes) => sent.segment.ipv4_len() <= *bytes,
        }
    }
}

impl EndTest {
    fn holds(&self, address: Ipv4Addr, port: u16) -> bool {
        match self {
            EndTest::Host(host) => host.addresses.binary_search(&address).is_ok(),
            EndTest::Net(net, mask) => address.to_bits() & mask == *net,
            EndTest::Ports(first, last) => (*first..=*last).contains(&port),
        }
    }
}

#[cfg(test)]
mod tests;
