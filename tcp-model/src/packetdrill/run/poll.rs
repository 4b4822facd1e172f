//! poll and epoll: what is ready.

use sim_core::SimDuration;

use super::calls::{Attempt, Progress};
use super::constants::{self, event_names};
use super::dialect::Family;
use super::open_close::socket;
use super::sockets::{Role, Watch};
use super::{Runner, Step, differs};
use crate::packetdrill::ast::{Call, Expr};
use crate::state::State;

const IN: i64 = 1;
const OUT: i64 = 4;
const ERR: i64 = 8;
const HUP: i64 = 16;
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
            let mss = self.host.details(flow).snd_mss.unwrap_or(0);
            let buffer = socket.params.send_capacity(mss);
            let opening = matches!(view.state, State::SynSent | State::SynReceived);
            let enough = socket.params.notsent_lowat.is_none_or(|least| {
                let unsent = self.host.details(flow).unsent.unwrap_or(0);
                unsent < u64::from(least)
            });
            let fits = view.send_room >= buffer / 3 && enough;
            let room = fits || socket.write_shut || over;
            if room && (over || !opening) {
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

    /// Waits for a time in milliseconds; negative: for ever.
    fn wait_ms(&mut self, progress: &mut Progress, ms: i64) -> Step<Attempt> {
        let timeout =
            (ms >= 0).then(|| SimDuration::from_millis(ms.min(i64::from(i32::MAX)) as u64));
        match self.wait(progress, ms == 0, timeout)? {
            Attempt::Blocks => Ok(Attempt::Blocks),
            Attempt::Done(_) => Attempt::ok(0),
        }
    }

    pub(super) fn poll(&mut self, call: &Call, progress: &mut Progress) -> Step<Attempt> {
        let Some(Expr::List(entries)) = call.args.first() else {
            return differs("first argument of poll", "a list", "something else");
        };
        let (mut ready, mut difference) = (0, None);
        for entry in entries {
            let (Some(fd), Some(events)) = (entry.field("fd"), entry.field("events")) else {
                return differs("an entry of poll", "{fd=…, events=…}", "something else");
            };
            let (fd, events) = (self.number(fd)?, self.number_in(events, Family::Poll)?);
            let actual = match self.sockets.find(fd) {
                Some(socket) => self.readiness(socket) & (events | ERR | HUP),
                None => 32,
            };
            ready += i64::from(actual != 0);
            let wanted = match entry.field("revents") {
                None | Some(Expr::Any) => actual,
                Some(expr) => self.number_in(expr, Family::Poll)?,
            };
            if wanted != actual && difference.is_none() {
                difference = Some((
                    format!("fd {fd}: {}", event_names(wanted)),
                    format!("fd {fd}: {}", event_names(actual)),
                ));
            }
        }
        if ready == 0
            && let Attempt::Blocks = {
                let ms = self.arg(call, 2)?;
                self.wait_ms(progress, ms)?
            }
        {
            return Ok(Attempt::Blocks);
        }
        Attempt::with(ready, difference)
    }

    pub(super) fn epoll_ctl(&mut self, call: &Call) -> Step<Attempt> {
        let epoll = socket!(self, call, 0);
        let (operation, fd) = (self.arg(call, 1)?, self.arg(call, 2)?);
        if self.sockets.find(fd).is_none() {
            return Attempt::error(constants::EBADF);
        }
        let events = match call.args.get(3).and_then(|e| e.field("events")) {
            Some(expr) => self.number(expr)?,
            None => 0,
        };
        let data = match call.args.get(3).and_then(data) {
            Some(expr) => self.number(expr)?,
            None => fd,
        };
        let Role::Epoll(watches) = &mut self.at(epoll).role else {
            return Attempt::error(constants::EINVAL);
        };
        let known = watches.iter().position(|w| w.fd == fd);
        let watch = Watch {
            fd,
            events,
            data,
            told: u64::MAX,
            spent: false,
        };
        match (operation, known) {
            (1, None) => watches.push(watch),
            (2, Some(at)) => {
                watches.remove(at);
            }
            (3, Some(at)) => watches[at] = watch,
            _ => return Attempt::error(constants::EINVAL),
        }
        Attempt::ok(0)
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

    pub(super) fn epoll_wait(&mut self, call: &Call, progress: &mut Progress) -> Step<Attempt> {
        let epoll = socket!(self, call, 0);
        let max = self.arg(call, 2)?.clamp(0, 1024) as usize;
        let ready = self.gather_ready(epoll, max);
        if ready.is_empty() {
            let ms = self.arg(call, 3)?;
            return self.wait_ms(progress, ms);
        }
        let single;
        let wanted: &[Expr] = match call.args.get(1) {
            Some(Expr::List(all)) => all,
            Some(one @ Expr::Struct(_)) => {
                single = [one.clone()];
                &single
            }
            _ => &[],
        };
        let mut difference = None;
        for (want, (told, events)) in wanted.iter().zip(&ready) {
            let mut same = true;
            if let Some(expr) = want.field("events").filter(|e| **e != Expr::Any) {
                same &= self.number(expr)? == *events;
            }
            if let Some(expr) = data(want).filter(|e| **e != Expr::Any) {
                same &= self.number(expr)? == *told;
            }
            if !same && difference.is_none() {
                let events = event_names(*events);
                difference = Some((format!("{want:?}"), format!("fd {told}: {events}")));
            }
        }
        Attempt::with(ready.len() as i64, difference)
    }
}

/// What an `epoll_event` carries beside the events, under any of its names.
fn data(event: &Expr) -> Option<&Expr> {
    let names = ["fd", "ptr", "u32", "u64"];
    names.iter().find_map(|name| event.field(name))
}
