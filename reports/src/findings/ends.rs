//! Requests, flows and connections that did not end properly.

use super::RunFacts;
use crate::format::{count, percent, seconds};
use crate::text::{list, sentence};
use crate::words::counted;

/// Causes of requests without an answer: metric, and verb phrase for one and for several connections.
const CAUSES: [(&str, &str, &str); 7] = [
    (
        "requests_unanswered_timed_out",
        "timed out (ETIMEDOUT)",
        "timed out (ETIMEDOUT)",
    ),
    (
        "requests_unanswered_reset",
        "was reset (ECONNRESET)",
        "were reset (ECONNRESET)",
    ),
    (
        "requests_unanswered_closed",
        "was closed by the server",
        "were closed by the server",
    ),
    (
        "requests_unanswered_aborted",
        "was aborted by the client",
        "were aborted by the client",
    ),
    (
        "requests_unanswered_unreachable",
        "found the server unreachable",
        "found the server unreachable",
    ),
    (
        "requests_unanswered_given_up",
        "was given up by the client",
        "were given up by the client",
    ),
    (
        "requests_unanswered_crashed",
        "was lost in a crash of the client",
        "were lost in crashes of clients",
    ),
];

/// End points that ended abnormally: metric, the metrics that other findings cover, and verb phrase for one
/// and for several.
const ENDS: [(&str, [&str; 2], &str, &str); 5] = [
    (
        "ended_crashed",
        ["requests_unanswered_crashed", ""],
        "was lost in a crash of its host",
        "were lost in crashes of their hosts",
    ),
    (
        "ended_timed_out",
        ["connects_timed_out", "requests_unanswered_timed_out"],
        "timed out",
        "timed out",
    ),
    (
        "ended_reset",
        ["requests_unanswered_reset", ""],
        "was reset by its peer",
        "were reset by their peers",
    ),
    (
        "ended_aborted",
        ["connects_aborted", "requests_unanswered_aborted"],
        "was aborted with a reset",
        "were aborted with a reset",
    ),
    (
        "ended_unreachable",
        ["requests_unanswered_unreachable", ""],
        "learned that its peer is unreachable",
        "learned that their peers are unreachable",
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
            format!(" at t = {first}")
        } else {
            format!(" from t = {first} to t = {last}")
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
        for (metric, one, many) in CAUSES {
            let Some(n) = self.positive(metric) else {
                continue;
            };
            causes.push(match n {
                1.0 if unanswered == 1.0 => format!("its connection {one}"),
                1.0 => format!("1 connection {one}"),
                n => format!("{} connections {many}", count(n)),
            });
        }
        let when = self.between("request_unanswered_first_s", "request_unanswered_last_s");
        if let Some(n) = self.positive("requests_unanswered_at_run_end") {
            causes.push(match n {
                1.0 if unanswered == 1.0 => "it was still waiting when the run ended".to_owned(),
                n => format!("{} still waited when the run ended", count(n)),
            });
        }
        let share = if made >= super::SMALL {
            format!(" ({})", percent(unanswered / made))
        } else {
            String::new()
        };
        let waited = self.get("request_unanswered_wait_max_s");
        let waited = waited.map_or(String::new(), |w| {
            let longest = if unanswered == 1.0 {
                "it"
            } else {
                "the longest"
            };
            format!("; {longest} waited for {}", seconds(w))
        });
        Some(format!(
            "{} of {} unanswered{share}: {}{when}{waited}.",
            count(unanswered),
            counted(made, "request", "requests"),
            list(&causes)
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
            return Some(format!(
                "The connect had neither succeeded nor failed when the run ended, after {longest}."
            ));
        }
        let others = match established {
            0.0 => "none was established".to_owned(),
            1.0 => "1 was established and none failed".to_owned(),
            n => format!("{} were established and none failed", count(n)),
        };
        Some(format!(
            "{} of {} connects had neither succeeded nor failed when the run ended, the longest after \
             {longest}; {others}.",
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
                1.0 => ("1 request was still waiting".to_owned(), "it had waited"),
                n => (
                    format!("{} requests were still waiting", count(n)),
                    "the first of them had waited",
                ),
            };
            format!(
                "{still} for a pooled connection when the run ended or the client crashed; {longest_of} \
                 for {}.",
                seconds(longest)
            )
        })
    }

    /// Connections that ended before their clients had made all requests.
    pub(super) fn cut_short(&self) -> Option<String> {
        let n = self.positive("connections_cut_short")?;
        let (ended, clients) = match n {
            1.0 => ("1 connection ended".to_owned(), "its client"),
            n => (format!("{} connections ended", count(n)), "their clients"),
        };
        Some(format!(
            "{ended} while {clients} had more requests to make: the server closed, or there was a \
             reset or a time-out."
        ))
    }

    /// Half-open connections: one end is gone.
    pub(super) fn half_open(&self) -> Option<String> {
        let n = self.positive("half_open_end")?;
        let longest = seconds(self.get("half_open_max_s")?);
        let how_long = match n {
            1.0 => format!("for {longest}"),
            _ => format!("for up to {longest}"),
        };
        Some(format!(
            "{} half-open at the end, and had been {how_long}: one end was gone without the other's \
             knowledge.",
            counted(n, "connection was", "connections were")
        ))
    }

    /// End points that timed out, were reset or aborted, unless another finding covers them.
    pub(super) fn broken_connections(&self) -> Option<String> {
        let sentences = ENDS.iter().filter_map(|(metric, elsewhere, one, many)| {
            let all = self.positive(metric)?;
            let known: f64 = elsewhere.iter().filter_map(|m| self.get(m)).sum();
            let n = all - known;
            let when = if known == 0.0 {
                self.between(&format!("{metric}_first_s"), &format!("{metric}_last_s"))
            } else {
                String::new()
            };
            let verb = if n == 1.0 { one } else { many };
            let ends = counted(n, "end point", "end points");
            (n > 0.0).then(|| format!("{ends} {verb}{when}"))
        });
        let sentences: Vec<String> = sentences.collect();
        (!sentences.is_empty()).then(|| format!("{}.", sentence(&list(&sentences))))
    }

    /// End points that were still open when no more events were scheduled.
    pub(super) fn stuck(&self) -> Option<String> {
        let n = self.positive("end_points_stuck")?;
        let (were, them) = if n == 1.0 {
            ("end point was", "it")
        } else {
            ("end points were", "them")
        };
        Some(format!(
            "{} {were} open at the end with nothing scheduled: no timer was running and no segment was \
             in flight, so nothing could ever happen to {them}.",
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
        Some(format!(
            "{} given up in FIN-WAIT-2{when}: the application had closed, and the peer's FIN did \
             not come within the time that tcp_fin_timeout allows.",
            counted(n, "socket was", "sockets were")
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
        Some(format!(
            "At the peak, {} local ports were in use towards one destination, {} of all; ports free for \
             other destinations do not help it.",
            count(self.get("ports_in_use_destination_peak")?),
            percent(share)
        ))
    }
}
