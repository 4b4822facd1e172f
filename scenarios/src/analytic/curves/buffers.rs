//! How much of a link many long transfers use with a small buffer (Appenzeller, Keslassy and McKeown, "Sizing
//! router buffers", 2004): the sum of their windows is normally distributed, with a deviation that falls with
//! the square root of their number.

use sim_core::QueueLimit;
use sim_core::impairments::Impairments;
use sim_core::queue_disc::QueueSpec;

use crate::expected::path;
use crate::scenario::Scenario;
use crate::scenario::workload::WorkloadKind;

/// With fewer flows than this, their windows synchronise.
const FEWEST: u32 = 50;
/// Flows with smaller windows, in segments, wait for time-outs, which the model does not have.
const SMALLEST_WINDOW: f64 = 5.0;
/// Runs shorter than this, in round trips, are dominated by the start of the transfers.
const LONG_ENOUGH: f64 = 200.0;
/// Bytes of a full packet.
const PACKET: f64 = 1500.0;

/// Lower bound on a link's utilisation, from the bandwidth-delay product and the buffer in bytes, and the
/// number of flows; section 3, equation 2.
pub(super) fn at_least(product: f64, buffer: f64, flows: f64) -> f64 {
    let deviations = buffer * libm::sqrt(flows) / (product + buffer);
    libm::erf(1.5 * libm::sqrt(1.5) * deviations)
}

/// The same bound for a scenario of many endless NewReno transfers over one drop-tail link.
pub(super) fn utilisation(scenario: &Scenario) -> Option<f64> {
    let topology = &scenario.topology;
    let ([workload], [link]) = (scenario.workloads.as_slice(), topology.links.as_slice()) else {
        return None;
    };
    let WorkloadKind::Bulk {
        bytes: None,
        flows,
        read_rate: None,
        ..
    } = workload.kind
    else {
        return None;
    };
    let clients = topology.hosts_named(&workload.client);
    let servers = topology.hosts_named(&workload.server);
    let ([client], [server]) = (clients.as_slice(), servers.as_slice()) else {
        return None;
    };
    let group = |name| topology.group_named(name).unwrap_or(name);
    let first = group(&link.between[0]) == group(&workload.client);
    let way = if first { &link.there } else { &link.back };
    let is_plain = way.impairments == Impairments::default()
        && way.changes.is_empty()
        && way.rate_process.is_none()
        && scenario.faults.is_empty();
    let QueueSpec::DropTail(limit) = way.queue else {
        return None;
    };
    let buffer = match limit {
        QueueLimit::Packets(packets) => f64::from(packets) * PACKET,
        QueueLimit::Bytes(bytes) => bytes.0 as f64,
        _ => return None,
    };
    let sender = scenario.tcp.of(group(&workload.client));
    let receiver = scenario.tcp.of(group(&workload.server));
    let network = topology.network().ok()?;
    let trip = path::round_trip_s(&network, *client, *server);
    let product = way.rate?.as_bps() as f64 / 8.0 * trip;
    let window = (product + buffer) / f64::from(flows);
    // A flow's window is at times twice the mean.
    let unlimited = f64::from(sender.send_buffer.min(receiver.receive_buffer)) >= 3.0 * window;
    // Without processing times the transfers synchronise with the queue.
    let independent = !topology.processing.is_zero();
    let holds = is_plain
        && unlimited
        && independent
        && scenario.duration.as_secs_f64() >= LONG_ENOUGH * trip
        && flows >= FEWEST
        && window >= SMALLEST_WINDOW * PACKET
        && sender.congestion.algorithm().name == "newreno";
    holds.then(|| at_least(product, buffer, flows.into()))
}
