//! Calls that make and end connections.

use std::collections::VecDeque;

use sim_core::SimTime;

use super::calls::{Attempt, Progress};
use super::constants;
use super::sockets::Role;
use super::{Runner, Step, unsupported};
use crate::model::Input;
use crate::packetdrill::ast::{Call, Expr};
use crate::state::State;

const NONBLOCK: i64 = 0x800;

/// The socket of argument `n`, or the end of the call with EBADF.
macro_rules! socket {
    ($self:ident, $call:ident, $n:expr) => {
        match $self.socket_of($call, $n)? {
            Ok(socket) => socket,
            Err(errno) => return Attempt::error(errno),
        }
    };
}
pub(super) use socket;

impl Runner<'_, '_> {
    pub(super) fn socket(&mut self, call: &Call) -> Step<Attempt> {
        let kind = self.arg(call, 1)?;
        if kind & 0xf != 1 {
            return unsupported("a socket that is not SOCK_STREAM");
        }
        if !matches!(self.arg(call, 2)?, 0 | 6) {
            return unsupported("a socket that is not IPPROTO_TCP");
        }
        let socket = self.sockets.add(Role::Fresh, &self.params);
        self.at(socket).nonblocking = kind & NONBLOCK != 0;
        Attempt::descriptor(socket)
    }

    /// The port of an address, if it says one.
    fn port(&self, address: Option<&Expr>) -> Step<Option<u16>> {
        let port = address.and_then(|a| a.field("sin_port").or_else(|| a.field("sin6_port")));
        Ok(match port {
            Some(expr) if *expr != Expr::Any => Some(self.number(expr)? as u16),
            _ => None,
        })
    }

    pub(super) fn bind(&mut self, call: &Call) -> Step<Attempt> {
        let socket = socket!(self, call, 0);
        if self.at(socket).role != Role::Fresh || self.at(socket).port != 0 {
            return Attempt::error(constants::EINVAL);
        }
        let default = self.sockets.default_port;
        let port = match self.port(call.args.get(1))? {
            Some(0) => self.stack.pick_local_port(),
            Some(port) => port,
            None => default,
        };
        self.at(socket).port = port;
        Attempt::ok(0)
    }

    pub(super) fn listen(&mut self, call: &Call) -> Step<Attempt> {
        let socket = socket!(self, call, 0);
        let backlog = self.arg(call, 1)?.clamp(0, i64::from(u32::MAX)) as u32;
        let backlog = backlog.min(self.at(socket).params.somaxconn);
        if self.at(socket).port == 0 {
            self.at(socket).port = self.stack.pick_local_port();
        }
        let port = self.at(socket).port;
        let other = self.sockets.listener(port).is_some_and(|s| s != socket);
        match &mut self.at(socket).role {
            Role::Fresh if other => return Attempt::error(constants::EADDRINUSE),
            role @ Role::Fresh => {
                let ready = VecDeque::new();
                *role = Role::Listening { backlog, ready };
            }
            Role::Listening { backlog: old, .. } => *old = backlog,
            _ => return Attempt::error(constants::EINVAL),
        }
        Attempt::ok(0)
    }

    pub(super) fn accept(&mut self, call: &Call, progress: &mut Progress) -> Step<Attempt> {
        let socket = socket!(self, call, 0);
        let flags = if call.name == "accept4" {
            self.arg(call, 3)?
        } else {
            0
        };
        let nonblocking = self.at(socket).nonblocking;
        let timeout = self.at(socket).receive_timeout;
        let Role::Listening { ready, .. } = &mut self.at(socket).role else {
            return Attempt::error(constants::EINVAL);
        };
        let Some(flow) = ready.pop_front() else {
            return self.wait(progress, nonblocking, timeout);
        };
        let listener = self.at(socket).clone();
        let made = self.sockets.add(Role::Stream(flow), &listener.params);
        let stream = self.at(made);
        stream.port = listener.port;
        stream.linger = listener.linger;
        stream.keepalive_idle = listener.keepalive_idle;
        stream.nonblocking = flags & NONBLOCK != 0;
        stream.connect_told = true;
        self.stack.flows[flow].listener = None;
        Attempt::descriptor(made)
    }

