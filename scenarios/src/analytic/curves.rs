//! Theoretical curves that figures request by name: a value for each run in which the theory's conditions
//! hold, and none for the others.

use crate::run_spec::RunSpec;
use crate::scenario::Scenario;

mod buffers;
mod losses;
mod queues;

pub(crate) use losses::loss_limited;

/// A theory: the metrics of which it says something, and how it computes one of them.
pub(crate) struct NamedCurve {
    pub(crate) name: &'static str,
    whose: &'static str,
    pub(crate) metrics: &'static [&'static str],
    /// The value of a metric in base units; `None` where a condition does not hold.
    value: fn(&Scenario, &str) -> Option<f64>,
}

/// Goodput of one flow, which is that of the run.
const GOODPUT: &[&str] = &["goodput_bps", "flow_goodput_mean_bps"];
/// What is known of a queue.
const QUEUE: &[&str] = &["queue_wait_mean_s", "busiest_link_utilisation"];

/// Theories by name, as figures ask for them.
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

/// The theory of that name.
pub(crate) fn find(name: &str) -> Option<&'static NamedCurve> {
    CURVES.iter().find(|theory| theory.name == name)
}

/// What a theory says of a metric for each value of a swept path where its conditions hold in a run, and
/// its authors.
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
