//! Pools of connections and retries, in words.

use super::RunFacts;
use crate::format::{count, number, percent};
use crate::words::counted;

/// Attempts per exchange up to this number are normal.
const UNUSUAL_ATTEMPTS: f64 = 1.1;

impl RunFacts<'_> {
    /// Requests sent on a kept connection while the server closed it.
    pub(super) fn raced(&self) -> Option<String> {
        let n = self.positive("pool_requests_raced")?;
        let (were, was) = match n {
            1.0 => ("1 request was".to_owned(), "the server was closing it"),
            n => (
                format!("{} requests were", count(n)),
                "their servers were closing them",
            ),
        };
        let connection = if n == 1.0 {
            "a kept connection"
        } else {
            "kept connections"
        };
        Some(format!(
            "{were} sent on {connection} while {was} (a proxy then answers 502); an idle time-out of \
             the pool shorter than the server's avoids it."
        ))
    }

    /// Use of connection pools.
    pub(super) fn pools(&self) -> Option<String> {
        let opened = self.positive("pool_connections_opened")?;
        let sent = self.get("pool_requests_sent")?;
        let reuse = self.get("pool_reuse_share").map_or(String::new(), |share| {
            format!(", {} of them over a kept connection", percent(share))
        });
        let most = self.get("pool_open_peak")?;
        let waits = match self.slow_pools() {
            Some(_) => None,
            None => self.times("pool_wait"),
        };
        let waits = waits.map_or(String::new(), |w| {
            format!("; the wait for a connection was {w}")
        });
        Some(format!(
            "Pools sent {}{reuse}, and opened {}, at most {} at a time{waits}.",
            counted(sent, "request", "requests"),
            counted(opened, "connection", "connections"),
            count(most)
        ))
    }

    /// Exchanges that failed despite retries.
    pub(super) fn failed_for_good(&self) -> Option<String> {
        let failed = self.positive("exchanges_failed")?;
        let begun = self.get("exchanges_begun")?;
        let without = self.get("exchanges_failed_no_budget").unwrap_or(0.0);
        let why = match without {
            0.0 => "after the last attempt allowed".to_owned(),
            n if n == failed => "because the budget for retries was used up".to_owned(),
            n => format!("{} because the budget for retries was used up", count(n)),
        };
        Some(format!(
            "{} of {} failed for good ({}), {why}.",
            count(failed),
            counted(begun, "exchange", "exchanges"),
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
        Some(format!(
            "Retries multiplied the load by {}: {} of them for {}.",
            number(per_exchange),
            count(again),
            counted(begun, "exchange", "exchanges")
        ))
    }
}
