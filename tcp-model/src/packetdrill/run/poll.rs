//! poll and epoll: what is ready.

use sim_core::SimDuration;

use super::calls::{Called, NoResult};
use super::constants::{EBADF, EINVAL, event_names};
use super::dialect::Family;
use super::sockets::{Role, Watch};
use super::{Runner, Step, differs};
use crate::packetdrill::ast::{Call, Expr};
use crate::state::State;

const IN: i64 = 1;
const OUT: i64 = 4;
const ERR: i64 = 8;
const HUP: i64 = 16;
const INVALID: i64 = 32;
const RDNORM: i64 = 64;
const WRNORM: i64 = 256;
const RDHUP: i64 = 0x2000;
const ONESHOT: i64 = 1 << 30;
const EDGE: i64 = 1 << 31;

impl Runner<'_, '_> {
    /// All events of a socket.
    fn readiness(&mut self, socket: usize) -> i64 {
        let low_water = self.low_water(socket);
        let socket = &self.sockets.all[socket];
        let flow = match socket.role {
            Role::Listening(id) if self.host.driver().acceptable(id) == 0 => return 0,
            Role::Listening(_) => return IN | RDNORM,
            Role::Stream(flow) if self.host.is_deferred(flow) => return OUT | WRNORM,
            Role::Stream(flow) => flow,
            Role::Fresh => return OUT | WRNORM | HUP,
            Role::File => return IN | OUT | RDNORM | WRNORM,
            Role::Epoll(_) | Role::Closed => return 0,
        };
        let mut events = 0;
        let over = self.host.is_over(flow);
        let no_more = self.host.peer_closed(flow) || over || socket.read_shut;
        if no_more {
            events |= IN | RDNORM | RDHUP;
        }
        if let Some(view) = self.host.view(flow) {
            if view.readable >= low_water {
                events |= IN | RDNORM;
            }
            let details = self.host.details(flow);
            let buffer = socket.params.send_capacity(details.snd_mss.unwrap_or(0));
            let opening = matches!(view.state, State::SynSent | State::SynReceived);
            let unsent = details.unsent.unwrap_or(0);
            let low = socket.params.notsent_lowat;
            let enough = low.is_none_or(|least| unsent < u64::from(least));
            let fits = view.send_room >= buffer / 3 && enough;
            if over || (!opening && (fits || socket.write_shut)) {
                events |= OUT | WRNORM;
            }
        }
        if self.host.error(flow).is_some() || self.has_notice(flow) {
            events |= ERR;
        }
        if over || (no_more && socket.write_shut) {
            events |= HUP;
        }
        events
    }

    /// Waits for a time in milliseconds, then nothing is ready; negative: for ever.
    fn wait_ms(&mut self, ms: i64) -> Called {
        let timeout =
            (ms >= 0).then(|| SimDuration::from_millis(ms.min(i64::from(i32::MAX)) as u64));
        match self.wait(ms == 0, timeout) {
            Err(NoResult::Error(_)) => Ok(0),
            waits => waits,
        }
    }

    pub(super) fn poll(&mut self, call: &Call) -> Called {
        let Some(Expr::List(entries)) = call.args.first() else {
            return differs("first argument of poll", "a list", "something else");
        };
        let mut ready = 0;
        for entry in entries {
            let (Some(fd), Some(events)) = (entry.field("fd"), entry.field("events")) else {
                return differs("an entry of poll", "{fd=…, events=…}", "something else");
            };
            let (fd, events) = (self.number(fd)?, self.number_in(events, Family::Poll)?);
            let actual = match self.sockets.find(fd) {
                Some(socket) => self.readiness(socket) & (events | ERR | HUP),
                None => INVALID,
            };
            ready += i64::from(actual != 0);
            if let Some(expr) = entry.given("revents") {
                let wanted = self.number_in(expr, Family::Poll)?;
                self.tells(wanted, actual, |events| {
                    format!("fd {fd}: {}", event_names(*events))
                });
            }
        }
        match ready {
            0 => self.wait_ms(self.arg(call, 2)?),
            ready => Ok(ready),
        }
    }

