//! The results of a run as sentences.

mod drops;
mod ends;
mod latency;
mod outages;
mod pools;
mod queues;
mod reference;
mod table;

use std::collections::BTreeMap;

use crate::format::{bit_rate, count, number, percent, seconds};
use crate::info::RunInfo;
use crate::metrics;
use crate::text::{list, sentence};
use crate::words::counted;

mod theory;

/// Below this number connects are described individually rather than as a population.
pub(crate) const SMALL: f64 = 20.0;

/// A share of retransmitted segments is unusual from here on …
const UNUSUAL_SHARE: f64 = 0.05;
/// … if at least this many segments were sent.
const MANY: f64 = 100.0;

/// The findings of a run, most important first: a function of its metrics and of what was known in advance.
pub fn findings(info: &RunInfo, metrics: &BTreeMap<String, f64>) -> Vec<String> {
    let known = RunFacts { info, metrics };
    let all = table::UNUSUAL.iter().chain(table::USUAL);
    all.filter_map(|finding| (finding.tell)(&known)).collect()
}

/// Those of the findings that are unusual.
pub(crate) fn unusual(info: &RunInfo, metrics: &BTreeMap<String, f64>) -> Vec<String> {
    let known = RunFacts { info, metrics };
    let told = table::UNUSUAL.iter().filter_map(|f| (f.tell)(&known));
    told.collect()
}

/// True when a run with these metrics, and no other information, gets the finding of this name.
pub(crate) fn has_finding(name: &str, metrics: &BTreeMap<String, f64>) -> bool {
    let info = &RunInfo::default();
    let known = RunFacts { info, metrics };
    let mut all = table::UNUSUAL.iter().chain(table::USUAL);
    let finding = all.find(|finding| finding.about.name == name);
    finding.is_some_and(|finding| (finding.tell)(&known).is_some())
}

/// A kind of sentence at the head of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its name, for `synfin explain`.
    pub name: &'static str,
    /// What it says, and its meaning.
    pub says: &'static str,
    /// The metrics it is based on.
    pub made_of: &'static str,
    /// Where the matter is specified or explained, or who measures it.
    pub source: &'static str,
}

/// A finding of a run, and the function that writes its sentence; `None` if it does not apply.
struct RunFinding {
    about: Finding,
    tell: fn(&RunFacts<'_>) -> Option<String>,
}

/// All findings of runs, in the order in which they appear: what is unusual comes first.
pub fn all() -> impl Iterator<Item = &'static Finding> {
    let all = table::UNUSUAL.iter().chain(table::USUAL);
    all.map(|finding| &finding.about)
}

pub use reference::{explain, reference};

