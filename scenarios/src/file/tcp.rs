//! `[tcp]`: a profile and the parameters that differ from it, under any of their names.
//!
//! Names, types and ranges come from the table in [`tcp_model::params`].

use std::collections::BTreeMap;
use std::fmt;
use std::sync::OnceLock;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use tcp_model::params::{self, NameSystem, Named, PARAMS, Param, ParamValue, Refusal, TcpParams};

use super::keys::{KeyForm, ScenarioValue};

/// TCP parameters as written in a scenario; those not given come from the profile.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TcpFile {
    /// The named set to start from: `linux`, `freebsd`, `windows`, `macos`, `solaris` or `rfc9293`.
    pub profile: Option<String>,
    /// The parameters by their canonical names, within their ranges.
    pub(crate) values: BTreeMap<&'static str, ParamValue>,
    /// The parameters that differ on the hosts of a group, by the group's name.
    pub host: BTreeMap<String, TcpFile>,
}

impl TcpFile {
    /// Applies the given values, ignoring the profile.
    ///
    /// # Errors
    /// The key of a parameter that rejects its value, and why.
    pub fn apply(&self, params: &mut TcpParams) -> Result<(), (&'static str, Refusal)> {
        for (key, value) in &self.values {
            if let Some(param) = params::param(key) {
                param.set(params, value).map_err(|e| (*key, e))?;
            }
        }
        Ok(())
    }

    /// Writes out every parameter.
    pub fn complete(profile: &str, params: &TcpParams) -> TcpFile {
        TcpFile {
            profile: Some(profile.to_owned()),
            values: PARAMS.iter().map(|p| (p.key, p.get(params))).collect(),
            host: BTreeMap::new(),
        }
    }
}

impl ScenarioValue for TcpFile {
    fn form() -> KeyForm {
        KeyForm::Tcp
    }
}

impl Serialize for TcpFile {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut map = s.serialize_map(None)?;
        if let Some(profile) = &self.profile {
            map.serialize_entry("profile", profile)?;
        }
        for (key, value) in &self.values {
            map.serialize_entry(key, value)?;
        }
        if !self.host.is_empty() {
            map.serialize_entry("host", &self.host)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for TcpFile {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<TcpFile, D::Error> {
        d.deserialize_map(TcpVisitor)
    }
}

struct TcpVisitor;

impl<'de> Visitor<'de> for TcpVisitor {
    type Value = TcpFile;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of TCP parameters")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<TcpFile, A::Error> {
        let mut file = TcpFile::default();
        let mut given = GivenNames::default();
        while let Some(key) = map.next_key_seed(KeySeed(&mut given))? {
            match key {
                TcpKey::Profile => file.profile = Some(map.next_value()?),
                TcpKey::Host => file.host = map.next_value()?,
                TcpKey::Named(named) => {
                    let values = map.next_value_seed(ValueSeed(named))?;
                    file.values
                        .extend(values.iter().map(|(p, v)| (p.key, v.clone())));
                }
                TcpKey::Net => {
                    let values = map.next_value_seed(NetSeed(&mut given))?;
                    file.values.extend(values);
                }
            }
        }
        Ok(file)
    }
}

/// A key of `[tcp]`.
enum TcpKey {
    Profile,
    Host,
    /// A parameter, under any of its names.
    Named(Named),
    /// The beginning of a sysctl's name without quotes: `net.ipv4.tcp_sack = 1`.
    Net,
}

/// The parameters given so far, and the names under which they were given.
#[derive(Default)]
struct GivenNames(BTreeMap<&'static str, String>);

impl GivenNames {
    /// Records a name; an error if its parameter was already given under another name.
    fn add<E: de::Error>(&mut self, name: &str, named: &Named) -> Result<(), E> {
        for key in named.keys() {
            if let Some(other) = self.0.insert(key, name.to_owned()) {
                return Err(E::custom(format!(
                    "`{other}` and `{name}` are two names of one parameter, `{key}`; keep one of them"
                )));
            }
        }
        Ok(())
    }
}

struct KeySeed<'a>(&'a mut GivenNames);

impl<'de> DeserializeSeed<'de> for KeySeed<'_> {
    type Value = TcpKey;
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<TcpKey, D::Error> {
        d.deserialize_identifier(self)
    }
}

impl Visitor<'_> for KeySeed<'_> {
    type Value = TcpKey;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a TCP parameter")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<TcpKey, E> {
        match (name, params::find(name)) {
            ("profile", _) => Ok(TcpKey::Profile),
            ("host", _) => Ok(TcpKey::Host),
            ("net", _) => Ok(TcpKey::Net),
            (_, Some(named)) => {
                self.0.add(name, &named)?;
                Ok(TcpKey::Named(named))
            }
            (_, None) => Err(E::unknown_field(name, known_keys())),
        }
    }
}

