//! Calls that move data. Bytes are counted; what they are is not looked at.

use super::calls::{Called, NoResult};
use super::constants::{EINVAL, ENOTCONN, EPIPE, Errno, message_flags};
use super::dialect::Family;
use super::error_queue::ZEROCOPY as SO_ZEROCOPY;
use super::sockets::Role;
use super::{Runner, Step, differs, unsupported};
use crate::model::SendCall;
use crate::packetdrill::ast::{Call, Expr};
use crate::state::State;

const OOB: i64 = 1;
const PEEK: i64 = 2;
const DONTWAIT: i64 = 0x40;
const WAITALL: i64 = 0x100;
const MORE: i64 = 0x8000;
const ERRQUEUE: i64 = 0x2000;
const FAST_OPEN: i64 = 0x2000_0000;
const ZEROCOPY: i64 = 0x400_0000;
/// With MSG_DONTROUTE, MSG_CONFIRM and MSG_NOSIGNAL, which change nothing here.
const SENDABLE: i64 = OOB | DONTWAIT | MORE | FAST_OPEN | ZEROCOPY | 4 | 0x800 | 0x4000;
/// With MSG_TRUNC, MSG_NOSIGNAL and MSG_CMSG_CLOEXEC.
const READABLE: i64 = PEEK | DONTWAIT | WAITALL | 0x20 | 0x4000 | 0x4000_0000;
/// SO_RCVLOWAT and TCP_INQ.
const LOW_WATER: (i64, i64) = (1, 18);
const INQ: (i64, i64) = (6, 36);

/// The file status flag of fcntl.
const NONBLOCK: i64 = 0x800;

impl Runner<'_, '_> {
    /// Bytes and flags of a call that reads or writes.
    fn length_and_flags(&self, call: &Call) -> Step<(u64, i64)> {
        let bytes = |n| Ok(self.arg(call, n)?.max(0) as u64);
        let flags = |n| self.arg_in(call, n, Family::Message);
        match call.name.as_str() {
            "read" | "write" => Ok((bytes(2)?, 0)),
            "sendfile" | "sendfile64" => Ok((bytes(3)?, 0)),
            "readv" | "writev" => Ok((self.vector(call.args.get(1))?, 0)),
            "recvmsg" | "sendmsg" => {
                let vector = call.args.get(1).and_then(|m| m.field("msg_iov"));
                Ok((self.vector(vector)?, flags(2)?))
            }
            _ => Ok((bytes(2)?, flags(3)?)),
        }
    }

    /// Bytes of `[{..., 1000}, {..., 500}]`.
    fn vector(&self, vector: Option<&Expr>) -> Step<u64> {
        let Some(Expr::List(parts)) = vector else {
            return differs("an argument", "a list of buffers", "something else");
        };
        let mut sum = 0u64;
        for part in parts {
            let Expr::Struct(fields) = part else {
                return differs("a buffer", "{..., length}", "something else");
            };
            let last = fields.last().map(|field| &field.value);
            if let Some(len) = part.field("iov_len").or(last) {
                sum = sum.saturating_add(self.number(len)?.max(0) as u64);
            }
        }
        Ok(sum)
    }

    pub(super) fn read(&mut self, call: &Call) -> Called {
        let socket = self.socket_of(call, 0)?;
        let (wanted, flags) = self.length_and_flags(call)?;
        if self.at(socket).role == Role::File {
            return Ok(wanted as i64);
        }
        if flags & ERRQUEUE != 0 {
            return self.read_errors(call, socket);
        }
        take_flags(call, flags & !READABLE)?;
        let flow = self.stream(socket).ok_or(ENOTCONN)?;
        let nonblocking = self.at(socket).nonblocking || flags & DONTWAIT != 0;
        let least = match flags & WAITALL {
            0 => wanted.min(self.low_water(socket)),
            _ => wanted,
        };
        let ready = self.host.view(flow).map_or(0, |v| v.readable);
        let peer_closed = self.host.peer_closed(flow);
        let finished = peer_closed || self.host.is_over(flow) || self.at(socket).read_shut;
        let enough = ready >= least || finished || nonblocking;
        if wanted == 0 || peer_closed || (ready > 0 && enough) {
            let taken = ready.min(wanted);
            if flags & PEEK == 0 && taken > 0 {
                self.host.on_socket(flow, |host, id| host.read(id, taken));
            }
            self.control_messages(call, socket, flow)?;
            return Ok(taken as i64);
        }
        if let Some(errno) = self.host.take_error(flow) {
            return Err(errno.into());
        }
        if finished {
            return Ok(0);
        }
        let timeout = self.at(socket).receive_timeout;
        self.wait(nonblocking, timeout)
    }

    /// SO_RCVLOWAT: fewer bytes are not worth waking up for.
    pub(super) fn low_water(&self, socket: usize) -> u64 {
        let n = self.sockets.all[socket].value(LOW_WATER);
        n.max(1) as u64
    }

    /// What recvmsg tells beside the bytes: TCP_INQ, how many are left.
    fn control_messages(&mut self, call: &Call, socket: usize, flow: usize) -> Step<()> {
        let messages = match call.args.get(1).and_then(|m| m.field("msg_control")) {
            Some(Expr::List(messages)) if call.name == "recvmsg" => &messages[..],
            _ => &[],
        };
        for message in messages {
            let Some(kind) = message.field("cmsg_type") else {
                continue;
            };
            let kind = self.number(kind)?;
            if kind != INQ.1 {
                return unsupported(format!("control message {kind} of recvmsg"));
            }
            if self.at(socket).value(INQ) == 0 {
                self.tells("TCP_CM_INQ", "no control message", |text| text.to_string());
                continue;
            }
            // The end of the stream counts as one more byte to come and get.
            let left = match self.host.view(flow).map_or(0, |v| v.readable) {
                0 if self.host.peer_closed(flow) => 1,
                left => left as i64,
            };
            self.tells_number(message.field("cmsg_data"), left, Family::Plain)?;
        }
        Ok(())
    }

