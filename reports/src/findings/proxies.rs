//! Proxies, circuit breakers and health checks, in words.

use super::RunFacts;
use crate::bilingual::say;
use crate::format::{count, percent, seconds};

/// The time of an exchange with all attempts is worth a sentence if its 99th percentile is at least so many times
/// that of a request.
const UNUSUAL_RATIO: f64 = 1.5;

impl RunFacts<'_> {
    /// Requests that proxies answered with an error, and why.
    pub(super) fn proxy_errors(&self) -> Option<String> {
        let errors = self.positive("proxy_errors")?;
        let made = self.get("proxy_requests")?;
        let part = |id: &str, status: &str, why: &str| {
            let n = self.positive(id)?;
            Some(say!(
                self.language,
                "{} got {status} ({why})",
                "{} 个得到 {status}（{why}）",
                count(n)
            ))
        };
        let no_port = self.positive("proxy_tries_failed_no_port").map(|n| {
            let tries = if n == 1.0 { "try" } else { "tries" };
            say!(
                self.language,
                "{} {tries} found no free port",
                "{} 次尝试没有找到空闲端口",
                count(n)
            )
        });
        let lost = self.positive("proxy_tries_failed_connection").map(|n| {
            let tries = if n == 1.0 { "try" } else { "tries" };
            say!(
                self.language,
                "{} {tries} lost the connection to the server",
                "{} 次尝试失去了到服务器的连接",
                count(n)
            )
        });
        let causes: Vec<String> = [no_port, lost].into_iter().flatten().collect();
        let lost = self.language.list(&causes);
        let parts = [
            part("proxy_errors_502", "502", &lost),
            part(
                "proxy_errors_503",
                "503",
                self.language.pick(
                    "no server could be used, or too many were waiting",
                    "没有可用的服务器，或等待的请求过多",
                ),
            ),
            part(
                "proxy_errors_504",
                "504",
                self.language
                    .pick("the last try took too long", "最后一次尝试用时过长"),
            ),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        Some(say!(
            self.language,
            "A proxy answered {} of {} with an error ({}): {}.",
            "代理对{1}中的 {0} 个以错误应答（{2}）：{3}。",
            count(errors),
            self.language.counted(made, "request", "requests", "个请求"),
            percent(errors / made),
            self.language.list(&parts)
        ))
    }

    /// Circuit breakers that opened.
    pub(super) fn breakers(&self) -> Option<String> {
        let opened = self.positive("breaker_opened")?;
        let closed = self.get("breaker_closed")?;
        let rejected = self
            .positive("breaker_rejected")
            .map_or(String::new(), |n| {
                let were = if n == 1.0 { "attempt" } else { "attempts" };
                say!(
                    self.language,
                    "; {} {were} failed at once because all were open",
                    "；{} 次尝试因所有断路器都打开而立即失败",
                    count(n)
                )
            });
        Some(say!(
            self.language,
            "Circuit breakers opened {} and closed again {}{rejected}.",
            "断路器打开了{}，重新闭合{}{rejected}。",
            self.language.counted(opened, "time", "times", "次"),
            self.language.counted(closed, "time", "times", "次"),
        ))
    }

    /// Servers that health checks took out of use.
    pub(super) fn health(&self) -> Option<String> {
        let both = |of: &str| {
            let balancers = self.get(&format!("balancer_{of}")).unwrap_or(0.0);
            self.get(of).unwrap_or(0.0) + balancers
        };
        let (down, up) = (both("health_down"), both("health_up"));
        if down == 0.0 {
            return None;
        }
        Some(say!(
            self.language,
            "Health checks took servers out of use {}, and back into use {}.",
            "健康检查停用服务器{}，恢复使用{}。",
            self.language.counted(down, "time", "times", "次"),
            self.language.counted(up, "time", "times", "次"),
        ))
    }

    /// What proxies did with requests.
    pub(super) fn proxies(&self) -> Option<String> {
        let made = self.positive("proxy_requests")?;
        let answered = self.get("proxy_answered")?;
        let times = self.times("proxy_time").map_or(String::new(), |times| {
            say!(
                self.language,
                "; the servers' answers took {times}",
                "；服务器的应答用时：{times}"
            )
        });
        let again = self
            .positive("proxy_next_upstream")
            .map_or(String::new(), |n| {
                let tries = if n == 1.0 { "try" } else { "tries" };
                say!(
                    self.language,
                    ", {} {tries} repeated with the next server",
                    "，{} 次尝试改用下一个服务器重做",
                    count(n)
                )
            });
        Some(say!(
            self.language,
            "Proxies answered {} of {}{again}{times}.",
            "代理应答了{1}中的 {0} 个{again}{times}。",
            count(answered),
            self.language.counted(made, "request", "requests", "个请求"),
        ))
    }

    /// Failed attempts and waits made exchanges much slower than requests.
    pub(super) fn exchange_times(&self) -> Option<String> {
        let p99 = self.get("exchange_time_p99_s")?;
        let request = self.get("request_latency_p99_s")?;
        if p99 < UNUSUAL_RATIO * request || self.is_small() {
            return None;
        }
        let (p50, p95) = (
            self.get("exchange_time_p50_s")?,
            self.get("exchange_time_p95_s")?,
        );
        Some(say!(
            self.language,
            "With all attempts and waits, from its arrival to its final success or failure, an exchange took {} in \
             the median, {} at the 95th percentile and {} at the 99th; an answered request alone took {} at the 99th.",
            "连同所有尝试和等待，一次交互从到达到最终成功或失败用时：中位数 {}，第 95 百分位 {}，第 99 百分位 {}；仅已应答的请求，第 99 百分位为 {}。",
            seconds(p50),
            seconds(p95),
            seconds(p99),
            seconds(request)
        ))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::findings::findings;
    use crate::info::RunInfo;

    fn found(metrics: &[(&str, f64)]) -> Vec<String> {
        let metrics: BTreeMap<String, f64> =
            metrics.iter().map(|&(n, v)| (n.to_owned(), v)).collect();
        findings(&RunInfo::default(), &metrics)
    }

    #[test]
    fn the_causes_of_502_are_told_apart() {
        let both = [
            ("proxy_requests", 2000.0),
            ("proxy_errors", 1001.0),
            ("proxy_errors_502", 1001.0),
            ("proxy_tries_failed_no_port", 1.0),
            ("proxy_tries_failed_connection", 1000.0),
        ];
        let said = found(&both);
        let expected = "A proxy answered 1,001 of 2,000 requests with an error (50 %): 1,001 got 502 (1 try found no free \
                        port and 1,000 tries lost the connection to the server).";
        assert!(said.iter().any(|f| f == expected), "{said:?}");
        let lost: Vec<(&str, f64)> = both
            .into_iter()
            .filter(|(n, _)| !n.ends_with("no_port"))
            .collect();
        let said = found(&lost);
        assert!(
            said.iter().any(|f| f.contains("502 (1,000 tries lost")),
            "{said:?}"
        );
    }
}
