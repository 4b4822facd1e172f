//! Sockets in TIME-WAIT: how many, beside theory, and how they ended.

use super::{RunFacts, theory};
use crate::bilingual::say;
use crate::format::{count, seconds};
use crate::metrics;

impl RunFacts<'_> {
    pub(super) fn time_wait(&self) -> Option<String> {
        let peak = self.positive("time_wait_peak")?;
        if self.is_small() {
            return self.few_in_time_wait();
        }
        let mean = self.get("time_wait_mean_steady")?;
        let (from, to) = self.info.steady_window();
        let measured = say!(
            self.language,
            "TIME-WAIT peaked at {} at t = {} and averaged {} from {} to {}",
            "TIME-WAIT 的峰值为 {}，在 t = {}；平均 {}，从 {} 到 {}",
            self.language.counted(peak, "socket", "sockets", "个套接字"),
            seconds(self.get("time_wait_peak_at_s").unwrap_or(0.0)),
            count(mean),
            seconds(from),
            seconds(to)
        );
        Some(match self.expected_time_wait() {
            None => say!(self.language, "{measured}.", "{measured}。"),
            Some(theory) => say!(
                self.language,
                "{measured}; {theory}.",
                "{measured}；{theory}。"
            ),
        })
    }

    pub(super) fn expected_time_wait(&self) -> Option<String> {
        if let Some(overflow) = self.positive("ended_time_wait_overflow") {
            let gone = self
                .language
                .counted(overflow, "connection", "connections", "条连接");
            return Some(say!(
                self.language,
                "the table was full, and {gone} closed without TIME-WAIT",
                "表已满，{gone}未经 TIME-WAIT 就关闭了"
            ));
        }
        theory::time_wait(self.info, self.language)
    }

    /// The groups of hosts with sockets in TIME-WAIT; a single connection has its own finding for
    /// this.
    pub(super) fn few_in_time_wait(&self) -> Option<String> {
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
                (n > 0.0).then(|| {
                    say!(
                        self.language,
                        "{} of {group}",
                        "{group} 的{}",
                        self.language.counted(n, "socket", "sockets", "个套接字")
                    )
                })
            })
            .collect();
        let sockets = match groups.as_slice() {
            [] => {
                self.language
                    .counted(self.get("time_wait_peak")?, "socket", "sockets", "个套接字")
            }
            some => self.language.list(some),
        };
        Some(say!(
            self.language,
            "In TIME-WAIT: {sockets}.",
            "处于 TIME-WAIT：{sockets}。"
        ))
    }

    /// TIME-WAIT that was cut short or skipped: a risk that no other finding shows.
    pub(super) fn unsafe_time_wait(&self) -> Option<String> {
        let why = self.language.pick("That is unsafe: a delayed segment of the old connection can reach a new \
                           one between the same addresses and ports, and a retransmitted FIN is \
                           answered by a reset", "这不安全：旧连接迟到的报文段可能进入同一对地址和端口之间的新连接，重传的 FIN 会得到复位应答");
        let mut sentences = Vec::new();
        if let Some(n) = self.positive("ended_time_wait_overflow") {
            sentences.push(say!(
                self.language,
                "{} closed without TIME-WAIT, because the table was full (tcp_max_tw_buckets){}",
                "因为表已满（tcp_max_tw_buckets），{}未经 TIME-WAIT 就关闭了{}",
                self.language
                    .counted(n, "connection", "connections", "条连接"),
                self.between(
                    "ended_time_wait_overflow_first_s",
                    "ended_time_wait_overflow_last_s"
                )
            ));
        }
        if let Some(n) = self.positive("time_wait_killed") {
            sentences.push(say!(
                self.language,
                "{} ended early by a reset (RFC 1337)",
                "{}被复位提前结束（RFC 1337）",
                self.language.counted(
                    n,
                    "TIME-WAIT entry was",
                    "TIME-WAIT entries were",
                    "个 TIME-WAIT 条目"
                )
            ));
        }
        (!sentences.is_empty()).then(|| {
            say!(
                self.language,
                "{}. {why}.",
                "{}。{why}。",
                self.language.sentence(&self.language.list(&sentences))
            )
        })
    }

    /// TIME-WAIT that served its purpose.
    pub(super) fn useful_time_wait(&self) -> Option<String> {
        let n = self.positive("time_wait_fins_answered")?;
        let (fins, had) = if n == 1.0 {
            (
                self.language
                    .pick("a FIN that was repeated", "一个重传的 FIN")
                    .to_owned(),
                "it",
            )
        } else {
            (
                say!(
                    self.language,
                    "{} FINs that were repeated",
                    "{} 个重传的 FIN",
                    count(n)
                ),
                "they",
            )
        };
        Some(say!(
            self.language,
            "TIME-WAIT did its job: it acknowledged {fins}; without it {had} would have been \
             answered by a reset.",
            "TIME-WAIT 起了作用：它确认了{fins}；否则对端会得到复位应答。"
        ))
    }
}
