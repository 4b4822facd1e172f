//! The results of a run as sentences.

mod connects;
mod drops;
mod ends;
mod latency;
mod outages;
mod pools;
mod proxies;
mod queues;
mod reference;
mod table;
mod theory;
mod time_wait;
mod transfers;

use std::collections::BTreeMap;

use crate::bilingual::{Language, say};
use crate::format::{count, seconds};
use crate::info::RunInfo;

/// Below this number of connects, they are described individually rather than as a population.
pub(crate) const SMALL: f64 = 20.0;

/// A share of retransmitted segments is unusual from here on …
const UNUSUAL_SHARE: f64 = 0.05;
/// … if at least this many segments were sent.
const MANY: f64 = 100.0;

/// The findings of a run, most important first: a function of its metrics and of what was known in advance.
pub fn findings(info: &RunInfo, metrics: &BTreeMap<String, f64>) -> Vec<String> {
    findings_in(info, metrics, Language::English)
}

/// The findings in a language.
pub(crate) fn findings_in(
    info: &RunInfo,
    metrics: &BTreeMap<String, f64>,
    language: Language,
) -> Vec<String> {
    let known = RunFacts {
        info,
        metrics,
        language,
    };
    let all = table::UNUSUAL.iter().chain(table::USUAL);
    let sentences = all.filter_map(|finding| (finding.sentence)(&known));
    sentences.map(|text| language.printed(text)).collect()
}

/// The findings that are unusual.
pub(crate) fn unusual(
    info: &RunInfo,
    metrics: &BTreeMap<String, f64>,
    language: Language,
) -> Vec<String> {
    let known = RunFacts {
        info,
        metrics,
        language,
    };
    let unusual = table::UNUSUAL.iter();
    let unusual = unusual.filter_map(|f| (f.sentence)(&known));
    unusual.map(|text| language.printed(text)).collect()
}

/// True when a run with these metrics, and no other information, gets the finding of this name.
pub(crate) fn has_finding(name: &str, metrics: &BTreeMap<String, f64>) -> bool {
    let info = &RunInfo::default();
    let language = Language::English;
    let known = RunFacts {
        info,
        metrics,
        language,
    };
    let mut all = table::UNUSUAL.iter().chain(table::USUAL);
    let finding = all.find(|finding| finding.about.name == name);
    finding.is_some_and(|finding| (finding.sentence)(&known).is_some())
}

/// A kind of sentence at the top of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its name, for `synfin explain`.
    pub name: &'static str,
    /// What it says, and its meaning.
    pub says: &'static str,
    /// The metrics it is based on.
    pub made_of: &'static str,
    /// Where the subject is specified or explained, or who has measured it.
    pub source: &'static str,
}

/// A finding of a run, and the function that writes its sentence; `None` if it does not apply.
struct RunFinding {
    about: Finding,
    sentence: fn(&RunFacts<'_>) -> Option<String>,
}

/// All findings of runs, in the order in which they appear: what is unusual comes first.
pub fn all() -> impl Iterator<Item = &'static Finding> {
    let all = table::UNUSUAL.iter().chain(table::USUAL);
    all.map(|finding| &finding.about)
}

pub use reference::{explain, reference};

/// What the findings of a run are based on.
struct RunFacts<'a> {
    info: &'a RunInfo,
    metrics: &'a BTreeMap<String, f64>,
    language: Language,
}

impl RunFacts<'_> {
    fn get(&self, name: &str) -> Option<f64> {
        self.metrics.get(name).copied()
    }

    fn positive(&self, name: &str) -> Option<f64> {
        self.get(name).filter(|v| *v > 0.0)
    }

    fn corruption(&self) -> Option<String> {
        let bytes = self.positive("old_duplicate_bytes")?;
        Some(say!(
            self.language,
            "{} bytes of earlier connections were accepted as data of later ones: the corruption \
             that TIME-WAIT exists to prevent.",
            "旧连接的 {} 字节被当作后来连接的数据接受：这正是 TIME-WAIT 要防止的数据损坏。",
            count(bytes)
        ))
    }

    /// True for runs with few connections.
    fn is_small(&self) -> bool {
        self.get("connects_attempted").is_some_and(|n| n < SMALL)
    }

    /// The window of the steady values as text; it is called steady only under a constant load.
    fn window(&self) -> String {
        if self.info.record.steady_s.is_some() {
            return self
                .language
                .pick("in the steady window", "在稳态时段")
                .to_owned();
        }
        let (from, to) = self.info.steady_window();
        say!(
            self.language,
            "from {} to {}",
            "从 {} 到 {}",
            seconds(from),
            seconds(to)
        )
    }
}

#[cfg(test)]
mod tests;
