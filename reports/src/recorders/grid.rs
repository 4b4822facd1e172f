//! Points in time at equal distances.

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

#[cfg(test)]
mod tests {
    use super::*;

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
