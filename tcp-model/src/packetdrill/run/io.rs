//! Calls that move data. Bytes are counted; what they are is not looked at.

use super::calls::{Attempt, Progress};
use super::constants::{self, Errno};
use super::open_close::socket;
use super::sockets::Role;
use super::{Runner, Step, differs, unsupported};
use crate::model::{Input, SendCall};
use crate::packetdrill::ast::{Call, Expr};
use crate::state::State;

const OOB: i64 = 1;
const PEEK: i64 = 2;
const DONTWAIT: i64 = 0x40;
const WAITALL: i64 = 0x100;
const MORE: i64 = 0x8000;
const SENDABLE: i64 = OOB | DONTWAIT | 0x4000;
const READABLE: i64 = PEEK | DONTWAIT | WAITALL | 0x20 | 0x4000;

impl Runner<'_, '_> {
    /// Bytes and flags of a call that reads or writes.
    fn length_and_flags(&self, call: &Call) -> Step<(u64, i64)> {
        match call.name.as_str() {
            "read" | "write" => Ok((self.arg(call, 2)?.max(0) as u64, 0)),
            "readv" | "writev" => Ok((self.vector(call.args.get(1))?, 0)),
            "recvmsg" | "sendmsg" => {
                let vector = call.args.get(1).and_then(|m| m.field("msg_iov"));
                Ok((self.vector(vector)?, self.arg(call, 2)?))
            }
            _ => Ok((self.arg(call, 2)?.max(0) as u64, self.arg(call, 3)?)),
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
        if flags & !READABLE != 0 {
            return unsupported(format!("flags {flags:#x} of {}", call.name));
        }
        let Role::Stream(flow) = self.at(socket).role else {
            return Attempt::error(constants::ENOTCONN);
        };
        let nonblocking = self.at(socket).nonblocking || flags & DONTWAIT != 0;
        let timeout = self.at(socket).receive_timeout;
        let read_shut = self.at(socket).read_shut;
        let end = &mut self.stack.flows[flow];
        let ready = end.view().map_or(0, |v| v.readable);
        let finished = end.peer_closed || end.over || read_shut;
        let enough = flags & WAITALL == 0 || ready >= wanted || finished || nonblocking;
        if wanted == 0 || (ready > 0 && enough) {
            let taken = ready.min(wanted);
            if flags & PEEK == 0 && taken > 0 {
                self.stack.step(flow, Input::Receive(taken), self.now);
            }
            return Attempt::ok(taken as i64);
        }
        if end.peer_closed {
            return Attempt::ok(0);
        }
        if let Some(errno) = end.error.take() {
            return Attempt::error(errno);
        }
        if finished {
            return Attempt::ok(0);
        }
        self.wait(progress, nonblocking, timeout)
    }

    pub(super) fn write(&mut self, call: &Call, progress: &mut Progress) -> Step<Attempt> {
        let socket = socket!(self, call, 0);
        let (wanted, flags) = self.length_and_flags(call)?;
        if flags & MORE != 0 {
            return unsupported("MSG_MORE: the model cannot hold back what it was given");
        }
        if flags & !SENDABLE != 0 {
            return unsupported(format!("flags {flags:#x} of {}", call.name));
        }
        let Role::Stream(flow) = self.at(socket).role else {
            return Attempt::error(constants::EPIPE);
        };
        let nonblocking = self.at(socket).nonblocking || flags & DONTWAIT != 0;
        let timeout = self.at(socket).send_timeout;
        let write_shut = self.at(socket).write_shut;
        let partial = |done: u64, errno: Errno| {
            if done > 0 {
                Attempt::ok(done as i64)
            } else {
                Attempt::error(errno)
            }
        };
        let end = &mut self.stack.flows[flow];
        if let Some(errno) = end.error.take() {
            return partial(progress.done, errno);
        }
        if end.over || write_shut {
            return partial(progress.done, constants::EPIPE);
        }
        if !end.connected && matches!(end.state(), State::SynSent | State::SynReceived) {
            return self.wait(progress, nonblocking, timeout);
        }
        let room = end.view().map_or(0, |v| v.send_room);
        let bytes = room.min(wanted - progress.done);
        if bytes > 0 {
            let call = SendCall {
                bytes,
                push: true,
                urgent: flags & OOB != 0,
                ..SendCall::default()
            };
            self.stack.step(flow, Input::Send(call), self.now);
            progress.done += bytes;
        }
        if progress.done == wanted || (nonblocking && progress.done > 0) {
            return Attempt::ok(progress.done as i64);
        }
        match self.wait(progress, nonblocking, timeout)? {
            Attempt::Blocks => Ok(Attempt::Blocks),
            Attempt::Done(_) => partial(progress.done, constants::EAGAIN),
        }
    }

    pub(super) fn fcntl(&mut self, call: &Call) -> Step<Attempt> {
        const RDWR: i64 = 2;
        const NONBLOCK: i64 = 0x800;
        let socket = socket!(self, call, 0);
        match self.arg(call, 1)? {
            3 => {
                let flag = if self.at(socket).nonblocking {
                    NONBLOCK
                } else {
                    0
                };
                Attempt::ok(RDWR | flag)
            }
            4 => {
                self.at(socket).nonblocking = self.arg(call, 2)? & NONBLOCK != 0;
                Attempt::ok(0)
            }
            other => unsupported(format!("fcntl command {other}")),
        }
    }

    pub(super) fn ioctl(&mut self, call: &Call) -> Step<Attempt> {
        let socket = socket!(self, call, 0);
        let view = match self.at(socket).role {
            Role::Stream(flow) => self.stack.flows[flow].view(),
            _ => None,
        };
        let actual = match self.arg(call, 1)? {
            0x541b => view.map_or(0, |v| v.readable),
            0x5411 => view.map_or(0, |v| v.send_queue),
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
        let any = match expr {
            None | Some(Expr::Any) => true,
            Some(Expr::List(all)) => all.iter().all(|e| *e == Expr::Any),
            _ => false,
        };
        let Some(expr) = expr.filter(|_| !any) else {
            return Ok(None);
        };
        let wanted = self.first(expr)?;
        Ok((wanted != actual).then(|| (format!("[{wanted}]"), format!("[{actual}]"))))
    }
}
