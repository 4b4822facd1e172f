//! The error queue of a socket: times at which data left and were acknowledged (Linux
//! `SO_TIMESTAMPING`), and notices that what was sent without copying may be used again
//! (`MSG_ZEROCOPY`).
//!
//! Leaves out: ICMP errors about a SYN (`IP_RECVERR`); of the times those of hardware and of data
//! received, `OPT_STATS`, and control messages of one call. Data leave at the moment they are handed
//! to the device.

use std::collections::VecDeque;

use sim_core::{SimDuration, SimTime};

use super::calls::Called;
use super::constants::{EAGAIN, EINVAL};
use super::{Runner, Step, seconds, unsupported};
use crate::packetdrill::ast::{Call, Expr};

/// SO_ZEROCOPY.
pub(super) const ZEROCOPY: (i64, i64) = (1, 60);
/// SO_TIMESTAMPING, whose control message has the same number.
pub(super) const TIMESTAMPING: (i64, i64) = (1, 37);
const TX_SOFTWARE: i64 = 2;
const OPT_ID: i64 = 128;
const TX_SCHED: i64 = 256;
const TX_ACK: i64 = 512;
const OPT_STATS: i64 = 4096;
/// SCM_TSTAMP_SND, _SCHED and _ACK.
const SENT: i64 = 0;
const SCHEDULED: i64 = 1;
const ACKNOWLEDGED: i64 = 2;

const ENOMSG: i64 = 42;
const ORIGIN_TIMESTAMPING: i64 = 4;
const ORIGIN_ZEROCOPY: i64 = 5;
/// A virtual device copies after all.
const COPIED: i64 = 1;

/// A time that the error queue tells of.
#[derive(Clone, Copy, Debug)]
struct Stamp {
    at: SimTime,
    /// SCM_TSTAMP_….
    kind: i64,
    /// Place of the call's last byte, with OPT_ID.
    key: i64,
}

/// A call whose last byte is not yet acknowledged.
#[derive(Debug)]
struct Written {
    key: i64,
    /// Place in the stream after its last byte.
    end: u64,
    left: bool,
}

/// What is asked for on a connection, and what there is to tell.
#[derive(Debug, Default)]
pub(super) struct Stamping {
    flags: i64,
    /// Place in the stream from which keys count.
    origin: u64,
    calls: VecDeque<Written>,
    stamps: VecDeque<Stamp>,
}

impl Stamping {
    /// The socket has these flags from now on, with `acked` bytes acknowledged.
    fn set(&mut self, flags: i64, acked: u64) {
        if flags & OPT_ID != 0 && self.flags & OPT_ID == 0 {
            self.origin = acked;
        }
        self.flags = flags;
    }

    /// A call is about to write; its last byte is followed by number `end`.
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
        self.calls.push_back(Written { key, end, left });
    }

    /// Bytes from `start` up to `end` leave.
    pub(super) fn leave(&mut self, start: u64, end: u64, at: SimTime) {
        for call in &mut self.calls {
            if call.left || !(start < call.end && call.end <= end) {
                continue;
            }
            call.left = true;
            let key = call.key;
            for (flag, kind) in [(TX_SCHED, SCHEDULED), (TX_SOFTWARE, SENT)] {
                if self.flags & flag != 0 {
                    self.stamps.push_back(Stamp { at, kind, key });
                }
            }
        }
    }

    /// So many bytes are acknowledged.
    pub(super) fn acknowledge(&mut self, acked: u64, at: SimTime) {
        while let Some(call) = self.calls.front().filter(|call| call.end <= acked) {
            let (key, kind) = (call.key, ACKNOWLEDGED);
            if self.flags & TX_ACK != 0 {
                self.stamps.push_back(Stamp { at, kind, key });
            }
            self.calls.pop_front();
        }
    }
}

/// Calls whose bytes are not yet acknowledged: number of the call, place after its last byte.
#[derive(Debug, Default)]
pub(super) struct Uncopied {
    next: u32,
    pending: VecDeque<(u32, u64)>,
}

impl Uncopied {
    /// A call has sent without copying; the last byte written so far is number `end`.
    pub(super) fn note(&mut self, end: u64) {
        self.pending.push_back((self.next, end));
        self.next += 1;
    }

