//! Sequence numbers: 32 bits that wrap (RFC 9293 section 3.4).

use std::fmt;
use std::ops::{Add, AddAssign, Sub};

/// A sequence number. Has no `Ord`: "less than" makes sense only for numbers less than 2^31 apart.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct SeqNum(pub u32);

impl SeqNum {
    /// `self < other` modulo 2^32.
    pub const fn before(self, other: SeqNum) -> bool {
        (self.0.wrapping_sub(other.0) as i32) < 0
    }

    /// `self <= other` modulo 2^32.
    pub const fn at_or_before(self, other: SeqNum) -> bool {
        (self.0.wrapping_sub(other.0) as i32) <= 0
    }

    /// `self > other` modulo 2^32.
    pub const fn after(self, other: SeqNum) -> bool {
        other.before(self)
    }

    /// `self >= other` modulo 2^32.
    pub const fn at_or_after(self, other: SeqNum) -> bool {
        other.at_or_before(self)
    }

    /// The later of the two.
    pub const fn max(self, other: SeqNum) -> SeqNum {
        if self.before(other) { other } else { self }
    }

    /// The earlier of the two.
    pub const fn min(self, other: SeqNum) -> SeqNum {
        if self.before(other) { self } else { other }
    }

    /// How far `self` lies after `earlier`, modulo 2^32.
    pub const fn offset_from(self, earlier: SeqNum) -> u32 {
        self.0.wrapping_sub(earlier.0)
    }

    /// True when `self` lies in the `length` numbers that begin with `start`.
    pub const fn in_window(self, start: SeqNum, length: u32) -> bool {
        self.0.wrapping_sub(start.0) < length
    }
}

impl Add<u32> for SeqNum {
    type Output = SeqNum;
    fn add(self, n: u32) -> SeqNum {
        SeqNum(self.0.wrapping_add(n))
    }
}

impl AddAssign<u32> for SeqNum {
    fn add_assign(&mut self, n: u32) {
        *self = *self + n;
    }
}

impl Sub<u32> for SeqNum {
    type Output = SeqNum;
    fn sub(self, n: u32) -> SeqNum {
        SeqNum(self.0.wrapping_sub(n))
    }
}

impl fmt::Debug for SeqNum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Display for SeqNum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparisons_hold_across_the_wrap() {
        let near_end = SeqNum(u32::MAX - 1);
        let wrapped = near_end + 5;
        assert_eq!(wrapped, SeqNum(3));
        assert!(near_end.before(wrapped) && wrapped.after(near_end));
        assert!(near_end.at_or_before(near_end) && !near_end.before(near_end));
        assert_eq!(wrapped.offset_from(near_end), 5);
        assert_eq!(
            (near_end.max(wrapped), near_end.min(wrapped)),
            (wrapped, near_end)
        );
        assert!(SeqNum(1).in_window(near_end, 4) && !SeqNum(2).in_window(near_end, 4));
        assert!(!near_end.in_window(near_end, 0));
    }
}
