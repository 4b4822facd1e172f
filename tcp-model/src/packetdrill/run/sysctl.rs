//! System parameters of scripts: those of the table of parameters.

use super::{Step, no_such, unsupported};
use crate::params::{PARAMS, SYSCTLS, TcpParams, Where, find, set_sysctl};

/// True for `net.…`, `/proc/sys/net/…`.
pub(super) fn is_name(name: &str) -> bool {
    let name = name.strip_prefix("/proc/sys/").unwrap_or(name);
    name.starts_with("net.") || name.starts_with("net/")
}

/// Sets one.
///
/// # Errors
/// Not supported when the model has nothing for it or does not take the value; invalid when no
/// system has one of this name.
pub(super) fn set(p: &mut TcpParams, name: &str, value: &str) -> Step<()> {
    let path = name.strip_prefix("/proc/sys/").unwrap_or(name);
    let name = path.replace('/', ".");
    if find(&name).is_some() {
        return match set_sysctl(p, &name, value) {
            Ok(()) => Ok(()),
            Err(_) => unsupported(format!("{name} = {value}")),
        };
    }
    let short = name.strip_prefix("net.ipv4.").unwrap_or(&name);
    if WITHOUT_EFFECT.contains(&(short, value)) || NEVER_ANY.contains(&short) {
        return Ok(());
    }
    if !name.starts_with("net.ipv4.tcp_") || ELSEWHERE.contains(&short) {
        return unsupported(format!("the system parameter {name}"));
    }
    let params = PARAMS.iter().flat_map(|p| p.names);
    let params = params.filter(|n| n.system != Where::Socket).map(|n| n.name);
    let known = params.chain(SYSCTLS.iter().map(|s| s.name));
    let known = known.filter_map(|n| n.strip_prefix("net.ipv4."));
    no_such(
        "system parameter net.ipv4.",
        short,
        known.chain(ELSEWHERE).chain(NEVER_ANY),
    )
}

/// Values that say what the model does anyway.
const WITHOUT_EFFECT: [(&str, &str); 13] = [
    ("tcp_abc", "0"),
    ("tcp_fack", "0"),
    ("tcp_fwmark_accept", "0"),
    ("tcp_l3mdev_accept", "0"),
    ("tcp_migrate_req", "0"),
    ("tcp_no_metrics_save", "1"),
    ("tcp_plb_enabled", "0"),
    ("tcp_reflect_tos", "0"),
    ("tcp_shrink_window", "0"),
    ("tcp_stdurg", "0"),
    ("tcp_thin_linear_timeouts", "0"),
    ("tcp_tw_recycle", "0"),
    ("tcp_workaround_signed_windows", "0"),
];

/// Parameters of Linux that change nothing since 6.6, whatever their value.
const NEVER_ANY: [&str; 2] = ["tcp_adv_win_scale", "tcp_low_latency"];

/// Other parameters of Linux, for which the model has nothing.
const ELSEWHERE: [&str; 52] = [
    "tcp_abc",
    "tcp_allowed_congestion_control",
    "tcp_app_win",
    "tcp_available_congestion_control",
    "tcp_available_ulp",
    "tcp_backlog_ack_defer",
    "tcp_base_mss",
    "tcp_child_ehash_entries",
    "tcp_comp_sack_delay_ns",
    "tcp_comp_sack_nr",
    "tcp_comp_sack_rtt_percent",
    "tcp_comp_sack_slack_ns",
    "tcp_ecn_fallback",
    "tcp_ecn_option",
    "tcp_ecn_option_beacon",
    "tcp_ehash_entries",
    "tcp_fack",
    "tcp_fastopen_blackhole_timeout_sec",
    "tcp_frto",
    "tcp_fwmark_accept",
    "tcp_l3mdev_accept",
    "tcp_limit_output_bytes",
    "tcp_max_orphans",
    "tcp_max_reordering",
    "tcp_mem",
    "tcp_migrate_req",
    "tcp_min_rtt_wlen",
    "tcp_min_snd_mss",
    "tcp_min_tso_segs",
    "tcp_mtu_probe_floor",
    "tcp_no_metrics_save",
    "tcp_no_ssthresh_metrics_save",
    "tcp_pingpong_thresh",
    "tcp_plb_cong_thresh",
    "tcp_plb_enabled",
    "tcp_plb_idle_rehash_rounds",
    "tcp_plb_rehash_rounds",
    "tcp_plb_suspend_rto_sec",
    "tcp_probe_interval",
    "tcp_probe_threshold",
    "tcp_rcvbuf_low_rtt",
    "tcp_reflect_tos",
    "tcp_retrans_collapse",
    "tcp_shrink_window",
    "tcp_stdurg",
    "tcp_thin_dupack",
    "tcp_thin_linear_timeouts",
    "tcp_tso_rtt_log",
    "tcp_tso_win_divisor",
    "tcp_tw_recycle",
    "tcp_workaround_signed_windows",
    "tcp_frto_response",
];

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