struct RunFacts<'a> {
    info: &'a RunInfo,
    metrics: &'a BTreeMap<String, f64>,
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
        Some(format!(
            "{} bytes of earlier connections were accepted as data of later ones: the corruption \
             that TIME-WAIT exists to prevent.",
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
            return "in the steady window".to_owned();
        }
        let (from, to) = self.info.steady_window();
        format!("from {} to {}", seconds(from), seconds(to))
    }

    fn failures(&self) -> Option<String> {
        let attempted = self.positive("connects_attempted")?;
        let failed = self.positive("connects_failed")?;
        let causes = [
            (
                "connects_addr_not_available",
                "found",
                "found",
                "no free local port",
            ),
            ("connects_refused", "was", "were", "refused"),
            ("connects_timed_out", "timed", "timed", "out"),
            ("connects_aborted", "was", "were", "given up"),
        ];
        let causes: Vec<String> = causes
            .iter()
            .filter_map(|(name, one, many, rest)| {
                let n = self.positive(name)?;
                let verb = if n == 1.0 { one } else { many };
                Some(match n == failed {
                    true if n == 1.0 => format!("it {verb} {rest}"),
                    true => format!("all {verb} {rest}"),
                    false => format!("{} {verb} {rest}", count(n)),
                })
            })
            .collect();
        let first = seconds(self.get("first_failure_s").unwrap_or(0.0));
        let settled = self.get("connects_established").map(|n| n + failed);
        let open = still_open(attempted - settled.unwrap_or(attempted));
        let causes = list(&causes) + &open;
        if self.is_small() {
            let of = counted(attempted, "connect", "connects");
            return Some(format!(
                "{} of {of} failed, the first at t = {first}: {causes}.",
                count(failed)
            ));
        }
        let steady = self.get("connects_failed_share_steady");
        let steady = steady.map_or(String::new(), |s| {
            format!(", {} {}", percent(s), self.window())
        });
        Some(format!(
            "Connects began to fail at t = {first}; {} of {} failed ({}{steady}): {causes}.",
            count(failed),
            count(attempted),
            percent(failed / attempted)
        ))
    }

    /// No connect failed.
    fn successes(&self) -> Option<String> {
        let attempted = self.positive("connects_attempted")?;
        if self.positive("connects_failed").is_some() {
            return None;
        }
        let unsettled = self.unsettled().is_some();
        let few = self.is_small() && self.positive("connects_established").is_some();
        (few || !unsettled).then(|| self.all_succeeded(attempted))
    }

    fn all_succeeded(&self, attempted: f64) -> String {
        let established = self.get("connects_established").unwrap_or(attempted);
        let open = still_open(attempted - established);
        if !self.is_small() {
            return match attempted > established {
                // Connects without an outcome may still fail.
                true => format!(
                    "{} of {} connects were established and none failed{open}.",
                    count(established),
                    count(attempted)
                ),
                false => format!("None of the {} connects failed.", count(attempted)),
            };
        }
        let after = self.get("connect_latency_mean_s").unwrap_or(0.0);
        let longest = self.get("connect_latency_max_s").unwrap_or(after);
        if established == 0.0 {
            return format!("No connection was established{open}.");
        }
        if attempted == 1.0 {
            return format!(
                "The connection was established after {}{}{}.",
                seconds(after),
                self.its_requests(),
                self.its_close()
            );
        }
        let times = if longest <= 1.001 * after {
            format!("after {} each", seconds(after))
        } else {
            format!(
                "after {} on average and {} at most",
                seconds(after),
                seconds(longest)
            )
        };
        if attempted > established {
            let of = format!("{} of {}", count(established), count(attempted));
            return format!("{of} connections were established, {times}{open}.");
        }
        match attempted {
            2.0 => format!("Both connections were established, {times}."),
            n => format!("All {} connections were established, {times}.", count(n)),
        }
    }

    /// The outcome of the requests of the only connection.
    fn its_requests(&self) -> String {
        let took = self.get("request_latency_mean_s").map(seconds);
        let done = self.get("requests_done").unwrap_or(0.0);
        let made = done + self.get("requests_unanswered").unwrap_or(0.0);
        match (done, took) {
            _ if made == 0.0 => String::new(),
            (0.0, _) | (_, None) => "; no request was answered".to_owned(),
            (1.0, Some(took)) if made == 1.0 => format!("; its request was answered after {took}"),
            (1.0, Some(took)) => {
                format!(
                    "; 1 of its {} requests was answered, after {took}",
                    count(made)
                )
            }
            (n, Some(took)) if n < made => format!(
                "; {} of its {} requests were answered, after {took} on average",
                count(n),
                count(made)
            ),
            (n, Some(took)) => format!("; its {} requests took {took} on average", count(n)),
        }
    }

    /// True when the sentence about the only connection covers its requests.
    fn tells_its_requests(&self) -> bool {
        let only = self.get("connects_attempted") == Some(1.0);
        only && self.positive("connects_failed").is_none()
    }

    /// Who closed the only connection first.
    fn its_close(&self) -> String {
        let hints = &self.info.analytic;
        let known = self.positive("time_wait_peak").is_some();
        match (&hints.time_wait_group, hints.time_wait_s) {
            (Some(group), Some(stay)) if known => format!(
                "; the {group} closed first and stayed in TIME-WAIT for {}",
                seconds(stay)
            ),
            _ => String::new(),
        }
    }

    fn port_limit(&self) -> Option<String> {
        if self.is_small() {
            return None;
        }
        theory::ports(self.info, &self.window())
    }

    fn time_wait(&self) -> Option<String> {
        let peak = self.positive("time_wait_peak")?;
        if self.is_small() {
            return self.few_in_time_wait();
        }
        let mean = self.get("time_wait_mean_steady")?;
        let (from, to) = self.info.steady_window();
        let measured = format!(
            "TIME-WAIT peaked at {} at t = {} and averaged {} from {} to {}",
            counted(peak, "socket", "sockets"),
            seconds(self.get("time_wait_peak_at_s").unwrap_or(0.0)),
            count(mean),
            seconds(from),
            seconds(to)
        );
        Some(match self.expected_time_wait() {
            None => format!("{measured}."),
            Some(theory) => format!("{measured}; {theory}."),
        })
    }

    fn expected_time_wait(&self) -> Option<String> {
        if let Some(overflow) = self.positive("ended_time_wait_overflow") {
            let gone = counted(overflow, "connection", "connections");
            return Some(format!(
                "the table was full, and {gone} closed without TIME-WAIT"
            ));
        }
        theory::time_wait(self.info)
    }

    /// The groups of hosts with sockets in TIME-WAIT; for a single connection its own finding says it.
    fn few_in_time_wait(&self) -> Option<String> {
        if !self.its_close().is_empty() && self.get("connects_attempted") == Some(1.0) {
            return None;
        }
        let groups: Vec<String> = self
            .metrics
            .iter()
            .filter_map(|(name, &n)| {
                let found = metrics::find(name)?;
                let is_peak = found.metric.id == "<state>.<group>_peak";
                let is_time_wait = is_peak && name.starts_with("time_wait.");
                let group = found.of.filter(|_| is_time_wait)?;
                (n > 0.0).then(|| format!("{} of {group}", counted(n, "socket", "sockets")))
            })
            .collect();
        let sockets = match groups.as_slice() {
            [] => counted(self.get("time_wait_peak")?, "socket", "sockets"),
            some => list(some),
        };
        Some(format!("In TIME-WAIT: {sockets}."))
    }

    /// Goodput of bulk transfers, flow by flow while each was active, and how fairly they shared.
    fn goodput(&self) -> Option<String> {
        if self.get("requests_done").is_some() {
            return None;
        }
        let bps = self.positive("goodput_bps")?;
        let flows: Vec<String> = self
            .metrics
            .iter()
            .filter_map(|(name, &bps)| {
                let found = metrics::find(name)?;
                let is_goodput = found.metric.id == "flow_goodput.<flow>_bps";
                let flow = found.of.filter(|_| is_goodput)?;
                Some(format!("{} for {flow}", bit_rate(bps)))
            })
            .collect();
        let fair = self.get("jain_index").map_or(String::new(), |j| {
            format!(
                "; while all were active, Jain's fairness index was {}",
                number(j)
            )
        });
        let own_lives = self.get("flow_goodput_mean_bps").map(bit_rate);
        Some(if let (true, Some(mean)) = (flows.is_empty(), own_lives) {
            format!("Mean goodput of a flow while active was {mean}{fair}.")
        } else if flows.is_empty() {
            format!("Goodput was {} over the whole run{fair}.", bit_rate(bps))
        } else {
            let established = self.get("connects_established").unwrap_or(0.0);
            let of = if established > flows.len() as f64 {
                format!(
                    " ({} of {} flows; the others were not traced or sent less than 50 kB)",
                    count(flows.len() as f64),
                    count(established)
                )
            } else {
                String::new()
            };
            format!("Goodput while active was {}{of}{fair}.", list(&flows))
        })
    }

    /// Many retransmissions, which come before the usual findings.
    fn many_retransmissions(&self) -> Option<String> {
        let again = self.positive("retransmissions")?;
        let sent = self.get("segments_sent").filter(|n| *n >= MANY)?;
        (again >= UNUSUAL_SHARE * sent)
            .then(|| self.losses())
            .flatten()
    }

    fn few_losses(&self) -> Option<String> {
        match self.many_retransmissions() {
            Some(_) => None,
            None => self.losses(),
        }
    }

    fn losses(&self) -> Option<String> {
        let sent = self.positive("segments_sent")?;
        let packets = |n: f64| counted(n, "packet", "packets");
        let mut parts = Vec::new();
        if let Some(n) = self.positive("wire_losses_pkts") {
            parts.push(format!("links lost {}", packets(n)));
        }
        if let Some(n) = self.positive("corrupted_pkts") {
            let verb = if n == 1.0 { "was" } else { "were" };
            parts.push(format!("{} {verb} damaged on the way", packets(n)));
        }
        if let Some(n) = self.positive("queue_drops_pkts") {
            parts.push(format!("full queues dropped {}", packets(n)));
        }
        if let Some(n) = self.positive("early_drops_pkts") {
            parts.push(format!("queue disciplines dropped {}", packets(n)));
        }
        if let Some(n) = self.positive("policed_drops_pkts") {
            parts.push(format!("policers dropped {}", packets(n)));
        }
        if let Some(n) = self.positive("ce_marks_pkts") {
            parts.push(format!("queue disciplines marked {}", packets(n)));
        }
        if let Some(again) = self.positive("retransmissions") {
            let verb = if again == 1.0 { "was" } else { "were" };
            let mut text = format!(
                "{} {verb} retransmitted ({} of all)",
                counted(again, "segment", "segments"),
                percent(again / sent)
            );
            let causes = [
                ("fast_recoveries", "fast recovery", "fast recoveries"),
                ("timeouts", "time-out", "time-outs"),
            ];
            let causes = causes
                .iter()
                .filter_map(|(name, one, many)| Some(counted(self.positive(name)?, one, many)));
            let causes: Vec<String> = causes.collect();
            if !causes.is_empty() {
                text.push_str(&format!(", with {}", list(&causes)));
            }
            if let Some(vain) = self.positive("retransmissions_spurious") {
                text.push_str(&format!(
                    "; {} of them spurious",
                    crate::format::count(vain)
                ));
            }
            parts.push(text);
        }
        if parts.is_empty() {
            return self
                .is_small()
                .then(|| "Nothing was lost and nothing was retransmitted.".to_owned());
        }
        Some(format!("{}.", sentence(&parts.join("; "))))
    }
}

/// "; 3 were still pending at the end", for connects without an outcome.
fn still_open(n: f64) -> String {
    let verb = if n == 1.0 { "was" } else { "were" };
    if n > 0.0 {
        format!("; {} {verb} still pending at the end", count(n))
    } else {
        String::new()
    }
}

#[cfg(test)]
mod tests;
