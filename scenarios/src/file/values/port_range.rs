//! A range of ports: a list of two numbers, or the sysctl's text.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use serde::{Serialize, Serializer};

/// First and last port: `[1024, 65535]`, or `"1024 65535"` as the sysctl says it; writes the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortRange(pub (u16, u16));

impl Serialize for PortRange {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(s)
    }
}

impl<'de> Deserialize<'de> for PortRange {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct ListOrText;
        impl<'de> Visitor<'de> for ListOrText {
            type Value = PortRange;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("two ports, as in [1024, 65535]")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<PortRange, A::Error> {
                let mut ports = Vec::new();
                while let Some(port) = seq.next_element::<u16>()? {
                    ports.push(port);
                }
                match ports[..] {
                    [first, last] => Ok(PortRange((first, last))),
                    _ => Err(de::Error::invalid_length(
                        ports.len(),
                        &"an array of length 2",
                    )),
                }
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<PortRange, E> {
                let ports: Option<Vec<u16>> =
                    text.split_whitespace().map(|p| p.parse().ok()).collect();
                match ports.as_deref() {
                    Some(&[first, last]) => Ok(PortRange((first, last))),
                    _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
                }
            }
        }
        d.deserialize_any(ListOrText)
    }
}
