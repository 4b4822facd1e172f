//! The registry of metrics: name, kind, wording, meaning, and the recorder that computes each.
//!
//! Recorders, words, number formats, findings, tables, figures and the generated reference read
//! this registry. A recorder cannot emit a metric that is not registered: [`Metrics::put`] collects
//! unknown names separately, and completing the run then fails.
//!
//! Some rows are families: `<state>` stands for a TCP state in lower case ("time_wait",
//! "fin_wait_1"), `<group>` for a group of hosts, `<flow>` for a flow, and `<name>` for anything.

mod long_run;
mod pattern;
mod recorded;
mod reference;
mod table;

pub use long_run::POOLED;
pub(crate) use long_run::{bin_from_s, bin_id, bin_of, is_bin, long_run_ids, long_run_of};
pub use recorded::{Metrics, UnknownMetric};
pub use reference::{explain, reference};

/// What a metric measures, which determines its unit and range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// A number of things, or an average of such numbers.
    Count,
    /// A part of a whole, from 0 to 1.
    Share,
    /// A length of time in seconds.
    Duration,
    /// A point of simulated time in seconds.
    Time,
    /// Events per second.
    PerSecond,
    /// Bits per second.
    BitRate,
    /// Bytes.
    Bytes,
    /// A figure of merit from 0 to 1 without unit.
    Index,
    /// Any number.
    Number,
}

impl MetricKind {
    /// Its unit in `index.csv`, tables and `summary.json`.
    pub fn unit(self) -> &'static str {
        match self {
            MetricKind::Count | MetricKind::Share | MetricKind::Index | MetricKind::Number => "1",
            MetricKind::Duration | MetricKind::Time => "s",
            MetricKind::PerSecond => "1/s",
            MetricKind::BitRate => "bit/s",
            MetricKind::Bytes => "B",
        }
    }

    /// Its name, in one or two words.
    pub fn name(self) -> &'static str {
        match self {
            MetricKind::Count => "count",
            MetricKind::Share => "share",
            MetricKind::Duration => "duration",
            MetricKind::Time => "time",
            MetricKind::PerSecond => "rate",
            MetricKind::BitRate => "bit rate",
            MetricKind::Bytes => "bytes",
            MetricKind::Index => "index",
            MetricKind::Number => "number",
        }
    }

    /// The smallest and the largest value it can take.
    pub fn range(self) -> (f64, f64) {
        match self {
            MetricKind::Share | MetricKind::Index => (0.0, 1.0),
            MetricKind::Number => (f64::NEG_INFINITY, f64::INFINITY),
            _ => (0.0, f64::INFINITY),
        }
    }

    /// The display unit for an axis up to `largest`, and the factor to convert to it.
    pub(crate) fn axis(self, largest: f64) -> (&'static str, f64) {
        match self {
            MetricKind::Share => ("%", 100.0),
            MetricKind::Duration | MetricKind::Time if largest < 1e-3 && largest > 0.0 => {
                ("us", 1e6)
            }
            MetricKind::Duration | MetricKind::Time if largest < 1.0 && largest > 0.0 => {
                ("ms", 1e3)
            }
            MetricKind::Duration | MetricKind::Time => ("s", 1.0),
            MetricKind::PerSecond => ("/s", 1.0),
            MetricKind::BitRate if largest >= 1e9 => ("Gbit/s", 1e-9),
            MetricKind::BitRate if largest >= 1e6 => ("Mbit/s", 1e-6),
            MetricKind::BitRate if largest >= 1e3 => ("kbit/s", 1e-3),
            MetricKind::BitRate => ("bit/s", 1.0),
            MetricKind::Bytes if largest >= 1e9 => ("GB", 1e-9),
            MetricKind::Bytes if largest >= 1e6 => ("MB", 1e-6),
            MetricKind::Bytes if largest >= 1e3 => ("kB", 1e-3),
            MetricKind::Bytes => ("B", 1.0),
            MetricKind::Count | MetricKind::Index | MetricKind::Number => ("", 1.0),
        }
    }
}

