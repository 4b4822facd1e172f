//! The clock of timestamp options (RFC 7323 section 5.4): milliseconds, before the offset that each
//! connection adds.

use sim_core::{SimDuration, SimTime};

/// Milliseconds since the start of the run, modulo 2^32.
pub(crate) fn ts_clock(now: SimTime) -> u32 {
    (now.as_ps() / SimDuration::from_millis(1).as_ps()) as u32
}

/// When the tick of a reading of [`ts_clock`] ended; `None` for one that lies in the future or before the
/// start of the run.
pub(crate) fn ticks_end(reading: u32, now: SimTime) -> Option<SimTime> {
    let ms = SimDuration::from_millis(1);
    let age = ts_clock(now).wrapping_sub(reading);
    let ticks = (now.as_ps() / ms.as_ps()).checked_sub(age.into())? + 1;
    (age < 1 << 31).then(|| SimTime::ZERO.saturating_add(ms * ticks))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_ends_where_the_next_begins() {
        let at = |us| SimTime::ZERO.saturating_add(SimDuration::from_micros(us));
        for (reading, now, end) in [
            (7, 7_300, Some(8_000)),
            (5, 7_300, Some(6_000)),
            (0, 7_300, Some(1_000)),
            (8, 7_300, None),
            (u32::MAX, 7_300, None),
        ] {
            assert_eq!(ticks_end(reading, at(now)), end.map(at), "{reading}");
            assert!(end.is_none_or(|end| ts_clock(at(end)) == reading + 1));
        }
    }
}