    /// Calls that are over when so many bytes are acknowledged, as one notice would tell of them.
    fn finished(&self, acked: u64) -> usize {
        let pending = self.pending.iter();
        pending.take_while(|(_, end)| *end <= acked).count()
    }

    /// Takes the notice of all calls that are over: the first and the last.
    fn take_notice(&mut self, acked: u64) -> Option<(u32, u32)> {
        let n = self.finished(acked);
        let mut done = self.pending.drain(..n);
        let (first, _) = done.next()?;
        Some((first, done.next_back().map_or(first, |(last, _)| last)))
    }
}

impl Runner<'_, '_> {
    /// Bytes of a connection that need not be kept any more.
    fn acked(&self, flow: usize) -> u64 {
        match self.host.view(flow) {
            Some(view) if !self.host.is_over(flow) => view.counts.bytes_acked,
            _ => u64::MAX,
        }
    }

    /// Something is in the error queue.
    pub(super) fn has_notice(&self, flow: usize) -> bool {
        let known = &self.host.flows[flow];
        !known.stamping.stamps.is_empty() || known.uncopied.finished(self.acked(flow)) > 0
    }

    /// Sets SO_TIMESTAMPING.
    pub(super) fn timestamping(&mut self, socket: usize, flags: i64) -> Called {
        if flags & OPT_STATS != 0 {
            return unsupported("SOF_TIMESTAMPING_OPT_STATS");
        }
        match self.stream(socket) {
            Some(flow) => {
                let acked = self.host.view(flow).map_or(0, |v| v.counts.bytes_acked);
                self.host.flows[flow].stamping.set(flags, acked);
            }
            // Keys count from what is acknowledged.
            None if flags & OPT_ID != 0 => return Err(EINVAL.into()),
            None => {}
        }
        self.at(socket).values.insert(TIMESTAMPING, flags);
        Ok(0)
    }

    /// recvmsg() with MSG_ERRQUEUE: times first, for what they tell of happened before.
    pub(super) fn read_errors(&mut self, call: &Call, socket: usize) -> Called {
        let flow = self.stream(socket).ok_or(EAGAIN)?;
        // Once connected, an ICMP error is told to the next call and not kept.
        if self.at(socket).reports_errors() && !self.host.is_connected(flow) {
            return unsupported("ICMP errors in the error queue");
        }
        let acked = self.acked(flow);
        let known = &mut self.host.flows[flow];
        let stamp = known.stamping.stamps.pop_front();
        let [errno, origin, code, info, data] = match stamp {
            Some(stamp) => [ENOMSG, ORIGIN_TIMESTAMPING, 0, stamp.kind, stamp.key],
            None => {
                let (first, last) = known.uncopied.take_notice(acked).ok_or(EAGAIN)?;
                [0, ORIGIN_ZEROCOPY, COPIED, first.into(), last.into()]
            }
        };
        let notice = [
            ("ee_errno", errno),
            ("ee_origin", origin),
            ("ee_type", 0),
            ("ee_code", code),
            ("ee_info", info),
            ("ee_data", data),
        ];
        let messages = match call.args.get(1).and_then(|m| m.field("msg_control")) {
            Some(Expr::List(all)) => &all[..],
            _ => &[],
        };
        for data in messages.iter().filter_map(|m| m.field("cmsg_data")) {
            for (name, actual) in notice {
                if let Some(expr) = data.given(name) {
                    let wanted = self.number(expr)?;
                    self.tells(wanted, actual, |n| format!("{name}={n}"));
                }
            }
            if let Some(stamp) = stamp {
                self.tells_time(data, stamp.at)?;
            }
        }
        Ok(0)
    }

    /// The time in a control message of the error queue, compared.
    fn tells_time(&mut self, data: &Expr, actual: SimTime) -> Step<()> {
        let part = |name| data.given(name).map(|expr| self.number(expr)).transpose();
        let (Some(secs), Some(nanos)) = (part("scm_sec")?, part("scm_nsec")?) else {
            return Ok(());
        };
        let wanted = secs.saturating_mul(1_000_000_000).saturating_add(nanos);
        let wanted = SimTime::ZERO + SimDuration::from_nanos(wanted.max(0) as u64);
        if wanted.max(actual).since(wanted.min(actual)) > self.tolerance.least {
            self.tells(wanted, actual, |time| seconds(*time));
        }
        Ok(())
    }
}
