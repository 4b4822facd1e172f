//! Metrics and swept parameters in plain English.

use crate::bilingual::{Language, say};
use crate::metrics;

/// A metric in words, without unit and window: "share of connects that failed". For an unregistered
/// metric, its name.
pub(crate) fn metric(id: &str) -> String {
    metrics::find(id).map_or_else(|| id.replace('_', " "), |found| found.words)
}

/// A metric in words of a language.
pub(crate) fn metric_in(id: &str, language: Language) -> String {
    match language {
        Language::English => metric(id),
        Language::Chinese => {
            metrics::find(id).map_or_else(|| id.replace('_', " "), |found| found.chinese)
        }
    }
}

/// A metric as the head of a column, with a note if it is taken over the steady window.
pub(crate) fn column_in(id: &str, language: Language) -> String {
    let steady = match is_steady(id) {
        true => language.pick(", steady window", "，稳态时段"),
        false => "",
    };
    format!("{}{steady}", metric_in(id, language))
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

/// Endings of dotted paths with their words, for counts the word for one, and the Chinese.
const AXES: [(&str, &str, &str, &str); 12] = [
    ("arrivals.rate", "offered rate", "", "请求速率"),
    ("arrivals.users", "users", "user", "用户数"),
    (
        "arrivals.count",
        "connections at once",
        "connection at once",
        "同时连接数",
    ),
    (
        "client_addresses",
        "client addresses",
        "client address",
        "客户端地址数",
    ),
    (
        "server_addresses",
        "server addresses",
        "server address",
        "服务器地址数",
    ),
    (
        "requests",
        "requests per connection",
        "request per connection",
        "每条连接的请求数",
    ),
    ("ports", "server ports", "server port", "服务器端口数"),
    ("tw_reuse", "tcp_tw_reuse", "", "tcp_tw_reuse"),
    ("time_wait", "time in TIME-WAIT", "", "TIME-WAIT 时间"),
    ("tcp.profile", "TCP profile", "", "TCP 配置"),
    ("tcp.congestion", "congestion control", "", "拥塞控制"),
    ("pairs", "pairs of hosts", "pair of hosts", "主机对数"),
];

/// The axis of named variants.
const VARIANT: &str = "variant";
const VARIANT_ZH: &str = "变体";

/// A swept parameter in words.
pub(crate) fn axis(path: &str, language: Language) -> AxisWords {
    let ends = |end: &str| {
        path.strip_suffix(end)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    if let Some((_, name, one, chinese)) = AXES.iter().find(|(end, ..)| ends(end)) {
        return AxisWords {
            name: language.pick(*name, *chinese).to_owned(),
            one: (!one.is_empty() && language == Language::English).then(|| (*one).to_owned()),
        };
    }
    let keys: Vec<&str> = path.split('.').collect();
    let last = match keys.as_slice() {
        [only] if *only == VARIANT => language.pick(VARIANT, VARIANT_ZH).to_owned(),
        // Keys have no Chinese: they stay as they are written in a scenario.
        ["topology", .., owner, key] => say!(language, "{owner} {key}", "{owner}.{key}"),
        [.., key] => (*key).to_owned(),
        [] => String::new(),
    };
    AxisWords {
        name: match language {
            Language::English => last.replace('_', " "),
            Language::Chinese => last,
        },
        one: None,
    }
}

/// Swept parameters in words; those with equal words keep their paths.
pub(crate) fn axes<'a>(
    paths: impl Iterator<Item = &'a str> + Clone,
    language: Language,
) -> Vec<AxisWords> {
    let all: Vec<AxisWords> = paths.clone().map(|path| axis(path, language)).collect();
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
            _ if [VARIANT, VARIANT_ZH].contains(&self.name.as_str()) => format!("\"{value}\""),
            Some(one) if value == "1" => format!("1 {one}"),
            Some(_) if is_number => format!("{value} {}", self.name),
            _ if begins_as_one && !is_number => value.to_owned(),
            _ => format!("{} = {value}", self.name),
        }
    }
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
            assert_eq!(axis(path, Language::English).value(value), text, "{path}");
        }
        assert_eq!(
            axis("topology.bottleneck.delay", Language::English).name,
            "bottleneck delay"
        );
        let twins = axes(["a.rate", "b.rate"].into_iter(), Language::English);
        assert_eq!(twins[1].name, "b.rate");
    }

    #[test]
    fn lists_and_numbers_have_their_grammar() {
        let items = |n: usize| ["a", "b", "c"].map(str::to_owned)[..n].to_vec();
        assert_eq!(
            (list(&items(1)), list(&items(3))),
            ("a".into(), "a, b and c".into())
        );
        let counted = |n| Language::English.counted(n, "socket", "sockets", "个套接字");
        assert_eq!(counted(1.0), "1 socket");
        assert_eq!(counted(2_000.0), "2,000 sockets");
        assert_eq!(sentence("share of"), "Share of");
    }
}
