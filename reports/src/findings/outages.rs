//! Nodes and links that were down, pauses and other faults, and TIME-WAIT entries lost in crashes.

use super::RunFacts;
use crate::bilingual::{Language, say};
use crate::format::{count, seconds};
use crate::info::{OutageKind, OutageSpan};

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
            .map(|outage| happened(outage, self.language))
            .collect();
        if all.len() > MOST_NAMED {
            let rest = &all[MOST_NAMED..];
            let more = count(rest.len() as f64);
            named.push(match rest.iter().all(|o| o.kind == OutageKind::Down) {
                true => say!(
                    self.language,
                    "there were {more} more outages",
                    "另有 {more} 次停机"
                ),
                false => say!(
                    self.language,
                    "there were {more} more faults",
                    "另有 {more} 次故障"
                ),
            });
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

fn happened(outage: &OutageSpan, language: Language) -> String {
    let (of, from) = (&outage.of, seconds(outage.from_s));
    match (outage.kind, outage.to_s.map(seconds)) {
        (OutageKind::Down, Some(to)) => say!(
            language,
            "{of} was down from t = {from} to t = {to}",
            "{of} 从 t = {from} 到 t = {to} 停机"
        ),
        (OutageKind::Down, None) => say!(
            language,
            "{of} was down from t = {from} on",
            "{of} 从 t = {from} 起停机"
        ),
        (OutageKind::Paused, Some(to)) => say!(
            language,
            "the applications of {of} paused from t = {from} to t = {to}",
            "{of} 的应用从 t = {from} 到 t = {to} 暂停"
        ),
        (OutageKind::Paused, None) => say!(
            language,
            "the applications of {of} paused from t = {from} on",
            "{of} 的应用从 t = {from} 起暂停"
        ),
        (OutageKind::ClockWrapped, _) => say!(
            language,
            "the timestamp clock of {of} wrapped around at t = {from}",
            "{of} 的时间戳时钟在 t = {from} 回绕"
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::findings::findings;
    use crate::info::{OutageKind, OutageSpan, RunInfo};

    fn info(outages: &[(&str, f64, Option<f64>)]) -> RunInfo {
        let outage = |&(of, from_s, to_s): &(&str, f64, Option<f64>)| OutageSpan {
            of: of.to_owned(),
            from_s,
            to_s,
            ..OutageSpan::default()
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

    #[test]
    fn pauses_and_clocks_are_not_called_outages() {
        let mut info = info(&[("server", 10.0, Some(14.0)), ("client", 20.0, Some(20.0))]);
        info.outages[0].kind = OutageKind::Paused;
        info.outages[1].kind = OutageKind::ClockWrapped;
        assert_eq!(
            findings(&info, &BTreeMap::new()),
            [
                "The applications of server paused from t = 10 s to t = 14 s and the timestamp clock of client \
                 wrapped around at t = 20 s."
            ]
        );
    }
}
