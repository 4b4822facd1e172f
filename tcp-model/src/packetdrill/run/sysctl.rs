//! System parameters in scripts: those of the parameter table.

use super::{Step, invalid, unsupported};
use crate::params::{TcpParams, UnknownName, elsewhere, find, set_sysctl};

/// True for `net.…`, `/proc/sys/net/…`.
pub(super) fn is_name(name: &str) -> bool {
    let name = name.strip_prefix("/proc/sys/").unwrap_or(name);
    name.starts_with("net.") || name.starts_with("net/")
}

/// The congestion control with this name on Linux.
pub(super) fn linux_control(name: &str) -> &str {
    match name {
        "cubic" => "cubic-linux",
        other => other,
    }
}

/// Sets a system parameter.
///
/// # Errors
/// Not supported if the model does not have the parameter or does not take the value; invalid if no
/// system has a parameter of this name.
pub(super) fn set(p: &mut TcpParams, name: &str, value: &str) -> Step<()> {
    let path = name.strip_prefix("/proc/sys/").unwrap_or(name);
    let name = path.replace('/', ".");
    let value = match name.as_str() {
        "net.ipv4.tcp_congestion_control" => linux_control(value),
        _ => value,
    };
    if find(&name).is_some() {
        let set = set_sysctl(p, &name, value);
        return set.or_else(|_| unsupported(format!("{name} = {value}")));
    }
    match elsewhere(&name, value) {
        UnknownName::NoEffect => Ok(()),
        UnknownName::NotModelled => unsupported(format!("the system parameter {name}")),
        UnknownName::Unknown(near) => {
            let near = near.map_or(String::new(), |near| format!("; did you mean {near}?"));
            invalid(format!("there is no system parameter {name}{near}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::GiveUp;

    #[test]
    fn linear_timeouts_keep_the_number_of_retries() {
        let mut p = TcpParams::linux();
        assert!(set(&mut p, "net.ipv4.tcp_syn_linear_timeouts", "0").is_ok());
        assert_eq!(p.syn_give_up, GiveUp::Retries(6));
        assert!(is_name("/proc/sys/net/core/somaxconn") && !is_name("PATH"));
    }
}