/// All keys of `[tcp]`, and their Linux names.
pub fn known_keys() -> &'static [&'static str] {
    static KEYS: OnceLock<Vec<&'static str>> = OnceLock::new();
    KEYS.get_or_init(|| {
        let linux = PARAMS.iter().flat_map(|p| p.names);
        let linux = linux.filter(|n| matches!(n.system, NameSystem::Linux | NameSystem::Other));
        let mut all = vec!["host", "profile"];
        all.extend(PARAMS.iter().map(|p| p.key));
        all.extend(linux.map(|n| n.short()));
        all.sort_unstable();
        all.dedup();
        all
    })
}

/// The value of a parameter, checked by the table.
struct ValueSeed(Named);

impl<'de> DeserializeSeed<'de> for ValueSeed {
    type Value = Vec<(&'static Param, ParamValue)>;
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Self::Value, D::Error> {
        let value = ParamValue::deserialize(d)?;
        self.0.values(&value).map_err(refused)
    }
}

/// Formats a refusal like an error of serde, from which the message is built.
fn refused<E: de::Error>(refusal: Refusal) -> E {
    match refusal {
        Refusal::Type { found, expected } => {
            E::custom(format!("invalid type: {found}, expected {expected}"))
        }
        other => E::custom(other),
    }
}

/// The rest of a sysctl's name written without quotes.
struct NetSeed<'a>(&'a mut GivenNames);

impl<'de> DeserializeSeed<'de> for NetSeed<'_> {
    type Value = Vec<(&'static str, ParamValue)>;
    fn deserialize<D: Deserializer<'de>>(mut self, d: D) -> Result<Self::Value, D::Error> {
        let mut values = Vec::new();
        self.flatten("net", &ParamValue::deserialize(d)?, &mut values)?;
        Ok(values)
    }
}

impl NetSeed<'_> {
    fn flatten<E: de::Error>(
        &mut self,
        name: &str,
        value: &ParamValue,
        all: &mut Vec<(&'static str, ParamValue)>,
    ) -> Result<(), E> {
        if let Some(named) = params::find(name) {
            self.0.add(name, &named)?;
            let values = named.values(value).map_err(refused::<E>)?;
            all.extend(values.into_iter().map(|(p, v)| (p.key, v)));
            return Ok(());
        }
        match value {
            ParamValue::Table(table) => table
                .iter()
                .try_for_each(|(key, v)| self.flatten(&format!("{name}.{key}"), v, all)),
            _ => Err(E::unknown_field(name, known_keys())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<TcpFile, String> {
        toml::from_str(text).map_err(|e: toml::de::Error| e.message().to_owned())
    }

    #[test]
    fn a_parameter_reads_the_same_under_each_of_its_names() {
        let own = read("fin_timeout = \"30 s\"").unwrap();
        for text in [
            "tcp_fin_timeout = \"30 s\"",
            "tcp_fin_timeout = 30",
            "\"net.ipv4.tcp_fin_timeout\" = 30",
            "net.ipv4.tcp_fin_timeout = 30",
            "net.inet.tcp.finwait2_timeout = 30000",
        ] {
            assert_eq!(read(text).as_ref(), Ok(&own), "{text}");
        }
        let rmem = read("tcp_rmem = \"4096 131072 6291456\"").unwrap();
        let both = "receive_buffer_start = \"128 KiB\"\nreceive_buffer = \"6 MiB\"";
        assert_eq!(Ok(rmem), read(both));
    }

    #[test]
    fn two_names_of_one_parameter_in_one_table_are_refused_with_both() {
        for text in [
            "fin_timeout = \"30 s\"\ntcp_fin_timeout = 30",
            "tcp_fin_timeout = 30\nnet.ipv4.tcp_fin_timeout = 30",
            "tcp_rmem = \"1 2 3\"\nreceive_buffer = \"1 MiB\"",
        ] {
            let message = read(text).unwrap_err();
            assert!(message.contains("two names of one parameter"), "{message}");
        }
        let apart = "fin_timeout = \"30 s\"\n[host.web]\ntcp_fin_timeout = 30";
        assert!(read(apart).is_ok());
    }

    #[test]
    fn everything_written_out_reads_the_same() {
        for profile in TcpParams::PROFILES {
            let params = TcpParams::profile(profile).unwrap();
            let complete = TcpFile::complete(profile, &params);
            let text = toml::to_string(&complete).unwrap();
            assert_eq!(read(&text).as_ref(), Ok(&complete));
            let mut copy = TcpParams::rfc9293();
            complete.apply(&mut copy).unwrap();
            assert_eq!(copy, params);
        }
    }

    #[test]
    fn unknown_names_and_values_out_of_range_are_refused() {
        for (text, part) in [
            ("tcp_fin_timeuot = 30", "unknown field"),
            ("net.ipv4.tcp_fin_timeuot = 30", "unknown field"),
            ("time_wait = \"0 s\"", "out of range"),
            ("time_wait = 60", "invalid type: integer `60`"),
            (
                "timers = \"hz-100\"",
                "\"exact\", \"hz-250\" or \"hz-1000\"",
            ),
        ] {
            let message = read(text).unwrap_err();
            assert!(message.contains(part), "{message}");
        }
    }
}
