//! Calls that move data. Bytes are counted; what they are is not looked at.

use super::calls::{Attempt, Progress};
use super::constants::{self, Errno, message_flags};
use super::dialect::Family;
use super::open_close::socket;
use super::sockets::Role;
use super::{Runner, Step, differs, error_queue, unsupported};
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

impl Runner<'_, '_> {
    /// Bytes and flags of a call that reads or writes.
    fn length_and_flags(&self, call: &Call) -> Step<(u64, i64)> {
        match call.name.as_str() {
            "read" | "write" => Ok((self.arg(call, 2)?.max(0) as u64, 0)),
            "readv" | "writev" => Ok((self.vector(call.args.get(1))?, 0)),
            "recvmsg" | "sendmsg" => {
                let vector = call.args.get(1).and_then(|m| m.field("msg_iov"));
                Ok((self.vector(vector)?, self.arg_in(call, 2, Family::Message)?))
            }
            "sendfile" | "sendfile64" => Ok((self.arg(call, 3)?.max(0) as u64, 0)),
            _ => Ok((
                self.arg(call, 2)?.max(0) as u64,
                self.arg_in(call, 3, Family::Message)?,
            )),
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
            let len = fields.iter().find(|f| f.name.as_deref() == Some("iov_len"));
            if let Some(len) = len.or(fields.last()) {
                sum = sum.saturating_add(self.number(&len.value)?.max(0) as u64);
            }
        }
        Ok(sum)
    }

    pub(super) fn read(&mut self, call: &Call, progress: &mut Progress) -> Step<Attempt> {
        let socket = socket!(self, call, 0);
        let (wanted, flags) = self.length_and_flags(call)?;
        if self.at(socket).role == Role::File {
            return Attempt::ok(wanted as i64);
        }
        if flags & ERRQUEUE != 0 {
            return self.read_errors(call, socket);
        }
        if flags & !READABLE != 0 {
            return unsupported(format!(
                "{} of {}",
                message_flags(flags & !READABLE),
                call.name
            ));
        }
        let Role::Stream(flow) = self.at(socket).role else {
            return Attempt::error(constants::ENOTCONN);
        };
        let nonblocking = self.at(socket).nonblocking || flags & DONTWAIT != 0;
        let timeout = self.at(socket).receive_timeout;
        let read_shut = self.at(socket).read_shut;
        let low_water = self.low_water(socket);
        let ready = self.host.view(flow).map_or(0, |v| v.readable);
        let peer_closed = self.host.peer_closed(flow);
        let finished = peer_closed || self.host.is_over(flow) || read_shut;
        let least = if flags & WAITALL != 0 {
            wanted
        } else {
            wanted.min(low_water)
        };
        let enough = ready >= least || finished || nonblocking;
        if wanted == 0 || (ready > 0 && enough) {
            let taken = ready.min(wanted);
            if flags & PEEK == 0 && taken > 0 {
                self.host
                    .on_socket(flow, self.now, |host, id| host.read(id, taken));
            }
            let difference = self.control_messages(call, socket, flow)?;
            return Attempt::with(taken as i64, difference);
        }
        if peer_closed {
            let difference = self.control_messages(call, socket, flow)?;
            return Attempt::with(0, difference);
        }
        if let Some(errno) = self.host.take_error(flow) {
            return Attempt::error(errno);
        }
        if finished {
            return Attempt::ok(0);
        }
        self.wait(progress, nonblocking, timeout)
    }

    /// SO_RCVLOWAT: fewer bytes are not worth waking up for.
    pub(super) fn low_water(&self, socket: usize) -> u64 {
        let n = self.sockets.all[socket].value(LOW_WATER);
        n.max(1) as u64
    }

