//! Names of parameters in other systems, and their units there.

use sim_core::{Bytes, SimDuration};

use super::value::ParamValue;

/// Where a name is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameSystem {
    /// A Linux sysctl; its last part alone is enough.
    Linux,
    /// A sysctl of FreeBSD.
    FreeBsd,
    /// A socket option, for reference only: scenarios do not accept it.
    Socket,
    /// Another spelling, such as an attribute of `ip route`.
    Other,
}

/// The meaning of a bare number under a name.
#[derive(Clone, Copy, Debug)]
pub enum BareNumber {
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
    /// Half of a time in this unit: an MSL, where the parameter is 2 MSL.
    Half(SimDuration),
    /// Another rule; `None` when the number has no meaning.
    Rule(fn(i64) -> Option<ParamValue>),
}

/// A unit of time: a second.
pub(super) const S: BareNumber = BareNumber::Time(SimDuration::from_secs(1));
/// A unit of time: a millisecond.
pub(super) const MS: BareNumber = BareNumber::Time(SimDuration::from_millis(1));
/// A unit of time: a nanosecond.
pub(super) const NS: BareNumber = BareNumber::Time(SimDuration::from_nanos(1));
/// A unit of time: a microsecond.
pub(super) const US: BareNumber = BareNumber::Time(SimDuration::from_micros(1));

/// A name of a parameter in another system.
#[derive(Clone, Copy, Debug)]
pub struct SystemName {
    /// The name in full: `net.ipv4.tcp_fin_timeout`.
    pub name: &'static str,
    /// Where it is used.
    pub system: NameSystem,
    /// What a bare number means under it.
    pub raw: BareNumber,
}

/// A sysctl of Linux.
pub(super) const fn linux(name: &'static str, raw: BareNumber) -> SystemName {
    let system = NameSystem::Linux;
    SystemName { name, system, raw }
}

/// A sysctl of FreeBSD.
pub(super) const fn freebsd(name: &'static str, raw: BareNumber) -> SystemName {
    let system = NameSystem::FreeBsd;
    SystemName { name, system, raw }
}

const fn same_unit(name: &'static str, system: NameSystem) -> SystemName {
    let raw = BareNumber::Same;
    SystemName { name, system, raw }
}

/// A socket option.
pub(super) const fn socket(name: &'static str) -> SystemName {
    same_unit(name, NameSystem::Socket)
}

/// Another spelling.
pub(super) const fn other(name: &'static str) -> SystemName {
    same_unit(name, NameSystem::Other)
}

impl SystemName {
    /// The last part of a Linux sysctl, which is enough to name it.
    pub fn short(&self) -> &'static str {
        match self.system {
            NameSystem::Linux => self.name.rsplit('.').next().unwrap_or(self.name),
            _ => self.name,
        }
    }

    /// The unit of a bare number under this name, in words.
    pub fn unit(&self) -> &'static str {
        match self.raw {
            BareNumber::Time(unit) | BareNumber::Half(unit) => match unit.as_ps() {
                1_000_000 => "microseconds",
                1_000_000_000 => "milliseconds",
                _ => "seconds",
            },
            BareNumber::Bytes => "bytes",
            _ => "",
        }
    }

    /// Converts a value under this name to one under the parameter's own name.
    pub(super) fn convert(&self, value: &ParamValue) -> Option<ParamValue> {
        match (self.raw, value) {
            (BareNumber::Flag, ParamValue::Number(n)) => Some(ParamValue::Flag(*n != 0)),
            (BareNumber::NotFlag, ParamValue::Number(n)) => Some(ParamValue::Flag(*n == 0)),
            (BareNumber::NotFlag, ParamValue::Flag(on)) => Some(ParamValue::Flag(!on)),
            (BareNumber::Bytes, ParamValue::Number(n)) => {
                u64::try_from(*n).ok().map(|n| ParamValue::text(Bytes(n)))
            }
            (BareNumber::Time(unit), ParamValue::Number(n)) => scaled(unit, *n),
            (BareNumber::Half(unit), ParamValue::Number(n)) => {
                n.checked_mul(2).and_then(|n| scaled(unit, n))
            }
            (BareNumber::Half(_), ParamValue::Text(text)) => {
                let half = text.parse::<SimDuration>().ok();
                Some(half.map_or_else(|| value.clone(), |half| ParamValue::text(half * 2)))
            }
            (BareNumber::Rule(rule), ParamValue::Number(n)) => rule(*n),
            _ => Some(value.clone()),
        }
    }
}

fn scaled(unit: SimDuration, n: i64) -> Option<ParamValue> {
    u64::try_from(n).ok().map(|n| ParamValue::text(unit * n))
}
