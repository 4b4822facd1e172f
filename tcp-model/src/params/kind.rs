//! The values of a parameter: type, range, and the reason for the range.

use sim_core::{Bytes, SimDuration};

/// The longest time a parameter takes: 100 days. Simulated time ends after 213 days.
pub const LONGEST: SimDuration = SimDuration::from_secs(8_640_000);
/// A microsecond: the shortest period of a repeating timer.
pub(super) const MICROSECOND: SimDuration = SimDuration::from_micros(1);
/// A millisecond.
pub(super) const MILLISECOND: SimDuration = SimDuration::from_millis(1);

/// A word for a value, and the sysctl's number for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParamWord {
    /// The word.
    pub word: &'static str,
    /// The sysctl's number, or the value of the bit; negative when there is none.
    pub number: i64,
    /// What it means.
    pub doc: &'static str,
}

/// The type of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamType {
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Count,
    /// A number of bytes, written with its unit.
    Size,
    /// A duration, written with its unit.
    Time,
    /// A number of retransmissions or a duration.
    GiveUp,
    /// First and last port.
    Ports,
    /// Any ports.
    PortSet,
    /// One of some words.
    Words(&'static [ParamWord]),
    /// A sum of bits.
    Bits(&'static [ParamWord]),
    /// A congestion control: its name, or a table of its name as `kind` and its parameters.
    Control,
    /// A TCP by its name.
    Model,
}

/// The values a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParamKind {
    /// Its type.
    pub shape: ParamType,
    /// The smallest value: a number, bytes or picoseconds.
    pub least: u64,
    /// The largest value.
    pub most: u64,
    /// What is counted.
    pub unit: &'static str,
    /// The word for "no value", if that is allowed.
    pub none: Option<&'static str>,
    /// Why the range has these ends.
    pub reason: &'static str,
}

impl ParamKind {
    const fn new(shape: ParamType, least: u64, most: u64, unit: &'static str) -> ParamKind {
        ParamKind {
            shape,
            least,
            most,
            unit,
            none: None,
            reason: "",
        }
    }

    /// On or off.
    pub const fn flag() -> ParamKind {
        ParamKind::new(ParamType::Flag, 0, 1, "")
    }

    /// On, off, or the meaning of the number 2.
    pub const fn flag_or_2(meaning: &'static str) -> ParamKind {
        ParamKind::new(ParamType::Flag, 0, 2, meaning)
    }

    /// A whole number of `unit` from `least` to `most`.
    pub const fn count(least: u64, most: u64, unit: &'static str) -> ParamKind {
        ParamKind::new(ParamType::Count, least, most, unit)
    }

    /// A number of bytes.
    pub const fn size(least: u64, most: u64) -> ParamKind {
        ParamKind::new(ParamType::Size, least, most, "bytes")
    }

    /// A duration from `least` to [`LONGEST`].
    pub const fn time(least: SimDuration) -> ParamKind {
        ParamKind::time_up_to(least, LONGEST)
    }

    /// A duration from `least` to `most`.
    pub const fn time_up_to(least: SimDuration, most: SimDuration) -> ParamKind {
        ParamKind::new(ParamType::Time, least.as_ps(), most.as_ps(), "time")
    }

    /// When to give up.
    pub const fn give_up() -> ParamKind {
        ParamKind::new(ParamType::GiveUp, 0, 255, "retransmissions or time")
            .or("never")
            .because("Linux counts retransmissions in 8 bits; 0 gives up at the first time-out")
    }

    /// A range of ports.
    pub const fn ports() -> ParamKind {
        ParamKind::new(ParamType::Ports, 1, 65_535, "ports").because("port 0 stands for \"any\"")
    }

    /// A set of ports.
    pub const fn port_set() -> ParamKind {
        ParamKind::new(ParamType::PortSet, 1, 65_535, "ports").because("port 0 stands for \"any\"")
    }

    /// One of the words of a type.
    pub const fn words<T: Choice>() -> ParamKind {
        ParamKind::new(ParamType::Words(T::WORDS), 0, 0, "")
    }

    /// A TCP by its name.
    pub const fn model() -> ParamKind {
        ParamKind::new(ParamType::Model, 0, 0, "")
    }

    /// A congestion control by its name.
    pub const fn control() -> ParamKind {
        ParamKind::new(ParamType::Control, 0, 0, "")
    }

    /// A sum of bits.
    pub const fn bits(bits: &'static [ParamWord]) -> ParamKind {
        ParamKind::new(ParamType::Bits(bits), 0, u32::MAX as u64, "bits")
    }

    /// Also allows no value, written as this word.
    pub const fn or(mut self, word: &'static str) -> ParamKind {
        self.none = Some(word);
        self
    }

    /// Adds the reason for its range.
    pub const fn because(mut self, reason: &'static str) -> ParamKind {
        self.reason = reason;
        self
    }

