//! System parameters of scripts: those of the table of parameters.

use super::{Step, invalid, no_such, unsupported};
use crate::params::{PARAMS, SYSCTLS, TcpParams, Where, find, set_sysctl};
use crate::suggest;

/// True for `net.…`, `/proc/sys/net/…`.
pub(super) fn is_name(name: &str) -> bool {
    let name = name.strip_prefix("/proc/sys/").unwrap_or(name);
    name.starts_with("net.") || name.starts_with("net/")
}

/// The congestion control that Linux has under this name.
pub(super) fn linux_control(name: &str) -> &str {
    match name {
        "cubic" => "cubic-linux",
        other => other,
    }
}

/// Sets one.
///
/// # Errors
/// Not supported when the model has nothing for it or does not take the value; invalid when no
/// system has one of this name.
pub(super) fn set(p: &mut TcpParams, name: &str, value: &str) -> Step<()> {
    let path = name.strip_prefix("/proc/sys/").unwrap_or(name);
    let name = path.replace('/', ".");
    let value = match name.as_str() {
        "net.ipv4.tcp_congestion_control" => linux_control(value),
        _ => value,
    };
    if find(&name).is_some() {
        return match set_sysctl(p, &name, value) {
            Ok(()) => Ok(()),
            Err(_) => unsupported(format!("{name} = {value}")),
        };
    }
    let short = name.strip_prefix("net.ipv4.").unwrap_or(&name);
    let said = format!("{short}={value}");
    let mut anyway = WITHOUT_EFFECT.split_whitespace();
    if anyway.any(|known| known == said) || NEVER_ANY.contains(&short) {
        return Ok(());
    }
    let elsewhere = || ELSEWHERE.split_whitespace();
    if elsewhere().any(|known| known == short) {
        return unsupported(format!("the system parameter {name}"));
    }
    if name.starts_with("net.ipv4.tcp_") {
        let known = of_model("net.ipv4.").chain(elsewhere());
        return no_such("system parameter net.ipv4.", short, known.chain(NEVER_ANY));
    }
    if let Some((prefix, rest, known)) = beside(&name) {
        let known = of_model(prefix).chain(known.split_whitespace());
        let near = suggest::nearest(rest, known).filter(|n| n.len().abs_diff(rest.len()) <= 2);
        if let Some(near) = near.filter(|near| *near != rest) {
            return invalid(format!(
                "there is no system parameter {name}; did you mean {prefix}{near}?"
            ));
        }
    }
    unsupported(format!("the system parameter {name}"))
}

/// The row of [`BESIDE`] for a name: prefix, the rest of the name, what is known.
fn beside(name: &str) -> Option<(&'static str, &str, &'static str)> {
    let mut rows = BESIDE.iter();
    rows.find_map(|(prefix, known)| Some((*prefix, name.strip_prefix(prefix)?, *known)))
}

/// Names of parameters of the model, without this prefix.
fn of_model(prefix: &str) -> impl Iterator<Item = &'static str> {
    let params = PARAMS.iter().flat_map(|p| p.names);
    let params = params.filter(|n| n.system != Where::Socket).map(|n| n.name);
    let known = params.chain(SYSCTLS.iter().map(|s| s.name));
    known.filter_map(move |n| n.strip_prefix(prefix))
}

/// Values that say what the model does anyway.
const WITHOUT_EFFECT: &str = "\
    tcp_abc=0 tcp_app_win=31 tcp_fack=0 tcp_fastopen_blackhole_timeout_sec=0 \
    tcp_max_reordering=300 tcp_min_rtt_wlen=300 tcp_min_snd_mss=48 tcp_pingpong_thresh=1 \
    tcp_tso_win_divisor=3 tcp_fwmark_accept=0 tcp_l3mdev_accept=0 tcp_migrate_req=0 \
    tcp_no_metrics_save=1 tcp_plb_enabled=0 tcp_reflect_tos=0 tcp_shrink_window=0 tcp_stdurg=0 \
    tcp_tw_recycle=0 tcp_workaround_signed_windows=0 \
    net.inet.tcp.fast_finwait2_recycle=0 net.inet.tcp.functions_default=freebsd \
    net.inet.tcp.hostcache.enable=0 net.inet.tcp.hostcache.purge=1 \
    net.inet.tcp.hostcache.purgenow=1 net.inet.tcp.insecure_ack=0 net.inet.tcp.newcwv=0 \
    net.inet.tcp.nolocaltimewait=0 net.inet.tcp.rexmit_drop_options=0 \
    net.inet.tcp.rfc3042=1 net.inet.tcp.rfc3390=1 net.inet.tcp.rfc3465=1 \
    net.inet.tcp.sendbuf_auto=1";

/// Parameters that change nothing, whatever their value: those that Linux has given up, what it does in
/// devices and hash tables that there are none of here, and in probing for the MTU, which is off; what
/// FreeBSD logs, how it picks timestamps and sequence numbers, and which of several TCPs connections
/// get.
const NEVER_ANY: [&str; 18] = [
    "tcp_adv_win_scale",
    "tcp_backlog_ack_defer",
    "tcp_base_mss",
    "tcp_child_ehash_entries",
    "tcp_ehash_entries",
    "tcp_limit_output_bytes",
    "tcp_mtu_probe_floor",
    "tcp_probe_interval",
    "tcp_probe_threshold",
    "tcp_thin_dupack",
    "tcp_low_latency",
    "net.inet.tcp.functions_inherit_listen_socket_stack",
    "net.inet.tcp.isn_reseed_interval",
    "net.inet.tcp.log_debug",
    "net.inet.tcp.log_in_vain",
    "net.inet.tcp.per_cpu_timers",
    "net.inet.tcp.soreceive_stream",
    "net.inet.tcp.ts_offset_per_conn",
];

