//! A packet to drop, given by its number on the link, or by sender and kind.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};
use tcp_model::drop_rules::DropRule;

/// A packet to drop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dropped {
    /// By its number among those offered to a link, from 1.
    Number(u64),
    /// By sender, kind and number in its connection.
    Named(DropRule),
}

impl Serialize for Dropped {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Dropped::Number(n) => s.serialize_u64(*n),
            Dropped::Named(rule) => s.collect_str(rule),
        }
    }
}

impl<'de> Deserialize<'de> for Dropped {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct NumberOrWords;
        impl Visitor<'_> for NumberOrWords {
            type Value = Dropped;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the number of a packet, or a packet in words such as \"client FIN 1\"")
            }
            fn visit_i64<E: de::Error>(self, n: i64) -> Result<Dropped, E> {
                u64::try_from(n)
                    .map(Dropped::Number)
                    .map_err(|_| E::invalid_value(de::Unexpected::Signed(n), &self))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Dropped, E> {
                text.parse().map(Dropped::Named).map_err(E::custom)
            }
        }
        d.deserialize_any(NumberOrWords)
    }
}
