//! Theoretical curves that figures request by name: a value for each run in which the theory's conditions
//! hold, and none for the others.

use crate::run_spec::RunSpec;
use crate::scenario::Scenario;

mod buffers;
mod losses;
mod queues;

pub(crate) use losses::loss_limited;

/// A theory: the metrics that it predicts, and the function that computes one of them.
pub(crate) struct NamedCurve {
    pub(crate) name: &'static str,
    whose: &'static str,
    pub(crate) metrics: &'static [&'static str],
    /// The value of a metric in base units; `None` if a condition does not hold.
    value: fn(&Scenario, &str) -> Option<f64>,
}

/// Metrics of the goodput of a run with a single flow.
const GOODPUT: &[&str] = &["goodput_bps", "flow_goodput_mean_bps"];
/// Metrics of a queue that the queueing models predict.
const QUEUE: &[&str] = &["queue_wait_mean_s", "busiest_link_utilisation"];

/// The theories, by the names used in figures.
pub(crate) const CURVES: [NamedCurve; 7] = [
    NamedCurve {
        name: "mathis",
        whose: "Mathis et al. 1997",
        metrics: GOODPUT,
        value: |scenario, _| Some(losses::transfer(scenario)?.goodput(losses::mathis)),
    },
    NamedCurve {
        name: "pftk",
        whose: "Padhye et al. 1998 (PFTK)",
        metrics: GOODPUT,
        value: |scenario, _| Some(losses::transfer(scenario)?.goodput(losses::pftk)),
    },
    NamedCurve {
        name: "cubic",
        whose: "CUBIC, RFC 9438 section 5",
        metrics: GOODPUT,
        value: |scenario, _| Some(losses::transfer(scenario)?.goodput(losses::cubic)),
    },
    NamedCurve {
        name: "m/d/1",
        whose: "M/D/1",
        metrics: QUEUE,
        value: queues::m_d_1,
    },
    NamedCurve {
        name: "m/m/1",
        whose: "M/M/1",
        metrics: QUEUE,
        value: queues::m_m_1,
    },
    NamedCurve {
        name: "m/m/1/k",
        whose: "M/M/1/K",
        metrics: &[
            "queue_wait_mean_s",
            "busiest_link_utilisation",
            "queue_drops_pkts",
        ],
        value: queues::m_m_1_k,
    },
    NamedCurve {
        name: "square-root",
        whose: "at least, Appenzeller et al. 2004",
        metrics: &["busiest_link_utilisation"],
        value: |scenario, _| buffers::utilisation(scenario),
    },
];

/// The theory with this name.
pub(crate) fn find(name: &str) -> Option<&'static NamedCurve> {
    CURVES.iter().find(|theory| theory.name == name)
}

/// Returns the authors of a theory and the values it predicts of a metric: one for each value of a swept path
/// with a run in which its conditions hold.
pub(crate) fn curve<'a>(
    name: &str,
    metric: &str,
    runs: impl Iterator<Item = &'a RunSpec>,
    path: &str,
) -> Option<(String, Vec<(String, f64)>)> {
    let theory = find(name)?;
    let mut points: Vec<(String, f64)> = Vec::new();
    for run in runs {
        let value = run.parameters.iter().find(|p| p.0 == path);
        let Some((_, value)) = value.filter(|v| points.iter().all(|p| p.0 != v.1)) else {
            continue;
        };
        if let Some(y) = (theory.value)(&run.scenario, metric) {
            points.push((value.clone(), y));
        }
    }
    Some((theory.whose.to_owned(), points))
}

#[cfg(test)]
mod tests;
