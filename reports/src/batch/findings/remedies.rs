//! Variants that are remedies: which are enough, by how much, what they cost, and what is unsafe.

use super::super::variants::Variant;
use super::Told;
use crate::format;
use crate::text::list;

/// What a scenario says of one of its variants.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct VariantNote {
    /// The name of the variant.
    pub variant: String,
    /// What it costs or needs; empty for nothing.
    pub note: String,
    /// What it puts at risk; empty for nothing.
    pub hazard: String,
}

/// Metrics that say that something failed, each with the share that a report tells.
const FAILURES: [(&str, &str, &str); 3] = [
    (
        "connects_failed",
        "connects_failed_share",
        "of connects failed",
    ),
    (
        "exchanges_failed",
        "exchanges_failed_share",
        "of exchanges failed for good",
    ),
    (
        "requests_unanswered",
        "requests_unanswered_share",
        "of requests were unanswered",
    ),
];

/// Requests that wait for so long at the end had too small a pool, seconds.
const LONG_WAIT_S: f64 = 1.0;
/// A smaller share of something in use says nothing about a limit.
const LEAST_SHARE: f64 = 0.01;

impl Told<'_> {
    /// Which variants are enough; `None` where the scenario says nothing of their cost, or other parameters
    /// vary beside them.
    pub(super) fn remedies(&self) -> Option<Vec<String>> {
        let ([axis], [one]) = (self.info.axes.as_slice(), self.series.as_slice()) else {
            return None;
        };
        if axis.path != "variant" || self.info.notes.is_empty() {
            return None;
        }
        let failures: Vec<(&Variant<'_>, Option<String>)> =
            one.variants.iter().map(|v| (v, failure(v))).collect();
        let (enough, not): (Vec<_>, Vec<_>) = failures.into_iter().partition(|(_, f)| f.is_none());
        let hazard = |v: &Variant<'_>| self.note(v).is_some_and(|n| !n.hazard.is_empty());
        let (risky, safe): (Vec<_>, Vec<_>) = enough.into_iter().partition(|(v, _)| hazard(v));
        let mut told = Vec::new();
        let each = |of: &[(&Variant<'_>, Option<String>)]| {
            let items = of
                .iter()
                .map(|(v, failed)| self.told_variant(v, failed.as_deref()));
            list(&items.collect::<Vec<_>>())
        };
        if let Some((first, _)) = safe.first() {
            told.push(format!(
                "The first remedy that is enough is {}. Enough are {}.",
                quoted(first),
                each(&safe)
            ));
        } else {
            told.push("No variant is both safe and enough.".to_owned());
        }
        if !risky.is_empty() {
            told.push(format!("Enough, but unsafe: {}.", each(&risky)));
        }
        if !not.is_empty() {
            told.push(format!("Not enough: {}.", each(&not)));
        }
        Some(told)
    }

    fn note(&self, variant: &Variant<'_>) -> Option<&VariantNote> {
        let name = variant.values.first()?;
        self.info.notes.iter().find(|n| n.variant == *name)
    }

    /// `"tw_reuse" (3.5 % of the ports in use at most; needs timestamps)`.
    fn told_variant(&self, variant: &Variant<'_>, failed: Option<&str>) -> String {
        let mut parts: Vec<String> = Vec::new();
        match failed {
            Some(failed) => parts.push(failed.to_owned()),
            None => parts.extend(margin(variant)),
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

/// What failed in a variant, in words. Where clients try again, only what failed for good counts.
fn failure(variant: &Variant<'_>) -> Option<String> {
    let mean = |metric: &str| variant.estimate(metric).map_or(0.0, |e| e.mean);
    let retried = mean("exchanges_begun") > 0.0;
    if mean("request_never_sent_wait_max_s") >= LONG_WAIT_S {
        let n = format::count(mean("requests_never_sent"));
        return Some(format!(
            "{n} requests still waited for a connection at the end"
        ));
    }
    let told = FAILURES.iter().filter_map(|(count, share, words)| {
        let n = match *count {
            "exchanges_failed" => mean(count),
            _ if retried => 0.0,
            // Those under way when the run ends have not failed.
            "requests_unanswered" => mean(count) - mean("requests_unanswered_at_run_end"),
            count => mean(count),
        };
        (n > 0.0).then(|| Some(format!("{} {words}", variant.text(share)?)))?
    });
    told.into_iter().next()
}

/// How near a variant came to its limit.
fn margin(variant: &Variant<'_>) -> Option<String> {
    let limits = [
        ("nat_ports_in_use_share_peak", "of the NAT's ports"),
        ("conntrack_use_share_peak", "of the firewall's table"),
        ("ports_in_use_destination_share_peak", "of the ports"),
    ];
    limits.iter().find_map(|(metric, what)| {
        let used = variant.estimate(metric)?.mean >= LEAST_SHARE;
        let share = variant.text(metric).filter(|_| used)?;
        Some(format!("{share} {what} in use at most"))
    })
}
