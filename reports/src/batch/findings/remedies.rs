//! Compares remedies: which variants are enough, by how much, what they cost, and which are unsafe.

use super::super::variants::Variant;
use super::Wording;
use crate::bilingual::{Language, say};
use crate::format;

/// A scenario's note on one of its variants.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct VariantNote {
    /// The name of the variant.
    pub variant: String,
    /// What it costs or needs; may be empty.
    pub note: String,
    /// What it puts at risk; may be empty.
    pub hazard: String,
}

/// Metrics of failures, each with its share and the wording for a report.
const FAILURES: [(&str, &str, &str, &str); 4] = [
    (
        "proxy_errors",
        "proxy_errors_share",
        "of requests got an error from the proxy",
        "的请求得到代理的错误应答",
    ),
    (
        "connects_failed",
        "connects_failed_share",
        "of connects failed",
        "的 connect 失败",
    ),
    (
        "exchanges_failed",
        "exchanges_failed_share",
        "of exchanges failed for good",
        "的交互最终失败",
    ),
    (
        "requests_unanswered",
        "requests_unanswered_share",
        "of requests were unanswered",
        "的请求没有响应",
    ),
];

/// Numbers of requests that waited for a connection at the end, of a client's pool or a proxy's, and the longest wait.
const NEVER_SENT: [(&str, &str); 2] = [
    ("requests_never_sent", "request_never_sent_wait_max_s"),
    ("proxy_never_sent", "proxy_never_sent_wait_max_s"),
];
/// A wait of at least this many seconds at the end shows that the pool was too small.
const LONG_WAIT_S: f64 = 1.0;
/// Shares in use below this are not reported as a margin.
const LEAST_SHARE: f64 = 0.01;

impl Wording<'_> {
    /// Which variants are enough; `None` if the scenario has no notes on them, or if other
    /// parameters vary too.
    pub(super) fn remedies(&self) -> Option<Vec<String>> {
        let ([axis], [one]) = (self.info.axes.as_slice(), self.series.as_slice()) else {
            return None;
        };
        if axis.path != "variant" || self.info.notes.is_empty() {
            return None;
        }
        let failures: Vec<(&Variant<'_>, Option<String>)> = {
            let each = one.variants.iter();
            each.map(|v| (v, failure(v, self.language))).collect()
        };
        let (enough, not): (Vec<_>, Vec<_>) = failures.into_iter().partition(|(_, f)| f.is_none());
        let hazard = |v: &Variant<'_>| self.note(v).is_some_and(|n| !n.hazard.is_empty());
        let (risky, safe): (Vec<_>, Vec<_>) = enough.into_iter().partition(|(v, _)| hazard(v));
        let mut sentences = Vec::new();
        let each = |of: &[(&Variant<'_>, Option<String>)]| {
            let items = of
                .iter()
                .map(|(v, failed)| self.describe(v, failed.as_deref()));
            self.language.list(&items.collect::<Vec<_>>())
        };
        if let Some((first, _)) = safe.first() {
            sentences.push(say!(
                self.language,
                "The first sufficient remedy is {}. Sufficient: {}.",
                "第一个足够的办法是 {}。足够的有：{}。",
                quoted(first),
                each(&safe)
            ));
        } else {
            sentences.push(
                self.language
                    .pick(
                        "No variant is both safe and sufficient.",
                        "没有一个变体既安全又足够。",
                    )
                    .to_owned(),
            );
        }
        if !risky.is_empty() {
            sentences.push(say!(
                self.language,
                "Sufficient, but unsafe: {}.",
                "足够但不安全：{}。",
                each(&risky)
            ));
        }
        if !not.is_empty() {
            sentences.push(say!(
                self.language,
                "Not sufficient: {}.",
                "不够：{}。",
                each(&not)
            ));
        }
        Some(sentences)
    }

    fn note(&self, variant: &Variant<'_>) -> Option<&VariantNote> {
        let name = variant.values.first()?;
        self.info.notes.iter().find(|n| n.variant == *name)
    }

    /// `"tw_reuse" (3.5 % of the ports in use at most; needs timestamps)`.
    fn describe(&self, variant: &Variant<'_>, failed: Option<&str>) -> String {
        let mut parts: Vec<String> = Vec::new();
        match failed {
            Some(failed) => parts.push(failed.to_owned()),
            None => parts.extend(margin(variant, self.language)),
        }
        if let Some(note) = self.note(variant) {
            let texts = [&note.note, &note.hazard];
            parts.extend(texts.into_iter().filter(|t| !t.is_empty()).cloned());
        }
        match parts.is_empty() {
            true => quoted(variant),
            false => format!("{} ({})", quoted(variant), parts.join("; ")),
        }
    }
}

fn quoted(variant: &Variant<'_>) -> String {
    let name = variant.values.first().map_or("", String::as_str);
    format!("\"{name}\"")
}

/// The failures of a variant, as text. If clients retry, only final failures count.
fn failure(variant: &Variant<'_>, language: Language) -> Option<String> {
    let mean = |metric: &str| variant.estimate(metric).map_or(0.0, |e| e.mean);
    let retried = mean("exchanges_begun") > 0.0;
    for (waiting, longest) in NEVER_SENT {
        if mean(longest) >= LONG_WAIT_S {
            let n = format::count(mean(waiting));
            return Some(say!(
                language,
                "{n} requests still waited for a connection at the end",
                "运行结束时 {n} 个请求仍在等待连接"
            ));
        }
    }
    let sentences = FAILURES
        .iter()
        .filter_map(|(count, share, words, chinese)| {
            let n = match *count {
                "exchanges_failed" => mean(count),
                _ if retried => 0.0,
                // Requests pending when the run ends have not failed.
                "requests_unanswered" => mean(count) - mean("requests_unanswered_at_run_end"),
                count => mean(count),
            };
            (n > 0.0).then(|| {
                Some(say!(
                    language,
                    "{} {words}",
                    "{} {chinese}",
                    variant.text(share)?
                ))
            })?
        });
    sentences.into_iter().next()
}

/// How close a variant came to its limit.
fn margin(variant: &Variant<'_>, language: Language) -> Option<String> {
    let limits = [
        (
            "nat_ports_in_use_share_peak",
            language.pick("of the NAT's ports", "NAT 的端口"),
        ),
        (
            "conntrack_use_share_peak",
            language.pick("of the firewall's table", "防火墙的连接表"),
        ),
        (
            "ports_in_use_destination_share_peak",
            language.pick("of the ports", "端口"),
        ),
    ];
    limits.iter().find_map(|(metric, what)| {
        let used = variant.estimate(metric)?.mean >= LEAST_SHARE;
        let share = variant.text(metric).filter(|_| used)?;
        Some(say!(
            language,
            "{share} {what} in use at most",
            "{what}最多使用 {share}"
        ))
    })
}
