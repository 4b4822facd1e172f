//! One long run as an experiment: its values in order of time, in bounded memory, and their mean after the
//! warm-up.

use sim_core::{SimDuration, SimTime};

use crate::metrics::{Metrics, long_run_ids};
use crate::stats::{WarmUpRule, long_mean};

/// Most values kept: if there are more, they are averaged in pairs. Batch means and MSER-5 average
/// neighbours anyway.
const MOST: usize = 4096;

/// Values in order of time.
#[derive(Clone, Debug)]
pub(crate) struct SteadySeries {
    /// Means of `per` values each, with the time of the last.
    means: Vec<(SimTime, f64)>,
    per: u32,
    /// Sum and number of the values that do not yet fill a mean.
    sum: f64,
    n: u32,
    /// Earlier values do not count.
    from: SimTime,
    finds_warm_up: bool,
}

impl SteadySeries {
    pub(crate) fn new(rule: WarmUpRule) -> SteadySeries {
        let from = match rule {
            WarmUpRule::Mser5 => 0.0,
            WarmUpRule::After(seconds) => seconds,
        };
        SteadySeries {
            means: Vec::new(),
            per: 1,
            sum: 0.0,
            n: 0,
            from: SimTime::ZERO + SimDuration::from_secs_f64(from),
            finds_warm_up: rule == WarmUpRule::Mser5,
        }
    }

    /// Adds a value; times must not decrease.
    pub(crate) fn add(&mut self, time: SimTime, value: f64) {
        if time < self.from {
            return;
        }
        self.sum += value;
        self.n += 1;
        if self.n < self.per {
            return;
        }
        self.means.push((time, self.sum / f64::from(self.per)));
        (self.sum, self.n) = (0.0, 0);
        if self.means.len() == MOST {
            let pairs = self.means.chunks_exact(2);
            self.means = pairs
                .map(|pair| (pair[1].0, (pair[0].1 + pair[1].1) / 2.0))
                .collect();
            self.per *= 2;
        }
    }

    /// Adds mean, interval, warm-up and correlation as metrics named after `name`; adds none if the
    /// series is empty or has not settled.
    pub(crate) fn close(&self, name: &str, unit: &str, metrics: &mut Metrics) {
        let values: Vec<f64> = self.means.iter().map(|(_, value)| *value).collect();
        let everything = (f64::NEG_INFINITY, f64::INFINITY);
        let Some(found) = long_mean(&values, self.finds_warm_up, everything) else {
            return;
        };
        let ids = long_run_ids(name, unit);
        let last_of_warm_up = found.warm_up.checked_sub(1).map(|i| self.means[i].0);
        let warm_up = last_of_warm_up.unwrap_or(self.from).as_secs_f64();
        metrics.put(&ids.mean, found.mean);
        metrics.put_known(&ids.low, found.interval.map(|i| i.0.max(0.0)));
        metrics.put_known(&ids.high, found.interval.map(|i| i.1));
        metrics.put(&ids.warm_up, warm_up);
        metrics.put_known(&ids.correlation, found.correlation);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> SimTime {
        SimTime::ZERO + SimDuration::from_millis(ms)
    }

    #[test]
    fn memory_is_bounded_and_the_mean_exact() {
        let mut series = SteadySeries::new(WarmUpRule::After(1.0));
        // The first second does not count; then 65,536 values with the mean 10.5.
        (0..1000).for_each(|i| series.add(at(i), 99.0));
        (0..65_536u64).for_each(|i| series.add(at(1000 + i), 10.0 + (i % 2) as f64));
        assert!(series.means.len() <= MOST && series.per > 1);
        let mut metrics = Metrics::default();
        series.close("connect_latency", "_s", &mut metrics);
        assert_eq!(metrics.get("long_run_connect_latency_mean_s"), Some(10.5));
        assert_eq!(metrics.get("long_run_connect_latency_warm_up_s"), Some(1.0));
        let low = metrics.get("long_run_connect_latency_low_s").unwrap();
        assert!((low - 10.5).abs() < 1e-9, "{low}");
        assert!(metrics.finish().is_ok());
    }

    #[test]
    fn a_series_that_never_settles_has_no_mean() {
        let mut series = SteadySeries::new(WarmUpRule::Mser5);
        (0..1000).for_each(|i| series.add(at(i), i as f64));
        let mut metrics = Metrics::default();
        series.close("time_wait", "", &mut metrics);
        assert_eq!(metrics.finish().unwrap().len(), 0);
    }
}
