//! The names a parameter has elsewhere, and the units its values have there.

use std::collections::HashMap;
use std::sync::OnceLock;

use sim_core::{Bytes, SimDuration};

use super::sysctl::{SYSCTLS, Sysctl};
use super::table::PARAMS;
use super::value::{Refusal, Value};
use super::{Param, TcpParams};

/// Where a name is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Where {
    /// A sysctl of Linux; its last part alone is enough.
    Linux,
    /// A sysctl of FreeBSD.
    FreeBsd,
    /// An option of a socket, for reference only: scenarios do not take it.
    Socket,
    /// Another spelling, such as an attribute of `ip route`.
    Other,
}

/// What a bare number means under a name.
#[derive(Clone, Copy, Debug)]
pub enum Raw {
    /// The same as under the parameter's own name.
    Same,
    /// Off for 0, on for any other number.
    Flag,
    /// The opposite of a flag.
    NotFlag,
    /// A number of bytes.
    Bytes,
    /// A time in this unit.
    Time(SimDuration),
    /// Half of a time in this unit: an MSL, where the parameter is two of them.
    Half(SimDuration),
    /// Another rule; `None` when the number has no meaning.
    Rule(fn(i64) -> Option<Value>),
}

/// A unit of time: a second.
pub(super) const S: Raw = Raw::Time(SimDuration::from_secs(1));
/// A unit of time: a millisecond.
pub(super) const MS: Raw = Raw::Time(SimDuration::from_millis(1));
/// A unit of time: a nanosecond.
pub(super) const NS: Raw = Raw::Time(SimDuration::from_nanos(1));
/// A unit of time: a microsecond.
pub(super) const US: Raw = Raw::Time(SimDuration::from_micros(1));

/// A name that a parameter has elsewhere.
#[derive(Clone, Copy, Debug)]
pub struct Name {
    /// The name in full: `net.ipv4.tcp_fin_timeout`.
    pub name: &'static str,
    /// Where it is used.
    pub system: Where,
    /// What a bare number means under it.
    pub raw: Raw,
}

/// A sysctl of Linux.
pub(super) const fn linux(name: &'static str, raw: Raw) -> Name {
    let system = Where::Linux;
    Name { name, system, raw }
}

/// A sysctl of FreeBSD.
pub(super) const fn freebsd(name: &'static str, raw: Raw) -> Name {
    let system = Where::FreeBsd;
    Name { name, system, raw }
}

/// A socket option.
pub(super) const fn socket(name: &'static str) -> Name {
    Name {
        name,
        system: Where::Socket,
        raw: Raw::Same,
    }
}

/// Another spelling.
pub(super) const fn other(name: &'static str) -> Name {
    Name {
        name,
        system: Where::Other,
        raw: Raw::Same,
    }
}

impl Name {
    /// The last part of a sysctl of Linux, which is enough to name it.
    pub fn short(&self) -> &'static str {
        match self.system {
            Where::Linux => self.name.rsplit('.').next().unwrap_or(self.name),
            _ => self.name,
        }
    }

    /// The unit of a bare number under this name, in words.
    pub fn unit(&self) -> &'static str {
        match self.raw {
            Raw::Time(unit) | Raw::Half(unit) => match unit.as_ps() {
                1_000_000 => "microseconds",
                1_000_000_000 => "milliseconds",
                _ => "seconds",
            },
            Raw::Bytes => "bytes",
            _ => "",
        }
    }

    /// A value under this name as a value under the parameter's own name.
    fn convert(&self, value: &Value) -> Option<Value> {
        match (self.raw, value) {
            (Raw::Flag, Value::Number(n)) => Some(Value::Flag(*n != 0)),
            (Raw::NotFlag, Value::Number(n)) => Some(Value::Flag(*n == 0)),
            (Raw::NotFlag, Value::Flag(on)) => Some(Value::Flag(!on)),
            (Raw::Bytes, Value::Number(n)) => u64::try_from(*n).ok().map(|n| Value::text(Bytes(n))),
            (Raw::Time(unit), Value::Number(n)) => scaled(unit, *n),
            (Raw::Half(unit), Value::Number(n)) => n.checked_mul(2).and_then(|n| scaled(unit, n)),
            (Raw::Half(_), Value::Text(text)) => {
                let half = text.parse::<SimDuration>().ok();
                Some(half.map_or_else(|| value.clone(), |half| Value::text(half * 2)))
            }
            (Raw::Rule(rule), Value::Number(n)) => rule(*n),
            _ => Some(value.clone()),
        }
    }
}

