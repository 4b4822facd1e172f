//! The state of a connection in TIME-WAIT, and its rules (RFC 9293 sections 3.6.1 and 3.10.7.4, RFC 6191,
//! RFC 1337).

use sim_core::SimTime;

use crate::options::Options;
use crate::params::{TcpParams, TimeWaitRules};
use crate::segment::{ConnId, Flags, Segment, Tag};
use crate::seq::SeqNum;

/// The state kept in TIME-WAIT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeWait {
    /// When it entered TIME-WAIT.
    pub entered: SimTime,
    /// Next sequence number to send: after our FIN.
    pub snd_nxt: SeqNum,
    /// Next expected: after the peer's FIN.
    pub rcv_nxt: SeqNum,
    /// Window field of ACKs sent.
    pub window: u16,
    /// Shift count of the window field.
    pub shift: u8,
    /// The peer's latest timestamp, when timestamps are in use.
    pub ts_recent: Option<u32>,
    /// Offset added to the millisecond clock for our timestamps.
    pub ts_offset: u32,
    /// The connection.
    pub conn: ConnId,
    /// Its segments are recorded.
    pub traced: bool,
}

/// The effect of a segment on an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeWaitAction {
    /// Nothing.
    Drop,
    /// Answer with an ACK.
    Ack,
    /// Answer with an ACK and restart the 2 MSL timer.
    AckAndRestart,
    /// Restart the 2 MSL timer.
    Restart,
    /// End the entry at once.
    Kill,
    /// A SYN that opens the next incarnation: the listener handles it, with an initial sequence number
    /// after this one.
    NewIncarnation {
        /// Minimum initial sequence number for the new connection.
        iss_after: SeqNum,
    },
}

impl TimeWait {
    /// The receive window in bytes, as offered in the window field.
    pub fn rcv_wnd(&self) -> u32 {
        u32::from(self.window) << self.shift
    }

    /// The effect of a segment, by the rules in the parameters.
    pub fn segment_arrives(&self, seg: &Segment, params: &TcpParams) -> TimeWaitAction {
        match params.time_wait_rules {
            TimeWaitRules::Rfc9293 => self.by_rfc9293(seg, params),
            TimeWaitRules::Linux => self.by_linux(seg, params),
            TimeWaitRules::FreeBsd => self.by_freebsd(seg, params),
        }
    }

    /// RFC 9293 section 3.10.7.4 for TIME-WAIT.
    fn by_rfc9293(&self, seg: &Segment, params: &TcpParams) -> TimeWaitAction {
        let ts = seg.options.timestamps().map(|(val, _)| val);
        if seg.flags.is_syn() && !seg.flags.is_ack() && !seg.flags.is_rst() {
            return self.syn_arrives(seg, ts, params);
        }
        // PAWS, RFC 7323 section 5.3 R1: a stale timestamp makes the segment unacceptable.
        let stale = match (self.ts_recent, ts) {
            (Some(recent), Some(val)) => (val.wrapping_sub(recent) as i32) < 0,
            _ => false,
        };
        let in_window = if seg.seq_len() == 0 {
            seg.seq == self.rcv_nxt || seg.seq.in_window(self.rcv_nxt, self.rcv_wnd())
        } else {
            seg.seq.in_window(self.rcv_nxt, self.rcv_wnd())
                || (seg.seq_end() - 1).in_window(self.rcv_nxt, self.rcv_wnd())
        };
        if seg.flags.is_rst() {
            // RFC 5961 section 3: an RST counts exactly at RCV.NXT, gets a challenge ACK elsewhere
            // in the window, and silence outside. PAWS does not apply (RFC 7323 section 5.3 R1).
            return match (params.rfc1337, seg.seq == self.rcv_nxt) {
                (true, _) => TimeWaitAction::Drop,
                (false, true) => TimeWaitAction::Kill,
                (false, false) if seg.seq.in_window(self.rcv_nxt, self.rcv_wnd()) => {
                    TimeWaitAction::Ack
                }
                (false, false) => TimeWaitAction::Drop,
            };
        }
        // Fifth: "if the ACK bit is off, drop the segment" - if it is acceptable at all.
        if !seg.flags.is_ack() && in_window && !stale {
            return TimeWaitAction::Drop;
        }
        // "The only thing that can arrive in this state is a retransmission of the remote FIN.
        // Acknowledge it, and restart the 2 MSL timeout."
        let fin_again = seg.flags.is_fin() && seg.flags.is_ack() && seg.seq_end() == self.rcv_nxt;
        if fin_again && !stale {
            return TimeWaitAction::AckAndRestart;
        }
        if seg.flags.is_syn() || stale || !in_window || seg.seq_len() > 0 {
            return TimeWaitAction::Ack;
        }
        TimeWaitAction::Drop
    }

    /// RFC 6191 section 2 if timestamps allow, otherwise RFC 9293 section 3.6.1 (MAY-2).
    ///
    /// Deviation: a SYN that may not open a connection is answered with an ACK, as in RFC 9293 section
    /// 3.10.7.4 for all synchronized states and in Linux, instead of being dropped as in RFC 6191.
    fn syn_arrives(&self, seg: &Segment, ts: Option<u32>, params: &TcpParams) -> TimeWaitAction {
        // Larger than the largest number used before, that of the FIN just below RCV.NXT.
        let later_seq = seg.seq.at_or_after(self.rcv_nxt);
        let newer = match (self.ts_recent, ts) {
            (Some(recent), Some(val)) => match (val.wrapping_sub(recent) as i32).cmp(&0) {
                std::cmp::Ordering::Greater => true,
                std::cmp::Ordering::Equal => later_seq,
                std::cmp::Ordering::Less => false,
            },
            (None, Some(_)) => true,
            (_, None) => later_seq,
        };
        if newer && params.tw_accept_syn {
            self.new_incarnation()
        } else {
            TimeWaitAction::Ack
        }
    }

    /// 65535 + 2 beyond what was sent: outside any window of the old incarnation.
    fn new_incarnation(&self) -> TimeWaitAction {
        TimeWaitAction::NewIncarnation {
            iss_after: self.snd_nxt + 65_537,
        }
    }

    /// The ACK that answers a segment; `ts_clock` is the millisecond clock without offset.
    pub fn ack(&self, src_port: u16, dst_port: u16, ts_clock: u32) -> Segment {
        let options = self.ts_recent.map_or(Options::NONE, |recent| {
            Options::timestamps_only(ts_clock.wrapping_add(self.ts_offset), recent)
        });
        Segment {
            src_port,
            dst_port,
            seq: self.snd_nxt,
            ack: self.rcv_nxt,
            flags: Flags::ACK,
            window: self.window,
            options,
            tag: Tag {
                conn: self.conn,
                offset: 0,
                traced: self.traced,
                ..Tag::default()
            },
            ..Segment::default()
        }
    }
}

mod stacks;
#[cfg(test)]
mod tests;
