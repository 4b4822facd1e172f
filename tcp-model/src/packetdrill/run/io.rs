//! Calls that move data. Bytes are counted; their content is ignored.

use super::calls::{Called, NoResult};
use super::open_close::CLOSE_ON_EXEC;
use super::{Runner, Step, differs, invalid, unsupported};
use crate::errno::{EFAULT, EINPROGRESS, EINVAL, Errno};
use crate::model::SendCall;
use crate::packetdrill::ast::{Expr, SystemCall};
use crate::sockets::socket_constants::flags_by_name;
use crate::sockets::{Family, INQ, OUT_OF_BAND_INLINE, Reading, SocketNo, SocketRole, System};

const OOB: i64 = 1;
const PEEK: i64 = 2;
const DONTWAIT: i64 = 0x40;
const EOR: i64 = 0x80;
const WAITALL: i64 = 0x100;
const MORE: i64 = 0x8000;
pub(super) const ERRQUEUE: i64 = 0x2000;
pub(super) const TRUNC: i64 = 0x20;
const CMSG_CLOEXEC: i64 = 0x4000_0000;
const FAST_OPEN: i64 = 0x2000_0000;
const ZEROCOPY: i64 = 0x400_0000;
/// With MSG_DONTROUTE, MSG_CONFIRM and MSG_NOSIGNAL, which change nothing here.
const SENDABLE: i64 = OOB | EOR | DONTWAIT | MORE | FAST_OPEN | ZEROCOPY | 4 | 0x800 | 0x4000;
/// With MSG_TRUNC, MSG_NOSIGNAL and MSG_CMSG_CLOEXEC.
const READABLE: i64 = OOB | PEEK | DONTWAIT | WAITALL | TRUNC | 0x4000 | CMSG_CLOEXEC;

/// The file status flag of fcntl.
const NONBLOCK: i64 = 0x800;

impl Runner<'_, '_> {
    /// Bytes and flags of a call that reads or writes.
    fn length_and_flags(&self, call: &SystemCall) -> Result<(u64, i64), NoResult> {
        let bytes = |n| -> Result<u64, NoResult> {
            match u64::try_from(self.arg(call, n)?) {
                Ok(bytes) => Ok(bytes),
                Err(_) if matches!(call.name.as_str(), "read" | "write") => Err(EINVAL.into()),
                Err(_) => unsupported(format!("a negative length of {}", call.name)),
            }
        };
        let flags = |n| self.arg_in(call, n, Family::Message);
        match call.name.as_str() {
            "read" | "write" => Ok((bytes(2)?, 0)),
            "sendfile" | "sendfile64" => Ok((bytes(3)?, 0)),
            "readv" | "writev" => {
                let count = self.arg(call, 2)?;
                if let Some(Expr::List(parts)) = call.args.get(1)
                    && parts.len() as i64 != count
                {
                    return invalid(format!("{count} buffers, and {} written", parts.len()));
                }
                Ok((self.vector(call.args.get(1))?, 0))
            }
            "recvmsg" | "sendmsg" => {
                let vector = call.args.get(1).and_then(|m| m.field("msg_iov"));
                Ok((self.vector(vector)?, flags(2)?))
            }
            _ => Ok((bytes(2)?, flags(3)?)),
        }
    }

    /// Bytes of `[{..., 1000}, {..., 500}]`.
    pub(super) fn vector(&self, vector: Option<&Expr>) -> Result<u64, NoResult> {
        let Some(Expr::List(parts)) = vector else {
            return differs("an argument", "a list of buffers", "something else");
        };
        let mut sum = 0u64;
        for part in parts {
            let Expr::Struct(fields) = part else {
                return differs("a buffer", "{..., length}", "something else");
            };
            let [_, last] = &fields[..] else {
                return differs("a buffer", "{..., length}", "something else");
            };
            let len = part.field("iov_len").unwrap_or(&last.value);
            let len = u64::try_from(self.number(len)?).map_err(|_| EINVAL)?;
            sum = sum.saturating_add(len);
        }
        Ok(sum)
    }

