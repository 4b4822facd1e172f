//! System calls: the list of calls, their arguments, waiting for those that block, comparing results.

use sim_core::{SimDuration, SimTime};

use super::arguments::Kind::{Buffer, Number, Structure, Structures, Text, Value};
use super::arguments::{ADDRESS, BYTES, EVENT, MESSAGE, POLLED, Takes};
use super::{RunStop, Runner, Step, differs, no_such, seconds, unsupported};
use crate::errno::{EAGAIN, Errno};
use crate::packetdrill::ast::{Expr, Position, SystemCall};
use crate::sockets::socket_constants;
use crate::sockets::{Family, SocketNo};

/// System calls that exist but are not supported here.
const NOT_HERE: &str = "\
    cap_set close_range epoll_pwait2 fork kevent kqueue mmap munmap \
    ppoll pselect recvmmsg select sendmmsg socketpair tee vmsplice";

/// The calls, each with its handler and its arguments; optional ones are in the second brackets.
macro_rules! calls {
    ($($($name:literal)|+ => $handler:ident [$($kind:expr),*] $([$($more:expr),*])?,)*) => {
        const CALLS: &[(&[&str], Takes)] = &[$((
            &[$($name),+],
            Takes { all: &[$($kind),*], more: &[$($($more),*)?] },
        )),*];

        impl Runner<'_, '_> {
            /// Executes a call, as far as that is possible now.
            fn attempt(&mut self, call: &SystemCall) -> Called {
                match call.name.as_str() {
                    $($($name)|+ => self.$handler(call),)*
                    name => unknown(name),
                }
            }
        }
    };
}

calls! {
    "socket" => socket [Number, Number, Number],
    "bind" => bind [Number, Structure(&ADDRESS), Number],
    "listen" => listen [Number, Number],
    "accept" => accept [Number, Structure(&ADDRESS), Number],
    "accept4" => accept [Number, Structure(&ADDRESS), Number, Number],
    "connect" => connect [Number, Structure(&ADDRESS), Number],
    "close" => close [Number],
    "dup" => dup [Number],
    "dup2" => dup [Number, Number],
    "dup3" => dup [Number, Number, Number],
    "shutdown" => shutdown [Number, Number],
    "read" => read [Number, Buffer, Number],
    "recv" => read [Number, Buffer, Number, Number],
    "recvfrom" => read [Number, Buffer, Number, Number, Structure(&ADDRESS), Number],
    "recvmsg" => read [Number, Structure(&MESSAGE), Number],
    "readv" => read [Number, Structures(&BYTES), Number],
    "write" => write [Number, Buffer, Number],
    "send" => write [Number, Buffer, Number, Number],
    "sendto" => write [Number, Buffer, Number, Number, Structure(&ADDRESS), Number],
    "sendmsg" => write [Number, Structure(&MESSAGE), Number],
    "writev" => write [Number, Structures(&BYTES), Number],
    "sendfile" | "sendfile64" => send_file [Number, Number, Number, Number],
    "open" => open_file [Text, Number] [Number],
    "openat" => open_file [Number, Text, Number] [Number],
    "creat" => open_file [Text, Number],
    "pipe" => pipe [Number],
    "pipe2" => pipe [Number, Number],
    "splice" => splice [Number, Number, Number, Number, Number, Number],
    "fcntl" => fcntl [Number, Number] [Number],
    "ioctl" => ioctl [Number, Number, Number],
    "setsockopt" => setsockopt [Number, Number, Number, Value, Number],
    "getsockopt" => getsockopt [Number, Number, Number, Value, Number],
    "getsockname" | "getpeername" => name [Number, Structure(&ADDRESS), Number],
    "poll" => poll [Structures(&POLLED), Number, Number],
    "epoll_create" | "epoll_create1" => epoll_create [Number],
    "epoll_ctl" => epoll_ctl [Number, Number, Number, Structure(&EVENT)],
    "epoll_wait" => epoll_wait [Number, Structures(&EVENT), Number, Number],
    "epoll_pwait" => epoll_wait [Number, Structures(&EVENT), Number, Number, Number] [Number],
}

fn unknown(name: &str) -> Called {
    let elsewhere = || NOT_HERE.split_whitespace();
    if name.starts_with("sctp_") || elsewhere().any(|known| known == name) {
        return unsupported(format!("system call {name}"));
    }
    no_such(
        "system call",
        name,
        CALLS
            .iter()
            .flat_map(|(names, _)| names.iter().copied())
            .chain(elsewhere()),
    )
}

