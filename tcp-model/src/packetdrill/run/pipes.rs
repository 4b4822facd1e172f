//! `pipe` and `splice`: bytes between a socket and a pipe. A pipe only counts its bytes.

use super::Runner;
use super::calls::Called;
use super::open_close::CLOSE_ON_EXEC;
use super::{differs, unsupported};
use crate::errno::{EAGAIN, EINVAL};
use crate::model::SendCall;
use crate::packetdrill::ast::{Expr, SystemCall};
use crate::sockets::{Family, Reading, SocketRole};

/// Capacity of a pipe on Linux, in bytes.
const CAPACITY: u64 = 65_536;
const NONBLOCK: i64 = 2;
const MORE: i64 = 4;
/// All flags of splice: those above, SPLICE_F_MOVE and SPLICE_F_GIFT.
const ALL: i64 = 15;
/// O_NONBLOCK and O_DIRECT of pipe2.
const PIPE_NONBLOCK: i64 = 0x800;
const DIRECT: i64 = 0x4000;

impl Runner<'_, '_> {
    /// `pipe([5, 6]) = 0`: the descriptors to read from and to write to, which the script chooses.
    pub(super) fn pipe(&mut self, call: &SystemCall) -> Called {
        let Some(Expr::List(ends)) = call.args.first() else {
            return differs("an argument of pipe", "[number, number]", "something else");
        };
        let [read, write] = &ends[..] else {
            return differs("descriptors of pipe", "2", ends.len().to_string());
        };
        let ends = [self.number(read)?, self.number(write)?];
        if ends.iter().any(|fd| self.fds.contains_key(fd)) || ends[0] == ends[1] {
            return differs(
                "descriptors of pipe",
                "two not yet in use",
                format!("{ends:?}"),
            );
        }
        let flags = match call.name.as_str() {
            "pipe2" => self.arg_in(call, 1, Family::Open)?,
            _ => 0,
        };
        if flags & DIRECT != 0 {
            return unsupported("O_DIRECT of pipe2");
        }
        if flags & !(PIPE_NONBLOCK | CLOSE_ON_EXEC) != 0 {
            return Err(EINVAL.into());
        }
        self.pipes.push(0);
        for fd in ends {
            let end = self.host.sockets.pipe(self.pipes.len() - 1);
            let made = self.host.sockets.at_mut(end);
            made.nonblocking = flags & PIPE_NONBLOCK != 0;
            made.close_on_exec = flags & CLOSE_ON_EXEC != 0;
            self.fds.insert(fd, end);
        }
        Ok(0)
    }

    /// `splice(in, NULL, out, NULL, bytes, flags)` between a socket and a pipe.
    pub(super) fn splice(&mut self, call: &SystemCall) -> Called {
        let (from, to) = (self.socket_of(call, 0)?, self.socket_of(call, 2)?);
        let offset = |n| self.arg_in(call, n, Family::Plain);
        if offset(1)? != 0 || offset(3)? != 0 {
            return unsupported("splice with offsets");
        }
        let Ok(wanted) = u64::try_from(self.arg(call, 4)?) else {
            return unsupported("a negative length of splice");
        };
        let flags = self.arg(call, 5)?;
        if flags & !ALL != 0 {
            return Err(EINVAL.into());
        }
        let sockets = &mut self.host.sockets;
        let (source, target) = (sockets.at(from), sockets.at(to));
        let nonblocking = source.nonblocking || target.nonblocking || flags & NONBLOCK != 0;
        match (&source.role, &target.role) {
            (&SocketRole::Pipe(pipe), SocketRole::Stream(_)) => {
                let timeout = target.send_timeout;
                let id = sockets.may_write(to)?;
                let bytes = wanted.min(self.pipes[pipe]);
                let call = SendCall {
                    bytes,
                    push: flags & MORE == 0,
                    more: flags & MORE != 0,
                    ..SendCall::default()
                };
                let moved = match bytes {
                    0 => 0,
                    _ => sockets.write(id, call),
                };
                self.pipes[pipe] -= moved;
                let result = if moved > 0 { Ok(moved) } else { Err(EAGAIN) };
                self.or_wait(result, nonblocking, timeout)
            }
            (SocketRole::Stream(_), &SocketRole::Pipe(pipe)) => {
                let timeout = source.receive_timeout;
                let room = wanted.min(CAPACITY - self.pipes[pipe]);
                if room == 0 && wanted > 0 {
                    return self.wait(nonblocking, timeout);
                }
                let how = Reading::default();
                let read = sockets.read(from, room, how);
                self.pipes[pipe] += read.unwrap_or(0);
                self.or_wait(read, nonblocking, timeout)
            }
            (SocketRole::Pipe(_), SocketRole::Pipe(_)) => unsupported("splice from pipe to pipe"),
            _ => Err(EINVAL.into()), // one of the two must be a pipe
        }
    }
}
