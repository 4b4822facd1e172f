//! Events per second to expect of each node, from what its applications are told to do.
//!
//! A guess for dividing the network, and no more: it counts the segments of every workload and
//! their way through the network, slowed down where they would overload a link. Leaves out losses,
//! queueing and what custom applications do.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};

use sim_core::{LinkId, Network, NodeId, NodeKind, SimDuration, SimTime};
use tcp_model::TcpParams;
use tcp_model::spec::{AppSpec, Arrivals, BulkSpec, ClientSpec, HostConfig};

use crate::analytic::mean;

/// Events per second of each node, mean over the run until `end`.
pub fn expected(network: &Network, hosts: &[Option<HostConfig>], end: SimTime) -> Vec<f64> {
    let mut streams = Vec::new();
    for (host, node) in hosts.iter().zip(0..) {
        let Some(host) = host else { continue };
        for app in &host.apps {
            match app {
                AppSpec::Client(client) => {
                    exchanges(
                        network,
                        NodeId(node),
                        &host.params,
                        client,
                        end,
                        &mut streams,
                    );
                }
                AppSpec::Bulk(bulk) => {
                    streams.extend(transfer(network, NodeId(node), &host.params, bulk, end));
                }
                // They answer: their share is that of their clients.
                AppSpec::Server(_) | AppSpec::Sink(_) => {}
            }
        }
    }
    Routed::new(network, streams).events()
}

/// Segments both ways between two hosts, per second.
struct Stream {
    ends: (NodeId, NodeId),
    /// Segments there and back.
    segments: (f64, f64),
    /// Bytes there and back, headers included.
    bytes: (f64, f64),
    /// Timer and application events at each end.
    others: f64,
}

/// Bytes of headers in a packet, options included.
const HEADERS: f64 = 52.0;
/// Most servers of a client that are looked at; of more, these stand for all.
const MOST_SERVERS: usize = 32;

/// The streams of a client with its servers.
fn exchanges(
    network: &Network,
    node: NodeId,
    params: &TcpParams,
    client: &ClientSpec,
    end: SimTime,
    streams: &mut Vec<Stream>,
) {
    let servers = servers_of(network, &client.remotes);
    let total: f64 = servers.iter().map(|s| s.1).sum();
    let Some(&(first, _)) = servers.first() else {
        return;
    };
    let e = &client.exchange;
    let requests = f64::from(e.requests);
    let (request, response) = (mean(e.request), mean(e.response));
    let mss = f64::from(params.mss());
    let segments = |bytes: f64| (bytes / mss).ceil();
    // SYN, ACK and FIN of the client, SYN-ACK, ACK and FIN of the server; an ACK for every other
    // segment, at least one for each message.
    let acks = |bytes: f64| (segments(bytes) / 2.0).ceil();
    let there = 3.0 + requests * (segments(request) + acks(response));
    let back = 3.0 + requests * (segments(response) + acks(request));
    let trip = round_trip(network, node, first).as_secs_f64();
    let held = trip * (requests + 2.0) + requests * (mean(e.service) + mean(e.think));
    let per_second = openings(client, end, held) / end.as_secs_f64().max(1e-9);
    for (server, weight) in servers {
        let rate = per_second * weight / total;
        streams.push(Stream {
            ends: (node, server),
            segments: (rate * there, rate * back),
            bytes: (
                rate * (there * HEADERS + requests * request),
                rate * (back * HEADERS + requests * response),
            ),
            others: rate * (2.0 + requests),
        });
    }
}

/// The nodes behind addresses, with the number of addresses of each; at most [`MOST_SERVERS`].
fn servers_of(network: &Network, remotes: &[SocketAddrV4]) -> Vec<(NodeId, f64)> {
    let step = remotes.len().div_ceil(16 * MOST_SERVERS).max(1);
    let mut counts: BTreeMap<NodeId, f64> = BTreeMap::new();
    for remote in remotes.iter().step_by(step) {
        if let Some(node) = network.owner(*remote.ip()) {
            *counts.entry(node).or_default() += 1.0;
        }
    }
    let step = counts.len().div_ceil(MOST_SERVERS).max(1);
    counts.into_iter().step_by(step).collect()
}

/// Connections a client opens before `end`, when a user holds one for `held` seconds.
fn openings(client: &ClientSpec, end: SimTime, held: f64) -> f64 {
    let time = client
        .stop
        .min(end)
        .since(client.start.min(end))
        .as_secs_f64();
    let all = match &client.arrivals {
        Arrivals::Fixed(rate) | Arrivals::Poisson(rate) => rate * time,
        Arrivals::Ramp { from, to, over } => {
            let over = over.as_secs_f64();
            let rising = time.min(over);
            let reached = from + (to - from) * rising / over.max(1e-9);
            rising * (from + reached) / 2.0 + (time - rising) * to
        }
        Arrivals::Steps(steps) => {
            let ends = steps.iter().skip(1).map(|s| s.0.as_secs_f64());
            let ends = ends.chain([f64::INFINITY]);
            let of_step = |((at, rate), end): (&(SimDuration, f64), f64)| {
                rate * (end.min(time) - at.as_secs_f64()).max(0.0)
            };
            steps.iter().zip(ends).map(of_step).sum()
        }
        Arrivals::Closed { users, think } => {
            let cycle = held + mean(*think);
            f64::from(*users) * (time / cycle.max(1e-6)).max(1.0)
        }
        Arrivals::Burst(count) => f64::from(*count),
    };
    all.min(client.limit.map_or(f64::INFINITY, |limit| limit as f64))
}

