//! Parameter values as written in text formats, and how each type reads and writes them.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Serialize, Serializer};
use sim_core::{Bytes, SimDuration};

use super::kind::{ParamKind, ParamType};

/// A parameter's value as given in a TOML file, a sysctl or on a command line.
#[derive(Clone, Debug, PartialEq)]
pub enum ParamValue {
    /// On or off.
    Flag(bool),
    /// A whole number.
    Number(i64),
    /// A number with a fraction.
    Decimal(f64),
    /// A word, or a quantity with its unit: `"30 s"`, `"64 KiB"`.
    Text(String),
    /// Several values.
    List(Vec<ParamValue>),
    /// Named values.
    Table(BTreeMap<String, ParamValue>),
}

impl ParamValue {
    /// A whole number; numbers beyond `i64` are clamped to its maximum.
    pub fn number(n: u64) -> ParamValue {
        ParamValue::Number(i64::try_from(n).unwrap_or(i64::MAX))
    }

    /// A word or a quantity.
    pub fn text(text: impl fmt::Display) -> ParamValue {
        ParamValue::Text(text.to_string())
    }
}

impl From<bool> for ParamValue {
    fn from(on: bool) -> ParamValue {
        ParamValue::Flag(on)
    }
}

/// The value with its type, as messages name it: "integer `10`".
impl fmt::Display for ParamValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ParamValue::Flag(on) => write!(f, "boolean `{on}`"),
            ParamValue::Number(n) => write!(f, "integer `{n}`"),
            ParamValue::Decimal(x) => write!(f, "floating point `{x}`"),
            ParamValue::Text(text) => write!(f, "string {text:?}"),
            ParamValue::List(_) => f.write_str("sequence"),
            ParamValue::Table(_) => f.write_str("table"),
        }
    }
}

/// Why a parameter rejects a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The value has a type, or is a word, that the parameter does not take.
    #[error("this is {found}; write {expected}")]
    Type {
        /// The value with its type.
        found: String,
        /// What to write.
        expected: String,
    },
    /// A quantity could not be parsed.
    #[error("{0}")]
    Unreadable(String),
    /// The value is outside the parameter's range.
    #[error("{value} is out of range; choose {range}")]
    Range {
        /// The value.
        value: String,
        /// The range and the reason for it.
        range: String,
    },
}

impl Refusal {
    /// A value of the wrong type.
    pub fn wrong_type(value: &ParamValue, kind: &ParamKind) -> Refusal {
        Refusal::Type {
            found: value.to_string(),
            expected: kind.expecting(),
        }
    }

    pub(super) fn range(value: impl fmt::Display, kind: &ParamKind) -> Refusal {
        Refusal::Range {
            value: value.to_string(),
            range: kind.range_with_reason(),
        }
    }
}

/// A type for fields of [`super::TcpParams`].
pub trait ParamField: Sized {
    /// Reads a value.
    ///
    /// # Errors
    /// When it has another type, or is outside the range of `kind`.
    fn read(value: &ParamValue, kind: &ParamKind) -> Result<Self, Refusal>;

    /// Writes a value so that [`ParamField::read`] returns the same.
    fn write(&self, kind: &ParamKind) -> ParamValue;
}

impl ParamField for bool {
    fn read(value: &ParamValue, kind: &ParamKind) -> Result<bool, Refusal> {
        match value {
            ParamValue::Flag(on) => Ok(*on),
            ParamValue::Number(0) => Ok(false),
            ParamValue::Number(1) => Ok(true),
            _ => Err(Refusal::wrong_type(value, kind)),
        }
    }

    fn write(&self, _: &ParamKind) -> ParamValue {
        ParamValue::Flag(*self)
    }
}

/// Reads a whole number or a size and checks its range.
fn quantity(value: &ParamValue, kind: &ParamKind) -> Result<u64, Refusal> {
    let number = match (value, &kind.shape) {
        (ParamValue::Text(text), ParamType::Size) => {
            let bytes = text.parse::<Bytes>();
            bytes
                .map_err(|e| Refusal::Unreadable(e.to_string()))
                .map(|b| b.0)?
        }
        (ParamValue::Number(n), ParamType::Count | ParamType::Bits(_)) => {
            u64::try_from(*n).map_err(|_| Refusal::range(n, kind))?
        }
        _ => return Err(Refusal::wrong_type(value, kind)),
    };
    if let ParamType::Bits(bits) = &kind.shape {
        let known = bits.iter().fold(0, |all, b| all | b.number as u64);
        if number & !known != 0 {
            return Err(Refusal::range(format!("{number:#x}"), kind));
        }
    }
    if (kind.least..=kind.most).contains(&number) {
        return Ok(number);
    }
    Err(match kind.shape {
        ParamType::Size => Refusal::range(Bytes(number), kind),
        _ => Refusal::range(number, kind),
    })
}

