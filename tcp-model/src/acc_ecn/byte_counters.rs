//! The option of accurate ECN: byte counters by codepoint (RFC 9768 section 3.2.3).

use super::AccEcn;
use crate::options::{Options, TcpOption};

/// Kinds of the option: the counter of ECT(0) comes first, or that of ECT(1).
pub(super) const ECT0_FIRST: u8 = 172;
const ECT1_FIRST: u8 = 174;

/// The modulus of its fields.
const DIVOPT: u32 = 1 << 24;

/// Payload bytes by codepoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct CodepointBytes {
    pub(super) ce: u32,
    pub(super) ect0: u32,
    pub(super) ect1: u32,
}

/// Section 3.2.1.
pub(super) const FIRST_BYTES: CodepointBytes = CodepointBytes {
    ce: 0,
    ect0: 1,
    ect1: 1,
};

impl AccEcn {
    /// Checks the first option: its ECT counters must be at least 1.
    pub(super) fn check_option(&mut self, options: &Options) {
        let Some((_, data)) = option_of(options) else {
            return;
        };
        // The counter of CE is the second field, and may be zero.
        let mut ect = data.chunks_exact(3).step_by(2);
        self.option_cleared |= ect.any(|field| field == [0, 0, 0]);
    }

    /// Whether an ACK, with or without new data, should carry the option: when a counter has changed since
    /// it was last sent (section 3.2.3.3), or to test the path.
    pub(crate) fn wants_option(&self, with_data: bool) -> bool {
        let due = self.option_due || (with_data && self.path.is_due());
        !self.path.is_blocked() && (due || self.bytes != self.reported)
    }

    /// Adds the option to the options of an ACK that should carry it, unless a counter that has
    /// changed does not fit (section 3.2.3.3). Returns whether it was added.
    ///
    /// An ACK has all fields that fit. Data have less room: they omit fields at the end that have never
    /// changed.
    pub(crate) fn push_option(&mut self, options: &mut Options, with_data: bool) -> bool {
        if !self.wants_option(with_data) {
            return false;
        }
        self.option_due = false;
        let needed = self.fields_changed_since(&self.reported);
        let wanted = match with_data {
            true => self.fields_changed_since(&FIRST_BYTES),
            false => 3,
        };
        let count = wanted.min(options.room().saturating_sub(2) / 3);
        if count < needed {
            return false;
        }
        let (ect1_first, fields) = (self.ect1_is_first(), self.in_order(&self.bytes));
        let mut data = [0; 9];
        for (place, field) in data.chunks_exact_mut(3).zip(fields) {
            place.copy_from_slice(&field.to_be_bytes()[1..]);
        }
        let kind = if ect1_first { ECT1_FIRST } else { ECT0_FIRST };
        let option = TcpOption::Unknown(kind, &data[..3 * count]);
        let fits = options.push(option).is_ok();
        if fits {
            self.reported = self.bytes;
        }
        fits
    }

    /// Bytes that the option needs on an ACK that should carry it.
    pub(crate) fn option_len(&self) -> Option<usize> {
        let fields = self.fields_changed_since(&self.reported);
        self.wants_option(false).then_some(2 + 3 * fields)
    }

    /// Whether the option begins with the counter of ECT(1): if that has changed since it was last
    /// sent.
    fn ect1_is_first(&self) -> bool {
        self.bytes.ect1 != self.reported.ect1
    }

    fn in_order(&self, bytes: &CodepointBytes) -> [u32; 3] {
        match self.ect1_is_first() {
            true => [bytes.ect1, bytes.ce, bytes.ect0],
            false => [bytes.ect0, bytes.ce, bytes.ect1],
        }
    }

    /// The number of fields of an option that includes all counters that differ from earlier
    /// values; at least one.
    fn fields_changed_since(&self, before: &CodepointBytes) -> usize {
        let (now, before) = (self.in_order(&self.bytes), self.in_order(before));
        let last = (0..3).rev().find(|i| now[*i] != before[*i]);
        last.map_or(1, |last| last + 1)
    }

    /// Reads the counters of the option, if present; returns the bytes newly reported with CE.
    pub(super) fn read_option(&mut self, options: &Options) -> Option<u32> {
        if self.option_cleared {
            return None;
        }
        let (kind, data) = option_of(options)?;
        let peer = &mut self.peer_bytes;
        let places = match kind {
            ECT0_FIRST => [&mut peer.ect0, &mut peer.ce, &mut peer.ect1],
            _ => [&mut peer.ect1, &mut peer.ce, &mut peer.ect0],
        };
        let mut new_ce = None;
        for (i, (place, field)) in places.into_iter().zip(data.chunks_exact(3)).enumerate() {
            let field = u32::from_be_bytes([0, field[0], field[1], field[2]]);
            let new = (field + DIVOPT - *place % DIVOPT) % DIVOPT;
            *place = place.wrapping_add(new);
            if i == 1 {
                new_ce = Some(new);
            }
        }
        new_ce
    }
}

/// The option's kind and its fields.
pub(super) fn option_of(options: &Options) -> Option<(u8, &[u8])> {
    if options.is_usual() {
        return None;
    }
    options.iter().find_map(|option| match option {
        Ok(TcpOption::Unknown(kind @ (ECT0_FIRST | ECT1_FIRST), data)) => Some((kind, data)),
        _ => None,
    })
}
