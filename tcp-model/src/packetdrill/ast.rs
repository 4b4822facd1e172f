//! What a script says, with the places where it says it.

use sim_core::SimDuration;

use crate::options::kind;
use crate::segment::{self, Flags};

/// A place in a script's text; both numbers count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, serde::Serialize)]
pub struct Position {
    /// Line.
    pub line: u32,
    /// Column, in characters.
    pub column: u32,
}

impl std::fmt::Display for Position {
    /// "line:column".
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// A whole script.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Script {
    /// `--name=value` lines.
    pub options: Vec<ScriptOption>,
    /// Commands in backticks before the first event.
    pub init: Vec<Command>,
    /// Events in the order of the text.
    pub events: Vec<Event>,
    /// A command without a time after the last event: it cleans up after the script.
    pub cleanup: Option<Command>,
}

/// A `--name=value` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptOption {
    /// Where.
    pub at: Position,
    /// Name without the dashes.
    pub name: String,
    /// Value; empty when there is none.
    pub value: String,
}

/// Shell lines in backticks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Where the text begins.
    pub at: Position,
    /// The text between the backticks.
    pub text: String,
}

/// Something that happens, or is expected to happen, at a time.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Where the event begins.
    pub at: Position,
    /// When.
    pub moment: Moment,
    /// When a call that blocks is to return, measured like the moment (`0.1...0.2`).
    pub until: Option<SimDuration>,
    /// What.
    pub action: Action,
}

/// A time as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// `*`: at any time.
    Any,
    /// `0.1`: since the start of the script.
    At(SimDuration),
    /// `+0.1`: since the event before.
    After(SimDuration),
    /// `0.1~0.2`: between two times since the start.
    Between(SimDuration, SimDuration),
    /// `+0.1~+0.2`: between two times since the event before.
    AfterBetween(SimDuration, SimDuration),
}

/// What an event is.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// A TCP segment put in (`<`) or expected (`>`).
    Packet(Box<Packet>),
    /// An ICMP message.
    Icmp(Icmp),
    /// A system call and its result.
    Call(Call),
    /// Shell lines.
    Command(Command),
    /// `%{ … }%`.
    Code(Vec<Statement>),
    /// A packet of another protocol: what is missing to run it.
    Other(String),
}

/// ECN codepoints as scripts write them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ecn {
    /// `noecn`.
    NotEct,
    /// `ect0`.
    Ect0,
    /// `ect1`.
    Ect1,
    /// `ect01`: either of the two.
    Ect01,
    /// `ce`.
    Ce,
}

impl Ecn {
    /// The two bits; the first that fits where either of two may be.
    pub(super) fn codepoint(self) -> segment::Ecn {
        match self {
            Ecn::NotEct => segment::Ecn::NotEct,
            Ecn::Ect0 | Ecn::Ect01 => segment::Ecn::Ect0,
            Ecn::Ect1 => segment::Ecn::Ect1,
            Ecn::Ce => segment::Ecn::Ce,
        }
    }
}

/// What is written of the IP header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct IpMarks {
    /// ECN codepoint.
    pub ecn: Option<Ecn>,
    /// The whole DS and ECN octet.
    pub tos: Option<u8>,
    /// Time to live, or hop limit.
    pub ttl: Option<u8>,
    /// IPv6 flow label.
    pub flow_label: Option<u32>,
}

/// A TCP segment as written; sequence numbers are the script's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Put in by the script, rather than expected from the stack.
    pub inbound: bool,
    /// IP header.
    pub ip: IpMarks,
    /// Source and destination port.
    pub ports: Option<(u16, u16)>,
    /// Control bits.
    pub flags: Flags,
    /// First sequence number.
    pub seq: u32,
    /// Payload bytes.
    pub len: u32,
    /// Acknowledgement number.
    pub ack: Option<u32>,
    /// Window field; expected segments without one are not compared, given ones have 0.
    pub window: Option<u16>,
    /// Urgent pointer.
    pub urgent: Option<u16>,
    /// Options; `None` for `<...>`, any.
    pub options: Option<Vec<OptionSpec>>,
}

/// A TCP option as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OptionSpec {
    /// `mss 1460`.
    Mss(u16),
    /// `wscale 7`.
    WindowScale(u8),
    /// `sackOK`.
    SackPermitted,
    /// `sack 1:1001 2001:3001`.
    Sack(Vec<(u32, u32)>),
    /// `TS val 100 ecr 0`.
    Timestamps {
        /// TSval.
        val: u32,
        /// TSecr.
        ecr: u32,
    },
    /// `nop`.
    Nop,
    /// `eol`.
    Eol,
    /// Any other: kind and data. `FO` and `FOEXP` are read as this.
    Other(u8, Vec<u8>),
    /// `FO NAME`: a Fast Open cookie by the name it was defined under.
    NamedCookie {
        /// The name.
        name: String,
        /// `FOEXP`.
        experimental: bool,
    },
}

