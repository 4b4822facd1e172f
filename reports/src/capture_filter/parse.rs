//! Reads a capture filter by recursive descent.

use std::net::Ipv4Addr;

use tcp_model::segment::Flags;
use tcp_model::{State, suggest};

use super::{CaptureFilterError, Direction, EndTest, FilterNode, NamedHost};

/// Maximum depth of nested parentheses and negations: each level takes stack space.
const DEEPEST: usize = 64;

/// Words for control bits; `tcp-` may precede them, as in tcpdump.
const FLAGS: [(&str, Flags); 9] = [
    ("syn", Flags::SYN),
    ("ack", Flags::ACK),
    ("fin", Flags::FIN),
    ("rst", Flags::RST),
    ("psh", Flags::PSH),
    ("push", Flags::PSH),
    ("urg", Flags::URG),
    ("ece", Flags::ECE),
    ("cwr", Flags::CWR),
];

/// All other words.
const WORDS: [&str; 17] = [
    "host",
    "net",
    "port",
    "portrange",
    "src",
    "dst",
    "state",
    "data",
    "retransmission",
    "less",
    "greater",
    "tcp",
    "ip",
    "all",
    "and",
    "or",
    "not",
];

#[derive(Clone, Debug, PartialEq)]
struct Token {
    text: String,
    /// In characters from 1.
    at: usize,
    /// Within quotation marks: a name, whatever it says.
    is_quoted: bool,
}

/// What a value after `and` or `or` is if no word precedes it: `port 80 or 443`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum EndKind {
    Host,
    Net,
    Port,
    PortRange,
}

impl EndKind {
    fn of(word: &str) -> Option<EndKind> {
        Some(match word {
            "host" => EndKind::Host,
            "net" => EndKind::Net,
            "port" => EndKind::Port,
            "portrange" => EndKind::PortRange,
            _ => return None,
        })
    }
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    next: usize,
    depth: usize,
    last: Option<(Direction, EndKind)>,
}

pub(super) fn parse(text: &str) -> Result<FilterNode, CaptureFilterError> {
    let mut parser = Parser {
        text,
        tokens: Vec::new(),
        next: 0,
        depth: 0,
        last: None,
    };
    parser.tokens = parser.split()?;
    if parser.tokens.is_empty() {
        return Err(parser.error(1, "the filter is empty", "write `all` for every packet"));
    }
    let node = parser.combination()?;
    match parser.peek() {
        None => Ok(node),
        Some(token) if token.text == ")" => Err(parser.error(
            token.at,
            "`)` closes nothing",
            "remove it, or add `(` before",
        )),
        Some(token) => Err(parser.error(
            token.at,
            format!("`{}` follows a complete filter", token.text),
            "join the parts by `and` or `or`",
        )),
    }
}

