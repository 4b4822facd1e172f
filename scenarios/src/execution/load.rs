//! Expected events per second of each node, computed from the workloads.
//!
//! A rough estimate, used only to divide the network: it follows the segments of every workload along their
//! paths, limited by the capacities of links. Leaves out losses, queueing and applications that do not state
//! their load.

use std::collections::BTreeMap;

use sim_core::{LinkId, Network, NodeId, SimTime};
use tcp_model::TcpParams;
use tcp_model::app::named::{ApplicationSide, NamedSpec};
use tcp_model::spec::{AppSpec, BulkSpec, ClientSpec, HostConfig, Servers, SynFloodSpec};

use crate::expected::path::{hops, narrowest, round_trip_s, route};
use crate::expected::{self, ConnectionLoad, HEADERS};

/// Returns the mean number of events per second of each node, over the run until `end`.
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
                // They only respond, and are counted with their clients. What a proxy sends to its servers is
                // not counted.
                AppSpec::Server(_) | AppSpec::Sink(_) | AppSpec::Proxy(_) => {}
                AppSpec::Named(named) => {
                    streams.extend(named_streams(
                        network,
                        NodeId(node),
                        &host.params,
                        named,
                        end,
                    ));
                }
                AppSpec::SynFlood(flood) => {
                    streams.extend(syns(network, NodeId(node), flood, end));
                }
            }
        }
    }
    RoutedStreams::new(network, streams).events()
}

/// Segments per second in both directions between two hosts.
struct SegmentStream {
    ends: (NodeId, NodeId),
    /// Segments per second there, and back.
    segments: (f64, f64),
    /// Bytes per second there, and back, including headers.
    bytes: (f64, f64),
    /// Timer and application events at each end.
    others: f64,
}

/// Maximum number of servers considered per client; if there are more, these represent all.
const MOST_SERVERS: usize = 32;

/// The streams of a client with its servers.
fn exchanges(
    network: &Network,
    node: NodeId,
    params: &TcpParams,
    client: &ClientSpec,
    end: SimTime,
    streams: &mut Vec<SegmentStream>,
) {
    let servers = servers_of(network, &client.remotes);
    let total: f64 = servers.iter().map(|s| s.1).sum();
    let Some(&(first, _)) = servers.first() else {
        return;
    };
    let one = ConnectionLoad::new(&client.exchange, params.mss());
    let open_s = expected::open_s(&client.exchange, round_trip_s(network, node, first));
    let window = (
        client.start.min(end).as_secs_f64(),
        client.stop.min(end).as_secs_f64(),
    );
    let all = expected::connections(&client.arrivals, client.limit, window, Some(open_s));
    let per_second = all / end.as_secs_f64().max(1e-9);
    for (server, weight) in servers {
        let rate = per_second * weight / total;
        streams.push(SegmentStream {
            ends: (node, server),
            segments: (rate * one.segments.0, rate * one.segments.1),
            bytes: (rate * one.bytes.0, rate * one.bytes.1),
            others: rate * one.others,
        });
    }
}

/// The streams of a flood: its SYNs, without the answers.
fn syns(network: &Network, node: NodeId, flood: &SynFloodSpec, end: SimTime) -> Vec<SegmentStream> {
    let servers = servers_of(network, &flood.remotes);
    let total: f64 = servers.iter().map(|s| s.1).sum();
    let seconds = |t: SimTime| t.min(end).as_secs_f64();
    let window = (seconds(flood.start), seconds(flood.stop));
    let all = expected::connections(&flood.arrivals, flood.limit, window, None);
    let rate = all / end.as_secs_f64().max(1e-9);
    let stream = |(server, weight): (NodeId, f64)| {
        let rate = rate * weight / total;
        SegmentStream {
            ends: (node, server),
            segments: (rate, 0.0),
            bytes: (rate * HEADERS, 0.0),
            others: rate,
        }
    };
    servers.into_iter().map(stream).collect()
}

