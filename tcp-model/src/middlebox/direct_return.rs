//! The way back of direct server return: servers of a balancer answer clients themselves, with the balancer's
//! address as their source.
//!
//! ```text
//!   client ──► balancer (direct) ──► server
//!      ▲                               │
//!      └────── direct-return ◄─────────┘
//! ```
//!
//! With direct server return (DR and TUN of IPVS, "DSR" of others) servers have the balancer's address on a loopback
//! interface and write it into their answers. In a network of the simulator an address belongs to one node; the
//! router next to the servers therefore writes it, which takes no time and no state. Packets of the servers to the
//! balancer itself, such as answers to its health checks, stay as they are.
//!
//! Leaves out: servers that also answer under their own address to others than the balancer.

use std::net::Ipv4Addr;
use std::sync::Arc;

use sim_core::Packet;
use sim_core::plugin::{
    InvalidValue, ModelKind, ModelParameter, ModelValues, ValueKind, list_items,
};

use super::{BoxedMiddlebox, Middlebox, MiddleboxCount, MiddleboxCx};
use crate::segment::Packed;

const PARAMETERS: &[ModelParameter] = &[
    ModelParameter::needed(
        "servers",
        ValueKind::Nodes,
        "names of hosts, or of groups of them, that answer clients directly",
    ),
    ModelParameter::needed(
        "balancer",
        ValueKind::Nodes,
        "name of the router with the balancer (`direct = true`) whose address they use",
    ),
];

/// Its name and parameters.
pub(super) fn kind() -> ModelKind<BoxedMiddlebox> {
    let doc = "gives answers of servers the address of their balancer (direct server return)";
    ModelKind::new("direct-return", doc, PARAMETERS, |values| {
        let (servers, balancer) = (names(values, "servers")?, names(values, "balancer")?);
        Ok(Arc::new(move || -> BoxedMiddlebox {
            Box::new(DirectReturn {
                names: (servers.clone(), balancer.clone()),
                servers: Vec::new(),
                front: None,
                returned: 0,
            })
        }))
    })
}

fn names(values: &ModelValues, key: &'static str) -> Result<Vec<String>, InvalidValue> {
    let list = values.list(key);
    let names: Vec<String> = list_items(&list).map(str::to_owned).collect();
    match names.is_empty() {
        true => Err(InvalidValue::new(
            key,
            "names no node",
            format!("write for example {key} = \"server\""),
        )),
        false => Ok(names),
    }
}

#[derive(Debug)]
struct DirectReturn {
    /// Names of the servers, and of the balancer.
    names: (Vec<String>, Vec<String>),
    servers: Vec<Ipv4Addr>,
    /// The address of the balancer.
    front: Option<Ipv4Addr>,
    returned: u64,
}

impl Middlebox for DirectReturn {
    fn on_start(&mut self, cx: &mut MiddleboxCx<'_, '_>) {
        let (servers, balancer) = &self.names;
        let found = servers.iter().flat_map(|name| cx.hosts_named(name));
        self.servers = found.collect();
        self.servers.sort_unstable();
        let mut front = balancer.iter().flat_map(|name| cx.hosts_named(name));
        self.front = front.next();
    }

    fn on_packet(
        &mut self,
        mut packet: Packet<Packed>,
        cx: &mut MiddleboxCx<'_, '_>,
    ) -> Option<Packet<Packed>> {
        if cx.owns(packet.dst) {
            return Some(packet);
        }
        if let Some(front) = self.front.filter(|front| packet.dst != *front)
            && self.servers.binary_search(&packet.src).is_ok()
            && self.servers.binary_search(&packet.dst).is_err()
        {
            packet.src = front;
            self.returned += 1;
        }
        cx.pass_on(packet);
        None
    }

    /// It has no state.
    fn on_crash(&mut self) {}

    fn counts(&self) -> Vec<(&'static str, MiddleboxCount)> {
        let returned = MiddleboxCount::Sum(self.returned as f64);
        vec![("direct_return_pkts", returned)]
    }
}