    /// sendfile: as write, from a file whose bytes never run out.
    pub(super) fn send_file(&mut self, call: &Call) -> Called {
        let file = self.socket_of(call, 1)?;
        if self.at(file).role != Role::File {
            return Err(EINVAL.into());
        }
        self.write(call)
    }

    pub(super) fn write(&mut self, call: &Call) -> Called {
        let socket = self.socket_of(call, 0)?;
        let (wanted, flags) = self.length_and_flags(call)?;
        if self.at(socket).role == Role::File {
            return Ok(wanted as i64);
        }
        take_flags(call, flags & !SENDABLE)?;
        let written = self.write_bytes(call, socket, wanted, flags)?;
        // Without SO_ZEROCOPY the flag means nothing.
        let uncopied = flags & ZEROCOPY != 0 && self.at(socket).value(SO_ZEROCOPY) != 0;
        if let Some(flow) = self.stream(socket).filter(|_| uncopied && written > 0) {
            let end = self.host.written(flow);
            self.host.flows[flow].uncopied.note(end);
        }
        Ok(written)
    }

    fn write_bytes(&mut self, call: &Call, socket: usize, wanted: u64, flags: i64) -> Called {
        let nonblocking = self.at(socket).nonblocking || flags & DONTWAIT != 0;
        if (flags & FAST_OPEN != 0 || self.waits_for_data(socket))
            && let Some(result) = self.open_with_data(call, socket, wanted, nonblocking)?
        {
            return Ok(result);
        }
        let flow = self.stream(socket).ok_or(EPIPE)?;
        let timeout = self.at(socket).send_timeout;
        if let Some(errno) = self.host.take_error(flow) {
            if !self.host.is_connected(flow) {
                self.at(socket).role = Role::Fresh;
                return Err(errno.into()); // what the SYN carried does not count
            }
            return self.done_or(errno);
        }
        if self.host.is_over(flow) || self.at(socket).write_shut {
            return self.done_or(EPIPE);
        }
        let opening = matches!(self.host.state(flow), State::SynSent | State::SynReceived);
        let opening = opening && !self.host.is_connected(flow);
        // Data of a writer that waits for the handshake leave with its last ACK.
        if !opening || !(nonblocking || timeout.is_some()) {
            self.send_some(flow, wanted, flags);
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

    /// The bytes that a call has moved so far, or its error when there are none.
    fn done_or(&self, errno: Errno) -> Called {
        match self.progress.done {
            0 => Err(errno.into()),
            done => Ok(done as i64),
        }
    }

    /// Writes as much as there is room for.
    fn send_some(&mut self, flow: usize, wanted: u64, flags: i64) {
        let room = self.host.view(flow).map_or(0, |v| v.send_room);
        let bytes = room.min(wanted - self.progress.done);
        if bytes > 0 {
            let end = self.host.written(flow) + bytes;
            self.host.flows[flow].stamping.write(end);
            let call = SendCall {
                bytes,
                push: flags & MORE == 0,
                urgent: flags & OOB != 0,
                more: flags & MORE != 0,
            };
            self.host.on_socket(flow, |host, id| host.send(id, call));
            self.progress.done += bytes;
        }
        if self.progress.done < wanted {
            self.host.starve(flow);
        }
    }

    pub(super) fn fcntl(&mut self, call: &Call) -> Called {
        const RDWR: i64 = 2;
        let socket = self.socket_of(call, 0)?;
        match self.arg(call, 1)? {
            1 => Ok(1), // FD_CLOEXEC
            2 => Ok(0),
            3 if self.at(socket).nonblocking => Ok(RDWR | NONBLOCK),
            3 => Ok(RDWR),
            4 => {
                let flags = self.arg_in(call, 2, Family::Open)?;
                self.at(socket).nonblocking = flags & NONBLOCK != 0;
                Ok(0)
            }
            other => unsupported(format!("fcntl command {other}")),
        }
    }

    pub(super) fn ioctl(&mut self, call: &Call) -> Called {
        let socket = self.socket_of(call, 0)?;
        let flow = self.stream(socket);
        let view = flow.and_then(|flow| self.host.view(flow));
        let actual = match self.arg_in(call, 1, Family::Ioctl)? {
            0x541b => view.map_or(0, |v| v.readable),
            0x5411 => view.map_or(0, |v| v.send_queue),
            0x894b => match flow.map(|flow| self.host.details(flow).unsent) {
                Some(None) => return unsupported("SIOCOUTQNSD: the model does not tell it"),
                unsent => unsent.flatten().unwrap_or(0),
            },
            0x8905 => matches!(view.and_then(|v| v.urgent), Some(0 | 1)).into(),
            0x5421 => {
                let on = call.args.get(2);
                let on = on.map_or(Ok(1), |v| self.number_in(v, Family::Plain))?;
                self.at(socket).nonblocking = on != 0;
                return Ok(0);
            }
            other => return unsupported(format!("ioctl request {other:#x}")),
        };
        self.tells_number(call.args.get(2), actual as i64, Family::Plain)?;
        Ok(0)
    }
}

/// Flags that a call does not take are not supported.
fn take_flags(call: &Call, beyond: i64) -> Step<()> {
    match beyond {
        0 => Ok(()),
        flags => unsupported(format!("{} of {}", message_flags(flags), call.name)),
    }
}
