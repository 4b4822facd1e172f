//! Pools of connections and retries, in words.

use super::RunFacts;
use crate::bilingual::say;
use crate::format::{count, number, percent};

/// Attempts per exchange up to this number are normal.
const UNUSUAL_ATTEMPTS: f64 = 1.1;

impl RunFacts<'_> {
    /// Requests sent on a kept connection while the server closed it.
    pub(super) fn raced(&self) -> Option<String> {
        let n = self.positive("pool_requests_raced")?;
        let (were, was) = match n {
            1.0 => (
                self.language.pick("1 request was", "1 个请求").to_owned(),
                self.language
                    .pick("the server was closing it", "服务器正在关闭它"),
            ),
            n => (
                say!(self.language, "{} requests were", "{} 个请求", count(n)),
                self.language
                    .pick("their servers were closing them", "服务器正在关闭它们"),
            ),
        };
        let connection = if n == 1.0 {
            self.language.pick("a kept connection", "保持的连接")
        } else {
            self.language.pick("kept connections", "保持的连接")
        };
        Some(say!(
            self.language,
            "{were} sent on {connection} while {was} (a proxy then answers 502); an idle time-out of \
             the pool shorter than the server's avoids it.",
            "{were}在{connection}上发出时，{was}（代理会因此应答 502）；使连接池的空闲超时短于服务器的即可避免。"
        ))
    }

    /// Use of connection pools.
    pub(super) fn pools(&self) -> Option<String> {
        let opened = self.positive("pool_connections_opened")?;
        let sent = self.get("pool_requests_sent")?;
        let reuse = self.get("pool_reuse_share").map_or(String::new(), |share| {
            say!(
                self.language,
                ", {} of them over a kept connection",
                "，其中 {} 使用保持的连接",
                percent(share)
            )
        });
        let most = self.get("pool_open_peak")?;
        let waits = match self.slow_pools() {
            Some(_) => None,
            None => self.times("pool_wait"),
        };
        let waits = waits.map_or(String::new(), |w| {
            say!(
                self.language,
                "; the wait for a connection was {w}",
                "；等待连接的时间：{w}"
            )
        });
        Some(say!(
            self.language,
            "Pools sent {}{reuse}, and opened {}, at most {} at a time{waits}.",
            "连接池发送了{}{reuse}，打开了{}，同时最多 {} 条{waits}。",
            self.language.counted(sent, "request", "requests", "个请求"),
            self.language
                .counted(opened, "connection", "connections", "条连接"),
            count(most)
        ))
    }

    /// Exchanges that failed despite retries.
    pub(super) fn failed_for_good(&self) -> Option<String> {
        let failed = self.positive("exchanges_failed")?;
        let begun = self.get("exchanges_begun")?;
        let without = self.get("exchanges_failed_no_budget").unwrap_or(0.0);
        let why = match without {
            0.0 => self
                .language
                .pick(
                    "after the last attempt allowed",
                    "因为允许的最后一次尝试也失败了",
                )
                .to_owned(),
            n if n == failed => self
                .language
                .pick(
                    "because the budget for retries was used up",
                    "因为重试预算已用完",
                )
                .to_owned(),
            n => say!(
                self.language,
                "{} because the budget for retries was used up",
                "其中 {} 次因为重试预算已用完",
                count(n)
            ),
        };
        Some(say!(
            self.language,
            "{} of {} failed for good ({}), {why}.",
            "{1}中有 {0} 次最终失败（{2}），{why}。",
            count(failed),
            self.language
                .counted(begun, "exchange", "exchanges", "次交互"),
            percent(failed / begun)
        ))
    }

    /// Retries multiplied the load.
    pub(super) fn retry_load(&self) -> Option<String> {
        let per_exchange = self.get("attempts_per_exchange")?;
        if per_exchange < UNUSUAL_ATTEMPTS || self.is_small() {
            return None;
        }
        let again = self.get("retries_made")?;
        let begun = self.get("exchanges_begun")?;
        Some(say!(
            self.language,
            "Retries multiplied the load by {}: {} of them for {}.",
            "重试使负载增至 {} 倍：{2}共重试 {1} 次。",
            number(per_exchange),
            count(again),
            self.language
                .counted(begun, "exchange", "exchanges", "次交互")
        ))
    }
}
