//! Health checks of a proxy: a connect to each upstream server at regular intervals, as HAProxy's `check`. The
//! connection of a check that succeeds is reset, and leaves no TIME-WAIT.
//!
//! Leaves out checks that make a request: a server whose host accepts connections is healthy, however slow its
//! application.

use sim_core::SimDuration;

use super::super::deadline::Deadline;
use super::health::{CheckConnection, check_token};
use super::upstreams::Upstreams;
use crate::host::{ConnectOptions, SocketCx, SocketId};
use crate::sample::{TcpSample, UpstreamSample};

impl Upstreams {
    /// Requests the first check of each server; they are spread evenly over an interval.
    pub(super) fn start(&mut self, socket: &mut SocketCx<'_, '_>) {
        let Some(health) = self.spec.health else {
            return;
        };
        let n = self.servers.len().max(1) as u64;
        for i in 0..self.servers.len() as u64 {
            let phase = u128::from(health.interval.as_ps()) * u128::from(i) / u128::from(n);
            let first = SimDuration::from_ps(phase as u64);
            socket.wake(socket.now().saturating_add(first), check_token(i as usize));
        }
    }

    /// Begins a check of a server.
    pub(super) fn check(&mut self, server: usize, socket: &mut SocketCx<'_, '_>) {
        let Some(spec) = self.spec.health else {
            return;
        };
        let token = check_token(server);
        socket.wake(socket.now().saturating_add(spec.interval), token);
        let local = self.spec.locals.first().copied();
        let class = self.spec.class;
        let Some(upstream) = self.servers.get_mut(server) else {
            return;
        };
        let Some(health) = upstream.health.as_mut().filter(|h| !h.checking) else {
            return;
        };
        let options = ConnectOptions {
            local,
            class,
            ..ConnectOptions::default()
        };
        let Ok(id) = socket.connect_with(upstream.address, options) else {
            // No port: this says nothing about the server.
            return;
        };
        health.checking = true;
        let mut deadline = Deadline::NONE;
        deadline.set_after(spec.timeout, id, socket);
        self.checks.insert(id, CheckConnection { server, deadline });
    }

    /// Ends a check.
    pub(super) fn end_check(&mut self, id: SocketId, success: bool, socket: &mut SocketCx<'_, '_>) {
        let (Some(c), Some(spec)) = (self.checks.remove(id), self.spec.health) else {
            return;
        };
        socket.abort(id);
        socket.record(TcpSample::Upstream(UpstreamSample::Check { success }));
        let Some(health) = self.servers[c.server].health.as_mut() else {
            return;
        };
        health.checking = false;
        if health.take(success, spec.rise, spec.fall) {
            let up = success;
            socket.record(TcpSample::Upstream(UpstreamSample::Health { up }));
            self.serve_waiting(socket);
        }
    }
}