impl OptionSpec {
    /// Bytes it takes in the header.
    pub(super) fn wire_len(&self) -> usize {
        match self {
            OptionSpec::Nop | OptionSpec::Eol => 1,
            OptionSpec::Mss(_) => 4,
            OptionSpec::WindowScale(_) => 3,
            OptionSpec::SackPermitted => 2,
            OptionSpec::Sack(blocks) => 2 + 8 * blocks.len(),
            OptionSpec::Timestamps { .. } => 10,
            OptionSpec::Other(_, data) => 2 + data.len(),
            OptionSpec::NamedCookie { .. } => 10,
        }
    }

    /// A Fast Open option, of kind 34 or an experiment (RFC 6994, RFC 7413).
    pub(super) fn cookie(cookie: &[u8], experimental: bool) -> OptionSpec {
        if !experimental {
            return OptionSpec::Other(kind::FAST_OPEN, cookie.to_vec());
        }
        let mut data = vec![0xf9, 0x89];
        data.extend(cookie);
        OptionSpec::Other(kind::EXPERIMENT_1, data)
    }
}

/// An ICMP error message about one of the stack's segments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Icmp {
    /// Put in by the script.
    pub inbound: bool,
    /// ICMPv6 rather than ICMP.
    pub v6: bool,
    /// Type as written, `unreachable`.
    pub kind: String,
    /// Code as written, `frag_needed`; empty when there is none.
    pub code: String,
    /// Next-hop MTU.
    pub mtu: Option<u32>,
    /// First sequence number and payload bytes of the segment it is about.
    pub about: Option<(u32, u32)>,
}

/// A system call with its result.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Name.
    pub name: String,
    /// Arguments.
    pub args: Vec<Expr>,
    /// Result.
    pub result: Expr,
    /// Name of the error.
    pub errno: Option<String>,
}

/// An argument or result of a system call, or a value in code.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// `...`: anything.
    Any,
    /// A whole number.
    Int(i64),
    /// A number with a fraction, in code.
    Float(f64),
    /// A name: of a constant, and in code of a variable or a field of `tcp_info`.
    Word(String),
    /// A string.
    Text(String),
    /// `[a, b]`, in code also `(a, b)`.
    List(Vec<Expr>),
    /// `{a, name=b}`.
    Struct(Vec<Field>),
    /// `htons(80)`.
    Apply(String, Vec<Expr>),
    /// `-a`, `+a`, `~a`, `not a`.
    Unary(&'static str, Box<Expr>),
    /// `a|b`; in code any operator, `and` and `or` included.
    Binary(&'static str, Box<Expr>, Box<Expr>),
    /// `a < b <= c`.
    Compare(Box<Expr>, Vec<(&'static str, Expr)>),
    /// `a if test else b`: test, a, b.
    Choice(Box<[Expr; 3]>),
    /// `a[b]`.
    Item(Box<[Expr; 2]>),
}

/// A statement of code.
#[derive(Clone, Debug, PartialEq)]
pub enum Statement {
    /// `assert test, message`.
    Assert {
        /// Where.
        at: Position,
        /// The test, as text.
        text: String,
        /// The test.
        test: Expr,
        /// What to say when it fails.
        message: Option<Expr>,
    },
    /// `print(a, b)`.
    Print(Vec<Expr>),
    /// `name = value`; `name += value` becomes `name = name + value`.
    Assign(String, Expr),
    /// `if`, `elif`, `else`: tests with their statements, and those when no test holds.
    If(Vec<(Expr, Vec<Statement>)>, Vec<Statement>),
    /// A value that is looked at and dropped.
    Value(Expr),
    /// `pass`.
    Pass,
}

/// A field of a structure.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Its name, when written.
    pub name: Option<String>,
    /// Its value.
    pub value: Expr,
}

impl Expr {
    /// The same, unless it is `...`.
    pub fn given(&self, name: &str) -> Option<&Expr> {
        self.field(name).filter(|expr| **expr != Expr::Any)
    }

    /// The field of that name, of a structure.
    pub fn field(&self, name: &str) -> Option<&Expr> {
        match self {
            Expr::Struct(fields) => fields
                .iter()
                .find(|f| f.name.as_deref() == Some(name))
                .map(|f| &f.value),
            _ => None,
        }
    }
}
