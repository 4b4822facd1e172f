//! The estimated cost of runs, announced before they start; runs that do not fit in memory are refused.

use crate::batch::{BYTES_OF_METRICS, Keep};
use crate::console::{CommandError, note};
use crate::estimate::{CostEstimate, bytes, time};
use crate::process;
use crate::run_spec::RunSpec;

/// The cost of runs that need more time or memory than this is announced.
const LONG_S: f64 = 10.0;
const LARGE_BYTES: f64 = 1e9;

/// Time of a run beyond its events, seconds: with figures and a page, and if only its metrics are kept.
const WHOLE_RUN_S: f64 = 10e-3;
const METRICS_RUN_S: f64 = 0.6e-3;

/// The estimated cost of several runs.
pub(super) struct RunsCost {
    all: Vec<CostEstimate>,
    /// Time of each run beyond its events, seconds.
    each_s: f64,
}

impl RunsCost {
    pub(super) fn new(runs: &[RunSpec]) -> Result<RunsCost, CommandError> {
        let all = CostEstimate::of_all(runs);
        let all = all.map_err(|p| CommandError::Usage(format!("error: {}", p.message)))?;
        Ok(RunsCost {
            all,
            each_s: WHOLE_RUN_S,
        })
    }

    /// The same for a batch of this size if only the metrics of its runs are kept.
    pub(super) fn keeping(mut self, keep: Keep, runs: usize) -> RunsCost {
        if keep.metrics_only(runs) {
            let all = self.all.iter_mut();
            all.for_each(|e| e.disk_bytes = e.disk_bytes.min(BYTES_OF_METRICS));
            self.each_s = METRICS_RUN_S;
        }
        self
    }

    /// The estimate for each run, in order.
    pub(super) fn each(&self) -> &[CostEstimate] {
        &self.all
    }

    fn seconds(&self) -> f64 {
        self.seconds_times(1.0)
    }

    /// Time of all runs, seconds, if their events take `factor` times as long as estimated.
    pub(super) fn seconds_times(&self, factor: f64) -> f64 {
        let events: f64 = self.all.iter().map(CostEstimate::seconds).sum();
        events * factor + self.each_s * self.all.len() as f64
    }

    /// Total memory of the `side_by_side` largest runs, bytes.
    fn memory_bytes(&self, side_by_side: usize) -> f64 {
        let mut each: Vec<f64> = self.all.iter().map(|e| e.memory_bytes).collect();
        each.sort_by(|a, b| b.total_cmp(a));
        each.iter().take(side_by_side.max(1)).sum()
    }

    /// The main cause of the cost of the most expensive run.
    fn because(&self) -> &str {
        let most = self.all.iter().max_by(|a, b| a.events.total_cmp(&b.events));
        most.and_then(|e| e.because.first())
            .map_or("", String::as_str)
    }

    /// "4 runs: about 12 minutes on one thread, 34 MB of memory, 5.0 MB on disk".
    pub(super) fn summary(&self) -> String {
        let disk: f64 = self.all.iter().map(|e| e.disk_bytes).sum();
        let runs = match self.all.len() {
            1 => "1 run".to_owned(),
            n => format!("{n} runs"),
        };
        let most = if self.all.len() == 1 {
            ""
        } else {
            " for the largest"
        };
        format!(
            "{runs}: about {} on one thread, {} of memory{most}, {} on disk; {}",
            time(self.seconds()),
            bytes(self.memory_bytes(1)),
            bytes(disk),
            self.because()
        )
    }

    /// Announces the cost of a batch that will take long or need much memory.
    pub(super) fn announce(&self, threads: usize) {
        if self.all.is_empty() {
            return;
        }
        let long = self.seconds() / threads.max(1) as f64 > LONG_S;
        if long || self.memory_bytes(threads) > LARGE_BYTES {
            note(&format!("estimate for {}", self.summary()));
        }
    }

    /// Refuses runs that do not fit in the available memory.
    pub(super) fn refuse_too_large(&self, threads: usize) -> Result<(), CommandError> {
        self.fits(threads, process::available_bytes())
    }

    fn fits(&self, threads: usize, available: f64) -> Result<(), CommandError> {
        let (one, together) = (self.memory_bytes(1), self.memory_bytes(threads));
        // If the available memory is unknown, let the runs start.
        if together <= available || available.is_nan() {
            return Ok(());
        }
        let (what, remedy) = if one <= available {
            (
                format!("{threads} runs at a time"),
                "run fewer at a time with --threads",
            )
        } else {
            (
                "a run".to_owned(),
                "reduce its connections (rate, users, count, flows) or how long each stays open",
            )
        };
        Err(CommandError::Usage(format!(
            "error: {what} would need about {} of memory, but {} is available: {}\n  \
             = help: {remedy}; --allow-large starts anyway",
            bytes(if one <= available { together } else { one }),
            bytes(available.max(0.0)),
            self.because()
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(memory_bytes: &[f64]) -> RunsCost {
        let of = |&memory_bytes: &f64| CostEstimate {
            memory_bytes,
            because: vec!["workload \"web\": many connections".into()],
            ..CostEstimate::default()
        };
        RunsCost {
            all: memory_bytes.iter().map(of).collect(),
            each_s: METRICS_RUN_S,
        }
    }

    #[test]
    fn many_small_runs_take_time_although_they_have_few_events() {
        let many = cost(&[1e6; 10_000]);
        assert!((many.seconds() - 6.0).abs() < 1e-9);
        let mut some = cost(&[1e6; 2]);
        some.all[0].events = 1e7;
        // 3 s of events at the estimated speed.
        assert!((some.seconds_times(2.0) - 6.0012).abs() < 1e-9);
    }

    #[test]
    fn what_does_not_fit_is_refused_with_its_size_and_what_to_change() {
        let large = cost(&[1e9, 5e9]);
        assert!(large.fits(2, 8e9).is_ok());
        assert!(large.fits(2, f64::NAN).is_ok());
        let refused = |threads, available| match large.fits(threads, available) {
            Err(CommandError::Usage(message)) => message,
            _ => panic!("it fits"),
        };
        let side_by_side = refused(2, 5.5e9);
        assert!(
            side_by_side.contains("2 runs at a time would need about 6.0 GB")
                && side_by_side.contains("--threads"),
            "{side_by_side}"
        );
        let single = refused(1, 4e9);
        assert!(
            single.contains("a run would need about 5.0 GB of memory, but 4.0 GB is available")
                && single.contains("reduce its connections"),
            "{single}"
        );
    }
}
