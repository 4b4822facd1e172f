//! The largest sample of a sliding window, kept as three samples: the largest, the largest since then, and the
//! largest since that one. When the first becomes too old the others move up, so that the result is exact while
//! samples rise, and exact to a quarter of the window otherwise (Nichols' estimator, as in Linux
//! `lib/win_minmax.c`).

/// The three samples, with the times at which they were taken.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct WindowedMax {
    best: [(u64, f64); 3],
}

impl WindowedMax {
    /// The largest sample; zero before the first.
    pub(super) fn get(&self) -> f64 {
        self.best[0].1
    }

    /// Adds a sample taken at `time`, for a window as long as `span`.
    pub(super) fn update(&mut self, span: u64, time: u64, value: f64) {
        let new = (time, value);
        if value >= self.best[0].1 || time.saturating_sub(self.best[2].0) > span {
            self.best = [new; 3];
            return;
        }
        if value >= self.best[1].1 {
            self.best[1] = new;
            self.best[2] = new;
        } else if value >= self.best[2].1 {
            self.best[2] = new;
        }
        self.expire(span, new);
    }

    fn expire(&mut self, span: u64, new: (u64, f64)) {
        let age = |sample: (u64, f64)| new.0.saturating_sub(sample.0);
        if age(self.best[0]) > span {
            self.best = [self.best[1], self.best[2], new];
            if age(self.best[0]) > span {
                self.best = [self.best[1], self.best[2], new];
            }
        } else if self.best[1].0 == self.best[0].0 && age(self.best[0]) > span / 4 {
            self.best[1] = new;
            self.best[2] = new;
        } else if self.best[2].0 == self.best[1].0 && age(self.best[0]) > span / 2 {
            self.best[2] = new;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_of_the_window_stays_and_then_goes() {
        let mut max = WindowedMax::default();
        assert_eq!(max.get(), 0.0);
        max.update(10, 0, 5.0);
        for t in 1..=10 {
            max.update(10, t, 3.0);
            assert_eq!(max.get(), 5.0, "{t}");
        }
        max.update(10, 11, 2.0);
        assert_eq!(max.get(), 3.0);
        max.update(10, 12, 7.0);
        assert_eq!(max.get(), 7.0, "a larger one at once");
        max.update(10, 40, 1.0);
        assert_eq!(max.get(), 1.0, "all others are too old");
    }
}
