//! Asks the processor to fetch memory before it is needed.
//!
//! A hint and nothing else: what a run computes does not depend on it. Where a million connections
//! take turns, each finds its state in main memory; fetched while the events before it are handled,
//! it costs bandwidth instead of waiting.

use prefetch_index::prefetch_index;

/// Bytes of a cache line on the processors of today.
const LINE: usize = 64;

/// Asks for all of a value.
#[inline(always)]
pub fn prefetch<T>(value: &T) {
    prefetch_start(value, size_of::<T>());
}

/// Asks for the first bytes of a value.
#[inline(always)]
pub fn prefetch_start<T>(value: &T, bytes: usize) {
    let start = std::ptr::from_ref(value).addr();
    let bytes = bytes.clamp(1, size_of::<T>().max(1));
    if align_of::<T>() >= LINE {
        (0..bytes)
            .step_by(LINE)
            .for_each(|at| prefetch_address(start + at));
    } else {
        let lines = start / LINE..=(start + bytes - 1) / LINE;
        lines.for_each(|line| prefetch_address(line * LINE));
    }
}

/// Asks for the line at an address: of an empty slice, the element that would lie there. Whatever
/// the address, nothing is read.
#[inline(always)]
fn prefetch_address(address: usize) {
    const NOTHING: &[u8] = &[];
    prefetch_index(NOTHING, address.wrapping_sub(NOTHING.as_ptr().addr()));
}

#[cfg(test)]
mod tests {
    #[test]
    fn values_of_every_size_may_be_asked_for() {
        super::prefetch(&());
        super::prefetch(&1u8);
        super::prefetch(&[0u8; 1000]);
        super::prefetch(&vec![0u64; 3][2]);
        super::prefetch_start(&[0u8; 1000], 100);
        super::prefetch_start(&1u8, 100);
    }
}
