//! A reverse proxy (layer 7): accepts the connections of clients, and forwards each request over a connection
//! of its own to one of its upstream servers, as nginx, HAProxy and Envoy do.
//!
//! ```text
//!   client ══► Server (front) ── request ──► Upstreams (back) ══► upstream server
//!          ◄══                ◄── result ──                   ◄══
//! ```
//!
//! Requests and responses are forwarded whole, so that a request can be tried again until its response is
//! complete. Upstream servers take turns; those that are down by health checks, or whose circuit breaker is open,
//! are left out. A try that fails is repeated with the next upstream server, at once. A request that cannot be
//! served is answered with a short error (502, 503 or 504), after which the proxy closes the connection: the
//! client sees an incomplete response. The request of a client that leaves meanwhile is finished all the same,
//! unless it is still waiting for a connection: as HAProxy does with `option abortonclose`. (Envoy, and nginx without
//! `proxy_ignore_client_abort`, also close the connection to the upstream server.)
//!
//! Sizes are drawn for each connection, so a request has one size towards the proxy and another, of the same
//! distribution, towards the upstream server; constant sizes are the same on both sides.
//!
//! Leaves out: the time and memory that the proxy itself needs, TLS, caching, responses that are passed on while
//! they arrive, and weights.

mod checks;
mod health;
mod requests;
mod upstreams;

use super::server::Server;
use super::spec::{CloseHow, ProxySpec};
use super::{App, AppEvent};
use crate::host::SocketCx;
use crate::sample::Ending;
use upstreams::{ForwardedRequest, Upstreams};

/// The application described by a [`ProxySpec`].
#[derive(Debug)]
pub struct Proxy {
    front: Server,
    back: Upstreams,
    /// Clients close their direction after their last request, and still wait for the response.
    half_close: bool,
}

impl Proxy {
    /// A proxy as described.
    pub fn new(spec: ProxySpec) -> Proxy {
        Proxy {
            half_close: spec.front.exchange.how == CloseHow::Half,
            front: Server::forwarding(spec.front),
            back: Upstreams::new(spec.back),
        }
    }

    /// Passes requests to the upstream side and results to clients, until there is nothing more to do at this time.
    fn pass_on(&mut self, socket: &mut SocketCx<'_, '_>) {
        loop {
            if let Some(client) = self.front.next_arrived() {
                let since = socket.now();
                self.back
                    .begin(ForwardedRequest::new(client, since), socket);
            } else if let Some((client, answered)) = self.back.next_result() {
                match answered {
                    true => self.front.complete(client, socket),
                    false => self.front.refuse(client, socket),
                }
            } else if !self.back.complete_next(socket) {
                return;
            }
        }
    }
}

impl App for Proxy {
    fn on_event(&mut self, event: AppEvent, socket: &mut SocketCx<'_, '_>) {
        match event {
            AppEvent::Start => {
                self.front.on_event(event, socket);
                self.back.start(socket);
            }
            AppEvent::Wake(token) if self.back.is_own_wake(token) => {
                self.back.on_wake(token, socket);
            }
            AppEvent::Connected(id)
            | AppEvent::Readable(id, _)
            | AppEvent::Writable(id, _)
            | AppEvent::PeerClosed(id)
            | AppEvent::Ended(id, _)
                if self.back.owns(id) =>
            {
                self.back.on_event(id, event, socket);
            }
            AppEvent::PeerClosed(id) | AppEvent::Ended(id, _) => {
                let leaves = matches!(event, AppEvent::Ended(..)) || !self.half_close;
                if leaves && self.front.is_served(id) {
                    self.back.on_client_gone(id);
                }
                self.front.on_event(event, socket);
            }
            _ => self.front.on_event(event, socket),
        }
        self.pass_on(socket);
        self.back.record_levels(socket);
    }

    fn on_cut_off(&mut self, by: Ending, socket: &mut SocketCx<'_, '_>) {
        self.front.on_cut_off(by, socket);
        self.back.on_cut_off(by, socket);
    }

    fn prepare_for(&self, slot: u32) {
        self.front.prepare_for(slot);
        self.back.prepare_for(slot);
    }

    fn prepare_for_wake(&self, token: u64) -> Option<u32> {
        self.front.prepare_for_wake(token)
    }
}
