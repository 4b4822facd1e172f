//! Metrics and swept parameters in plain English.

use crate::metrics;

/// A metric in words, without unit and window: "share of connects that failed". For an unregistered
/// metric, its name.
pub(crate) fn metric(id: &str) -> String {
    metrics::find(id).map_or_else(|| id.replace('_', " "), |found| found.words)
}

/// A metric as the head of a column, with a note if it is taken over the steady window.
pub(crate) fn column(id: &str) -> String {
    let steady = if is_steady(id) { ", steady window" } else { "" };
    format!("{}{steady}", metric(id))
}

/// True for metrics taken over the steady window only.
pub(crate) fn is_steady(id: &str) -> bool {
    metrics::find(id).is_some_and(|found| found.metric.steady)
}

/// A swept parameter as shown in text and figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AxisWords {
    /// "offered rate".
    pub(crate) name: String,
    /// For counts, the word for one: "client address".
    one: Option<String>,
}

/// Endings of dotted paths with their words and, for counts, the word for one.
const AXES: [(&str, &str, &str); 12] = [
    ("arrivals.rate", "offered rate", ""),
    ("arrivals.users", "users", "user"),
    (
        "arrivals.count",
        "connections at once",
        "connection at once",
    ),
    ("client_addresses", "client addresses", "client address"),
    ("server_addresses", "server addresses", "server address"),
    (
        "requests",
        "requests per connection",
        "request per connection",
    ),
    ("ports", "server ports", "server port"),
    ("tw_reuse", "tcp_tw_reuse", ""),
    ("time_wait", "time in TIME-WAIT", ""),
    ("tcp.profile", "TCP profile", ""),
    ("tcp.congestion", "congestion control", ""),
    ("pairs", "pairs of hosts", "pair of hosts"),
];

/// The axis of named variants.
const VARIANT: &str = "variant";

/// A swept parameter in words.
pub(crate) fn axis(path: &str) -> AxisWords {
    let ends = |end: &str| {
        path.strip_suffix(end)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    if let Some((_, name, one)) = AXES.iter().find(|(end, ..)| ends(end)) {
        return AxisWords {
            name: (*name).to_owned(),
            one: (!one.is_empty()).then(|| (*one).to_owned()),
        };
    }
    let keys: Vec<&str> = path.split('.').collect();
    let last = match keys.as_slice() {
        ["topology", .., owner, key] => format!("{owner} {key}"),
        [.., key] => (*key).to_owned(),
        [] => String::new(),
    };
    AxisWords {
        name: last.replace('_', " "),
        one: None,
    }
}

/// Swept parameters in words; those with equal words keep their paths.
pub(crate) fn axes<'a>(paths: impl Iterator<Item = &'a str> + Clone) -> Vec<AxisWords> {
    let all: Vec<AxisWords> = paths.clone().map(axis).collect();
    let twins = |words: &AxisWords| all.iter().filter(|o| o.name == words.name).count() > 1;
    let labels = all.iter().zip(paths).map(|(words, path)| {
        if twins(words) {
            AxisWords {
                name: path.to_owned(),
                one: None,
            }
        } else {
            words.clone()
        }
    });
    labels.collect()
}

impl AxisWords {
    /// A value within a sentence: "470 /s", "2 client addresses", "tcp_tw_reuse = true".
    pub(crate) fn value(&self, value: &str) -> String {
        let is_number = value.parse::<f64>().is_ok();
        let begins_as_one = value.starts_with(|c: char| c.is_ascii_digit());
        match &self.one {
            _ if self.name == VARIANT => format!("\"{value}\""),
            Some(one) if value == "1" => format!("1 {one}"),
            Some(_) if is_number => format!("{value} {}", self.name),
            _ if begins_as_one && !is_number => value.to_owned(),
            _ => format!("{} = {value}", self.name),
        }
    }
}

/// "1 connection", "5 connections": a number with its noun.
pub(crate) fn counted(n: f64, one: &str, many: &str) -> String {
    let noun = if n == 1.0 { one } else { many };
    format!("{} {noun}", crate::format::count(n))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{list, sentence};

    #[test]
    fn metrics_have_words() {
        for (id, words) in [
            (
                "connects_failed_share_steady",
                "share of connects that failed",
            ),
            (
                "time_wait.client_peak",
                "sockets of client in TIME-WAIT, peak",
            ),
            ("anything_else", "anything else"),
        ] {
            assert_eq!(metric(id), words, "{id}");
        }
        assert!(is_steady("time_wait_mean_steady") && !is_steady("time_wait_mean"));
    }

    #[test]
    fn swept_values_read_well_within_a_sentence() {
        for (path, value, text) in [
            ("workload.web.arrivals.rate", "470 /s", "470 /s"),
            ("topology.client_addresses", "1", "1 client address"),
            ("topology.client_addresses", "4", "4 client addresses"),
            ("tcp.tw_reuse", "true", "tcp_tw_reuse = true"),
            ("topology.bottleneck.queue", "30 packets", "30 packets"),
            ("tcp.somaxconn", "128", "somaxconn = 128"),
            ("workload.users.requests", "5", "5 requests per connection"),
        ] {
            assert_eq!(axis(path).value(value), text, "{path}");
        }
        assert_eq!(axis("topology.bottleneck.delay").name, "bottleneck delay");
        let twins = axes(["a.rate", "b.rate"].into_iter());
        assert_eq!(twins[1].name, "b.rate");
    }

    #[test]
    fn lists_and_numbers_have_their_grammar() {
        let items = |n: usize| ["a", "b", "c"].map(str::to_owned)[..n].to_vec();
        assert_eq!(
            (list(&items(1)), list(&items(3))),
            ("a".into(), "a, b and c".into())
        );
        assert_eq!(counted(1.0, "socket", "sockets"), "1 socket");
        assert_eq!(counted(2_000.0, "socket", "sockets"), "2,000 sockets");
        assert_eq!(sentence("share of"), "Share of");
    }
}
