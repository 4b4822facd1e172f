//! Equidistant points in time, and the bins between them.

use sim_core::{SimDuration, SimTime};

/// The grid 0, d, 2d, …; walks forward.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grid {
    step: SimDuration,
    next: SimTime,
}

impl Grid {
    /// A grid of `step_s` seconds, at least a microsecond and at most a day.
    pub(crate) fn new(step_s: f64) -> Grid {
        let step_s = if step_s.is_finite() { step_s } else { 1.0 };
        Grid {
            step: SimDuration::from_secs_f64(step_s.clamp(1e-6, 86_400.0)),
            next: SimTime::ZERO,
        }
    }

    /// The next point: no time up to it, inclusive, passes a point.
    pub(crate) fn next(&self) -> SimTime {
        self.next
    }

    /// The next point that lies strictly before `time`, once.
    pub(crate) fn pass(&mut self, time: SimTime) -> Option<SimTime> {
        if self.next >= time {
            return None;
        }
        let point = self.next;
        self.next = point + self.step;
        Some(point)
    }
}

/// Bins of equal width: the bin at t holds what happens at t <= time < t + width.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GridBins {
    grid: Grid,
    start: Option<SimTime>,
}

impl GridBins {
    /// Bins of `width_s` seconds, limited as for [`Grid::new`].
    pub(crate) fn new(width_s: f64) -> GridBins {
        GridBins {
            grid: Grid::new(width_s),
            start: None,
        }
    }

    /// Start and end of a bin that is over at `time`, each once and in order. Call it until it
    /// returns `None`, with the time of every record before the record is counted.
    pub(crate) fn over(&mut self, time: SimTime) -> Option<(SimTime, SimTime)> {
        let after = SimTime::from_ps(time.as_ps().saturating_add(1));
        while let Some(start) = self.grid.pass(after) {
            if let Some(before) = self.start.replace(start) {
                return Some((before, start));
            }
        }
        None
    }

    /// The time up to which, inclusive, no further bin is over.
    pub(crate) fn quiet_until(&self) -> SimTime {
        SimTime::from_ps(self.grid.next().as_ps().saturating_sub(1))
    }

    /// The last instant before the end of a run that ends at `end`.
    pub(crate) fn last_instant(end: SimTime) -> SimTime {
        SimTime::from_ps(end.as_ps().saturating_sub(1))
    }

    /// The bin cut off by the end of the run, once those before it are over.
    pub(crate) fn cut_off(&self, end: SimTime) -> Option<(SimTime, SimTime)> {
        let start = self.start?;
        (end > start).then_some((start, end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_follow_each_other_and_the_end_of_the_run_cuts_the_last_off() {
        let ms = |ms: u64| SimTime::from_ps(ms * 1_000_000_000);
        let mut bins = GridBins::new(0.5);
        assert_eq!(bins.over(ms(499)), None);
        assert!(bins.quiet_until() < ms(500) && bins.over(bins.quiet_until()).is_none());
        assert_eq!(bins.over(ms(1000)), Some((ms(0), ms(500))));
        assert_eq!(bins.over(ms(1000)), Some((ms(500), ms(1000))));
        assert_eq!(bins.over(ms(1000)), None);
        assert_eq!(bins.over(GridBins::last_instant(ms(1500))), None);
        assert_eq!(bins.cut_off(ms(1500)), Some((ms(1000), ms(1500))));
        assert_eq!(bins.cut_off(ms(1000)), None);
    }
    #[test]
    fn each_point_is_passed_once_and_only_by_a_later_time() {
        let ms = |ms: u64| SimTime::from_ps(ms * 1_000_000_000);
        let mut grid = Grid::new(0.5);
        assert_eq!(grid.pass(ms(0)), None);
        assert_eq!(grid.pass(ms(500)), Some(ms(0)));
        assert_eq!(grid.pass(ms(500)), None);
        let rest: Vec<_> = std::iter::from_fn(|| grid.pass(ms(1501))).collect();
        assert_eq!(rest, [ms(500), ms(1000), ms(1500)]);
        for odd in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e300] {
            assert!(!Grid::new(odd).step.is_zero());
        }
    }
}
