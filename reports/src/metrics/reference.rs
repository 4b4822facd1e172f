//! The reference of metrics, as text.

use super::{Metric, MetricSource, find, table};

/// The heading and introduction of the metrics of a source in the reference.
fn heading(source: MetricSource) -> (&'static str, &'static str) {
    match source {
        MetricSource::Connects => (
            "Connects",
            "Calls of connect by applications, and what became of them.",
        ),
        MetricSource::Requests => ("Requests", "Requests of clients and their responses."),
        MetricSource::Pools => (
            "Pools, retries and proxies",
            "Connections that clients and proxies keep for later requests, what clients do when an attempt fails, and what proxies do with requests.",
        ),
        MetricSource::Middleboxes => (
            "Middleboxes",
            "Firewalls, balancers and the like, summed over all of them; NATs are listed with the hosts.",
        ),
        MetricSource::Sockets => (
            "Sockets and ports",
            "Sockets by state, counted at every change. Both ends of a connection count; so do listeners.",
        ),
        MetricSource::EndPoints => (
            "Ends of connections",
            "End points: each connection that is established has two. Sums are over all of them.",
        ),
        MetricSource::Flows => (
            "Bulk flows",
            "Bulk flows, and other senders of large amounts of data.",
        ),
        MetricSource::Hosts => (
            "Hosts",
            "Counters of the hosts' TCP, summed over all hosts.",
        ),
        MetricSource::Network => (
            "Network and engine",
            "Links, and the work of the simulator.",
        ),
        MetricSource::LongRun => (
            "Long runs and distributions",
            "Where a scenario asks for them: `record.warm_up` and `record.histograms`.",
        ),
        MetricSource::Comparison => (
            "In the index of a batch only",
            "Computed from a run's other metrics and parameters.",
        ),
        MetricSource::Custom => (
            "Your own",
            "From a recorder or runner of your own, through `Completion::metrics`.",
        ),
    }
}

/// The reference of all metrics in Markdown.
pub fn reference() -> String {
    let mut text = INTRODUCTION.to_owned();
    for table in table::TABLES {
        let Some(first) = table.first() else { continue };
        let (title, about) = heading(first.source);
        text.push_str(&format!(
            "\n## {title}\n\n{about}\n\n| metric | kind | unit | meaning |\n|---|---|---|---|\n"
        ));
        for metric in table.iter() {
            text.push_str(&format!(
                "| `{}` | {} | {} | {} |\n",
                metric.id,
                metric.kind.name(),
                metric.kind.unit(),
                meaning(metric)
            ));
        }
    }
    text
}

/// Words, definition and everything else worth saying, in one paragraph.
fn meaning(metric: &Metric) -> String {
    let mut text = crate::text::sentence(metric.words);
    text.push('.');
    if !metric.doc.is_empty() {
        text.push_str(&format!(" {}", metric.doc));
    }
    if let Some((part, whole)) = metric.ratio {
        text.push_str(&format!(" It is `{part}` / `{whole}`."));
    }
    if metric.steady {
        text.push_str(" Over the steady window.");
    }
    if !metric.absent.is_empty() {
        text.push_str(&format!(" Left out when {}.", metric.absent));
    }
    text
}

/// One metric for the terminal: name, words, kind, unit and meaning; `None` if there is none.
pub fn explain(id: &str) -> Option<String> {
    let found = find(id).or_else(|| {
        let metric = super::all().find(|m| m.id == id)?;
        let words = metric.words.to_owned();
        Some(super::FoundMetric {
            metric,
            words,
            chinese: metric.chinese.to_owned(),
            of: None,
        })
    })?;
    let metric = found.metric;
    let member = if metric.id == id {
        String::new()
    } else {
        format!(" (one of `{}`)", metric.id)
    };
    Some(format!(
        "metric {id}{member}: {}\n  kind {}, unit {}\n  {}",
        found.words,
        metric.kind.name(),
        metric.kind.unit(),
        meaning(metric)
    ))
}

const INTRODUCTION: &str = "\
# Metrics

<!-- Generated from the registry in reports/src/metrics; do not edit. To update it, run
     UPDATE_DOCS=1 cargo test -p synfin --test suite metrics -->

The numbers of a run are in its `summary.json` under `metrics`; those of a batch are in `index.csv`
and `index.parquet`, a column each. `[[figure]]` draws any of them (`y = \"NAME\"`). Values are in
base units: seconds, bits per second, bytes, and shares from 0 to 1.

In a name, `<state>` is a TCP state in lower case (`syn_sent`, `time_wait`), `<group>` a group of
hosts, `<flow>` a sending host, with `:N` behind it where the host has several flows.

A metric that ends in `_steady` is taken over the steady window: the last whole periods of
TIME-WAIT and holding time for a load that stays the same, otherwise the second half of the run.
Quantiles of durations are exact to 0.8 %.

## Columns of `index.csv` and `index.parquet`

A row per run: `id`, the swept parameters, `seed`, `replica`, `status`, `message`, then the metrics.
A swept parameter has a column under its dotted path. Its type is that of its values: true or false,
a number, or text. Where the values are quantities with a unit, that column keeps them as written
(`\"1 Mbit/s\"`), and a second one has the number in the base unit, which its name ends in: `_s`,
`_per_s`, `_bps`, `_bytes`, `_pkts`.

## Intervals

Means over replicas come with a 95 % interval; a single run has none.

* A share that is a count out of a count: the counts of all replicas are pooled, and the interval is
  Wilson's (1927) for that many independent trials, widened to Wilson's interval with Student's t for
  the effective number of trials (Korn and Graubard 1998) where replicas differ by more than
  independent trials would. It lies within 0 and 1.
* Everything else: mean ± Student's t times the standard error, cut off at the ends of the range that
  the kind of metric has: counts, durations and rates are not below 0; shares and indices lie between
  0 and 1. Cutting off values that are impossible costs no coverage.
";
