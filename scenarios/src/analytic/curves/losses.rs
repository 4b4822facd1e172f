//! The goodput of a long transfer under random loss.

use sim_core::impairments::{DelaySpec, LossSpec};
use tcp_model::TcpParams;

use crate::expected::path;
use crate::scenario::Scenario;
use crate::scenario::workload::WorkloadKind;

/// The inputs of a formula.
pub(super) struct Transfer {
    /// Probability that a segment is lost.
    loss: f64,
    /// Round trip without queueing, seconds.
    rtt: f64,
    /// Retransmission time-out at that round trip, seconds.
    rto: f64,
    /// Payload of a segment, bytes.
    mss: f64,
}

impl Transfer {
    /// Goodput in bit/s by a formula for segments per second.
    pub(super) fn goodput(&self, formula: fn(&Transfer) -> f64) -> f64 {
        formula(self) * self.mss * 8.0
    }
}

/// The transfer of a scenario that consists of one transfer over a link with independent random losses of
/// data and no other impairment.
pub(super) fn transfer(scenario: &Scenario) -> Option<Transfer> {
    let ([workload], [link]) = (
        scenario.workloads.as_slice(),
        scenario.topology.links.as_slice(),
    ) else {
        return None;
    };
    let WorkloadKind::Bulk {
        bytes: None,
        flows: 1,
        read_rate: None,
        ..
    } = workload.kind
    else {
        return None;
    };
    let (clients, servers) = (
        scenario.topology.hosts_named(&workload.client),
        scenario.topology.hosts_named(&workload.server),
    );
    let ([client], [server]) = (clients.as_slice(), servers.as_slice()) else {
        return None;
    };
    let way = &link.there.impairments;
    let (LossSpec::Random(loss), true) = (&way.loss, way.extra_delay == DelaySpec::default())
    else {
        return None;
    };
    if *loss <= 0.0
        || way.disorders()
        || !link.there.changes.is_empty()
        || !scenario.faults.is_empty()
    {
        return None;
    }
    let network = scenario.topology.network().ok()?;
    let params = scenario.tcp.of(&workload.client);
    let rtt = path::round_trip_s(&network, *client, *server);
    // Timestamps take 12 bytes of each segment.
    let options = if params.timestamps { 12.0 } else { 0.0 };
    Some(Transfer {
        loss: *loss,
        rtt,
        rto: rtt + params.min_rto.as_secs_f64(),
        mss: f64::from(params.mss()) - options,
    })
}

/// Mathis, Semke, Mahdavi and Ott 1997, for windows that grow by acknowledged bytes: an ACK for each segment.
pub(super) fn mathis(t: &Transfer) -> f64 {
    libm::sqrt(1.5 / t.loss) / t.rtt
}

/// Padhye, Firoiu, Towsley and Kurose 1998, the approximation of their section 3, also with an ACK for each
/// segment.
pub(super) fn pftk(t: &Transfer) -> f64 {
    let p = t.loss;
    let timeouts = t.rto * (3.0 * libm::sqrt(3.0 * p / 8.0)).min(1.0) * p * (1.0 + 32.0 * p * p);
    1.0 / (t.rtt * libm::sqrt(2.0 * p / 3.0) + timeouts)
}

/// Bytes per second to which random loss limits a transfer; infinite without loss, and for controls without
/// a formula.
pub(crate) fn loss_limited(params: &TcpParams, rtt: f64, loss: f64) -> f64 {
    let t = Transfer {
        loss,
        rtt,
        rto: rtt + params.min_rto.as_secs_f64(),
        mss: f64::from(params.mss()),
    };
    let packets = match params.congestion.algorithm().name {
        _ if loss <= 0.0 || rtt <= 0.0 => return f64::INFINITY,
        "newreno" => pftk(&t),
        "cubic" | "cubic-linux" => pftk(&t).max(cubic(&t) * pftk(&t) / mathis(&t)),
        _ => return f64::INFINITY,
    };
    packets * t.mss
}

/// RFC 9438: the larger window of equation 6 (C = 0.4, beta = 0.7) and of its Reno-friendly region.
pub(super) fn cubic(t: &Transfer) -> f64 {
    let window = 1.054 * libm::pow(t.rtt / t.loss, 0.75);
    window.max(libm::sqrt(1.5 / t.loss)) / t.rtt
}
