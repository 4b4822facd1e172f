//! Requests, flows and connections that did not end properly.

use super::RunFacts;
use crate::bilingual::say;
use crate::format::{count, percent, seconds};

/// Causes of requests without an answer: metric, and verb phrase for one and for several connections.
const CAUSES: [(&str, &str, &str, &str); 7] = [
    (
        "requests_unanswered_timed_out",
        "timed out (ETIMEDOUT)",
        "timed out (ETIMEDOUT)",
        "超时（ETIMEDOUT）",
    ),
    (
        "requests_unanswered_reset",
        "was reset (ECONNRESET)",
        "were reset (ECONNRESET)",
        "被复位（ECONNRESET）",
    ),
    (
        "requests_unanswered_closed",
        "was closed by the server",
        "were closed by the server",
        "被服务器关闭",
    ),
    (
        "requests_unanswered_aborted",
        "was aborted by the client",
        "were aborted by the client",
        "被客户端异常中止",
    ),
    (
        "requests_unanswered_unreachable",
        "found the server unreachable",
        "found the server unreachable",
        "发现服务器不可达",
    ),
    (
        "requests_unanswered_given_up",
        "was given up by the client",
        "were given up by the client",
        "被客户端放弃",
    ),
    (
        "requests_unanswered_crashed",
        "was lost in a crash of the client",
        "were lost in crashes of clients",
        "因客户端崩溃而丢失",
    ),
];

/// End points that ended abnormally: metric, the metrics that other findings cover, and verb phrase for one
/// and for several.
const ENDS: [(&str, [&str; 2], &str, &str, &str); 5] = [
    (
        "ended_crashed",
        ["requests_unanswered_crashed", ""],
        "was lost in a crash of its host",
        "were lost in crashes of their hosts",
        "因主机崩溃而丢失",
    ),
    (
        "ended_timed_out",
        ["connects_timed_out", "requests_unanswered_timed_out"],
        "timed out",
        "timed out",
        "超时",
    ),
    (
        "ended_reset",
        ["requests_unanswered_reset", ""],
        "was reset by its peer",
        "were reset by their peers",
        "被对端复位",
    ),
    (
        "ended_aborted",
        ["connects_aborted", "requests_unanswered_aborted"],
        "was aborted with a reset",
        "were aborted with a reset",
        "以复位异常中止",
    ),
    (
        "ended_unreachable",
        ["requests_unanswered_unreachable", ""],
        "learned that its peer is unreachable",
        "learned that their peers are unreachable",
        "得知对端不可达",
    ),
];

/// Share of requests pending at the end above which they are piling up.
const MOST_UNDER_WAY: f64 = 0.1;

