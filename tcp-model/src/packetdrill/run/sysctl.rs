//! System parameters as fields of [`TcpParams`]: Linux's here, FreeBSD's beside.

mod freebsd;

use sim_core::SimDuration;

use crate::params::{EcnMode, GiveUp, IdleRestart, SynCookies, TcpParams, TwReuse};

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
    let number = |word: &str| match word.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => word.parse().ok(),
    };
    let numbers: Option<Vec<u32>> = value.split_whitespace().map(number).collect();
    let Some(numbers) = numbers else {
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
        "tcp_rmem" if numbers.len() == 3 => {
            p.receive_buffer = last.clamp(1152, 1 << 30);
            p.receive_buffer_start = numbers[1].clamp(1152, 1 << 30);
        }
        "tcp_moderate_rcvbuf" => p.moderate_rcvbuf = n != 0,
        // Without autotuning the send buffer has its final size from the start.
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
        "tcp_ecn" if n <= 2 => {
            p.ecn = [EcnMode::Off, EcnMode::Active, EcnMode::Passive][n as usize];
        }
        "tcp_slow_start_after_idle" => {
            p.idle_restart = [IdleRestart::Off, IdleRestart::Halving][usize::from(n != 0)];
        }
        "tcp_dsack" => p.dsack = n != 0,
        "tcp_fastopen" => p.fast_open = n,
        "tcp_syncookies" => {
            p.syn_cookies = match n {
                0 => SynCookies::Off,
                1 => SynCookies::WhenFull,
                _ => SynCookies::Always,
            };
        }
        "tcp_retries1" => p.retries1 = n,
        "tcp_challenge_ack_limit" => p.challenge_ack_limit = (n < i32::MAX as u32).then_some(n),
        "ip_no_pmtu_disc" => p.path_mtu_discovery = n == 0,
        "min_pmtu" => p.min_path_mtu = n.min(65_535) as u16,
        // Off is what the model does: nothing to set.
        "tcp_mtu_probing" | "tcp_autocorking" => return n == 0,
        // RACK, and its tail loss probes.
        "tcp_recovery" => p.rack = n & 1 != 0,
        "tcp_early_retrans" => p.tail_loss_probe = matches!(n, 3 | 4),
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
        assert!(set(&mut p, "net.ipv4.tcp_ecn", "1") && p.ecn == EcnMode::Active);
        assert!(!set(&mut p, "net.ipv4.tcp_ecn", "3"));
        assert!(!set(&mut p, "net.ipv4.tcp_no_such_thing", "1"));
        assert!(is_name("/proc/sys/net/core/somaxconn") && !is_name("PATH"));
    }
}
