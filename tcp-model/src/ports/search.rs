//! Chooses a free port: the algorithms of [`PortSelection`].

use sim_core::Rng;

use super::pool::{EVEN, Pool};
use crate::params::PortSelection;

/// The longest step of RFC 6056's algorithm 5 (its N).
const LONGEST_STEP: u64 = 500;

/// Chooses a free place; also returns how many places a one-by-one search would have checked. `shared` is the
/// counter that the destination shares with others.
pub(super) fn choose(
    pool: &mut Pool,
    selection: PortSelection,
    offset: u32,
    shared: &mut u32,
    rng: &mut Rng,
) -> (Option<u32>, u32) {
    let count = pool.count();
    if count == 0 {
        return (None, 0);
    }
    match selection {
        PortSelection::RandomAgain => trials(pool, || rng.below(u64::from(count)) as u32),
        PortSelection::Hash | PortSelection::DoubleHash => {
            let (at, probes) = linear(pool, offset.wrapping_add(*shared) % count);
            *shared = shared.wrapping_add(probes);
            (at, probes)
        }
        PortSelection::RandomIncrements => trials(pool, || {
            let step = 1 + rng.below(LONGEST_STEP) as u32;
            *shared = (*shared).wrapping_add(step) % count;
            *shared
        }),
        PortSelection::Linux => linux(pool, offset, rng),
        PortSelection::Sequential => sequential(pool),
        PortSelection::Random => {
            let start = rng.below(u64::from(count)) as u32;
            linear(pool, start)
        }
    }
}

/// The next free place after the last one chosen, around the end.
pub(super) fn sequential(pool: &mut Pool) -> (Option<u32>, u32) {
    if pool.count() == 0 {
        return (None, 0);
    }
    let (at, probes) = linear(pool, pool.start % pool.count());
    if let Some(at) = at {
        pool.start = at + 1;
    }
    (at, probes)
}

/// The first free place among as many as there are, each named by `next`.
fn trials(pool: &Pool, mut next: impl FnMut() -> u32) -> (Option<u32>, u32) {
    let count = pool.count();
    if pool.used() == count {
        return (None, count);
    }
    for probe in 1..=count {
        let at = next();
        if !pool.is_used(at) {
            return (Some(at), probe);
        }
    }
    (None, count)
}

/// The next free place from `start` on, around the end.
fn linear(pool: &Pool, start: u32) -> (Option<u32>, u32) {
    let count = pool.count();
    if pool.used() == count {
        return (None, count);
    }
    match next_free(pool, start, !0) {
        Some(at) => (Some(at), steps(start, at, count) + 1),
        None => (None, count),
    }
}

/// Linux since 4.2 (`__inet_hash_connect`): from an even start, kept per destination and moved by
/// the destination's `offset`, all even places, then from the next place all odd ones. After
/// success the start moves beyond the place found, or further by a random even number below 16,
/// whichever is more, and by two.
///
/// Leaves out that destinations can share a start through Linux's table of 65536 entries, and that
/// Linux skips one port of a range with an odd number of ports.
pub(super) fn linux(pool: &mut Pool, offset: u32, rng: &mut Rng) -> (Option<u32>, u32) {
    let count = pool.count();
    if count == 0 {
        return (None, 0);
    }
    let even = (pool.start.wrapping_add(offset) % count) & !1;
    let mut probes = 0;
    for parity in [0, 1] {
        if pool.free(parity) == 0 {
            probes += pool.places(parity);
            continue;
        }
        let start = (even + parity) % count;
        let Some(at) = next_free(pool, start, EVEN << parity) else {
            continue;
        };
        // Places passed over, of this parity alone.
        let passed = if at >= start {
            (at - start) / 2
        } else {
            pool.places(parity) - (start - at).div_ceil(2)
        };
        let random = 2 * rng.below(8) as u32;
        pool.start = pool.start.wrapping_add((2 * passed).max(random) + 2);
        return (Some(at), probes + passed + 1);
    }
    (None, probes)
}

/// Linux's search for a port to bind to (`inet_csk_find_open_port`): from a random place all odd places,
/// then all even ones.
pub(super) fn odd_first(pool: &Pool, rng: &mut Rng) -> (Option<u32>, u32) {
    let count = pool.count();
    if count == 0 {
        return (None, 0);
    }
    let random = rng.below(u64::from(count)) as u32;
    let mut probes = 0;
    for parity in [1, 0] {
        let places = pool.places(parity);
        if pool.free(parity) == 0 {
            probes += places;
            continue;
        }
        let start = (random & !1 | parity) % count;
        if let Some(at) = next_free(pool, start, EVEN << parity) {
            let passed = if at >= start {
                (at - start) / 2
            } else {
                places.saturating_sub((start - at).div_ceil(2))
            };
            return (Some(at), probes + passed + 1);
        }
    }
    (None, probes)
}

/// How far `at` lies after `start` around a ring of `count`.
fn steps(start: u32, at: u32, count: u32) -> u32 {
    if at >= start {
        at - start
    } else {
        count - start + at
    }
}

/// The first free place from `start` on, around the end, among those in `mask` of every word.
fn next_free(pool: &Pool, start: u32, mask: u64) -> Option<u32> {
    let words = pool.words();
    let first = start / 64;
    let found = |word: u32, within: u64| {
        let free = !pool.word(word) & mask & within;
        (free != 0).then(|| word * 64 + free.trailing_zeros())
    };
    let from_start = !0u64 << (start % 64);
    if let Some(at) = found(first, from_start) {
        return Some(at);
    }
    for (mut word, end) in [(first + 1, words), (0, first)] {
        while word < end {
            let full = pool.full_words(word, mask);
            if full > 0 {
                word += full;
                continue;
            }
            if let Some(at) = found(word, !0) {
                return Some(at);
            }
            word += 1;
        }
    }
    found(first, !from_start)
}