/// The streams that a named application states; none for its servers, or if it states none.
fn named_streams(
    network: &Network,
    node: NodeId,
    params: &TcpParams,
    named: &NamedSpec,
    end: SimTime,
) -> Vec<SegmentStream> {
    let place = &named.place;
    let load = match place.role {
        ApplicationSide::Client => named.application.build().expected(params.mss().into()),
        ApplicationSide::Server => None,
    };
    let Some(load) = load else {
        return Vec::new();
    };
    let active = place.stop.min(end).since(place.start.min(end));
    let share = active.as_secs_f64() / end.as_secs_f64().max(1e-9);
    let servers = servers_of(network, &place.servers);
    let total: f64 = servers.iter().map(|s| s.1).sum();
    let stream = |(server, weight): (NodeId, f64)| {
        let part = share * weight / total;
        let bytes = |payload: f64, segments: f64| part * (payload + segments * HEADERS);
        SegmentStream {
            ends: (node, server),
            segments: (part * load.segments.0, part * load.segments.1),
            bytes: (
                bytes(load.bytes.0, load.segments.0),
                bytes(load.bytes.1, load.segments.1),
            ),
            others: part * load.events,
        }
    };
    servers.into_iter().map(stream).collect()
}

/// The nodes behind addresses, with the number of addresses of each; at most [`MOST_SERVERS`].
fn servers_of(network: &Network, remotes: &Servers) -> Vec<(NodeId, f64)> {
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

/// The stream of a bulk transfer, limited by its window and round trip.
fn transfer(
    network: &Network,
    node: NodeId,
    params: &TcpParams,
    bulk: &BulkSpec,
    end: SimTime,
) -> Option<SegmentStream> {
    let peer = network.owner(*bulk.remote.ip())?;
    let seconds = end.as_secs_f64().max(1e-9);
    let active = end.since(bulk.start.min(end)).as_secs_f64();
    let trip_s = round_trip_s(network, node, peer);
    let slowest = narrowest(network, &route(network, node, bulk.remote.ip()));
    let rate = expected::bulk_rate(params, trip_s, slowest);
    let most = bulk.bytes.map_or(f64::INFINITY, |b| b as f64 / seconds);
    let bytes = (rate * active / seconds).min(most);
    let segments = bytes / f64::from(params.mss());
    Some(SegmentStream {
        ends: (node, peer),
        segments: (segments, segments / 2.0),
        bytes: (bytes + segments * HEADERS, segments / 2.0 * HEADERS),
        others: 0.0,
    })
}

/// A part of [`RoutedStreams::links`].
type LinkSpan = std::ops::Range<usize>;

/// Streams along their links.
struct RoutedStreams<'a> {
    network: &'a Network,
    streams: Vec<(SegmentStream, LinkSpan, LinkSpan)>,
    /// The links of all paths, one path after the other.
    links: Vec<LinkId>,
    /// Bytes per second offered to each link.
    offered: Vec<f64>,
}

impl RoutedStreams<'_> {
    fn new(network: &Network, streams: Vec<SegmentStream>) -> RoutedStreams<'_> {
        let mut links = Vec::with_capacity(4 * streams.len());
        let mut offered = vec![0.0; network.links().len()];
        let mut way = |from: NodeId, to: NodeId, bytes: f64| {
            let start = links.len();
            if let Some(address) = network.addresses(to).next() {
                links.extend(hops(network, from, address));
            }
            for link in &links[start..] {
                offered[link.0 as usize] += bytes;
            }
            start..links.len()
        };
        let on_links = |stream: SegmentStream| {
            let (a, b) = stream.ends;
            let there = way(a, b, stream.bytes.0);
            let back = way(b, a, stream.bytes.1);
            (stream, there, back)
        };
        RoutedStreams {
            network,
            streams: streams.into_iter().map(on_links).collect(),
            links,
            offered,
        }
    }

    /// The share of its offered load that a link can carry.
    fn passes(&self, link: LinkId) -> f64 {
        let link_at = link.0 as usize;
        let rate = self.network.links()[link_at].rate;
        let capacity = rate.map_or(f64::INFINITY, |r| r.as_bps() as f64 / 8.0);
        (capacity / self.offered[link_at].max(1e-9)).min(1.0)
    }

    /// Events per second of each node: an arrival at the end of each link, plus timer and application events
    /// at the hosts.
    fn events(&self) -> Vec<f64> {
        let mut events = vec![0.0; self.network.nodes().len()];
        for (stream, there, back) in &self.streams {
            let (there, back) = (&self.links[there.clone()], &self.links[back.clone()]);
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
