//! `[tcp]`: a named set of parameters and what differs from it, under the names users know.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sim_core::SimDuration;
use tcp_model::params::{
    CongestionKind, EcnMode, GiveUp, PortSelection, SynCookies, TcpParams, Timers, TwReuse,
};

use super::values::{
    Buffer, Congestion, CookieLevel, EcnLevel, Flag, Limit, MaybeDuration, Patience, PortRange,
    Ports, Reuse, TimerWheel,
};

/// Between the form of a parameter in a scenario and in [`TcpParams`].
trait Parameter<T>: Sized {
    fn into_param(self) -> T;
    fn from_param(value: &T) -> Self;
}

macro_rules! parameter_is_itself {
    ($($t:ty),*) => {$(
        impl Parameter<$t> for $t {
            fn into_param(self) -> $t { self }
            fn from_param(value: &$t) -> Self { *value }
        }
    )*};
}
parameter_is_itself!(u8, u16, u32, SimDuration);

macro_rules! parameter_is_wrapped {
    ($($wrapper:ident($t:ty)),*) => {$(
        impl Parameter<$t> for $wrapper {
            fn into_param(self) -> $t { self.0 }
            fn from_param(value: &$t) -> Self { $wrapper(*value) }
        }
    )*};
}
parameter_is_wrapped!(
    Buffer(u32),
    Flag(bool),
    Patience(GiveUp),
    MaybeDuration(Option<SimDuration>),
    Congestion(CongestionKind),
    PortRange((u16, u16)),
    Ports(PortSelection),
    Reuse(TwReuse),
    EcnLevel(EcnMode),
    CookieLevel(SynCookies),
    TimerWheel(Timers)
);

impl Parameter<Option<u32>> for Limit {
    fn into_param(self) -> Option<u32> {
        self.0.map(|n| u32::try_from(n).unwrap_or(u32::MAX))
    }
    fn from_param(value: &Option<u32>) -> Self {
        Limit(value.map(u64::from))
    }
}

impl Parameter<Option<u16>> for Limit {
    fn into_param(self) -> Option<u16> {
        self.0.map(|n| u16::try_from(n).unwrap_or(u16::MAX))
    }
    fn from_param(value: &Option<u16>) -> Self {
        Limit(value.map(u64::from))
    }
}

