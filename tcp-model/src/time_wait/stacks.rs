//! TIME-WAIT rules of widespread stacks, where they differ from the RFCs.

use super::{TimeWait, TimeWaitAction};
use crate::params::TcpParams;
use crate::segment::Segment;

impl TimeWait {
    /// Linux: an RST counts exactly at RCV.NXT and is never challenged; any segment with the ACK
    /// bit, even a bare ACK, restarts the 2 MSL timer; a SYN must be newer by number or by
    /// timestamp, and timestamps are considered only if the old connection had them.
    pub(super) fn by_linux(&self, seg: &Segment, params: &TcpParams) -> TimeWaitAction {
        let flags = seg.flags;
        let ts = seg.options.timestamps().map(|(val, _)| val);
        let age = match (self.ts_recent, ts) {
            (Some(recent), Some(val)) => val.wrapping_sub(recent) as i32,
            _ => 0,
        };
        // Linux rejects RSTs by PAWS too, for the length of TIME-WAIT.
        let stale = age < 0;
        let exact = seg.seq == self.rcv_nxt && !stale;
        if flags.is_rst() {
            return if exact && !params.rfc1337 {
                TimeWaitAction::Kill
            } else {
                TimeWaitAction::Drop
            };
        }
        if exact && seg.seq_len() == 0 {
            return TimeWaitAction::Restart;
        }
        if flags.is_syn() && !flags.is_ack() && !stale {
            let newer = seg.seq.after(self.rcv_nxt) || age > 0;
            if newer && params.tw_accept_syn {
                return self.new_incarnation();
            }
        }
        if stale || flags.is_ack() {
            TimeWaitAction::AckAndRestart
        } else {
            TimeWaitAction::Ack
        }
    }

    /// FreeBSD: RSTs are ignored (RFC 1337), a SYN must have a greater number, and any other segment
    /// with the ACK bit is acknowledged unless it only repeats the last ACK.
    pub(super) fn by_freebsd(&self, seg: &Segment, params: &TcpParams) -> TimeWaitAction {
        let flags = seg.flags;
        let syn = flags.is_syn() && !flags.is_ack();
        if syn && seg.seq.after(self.rcv_nxt) && params.tw_accept_syn && !flags.is_rst() {
            return self.new_incarnation();
        }
        let unstamped = self.ts_recent.is_some() && seg.options.timestamps().is_none();
        if flags.is_rst() || (unstamped && params.require_timestamps) || !flags.is_ack() {
            return TimeWaitAction::Drop;
        }
        if flags.is_fin() && seg.seq_end() == self.rcv_nxt {
            return TimeWaitAction::AckAndRestart;
        }
        let again = seg.seq_len() == 0 && seg.seq == self.rcv_nxt && seg.ack == self.snd_nxt;
        if again {
            TimeWaitAction::Drop
        } else {
            TimeWaitAction::Ack
        }
    }
}
