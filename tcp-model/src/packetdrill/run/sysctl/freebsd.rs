//! FreeBSD's system parameters, `net.inet.tcp.…`, as fields of [`TcpParams`]; times in
//! milliseconds.

use sim_core::SimDuration;

use crate::params::{EcnMode, GiveUp, SynCookies, TcpParams};

/// Sets one, named without `net.inet.tcp.`; false when no field stands for it.
pub(super) fn set(p: &mut TcpParams, name: &str, value: &str) -> bool {
    if name == "cc.algorithm" {
        return value == "newreno";
    }
    let Ok(n) = value.parse::<u32>() else {
        return false;
    };
    let time = SimDuration::from_millis(u64::from(n));
    match name {
        "rfc1323" => {
            p.timestamps = n == 1 || n == 3;
            p.window_scaling = n == 1 || n == 2;
        }
        "sack.enable" => p.sack = n != 0,
        "delayed_ack" => {
            p.quick_acks = 0;
            p.delayed_ack = if n == 0 {
                SimDuration::ZERO
            } else {
                p.delayed_ack
            };
        }
        "delacktime" => p.delayed_ack = time,
        "msl" => p.time_wait = time * 2,
        "initcwnd_segments" => p.initial_window = n.clamp(1, 1000),
        "rexmit_initial" => p.initial_rto = time,
        "rexmit_min" => p.min_rto = time.min(p.max_rto),
        "finwait2_timeout" => p.fin_timeout = Some(time),
        "keepidle" => p.keepalive = p.keepalive.map(|_| time),
        "always_keepalive" => {
            let idle = p.keepalive.unwrap_or(SimDuration::from_secs(7200));
            p.keepalive = (n != 0).then_some(idle);
        }
        "keepintvl" => p.keepalive_interval = time,
        "keepcnt" => p.keepalive_probes = n,
        "recvspace" => p.receive_buffer = n.clamp(1152, 1 << 30),
        "sendspace" => p.send_buffer = n.clamp(2304, 1 << 30),
        "insecure_rst" => p.rst_in_window_resets = n != 0,
        "insecure_syn" => p.syn_in_window_resets = n != 0,
        "tolerate_missing_ts" => p.require_timestamps = n == 0,
        "maxtcptw" => p.max_tw_buckets = Some(n),
        "rexmit_retries" => p.data_give_up = GiveUp::Retries(n),
        "ecn.enable" if n <= 2 => {
            p.ecn = [EcnMode::Off, EcnMode::Active, EcnMode::Passive][n as usize];
        }
        "fastopen.server_enable" => set_bit(&mut p.fast_open, TcpParams::FAST_OPEN_SERVER, n),
        "fastopen.client_enable" => set_bit(&mut p.fast_open, TcpParams::FAST_OPEN_CLIENT, n),
        "path_mtu_discovery" => p.path_mtu_discovery = n != 0,
        "syncookies" => {
            p.syn_cookies = if n == 0 {
                SynCookies::Off
            } else {
                SynCookies::WhenFull
            };
        }
        "syncookies_only" => {
            p.syn_cookies = if n == 0 {
                SynCookies::WhenFull
            } else {
                SynCookies::Always
            };
        }
        "mssdflt" | "minmss" | "per_cpu_timers" | "icmp_may_rst" => return false,
        // Off is what the model does.
        "blackhole" | "tso" | "drop_synfin" | "pmtud_blackhole_detection" => return n == 0,
        _ => return false,
    }
    true
}

fn set_bit(bits: &mut u32, bit: u32, on: u32) {
    *bits = if on == 0 { *bits & !bit } else { *bits | bit };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_wait_is_twice_the_msl() {
        let mut p = TcpParams::rfc9293();
        assert!(set(&mut p, "msl", "500"));
        assert_eq!(p.time_wait, SimDuration::from_secs(1));
        assert!(set(&mut p, "rfc1323", "2") && !p.timestamps && p.window_scaling);
        assert!(set(&mut p, "insecure_rst", "1") && p.rst_in_window_resets);
        assert!(!set(&mut p, "no.such", "1") && !set(&mut p, "msl", "soon"));
    }
}
