//! Outcomes of connects, and the story of a single connection.

use super::{RunFacts, theory};
use crate::bilingual::{Language, say};
use crate::format::{count, percent, seconds};

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
                "没有找到空闲的本地端口",
            ),
            ("connects_refused", "was", "were", "refused", "被拒绝"),
            ("connects_timed_out", "timed", "timed", "out", "超时"),
            ("connects_aborted", "was", "were", "given up", "被放弃"),
        ];
        let causes: Vec<String> = causes
            .iter()
            .filter_map(|(name, one, many, rest, chinese)| {
                let n = self.positive(name)?;
                let verb = if n == 1.0 { one } else { many };
                Some(match n == failed {
                    true if n == 1.0 => say!(self.language, "it {verb} {rest}", "其{chinese}"),
                    true => say!(self.language, "all {verb} {rest}", "全部{chinese}"),
                    false => say!(
                        self.language,
                        "{} {verb} {rest}",
                        "{} 次{chinese}",
                        count(n)
                    ),
                })
            })
            .collect();
        let first = seconds(self.get("first_failure_s").unwrap_or(0.0));
        let settled = self.get("connects_established").map(|n| n + failed);
        let open = still_open(self.language, attempted - settled.unwrap_or(attempted));
        let causes = self.language.list(&causes) + &open;
        if self.is_small() {
            let of = self
                .language
                .counted(attempted, "connect", "connects", "次 connect");
            return Some(say!(
                self.language,
                "{} of {of} failed, the first at t = {first}: {causes}.",
                "{of}中有 {} 次失败，首次失败在 t = {first}：{causes}。",
                count(failed)
            ));
        }
        let steady = self.get("connects_failed_share_steady");
        let steady = steady.map_or(String::new(), |s| {
            say!(
                self.language,
                ", {} {}",
                "，{1} {0}",
                percent(s),
                self.window()
            )
        });
        Some(say!(
            self.language,
            "Connects began to fail at t = {first}; {} of {} failed ({}{steady}): {causes}.",
            "从 t = {first} 起 connect 开始失败；{1} 次中有 {0} 次失败（{2}{steady}）：{causes}。",
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
        let open = still_open(self.language, attempted - established);
        if !self.is_small() {
            return match attempted > established {
                // Connects without an outcome may still fail.
                true => say!(
                    self.language,
                    "{} of {} connects were established and none failed{open}.",
                    "{1} 次 connect 中有 {0} 次建立了连接，没有失败{open}。",
                    count(established),
                    count(attempted)
                ),
                false => say!(
                    self.language,
                    "None of the {} connects failed.",
                    "{} 次 connect 没有一次失败。",
                    count(attempted)
                ),
            };
        }
        let after = self.get("connect_latency_mean_s").unwrap_or(0.0);
        let longest = self.get("connect_latency_max_s").unwrap_or(after);
        if established == 0.0 {
            return say!(
                self.language,
                "No connection was established{open}.",
                "没有建立任何连接{open}。"
            );
        }
        if attempted == 1.0 {
            return say!(
                self.language,
                "The connection was established after {}{}{}.",
                "连接在 {} 后建立{}{}。",
                seconds(after),
                self.its_requests(),
                self.its_close()
            );
        }
        let times = if longest <= 1.001 * after {
            say!(self.language, "after {} each", "各用 {}", seconds(after))
        } else {
            say!(
                self.language,
                "after {} on average and {} at most",
                "平均用 {}，最长 {}",
                seconds(after),
                seconds(longest)
            )
        };
        if attempted > established {
            let of = say!(
                self.language,
                "{} of {}",
                "{1} 条连接中有 {0} 条",
                count(established),
                count(attempted)
            );
            return say!(
                self.language,
                "{of} connections were established, {times}{open}.",
                "{of}已建立，{times}{open}。"
            );
        }
        match attempted {
            2.0 => say!(
                self.language,
                "Both connections were established, {times}.",
                "两条连接都已建立，{times}。"
            ),
            n => say!(
                self.language,
                "All {} connections were established, {times}.",
                "{} 条连接全部建立，{times}。",
                count(n)
            ),
        }
    }

    /// The outcome of the requests of the only connection.
    pub(super) fn its_requests(&self) -> String {
        let took = self.get("request_latency_mean_s").map(seconds);
        let done = self.get("requests_done").unwrap_or(0.0);
        let made = done + self.get("requests_unanswered").unwrap_or(0.0);
        match (done, took) {
            _ if made == 0.0 => String::new(),
            (0.0, _) | (_, None) => self
                .language
                .pick("; no request was answered", "；没有请求得到响应")
                .to_owned(),
            (1.0, Some(took)) if made == 1.0 => say!(
                self.language,
                "; its request was answered after {took}",
                "；它的请求在 {took} 后得到响应"
            ),
            (1.0, Some(took)) => {
                say!(
                    self.language,
                    "; 1 of its {} requests was answered, after {took}",
                    "；它的 {} 个请求中有 1 个得到响应，用了 {took}",
                    count(made)
                )
            }
            (n, Some(took)) if n < made => say!(
                self.language,
                "; {} of its {} requests were answered, after {took} on average",
                "；它的 {1} 个请求中有 {0} 个得到响应，平均用 {took}",
                count(n),
                count(made)
            ),
            (n, Some(took)) => say!(
                self.language,
                "; its {} requests took {took} on average",
                "；它的 {} 个请求平均用 {took}",
                count(n)
            ),
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
            (Some(group), Some(stay)) if known => say!(
                self.language,
                "; the {group} closed first and stayed in TIME-WAIT for {}",
                "；{group} 先关闭，并在 TIME-WAIT 中停留 {}",
                seconds(stay)
            ),
            _ => String::new(),
        }
    }

    pub(super) fn port_limit(&self) -> Option<String> {
        if self.is_small() {
            return None;
        }
        theory::ports(self.info, &self.window(), self.language)
    }
}

/// "; 3 were still pending at the end", for connects without an outcome.
fn still_open(language: Language, n: f64) -> String {
    let verb = if n == 1.0 { "was" } else { "were" };
    if n > 0.0 {
        say!(
            language,
            "; {} {verb} still pending at the end",
            "；{} 次在运行结束时仍无结果",
            count(n)
        )
    } else {
        String::new()
    }
}
