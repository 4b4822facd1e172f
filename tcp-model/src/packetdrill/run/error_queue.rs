//! The error queue of a socket: times at which data left and were acknowledged, and notices that
//! what was sent without copying may be used again (Linux MSG_ZEROCOPY).
//!
//! Leaves out: ICMP errors about a SYN (`IP_RECVERR`).

use std::collections::VecDeque;

use super::calls::Attempt;
use super::constants;
use super::flow::Flow;
use super::sockets::Role;
use super::{Runner, Step, unsupported};
use crate::packetdrill::ast::{Call, Expr};

/// SO_ZEROCOPY.
pub(super) const ZEROCOPY: (i64, i64) = (1, 60);
const ENOMSG: i64 = 42;
const ORIGIN_TIMESTAMPING: i64 = 4;
const ORIGIN_ZEROCOPY: i64 = 5;
/// A virtual device copies after all.
const COPIED: i64 = 1;

/// Calls whose bytes are not yet acknowledged: number of the call, place after its last byte.
#[derive(Debug, Default)]
pub(super) struct Uncopied {
    next: u32,
    pending: VecDeque<(u32, u64)>,
}

impl Flow {
    /// A call has sent without copying; the last byte written so far is number `end`.
    pub(super) fn note_uncopied(&mut self, end: u64) {
        let call = self.uncopied.next;
        self.uncopied.next += 1;
        self.uncopied.pending.push_back((call, end));
    }

    /// Calls that are over when so many bytes are acknowledged, as one notice would tell of them.
    fn finished(&self, acked: u64) -> usize {
        let pending = self.uncopied.pending.iter();
        pending.take_while(|(_, end)| *end <= acked).count()
    }

    /// Takes the notice of all calls that are over: the first and the last.
    fn take_notice(&mut self, acked: u64) -> Option<(u32, u32)> {
        let n = self.finished(acked);
        let mut done = self.uncopied.pending.drain(..n);
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
        !known.stamping.is_empty() || known.finished(self.acked(flow)) > 0
    }

    /// recvmsg() with MSG_ERRQUEUE: times first, for what they tell of happened before.
    pub(super) fn read_errors(&mut self, call: &Call, socket: usize) -> Step<Attempt> {
        let Role::Stream(flow) = self.at(socket).role else {
            return Attempt::error(constants::EAGAIN);
        };
        // Once connected, an ICMP error is told to the next call and not kept.
        if self.at(socket).reports_errors() && !self.host.is_connected(flow) {
            return unsupported("ICMP errors in the error queue");
        }
        let stamp = self.host.flows[flow].stamping.take();
        let notice = match stamp {
            Some(stamp) => [
                ("ee_errno", ENOMSG),
                ("ee_origin", ORIGIN_TIMESTAMPING),
                ("ee_type", 0),
                ("ee_code", 0),
                ("ee_info", stamp.kind),
                ("ee_data", stamp.key),
            ],
            None => {
                let acked = self.acked(flow);
                let Some((first, last)) = self.host.flows[flow].take_notice(acked) else {
                    return Attempt::error(constants::EAGAIN);
                };
                [
                    ("ee_errno", 0),
                    ("ee_origin", ORIGIN_ZEROCOPY),
                    ("ee_type", 0),
                    ("ee_code", COPIED),
                    ("ee_info", i64::from(first)),
                    ("ee_data", i64::from(last)),
                ]
            }
        };
        let messages = match call.args.get(1).and_then(|m| m.field("msg_control")) {
            Some(Expr::List(all)) => &all[..],
            _ => &[],
        };
        for data in messages.iter().filter_map(|m| m.field("cmsg_data")) {
            let mut difference = self.compare_notice(data, &notice)?;
            if let (None, Some(stamp)) = (&difference, &stamp) {
                difference = self.compare_time(data, stamp)?;
            }
            if difference.is_some() {
                return Attempt::with(0, difference);
            }
        }
        Attempt::ok(0)
    }

    /// The first field of a notice that is not as the script has it.
    fn compare_notice(
        &self,
        data: &Expr,
        notice: &[(&str, i64)],
    ) -> Step<Option<(String, String)>> {
        for (name, actual) in notice {
            let Some(expr) = data.field(name).filter(|e| **e != Expr::Any) else {
                continue;
            };
            let wanted = self.number(expr)?;
            if wanted != *actual {
                return Ok(Some((
                    format!("{name}={wanted}"),
                    format!("{name}={actual}"),
                )));
            }
        }
        Ok(None)
    }
}
