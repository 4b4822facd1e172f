//! How much is kept of what could be recorded.

use std::fmt;

use reports::SegmentsKept;
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};
use sim_core::SimDuration;

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
    /// One at each multiple of this time.
    Every(SimDuration),
    /// Every one.
    All,
}

impl std::str::FromStr for Samples {
    type Err = Unreadable;
    fn from_str(text: &str) -> Result<Samples, Unreadable> {
        match text {
            "grid" => Ok(Samples::Grid),
            "all" => Ok(Samples::All),
            _ => match text.parse::<SimDuration>() {
                Ok(every) if !every.is_zero() => Ok(Samples::Every(every)),
                _ => Err(format!(
                    "{text:?} is neither \"grid\", \"all\" nor a time such as \"10 ms\""
                )
                .into()),
            },
        }
    }
}

impl fmt::Display for Samples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Samples::Grid => f.write_str("grid"),
            Samples::All => f.write_str("all"),
            Samples::Every(every) => write!(f, "{every}"),
        }
    }
}

super::as_text!(
    Samples,
    "\"grid\", \"all\", or a quoted time such as \"10 ms\""
);

/// What the payload of captured packets is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Payload {
    /// The alphabet over and over.
    #[default]
    Letters,
    /// Requests and responses as HTTP/1.1.
    Http,
}

impl std::str::FromStr for Payload {
    type Err = Unreadable;
    fn from_str(text: &str) -> Result<Payload, Unreadable> {
        match text {
            "letters" => Ok(Payload::Letters),
            "http" => Ok(Payload::Http),
            _ => Err(format!("{text:?} is neither \"letters\" nor \"http\"").into()),
        }
    }
}

impl fmt::Display for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Payload::Letters => "letters",
            Payload::Http => "http",
        })
    }
}

super::as_text!(Payload, "\"letters\" or \"http\"");