    pub(super) fn epoll_create(&mut self, _: &Call) -> Called {
        self.make(Role::Epoll(Vec::new()));
        Ok(0)
    }

    pub(super) fn epoll_ctl(&mut self, call: &Call) -> Called {
        let epoll = self.socket_of(call, 0)?;
        let (operation, fd) = (self.arg(call, 1)?, self.arg(call, 2)?);
        self.sockets.find(fd).ok_or(EBADF)?;
        let event = call.args.get(3);
        let number = |expr: Option<&Expr>| expr.map(|expr| self.number(expr)).transpose();
        let watch = Watch {
            fd,
            events: number(event.and_then(|e| e.field("events")))?.unwrap_or(0),
            data: number(event.and_then(data))?.unwrap_or(fd),
            told: u64::MAX,
            spent: false,
        };
        let Role::Epoll(watches) = &mut self.at(epoll).role else {
            return Err(EINVAL.into());
        };
        match (operation, watches.iter().position(|w| w.fd == fd)) {
            (1, None) => watches.push(watch),
            (2, Some(at)) => {
                watches.remove(at);
            }
            (3, Some(at)) => watches[at] = watch,
            _ => return Err(EINVAL.into()),
        }
        Ok(0)
    }

    /// What is told of the descriptors that are ready, with their events; told ones are marked so.
    fn gather_ready(&mut self, epoll: usize, max: usize) -> Vec<(i64, i64)> {
        let Role::Epoll(mut watches) = self.at(epoll).role.clone() else {
            return Vec::new();
        };
        let mut ready = Vec::new();
        for watch in &mut watches {
            let Some(socket) = self.sockets.find(watch.fd) else {
                continue;
            };
            let events = self.readiness(socket) & (watch.events | ERR | HUP);
            let news = match self.sockets.all[socket].role {
                Role::Stream(flow) => self.host.flows[flow].edges,
                Role::Listening(id) => self.host.driver().acceptable(id) as u64,
                _ => 0,
            };
            let edge = watch.events & EDGE != 0;
            if events == 0 || watch.spent || (edge && watch.told == news) || ready.len() == max {
                continue;
            }
            watch.told = news;
            watch.spent = watch.events & ONESHOT != 0;
            ready.push((watch.data, events));
        }
        self.at(epoll).role = Role::Epoll(watches);
        ready
    }

    pub(super) fn epoll_wait(&mut self, call: &Call) -> Called {
        let epoll = self.socket_of(call, 0)?;
        let max = self.arg(call, 2)?.clamp(0, 1024) as usize;
        let ready = self.gather_ready(epoll, max);
        if ready.is_empty() {
            return self.wait_ms(self.arg(call, 3)?);
        }
        let wanted = match call.args.get(1) {
            Some(Expr::List(all)) => &all[..],
            Some(one @ Expr::Struct(_)) => std::slice::from_ref(one),
            _ => &[],
        };
        for (want, actual) in wanted.iter().zip(&ready) {
            let number = |expr: Option<&Expr>, actual: i64| -> Step<i64> {
                let given = expr.filter(|e| **e != Expr::Any);
                given.map_or(Ok(actual), |expr| self.number(expr))
            };
            let wanted = (
                number(data(want), actual.0)?,
                number(want.field("events"), actual.1)?,
            );
            self.tells(wanted, *actual, |(data, events)| {
                format!("fd {data}: {}", event_names(*events))
            });
        }
        Ok(ready.len() as i64)
    }
}

/// What an `epoll_event` carries beside the events, under any of its names.
fn data(event: &Expr) -> Option<&Expr> {
    let names = ["fd", "ptr", "u32", "u64"];
    names.iter().find_map(|name| event.field(name))
}
