//! A count that goes up and down: its peak and its exact time-averages.

use sim_core::SimTime;

/// Its value, and its peak so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Peak {
    now: i64,
    most: i64,
    at: SimTime,
}

impl Peak {
    /// The value after the last change.
    pub(crate) fn now(&self) -> i64 {
        self.now
    }

    /// Changes it by `step` at `time`; times must not decrease.
    #[inline]
    pub(crate) fn add(&mut self, step: i64, time: SimTime) {
        self.now += step;
        if self.now > self.most {
            self.most = self.now;
            self.at = time;
        }
    }
}

/// A population over time.
///
/// Its integral up to t is Σ sᵢ (t − tᵢ) over the changes sᵢ at tᵢ, which is its value at t times t less Σ sᵢ tᵢ: a
/// change adds to that sum, in whole numbers, whenever the one before it was. The window is handled by moving times
/// outside to its ends.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Level {
    peak: Peak,
    /// Σ sᵢ tᵢ, in units times picoseconds, and the same with the times moved into the window.
    moment: i128,
    window_moment: i128,
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

    /// The sum of several populations, whose peak has been followed apart from them.
    pub(crate) fn joint<'a>(peak: Peak, parts: impl IntoIterator<Item = &'a Level>) -> Level {
        let mut sum = Level {
            peak,
            ..Level::default()
        };
        for part in parts {
            sum.moment += part.moment;
            sum.window_moment += part.window_moment;
            sum.window = part.window;
        }
        sum
    }

    /// Changes it by `step` at `time`; times must not decrease.
    #[inline]
    pub(crate) fn add(&mut self, step: i64, time: SimTime) {
        let moment = |time: SimTime| i128::from(step) * i128::from(time.as_ps());
        self.moment += moment(time);
        self.window_moment += moment(self.in_window(time));
        self.peak.add(step, time);
    }

    #[inline]
    fn in_window(&self, time: SimTime) -> SimTime {
        time.max(self.window.0).min(self.window.1)
    }

    /// The integral up to `time` and its part in the window, in units times picoseconds.
    fn areas(&self, time: SimTime) -> (i128, i128) {
        let now = i128::from(self.peak.now);
        let within = self.in_window(time);
        (
            now * i128::from(time.as_ps()) - self.moment,
            now * i128::from(within.as_ps()) - self.window_moment,
        )
    }

    /// The value after the last change.
    pub(crate) fn now(&self) -> i64 {
        self.peak.now
    }

    /// Largest value.
    pub(crate) fn peak(&self) -> i64 {
        self.peak.most
    }

    /// When the peak was first reached.
    pub(crate) fn peak_at(&self) -> SimTime {
        self.peak.at
    }

    /// The integral from the start to `time`, in units times seconds; no change may be later.
    pub(crate) fn area_s(&self, time: SimTime) -> f64 {
        self.areas(time).0 as f64 / 1e12
    }

    /// Averages over [0, end] and over the part of the window before `end`; zero if that has no
    /// length.
    pub(crate) fn means(&self, end: SimTime) -> (f64, f64) {
        let (area, window_area) = self.areas(end);
        let share = |area: i128, ps: u64| {
            if ps == 0 {
                0.0
            } else {
                area as f64 / ps as f64
            }
        };
        let window = self.window.1.min(end).since(self.window.0);
        (share(area, end.as_ps()), share(window_area, window.as_ps()))
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

    #[test]
    fn the_sum_of_two_has_the_sum_of_their_areas_and_a_peak_of_its_own() {
        let s = |s: u64| SimTime::from_ps(s * 1_000_000_000_000);
        let window = (s(2), s(6));
        let (mut a, mut b) = (Level::new(window), Level::new(window));
        let (mut peak, mut one) = (Peak::default(), Level::new(window));
        for (of_a, step, at) in [(true, 3, 1), (false, 2, 3), (true, -3, 4), (false, 2, 5)] {
            if of_a { &mut a } else { &mut b }.add(step, s(at));
            peak.add(step, s(at));
            one.add(step, s(at));
        }
        let sum = Level::joint(peak, [&a, &b]);
        assert_eq!((sum.now(), sum.peak(), sum.peak_at()), (4, 5, s(3)));
        assert_eq!(sum.means(s(8)), one.means(s(8)));
        assert_eq!(sum.area_s(s(7)), one.area_s(s(7)));
        assert_eq!(one.means(s(8)), (25.0 / 8.0, 14.0 / 4.0));
    }
}
