//! System calls: which there are, waiting for those that block, comparing results.

use sim_core::SimTime;

use super::constants::{self, Errno};
use super::dialect::Family;
use super::sockets::{Role, Socket};
use super::{Runner, Step, Stop, differs, no_such, seconds, unsupported};
use crate::packetdrill::ast::{Call, Expr, Position};

/// System calls that scripts may make.
const CALLS: &str = "\
    accept accept4 bind close connect creat epoll_create epoll_create1 epoll_ctl epoll_pwait \
    epoll_wait fcntl getpeername getsockname getsockopt ioctl listen open openat poll read \
    readv recv recvfrom recvmsg send sendfile sendfile64 sendmsg sendto setsockopt shutdown \
    socket write writev";

/// System calls that exist and have nothing behind them here.
const NOT_HERE: &str = "\
    cap_set close_range dup dup2 dup3 epoll_pwait2 fork kevent kqueue mmap munmap pipe pipe2 \
    ppoll pselect recvmmsg select sendmmsg socketpair splice tee vmsplice";

/// A call that waits.
#[derive(Debug)]
pub(super) struct Blocked<'s> {
    call: &'s Call,
    at: Position,
    until: Option<SimTime>,
    progress: Progress,
}

impl Blocked<'_> {
    /// When the call gives up waiting by itself.
    pub(super) fn deadline(&self) -> Option<SimTime> {
        self.progress.deadline
    }
}

/// How far a call has come.
#[derive(Debug)]
pub(super) struct Progress {
    pub(super) started: SimTime,
    /// It was tried before.
    pub(super) begun: bool,
    /// Bytes moved so far.
    pub(super) done: u64,
    /// Time at which it stops waiting.
    pub(super) deadline: Option<SimTime>,
}

/// What trying a call comes to.
pub(super) enum Attempt {
    Done(Returned),
    /// It waits for something to happen.
    Blocks,
}

/// What a call gives back.
pub(super) struct Returned {
    pub(super) value: Result<i64, Errno>,
    /// The socket for which the result is the descriptor.
    pub(super) socket: Option<usize>,
    /// The first result in an argument that is not as the script has it: expected, actual.
    pub(super) difference: Option<(String, String)>,
}

impl Attempt {
    pub(super) fn ok(value: i64) -> Step<Attempt> {
        Attempt::value(Ok(value))
    }

    pub(super) fn error(errno: Errno) -> Step<Attempt> {
        Attempt::value(Err(errno))
    }

    pub(super) fn value(value: Result<i64, Errno>) -> Step<Attempt> {
        Ok(Attempt::Done(Returned {
            value,
            socket: None,
            difference: None,
        }))
    }

    pub(super) fn descriptor(socket: usize) -> Step<Attempt> {
        Ok(Attempt::Done(Returned {
            value: Ok(0),
            socket: Some(socket),
            difference: None,
        }))
    }

    /// A result with one more in an argument.
    pub(super) fn with(value: i64, difference: Option<(String, String)>) -> Step<Attempt> {
        Ok(Attempt::Done(Returned {
            value: Ok(value),
            socket: None,
            difference,
        }))
    }

    /// Blocks, or EAGAIN where that is not wanted.
    pub(super) fn wait(nonblocking: bool) -> Step<Attempt> {
        if nonblocking {
            Attempt::error(constants::EAGAIN)
        } else {
            Ok(Attempt::Blocks)
        }
    }
}

