//! How long connects and requests took.

use super::RunFacts;
use crate::bilingual::say;
use crate::format::{count, number, seconds};

/// A maximum of at least this many medians is unusual …
const UNUSUAL_RATIO: f64 = 10.0;
/// … if it is long enough to involve a timer: the minimum retransmission time-out of Linux, seconds.
pub(super) const UNUSUAL_S: f64 = 0.2;

impl RunFacts<'_> {
    /// "500 us in the median, 1 ms at the 99th percentile, 3 s at the 99.9th and 7 s at most", or
    /// the time itself if there is only one; `None` without values.
    pub(super) fn times(&self, name: &str) -> Option<String> {
        let get = |statistic: &str| self.get(&format!("{name}_{statistic}_s"));
        let (mean, max) = (get("mean")?, get("max")?);
        if max <= 1.02 * mean {
            return Some(seconds(mean));
        }
        let (p50, p99) = (seconds(get("p50")?), seconds(get("p99")?));
        let p999 = get("p999").map(seconds);
        let max = seconds(max);
        Some(match p999 {
            _ if p50 == max => p50,
            _ if p99 == max => say!(
                self.language,
                "{p50} in the median and {max} from the 99th percentile on",
                "中位数 {p50}，第 99 百分位起 {max}"
            ),
            Some(p999) if p999 == max => say!(
                self.language,
                "{p50} in the median, {p99} at the 99th percentile and {max} from the 99.9th on",
                "中位数 {p50}，第 99 百分位 {p99}，第 99.9 百分位起 {max}"
            ),
            Some(p999) => say!(
                self.language,
                "{p50} in the median, {p99} at the 99th percentile, {p999} at the 99.9th and {max} \
                 at most",
                "中位数 {p50}，第 99 百分位 {p99}，第 99.9 百分位 {p999}，最大 {max}"
            ),
            None => say!(
                self.language,
                "{p50} in the median, {p99} at the 99th percentile and {max} at most",
                "中位数 {p50}，第 99 百分位 {p99}，最大 {max}"
            ),
        })
    }

    /// True when the maximum is far above the median.
    fn has_tail(&self, name: &str) -> bool {
        let get = |statistic: &str| self.get(&format!("{name}_{statistic}_s"));
        let (Some(p50), Some(max)) = (get("p50"), get("max")) else {
            return false;
        };
        max >= UNUSUAL_S && max >= UNUSUAL_RATIO * p50
    }

    /// The round trip of a connect, if most connects took far longer.
    fn slow_from(&self) -> Option<f64> {
        let trip = self.info.analytic.theory.as_ref()?.connect_s;
        let median = self.get("connect_latency_p50_s")?;
        let is_slow = trip > 0.0 && median >= UNUSUAL_S && median >= UNUSUAL_RATIO * trip;
        is_slow.then_some(trip)
    }

    /// Slow connects: some took far longer than most, or most took far longer than a round trip.
    pub(super) fn slow_connects(&self) -> Option<String> {
        let few = self
            .get("connects_established")
            .is_some_and(|n| n < super::SMALL);
        if self.is_small() || few {
            return None;
        }
        if let Some(trip) = self.slow_from() {
            return Some(say!(
                self.language,
                "Most connects were slow: {}, although a round trip takes {}.",
                "多数 connect 很慢：{}，而一次往返只需 {}。",
                self.times("connect_latency")?,
                seconds(trip)
            ));
        }
        if !self.has_tail("connect_latency") {
            return None;
        }
        let failed = self.positive("connects_failed").is_some();
        let none = if failed {
            ""
        } else {
            self.language.pick(", though none failed", "（但没有失败）")
        };
        Some(say!(
            self.language,
            "Some connects were slow{none}: {}.",
            "有些 connect 很慢{none}：{}。",
            self.times("connect_latency")?
        ))
    }

    /// Slow requests: some took far longer than most.
    pub(super) fn slow_requests(&self) -> Option<String> {
        let done = self.positive("requests_done")?;
        if done < 2.0 || !self.has_tail("request_latency") {
            return None;
        }
        Some(say!(
            self.language,
            "Some requests were slow: {}.",
            "有些请求很慢：{}。",
            self.times("request_latency")?
        ))
    }

    /// How much longer requests took because they waited for a pooled connection: the time from
    /// their arrival, if no connect explains it.
    fn waits_for_a_pool(&self) -> Option<String> {
        let all = self.get("request_with_connect_mean_s")?;
        let sent = self.get("request_latency_mean_s")?;
        let connect = self.get("connect_latency_max_s").unwrap_or(0.0);
        let longest = self.get("request_latency_max_s")? + connect;
        let waited =
            self.get("request_with_connect_max_s")? > 1.01 * longest || all - sent > 1.01 * connect;
        (waited && all > 1.05 * sent)
            .then(|| self.times("request_with_connect"))
            .flatten()
    }

    /// Requests waited for a connection longer than for their response.
    pub(super) fn slow_pools(&self) -> Option<String> {
        let waits = self.waits_for_a_pool()?;
        let all = self.get("request_with_connect_mean_s")?;
        (all >= 2.0 * self.get("request_latency_mean_s")?).then(|| {
            say!(self.language, "Requests waited longer for a pooled connection than for their responses: including \
                 that wait they took {waits}.", "请求等待连接池连接的时间比等待响应还长：含等待共用{waits}。"
            )
        })
    }

    /// Connect latency, unless it is unusual and reported as such.
    pub(super) fn latency(&self) -> Option<String> {
        let probes = self.get("port_probes_mean").filter(|p| *p >= 1.5);
        let probes = probes.map(|p| {
            say!(
                self.language,
                "finding a free port took {} probes on average",
                "找到空闲端口平均要尝试 {} 次",
                number(p)
            )
        });
        if self.is_small() {
            return None;
        }
        if self.slow_connects().is_some() {
            return probes.map(|p| say!(self.language, "{}.", "{}。", self.language.sentence(&p)));
        }
        let times = self.times("connect_latency")?;
        let probes = probes.map_or(String::new(), |p| say!(self.language, "; {p}", "；{p}"));
        Some(say!(
            self.language,
            "Connecting took {times}{probes}.",
            "建立连接用时：{times}{probes}。"
        ))
    }

    /// Requests that were answered, and how long that took.
    pub(super) fn requests(&self) -> Option<String> {
        let one_way = self.positive("requests_one_way").map(|n| {
            let (sent, have) = match n {
                1.0 => (
                    self.language
                        .pick("1 request was sent", "发送了 1 个请求")
                        .to_owned(),
                    "has",
                ),
                n => (
                    say!(
                        self.language,
                        "{} requests were sent",
                        "发送了 {} 个请求",
                        count(n)
                    ),
                    "have",
                ),
            };
            say!(
                self.language,
                "{sent} that {have} no response.",
                "{sent}，无需响应。"
            )
        });
        match (one_way, self.answered()) {
            (Some(one_way), Some(answered)) => Some(say!(
                self.language,
                "{answered} {one_way}",
                "{answered}{one_way}"
            )),
            (one_way, answered) => one_way.or(answered),
        }
    }

    fn answered(&self) -> Option<String> {
        let done = self.positive("requests_done")?;
        if self.tells_its_requests() {
            return None;
        }
        let under_way = self.under_way_at_the_end().map_or(String::new(), |n| {
            let verb = if n == 1.0 { "was" } else { "were" };
            say!(
                self.language,
                "; {} more {verb} in progress at the end",
                "；运行结束时另有 {} 个正在进行",
                count(n)
            )
        });
        if self.slow_requests().is_some() {
            return Some(say!(
                self.language,
                "{} answered{under_way}.",
                "{}得到响应{under_way}。",
                self.language
                    .counted(done, "request was", "requests were", "个请求")
            ));
        }
        let took = if done == 1.0 {
            self.language.pick("it took", "用时")
        } else {
            self.language.pick("each took", "各用时")
        };
        let waits = self
            .waits_for_a_pool()
            .filter(|_| self.slow_pools().is_none());
        let waits = waits.map_or(String::new(), |w| {
            say!(
                self.language,
                "; including the wait for a pooled connection, {w}",
                "；含等待连接池连接，{w}"
            )
        });
        Some(say!(
            self.language,
            "{} answered; {took} {}{waits}{under_way}.",
            "{}得到响应；{took} {}{waits}{under_way}。",
            self.language
                .counted(done, "request was", "requests were", "个请求"),
            self.times("request_latency")?
        ))
    }
}
