//! poll and epoll: what is ready.

use sim_core::SimDuration;

use super::calls::{Called, NoResult};
use super::open_close::CLOSE_ON_EXEC;
use super::{Runner, Step, differs, invalid, unsupported};
use crate::errno::EINVAL;
use crate::packetdrill::ast::{Expr, SystemCall};
use crate::sockets::socket_constants::event_names;
use crate::sockets::{ALWAYS, Family};

const INVALID: i64 = 32;
/// All events of poll; epoll also has EPOLLET, EPOLLONESHOT and EPOLLWAKEUP.
const POLLED: i64 = 0x27ff;
const WATCHED: i64 = POLLED | (7 << 29);

impl Runner<'_, '_> {
    /// Waits for a time in milliseconds, after which nothing is ready; negative: for ever.
    fn wait_ms(&mut self, ms: i64) -> Called {
        let timeout =
            (ms >= 0).then(|| SimDuration::from_millis(ms.min(i64::from(i32::MAX)) as u64));
        match self.wait(ms == 0, timeout) {
            Err(NoResult::Error(_)) => Ok(0),
            waits => waits,
        }
    }

    pub(super) fn poll(&mut self, call: &SystemCall) -> Called {
        let Some(Expr::List(entries)) = call.args.first() else {
            return differs("first argument of poll", "a list", "something else");
        };
        let count = self.arg(call, 1)?;
        if entries.len() as i64 != count {
            return invalid(format!(
                "{count} entries of poll, and {} written",
                entries.len()
            ));
        }
        let mut ready = 0;
        for entry in entries {
            let (Some(fd), Some(events)) = (entry.field("fd"), entry.field("events")) else {
                return differs("an entry of poll", "{fd=…, events=…}", "something else");
            };
            let (fd, events) = (self.number(fd)?, self.number_in(events, Family::Poll)?);
            only(events, POLLED)?;
            let actual = self.fds.get(&fd).map_or(INVALID, |socket| {
                self.host.sockets.readiness(*socket) & (events | ALWAYS)
            });
            ready += i64::from(actual != 0);
            if let Some(expr) = entry.given("revents") {
                let wanted = self.number_in(expr, Family::Poll)?;
                self.check_output(wanted, actual, |events| {
                    format!("fd {fd}: {}", event_names(*events))
                });
            }
        }
        match ready {
            0 => self.wait_ms(self.arg(call, 2)?),
            ready => Ok(ready),
        }
    }

    pub(super) fn epoll_create(&mut self, call: &SystemCall) -> Called {
        let argument = self.arg(call, 0)?;
        let flags = match call.name.as_str() {
            "epoll_create" if argument <= 0 => return Err(EINVAL.into()),
            "epoll_create" => 0,
            _ if argument & !CLOSE_ON_EXEC != 0 => return Err(EINVAL.into()),
            _ => argument,
        };
        let epoll = self.host.sockets.epoll();
        self.host.sockets.at_mut(epoll).close_on_exec = flags != 0;
        self.made(epoll)
    }

    pub(super) fn epoll_ctl(&mut self, call: &SystemCall) -> Called {
        let epoll = self.socket_of(call, 0)?;
        let (operation, fd) = (self.arg(call, 1)?, self.arg(call, 2)?);
        let watched = self.socket_of(call, 2)?;
        let event = call.args.get(3);
        let number = |expr: Option<&Expr>| expr.map(|expr| self.number(expr)).transpose();
        let events = number(event.and_then(|e| e.field("events")))?.unwrap_or(0);
        only(events, WATCHED)?;
        let data = number(event.and_then(data))?.unwrap_or(fd);
        let sockets = &mut self.host.sockets;
        sockets.watch(epoll, operation, watched, events, data)?;
        Ok(0)
    }

    pub(super) fn epoll_wait(&mut self, call: &SystemCall) -> Called {
        let epoll = self.socket_of(call, 0)?;
        let max = self.arg(call, 2)?.min(1024);
        if max <= 0 {
            return Err(EINVAL.into());
        }
        let mask = call.args.get(4).filter(|expr| **expr != Expr::Any);
        if mask.map_or(Ok(0), |expr| self.number(expr))? != 0 {
            return unsupported("a mask of signals");
        }
        let max = max as usize;
        let ready = self.host.sockets.watched(epoll, max);
        if ready.is_empty() {
            return self.wait_ms(self.arg(call, 3)?);
        }
        let wanted = match call.args.get(1) {
            Some(Expr::List(all)) => &all[..],
            Some(one @ Expr::Struct(_)) => std::slice::from_ref(one),
            _ => &[],
        };
        if wanted.len() > ready.len() {
            self.check_output(wanted.len(), ready.len(), |n| format!("{n} events"));
        }
        for (want, actual) in wanted.iter().zip(&ready) {
            let number = |expr: Option<&Expr>, actual: i64| -> Step<i64> {
                let given = expr.filter(|e| **e != Expr::Any);
                given.map_or(Ok(actual), |expr| self.number(expr))
            };
            let wanted = (
                number(data(want), actual.0)?,
                number(want.field("events"), actual.1)?,
            );
            self.check_output(wanted, *actual, |(data, events)| {
                format!("fd {data}: {}", event_names(*events))
            });
        }
        Ok(ready.len() as i64)
    }
}

/// Rejects other bits as unsupported.
fn only(events: i64, known: i64) -> Step<()> {
    match events & !known {
        0 => Ok(()),
        bits => unsupported(format!("the events {bits:#x}")),
    }
}

/// The user data of an `epoll_event`, under any of its names.
fn data(event: &Expr) -> Option<&Expr> {
    let names = ["fd", "ptr", "u32", "u64"];
    names.iter().find_map(|name| event.field(name))
}
