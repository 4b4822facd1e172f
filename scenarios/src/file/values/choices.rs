//! Values that are a limit or a beginning, or one of two forms.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use serde::{Serialize, Serializer};
use sim_core::{SimDuration, SimTime};

use crate::unreadable::Unreadable;

/// An integer limit, or `"unlimited"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CountLimit(pub Option<u64>);

impl Serialize for CountLimit {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Some(n) => s.serialize_u64(n),
            None => s.serialize_str("unlimited"),
        }
    }
}

impl<'de> Deserialize<'de> for CountLimit {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct NumberOrWord;
        impl Visitor<'_> for NumberOrWord {
            type Value = CountLimit;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number or \"unlimited\"")
            }
            fn visit_i64<E: de::Error>(self, n: i64) -> Result<CountLimit, E> {
                u64::try_from(n)
                    .map(|n| CountLimit(Some(n)))
                    .map_err(|_| E::invalid_value(de::Unexpected::Signed(n), &self))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<CountLimit, E> {
                match text {
                    "unlimited" | "all" => Ok(CountLimit(None)),
                    _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
                }
            }
        }
        d.deserialize_any(NumberOrWord)
    }
}

/// Server ports: their number, counted from `port` upwards, or a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortList {
    /// This many, from `port` upwards.
    Count(u16),
    /// These.
    List(Vec<u16>),
}

impl Serialize for PortList {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            PortList::Count(n) => s.serialize_u16(*n),
            PortList::List(ports) => ports.serialize(s),
        }
    }
}

impl<'de> Deserialize<'de> for PortList {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct CountOrList;
        impl<'de> Visitor<'de> for CountOrList {
            type Value = PortList;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of ports, or a list such as [80, 81]")
            }
            fn visit_i64<E: de::Error>(self, n: i64) -> Result<PortList, E> {
                u16::try_from(n)
                    .map(PortList::Count)
                    .map_err(|_| E::invalid_value(de::Unexpected::Signed(n), &self))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<PortList, A::Error> {
                let mut all = Vec::new();
                while let Some(port) = seq.next_element()? {
                    all.push(port);
                }
                Ok(PortList::List(all))
            }
        }
        d.deserialize_any(CountOrList)
    }
}

/// When something begins, or `"never"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StartChoice(pub Option<SimDuration>);

impl Default for StartChoice {
    /// At once.
    fn default() -> StartChoice {
        StartChoice(Some(SimDuration::ZERO))
    }
}

impl StartChoice {
    /// Returns the time of the run; [`SimTime::MAX`] for never.
    pub fn time(self) -> SimTime {
        self.0
            .map_or(SimTime::MAX, |after| SimTime::ZERO.saturating_add(after))
    }
}

impl std::str::FromStr for StartChoice {
    type Err = Unreadable;
    fn from_str(text: &str) -> Result<StartChoice, Unreadable> {
        match text {
            "never" => Ok(StartChoice(None)),
            _ => match text.parse() {
                Ok(after) => Ok(StartChoice(Some(after))),
                Err(e) => Err(format!("{e}; or write \"never\"").into()),
            },
        }
    }
}

impl fmt::Display for StartChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(after) => write!(f, "{after}"),
            None => f.write_str("never"),
        }
    }
}

super::as_text!(
    StartChoice,
    "a quoted duration such as \"10 s\", or \"never\""
);
