//! System parameters of Linux and FreeBSD outside the model: those without effect here, those that are not
//! modelled, and unknown names.

use super::{NameSystem, PARAMS, SYSCTLS};
use crate::suggest;

/// The meaning of a name that is not a parameter of the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnknownName {
    /// Setting it has no effect here: the model always behaves that way, or it concerns other parts of a
    /// system.
    NoEffect,
    /// A system has it, or may have it, but it is not modelled.
    NotModelled,
    /// No system has it; with the nearest existing name.
    Unknown(Option<String>),
}

/// Classifies setting a system parameter that [`find`](super::find) does not know.
pub fn elsewhere(name: &str, value: &str) -> UnknownName {
    let short = name.strip_prefix("net.ipv4.").unwrap_or(name);
    let said = format!("{short}={value}");
    if words(WITHOUT_EFFECT).any(|known| known == said) || NEVER_ANY.contains(&short) {
        return UnknownName::NoEffect;
    }
    if words(NOT_MODELLED).any(|known| known == short) {
        return UnknownName::NotModelled;
    }
    if let Some(rest) = name
        .strip_prefix("net.ipv4.")
        .filter(|n| n.starts_with("tcp_"))
    {
        let known = of_model("net.ipv4.").chain(words(NOT_MODELLED));
        let near = suggest::nearest(rest, known.chain(NEVER_ANY));
        return UnknownName::Unknown(near.map(|near| format!("net.ipv4.{near}")));
    }
    if let Some((prefix, rest, known)) = beside(name) {
        let known = of_model(prefix).chain(words(known));
        let near = suggest::nearest(rest, known).filter(|n| n.len().abs_diff(rest.len()) <= 2);
        if let Some(near) = near.filter(|near| *near != rest) {
            return UnknownName::Unknown(Some(format!("{prefix}{near}")));
        }
    }
    UnknownName::NotModelled
}

/// How the model treats a system parameter that is not its own, as text; `None` for a name not in the
/// lists.
pub(super) fn explain(name: &str) -> Option<String> {
    let full = format!("net.ipv4.{name}");
    let name = if name.contains('.') {
        name
    } else {
        full.as_str()
    };
    let short = name.strip_prefix("net.ipv4.").unwrap_or(name);
    let set_so = |said: &&str| {
        said.split_once('=')
            .is_some_and(|(known, _)| known == short)
    };
    let known = words(NOT_MODELLED).any(|known| known == short)
        || beside(name).is_some_and(|(_, rest, known)| words(known).any(|known| known == rest));
    let what = if NEVER_ANY.contains(&short) {
        "It changes nothing in a simulation, whatever its value.".to_owned()
    } else if let Some(said) = words(WITHOUT_EFFECT).find(set_so) {
        format!("The model behaves as with {said}, and has nothing for other values.")
    } else if known {
        "A system has it; the model has nothing for it.".to_owned()
    } else {
        return None;
    };
    Some(format!("{name}: system parameter\n\n  {what}\n"))
}

fn words(list: &'static str) -> impl Iterator<Item = &'static str> {
    list.split_whitespace()
}

/// The row of [`BESIDE`] for a name: prefix, rest of the name, known names.
fn beside(name: &str) -> Option<(&'static str, &str, &'static str)> {
    let mut rows = BESIDE.iter();
    rows.find_map(|(prefix, known)| Some((*prefix, name.strip_prefix(prefix)?, *known)))
}

/// Names of parameters of the model, without this prefix.
fn of_model(prefix: &str) -> impl Iterator<Item = &'static str> {
    let params = PARAMS.iter().flat_map(|p| p.names);
    let params = params
        .filter(|n| n.system != NameSystem::Socket)
        .map(|n| n.name);
    let known = params.chain(SYSCTLS.iter().map(|s| s.name));
    known.filter_map(move |n| n.strip_prefix(prefix))
}

/// Values that match the model's fixed behaviour.
const WITHOUT_EFFECT: &str = "\
    tcp_abc=0 tcp_app_win=31 tcp_fack=0 tcp_fastopen_blackhole_timeout_sec=0 \
    tcp_max_reordering=300 tcp_min_rtt_wlen=300 tcp_mtu_probe_floor=48 tcp_pingpong_thresh=1 \
    tcp_tso_rtt_log=9 tcp_no_ssthresh_metrics_save=1 tcp_fwmark_accept=0 tcp_l3mdev_accept=0 tcp_migrate_req=0 \
    tcp_no_metrics_save=1 tcp_plb_enabled=0 tcp_reflect_tos=0 tcp_stdurg=0 \
    tcp_workaround_signed_windows=0 \
    net.inet.tcp.functions_default=freebsd net.inet.icmp.icmplim=0 \
    net.inet.tcp.do_prr_conservative=0 net.inet.tcp.map_limit=0 net.inet.tcp.maxunacktime=0 \
    net.inet.tcp.mssdflt=536 net.inet.tcp.reass.maxqueuelen=100 net.inet.tcp.require_unique_port=0 \
    net.inet.tcp.rfc6675_pipe=1 net.inet.tcp.sack.revised=1 net.inet.tcp.split_limit=0 \
    net.inet.tcp.syncache.rst_on_sock_fail=1 net.inet.tcp.syncache.see_other=0 \
    net.inet.tcp.v6mssdflt=1220 \
    net.inet.tcp.hostcache.enable=0 net.inet.tcp.hostcache.purge=1 \
    net.inet.tcp.hostcache.purgenow=1 net.inet.tcp.insecure_ack=0 net.inet.tcp.newcwv=0 \
    net.inet.tcp.nolocaltimewait=0 net.inet.tcp.rexmit_drop_options=0 \
    net.inet.tcp.rfc3042=1 net.inet.tcp.rfc3390=1 net.inet.tcp.rfc3465=1 \
    net.inet.tcp.sendbuf_auto=1 net.inet.tcp.persmax=60000";

