//! A listener's queue of half-open connections, and the SYN cookies that take its place.

use std::net::SocketAddrV4;

use sim_core::{SimDuration, SimTime};

use super::Runner;
use super::constants::{LISTEN_QUEUE_FULL, SYN_QUEUE_FULL};
use super::stack::{LOCAL, REMOTE};
use crate::model::Input;
use crate::params::SynCookies;
use crate::segment::Segment;
use crate::state::State;
use crate::syn_cookie::{Ends, SynCookieKey};

/// How long after the last cookie was sent one may come back (Linux `TCP_SYNCOOKIE_VALID`).
const VALID: SimDuration = SimDuration::from_secs(120);
/// The host's key: any will do, for cookies are compared with nothing.
const KEY: (u64, u64) = (0x5359_4e46_494e_2121, 0x434f_4f4b_4945_5321);

impl Runner<'_, '_> {
    /// As many connections are half-open as the backlog admits; without cookies three quarters of
    /// `tcp_max_syn_backlog` bound them too.
    fn is_syn_queue_full(&self, listener: usize) -> bool {
        let half_open = self.stack.flows.iter().filter(|f| {
            f.listener == Some(listener) && f.state() == State::SynReceived && !f.offered
        });
        let params = &self.sockets.all[listener].params;
        let mut limit = self.sockets.backlog(listener);
        if params.syn_cookies == SynCookies::Off {
            limit = limit.min(params.max_syn_backlog - params.max_syn_backlog / 4);
        }
        half_open.count() > limit as usize
    }

    /// A SYN that finds no place in the queue: dropped, or answered by a cookie. False when it has
    /// a place.
    pub(super) fn has_no_place(&mut self, index: usize, listener: usize, syn: &Segment) -> bool {
        let params = self.sockets.all[listener].params.clone();
        let full = self.is_syn_queue_full(listener);
        match params.syn_cookies {
            SynCookies::Off if full => {
                self.note(SYN_QUEUE_FULL);
                true
            }
            SynCookies::WhenFull if !full => false,
            SynCookies::Off => false,
            SynCookies::WhenFull | SynCookies::Always => {
                let ends = self.ends(index);
                let key = SynCookieKey::new(KEY);
                let answer = key.answer(&params, &ends, syn, self.now);
                self.at(listener).last_cookie = Some(self.now);
                self.stack.flows[index].renumber(answer.seq);
                self.stack.send(index, answer, false, self.now);
                true
            }
        }
    }

    fn ends(&self, index: usize) -> Ends {
        let flow = &self.stack.flows[index];
        Ends {
            local: SocketAddrV4::new(LOCAL, flow.local_port),
            remote: SocketAddrV4::new(REMOTE, flow.remote_port),
            ts_offset: self.options.ts_offset,
        }
    }

    /// An ACK for a listener: a cookie that comes back opens the connection. False when it is none.
    pub(super) fn brings_cookie(&mut self, index: usize, listener: usize, ack: &Segment) -> bool {
        let socket = &self.sockets.all[listener];
        let awaited = |sent: SimTime| self.now.since(sent) <= VALID;
        let plain = ack.flags.is_ack() && !ack.flags.is_syn() && !ack.flags.is_rst();
        if !plain || !socket.last_cookie.is_some_and(awaited) {
            return false;
        }
        let params = socket.params.clone();
        let ends = self.ends(index);
        let key = SynCookieKey::new(KEY);
        let Some(agreed) = key.check(&params, &ends, ack, self.now) else {
            return false;
        };
        if self.sockets.is_full(listener) {
            self.note(LISTEN_QUEUE_FULL);
            return true;
        }
        let index = self.stack.resume(index, &params, agreed.iss);
        self.stack.flows[index].listener = Some(listener);
        self.stack.step(index, Input::Resume(&agreed), self.now);
        self.stack.step(index, Input::Segment(ack), self.now);
        true
    }
}
