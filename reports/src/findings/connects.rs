//! Outcomes of connects, and the story of a single connection.

use super::{RunFacts, theory};
use crate::format::{count, percent, seconds};
use crate::text::list;
use crate::words::counted;

impl RunFacts<'_> {
    pub(super) fn failures(&self) -> Option<String> {
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
    pub(super) fn successes(&self) -> Option<String> {
        let attempted = self.positive("connects_attempted")?;
        if self.positive("connects_failed").is_some() {
            return None;
        }
        let unsettled = self.unsettled().is_some();
        let few = self.is_small() && self.positive("connects_established").is_some();
        (few || !unsettled).then(|| self.all_succeeded(attempted))
    }

    pub(super) fn all_succeeded(&self, attempted: f64) -> String {
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
    pub(super) fn its_requests(&self) -> String {
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
    pub(super) fn tells_its_requests(&self) -> bool {
        let only = self.get("connects_attempted") == Some(1.0);
        only && self.positive("connects_failed").is_none()
    }

    /// Who closed the only connection first.
    pub(super) fn its_close(&self) -> String {
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

    pub(super) fn port_limit(&self) -> Option<String> {
        if self.is_small() {
            return None;
        }
        theory::ports(self.info, &self.window())
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
