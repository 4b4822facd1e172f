//! How much is kept of what could be recorded.

use std::fmt;

use reports::SegmentsKept;
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};

use crate::unreadable::Unreadable;

/// Which segments of traced connections are kept, or of how many connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Segments {
    /// `"ladder"`, `"all"` or `"none"`.
    Kept(SegmentsKept),
    /// The ladders of this many connections of each client.
    Connections(u32),
}

impl Segments {
    const NAMES: [(&'static str, SegmentsKept); 3] = [
        ("ladder", SegmentsKept::Ladder),
        ("all", SegmentsKept::All),
        ("none", SegmentsKept::None),
    ];

    /// The word for it.
    pub fn name(kept: SegmentsKept) -> &'static str {
        let named = Segments::NAMES.iter().find(|(_, k)| *k == kept);
        named.map_or("ladder", |(name, _)| name)
    }
}

impl Serialize for Segments {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Segments::Kept(kept) => s.serialize_str(Segments::name(*kept)),
            Segments::Connections(n) => s.serialize_u32(*n),
        }
    }
}

impl<'de> Deserialize<'de> for Segments {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct WordOrNumber;
        impl Visitor<'_> for WordOrNumber {
            type Value = Segments;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"ladder\", \"all\", \"none\", or a number of connections")
            }
            fn visit_i64<E: de::Error>(self, n: i64) -> Result<Segments, E> {
                u32::try_from(n)
                    .map(Segments::Connections)
                    .map_err(|_| E::invalid_value(de::Unexpected::Signed(n), &self))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Segments, E> {
                let named = Segments::NAMES.iter().find(|(name, _)| *name == text);
                named
                    .map(|(_, kept)| Segments::Kept(*kept))
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        d.deserialize_any(WordOrNumber)
    }
}

/// Which samples of traced senders are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Samples {
    /// The extremes of each step of time.
    Grid,
    /// Every one.
    All,
}

impl std::str::FromStr for Samples {
    type Err = Unreadable;
    fn from_str(text: &str) -> Result<Samples, Unreadable> {
        match text {
            "grid" => Ok(Samples::Grid),
            "all" => Ok(Samples::All),
            _ => Err(format!("{text:?} is neither \"grid\" nor \"all\"").into()),
        }
    }
}

impl fmt::Display for Samples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Samples::Grid => "grid",
            Samples::All => "all",
        })
    }
}

super::as_text!(Samples, "\"grid\" or \"all\"");
