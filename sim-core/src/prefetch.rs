//! Asks the processor to fetch memory before it is needed.
//!
//! Only a hint: no result of a run depends on it. With a million active connections, the state of
//! each one is in main memory when it is needed; fetched while earlier events are handled, it costs
//! bandwidth instead of latency.

use prefetch_index::prefetch_index;

/// Bytes of a cache line on today's processors.
const LINE: usize = 64;

/// Prefetches a whole value.
#[inline(always)]
pub fn prefetch<T>(value: &T) {
    prefetch_start(value, size_of::<T>());
}

/// Prefetches the first bytes of a value.
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

/// Prefetches the cache line at an address, which may be the end of an empty slice: whatever the address,
/// nothing is read.
#[inline(always)]
fn prefetch_address(address: usize) {
    const NOTHING: &[u8] = &[];
    prefetch_index(NOTHING, address.wrapping_sub(NOTHING.as_ptr().addr()));
}

#[cfg(test)]
mod tests {
    #[test]
    fn values_of_every_size_can_be_prefetched() {
        super::prefetch(&());
        super::prefetch(&1u8);
        super::prefetch(&[0u8; 1000]);
        super::prefetch(&vec![0u64; 3][2]);
        super::prefetch_start(&[0u8; 1000], 100);
        super::prefetch_start(&1u8, 100);
    }
}
