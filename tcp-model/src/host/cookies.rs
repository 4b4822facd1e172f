//! SYN cookies at a host: answers a SYN without keeping state, and accepts the ACK that returns the cookie.

use sim_core::{Packet, SimDuration, SimTime};

use super::cx::HostEnv;
use super::four_tuple::FourTuple;
use super::stack::Stack;
use crate::model::{Input, OpenContext};
use crate::params::SynCookies;
use crate::sample::Side;
use crate::segment::Segment;
use crate::state::State;
use crate::syn_cookie::{CookieEndpoints, SynCookieKey};

/// How long after the last cookie was sent one may be returned (Linux `TCP_SYNCOOKIE_VALID`).
const VALID: SimDuration = SimDuration::from_secs(120);

impl Stack {
    /// Whether a SYN gets a cookie instead of a place in the queue.
    pub(super) fn wants_cookie(&self, listener: usize) -> bool {
        match self.params.syn_cookies {
            SynCookies::Off => false,
            SynCookies::WhenFull => self.listeners[listener].is_syn_queue_full(&self.params),
            SynCookies::Always => true,
        }
    }

    fn cookie_key(&self) -> SynCookieKey {
        SynCookieKey::new(self.secret.derive("syn cookie"))
    }

    fn ends(&self, flow: FourTuple) -> CookieEndpoints {
        CookieEndpoints {
            local: flow.local(),
            remote: flow.remote(),
            ts_offset: self.ts_offset(flow),
        }
    }

    #[cold]
    pub(super) fn send_cookie(
        &mut self,
        listener: usize,
        flow: FourTuple,
        syn: &Segment,
        cx: &mut impl HostEnv,
    ) {
        let (ends, now) = (self.ends(flow), cx.now());
        let params = self.listeners[listener].params(&self.params).clone();
        let answer = self.cookie_key().answer(&params, &ends, syn, now);
        self.listeners[listener].last_cookie = now;
        self.stats.syn_cookies_sent += 1;
        self.send(flow, &answer, Some(State::Listen), cx);
    }

    /// Handles a segment for a listener with an acknowledgement, which may be of a cookie. True if it was
    /// one.
    #[cold]
    pub(super) fn cookie_arrives(
        &mut self,
        listener: usize,
        flow: FourTuple,
        packet: &Packet<Segment>,
        cx: &mut impl HostEnv,
    ) -> bool {
        let listening = &self.listeners[listener];
        let last = listening.last_cookie;
        let awaited = last != SimTime::MAX && cx.now().since(last) <= VALID;
        if self.params.syn_cookies == SynCookies::Off || !awaited {
            return false;
        }
        let (seg, ends) = (&packet.payload, self.ends(flow));
        let params = listening.params(&self.params).clone();
        let Some(agreed) = self.cookie_key().check(&params, &ends, seg, cx.now()) else {
            self.stats.syn_cookies_failed += 1;
            return false;
        };
        if listening.is_accept_queue_full() {
            self.stats.listen_overflows += 1;
            self.stats.listen_drops += 1;
            self.note_received(packet, Some(State::Listen), cx);
            return true;
        }
        self.stats.syn_cookies_received += 1;
        let app = listening.app;
        let context = OpenContext {
            params,
            conn: seg.tag.conn,
            traced: seg.tag.traced,
            local: flow.local(),
            remote: flow.remote(),
            iss: agreed.iss,
            ts_offset: ends.ts_offset,
        };
        let slot = self.add_endpoint(context, Side::Passive, app, listener as u16, false, cx);
        self.step(slot, Input::Resume(&agreed), cx);
        self.step_segment(slot, packet, cx);
        true
    }
}