    pub(super) fn read(&mut self, call: &SystemCall) -> Called {
        let socket = self.socket_of(call, 0)?;
        let (wanted, flags) = self.length_and_flags(call)?;
        let end = self.host.sockets.at(socket);
        if end.role == SocketRole::File {
            return unsupported(format!("{} of a file", call.name));
        }
        let from = match call.name.as_str() {
            "recvfrom" => call.args.get(4),
            "recvmsg" => call.args.get(1).and_then(|m| m.field("msg_name")),
            _ => None,
        };
        if let Some(Expr::Struct(_)) = from {
            return unsupported(format!("an address of {}: TCP tells none", call.name));
        }
        if flags & ERRQUEUE != 0 {
            return self.read_errors(call, socket, flags);
        }
        take_flags(call, flags & !READABLE)?;
        if flags & OOB != 0 {
            if !control_list(call).is_empty() {
                return unsupported("control messages of recvmsg with MSG_OOB");
            }
            let read = self.host.sockets.read_urgent(socket, flags & PEEK != 0)?;
            self.check_message_flags(call, flags, OOB)?;
            return Ok(read.min(wanted) as i64);
        }
        let nonblocking = end.nonblocking || flags & DONTWAIT != 0;
        let timeout = end.receive_timeout;
        // Once the time is over, the bytes read so far are enough.
        let over = timeout.is_some_and(|t| self.progress.started + t <= self.host.sockets.now);
        let how = Reading {
            waits: !nonblocking && !over,
            all: flags & WAITALL != 0 && !over,
            peeks: flags & PEEK != 0,
        };
        if is_null_buffer(call) {
            let peek = Reading { peeks: true, ..how };
            if let Ok(1..) = self.host.sockets.read(socket, wanted, peek) {
                return Err(EFAULT.into());
            }
        }
        let read = self.host.sockets.read(socket, wanted, how);
        if read.is_ok() {
            self.control_messages(call, socket)?;
            self.check_message_flags(call, flags, 0)?;
        }
        self.or_wait(read, nonblocking, timeout)
    }

    /// Compares the flags that recvmsg returns in its message.
    pub(super) fn check_message_flags(
        &mut self,
        call: &SystemCall,
        flags: i64,
        actual: i64,
    ) -> Step<()> {
        let message = call.args.get(1).filter(|_| call.name == "recvmsg");
        let Some(wanted) = message.and_then(|m| m.given("msg_flags")) else {
            return Ok(());
        };
        if self.options.system == System::FreeBsd && flags != 0 {
            return unsupported("msg_flags of recvmsg with flags");
        }
        let wanted = self.number_in(wanted, Family::Message)?;
        self.check_output(wanted, actual | (flags & CMSG_CLOEXEC), |flags| {
            let names = flags_by_name("MSG_", *flags);
            format!("msg_flags={}", if *flags == 0 { "0" } else { &names })
        });
        Ok(())
    }

    /// Compares the control message that recvmsg returns: TCP_INQ, the number of bytes left.
    fn control_messages(&mut self, call: &SystemCall, socket: SocketNo) -> Step<()> {
        let id = self.host.sockets.connection(socket);
        for message in control_list(call) {
            let kind = self.kind_of(message)?;
            if kind != INQ {
                return unsupported(format!("control message {kind:?} of recvmsg"));
            }
            if let Some(Expr::Struct(_)) = message.field("cmsg_data") {
                return invalid("the data of TCP_CM_INQ are a number");
            }
            if self.host.sockets.at(socket).value(INQ) == 0 {
                self.check_output("TCP_CM_INQ", "no control message", |text| text.to_string());
                continue;
            }
            // The end of the stream counts as one more byte.
            let sockets = &self.host.sockets;
            let view = id.and_then(|id| sockets.view(id));
            let left = match view.map_or(0, |v| v.readable) {
                0 if id.is_some_and(|id| sockets.peer_closed(id)) => 1,
                left => left as i64,
            };
            self.check_number(message.field("cmsg_data"), left, Family::Plain)?;
        }
        Ok(())
    }

