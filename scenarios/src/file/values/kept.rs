//! Choices of how much is recorded.

use std::fmt;

use reports::SegmentsKept;
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};
use sim_core::SimDuration;

use crate::unreadable::Unreadable;

/// Which segments of traced connections are kept, or for how many connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SegmentsChoice {
    /// `"ladder"`, `"all"` or `"none"`.
    Kept(SegmentsKept),
    /// The ladders of this many connections of each client.
    Connections(u32),
}

impl SegmentsChoice {
    const NAMES: [(&'static str, SegmentsKept); 3] = [
        ("ladder", SegmentsKept::Ladder),
        ("all", SegmentsKept::All),
        ("none", SegmentsKept::None),
    ];

    /// The word for a choice.
    pub fn name(kept: SegmentsKept) -> &'static str {
        let named = SegmentsChoice::NAMES.iter().find(|(_, k)| *k == kept);
        named.map_or("ladder", |(name, _)| name)
    }
}

impl Serialize for SegmentsChoice {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            SegmentsChoice::Kept(kept) => s.serialize_str(SegmentsChoice::name(*kept)),
            SegmentsChoice::Connections(n) => s.serialize_u32(*n),
        }
    }
}

impl<'de> Deserialize<'de> for SegmentsChoice {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct WordOrNumber;
        impl Visitor<'_> for WordOrNumber {
            type Value = SegmentsChoice;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"ladder\", \"all\", \"none\", or a number of connections")
            }
            fn visit_i64<E: de::Error>(self, n: i64) -> Result<SegmentsChoice, E> {
                u32::try_from(n)
                    .map(SegmentsChoice::Connections)
                    .map_err(|_| E::invalid_value(de::Unexpected::Signed(n), &self))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<SegmentsChoice, E> {
                let named = SegmentsChoice::NAMES.iter().find(|(name, _)| *name == text);
                named
                    .map(|(_, kept)| SegmentsChoice::Kept(*kept))
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        d.deserialize_any(WordOrNumber)
    }
}

/// Which packets of traced connections go to a capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PcapChoice {
    /// All or none.
    Switch(bool),
    /// Those that a filter selects.
    Filter(String),
}

impl Serialize for PcapChoice {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            PcapChoice::Switch(on) => s.serialize_bool(*on),
            PcapChoice::Filter(text) => s.serialize_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for PcapChoice {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct SwitchOrFilter;
        impl Visitor<'_> for SwitchOrFilter {
            type Value = PcapChoice;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true, false, or a filter such as \"host server and port 80\"")
            }
            fn visit_bool<E: de::Error>(self, on: bool) -> Result<PcapChoice, E> {
                Ok(PcapChoice::Switch(on))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<PcapChoice, E> {
                Ok(PcapChoice::Filter(text.to_owned()))
            }
        }
        d.deserialize_any(SwitchOrFilter)
    }
}

/// Which samples of traced senders are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SamplesChoice {
    /// The extremes in each time step.
    Grid,
    /// The latest sample at each multiple of this time.
    Every(SimDuration),
    /// Every sample.
    All,
}

impl std::str::FromStr for SamplesChoice {
    type Err = Unreadable;
    fn from_str(text: &str) -> Result<SamplesChoice, Unreadable> {
        match text {
            "grid" => Ok(SamplesChoice::Grid),
            "all" => Ok(SamplesChoice::All),
            _ => match text.parse::<SimDuration>() {
                Ok(every) if !every.is_zero() => Ok(SamplesChoice::Every(every)),
                _ => Err(format!(
                    "{text:?} is neither \"grid\", \"all\" nor a time such as \"10 ms\""
                )
                .into()),
            },
        }
    }
}

impl fmt::Display for SamplesChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SamplesChoice::Grid => f.write_str("grid"),
            SamplesChoice::All => f.write_str("all"),
            SamplesChoice::Every(every) => write!(f, "{every}"),
        }
    }
}

super::as_text!(
    SamplesChoice,
    "\"grid\", \"all\", or a quoted time such as \"10 ms\""
);

/// The payload of captured packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PayloadChoice {
    /// The alphabet over and over.
    #[default]
    Letters,
    /// Requests and responses as HTTP/1.1.
    Http,
}

impl std::str::FromStr for PayloadChoice {
    type Err = Unreadable;
    fn from_str(text: &str) -> Result<PayloadChoice, Unreadable> {
        match text {
            "letters" => Ok(PayloadChoice::Letters),
            "http" => Ok(PayloadChoice::Http),
            _ => Err(format!("{text:?} is neither \"letters\" nor \"http\"").into()),
        }
    }
}

impl fmt::Display for PayloadChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PayloadChoice::Letters => "letters",
            PayloadChoice::Http => "http",
        })
    }
}

super::as_text!(PayloadChoice, "\"letters\" or \"http\"");

/// How the end of the warm-up of a long run is determined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WarmUpChoice {
    /// By MSER-5.
    Mser5,
    /// It has this length.
    Lasts(SimDuration),
}

impl std::str::FromStr for WarmUpChoice {
    type Err = Unreadable;
    fn from_str(text: &str) -> Result<WarmUpChoice, Unreadable> {
        if text == "mser-5" {
            return Ok(WarmUpChoice::Mser5);
        }
        let time = text.parse::<SimDuration>().map(WarmUpChoice::Lasts);
        time.map_err(|_| {
            format!("{text:?} is neither \"mser-5\" nor a time such as \"20 s\"").into()
        })
    }
}

impl fmt::Display for WarmUpChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WarmUpChoice::Mser5 => f.write_str("mser-5"),
            WarmUpChoice::Lasts(time) => write!(f, "{time}"),
        }
    }
}

super::as_text!(
    WarmUpChoice,
    "\"mser-5\", or a quoted time such as \"20 s\""
);
