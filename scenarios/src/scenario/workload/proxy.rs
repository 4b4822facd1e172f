//! Proxies between clients and servers, checked.

use sim_core::SimDuration;
use tcp_model::spec::{BreakerSpec, HealthSpec, PoolSpec};

use super::time_outs::longer_than_zero;
use super::{breaker, pool};
use crate::dotted_path::DottedPath;
use crate::file::workload::{HealthFile, ProxyFile, WorkloadFile};
use crate::problem::Problem;
use crate::scenario::topology::Topology;
use crate::suggest;

/// Maximum number of tries of a request.
const MOST_TRIES: u32 = 1000;

/// The proxy of a workload.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkloadProxy {
    /// Host or group that is the proxy.
    pub host: String,
    /// The connections kept to each server; with `idle` 0 each request has its own.
    pub pool: PoolSpec,
    /// A connect that takes longer has failed.
    pub connect_timeout: Option<SimDuration>,
    /// A try that takes longer has failed.
    pub try_timeout: Option<SimDuration>,
    /// Maximum number of tries of a request.
    pub tries: u32,
    /// Maximum number of requests that wait for a connection.
    pub queue: Option<u32>,
    /// How long it waits for a client's request.
    pub idle_timeout: Option<SimDuration>,
    /// Its circuit breaker for each server.
    pub breaker: Option<BreakerSpec>,
    /// Its health checks.
    pub health: Option<HealthSpec>,
}

/// The pool of a proxy without one: a connection per request.
const NO_POOL: PoolSpec = PoolSpec {
    max: u32::MAX,
    idle: 0,
    idle_timeout: None,
    max_lifetime: None,
    max_requests: Some(1),
    streams: 1,
};

impl WorkloadProxy {
    /// Checks the proxy of a workload between two groups of hosts, if it has one.
    ///
    /// # Errors
    /// When its host does not exist or is an end of the workload, or a value is out of range.
    pub(super) fn read(
        file: &WorkloadFile,
        (client, server): (&str, &str),
        at: &DottedPath,
        topology: &Topology,
    ) -> Result<Option<WorkloadProxy>, Problem> {
        let Some(proxy) = &file.proxy else {
            return Ok(None);
        };
        let others = [
            ("via", file.via.is_some()),
            ("respond_after", file.respond_after.is_some()),
            ("fast_open", file.fast_open == Some(true)),
        ];
        if let Some((key, _)) = others.iter().find(|(_, given)| *given) {
            return Err(Problem::new(
                at.key(key),
                format!("`{key}` cannot be combined with `proxy`"),
            )
            .help(format!("leave `{key}` out")));
        }
        let at = at.key("proxy");
        let hosts = topology.hosts_named(&proxy.host);
        if hosts.is_empty() {
            let groups = topology.groups();
            let groups = groups.iter().map(String::as_str);
            let message = suggest::unknown("host group", &proxy.host, groups);
            let help = "`host` names a group of hosts, or a host, of the topology";
            return Err(Problem::new(at.key("host"), message).help(help));
        }
        for (end, name) in [("client", client), ("server", server)] {
            let same = topology.hosts_named(name);
            if same.iter().any(|node| hosts.contains(node)) {
                let message = format!(
                    "{:?} is the proxy, and the {end} of the same workload",
                    proxy.host
                );
                let help = "give the proxy a host of its own, in a topology of kind \"graph\"";
                return Err(Problem::new(at.key("host"), message).help(help));
            }
        }
        let tries = proxy.tries.unwrap_or(1);
        if !(1..=MOST_TRIES).contains(&tries) {
            return Err(Problem::new(
                at.key("tries"),
                format!("`tries` = {tries} must lie between 1 and {MOST_TRIES}"),
            ));
        }
        Ok(Some(WorkloadProxy {
            host: proxy.host.clone(),
            pool: match &proxy.pool {
                Some(file) if file.streams.is_some_and(|n| n > 1) => {
                    let message = "a proxy sends one request at a time over a connection";
                    return Err(Problem::new(at.key("pool").key("streams"), message));
                }
                Some(file) => pool::numbers(file, &at.key("pool"))?,
                None => NO_POOL,
            },
            connect_timeout: longer_than_zero(proxy.connect_timeout, "connect_timeout", &at)?,
            try_timeout: longer_than_zero(proxy.try_timeout, "try_timeout", &at)?,
            tries,
            queue: proxy.queue,
            idle_timeout: longer_than_zero(proxy.idle_timeout, "idle_timeout", &at)?,
            breaker: breaker::read(proxy.breaker.as_ref(), &at.key("breaker"))?,
            health: proxy
                .health
                .map(|file| read_health(&file, &at.key("health")))
                .transpose()?,
        }))
    }

    /// Writes every value out.
    pub(super) fn to_file(&self) -> ProxyFile {
        ProxyFile {
            host: self.host.clone(),
            pool: (self.pool != NO_POOL).then(|| pool::numbers_to_file(&self.pool)),
            connect_timeout: self.connect_timeout,
            try_timeout: self.try_timeout,
            tries: Some(self.tries),
            queue: self.queue,
            idle_timeout: self.idle_timeout,
            breaker: self.breaker.as_ref().map(breaker::to_file),
            health: self.health.map(|health| HealthFile {
                interval: Some(health.interval),
                timeout: Some(health.timeout),
                rise: Some(health.rise),
                fall: Some(health.fall),
            }),
        }
    }
}

fn read_health(file: &HealthFile, at: &DottedPath) -> Result<HealthSpec, Problem> {
    let d = HealthSpec::default();
    let interval = longer_than_zero(file.interval, "interval", at)?.unwrap_or(d.interval);
    let timeout = longer_than_zero(file.timeout, "timeout", at)?;
    let timeout = timeout.unwrap_or(d.timeout.min(interval));
    if timeout > interval {
        return Err(Problem::new(
            at.key("timeout"),
            format!("a check may take {timeout}, but the next begins after {interval}"),
        )
        .help("make `timeout` shorter, or `interval` longer"));
    }
    for (key, value) in [("rise", file.rise), ("fall", file.fall)] {
        if value == Some(0) {
            return Err(Problem::new(
                at.key(key),
                format!("`{key}` must be at least 1"),
            ));
        }
    }
    Ok(HealthSpec {
        interval,
        timeout,
        rise: file.rise.unwrap_or(d.rise),
        fall: file.fall.unwrap_or(d.fall),
    })
}
