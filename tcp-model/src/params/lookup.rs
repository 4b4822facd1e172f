//! Resolves names: to a parameter, or to a system parameter that sets several.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::sysctl::{SYSCTLS, Sysctl, number};
use super::system_names::{NameSystem, SystemName};
use super::table::PARAMS;
use super::value::{ParamValue, Refusal};
use super::{Param, TcpParams};

/// The meaning of a name.
#[derive(Clone, Copy, Debug)]
pub enum Named {
    /// A parameter, under its own name or another.
    Param(&'static Param, Option<&'static SystemName>),
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

    /// The parameters that a value under this name sets, each with its value as returned by [`Param::get`].
    ///
    /// # Errors
    /// When the value is rejected, or its meaning depends on other values.
    pub fn values(&self, value: &ParamValue) -> Result<Vec<(&'static Param, ParamValue)>, Refusal> {
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

    /// Sets the parameters to a value given under this name.
    ///
    /// # Errors
    /// When the value is rejected; the parameters are then unchanged.
    pub fn set(&self, params: &mut TcpParams, value: &ParamValue) -> Result<(), Refusal> {
        if let Named::Sysctl(sysctl) = self {
            return sysctl.set(params, value);
        }
        for (param, value) in self.values(value)? {
            param.set(params, &value)?;
        }
        Ok(())
    }
}

/// Resolves a name: a parameter's own name (`fin_timeout`), its path in a scenario (`tcp.fin_timeout`), a
/// sysctl in full (`net.ipv4.tcp_fin_timeout`, `/proc/sys/net/ipv4/tcp_fin_timeout`,
/// `net.inet.tcp.finwait2_timeout`) or the last part of a Linux sysctl (`tcp_fin_timeout`).
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

/// Every name that [`find`] knows, with its meaning. A parameter's own name takes precedence.
fn all_names() -> HashMap<&'static str, Named> {
    let mut names = HashMap::new();
    for param in PARAMS {
        names.insert(param.key, Named::Param(param, None));
    }
    for param in PARAMS {
        for name in param
            .names
            .iter()
            .filter(|n| n.system != NameSystem::Socket)
        {
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

/// Sets a system parameter by name, with its value as shell text.
///
/// # Errors
/// When the name is not modelled, or the value is rejected; the parameters are then unchanged.
pub fn set_sysctl(params: &mut TcpParams, name: &str, text: &str) -> Result<(), Refusal> {
    let is_sysctl = name.starts_with("net.") || name.starts_with("/proc/sys/");
    let Some(named) = find(name).filter(|_| is_sysctl) else {
        return Err(Refusal::Unreadable(format!(
            "the model has nothing for {name}"
        )));
    };
    let value = match text.split_whitespace().collect::<Vec<_>>()[..] {
        [word] => number(word).map_or_else(|| ParamValue::text(word), ParamValue::Number),
        _ => ParamValue::text(text),
    };
    let mut changed = params.clone();
    named.set(&mut changed, &value)?;
    changed
        .check()
        .map_err(|conflict| Refusal::Unreadable(conflict.to_string()))?;
    *params = changed;
    Ok(())
}