/// The result of a call.
pub(super) type Called = Result<i64, NoResult>;

/// Why a call has no result.
pub(super) enum NoResult {
    /// -1 with this error.
    Error(Errno),
    /// It waits for something to happen.
    Waits,
    /// The run ends here.
    Stop(RunStop),
}

impl From<Errno> for NoResult {
    fn from(errno: Errno) -> NoResult {
        NoResult::Error(errno)
    }
}

impl From<RunStop> for NoResult {
    fn from(stop: RunStop) -> NoResult {
        NoResult::Stop(stop)
    }
}

/// A call that has been made and has not returned.
#[derive(Clone, Copy, Debug)]
pub(super) struct CallInProgress<'s> {
    call: &'s SystemCall,
    at: Position,
    /// When it should return.
    until: Option<SimTime>,
}

/// The progress of a call.
#[derive(Debug, Default)]
pub(super) struct CallProgress {
    pub(super) started: SimTime,
    /// It was tried before.
    pub(super) tried: bool,
    /// Bytes moved so far.
    pub(super) done: u64,
    /// Time at which it stops waiting by itself.
    pub(super) deadline: Option<SimTime>,
    /// The socket whose descriptor the result is.
    made: Option<SocketNo>,
    /// The first result in an argument that differs from the script: expected, actual.
    difference: Option<(String, String)>,
}

