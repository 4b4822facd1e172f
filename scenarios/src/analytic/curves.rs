//! Theoretical curves that figures request by name: the goodput of a transfer under random loss.

use sim_core::impairments::{DelaySpec, LossSpec};
use tcp_model::TcpParams;

use crate::expected::path;
use crate::run_spec::RunSpec;
use crate::scenario::Scenario;
use crate::scenario::workload::WorkloadKind;

/// The inputs of a formula.
struct Transfer {
    /// Probability that a segment is lost.
    loss: f64,
    /// Round trip without queueing, seconds.
    rtt: f64,
    /// Retransmission time-out at that round trip, seconds.
    rto: f64,
    /// Payload of a segment, bytes.
    mss: f64,
}

/// Segments per second.
type Formula = fn(&Transfer) -> f64;

/// Formulas by name, as figures ask for them.
const FORMULAS: [(&str, &str, Formula); 3] = [
    ("mathis", "Mathis et al. 1997", mathis),
    ("pftk", "Padhye et al. 1998 (PFTK)", pftk),
    ("cubic", "CUBIC, RFC 9438 section 5", cubic),
];

/// Names of all formulas.
pub(crate) fn names() -> Vec<&'static str> {
    FORMULAS.iter().map(|f| f.0).collect()
}

/// The formula's goodput in bit/s for each value of a swept path where its conditions hold in a run, and
/// its authors.
pub(crate) fn curve<'a>(
    name: &str,
    runs: impl Iterator<Item = &'a RunSpec>,
    path: &str,
) -> Option<(String, Vec<(String, f64)>)> {
    let &(_, whose, formula) = FORMULAS.iter().find(|f| f.0 == name)?;
    let mut points: Vec<(String, f64)> = Vec::new();
    for run in runs {
        let value = run.parameters.iter().find(|p| p.0 == path);
        let Some((_, value)) = value.filter(|v| points.iter().all(|p| p.0 != v.1)) else {
            continue;
        };
        if let Some(transfer) = transfer(&run.scenario) {
            points.push((value.clone(), formula(&transfer) * transfer.mss * 8.0));
        }
    }
    Some((whose.to_owned(), points))
}

/// The transfer of a scenario that consists of one transfer over a link with independent random losses of
/// data and no other impairment.
fn transfer(scenario: &Scenario) -> Option<Transfer> {
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
fn mathis(t: &Transfer) -> f64 {
    libm::sqrt(1.5 / t.loss) / t.rtt
}

/// Padhye, Firoiu, Towsley and Kurose 1998, the approximation of their section 3, in the same way.
fn pftk(t: &Transfer) -> f64 {
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
fn cubic(t: &Transfer) -> f64 {
    let window = 1.054 * libm::pow(t.rtt / t.loss, 0.75);
    window.max(libm::sqrt(1.5 / t.loss)) / t.rtt
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Source;
    use crate::sweep::Plan;

    const TEXT: &str = "name = \"x\"\nduration = \"1 s\"\n[topology]\nkind = \"pair\"\n\
        path = { rate = \"1 Gbit/s\", delay = \"50 ms\", loss = 0.01, reverse = { loss = 0 } }\n\
        [[workload]]\nkind = \"bulk\"\n[sweep]\n\"topology.path.loss\" = [0, 0.0001, 0.01]\n";

    fn points(text: &str, name: &str) -> Vec<(String, f64)> {
        let source = Source {
            name: "x".to_owned(),
            text: text.to_owned(),
        };
        let plan = Plan::new(&source, &[]).unwrap();
        curve(name, plan.runs.iter(), "topology.path.loss")
            .unwrap()
            .1
    }

    #[test]
    fn formulas_have_their_published_values() {
        let windows = |name| -> Vec<f64> {
            let points = points(TEXT, name);
            assert_eq!(points.len(), 2, "none without losses");
            // Round trip of 100 ms, 1448 bytes.
            points
                .iter()
                .map(|p| (p.1 * 0.1 / 8.0 / 1448.0 * 10.0).round() / 10.0)
                .collect()
        };
        // sqrt(3/2) / sqrt(p); RFC 9438 table 1 has 187.4 and 12 (Reno-friendly, 1.2 / sqrt(p)).
        assert_eq!(windows("mathis"), [122.5, 12.2]);
        assert_eq!(windows("cubic"), [187.4, 12.2]);
        // By hand for p = 0.01: 1 / (0.1 * 0.0816 + 0.3 * 0.1837 * 0.01 * 1.0032) = 114.8 a second.
        assert_eq!(windows("pftk")[1], 11.5);
    }

    #[test]
    fn there_is_no_curve_where_the_conditions_do_not_hold() {
        let jitter = TEXT.replace(
            "loss = 0.01,",
            "loss = 0.01, reorder = 0.1, reorder_delay = \"9 ms\",",
        );
        assert_eq!(points(&jitter, "mathis"), []);
        let two = TEXT.replace("kind = \"bulk\"", "kind = \"bulk\"\nflows = 2");
        assert_eq!(points(&two, "mathis"), []);
    }
}