    pub(super) fn connect(&mut self, call: &Call, progress: &mut Progress) -> Step<Attempt> {
        let socket = socket!(self, call, 0);
        let nonblocking = self.at(socket).nonblocking;
        let timeout = self.at(socket).send_timeout;
        let flow = match self.at(socket).role {
            Role::Fresh => {
                let remote = self.remote_port(call.args.get(1))?;
                if self.defers_connect(socket) {
                    self.at(socket).deferred_port = Some(remote);
                    self.at(socket).connect_told = true;
                    return Attempt::ok(0);
                }
                let flow = self.open_active(socket, remote);
                self.send_syn(socket, flow);
                if nonblocking {
                    return Attempt::error(constants::EINPROGRESS);
                }
                flow
            }
            Role::Stream(flow) => flow,
            _ => return Attempt::error(constants::EISCONN),
        };
        if self.at(socket).connect_told {
            return Attempt::error(constants::EISCONN);
        }
        let end = &mut self.stack.flows[flow];
        if let Some(errno) = end.error.take() {
            self.at(socket).role = Role::Fresh;
            return Attempt::error(errno);
        }
        if end.connected {
            self.at(socket).connect_told = true;
            return Attempt::ok(0);
        }
        if end.over {
            return Attempt::error(constants::ECONNABORTED);
        }
        if nonblocking {
            return Attempt::error(constants::EALREADY);
        }
        match self.wait(progress, false, timeout)? {
            Attempt::Blocks => Ok(Attempt::Blocks),
            Attempt::Done(_) => Attempt::error(constants::EINPROGRESS),
        }
    }

    /// The port an address says, else the next one.
    pub(super) fn remote_port(&mut self, address: Option<&Expr>) -> Step<u16> {
        Ok(match self.port(address)? {
            Some(port) => port,
            None => self.stack.pick_remote_port(),
        })
    }

    /// Gives a socket its end of a new connection.
    pub(super) fn open_active(&mut self, socket: usize, remote: u16) -> usize {
        if self.at(socket).port == 0 {
            self.at(socket).port = self.stack.pick_local_port();
        }
        let (port, params) = (self.at(socket).port, self.at(socket).params.clone());
        let flow = self.stack.add(port, remote, &params, None);
        self.at(socket).role = Role::Stream(flow);
        flow
    }

    /// Blocks at most `timeout`, then EAGAIN.
    pub(super) fn wait(
        &mut self,
        progress: &mut Progress,
        nonblocking: bool,
        timeout: Option<sim_core::SimDuration>,
    ) -> Step<Attempt> {
        let deadline = timeout.map(|t| progress.started + t);
        progress.deadline = deadline;
        Attempt::wait(nonblocking || deadline.is_some_and(|t| t <= self.now))
    }

    pub(super) fn shutdown(&mut self, call: &Call) -> Step<Attempt> {
        let socket = socket!(self, call, 0);
        let how = self.arg(call, 1)?;
        if !(0..=2).contains(&how) {
            return Attempt::error(constants::EINVAL);
        }
        let (read, write) = (how != 1, how != 0);
        match self.at(socket).role.clone() {
            Role::Stream(flow) if self.stack.flows[flow].state() != State::Closed => {
                self.at(socket).read_shut |= read;
                self.at(socket).write_shut |= write;
                if write {
                    self.stack.step(flow, Input::Shutdown, self.now);
                }
                Attempt::ok(0)
            }
            Role::Listening { .. } => {
                if read {
                    self.stop_listening(socket);
                }
                Attempt::ok(0)
            }
            _ => Attempt::error(constants::ENOTCONN),
        }
    }

    /// Half-open connections are forgotten, those not accepted reset.
    fn stop_listening(&mut self, socket: usize) {
        let role = std::mem::replace(&mut self.at(socket).role, Role::Fresh);
        let Role::Listening { ready, .. } = role else {
            return;
        };
        for flow in 0..self.stack.flows.len() {
            if self.stack.flows[flow].listener != Some(socket) {
                continue;
            }
            self.stack.flows[flow].listener = None;
            if ready.contains(&flow) {
                self.stack.step(flow, Input::Abort, self.now);
            } else {
                self.stack.flows[flow].model = None;
            }
        }
    }

    pub(super) fn close(&mut self, call: &Call, progress: &mut Progress) -> Step<Attempt> {
        let fd = self.arg(call, 0)?;
        let socket = socket!(self, call, 0);
        let linger = self.at(socket).linger;
        match self.at(socket).role.clone() {
            Role::Listening { .. } => self.stop_listening(socket),
            Role::Stream(flow) => {
                if !progress.begun {
                    let aborts = linger.is_some_and(|l| l.is_zero());
                    let input = if aborts { Input::Abort } else { Input::Close };
                    self.stack.step(flow, input, self.now);
                }
                // SO_LINGER: waits until all is acknowledged, FIN included.
                let state = self.stack.flows[flow].state();
                let closing = matches!(state, State::FinWait1 | State::Closing | State::LastAck);
                let deadline: Option<SimTime> = linger.map(|l| progress.started + l);
                if closing && deadline.is_some_and(|t| t > self.now) {
                    progress.deadline = deadline;
                    return Ok(Attempt::Blocks);
                }
            }
            _ => {}
        }
        self.sockets.forget(fd);
        Attempt::ok(0)
    }
}
