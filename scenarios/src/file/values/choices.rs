//! Values that are a switch, a word, a limit, or one of two forms.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use serde::{Serialize, Serializer};
use tcp_model::params::{CongestionKind, GiveUp, PortSelection, Timers, TwReuse};

/// On or off: `true`, `false`, or a sysctl's `1` and `0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flag(pub bool);

impl Serialize for Flag {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_bool(self.0)
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct BoolOrBit;
        impl Visitor<'_> for BoolOrBit {
            type Value = Flag;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true or false")
            }
            fn visit_bool<E: de::Error>(self, on: bool) -> Result<Flag, E> {
                Ok(Flag(on))
            }
            fn visit_i64<E: de::Error>(self, bit: i64) -> Result<Flag, E> {
                match bit {
                    0 => Ok(Flag(false)),
                    1 => Ok(Flag(true)),
                    _ => Err(E::invalid_value(de::Unexpected::Signed(bit), &self)),
                }
            }
        }
        d.deserialize_any(BoolOrBit)
    }
}

/// An integer limit, or `"unlimited"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit(pub Option<u64>);

impl Serialize for Limit {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Some(n) => s.serialize_u64(n),
            None => s.serialize_str("unlimited"),
        }
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct NumberOrWord;
        impl Visitor<'_> for NumberOrWord {
            type Value = Limit;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number or \"unlimited\"")
            }
            fn visit_i64<E: de::Error>(self, n: i64) -> Result<Limit, E> {
                u64::try_from(n)
                    .map(|n| Limit(Some(n)))
                    .map_err(|_| E::invalid_value(de::Unexpected::Signed(n), &self))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Limit, E> {
                match text {
                    "unlimited" | "all" => Ok(Limit(None)),
                    _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
                }
            }
        }
        d.deserialize_any(NumberOrWord)
    }
}

/// When to give up: a number of retransmissions, a quoted time, or `"never"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience(pub GiveUp);

impl Serialize for Patience {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            GiveUp::Retries(n) => s.serialize_u32(n),
            GiveUp::After(d) => s.collect_str(&d),
            GiveUp::Never => s.serialize_str("never"),
        }
    }
}

impl<'de> Deserialize<'de> for Patience {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct NumberOrTime;
        impl Visitor<'_> for NumberOrTime {
            type Value = Patience;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of retransmissions, a quoted duration, or \"never\"")
            }
            fn visit_i64<E: de::Error>(self, n: i64) -> Result<Patience, E> {
                u32::try_from(n)
                    .map(|n| Patience(GiveUp::Retries(n)))
                    .map_err(|_| E::invalid_value(de::Unexpected::Signed(n), &self))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Patience, E> {
                match text {
                    "never" => Ok(Patience(GiveUp::Never)),
                    _ => text
                        .parse()
                        .map(|d| Patience(GiveUp::After(d)))
                        .map_err(E::custom),
                }
            }
        }
        d.deserialize_any(NumberOrTime)
    }
}

/// A plain choice among words.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident($inner:ty) $what:literal { $($word:literal => $value:expr),+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name(pub $inner);
        impl FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                $(if text == $word { return Ok($name($value)); })+
                Err(crate::suggest::unknown($what, text, [$($word),+]))
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                $(if self.0 == $value { return f.write_str($word); })+
                Ok(())
            }
        }
        as_text!($name, "a quoted word");
    };
}

words! {
    /// Port selection by name.
    Ports(PortSelection) "port selection" {
        "linux" => PortSelection::Linux,
        "random" => PortSelection::Random,
        "sequential" => PortSelection::Sequential
    }
}

words! {
    /// Timers by name.
    TimerWheel(Timers) "kind of timers" {
        "exact" => Timers::Exact,
        "hz-250" => Timers::Hz250,
        "hz-1000" => Timers::Hz1000
    }
}

words! {
    /// Congestion control by name.
    Congestion(CongestionKind) "congestion control" { "newreno" => CongestionKind::NewReno }
}

/// `tcp_tw_reuse`: `true`, `false`, or the sysctl's 0, 1 and 2. The 2 (loopback only) reuses
/// nothing here: simulated hosts have no loopback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reuse(pub TwReuse);

impl Serialize for Reuse {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_bool(self.0 == TwReuse::On)
    }
}

impl<'de> Deserialize<'de> for Reuse {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct BoolOrLevel;
        impl Visitor<'_> for BoolOrLevel {
            type Value = Reuse;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true or false")
            }
            fn visit_bool<E: de::Error>(self, on: bool) -> Result<Reuse, E> {
                Ok(Reuse(if on { TwReuse::On } else { TwReuse::Off }))
            }
            fn visit_i64<E: de::Error>(self, level: i64) -> Result<Reuse, E> {
                match level {
                    0 | 2 => Ok(Reuse(TwReuse::Off)),
                    1 => Ok(Reuse(TwReuse::On)),
                    _ => Err(E::invalid_value(de::Unexpected::Signed(level), &self)),
                }
            }
        }
        d.deserialize_any(BoolOrLevel)
    }
}

/// Server ports: how many from `port` upwards, or a list; writes a list.
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
