//! System parameters as fields of [`TcpParams`]: Linux's here, FreeBSD's beside.

mod freebsd;

use sim_core::SimDuration;

use crate::params::{GiveUp, TcpParams, TwReuse};

/// True for `net.…`, `/proc/sys/net/…`.
pub(super) fn is_name(name: &str) -> bool {
    let name = name.strip_prefix("/proc/sys/").unwrap_or(name);
    name.starts_with("net.") || name.starts_with("net/")
}

/// Sets one; false when no field of the parameters stands for it, or the value is no number.
pub(super) fn set(p: &mut TcpParams, name: &str, value: &str) -> bool {
    if let Some(name) = name.strip_prefix("net.inet.tcp.") {
        return freebsd::set(p, name, value);
    }
    let short = name.rsplit(['.', '/']).next().unwrap_or(name);
    if short == "tcp_congestion_control" {
        return value == "reno";
    }
    let numbers: Result<Vec<u32>, _> = value.split_whitespace().map(str::parse).collect();
    let Ok(numbers) = numbers else {
        return false;
    };
    let Some(&n) = numbers.first() else {
        return false;
    };
    let last = numbers.last().copied().unwrap_or(n);
    let seconds = SimDuration::from_secs(u64::from(n.min(10_000_000)));
    let milliseconds = SimDuration::from_millis(u64::from(n));
    match short {
        "tcp_timestamps" => p.timestamps = n != 0,
        "tcp_sack" => p.sack = n != 0,
        "tcp_window_scaling" => p.window_scaling = n != 0,
        // Without autotuning a buffer has its final size from the start.
        "tcp_rmem" if numbers.len() == 3 => p.receive_buffer = last.clamp(1152, 1 << 30),
        "tcp_wmem" if numbers.len() == 3 => p.send_buffer = last.clamp(2304, 1 << 30),
        "tcp_syn_retries" => p.syn_give_up = GiveUp::Retries(n),
        "tcp_syn_linear_timeouts" => p.syn_linear_timeouts = n,
        "tcp_synack_retries" => p.synack_give_up = GiveUp::Retries(n),
        "tcp_retries2" => p.data_give_up = GiveUp::Retries(n),
        "tcp_orphan_retries" => p.orphan_give_up = GiveUp::Retries(if n == 0 { 8 } else { n }),
        "tcp_fin_timeout" => p.fin_timeout = Some(seconds),
        "tcp_keepalive_intvl" => p.keepalive_interval = seconds,
        "tcp_keepalive_probes" => p.keepalive_probes = n,
        "tcp_tw_reuse" => {
            p.tw_reuse = if n == 1 { TwReuse::On } else { TwReuse::Off };
        }
        "tcp_tw_reuse_delay" => p.tw_reuse_delay = milliseconds,
        "tcp_max_tw_buckets" => p.max_tw_buckets = Some(n),
        "tcp_rfc1337" => p.rfc1337 = n != 0,
        "tcp_max_syn_backlog" => p.max_syn_backlog = n,
        "somaxconn" => p.somaxconn = n,
        "tcp_abort_on_overflow" => p.abort_on_overflow = n != 0,
        "tcp_invalid_ratelimit" => p.challenge_ack_interval = milliseconds,
        "tcp_reordering" => p.dup_ack_threshold = n.max(1),
        "tcp_rto_min_us" => {
            p.min_rto = SimDuration::from_micros(u64::from(n)).min(p.max_rto);
        }
        "tcp_rto_max_ms" => p.max_rto = milliseconds.max(p.min_rto),
        "ip_default_ttl" => p.ttl = n.min(255) as u8,
        "ip_local_port_range" if numbers.len() == 2 && last <= 65_535 && n <= last => {
            p.port_range = (n as u16, last as u16);
        }
        // Off is what the model does: nothing to set.
        "tcp_ecn" => return matches!(n, 0 | 2),
        "tcp_fastopen" | "tcp_mtu_probing" | "tcp_dsack" | "tcp_early_retrans" | "tcp_recovery"
        | "tcp_autocorking" => return n == 0,
        _ => return false,
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linear_timeouts_keep_the_number_of_retries() {
        let mut p = TcpParams::linux();
        assert!(set(&mut p, "net.ipv4.tcp_syn_linear_timeouts", "0"));
        assert_eq!(p.syn_give_up, GiveUp::Retries(6));
        assert!(set(&mut p, "/proc/sys/net/ipv4/tcp_syn_retries", "2"));
        assert_eq!(p.syn_give_up, GiveUp::Retries(2));
        assert!(!set(&mut p, "net.ipv4.tcp_ecn", "1"));
        assert!(!set(&mut p, "net.ipv4.tcp_no_such_thing", "1"));
        assert!(is_name("/proc/sys/net/core/somaxconn") && !is_name("PATH"));
    }
}