impl<'s> Runner<'s, '_> {
    /// Starts a call; without an end time it must return before the script goes on.
    pub(super) fn begin_call(
        &mut self,
        call: &'s Call,
        at: Position,
        until: Option<SimTime>,
    ) -> Step<()> {
        if let Some(name) = &call.errno
            && constants::constant(name).is_none()
        {
            let errors = constants::names().filter(|n| n.starts_with('E'));
            return no_such("error", name, errors);
        }
        self.blocked = Some(Blocked {
            call,
            at,
            until,
            progress: Progress {
                started: self.now,
                begun: false,
                done: 0,
                deadline: None,
            },
        });
        self.poke()?;
        if until.is_none() {
            self.finish_call()?;
        }
        Ok(())
    }

    /// Waits until the call that blocks has returned.
    pub(super) fn finish_call(&mut self) -> Step<()> {
        while let Some(blocked) = &self.blocked {
            let (at, until) = (blocked.at, blocked.until);
            let latest = until.map_or(SimTime::MAX, |t| {
                t + self.tolerance(t, blocked.progress.started)
            });
            match self.next_wake() {
                Some(wake) if wake <= latest => self.wake(wake)?,
                wake => {
                    return Err(Stop::Failed {
                        at: Some(at),
                        what: "the call blocks".into(),
                        expected: match until {
                            Some(t) => format!("its return at {}", seconds(t)),
                            None => "its return".into(),
                        },
                        actual: match wake {
                            Some(_) => format!("it still waits at {}", seconds(latest)),
                            None => "nothing more happens that could end it".into(),
                        },
                    });
                }
            }
        }
        Ok(())
    }

    /// Tries the call that blocks again, after something happened.
    pub(super) fn poke(&mut self) -> Step<()> {
        let Some(mut blocked) = self.blocked.take() else {
            return Ok(());
        };
        let place = |stop| match stop {
            Stop::Failed {
                at: None,
                what,
                expected,
                actual,
            } => Stop::Failed {
                at: Some(blocked.at),
                what,
                expected,
                actual,
            },
            other => other,
        };
        let attempt = self.attempt(blocked.call, &mut blocked.progress);
        match attempt.map_err(place)? {
            Attempt::Done(returned) => {
                self.check(&blocked, returned).map_err(place)?;
            }
            Attempt::Blocks => {
                blocked.progress.begun = true;
                let late = blocked
                    .until
                    .is_some_and(|t| t + self.tolerance(t, blocked.progress.started) < self.now);
                if late {
                    let expected = blocked.until.map(seconds).unwrap_or_default();
                    let now = seconds(self.now);
                    return differs(
                        "time of the call's return",
                        expected,
                        format!("later than {now}"),
                    )
                    .map_err(place);
                }
                self.blocked = Some(blocked);
            }
        }
        Ok(())
    }

    fn check(&mut self, blocked: &Blocked<'_>, returned: Returned) -> Step<()> {
        let call = blocked.call;
        let what = format!("result of {}", call.name);
        let wanted = match (&call.result, &call.errno) {
            (Expr::Any, _) => None,
            (result, None) if call.name == "fcntl" => {
                Some(Ok(self.number_in(result, Family::Open)?))
            }
            (result, None) => Some(Ok(self.number(result)?)),
            (_, Some(name)) => Some(Err(match name.as_str() {
                "EWOULDBLOCK" => "EAGAIN",
                "ENOTSUP" => "EOPNOTSUPP",
                name => name,
            })),
        };
        let actual = match returned.value {
            Ok(n) => n.to_string(),
            Err(Errno(name)) => format!("-1 {name}"),
        };
        match (wanted, returned.value) {
            (None, _) => {}
            (Some(Ok(fd)), Ok(_)) if returned.socket.is_some() => {
                let named = returned.socket.is_some_and(|s| self.sockets.name(fd, s));
                if !named {
                    return differs(what, fd.to_string(), "a descriptor not yet in use");
                }
            }
            (Some(Ok(wanted)), Ok(n)) if wanted == n => {}
            (Some(Ok(-1)), Err(_)) => {}
            (Some(Err(wanted)), Err(Errno(name))) if wanted == name => {}
            (Some(Ok(wanted)), _) => return differs(what, wanted.to_string(), actual),
            (Some(Err(wanted)), _) => return differs(what, format!("-1 {wanted}"), actual),
        }
        if let Some((expected, actual)) = returned.difference {
            return differs(format!("what {} tells", call.name), expected, actual);
        }
        let Some(until) = blocked.until else {
            return Ok(());
        };
        let tolerance = self.tolerance(until, blocked.progress.started);
        if self.now + tolerance < until || until + tolerance < self.now {
            return differs(
                format!("time of the return of {}", call.name),
                seconds(until),
                seconds(self.now),
            );
        }
        Ok(())
    }

    /// Does what a call does, as far as it can be done now.
    fn attempt(&mut self, call: &Call, progress: &mut Progress) -> Step<Attempt> {
        match call.name.as_str() {
            "socket" => self.socket(call),
            "bind" => self.bind(call),
            "listen" => self.listen(call),
            "accept" | "accept4" => self.accept(call, progress),
            "connect" => self.connect(call, progress),
            "close" => self.close(call, progress),
            "shutdown" => self.shutdown(call),
            "read" | "recv" | "recvfrom" | "recvmsg" | "readv" => self.read(call, progress),
            "write" | "send" | "sendto" | "sendmsg" | "writev" => self.write(call, progress),
            "sendfile" | "sendfile64" => self.send_file(call, progress),
            "open" | "openat" | "creat" => {
                let file = self.sockets.add(Role::File, &self.params);
                Attempt::descriptor(file)
            }
            "fcntl" => self.fcntl(call),
            "ioctl" => self.ioctl(call),
            "setsockopt" => self.setsockopt(call),
            "getsockopt" => self.getsockopt(call),
            "getsockname" | "getpeername" => self.name(call),
            "poll" => self.poll(call, progress),
            "epoll_create" | "epoll_create1" => {
                let socket = self.sockets.add(Role::Epoll(Vec::new()), &self.params);
                Attempt::descriptor(socket)
            }
            "epoll_ctl" => self.epoll_ctl(call),
            "epoll_wait" | "epoll_pwait" => self.epoll_wait(call, progress),
            name => {
                let mut elsewhere = NOT_HERE.split_whitespace();
                if name.starts_with("sctp_") || elsewhere.any(|known| known == name) {
                    return unsupported(format!("system call {name}"));
                }
                let known = CALLS.split_whitespace().chain(NOT_HERE.split_whitespace());
                no_such("system call", name, known)
            }
        }
    }

    /// Argument number `n` as a number.
    pub(super) fn arg(&self, call: &Call, n: usize) -> Step<i64> {
        match call.args.get(n) {
            Some(expr) => self.number(expr),
            None => differs(
                format!("arguments of {}", call.name),
                format!("at least {}", n + 1),
                call.args.len().to_string(),
            ),
        }
    }

    /// The same where numbers of one system are not those of another.
    pub(super) fn arg_in(&self, call: &Call, n: usize, family: Family) -> Step<i64> {
        match call.args.get(n) {
            Some(expr) => self.number_in(expr, family),
            None => self.arg(call, n),
        }
    }

    /// A number, as Linux has it.
    pub(super) fn number_in(&self, expr: &Expr, family: Family) -> Step<i64> {
        match expr {
            Expr::Int(n) => Ok(self.options.system.to_linux(family, *n)),
            Expr::List(all) if all.len() == 1 => self.number_in(&all[0], family),
            Expr::Binary("|", a, b) => Ok(self.number_in(a, family)? | self.number_in(b, family)?),
            other => self.number(other),
        }
    }

    /// A number, the name of one, or several joined by `|`.
    pub(super) fn number(&self, expr: &Expr) -> Step<i64> {
        match expr {
            Expr::Int(n) => Ok(*n),
            Expr::Word(name) => match self.constant(name) {
                Some(n) => Ok(n),
                None => no_such("constant", name, constants::names()),
            },
            Expr::Binary("|", a, b) => Ok(self.number(a)? | self.number(b)?),
            Expr::Apply(name, args) if matches!(name.as_str(), "htons" | "htonl") => {
                args.first().map_or(Ok(0), |e| self.number(e))
            }
            other => differs("an argument", "a number", format!("{other:?}")),
        }
    }

    /// A constant, or what a name was defined as.
    fn constant(&self, name: &str) -> Option<i64> {
        let state = || self.options.system.state_named(name);
        constants::constant(name).or_else(state).or_else(|| {
            let value = self.defines.get(name)?;
            value.parse().ok().or_else(|| constants::constant(value))
        })
    }

    /// The socket an argument stands for.
    pub(super) fn socket_of(&self, call: &Call, n: usize) -> Step<Result<usize, Errno>> {
        let fd = self.arg(call, n)?;
        Ok(self.sockets.find(fd).ok_or(constants::EBADF))
    }

    pub(super) fn at(&mut self, socket: usize) -> &mut Socket {
        &mut self.sockets.all[socket]
    }
}