    /// What recvmsg tells beside the bytes: TCP_INQ, how many are left.
    fn control_messages(
        &self,
        call: &Call,
        socket: usize,
        flow: usize,
    ) -> Step<Option<(String, String)>> {
        let messages = match call.args.get(1).and_then(|m| m.field("msg_control")) {
            Some(Expr::List(messages)) if call.name == "recvmsg" => messages,
            _ => return Ok(None),
        };
        for message in messages {
            let kind = match message.field("cmsg_type") {
                Some(kind) => self.number(kind)?,
                None => continue,
            };
            if kind != INQ.1 {
                return unsupported(format!("control message {kind} of recvmsg"));
            }
            if self.sockets.all[socket].value(INQ) == 0 {
                return Ok(Some(("TCP_CM_INQ".into(), "no control message".into())));
            }
            let left = self.host.view(flow).map_or(0, |v| v.readable);
            // The end of the stream counts as one more byte to come and get.
            let left = if left == 0 && self.host.peer_closed(flow) {
                1
            } else {
                left
            };
            let wanted = message.field("cmsg_data");
            if let Some(difference) = self.compare_first(wanted, left as i64)? {
                return Ok(Some(difference));
            }
        }
        Ok(None)
    }

    /// sendfile: as write, from a file whose bytes never run out.
    pub(super) fn send_file(&mut self, call: &Call, progress: &mut Progress) -> Step<Attempt> {
        let file = socket!(self, call, 1);
        if self.at(file).role != Role::File {
            return Attempt::error(constants::EINVAL);
        }
        self.write(call, progress)
    }

    pub(super) fn write(&mut self, call: &Call, progress: &mut Progress) -> Step<Attempt> {
        let attempt = self.write_bytes(call, progress)?;
        let (_, flags) = self.length_and_flags(call)?;
        // Without SO_ZEROCOPY the flag means nothing.
        if flags & ZEROCOPY != 0
            && let Attempt::Done(returned) = &attempt
            && returned.value.is_ok_and(|n| n > 0)
            && let Ok(socket) = self.socket_of(call, 0)?
            && self.at(socket).value(error_queue::ZEROCOPY) != 0
            && let Role::Stream(flow) = self.at(socket).role
        {
            let view = self.host.view(flow);
            let end = view.map_or(0, |v| v.counts.bytes_acked + v.send_queue);
            self.host.flows[flow].note_uncopied(end);
        }
        Ok(attempt)
    }

    fn write_bytes(&mut self, call: &Call, progress: &mut Progress) -> Step<Attempt> {
        let socket = socket!(self, call, 0);
        let (wanted, flags) = self.length_and_flags(call)?;
        if self.at(socket).role == Role::File {
            return Attempt::ok(wanted as i64);
        }
        if flags & !SENDABLE != 0 {
            return unsupported(format!(
                "{} of {}",
                message_flags(flags & !SENDABLE),
                call.name
            ));
        }
        let nonblocking = self.at(socket).nonblocking || flags & DONTWAIT != 0;
        let opens = flags & FAST_OPEN != 0 || self.waits_for_data(socket);
        if opens && let Some(attempt) = self.open_with_data(call, wanted, nonblocking, progress)? {
            return Ok(attempt);
        }
        let Role::Stream(flow) = self.at(socket).role else {
            return Attempt::error(constants::EPIPE);
        };
        let timeout = self.at(socket).send_timeout;
        let write_shut = self.at(socket).write_shut;
        let partial = |done: u64, errno: Errno| {
            if done > 0 {
                Attempt::ok(done as i64)
            } else {
                Attempt::error(errno)
            }
        };
        if let Some(errno) = self.host.take_error(flow) {
            if !self.host.is_connected(flow) {
                self.at(socket).role = Role::Fresh;
                return Attempt::error(errno); // what the SYN carried does not count
            }
            return partial(progress.done, errno);
        }
        if self.host.is_over(flow) || write_shut {
            return partial(progress.done, constants::EPIPE);
        }
        let opening = matches!(self.host.state(flow), State::SynSent | State::SynReceived);
        let opening = opening && !self.host.is_connected(flow);
        // Data of a writer that waits for the handshake leave with its last ACK.
        if !opening || !(nonblocking || timeout.is_some()) {
            self.send_some(flow, wanted, flags, progress);
        }
        if opening {
            return self.wait(progress, nonblocking, timeout);
        }
        if progress.done == wanted || (nonblocking && progress.done > 0) {
            return Attempt::ok(progress.done as i64);
        }
        match self.wait(progress, nonblocking, timeout)? {
            Attempt::Blocks => Ok(Attempt::Blocks),
            Attempt::Done(_) => partial(progress.done, constants::EAGAIN),
        }
    }