fn scaled(unit: SimDuration, n: i64) -> Option<Value> {
    u64::try_from(n).ok().map(|n| Value::text(unit * n))
}

/// What a name stands for.
#[derive(Clone, Copy, Debug)]
pub enum Named {
    /// A parameter, by its own name or by another.
    Param(&'static Param, Option<&'static Name>),
    /// A sysctl that is not one parameter.
    Sysctl(&'static Sysctl),
}

impl Named {
    /// The keys of the parameters that a value under this name sets.
    pub fn keys(&self) -> Vec<&'static str> {
        match self {
            Named::Param(param, _) => vec![param.key],
            Named::Sysctl(sysctl) => sysctl.keys().to_vec(),
        }
    }

    /// The parameters that a value under this name sets, each with its own value in the form in
    /// which [`Param::get`] gives it.
    ///
    /// # Errors
    /// When the value is refused, or the name depends on other values.
    pub fn values(&self, value: &Value) -> Result<Vec<(&'static Param, Value)>, Refusal> {
        match self {
            Named::Param(param, name) => {
                let converted = match name {
                    Some(name) => name.convert(value).ok_or_else(|| Refusal::Range {
                        value: value.to_string(),
                        range: param.kind.range_with_reason(),
                    })?,
                    None => value.clone(),
                };
                Ok(vec![(*param, param.normal(&converted)?)])
            }
            Named::Sysctl(sysctl) => sysctl.values(value),
        }
    }

    /// Sets what the value under this name stands for.
    ///
    /// # Errors
    /// When the value is refused; the parameters are then as before.
    pub fn set(&self, params: &mut TcpParams, value: &Value) -> Result<(), Refusal> {
        if let Named::Sysctl(sysctl) = self {
            return sysctl.set(params, value);
        }
        for (param, value) in self.values(value)? {
            param.set(params, &value)?;
        }
        Ok(())
    }
}

/// What a name stands for: a parameter's own name (`fin_timeout`), its path in a scenario
/// (`tcp.fin_timeout`), a sysctl in full (`net.ipv4.tcp_fin_timeout`,
/// `/proc/sys/net/ipv4/tcp_fin_timeout`, `net.inet.tcp.finwait2_timeout`) or the last part of one of
/// Linux (`tcp_fin_timeout`).
pub fn find(name: &str) -> Option<Named> {
    static NAMES: OnceLock<HashMap<&'static str, Named>> = OnceLock::new();
    let names = NAMES.get_or_init(all_names);
    let name = name.strip_prefix("tcp.").unwrap_or(name);
    if let Some(found) = names.get(name) {
        return Some(*found);
    }
    if !name.contains('/') {
        return None;
    }
    let path = name.strip_prefix("/proc/sys/").unwrap_or(name);
    names.get(path.replace('/', ".").as_str()).copied()
}

/// Every name that [`find`] knows, with what it stands for. A parameter's own name comes before
/// other names.
fn all_names() -> HashMap<&'static str, Named> {
    let mut names = HashMap::new();
    for param in PARAMS {
        names.insert(param.key, Named::Param(param, None));
    }
    for param in PARAMS {
        for name in param.names.iter().filter(|n| n.system != Where::Socket) {
            let named = Named::Param(param, Some(name));
            names.entry(name.name).or_insert(named);
            names.entry(name.short()).or_insert(named);
        }
    }
    for sysctl in SYSCTLS {
        names.entry(sysctl.name).or_insert(Named::Sysctl(sysctl));
        names.entry(sysctl.short()).or_insert(Named::Sysctl(sysctl));
    }
    names
}
