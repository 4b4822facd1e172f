//! TCP parameters of each host group, checked.

use std::collections::BTreeMap;
use std::sync::Arc;

use tcp_model::TcpParams;

use crate::file::tcp::TcpFile;
use crate::path::DottedPath;
use crate::problem::Problem;
use crate::suggest;

/// A complete set of parameters and the profile it started from.
#[derive(Clone, Debug, PartialEq)]
pub struct TcpSet {
    /// Name of the profile.
    pub profile: String,
    /// The parameters.
    pub params: Arc<TcpParams>,
}

/// The parameters of all hosts.
#[derive(Clone, Debug, PartialEq)]
pub struct TcpSets {
    /// Of hosts without their own.
    pub base: TcpSet,
    /// Of the hosts of a group.
    pub groups: BTreeMap<String, TcpSet>,
}

const DEFAULT_PROFILE: &str = "linux";

impl TcpSets {
    /// Starts from the profile, applies `[tcp]`, then `[tcp.host.GROUP]`. A group with a profile
    /// of its own starts from that instead of from `[tcp]`.
    ///
    /// # Errors
    /// When a profile or group is unknown, or values do not fit together.
    pub fn new(file: &TcpFile, groups: &[String]) -> Result<TcpSets, Problem> {
        let at = DottedPath::from("tcp");
        let profile = file.profile.as_deref().unwrap_or(DEFAULT_PROFILE);
        let base = set(profile, profile_params(profile, &at)?, file, &at)?;
        let mut own = BTreeMap::new();
        for (group, differs) in &file.host {
            let at = at.key("host").key(group);
            if !groups.contains(group) {
                let all = groups.iter().map(String::as_str);
                return Err(Problem::new(at, suggest::unknown("host group", group, all))
                    .help("the name after tcp.host. is a host's `group`, or else its `name`"));
            }
            if !differs.host.is_empty() {
                return Err(Problem::new(
                    at.key("host"),
                    "a host group has no host groups of its own",
                )
                .help("write all groups as [tcp.host.GROUP]"));
            }
            let (name, start) = match differs.profile.as_deref() {
                Some(name) => (name, profile_params(name, &at)?),
                None => (base.profile.as_str(), TcpParams::clone(&base.params)),
            };
            own.insert(group.clone(), set(name, start, differs, &at)?);
        }
        Ok(TcpSets { base, groups: own })
    }

    /// The parameters of the hosts of `group`.
    pub fn of(&self, group: &str) -> &Arc<TcpParams> {
        &self.groups.get(group).unwrap_or(&self.base).params
    }

    /// Everything written out.
    pub fn to_file(&self) -> TcpFile {
        let complete = |s: &TcpSet| TcpFile::complete(&s.profile, &s.params);
        TcpFile {
            host: self
                .groups
                .iter()
                .map(|(g, s)| (g.clone(), complete(s)))
                .collect(),
            ..complete(&self.base)
        }
    }
}

fn profile_params(name: &str, at: &DottedPath) -> Result<TcpParams, Problem> {
    TcpParams::profile(name).ok_or_else(|| {
        Problem::new(
            at.key("profile"),
            suggest::unknown("profile", name, TcpParams::PROFILES),
        )
    })
}

fn set(
    profile: &str,
    mut params: TcpParams,
    file: &TcpFile,
    at: &DottedPath,
) -> Result<TcpSet, Problem> {
    file.apply(&mut params);
    check(&params, at)?;
    Ok(TcpSet {
        profile: profile.to_owned(),
        params: Arc::new(params),
    })
}

fn check(p: &TcpParams, at: &DottedPath) -> Result<(), Problem> {
    let wrong =
        |key: &str, message: String, help: &str| Err(Problem::new(at.key(key), message).help(help));
    let (low, high) = p.port_range;
    if low > high {
        return wrong(
            "ip_local_port_range",
            format!("the port range is reversed: it goes from {low} to {high}"),
            &format!("write [{high}, {low}]"),
        );
    }
    if low == 0 {
        return wrong(
            "ip_local_port_range",
            "port 0 is no port".into(),
            "begin the range at 1 or above; Linux begins at 32768",
        );
    }
    if p.mtu < 128 {
        return wrong(
            "mtu",
            format!(
                "an MTU of {} leaves no room for headers, options and data",
                p.mtu
            ),
            "write at least 128; Ethernet has 1500",
        );
    }
    // RFC 791: every host takes 68; less than 128 leaves no room here either.
    if p.min_path_mtu < 128 || p.min_path_mtu > p.mtu {
        return wrong(
            "min_path_mtu",
            format!(
                "a least path MTU of {} is not between 128 and the MTU, {}",
                p.min_path_mtu, p.mtu
            ),
            "leave it out to take Linux's 552, or the MTU if that is smaller",
        );
    }
    if p.max_segment.is_some_and(|mss| mss < 88) {
        return wrong(
            "max_segment",
            format!(
                "a segment of {} bytes is too small",
                p.max_segment.unwrap_or(0)
            ),
            "write at least 88, as Linux wants, or \"unlimited\"",
        );
    }
    let known = TcpParams::FAST_OPEN_CLIENT
        | TcpParams::FAST_OPEN_SERVER
        | TcpParams::FAST_OPEN_CLIENT_NO_COOKIE
        | TcpParams::FAST_OPEN_SERVER_NO_COOKIE
        | TcpParams::FAST_OPEN_ALL_LISTENERS;
    if p.fast_open & !known != 0 {
        return wrong(
            "fast_open",
            format!("{:#x} has bits that mean nothing here", p.fast_open),
            "add up 1 (client), 2 (server), 4 (client without cookie), 0x200 (server without \
             cookie) and 0x400 (all listeners)",
        );
    }
    let positive = [
        ("initial_rto", p.initial_rto),
        ("min_rto", p.min_rto),
        ("max_rto", p.max_rto),
        ("time_wait", p.time_wait),
        ("keepalive_interval", p.keepalive_interval),
        ("fin_timeout", p.fin_timeout.unwrap_or(p.time_wait)),
        ("keepalive", p.keepalive.unwrap_or(p.time_wait)),
        ("user_timeout", p.user_timeout.unwrap_or(p.time_wait)),
        ("defer_accept", p.defer_accept.unwrap_or(p.time_wait)),
    ];
    if let Some((key, _)) = positive.iter().find(|(_, d)| d.is_zero()) {
        return wrong(
            key,
            format!("`{key}` must be longer than zero"),
            "write for example \"1 s\"",
        );
    }
    if p.min_rto > p.max_rto {
        return wrong(
            "min_rto",
            format!(
                "`min_rto` ({}) is longer than `max_rto` ({})",
                p.min_rto, p.max_rto
            ),
            "make it shorter, or max_rto longer",
        );
    }
    let at_least_one = [
        ("initial_window", p.initial_window),
        ("dup_ack_threshold", p.dup_ack_threshold),
        ("ack_every", p.ack_every),
        ("retries1", p.retries1),
        ("window_clamp", p.window_clamp.unwrap_or(1)),
        ("notsent_lowat", p.notsent_lowat.unwrap_or(1)),
        ("keepalive_probes", p.keepalive_probes),
        ("somaxconn", p.somaxconn),
        ("max_syn_backlog", p.max_syn_backlog),
        ("send_buffer", p.send_buffer),
        ("receive_buffer", p.receive_buffer),
        ("ttl", u32::from(p.ttl)),
    ];
    if let Some((key, _)) = at_least_one.iter().find(|(_, n)| *n == 0) {
        return wrong(
            key,
            format!("`{key}` must not be zero"),
            "leave it out to take the profile's value",
        );
    }
    Ok(())
}
