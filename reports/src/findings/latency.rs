//! How long connects and requests took.

use super::RunFacts;
use crate::format::{count, number, seconds};
use crate::words::counted;

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
            _ if p99 == max => format!("{p50} in the median and {max} from the 99th percentile on"),
            Some(p999) if p999 == max => format!(
                "{p50} in the median, {p99} at the 99th percentile and {max} from the 99.9th on"
            ),
            Some(p999) => format!(
                "{p50} in the median, {p99} at the 99th percentile, {p999} at the 99.9th and {max} \
                 at most"
            ),
            None => format!("{p50} in the median, {p99} at the 99th percentile and {max} at most"),
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
            return Some(format!(
                "Most connects were slow: {}, although a round trip takes {}.",
                self.times("connect_latency")?,
                seconds(trip)
            ));
        }
        if !self.has_tail("connect_latency") {
            return None;
        }
        let failed = self.positive("connects_failed").is_some();
        let none = if failed { "" } else { ", though none failed" };
        Some(format!(
            "Some connects were slow{none}: {}.",
            self.times("connect_latency")?
        ))
    }

    /// Slow requests: some took far longer than most.
    pub(super) fn slow_requests(&self) -> Option<String> {
        let done = self.positive("requests_done")?;
        if done < 2.0 || !self.has_tail("request_latency") {
            return None;
        }
        Some(format!(
            "Some requests were slow: {}.",
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
            format!(
                "Requests waited longer for a pooled connection than for their responses: including \
                 that wait they took {waits}."
            )
        })
    }

    /// Connect latency, unless it is unusual and reported as such.
    pub(super) fn latency(&self) -> Option<String> {
        let probes = self.get("port_probes_mean").filter(|p| *p >= 1.5);
        let probes =
            probes.map(|p| format!("finding a free port took {} probes on average", number(p)));
        if self.is_small() {
            return None;
        }
        if self.slow_connects().is_some() {
            return probes.map(|p| format!("{}.", crate::text::sentence(&p)));
        }
        let times = self.times("connect_latency")?;
        let probes = probes.map_or(String::new(), |p| format!("; {p}"));
        Some(format!("Connecting took {times}{probes}."))
    }

    /// Requests that were answered, and how long that took.
    pub(super) fn requests(&self) -> Option<String> {
        let one_way = self.positive("requests_one_way").map(|n| {
            let (sent, have) = match n {
                1.0 => ("1 request was sent".to_owned(), "has"),
                n => (format!("{} requests were sent", count(n)), "have"),
            };
            format!("{sent} that {have} no response.")
        });
        match (one_way, self.answered()) {
            (Some(one_way), Some(answered)) => Some(format!("{answered} {one_way}")),
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
            format!("; {} more {verb} in progress at the end", count(n))
        });
        if self.slow_requests().is_some() {
            return Some(format!(
                "{} answered{under_way}.",
                counted(done, "request was", "requests were")
            ));
        }
        let took = if done == 1.0 { "it took" } else { "each took" };
        let waits = self
            .waits_for_a_pool()
            .filter(|_| self.slow_pools().is_none());
        let waits = waits.map_or(String::new(), |w| {
            format!("; including the wait for a pooled connection, {w}")
        });
        Some(format!(
            "{} answered; {took} {}{waits}{under_way}.",
            counted(done, "request was", "requests were"),
            self.times("request_latency")?
        ))
    }
}
