//! What can be simulated without segments.

use std::collections::BTreeMap;
use std::sync::Arc;

use sim_core::impairments::Impairments;
use sim_core::{Network, NodeId};

use super::super::TcpHost;
use crate::app::AnyApp;
use crate::app::spec::{
    AppSpec, Arrivals, ClientSpec, Closer, Distribution, Exchange, HostConfig, KeptSegments,
    ServerSpec, TraceSpec,
};
use crate::params::TcpParams;

/// Clients and servers of a run without segments.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    clients: Vec<(NodeId, ClientSpec)>,
    servers: BTreeMap<u32, ServerSpec>,
    /// Of each node; those of routers are not used.
    pub(super) configs: Vec<HostConfig>,
}

/// Whether connections with these parameters have no segments.
pub(super) fn applies_to(params: &TcpParams) -> bool {
    params.model.is_lifecycle() && !params.lifecycle_segments
}

/// Whether this network with these hosts can be simulated: `Ok(true)` without segments, `Ok(false)` as usual.
///
/// # Errors
/// What prevents it from being simulated without segments, as the scenario asks.
pub fn check(network: &Network, hosts: &[Option<HostConfig>]) -> Result<bool, String> {
    if !hosts.iter().flatten().any(|host| applies_to(&host.params)) {
        return Ok(false);
    }
    Scope::new(network, hosts.to_vec()).map(|_| true)
}

impl Scope {
    pub(super) fn of_hosts(network: &Network, hosts: &[Option<TcpHost>]) -> Result<Scope, String> {
        let configs = hosts
            .iter()
            .map(|host| host.as_ref().map(described).transpose());
        Scope::new(network, configs.collect::<Result<_, _>>()?)
    }

    pub(super) fn clients(&self) -> impl Iterator<Item = (NodeId, &ClientSpec)> {
        self.clients.iter().map(|(node, spec)| (*node, spec))
    }

    pub(super) fn server(&self, node: u32) -> Option<&ServerSpec> {
        self.servers.get(&node)
    }

    fn new(network: &Network, hosts: Vec<Option<HostConfig>>) -> Result<Scope, String> {
        check_links(network)?;
        let mut scope = Scope {
            clients: Vec::new(),
            servers: BTreeMap::new(),
            configs: Vec::new(),
        };
        for (host, node) in hosts.iter().zip(0..) {
            let Some(host) = host else { continue };
            let name = network.name(NodeId(node));
            match host.apps.as_slice() {
                [] => {}
                [AppSpec::Client(client)] => {
                    check_params(&host.params, &host.trace)?;
                    check_client(client)?;
                    scope.clients.push((NodeId(node), client.clone()));
                }
                [AppSpec::Server(server)] => {
                    check_params(&host.params, &host.trace)?;
                    check_server(server)?;
                    scope.servers.insert(node, server.clone());
                }
                [_] => return Err(format!("{name} is neither a client nor a server")),
                _ => return Err(format!("{name} has several applications")),
            }
        }
        for (node, client) in &scope.clients {
            scope.check_servers(network, *node, client, &hosts)?;
        }
        let none = || HostConfig::new(TcpParams::rfc9293(), Vec::new());
        scope.configs = hosts.into_iter().map(|h| h.unwrap_or_else(none)).collect();
        Ok(scope)
    }

    /// Checks a client with each of its servers.
    fn check_servers(
        &self,
        network: &Network,
        node: NodeId,
        client: &ClientSpec,
        hosts: &[Option<HostConfig>],
    ) -> Result<(), String> {
        let stamps = |node: u32| {
            let host = hosts.get(node as usize).and_then(Option::as_ref);
            host.is_some_and(|host| host.params.timestamps)
        };
        for remote in client.remotes.iter() {
            let owner = network.owner(*remote.ip());
            let server = owner.filter(|server| {
                self.server(server.0)
                    .is_some_and(|spec| spec.port == remote.port())
            });
            let Some(server) = server else {
                return Err(format!("nothing listens on {remote}"));
            };
            let of_server = client.exchange.closer != Closer::Client;
            if of_server && !(stamps(node.0) && stamps(server.0)) {
                return Err(
                    "a server in TIME-WAIT accepts a new SYN by its sequence number unless both ends have \
                     timestamps (`tcp.timestamps = true`)"
                        .to_owned(),
                );
            }
        }
        Ok(())
    }
}