/// Other parameters of Linux's TCP, for which the model has nothing.
const ELSEWHERE: &str = "\
    tcp_abc tcp_allowed_congestion_control tcp_app_win tcp_available_congestion_control \
    tcp_available_ulp \
    tcp_comp_sack_rtt_percent \
    tcp_ecn_option tcp_ecn_option_beacon tcp_fack \
    tcp_fastopen_blackhole_timeout_sec tcp_fwmark_accept tcp_l3mdev_accept \
    tcp_max_orphans tcp_max_reordering tcp_mem tcp_migrate_req \
    tcp_min_rtt_wlen tcp_min_snd_mss tcp_no_metrics_save \
    tcp_no_ssthresh_metrics_save tcp_pingpong_thresh tcp_plb_cong_thresh tcp_plb_enabled \
    tcp_plb_idle_rehash_rounds tcp_plb_rehash_rounds tcp_plb_suspend_rto_sec \
    tcp_rcvbuf_low_rtt tcp_reflect_tos \
    tcp_shrink_window tcp_stdurg tcp_tso_rtt_log \
    tcp_tso_win_divisor tcp_tw_recycle tcp_workaround_signed_windows tcp_frto_response";

/// Parameters beside those of `net.ipv4.tcp_`, by what comes before the name. These lists are not
/// complete: a name that is near none of them may well exist.
const BESIDE: [(&str, &str); 4] = [
    (
        "net.core.",
        "\
         somaxconn rmem_max wmem_max rmem_default wmem_default netdev_max_backlog netdev_budget \
         netdev_budget_usecs netdev_tstamp_prequeue default_qdisc optmem_max busy_poll \
         busy_read bpf_jit_enable dev_weight message_burst message_cost warnings skb_defer_max \
         tstamp_allow_data txrehash gro_normal_batch high_order_alloc_disable max_skb_frags \
         fb_tunnels_only_for_init_net",
    ),
    (
        "net.ipv4.",
        "\
         ip_autobind_reuse ip_default_ttl ip_dynaddr ip_early_demux ip_forward \
         ip_forward_update_priority ip_forward_use_pmtu ip_local_port_range \
         ip_local_reserved_ports ip_no_pmtu_disc ip_nonlocal_bind ip_unprivileged_port_start \
         icmp_echo_enable_probe icmp_echo_ignore_all icmp_echo_ignore_broadcasts \
         icmp_errors_use_inbound_ifaddr icmp_ignore_bogus_error_responses icmp_msgs_burst \
         icmp_msgs_per_sec icmp_ratelimit icmp_ratemask inet_peer_maxttl inet_peer_minttl \
         inet_peer_threshold fib_multipath_hash_policy fib_multipath_use_neigh fib_sync_mem \
         fwmark_reflect nexthop_compat_mode ping_group_range raw_l3mdev_accept udp_early_demux \
         udp_l3mdev_accept udp_mem udp_rmem_min udp_wmem_min ipfrag_high_thresh \
         ipfrag_low_thresh ipfrag_time igmp_max_memberships route.min_pmtu route.min_adv_mss \
         route.mtu_expires route.gc_timeout route.flush route.redirect_load route.error_cost \
         route.error_burst",
    ),
    (
        "net.ipv6.",
        "\
         auto_flowlabels bindv6only flowlabel_consistency flowlabel_reflect \
         flowlabel_state_ranges fwmark_reflect idgen_delay idgen_retries ip_nonlocal_bind \
         max_dst_opts_length max_hbh_length max_dst_opts_number max_hbh_opts_number mld_max_msf \
         mld_qrv seg6_flowlabel icmp.ratelimit icmp.ratemask icmp.echo_ignore_all \
         route.mtu_expires route.min_adv_mss route.gc_timeout route.flush route.max_size",
    ),
    (
        "net.inet.tcp.",
        "\
         ack_war_cnt ack_war_timewindow cc.abe_frlossreduce cc.available do_lrd do_prr_conservative \
         ecn.generalized ecn.maxretries ecn.option fast_finwait2_recycle \
         fastopen.acceptany fastopen.autokey fastopen.ccache_bucket_limit fastopen.keylen \
         fastopen.maxkeys fastopen.maxpsks fastopen.path_disable_time fastopen.psk_enable \
         fastopen.setkey functions_available functions_default \
         functions_inherit_listen_socket_stack hostcache.enable hostcache.expire \
         hostcache.purge hostcache.purgenow hostcache.list icmp_may_rst insecure_ack \
         isn_reseed_interval log_debug log_in_vain map_limit maxpersistidle maxunacktime minmss \
         mssdflt newcwv newreno.beta nolocaltimewait per_cpu_timers persmax persmin \
         pmtud_blackhole_mss reass.maxsegments reass.maxqueuelen reass.new_limit recvbuf_auto \
         recvbuf_max require_unique_port rexmit_drop_options rexmit_slop rfc3042 rfc3390 \
         rfc3465 rfc6675_pipe sack.globalmaxholes sack.lrd sack.maxholes sack.revised sack.tso \
         sendbuf_auto sendbuf_auto_lowat sendbuf_inc sendbuf_max soreceive_stream split_limit \
         syncache.bucketlimit syncache.cachelimit syncache.hashsize syncache.rexmtlimit \
         syncache.rst_on_sock_fail syncache.see_other ts_offset_per_conn udp_tunneling_port \
         v6mssdflt v6pmtud_blackhole_mss",
    ),
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