impl<'s> Runner<'s, '_> {
    /// Makes a call; without an end time it must return before the script goes on.
    pub(super) fn call(
        &mut self,
        call: &'s SystemCall,
        at: Position,
        until: Option<SimTime>,
    ) -> Step<()> {
        self.finish_call()?;
        if let Some(name) = &call.errno
            && socket_constants::constant(name).is_none()
        {
            let errors = socket_constants::names().filter(|n| n.starts_with('E'));
            return no_such("error", name, errors);
        }
        let mut known = CALLS.iter();
        if let Some((_, takes)) = known.find(|(names, _)| names.contains(&call.name.as_str())) {
            self.check_arguments(call, takes)?;
        }
        self.begun = Some(CallInProgress { call, at, until });
        self.progress = CallProgress {
            started: self.host.sockets.now,
            ..CallProgress::default()
        };
        self.poke()?;
        match until {
            None => self.finish_call(),
            Some(_) => Ok(()),
        }
    }

    /// Waits until the call in progress has returned.
    pub(super) fn finish_call(&mut self) -> Step<()> {
        while let Some(CallInProgress { at, until, .. }) = self.begun {
            let latest = until.map_or(SimTime::MAX, |t| t + self.call_tolerance(t));
            match self.next_wake() {
                Some(wake) if wake <= latest => self.wake(wake)?,
                wake => {
                    let expected = until.map(|t| format!("its return at {}", seconds(t)));
                    let actual = wake.map(|_| format!("it still waits at {}", seconds(latest)));
                    let never = || "nothing more happens that could end it".into();
                    return differs(
                        "the call blocks",
                        expected.unwrap_or_else(|| "its return".into()),
                        actual.unwrap_or_else(never),
                    )
                    .map_err(|stop: RunStop| stop.at(at));
                }
            }
        }
        Ok(())
    }

    /// How far the return of the call may differ from the script's time.
    fn call_tolerance(&self, until: SimTime) -> SimDuration {
        self.tolerance(until, self.progress.started)
    }

    /// Tries the call in progress again after something has happened.
    pub(super) fn poke(&mut self) -> Step<()> {
        let Some(begun) = self.begun.take() else {
            return Ok(());
        };
        self.retry(begun).map_err(|stop| stop.at(begun.at))
    }

    fn retry(&mut self, begun: CallInProgress<'s>) -> Step<()> {
        (self.progress.made, self.progress.difference) = (None, None);
        let result = self.attempt(begun.call);
        self.host.take_news();
        match result {
            Ok(n) => self.check(&begun, Ok(n)),
            Err(NoResult::Error(errno)) => self.check(&begun, Err(errno)),
            Err(NoResult::Stop(stop)) => Err(stop),
            Err(NoResult::Waits) => {
                self.progress.tried = true;
                if let Some(until) = begun.until
                    && until + self.call_tolerance(until) < self.host.sockets.now
                {
                    let actual = format!("later than {}", seconds(self.host.sockets.now));
                    return differs("time of the call's return", seconds(until), actual);
                }
                self.begun = Some(begun);
                Ok(())
            }
        }
    }

    /// Compares the result of a call with the script.
    fn check(&mut self, begun: &CallInProgress<'_>, returned: Result<i64, Errno>) -> Step<()> {
        let call = begun.call;
        let wanted = match (&call.result, &call.errno) {
            (Expr::Any, _) => None,
            (_, Some(name)) => Some(Err(match name.as_str() {
                "EWOULDBLOCK" => "EAGAIN",
                "ENOTSUP" => "EOPNOTSUPP",
                name => name,
            })),
            (result, None) if call.name == "fcntl" => {
                Some(Ok(self.number_in(result, Family::Open)?))
            }
            (result, None) => Some(Ok(self.number(result)?)),
        };
        let text = |result: Result<i64, &str>| match result {
            Ok(n) => n.to_string(),
            Err(name) => format!("-1 {name}"),
        };
        let returned = returned.map_err(|errno| errno.0);
        let actual = match (wanted, self.progress.made) {
            (Some(Ok(fd)), Some(made)) if returned.is_ok() => {
                let free = fd >= 0 && !self.fds.contains_key(&fd);
                self.fds.entry(fd).or_insert(made);
                (!free).then(|| "a descriptor not yet in use".into())
            }
            (Some(Ok(-1)), _) if returned.is_err() => None,
            (Some(wanted), _) if wanted != returned => Some(text(returned)),
            _ => None,
        };
        if let (Some(wanted), Some(actual)) = (wanted, actual) {
            return differs(format!("result of {}", call.name), text(wanted), actual);
        }
        if let Some((expected, actual)) = self.progress.difference.take() {
            return differs(format!("output of {}", call.name), expected, actual);
        }
        let Some(until) = begun.until else {
            return Ok(());
        };
        let (now, tolerance) = (self.host.sockets.now, self.call_tolerance(until));
        if now + tolerance < until || until + tolerance < now {
            let what = format!("time of the return of {}", call.name);
            return differs(what, seconds(until), seconds(now));
        }
        Ok(())
    }

    /// Notes that the result of the call is a descriptor of this new socket.
    pub(super) fn made(&mut self, socket: SocketNo) -> Called {
        self.progress.made = Some(socket);
        Ok(0)
    }

    /// Records the value a call returned in an argument, compared with that of the script.
    pub(super) fn check_output<T: PartialEq>(
        &mut self,
        wanted: T,
        actual: T,
        text: impl Fn(&T) -> String,
    ) {
        if wanted != actual {
            let difference = &mut self.progress.difference;
            difference.get_or_insert_with(|| (text(&wanted), text(&actual)));
        }
    }

    /// The same for a number in `[n]`, if the script writes one.
    pub(super) fn check_number(
        &mut self,
        wanted: Option<&Expr>,
        actual: i64,
        family: Family,
    ) -> Step<()> {
        let any = match wanted {
            None | Some(Expr::Any) => true,
            Some(Expr::List(all)) => all.iter().all(|e| *e == Expr::Any),
            _ => false,
        };
        if let Some(expr) = wanted.filter(|_| !any) {
            let wanted = self.number_in(expr, family)?;
            self.check_output(wanted, actual, |n| format!("[{n}]"));
        }
        Ok(())
    }

    /// The result of a call that waits instead of returning EAGAIN.
    pub(super) fn or_wait(
        &mut self,
        result: Result<u64, Errno>,
        nonblocking: bool,
        timeout: Option<SimDuration>,
    ) -> Called {
        match result {
            Ok(n) => Ok(n as i64),
            Err(EAGAIN) => self.wait(nonblocking, timeout),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Waits at most `timeout`, then returns EAGAIN; returns it at once if `nonblocking`.
    pub(super) fn wait(&mut self, nonblocking: bool, timeout: Option<SimDuration>) -> Called {
        let deadline = timeout.map(|t| self.progress.started + t);
        self.progress.deadline = deadline;
        if nonblocking || deadline.is_some_and(|t| t <= self.host.sockets.now) {
            return Err(EAGAIN.into());
        }
        Err(NoResult::Waits)
    }
}
