//! The syntax tree of a script, with positions in its text.

use sim_core::SimDuration;

use crate::options::Options;
use crate::segment::{Ecn, Flags, Segment};
use crate::seq::SeqNum;

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
    pub init: Vec<ShellCommand>,
    /// Events in the order of the text.
    pub events: Vec<ScriptEvent>,
    /// A command without a time after the last event: it cleans up after the script.
    pub cleanup: Option<ShellCommand>,
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
pub struct ShellCommand {
    /// Where the text begins.
    pub at: Position,
    /// The text between the backticks.
    pub text: String,
}

/// Something that the script does, or expects, at a time.
#[derive(Clone, Debug, PartialEq)]
pub struct ScriptEvent {
    /// Where the event begins.
    pub at: Position,
    /// When.
    pub moment: Moment,
    /// When a blocking call should return, measured like the moment (`0.1...0.2`).
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
    /// `+0.1`: since the previous event.
    After(SimDuration),
    /// `0.1~0.2`: between two times since the start.
    Between(SimDuration, SimDuration),
    /// `+0.1~+0.2`: between two times since the previous event.
    AfterBetween(SimDuration, SimDuration),
}

/// What an event is.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// A TCP segment that the script injects (`<`) or expects (`>`).
    Packet(Box<ScriptPacket>),
    /// An ICMP message.
    Icmp(Icmp),
    /// A system call and its result.
    Call(SystemCall),
    /// Shell lines.
    Command(ShellCommand),
    /// `%{ … }%`.
    Code(Vec<Statement>),
    /// A packet of another protocol; the text says what would be needed to run it.
    Other(String),
}

/// A mark of the ECN field, as scripts write it.
#[derive(Debug, PartialEq, Eq)]
pub struct EcnMark {
    /// `ect0`.
    pub name: &'static str,
    /// The codepoints it stands for; an injected segment has the first.
    pub codepoints: &'static [Ecn],
}

impl EcnMark {
    const ALL: [EcnMark; 5] = [
        EcnMark::new("noecn", &[Ecn::NotEct]),
        EcnMark::new("ect0", &[Ecn::Ect0]),
        EcnMark::new("ect1", &[Ecn::Ect1]),
        EcnMark::new("ect01", &[Ecn::Ect0, Ecn::Ect1]),
        EcnMark::new("ce", &[Ecn::Ce]),
    ];

    const fn new(name: &'static str, codepoints: &'static [Ecn]) -> EcnMark {
        EcnMark { name, codepoints }
    }

    /// The mark of this name.
    pub fn named(name: &str) -> Option<&'static EcnMark> {
        EcnMark::ALL.iter().find(|mark| mark.name == name)
    }
}

/// The fields of the IP header that the script specifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct IpMarks {
    /// ECN field.
    pub ecn: Option<&'static EcnMark>,
    /// The whole DS and ECN octet.
    pub tos: Option<u8>,
    /// Time to live, or hop limit.
    pub ttl: Option<u8>,
    /// IPv6 flow label.
    pub flow_label: Option<u32>,
}

impl IpMarks {
    /// What is wrong if the ECN field is written twice, by its name and in `tos`, and differs.
    pub(super) fn contradiction(&self) -> Option<String> {
        let (mark, tos) = (self.ecn?, self.tos?);
        let differs = !mark.codepoints.contains(&Ecn::from_tos(tos));
        differs.then(|| format!("{} and the ECN bits of tos {tos:#x} differ", mark.name))
    }

    /// The bits of the DS field (RFC 2474) in place, without ECN; zero if not written.
    pub fn ds(&self) -> u8 {
        self.tos.unwrap_or(0) & 0xfc
    }
}

/// A TCP segment as written; sequence numbers are the script's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptPacket {
    /// Injected by the script, rather than expected from the host.
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
    /// Window field; if it is missing, expected segments match any, and injected ones have 0.
    pub window: Option<u16>,
    /// Urgent pointer.
    pub urgent: Option<u16>,
    /// Options; `None` for `<...>`, which matches any.
    pub options: Option<Options>,
    /// Fast Open cookies given by name.
    pub cookies: Vec<NamedCookie>,
}

impl ScriptPacket {
    /// The header, in the script's numbers; fields that are not written are 0.
    pub(super) fn header(&self) -> Segment {
        Segment {
            flags: self.flags,
            seq: SeqNum(self.seq),
            ack: SeqNum(self.ack.unwrap_or(0)),
            len: self.len,
            urgent: self.urgent.unwrap_or(0),
            window: self.window.unwrap_or(0),
            options: self.options.unwrap_or_default(),
            ..Segment::default()
        }
    }
}

/// `FO NAME`: a Fast Open cookie by its name. Zeros hold its place in the options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedCookie {
    /// The name.
    pub name: String,
    /// `FOEXP`.
    pub experimental: bool,
    /// Where its option begins.
    pub at: usize,
}

impl NamedCookie {
    /// Bytes of the option that stands in for a cookie.
    pub(super) const ROOM: usize = 10;
}

/// An ICMP error message about one of the host's segments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Icmp {
    /// Injected by the script.
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
pub struct SystemCall {
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
    Struct(Vec<StructField>),
    /// `htons(80)`.
    Apply(String, Vec<Expr>),
    /// `-a`, `+a`, `~a`, `not a`.
    Unary(&'static str, Box<Expr>),
    /// `a|b`; in code any operator, including `and` and `or`.
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
        /// The message if it fails.
        message: Option<Expr>,
    },
    /// `print(a, b)`.
    Print(Vec<Expr>),
    /// `name = value`; `name += value` becomes `name = name + value`.
    Assign(String, Expr),
    /// `if`, `elif`, `else`: tests with their statements, then the statements of `else`.
    If(Vec<(Expr, Vec<Statement>)>, Vec<Statement>),
    /// An expression that is evaluated and whose value is dropped.
    Value(Expr),
    /// `pass`.
    Pass,
}

/// A field of a structure.
#[derive(Clone, Debug, PartialEq)]
pub struct StructField {
    /// Its name, when written.
    pub name: Option<String>,
    /// Its value.
    pub value: Expr,
}

impl Expr {
    /// [`Expr::field`], unless the field is `...`.
    pub fn given(&self, name: &str) -> Option<&Expr> {
        self.field(name).filter(|expr| **expr != Expr::Any)
    }

    /// The field of that name, if this is a structure.
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
