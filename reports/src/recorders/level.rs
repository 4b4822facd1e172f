//! A count that goes up and down: its peak and its exact time-averages.

use sim_core::SimTime;

/// A population over time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Level {
    now: i64,
    peak: i64,
    peak_at: SimTime,
    since: SimTime,
    /// Integral over all time and over the window, in units times picoseconds.
    area: i128,
    window_area: i128,
    window: (SimTime, SimTime),
}

impl Level {
    /// A population of zero whose average is needed over `window` as well as over all time.
    pub(crate) fn new(window: (SimTime, SimTime)) -> Level {
        Level {
            window,
            ..Level::default()
        }
    }

    /// Changes it by `step` at `time`; times must not decrease.
    pub(crate) fn add(&mut self, step: i64, time: SimTime) {
        self.advance(time);
        self.now += step;
        if self.now > self.peak {
            self.peak = self.now;
            self.peak_at = time;
        }
    }

    fn advance(&mut self, time: SimTime) {
        if time <= self.since {
            return;
        }
        let now = i128::from(self.now);
        self.area += now * i128::from(time.since(self.since).as_ps());
        let (from, to) = (self.since.max(self.window.0), time.min(self.window.1));
        self.window_area += now * i128::from(to.since(from).as_ps());
        self.since = time;
    }

    /// The value after the last change.
    pub(crate) fn now(&self) -> i64 {
        self.now
    }

    /// Largest value.
    pub(crate) fn peak(&self) -> i64 {
        self.peak
    }

    /// When the peak was first reached.
    pub(crate) fn peak_at(&self) -> SimTime {
        self.peak_at
    }

    /// The integral from the start to `time`, in units times seconds; times must not decrease.
    pub(crate) fn area_s(&self, time: SimTime) -> f64 {
        let mut level = *self;
        level.advance(time);
        level.area as f64 / 1e12
    }

    /// Averages over [0, end] and over the part of the window before `end`; zero if that has no
    /// length.
    pub(crate) fn means(mut self, end: SimTime) -> (f64, f64) {
        self.advance(end);
        let share = |area: i128, ps: u64| {
            if ps == 0 {
                0.0
            } else {
                area as f64 / ps as f64
            }
        };
        let window = self.window.1.min(end).since(self.window.0);
        (
            share(self.area, end.as_ps()),
            share(self.window_area, window.as_ps()),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn averages_are_exact_over_all_time_and_over_a_window() {
        let s = |s: u64| SimTime::from_ps(s * 1_000_000_000_000);
        let mut level = Level::new((s(5), s(10)));
        level.add(4, s(2));
        level.add(-3, s(6));
        level.add(3, s(8)); // 0 0 4 4 4 4 1 1 4 4
        assert_eq!((level.peak(), level.peak_at()), (4, s(2)));
        assert_eq!(level.means(s(10)), (2.6, 2.8));
        assert_eq!(level.means(s(8)), (18.0 / 8.0, 2.0));
        assert_eq!(Level::new((s(0), s(0))).means(s(0)), (0.0, 0.0));
    }
}
