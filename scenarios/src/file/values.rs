//! Values that a scenario contains as text: rates, durations, limits. Each can read what it prints.

use std::fmt;
use std::str::FromStr;

use sim_core::{QueueLimit, Rate};

use super::keys::{RATE, SIZE, leaf};
use crate::unreadable::Unreadable;

/// Implements serde for a type by means of its `FromStr` and `Display`.
macro_rules! as_text {
    ($type:ty, $expecting:literal) => {
        impl ::serde::Serialize for $type {
            fn serialize<S: ::serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }
        impl<'de> ::serde::Deserialize<'de> for $type {
            fn deserialize<D: ::serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                struct TextVisitor;
                impl ::serde::de::Visitor<'_> for TextVisitor {
                    type Value = $type;
                    fn expecting(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                        f.write_str($expecting)
                    }
                    fn visit_str<E: ::serde::de::Error>(self, text: &str) -> Result<$type, E> {
                        text.parse().map_err(E::custom)
                    }
                }
                d.deserialize_str(TextVisitor)
            }
        }
    };
}
pub(crate) use as_text;

leaf! {
    PerSecond: "a number per second, minute or hour, such as `\"450 /s\"`",
        { "type": "string", "pattern": r"^\s*[0-9.][0-9._]*\s*/\s*(s|ms|min|h)\s*$" };
    LinkRate: "a bit rate with its unit: bit/s, kbit/s, Mbit/s, Gbit/s or Tbit/s, or `\"unlimited\"`",
        { "type": "string", "anyOf": [{ "pattern": RATE }, { "const": "unlimited" }] };
    QueueSize: "a number of packets, a size with its unit, or `\"unlimited\"`",
        { "type": "string", "anyOf": [
            { "pattern": r"^\s*[0-9][0-9_]*\s*packets?\s*$" }, { "pattern": SIZE },
            { "pattern": r"^\s*unlimited\s*$" }
        ] };
    StartChoice: "a duration with its unit: ps, ns, us, ms, s, min or h; or `\"never\"`",
        { "type": "string", "anyOf": [{ "pattern": super::keys::DURATION }, { "const": "never" }] };
    Dropped: "a whole number, or a packet in words such as `\"client FIN 1\"`",
        { "anyOf": [{ "type": "integer", "minimum": 1 }, { "type": "string", "pattern": "^(client|server) " }] };
    CountLimit: "a whole number, or `\"unlimited\"`",
        { "anyOf": [{ "type": "integer", "minimum": 0 }, { "enum": ["unlimited", "all"] }] };
    SegmentsChoice: "`\"ladder\"`, `\"all\"`, `\"none\"`, or a whole number",
        { "anyOf": [{ "type": "integer", "minimum": 0 }, { "enum": ["ladder", "all", "none"] }] };
    PcapChoice: "`true`, `false`, or a filter such as `\"host server and port 80\"`",
        { "type": ["boolean", "string"] };
    SamplesChoice: "`\"grid\"`, `\"all\"`, or a duration with its unit",
        { "type": "string", "anyOf": [{ "enum": ["grid", "all"] }, { "pattern": super::keys::DURATION }] };
    WarmUpChoice: "`\"mser-5\"`, or a duration with its unit",
        { "type": "string", "anyOf": [{ "enum": ["mser-5"] }, { "pattern": super::keys::DURATION }] };
    PayloadChoice: "`\"letters\"` or `\"http\"`", { "enum": ["letters", "http"] };
    toml::value::Datetime: "a date and time of TOML, such as `2026-11-29T10:00:00Z`",
        { "format": "date-time" };
    PortList: "a number of ports, or a list of ports",
        { "anyOf": [
            { "type": "integer", "minimum": 0, "maximum": 65535 },
            { "type": "array", "items": { "type": "integer", "minimum": 0, "maximum": 65535 } }
        ] };
}

mod choices;
mod distribution;
mod dropped;
mod kept;
mod model;

pub use choices::{CountLimit, PortList, StartChoice};
pub use distribution::{Dist, DistributionUnit, InBytes, InSeconds};
pub use dropped::Dropped;
pub use kept::{PayloadChoice, PcapChoice, SamplesChoice, SegmentsChoice, WarmUpChoice};
pub use model::{MiddleboxOnly, ModelFile, NamedOnly, Never, OrModel, PlainValue};

/// How often something happens, per second; finite and not negative.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PerSecond(pub f64);

impl FromStr for PerSecond {
    type Err = Unreadable;
    fn from_str(text: &str) -> Result<Self, Unreadable> {
        let wrong = |why: &str| {
            Unreadable::from(format!(
                "cannot read {text:?} as a rate of events: {why}; write for example \"450 /s\""
            ))
        };
        let (number, unit) = text
            .split_once('/')
            .ok_or_else(|| wrong("the unit is missing (/s, /ms, /min or /h)"))?;
        let scale = match unit.trim() {
            "s" => 1.0,
            "ms" => 1e3,
            "min" => 1.0 / 60.0,
            "h" => 1.0 / 3600.0,
            _ => return Err(wrong("unknown unit (one of /s, /ms, /min, /h)")),
        };
        let number = number.trim().replace('_', "");
        match number.parse::<f64>() {
            Ok(n) if n.is_finite() && n >= 0.0 => Ok(PerSecond(n * scale)),
            Ok(_) => Err(wrong("it must be finite and not negative")),
            Err(_) => Err(wrong("it must start with a number")),
        }
    }
}

impl fmt::Display for PerSecond {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} /s", self.0)
    }
}
as_text!(PerSecond, "a quoted rate such as \"450 /s\"");

/// The rate of a link, or `"unlimited"`: no serialisation time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkRate(pub Option<Rate>);

impl FromStr for LinkRate {
    type Err = Unreadable;
    fn from_str(text: &str) -> Result<Self, Unreadable> {
        if text == "unlimited" {
            return Ok(LinkRate(None));
        }
        Ok(LinkRate(Some(text.parse::<Rate>()?)))
    }
}

impl fmt::Display for LinkRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(rate) => write!(f, "{rate}"),
            None => f.write_str("unlimited"),
        }
    }
}
as_text!(
    LinkRate,
    "a quoted rate such as \"10 Mbit/s\", or \"unlimited\""
);

/// The limit of a queue: `"100 packets"`, `"64 KB"` or `"unlimited"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueSize(pub QueueLimit);

impl FromStr for QueueSize {
    type Err = Unreadable;
    fn from_str(text: &str) -> Result<Self, Unreadable> {
        Ok(QueueSize(text.parse::<QueueLimit>()?))
    }
}

impl fmt::Display for QueueSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
as_text!(
    QueueSize,
    "a quoted limit such as \"100 packets\", \"64 KiB\" or \"unlimited\""
);