macro_rules! whole_number {
    ($($type:ty),*) => {$(
        impl ParamField for $type {
            fn read(value: &ParamValue, kind: &ParamKind) -> Result<$type, Refusal> {
                let number = quantity(value, kind)?;
                // The range of every row fits its type; a test checks the ends.
                <$type>::try_from(number).map_err(|_| Refusal::range(number, kind))
            }

            fn write(&self, kind: &ParamKind) -> ParamValue {
                match kind.shape {
                    ParamType::Size => ParamValue::text(Bytes(u64::from(*self))),
                    _ => ParamValue::number(u64::from(*self)),
                }
            }
        }
    )*};
}
whole_number!(u8, u16, u32);

pub(super) fn duration(text: &str) -> Result<SimDuration, Refusal> {
    text.parse::<SimDuration>()
        .map_err(|e| Refusal::Unreadable(e.to_string()))
}

impl ParamField for SimDuration {
    fn read(value: &ParamValue, kind: &ParamKind) -> Result<SimDuration, Refusal> {
        let ParamValue::Text(text) = value else {
            return Err(Refusal::wrong_type(value, kind));
        };
        let time = duration(text)?;
        if (kind.least..=kind.most).contains(&time.as_ps()) {
            Ok(time)
        } else {
            Err(Refusal::range(time, kind))
        }
    }

    fn write(&self, _: &ParamKind) -> ParamValue {
        ParamValue::text(self)
    }
}

impl<T: ParamField> ParamField for Option<T> {
    fn read(value: &ParamValue, kind: &ParamKind) -> Result<Option<T>, Refusal> {
        match value {
            ParamValue::Text(word) if kind.is_none(word) => Ok(None),
            _ => T::read(value, kind).map(Some),
        }
    }

    fn write(&self, kind: &ParamKind) -> ParamValue {
        match self {
            Some(value) => value.write(kind),
            None => ParamValue::text(kind.none.unwrap_or("none")),
        }
    }
}

/// Two ports: `[1024, 65535]`, or `"1024 65535"` as in the sysctl.
impl ParamField for (u16, u16) {
    fn read(value: &ParamValue, kind: &ParamKind) -> Result<(u16, u16), Refusal> {
        let wrong = || Refusal::wrong_type(value, kind);
        let numbers: Vec<i64> = match value {
            ParamValue::List(list) => {
                let numbers = list.iter().map(|v| match v {
                    ParamValue::Number(n) => Ok(*n),
                    other => Err(Refusal::wrong_type(other, kind)),
                });
                numbers.collect::<Result<_, _>>()?
            }
            ParamValue::Text(text) => {
                let words = text.split_whitespace().map(str::parse::<i64>);
                words.collect::<Result<_, _>>().map_err(|_| wrong())?
            }
            _ => return Err(wrong()),
        };
        let [low, high] = numbers[..] else {
            return Err(Refusal::Unreadable(format!(
                "a range is two ports, the first and the last, not {}; write for example [1024, 65535]",
                numbers.len()
            )));
        };
        let port = |n: i64| match u16::try_from(n) {
            Ok(p) if u64::from(p) >= kind.least => Ok(p),
            _ => Err(Refusal::range(format!("port {n}"), kind)),
        };
        Ok((port(low)?, port(high)?))
    }

    fn write(&self, _: &ParamKind) -> ParamValue {
        let port = |p: u16| ParamValue::Number(i64::from(p));
        ParamValue::List(vec![port(self.0), port(self.1)])
    }
}

impl Serialize for ParamValue {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            ParamValue::Flag(on) => s.serialize_bool(*on),
            ParamValue::Number(n) => s.serialize_i64(*n),
            ParamValue::Decimal(x) => s.serialize_f64(*x),
            ParamValue::Text(text) => s.serialize_str(text),
            ParamValue::List(list) => list.serialize(s),
            ParamValue::Table(table) => table.serialize(s),
        }
    }
}

impl<'de> Deserialize<'de> for ParamValue {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<ParamValue, D::Error> {
        d.deserialize_any(AnyValueVisitor)
    }
}

struct AnyValueVisitor;

impl<'de> Visitor<'de> for AnyValueVisitor {
    type Value = ParamValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E: de::Error>(self, on: bool) -> Result<ParamValue, E> {
        Ok(ParamValue::Flag(on))
    }

    fn visit_i64<E: de::Error>(self, n: i64) -> Result<ParamValue, E> {
        Ok(ParamValue::Number(n))
    }

    fn visit_u64<E: de::Error>(self, n: u64) -> Result<ParamValue, E> {
        i64::try_from(n)
            .map(ParamValue::Number)
            .map_err(|_| E::invalid_value(de::Unexpected::Unsigned(n), &"a smaller number"))
    }

    fn visit_f64<E: de::Error>(self, x: f64) -> Result<ParamValue, E> {
        Ok(ParamValue::Decimal(x))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<ParamValue, E> {
        Ok(ParamValue::text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<ParamValue, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = seq.next_element()? {
            list.push(value);
        }
        Ok(ParamValue::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ParamValue, A::Error> {
        let mut table = BTreeMap::new();
        while let Some((key, value)) = map.next_entry()? {
            table.insert(key, value);
        }
        Ok(ParamValue::Table(table))
    }
}
