//! `pipe` and `splice`: bytes between a socket and a pipe, which holds so many and knows nothing of them.

use super::Runner;
use super::calls::Called;
use super::{differs, unsupported};
use crate::errno::{EAGAIN, EINVAL};
use crate::model::SendCall;
use crate::packetdrill::ast::{Call, Expr};
use crate::sockets::{Reading, Role};

/// Bytes that a pipe of Linux holds.
const CAPACITY: u64 = 65_536;
const NONBLOCK: i64 = 2;
const MORE: i64 = 4;

impl Runner<'_, '_> {
    /// `pipe([5, 6]) = 0`: the descriptors to read from and to write to, which the script chooses.
    pub(super) fn pipe(&mut self, call: &Call) -> Called {
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
        self.pipes.push(0);
        for fd in ends {
            let end = self.host.sockets.pipe(self.pipes.len() - 1);
            self.fds.insert(fd, end);
        }
        Ok(0)
    }

    /// `splice(in, NULL, out, NULL, bytes, flags)` between a socket and a pipe.
    pub(super) fn splice(&mut self, call: &Call) -> Called {
        let (from, to) = (self.socket_of(call, 0)?, self.socket_of(call, 2)?);
        let wanted = self.arg(call, 4)?.max(0) as u64;
        let flags = self.arg(call, 5)?;
        let sockets = &mut self.host.sockets;
        let (source, target) = (sockets.at(from), sockets.at(to));
        match (&source.role, &target.role) {
            (&Role::Pipe(pipe), Role::Stream(_)) => {
                let nonblocking = target.nonblocking || flags & NONBLOCK != 0;
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
            (Role::Stream(_), &Role::Pipe(pipe)) => {
                let nonblocking = source.nonblocking || flags & NONBLOCK != 0;
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
            (Role::Pipe(_), Role::Pipe(_)) => unsupported("splice from pipe to pipe"),
            _ => Err(EINVAL.into()), // one of the two must be a pipe
        }
    }
}