    /// Level and type of a control message.
    pub(super) fn kind_of(&self, message: &Expr) -> Step<(i64, i64)> {
        match (message.field("cmsg_level"), message.field("cmsg_type")) {
            (Some(level), Some(kind)) => Ok((self.number(level)?, self.number(kind)?)),
            _ => invalid("a control message has cmsg_level and cmsg_type"),
        }
    }

    /// sendfile: like write, from a file of unlimited length.
    pub(super) fn send_file(&mut self, call: &SystemCall) -> Called {
        let file = self.socket_of(call, 1)?;
        if self.host.sockets.at(file).role != SocketRole::File {
            return Err(EINVAL.into());
        }
        self.write(call)
    }

    pub(super) fn write(&mut self, call: &SystemCall) -> Called {
        let socket = self.socket_of(call, 0)?;
        let (wanted, flags) = self.length_and_flags(call)?;
        if self.host.sockets.at(socket).role == SocketRole::File {
            return unsupported(format!("{} to a file", call.name));
        }
        if call.name == "sendmsg" && !control_list(call).is_empty() {
            return unsupported("control messages of sendmsg");
        }
        take_flags(call, flags & !SENDABLE)?;
        let written = self.write_bytes(call, socket, wanted, flags)?;
        if flags & ZEROCOPY != 0 && written > 0 {
            self.host.sockets.note_uncopied(socket);
        }
        Ok(written)
    }

    fn write_bytes(
        &mut self,
        call: &SystemCall,
        socket: SocketNo,
        wanted: u64,
        flags: i64,
    ) -> Called {
        let to = match call.name.as_str() {
            "sendmsg" => call.args.get(1).and_then(|m| m.field("msg_name")),
            _ => call.args.get(4),
        };
        let remote = self.remote(to)?;
        let sockets = &mut self.host.sockets;
        let end = sockets.at(socket);
        let nonblocking = end.nonblocking || flags & DONTWAIT != 0;
        let timeout = end.send_timeout;
        if flags & FAST_OPEN != 0 || sockets.waits_for_data(socket) {
            let how = (self.progress.tried, !nonblocking);
            if let Some(sent) = sockets.open_with_data(socket, remote, wanted, how)? {
                self.progress.done = sent;
                if nonblocking {
                    return self.done_or(EINPROGRESS);
                }
            }
        }
        let sockets = &mut self.host.sockets;
        let id = match sockets.may_write(socket) {
            Ok(id) => id,
            // If the connection fails, the data of the SYN do not count.
            Err(errno) if sockets.connection(socket).is_none() => return Err(errno.into()),
            Err(errno) => return self.done_or(errno),
        };
        let opening = sockets.is_opening(id);
        if !opening && wanted > 0 && is_null_buffer(call) {
            return Err(EFAULT.into());
        }
        // Data written before the handshake is complete are sent with its last ACK.
        if !opening || !(nonblocking || timeout.is_some()) {
            let data = SendCall {
                bytes: wanted - self.progress.done,
                push: flags & MORE == 0,
                urgent: flags & OOB != 0,
                more: flags & MORE != 0,
                ends_record: flags & EOR != 0,
            };
            self.progress.done += sockets.write(id, data);
        }
        let done = self.progress.done;
        if !opening && (done == wanted || (nonblocking && done > 0)) {
            return Ok(done as i64);
        }
        match self.wait(nonblocking, timeout) {
            Err(NoResult::Error(errno)) if !opening => self.done_or(errno),
            waits => waits,
        }
    }

    /// The bytes that a call has moved so far, or its error if there are none.
    fn done_or(&self, errno: Errno) -> Called {
        match self.progress.done {
            0 => Err(errno.into()),
            done => Ok(done as i64),
        }
    }

