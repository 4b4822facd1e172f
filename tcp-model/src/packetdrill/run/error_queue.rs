//! recvmsg() from the error queue.
//!
//! Leaves out: of the times those of hardware and of data
//! received, `OPT_STATS`, and control messages of one call.

use sim_core::{SimDuration, SimTime};

use super::calls::Called;
use super::{Runner, Step, seconds};
use crate::packetdrill::ast::{Call, Expr};
use crate::sockets::{Notice, SocketNo};

const ENOMSG: i64 = 42;
const ORIGIN_ICMP: i64 = 2;
const ORIGIN_ICMP6: i64 = 3;
const ORIGIN_TIMESTAMPING: i64 = 4;
const ORIGIN_ZEROCOPY: i64 = 5;
/// Octets of a segment that ICMP errors quote.
const QUOTED: u64 = 8;
/// A virtual device copies after all.
const COPIED: i64 = 1;

impl Runner<'_, '_> {
    /// recvmsg() with MSG_ERRQUEUE.
    pub(super) fn read_errors(&mut self, call: &Call, socket: SocketNo) -> Called {
        let notice = self.host.sockets.take_notice(socket)?;
        let (time, [errno, origin, kind, code, info, data]) = match notice {
            Notice::Time { at, kind, key } => {
                (Some(at), [ENOMSG, ORIGIN_TIMESTAMPING, 0, 0, kind, key])
            }
            Notice::Copied(first, last) => (
                None,
                [0, ORIGIN_ZEROCOPY, 0, COPIED, first.into(), last.into()],
            ),
            Notice::Icmp { errno, v6, values } => {
                let origin = if v6 { ORIGIN_ICMP6 } else { ORIGIN_ICMP };
                (None, [errno, origin, values[0], values[1], values[2], 0])
            }
        };
        let values = [
            ("ee_errno", errno),
            ("ee_origin", origin),
            ("ee_type", kind),
            ("ee_code", code),
            ("ee_info", info),
            ("ee_data", data),
        ];
        let messages = match call.args.get(1).and_then(|m| m.field("msg_control")) {
            Some(Expr::List(all)) => &all[..],
            _ => &[],
        };
        for data in messages.iter().filter_map(|m| m.field("cmsg_data")) {
            for (name, actual) in values {
                if let Some(expr) = data.given(name) {
                    let wanted = self.number(expr)?;
                    self.check_output(wanted, actual, |n| format!("{name}={n}"));
                }
            }
            if let Some(time) = time {
                self.tells_time(data, time)?;
            }
        }
        match notice {
            // The quoted part of the segment.
            Notice::Icmp { .. } => {
                let vector = call.args.get(1).and_then(|m| m.field("msg_iov"));
                Ok(self.vector(vector)?.min(QUOTED) as i64)
            }
            _ => Ok(0),
        }
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
            self.check_output(wanted, actual, |time| seconds(*time));
        }
        Ok(())
    }
}