    /// Writes as much as there is room for.
    fn send_some(&mut self, flow: usize, wanted: u64, flags: i64, progress: &mut Progress) {
        let view = self.host.view(flow);
        let room = view.map_or(0, |v| v.send_room);
        let bytes = room.min(wanted - progress.done);
        if bytes > 0 {
            let written = view.map_or(0, |v| v.counts.bytes_acked + v.send_queue);
            self.host.flows[flow].stamping.write(written + bytes);
            let call = SendCall {
                bytes,
                push: flags & MORE == 0,
                urgent: flags & OOB != 0,
                more: flags & MORE != 0,
            };
            self.host
                .on_socket(flow, self.now, |host, id| host.send(id, call));
            progress.done += bytes;
        }
        if progress.done < wanted {
            self.host.starve(flow, self.now);
        }
    }

    pub(super) fn fcntl(&mut self, call: &Call) -> Step<Attempt> {
        const RDWR: i64 = 2;
        const NONBLOCK: i64 = 0x800;
        let socket = socket!(self, call, 0);
        match self.arg(call, 1)? {
            1 => Attempt::ok(1), // FD_CLOEXEC
            2 => Attempt::ok(0),
            3 => {
                let flag = if self.at(socket).nonblocking {
                    NONBLOCK
                } else {
                    0
                };
                Attempt::ok(RDWR | flag)
            }
            4 => {
                let flags = self.arg_in(call, 2, Family::Open)?;
                self.at(socket).nonblocking = flags & NONBLOCK != 0;
                Attempt::ok(0)
            }
            other => unsupported(format!("fcntl command {other}")),
        }
    }

    pub(super) fn ioctl(&mut self, call: &Call) -> Step<Attempt> {
        let socket = socket!(self, call, 0);
        let view = match self.at(socket).role {
            Role::Stream(flow) => self.host.view(flow),
            _ => None,
        };
        let actual = match self.arg_in(call, 1, Family::Ioctl)? {
            0x541b => view.map_or(0, |v| v.readable),
            0x5411 => view.map_or(0, |v| v.send_queue),
            0x894b => match self.at(socket).role {
                Role::Stream(flow) => match self.host.details(flow).unsent {
                    Some(n) => n,
                    None => return unsupported("SIOCOUTQNSD: the model does not tell it"),
                },
                _ => 0,
            },
            0x8905 => {
                let urgent = view.and_then(|v| v.urgent);
                u64::from(urgent == Some(0) || urgent == Some(1))
            }
            0x5421 => {
                let on = call.args.get(2).map_or(Ok(1), |v| self.first(v))?;
                self.at(socket).nonblocking = on != 0;
                return Attempt::ok(0);
            }
            other => return unsupported(format!("ioctl request {other:#x}")),
        };
        let difference = self.compare_first(call.args.get(2), actual as i64)?;
        Attempt::with(0, difference)
    }

    /// The number in `[5]`.
    pub(super) fn first(&self, expr: &Expr) -> Step<i64> {
        match expr {
            Expr::List(all) if all.len() == 1 => self.number(&all[0]),
            other => self.number(other),
        }
    }

    /// What a call put into `[n]`, compared when the script says a number.
    pub(super) fn compare_first(
        &self,
        expr: Option<&Expr>,
        actual: i64,
    ) -> Step<Option<(String, String)>> {
        self.compare_number(expr, actual, None)
    }

    /// The same for a number that may be another system's.
    pub(super) fn compare_number(
        &self,
        expr: Option<&Expr>,
        actual: i64,
        family: Option<Family>,
    ) -> Step<Option<(String, String)>> {
        let any = match expr {
            None | Some(Expr::Any) => true,
            Some(Expr::List(all)) => all.iter().all(|e| *e == Expr::Any),
            _ => false,
        };
        let Some(expr) = expr.filter(|_| !any) else {
            return Ok(None);
        };
        let wanted = match family {
            Some(family) => self.number_in(expr, family)?,
            None => self.first(expr)?,
        };
        Ok((wanted != actual).then(|| (format!("[{wanted}]"), format!("[{actual}]"))))
    }
}
