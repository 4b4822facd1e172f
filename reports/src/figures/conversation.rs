//! A connection in the form its diagrams need: lanes, segments, state changes.

mod columns;
mod flags;
mod kept;
mod rows;
mod traced_row;

use tcp_model::{ConnId, State};

use flags::FlagText;
pub(crate) use rows::{MOST_CHANGES, conversations};

/// Whether and when a segment arrived.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum SegmentFate {
    /// It arrived at this time, seconds.
    Received(f64),
    /// Lost.
    Lost,
    /// Neither was recorded.
    Unseen,
}

/// A segment on its way between two lanes; times in seconds.
#[derive(Clone, Debug)]
pub(crate) struct LadderSegment {
    pub(crate) sent: f64,
    pub(crate) fate: SegmentFate,
    /// "lost: queue full".
    pub(crate) fate_text: String,
    pub(crate) from: usize,
    pub(crate) to: usize,
    /// The connection that sent it.
    pub(crate) conn: i64,
    /// Its number among the segments that its connection sent from this end, from 1.
    pub(crate) number: i64,
    /// Address and port of the sender.
    pub(crate) source: (i64, i64),
    pub(crate) flags: FlagText,
    pub(crate) seq: u32,
    pub(crate) ack: u32,
    pub(crate) len: u32,
    pub(crate) retransmission: bool,
    /// The rule by which it was retransmitted; empty otherwise.
    pub(crate) reason: String,
    /// States of the ends after it was sent and after it arrived, if recorded.
    pub(crate) state_at_sender: Option<State>,
    pub(crate) state_at_receiver: Option<State>,
    pub(crate) detail: HeaderDetail,
}

/// The rest of a segment's header, and its index.
#[derive(Clone, Debug, Default)]
pub(crate) struct HeaderDetail {
    /// Its index among the segments of the connection that were read.
    pub(crate) place: usize,
    pub(crate) dst_port: i64,
    /// The window field, not scaled.
    pub(crate) window: u32,
    /// "mss 1460,nop,wscale 7".
    pub(crate) options: String,
}

impl LadderSegment {
    /// Always worth showing: lost, retransmitted, or a reset.
    pub(crate) fn is_trouble(&self) -> bool {
        self.retransmission || self.fate == SegmentFate::Lost || self.has("RST")
    }

    pub(crate) fn has(&self, flag: &str) -> bool {
        self.flags.has(flag)
    }
}

/// A change of state.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LadderStateChange {
    pub(crate) time: f64,
    pub(crate) lane: usize,
    pub(crate) from: State,
    pub(crate) to: State,
}

/// A connection.
#[derive(Clone, Debug)]
pub(crate) struct Conversation {
    pub(crate) conn: ConnId,
    /// Names of the nodes, the opener first.
    pub(crate) lanes: Vec<String>,
    pub(crate) segments: Vec<LadderSegment>,
    pub(crate) changes: Vec<LadderStateChange>,
}

impl Conversation {
    /// The time at which it began, seconds.
    pub(crate) fn start(&self) -> f64 {
        let times = self.segments.iter().map(|s| s.sent);
        let times = times.chain(self.changes.iter().map(|c| c.time));
        times.fold(f64::INFINITY, f64::min)
    }

    fn lane(&mut self, node: &str) -> usize {
        let place = self.lanes.iter().position(|l| l == node);
        place.unwrap_or_else(|| {
            self.lanes.push(node.to_owned());
            self.lanes.len() - 1
        })
    }
}