impl RunFacts<'_> {
    /// "at t = 5 s", or "from t = 5 s to t = 9 s".
    pub(super) fn between(&self, first: &str, last: &str) -> String {
        let (Some(first), Some(last)) = (self.get(first), self.get(last)) else {
            return String::new();
        };
        let (first, last) = (seconds(first), seconds(last));
        if first == last {
            say!(self.language, " at t = {first}", "，在 t = {first}")
        } else {
            say!(
                self.language,
                " from t = {first} to t = {last}",
                "，从 t = {first} 到 t = {last}"
            )
        }
    }

    /// Requests pending when the run ends are normal if they are few and none has waited longer
    /// than answers took.
    pub(super) fn under_way_at_the_end(&self) -> Option<f64> {
        let waiting = self.positive("requests_unanswered_at_run_end")?;
        let only = self.get("requests_unanswered") == Some(waiting);
        let longest = self.get("request_unanswered_wait_max_s")?;
        let usual = self.get("request_latency_max_s")?;
        let few = waiting <= (MOST_UNDER_WAY * self.get("requests_made")?).max(1.0);
        (only && few && longest <= usual).then_some(waiting)
    }

    /// "1 of 2 requests unanswered: its connection timed out (ETIMEDOUT) at t = 928.9 s."
    pub(super) fn unanswered(&self) -> Option<String> {
        let unanswered = self.positive("requests_unanswered")?;
        if self.under_way_at_the_end().is_some() {
            return None;
        }
        let made = self.get("requests_made")?;
        let mut causes: Vec<String> = Vec::new();
        for (metric, one, many, chinese) in CAUSES {
            let Some(n) = self.positive(metric) else {
                continue;
            };
            causes.push(match n {
                1.0 if unanswered == 1.0 => {
                    say!(self.language, "its connection {one}", "其连接{chinese}")
                }
                1.0 => say!(self.language, "1 connection {one}", "1 条连接{chinese}"),
                n => say!(
                    self.language,
                    "{} connections {many}",
                    "{} 条连接{chinese}",
                    count(n)
                ),
            });
        }
        let when = self.between("request_unanswered_first_s", "request_unanswered_last_s");
        if let Some(n) = self.positive("requests_unanswered_at_run_end") {
            causes.push(match n {
                1.0 if unanswered == 1.0 => self
                    .language
                    .pick(
                        "it was still waiting when the run ended",
                        "运行结束时它仍在等待",
                    )
                    .to_owned(),
                n => say!(
                    self.language,
                    "{} still waited when the run ended",
                    "运行结束时 {} 个仍在等待",
                    count(n)
                ),
            });
        }
        let share = if made >= super::SMALL {
            say!(self.language, " ({})", "（{}）", percent(unanswered / made))
        } else {
            String::new()
        };
        let waited = self.get("request_unanswered_wait_max_s");
        let waited = waited.map_or(String::new(), |w| {
            let longest = if unanswered == 1.0 {
                self.language.pick("it", "它")
            } else {
                self.language.pick("the longest", "最长的")
            };
            say!(
                self.language,
                "; {longest} waited for {}",
                "；{longest}等待了 {}",
                seconds(w)
            )
        });
        Some(say!(
            self.language,
            "{} of {} unanswered{share}: {}{when}{waited}.",
            "{1}中有 {0} 个没有响应{share}：{2}{when}{waited}。",
            count(unanswered),
            self.language.counted(made, "request", "requests", "个请求"),
            self.language.list(&causes)
        ))
    }

    /// Connects that were pending at the end of the run for longer than any successful one took.
    pub(super) fn unsettled(&self) -> Option<String> {
        let attempted = self.positive("connects_attempted")?;
        let established = self.get("connects_established")?;
        let open = attempted - established;
        let longest = self.get("connect_unsettled_max_s")?;
        let usual = self.get("connect_latency_max_s").unwrap_or(0.0);
        let none_failed = self.get("connects_failed") == Some(0.0);
        if !none_failed || open <= 0.0 || longest <= (1.5 * usual).max(0.2) {
            return None;
        }
        let longest = seconds(longest);
        if attempted == 1.0 {
            return Some(say!(
                self.language,
                "The connect had neither succeeded nor failed when the run ended, after {longest}.",
                "运行结束时 connect 既未成功也未失败，已过 {longest}。"
            ));
        }
        let others = match established {
            0.0 => self
                .language
                .pick("none was established", "没有建立任何连接")
                .to_owned(),
            1.0 => self
                .language
                .pick("1 was established and none failed", "1 条已建立，没有失败")
                .to_owned(),
            n => say!(
                self.language,
                "{} were established and none failed",
                "{} 条已建立，没有失败",
                count(n)
            ),
        };
        Some(say!(
            self.language,
            "{} of {} connects had neither succeeded nor failed when the run ended, the longest after \
             {longest}; {others}.",
            "{1} 次 connect 中有 {0} 次在运行结束时既未成功也未失败，最久的已过 {longest}；{others}。",
            count(open),
            count(attempted)
        ))
    }

    /// Requests that waited for a pooled connection until the end.
    pub(super) fn never_sent(&self) -> Option<String> {
        let n = self.positive("requests_never_sent")?;
        let longest = self.get("request_never_sent_wait_max_s")?;
        let usual = self.get("request_latency_p50_s").unwrap_or(0.0);
        (longest >= super::latency::UNUSUAL_S.max(usual)).then(|| {
            let (still, longest_of) = match n {
                1.0 => (self.language.pick("1 request was still waiting", "1 个请求仍在").to_owned(), self.language.pick("it had waited", "它已等待")),
                n => (
                    say!(self.language, "{} requests were still waiting", "{} 个请求仍在", count(n)),
                    self.language.pick("the first of them had waited", "其中最早的已等待"),
                ),
            };
            say!(self.language, "{still} for a pooled connection when the run ended or the client crashed; {longest_of} \
                 for {}.", "运行结束或客户端崩溃时，{still}等待连接池的连接；{longest_of} {}。",
                seconds(longest)
            )
        })
    }

    /// Connections that ended before their clients had made all requests.
    pub(super) fn cut_short(&self) -> Option<String> {
        let n = self.positive("connections_cut_short")?;
        let (ended, clients) = match n {
            1.0 => (
                self.language
                    .pick("1 connection ended", "1 条连接结束了")
                    .to_owned(),
                self.language.pick("its client", "其客户端"),
            ),
            n => (
                say!(
                    self.language,
                    "{} connections ended",
                    "{} 条连接结束了",
                    count(n)
                ),
                self.language.pick("their clients", "其客户端"),
            ),
        };
        Some(say!(
            self.language,
            "{ended} while {clients} had more requests to make: the server closed, or there was a \
             reset or a time-out.",
            "{ended}，而{clients}还有请求要发：服务器关闭，或发生了复位或超时。"
        ))
    }

    /// Half-open connections: one end is gone.
    pub(super) fn half_open(&self) -> Option<String> {
        let n = self.positive("half_open_end")?;
        let longest = seconds(self.get("half_open_max_s")?);
        let how_long = match n {
            1.0 => say!(self.language, "for {longest}", " {longest}"),
            _ => say!(self.language, "for up to {longest}", "最长 {longest}"),
        };
        Some(say!(
            self.language,
            "{} half-open at the end, and had been {how_long}: one end was gone without the other's \
             knowledge.",
            "运行结束时{}处于半打开状态，持续{how_long}：一端已不存在，另一端却不知道。",
            self.language
                .counted(n, "connection was", "connections were", "条连接")
        ))
    }

    /// End points that timed out, were reset or aborted, unless another finding covers them.
    pub(super) fn broken_connections(&self) -> Option<String> {
        let sentences = ENDS
            .iter()
            .filter_map(|(metric, elsewhere, one, many, chinese)| {
                let all = self.positive(metric)?;
                let known: f64 = elsewhere.iter().filter_map(|m| self.get(m)).sum();
                let n = all - known;
                let when = if known == 0.0 {
                    self.between(&format!("{metric}_first_s"), &format!("{metric}_last_s"))
                } else {
                    String::new()
                };
                let verb = if n == 1.0 { one } else { many };
                let ends = self
                    .language
                    .counted(n, "end point", "end points", "个端点");
                (n > 0.0).then(|| {
                    say!(
                        self.language,
                        "{ends} {verb}{when}",
                        "{ends}{chinese}{when}"
                    )
                })
            });
        let sentences: Vec<String> = sentences.collect();
        (!sentences.is_empty()).then(|| {
            say!(
                self.language,
                "{}.",
                "{}。",
                self.language.sentence(&self.language.list(&sentences))
            )
        })
    }

    /// End points that were still open when no more events were scheduled.
    pub(super) fn stuck(&self) -> Option<String> {
        let n = self.positive("end_points_stuck")?;
        let (were, them) = if n == 1.0 {
            ("end point was", self.language.pick("it", "它"))
        } else {
            ("end points were", self.language.pick("them", "它们"))
        };
        Some(say!(
            self.language,
            "{} {were} open at the end with nothing scheduled: no timer was running and no segment was \
             in flight, so nothing could ever happen to {them}.",
            "运行结束时 {} 个端点仍打开而没有任何待办事件：没有定时器在运行，也没有报文段在途，{them}不会再发生任何变化。",
            count(n)
        ))
    }

    /// Sockets that left FIN-WAIT-2 by time-out because their peers did not close.
    pub(super) fn expired_fin_waits(&self) -> Option<String> {
        let n = self.positive("ended_fin_wait_expired")?;
        let when = self.between(
            "ended_fin_wait_expired_first_s",
            "ended_fin_wait_expired_last_s",
        );
        Some(say!(
            self.language,
            "{} given up in FIN-WAIT-2{when}: the application had closed, and the peer's FIN did \
             not come within the time that tcp_fin_timeout allows.",
            "{}在 FIN-WAIT-2 中被放弃{when}：应用已关闭，而对端的 FIN 没有在 tcp_fin_timeout 允许的时间内到达。",
            self.language
                .counted(n, "socket was", "sockets were", "个套接字")
        ))
    }

    /// A destination that uses nearly all local ports, while others have ports left.
    pub(super) fn crowded_destination(&self) -> Option<String> {
        let share = self.get("ports_in_use_destination_share_peak")?;
        let hints = &self.info.analytic;
        if share < 0.9 || hints.destinations < 2 || self.is_small() {
            return None;
        }
        let all = hints.ports_per_destination? as f64 * hints.destinations as f64;
        if self.get("ports_in_use_peak")? >= 0.9 * all {
            return None; // So are all others.
        }
        Some(say!(
            self.language,
            "At the peak, {} local ports were in use towards one destination, {} of all; ports free for \
             other destinations do not help it.",
            "高峰时到同一目的地的在用本地端口有 {} 个，占全部的 {}；其他目的地的空闲端口对它没有帮助。",
            count(self.get("ports_in_use_destination_peak")?),
            percent(share)
        ))
    }
}
