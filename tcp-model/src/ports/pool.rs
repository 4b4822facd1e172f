//! The ports towards one destination as bits.

/// Bits that are even places.
pub(super) const EVEN: u64 = 0x5555_5555_5555_5555;
const PAGE_WORDS: usize = 16;
const PAGE_BITS: u32 = 64 * PAGE_WORDS as u32;

/// One bit per port, counted from the lower end of the range; pages appear when first written, so
/// that a destination that uses few ports costs little.
#[derive(Debug)]
pub(super) struct Pool {
    pages: Box<[Option<Box<[u64; PAGE_WORDS]>>]>,
    count: u32,
    /// Used ports at even and at odd places.
    used: [u32; 2],
    /// Where the next search starts, modulo the number of ports.
    pub(super) start: u32,
}

impl Pool {
    pub(super) fn new(count: u32, start: u32) -> Pool {
        Pool {
            pages: (0..count.div_ceil(PAGE_BITS)).map(|_| None).collect(),
            count,
            used: [0; 2],
            start,
        }
    }

    pub(super) fn count(&self) -> u32 {
        self.count
    }

    pub(super) fn used(&self) -> u32 {
        self.used[0] + self.used[1]
    }

    /// Number of places of a parity.
    pub(super) fn places(&self, parity: u32) -> u32 {
        (self.count + 1 - parity) / 2
    }

    /// Free places of a parity.
    pub(super) fn free(&self, parity: u32) -> u32 {
        self.places(parity) - self.used[parity as usize]
    }

    /// The used bits of the 64 places from `64 * word`; places beyond the range count as used.
    pub(super) fn word(&self, word: u32) -> u64 {
        let page = &self.pages[word as usize / PAGE_WORDS];
        let bits = page.as_ref().map_or(0, |p| p[word as usize % PAGE_WORDS]);
        let beyond = (word + 1) * 64;
        if beyond > self.count {
            bits | !0 << (64 - (beyond - self.count))
        } else {
            bits
        }
    }

    pub(super) fn words(&self) -> u32 {
        self.count.div_ceil(64)
    }

    /// Marks a place as used; false when it was.
    pub(super) fn set(&mut self, at: u32) -> bool {
        let page = &mut self.pages[(at / PAGE_BITS) as usize];
        let page = page.get_or_insert_with(|| Box::new([0; PAGE_WORDS]));
        let word = &mut page[(at / 64) as usize % PAGE_WORDS];
        let bit = 1 << (at % 64);
        let changed = *word & bit == 0;
        *word |= bit;
        self.used[at as usize % 2] += u32::from(changed);
        changed
    }

    /// Marks a place as free; false when it was.
    pub(super) fn clear(&mut self, at: u32) -> bool {
        let Some(page) = &mut self.pages[(at / PAGE_BITS) as usize] else {
            return false;
        };
        let word = &mut page[(at / 64) as usize % PAGE_WORDS];
        let bit = 1 << (at % 64);
        let changed = *word & bit != 0;
        *word &= !bit;
        self.used[at as usize % 2] -= u32::from(changed);
        changed
    }

    pub(super) fn memory_bytes(&self) -> usize {
        let pages = self.pages.iter().flatten().count();
        self.pages.len() * 8 + pages * PAGE_WORDS * 8
    }
}