/// The configuration of a host.
fn described(host: &TcpHost) -> Result<HostConfig, String> {
    let apps = host.apps.iter().map(|app| match app {
        AnyApp::Client(client) => Ok(AppSpec::Client(client.spec().clone())),
        AnyApp::Server(server) => Ok(AppSpec::Server(server.spec().clone())),
        _ => Err("only clients without a pool, and servers, are possible".to_owned()),
    });
    if host.stack.factory.is_some() || host.extra.is_some() {
        return Err(
            "a host has a TCP of its own, is a middlebox, or is down or paused for a time".into(),
        );
    }
    Ok(HostConfig {
        params: Arc::clone(&host.stack.params),
        apps: apps.collect::<Result<_, _>>()?,
        trace: host.stack.trace,
    })
}

fn check_links(network: &Network) -> Result<(), String> {
    for link in network.links() {
        let usual = link.impairments == Impairments::default()
            && link.rate_process.is_none()
            && link.changes.is_empty();
        if !usual {
            let (from, to) = (network.name(link.from), network.name(link.to));
            return Err(format!(
                "the link from {from} to {to} loses, delays or alters packets, or changes"
            ));
        }
    }
    if !network.outages().is_empty() {
        return Err("nodes are down for a time".to_owned());
    }
    Ok(())
}

fn check_params(params: &TcpParams, trace: &TraceSpec) -> Result<(), String> {
    if !applies_to(params) {
        return Err(
            "all clients and servers need `model = \"lifecycle\"` and `lifecycle_segments = false`"
                .into(),
        );
    }
    if params.tw_recycle {
        return Err("`tw_recycle` is not modelled".to_owned());
    }
    if params.lifecycle_loss > 0 {
        return Err("`lifecycle_loss` is drawn for each segment".to_owned());
    }
    if trace.segments > 0 && trace.keep != KeptSegments::None {
        return Err("there are no segments to record: set `record.segments = \"none\"`".to_owned());
    }
    Ok(())
}

fn check_client(client: &ClientSpec) -> Result<(), String> {
    let refused = [
        (client.pool.is_some(), "a pool"),
        (client.breaker.is_some(), "a circuit breaker"),
        (client.retries.max > 0, "retries"),
        (
            matches!(client.arrivals, Arrivals::Closed { .. }),
            "arrivals in a closed loop",
        ),
        (
            client.locals.len() > 1 << 16,
            "more than 65,536 local addresses",
        ),
    ];
    refuse("the client has", &refused)?;
    check_exchange(&client.exchange)
}

fn check_server(server: &ServerSpec) -> Result<(), String> {
    let starts = server.accept_start > sim_core::SimTime::ZERO;
    let refused = [
        (server.accept_rate.is_some() || starts, "a limit on accepts"),
        (server.workers.is_some(), "a limit on workers"),
        (
            server.read_start > sim_core::SimTime::ZERO,
            "a time before it reads",
        ),
        (
            server.multiplexed.is_some(),
            "many requests at a time on a connection",
        ),
    ];
    refuse("the server has", &refused)?;
    check_exchange(&server.exchange)?;
    server.others.iter().try_for_each(|e| check_exchange(e))
}

fn check_exchange(exchange: &Exchange) -> Result<(), String> {
    let drawn = |d: Distribution| !matches!(d, Distribution::Constant(_));
    let refused = [
        (drawn(exchange.request), "requests of different sizes"),
        (drawn(exchange.response), "responses of different sizes"),
        (drawn(exchange.think), "think times drawn at random"),
        (drawn(exchange.service), "service times drawn at random"),
        (exchange.fast_open, "Fast Open"),
    ];
    refuse("the exchange has", &refused)
}

fn refuse(whose: &str, refused: &[(bool, &str)]) -> Result<(), String> {
    match refused.iter().find(|(is_so, _)| *is_so) {
        Some((_, what)) => Err(format!("{whose} {what}")),
        None => Ok(()),
    }
}
