//! When timers fire: exactly, or at the next slot of Linux's timer wheel.
//!
//! Linux keeps timers in a wheel of levels. A level has 64 slots; a slot of the first is one tick (a
//! "jiffy", 1/HZ s), and each further level is eight times coarser. The distance of a timer determines its
//! level, and its expiry is moved to the slot after the one it falls into: a timer is never early, and late
//! by up to the granularity of its level, at most an eighth of its distance. At HZ = 250 that makes steps
//! of 4 ms up to 0.25 s, 32 ms up to 2 s, 256 ms up to 16 s, and 2.048 s up to 129 s. The first tick of a
//! simulated host is at time zero.
//!
//! Leaves out timer slack, deferrable timers, and ticks delayed by disabled interrupts.

use sim_core::{SimDuration, SimTime};

/// The timers of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum TimerGranularity {
    /// A timer fires exactly when its time has passed.
    #[default]
    Exact,
    /// The timer wheel of Linux with 250 ticks a second.
    Hz250,
    /// The timer wheel of Linux with 1000 ticks a second.
    Hz1000,
}

/// Slots of a level, minus the current one.
const SLOTS: u64 = 63;
/// Each level is coarser than the previous one by two to the power of this.
const LEVEL_SHIFT: u32 = 3;
/// Number of levels, the first being 0.
const LEVELS: u32 = 9;

impl TimerGranularity {
    /// Length of a tick; none when timers are exact.
    pub const fn tick(self) -> Option<SimDuration> {
        match self {
            TimerGranularity::Exact => None,
            TimerGranularity::Hz250 => Some(SimDuration::from_millis(4)),
            TimerGranularity::Hz1000 => Some(SimDuration::from_millis(1)),
        }
    }

    /// When a timer fires that is set at `now` to run for `wait`.
    pub fn expiry(self, now: SimTime, wait: SimDuration) -> SimTime {
        self.expiry_on_wheel(now, wait, 0)
    }

    /// The same for a timer set while the wheel processes the timers of tick `now`. The wheel is already at
    /// the next tick, so a timer one tick beyond a level's range still gets that level.
    pub fn expiry_from_timer(self, now: SimTime, wait: SimDuration) -> SimTime {
        self.expiry_on_wheel(now, wait, 1)
    }

    fn expiry_on_wheel(self, now: SimTime, wait: SimDuration, ahead: u64) -> SimTime {
        match self.tick() {
            None => now.saturating_add(wait),
            Some(tick) => slot_after(tick.as_ps(), now, wait, ahead),
        }
    }

    /// The time by the host's tick count: the last tick at or before `now`.
    pub fn clock(self, now: SimTime) -> SimTime {
        match self.tick() {
            None => now,
            Some(tick) => SimTime::from_ps(now.as_ps() - now.as_ps() % tick.as_ps()),
        }
    }

    /// A duration in whole ticks, rounded down.
    pub fn round_down(self, wait: SimDuration) -> SimDuration {
        match self.tick() {
            None => wait,
            Some(tick) => SimDuration::from_ps(wait.as_ps() - wait.as_ps() % tick.as_ps()),
        }
    }

    /// A duration in whole ticks, rounded up.
    pub fn round_up(self, wait: SimDuration) -> SimDuration {
        match self.tick() {
            None => wait,
            Some(tick) => SimDuration::from_ps(
                wait.as_ps()
                    .div_ceil(tick.as_ps())
                    .saturating_mul(tick.as_ps()),
            ),
        }
    }
}

/// When a timer on a wheel with ticks of `tick` ps fires that is set at `now` to run for `wait`. Out of line, because
/// it is inlined in many places otherwise.
#[inline(never)]
fn slot_after(tick: u64, now: SimTime, wait: SimDuration, ahead: u64) -> SimTime {
    let distance = wait.as_ps().div_ceil(tick);
    let ticks = expiry_tick(now.as_ps() / tick, distance, ahead);
    ticks
        .checked_mul(tick)
        .map_or(SimTime::MAX, SimTime::from_ps)
}