/// Parameters without effect for any value: Linux's obsolete ones and those of devices and hash tables,
/// which do not exist here; FreeBSD's for logging, the choice of sequence numbers and of TCP
/// stacks.
const NEVER_ANY: [&str; 13] = [
    "tcp_adv_win_scale",
    "tcp_backlog_ack_defer",
    "tcp_child_ehash_entries",
    "tcp_ehash_entries",
    "tcp_limit_output_bytes",
    "tcp_thin_dupack",
    "tcp_low_latency",
    "net.inet.tcp.functions_inherit_listen_socket_stack",
    "net.inet.tcp.isn_reseed_interval",
    "net.inet.tcp.log_debug",
    "net.inet.tcp.log_in_vain",
    "net.inet.tcp.per_cpu_timers",
    "net.inet.tcp.soreceive_stream",
];

/// Other parameters of Linux's TCP that are not modelled.
const NOT_MODELLED: &str = "\
    tcp_abc tcp_allowed_congestion_control tcp_app_win tcp_available_congestion_control \
    tcp_available_ulp \
    tcp_comp_sack_rtt_percent \
    tcp_ecn_option tcp_ecn_option_beacon tcp_fack \
    tcp_fastopen_blackhole_timeout_sec tcp_fwmark_accept tcp_l3mdev_accept \
    tcp_max_orphans tcp_max_reordering tcp_mem tcp_migrate_req \
    tcp_min_rtt_wlen tcp_mtu_probe_floor tcp_no_metrics_save \
    tcp_no_ssthresh_metrics_save tcp_pingpong_thresh tcp_plb_cong_thresh tcp_plb_enabled \
    tcp_plb_idle_rehash_rounds tcp_plb_rehash_rounds tcp_plb_suspend_rto_sec \
    tcp_rcvbuf_low_rtt tcp_reflect_tos \
    tcp_stdurg tcp_tso_rtt_log \
    tcp_workaround_signed_windows tcp_frto_response";

/// Parameters other than `net.ipv4.tcp_*`, by prefix. The lists are not complete: a name unlike any of them
/// may well exist.
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
         ip_no_pmtu_disc ip_nonlocal_bind ip_unprivileged_port_start \
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
         ecn.generalized ecn.maxretries ecn.option \
         fastopen.acceptany fastopen.autokey fastopen.ccache_bucket_limit fastopen.keylen \
         fastopen.maxkeys fastopen.maxpsks fastopen.path_disable_time fastopen.psk_enable \
         fastopen.setkey functions_available functions_default \
         functions_inherit_listen_socket_stack hostcache.enable hostcache.expire \
         hostcache.purge hostcache.purgenow hostcache.list icmp_may_rst insecure_ack \
         isn_reseed_interval log_debug log_in_vain map_limit maxpersistidle maxunacktime \
         mssdflt newcwv newreno.beta nolocaltimewait per_cpu_timers persmax \
         pmtud_blackhole_mss reass.maxsegments reass.maxqueuelen reass.new_limit recvbuf_auto \
         recvbuf_max require_unique_port rexmit_drop_options rfc3042 rfc3390 \
         rfc3465 rfc6675_pipe sack.globalmaxholes sack.lrd sack.maxholes sack.revised sack.tso \
         sendbuf_auto sendbuf_auto_lowat sendbuf_inc sendbuf_max soreceive_stream split_limit \
         syncache.bucketlimit syncache.cachelimit syncache.hashsize \
         syncache.rst_on_sock_fail syncache.see_other ts_offset_per_conn udp_tunneling_port \
         v6mssdflt v6pmtud_blackhole_mss",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_classified_by_system() {
        let unknown = |near: &str| UnknownName::Unknown(Some(near.to_owned()));
        for (name, value, is) in [
            ("net.ipv4.tcp_abc", "0", UnknownName::NoEffect),
            ("net.ipv4.tcp_abc", "1", UnknownName::NotModelled),
            ("net.ipv4.tcp_mem", "1 2 3", UnknownName::NotModelled),
            ("net.core.optmem_max", "1", UnknownName::NotModelled),
            (
                "net.ipv4.tcp_timestamp",
                "0",
                unknown("net.ipv4.tcp_timestamps"),
            ),
            ("net.core.somaxcon", "9", unknown("net.core.somaxconn")),
        ] {
            assert_eq!(elsewhere(name, value), is, "{name}={value}");
        }
        assert!(explain("tcp_abc").unwrap().contains("as with tcp_abc=0"));
        assert!(
            explain("net.ipv4.tcp_mem")
                .unwrap()
                .contains("nothing for it")
        );
        assert_eq!(explain("tcp_nothing_of_the_kind"), None);
    }
}