impl Parser<'_> {
    fn error(
        &self,
        at: usize,
        problem: impl Into<String>,
        help: impl Into<String>,
    ) -> CaptureFilterError {
        CaptureFilterError::new(self.text, at, problem, help)
    }

    fn split(&self) -> Result<Vec<Token>, CaptureFilterError> {
        let mut all = Vec::new();
        let mut chars = self.text.chars().zip(1..).peekable();
        while let Some((c, at)) = chars.next() {
            let mut text = String::new();
            let is_quoted = matches!(c, '"' | '\'');
            match c {
                _ if c.is_whitespace() => continue,
                '(' | ')' | '!' => text.push(c),
                '&' | '|' => {
                    text.extend([c, c]);
                    if chars.next_if(|(next, _)| *next == c).is_none() {
                        let help = "write `and` or `or`; a control bit is tested by its name, as in `syn and not ack`";
                        return Err(self.error(at, format!("`{c}` is not part of a filter"), help));
                    }
                }
                '"' | '\'' => loop {
                    match chars.next() {
                        Some((end, _)) if end == c => break,
                        Some((inner, _)) => text.push(inner),
                        None => {
                            return Err(self.error(
                                at,
                                "a name has no closing quotation mark",
                                "add it",
                            ));
                        }
                    }
                },
                _ => {
                    text.push(c);
                    while let Some((c, _)) = chars.next_if(|(c, _)| {
                        !c.is_whitespace() && !matches!(c, '(' | ')' | '!' | '&' | '|' | '"' | '\'')
                    }) {
                        text.push(c);
                    }
                }
            }
            all.push(Token {
                text,
                at,
                is_quoted,
            });
        }
        Ok(all)
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next)
    }

    /// Position of the next word, or after the end.
    fn place(&self) -> usize {
        let end = || self.text.chars().count() + 1;
        self.peek().map_or_else(end, |token| token.at)
    }

    /// Consumes the next word if it is one of these.
    fn take(&mut self, words: &[&str]) -> bool {
        let found = self
            .peek()
            .is_some_and(|t| !t.is_quoted && words.contains(&t.text.as_str()));
        self.next += usize::from(found);
        found
    }

    /// Parts joined by `and`, or by `or`, but not by both.
    fn combination(&mut self) -> Result<FilterNode, CaptureFilterError> {
        let mut parts = vec![self.single()?];
        let mut joined_by_and = None;
        loop {
            let at = self.place();
            let is_and = self.take(&["and", "&&"]);
            if !is_and && !self.take(&["or", "||"]) {
                break;
            }
            if joined_by_and.is_some_and(|before| before != is_and) {
                let help = "write for example `host server and (port 80 or port 443)`";
                let problem = "`and` and `or` side by side need parentheses";
                return Err(self.error(at, problem, help));
            }
            joined_by_and = Some(is_and);
            parts.push(self.single()?);
        }
        Ok(match joined_by_and {
            Some(true) => FilterNode::All(parts),
            Some(false) => FilterNode::Any(parts),
            None => parts.remove(0),
        })
    }

    fn single(&mut self) -> Result<FilterNode, CaptureFilterError> {
        let at = self.place();
        let is_group = self.take(&["("]);
        if !is_group && !self.take(&["not", "!"]) {
            return self.test();
        }
        self.depth += 1;
        if self.depth > DEEPEST {
            let problem = format!("it is nested more than {DEEPEST} deep");
            return Err(self.error(at, problem, "remove parentheses that are not needed"));
        }
        let node = match is_group {
            true => self.combination()?,
            false => FilterNode::Not(Box::new(self.single()?)),
        };
        if is_group && !self.take(&[")"]) {
            let problem = "`)` is missing";
            let help = format!("it closes the `(` at character {at}");
            return Err(self.error(self.place(), problem, help));
        }
        self.depth -= 1;
        Ok(node)
    }

    /// A test without `and`, `or`, `not` and parentheses.
    fn test(&mut self) -> Result<FilterNode, CaptureFilterError> {
        let at = self.place();
        let Some(token) = self.peek().cloned() else {
            return Err(self.error(at, "the filter ends where a test is expected", self.words()));
        };
        if self.take(&["tcp", "ip"]) {
            // Every packet is TCP over IPv4; `tcp port 80` says no more than `port 80`.
            let goes_on = ["src", "dst", "host", "net", "port", "portrange"];
            let is_prefix = self
                .peek()
                .is_some_and(|t| goes_on.contains(&t.text.as_str()));
            return match is_prefix {
                true => self.test(),
                false => Ok(FilterNode::Everything),
            };
        }
        if self.take(&["all"]) {
            return Ok(FilterNode::Everything);
        }
        if self.take(&["data"]) {
            return Ok(FilterNode::Data);
        }
        if self.take(&["retransmission"]) {
            return Ok(FilterNode::Retransmission);
        }
        if self.take(&["state"]) {
            return self.state();
        }
        if self.take(&["less"]) {
            return self.number("less", u32::MAX).map(FilterNode::AtMost);
        }
        if self.take(&["greater"]) {
            return self.number("greater", u32::MAX).map(FilterNode::AtLeast);
        }
        if let Some(flag) = flag(&token) {
            self.next += 1;
            return Ok(FilterNode::Flag(flag));
        }
        self.end_test(&token)
    }

    /// `src host 10.0.0.1`, `port 80`; or a value alone after such a test.
    fn end_test(&mut self, token: &Token) -> Result<FilterNode, CaptureFilterError> {
        let direction = if self.take(&["src"]) {
            Some(Direction::Source)
        } else if self.take(&["dst"]) {
            Some(Direction::Destination)
        } else {
            None
        };
        let kind = self.peek().filter(|t| !t.is_quoted);
        let kind = kind.and_then(|t| EndKind::of(&t.text));
        self.next += usize::from(kind.is_some());
        let (direction, kind) = match (direction, kind) {
            (direction, Some(kind)) => (direction.unwrap_or(Direction::Either), kind),
            (Some(direction), None) => (direction, EndKind::Host),
            (None, None) => match self.last.filter(|_| self.is_lone_value()) {
                Some(last) => last,
                None => return Err(self.unknown(token)),
            },
        };
        self.last = Some((direction, kind));
        let test = match kind {
            EndKind::Host => self.host()?,
            EndKind::Net => self.net()?,
            EndKind::Port => {
                let port = self.number("port", 65_535)? as u16;
                EndTest::Ports(port, port)
            }
            EndKind::PortRange => self.ports()?,
        };
        Ok(FilterNode::End(direction, test))
    }

    /// Whether the next token can be a value without a word before it: it is no word of the language,
    /// and a test could end after it.
    fn is_lone_value(&self) -> bool {
        let is_word = |t: &Token| {
            !t.is_quoted && (WORDS.contains(&t.text.as_str()) || flag(t).is_some() || is_sign(t))
        };
        let ends = |t: &Token| matches!(t.text.as_str(), "and" | "or" | "&&" | "||" | ")");
        self.peek().is_some_and(|t| !is_word(t)) && self.tokens.get(self.next + 1).is_none_or(ends)
    }

    /// The next value; `what` needs it.
    fn value(&mut self, what: &str, form: &str) -> Result<Token, CaptureFilterError> {
        let at = self.place();
        let help = format!("write for example `{form}`");
        match self.peek().cloned() {
            None => Err(self.error(at, format!("`{what}` needs a value"), help)),
            Some(token)
                if !token.is_quoted
                    && (is_sign(&token) || WORDS.contains(&token.text.as_str())) =>
            {
                let problem = format!("`{what}` needs a value, not `{}`", token.text);
                Err(self.error(at, problem, help))
            }
            Some(token) => {
                self.next += 1;
                Ok(token)
            }
        }
    }

    fn number(&mut self, what: &str, most: u32) -> Result<u32, CaptureFilterError> {
        let token = self.value(what, &format!("{what} 80"))?;
        let number = token.text.parse::<u32>().ok().filter(|n| *n <= most);
        number.ok_or_else(|| {
            let problem = format!("{:?} is not a number from 0 to {most}", token.text);
            self.error(token.at, problem, format!("write for example `{what} 80`"))
        })
    }

    /// `8000-8080`.
    fn ports(&mut self) -> Result<EndTest, CaptureFilterError> {
        let token = self.value("portrange", "portrange 8000-8080")?;
        let ends = token.text.split_once('-');
        let ends = ends.and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
        match ends {
            Some((first, last)) if first <= last => Ok(EndTest::Ports(first, last)),
            _ => Err(self.error(
                token.at,
                format!("{:?} is not a range of ports", token.text),
                "write the first and the last port, as in `portrange 8000-8080`",
            )),
        }
    }

    fn host(&mut self) -> Result<EndTest, CaptureFilterError> {
        let token = self.value("host", "host server` or `host 10.0.0.1")?;
        if !token.is_quoted
            && let Ok(address) = token.text.parse::<Ipv4Addr>()
        {
            return Ok(EndTest::Net(address.to_bits(), u32::MAX));
        }
        Ok(EndTest::Host(NamedHost {
            name: token.text,
            at: token.at,
            addresses: Vec::new(),
        }))
    }

    /// `10.1.0.0/16`, or the first bytes of the addresses: `10.1`.
    fn net(&mut self) -> Result<EndTest, CaptureFilterError> {
        let token = self.value("net", "net 10.1.0.0/16")?;
        let bad = |parser: &Self, problem: String| {
            parser.error(
                token.at,
                problem,
                "write for example `net 10.1.0.0/16` or `net 10.1`",
            )
        };
        let (address, bits) = match token.text.split_once('/') {
            Some((address, bits)) => (address.parse::<Ipv4Addr>().ok(), bits.parse().ok()),
            None => {
                let bytes: Vec<&str> = token.text.split('.').collect();
                let missing = 4usize.saturating_sub(bytes.len());
                let whole = format!("{}{}", token.text, ".0".repeat(missing));
                (whole.parse().ok(), Some(8 * bytes.len().min(4) as u32))
            }
        };
        let (Some(address), Some(bits @ 0..=32)) = (address, bits) else {
            return Err(bad(self, format!("{:?} is not a network", token.text)));
        };
        let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
        if address.to_bits() & !mask != 0 {
            let net = Ipv4Addr::from_bits(address.to_bits() & mask);
            let problem = format!("{:?} has bits beyond its {bits}", token.text);
            let help = format!("write `net {net}/{bits}`");
            return Err(self.error(token.at, problem, help));
        }
        Ok(EndTest::Net(address.to_bits(), mask))
    }

    fn state(&mut self) -> Result<FilterNode, CaptureFilterError> {
        let token = self.value("state", "state TIME-WAIT")?;
        let plain = token.text.to_ascii_uppercase().replace('_', "-");
        let named = State::ALL.iter().find(|state| state.name() == plain);
        named
            .map(|state| FilterNode::SenderIn(*state))
            .ok_or_else(|| {
                let names = State::ALL.iter().map(|state| state.name());
                let near = suggest::nearest(&plain, names.clone());
                let help = match near {
                    Some(near) => format!("did you mean {near}?"),
                    None => format!("the states are {}", names.collect::<Vec<_>>().join(", ")),
                };
                self.error(
                    token.at,
                    format!("{:?} is not a state of TCP", token.text),
                    help,
                )
            })
    }

    /// The error for a word that begins no test.
    fn unknown(&self, token: &Token) -> CaptureFilterError {
        let word = token.text.as_str();
        let problem = match is_sign(token) || WORDS.contains(&word) {
            true => format!("`{word}` stands where a test is expected"),
            false => format!("`{word}` is not a word of filters"),
        };
        let known = WORDS.into_iter().chain(FLAGS.iter().map(|(name, _)| *name));
        let help = if word.contains('[') {
            "control bits are tested by name, as in `syn or fin`".to_owned()
        } else if word.parse::<Ipv4Addr>().is_ok() {
            format!("write `host {word}`")
        } else {
            match suggest::nearest(word, known).filter(|near| *near != word) {
                Some(near) => format!("did you mean `{near}`? A host is written `host {word}`"),
                None => self.words(),
            }
        };
        self.error(token.at, problem, help)
    }

    fn words(&self) -> String {
        let flags: Vec<&str> = FLAGS.iter().map(|(name, _)| *name).collect();
        format!(
            "tests are `host NAME`, `net 10.0.0.0/8`, `port 80`, `portrange 80-90`, each with or without `src` or \
             `dst`; `state TIME-WAIT`, `data`, `retransmission`, `less 100`, `greater 100`, `all`; and {}",
            flags.join(", ")
        )
    }
}

/// The control bit of a word.
fn flag(token: &Token) -> Option<Flags> {
    let word = token.text.strip_prefix("tcp-").unwrap_or(&token.text);
    let found = FLAGS.iter().find(|(name, _)| *name == word);
    found.filter(|_| !token.is_quoted).map(|(_, flag)| *flag)
}

fn is_sign(token: &Token) -> bool {
    matches!(token.text.as_str(), "(" | ")" | "!" | "&&" | "||")
}