macro_rules! tcp_file {
    ($($(#[$meta:meta])* $key:ident: $form:ty => $param:ident,)*) => {
        /// TCP parameters as a scenario gives them; what is absent comes from the profile.
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct TcpFile {
            /// The named set to start from: `linux`, `freebsd` or `rfc9293`.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub profile: Option<String>,
            $(
                $(#[$meta])*
                #[doc = concat!("See [`TcpParams::", stringify!($param), "`].")]
                #[serde(skip_serializing_if = "Option::is_none")]
                pub $key: Option<$form>,
            )*
            /// What differs on the hosts of a group, by the group's name.
            #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
            pub host: BTreeMap<String, TcpFile>,
        }

        impl TcpFile {
            /// Sets what this gives; the profile is not looked at.
            pub fn apply(&self, params: &mut TcpParams) {
                $(if let Some(value) = &self.$key {
                    params.$param = value.clone().into_param();
                })*
            }

            /// Every parameter, written out.
            pub fn complete(profile: &str, params: &TcpParams) -> TcpFile {
                TcpFile {
                    profile: Some(profile.to_owned()),
                    $($key: Some(Parameter::from_param(&params.$param)),)*
                    host: BTreeMap::new(),
                }
            }
        }
    };
}

tcp_file! {
    timers: TimerWheel => timers,
    mtu: u16 => mtu,
    max_segment: Limit => max_segment,
    path_mtu_discovery: Flag => path_mtu_discovery,
    #[serde(alias = "min_pmtu")]
    min_path_mtu: u16 => min_path_mtu,
    send_buffer: Buffer => send_buffer,
    receive_buffer: Buffer => receive_buffer,
    window_clamp: Limit => window_clamp,
    #[serde(alias = "tcp_notsent_lowat")]
    notsent_lowat: Limit => notsent_lowat,
    #[serde(alias = "tcp_window_scaling")]
    window_scaling: Flag => window_scaling,
    #[serde(alias = "tcp_timestamps")]
    timestamps: Flag => timestamps,
    #[serde(alias = "tcp_sack")]
    sack: Flag => sack,
    #[serde(alias = "tcp_dsack")]
    dsack: Flag => dsack,
    #[serde(alias = "tcp_ecn")]
    ecn: EcnLevel => ecn,
    #[serde(alias = "tcp_fastopen")]
    fast_open: u32 => fast_open,
    #[serde(alias = "tcp_syncookies")]
    syn_cookies: CookieLevel => syn_cookies,
    initial_window: u32 => initial_window,
    #[serde(alias = "tcp_congestion_control")]
    congestion: Congestion => congestion,
    #[serde(alias = "tcp_reordering")]
    dup_ack_threshold: u32 => dup_ack_threshold,
    initial_rto: SimDuration => initial_rto,
    #[serde(alias = "tcp_rto_min")]
    min_rto: SimDuration => min_rto,
    #[serde(alias = "tcp_rto_max")]
    max_rto: SimDuration => max_rto,
    #[serde(alias = "tcp_syn_retries")]
    syn_retries: Patience => syn_give_up,
    #[serde(alias = "tcp_syn_linear_timeouts")]
    syn_linear_timeouts: u32 => syn_linear_timeouts,
    #[serde(alias = "tcp_synack_retries")]
    synack_retries: Patience => synack_give_up,
    #[serde(alias = "tcp_retries2")]
    retries2: Patience => data_give_up,
    #[serde(alias = "tcp_orphan_retries")]
    orphan_retries: Patience => orphan_give_up,
    #[serde(alias = "tcp_retries1")]
    retries1: u32 => retries1,
    user_timeout: MaybeDuration => user_timeout,
    tail_loss_probe: Flag => tail_loss_probe,
    rack: Flag => rack,
    adaptive_receiver: Flag => adaptive_receiver,
    receive_buffer_start: Buffer => receive_buffer_start,
    #[serde(alias = "tcp_moderate_rcvbuf")]
    moderate_rcvbuf: Flag => moderate_rcvbuf,
    delayed_ack: SimDuration => delayed_ack,
    ack_every: u32 => ack_every,
    quick_acks: u32 => quick_acks,
    nagle: Flag => nagle,
    cork: Flag => cork,
    hold_until_push: Flag => hold_until_push,
    time_wait: SimDuration => time_wait,
    #[serde(alias = "tcp_tw_reuse")]
    tw_reuse: Reuse => tw_reuse,
    #[serde(alias = "tcp_tw_reuse_delay")]
    tw_reuse_delay: SimDuration => tw_reuse_delay,
    tw_accept_syn: Flag => tw_accept_syn,
    #[serde(alias = "tcp_rfc1337")]
    rfc1337: Flag => rfc1337,
    #[serde(alias = "tcp_max_tw_buckets")]
    max_tw_buckets: Limit => max_tw_buckets,
    #[serde(alias = "tcp_fin_timeout")]
    fin_timeout: MaybeDuration => fin_timeout,
    #[serde(alias = "tcp_keepalive_time")]
    keepalive: MaybeDuration => keepalive,
    #[serde(alias = "tcp_keepalive_intvl")]
    keepalive_interval: SimDuration => keepalive_interval,
    #[serde(alias = "tcp_keepalive_probes")]
    keepalive_probes: u32 => keepalive_probes,
    ip_local_port_range: PortRange => port_range,
    port_selection: Ports => port_selection,
    somaxconn: u32 => somaxconn,
    #[serde(alias = "tcp_max_syn_backlog")]
    max_syn_backlog: u32 => max_syn_backlog,
    #[serde(alias = "tcp_abort_on_overflow")]
    abort_on_overflow: Flag => abort_on_overflow,
    defer_accept: MaybeDuration => defer_accept,
    #[serde(alias = "tcp_invalid_ratelimit")]
    challenge_ack_interval: SimDuration => challenge_ack_interval,
    #[serde(alias = "tcp_challenge_ack_limit")]
    challenge_ack_limit: Limit => challenge_ack_limit,
    icmp_hard_abort: Flag => icmp_hard_abort,
    icmp_soft_abort_connect: Flag => icmp_soft_abort_connect,
    #[serde(alias = "ip_default_ttl")]
    ttl: u8 => ttl,
    tos: u8 => tos,
}

/// Names of Linux that are more than ours with `tcp_` before them.
const LINUX_NAMES: [(&str, &str); 11] = [
    ("tcp_congestion_control", "congestion"),
    ("tcp_reordering", "dup_ack_threshold"),
    ("tcp_rto_min", "min_rto"),
    ("tcp_rto_max", "max_rto"),
    ("tcp_keepalive_time", "keepalive"),
    ("tcp_keepalive_intvl", "keepalive_interval"),
    ("tcp_invalid_ratelimit", "challenge_ack_interval"),
    ("ip_default_ttl", "ttl"),
    ("tcp_fastopen", "fast_open"),
    ("tcp_syncookies", "syn_cookies"),
    ("min_pmtu", "min_path_mtu"),
];

/// Our name of a parameter for Linux's.
pub fn plain_name(key: &str) -> &str {
    let other = LINUX_NAMES.iter().find(|(linux, _)| *linux == key);
    other.map_or_else(|| key.strip_prefix("tcp_").unwrap_or(key), |(_, own)| own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_round_as_they_are_told() {
        for (name, timers) in [
            ("exact", Timers::Exact),
            ("hz-250", Timers::Hz250),
            ("hz-1000", Timers::Hz1000),
        ] {
            let file: TcpFile = toml::from_str(&format!("timers = \"{name}\"")).unwrap();
            let mut params = TcpParams::linux();
            file.apply(&mut params);
            assert_eq!(params.timers, timers);
            assert_eq!(TcpFile::complete("linux", &params).timers, file.timers);
        }
        assert!(toml::from_str::<TcpFile>("timers = \"hz-100\"").is_err());
    }

    #[test]
    fn names_of_linux_stand_for_the_parameters_they_are_read_as() {
        let given = |key: &str, value: &str| {
            let file: TcpFile = toml::from_str(&format!("{key} = {value}")).unwrap();
            let table = toml::Table::try_from(file).unwrap();
            table.keys().map(String::to_owned).collect::<Vec<_>>()
        };
        let regular = [
            ("tcp_sack", ""),
            ("tcp_fin_timeout", ""),
            ("tcp_tw_reuse", ""),
        ];
        for (linux, _) in LINUX_NAMES.iter().chain(&regular) {
            let value = match *linux {
                "tcp_congestion_control" => "\"newreno\"",
                "tcp_reordering" | "ip_default_ttl" | "tcp_fastopen" => "3",
                "tcp_syncookies" => "2",
                "min_pmtu" => "600",
                "tcp_sack" | "tcp_tw_reuse" => "true",
                _ => "\"1 s\"",
            };
            assert_eq!(given(linux, value), [plain_name(linux)]);
        }
    }
}
