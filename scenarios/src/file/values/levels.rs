//! Switches with more than two positions, as sysctls have them: a word or the sysctl's number.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};
use tcp_model::params::{EcnMode, SynCookies};

/// `tcp_ecn`: `"off"`, `"active"`, `"passive"`, or 0, 1, 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EcnLevel(pub EcnMode);

/// `tcp_syncookies`: `"off"`, `"when-full"`, `"always"`, or 0, 1, 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CookieLevel(pub SynCookies);

macro_rules! level {
    ($name:ident, $expecting:literal, $($word:literal $number:literal $value:expr;)*) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                $(if self.0 == $value {
                    return s.serialize_str($word);
                })*
                unreachable!("every value has a word")
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                struct WordOrNumber;
                impl Visitor<'_> for WordOrNumber {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($expecting)
                    }
                    fn visit_str<E: de::Error>(self, word: &str) -> Result<$name, E> {
                        match word {
                            $($word => Ok($name($value)),)*
                            _ => Err(E::invalid_value(de::Unexpected::Str(word), &self)),
                        }
                    }
                    fn visit_i64<E: de::Error>(self, number: i64) -> Result<$name, E> {
                        match number {
                            $($number => Ok($name($value)),)*
                            _ => Err(E::invalid_value(de::Unexpected::Signed(number), &self)),
                        }
                    }
                }
                d.deserialize_any(WordOrNumber)
            }
        }
        #[cfg(test)]
        impl $name {
            const ALL: &'static [(&'static str, i64)] = &[$(($word, $number)),*];
        }
    };
}

level! { EcnLevel, "\"off\", \"active\" or \"passive\" (0, 1 or 2)",
    "off" 0 EcnMode::Off;
    "active" 1 EcnMode::Active;
    "passive" 2 EcnMode::Passive;
}

level! { CookieLevel, "\"off\", \"when-full\" or \"always\" (0, 1 or 2)",
    "off" 0 SynCookies::Off;
    "when-full" 1 SynCookies::WhenFull;
    "always" 2 SynCookies::Always;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, serde::Deserialize)]
    struct Both {
        ecn: EcnLevel,
        cookies: CookieLevel,
    }

    #[test]
    fn words_and_numbers_mean_the_same() {
        for (ecn, cookies) in EcnLevel::ALL.iter().zip(CookieLevel::ALL) {
            let words = format!("ecn = {:?}\ncookies = {:?}", ecn.0, cookies.0);
            let numbers = format!("ecn = {}\ncookies = {}", ecn.1, cookies.1);
            let read: Both = toml::from_str(&words).unwrap();
            assert_eq!(read, toml::from_str(&numbers).unwrap());
            assert_eq!(toml::to_string(&read).unwrap().trim(), words);
        }
        for wrong in ["3", "-1", "\"on\"", "true"] {
            let text = format!("ecn = {wrong}\ncookies = 0");
            let error = toml::from_str::<Both>(&text).unwrap_err().to_string();
            assert!(error.contains("passive"), "{error}");
        }
    }
}
