//! Metrics and swept parameters in the words of people.

/// A metric as it is told and drawn.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MetricWords {
    /// "share of connects that failed", without unit.
    pub(crate) name: String,
    /// Unit on an axis; empty for plain numbers.
    pub(crate) unit: &'static str,
    /// From the metric's own unit to that of the axis.
    pub(crate) factor: f64,
}

/// Metrics with names of their own; "_steady" at the end is told apart.
const METRICS: [(&str, &str); 27] = [
    ("connects_attempted", "connects"),
    ("connects_established", "connects that succeeded"),
    ("connects_failed", "connects that failed"),
    ("connects_failed_share", "share of connects that failed"),
    (
        "connects_addr_not_available",
        "connects without a free port",
    ),
    ("connects_per_s", "connections established"),
    ("offered_per_s", "connections offered"),
    ("first_failure_s", "time of first failure"),
    ("port_limit_per_s", "connections the port supply allows"),
    ("port_probes_mean", "ports looked at per connect, mean"),
    ("time_wait_peak", "sockets in TIME-WAIT, peak"),
    ("time_wait_mean", "sockets in TIME-WAIT, mean"),
    ("established_peak", "established sockets, peak"),
    ("established_mean", "established sockets, mean"),
    ("ports_in_use_peak", "local ports in use, peak"),
    ("ports_in_use_mean", "local ports in use, mean"),
    ("connect_latency_mean_s", "time to connect, mean"),
    ("connect_latency_p50_s", "time to connect, median"),
    ("connect_latency_p99_s", "time to connect, 99th percentile"),
    ("request_latency_mean_s", "time per request, mean"),
    ("request_latency_p50_s", "time per request, median"),
    ("request_latency_p99_s", "time per request, 99th percentile"),
    (
        "request_with_connect_mean_s",
        "time per request with its share of connecting, mean",
    ),
    ("requests_done", "requests done"),
    ("jain_index", "Jain's fairness index"),
    ("queue_drops_pkts", "packets dropped by queues"),
    ("retransmissions", "segments sent again"),
];

/// A metric in words.
pub(crate) fn metric(id: &str) -> MetricWords {
    let plain = id.strip_suffix("_steady").unwrap_or(id);
    let (unit, factor, suffix) = match plain {
        _ if plain.ends_with("_bps") => ("Mbit/s", 1e-6, "_bps"),
        _ if plain.ends_with("_per_s") => ("/s", 1.0, "_per_s"),
        _ if plain.contains("_latency_") || plain.starts_with("request_with") => ("ms", 1e3, "_s"),
        _ if plain.ends_with("_s") => ("s", 1.0, "_s"),
        _ if plain.contains("_share") || plain.ends_with("utilisation") => ("%", 100.0, ""),
        _ => ("", 1.0, ""),
    };
    let known = METRICS.iter().find(|(name, _)| *name == plain);
    let name = known.map_or_else(
        || {
            let bare = plain.strip_suffix(suffix).unwrap_or(plain);
            bare.replace("time_wait", "TIME-WAIT").replace('_', " ")
        },
        |(_, words)| (*words).to_owned(),
    );
    MetricWords { name, unit, factor }
}

/// True for metrics that are taken over the steady window only.
pub(crate) fn is_steady(id: &str) -> bool {
    id.ends_with("_steady")
}

/// A swept parameter as it is told and drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AxisWords {
    /// "offered rate".
    pub(crate) name: String,
    /// One of what it counts, where it counts things: "client address".
    one: Option<String>,
}

/// Endings of dotted paths with their words and, for counts, the word for one.
const AXES: [(&str, &str, &str); 11] = [
    ("arrivals.rate", "offered rate", ""),
    ("arrivals.users", "users", "user"),
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

/// Swept parameters in words; those whose words are the same keep their paths.
pub(crate) fn axes<'a>(paths: impl Iterator<Item = &'a str> + Clone) -> Vec<AxisWords> {
    let all: Vec<AxisWords> = paths.clone().map(axis).collect();
    let twins = |words: &AxisWords| all.iter().filter(|o| o.name == words.name).count() > 1;
    let told = all.iter().zip(paths).map(|(words, path)| {
        if twins(words) {
            AxisWords {
                name: path.to_owned(),
                one: None,
            }
        } else {
            words.clone()
        }
    });
    told.collect()
}

impl AxisWords {
    /// A value within a sentence: "470 /s", "2 client addresses", "tcp_tw_reuse = true".
    pub(crate) fn value(&self, value: &str) -> String {
        let is_number = value.parse::<f64>().is_ok();
        let begins_as_one = value.starts_with(|c: char| c.is_ascii_digit());
        match &self.one {
            Some(one) if value == "1" => format!("1 {one}"),
            Some(_) if is_number => format!("{value} {}", self.name),
            _ if begins_as_one && !is_number => value.to_owned(),
            _ => format!("{} = {value}", self.name),
        }
    }
}

/// With a capital letter first.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// "a", "a and b", "a, b and c".
pub(crate) fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
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

    #[test]
    fn metrics_have_words_and_units() {
        for (id, name, unit) in [
            (
                "connects_failed_share_steady",
                "share of connects that failed",
                "%",
            ),
            ("first_failure_s", "time of first failure", "s"),
            ("time_wait.client_peak", "TIME-WAIT.client peak", ""),
            ("goodput_bps", "goodput", "Mbit/s"),
            ("connects_per_s_steady", "connections established", "/s"),
            ("anything_else", "anything else", ""),
        ] {
            let words = metric(id);
            assert_eq!((words.name.as_str(), words.unit), (name, unit), "{id}");
        }
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
