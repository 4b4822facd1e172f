//! recvmsg() from the error queue.
//!
//! Leaves out hardware timestamps, timestamps of received data, `OPT_STATS`, and control messages of a
//! single call: all of them are reported as not supported.

use sim_core::{SimDuration, SimTime};

use super::calls::Called;
use super::io::{ERRQUEUE, TRUNC, control_list};
use super::{Runner, Step, invalid, seconds, unsupported};
use crate::packetdrill::ast::{Expr, SystemCall};
use crate::params::IpVersion;
use crate::sockets::{Notice, SocketNo, TIMESTAMPING};

const ENOMSG: i64 = 42;
const ORIGIN_ICMP: i64 = 2;
const ORIGIN_ICMP6: i64 = 3;
const ORIGIN_TIMESTAMPING: i64 = 4;
const ORIGIN_ZEROCOPY: i64 = 5;
/// Octets of a segment that ICMP errors quote.
const QUOTED: u64 = 8;
/// SO_EE_CODE_ZEROCOPY_COPIED: a virtual device copies the data.
const COPIED: i64 = 1;
/// SOF_TIMESTAMPING_SOFTWARE: times are reported.
const TELL_TIMES: i64 = 16;
/// Level and type of the message about an error: IP_RECVERR, and of IPv6 IPV6_RECVERR.
const ERROR_V4: (i64, i64) = (0, 11);
const ERROR_V6: (i64, i64) = (41, 25);

impl Runner<'_, '_> {
    /// recvmsg() with MSG_ERRQUEUE.
    pub(super) fn read_errors(
        &mut self,
        call: &SystemCall,
        socket: SocketNo,
        flags: i64,
    ) -> Called {
        let stamping = self.host.sockets.at(socket).value(TIMESTAMPING);
        let notice = self.host.sockets.take_notice(socket)?;
        let (time, [errno, origin, kind, code, info, data]) = match notice {
            Notice::Time { at, kind, key } => {
                let at = Some(at).filter(|_| stamping & TELL_TIMES != 0);
                (at, [ENOMSG, ORIGIN_TIMESTAMPING, 0, 0, kind, key])
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
        for message in control_list(call) {
            self.check_control_message(message, &values, time)?;
        }
        let quoted = match notice {
            // The quoted part of the segment.
            Notice::Icmp { .. } => QUOTED,
            _ => 0,
        };
        let room = match call.name.as_str() {
            "recvmsg" => self.vector(call.args.get(1).and_then(|m| m.field("msg_iov")))?,
            _ => self.arg(call, 2)?.max(0) as u64,
        };
        let cut = if room < quoted { TRUNC } else { 0 };
        self.check_message_flags(call, flags, ERRQUEUE | cut)?;
        Ok(room.min(quoted) as i64)
    }

    /// Compares a control message of the script with the one of the same kind.
    fn check_control_message(
        &mut self,
        message: &Expr,
        fields_of_error: &[(&str, i64)],
        time: Option<SimTime>,
    ) -> Step<()> {
        let kind = self.kind_of(message)?;
        let v6 = self.host.sockets.params().ip_version == IpVersion::V6;
        // Scripts for both families write CMSG_LEVEL_IP and CMSG_TYPE_RECVERR.
        let either = message.field("cmsg_level") == Some(&Expr::Word("CMSG_LEVEL_IP".into()));
        let of_error = match kind {
            ERROR_V4 => !v6 || either,
            ERROR_V6 => v6,
            _ => false,
        };
        let of_time = kind == TIMESTAMPING && time.is_some();
        if !of_error && !of_time {
            self.check_output(
                format!("control message {kind:?}"),
                "none of it".into(),
                String::clone,
            );
            return Ok(());
        }
        let data = match message.field("cmsg_data") {
            None | Some(Expr::Any) => return Ok(()),
            Some(data) => data,
        };
        let Expr::Struct(fields) = data else {
            return invalid("cmsg_data in the error queue is a structure");
        };
        let prefix = if of_error { "ee_" } else { "scm_" };
        let mut names = fields.iter().filter_map(|field| field.name.as_deref());
        if let Some(name) = names.find(|name| !name.starts_with(prefix)) {
            return invalid(format!("there is no {name} in this control message"));
        }
        if let Some(time) = time.filter(|_| of_time) {
            return self.check_time(data, time);
        }
        for &(name, actual) in fields_of_error {
            if let Some(expr) = data.given(name) {
                let wanted = self.number(expr)?;
                self.check_output(wanted, actual, |n| format!("{name}={n}"));
            }
        }
        Ok(())
    }

    /// Compares the time in a control message of the error queue.
    fn check_time(&mut self, data: &Expr, actual: SimTime) -> Step<()> {
        let part = |name| data.given(name).map(|expr| self.number(expr)).transpose();
        let (secs, nanos) = match (part("scm_sec")?, part("scm_nsec")?) {
            (Some(secs), Some(nanos)) => (secs, nanos),
            (None, None) => return Ok(()),
            _ => return unsupported("scm_sec and scm_nsec one without the other"),
        };
        let wanted = secs.saturating_mul(1_000_000_000).saturating_add(nanos);
        let picos = (wanted.max(0) as u64).saturating_mul(1_000);
        let wanted = SimTime::ZERO + SimDuration::from_ps(picos);
        if wanted.max(actual).since(wanted.min(actual)) > self.tolerance.least {
            self.check_output(wanted, actual, |time| seconds(*time));
        }
        Ok(())
    }
}