/// Where a metric comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MetricSource {
    /// Calls of connect and their outcomes.
    Connects,
    /// The requests of clients.
    Requests,
    /// Clients' connection pools and retries.
    Pools,
    /// Sockets by state, and local ports.
    Sockets,
    /// End points of connections when they end.
    EndPoints,
    /// Senders of bulk data.
    Flows,
    /// The hosts' own counters.
    Hosts,
    /// Middleboxes.
    Middleboxes,
    /// The network and the engine.
    Network,
    /// One long run as an experiment, and distributions to be pooled; only if requested.
    LongRun,
    /// Computed from other metrics when runs are compared; only in the index of a batch.
    Comparison,
    /// A user-defined recorder.
    Custom,
}

/// A metric, or a family of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Metric {
    /// Name in `summary.json` and `index.csv`, with placeholders for a family.
    pub id: &'static str,
    /// What it measures.
    pub kind: MetricKind,
    /// Plain English without unit: "share of connects that failed".
    pub words: &'static str,
    /// The same in Chinese.
    pub chinese: &'static str,
    /// How it is computed, in a sentence or two; empty if the words say it all.
    pub doc: &'static str,
    /// Where it comes from.
    pub source: MetricSource,
    /// Whether it is taken over the steady window only.
    pub steady: bool,
    /// For a share of counts: the metrics that are its numerator and denominator.
    pub ratio: Option<(&'static str, &'static str)>,
    /// When a run does not have it; empty if every run has it.
    pub absent: &'static str,
}

impl Metric {
    const fn new(
        source: MetricSource,
        id: &'static str,
        kind: MetricKind,
        (words, chinese): (&'static str, &'static str),
        doc: &'static str,
    ) -> Metric {
        Metric {
            id,
            kind,
            words,
            chinese,
            doc,
            source,
            steady: false,
            ratio: None,
            absent: "",
        }
    }

    const fn steady(self) -> Metric {
        Metric {
            steady: true,
            ..self
        }
    }

    const fn ratio(self, part: &'static str, whole: &'static str) -> Metric {
        Metric {
            ratio: Some((part, whole)),
            ..self
        }
    }

    const fn absent(self, when: &'static str) -> Metric {
        Metric {
            absent: when,
            ..self
        }
    }
}

/// Every row of the registry, in the order of the reference.
pub fn all() -> impl Iterator<Item = &'static Metric> {
    table::TABLES.iter().flat_map(|table| table.iter())
}

/// A metric found by name, with its placeholders filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundMetric {
    /// Its row.
    pub metric: &'static Metric,
    /// Its words, with the placeholders filled in.
    pub words: String,
    /// The same in Chinese.
    pub chinese: String,
    /// The group or flow that the name contains, if any.
    pub of: Option<String>,
}

/// The metric named `id`; `None` if there is none.
pub fn find(id: &str) -> Option<FoundMetric> {
    if let Some(metric) = table::exact(id) {
        return Some(FoundMetric {
            metric,
            words: metric.words.to_owned(),
            chinese: metric.chinese.to_owned(),
            of: None,
        });
    }
    table::families().find_map(|metric| {
        let bound = pattern::bind(metric.id, id)?;
        let of = bound.iter().find(|(name, _)| *name != "state");
        Some(FoundMetric {
            metric,
            of: of.map(|(_, text)| (*text).to_owned()),
            words: pattern::fill(metric.words, &bound),
            chinese: pattern::fill(metric.chinese, &bound),
        })
    })
}

/// All possible names in a run with these groups of hosts; families of flows and user-defined
/// metrics keep their placeholder.
pub fn names<'a>(groups: impl IntoIterator<Item = &'a str> + Clone) -> Vec<String> {
    let expand = |m: &Metric| pattern::expand(m.id, groups.clone());
    all().flat_map(expand).collect()
}

