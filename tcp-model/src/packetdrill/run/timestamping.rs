//! When data left and were acknowledged, as a socket's error queue tells (Linux `SO_TIMESTAMPING`).
//!
//! Leaves out: hardware, data received, `OPT_STATS`, control messages of one call. Data leave at the
//! moment they are handed to the device.

use std::collections::VecDeque;

use sim_core::SimTime;

use super::calls::Attempt;
use super::constants;
use super::sockets::Role;
use super::{Runner, Step, seconds, unsupported};
use crate::packetdrill::ast::Expr;

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

/// A time that the error queue tells of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stamp {
    at: SimTime,
    /// SCM_TSTAMP_….
    pub(super) kind: i64,
    /// Place of the call's last byte, with OPT_ID.
    pub(super) key: i64,
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
    pub(super) fn set(&mut self, flags: i64, acked: u64) {
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
        self.calls.push_back(Written {
            key: if self.flags & OPT_ID != 0 {
                place as i64
            } else {
                0
            },
            end,
            left: false,
        });
    }

    /// Bytes from `start` up to `end` leave.
    pub(super) fn leave(&mut self, start: u64, end: u64, at: SimTime) {
        for call in &mut self.calls {
            if call.left || !(start < call.end && call.end <= end) {
                continue;
            }
            call.left = true;
            for (flag, kind) in [(TX_SCHED, SCHEDULED), (TX_SOFTWARE, SENT)] {
                if self.flags & flag != 0 {
                    let key = call.key;
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

    pub(super) fn is_empty(&self) -> bool {
        self.stamps.is_empty()
    }

    pub(super) fn take(&mut self) -> Option<Stamp> {
        self.stamps.pop_front()
    }
}

impl Runner<'_, '_> {
    /// Sets SO_TIMESTAMPING.
    pub(super) fn timestamping(&mut self, socket: usize, flags: i64) -> Step<Attempt> {
        if flags & OPT_STATS != 0 {
            return unsupported("SOF_TIMESTAMPING_OPT_STATS");
        }
        match self.at(socket).role {
            Role::Stream(flow) => {
                let acked = self.host.view(flow).map_or(0, |v| v.counts.bytes_acked);
                self.host.flows[flow].stamping.set(flags, acked);
            }
            // Keys count from what is acknowledged.
            _ if flags & OPT_ID != 0 => return Attempt::error(constants::EINVAL),
            _ => {}
        }
        self.at(socket).values.insert(TIMESTAMPING, flags);
        Attempt::ok(0)
    }

    /// The time in a control message of the error queue, compared.
    pub(super) fn compare_time(
        &self,
        data: &Expr,
        stamp: &Stamp,
    ) -> Step<Option<(String, String)>> {
        let part = |name| match data.field(name) {
            None | Some(Expr::Any) => Ok(None),
            Some(expr) => self.number(expr).map(Some),
        };
        let (Some(secs), Some(nanos)) = (part("scm_sec")?, part("scm_nsec")?) else {
            return Ok(None);
        };
        let wanted = secs.saturating_mul(1_000_000_000).saturating_add(nanos);
        let wanted = SimTime::ZERO + sim_core::SimDuration::from_nanos(wanted.max(0) as u64);
        let off = wanted.max(stamp.at).since(wanted.min(stamp.at));
        let near = off <= self.tolerance.least;
        Ok((!near).then(|| (seconds(wanted), seconds(stamp.at))))
    }
}
