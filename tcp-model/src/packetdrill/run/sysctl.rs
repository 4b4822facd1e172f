//! System parameters of scripts: those of the table of parameters.

use crate::params::{TcpParams, set_sysctl};

/// True for `net.…`, `/proc/sys/net/…`.
pub(super) fn is_name(name: &str) -> bool {
    let name = name.strip_prefix("/proc/sys/").unwrap_or(name);
    name.starts_with("net.") || name.starts_with("net/")
}

/// Sets one; false when the model has nothing for it, or does not take the value.
pub(super) fn set(p: &mut TcpParams, name: &str, value: &str) -> bool {
    set_sysctl(p, name, value).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::GiveUp;

    #[test]
    fn linear_timeouts_keep_the_number_of_retries() {
        let mut p = TcpParams::linux();
        assert!(set(&mut p, "net.ipv4.tcp_syn_linear_timeouts", "0"));
        assert_eq!(p.syn_give_up, GiveUp::Retries(6));
        assert!(!set(&mut p, "net.ipv4.tcp_no_such_thing", "1"));
        assert!(is_name("/proc/sys/net/core/somaxconn") && !is_name("PATH"));
    }
}
