//! The ports towards one destination.

/// Bits that are even places.
pub(super) const EVEN: u64 = 0x5555_5555_5555_5555;
const PAGE_WORDS: usize = 16;
const PAGE_BITS: u32 = 64 * PAGE_WORDS as u32;

/// Used places of a page.
#[derive(Clone, Debug, Default)]
struct PoolPage {
    words: [u64; PAGE_WORDS],
    /// How many are used at even and at odd places.
    used: [u16; 2],
}

impl PoolPage {
    /// Marks a place as used, or as free; false if it already was.
    fn change(&mut self, at: u32, used: bool) -> bool {
        let word = &mut self.words[(at / 64) as usize % PAGE_WORDS];
        let bit = 1 << (at % 64);
        let changed = (*word & bit == 0) == used;
        if changed {
            *word ^= bit;
            let of_parity = &mut self.used[at as usize % 2];
            *of_parity = if used { *of_parity + 1 } else { *of_parity - 1 };
        }
        changed
    }
}

/// The used places among the ports of a range, counted from its lower end.
#[derive(Debug)]
pub(super) struct Pool {
    places: Places,
    count: u32,
    /// Used ports at even and at odd places.
    used: [u32; 2],
    /// Where the next search starts, beyond the destination's offset, modulo the number of ports.
    pub(super) start: u32,
}

/// A destination towards which few ports are used costs no more than its entry.
#[derive(Debug)]
enum Places {
    /// By number, for the first ports only.
    Few([u16; FEW], u8),
    /// A bit each; pages appear when first written.
    Bits(Box<[Option<Box<PoolPage>>]>),
}

/// As many as fit beside the pointer to the pages.
const FEW: usize = 3;

#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<Pool>() == 32);

impl Places {
    fn bits(&mut self, count: u32) -> &mut [Option<Box<PoolPage>>] {
        if let Places::Few(few, len) = *self {
            let pages = (0..count.div_ceil(PAGE_BITS)).map(|_| None).collect();
            *self = Places::Bits(pages);
            for &at in &few[..usize::from(len)] {
                self.page_mut(u32::from(at), count).change(at.into(), true);
            }
        }
        match self {
            Places::Bits(pages) => pages,
            Places::Few(..) => &mut [],
        }
    }

    fn page_mut(&mut self, at: u32, count: u32) -> &mut PoolPage {
        let page = &mut self.bits(count)[(at / PAGE_BITS) as usize];
        page.get_or_insert_default()
    }
}

impl Pool {
    pub(super) fn new(count: u32) -> Pool {
        Pool {
            places: Places::Few([0; FEW], 0),
            count,
            used: [0; 2],
            start: 0,
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
        let bits = match &self.places {
            Places::Few(few, len) => {
                let here = few[..usize::from(*len)].iter().map(|&at| u32::from(at));
                let here = here.filter(|at| at / 64 == word);
                here.fold(0, |bits, at| bits | 1 << (at % 64))
            }
            Places::Bits(pages) => {
                let page = &pages[word as usize / PAGE_WORDS];
                page.as_ref()
                    .map_or(0, |p| p.words[word as usize % PAGE_WORDS])
            }
        };
        let beyond = (word + 1) * 64;
        if beyond > self.count {
            bits | !0 << (64 - (beyond - self.count))
        } else {
            bits
        }
    }

    /// How many words from `word` on have no free place among those in `mask`, as far as that is known without
    /// looking at them. The words of a page that is cut off by the range are not counted.
    #[inline]
    pub(super) fn full_words(&self, word: u32, mask: u64) -> u32 {
        const HALF: u16 = PAGE_BITS as u16 / 2;
        let (Places::Bits(pages), 0) = (&self.places, word as usize % PAGE_WORDS) else {
            return 0;
        };
        match &pages[word as usize / PAGE_WORDS] {
            Some(page)
                if (mask & EVEN == 0 || page.used[0] == HALF)
                    && (mask & !EVEN == 0 || page.used[1] == HALF) =>
            {
                PAGE_WORDS as u32
            }
            _ => 0,
        }
    }

    pub(super) fn words(&self) -> u32 {
        self.count.div_ceil(64)
    }

    /// Whether a place is used.
    pub(super) fn is_used(&self, at: u32) -> bool {
        self.word(at / 64) & 1 << (at % 64) != 0
    }

    /// Marks a place as used; false if it already was.
    pub(super) fn set(&mut self, at: u32) -> bool {
        let changed = match &mut self.places {
            Places::Few(few, len) if usize::from(*len) < FEW => {
                let changed = !few[..usize::from(*len)].contains(&(at as u16));
                if changed {
                    few[usize::from(*len)] = at as u16;
                    *len += 1;
                }
                changed
            }
            places => places.page_mut(at, self.count).change(at, true),
        };
        self.used[at as usize % 2] += u32::from(changed);
        changed
    }

    /// Marks a place as free; false if it already was.
    pub(super) fn clear(&mut self, at: u32) -> bool {
        let changed = match &mut self.places {
            Places::Few(few, len) => {
                let used = &mut few[..usize::from(*len)];
                let place = used.iter().position(|&other| u32::from(other) == at);
                if let Some(place) = place {
                    used[place..].rotate_left(1);
                    *len -= 1;
                }
                place.is_some()
            }
            Places::Bits(pages) => match &mut pages[(at / PAGE_BITS) as usize] {
                Some(page) => page.change(at, false),
                None => false,
            },
        };
        self.used[at as usize % 2] -= u32::from(changed);
        changed
    }

    pub(super) fn memory_bytes(&self) -> usize {
        match &self.places {
            Places::Few(..) => 0,
            Places::Bits(pages) => {
                let written = pages.iter().flatten().count();
                size_of_val(&**pages) + written * size_of::<PoolPage>()
            }
        }
    }
}