/// True if a run with these groups of hosts may have the metric.
pub fn is_known<'a>(id: &str, groups: impl IntoIterator<Item = &'a str>) -> bool {
    find(id).is_some_and(|found| {
        let per_group = found.metric.id.contains("<group>");
        !per_group || groups.into_iter().any(|g| found.of.as_deref() == Some(g))
    })
}

/// The most requested metrics, in order.
pub fn ranking() -> &'static [&'static str] {
    table::RANKING
}

/// The states that have their own metrics, with their names there: all but CLOSED.
pub(crate) fn states() -> impl Iterator<Item = (tcp_model::State, String)> {
    pattern::states()
}

/// The kind of a metric; [`MetricKind::Number`] for an unknown one.
pub(crate) fn kind(id: &str) -> MetricKind {
    find(id).map_or(MetricKind::Number, |f| f.metric.kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_unique_and_complete() {
        let mut seen = std::collections::BTreeSet::new();
        for metric in all() {
            assert!(seen.insert(metric.id), "{} stands twice", metric.id);
            assert!(!metric.words.is_empty(), "{} has no words", metric.id);
            let well_made = |c: char| c.is_ascii_lowercase() || "_0123456789.<>".contains(c);
            assert!(metric.id.chars().all(well_made), "{}", metric.id);
            if let Some((part, whole)) = metric.ratio {
                assert_eq!(metric.kind, MetricKind::Share, "{}", metric.id);
                for id in [part, whole] {
                    assert_eq!(kind(id), MetricKind::Count, "{id} of {}", metric.id);
                }
            }
            assert_eq!(
                metric.steady,
                metric.id.contains("_steady") && !metric.id.starts_with("steady_"),
                "{}",
                metric.id
            );
        }
    }

    #[test]
    fn the_most_requested_metrics_are_registered() {
        assert!(ranking().iter().all(|id| find(id).is_some()));
    }

    #[test]
    fn families_are_found_by_their_members() {
        let found = find("time_wait.client_peak").unwrap();
        assert_eq!(found.metric.id, "<state>.<group>_peak");
        assert_eq!(found.of.as_deref(), Some("client"));
        assert_eq!(found.words, "sockets of client in TIME-WAIT, peak");
        let sized = find("slowdown_p99.10kB").unwrap();
        assert_eq!(
            sized.words,
            "slowdown of transfers of up to 10 kB, 99th percentile"
        );
        let steady = find("time_wait.a_mean_mean_steady").unwrap();
        assert_eq!(steady.metric.id, "<state>.<group>_mean_steady");
        assert_eq!(steady.of.as_deref(), Some("a_mean"));
        let flow = find("flow_goodput.left-1:3_bps").unwrap();
        assert_eq!(
            (flow.metric.kind, flow.of.as_deref()),
            (MetricKind::BitRate, Some("left-1:3"))
        );
        for unknown in [
            "",
            "time_wait",
            "time_wait._peak",
            "sleeping_peak",
            "connects",
        ] {
            assert_eq!(find(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn a_metric_of_a_group_is_known_only_where_the_group_is() {
        assert!(is_known("time_wait.client_peak", ["client", "server"]));
        assert!(!is_known("time_wait.clinet_peak", ["client", "server"]));
        assert!(is_known("time_wait_peak", []));
        let names = names(["client"]);
        for name in [
            "connects_failed_share_steady",
            "fin_wait_2_peak",
            "close_wait.client_mean",
        ] {
            assert!(names.iter().any(|n| n == name), "{name}");
        }
    }

    #[test]
    fn axes_use_a_unit_that_suits_the_values() {
        assert_eq!(MetricKind::Duration.axis(0.2), ("ms", 1e3));
        assert_eq!(MetricKind::Duration.axis(35.0), ("s", 1.0));
        assert_eq!(MetricKind::BitRate.axis(9.4e7), ("Mbit/s", 1e-6));
        assert_eq!(MetricKind::Share.axis(0.5), ("%", 100.0));
    }
}
