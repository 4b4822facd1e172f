//! The time of exchanges with all their attempts: what a user of a service waits, whether it answers or not.

use sim_core::SimDuration;
use tcp_model::sample::{ExchangeEnd, ExchangeResult};

use super::histogram::{Histogram, put_quantiles};
use crate::metrics::Metrics;

/// Collects the times of exchanges from their arrival until they are done or have failed for good. Times from the
/// arrival on, and with failures, do not hide the waits of a storm ("coordinated omission", G. Tene).
#[derive(Debug, Default)]
pub(crate) struct Exchanges {
    all: Histogram,
    failed: Histogram,
    pending: u64,
    longest_pending: SimDuration,
}

impl Exchanges {
    pub(crate) fn on_end(&mut self, end: &ExchangeEnd) {
        match end.result {
            ExchangeResult::Done => self.all.add(end.took),
            ExchangeResult::Failed => {
                self.all.add(end.took);
                self.failed.add(end.took);
            }
            ExchangeResult::Pending => {
                self.pending += 1;
                self.longest_pending = self.longest_pending.max(end.took);
            }
        }
    }

    pub(crate) fn close(&self, metrics: &mut Metrics) {
        if !self.all.is_empty() {
            put_quantiles(&self.all, "exchange_time", metrics);
            metrics.put_known("exchange_time_p95_s", self.all.quantile_s(0.95));
        }
        if !self.failed.is_empty() {
            metrics.put_known("exchange_time_failed_mean_s", self.failed.mean_s());
        }
        if self.pending > 0 {
            metrics.put("exchanges_pending", self.pending as f64);
            let longest = self.longest_pending.as_secs_f64();
            metrics.put("exchange_pending_wait_max_s", longest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_count_in_the_time_and_unfinished_exchanges_do_not() {
        let mut exchanges = Exchanges::default();
        for (ms, result) in [
            (1, ExchangeResult::Done),
            (3, ExchangeResult::Failed),
            (9, ExchangeResult::Pending),
        ] {
            let took = SimDuration::from_millis(ms);
            exchanges.on_end(&ExchangeEnd { took, result });
        }
        let mut metrics = Metrics::default();
        exchanges.close(&mut metrics);
        let metrics = metrics.finish().unwrap();
        for (name, value) in [
            ("exchange_time_mean_s", 0.002),
            ("exchange_time_max_s", 0.003),
            ("exchange_time_failed_mean_s", 0.003),
            ("exchanges_pending", 1.0),
            ("exchange_pending_wait_max_s", 0.009),
        ] {
            assert!((metrics[name] - value).abs() < 1e-9, "{name}");
        }
    }
}
