//! Nodes and links that were down, and TIME-WAIT entries lost in crashes.

use super::RunFacts;
use crate::bilingual::{Language, say};
use crate::format::{count, seconds};
use crate::info::OutageSpan;

/// Most outages named one by one.
const MOST_NAMED: usize = 3;

impl RunFacts<'_> {
    /// "client was down from t = 30 s to t = 60 s, and 2,894 TIME-WAIT entries were lost in the
    /// crash".
    pub(super) fn outages(&self) -> Option<String> {
        let all = &self.info.outages;
        if all.is_empty() {
            return None;
        }
        let mut named: Vec<String> = all
            .iter()
            .take(MOST_NAMED)
            .map(|outage| was_down(outage, self.language))
            .collect();
        if all.len() > MOST_NAMED {
            let more = (all.len() - MOST_NAMED) as f64;
            named.push(say!(
                self.language,
                "there were {} more outages",
                "另有 {} 次停机",
                count(more)
            ));
        }
        let lost = self.positive("time_wait_lost").map_or(String::new(), |n| {
            say!(self.language, "; {} lost before 2 MSL had passed (a host that stays `quiet` for that long after a \
                 crash is safe: RFC 9293 section 3.4.3)", "；{} 在 2 MSL 之前丢失（主机崩溃后保持静默（`quiet`）这么久才安全：RFC 9293 第 3.4.3 节）",
                self.language.counted(n, "TIME-WAIT entry was", "TIME-WAIT entries were", "个 TIME-WAIT 条目")
            )
        });
        Some(format!(
            "{}{lost}.",
            self.language.sentence(&self.language.list(&named))
        ))
    }
}

fn was_down(outage: &OutageSpan, language: Language) -> String {
    let from = seconds(outage.from_s);
    match outage.to_s {
        Some(to) => say!(
            language,
            "{} was down from t = {from} to t = {}",
            "{} 从 t = {from} 到 t = {} 停机",
            outage.of,
            seconds(to)
        ),
        None => say!(
            language,
            "{} was down from t = {from} on",
            "{} 从 t = {from} 起停机",
            outage.of
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::findings::findings;
    use crate::info::{OutageSpan, RunInfo};

    fn info(outages: &[(&str, f64, Option<f64>)]) -> RunInfo {
        let outage = |&(of, from_s, to_s): &(&str, f64, Option<f64>)| OutageSpan {
            of: of.to_owned(),
            from_s,
            to_s,
        };
        RunInfo {
            outages: outages.iter().map(outage).collect(),
            ..RunInfo::default()
        }
    }

    #[test]
    fn an_outage_during_which_nothing_failed_comes_first() {
        let info = info(&[("client", 30.0, Some(60.0))]);
        let metrics = [
            ("connects_attempted", 8806.0),
            ("connects_established", 8806.0),
            ("time_wait_lost", 2960.0),
        ];
        let metrics: BTreeMap<String, f64> =
            metrics.map(|(name, value)| (name.to_owned(), value)).into();
        let found = findings(&info, &metrics);
        assert!(
            found[0].starts_with(
                "Client was down from t = 30 s to t = 60 s; 2,960 TIME-WAIT entries were lost"
            ),
            "{found:?}"
        );
        assert_eq!(found[1], "None of the 8,806 connects failed.");
    }

    #[test]
    fn many_outages_are_counted() {
        let down = ("the link between a and b", 1.0, None);
        let found = findings(&info(&[down; 5]), &BTreeMap::new());
        let one = "he link between a and b was down from t = 1 s on";
        assert_eq!(
            found,
            [format!(
                "T{one}, t{one}, t{one} and there were 2 more outages."
            )]
        );
    }
}