/// The stream of a bulk transfer: as fast as window and round trip allow.
fn transfer(
    network: &Network,
    node: NodeId,
    params: &TcpParams,
    bulk: &BulkSpec,
    end: SimTime,
) -> Option<Stream> {
    let peer = network.owner(*bulk.remote.ip())?;
    let seconds = end.as_secs_f64().max(1e-9);
    let active = end.since(bulk.start.min(end)).as_secs_f64();
    let window = f64::from(params.send_buffer.min(params.receive_buffer));
    let trip = round_trip(network, node, peer).as_secs_f64().max(1e-6);
    let links = route(network, node, bulk.remote.ip());
    let narrowest = links
        .iter()
        .filter_map(|l| network.links()[l.0 as usize].rate)
        .map(|rate| rate.as_bps() as f64 / 8.0)
        .fold(f64::INFINITY, f64::min);
    let most = bulk.bytes.map_or(f64::INFINITY, |b| b as f64 / seconds);
    let bytes = ((window / trip).min(narrowest) * active / seconds).min(most);
    let segments = bytes / f64::from(params.mss());
    Some(Stream {
        ends: (node, peer),
        segments: (segments, segments / 2.0),
        bytes: (bytes + segments * HEADERS, segments / 2.0 * HEADERS),
        others: 0.0,
    })
}

fn round_trip(network: &Network, a: NodeId, b: NodeId) -> SimDuration {
    let delay = |from, to| network.path_delay(from, to).unwrap_or_default();
    delay(a, b) + delay(b, a)
}

/// The links from a node to an address.
fn route(network: &Network, from: NodeId, to: &Ipv4Addr) -> Vec<LinkId> {
    let mut links = Vec::new();
    let mut at = from;
    while let Some(link) = network.next_link(at, *to) {
        links.push(link);
        at = network.links()[link.0 as usize].to;
        let arrived = network.owner(*to) == Some(at);
        let is_host = matches!(network.nodes()[at.0 as usize].kind, NodeKind::Host { .. });
        if arrived || is_host || links.len() > network.nodes().len() {
            break;
        }
    }
    links
}

/// Streams on the links they take.
struct Routed<'a> {
    network: &'a Network,
    streams: Vec<(Stream, Vec<LinkId>, Vec<LinkId>)>,
    /// Bytes per second offered to each link.
    offered: Vec<f64>,
}

impl Routed<'_> {
    fn new(network: &Network, streams: Vec<Stream>) -> Routed<'_> {
        let address = |node| network.addresses(node).next();
        let on_links = |stream: Stream| {
            let (a, b) = stream.ends;
            let there = address(b).map_or(Vec::new(), |to| route(network, a, &to));
            let back = address(a).map_or(Vec::new(), |to| route(network, b, &to));
            (stream, there, back)
        };
        let streams: Vec<_> = streams.into_iter().map(on_links).collect();
        let mut offered = vec![0.0; network.links().len()];
        for (stream, there, back) in &streams {
            there
                .iter()
                .for_each(|l| offered[l.0 as usize] += stream.bytes.0);
            back.iter()
                .for_each(|l| offered[l.0 as usize] += stream.bytes.1);
        }
        Routed {
            network,
            streams,
            offered,
        }
    }

    /// What a link leaves of what it is offered.
    fn passes(&self, link: LinkId) -> f64 {
        let link_at = link.0 as usize;
        let rate = self.network.links()[link_at].rate;
        let capacity = rate.map_or(f64::INFINITY, |r| r.as_bps() as f64 / 8.0);
        (capacity / self.offered[link_at].max(1e-9)).min(1.0)
    }

    /// Events per second: an arrival at the end of each link, and what the ends do besides.
    fn events(&self) -> Vec<f64> {
        let mut events = vec![0.0; self.network.nodes().len()];
        for (stream, there, back) in &self.streams {
            let all = there.iter().chain(back);
            let slowed = all.map(|&l| self.passes(l)).fold(1.0, f64::min);
            for (links, segments) in [(there, stream.segments.0), (back, stream.segments.1)] {
                for link in links {
                    let to = self.network.links()[link.0 as usize].to;
                    events[to.0 as usize] += segments * slowed;
                }
            }
            for end in [stream.ends.0, stream.ends.1] {
                events[end.0 as usize] += stream.others * slowed;
            }
        }
        events
    }
}

#[cfg(test)]
mod tests;