/// The tick at which a timer fires that is set at tick `now` for `distance` ticks ahead, when the wheel is
/// at `now + ahead`.
fn expiry_tick(now: u64, distance: u64, ahead: u64) -> u64 {
    let from_wheel = distance.saturating_sub(ahead);
    let mut level = 0;
    while level + 1 < LEVELS && from_wheel >= SLOTS << (level * LEVEL_SHIFT) {
        level += 1;
    }
    let shift = level * LEVEL_SHIFT;
    ((now.saturating_add(distance) >> shift) + 1) << shift
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ms(n: u64) -> SimDuration {
        SimDuration::from_millis(n)
    }

    fn at(n: u64) -> SimTime {
        SimTime::ZERO + ms(n)
    }

    #[test]
    fn a_timer_set_by_a_timer_is_placed_from_the_next_tick() {
        // 63 ticks are the coarser level's, unless the wheel stands a tick later already.
        for (ticks, step) in [(63, 8), (504, 64), (4032, 512)] {
            let wait = ms(ticks * 4);
            let set_outside = TimerGranularity::Hz250.expiry(SimTime::ZERO, wait);
            let set_inside = TimerGranularity::Hz250.expiry_from_timer(SimTime::ZERO, wait);
            let slot = |step: u64| at((ticks / step + 1) * step * 4);
            assert_eq!(set_outside, slot(step), "{ticks}");
            assert_eq!(set_inside, slot(step / 8), "{ticks}");
            let longer = ms((ticks + 1) * 4);
            let both = TimerGranularity::Hz250.expiry(SimTime::ZERO, longer);
            assert_eq!(
                TimerGranularity::Hz250.expiry_from_timer(SimTime::ZERO, longer),
                both
            );
        }
    }

    #[test]
    fn steps_grow_with_the_distance() {
        // (wait in ms, step in ms) at both tick rates
        for (wait, hz250, hz1000) in [
            (1, 4, 1),
            (62, 4, 1),
            (63, 4, 8),
            (248, 4, 8),
            (252, 32, 8),
            (503, 32, 8),
            (504, 32, 64),
            (2_012, 32, 64),
            (2_016, 256, 64),
            (16_124, 256, 512),
            (16_128, 2_048, 512),
            (60_000, 2_048, 4_096),
            (129_020, 2_048, 4_096),
            (129_024, 16_384, 4_096),
        ] {
            for (timers, step) in [
                (TimerGranularity::Hz250, hz250),
                (TimerGranularity::Hz1000, hz1000),
            ] {
                let fires: Vec<SimTime> = (0..2 * step)
                    .map(|t| timers.expiry(at(t), ms(wait)))
                    .collect();
                for (t, fire) in fires.iter().enumerate() {
                    assert_eq!(fire.as_ps() % ms(step).as_ps(), 0, "{timers:?} {wait} {t}");
                }
                assert_eq!(
                    fires[0] + ms(step),
                    fires[step as usize],
                    "{timers:?} {wait}"
                );
            }
        }
    }

    #[test]
    fn a_timer_on_a_slot_takes_the_next_one() {
        // 304 ms is 76 ticks: level 1, slots of 8 ticks.
        assert_eq!(TimerGranularity::Hz250.expiry(at(0), ms(304)), at(320));
        assert_eq!(TimerGranularity::Hz250.expiry(at(16), ms(304)), at(352));
        assert_eq!(TimerGranularity::Hz250.expiry(at(19), ms(304)), at(352));
        assert_eq!(TimerGranularity::Hz250.expiry(at(0), ms(40)), at(44));
        assert_eq!(TimerGranularity::Hz250.expiry(at(7), ms(37)), at(48));
        assert_eq!(TimerGranularity::Exact.expiry(at(7), ms(37)), at(44));
    }

    #[test]
    fn durations_and_clocks_count_ticks() {
        assert_eq!(TimerGranularity::Hz250.clock(at(7)), at(4));
        assert_eq!(TimerGranularity::Hz250.round_up(ms(5)), ms(8));
        assert_eq!(
            (
                TimerGranularity::Exact.clock(at(7)),
                TimerGranularity::Exact.round_up(ms(5))
            ),
            (at(7), ms(5))
        );
        assert_eq!(
            TimerGranularity::Hz250.expiry(at(1), SimDuration::MAX),
            SimTime::MAX
        );
    }

    proptest! {
        #[test]
        fn never_early_and_in_order(now in 0u64..1 << 40, wait in 0u64..1 << 24, later in 0u64..1000) {
            for timers in [TimerGranularity::Hz250, TimerGranularity::Hz1000] {
                let tick = timers.tick().unwrap();
                let (now, wait) = (SimTime::from_ps(now * 1_000_000), ms(wait));
                let fires = timers.expiry(now, wait);
                prop_assert!(fires > timers.clock(now) + wait);
                prop_assert!(fires.since(now) <= wait + wait / 7 + tick * 2);
                prop_assert!(timers.expiry(now + ms(later), wait) >= fires);
            }
        }
    }
}
