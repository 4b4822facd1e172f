//! A row of the table of segments, in the form diagrams need.

use tcp_model::State;

use super::SegmentFate;

/// A connection's 4-tuple without direction.
pub(super) type AddressPair = ((i64, i64), (i64, i64));

/// A row of the table of segments.
#[derive(Clone, Copy, Debug)]
pub(super) struct TracedRow {
    pub(super) place: u64,
    pub(super) pair: AddressPair,
    pub(super) conn: i64,
    pub(super) number: i64,
    pub(super) sent: f64,
    pub(super) fate: SegmentFate,
    pub(super) source: (i64, i64),
    pub(super) dst_port: i64,
    pub(super) numbers: [u32; 4],
    /// Timestamps; NaN without the option.
    pub(super) stamps: [f64; 2],
    pub(super) retransmission: bool,
    pub(super) is_reset: bool,
    /// Indices of its texts in `rows::Traced::texts`, in the order of `columns::TEXTS`.
    pub(super) texts: [u32; 6],
    pub(super) state_at_sender: Option<State>,
    pub(super) state_at_receiver: Option<State>,
}

impl TracedRow {
    /// As `LadderSegment::is_trouble`.
    pub(super) fn is_trouble(&self) -> bool {
        self.retransmission || self.fate == SegmentFate::Lost || self.is_reset
    }
}
