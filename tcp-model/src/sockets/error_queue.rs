//! The error queue of a socket: time stamps of sending and acknowledgement (Linux `SO_TIMESTAMPING`), and
//! notifications that zero-copy buffers may be reused (`MSG_ZEROCOPY`). Data are sent the moment they are
//! handed to the device.

use std::collections::VecDeque;
use std::net::SocketAddrV4;

use super::notice::Notice;
use super::{SocketNo, SocketRole, Sockets};
use crate::errno::{EAGAIN, EINVAL, Errno};
use crate::host::SocketId;
use sim_core::SimTime;

/// SO_ZEROCOPY.
pub(crate) const ZEROCOPY: (i64, i64) = (1, 60);
/// SO_TIMESTAMPING, whose control message has the same number.
pub(crate) const TIMESTAMPING: (i64, i64) = (1, 37);
const TX_SOFTWARE: i64 = 2;
const OPT_ID: i64 = 128;
const TX_SCHED: i64 = 256;
const TX_ACK: i64 = 512;
/// SCM_TSTAMP_SND, _SCHED and _ACK.
const SENT: i64 = 0;
const SCHEDULED: i64 = 1;
const ACKNOWLEDGED: i64 = 2;

/// A call whose last byte is not yet acknowledged.
#[derive(Debug)]
struct PendingWrite {
    key: i64,
    /// Stream offset after its last byte.
    end: u64,
    left: bool,
}

/// Requested time stamps of a connection, and pending ones.
#[derive(Debug, Default)]
pub(super) struct Stamping {
    flags: i64,
    /// Stream offset from which keys count.
    origin: u64,
    calls: VecDeque<PendingWrite>,
    stamps: VecDeque<Notice>,
}

impl Stamping {
    /// Sets the flags, with `acked` bytes acknowledged.
    fn set(&mut self, flags: i64, acked: u64) {
        if flags & OPT_ID != 0 && self.flags & OPT_ID == 0 {
            self.origin = acked;
        }
        self.flags = flags;
    }

    /// Notes a call about to write up to stream offset `end`.
    pub(super) fn write(&mut self, end: u64) {
        if self.flags & (TX_SOFTWARE | TX_SCHED | TX_ACK) == 0 {
            return;
        }
        let place = end.saturating_sub(1 + self.origin);
        let key = match self.flags & OPT_ID {
            0 => 0,
            _ => place as i64,
        };
        let left = false;
        self.calls.push_back(PendingWrite { key, end, left });
    }

    /// Notes that bytes from `start` up to `end` are sent.
    pub(super) fn leave(&mut self, start: u64, end: u64, at: SimTime) {
        for call in &mut self.calls {
            if call.left || !(start < call.end && call.end <= end) {
                continue;
            }
            call.left = true;
            let key = call.key;
            for (flag, kind) in [(TX_SCHED, SCHEDULED), (TX_SOFTWARE, SENT)] {
                if self.flags & flag != 0 {
                    self.stamps.push_back(Notice::Time { at, kind, key });
                }
            }
        }
    }

    /// Notes that `acked` bytes are acknowledged.
    pub(super) fn acknowledge(&mut self, acked: u64, at: SimTime) {
        while let Some(call) = self.calls.front().filter(|call| call.end <= acked) {
            let (key, kind) = (call.key, ACKNOWLEDGED);
            if self.flags & TX_ACK != 0 {
                self.stamps.push_back(Notice::Time { at, kind, key });
            }
            self.calls.pop_front();
        }
    }
}

/// Calls whose bytes are not yet acknowledged: number of the call, stream offset after its last byte.
#[derive(Debug, Default)]
pub(super) struct UnacknowledgedSends {
    next: u32,
    pending: VecDeque<(u32, u64)>,
}

impl UnacknowledgedSends {
    /// Notes a zero-copy call; written data end at stream offset `end`.
    pub(super) fn note(&mut self, end: u64) {
        self.pending.push_back((self.next, end));
        self.next += 1;
    }

    /// Number of calls completed when `acked` bytes are acknowledged, to be reported in one notification.
    fn finished(&self, acked: u64) -> usize {
        let pending = self.pending.iter();
        pending.take_while(|(_, end)| *end <= acked).count()
    }

    /// Takes the notification of all completed calls.
    fn take_notice(&mut self, acked: u64) -> Option<Notice> {
        let n = self.finished(acked);
        let mut done = self.pending.drain(..n);
        let (first, _) = done.next()?;
        let last = done.next_back().map_or(first, |(last, _)| last);
        Some(Notice::Copied(first, last))
    }
}

impl Sockets<'_> {
    /// Acknowledged bytes of a connection.
    fn acked(&self, id: SocketId) -> u64 {
        match self.view(id) {
            Some(view) if !self.is_over(id) => view.counts.bytes_acked,
            _ => u64::MAX,
        }
    }

    /// Whether the error queue has an entry.
    pub(super) fn has_notice(&self, id: SocketId) -> bool {
        self.stream(id).is_some_and(|stream| {
            let finished = stream.uncopied.finished(self.acked(id));
            finished > 0 || !stream.stamping.stamps.is_empty()
        })
    }

    /// Takes the first entry of the error queue: time stamps first, since they are of earlier events.
    ///
    /// # Errors
    /// `EAGAIN` when it is empty.
    pub(crate) fn take_notice(&mut self, socket: SocketNo) -> Result<Notice, Errno> {
        if let Some(notice) = self.at_mut(socket).icmp.pop_front() {
            return Ok(notice);
        }
        let id = self.connection(socket).ok_or(EAGAIN)?;
        let acked = self.acked(id);
        let stream = self.stream_mut(id).ok_or(EAGAIN)?;
        let time = stream.stamping.stamps.pop_front();
        time.or_else(|| stream.uncopied.take_notice(acked))
            .ok_or(EAGAIN)
    }

    /// Handles an ICMP error about the SYN of a connection: the error queue of a socket with
    /// IP_RECVERR keeps it. Once the socket is connected, the next call reports the error and it is
    /// not kept.
    pub(crate) fn keep_icmp(&mut self, ends: (SocketAddrV4, SocketAddrV4), notice: Notice) {
        let stream = self.streams.iter().rfind(|stream| stream.ends == ends);
        let Some(id) = stream.filter(|s| s.reports_errors).map(|s| s.id) else {
            return;
        };
        if self.is_opening(id)
            && let Some(socket) = self
                .all
                .iter_mut()
                .find(|s| s.role == SocketRole::Stream(id))
        {
            socket.icmp.push_back(notice);
        }
    }

    /// Sets SO_TIMESTAMPING.
    pub(super) fn set_timestamping(&mut self, socket: SocketNo, flags: i64) -> Result<(), Errno> {
        match self.connection(socket) {
            Some(id) => {
                let acked = self.view(id).map_or(0, |view| view.counts.bytes_acked);
                if let Some(stream) = self.stream_mut(id) {
                    stream.stamping.set(flags, acked);
                }
            }
            // Keys count from the acknowledged data.
            None if flags & OPT_ID != 0 => return Err(EINVAL),
            None => {}
        }
        self.at_mut(socket).values.insert(TIMESTAMPING, flags);
        Ok(())
    }
}