    /// True for a word that means "no value".
    pub fn is_none(&self, word: &str) -> bool {
        let common: &[&str] = match self.shape {
            ParamType::Time | ParamType::GiveUp => &["never", "off"],
            _ => &["unlimited", "all"],
        };
        self.none
            .is_some_and(|none| none == word || common.contains(&word) && common.contains(&none))
    }

    /// What to write, for messages.
    pub fn expecting(&self) -> String {
        let what = match self.shape {
            ParamType::Flag => self.flags(),
            ParamType::Count => "a whole number".to_owned(),
            ParamType::Size => "a quoted size such as \"256 KiB\"".to_owned(),
            ParamType::Time => "a quoted duration such as \"60 s\"".to_owned(),
            ParamType::GiveUp => "a number of retransmissions, a quoted duration".to_owned(),
            ParamType::Ports => "two ports, as in [1024, 65535]".to_owned(),
            ParamType::PortSet => "ports and ranges of ports, as in \"8080,9148-9150\"".to_owned(),
            ParamType::Words(words) => words_of(words),
            ParamType::Bits(bits) => format!("a sum of {}", bits_of(bits)),
            ParamType::Control => controls(),
            ParamType::Model => models(),
        };
        match self.none {
            Some(none) => format!("{what}, or \"{none}\""),
            None => what,
        }
    }

    /// The range in words: "1 to 255 probes, or \"never\"".
    pub fn range(&self) -> String {
        let (least, most) = (self.least, self.most);
        let range = match self.shape {
            ParamType::Flag => self.flags(),
            ParamType::Count => format!("{least} to {most} {}", self.unit),
            ParamType::Size => format!("{} to {}", Bytes(least), Bytes(most)),
            ParamType::Time => format!("{} to {}", time(least), time(most)),
            ParamType::GiveUp => format!(
                "{least} to {most} retransmissions, {MILLISECOND} to {}",
                time(LONGEST.as_ps())
            ),
            ParamType::Ports => format!("two ports from {least} to {most}, the smaller one first"),
            ParamType::PortSet => format!("ports and ranges of ports from {least} to {most}"),
            ParamType::Words(words) => words_of(words),
            ParamType::Bits(bits) => format!("a sum of {}", bits_of(bits)),
            ParamType::Control => controls(),
            ParamType::Model => models(),
        };
        match self.none {
            Some(none) => format!("{range}, or \"{none}\""),
            None => range,
        }
    }

    fn flags(&self) -> String {
        match self.unit {
            "" => "true or false".to_owned(),
            meaning => format!("true, false or 2 ({meaning})"),
        }
    }

    /// The range and the reason for it.
    pub fn range_with_reason(&self) -> String {
        match self.reason {
            "" => self.range(),
            reason => format!("{} ({reason})", self.range()),
        }
    }
}

/// A duration as text, in hours if they are whole.
fn time(ps: u64) -> String {
    let time = SimDuration::from_ps(ps);
    let hour = SimDuration::from_secs(3600).as_ps();
    if ps >= 10 * hour && ps.is_multiple_of(hour) {
        format!("{} h", ps / hour)
    } else {
        time.to_string()
    }
}

/// `"off"`, `"active"` or `"passive"` (0, 1 or 2).
fn words_of(words: &[ParamWord]) -> String {
    let quoted: Vec<String> = words.iter().map(|w| format!("{:?}", w.word)).collect();
    let numbers: Vec<String> = words
        .iter()
        .filter(|w| w.number >= 0)
        .map(|w| w.number.to_string())
        .collect();
    if numbers.len() < words.len() {
        return either(&quoted);
    }
    format!("{} ({})", either(&quoted), either(&numbers))
}

/// The available TCP models, including users' own.
fn models() -> String {
    let names = super::model_choice::model_names();
    let names: Vec<String> = names.iter().map(|n| format!("{n:?}")).collect();
    either(&names)
}

/// The available congestion controls, including users' own.
fn controls() -> String {
    let all = crate::congestion::algorithms();
    let names: Vec<String> = all.iter().map(|a| format!("{:?}", a.name)).collect();
    format!(
        "{}, or a table of such a `kind` and its parameters",
        either(&names)
    )
}

fn bits_of(bits: &[ParamWord]) -> String {
    let each: Vec<String> = bits
        .iter()
        .map(|b| format!("{:#x} ({})", b.number, b.doc))
        .collect();
    each.join(", ")
}

fn either(words: &[String]) -> String {
    match words {
        [all @ .., last] if !all.is_empty() => format!("{} or {last}", all.join(", ")),
        _ => words.concat(),
    }
}

/// A type whose values have words.
pub trait Choice: Copy + PartialEq + 'static {
    /// The words.
    const WORDS: &'static [ParamWord];
    /// The value of each word, in the same order.
    const VALUES: &'static [Self];
}