    pub(super) fn fcntl(&mut self, call: &SystemCall) -> Called {
        const RDWR: i64 = 2;
        const CLOEXEC: i64 = 1;
        // F_SETFL does not change how the file was opened.
        const OPENED: i64 = RDWR | 1 | CLOSE_ON_EXEC;
        let socket = self.socket_of(call, 0)?;
        match self.arg(call, 1)? {
            1 => Ok(self.host.sockets.at(socket).close_on_exec.into()),
            2 => {
                let flags = self.arg(call, 2)?;
                self.host.sockets.at_mut(socket).close_on_exec = flags & CLOEXEC != 0;
                Ok(0)
            }
            3 if matches!(
                self.host.sockets.at(socket).role,
                SocketRole::File | SocketRole::Pipe(_)
            ) =>
            {
                unsupported("F_GETFL of what is not a socket")
            }
            3 if self.host.sockets.at(socket).nonblocking => Ok(RDWR | NONBLOCK),
            3 => Ok(RDWR),
            4 => {
                let flags = self.arg_in(call, 2, Family::Open)?;
                let others = flags & !(NONBLOCK | OPENED);
                if others != 0 {
                    return unsupported(format!("{} of F_SETFL", flags_by_name("O_", others)));
                }
                self.host.sockets.at_mut(socket).nonblocking = flags & NONBLOCK != 0;
                Ok(0)
            }
            other => unsupported(format!("fcntl command {other}")),
        }
    }

    /// FIONREAD: bytes up to an urgent one that has arrived, unless urgent data are read inline.
    fn readable(&self, socket: SocketNo) -> u64 {
        let sockets = &self.host.sockets;
        let Some(id) = sockets.connection(socket) else {
            return 0;
        };
        let inline = sockets.at(socket).value(OUT_OF_BAND_INLINE) != 0;
        let urgent = sockets.urgent_octet(id).filter(|u| u.arrived && !inline);
        let all = sockets.view(id).map_or(0, |v| v.readable);
        urgent.map_or(all, |octet| octet.ahead)
    }

    pub(super) fn ioctl(&mut self, call: &SystemCall) -> Called {
        let socket = self.socket_of(call, 0)?;
        let sockets = &self.host.sockets;
        let id = sockets.connection(socket);
        let view = id.and_then(|id| sockets.view(id));
        let actual = match self.arg_in(call, 1, Family::Ioctl)? {
            0x541b => self.readable(socket),
            0x5411 => view.map_or(0, |v| v.send_queue),
            0x894b => match id.map(|id| sockets.details(id).unsent) {
                Some(None) => return unsupported("SIOCOUTQNSD: the model does not tell it"),
                unsent => unsent.flatten().unwrap_or(0),
            },
            0x8905 => matches!(view.and_then(|v| v.urgent), Some(0 | 1)).into(),
            0x5421 => {
                let on = call.args.get(2);
                let on = on.map_or(Ok(1), |v| self.number_in(v, Family::Plain))?;
                self.host.sockets.at_mut(socket).nonblocking = on != 0;
                return Ok(0);
            }
            other => return unsupported(format!("ioctl request {other:#x}")),
        };
        self.check_number(call.args.get(2), actual as i64, Family::Plain)?;
        Ok(0)
    }
}

/// The control messages that a call writes.
pub(super) fn control_list(call: &SystemCall) -> &[Expr] {
    let message = call.args.get(1);
    match message.and_then(|m| m.field("msg_control")) {
        Some(Expr::List(all)) => all,
        Some(one @ Expr::Struct(_)) => std::slice::from_ref(one),
        _ => &[],
    }
}

/// Whether the bytes of a call are at NULL.
fn is_null_buffer(call: &SystemCall) -> bool {
    let plain = matches!(
        call.name.as_str(),
        "read" | "recv" | "recvfrom" | "write" | "send" | "sendto"
    );
    let null = match call.args.get(1) {
        Some(Expr::Int(n)) => *n == 0,
        Some(Expr::Word(name)) => name == "NULL",
        _ => false,
    };
    plain && null
}

/// Rejects flags that a call does not take as unsupported.
fn take_flags(call: &SystemCall, beyond: i64) -> Step<()> {
    match beyond {
        0 => Ok(()),
        flags => unsupported(format!("{} of {}", flags_by_name("MSG_", flags), call.name)),
    }
}
